"""The thread that renders: changes in order, then the newest scene; what is older is dropped."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, QObject, Signal

from viewer.imaging.geometry import GeometryVerdict
from viewer.views.rendering.capability import Capability, Engine, capability
from viewer.views.rendering.renderer import VolumeRenderer
from viewer.views.rendering.scene import Scene, Surface
from viewer.views.rendering.voxels import Removed, Voxels

log = logging.getLogger(__name__)

Change = Callable[[VolumeRenderer], None]


def tr(text: str) -> str:
    """Translate a reason; on any thread."""
    return QCoreApplication.translate("Rendering", text)


class RenderThread(QObject):
    """Renders on a thread of its own, so that the window never waits for a picture.

    Parameters
    ----------
    find
        Says what this machine can do; called on the thread.
    """

    painted = Signal(object)
    """A Picture, in the thread of the receiver."""
    loaded = Signal(object)
    """The Voxels that are rendered from now on, or the GeometryVerdict that says why there are none."""
    begun = Signal(str)
    """What the thread does from now on, before the first picture, in words for the reader."""
    refused = Signal(str)
    """Why nothing can be rendered, in words for the reader."""
    idle = Signal()
    """All that was asked is done."""

    def __init__(self, find: Callable[[], Capability] = capability) -> None:
        super().__init__()
        self._find = find
        self._wake = threading.Condition()
        self._changes: deque[Change] = deque()
        self._scene: Scene | None = None
        self._ends = False
        self._thread: threading.Thread | None = None

    def start(
        self,
        make: Callable[[], Voxels | GeometryVerdict],
        let_go: Callable[[], None] | None = None,
    ) -> None:
        """Start; the thread makes the voxels first, and calls `let_go` when it has done with them."""
        self._thread = threading.Thread(target=self._run, args=(make, let_go), name="volume rendering")
        self._thread.start()

    def remove(self, removed: Removed | None) -> None:
        """Draw nothing where a mask is true."""
        self._change(lambda renderer: renderer.remove(None if removed is None else removed.mask()))

    def set_surfaces(self, surfaces: Sequence[Surface]) -> None:
        """Draw masks as surfaces."""
        taken = tuple(surfaces)
        self._change(lambda renderer: renderer.set_surfaces(taken))

    def draw(self, scene: Scene) -> None:
        """Render a scene, unless a newer one comes before its turn."""
        with self._wake:
            self._scene = scene
            self._wake.notify()

    def end(self) -> None:
        """Stop after what is under way and give everything back; returns at once."""
        with self._wake:
            self._ends = True
            self._scene = None
            self._wake.notify()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the thread has ended; false when it has not in that time."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _change(self, change: Change) -> None:
        with self._wake:
            self._changes.append(change)
            self._wake.notify()

    # --- on the thread -----------------------------------------------------------------------------

    def _run(
        self, make: Callable[[], Voxels | GeometryVerdict], let_go: Callable[[], None] | None
    ) -> None:
        try:
            self._render_all(make)
        except Exception:  # whatever VTK raises: the reader is told, the program goes on
            log.exception("volume rendering failed")
            self.refused.emit(tr("3D stopped: rendering failed on this machine."))
        finally:
            self._changes.clear()
            if let_go is not None:
                let_go()

    def _render_all(self, make: Callable[[], Voxels | GeometryVerdict]) -> None:
        self.begun.emit(tr("Finding out how this machine draws 3D \u2026"))
        can = self._find()
        if can.engine is Engine.NONE:
            self.refused.emit(can.refusal(tr))
            return
        self.begun.emit(tr("Building the volume \u2026"))
        found = make()
        if isinstance(found, GeometryVerdict):
            self.loaded.emit(found)
            return
        self.begun.emit(tr("Drawing the first picture \u2026"))
        threads = max(1, os.cpu_count() or 1)
        renderer = VolumeRenderer(can, threads=threads, interrupted=self._has_newer)
        try:
            renderer.set_voxels(found)
            self.loaded.emit(found)
            del found
            self._work(renderer)
        finally:
            renderer.dispose()

    def _has_newer(self) -> bool:
        return self._ends or self._scene is not None or bool(self._changes)

    def _work(self, renderer: VolumeRenderer) -> None:
        while True:
            with self._wake:
                if not self._has_newer():
                    self.idle.emit()
                while not self._has_newer():
                    self._wake.wait()
                if self._ends:
                    return
                change = self._changes.popleft() if self._changes else None
                scene = None
                if change is None:
                    scene, self._scene = self._scene, None
            if change is not None:
                change(renderer)
            elif scene is not None:
                picture = renderer.render(scene)
                if picture is not None:
                    self.painted.emit(picture)

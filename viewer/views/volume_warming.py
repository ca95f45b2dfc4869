"""Imports what planes and 3D need before they are asked for: on a quiet thread, long after first paint.

The libraries take a second and more to load the first time, and some of them keep the interpreter for
50 ms meanwhile. So they are loaded one at a time, while the reader rests, some seconds after a study
with a volume came; a reader who asks for a volume before waits as without this.

What is loaded takes some 85 MB for as long as the program runs, and one step may stop the window for up
to a fifth of a second. So nothing is loaded in advance on a machine with little memory, nor while
anything is drawn, typed or pointed at; the first volume comes a second or two later there.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer

from viewer.imaging.study import Study
from viewer.imaging.worker.memory import memory_of_machine

log = logging.getLogger(__name__)

WAIT_MS: Final = 5000
"""After a study was opened: its images are on the screen and the reader looks at them."""

PAUSE_S: Final = 0.1
"""Between two modules, and between two looks whether the reader rests."""

REST_S: Final = 1.5
"""So long nothing has moved before the next module is loaded."""

LEAST_MEMORY: Final = 8 * 10**9
"""Bytes of a machine on which what may never be asked for is loaded: one sold with 8 GiB, which keeps a
part for itself."""

STIRRING: Final = frozenset(
    (
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TabletMove,
    )
)
"""What a person does: loading waits until they rest."""

NICENESS: Final = 15
"""Of the thread, where threads have one of their own (Linux)."""

MODULES: Final = (
    "vtkmodules.vtkCommonCore",
    "vtkmodules.vtkCommonMath",
    "vtkmodules.vtkCommonDataModel",
    "vtkmodules.util.numpy_support",
    "vtkmodules.vtkCommonExecutionModel",
    "vtkmodules.vtkImagingCore",
    "vtkmodules.vtkRenderingCore",
    "vtkmodules.vtkRenderingVolume",
    "vtkmodules.vtkRenderingOpenGL2",
    "vtkmodules.vtkRenderingVolumeOpenGL2",
    "viewer.views.reformat.workspace",
    "viewer.views.rendering.workspace",
)
"""What the first plane and the first picture import, in an order in which no step is long."""

FEWEST_IMAGES: Final = 20
"""A series with fewer is rarely looked at as a volume."""


def has_volume(study: Study) -> bool:
    """Return whether a study has a series that somebody may look at as a volume."""
    return any(
        series.verdict.is_volume and series.image_count >= FEWEST_IMAGES for series in study.series
    )


class VolumeWarming(QObject):
    """Loads once what a volume will need, when a study with one has been open for a while.

    Parameters
    ----------
    probe
        Called on the thread after the imports: what 3D finds out about the machine.
    memory
        Bytes of the machine.
    """

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        wait_ms: int = WAIT_MS,
        rest_s: float = REST_S,
        probe: Callable[[], object] | None = None,
        memory: int | None = None,
    ) -> None:
        super().__init__(parent)
        self._is_roomy = (memory_of_machine() if memory is None else memory) >= LEAST_MEMORY
        self._probe, self._rest_s = probe or _probe, rest_s
        self._stirred = 0.0
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer = QTimer(self, singleShot=True, interval=wait_ms)
        self._timer.timeout.connect(self._start)

    def open_study(self, study: Study | None) -> None:
        """Begin to wait anew; never for a study without a volume, nor on a small machine."""
        self._timer.stop()
        wanted = self._is_roomy and self._thread is None
        if wanted and study is not None and has_volume(study):
            self._timer.start()

    @property
    def is_waiting(self) -> bool:
        """True until loading begins."""
        return self._timer.isActive()

    def stir(self) -> None:
        """Say that something moves on the screen: loading waits until it rests."""
        self._stirred = time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Wait until all is loaded; false when it is not in that time, or was not begun."""
        if self._thread is None:
            return False
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Load nothing more."""
        self._timer.stop()
        self._ends.set()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hear what a person does anywhere in the program, while something is loaded."""
        if event.type() in STIRRING:
            self.stir()
        if self._thread is not None and not self._thread.is_alive():
            self._listen(False)
        return False

    def _listen(self, listens: bool) -> None:
        program = QCoreApplication.instance()
        if program is not None:
            program.removeEventFilter(self)
            if listens:
                program.installEventFilter(self)

    def _start(self) -> None:
        self._listen(True)
        self._thread = threading.Thread(target=self._load, name="volume warming", daemon=True)
        self._thread.start()

    def _load(self) -> None:
        if sys.platform.startswith("linux"):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            for name in MODULES:
                self._ends.wait(PAUSE_S)
                while time.monotonic() - self._stirred < self._rest_s and not self._ends.is_set():
                    self._ends.wait(PAUSE_S)
                if self._ends.is_set():
                    return
                importlib.import_module(name)
            self._probe()
        except Exception:  # whatever is lacking is told when a volume is asked for
            log.info("what volumes need could not be loaded in advance", exc_info=True)


def _probe() -> object:
    from viewer.views.rendering.capability import capability

    return capability()

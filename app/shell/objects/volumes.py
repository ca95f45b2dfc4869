"""Segments and regions in the workspaces: the planes and the 3D view show what the viewports show."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QObject, QTimer

from app.shell.background import Background, Job
from viewer.imaging.objects.placing import Misaligned
from viewer.imaging.volume import ImageStack
from viewer.views.objects.board import ObjectsBoard
from viewer.views.objects.laying import Laid, lay
from viewer.views.objects.volumes import LabelVolume, LaidParts, ShapesWorkspace, label_volume
from viewer.views.reading_area import ReadingArea

REST_MS = 120
"""Milliseconds without a change after which workspaces follow: surfaces take long to make."""


class ObjectVolumes(QObject):
    """Makes the labels of what is shown on a thread, for the workspace that is entered."""

    def __init__(self, board: ObjectsBoard, area: ReadingArea, work: Background) -> None:
        super().__init__(area)
        self._board, self._area, self._work = board, area, work
        self._made: LabelVolume | None = None
        self._key: object = None
        self._job: Job | None = None
        self._told: tuple[LabelVolume | None, float] | None = None
        self._numbers = itertools.count()
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._follow)
        area.stage.changed.connect(lambda _name: self._entered())
        board.changed.connect(self._rest.start)

    def forget(self) -> None:
        """Want no answer any more and let go of the labels."""
        if self._job is not None:
            self._job.drop()
        self._job = self._made = self._told = None
        self._key = None

    def _entered(self) -> None:
        self.forget()
        self._follow()

    def _follow(self) -> None:
        """Show in the workspace what the board shows; nothing is done while none is entered."""
        workspace, stack = self._area.stage.workspace, self._area.grid.active_pane().stack()
        if not isinstance(workspace, ShapesWorkspace) or stack is None:
            return
        shapes = self._board.shown_shapes()
        key = (
            id(workspace),
            stack.series.key,
            tuple(part.key for _, parts in shapes for part in parts),
        )
        if key == self._key:
            if self._job is None:
                self._tell(workspace)
            return
        self.forget()
        self._key = key
        if not shapes:
            self._tell(workspace)
            return
        series, frames = stack.series, stack.frames
        places = [
            (content, parts, self._board.known_place(content, series, frames))
            for content, parts in shapes
        ]
        name = f"objects {next(self._numbers)}"

        def work() -> LabelVolume | None:
            found: list[LaidParts] = []
            for content, parts, known in places:
                laid: Laid | Misaligned = known or lay(content, series, frames)
                if not isinstance(laid, Misaligned):
                    found.append((laid, parts))
            return label_volume(name, found, _shape(stack))

        def done(made: LabelVolume | None) -> None:
            self._job, self._made = None, made
            self._tell(workspace)

        self._job = self._work.run(work, done, lambda _error: None)

    def _tell(self, workspace: ShapesWorkspace) -> None:
        told = (self._made, self._board.opacity)
        if told != self._told:
            self._told = told
            workspace.set_shapes(*told)


def _shape(stack: ImageStack) -> tuple[int, int, int]:
    frames, rows, columns = stack.stored.shape[:3]
    return frames, rows, columns

"""Finds on a thread where segments and regions are: the largest slice, and volumes nobody states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.shell.background import Background, Job
from app.shell.objects.jump import ImagePlace
from app.shell.objects.rows import tr
from viewer.imaging.objects.contours import StructureSetContent
from viewer.imaging.objects.placing import Misaligned
from viewer.imaging.study import Series, Study
from viewer.views.grid import ViewportGrid
from viewer.views.objects.board import ObjectsBoard
from viewer.views.objects.laying import Frames, Laid, LaidRegions, Shaped, lay

MOST_SERIES = 8
"""Series that are tried for the place of an object."""


LaidOn = tuple[Series, Frames, Laid | Misaligned]
"""A series with its frames, and where an object lies on them."""


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A series that an object may lie on."""

    series: Series
    frames: Frames
    known: Laid | Misaligned | None


@dataclass(frozen=True, eq=False)
class _Found:
    """Where an object was found to lie."""

    candidate: _Candidate
    laid: Laid | Misaligned
    index: int | None = None


class ObjectPlaces:
    """Asks on threads; the board keeps what is found."""

    def __init__(self, board: ObjectsBoard, work: Background, grid: ViewportGrid) -> None:
        self._board, self._work, self._grid = board, work, grid
        self._jobs: list[Job] = []

    def forget(self) -> None:
        """Want no answers any more."""
        for job in self._jobs:
            job.drop()
        self._jobs.clear()

    def stacks(self) -> tuple[tuple[Series, Frames], ...]:
        """Return the series that are shown, each once, with their frames."""
        shown = [pane.stack() for pane in self._grid.panes()]
        found = {stack.series.key: (stack.series, stack.frames) for stack in shown if stack is not None}
        return tuple(found.values())

    def is_here(self, content: Shaped) -> bool:
        """Return whether a viewport shows images that an object lies on."""
        stacks = [pane.stack() for pane in self._grid.panes()]
        return any(
            stack is not None and not isinstance(self._board.laid(content, stack), Misaligned)
            for stack in stacks
        )

    def largest(
        self,
        content: Shaped,
        number: int,
        study: Study,
        done: Callable[[ImagePlace], None],
        failed: Callable[[str], None],
    ) -> None:
        """Find the image on which a part is largest, first on the series that is looked at."""
        candidates = self._candidates(content, study)

        def work() -> _Found | None:
            last: _Found | None = None
            for one in candidates:
                laid = one.known or lay(content, one.series, one.frames)
                index = None if isinstance(laid, Misaligned) else laid.largest_frame(number)
                if index is not None:
                    return _Found(one, laid, index)
                if last is None:
                    last = _Found(one, laid)
            return last

        def answer(found: _Found | None) -> None:
            if found is None:
                failed(tr("No series of this study lies where this object does."))
                return
            one = found.candidate
            self._board.take_place(content, one.series, one.frames, found.laid)
            if found.index is not None:
                done(ImagePlace(one.series, one.frames[found.index]))
            elif isinstance(found.laid, Misaligned):
                failed(found.laid.reason)
            else:
                failed(tr("It is empty on these images."))

        self._jobs.append(self._work.run(work, answer, lambda error: failed(str(error))))

    def count_volumes(
        self, content: StructureSetContent, study: Study, done: Callable[[], None]
    ) -> None:
        """Count the voxels that regions enclose on the series they were drawn on."""
        candidates = self._candidates(content, study)[:1]
        numbers = [one.number for one in content.regions if one.stated_volume_ml is None]
        if not candidates or not numbers:
            return
        (one,) = candidates

        def work() -> tuple[Laid | Misaligned, dict[int, float]]:
            laid = one.known or lay(content, one.series, one.frames)
            if not isinstance(laid, LaidRegions):
                return laid, {}
            found = {number: laid.volume_ml(number) for number in numbers}
            return laid, {number: volume for number, volume in found.items() if volume is not None}

        def answer(found: tuple[Laid | Misaligned, dict[int, float]]) -> None:
            self._board.take_place(content, one.series, one.frames, found[0])
            self._board.take_volumes(content.about.sop_instance_uid, found[1], _counted_on(one.series))
            done()

        self._jobs.append(self._work.run(work, answer, lambda _error: None))

    def _candidates(self, content: Shaped, study: Study) -> list[_Candidate]:
        """Return series to try: those looked at, those named, those of the frame of reference."""
        about = content.about
        panes = self._grid.panes()
        active = self._grid.active_pane()
        stacks = [pane.stack() for pane in (active, *panes)]
        found: dict[str, _Candidate] = {}

        def offer(series: Series, frames: Frames) -> None:
            if series.key not in found and frames:
                known = self._board.known_place(content, series, frames)
                found[series.key] = _Candidate(series, frames, known)

        for stack in stacks:
            if stack is not None and about.refers_to(stack.series.series_instance_uid):
                offer(stack.series, stack.frames)
        named = [one for one in study.series if about.refers_to(one.series_instance_uid)]
        frame = about.frame_of_reference_uid
        beside = [one for one in study.series if frame and one.frame_of_reference_uid == frame]
        for series in (*named, *beside):
            offer(series, series.frame_order())
        return list(found.values())[:MOST_SERIES]


def places_on(content: Shaped, stacks: Sequence[tuple[Series, Frames]]) -> tuple[LaidOn, ...]:
    """Find where an object lies on series; may take a second."""
    return tuple((series, frames, lay(content, series, frames)) for series, frames in stacks)


def _counted_on(series: Series) -> str:
    """Say how a volume was counted, and on which series."""
    name = series.description or series.modality
    return tr("voxels of {series} whose centre is inside").format(series=name)

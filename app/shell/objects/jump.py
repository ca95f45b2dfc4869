"""Goes to an image: in the viewport that shows its series, else the series is opened first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject

from viewer.imaging.study import Series, Study
from viewer.imaging.volume import ImageStack
from viewer.views.reading_area import ReadingArea
from viewer.views.stack_view import StackView

Then = Callable[[StackView], None]


@dataclass(frozen=True)
class ImagePlace:
    """An image of a study.

    Parameters
    ----------
    frame
        (instance index in `series.instances`, frame number from 1).
    """

    series: Series
    frame: tuple[int, int]


def place_of(study: Study, sop_instance_uid: str, frame: int = 1) -> ImagePlace | None:
    """Return where an image is in a study, or none."""
    for series in study.series:
        for number, one in enumerate(series.instances):
            if one.sop_instance_uid == sop_instance_uid and frame <= one.number_of_frames:
                return ImagePlace(series, (number, frame))
    return None


class ImageJump(QObject):
    """Goes to one image at a time; a newer wish takes the place of one that still waits."""

    def __init__(self, area: ReadingArea) -> None:
        super().__init__(area)
        self._area = area
        self._waiting: tuple[ImagePlace, Then | None] | None = None
        area.paneSeriesChanged.connect(self._arrived)

    def forget(self) -> None:
        """Wish for nothing any more."""
        self._waiting = None

    def go(self, place: ImagePlace, then: Then | None = None) -> None:
        """Show an image, then do something in its viewport."""
        area, grid = self._area, self._area.grid
        area.stage.leave()
        panes = grid.panes()
        order = sorted(range(len(panes)), key=lambda number: number != grid.active_index())
        for number in order:
            stack = panes[number].stack()
            if stack is not None and stack.series.key == place.series.key:
                self._waiting = None
                if grid.maximised and number != grid.active_index():
                    grid.set_maximised(False)
                grid.set_active(number)
                self._show(number, place, then)
                return
        self._waiting = (place, then)
        order_ = place.series.frame_order()
        area.show_series(
            place.series.key, first=order_.index(place.frame) if place.frame in order_ else None
        )

    def _arrived(self, number: int, key: str) -> None:
        if self._waiting is not None and self._waiting[0].series.key == key:
            (place, then), self._waiting = self._waiting, None
            self._show(number, place, then)

    def _show(self, number: int, place: ImagePlace, then: Then | None) -> None:
        pane = self._area.grid.all_panes()[number]
        stack = pane.stack()
        if not isinstance(pane, StackView) or stack is None:
            return
        index = _index(stack, place.frame)
        if index is not None and index != pane.shown_frame():
            pane.set_state(pane.model.state.at(index, pane.model.count))
            if self._area.grid.linked:
                for other in self._area.grid.panes():
                    if other is not pane:
                        other.follow(stack, index)
        if then is not None:
            then(pane)


def _index(stack: ImageStack, frame: tuple[int, int]) -> int | None:
    return stack.frames.index(frame) if frame in stack.frames else None

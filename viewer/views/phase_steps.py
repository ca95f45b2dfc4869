"""Which phases of a 4D series are open, and how a viewport goes from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.imaging.study import Series
from viewer.imaging.worker.memory import default_limit

if TYPE_CHECKING:
    from viewer.views.reading_area import ReadingArea
    from viewer.views.stack_view import StackView

RATE: Final = 4.0
"""Phases a second while they play."""

MEMORY_SHARE: Final = 0.4
"""Phases that nobody looks at take at most this share of the memory for pixels."""


class PhaseSteps(QObject):
    """Shows phases in the viewports of an area and opens those beside them in the background.

    Parameters
    ----------
    limit
        Bytes that the phases of one series may take; those farthest away go back first.
    """

    changed = Signal()
    """Playing began or ended."""

    def __init__(
        self, area: ReadingArea, parent: QObject | None = None, *, limit: int | None = None
    ) -> None:
        super().__init__(parent)
        self._area = area
        self._limit = int(default_limit() * MEMORY_SHARE) if limit is None else limit
        self._playing: StackView | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(round(1000 / RATE))
        self._timer.timeout.connect(self.tick)
        area.adapter.seriesOpened.connect(lambda *_opened: self._prefetch())

    def phases(self, view: StackView) -> tuple[Series, ...]:
        """Return the phases of what a viewport shows, in order; empty when it is no 4D series."""
        stack, study = view.model.stack, view.model.study
        if stack is None or study is None or stack.series.phase is None:
            return ()
        found = study.phases_of(stack.series)
        return found if len(found) > 1 else ()

    def place(self, view: StackView) -> int:
        """Return which of its phases a viewport shows, from 0; -1 for none."""
        stack = view.model.stack
        keys = [one.key for one in self.phases(view)]
        return -1 if stack is None or stack.series.key not in keys else keys.index(stack.series.key)

    def has_control(self, view: StackView) -> bool:
        """Return whether a viewport has a control of its own: of tiles of one series the active one."""
        grid = self._area.grid
        return not grid.tiled or grid.active_pane() is view

    def show(self, view: StackView, place: int) -> None:
        """Show another phase at the same slice, in the same window, zoom and position."""
        phases, here = self.phases(view), self.place(view)
        if not phases or not 0 <= place < len(phases) or place == here:
            return
        number = next(at for at, pane in enumerate(self._area.grid.all_panes()) if pane is view)
        state = view.model.state
        self._area.show_series(phases[place].key, pane=number, first=state.index, state=state)
        self._prefetch()

    def step(self, view: StackView, by: int) -> bool:
        """Show the next or an earlier phase; false when the viewport shows no 4D series."""
        phases = self.phases(view)
        if not phases:
            return False
        self.show(view, max(0, min(self.place(view) + by, len(phases) - 1)))
        return True

    def is_playing(self, view: StackView) -> bool:
        """Return whether the phases of a viewport play."""
        return self._playing is view

    def play(self, view: StackView | None) -> None:
        """Play the phases of a viewport at the place that it shows; none stops."""
        self._playing = view
        if view is None:
            self._timer.stop()
        else:
            self._timer.start()
            self._prefetch()
        self.changed.emit()

    def tick(self) -> None:
        """Show the next phase that is open, round and round."""
        view = self._playing
        phases = () if view is None else self.phases(view)
        if view is None or not phases or not view.isVisible():
            self.play(None)
            return
        here = self.place(view)
        order = [*range(here + 1, len(phases)), *range(here)]
        ready = (at for at in order if self._area.adapter.opened(phases[at].key) is not None)
        there = next(ready, None)
        if there is not None:
            self.show(view, there)

    # --- memory ------------------------------------------------------------------------------------

    def _prefetch(self) -> None:
        """Open one more phase near those that are shown, if there is room; the next follows it."""
        shown = [pane for pane in self._area.grid.panes() if self.phases(pane)]  # type: ignore[arg-type]
        for view in shown:
            self._prefetch_for(view)  # type: ignore[arg-type]

    def _prefetch_for(self, view: StackView) -> None:
        phases, here, stack = self.phases(view), self.place(view), view.model.stack
        adapter = self._area.adapter
        if stack is None or adapter.opened(stack.series.key) is None:
            return  # what is looked at comes first
        count = len(phases)
        room = max(1, self._limit // max(stack.stored.nbytes, 1))
        # ahead first when playing; else outward
        order = sorted(range(count), key=lambda at: (self._distance(view, at, here, count), -at))
        near = order[: min(room, count)]
        self._release([phases[at] for at in order[len(near) :]])
        for at in near:
            if adapter.opened(phases[at].key) is not None:
                continue
            if adapter.stack(phases[at].key) is None:
                adapter.open(phases[at], first=view.model.state.index)
            return  # one at a time

    def _distance(self, view: StackView, at: int, here: int, count: int) -> int:
        return (at - here) % count if self.is_playing(view) else abs(at - here)

    def _release(self, phases: list[Series]) -> None:
        """Give back the memory of phases that no viewport shows; not while a workspace reads one."""
        if self._area.stage.name:
            return
        stacks = [pane.stack() for pane in self._area.grid.all_panes()]
        shown = {stack.series.key for stack in stacks if stack is not None}
        keys = {one.key for one in phases} - shown
        self._area.adapter.let_go(key for key in keys if self._area.adapter.opened(key) is not None)

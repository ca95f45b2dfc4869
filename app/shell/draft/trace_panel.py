"""The trace of a drafting run as it happens: what ran, what it measured or why it refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QT_TRANSLATE_NOOP, QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.shell.draft.trace_rows import TraceGroup
from app.shell.report.chip import ChipButton
from app.shell.widgets import ActButton, ElidedLabel, glyph_label, plain_label, rule
from reports.domain import Evidence, Step, TraceEvent
from viewer.views.theme import Theme

_STEP_DOING: dict[Step, str] = {
    Step.TRIAGE: QT_TRANSLATE_NOOP("TracePanel", "looking at what this is"),
    Step.COLLECT: QT_TRANSLATE_NOOP("TracePanel", "measuring"),
    Step.COMPOSE: QT_TRANSLATE_NOOP("TracePanel", "writing"),
    Step.VERIFY: QT_TRANSLATE_NOOP("TracePanel", "checking"),
    Step.DONE: QT_TRANSLATE_NOOP("TracePanel", "finished"),
}


class TracePanel(QWidget):
    """Head with step, time and Cancel; a progress bar; rows by step.

    An event with the step and subject of an earlier one replaces its row.
    """

    cancelWanted = Signal()
    evidenceActivated = Signal(str)
    """A chip of a row was clicked."""

    def __init__(self, theme: Theme, cancel_key: str = "Esc") -> None:
        super().__init__()
        self._theme = theme
        self._events: dict[tuple[Step, str], TraceEvent] = {}
        self._evidence: Callable[[str], Evidence | None] = lambda _id: None
        self._running = False
        self._seconds = 0.0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_head(cancel_key))
        column.addWidget(rule())
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setAccessibleName(self.tr("Steps of the draft"))
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self._area, 1)
        column.addWidget(rule())
        column.addLayout(self._make_foot())
        # Progress, clock and rows move at 10 Hz, whatever the rate of events.
        self._tick = QTimer(self)
        self._tick.setInterval(round(1000 / theme.value("motion", "progress-hz")))
        self._tick.timeout.connect(self._on_tick)
        self._clock = QElapsedTimer()
        self._is_stale = self._has_old_rows = False
        self._groups: dict[Step, TraceGroup] = {}
        self._body = QWidget()
        self._body.setProperty("ground", "panel")
        self._column = QVBoxLayout(self._body)
        side = theme.length("space", "m")
        self._column.setContentsMargins(side, side, side, side)
        self._column.setSpacing(theme.length("space", "s"))
        self._column.addStretch(1)
        self._area.setWidget(self._body)
        self._draw()

    def _make_head(self, cancel_key: str) -> QWidget:
        theme = self._theme
        side, gap = theme.length("space", "m"), theme.length("space", "s")
        head = QFrame()
        grid = QGridLayout(head)
        grid.setContentsMargins(side, side, side, side)
        grid.setHorizontalSpacing(gap)
        grid.setVerticalSpacing(side)
        self._title = plain_label("", theme, step="patient")
        self._doing = ElidedLabel("", theme, tone="2")
        self._time = plain_label("", theme, tone="2")
        self.cancel = ActButton(self.tr("Cancel"), theme, key=cancel_key)
        self.cancel.setAccessibleName(self.tr("Cancel drafting"))
        self.cancel.clicked.connect(self.cancelWanted)
        grid.addWidget(self._title, 0, 0)
        grid.addWidget(self._doing, 0, 1)
        grid.addWidget(self._time, 0, 2)
        grid.addWidget(self.cancel, 0, 3)
        grid.setColumnStretch(1, 1)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setRange(0, 1000)
        grid.addWidget(self._progress, 1, 0, 1, 4)
        return head

    def _make_foot(self) -> QHBoxLayout:
        theme = self._theme
        row = QHBoxLayout()
        side = theme.length("space", "m")
        row.setContentsMargins(side, theme.length("space", "s"), side, theme.length("space", "s"))
        row.setSpacing(theme.length("space", "s"))
        self._note = ElidedLabel(
            self.tr("Reading goes on while the draft is made."), theme, step="note", tone="2"
        )
        self._stamp = plain_label("", theme, step="note", tone="2")
        row.addWidget(glyph_label("info", "text-2", theme, meaning=""))
        row.addWidget(self._note, 1)
        row.addWidget(self._stamp)
        return row

    # What the shell calls

    @property
    def events(self) -> tuple[TraceEvent, ...]:
        """The events that are shown, in order."""
        return tuple(self._events.values())

    @property
    def is_running(self) -> bool:
        """True between `start` and `finish`."""
        return self._running

    def set_evidence(self, evidence: Callable[[str], Evidence | None]) -> None:
        """Give the look-up of evidence, for the kind of a row's chip."""
        self._evidence = evidence

    def start(self, model: str = "", seed: int | None = None) -> None:
        """Begin a run: clears the rows, starts the clock."""
        self._events = {}
        self._running = True
        self._clock.start()
        self._tick.start()
        words = [model] if model else []
        if seed is not None:
            words.append(self.tr("seed {n}").format(n=seed))
        self._stamp.setText(", ".join(words))
        self.set_progress(0.0)
        self._draw()

    def add(self, event: TraceEvent) -> None:
        """Take an event; it is drawn with the next tick, ten times a second at most."""
        self._events[event.step, event.subject] = event
        self._is_stale = True
        if not self._running:
            self._draw()

    def set_progress(self, part: float) -> None:
        """Show how far the run is, 0 to 1."""
        self._progress.setValue(round(1000 * min(max(part, 0.0), 1.0)))

    def finish(self) -> None:
        """End the run; the rows stay."""
        if self._running:
            self._seconds = self._clock.elapsed() / 1000
        self._running = False
        self._tick.stop()
        self.set_progress(1.0)
        self._draw()

    def show_events(self, events: Iterable[TraceEvent], seconds: float | None = None) -> None:
        """Show a recorded run."""
        self._events = {(event.step, event.subject): event for event in events}
        self._seconds = (
            seconds if seconds is not None else sum(e.seconds or 0.0 for e in self._events.values())
        )
        self._running = False
        self._tick.stop()
        self._draw()

    # Drawing

    def _on_tick(self) -> None:
        self._seconds = self._clock.elapsed() / 1000
        self._time.setText(self._clock_text())
        if self._is_stale:
            self._draw()

    def _clock_text(self) -> str:
        whole = int(self._seconds)
        return f"{whole // 60}:{whole % 60:02d}"

    def _draw(self) -> None:
        self._is_stale = False
        last = next(reversed(self._events.values()), None)
        step = last.step if last else Step.TRIAGE
        self._title.setText(
            self.tr("Drafting")
            if self._running
            else self.tr("Trace")
            if last
            else self.tr("No draft yet")
        )
        doing = self.tr(_STEP_DOING[step]) if self._running else ""
        self._doing.set_full(doing)
        self._time.setText(self._clock_text() if last or self._running else "")
        self.cancel.setVisible(self._running)
        self._progress.setVisible(self._running)
        if self.isVisible():
            self._draw_rows()
        else:
            self._has_old_rows = True

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._has_old_rows:
            self._draw_rows()

    def _draw_rows(self) -> None:
        """Bring the rows up to date; only what changed is built again."""
        self._has_old_rows = False
        scroll = self._area.verticalScrollBar()
        was_at_end, value = scroll.value() == scroll.maximum(), scroll.value()
        by_step: dict[Step, list[TraceEvent]] = {}
        for event in self._events.values():
            by_step.setdefault(event.step, []).append(event)
        for step in tuple(self._groups):
            if not self._groups[step].goes_on_as(by_step.get(step, [])):
                group = self._groups.pop(step)
                self._column.removeWidget(group)
                group.hide()
                group.deleteLater()
        for step in Step:
            if step not in by_step:
                continue
            if step not in self._groups:
                made = self._groups[step] = TraceGroup(step, self._theme, self._chip)
                before = sum(
                    one in self._groups for one in Step if one is not step and _before(one, step)
                )
                self._column.insertWidget(before, made)
            self._groups[step].show_events(by_step[step])
        self._column.activate()
        scroll.setValue(scroll.maximum() if was_at_end and self._running else value)

    def _chip(self, evidence_id: str) -> ChipButton:
        chip = ChipButton(evidence_id, self._evidence(evidence_id), self._theme)
        chip.clicked.connect(lambda: self.evidenceActivated.emit(evidence_id))
        return chip


def _before(one: Step, other: Step) -> bool:
    order = tuple(Step)
    return order.index(one) < order.index(other)

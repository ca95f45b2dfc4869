"""The trace of a drafting run as it happens: what ran, what it measured or why it refused."""

# ruff: noqa: N815 - signals are named as Qt names them

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QT_TRANSLATE_NOOP, QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.shell.chip import ChipButton
from app.shell.widgets import ActButton, ElidedLabel, glyph_label, plain_label, rule
from reports.domain import Evidence, Step, TraceEvent, TraceStatus
from viewer.views.theme import Theme

STATUS_GLYPHS: dict[TraceStatus, tuple[str, str]] = {
    TraceStatus.RUNNING: ("circle-notch", "text-2"),
    TraceStatus.DONE: ("check", "text-2"),
    TraceStatus.CARE: ("warning-circle", "warning"),
    TraceStatus.REFUSED: ("minus-circle", "text-2"),
    TraceStatus.FAILED: ("x-circle-fill", "warning"),
    TraceStatus.CANCELLED: ("prohibit", "text-2"),
}
_WORST: tuple[TraceStatus, ...] = (TraceStatus.RUNNING, TraceStatus.FAILED, TraceStatus.CANCELLED)
"""Statuses of a row that its step's head takes over; else the step is done."""

_STEP_WORDS: dict[Step, str] = {
    Step.TRIAGE: QT_TRANSLATE_NOOP("TracePanel", "Triage"),
    Step.COLLECT: QT_TRANSLATE_NOOP("TracePanel", "Measured"),
    Step.COMPOSE: QT_TRANSLATE_NOOP("TracePanel", "Composed"),
    Step.VERIFY: QT_TRANSLATE_NOOP("TracePanel", "Checked"),
    Step.DONE: QT_TRANSLATE_NOOP("TracePanel", "Done"),
}
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
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self._area, 1)
        column.addWidget(rule())
        column.addLayout(self._make_foot())
        # Progress and clock move at 10 Hz, whatever the rate of events.
        self._tick = QTimer(self)
        self._tick.setInterval(round(1000 / theme.value("motion", "progress-hz")))
        self._tick.timeout.connect(self._on_tick)
        self._clock = QElapsedTimer()
        self._is_stale = False
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
        theme = self._theme
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
        body = QWidget()
        body.setProperty("ground", "panel")
        column = QVBoxLayout(body)
        side = theme.length("space", "m")
        column.setContentsMargins(side, side, side, side)
        column.setSpacing(theme.length("space", "s"))
        for group in Step:
            rows = [event for event in self._events.values() if event.step is group]
            if rows:
                column.addLayout(self._group(group, rows))
        column.addStretch(1)
        scroll = self._area.verticalScrollBar()
        was_at_end, value = scroll.value() == scroll.maximum(), scroll.value()
        self._area.setWidget(body)
        body.adjustSize()
        scroll.setValue(scroll.maximum() if was_at_end and self._running else value)

    def _group(self, step: Step, rows: list[TraceEvent]) -> QGridLayout:
        theme = self._theme
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.length("space", "s"))
        grid.setVerticalSpacing(0)
        grid.setColumnMinimumWidth(0, theme.length("icon", "size"))
        grid.setColumnMinimumWidth(1, theme.length("icon", "size"))
        grid.setColumnMinimumWidth(2, theme.px(132))
        grid.setColumnStretch(3, 1)
        status = next(
            (one for one in _WORST if any(row.status is one for row in rows)), TraceStatus.DONE
        )
        name, token = STATUS_GLYPHS[status]
        grid.addWidget(glyph_label(name, token, theme, meaning=status.value), 0, 0)
        head = QHBoxLayout()
        head.setSpacing(theme.length("space", "s"))
        head.addWidget(plain_label(self.tr(_STEP_WORDS[step]), theme, step="name"))
        head.addWidget(ElidedLabel(self._summary(step, rows), theme, step="note", tone="2"), 1)
        grid.addLayout(head, 0, 1, 1, 4)
        grid.setRowMinimumHeight(0, theme.length("row", "trace"))
        for number, row in enumerate(rows, start=1):
            self._row(grid, number, row)
        return grid

    def _summary(self, step: Step, rows: list[TraceEvent]) -> str:
        if step is Step.COLLECT:
            given = sum(row.status in (TraceStatus.DONE, TraceStatus.CARE) for row in rows)
            return self.tr("{n} of {all} gave a value").format(n=given, all=len(rows))
        seconds = sum(row.seconds or 0.0 for row in rows)
        return f"{seconds:.1f} s" if seconds else ""

    def _row(self, grid: QGridLayout, number: int, row: TraceEvent) -> None:
        theme = self._theme
        name, token = STATUS_GLYPHS[row.status]
        grid.setRowMinimumHeight(number, theme.length("row", "trace"))
        grid.addWidget(glyph_label(name, token, theme, meaning=row.status.value), number, 1)
        is_claim = row.step in (Step.COMPOSE, Step.VERIFY)
        subject = ElidedLabel(row.subject, theme)
        font = subject.font()
        font.setStrikeOut(is_claim and row.status is TraceStatus.FAILED)
        subject.setFont(font)
        is_refused = row.status is TraceStatus.REFUSED
        text = row.message
        if is_refused and row.step is Step.COLLECT:
            text = self.tr("refused: {why}").format(why=row.message)
        if is_claim:
            # A claim takes the row, the check that spoke stands at its right.
            claim = QHBoxLayout()
            claim.setSpacing(theme.length("space", "xs"))
            claim.addWidget(subject, 1)
            for evidence_id in row.evidence_ids[:2]:
                claim.addWidget(self._chip(evidence_id))
            grid.addLayout(claim, number, 2, 1, 2)
            check = plain_label(text, theme, step="note", tone="2")
            grid.addWidget(check, number, 4, Qt.AlignmentFlag.AlignRight)
            return
        grid.addWidget(subject, number, 2)
        message = ElidedLabel(text, theme, step="note", tone="2" if is_refused else "")
        font = message.font()
        font.setItalic(is_refused)
        message.setFont(font)
        grid.addWidget(message, number, 3)
        if row.seconds is not None:
            time = plain_label(f"{row.seconds:.2f} s", theme, step="note", tone="3")
            grid.addWidget(time, number, 4, Qt.AlignmentFlag.AlignRight)

    def _chip(self, evidence_id: str) -> ChipButton:
        chip = ChipButton(evidence_id, self._evidence(evidence_id), self._theme)
        chip.clicked.connect(lambda: self.evidenceActivated.emit(evidence_id))
        return chip

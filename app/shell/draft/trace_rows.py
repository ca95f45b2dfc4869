"""The rows of one step of a trace: a head and a row a subject, built again only where they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.shell.report.chip import ChipButton
from app.shell.widgets import ElidedLabel, glyph_label, plain_label
from reports.domain import Step, TraceEvent, TraceStatus
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


def tr(text: str) -> str:
    """Translate a word of the trace."""
    return QCoreApplication.translate("TracePanel", text)


class TraceGroup(QWidget):
    """A step of a run: its head, then its rows.

    Parameters
    ----------
    chip
        Makes the chip of an evidence id.
    """

    def __init__(self, step: Step, theme: Theme, chip: Callable[[str], ChipButton]) -> None:
        super().__init__()
        self._step, self._theme, self._chip = step, theme, chip
        self._shown: list[TraceEvent] = []
        self._row_widgets: list[list[QWidget]] = []
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.length("space", "s"))
        grid.setVerticalSpacing(0)
        grid.setColumnMinimumWidth(0, theme.length("icon", "size"))
        grid.setColumnMinimumWidth(1, theme.length("icon", "size"))
        grid.setColumnMinimumWidth(2, theme.px(156))
        grid.setColumnStretch(3, 1)
        grid.setRowMinimumHeight(0, theme.length("row", "trace"))
        head = QHBoxLayout()
        head.setSpacing(theme.length("space", "s"))
        head.addWidget(plain_label(tr(_STEP_WORDS[step]), theme, step="name"))
        self._summary = ElidedLabel("", theme, step="note", tone="2")
        head.addWidget(self._summary, 1)
        grid.addLayout(head, 0, 1, 1, 4)
        self._mark: QWidget | None = None
        self._status: TraceStatus | None = None

    def goes_on_as(self, events: Sequence[TraceEvent]) -> bool:
        """Return true when these events have the subjects that are shown, and maybe more after them."""
        subjects = [event.subject for event in self._shown]
        return subjects == [event.subject for event in events][: len(subjects)]

    def show_events(self, events: Sequence[TraceEvent]) -> None:
        """Show the events of this step, whose subjects go on as those that are shown."""
        for number, event in enumerate(events):
            if number == len(self._shown):
                self._shown.append(event)
                self._row_widgets.append(self._build_row(number + 1, event))
            elif event != self._shown[number]:
                for widget in self._row_widgets[number]:
                    self._grid.removeWidget(widget)
                    widget.hide()
                    widget.deleteLater()
                self._shown[number] = event
                self._row_widgets[number] = self._build_row(number + 1, event)
        self._summary.set_full(self._sum_up(events))
        status = next(
            (one for one in _WORST if any(event.status is one for event in events)), TraceStatus.DONE
        )
        if status is not self._status:
            self._status = status
            if self._mark is not None:
                self._grid.removeWidget(self._mark)
                self._mark.hide()
                self._mark.deleteLater()
            self._mark = self._glyph(status)
            self._grid.addWidget(self._mark, 0, 0)

    def _glyph(self, status: TraceStatus) -> QWidget:
        name, token = STATUS_GLYPHS[status]
        return glyph_label(name, token, self._theme, meaning=status.value)

    def _sum_up(self, events: Sequence[TraceEvent]) -> str:
        if self._step is Step.COLLECT:
            given = sum(event.status in (TraceStatus.DONE, TraceStatus.CARE) for event in events)
            return tr("{n} of {all} gave a value").format(n=given, all=len(events))
        seconds = sum(event.seconds or 0.0 for event in events)
        return f"{seconds:.1f} s" if seconds else ""

    def _build_row(self, number: int, event: TraceEvent) -> list[QWidget]:
        theme, grid = self._theme, self._grid
        grid.setRowMinimumHeight(number, theme.length("row", "trace"))
        mark = self._glyph(event.status)
        grid.addWidget(mark, number, 1)
        is_claim = event.step in (Step.COMPOSE, Step.VERIFY)
        subject = ElidedLabel(event.subject, theme)
        font = subject.font()
        font.setStrikeOut(is_claim and event.status is TraceStatus.FAILED)
        subject.setFont(font)
        is_refused = event.status is TraceStatus.REFUSED
        text = event.message
        if is_refused and event.step is Step.COLLECT:
            text = tr("refused: {why}").format(why=event.message)
        if is_claim:
            # A claim takes the row, the check that spoke stands at its right.
            claim = QWidget()
            row = QHBoxLayout(claim)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(theme.length("space", "xs"))
            row.addWidget(subject, 1)
            for evidence_id in event.evidence_ids[:2]:
                row.addWidget(self._chip(evidence_id))
            grid.addWidget(claim, number, 2, 1, 2)
            check = plain_label(text, theme, step="note", tone="2")
            grid.addWidget(check, number, 4, Qt.AlignmentFlag.AlignRight)
            return [mark, claim, check]
        grid.addWidget(subject, number, 2)
        message = ElidedLabel(text, theme, step="note", tone="2" if is_refused else "")
        font = message.font()
        font.setItalic(is_refused)
        message.setFont(font)
        grid.addWidget(message, number, 3)
        widgets: list[QWidget] = [mark, subject, message]
        if event.seconds is not None:
            time = plain_label(f"{event.seconds:.2f} s", theme, step="note", tone="3")
            grid.addWidget(time, number, 4, Qt.AlignmentFlag.AlignRight)
            widgets.append(time)
        return widgets

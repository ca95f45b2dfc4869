"""The one-line bars of the report panel: counts and filter, candidates, trace, signing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from app import sign_off
from app.report_model import ReportModel
from app.shell.act_binding import KeyFollower
from app.shell.report import words
from app.shell.report.chip import ChipButton
from app.shell.widgets import (
    COUNT,
    PRIMARY,
    QUIET,
    WARNING,
    ActButton,
    ElidedLabel,
    key_text,
    plain_label,
)
from reports.domain import Origin, Role, Sentence, Step, TraceEvent, TraceStatus, Verdict
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme


def _bar(widget: QFrame, theme: Theme, height: str, line: str) -> QHBoxLayout:
    widget.setProperty("line", line)
    widget.setMinimumHeight(theme.length("row", height))
    row = QHBoxLayout(widget)
    side = theme.length("space", "m")
    row.setContentsMargins(side, 0, side, 0)
    row.setSpacing(theme.length("space", "xs"))
    return row


class CountsBar(QFrame):
    """How many sentences of each origin and state there are; each count is a filter."""

    filterChanged = Signal(object)
    """A function from a sentence to whether it is shown."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        row = _bar(self, theme, "bar", "bottom")
        self._buttons: dict[Origin | Verdict, ActButton] = {}
        for origin in Origin:
            self._add(row, origin, words.ORIGIN_GLYPHS[origin])
        row.addStretch(1)
        self._add(row, Verdict.WEAK, "warning-circle")
        self._add(row, Verdict.CONTRADICTED, "x-circle")
        self._all = ActButton(self.tr("All"), theme, kind=COUNT, glyph_name="funnel")
        self._all.setAccessibleName(self.tr("Show all sentences"))
        self._all.clicked.connect(self.clear_filter)
        row.addWidget(self._all)
        self._is_compact = False
        self._counts: dict[Origin | Verdict, int] = {}

    def _add(self, row: QHBoxLayout, kind: Origin | Verdict, glyph_name: str) -> None:
        button = ActButton("", self._theme, kind=COUNT, glyph_name=glyph_name)
        button.setCheckable(True)
        button.toggled.connect(self._changed)
        self._buttons[kind] = button
        row.addWidget(button)

    def show_model(self, model: ReportModel | None) -> None:
        """Count the sentences of a report."""
        sentences = model.sentences if model else ()
        for kind in self._buttons:
            self._counts[kind] = sum(_is(sentence, kind) for sentence in sentences)
        self._write()

    def _show_key(self, key: str) -> None:
        self.sign.set_key(key)
        self.sign.setToolTip(key_text(key))

    def set_compact(self, compact: bool) -> None:
        """Leave the numbers of the origins out where the panel is narrow; the tooltip has them."""
        self._is_compact = compact
        self._write()

    def clear_filter(self) -> None:
        """Show all sentences again."""
        for button in self._buttons.values():
            button.setChecked(False)

    def _write(self) -> None:
        for kind, button in self._buttons.items():
            word = words.tr(words.ORIGIN_WORDS[kind]) if isinstance(kind, Origin) else self._state(kind)
            count = self._counts.get(kind, 0)
            full = f"{word} {count}"
            short = word if isinstance(kind, Origin) else str(count)
            button.setText(short if self._is_compact else full)
            button.setAccessibleName(self.tr("Show only: {kind}").format(kind=full))
            button.setToolTip(full)
            button.setVisible(isinstance(kind, Origin) or count > 0 or button.isChecked())
        self._all.setVisible(any(button.isChecked() for button in self._buttons.values()))

    def _state(self, verdict: Verdict) -> str:
        return self.tr("Weak") if verdict is Verdict.WEAK else self.tr("Struck")

    def _changed(self) -> None:
        chosen = [kind for kind, button in self._buttons.items() if button.isChecked()]
        origins = [kind for kind in chosen if isinstance(kind, Origin)]
        states = [kind for kind in chosen if isinstance(kind, Verdict)]

        def shown(sentence: Sentence) -> bool:
            fits_origin = not origins or any(_is(sentence, kind) for kind in origins)
            return fits_origin and (not states or any(_is(sentence, kind) for kind in states))

        self._write()
        self.filterChanged.emit(shown)


def _is(sentence: Sentence, kind: Origin | Verdict) -> bool:
    if isinstance(kind, Origin):
        return sentence.origin is kind
    if kind is Verdict.CONTRADICTED:
        return words.is_struck(sentence)
    return sentence.verdict is kind and sentence.is_in_body


class CandidateBar(QFrame):
    """Walks the candidates: accept, reject, next. Hidden when there is none."""

    accepted = Signal(str)
    rejected = Signal(str)
    shown = Signal(str)
    """Evidence of the candidate that is on top now: the image jumps along."""

    def __init__(self, theme: Theme, key_of: Callable[[str], str]) -> None:
        super().__init__()
        self._theme = theme
        self._ids: list[str] = []
        self._at = 0
        self.setProperty("line", "bottom")
        side, gap = theme.length("space", "m"), theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(side, gap, side, gap)
        column.setSpacing(theme.length("space", "xs"))
        self._head = QHBoxLayout()
        self._head.setSpacing(gap)
        self._title = plain_label("", theme, step="note", tone="2")
        self._chip: ChipButton | None = None
        self._head.addWidget(self._title)
        self._head.addStretch(1)
        column.addLayout(self._head)
        self._text = plain_label("", theme, step="sentence", wraps=True)
        self._why = plain_label("", theme, step="note", tone="2", wraps=True)
        column.addWidget(self._text)
        column.addWidget(self._why)
        row = QHBoxLayout()
        row.setSpacing(gap)
        for text, act, do in (
            (self.tr("Accept"), "report.accept_candidate", self.accept_one),
            (self.tr("Reject"), "report.reject_candidate", self.reject_one),
            (self.tr("Next"), "report.next_candidate", self.next_one),
        ):
            button = ActButton(text, theme)
            KeyFollower(button, lambda button=button, act=act: button.set_key(key_of(act)))
            button.clicked.connect(lambda _checked=False, do=do: do())
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        self.hide()

    @property
    def current(self) -> str:
        """Evidence id of the candidate on top, or empty."""
        return self._ids[self._at] if self._ids else ""

    def show_model(self, model: ReportModel | None) -> None:
        """Show the candidates of a report, staying at the one that was on top."""
        before = self.current
        self._ids = [item.evidence_id for item in model.candidates] if model else []
        self._at = self._ids.index(before) if before in self._ids else min(self._at, len(self._ids) - 1)
        self._at = max(self._at, 0)
        self.setVisible(bool(self._ids) and model is not None and not model.is_locked)
        if not self._ids or model is None:
            return
        candidate = model.candidates[self._at]
        place = self.tr("Candidate {n} of {all}").format(n=self._at + 1, all=len(self._ids))
        self._title.setText(place)
        self._text.setText(candidate.text)
        self._why.setText(candidate.reason)
        if self._chip is not None:
            self._chip.deleteLater()
        self._chip = ChipButton(
            candidate.evidence_id, model.ledger.get(candidate.evidence_id), self._theme
        )
        self._chip.clicked.connect(lambda: self.shown.emit(self.current))
        self._head.insertWidget(1, self._chip)
        self.setAccessibleName(f"{place}: {candidate.text}")
        self._model = model

    def accept_one(self) -> None:
        """Accept the candidate on top."""
        if self.current:
            self.accepted.emit(self.current)
            self._announce()

    def reject_one(self) -> None:
        """Turn the candidate on top down."""
        if self.current:
            self.rejected.emit(self.current)
            self._announce()

    def next_one(self) -> None:
        """Go to the next candidate; after the last comes the first."""
        if self._ids:
            self._at = (self._at + 1) % len(self._ids)
            model, self._ids = self._model, []
            self.show_model(model)
            self._announce()

    def _announce(self) -> None:
        if self.current:
            self.shown.emit(self.current)


class TraceBar(QFrame):
    """One line that sums a drafting run up; a click opens the trace."""

    opened = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        row = _bar(self, theme, "bar", "top")
        self._button = ActButton(self.tr("Trace"), theme, kind="row", glyph_name="caret-right")
        self._button.clicked.connect(self.opened)
        row.addWidget(self._button)
        row.addSpacing(theme.length("space", "s"))
        self._line = ElidedLabel("", theme, step="note", tone="2")
        row.addWidget(self._line, 1)
        self._seed = plain_label("", theme, step="note", tone="2")
        row.addWidget(self._seed)

    @property
    def line(self) -> str:
        """What the line says."""
        return self._line.accessibleName()

    def show_events(self, events: tuple[TraceEvent, ...], seed: int | None = None) -> None:
        """Sum a run up: tools, refusals, claims, time."""
        tools = [item for item in events if item.step is Step.COLLECT]
        # Each claim is verified once; while none is, what was composed so far counts.
        claims = [item for item in events if item.step is Step.VERIFY]
        claims = claims or [item for item in events if item.step is Step.COMPOSE]
        refused = sum(item.status is TraceStatus.REFUSED for item in tools)
        seconds = sum(item.seconds or 0.0 for item in events)
        parts = []
        if tools:
            text = self.tr("1 tool") if len(tools) == 1 else self.tr("{n} tools")
            text = text.format(n=len(tools))
            parts.append(text + (self.tr(", {n} refused").format(n=refused) if refused else ""))
        if claims:
            struck = sum(item.status is TraceStatus.FAILED for item in claims)
            text = self.tr("1 claim") if len(claims) == 1 else self.tr("{n} claims")
            text = text.format(n=len(claims))
            parts.append(text + (self.tr(", {n} struck").format(n=struck) if struck else ""))
        if events:
            parts.append(f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s")
        self._line.set_full(" \u00b7 ".join(parts) if parts else self.tr("nothing was drafted yet"))
        self._seed.setText(self.tr("seed {n}").format(n=seed) if seed is not None else "")


class SignBar(QFrame):
    """What blocks and what is open at the left, saving and signing at the right."""

    blockerWanted = Signal()
    riskWanted = Signal()
    saveWanted = Signal()
    signWanted = Signal()

    def __init__(self, theme: Theme, key_of: Callable[[str], str]) -> None:
        super().__init__()
        self.setProperty("ground", "raised")
        row = _bar(self, theme, "list", "top")
        self._theme = theme
        self._blockers = ActButton("", theme, kind=WARNING, glyph_name="warning-octagon-fill")
        self._blockers.clicked.connect(self.blockerWanted)
        self._risks = ActButton("", theme, kind=QUIET, glyph_name="warning-circle")
        self._risks.clicked.connect(self.riskWanted)
        self._clear = plain_label("", theme, tone="2")
        row.addWidget(self._blockers)
        row.addWidget(self._risks)
        row.addWidget(self._clear)
        row.addStretch(1)
        self.save = ActButton(self.tr("Save"), theme)
        self.save.clicked.connect(self.saveWanted)
        row.addWidget(self.save)
        row.addSpacing(theme.length("space", "xs"))
        self.sign = ActButton(self.tr("Sign\u2026"), theme, kind=PRIMARY)
        self._short = ActButton(self.tr("Sign\u2026"), theme, kind=PRIMARY)
        for button in (self.sign, self._short):
            button.clicked.connect(self.signWanted)
            row.addWidget(button)
        KeyFollower(self.sign, lambda: self._show_key(key_of("report.sign")))
        self.set_compact(False)

    def _show_key(self, key: str) -> None:
        self.sign.set_key(key)
        self.sign.setToolTip(key_text(key))

    def set_compact(self, compact: bool) -> None:
        """Keep only signing where the panel is narrow."""
        self.save.setVisible(not compact)
        self.sign.setVisible(not compact)
        self._short.setVisible(compact)

    def show_model(self, model: ReportModel | None, *, images_now: int | None = None) -> None:
        """Count what blocks and what is open."""
        has_text = model is not None and bool(model.sentences)
        blocked = model.blockers(images_now=images_now) if model is not None and has_text else ()
        open_risks = [risk for risk in model.risks() if risk.is_open] if model else []
        locked = model is not None and model.is_locked
        self._blockers.setVisible(bool(blocked) and not locked)
        self._risks.setVisible(bool(open_risks) and not locked)
        count = len(blocked)
        if all(item.kind is sign_off.BlockerKind.UNREVIEWED for item in blocked):
            text = self.tr("{n} to review")
        else:
            text = self.tr("1 blocker") if count == 1 else self.tr("{n} blockers")
        self._blockers.setText(text.format(n=count))
        self._blockers.setToolTip(plain_tip(blocked[0].message) if blocked else "")
        risks = len(open_risks)
        self._risks.setText(
            self.tr("1 risk open") if risks == 1 else self.tr("{n} risks open").format(n=risks)
        )
        waiting = self.tr("Nothing to sign yet")
        words_now = waiting if not has_text else self.tr("Signed") if locked else ""
        if has_text and not locked and not blocked and not risks:
            words_now = self.tr("Ready to sign")
        self._clear.setText(words_now)
        self._clear.setVisible(bool(words_now))
        reason = ""
        if not has_text:
            reason = waiting
        elif locked:
            reason = self.tr("The report is final. An addendum is a new part.")
        for button in (self.save, self.sign, self._short):
            button.set_reason(reason)
        if model is not None and model.role is Role.RESIDENT:
            self.sign.setText(self.tr("Sign preliminary\u2026"))

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._theme.length("row", "list"))


def open_places(model: ReportModel) -> list[str]:
    """Return the sentences with a blocker or an open risk, in the order of the text, each once."""
    blocked = {item.sentence_id for item in model.blockers()}
    at_risk = {item.sentence_id for item in model.risks() if item.is_open}
    return [item.id for item in model.sentences if item.id in blocked | at_risk]


def unreviewed_places(model: ReportModel) -> list[str]:
    """Return the sentences that nobody reviewed yet, in order."""
    return [item.id for item in model.sentences if sign_off.is_unreviewed(item)]

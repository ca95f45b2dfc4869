"""The acts of the report panel: what each does, and why it is not possible now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.repairing import repair
from app.report_model import ReportModel
from app.shell.report.bars import open_places, unreviewed_places
from app.sign_off import Repair
from reports.domain import Section

if TYPE_CHECKING:
    from app.shell.report.panel import ReportPanel

REPORT_TAB, TRACE_TAB, EVIDENCE_TAB = 0, 1, 2
"""Tabs of the panel."""

_OF_SENTENCE = frozenset(
    f"report.{name}" for name in ("show_evidence", "accept", "strike_or_restore", "flip_side", "repair")
)
IN_MENU = _OF_SENTENCE | {"report.normals", "report.write", "report.undo", "report.redo"}
_OF_CANDIDATE = frozenset(
    f"report.{name}" for name in ("accept_candidate", "reject_candidate", "next_candidate")
)
_STEPS = frozenset({"report.next_sentence", "report.previous_sentence"})
_CHANGING = frozenset(
    f"report.{name}"
    for name in (
        "draft", "question", "accept", "strike_or_restore", "flip_side", "repair", "normals", "write",
        "accept_candidate", "reject_candidate", "save", "sign",
    )
)  # fmt: skip
"""Acts that a final report refuses."""


class ReportActs(QObject):
    """Carries out acts of `app.acts.REPORT_ACTS` on a panel."""

    def __init__(self, panel: ReportPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self._table: dict[str, Callable[[], object]] = self._act_table()

    def perform(self, name: str) -> bool:
        """Do an act of `app.acts.REPORT_ACTS`; false when it does not fit now."""
        reason = self.why_not(name)
        if reason:
            return False
        self._panel.editor.commit()
        self._table[name]()
        return True

    def why_not(self, name: str) -> str:
        """Return why an act is not possible now (the palette shows it), or empty."""
        model = self._panel.model
        if model is None:
            return self.tr("no study is open")
        reasons = (
            (name in _CHANGING and model.is_locked, self.tr("the report is final")),
            (
                name in _OF_SENTENCE and not self._panel.editor.selected,
                self.tr("no sentence is selected"),
            ),
            (
                name in _OF_CANDIDATE and not self._panel.candidates.current,
                self.tr("there is no candidate"),
            ),
            (
                name == "report.cancel_draft" and not self._panel.trace.is_running,
                self.tr("nothing is being drafted"),
            ),
            (name == "report.draft" and self._panel.trace.is_running, self.tr("a draft is being made")),
            (name == "report.repair" and not self._repairs(), self.tr("nothing of it can be repaired")),
            (name == "report.sign" and not model.sentences, self.tr("there is no sentence to sign")),
            (name in _STEPS and not self._panel.editor.rows(), self.tr("there is no sentence")),
            (
                name == "report.next_blocker" and not open_places(model),
                self.tr("nothing blocks, no check is open"),
            ),
            (
                name == "report.next_unreviewed" and not unreviewed_places(model),
                self.tr("every sentence is reviewed"),
            ),
            (name == "report.undo" and not self._panel.undoing.can_undo, self.tr("nothing to undo")),
            (
                name == "report.redo" and not self._panel.undoing.can_redo,
                self.tr("nothing to do again"),
            ),
        )
        return next((reason for holds, reason in reasons if holds), "")

    def _act_table(self) -> dict[str, Callable[[], object]]:
        return {
            "report.draft": self._panel.draftWanted.emit,
            "report.question": self._ask_question,
            "report.cancel_draft": self._panel.cancelDraftWanted.emit,
            "report.next_sentence": lambda: self._step(1),
            "report.previous_sentence": lambda: self._step(-1),
            "report.show_evidence": lambda: self._panel.editor.show_evidence_of(
                self._panel.editor.selected
            ),
            "report.accept": self._accept,
            "report.strike_or_restore": lambda: self._on_selected("strike_or_restore"),
            "report.flip_side": lambda: self._on_selected("flip_side"),
            "report.repair": self._repair,
            "report.normals": lambda: self.insert_normals(self._section().value),
            "report.write": lambda: self._panel.write(self._section()),
            "report.next_blocker": lambda: self._go_to_next(open_places),
            "report.next_unreviewed": lambda: self._go_to_next(unreviewed_places),
            "report.accept_candidate": self._panel.candidates.accept_one,
            "report.reject_candidate": self._panel.candidates.reject_one,
            "report.next_candidate": self._panel.candidates.next_one,
            "report.undo": self._panel.editor.undo,
            "report.redo": self._panel.editor.redo,
            "report.save": self._panel.saveWanted.emit,
            "report.sign": self._panel.signWanted.emit,
            "report.show_text": lambda: self._panel.show_tab(REPORT_TAB),
            "report.show_trace": lambda: self._panel.show_tab(TRACE_TAB),
            "report.show_ledger": lambda: self._panel.show_tab(EVIDENCE_TAB),
        }

    def _ask_question(self) -> None:
        self._panel.show_tab(REPORT_TAB)
        self._panel.question.ask()

    def _on_selected(self, operation: str) -> None:
        if self._panel.model is not None:
            self._panel.editor.attempt(
                getattr(self._panel.model, operation), self._panel.editor.selected
            )

    def _accept(self) -> None:
        """Accept the sentence and go to the next that nobody reviewed, the image jumping along."""
        if self._panel.model is None:
            return
        self._panel.model.accept(self._panel.editor.selected)
        self._go_to_next(unreviewed_places)

    def _repairs(self) -> tuple[Repair, ...]:
        model, selected = self._panel.model, self._panel.editor.selected
        return model.repairs(selected) if model is not None and selected else ()

    def _repair(self) -> None:
        repairs = self._repairs()
        if repairs and self._panel.model is not None:
            self._panel.editor.attempt(repair, self._panel.model, repairs[0])

    def _step(self, by: int) -> None:
        rows = self._panel.editor.rows()
        at = (
            rows.index(self._panel.editor.selected)
            if self._panel.editor.selected in rows
            else (-1 if by > 0 else 0)
        )
        if rows:
            self._panel.editor.select_sentence(rows[(at + by) % len(rows)], shows_evidence=True)

    def _go_to_next(self, places: Callable[[ReportModel], list[str]]) -> None:
        """Jump to the first of these sentences after the caret; after the last comes the first."""
        if self._panel.model is None:
            return
        wanted = set(places(self._panel.model))
        order = [item.id for item in self._panel.model.sentences]
        at = order.index(self._panel.editor.selected) + 1 if self._panel.editor.selected in order else 0
        found = next((key for key in order[at:] + order[:at] if key in wanted), None)
        if found is not None:
            self._panel.show_sentence(found)

    def _section(self) -> Section:
        if self._panel.model is not None and self._panel.editor.selected:
            return self._panel.model.sentence(self._panel.editor.selected).section
        return Section.FINDINGS

    def insert_normals(self, section: str) -> None:
        """Insert the reader's normals for a section, and say how many came."""
        if self._panel.model is None:
            return
        new = self._panel.model.insert_normals(Section(section))
        if new:
            self._panel.editor.select_sentence(new[0])
            self._panel.toast.say(
                self.tr("{n} normals inserted as your own statement").format(n=len(new))
            )
        else:
            self._panel.toast.say(
                self.tr(
                    "Every organ of this section is described already, or there are no normals for it"
                ),
                can_undo=False,
            )

"""The acts of the window: what each does, and why one does not fit now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:
    from app.shell.window import SightlineWindow

OF_WORKLIST = frozenset({"window.search", "window.open_study"})
OF_READING = frozenset(
    f"window.{name}"
    for name in (
        "strip", "side_panel", "next_pane", "report_panel", "next_study", "previous_study", "worklist",
        "export_pdf", "copy_text", "addendum",
    )
)  # fmt: skip
"""Acts that need an open study."""


def tr(text: str) -> str:
    """Translate a reason."""
    return QCoreApplication.translate("WindowActs", text)


class WindowActs:
    """Does an act by name, whichever table it is of, or says why not."""

    def __init__(self, window: SightlineWindow) -> None:
        self._window = window
        self._acts = self._table()

    def _table(self) -> dict[str, Callable[[], object]]:
        window = self._window
        return {
            "window.palette": window.open_palette,
            "window.shortcuts": window.sheet.open,
            "window.open": window.choose_folder,
            "window.open_files": window.choose_files,
            "window.search": window.worklist.focus_search,
            "window.open_study": lambda: window.worklist.open_current(False),
            "window.last_import": window.show_import_report,
            "window.strip": window.reading.toggle_strip,
            "window.side_panel": window.reading.side.toggle,
            "window.next_pane": window.reading.focus_next_part,
            "window.report_panel": window.reading.toggle_panel,
            "window.next_study": lambda: window.step_study(1),
            "window.previous_study": lambda: window.step_study(-1),
            "window.worklist": window.show_worklist,
            "window.export_pdf": window.choose_export,
            "window.copy_text": window.copy_text,
            "window.addendum": window.reading.sealed.ask_reason,
            "window.preferences": window.personal.open_preferences,
            "window.second_screen": window.personal.second.toggle,
            "window.display_check": window.personal.show_check,
            "window.sign_out": window.sign_out,
            "window.lock": window.session.lock,
        }

    def perform(self, name: str) -> bool:
        """Do an act by name, whichever table it is of; false when it does not fit now."""
        if self.why_not(name):
            return False
        if name == "report.draft" and self._window.pages.currentWidget() is self._window.worklist:
            self._window.worklist.open_current(True)
        elif name.startswith("report."):
            return self._window.reading.panel.perform(name)
        elif name in self._acts:
            self._acts[name]()
        else:
            return self._window.reading.acts.do(name)
        return True

    def ask(self, name: str) -> None:
        """Do an act whose key was pressed; say why when it does not fit now."""
        window = self._window
        reason = self.why_not(name)
        if not reason:
            self.perform(name)
        elif window.pages.currentWidget() is window.reading:
            window.reading.acts.refuse(name, reason)

    def why_not(self, name: str) -> str:
        """Return why an act is not possible now, or empty."""
        page = self._window.pages.currentWidget()
        if not self._window.session.is_open:
            return tr("nobody is signed in")
        in_worklist = page is self._window.worklist
        if name == "report.draft" and in_worklist:
            return "" if self._window.worklist.table.current() else tr("no study is chosen")
        if name.startswith("report."):
            return (
                self._window.reading.panel.why_not(name)
                if page is self._window.reading
                else tr("no study is open")
            )
        if not name.startswith("window.") or self._window.reading.parts.knows(name):
            away = page is not self._window.reading
            return tr("no study is open") if away else self._window.reading.acts.why_not(name)
        reasons = (
            (name in OF_WORKLIST and not in_worklist, tr("only in the worklist")),
            (
                name == "window.open_study" and self._window.worklist.table.current() is None,
                tr("no study is chosen"),
            ),
            (name in OF_READING and in_worklist, tr("no study is open")),
            (
                name == "window.last_import" and self._window.importing.last is None,
                tr("nothing was imported yet"),
            ),
            (
                name == "window.addendum" and not self._window.reading.sealed.isVisible(),
                tr("the report is not final"),
            ),
        )
        return next((reason for holds, reason in reasons if holds), "")

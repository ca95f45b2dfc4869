"""Acts of the window and of the report, as data. No Qt: menus, keys, palette, sheet and audit read it.

Acts of the viewports stand in `viewer.acts`.
"""

from __future__ import annotations

from viewer.acts import Act, Scope

REPORT_GROUP = "Report"
WINDOW_GROUP = "Everywhere"


def _report(name: str, text: str, *keys: str, icon: str = "", audited: bool = False) -> Act:
    return Act(f"report.{name}", text, Scope.REPORT, REPORT_GROUP, keys, icon, audited)


def _window(name: str, text: str, *keys: str, icon: str = "", audited: bool = False) -> Act:
    return Act(f"window.{name}", text, Scope.WINDOW, WINDOW_GROUP, keys, icon, audited)


REPORT_ACTS: tuple[Act, ...] = (
    _report("draft", "Draft", "Ctrl+D", icon="cpu", audited=True),
    _report("question", "Clinical question", "Ctrl+Shift+Q"),
    _report("cancel_draft", "Cancel drafting", icon="x"),
    _report("next_sentence", "Next sentence", "Alt+Down"),
    _report("previous_sentence", "Previous sentence", "Alt+Up"),
    _report("show_evidence", "Show evidence of sentence", "Alt+Return", icon="polygon"),
    _report("accept", "Accept sentence and move on", "Ctrl+Space", icon="check", audited=True),
    _report(
        "strike_or_restore", "Strike or restore sentence", "Ctrl+Del", icon="x-circle", audited=True
    ),
    _report(
        "flip_side", "Change side of sentence", "Ctrl+Shift+L", icon="arrows-left-right", audited=True
    ),
    _report("repair", "Do the first repair offered", "Ctrl+R", audited=True),
    _report("normals", "My normals for this section", "Ctrl+M", icon="pen-nib", audited=True),
    _report("write", "Write a sentence", "Ctrl+Shift+Return", icon="pen-nib"),
    _report("next_blocker", "Next blocker or open check", "F8", icon="warning-circle"),
    _report("next_unreviewed", "Next unreviewed sentence", "F9"),
    _report("accept_candidate", "Accept candidate", "Alt+1", audited=True),
    _report("reject_candidate", "Reject candidate", "Alt+2", audited=True),
    _report("next_candidate", "Next candidate", "Alt+3"),
    _report("undo", "Undo", "Ctrl+Z", icon="arrow-counter-clockwise"),
    _report("redo", "Redo", "Ctrl+Y", icon="arrow-clockwise"),
    _report("save", "Save now", "Ctrl+S", icon="floppy-disk", audited=True),
    _report("sign", "Sign", "Ctrl+Return", icon="signature", audited=True),
    _report("show_text", "Show report"),
    _report("show_trace", "Show trace"),
    _report("show_ledger", "Show evidence list"),
)
"""Acts of the report panel, in the order of the sheet."""

WINDOW_ACTS: tuple[Act, ...] = (
    _window("palette", "Command palette", "Ctrl+K", icon="command"),
    _window("shortcuts", "All keys", "?"),
    _window("open", "Import a folder", "Ctrl+O", icon="folder-open"),
    _window("open_files", "Import files or ZIP archives", "Ctrl+Shift+O", icon="files"),
    _window("search", "Search the worklist", "Ctrl+F", icon="magnifying-glass"),
    _window("open_study", "Open study", icon="folder-open", audited=True),
    _window("last_import", "Files that could not be read", icon="warning"),
    _window("strip", "Series strip", "F3"),
    _window("next_pane", "Next pane", "F6"),
    _window("report_panel", "Report panel", "F7"),
    _window("next_study", "Next study", "Ctrl+Right"),
    _window("previous_study", "Previous study", "Ctrl+Left"),
    _window("worklist", "Worklist", "Ctrl+W"),
    _window("export_pdf", "Export PDF", "Ctrl+E", audited=True),
    _window("copy_text", "Copy report as text", "Ctrl+Shift+C", icon="copy", audited=True),
    _window("addendum", "Start an addendum", icon="plus", audited=True),
    _window("sign_out", "Sign out", icon="sign-out", audited=True),
    _window("lock", "Lock", "Ctrl+L", icon="lock", audited=True),
)
"""Acts of the window, in the order of the sheet."""

"""Acts of the window as a whole. No Qt."""

from __future__ import annotations

from app.acts.naming import window_act
from viewer.acts import Act

ACTS: tuple[Act, ...] = (
    window_act("palette", "Command palette", "Ctrl+K", icon="command"),
    window_act("shortcuts", "All keys", "?"),
    window_act("open", "Import a folder", "Ctrl+O", icon="folder-open"),
    window_act("open_files", "Import files or ZIP archives", "Ctrl+Shift+O", icon="files"),
    window_act("search", "Search the worklist", "Ctrl+F", icon="magnifying-glass"),
    window_act("open_study", "Open study", icon="folder-open", audited=True),
    window_act("last_import", "Files that could not be read", icon="warning"),
    window_act("strip", "Series strip", "F3"),
    window_act("side_panel", "Side panel", "F4"),
    window_act("next_pane", "Next pane", "F6"),
    window_act("report_panel", "Report panel", "F7"),
    window_act("next_study", "Next study", "Ctrl+Right"),
    window_act("previous_study", "Previous study", "Ctrl+Left"),
    window_act("worklist", "Worklist", "Ctrl+W"),
    window_act("export_pdf", "Export PDF", "Ctrl+E", audited=True),
    window_act("copy_text", "Copy report as text", "Ctrl+Shift+C", icon="copy", audited=True),
    window_act("addendum", "Start an addendum", icon="plus", audited=True),
    window_act("sign_out", "Sign out", icon="sign-out", audited=True),
    window_act("lock", "Lock", "Ctrl+L", icon="lock", audited=True),
)
"""Acts of the window, in the order of the sheet."""

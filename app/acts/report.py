"""Acts of the report panel. No Qt."""

from __future__ import annotations

from app.acts.naming import report_act
from viewer.acts import Act

ACTS: tuple[Act, ...] = (
    report_act("draft", "Draft", "Ctrl+D", icon="cpu", audited=True),
    report_act("question", "Clinical question", "Ctrl+Shift+Q"),
    report_act("cancel_draft", "Cancel drafting", icon="x"),
    report_act("next_sentence", "Next sentence", "Alt+Down"),
    report_act("previous_sentence", "Previous sentence", "Alt+Up"),
    report_act("show_evidence", "Show evidence of sentence", "Alt+Return", icon="polygon"),
    report_act("accept", "Accept sentence and move on", "Ctrl+Space", icon="check", audited=True),
    report_act(
        "strike_or_restore", "Strike or restore sentence", "Ctrl+Del", icon="x-circle", audited=True
    ),
    report_act(
        "flip_side", "Change side of sentence", "Ctrl+Shift+L", icon="arrows-left-right", audited=True
    ),
    report_act("repair", "Do the first repair offered", "Ctrl+R", audited=True),
    report_act("normals", "My normals for this section", "Ctrl+M", icon="pen-nib", audited=True),
    report_act("write", "Write a sentence", "Ctrl+Shift+Return", icon="pen-nib"),
    report_act("next_blocker", "Next blocker or open check", "F8", icon="warning-circle"),
    report_act("next_unreviewed", "Next unreviewed sentence", "F9"),
    report_act("accept_candidate", "Accept candidate", "Alt+1", audited=True),
    report_act("reject_candidate", "Reject candidate", "Alt+2", audited=True),
    report_act("next_candidate", "Next candidate", "Alt+3"),
    report_act("undo", "Undo", "Ctrl+Z", icon="arrow-counter-clockwise"),
    report_act("redo", "Redo", "Ctrl+Y", icon="arrow-clockwise"),
    report_act("save", "Save now", "Ctrl+S", icon="floppy-disk", audited=True),
    report_act("sign", "Sign", "Ctrl+Return", icon="signature", audited=True),
    report_act("show_text", "Show report"),
    report_act("show_trace", "Show trace"),
    report_act("show_ledger", "Show evidence list"),
)
"""Acts of the report panel, in the order of the sheet."""

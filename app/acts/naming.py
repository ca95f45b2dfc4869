"""How acts of the window and of the report are named. No Qt."""

from __future__ import annotations

from viewer.acts import Act, Scope

REPORT_GROUP = "Report"
WINDOW_GROUP = "Everywhere"


def report_act(name: str, text: str, *keys: str, icon: str = "", audited: bool = False) -> Act:
    """Return an act of the report panel; its name begins with "report."."""
    return Act(f"report.{name}", text, Scope.REPORT, REPORT_GROUP, keys, icon, audited)


def window_act(
    name: str, text: str, *keys: str, icon: str = "", audited: bool = False, group: str = WINDOW_GROUP
) -> Act:
    """Return an act of the window; its name begins with "window."."""
    return Act(f"window.{name}", text, Scope.WINDOW, group, keys, icon, audited)

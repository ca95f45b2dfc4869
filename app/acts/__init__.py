"""Acts of the window and of the report, as data. No Qt: menus, keys, palette, sheet and audit read it.

Acts of the viewports stand in `viewer.acts`.
"""

from __future__ import annotations

from app.acts import browser, marks, output, preferences, report, window
from viewer.acts import Act

REPORT_ACTS: tuple[Act, ...] = report.ACTS
"""Acts of the report panel, in the order of the sheet."""

WINDOW_ACTS: tuple[Act, ...] = (
    *window.ACTS,
    *browser.ACTS,
    *marks.ACTS,
    *output.ACTS,
    *preferences.ACTS,
)
"""Acts of the window, in the order of the sheet."""

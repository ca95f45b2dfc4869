"""Marks and lesions of the study. No Qt."""

from __future__ import annotations

from app.acts.naming import window_act
from viewer.acts import Act

GROUP = "Marks"

ACTS: tuple[Act, ...] = (
    window_act("marks", "List of marks", icon="list", group=GROUP),
    window_act(
        "mark_new_lesion", "New lesion from the selected mark", icon="plus", group=GROUP, audited=True
    ),
    window_act(
        "mark_lesion", "Link the selected mark to a lesion", icon="link", group=GROUP, audited=True
    ),
    window_act("mark_no_lesion", "Unlink the selected mark", group=GROUP, audited=True),
)
"""In the order of the sheet."""

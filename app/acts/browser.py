"""Finding studies and what belongs to them. No Qt."""

from __future__ import annotations

from viewer.acts import Act

ACTS: tuple[Act, ...] = ()
"""In the order of the sheet."""

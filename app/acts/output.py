"""What leaves: prints, copies, exports. No Qt."""

from __future__ import annotations

from viewer.acts import Act

ACTS: tuple[Act, ...] = ()
"""In the order of the sheet."""

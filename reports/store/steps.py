"""Named steps of signing, between which a fault must leave everything or nothing.

The store calls a hook at each; it does nothing unless the one who opened the store handed one in,
as the fault tests do to kill the process there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """Points in the order in which signing passes them."""

    AUTHENTICATED = "authenticated"
    BEGUN = "begun"
    REVISION_WRITTEN = "revision written"
    SIGNATURE_WRITTEN = "signature written"
    EVENT_WRITTEN = "event written"
    CHECKPOINT_WRITTEN = "checkpoint written"
    DOCUMENT_MADE = "document made"
    DOCUMENT_WRITTEN = "document written"
    STATE_WRITTEN = "state written"
    COMMITTED = "committed"
    WITNESSED = "witnessed"


Hook = Callable[[Step], None]


def pass_by(step: Step) -> None:
    """Do nothing at a step: what every run outside the fault tests does."""

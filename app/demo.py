"""The demonstration: the bundled synthetic study, a store of its own and an account to sign with."""

from __future__ import annotations

from pathlib import Path

import resources
from reports.domain import Role

USER, PASSWORD, PRINTED_NAME = "reader", "synthetic sample", "Dr Demo Reader"
"""Known to everybody on purpose: the store of the demonstration is for the synthetic sample only."""


def sample() -> Path:
    """Return the folder of the bundled study: an analytic chest CT phantom."""
    return resources.path("sample", "chest-phantom")


def prepare(home: Path) -> None:
    """Make the demonstration's store and account unless they are there."""
    from app.desk import Desk
    from reports.store.keys import ProviderKind

    with Desk.open(home, create=ProviderKind.FILE) as desk:
        if not desk.store.accounts.list():
            desk.store.accounts.add(USER, PRINTED_NAME, Role.RADIOLOGIST, PASSWORD)

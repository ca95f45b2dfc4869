"""Fixture of the store's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_reading import Reading, made_in


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    """A store with a radiologist, a resident and an administrator."""
    made = made_in(tmp_path / "home")
    yield made
    made.store.close()

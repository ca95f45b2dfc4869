"""Fixtures of the store's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail
from store_reading import MemoryKeyring, Reading, made_in


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    """A store with a radiologist, a resident and an administrator."""
    made = made_in(tmp_path / "home")
    yield made
    made.store.close()


@pytest.fixture(autouse=True)
def no_secret_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a keyring: no test writes into the one of whoever runs it."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)


@pytest.fixture
def secret_service(no_secret_service: None, monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """A machine with a keyring that keeps secrets."""
    backend = MemoryKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    monkeypatch.setattr(keyring, "get_password", backend.get_password)
    monkeypatch.setattr(keyring, "set_password", backend.set_password)
    return backend

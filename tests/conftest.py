"""Fixtures every area uses."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

# Tests never touch the keyring of the person who runs them.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real DICOM beside the checkout; the test is skipped where there is none."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real data beside the checkout is absent")
    return SHARED_DATA


@pytest.fixture
def vouch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Let the policy of this machine list the files that a manifest names."""

    def listed(manifest: Path) -> None:
        files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        policy = tmp_path / "policy.json"
        allowed = [file["sha256"] for file in files]
        policy.write_text(json.dumps({"models": {"allowed": allowed}}), encoding="utf-8")
        monkeypatch.setenv("SIGHTLINE_POLICY", str(policy))

    return listed

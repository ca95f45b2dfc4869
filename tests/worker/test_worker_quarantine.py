"""What killed workers is remembered over a restart, without naming a patient."""

from __future__ import annotations

from pathlib import Path

import pytest

from viewer.imaging.worker.host import Quarantine


def test_quarantine_survives_a_restart_and_names_no_patient(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.json"
    for _ in range(2):
        Quarantine(path).crashed("/data/DOE_JANE/1.dcm")
    assert Quarantine(path).holds("/data/DOE_JANE/1.dcm")
    assert not Quarantine(path).holds("/data/DOE_JANE/2.dcm")
    assert "DOE" not in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["quarantine.json"]


@pytest.mark.parametrize("text", ["", "[]", '{"crashes": 3}', '{"crashes": {"a": "x"}}', "\x00"])
def test_a_broken_quarantine_file_counts_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "quarantine.json"
    path.write_text(text, encoding="utf-8")
    quarantine = Quarantine(path)
    assert not quarantine.holds("a")
    quarantine.crashed("a")
    assert not Quarantine(path).holds("a")
    quarantine.crashed("a")
    assert Quarantine(path).holds("a")

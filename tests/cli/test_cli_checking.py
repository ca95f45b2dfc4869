"""`sightline check`: exit codes, words and JSON by its schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from app.cli.main import run
from app.schemas import schema_text
from inference.evaluation.seeded_ledgers import ledgers

TRUE = "Findings:\nNodule in the right upper lobe, 12.4 x 9.8 mm.\nLeft pleural effusion.\n"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.json"
    path.write_text(ledgers()[0].ledger.model_dump_json(by_alias=True), encoding="utf-8")
    return path


def check(tmp_path: Path, ledger: Path, text: bytes, *options: str) -> int:
    report = tmp_path / "report.txt"
    report.write_bytes(text)
    return run(["check", str(report), "--ledger", str(ledger), *options])


def test_a_true_report_exits_with_0(
    tmp_path: Path, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, ledger, TRUE.encode()) == 0
    assert "2 sentences, 0 found" in capsys.readouterr().out


def test_what_is_found_is_told_with_risk_and_category_and_exits_with_1(
    tmp_path: Path, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, ledger, TRUE.replace("right", "left").encode()) == 1
    out = capsys.readouterr().out
    assert "risk 4, detail misidentification (side): E4 lies on the right" in out


def test_json_holds_to_its_schema(
    tmp_path: Path, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, ledger, "右肺上叶结节，12.4毫米。".encode(), "--json") == 1
    made = json.loads(capsys.readouterr().out)
    jsonschema.validate(made, json.loads(schema_text("check")))
    assert [one["check"] for one in made["checks"]] == ["missing claim"]


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\x00R", b"x" * ((1 << 20) + 1)])
def test_bad_input_exits_with_2(tmp_path: Path, ledger: Path, text: bytes) -> None:
    assert check(tmp_path, ledger, text) == 2


def test_a_ledger_that_is_none_exits_with_2(
    tmp_path: Path, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.write_text('{"schema": "other"}', encoding="utf-8")
    assert check(tmp_path, ledger, TRUE.encode()) == 2
    assert "not a ledger" in capsys.readouterr().err


def test_a_missing_file_exits_with_2(tmp_path: Path, ledger: Path) -> None:
    assert run(["check", str(tmp_path / "none.txt"), "--ledger", str(ledger)]) == 2

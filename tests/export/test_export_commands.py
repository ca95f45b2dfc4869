"""`export-marks` and `deidentify` on the command line: what they write is in the audit log."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pydicom
import pytest

import resources
from app.cli.main import run
from app.desk import Desk
from app.engine import Engine
from app.key_images import KeptImage, key_images_body
from app.marks import body_of
from reports.audit.event import AuditAct
from reports.domain import Role
from reports.store.keys import ProviderKind
from reports.store.kinds import RecordKind
from viewer.imaging.marks import Mark, MarkKind
from viewer.imaging.study import StudyIndex

PASSWORD = "a good long password"
SAMPLE = resources.path("sample", "chest-phantom")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with one study, one mark and one key image."""
    folder = tmp_path / "home"
    with Desk.open(folder, create=ProviderKind.FILE) as desk, Engine() as engine:
        desk.store.accounts.add("ana", "Ana Reader", Role.RADIOLOGIST, PASSWORD)
        desk.sign_in("ana", PASSWORD)
        study = engine.reader.index([SAMPLE]).studies[0]
        desk.import_studies(StudyIndex(studies=(study,)))
        series = study.series[0]
        place = {
            "series_key": series.key,
            "series_instance_uid": series.series_instance_uid,
            "sop_instance_uid": series.instances[9].sop_instance_uid,
        }
        mark = Mark(kind=MarkKind.POINT, name="P1", points=((50.0, 60.0),), **place)
        uid = study.study_instance_uid
        desk.save_study_record(uid, RecordKind.MARKS, body_of([mark]), act="add: point")
        kept = key_images_body([KeptImage(**place)])
        desk.save_study_record(uid, RecordKind.KEY_IMAGES, kept, act="key image kept")
    return folder


def forms_recorded(home: Path) -> list[str]:
    with Desk.open(home) as desk:
        desk.sign_in("ana", PASSWORD)
        events = [
            entry
            for entry in desk.store.events(desk.account)
            if entry.act is AuditAct.DOCUMENT_EXPORTED
        ]
        return [event.detail["form"] for event in events]


def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, dict[str, object], str]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))
    code = run([*map(str, arguments), "--user", "ana", "--password-stdin", "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out) if told.out else {}, told.err


def test_marks_and_key_images_of_the_store_are_written(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    uid = pydicom.dcmread(next(SAMPLE.glob("*.dcm")), stop_before_pixels=True).StudyInstanceUID
    code, result, err = command(
        *(monkeypatch, capsys, "export-marks", uid, "--out", tmp_path / "out"),
        *("--key-images", "--home", home),
    )
    assert code == 0, err
    names = [Path(str(path)).name for path in result["files"]]  # type: ignore[attr-defined]
    assert names == ["measurements.sr.dcm", "key-images.ko.dcm"]
    kinds = [pydicom.dcmread(path).Modality for path in sorted((tmp_path / "out").iterdir())]
    assert kinds == ["KO", "SR"]
    assert forms_recorded(home) == ["measurements as SR", "key images as KO"]


def test_images_leave_without_their_patient(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    code, result, err = command(
        *(monkeypatch, capsys, "deidentify", SAMPLE, "--out", out, "--label", "Subject 3"),
        *("--dates", "shift", "--home", home),
    )
    assert code == 0, err
    files = sorted(out.rglob("*.dcm"))
    assert len(files) == result["written"] == 60
    first = pydicom.dcmread(files[0])
    assert (first.PatientID, first.PatientIdentityRemoved) == ("Subject 3", "YES")
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    assert forms_recorded(home) == ["de-identified images"]


def test_an_unknown_study_is_an_error_in_words(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = command(
        monkeypatch, capsys, "export-marks", "1.2.3", "--out", tmp_path, "--home", home
    )
    assert code == 1
    assert "not on the worklist" in err

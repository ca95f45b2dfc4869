"""The desk that command line and window share: what it lets out, and what it records of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.desk import Desk
from reports.domain import Ledger, Role
from reports.store.errors import StoreReadOnlyError
from reports.store.keys import ProviderKind
from viewer.imaging.study import Patient, Study

PASSWORD = "a good long password"
STUDY = Study(study_instance_uid="1.2.3", patient=Patient(patient_id="P1", name="Doe^Jane"))


def test_no_document_leaves_a_store_that_records_nothing(tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out.pdf"
    ledger = Ledger(study_instance_uid=STUDY.study_instance_uid)
    with Desk.open(home, create=ProviderKind.FILE) as desk:
        desk.store.accounts.add("ana", "Dr A. Reader", Role.RADIOLOGIST, PASSWORD)
        desk.sign_in("ana", PASSWORD)
        report = desk.open_study(STUDY).report
        assert desk.export_pdf(report, ledger, STUDY, None, out) == out
    out.unlink()
    (home / "checkpoints.jsonl").unlink()
    with Desk.open(home) as desk:
        assert desk.alert is not None
        desk.sign_in("ana", PASSWORD)
        with pytest.raises(StoreReadOnlyError):
            desk.export_pdf(report, ledger, STUDY, None, out)
    assert not out.exists()

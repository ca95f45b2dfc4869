"""Desk and engine, shared by command line and window: what leaves, is recorded, and is still known."""

from __future__ import annotations

from pathlib import Path

import pytest

import resources
from app.desk import Desk
from app.engine import Engine
from inference.drafting.triage import choose_series
from reports.domain import Ledger, Role
from reports.store.errors import OtherPatientError, StoreReadOnlyError
from reports.store.keys import ProviderKind
from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.study import Instance, Patient, Series, Study, StudyIndex

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


def test_no_report_of_one_patient_is_opened_beside_images_of_another(tmp_path: Path) -> None:
    other = Patient(patient_id="P2", name="Roe^Richard")
    with Desk.open(tmp_path / "home", create=ProviderKind.FILE) as desk:
        desk.store.accounts.add("ana", "Dr A. Reader", Role.RADIOLOGIST, PASSWORD)
        desk.sign_in("ana", PASSWORD)
        report = desk.open_study(STUDY).report
        with pytest.raises(OtherPatientError, match="another patient"):
            desk.open_study(STUDY.model_copy(update={"patient": other}))
        corrected = Patient(patient_id="P1-7", name="DOE^Jane^")
        for patient in (STUDY.patient, corrected):
            opened = desk.open_study(STUDY.model_copy(update={"patient": patient}))
            assert opened.report.id == report.id


def test_a_redraft_after_more_images_arrived_measures_again() -> None:
    with Engine() as engine:
        (study,) = engine.reader.index([resources.path("sample", "chest-phantom")]).studies
        whole = choose_series(study)
        part = whole.model_copy(update={"instances": whole.instances[:40]})
        early = study.model_copy(update={"series": (part,)})
        with engine.reader.open(part) as opened:
            first = engine.draft(early, opened).result
            again = engine.draft(early, opened, ledger=first.ledger).result
        with engine.reader.open(whole) as opened:
            later = engine.draft(study, opened, ledger=first.ledger).result
    assert again.ledger == first.ledger
    assert any("measured before" in event.message for event in again.trace.events)
    assert [one.ledger.evidence[0].value("images").text for one in (first, later)] == ["40", "60"]
    lungs = [
        [item for item in one.ledger.evidence if item.source.name == "ct-lungs"]
        for one in (first, later)
    ]
    assert [item.refusal is not None for item in lungs[0]] == [True]
    assert lungs[1][0].value("volume").text


def test_no_study_of_another_patient_takes_the_place_of_one_in_the_worklist(tmp_path: Path) -> None:
    instance = Instance(
        path="other.dcm", sop_instance_uid="1.2.9", sop_class_uid="1.2", transfer_syntax_uid="1.2"
    )
    verdict = GeometryVerdict(kind=VerdictKind.SINGLE, reason="There is one image only.")
    series = Series(series_instance_uid="1.2.8", instances=(instance,), verdict=verdict)
    other = Patient(patient_id="P2", name="Roe^Richard")
    foreign = STUDY.model_copy(update={"patient": other, "series": (series,)})
    with Desk.open(tmp_path / "home", create=ProviderKind.FILE) as desk:
        desk.store.accounts.add("ana", "Dr A. Reader", Role.RADIOLOGIST, PASSWORD)
        desk.sign_in("ana", PASSWORD)
        assert desk.import_studies(StudyIndex(studies=(STUDY,))).studies == (STUDY,)
        kept = desk.import_studies(StudyIndex(studies=(foreign,)))
        assert kept.studies == ()
        assert [(bad.path, bad.code) for bad in kept.bad_files] == [("other.dcm", "other_patient")]
        assert [row.study for row in desk.studies()] == [STUDY]
        corrected = STUDY.model_copy(update={"description": "read again"})
        assert desk.import_studies(StudyIndex(studies=(corrected,))).studies == (corrected,)
        assert [row.study for row in desk.studies()] == [corrected]

"""Searching the text of reports in a real store: words, snippets, changes, portions, signing out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from shell_driver import PASSWORD, USER, make_home, open_desk

from app import report_search
from app.desk import Desk
from app.report_model import ReportModel
from reports.domain import Ledger, Report, Section
from reports.store.errors import StoreError
from viewer.imaging.study import Patient, Study, StudyIndex


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = open_desk(make_home(tmp_path / "home"))
    made.sign_in(USER, PASSWORD)
    yield made
    made.close()


def written(desk: Desk, uid: str, *texts: str) -> Report:
    """Write sentences into the report of a study."""
    study = Study(study_instance_uid=uid, patient=Patient(patient_id="P", name="DEMO^One"))
    desk.import_studies(StudyIndex(studies=(study,)))
    model = ReportModel(desk.open_study(study).report, Ledger(study_instance_uid=uid))
    for text in texts:
        model.insert(Section.FINDINGS, text)
    return desk.save(model.report, model.ledger)


def test_words_are_found_in_any_case_with_the_line_round_the_first(desk: Desk) -> None:
    long = "The heart is of normal size and shape. " * 6
    written(desk, "1", long + "Small pleural EFFUSION on the left. " + long)
    written(desk, "2", "Nothing of note.")
    found = desk.search_reports("effusion nobody")
    assert found.is_complete
    assert list(found.hits) == ["1"]
    hit = found.hits["1"]
    assert hit.words == {"effusion"}
    assert hit.snippet.startswith("\u2026 ")
    assert "pleural EFFUSION on the left" in hit.snippet
    assert hit.snippet.endswith(" \u2026")
    assert len(hit.snippet) <= report_search.LONGEST + 4
    assert desk.search_reports("  ").hits == {}


def test_a_changed_report_is_read_again(desk: Desk) -> None:
    report = written(desk, "1", "Nodule.")
    assert list(desk.search_reports("nodule").hits) == ["1"]
    model = ReportModel(report, Ledger(study_instance_uid="1"))
    model.edit_text(model.sentences[0].id, "Scar.")
    desk.save(model.report, model.ledger)
    assert desk.search_reports("nodule").hits == {}
    assert list(desk.search_reports("scar").hits) == ["1"]


def test_many_reports_are_read_in_portions(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_search, "AT_ONCE", 2)
    for number in range(5):
        written(desk, str(number), "Cyst.")
    states = [
        (len(found.hits), found.is_complete) for found in (desk.search_reports("cyst") for _ in "123")
    ]
    assert states == [(2, False), (4, False), (5, True)]


def test_nobody_signed_in_finds_nothing(desk: Desk) -> None:
    written(desk, "1", "Nodule.")
    desk.search_reports("nodule")
    desk.sign_out()
    assert desk._search._texts == {}
    with pytest.raises(StoreError):
        desk.search_reports("nodule")

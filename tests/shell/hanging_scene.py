"""A store with the phantom's copies and one written report, for tests of hanging, priors and search."""

from __future__ import annotations

from pathlib import Path

from phantom_copies import write_copies
from shell_driver import PASSWORD, USER, make_home, open_desk

from app.engine import Engine
from app.report_model import ReportModel
from inference.validation.rules import check_sentence
from reports.domain import Ledger, Section

SENTENCE = "Calcified granuloma in the right upper lobe, unchanged."


def make_scene(place: Path) -> Path:
    """Import the copies of the phantom and write a sentence into the report of a prior."""
    write_copies(place / "CD")
    home = make_home(place / "home")
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    with Engine(home) as engine:
        index = engine.reader.index([place / "CD"])
    desk.import_studies(index)
    older = next(study for study in index.studies if study.date == "20251118")
    opened = desk.open_study(older)
    ledger = Ledger(study_instance_uid=older.study_instance_uid)
    model = ReportModel(opened.report, ledger, check=check_sentence)
    model.insert(Section.FINDINGS, SENTENCE)
    desk.save(model.report, model.ledger)
    desk.close()
    return home

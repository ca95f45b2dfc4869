"""What a reader did with scored candidates is in the store and becomes the record of a model."""

from __future__ import annotations

from pathlib import Path

import pytest
import report_sample
from PySide6.QtWidgets import QLabel
from report_sample import MODEL, sample_ledger, sample_report
from shell_driver import PASSWORD, USER, make_home, open_desk
from typer.testing import CliRunner

from app.cli import quality
from app.report_model import ReportModel
from app.review_records import Author, ReviewRecords, curves, records_of
from app.shell.report.evidence_card import EvidenceCard
from inference.validation.calibration import Outcome
from inference.validation.rules import check_sentence
from reports.domain import Candidate, EvidenceKind, ReportAct, Side, Source, SourceKind

AUTHOR = Author(MODEL.name, MODEL.sha256)
SCORES = (0.9, 0.8, 0.7, 0.6, 0.5)


def _walked(report=None) -> ReportModel:
    """Return a report in which five candidates were walked: kept, edited, struck, refused, left."""
    ledger = sample_ledger()
    for score in SCORES:
        ledger = ledger.add(
            report_sample.evidence(
                int(ledger.next_id()[1:]),
                EvidenceKind.CANDIDATE,
                "Nodule",
                side=Side.RIGHT,
                anatomy="right lower lobe",
                descriptor="nodule",
                regions=(report_sample.ellipse(30 + int(score * 10)),),
                source=Source(kind=SourceKind.MODEL, name=MODEL.name, sha256=MODEL.sha256),
                confidence=score,
            )
        )
    ids = [item.id for item in ledger.evidence[-len(SCORES) :]]
    text = "Nodule in the right lower lobe."
    model = ReportModel(
        report or sample_report(),
        ledger,
        candidates=tuple(Candidate(evidence_id=key, text=text, reason="seen") for key in ids),
        check=check_sentence,
    )
    model.accept_candidate(ids[0])
    edited = model.accept_candidate(ids[1])
    struck = model.accept_candidate(ids[2])
    model.edit_text(edited, "Small nodule in the right lower lobe.")
    model.reject(struck)
    model.reject_candidate(ids[3])
    return model


def test_each_decision_is_one_record_and_what_nobody_decided_is_none():
    model = _walked()
    found = list(records_of(model.report, model.ledger))
    assert {author for author, _ in found} == {AUTHOR}
    outcomes = {record.score: record.outcome for _, record in found}
    assert outcomes == {
        0.9: Outcome.ACCEPTED,
        0.8: Outcome.EDITED,
        0.7: Outcome.REJECTED,
        0.6: Outcome.REJECTED,
    }
    assert len(found) == 4 and {record.finding for _, record in found} == {"nodule"}


def test_a_rejected_candidate_stays_out_of_a_report_that_is_opened_again():
    model = _walked()
    (refused,) = model.report.rejected_candidates
    waiting = Candidate(evidence_id=refused, text="Nodule.", reason="seen")
    again = ReportModel(model.report, model.ledger, candidates=(waiting,))
    assert again.candidates == () and again.report.rejected_candidates == (refused,)
    model.undo()
    assert model.report.rejected_candidates == () and refused in {
        c.evidence_id for c in model.candidates
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one signed report and one that nobody signed."""
    made = make_home(tmp_path_factory.mktemp("records") / "home")
    with open_desk(made) as desk:
        desk.sign_in(USER, PASSWORD)
        for number in (1, 2):
            study = sample_report().study.model_copy(
                update={"study_instance_uid": f"{report_sample.STUDY_UID}.{number}"}
            )
            report = desk.store.reports.start(study, desk.account)
            model = _walked(report)
            ledger = model.ledger.model_copy(update={"study_instance_uid": study.study_instance_uid})
            saved = desk.save(model.report, ledger)
            if number == 1:
                desk.store.reports.sign(
                    saved.id,
                    saved.revision,
                    desk.account,
                    PASSWORD,
                    meaning="Read by me.",
                    act=ReportAct.SIGN_FINAL,
                )
    return made


def test_only_signed_reports_are_records(home: Path):
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        reading = ReviewRecords()
        assert [len(reading.collect(desk, at_most=1).get(AUTHOR, ())) for _ in range(3)][-1] == 4
        records = ReviewRecords().collect(desk)
    assert {author: len(own) for author, own in records.items()} == {AUTHOR: 4}
    assert curves(records) == {}
    many = curves({AUTHOR: records[AUTHOR] * 30})
    assert many[AUTHOR].probability(0.9) > many[AUTHOR].probability(0.6)


def test_the_command_says_uncalibrated_with_the_count(home: Path):
    done = CliRunner().invoke(
        quality.commands,
        ["calibration", "--user", USER, "--home", str(home), "--password-stdin"],
        input=PASSWORD + "\n",
    )
    assert done.exit_code == 0, done.output
    assert "uncalibrated: 4 of 100 records (1 accepted, 1 edited, 2 rejected)" in done.output


@pytest.mark.gui
def test_the_card_says_uncalibrated_until_this_store_has_records_enough(qtbot, theme, home: Path):
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        records = ReviewRecords().collect(desk)
    candidate = next(
        item
        for item in _walked().ledger.evidence
        if item.kind is EvidenceKind.CANDIDATE and Author.of(item)
    )
    card = EvidenceCard(theme)
    qtbot.addWidget(card)

    def said() -> str:
        card.show_evidence(candidate)
        return " ".join(label.accessibleName() for label in card.findChildren(QLabel))

    assert "uncalibrated" in said()
    card.curves = curves({AUTHOR: records[AUTHOR] * 30})
    chance = card.curves[AUTHOR].probability(candidate.confidence)
    assert f"{100 * chance:.0f} %" in said()

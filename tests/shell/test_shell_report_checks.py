"""What a whole report says against itself stands between it and its signature; a clean one signs."""

from __future__ import annotations

import pytest
import report_sample
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from report_sample import sample_ledger, sample_report

from app import sign_off
from app.repairing import repair
from app.report_checks import judged
from app.report_model import ReportModel
from app.shell.report.sign_dialog import SignDialog, Signer
from app.shell.report.sign_rows import OmissionRow
from app.shell.widgets import ActButton
from app.sign_off import BlockerKind, RepairKind
from inference.validation.rules import check_sentence
from reports.domain import EvidenceKind, Ledger, Role, Section, Side, Verdict

MASS = "There is a mass in the left hilum measuring 72 x 43 mm."
OPACITY = "There is an opacity in the right upper lobe."


def _report(*impression: str, ledger: Ledger | None = None, findings=(MASS, OPACITY)) -> ReportModel:
    model = ReportModel(sample_report(), ledger or sample_ledger(), check=check_sentence)
    for text in findings:
        model.insert(Section.FINDINGS, text, organ="Lungs")
    for text in impression:
        model.insert(Section.IMPRESSION, text)
    return model


def _omitted(model: ReportModel) -> list[str]:
    return [item.evidence_id for item in sign_off.omissions(model.report, model.ledger)]


@pytest.mark.parametrize(
    "impression",
    [
        (),
        ("Left hilar mass.", "Opacity in the right upper lobe."),
        ("Left hilar mass, 72 mm.",),
        ("Mass in the left hilum, suspicious for malignancy. Tissue sampling is recommended.",),
    ],
)
def test_a_clean_report_has_no_blocker_no_risk_and_nothing_left_out(impression):
    model = _report(*impression)
    assert (model.blockers(), model.risks(), _omitted(model)) == ((), (), [])


@pytest.mark.parametrize(
    ("impression", "why"),
    [
        ("No mass.", "describes"),
        ("Right hilar mass.", "left"),
        ("Mass in the left hilum, 27 mm.", "72"),
    ],
)
def test_an_impression_against_the_findings_blocks_at_its_place_until_it_is_put_right(impression, why):
    model = _report(impression)
    own = model.sentences[-1].id
    places = {item.sentence_id for item in model.blockers()}
    assert places == {own}
    (found,) = [item for item in judged(model.sentences, model.ledger) if item.id == own]
    check = next(one for one in found.checks if one.check == "contradiction")
    assert found.verdict is Verdict.BLOCKS and why in check.message and check.risk == 4
    # Stored and signed is what stands in the sentence alone.
    assert all(one.check != "contradiction" for one in model.sentence(own).checks)
    model.edit_text(own, "Left hilar mass, 72 mm.")
    assert model.blockers() == ()


def test_the_contradiction_goes_when_the_findings_change_not_the_impression():
    model = _report("No mass.", findings=(OPACITY,))
    later = model.insert(Section.FINDINGS, MASS, organ="Lungs")
    own = model.sentences[-1].id
    said = {c.check for s in judged(model.sentences, model.ledger) if s.id == own for c in s.checks}
    assert "contradiction" in said
    model.delete(later)
    said = {c.check for s in judged(model.sentences, model.ledger) if s.id == own for c in s.checks}
    assert "contradiction" not in said


def test_a_finding_nobody_mentions_is_said_never_asked_about_and_written_by_one_click():
    model = _report(findings=(MASS,))
    assert _omitted(model) == ["E5"] and model.blockers() == () and model.risks() == ()
    (omission,) = sign_off.omissions(model.report, model.ledger)
    repair(model, sign_off.write(omission))
    new = model.sentences[-1]
    assert "upper lobe" in new.text and [c.evidence_id for c in new.citations] == ["E5"]
    assert _omitted(model) == [] and model.blockers() == ()
    model.undo()
    assert _omitted(model) == ["E5"]


def test_a_finding_whose_sentence_the_reader_rejected_is_not_asked_for_again(model):
    model.reject("S3")
    model.reject("S6")
    assert "E5" not in _omitted(model)
    model.delete("S3")
    model.delete("S6")
    assert "E5" in _omitted(model)


def test_a_critical_finding_that_is_not_mentioned_blocks_until_it_is_written():
    bleed = report_sample.evidence(
        8,
        EvidenceKind.FINDING,
        "Fracture",
        side=Side.LEFT,
        anatomy="rib",
        descriptor="fracture",
        regions=(report_sample.ellipse(20),),
    )
    model = _report(ledger=sample_ledger().add(bleed))
    (blocker,) = model.blockers()
    assert blocker.kind is BlockerKind.OMISSION and blocker.message.startswith("Fracture, left rib:")
    assert [(one.kind, one.subject) for one in blocker.repairs] == [(RepairKind.WRITE, "E8")]
    repair(model, blocker.repairs[0])
    assert model.blockers() == () and "racture" in model.sentences[-1].text


def test_an_addendum_need_not_repeat_the_findings_of_the_report():
    report = sample_report().model_copy(update={"addendum_to": "R0"})
    model = ReportModel(report, sample_ledger(), check=check_sentence)
    model.insert(Section.FINDINGS, "Compared with an older examination that arrived later.")
    assert _omitted(model) == []


@pytest.fixture
def dialog(qtbot, theme, model):
    made = []

    def build() -> SignDialog:
        widget = SignDialog(theme, model, Signer("Dr R. Okafor", Role.RADIOLOGIST))
        qtbot.addWidget(widget)
        widget.open()
        made.append(widget)
        return widget

    yield build
    for widget in made:
        widget.reject()


@pytest.mark.gui
def test_a_finding_nobody_mentions_is_listed_written_by_one_click_and_never_waited_for(dialog, model):
    for item in model.sentences:
        if item.is_in_body:
            model.accept(item.id)
    for key in ("S3", "S6"):
        model.delete(key)
    widget = dialog()
    (row,) = widget.findChildren(OmissionRow)
    assert row.accessibleName() == "Right upper lobe opacity"
    widget.password.setText("correct horse")
    assert widget.seal.isEnabled(), widget.reason
    QTest.mouseClick(row.write, Qt.MouseButton.LeftButton)
    assert [c.evidence_id for c in model.sentences[-1].citations] == ["E5"]
    assert widget.seal.isEnabled() and model.blockers() == ()


@pytest.mark.gui
def test_an_impression_against_the_findings_is_listed_and_one_click_leads_to_it(dialog, model, qtbot):
    for item in model.sentences:
        if item.is_in_body:
            model.accept(item.id)
    own = model.insert(Section.IMPRESSION, "No mass.")
    widget = dialog()
    widget.password.setText("correct horse")
    assert not widget.seal.isEnabled()
    show = next(
        button
        for button in widget.findChildren(ActButton)
        if button.accessibleName().startswith("Show")
    )
    with qtbot.waitSignal(widget.showWanted) as shown:
        QTest.mouseClick(show, Qt.MouseButton.LeftButton)
    assert shown.args == [own]

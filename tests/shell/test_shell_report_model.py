"""The report model keeps the promises of editing (product.md, Edit and Sign) without a window."""

from __future__ import annotations

import pytest
import report_sample
from hypothesis import given, settings
from hypothesis import strategies as st
from report_sample import check_sides, sample_draft, sample_ledger, sample_report

from app.draft_merge import StudyMismatchError
from app.finding_phrase import FindingChoice
from app.repairing import repair
from app.report_edit import NoSideError, with_text
from app.report_model import ReportLockedError, ReportModel
from app.sign_off import BlockerKind, RepairKind
from inference.validation.rules import check_sentence
from reports.domain import (
    EvidenceKind,
    ItemState,
    Origin,
    ReaderState,
    ReportState,
    Review,
    Search,
    SearchResult,
    Section,
    Side,
    Verdict,
)


def _by_text(model: ReportModel, start: str):
    return next(item for item in model.sentences if item.text.startswith(start))


def test_a_draft_arrives_as_unreviewed_proposals_in_section_order(model):
    assert [item.section for item in model.sentences] == sorted(
        (item.section for item in model.sentences), key=list(Section).index
    )
    assert all(item.review is Review.UNREVIEWED for item in model.sentences)
    assert [item.evidence_id for item in model.candidates] == ["E6"]
    assert model.limitations[0].evidence_id == "E7"


def test_a_redraft_changes_nothing_that_a_person_wrote_accepted_rejected_or_deleted(model):
    model.edit_text("S2", "Mass at the left hilum.")
    model.accept("S1")
    model.reject("S3")
    model.restore("S4")
    model.delete("S6")
    own = model.insert(Section.IMPRESSION, "Compare with older studies.")
    kept = {key: model.sentence(key) for key in ("S1", "S2", "S3", "S4", own)}
    model.load_draft(sample_draft(), sample_ledger())
    assert {key: model.sentence(key) for key in kept} == kept
    texts = [item.text for item in model.sentences]
    assert len(texts) == len(set(texts))
    assert "Right upper lobe opacity with volume loss." not in texts
    assert "Mass at the left hilum reaching the lingula, 72 × 43 mm." not in texts


def test_a_redraft_replaces_only_proposals_nobody_touched(model):
    other = sample_draft().sentences[4].model_copy(update={"text": "Lung volume 2.81 L right."})
    other = other.model_copy(update={"slots": other.slots[:1], "citations": other.citations[:1]})
    model.accept("S1")
    model.load_draft(sample_draft().model_copy(update={"sentences": (other,)}), sample_ledger())
    assert [item.text for item in model.sentences] == [
        "CT of the chest, 60 axial images of 2.5 mm.",
        "Lung volume 2.81 L right.",
    ]


def test_evidence_of_a_redraft_never_takes_an_id_that_a_sentence_cites(model):
    drawn = report_sample.evidence(
        1, report_sample.EvidenceKind.MEASUREMENT, "Drawn", regions=(report_sample.ellipse(3),)
    )
    new = model.accept_finding(drawn, FindingChoice("nodule", Side.LEFT, "upper lobe"))
    cited = model.sentence(new).citations[0].evidence_id
    mine = model.ledger.get(cited)
    more = sample_ledger().add(
        report_sample.evidence(8, report_sample.EvidenceKind.MEASUREMENT, "A new tool")
    )
    model.load_draft(sample_draft(), more)
    assert model.ledger.get(cited) == mine
    assert [item.label for item in model.ledger.evidence].count("A new tool") == 1
    assert [item.id for item in model.ledger.evidence] == [f"E{n}" for n in range(1, 10)]


def test_a_report_opened_again_keeps_its_reviews_through_a_redraft(model):
    model.accept("S1")
    model.delete("S6")
    again = ReportModel(model.report, model.ledger, check=check_sides)
    again.delete("S5")
    again.load_draft(sample_draft(), sample_ledger())
    texts = [item.text for item in again.sentences]
    assert len(texts) == len(set(texts)) and "Lung volume 2.81 L right, 2.10 L left." not in texts
    assert again.sentence("S1").review is Review.ACCEPTED


def test_a_draft_of_another_study_is_refused_and_changes_nothing(model):
    before = model.report
    with pytest.raises(StudyMismatchError, match="Open the study that was drafted"):
        model.load_draft(
            sample_draft().model_copy(update={"study_instance_uid": "9.9"}), sample_ledger()
        )
    assert model.report == before


def test_editing_a_measured_number_keeps_both_values_and_makes_it_the_persons(model):
    model.edit_text("S2", "Mass at the left hilum reaching the lingula, 75 × 43 mm.")
    edited = model.sentence("S2")
    assert edited.origin is Origin.PERSON and edited.review is Review.ACCEPTED
    first, second = edited.slots
    assert edited.text[first.span.start : first.span.end] == "75"
    assert first.detached_from == "72"
    assert edited.text[second.span.start : second.span.end] == "43 mm" and not second.detached_from
    one = next(item for item in model.repairs("S2") if item.kind is RepairKind.ATTACH)
    repair(model, one)
    assert model.sentence("S2").text == sample_draft().sentences[1].text
    assert not any(item.detached_from for item in model.sentence("S2").slots)


@pytest.mark.parametrize(
    "text",
    [
        "A large mass at the left hilum reaching the lingula, 72 × 43 mm.",
        "Mass, 72 × 43 mm.",
        "72 × 43 mm: mass at the left hilum.",
        "Mass at the left hilum reaching the lingula, now 72 × 43 mm in size.",
    ],
)
def test_slots_follow_their_words_through_any_edit_around_them(model, text):
    model.edit_text("S2", text)
    edited = model.sentence("S2")
    assert [edited.text[s.span.start : s.span.end] for s in edited.slots] == ["72", "43 mm"]
    assert not any(slot.detached_from for slot in edited.slots)
    assert all(0 <= c.span.start <= c.span.end <= len(text) for c in edited.citations)
    assert {c.evidence_id for c in edited.citations} == {"E3", "E4"}


def test_deleting_a_number_drops_its_slot_and_keeps_the_link_to_the_evidence(model):
    model.edit_text("S2", "Mass at the left hilum.")
    assert model.sentence("S2").slots == ()
    assert [c.evidence_id for c in model.sentence("S2").citations] == ["E3", "E4"]


def test_flip_side_exchanges_the_words_and_checks_again(model):
    model.flip_side("S3")
    flipped = model.sentence("S3")
    assert flipped.text == "Opacity with volume loss in the left upper lobe."
    assert flipped.origin is Origin.PERSON and flipped.verdict is Verdict.BLOCKS
    model.flip_side("S3")
    assert model.sentence("S3").verdict is Verdict.SUPPORTED
    with pytest.raises(NoSideError, match="no side to change"):
        model.flip_side("S4")


def test_every_act_is_undone_and_redone_exactly(model):
    start = model.report.sentences
    acts = [
        lambda: model.accept("S1"),
        lambda: model.reject("S2"),
        lambda: model.restore("S4"),
        lambda: model.edit_text("S3", "Opacity."),
        lambda: model.flip_side("S6"),
        lambda: model.link("S1", "E2"),
        lambda: model.unlink("S2", "E4"),
        lambda: model.insert(Section.FINDINGS, "Own words.", organ="Heart"),
        lambda: model.split("S5", 24),
        lambda: model.join("S3", "S4"),
        lambda: model.delete("S1"),
        lambda: model.insert_normals(Section.FINDINGS),
        lambda: model.keep_risk("S6", "Seen on the images, read by me."),
        lambda: model.accept_candidate("E6"),
    ]
    states = [start]
    for act in acts:
        act()
        assert model.sentences != states[-1]
        states.append(model.sentences)
    for state in reversed(states[:-1]):
        model.undo()
        assert model.sentences == state
    for state in states[1:]:
        model.redo()
        assert model.sentences == state


def test_undo_takes_back_a_whole_draft(empty_model):
    empty_model.load_draft(sample_draft(), sample_ledger())
    empty_model.undo()
    assert empty_model.sentences == () and empty_model.candidates == ()


def test_my_normals_are_the_persons_own_and_leave_organs_with_findings_alone(model):
    model.accept("S2")
    new = model.insert_normals(Section.FINDINGS)
    assert new
    for key in new:
        item = model.sentence(key)
        assert item.origin is Origin.PERSON and item.citations == () and item.organ != "Lungs"
    assert model.insert_normals(Section.FINDINGS) == ()
    model.undo()
    assert not any(item.id in new for item in model.sentences)


def test_an_accepted_finding_brings_its_measures_and_one_proposed_sentence(model):
    drawn = report_sample.evidence(
        1,
        report_sample.EvidenceKind.MEASUREMENT,
        "Drawn region",
        values=(
            report_sample.quantity("long", 9.8, "mm", "9.8 mm"),
            report_sample.quantity("short", 8.7, "mm", "8.7 mm"),
        ),
        regions=(report_sample.ellipse(33),),
    )
    choice = FindingChoice("nodule", Side.LEFT, "upper lobe")
    item = model.sentence(model.accept_finding(drawn, choice))
    assert item.text == "Nodule in the left upper lobe, 9.8 × 8.7 mm."
    assert item.review is Review.UNREVIEWED and item.organ == "Lungs"
    found = model.ledger.get(item.citations[0].evidence_id)
    assert (
        found.regions == drawn.regions
        and found.source.name == "Dr R. Okafor"
        and found.side is Side.LEFT
    )
    assert [item.text[s.span.start : s.span.end] for s in item.slots] == ["9.8", "8.7 mm"]


def test_a_candidate_enters_the_report_only_when_accepted(model):
    assert not model.sentences_citing("E6")
    new = model.sentence(model.accept_candidate("E6"))
    assert new.review is Review.ACCEPTED and model.candidates == ()
    assert model.ledger.get(new.citations[0].evidence_id).kind.value == "finding"


def test_a_rejected_candidate_does_not_come_back_with_a_redraft(model):
    model.reject_candidate("E6")
    model.load_draft(sample_draft(), sample_ledger())
    assert model.candidates == ()


def test_a_rejected_candidate_is_known_by_its_place_when_a_tool_numbers_it_anew(model):
    model.reject_candidate("E6")
    ledger = sample_ledger()
    renamed = ledger.get("E6").model_copy(update={"label": "Nodule candidate 2"})
    entries = tuple(renamed if item.id == "E6" else item for item in ledger.evidence)
    model.load_draft(sample_draft(), ledger.model_copy(update={"evidence": entries}))
    assert model.candidates == ()


def test_a_search_names_its_candidates_by_the_ids_that_they_have_in_the_report(model):
    ledger = sample_ledger()
    here = report_sample.evidence(
        1, EvidenceKind.CANDIDATE, "Nodule candidate", regions=(report_sample.ellipse(50),)
    )
    done = Search(
        target=report_sample.code("Nodule"),
        searched="both lungs",
        coverage=1.0,
        complete=True,
        result=SearchResult.CANDIDATES,
        candidates=("E1",),
    )
    search = report_sample.evidence(2, EvidenceKind.SEARCH, "Search", search=done)
    redraft = ledger.model_copy(update={"evidence": (here, search)})
    for _ in range(2):
        model.load_draft(sample_draft().model_copy(update={"sentences": ()}), redraft)
        (found,) = [item for item in model.ledger.evidence if item.search is not None]
        assert [model.ledger.get(key).label for key in found.search.candidates] == ["Nodule candidate"]
        assert model.ledger.get(found.search.candidates[0]).regions == here.regions


def test_a_redraft_in_another_order_leaves_proposals_in_the_order_that_was_seen(model):
    before = [item.text for item in model.sentences]
    draft = sample_draft()
    model.load_draft(draft.model_copy(update={"sentences": draft.sentences[::-1]}), sample_ledger())
    assert [item.text for item in model.sentences] == before


def test_what_the_reader_says_of_an_item_is_part_of_the_report_and_undoable(model):
    said = ItemState(
        template="ct-chest", organ="lungs", item="nodule", state=ReaderState.LIMITED, reason="motion"
    )
    model.settle_item(said)
    assert model.report.items == (said,)
    assert ReportModel(model.report, model.ledger).report.items == (said,)
    model.undo()
    assert model.report.items == ()


def _accept_all(model: ReportModel) -> None:
    for item in model.sentences:
        if item.is_in_body:
            model.accept(item.id)


def test_every_unreviewed_machine_sentence_of_the_body_blocks_signing(model):
    places = {b.sentence_id for b in model.blockers() if b.kind is BlockerKind.UNREVIEWED}
    assert places == {"S1", "S2", "S3", "S5", "S6"}
    _accept_all(model)
    assert model.blockers() == ()


def test_a_contradiction_blocks_with_repairs_that_fix_it(model):
    _accept_all(model)
    own = model.insert(Section.IMPRESSION, "Right hilar mass.")
    model.link(own, "E3")
    (blocker,) = model.blockers()
    assert blocker.kind is BlockerKind.CONTRADICTION and blocker.sentence_id == own
    assert [(r.kind, r.subject) for r in blocker.repairs] == [
        (RepairKind.FLIP, "left"),
        (RepairKind.UNLINK, "E3"),
    ]
    repair(model, blocker.repairs[0])
    assert model.blockers() == () and model.sentence(own).text == "Left hilar mass."


@pytest.mark.parametrize("text", ["Nodule of [size] mm.", "Heart ___.", "   "])
def test_an_empty_field_blocks_signing(model, text):
    _accept_all(model)
    own = model.insert(Section.FINDINGS, text)
    assert [(b.kind, b.sentence_id) for b in model.blockers()] == [(BlockerKind.EMPTY_FIELD, own)]


def test_evidence_of_another_patient_new_images_and_an_empty_report_block():
    ledger = sample_ledger().model_copy(update={"study_instance_uid": "9.9"})
    wrong = ReportModel(sample_report(), ledger)
    assert [b.kind for b in wrong.blockers(images_now=61)] == [
        BlockerKind.PATIENT,
        BlockerKind.NEW_IMAGES,
        BlockerKind.EMPTY_REPORT,
    ]


def test_a_weak_machine_sentence_is_a_risk_until_a_reason_is_given_and_a_persons_never(model):
    assert [risk.sentence_id for risk in model.risks() if risk.is_open] == ["S3", "S6"]
    model.keep_risk("S3", "Seen on the images, read by me.")
    assert [risk.sentence_id for risk in model.risks() if risk.is_open] == ["S6"]
    model.edit_text("S6", "Opacity has increased.")
    assert model.sentence("S6").verdict is Verdict.WEAK
    assert [risk.sentence_id for risk in model.risks()] == ["S3"]


def test_a_restored_contradiction_of_side_still_blocks(empty_model):
    wrong = sample_draft().sentences[2].model_copy(update={"text": "Opacity in the left upper lobe."})
    empty_model.load_draft(sample_draft().model_copy(update={"sentences": (wrong,)}), sample_ledger())
    assert [b.kind for b in empty_model.blockers()] == [BlockerKind.EMPTY_REPORT]
    empty_model.restore("S3")
    assert [b.kind for b in empty_model.blockers()] == [BlockerKind.CONTRADICTION]


@pytest.mark.parametrize("state", [ReportState.FINAL, ReportState.ADDENDUM])
def test_no_operation_changes_a_final_report(state):
    final = sample_report().model_copy(update={"state": state, "sentences": sample_draft().sentences})
    model = ReportModel(final, sample_ledger(), check=check_sides)
    before = model.report
    for act in (
        lambda: model.accept("S1"),
        lambda: model.edit_text("S1", "x"),
        lambda: model.delete("S1"),
        lambda: model.insert(Section.FINDINGS, "x"),
        lambda: model.load_draft(sample_draft(), sample_ledger()),
        lambda: model.join("S2", "S3"),
        lambda: model.split("S2", 4),
    ):
        with pytest.raises(ReportLockedError, match="addendum"):
            act()
    assert model.undo() is None
    assert model.report == before


def test_a_final_signature_ends_undo(model):
    _accept_all(model)
    model.saved(model.report.model_copy(update={"state": ReportState.FINAL, "revision": 2}))
    assert model.is_locked and not model.can_undo and model.undo() is None


def test_editing_a_preliminary_report_puts_it_in_review(model):
    model.saved(model.report.model_copy(update={"state": ReportState.PRELIMINARY, "revision": 2}))
    model.accept("S1")
    assert model.report.state is ReportState.IN_REVIEW


def test_observers_hear_one_change_per_act_with_both_states(model):
    heard = []
    stop = model.subscribe(heard.append)
    model.join("S3", "S4")
    assert [change.act for change in heard] == ["report.join"]
    assert len(heard[0].before.sentences) - len(heard[0].after.sentences) == 1
    stop()
    model.undo()
    assert len(heard) == 1


def test_a_group_that_fails_leaves_nothing_behind(model):
    before = model.report
    with pytest.raises(KeyError), model.group("report.test"):
        model.accept("S1")
        model.delete("S99")
    assert model.report.sentences == before.sentences
    assert model.undo().act == "report.load_draft"


@pytest.mark.parametrize(
    ("side", "anatomy", "text"),
    [
        (Side.LEFT, "upper lobe", "Nodule in the left upper lobe, 9.8 × 8.7 mm."),
        (Side.RIGHT, "lung", "Nodule in the right lung, 9.8 × 8.7 mm."),
        (Side.RIGHT, "chest wall", "Nodule in the right chest wall, 9.8 × 8.7 mm."),
    ],
)
def test_the_sentence_of_an_accepted_finding_passes_the_real_rules(side, anatomy, text):
    real = ReportModel(sample_report(), sample_ledger(), check=check_sentence, reader="Dr R. Okafor")
    drawn = report_sample.evidence(
        1,
        report_sample.EvidenceKind.MEASUREMENT,
        "Drawn region",
        side=side,
        values=(
            report_sample.quantity("long", 9.8, "mm", "9.8 mm"),
            report_sample.quantity("short", 8.7, "mm", "8.7 mm"),
        ),
        regions=(report_sample.ellipse(33),),
    )
    new = real.accept_finding(drawn, FindingChoice("nodule", side, anatomy))
    assert real.sentence(new).text == text
    assert real.sentence(new).verdict is Verdict.SUPPORTED, real.sentence(new).checks
    real.flip_side(new)
    assert real.sentence(new).verdict is Verdict.BLOCKS
    assert real.repairs(new)[0].kind is RepairKind.FLIP
    repair(real, real.repairs(new)[0])
    assert real.sentence(new).text == text and real.sentence(new).verdict is Verdict.SUPPORTED


WORDS = st.sampled_from(["72", "43", "×", "mm", "Mass", "left", "at", ",", ".", " ", "2.1", "  "])


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=14), st.integers(0, 60), st.integers(0, 60))
def test_whatever_is_typed_spans_stay_inside_and_attached_numbers_are_the_ledgers(words, start, length):
    sentence = check_sides(sample_draft().sentences[1], sample_ledger())
    text = sentence.text[:start] + "".join(words) + sentence.text[start + length :]
    edited = with_text(sentence, text)
    assert edited.text == text
    for slot in edited.slots:
        written = text[slot.span.start : slot.span.end]
        assert written and slot.span.end <= len(text)
        measured = {"long": "72", "short": "43 mm"}[slot.value]
        assert (written == measured) is (slot.detached_from == "")
        assert slot.detached_from in ("", measured)
    for citation in edited.citations:
        assert 0 <= citation.span.start <= citation.span.end <= len(text)
    assert {c.evidence_id for c in edited.citations} == {"E3", "E4"}


def test_the_question_is_part_of_the_report_and_of_its_undo(model):
    model.ask("Nodule in the left upper lobe?")
    assert model.report.question == "Nodule in the left upper lobe?"
    model.ask("Nodule in the left upper lobe?")
    assert model.undo() is not None
    assert model.report.question == ""
    model.redo()
    assert model.question == "Nodule in the left upper lobe?"


def test_an_accepted_candidate_is_the_readers_finding_in_words_of_the_table(model):
    candidate = model.ledger.get("E6")
    new = model.sentence(model.accept_candidate("E6"))
    found = model.ledger.get(new.citations[0].evidence_id)
    assert found.source.name == model.reader
    assert (found.regions, found.values) == (candidate.regions, candidate.values)
    assert any(check.startswith("measured by") for check in found.checks)
    assert new.review is Review.ACCEPTED

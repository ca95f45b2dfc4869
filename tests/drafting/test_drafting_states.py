"""Machine states of template items: what was found, searched, refused or never looked for."""

from __future__ import annotations

from app.item_states import own_normals, settled
from inference.drafting.states import MachineState, machine_states
from inference.drafting.templates import template_for
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    ItemState,
    Ledger,
    ReaderState,
    Refusal,
    Search,
    SearchResult,
    Source,
    SourceKind,
)
from viewer.imaging.regions import Region, Shape

CHEST = template_for("CT", "chest")
LUNGS = CHEST.organ("lungs")
NODULE = Code(value="27925004", scheme="SCT", meaning="Nodule")
SPOT = Region(
    shape=Shape.POINT, series_instance_uid="1.2.3", sop_instance_uid="1.2.3.4", points=((5.0, 6.0),)
)


def entry(number: int, kind: EvidenceKind, **more: object) -> Evidence:
    fields: dict[str, object] = {
        "concept": NODULE,
        "label": "Nodule",
        "anatomy": "lung",
        "source": Source(kind=SourceKind.TOOL, name="nodules"),
    }
    return Evidence(id=f"E{number}", kind=kind, **{**fields, **more})


def search(number: int, result: SearchResult, *, complete: bool = True, found=()) -> Evidence:
    done = Search(
        target=NODULE,
        searched="both lungs",
        coverage=1.0 if complete else 0.6,
        complete=complete,
        result=result,
        candidates=tuple(found),
    )
    return entry(number, EvidenceKind.SEARCH, search=done)


def nodule_state(*evidence: Evidence, settled: tuple[str, ...] = ()):
    ledger = Ledger(study_instance_uid="1.2.3", modality="CT", evidence=evidence)
    states = machine_states(CHEST, ledger, settled=settled)
    assert [(one.organ, one.item) for one in states] == [
        (organ.id, item.id) for organ in CHEST.organs for item in organ.items
    ]
    return next(one for one in states if one.item == "nodule")


def test_what_nobody_looked_for_is_no_negative() -> None:
    assert nodule_state().state is MachineState.NO_TOOL


def test_an_empty_search_says_whether_all_was_searched() -> None:
    whole = nodule_state(search(1, SearchResult.NONE))
    part = nodule_state(search(1, SearchResult.NONE, complete=False))
    assert (whole.state, whole.evidence) == (MachineState.SEARCHED_NONE, ("E1",))
    assert (part.state, part.why) == (MachineState.SEARCHED_IN_PART, "both lungs")


def test_a_refusal_gives_its_reason() -> None:
    refusal = Refusal(code="no_lung", reason="no lung was found")
    refused = nodule_state(entry(1, EvidenceKind.SEARCH, refusal=refusal))
    assert (refused.state, refused.why) == (MachineState.REFUSED, "no lung was found")


def test_a_candidate_becomes_a_finding_or_is_walked_and_never_becomes_none() -> None:
    candidate = entry(1, EvidenceKind.CANDIDATE, regions=(SPOT,))
    looked = search(2, SearchResult.CANDIDATES, found=("E1",))
    finding = entry(3, EvidenceKind.FINDING, regions=(SPOT,), descriptor="nodule")
    waiting = nodule_state(candidate, looked)
    rejected = nodule_state(candidate, looked, settled=("E1",))
    accepted = nodule_state(candidate, looked, finding)
    assert (waiting.state, waiting.evidence) == (MachineState.CANDIDATES, ("E1",))
    assert (rejected.state, rejected.evidence) == (MachineState.CANDIDATES, ("E2",))
    assert (accepted.state, accepted.evidence) == (MachineState.FINDING, ("E3",))


def test_a_finding_of_another_organ_is_none_of_this_one() -> None:
    liver = entry(1, EvidenceKind.FINDING, regions=(SPOT,), descriptor="mass", anatomy="mediastinum")
    assert nodule_state(liver).state is MachineState.NO_TOOL


def test_a_reader_says_one_thing_of_an_item_and_takes_it_back() -> None:
    normal = ItemState(template="ct-chest", organ="lungs", item="nodule", state=ReaderState.NORMAL)
    limited = normal.model_copy(update={"state": ReaderState.LIMITED, "reason": "motion"})
    assert settled((normal,), limited) == (limited,)
    assert settled((limited,), limited) == ()


def test_own_normals_leave_out_what_a_finding_or_the_reader_contradicts() -> None:
    assert LUNGS is not None
    finding = entry(1, EvidenceKind.FINDING, regions=(SPOT,), descriptor="nodule")
    ledger = Ledger(study_instance_uid="1.2.3", modality="CT", evidence=(finding,))
    blurred = ItemState(
        template="ct-chest", organ="lungs", item="emphysema", state=ReaderState.LIMITED, reason="motion"
    )
    empty = machine_states(CHEST, Ledger(study_instance_uid="1.2.3", modality="CT"))
    assert own_normals(LUNGS, empty, ()) == ("The lungs are clear.",)
    assert own_normals(LUNGS, machine_states(CHEST, ledger), (blurred,)) == (
        "No consolidation or ground-glass opacity.",
        "No cyst or cavity.",
    )

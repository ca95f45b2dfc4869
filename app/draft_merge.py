"""How a draft enters a report: as proposals that never touch what a person did. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from app import report_edit
from app.report_history import Snapshot
from reports.domain import (
    Candidate,
    Draft,
    Evidence,
    Ledger,
    Limitation,
    Origin,
    Review,
    Section,
    Sentence,
)
from viewer.imaging.regions import Region

CheckSentence = Callable[[Sentence, Ledger], Sentence]
"""Holds a sentence against the ledger; returns it with checks and verdict."""

_Listed = TypeVar("_Listed", Candidate, Limitation)

SECTION_ORDER: tuple[Section, ...] = tuple(Section)


class StudyMismatchError(ValueError):
    """A draft or a ledger of another study; the message names both."""


def is_proposal(sentence: Sentence) -> bool:
    """Return true for a machine's sentence that no person touched yet."""
    return (
        sentence.origin is not Origin.PERSON
        and sentence.review is Review.UNREVIEWED
        and not sentence.restored
    )


def merge_ledger(ours: Ledger, theirs: Ledger) -> tuple[Ledger, dict[str, str]]:
    """Append what is new of another ledger of the same study; return it with the table of new ids.

    The same tool on the same pixels gives the same entry: that one keeps the id it has, so that
    sentences which a person already accepted still cite the right evidence.

    Raises
    ------
    StudyMismatchError
        The ledgers are of different studies.
    """
    if ours.study_instance_uid != theirs.study_instance_uid:
        raise StudyMismatchError(
            f"The draft is of study {theirs.study_instance_uid}, the report of study "
            f"{ours.study_instance_uid}. Open the study that was drafted."
        )
    if not ours.evidence:
        return theirs, {item.id: item.id for item in theirs.evidence}
    known = {_content(item, ours): item.id for item in ours.evidence}
    new = [item for item in theirs.evidence if _content(item, theirs) not in known]
    start = len(ours.evidence) + 1
    ids = {item.id: f"E{number}" for number, item in enumerate(new, start=start)}
    ids |= {item.id: known[_content(item, theirs)] for item in theirs.evidence if item.id not in ids}
    ours = ours.add(*(_renamed(item, ids) for item in new))
    header = {
        name: getattr(ours, name) or getattr(theirs, name)
        for name in ("series_instance_uid", "modality", "patient_sex")
    }
    return ours.model_copy(update=header), ids


_REFERENCES: dict[str, bool | set[str]] = {
    "id": True,
    "search": {"candidates"},
    "compared": {"current"},
}


def _content(item: Evidence, ledger: Ledger) -> str:
    """Return what an entry says, free of ids: what it refers to stands there with its own content."""
    referred = (found for key in _referred(item) if (found := ledger.get(key)) is not None)
    return "\n".join(
        (item.model_dump_json(exclude=_REFERENCES), *(_content(one, ledger) for one in referred))
    )


def _referred(item: Evidence) -> tuple[str, ...]:
    compared = (item.compared.current,) if item.compared is not None else ()
    found = item.search.candidates if item.search is not None else ()
    return tuple(key for key in (*compared, *found) if key != item.id)


def _renamed(item: Evidence, ids: dict[str, str]) -> Evidence:
    """Return an entry under its new id, with the new ids of what it refers to."""
    changed: dict[str, object] = {"id": ids[item.id]}
    if item.search is not None:
        found = tuple(ids.get(key, key) for key in item.search.candidates)
        changed["search"] = item.search.model_copy(update={"candidates": found})
    if item.compared is not None:
        current = ids.get(item.compared.current, item.compared.current)
        changed["compared"] = item.compared.model_copy(update={"current": current})
    return item.model_copy(update=changed)


def merge_sentences(
    current: Iterable[Sentence],
    proposed: Iterable[Sentence],
    *,
    first_seen: dict[str, Sentence],
    taken: set[str],
) -> tuple[Sentence, ...]:
    """Return the report's sentences after a draft arrived.

    Whatever a person wrote, edited, accepted, rejected or restored stays where and as it is. Older
    proposals give way to the new ones. A proposal is left out when a person already dealt with the
    same one.

    Parameters
    ----------
    first_seen
        Each machine sentence as it was first proposed, by id; also those a person deleted since.
    taken
        Ids that were used before; proposals with one of them get a new id.
    """
    before = tuple(current)
    kept = tuple(item for item in before if not is_proposal(item))
    waiting = {item.id for item in before if is_proposal(item)}
    settled = {_claim(item) for item in kept}
    settled |= {_claim(item) for key, item in first_seen.items() if key not in waiting}
    result = kept
    for item in _in_order(tuple(proposed), before):
        if _claim(item) in settled:
            continue
        settled.add(_claim(item))
        fresh = item if item.id not in taken else item.model_copy(update={"id": next_id(taken)})
        taken.add(fresh.id)
        result = placed(result, fresh)
    return result


def _in_order(proposed: tuple[Sentence, ...], before: tuple[Sentence, ...]) -> tuple[Sentence, ...]:
    """Return proposals with those that stood there already in the order that the reader saw."""
    order = {_claim(item): place for place, item in enumerate(before)}
    again = (item for item in proposed if _claim(item) in order)
    known = iter(sorted(again, key=lambda item: order[_claim(item)]))
    return tuple(next(known) if _claim(item) in order else item for item in proposed)


def merge_draft(
    state: Snapshot, draft: Draft, ledger: Ledger, check: CheckSentence, taken: set[str]
) -> Snapshot:
    """Return the report's state after a draft arrived with its ledger.

    Candidates that the reader walked already do not come back; limitations are those of this draft.
    """
    merged, ids = merge_ledger(state.ledger, ledger)
    proposed = [check(report_edit.renumbered(sentence, ids), merged) for sentence in draft.sentences]
    sentences = merge_sentences(
        state.sentences,
        proposed,
        first_seen={sentence.id: sentence for sentence in state.first_seen},
        taken=taken,
    )
    before = {sentence.id for sentence in state.sentences}
    new = tuple(sentence for sentence in sentences if sentence.id not in before)
    dropped = before - {sentence.id for sentence in sentences}
    cited = {citation.evidence_id for sentence in sentences for citation in sentence.citations}
    walked = {*state.rejected_candidates, *cited}
    places = {_place(found) for key in cited if (found := merged.get(key)) and found.regions}
    refused = {
        (found.concept.value, _place(found))
        for key in state.rejected_candidates
        if (found := merged.get(key)) and found.regions
    }

    def is_open(item: Candidate) -> bool:
        found = merged.get(item.evidence_id)
        known = found is not None and (
            _place(found) in places or (found.concept.value, _place(found)) in refused
        )
        return item.evidence_id not in walked and not known

    candidates = (_moved(item, ids) for item in draft.candidates)
    return replace(
        state,
        sentences=sentences,
        ledger=merged,
        candidates=tuple(item for item in candidates if is_open(item)),
        limitations=tuple(_moved(item, ids) for item in draft.limitations),
        model=draft.model,
        seed=draft.seed,
        first_seen=(*(item for item in state.first_seen if item.id not in dropped), *new),
    )


def _place(item: Evidence) -> tuple[Region, ...]:
    """Return where an entry lies: a candidate is known again by it, whatever its number or words."""
    return tuple(region.model_copy(update={"segment": None}) for region in item.regions)


def _moved(item: _Listed, ids: dict[str, str]) -> _Listed:
    return item.model_copy(update={"evidence_id": ids.get(item.evidence_id, item.evidence_id)})


def _claim(sentence: Sentence) -> tuple[Section, str]:
    return sentence.section, " ".join(sentence.text.split())


def next_id(taken: Iterable[str]) -> str:
    """Return the next sentence id ("S7"): one above every number in use, so no id is used twice."""
    numbers = [int(item[1:]) for item in taken if item[:1] == "S" and item[1:].isdigit()]
    return f"S{max(numbers, default=0) + 1}"


def placed(sentences: tuple[Sentence, ...], new: Sentence) -> tuple[Sentence, ...]:
    """Insert at the end of its organ, else at the end of its section, in the fixed section order."""
    rank = SECTION_ORDER.index(new.section)
    at = 0
    for index, item in enumerate(sentences, start=1):
        if SECTION_ORDER.index(item.section) <= rank:
            at = index
    for index, item in enumerate(sentences, start=1):
        if new.organ and item.section is new.section and item.organ == new.organ:
            at = index
    return (*sentences[:at], new, *sentences[at:])


def proposal_of(candidate_text: str, evidence: Evidence, new_id: str) -> Sentence:
    """Return the sentence of a candidate, as its model worded it, citing its evidence."""
    sentence = Sentence(
        id=new_id, section=Section.FINDINGS, text=candidate_text, origin=Origin.MODEL, organ=""
    )
    return report_edit.linked(sentence, evidence.id)

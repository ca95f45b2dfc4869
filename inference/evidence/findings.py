"""A measured region becomes a finding only when a person says what it is, where, and on which side."""

from __future__ import annotations

from typing import Any

import resources
from reports.domain import Code, Evidence, EvidenceKind, ReportDefault, Side, Source, SourceKind


class FindingError(ValueError):
    """A finding that cannot be accepted as it is; the message says what to change.

    `code` is "not_acceptable", "unknown_descriptor", "unknown_anatomy", "wrong_anatomy", "wrong_side"
    or "no_person".
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def descriptors() -> tuple[str, ...]:
    """Return the terms that a finding may have, in the order of the pick list."""
    return tuple(resources.table("phrases", "findings.json")["descriptors"])


def anatomies(descriptor: str = "", body_region: str = "") -> tuple[str, ...]:
    """Return the anatomy words a finding may have, in the order of the pick list.

    Parameters
    ----------
    descriptor
        Only places where this can be; empty for all.
    body_region
        Only words of this region ("chest"); empty, or a region without words, for all.
    """
    table = resources.table("phrases", "anatomy.json")
    groups = table["regions"]
    chosen = [groups[body_region]] if body_region in groups else list(groups.values())
    places: dict[str, dict[str, Any]] = {word: group[word] for group in chosen for word in group}
    if descriptor:
        allowed = _descriptor(descriptor)["anatomies"]
        if "any" not in allowed:
            return tuple(word for word, place in places.items() if place["class"] in allowed)
    return tuple(places)


def sides(anatomy: str) -> tuple[Side, ...]:
    """Return the sides an anatomy word can be written with; (NONE,) for one without sides."""
    return tuple(Side(side) for side in _anatomy(anatomy)["sides"])


def accept_finding(
    evidence: Evidence,
    *,
    side: Side,
    anatomy: str,
    descriptor: str,
    person: str,
    evidence_id: str = "",
) -> Evidence:
    """Return the evidence of kind finding that a person made of a measurement or candidate.

    Values and regions stay those that were measured; what was measured is named in `checks`.

    Parameters
    ----------
    side
        As the person chose it; where geometry says otherwise a warning stands beside it, because an
        organ may lie across the midline.
    anatomy, descriptor
        Words of the tables `anatomy.json` and `findings.json`.
    person
        Printed name of the reader: the source of the finding.
    evidence_id
        Id in the ledger; empty keeps that of the measurement (when it is not in the ledger yet).

    Raises
    ------
    FindingError
        The evidence, a word or the side does not fit; nothing was accepted.
    """
    if not person.strip():
        raise FindingError("no_person", "A finding is accepted by a person: sign in first.")
    if evidence.refusal is not None or not evidence.regions or evidence.kind not in ACCEPTABLE:
        raise FindingError(
            "not_acceptable",
            f"{evidence.label or evidence.id} is no measured region: draw one and measure it first.",
        )
    concept = _concept(descriptor)
    _fit(descriptor, anatomy, side)
    warnings = evidence.warnings
    if evidence.side in OPPOSITE and side is OPPOSITE[evidence.side]:
        warnings = (
            *warnings,
            f"the region lies on the {evidence.side.value} of the middle of the body",
        )
    return evidence.model_copy(
        update={
            "id": evidence_id or evidence.id,
            "kind": EvidenceKind.FINDING,
            "concept": concept,
            "label": descriptor[:1].upper() + descriptor[1:],
            "side": side,
            "anatomy": anatomy,
            "descriptor": descriptor,
            "source": Source(kind=SourceKind.PERSON, name=person.strip()),
            "report_default": ReportDefault.SENTENCE,
            "checks": (
                *evidence.checks,
                f"measured by {evidence.source.name} {evidence.source.version}".rstrip(),
            ),
            "warnings": warnings,
        }
    )


ACCEPTABLE = (EvidenceKind.MEASUREMENT, EvidenceKind.CANDIDATE)

OPPOSITE = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


def _descriptor(descriptor: str) -> dict[str, list[str]]:
    table: dict[str, dict[str, list[str]]] = resources.table("phrases", "findings.json")["descriptors"]
    if descriptor not in table:
        raise FindingError(
            "unknown_descriptor",
            f"{descriptor!r} is not in the list of findings: choose one of the list.",
        )
    return table[descriptor]


def _concept(descriptor: str) -> Code:
    value, scheme, meaning = _descriptor(descriptor)["code"]
    return Code(value=value, scheme=scheme, meaning=meaning)


def _anatomy(anatomy: str) -> dict[str, Any]:
    for group in resources.table("phrases", "anatomy.json")["regions"].values():
        if anatomy in group:
            found: dict[str, Any] = group[anatomy]
            return found
    raise FindingError(
        "unknown_anatomy", f"{anatomy!r} is not in the list of places: choose one of the list."
    )


def _fit(descriptor: str, anatomy: str, side: Side) -> None:
    place = _anatomy(anatomy)
    allowed = _descriptor(descriptor)["anatomies"]
    if "any" not in allowed and place["class"] not in allowed:
        raise FindingError(
            "wrong_anatomy",
            f"A {descriptor} is not described in the {anatomy}: choose another place or term.",
        )
    if side.value not in place["sides"]:
        choices = " or ".join(place["sides"])
        raise FindingError(
            "wrong_side",
            f"The side of {anatomy} is {choices}, not {side.value}: choose the side first.",
        )

"""The seeded-error set: true sentences over made-up ledgers, and the same with one error each.

Every case is built by rule from `resources/quality`: what is true of a ledger decides which
sentences are clean, and a slot that is filled with something else makes the error, so that no case
is labelled by hand. Wordings come in three files: the first was looked at while the checks were
written, the second only through its figures, the third once. Their hashes stand in `frozen.json`.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import product
from typing import Any

import resources
from inference.evaluation.seeded_ledgers import (
    OTHER_PLACES,
    Figures,
    SeededLedger,
    Wordings,
    ledgers,
    wordings,
)
from reports.domain import Evidence, EvidenceKind, Section, Side


class ErrorKind(StrEnum):
    """What was done to a true sentence; CLEAN when nothing was."""

    CLEAN = "clean"
    SIDE = "side"
    LEVEL = "level"
    COUNT = "count"
    NUMBER = "number"
    UNIT = "unit"
    NEGATION = "negation"
    MODALITY = "modality"
    SEX_AGE = "sex and age"
    FABRICATED = "fabricated"
    MISSING = "missing"
    CONTRADICTION = "contradiction"
    COMPARISON = "false comparison"


@dataclass(frozen=True)
class Case:
    """A sentence or a whole report, and what is wrong with it.

    Parameters
    ----------
    rows
        Section and text of each sentence; one row is a sentence on its own.
    only
        Name of the one check that counts here, or empty for all: a report that is made to
        contradict itself may hold other things of the reader's own.
    """

    split: str
    language: str
    kind: ErrorKind
    ledger: SeededLedger
    rows: tuple[tuple[Section, str], ...]
    only: str = ""

    @property
    def is_report(self) -> bool:
        """True for a whole report."""
        return len(self.rows) > 1


_OPPOSITE = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}

CONTRADICTION_CHECK = "contradiction"
MISSING_CHECK = "missing claim"


@dataclass(frozen=True)
class _Fact:
    """A fact of a ledger and the changes that make it false."""

    evidence: Evidence
    group: str
    value: str = ""
    """Slot of the one value that the sentence states; empty for findings."""


def _facts(seeded: SeededLedger) -> Iterator[_Fact]:
    for item in seeded.ledger.evidence:
        if item.kind is EvidenceKind.FINDING:
            yield _Fact(
                item, "effusion" if item.anatomy == "pleura" else "sized" if item.values else "plain"
            )
            if item.anatomy != "pleura" and item.values:
                yield _Fact(item, "plain")
        for quantity in item.values:
            group = _GROUPS.get((item.kind, quantity.name))
            if group is not None:
                if group == "lung_density" and not item.anatomy.endswith("lung"):
                    group = "density"
                yield _Fact(item, group, quantity.name)


_GROUPS: dict[tuple[EvidenceKind, str], str] = {
    (EvidenceKind.MEASUREMENT, "mean_density"): "lung_density",
    (EvidenceKind.MEASUREMENT, "laa950"): "laa",
    (EvidenceKind.MEASUREMENT, "diameter"): "diameter",
    (EvidenceKind.MEASUREMENT, "shift"): "shift",
    (EvidenceKind.MEASUREMENT, "ratio"): "ratio",
    (EvidenceKind.MEASUREMENT, "distance"): "distance",
    (EvidenceKind.MEASUREMENT, "count"): "lesion_count",
    (EvidenceKind.FINDING, "suv_max"): "suv",
    (EvidenceKind.FINDING, "volume"): "blood_volume",
    (EvidenceKind.TECHNIQUE, "slice_thickness"): "technique",
}


@dataclass(frozen=True)
class _Change:
    """What is written in place of the truth."""

    side: Side | None = None
    place: str = ""
    factor: float = 1.0
    wrong_unit: bool = False
    count: int = 0


class _Writer:
    """Writes the sentences of one split, language and ledger; the same seed gives the same text."""

    def __init__(self, words: Wordings, seeded: SeededLedger) -> None:
        self.words = words
        self.seeded = seeded
        self._random = random.Random(f"{words.split}/{words.language}/{seeded.name}")

    def pick(self, choices: tuple[str, ...]) -> str:
        """Return one of these."""
        return self._random.choice(choices)

    def factor(self) -> float:
        """Return by how much a number is off."""
        return self._random.choice((0.4, 0.55, 1.45, 1.7, 10.0))

    def write(self, template: str, fact: _Fact, style: str, form: int, change: _Change) -> str:
        """Return a template filled with a fact, changed in one way."""
        item, words = fact.evidence, self.words
        figures = Figures(style, change.wrong_unit)
        slots: dict[str, str] = {}
        name, own_side = _place_of(item)
        if name in words.table["places"]:
            forms = words.places(change.place or name, change.side or own_side)
            slots["place"] = forms[form % len(forms)]
        slots["side"] = slots["s"] = words.side(change.side or item.side)
        if words.has_term(item.descriptor):
            slots["term"] = words.term(item.descriptor)
            slots["terms"] = words.term(item.descriptor, many=True)
        lengths = [q.value * change.factor for q in item.values if q.name in ("long", "short")]
        if lengths:
            slots["long"], slots["size"] = figures.length(lengths[0]), figures.length(*lengths)
        for quantity in item.values:
            if quantity.name == "count":
                slots["n"] = words.count(change.count or int(quantity.value))
            elif quantity.name not in ("long", "short"):
                wrong = figures if quantity.name == fact.value else Figures(style)
                factor = change.factor if quantity.name == fact.value else 1.0
                slots[quantity.name] = wrong.value(quantity, quantity.value * factor)
        if fact.value:
            slots["value"] = slots.get(fact.value, "")
        if change.count and "n" not in slots:
            slots["n"] = words.count(change.count)
        pair = self.seeded.comparison
        if pair is not None and pair.compared is not None:
            slots["prior"] = figures.length(pair.value("prior").value)
            slots["date"] = pair.compared.prior_date
        else:
            slots["prior"], slots["date"] = figures.length(3.3), "2025-06-30"
        return sentence_of(template, slots)


def _place_of(item: Evidence) -> tuple[str, Side]:
    """Return the place of a fact as a key of the wordings, with its side."""
    for side in (Side.LEFT, Side.RIGHT):
        if item.anatomy.startswith(f"{side.value} "):
            return item.anatomy.removeprefix(f"{side.value} "), side
    return item.anatomy, item.side


def sentence_of(template: str, slots: dict[str, str]) -> str:
    """Fill a template; "a" before a vowel becomes "an", and the first letter is made large."""
    text = template
    for name, word in slots.items():
        text = text.replace(f"{{{name}}}", word)
        text = text.replace(f"{{{name.capitalize()}}}", word[:1].upper() + word[1:])
    for vowel in "aeiou":
        text = text.replace(f" a {vowel}", f" an {vowel}").replace(f"A {vowel}", f"An {vowel}")
    start = _LIST_MARK.match(text).end()  # type: ignore[union-attr]
    return text[:start] + text[start : start + 1].upper() + text[start + 1 :]


_LIST_MARK = re.compile(r"(?:- |\d+[.、] ?)?")


def _changes(fact: _Fact, writer: _Writer) -> Iterator[tuple[ErrorKind, _Change]]:
    """Yield every change that makes a sentence of this fact false."""
    item = fact.evidence
    name, side = _place_of(item)
    others = [e for e in writer.seeded.ledger.evidence if e is not item and e.kind is item.kind]
    same = {(e.anatomy, e.side) for e in others if e.descriptor == item.descriptor}
    other = OTHER_PLACES.get(name, "")
    has_size = fact.group == "sized"
    # By its numbers, where another finding of the same term lies in the place that is written.
    is_told_apart = has_size or bool(fact.value)
    opposite = _OPPOSITE.get(side)
    may_swap = name != "middle lobe" and fact.group != "laa"
    if opposite and may_swap and (is_told_apart or (name, opposite) not in same):
        yield ErrorKind.SIDE, _Change(side=opposite)
    has_level = other and fact.group in {"sized", "plain", "density"}
    if has_level and (is_told_apart or (other, side) not in same):
        yield ErrorKind.LEVEL, _Change(place=other)
    if fact.group == "lesion_count":
        for count in (2, 4, 9):
            yield ErrorKind.COUNT, _Change(count=count)
    elif has_size or fact.value:
        yield ErrorKind.NUMBER, _Change(factor=writer.factor())
        if fact.group not in {"ratio", "suv"}:
            yield ErrorKind.UNIT, _Change(wrong_unit=True)


def _of_facts(writer: _Writer) -> Iterator[tuple[ErrorKind, str]]:
    words = writer.words
    for fact in _facts(writer.seeded):
        for number, template in enumerate(words.templates(fact.group)):
            style = words.styles[number % len(words.styles)]
            yield ErrorKind.CLEAN, writer.write(template, fact, style, number, _Change())
            if fact.group == "plain" and any(q.name == "long" for q in fact.evidence.values):
                continue  # its errors are those of the sentences with a size
            true = writer.write(template, fact, style, number, _Change())
            for kind, change in _changes(fact, writer):
                changed = writer.write(template, fact, style, number, change)
                if changed != true:
                    yield kind, changed
    yield from _of_volumes(writer)


def _of_volumes(writer: _Writer) -> Iterator[tuple[ErrorKind, str]]:
    """Volumes of the lungs, which have a wording of their own beside those of blood."""
    for item in writer.seeded.ledger.evidence:
        if item.kind is EvidenceKind.MEASUREMENT and item.anatomy.endswith("lung"):
            fact = _Fact(item, "lung_volume", "volume")
            for number, template in enumerate(writer.words.templates("lung_volume")):
                style = writer.words.styles[number % len(writer.words.styles)]
                yield ErrorKind.CLEAN, writer.write(template, fact, style, number, _Change())
                for kind, change in _changes(fact, writer):
                    yield kind, writer.write(template, fact, style, number, change)


def _of_negations(writer: _Writer) -> Iterator[tuple[ErrorKind, str]]:
    for item in writer.seeded.findings:
        if item.anatomy == "pleura":
            continue
        for number, template in enumerate(writer.words.templates("negated")):
            fact = _Fact(item, "negated")
            yield ErrorKind.NEGATION, writer.write(template, fact, "mm", number, _Change())


def _of_counts(writer: _Writer) -> Iterator[tuple[ErrorKind, str]]:
    """Count the findings of one term in one lung."""
    lobes = {"upper lobe", "middle lobe", "lower lobe"}
    for side in (Side.LEFT, Side.RIGHT):
        found = [e for e in writer.seeded.findings if e.anatomy in lobes and e.side is side]
        for descriptor in dict.fromkeys(e.descriptor for e in found):
            number = sum(e.descriptor == descriptor for e in found)
            lung = found[0].model_copy(
                update={"anatomy": "lung", "values": (), "descriptor": descriptor}
            )
            for form, template in enumerate(writer.words.templates("count")):
                for count in (2, 3, 4, 6):
                    text = writer.write(
                        template, _Fact(lung, "count"), "mm", form, _Change(count=count)
                    )
                    yield (ErrorKind.CLEAN if count == number else ErrorKind.COUNT), text


def _of_comparisons(writer: _Writer) -> Iterator[tuple[ErrorKind, str]]:
    compared = writer.seeded.comparison
    change = compared.compared.change.value if compared and compared.compared else ""
    current = compared.compared.current if compared and compared.compared else ""
    for item in writer.seeded.findings:
        if not any(q.name == "long" for q in item.values) or (current and item.id != current):
            continue
        for kind in ("larger", "no measurable change"):
            for number, template in enumerate(writer.words.templates(kind)):
                style = writer.words.styles[number % len(writer.words.styles)]
                text = writer.write(template, _Fact(item, kind), style, number, _Change())
                yield (ErrorKind.CLEAN if kind == change else ErrorKind.COMPARISON), text


_REGIONS = {
    "chest": "胸部",
    "head": "头颅",
    "abdomen": "腹部",
    "spine": "脊柱",
    "breast": "乳腺",
    "pelvis": "盆腔",
}


def _judged(row: dict[str, Any], seeded: SeededLedger) -> Iterator[tuple[ErrorKind, dict[str, str]]]:
    """Yield what a whole sentence is on this ledger, with what fills it; nothing when undecided."""
    ledger = seeded.ledger
    named = {item.descriptor for item in seeded.findings}
    named |= {q.name for item in ledger.evidence for q in item.values}
    if (
        row.get("on", ledger.body_region) != ledger.body_region
        or ledger.modality in row.get("unless", ())
        or named & set(row.get("unless_term", ()))
        or {e.anatomy for e in ledger.evidence} & set(row.get("unless_place", ()))
    ):
        return
    fills = {"region": ledger.body_region, "区": _REGIONS[ledger.body_region]}
    if row.get("years"):
        yield ErrorKind.CLEAN, {**fills, "years": str(seeded.years)}
        yield (
            ErrorKind.SEX_AGE,
            {**fills, "years": str(seeded.years + (21 if seeded.years < 60 else -28))},
        )
        return
    for key, judge in _JUDGES.items():
        if key in row:
            kind = judge(row, seeded)
            if kind is not None:
                yield kind, fills
            return
    yield ErrorKind.CLEAN, fills


def _denies(row: dict[str, Any], seeded: SeededLedger) -> ErrorKind:
    return ErrorKind.NEGATION if any(map(seeded.has, row["denies"])) else ErrorKind.CLEAN


def _clears(row: dict[str, Any], seeded: SeededLedger) -> ErrorKind:
    found = any(item.anatomy.endswith("lobe") for item in seeded.findings)
    return ErrorKind.NEGATION if found else ErrorKind.CLEAN


def _claims(row: dict[str, Any], seeded: SeededLedger) -> ErrorKind | None:
    return None if seeded.has(row["claims"]) and not row.get("always") else ErrorKind.FABRICATED


def _modality(row: dict[str, Any], seeded: SeededLedger) -> ErrorKind | None:
    if seeded.ledger.modality == "PT" and row["modality"] == "CT":
        return None  # a PET/CT has both
    return ErrorKind.CLEAN if seeded.ledger.modality == row["modality"] else ErrorKind.MODALITY


def _person(row: dict[str, Any], seeded: SeededLedger) -> ErrorKind:
    age = "child" if seeded.years < 16 else "adult"
    fits = row.get("sex", seeded.ledger.patient_sex) == seeded.ledger.patient_sex
    return ErrorKind.CLEAN if fits and row.get("age", age) == age else ErrorKind.SEX_AGE


def _changed(row: dict[str, Any], seeded: SeededLedger) -> ErrorKind:
    compared = seeded.comparison
    is_so = compared and compared.compared and compared.compared.change.value == row["change"]
    return ErrorKind.CLEAN if is_so else ErrorKind.COMPARISON


_JUDGES: dict[str, Callable[[dict[str, Any], SeededLedger], ErrorKind | None]] = {
    "denies": _denies,
    "clears": _clears,
    "claims": _claims,
    "modality": _modality,
    "sex": _person,
    "age": _person,
    "change": _changed,
}


def _of_said(writer: _Writer, *, changes: bool = True) -> Iterator[tuple[ErrorKind, str]]:
    """Yield whole sentences; those of change name a finding, which a report may be meant to miss."""
    for row in writer.words.said():
        if "change" in row and not changes:
            continue
        for kind, fills in _judged(row, writer.seeded):
            yield kind, sentence_of(row["t"], fills)


def _report_rows(writer: _Writer, number: int, left_out: str) -> list[tuple[Section, str]]:
    """Return a report that says every fact of the ledger, but the finding that is left out."""
    words = writer.words
    rows: list[tuple[Section, str]] = []
    impression: list[tuple[Section, str]] = []
    for fact in _facts(writer.seeded):
        if fact.evidence.id == left_out or (fact.group == "plain" and fact.evidence.values):
            continue
        templates = words.templates(fact.group)
        text = writer.write(
            templates[number % len(templates)], fact, words.styles[0], number, _Change()
        )
        section = Section.TECHNIQUE if fact.group == "technique" else Section.FINDINGS
        rows.append((section, text))
        if fact.evidence.kind is EvidenceKind.FINDING and not impression:
            group = "effusion" if fact.group == "effusion" else "plain"
            again = words.templates(group)[number % len(words.templates(group))]
            text = writer.write(again, _Fact(fact.evidence, group), words.styles[0], number, _Change())
            impression.append((Section.IMPRESSION, text))
    true = [text for kind, text in _of_said(writer, changes=False) if kind is ErrorKind.CLEAN]
    rows += [(Section.FINDINGS, text) for text in true[number::9][:4]]
    return rows + impression


def _of_reports(writer: _Writer) -> Iterator[tuple[ErrorKind, tuple[tuple[Section, str], ...], str]]:
    for number in range(3):
        yield ErrorKind.CLEAN, tuple(_report_rows(writer, number, "")), ""
        for item in writer.seeded.findings:
            rows = _report_rows(writer, number, item.id)
            if len(rows) > 1:
                yield ErrorKind.MISSING, tuple(rows), MISSING_CHECK
    for row in writer.words.pairs():
        if row["on"] != writer.seeded.ledger.body_region or any(map(writer.seeded.has, row["lacks"])):
            continue
        rows = _report_rows(writer, 0, "")
        said = (Section.FINDINGS, row["findings"])
        for kind, text in (
            (ErrorKind.CLEAN, row["right"]),
            (ErrorKind.CONTRADICTION, row["impression"]),
        ):
            yield kind, (said, *rows, (Section.IMPRESSION, text)), CONTRADICTION_CHECK


@cache
def cases(split: str, language: str) -> tuple[Case, ...]:
    """Return all cases of a split in a language, each text once for each ledger."""
    words = wordings(split, language)
    found: dict[tuple[str, tuple[tuple[Section, str], ...]], Case] = {}
    makers = (_of_facts, _of_negations, _of_counts, _of_comparisons, _of_said)
    for seeded, make in product(ledgers(), makers):
        for kind, text in make(_Writer(words, seeded)):
            rows = ((Section.FINDINGS, text),)
            found.setdefault((seeded.name, rows), Case(split, language, kind, seeded, rows))
    for seeded in ledgers():
        for kind, report, only in _of_reports(_Writer(words, seeded)):
            found.setdefault((seeded.name, report), Case(split, language, kind, seeded, report, only))
    return tuple(found.values())


def frozen() -> dict[str, str]:
    """Return the SHA-256 of each file of the set as it was before the checks were extended."""
    held: dict[str, str] = resources.table("quality", "frozen.json")["sha256"]
    return held


def current() -> dict[str, str]:
    """Return the SHA-256 of each of these files as it is now."""
    return {
        name: hashlib.sha256(resources.path("quality", name).read_bytes()).hexdigest()
        for name in frozen()
    }

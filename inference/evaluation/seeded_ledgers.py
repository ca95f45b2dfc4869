"""Made-up ledgers and surface forms of their facts, from `resources/quality`, for the seeded errors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import resources
from reports.domain import (
    Change,
    Code,
    Compared,
    Evidence,
    EvidenceKind,
    Ledger,
    Quantity,
    Search,
    SearchResult,
    Side,
    Source,
    SourceKind,
)

LANGUAGES = ("en", "zh")
SPLITS = ("development", "held_out", "final")

_TOOL = Source(kind=SourceKind.TOOL, name="made-up", version="1")
_READER = Source(kind=SourceKind.PERSON, name="reader")


@dataclass(frozen=True)
class SeededLedger:
    """A ledger with its name in the table."""

    name: str
    ledger: Ledger

    @property
    def findings(self) -> tuple[Evidence, ...]:
        """Accepted findings."""
        return tuple(e for e in self.ledger.evidence if e.kind is EvidenceKind.FINDING)

    @property
    def comparison(self) -> Evidence | None:
        """The comparison with a prior, or none."""
        return next((e for e in self.ledger.evidence if e.kind is EvidenceKind.COMPARISON), None)

    @property
    def years(self) -> int:
        """Age of the patient in years."""
        return int(self.ledger.patient_age[:3])

    def has(self, descriptor: str) -> bool:
        """Tell whether the reader accepted a finding of this term."""
        return any(e.descriptor == descriptor for e in self.findings)


def _quantity(row: list[Any]) -> Quantity:
    return Quantity(name=row[0], value=row[1], unit=row[2], text=row[3])


def _search(row: dict[str, Any], concept: Code) -> Search | None:
    if row["kind"] != "search":
        return None
    return Search(
        target=concept,
        searched=row["searched"],
        coverage=1.0,
        complete=True,
        accepted=True,
        result=SearchResult(row["result"]),
    )


def _evidence(number: int, row: dict[str, Any], before: list[Evidence]) -> Evidence:
    meaning = row.get("target") or row["label"]
    concept = Code(value=f"SEEDED{number}", scheme="99SIGHTLINE", meaning=meaning)
    evidence = Evidence(
        id=f"E{number}",
        kind=EvidenceKind(row["kind"]),
        concept=concept,
        label=row["label"],
        side=Side(row.get("side", "none")),
        anatomy=row.get("anatomy", ""),
        values=tuple(_quantity(value) for value in row.get("values", ())),
        descriptor=row.get("descriptor", ""),
        source=_READER if row["kind"] == "finding" else _TOOL,
        search=_search(row, concept),
    )
    if row["kind"] != "comparison":
        return evidence
    current = before[row["of"] - 1]
    prior = Quantity(name="prior", value=row["prior"], unit="mm", text=f"{row['prior']:.1f} mm")
    compared = Compared(
        current=current.id,
        prior_study_instance_uid="1.2.3",
        prior_date=row["date"],
        value="long",
        change=Change(row["change"]),
    )
    return evidence.model_copy(update={"compared": compared, "values": (prior,)})


@cache
def ledgers() -> tuple[SeededLedger, ...]:
    """Return all made-up ledgers."""
    found = []
    for row in resources.table("quality", "seeded_ledgers.json")["ledgers"]:
        evidence: list[Evidence] = []
        for number, entry in enumerate(row["evidence"], start=1):
            evidence.append(_evidence(number, entry, evidence))
        ledger = Ledger(
            study_instance_uid="1.2",
            modality=row["modality"],
            patient_sex=row["sex"],
            patient_age=row["age"],
            body_region=row["region"],
        ).add(*evidence)
        found.append(SeededLedger(row["name"], ledger))
    return tuple(found)


OTHER_PLACES: dict[str, str] = {
    "upper lobe": "lower lobe",
    "lower lobe": "upper lobe",
    "middle lobe": "lower lobe",
    "frontal lobe": "temporal lobe",
    "parietal lobe": "occipital lobe",
    "temporal lobe": "parietal lobe",
    "liver segment 6": "liver segment 7",
    "kidney": "liver",
    "L1": "L2",
    "L3": "L2",
    "T11": "T12",
}
"""A place near each place, that a tired reader takes it for."""

_UNITS = {"mm": "cm", "cm": "mm", "L": "mL", "mL": "L", "HU": "%", "%": "HU"}
"""The unit that is written by mistake for each unit."""

_CHINESE_UNITS = {"mm": "毫米", "cm": "厘米", "mL": "毫升", "L": "升"}

_CHINESE_NUMBERS = dict(zip(range(2, 11), "两三四五六七八九十", strict=True))
_ENGLISH_NUMBERS = dict(
    zip(
        range(2, 11),
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        strict=True,
    )
)


@dataclass(frozen=True)
class Figures:
    """How numbers of one sentence are typed: a style, and whether the unit is the wrong one."""

    style: str
    wrong_unit: bool = False

    def length(self, *millimetres: float) -> str:
        """Return one length, or two as a size."""
        digits, factor, unit = 1, 1.0, "mm"
        if self.style in {"cm", "厘米"}:
            factor, unit = 0.1, "cm"
        elif self.style == "round":
            digits = 0
        numbers = [f"{value * factor:.{digits}f}" for value in millimetres]
        if self.style == "comma":
            numbers = [number.replace(".", ",") for number in numbers]
        return self._joined(numbers, self._unit(unit))

    def value(self, quantity: Quantity, number: float) -> str:
        """Return a value of the ledger, its number replaced by this one."""
        text, _, unit = quantity.text.partition(" ")
        digits = len(text.partition(".")[2])
        written = f"{number:.{digits}f}"
        if self.style == "comma":
            written = written.replace(".", ",")
        if self.style != "mm tight":
            written = written.replace("-", "−")
        if not unit:
            return written
        gap = "" if self.style in {"mm tight", "毫米", "厘米"} else " "
        return f"{written}{gap}{self._unit(unit)}"

    def _unit(self, unit: str) -> str:
        if self.wrong_unit:
            unit = _UNITS[unit]
        return _CHINESE_UNITS.get(unit, unit) if self.style in {"毫米", "厘米"} else unit

    def _joined(self, numbers: list[str], unit: str) -> str:
        match self.style:
            case "mm tight":
                return "x".join(numbers) + unit
            case "hyphen":
                return " x ".join(numbers) + f"-{unit}"
            case "mm each":
                return " x ".join(f"{number} {unit}" for number in numbers)
            case "毫米" | "厘米":
                return "×".join(f"{number}{unit}" for number in numbers)
            case "star":
                return "*".join(numbers) + unit
            case _:
                return " × ".join(numbers) + f" {unit}"


@dataclass(frozen=True)
class Wordings:
    """The wordings of one split in one language."""

    split: str
    language: str
    table: dict[str, Any]

    def templates(self, kind: str) -> tuple[str, ...]:
        """Return the sentences of this kind of fact."""
        return tuple(self.table["templates"][kind][self.language])

    def said(self) -> tuple[dict[str, Any], ...]:
        """Return the whole sentences."""
        return tuple(row for row in self.table["said"] if is_chinese(row["t"]) == self.is_chinese)

    def pairs(self) -> tuple[dict[str, Any], ...]:
        """Return the pairs of findings and impression."""
        rows = self.table["pairs"]
        return tuple(row for row in rows if is_chinese(row["findings"]) == self.is_chinese)

    @property
    def is_chinese(self) -> bool:
        """True for zh."""
        return self.language == "zh"

    @property
    def styles(self) -> tuple[str, ...]:
        """Return the ways in which numbers are typed."""
        return tuple(self.table["numbers"][self.language])

    def term(self, descriptor: str, *, many: bool = False) -> str:
        """Return the term of a finding as this split says it."""
        entry = self.table["terms"][descriptor][self.language]
        return str(entry if self.is_chinese else entry[1 if many else 0])

    def has_term(self, descriptor: str) -> bool:
        """Tell whether this split has a word for a term."""
        return descriptor in self.table["terms"]

    def places(self, place: str, side: Side) -> tuple[str, ...]:
        """Return the ways in which a place with its side is written."""
        entry = self.table["places"][place]
        forms = [form.replace("{s}", self.side(side)) for form in entry[self.language]]
        short = entry.get("short", {}).get(side.value)
        if short and not self.is_chinese:
            forms.append(short)
        return tuple(forms)

    def side(self, side: Side) -> str:
        """Return the word of a side."""
        return {"left": "左", "right": "右"}.get(side.value, "") if self.is_chinese else side.value

    def count(self, number: int) -> str:
        """Return a count of findings, as a word or in digits."""
        style = self.table["counts"][self.language]
        if self.is_chinese:
            return f"{_CHINESE_NUMBERS[number] if style != '枚' else number}{style}"
        return _ENGLISH_NUMBERS[number] if style == "words" else str(number)


def is_chinese(text: str) -> bool:
    """Tell whether a text holds a Chinese character."""
    return any("\u4e00" <= char <= "\u9fff" for char in text)


@cache
def wordings(split: str, language: str) -> Wordings:
    """Return the wordings of a split (`SPLITS`) in a language (`LANGUAGES`)."""
    return Wordings(split, language, resources.table("quality", f"wordings_{split}.json"))

"""Evidence: what was measured, found, searched or read, with its pixels; and the ledger that holds it.

The ledger is the only source of numbers, sides and ids for a draft (design: the model is a writer
with no access to numbers and no licence to assert; the ledger asserts).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from viewer.imaging.regions import Region

LEDGER_SCHEMA = "sightline.ledger/1"


class Frozen(BaseModel):
    """Base of all domain values: immutable, and unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def later(default: Any) -> Any:
    """Return a field that came after the first schema.

    Left out of JSON while it holds its default: what was hashed and signed before the field existed
    keeps its bytes, so that an old signature still fits and an old sealed document is still read.
    """
    return Field(default=default, exclude_if=lambda value: value == default)


class Code(Frozen):
    """A coded concept: SNOMED CT ("SCT"), DICOM ("DCM"), RadLex ("RADLEX") or ours ("99SIGHTLINE")."""

    value: str
    scheme: str
    meaning: str


class EvidenceKind(StrEnum):
    """What an evidence is."""

    MEASUREMENT = "measurement"
    CANDIDATE = "candidate"
    FINDING = "finding"
    SEARCH = "search"
    TECHNIQUE = "technique"
    COMPARISON = "comparison"
    RECORD = "record"


class Side(StrEnum):
    """Side of the patient; NONE for things without one, UNKNOWN when it could not be determined."""

    LEFT = "left"
    RIGHT = "right"
    BILATERAL = "bilateral"
    MIDLINE = "midline"
    NONE = "none"
    UNKNOWN = "unknown"


class SourceKind(StrEnum):
    """Who made an evidence."""

    TOOL = "tool"
    MODEL = "model"
    PERSON = "person"


class Source(Frozen):
    """Tool with version, model with hash, or person."""

    kind: SourceKind
    name: str
    version: str = ""
    sha256: str = ""


class Quantity(Frozen):
    """A value with UCUM unit and uncertainty, and the one text form in which it may be written.

    Parameters
    ----------
    name
        Slot name inside its evidence: "volume", "mean_density", "laa950", "images", ...
    text
        Rounded for the reader by the tool's rounding rule, with unit as printed: "2.81 L",
        "\u2212823 HU" (minus is U+2212). Sentences may contain this text and no other digits.
    uncertainty
        Half-width in the same unit, or none when it cannot be stated.
    concept
        Coded concept for SR and SEG, when there is one.
    """

    name: str
    value: float
    unit: str
    text: str
    uncertainty: float | None = None
    concept: Code | None = None


class ReportDefault(StrEnum):
    """How evidence enters a report: as a sentence, when a reader asks, or not at all."""

    SENTENCE = "sentence"
    ON_REQUEST = "on request"
    LEDGER_ONLY = "ledger only"


class Refusal(Frozen):
    """A typed refusal: a tool that does not fit says so instead of guessing.

    `code` is one of the words in `resources/phrases` (wrong_modality, wrong_region,
    geometry, cut_field_of_view, no_lung, ...); `reason` is words for the reader.
    """

    code: str
    reason: str


class SearchResult(StrEnum):
    """What a search of the pixels gave."""

    NONE = "none"
    CANDIDATES = "candidates"
    REFUSED = "refused"


class Search(Frozen):
    """What was searched, how completely, and how well the detector is known to see (drafting.md 6).

    Parameters
    ----------
    target
        What was looked for.
    searched
        The volume in words for a reader: "both lungs".
    coverage
        Share of the target volume that was searched, 0..1.
    complete
        True when nothing of the target was left out and every needed sequence or phase was there.
    requires
        Sequence or phase that the search needs, in words; empty when any will do.
    detection_limit
        Smallest size it is made for, or none when unknown.
    sensitivity, sensitivity_on
        Measured sensitivity 0..1 and the data set and size range it was measured on.
    accepted
        The institution accepted this detector: only then may its empty result become a sentence.
    candidates
        Ids of the candidates it gave.
    """

    target: Code
    searched: str
    coverage: float = Field(ge=0.0, le=1.0)
    complete: bool
    requires: tuple[str, ...] = ()
    detection_limit: Quantity | None = None
    sensitivity: float | None = Field(default=None, ge=0.0, le=1.0)
    sensitivity_on: str = ""
    accepted: bool = False
    result: SearchResult
    candidates: tuple[str, ...] = ()


class Change(StrEnum):
    """The word of a comparison; chosen by the program, beyond repeatability only."""

    LARGER = "larger"
    SMALLER = "smaller"
    NO_MEASURABLE_CHANGE = "no measurable change"
    NEW = "new"
    NOT_COMPARABLE = "not comparable"


class Compared(Frozen):
    """A pair {current, prior} measured by the same tool (drafting.md 8).

    Parameters
    ----------
    current
        Id of the current evidence in this ledger.
    prior_study_instance_uid, prior_date
        The prior study and its date as printed ("2025-11-20").
    prior
        The prior's evidence whole, as it was measured again; its id is that of its own ledger.
    value
        Slot name of the value that was compared.
    repeatability
        Smallest difference that is a change, in the value's unit, with its source in words.
    """

    current: str
    prior_study_instance_uid: str
    prior_date: str
    value: str
    change: Change
    repeatability: Quantity | None = None
    repeatability_source: str = ""
    lesion_id: str = ""


class Evidence(Frozen):
    """One entry of the ledger. Ids ("E1", "E2", ...) follow the order of tools, not of finishing."""

    id: str = Field(pattern=r"^E[1-9][0-9]*$")
    kind: EvidenceKind
    concept: Code
    label: str
    """Short name for a chip's card: "Right lung volume"."""
    side: Side = Side.NONE
    anatomy: str = ""
    """Anatomy word as it may be written: "right lung", "left upper lobe"; empty when none."""
    values: tuple[Quantity, ...] = ()
    regions: tuple[Region, ...] = ()
    source: Source
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    confidence: float | None = None
    checks: tuple[str, ...] = ()
    """Applicability checks that passed, in words."""
    warnings: tuple[str, ...] = ()
    """What a reader must know about a value that was given all the same: "slices over 2.5 mm"."""
    refusal: Refusal | None = None
    descriptor: str = ""
    """For findings and technique: the term that may be written ("nodule", "contrast-enhanced")."""
    modality: str = later("")
    """Modality of its series where that is not the ledger's: the PET beside a CT."""
    search: Search | None = later(None)
    """Of kind search."""
    compared: Compared | None = later(None)
    """Of kind comparison."""

    def value(self, name: str) -> Quantity:
        """Return a value by slot name.

        Raises
        ------
        KeyError
            This evidence has no such value.
        """
        for quantity in self.values:
            if quantity.name == name:
                return quantity
        raise KeyError(f"{self.id} has no value {name!r}.")


class Ledger(Frozen):
    """All evidence of one study, in order. Append-only: `add` returns a new ledger."""

    version: str = Field(default=LEDGER_SCHEMA, alias="schema")
    study_instance_uid: str
    series_instance_uid: str = ""
    modality: str = ""
    patient_sex: str = ""
    patient_age: str = later("")
    """PatientAge (0010,1010) of the study as it stands there ("064Y"), or empty."""
    body_region: str = later("")
    """Body region that triage settled on ("chest", "head", ...), or empty."""
    evidence: tuple[Evidence, ...] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def get(self, evidence_id: str) -> Evidence | None:
        """Return the evidence with this id, or none."""
        return next((item for item in self.evidence if item.id == evidence_id), None)

    def next_id(self) -> str:
        """Return the id that a new entry gets."""
        return f"E{len(self.evidence) + 1}"

    def add(self, *items: Evidence) -> Ledger:
        """Return a ledger with these entries appended.

        Raises
        ------
        ValueError
            An id is out of order: ids count up without gaps.
        """
        joined = (*self.evidence, *items)
        for index, item in enumerate(joined, start=1):
            if item.id != f"E{index}":
                raise ValueError(f"Evidence {item.id} stands at place {index} of the ledger.")
        return self.model_copy(update={"evidence": joined})

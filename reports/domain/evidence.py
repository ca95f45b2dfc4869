"""Evidence: what was measured, found, searched or read, with its pixels; and the ledger that holds it.

The ledger is the only source of numbers, sides and ids for a draft (design: the model is a writer
with no access to numbers and no licence to assert; the ledger asserts).
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from viewer.imaging.regions import Region

LEDGER_SCHEMA = "sightline.ledger/1"


class Frozen(BaseModel):
    """Base of all domain values: immutable, and unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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

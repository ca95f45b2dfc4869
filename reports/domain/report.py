"""Sentences with citations, a draft, and a report as a line of revisions that are never edited."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field

from reports.domain.evidence import Frozen, later
from reports.domain.lifecycle import ReportState, Role

DRAFT_SCHEMA = "sightline.draft/1"
REPORT_SCHEMA = "sightline.report/1"


class Section(StrEnum):
    """Sections in the fixed order in which they are composed and printed."""

    TECHNIQUE = "technique"
    COMPARISON = "comparison"
    FINDINGS = "findings"
    IMPRESSION = "impression"


class Origin(StrEnum):
    """Who wrote a sentence: slots and phrases around a measurement, a model, or a person."""

    MEASURED = "measured"
    MODEL = "model"
    PERSON = "person"


class Review(StrEnum):
    """What the reader did with a sentence. Machine sentences start unreviewed."""

    UNREVIEWED = "unreviewed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Verdict(StrEnum):
    """Outcome of the checks of a sentence, from best to worst."""

    SUPPORTED = "supported"
    UNCHECKED = "unchecked"
    WEAK = "weak"
    BLOCKS = "blocks"
    """A person's sentence that contradicts the ledger: it stands, but signing is blocked."""
    CONTRADICTED = "contradicted"
    """A machine's sentence that contradicts the ledger: struck, one key restores it."""


class CitationRole(StrEnum):
    """What a cited region is for the sentence."""

    PRIMARY = "primary"
    EXTENT = "extent"
    MEASURED_PLANE = "measured plane"
    PRIOR = "prior"
    SEARCHED = "searched volume"
    HEADER = "header"


class Span(Frozen):
    """Half-open range of characters in the sentence's text."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)


class ViewState(Frozen):
    """What a viewport shows to see a region: series, image, window."""

    series_key: str
    sop_instance_uid: str = ""
    frame_number: int = 1
    window_center: float | None = None
    window_width: float | None = None


class Citation(Frozen):
    """A span of text bound to an evidence of the ledger."""

    evidence_id: str
    span: Span
    role: CitationRole = CitationRole.PRIMARY
    region: int | None = None
    """Index in the evidence's regions, or none for evidence without one."""
    view: ViewState | None = None


class Slot(Frozen):
    """A number filled from the ledger: where it stands and which value it is."""

    span: Span
    evidence_id: str
    value: str
    detached_from: str = ""
    """The ledger's own text, kept when a person wrote another value in its place."""


class Check(Frozen):
    """One check of one sentence.

    `risk` is 1 none .. 4 high; `category` a MedVAL error category ("none" when it passed).
    """

    check: str
    passed: bool
    risk: int = Field(default=1, ge=1, le=4)
    category: str = "none"
    message: str = ""


class Sentence(Frozen):
    """One sentence of a report."""

    id: str
    section: Section
    text: str
    citations: tuple[Citation, ...] = ()
    slots: tuple[Slot, ...] = ()
    origin: Origin
    review: Review = Review.UNREVIEWED
    checks: tuple[Check, ...] = ()
    verdict: Verdict = Verdict.UNCHECKED
    organ: str = ""
    """Sub-heading inside findings: "Lungs"."""
    restored: bool = False
    """A person restored this sentence after it was struck."""

    @property
    def is_in_body(self) -> bool:
        """True when the signed body holds this sentence."""
        if self.review is Review.REJECTED:
            return False
        return self.verdict is not Verdict.CONTRADICTED or self.restored


class Candidate(Frozen):
    """A proposal that nobody accepted yet; never part of a signed body."""

    evidence_id: str
    text: str
    reason: str


class Limitation(Frozen):
    """What could not be assessed and why."""

    evidence_id: str = ""
    text: str
    code: str


class ModelStamp(Frozen):
    """Which model wrote: name, hash of its file, licence, and whether it is a demonstration."""

    name: str
    sha256: str
    licence: str = ""
    demonstration: bool = True
    prompt_sha256: str = ""


class Draft(Frozen):
    """What the drafter made: proposals for a person, never a report by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: str = Field(default=DRAFT_SCHEMA, alias="schema")
    study_instance_uid: str
    series_key: str = ""
    question: str = later("")
    model: ModelStamp | None = None
    seed: int = 0
    complete: bool = True
    """False when it was cancelled or the model failed in the middle; `limitations` says so."""
    sentences: tuple[Sentence, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    limitations: tuple[Limitation, ...] = ()


class Signature(Frozen):
    """A signature: printed name, role, time and meaning (21 CFR 11.50), bound by `content_sha256`."""

    user: str
    printed_name: str
    role: Role
    meaning: str
    signed_at: str
    """UTC, ISO 8601 with Z, from this machine's clock: no trusted time is claimed."""
    content_sha256: str
    state: ReportState


class StudyBlock(Frozen):
    """Patient and study as printed on the report."""

    patient_name: str
    patient_id: str
    birth_date: str = ""
    sex: str = ""
    age: str = ""
    study_instance_uid: str
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    accession_number: str = ""
    referring_physician: str = ""
    modality: str = ""
    image_count: int = 0
    synthetic: bool = False
    """True for phantoms: printed, so that nobody takes it for a patient."""


class ReaderState(StrEnum):
    """What a reader says of one item of the template."""

    NORMAL = "normal"
    ABNORMAL = "abnormal"
    LIMITED = "limited"
    NOT_EVALUABLE = "not evaluable"


class ItemState(Frozen):
    """A reader's state of one item: ids of the template; `reason` says why it is limited."""

    template: str
    organ: str
    item: str
    state: ReaderState
    reason: str = ""


class Report(Frozen):
    """One revision of a report. A change makes a new revision with the next number."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: str = Field(default=REPORT_SCHEMA, alias="schema")
    id: str
    revision: int = Field(ge=1)
    state: ReportState
    study: StudyBlock
    question: str = later("")
    """The clinical question, from the order or typed; empty when nobody asked one."""
    sentences: tuple[Sentence, ...] = ()
    rejected_candidates: tuple[str, ...] = later(())
    """Evidence ids of candidates that a reader turned down: they do not come back."""
    items: tuple[ItemState, ...] = later(())
    """What the reader said of the items of the template, in the order in which it was said."""
    limitations: tuple[Limitation, ...] = ()
    model: ModelStamp | None = None
    seed: int | None = None
    author: str = ""
    changed_at: str = ""
    addendum_to: str = ""
    """Id of the final report that this part amends."""
    signatures: tuple[Signature, ...] = ()

"""A small study with every kind of sentence, as the tests of documents need it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reports.audit.canonical import content_sha256
from reports.domain import (
    Candidate,
    Citation,
    Code,
    Evidence,
    EvidenceKind,
    Ledger,
    Limitation,
    ModelStamp,
    Origin,
    Quantity,
    Report,
    ReportState,
    Review,
    Role,
    Section,
    Sentence,
    Signature,
    Source,
    SourceKind,
    Span,
    Step,
    StudyBlock,
    Trace,
    TraceEvent,
    TraceStatus,
    Verdict,
)
from reports.export.document import ImageReference, PdfDocument
from reports.export.key_image import EdgeLetters, KeyImage, Outline
from viewer.imaging.regions import Region, Shape

Tool = Callable[..., str]
"""Runs an outside tool on PDF bytes and returns what it prints."""

STUDY_UID = "1.2.826.0.1.3680043.8.498.1"
SERIES_UID = f"{STUDY_UID}.2"
NOTE = (
    "sightline.example/audit\n1843\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 sightline.example/audit Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5\n"
)


def image_uid(number: int) -> str:
    return f"{SERIES_UID}.{number}"


def evidence(number: int, label: str, *values: Quantity) -> Evidence:
    region = Region(
        shape=Shape.BOX,
        series_instance_uid=SERIES_UID,
        sop_instance_uid=image_uid(number),
        points=((20.0, 20.0), (60.0, 50.0)),
    )
    return Evidence(
        id=f"E{number}",
        kind=EvidenceKind.MEASUREMENT,
        concept=Code(value="1", scheme="99SIGHTLINE", meaning=label),
        label=label,
        values=values,
        regions=(region,),
        source=Source(kind=SourceKind.TOOL, name="Lung volume", version="1.0"),
    )


def sentence(
    number: int,
    section: Section,
    text: str,
    *cited: str,
    origin: Origin = Origin.MEASURED,
    organ: str = "",
    review: Review = Review.ACCEPTED,
    verdict: Verdict = Verdict.SUPPORTED,
) -> Sentence:
    return Sentence(
        id=f"S{number}",
        section=section,
        text=text,
        citations=tuple(
            Citation(evidence_id=name, span=Span(start=0, end=len(text)), region=0) for name in cited
        ),
        origin=origin,
        organ=organ,
        review=review,
        verdict=verdict,
    )


LEDGER = Ledger(
    study_instance_uid=STUDY_UID,
    series_instance_uid=SERIES_UID,
    modality="CT",
    evidence=(
        evidence(1, "Technique", Quantity(name="images", value=134, unit="1", text="134 images")),
        evidence(
            2,
            "Right lung volume",
            Quantity(name="volume", value=2.812, unit="L", text="2.81 L", uncertainty=0.06),
        ),
        evidence(
            3,
            "Nodule, left upper lobe",
            Quantity(name="long_axis", value=8.2, unit="mm", text="8 mm", uncertainty=1.0),
        ),
    ),
)

SENTENCES = (
    sentence(1, Section.TECHNIQUE, "CT of the chest, 134 images.", "E1"),
    sentence(2, Section.FINDINGS, "Right lung volume 2.81 L.", "E2", organ="Lungs"),
    sentence(
        3,
        Section.FINDINGS,
        "Nodule in the left upper lobe, 8 mm.",
        "E3",
        organ="Lungs",
        origin=Origin.MODEL,
    ),
    sentence(4, Section.FINDINGS, "No pleural effusion.", organ="Pleura", origin=Origin.PERSON),
    sentence(
        5, Section.FINDINGS, "Rejected machine words.", "E2", organ="Lungs", review=Review.REJECTED
    ),
    sentence(
        6, Section.FINDINGS, "Struck machine words.", "E2", organ="Lungs", verdict=Verdict.CONTRADICTED
    ),
    sentence(7, Section.IMPRESSION, "Left upper lobe nodule, 8 mm.", "E3", origin=Origin.MODEL),
)

STUDY = StudyBlock(
    patient_name="DEMO^Patient One",
    patient_id="LUNG1-001",
    birth_date="19250101",
    sex="M",
    age="083Y",
    study_instance_uid=STUDY_UID,
    study_date="20080918",
    study_time="094100",
    study_description="CT of the chest",
    accession_number="A-0001",
    referring_physician="Brandt^L^^Dr",
    modality="CT",
    image_count=134,
    synthetic=True,
)

DRAFT = Report(
    id="R1",
    revision=3,
    state=ReportState.IN_REVIEW,
    study=STUDY,
    sentences=SENTENCES,
    limitations=(Limitation(text="Coronary calcium: the scan is not gated.", code="not_gated"),),
    model=ModelStamp(name="sightline-demo Q8_0", sha256="b31becdf" * 8, licence="Apache-2.0"),
    seed=7,
)

CANDIDATE = Candidate(evidence_id="E3", text="Second nodule, right lower lobe.", reason="not reviewed")


def signed(report: Report = DRAFT, state: ReportState = ReportState.FINAL) -> Report:
    """Sign as the store does: the signature is bound to the content."""
    signature = Signature(
        user="okafor",
        printed_name="Dr R. Okafor",
        role=Role.RADIOLOGIST,
        meaning="I have read the images and this text; the report is mine.",
        signed_at="2026-11-20T14:31:08Z",
        content_sha256=content_sha256(report),
        state=state,
    )
    return report.model_copy(update={"state": state, "signatures": (*report.signatures, signature)})


def key_image(number: int = 1, *regions: int) -> KeyImage:
    ramp = np.tile(np.linspace(10, 220, 96).astype(np.uint8), (72, 1))
    box = np.array([(20.0, 20.0), (60.0, 20.0), (60.0, 50.0), (20.0, 50.0)])
    return KeyImage(
        number=number,
        grey=ramp,
        outlines=tuple(Outline(region, box + 2.0 * at) for at, region in enumerate(regions or (3,))),
        caption="Nodule. Se 2, Im 3, W 1500 L \u2212500",
        letters=EdgeLetters("R", "L", "A", "P"),
        pixel_spacing=(0.8, 0.8),
    )


def document(report: Report = DRAFT, **more: object) -> PdfDocument:
    parts: dict[str, object] = {
        "report": report,
        "ledger": LEDGER,
        "installation": "Example Hospital, Radiology",
        "program": "Sightline 0.1.0",
        "printed_at": "2026-11-20T14:32:00Z",
        "key_images": (key_image(),),
        "images": {image_uid(number): ImageReference(2, number) for number in (1, 2, 3)},
        "candidates": (CANDIDATE,),
        "trace": Trace(
            program="Sightline 0.1.0",
            seed=7,
            events=(
                TraceEvent(
                    sequence=1,
                    step=Step.COLLECT,
                    subject="Lung volume",
                    status=TraceStatus.DONE,
                    seconds=1.2,
                ),
            ),
        ),
        "checkpoint": NOTE,
        "log_index": 1842,
    }
    return PdfDocument(**{**parts, **more})  # type: ignore[arg-type]

"""An invented report on the phantom's words: what the report widgets and their model are tried on."""

from __future__ import annotations

from reports.domain import (
    Candidate,
    Check,
    Citation,
    CitationRole,
    Code,
    Draft,
    Evidence,
    EvidenceKind,
    Ledger,
    Limitation,
    ModelStamp,
    Origin,
    Quantity,
    Refusal,
    Report,
    ReportState,
    Review,
    Section,
    Sentence,
    Side,
    Slot,
    Source,
    SourceKind,
    Span,
    Step,
    StudyBlock,
    TraceEvent,
    TraceStatus,
    Verdict,
)
from viewer.imaging.regions import Region, Shape

STUDY_UID = "1.2.826.0.1.3680043.8.498.1"
SERIES_UID = STUDY_UID + ".1"
TOOL = Source(kind=SourceKind.TOOL, name="ct_lungs", version="1")
MODEL = ModelStamp(name="sightline-demo", sha256="b3" * 32, licence="Apache-2.0")


def code(meaning: str) -> Code:
    return Code(value=meaning.replace(" ", "_"), scheme="99SIGHTLINE", meaning=meaning)


def ellipse(image: int) -> Region:
    return Region(
        shape=Shape.ELLIPSE,
        series_instance_uid=SERIES_UID,
        sop_instance_uid=f"{SERIES_UID}.{image}",
        points=((40.0, 50.0), (60.0, 50.0), (50.0, 42.0), (50.0, 58.0)),
    )


def evidence(number: int, kind: EvidenceKind, label: str, **fields: object) -> Evidence:
    return Evidence(
        id=f"E{number}",
        kind=kind,
        label=label,
        **{"concept": code(label), "source": TOOL, **fields},
    )


def quantity(
    name: str, value: float, unit: str, text: str, uncertainty: float | None = None
) -> Quantity:
    return Quantity(name=name, value=value, unit=unit, text=text, uncertainty=uncertainty)


def sample_ledger() -> Ledger:
    return Ledger(
        study_instance_uid=STUDY_UID,
        series_instance_uid=SERIES_UID,
        modality="CT",
        patient_sex="M",
        evidence=(
            evidence(
                1,
                EvidenceKind.TECHNIQUE,
                "Technique",
                values=(
                    quantity("images", 60, "1", "60"),
                    quantity("slice_thickness", 2.5, "mm", "2.5 mm"),
                ),
            ),
            evidence(
                2,
                EvidenceKind.MEASUREMENT,
                "Right lung volume",
                side=Side.RIGHT,
                anatomy="right lung",
                values=(quantity("volume", 2.81, "L", "2.81 L", 0.06),),
            ),
            evidence(
                3,
                EvidenceKind.FINDING,
                "Left hilar mass",
                side=Side.LEFT,
                anatomy="left hilum",
                descriptor="mass",
                values=(
                    quantity("long", 72, "mm", "72 mm", 1),
                    quantity("short", 43, "mm", "43 mm", 1),
                ),
                regions=(ellipse(24), ellipse(30)),
                checks=("inside the lung mask",),
            ),
            evidence(
                4,
                EvidenceKind.MEASUREMENT,
                "Left lung volume",
                side=Side.LEFT,
                anatomy="left lung",
                values=(quantity("volume", 2.10, "L", "2.10 L", 0.05),),
            ),
            evidence(
                5,
                EvidenceKind.FINDING,
                "Right upper lobe opacity",
                side=Side.RIGHT,
                anatomy="right upper lobe",
                descriptor="opacity",
                regions=(ellipse(12),),
            ),
            evidence(
                6,
                EvidenceKind.CANDIDATE,
                "Nodule candidate",
                side=Side.RIGHT,
                anatomy="right lower lobe",
                descriptor="nodule",
                regions=(ellipse(41),),
            ),
            evidence(
                7,
                EvidenceKind.MEASUREMENT,
                "Coronary calcium",
                refusal=Refusal(code="geometry", reason="not gated, no cardiac region drawn"),
            ),
        ),
    )


def cite(
    text: str, evidence_id: str, phrase: str = "", role: CitationRole = CitationRole.PRIMARY
) -> Citation:
    start = text.index(phrase) if phrase else 0
    end = start + len(phrase) if phrase else len(text)
    return Citation(evidence_id=evidence_id, span=Span(start=start, end=end), role=role)


def slot(text: str, phrase: str, evidence_id: str, value: str) -> Slot:
    start = text.index(phrase)
    return Slot(span=Span(start=start, end=start + len(phrase)), evidence_id=evidence_id, value=value)


def sentence(  # noqa: PLR0917 - reads like a row of a table
    number: int,
    section: Section,
    text: str,
    origin: Origin,
    cited: tuple[str, ...] = (),
    slots: tuple[tuple[str, str, str], ...] = (),
    **fields: object,
) -> Sentence:
    return Sentence(
        id=f"S{number}",
        section=section,
        text=text,
        origin=origin,
        citations=tuple(cite(text, item) for item in cited),
        slots=tuple(slot(text, *item) for item in slots),
        **fields,
    )


def sample_draft() -> Draft:
    findings = Section.FINDINGS
    return Draft(
        study_instance_uid=STUDY_UID,
        model=MODEL,
        seed=7,
        sentences=(
            sentence(
                1,
                Section.TECHNIQUE,
                "CT of the chest, 60 axial images of 2.5 mm.",
                Origin.MEASURED,
                ("E1",),
                (("60", "E1", "images"), ("2.5 mm", "E1", "slice_thickness")),
            ),
            sentence(
                2,
                findings,
                "Mass at the left hilum reaching the lingula, 72 × 43 mm.",
                Origin.MODEL,
                ("E3", "E4"),
                (("72", "E3", "long"), ("43 mm", "E3", "short")),
                organ="Lungs",
            ),
            sentence(
                3,
                findings,
                "Opacity with volume loss in the right upper lobe.",
                Origin.MODEL,
                ("E5",),
                organ="Lungs",
            ),
            sentence(4, findings, "The mass has increased.", Origin.MODEL, ("E3",), organ="Lungs"),
            sentence(
                5,
                findings,
                "Lung volume 2.81 L right, 2.10 L left.",
                Origin.MEASURED,
                ("E2", "E4"),
                (("2.81 L", "E2", "volume"), ("2.10 L", "E4", "volume")),
                organ="Lungs",
            ),
            sentence(
                6,
                Section.IMPRESSION,
                "Right upper lobe opacity with volume loss.",
                Origin.MODEL,
                ("E5",),
            ),
        ),
        candidates=(
            Candidate(
                evidence_id="E6", text="Nodule in the right lower lobe.", reason="seen by one sample"
            ),
        ),
        limitations=(
            Limitation(
                evidence_id="E7",
                text="Coronary calcium: not gated, no cardiac region drawn.",
                code="geometry",
            ),
        ),
    )


def sample_report() -> Report:
    return Report(
        id="R1",
        revision=1,
        state=ReportState.DRAFT,
        study=StudyBlock(
            patient_name="PHANTOM, Chest",
            patient_id="PHANTOM-1",
            birth_date="1960-01-01",
            sex="M",
            age="66 y",
            study_instance_uid=STUDY_UID,
            study_date="2026-01-12",
            study_description="CT chest phantom",
            accession_number="A0001",
            modality="CT",
            image_count=60,
            synthetic=True,
        ),
        author="okafor",
    )


def person_sentence() -> Sentence:
    """Return the sentence that contradicts its evidence: E3 lies on the left."""
    text = "Right hilar mass, 72 mm, suspicious for malignancy."
    return sentence(
        9,
        Section.IMPRESSION,
        text,
        Origin.PERSON,
        ("E3",),
        (("72 mm", "E3", "long"),),
        review=Review.ACCEPTED,
    )


def check_sides(item: Sentence, ledger: Ledger) -> Sentence:
    """Hold a sentence's sides against its evidence: the smallest validator with every verdict."""
    cited = [found for c in item.citations if (found := ledger.get(c.evidence_id))]
    said = {side for side in (Side.LEFT, Side.RIGHT) if side.value in item.text.lower()}
    wrong = [
        found
        for found in cited
        if found.side in (Side.LEFT, Side.RIGHT) and said and found.side not in said
    ]
    by_machine = item.origin is not Origin.PERSON
    checks, verdict = (), Verdict.SUPPORTED if cited else Verdict.UNCHECKED
    if wrong:
        message = f"{wrong[0].id} lies in the {wrong[0].anatomy}."
        checks = (Check(check="side", passed=False, risk=4, category="detail", message=message),)
        verdict = Verdict.CONTRADICTED if by_machine else Verdict.BLOCKS
    elif "increased" in item.text:
        message = "comparison without a prior."
        checks = (Check(check="comparison", passed=False, risk=3, category="c", message=message),)
        verdict = Verdict.CONTRADICTED if by_machine else Verdict.WEAK
    elif "pacity" in item.text and by_machine:
        checks = (Check(check="samples", passed=False, risk=2, message="3 of 5 samples agree."),)
        verdict = Verdict.WEAK
    elif cited:
        checks = tuple(
            Check(check=name, passed=True) for name in ("citation", "number and unit", "side")
        )
    return item.model_copy(update={"checks": checks, "verdict": verdict})


def sample_trace() -> tuple[TraceEvent, ...]:
    rows = (
        (Step.TRIAGE, "Study", TraceStatus.DONE, "CT chest, complete, uniform 2.5 mm", None),
        (Step.TRIAGE, "Request", TraceStatus.CARE, "no clinical question: check not possible", None),
        (Step.COLLECT, "Lung volume", TraceStatus.DONE, "2.81 L right, 2.10 L left", 0.19),
        (Step.COLLECT, "Emphysema index", TraceStatus.DONE, "7.0 % below −950 HU", 0.11),
        (Step.COLLECT, "Nodule candidates", TraceStatus.CARE, "2; slices over 2.5 mm", 0.27),
        (Step.COLLECT, "Coronary calcium", TraceStatus.REFUSED, "no cardiac region drawn", 0.0),
        (Step.COMPOSE, "Mass at the left hilum", TraceStatus.DONE, "rules, 5 of 5", 1.2),
        (Step.COMPOSE, "The mass has increased.", TraceStatus.FAILED, "no prior", 0.4),
        (Step.COMPOSE, "Impression", TraceStatus.RUNNING, "", None),
    )
    return tuple(
        TraceEvent(
            sequence=n,
            step=step,
            subject=subject,
            status=status,
            message=text,
            seconds=seconds,
            evidence_ids=("E3",) if "ass" in subject else (),
        )
        for n, (step, subject, status, text, seconds) in enumerate(rows, start=1)
    )

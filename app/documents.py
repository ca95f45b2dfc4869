"""From a report and its study to a printable document: the study block and the key images. No Qt.

Key images are rendered here through the grey pipeline and handed to `reports` as pixels and
outlines; `reports` itself never sees a DICOM file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from reports.domain import (
    Candidate,
    Evidence,
    Ledger,
    Report,
    Sentence,
    StudyBlock,
    Trace,
)
from reports.export.document import ImageReference, PdfDocument
from reports.export.key_image import EdgeLetters, KeyImage, Outline, evidence_number
from reports.store.errors import OtherPatientError
from viewer.imaging.geometry import ImagePlane
from viewer.imaging.grey import default_window
from viewer.imaging.identity import is_another, person
from viewer.imaging.letters import edge_letters
from viewer.imaging.own_presets import PRESETS
from viewer.imaging.regions import Region, Shape, Space, outline
from viewer.imaging.render import render_frame
from viewer.imaging.study import Series, Study, WindowPreset
from viewer.imaging.volume import ImageStack

MOST_KEY_IMAGES = 12
"""More figures make an appendix nobody looks through; the rest is in the ledger and the SEG."""

LUNG_WORDS = ("lung", "lobe", "lingula", "airway")
"""Anatomy that is seen in the lung window."""


def program_name() -> str:
    """Return the program with its version, as printed and recorded."""
    return f"Sightline {version('sightline')}"


def now_utc() -> str:
    """Return this machine's time as ISO 8601 with Z, whole seconds."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def study_block(study: Study, series: Series | None = None) -> StudyBlock:
    """Return patient and study as a report prints them."""
    return StudyBlock(
        patient_name=study.patient.name,
        patient_id=study.patient.patient_id,
        birth_date=study.patient.birth_date,
        sex=study.patient.sex,
        age=study.age,
        study_instance_uid=study.study_instance_uid,
        study_date=study.date,
        study_time=study.time,
        study_description=study.description,
        accession_number=study.accession_number,
        referring_physician=study.referring_physician,
        modality=series.modality if series else "/".join(study.modalities),
        image_count=sum(one.image_count for one in study.series),
        synthetic=study.synthetic,
    )


def require_same_patient(report: Report, study: Study) -> None:
    """Let no report stand beside images of somebody else: a Study Instance UID may come twice.

    Raises
    ------
    OtherPatientError
        The report names another patient than the images.
    """
    kept, shown = report.study, study.patient
    if is_another(person(kept.patient_id, kept.patient_name), person(shown.patient_id, shown.name)):
        raise OtherPatientError(
            "The report that is kept for this study names another patient than these images: two "
            "studies came with one Study Instance UID, or the patient was corrected since."
        )


def image_references(study: Study) -> dict[str, ImageReference]:
    """Return how each image of the study is called on paper."""
    return {
        instance.sop_instance_uid: ImageReference(series.series_number, instance.instance_number)
        for series in study.series
        for instance in series.instances
    }


def key_images(
    ledger: Ledger, sentences: Iterable[Sentence], stack: ImageStack
) -> tuple[KeyImage, ...]:
    """Return a figure for each image that the sentences point at, in the order of the text.

    Regions on the same image, seen in the same window, share a figure.
    """
    wanted: dict[tuple[str, int, WindowPreset], list[tuple[Evidence, Region]]] = {}
    frames = frame_numbers(stack)
    for evidence in _cited(ledger, sentences):
        for region in evidence.regions:
            place = (region.sop_instance_uid or "", region.frame_number)
            if region.shape is Shape.MASK or region.space is not Space.IMAGE or place not in frames:
                continue
            window = window_for(evidence, stack, frames[place])
            shown = wanted.setdefault((*place, window), [])
            # "Both lungs" has the outlines of either: two numbers on one line tell nothing.
            if all(region.points != other.points for _, other in shown):
                shown.append((evidence, region))
    chosen = list(wanted.items())[:MOST_KEY_IMAGES]
    return tuple(
        _figure(number, shown, stack, frames[key[0], key[1]], key[2])
        for number, (key, shown) in enumerate(chosen, start=1)
    )


def frame_numbers(stack: ImageStack) -> dict[tuple[str, int], int]:
    """Return the index in the stack of each (SOP Instance UID, frame number)."""
    return {
        (stack.series.instances[instance].sop_instance_uid, frame): index
        for index, (instance, frame) in enumerate(stack.frames)
    }


def window_for(evidence: Evidence, stack: ImageStack, index: int) -> WindowPreset:
    """Return the window in which this evidence is seen: lung for lungs, else the image's own."""
    words = f"{evidence.anatomy} {evidence.label}".lower()
    named = {preset.explanation: preset for preset in PRESETS.of(stack.series.modality).values()}
    if "Lung" in named and any(word in words for word in LUNG_WORDS):
        return named["Lung"]
    return default_window(stack, index)


def _cited(ledger: Ledger, sentences: Iterable[Sentence]) -> list[Evidence]:
    ids = dict.fromkeys(
        citation.evidence_id
        for sentence in sentences
        if sentence.is_in_body
        for citation in sentence.citations
    )
    found = (ledger.get(evidence_id) for evidence_id in ids)
    return [evidence for evidence in found if evidence is not None]


def _figure(
    number: int,
    shown: Sequence[tuple[Evidence, Region]],
    stack: ImageStack,
    index: int,
    window: WindowPreset,
) -> KeyImage:
    instance = stack.series.instances[stack.frames[index][0]]
    plane = stack.series.plane_of(stack.frames[index])
    return KeyImage(
        number=number,
        grey=render_frame(stack, index, window),
        outlines=tuple(
            Outline(evidence_number(evidence.id), outline(region)) for evidence, region in shown
        ),
        caption=(
            f"Se {_number(stack.series.series_number)}, "
            f"Im {_number(instance.instance_number, index + 1)}, "
            f"{window_words(window)}"
        ),
        letters=letters_of(plane),
        pixel_spacing=stack.series.pixel_spacing,
        sop_instance_uid=instance.sop_instance_uid,
    )


def _number(header: int | None, fallback: int | None = None) -> str:
    """Return a number of the header; 0 is one, too."""
    found = header if header is not None else fallback
    return "?" if found is None else str(found)


def window_words(window: WindowPreset | None) -> str:
    """Return a window as a caption has it: "W 1500 L -500" with a true minus; empty for colour."""
    if window is None or window.table is not None:
        return ""
    return f"W {_whole(window.width)} L {_whole(window.center)}"


def _whole(value: float) -> str:
    return f"{value:.0f}".replace("-", "\u2212")


def letters_of(plane: ImagePlane | None) -> EdgeLetters:
    """Letters of the unturned image, or none when it has no orientation in the patient."""
    letters = edge_letters(plane, np.eye(3))
    if letters is None:
        return EdgeLetters()
    return EdgeLetters(letters.left, letters.right, letters.top, letters.bottom)


def pdf_document(
    report: Report,
    ledger: Ledger,
    study: Study,
    stack: ImageStack | None,
    *,
    installation: str,
    trace: Trace | None = None,
    candidates: tuple[Candidate, ...] = (),
    checkpoint: str = "",
    log_index: int | None = None,
    kept: Sequence[KeyImage] = (),
) -> PdfDocument:
    """Put everything of one PDF together; without pixels it has no figures.

    Parameters
    ----------
    kept
        Figures of the key images that the reader kept; they follow those of the text.
    """
    figures = key_images(ledger, report.sentences, stack) if stack is not None else ()
    own = (replace(one, number=number) for number, one in enumerate(kept, start=len(figures) + 1))
    return PdfDocument(
        report=report,
        ledger=ledger,
        installation=installation,
        program=program_name(),
        printed_at=now_utc(),
        key_images=(*figures, *own),
        images=image_references(study),
        candidates=candidates,
        trace=trace,
        checkpoint=checkpoint,
        log_index=log_index,
    )

"""What is this study, and does the request fit it? Deterministic; the first step of a draft.

A request that names another modality or body region than the study stops the draft: a mismatch of
image and text is the cheapest way to make a model write nonsense (2M/O2M attacks).
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.evidence.body_region import REQUEST_MISMATCH
from inference.validation import lexicon
from reports.domain import Refusal
from viewer.imaging.study import Series, Study

SERIES_MODALITIES = ("CT", "MR", "PT", "CR", "DX", "MG", "US", "XA")
"""Modalities whose series can be drafted, in the order in which one is chosen."""


SIDES = {"R": "right", "L": "left"}
"""Laterality (0020,0060) as the word of a request."""


TOGETHER: dict[str, tuple[str, ...]] = {"CT": ("PT",), "PT": ("CT",)}
"""Modalities that are read beside a series of the first in one report."""

FLUID_SUPPRESSED_MS = (1500.0, 3500.0)
"""Inversion times that null fluid (FLAIR): the series of a brain MR that shows most lesions."""


@dataclass(frozen=True)
class Triage:
    """What the study is.

    Parameters
    ----------
    region
        Body regions that the header names ("chest", ...), or empty.
    question
        The clinical question as typed; empty means that its check is not possible.
    mismatch
        Why the draft stops, or none.
    """

    modality: str
    region: str
    question: str
    images: int
    mismatch: Refusal | None = None

    def summary(self) -> str:
        """Return one line for the trace."""
        region = self.region or "body region not given"
        return f"{self.modality} {region}, {self.images} image{'s' * (self.images != 1)}"


class NoSeries(Exception):
    """The study has no series that can be drafted."""


def choose_series(study: Study, key: str = "") -> Series:
    """Return the series with this key or Series Instance UID, else the one that carries the study.

    That is: volumes before stacks, then the modality order, then fluid-suppressed MR, then the most
    images, then the thinnest slices, then the lowest series number; the same study always gives the
    same series.

    Raises
    ------
    NoSeries
        There is no such series, or none at all.
    """
    if key:
        for series in study.series:
            if key in {series.key, series.series_instance_uid}:
                return series
        raise NoSeries(f"The study has no series {key}.")
    usable = [series for series in study.series if series.modality in SERIES_MODALITIES]
    if not usable:
        raise NoSeries("The study has no series of images that can be drafted.")

    def rank(series: Series) -> tuple[bool, int, bool, int, float, int]:
        return (
            not series.verdict.is_volume,
            SERIES_MODALITIES.index(series.modality),
            not _suppresses_fluid(series),
            -series.image_count,
            series.slice_thickness or 0.0,
            series.series_number or 0,
        )

    return min(usable, key=rank)


def _suppresses_fluid(series: Series) -> bool:
    low, high = FLUID_SUPPRESSED_MS
    inversion = series.acquisition.inversion_ms
    return series.modality == "MR" and inversion is not None and low <= inversion <= high


def companions(study: Study, main: Series) -> tuple[Series, ...]:
    """Return the series that are read together with the one that carries a study: PET with its CT.

    They share its Frame of Reference, so that a place of one is a place of the other. Of several the
    one with the most images is taken, one of each modality.
    """
    found: list[Series] = []
    for modality in TOGETHER.get(main.modality, ()):
        fitting = [
            series
            for series in study.series
            if series.modality == modality
            and series.verdict.is_volume
            and main.frame_of_reference_uid
            and series.frame_of_reference_uid == main.frame_of_reference_uid
        ]
        found += sorted(fitting, key=lambda one: (-one.image_count, one.series_number or 0))[:1]
    return tuple(found)


def body_region(study: Study, series: Series) -> str:
    """Return the body regions the header names, joined by ", ", or empty.

    The first field that names any decides: Body Part Examined, then the descriptions.
    """
    for text in (series.body_part, series.description, series.protocol, study.description):
        named = regions_named(text.replace("_", " "))
        if named:
            return named
    return ""


def regions_named(text: str) -> str:
    """Return the body regions that a text names, from head to foot, joined by ", "; or empty.

    A text that means the whole body names none: every series fits it.
    """
    if lexicon.first(lexicon.words("whole_body"), text):
        return ""
    named = lexicon.named("regions", text)
    return ", ".join(region for region in lexicon.groups("regions") if region in named)


def _other(side: str) -> str:
    return "L" if side == "R" else "R"


def triage(study: Study, series: Series, question: str = "") -> Triage:
    """Look at header and request; a mismatch is a typed refusal that stops the draft.

    The body region is settled later, with the pixels (`inference.evidence.body_region.settle`).
    """
    region = body_region(study, series)
    asked_modality = lexicon.named("modalities", question)
    asked_sides = lexicon.named("sides", question)
    mismatch: Refusal | None = None
    if asked_modality and series.modality not in asked_modality:
        mismatch = Refusal(
            code=REQUEST_MISMATCH,
            reason=f"The request speaks of {'/'.join(sorted(asked_modality))}, the images are "
            f"{series.modality}. Check that this is the right study.",
        )
    elif series.laterality in SIDES and asked_sides == {SIDES[_other(series.laterality)]}:
        mismatch = Refusal(
            code=REQUEST_MISMATCH,
            reason=f"The request speaks of the {SIDES[_other(series.laterality)]} side, the header of "
            f"the images names the {SIDES[series.laterality]}. Check that this is the right study.",
        )
    return Triage(series.modality, region, question.strip(), series.image_count, mismatch)

"""What is this study, and does the request fit it? Deterministic; the first step of a draft.

A request that names another modality or body region than the study stops the draft: a mismatch of
image and text is the cheapest way to make a model write nonsense (2M/O2M attacks).
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.validation import lexicon
from reports.domain import Refusal
from viewer.imaging.study import Series, Study

SERIES_MODALITIES = ("CT", "MR", "PT", "CR", "DX", "MG", "US", "XA")
"""Modalities whose series can be drafted, in the order in which one is chosen."""


@dataclass(frozen=True)
class Triage:
    """What the study is.

    Parameters
    ----------
    region
        Body region from the header ("chest", ...), or empty when the header does not say.
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

    That is: volumes before stacks, then the modality order, then the most images, then the thinnest
    slices, then the lowest series number; the same study always gives the same series.

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

    def rank(series: Series) -> tuple[bool, int, int, float, int]:
        return (
            not series.verdict.is_volume,
            SERIES_MODALITIES.index(series.modality),
            -series.image_count,
            series.slice_thickness or 0.0,
            series.series_number or 0,
        )

    return min(usable, key=rank)


def body_region(study: Study, series: Series) -> str:
    """Return the body region the header names, or empty."""
    for text in (series.body_part, series.description, series.protocol, study.description):
        named = lexicon.named("regions", text.replace("_", " "))
        if len(named) == 1:
            return next(iter(named))
    return ""


def triage(study: Study, series: Series, question: str = "") -> Triage:
    """Look at header and request; a mismatch is a typed refusal that stops the draft."""
    region = body_region(study, series)
    asked_region = lexicon.named("regions", question)
    asked_modality = lexicon.named("modalities", question)
    mismatch: Refusal | None = None
    if asked_modality and series.modality not in asked_modality:
        mismatch = Refusal(
            code="request_mismatch",
            reason=f"The request speaks of {'/'.join(sorted(asked_modality))}, the images are "
            f"{series.modality}. Check that this is the right study.",
        )
    elif region and asked_region and region not in asked_region:
        mismatch = Refusal(
            code="request_mismatch",
            reason=f"The request speaks of {'/'.join(sorted(asked_region))}, the images show the "
            f"{region}. Check that this is the right study.",
        )
    return Triage(series.modality, region, question.strip(), series.image_count, mismatch)

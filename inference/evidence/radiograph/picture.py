"""A chest radiograph as brightness, bone bright whatever its photometry, and its view."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.tool import Applies, MeasureContext, RefusalCode
from viewer.imaging.grey import modality_values, no_image
from viewer.imaging.study import Series

FloatArray = npt.NDArray[np.float64]
Misfit = tuple[RefusalCode, str]

CHEST_RADIOGRAPH = Applies(frozenset({"CR", "DX"}), frozenset({"chest"}))

SIZE = 256
"""Longer side of the grid on which fields are looked for."""

SMALLEST = 64
"""A picture with fewer rows or columns is no radiograph to measure."""

PERCENTILES = (1.0, 99.0)

VIEWS: Mapping[str, str] = {
    "PA": "PA",
    "AP": "AP",
    "LL": "lateral",
    "RL": "lateral",
    "LATERAL": "lateral",
    "LAT": "lateral",
    "RLD": "decubitus",
    "LLD": "decubitus",
    "LLO": "oblique",
    "RLO": "oblique",
}
"""View Position (0018,5101) as a word; anything else is unknown."""

LYING = re.compile(r"\b(supine|portable|bed ?side|mobile|icu|recumbent|liegend|lit)\b", re.IGNORECASE)
"""Words of a description that say how an image was taken, when it was not taken standing."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One radiograph.

    Parameters
    ----------
    full
        (row, column) brightness 0 to 1, bone bright, at full size.
    small
        The same, averaged onto a grid; `step` pixels of the image to one of the grid.
    """

    full: npt.NDArray[np.float32]
    small: FloatArray
    step: int


def picture(ctx: MeasureContext) -> Picture | Misfit:
    """Return the radiograph, made once for all tools of a run, or why it is none."""
    return ctx.once("radiograph.picture", lambda: _made(ctx))


def _made(ctx: MeasureContext) -> Picture | Misfit:
    if ctx.series.modality not in CHEST_RADIOGRAPH.modalities or ctx.stack.is_colour:
        modality = ctx.series.modality or "unknown"
        return (
            RefusalCode.WRONG_MODALITY,
            f"This is measured on grey radiographs; this series is {modality}.",
        )
    if ctx.stack.stored.shape[0] != 1:
        return (
            RefusalCode.WRONG_VIEW,
            "This series holds several images: open the frontal radiograph on its own.",
        )
    number, frame = ctx.stack.frames[0]
    instance = ctx.series.instances[number]
    attributes = instance.of_frame(frame)
    stored = ctx.stack.stored[0]
    values = modality_values(
        stored, attributes.rescale_slope, attributes.rescale_intercept, attributes.modality_lut
    )
    empty = no_image(stored, instance)
    known = values[~empty]
    if min(values.shape) < SMALLEST or known.size < SMALLEST**2:
        return RefusalCode.UNCERTAIN, "The picture is too small to be measured."
    low, high = np.percentile(known, PERCENTILES)
    if high <= low:
        return RefusalCode.UNCERTAIN, "The picture is even: nothing can be measured on it."
    bright = np.clip((values - low) / (high - low), 0.0, 1.0)
    if instance.is_inverse:
        bright = 1.0 - bright
    bright[empty] = 0.0
    step = max(1, round(max(bright.shape) / SIZE))
    rows, columns = (size // step * step for size in bright.shape)
    small = bright[:rows, :columns].reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))
    return Picture(bright.astype(np.float32), small, step)


def view_of(series: Series) -> str:
    """Return the view that the header names ("PA", "AP", "lateral", ...), or empty."""
    return VIEWS.get(series.view_position.strip().upper(), "")


def lying_word(series: Series) -> str:
    """Return the word that says that the patient did not stand, or empty."""
    found = LYING.search(" ".join((series.description, series.protocol)).replace("_", " "))
    return found.group(0) if found else ""

"""What all tools of an abdominal CT ask first: Hounsfield units, and whether contrast was given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.lungs import hounsfield
from inference.evidence.quantities import HU
from inference.evidence.tool import Applies, MeasureContext, RefusalCode
from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.study import Series
from viewer.imaging.volume import Volume

IntArray = npt.NDArray[np.int16]
BoolArray = npt.NDArray[np.bool_]
Misfit = tuple[RefusalCode, str]

ABDOMEN_CT = Applies(frozenset({"CT"}), frozenset({"abdomen", "pelvis"}))


@dataclass(frozen=True, eq=False)
class Ready:
    """A CT volume and its Hounsfield units, (slice, row, column)."""

    volume: Volume
    hu: IntArray


def prepared(ctx: MeasureContext, what: str) -> Ready | Misfit:
    """Return the volume with its Hounsfield units, or why it cannot be measured.

    Parameters
    ----------
    what
        What is measured, as the beginning of the reason: "Liver density".
    """
    if ctx.series.modality != "CT" or ctx.stack.is_colour:
        modality = ctx.series.modality or "unknown"
        return RefusalCode.WRONG_MODALITY, f"{what} is measured on CT; this series is {modality}."
    if isinstance(ctx.volume, GeometryVerdict):
        return (
            RefusalCode.GEOMETRY,
            f"{what} needs evenly spaced, untilted slices: {ctx.volume.reason}",
        )
    if ctx.volume.unit != HU:
        return RefusalCode.WRONG_MODALITY, "The values of this series are not in Hounsfield units."
    volume = ctx.volume
    return Ready(volume, ctx.once("hounsfield", lambda: hounsfield(volume)))


def contrast_named(series: Series) -> bool:
    """Tell whether the header names a contrast agent; that it names none proves nothing."""
    return bool(series.contrast_agent.strip())


def phase_words(series: Series) -> str:
    """Return what must be said of the phase beside a density."""
    if contrast_named(series):
        return f"contrast agent given ({series.contrast_agent.strip()}): density is not that of tissue"
    return "the header names no contrast agent, which does not prove that none was given"

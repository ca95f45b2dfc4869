"""PET values as SUV, and the facts that every SUV is told with: weight and uptake time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from inference.evidence.quantities import MEASURES, Measure, quantity
from inference.evidence.tool import MeasureContext, RefusalCode
from reports.domain import Quantity
from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.suv import SuvRefusal, suv_scale, uptake_time
from viewer.imaging.volume import Volume

FloatArray = npt.NDArray[np.float32]
Misfit = tuple[RefusalCode, str]

FLUORINE_HALF_LIFE_S = 6586.2
HALF_LIFE_SHARE = 0.01
"""Headers write 6586 to 6588 s for fluorine-18; gallium-68 has 4057 s."""


@dataclass(frozen=True, eq=False)
class SuvImage:
    """A PET volume in SUV.

    Parameters
    ----------
    values
        (slice, row, column) SUV; padding is 0.
    kind, unit
        "SUVbw" with its UCUM unit.
    facts
        How the SUV was made, in words: decay, weight, uptake time.
    values_told
        Uptake time and weight as values of the ledger, those that the header gives.
    """

    volume: Volume
    values: FloatArray
    kind: str
    unit: str
    facts: tuple[str, ...]
    told: tuple[Quantity, ...]
    is_fluorine: bool

    def suv(self, name: str, value: float, *, uncertainty: float | None = None) -> Quantity:
        """Return an SUV as it stands in the ledger; the unit is that of this image."""
        usual = MEASURES[name]
        how = Measure(self.unit, usual.printed, usual.digits, usual.concept)
        return quantity(name, value, uncertainty=uncertainty, measure=how)


def suv_image(ctx: MeasureContext) -> SuvImage | Misfit:
    """Return the series in SUV, made once for all tools of a run, or why there is none."""
    return ctx.once("pet.suv", lambda: _made(ctx))


def _made(ctx: MeasureContext) -> SuvImage | Misfit:
    if ctx.series.modality != "PT" or ctx.stack.is_colour:
        modality = ctx.series.modality or "unknown"
        return RefusalCode.WRONG_MODALITY, f"SUV is measured on PET; this series is {modality}."
    scale = suv_scale(ctx.series)
    if isinstance(scale, SuvRefusal):
        return RefusalCode.NO_SUV, scale.reason
    if isinstance(ctx.volume, GeometryVerdict):
        return (
            RefusalCode.GEOMETRY,
            f"Uptake is measured on evenly spaced, untilted slices: {ctx.volume.reason}",
        )
    values = ctx.volume.modality_values()
    values *= np.float32(scale.factor)
    if ctx.volume.padding is not None:
        values[ctx.volume.stored == ctx.volume.padding] = 0.0
    told, words = _told(ctx)
    half_life = ctx.series.pet.half_life_s if ctx.series.pet is not None else None
    return SuvImage(
        volume=ctx.volume,
        values=values,
        kind=scale.kind,
        unit=scale.unit,
        facts=(f"{scale.kind}: {scale.source}", *words),
        told=told,
        is_fluorine=half_life is not None
        and abs(half_life / FLUORINE_HALF_LIFE_S - 1.0) <= HALF_LIFE_SHARE,
    )


def _told(ctx: MeasureContext) -> tuple[tuple[Quantity, ...], tuple[str, ...]]:
    """Return uptake time and weight, as values and in words; what is missing is said."""
    values: list[Quantity] = []
    words: list[str] = []
    uptake = uptake_time(ctx.series)
    if isinstance(uptake, timedelta):
        values.append(quantity("uptake_time", uptake.total_seconds() / 60.0))
        words.append(f"uptake time {values[-1].text}")
    else:
        words.append(f"uptake time not known: {uptake.tag}")
    weight = ctx.series.pet.weight_kg if ctx.series.pet is not None else None
    if weight:
        values.append(quantity("weight", weight))
        words.append(f"weight {values[-1].text}")
    else:
        words.append("weight not stated")
    return tuple(values), tuple(words)

"""From stored values to screen grey: the one pipeline of viewer, command line and documents.

Stored value
-> Modality LUT: a table, else slope and intercept (PS3.3 C.11.1)
-> VOI LUT: a table, else a window, LINEAR, LINEAR_EXACT or SIGMOID (PS3.3 C.11.2)
-> presentation: MONOCHROME1 or Presentation LUT Shape INVERSE, and the reader's invert, after VOI
   (PS3.3 C.7.6.3.1.2, C.11.6); padding is black (PS3.3 C.7.5.1.1.2); stored values of a supplemental
   palette take its colours (PS3.3 C.7.6.19).
Floating point values that are no finite number are black like padding, and a LINEAR window is read as
LINEAR_EXACT for them: its w - 1 counts integers, and would make two greys of a map from 0 to 1.
For values of up to 16 bits the whole pipeline is one table of 65,536 entries.

An image with windows and VOI LUTs offers all of them (`image_presets`); one alone is applied at a
time, and the first window is the default (PS3.3 C.11.2 leaves the choice to the viewer), since a
reader can go on dragging from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import resources
from viewer.imaging.mappings import ColourTable, LookupTable
from viewer.imaging.study import Instance, Series, WindowPreset
from viewer.imaging.suv import SUV_TOP, SuvScale, suv_scale
from viewer.imaging.volume import ImageStack

Grey = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float64]

TABLE_SIZE: Final = 65536

SOFT_TISSUE: Final = "1"
"""Key of the CT preset for images that bring no window."""

AUTO_PERCENTILES: Final = (0.5, 99.5)
"""Share of pixels, in percent, below and above an automatic window."""

AUTO_SAMPLES: Final = 1 << 18
"""About so many pixels are looked at: a mammogram has 7 million, and percentiles need no more."""


@dataclass(frozen=True, slots=True)
class GreyPipeline:
    """All that turns a stored value into a grey from 0 (black) to 255 (white).

    Parameters
    ----------
    slope, intercept
        Rescale to modality units.
    window
        Centre and width in modality units, with the VOI LUT function.
    inverted
        True when low values are white: those of the image, or the reader's invert, not both.
    padding
        First and last stored value that mean "no image here" (PS3.3 C.7.5.1.1.2), black; or none.
    dtype
        Type of the stored values.
    modality_lut
        Table that takes the place of slope and intercept; or none.
    palette
        Colours of the stored values from its `first` on: the greys below them are red, green and blue
        alike; or none.
    """

    slope: float
    intercept: float
    window: WindowPreset
    inverted: bool
    padding: tuple[int, int] | None
    dtype: str
    modality_lut: LookupTable | None = None
    palette: ColourTable | None = None

    def table(self) -> Grey:
        """Return the grey (or colour) of each 16-bit pattern, read-only, by stored value as uint16."""
        return _table(self)

    def words(self) -> npt.NDArray[np.uint32]:
        """Return the greys of `table` as a screen takes them, 0xFFRRGGBB; not with a palette."""
        return _words(self)


def voi(values: FloatArray, window: WindowPreset) -> FloatArray:
    """Apply a window to modality values; the result runs from 0 to 255 (PS3.3 C.11.2.1)."""
    if window.table is not None:
        # C.11.2.1.1: the entries run from 0 to 2**bits - 1
        return np.asarray(window.table.apply(values) * (255.0 / ((1 << window.table.bits) - 1)))
    center, width = window.center, window.width
    if window.function == "SIGMOID":
        # C.11.2.1.3.1; the exponent is bounded to keep exp finite, far beyond a grey level.
        exponent = np.clip(-4.0 * (values - center) / width, -700.0, 700.0)
        return np.asarray(255.0 / (1.0 + np.exp(exponent)))
    if window.function == "LINEAR_EXACT":
        # C.11.2.1.3.2
        return np.asarray(np.clip((values - center) / width + 0.5, 0.0, 1.0) * 255.0)
    # C.11.2.1.2.1: LINEAR; a width of 1 is a threshold
    lower, upper = center - 0.5 - (width - 1.0) / 2.0, center - 0.5 + (width - 1.0) / 2.0
    if width <= 1.0:
        return np.where(values > upper, 255.0, 0.0)
    scaled = ((values - (center - 0.5)) / (width - 1.0) + 0.5) * 255.0
    return np.where(values <= lower, 0.0, np.where(values > upper, 255.0, scaled))


def modality_values(
    stored: npt.NDArray[Any], slope: float, intercept: float, table: LookupTable | None
) -> FloatArray:
    """Map stored values to modality values: a Modality LUT, else the rescale (PS3.3 C.11.1)."""
    values = stored.astype(np.float64)
    return values * slope + intercept if table is None else table.apply(values)


def _greys(stored: npt.NDArray[Any], pipeline: GreyPipeline) -> Grey:
    """Run the pipeline on values; the nearest grey level, halves up."""
    empty = ~np.isfinite(stored) if stored.dtype.kind == "f" else None
    if empty is not None:
        stored = np.where(empty, 0.0, stored)
    modality = modality_values(stored, pipeline.slope, pipeline.intercept, pipeline.modality_lut)
    grey = np.floor(voi(modality, pipeline.window) + 0.5).astype(np.uint8)
    if pipeline.inverted:
        grey = 255 - grey
    if empty is not None:
        grey[empty] = 0
    if pipeline.padding is not None:
        first, last = pipeline.padding
        grey[(stored >= first) & (stored <= last)] = 0
    if pipeline.palette is None:
        return grey
    coloured = stored >= pipeline.palette.first
    rgb = np.repeat(grey[..., np.newaxis], 3, axis=-1)
    rgb[coloured] = pipeline.palette.apply(stored[coloured])
    return rgb


@lru_cache(maxsize=64)
def _table(pipeline: GreyPipeline) -> Grey:
    pattern = np.arange(TABLE_SIZE, dtype=np.uint16)
    signed = np.dtype(pipeline.dtype).kind == "i"
    stored = pattern.view(np.int16) if signed else pattern
    table = _ramp_table(stored, pipeline)
    if table is None:
        table = _greys(stored, pipeline)
    table.flags.writeable = False
    return table


def _ramp_table(stored: npt.NDArray[Any], pipeline: GreyPipeline) -> Grey | None:
    """Return the table of a linear window, for which only the values on its ramp are mapped.

    From stored value to grey such a window never turns back, in floating point neither: each step
    rounds a monotone function. What lies beyond a value that is black or white already is so too,
    and that is looked at, not trusted. None where it is not seen so, and for all other pipelines.
    """
    window, slope = pipeline.window, pipeline.slope
    tables = (pipeline.modality_lut, pipeline.palette, window.table)
    if any(one is not None for one in tables) or window.function == "SIGMOID" or not slope:
        return None
    low, high = (
        (-TABLE_SIZE // 2, TABLE_SIZE // 2 - 1) if stored.dtype.kind == "i" else (0, TABLE_SIZE - 1)
    )
    reach = abs(window.width / 2.0 / slope) + 2.0 + 1.0 / abs(slope)
    middle = (window.center - pipeline.intercept) / slope
    if not (math.isfinite(middle) and math.isfinite(reach)):
        return None
    first, last = (int(min(max(end, low), high)) for end in (middle - reach, middle + reach))
    ramp = _greys(
        np.arange(first, last + 1, dtype=stored.dtype), replace(pipeline, inverted=False, padding=None)
    )
    under, over = (0, 255) if slope > 0 else (255, 0)
    if (first > low and ramp[0] != under) or (last < high and ramp[-1] != over):
        return None
    # By value, from the smallest on; the table goes by the 16-bit pattern.
    greys = np.full(TABLE_SIZE, over, dtype=np.uint8)
    greys[: first - low] = under
    greys[first - low : last - low + 1] = ramp
    if pipeline.inverted:
        greys = 255 - greys
    if pipeline.padding is not None:
        begin, end = pipeline.padding
        greys[max(begin - low, 0) : max(end - low + 1, 0)] = 0
    return np.roll(greys, low)


@lru_cache(maxsize=16)
def _words(pipeline: GreyPipeline) -> npt.NDArray[np.uint32]:
    words = pipeline.table().astype(np.uint32)
    words *= np.uint32(0x010101)
    words |= np.uint32(0xFF000000)
    words.flags.writeable = False
    return words


def to_grey(stored: npt.NDArray[Any], pipeline: GreyPipeline) -> Grey:
    """Map a frame of stored values to screen grey: THE function from stored to screen values.

    Parameters
    ----------
    stored
        (row, column) values of `pipeline.dtype`.

    Returns
    -------
    numpy.ndarray
        (row, column) uint8; 0 is black. With a supplemental palette (row, column, 3): RGB.
    """
    if stored.dtype.itemsize > 2:
        return _greys(stored, pipeline)
    index = stored if stored.dtype.itemsize == 1 else stored.view(np.uint16)
    return np.take(pipeline.table(), index, axis=0)


def to_words(stored: npt.NDArray[Any], pipeline: GreyPipeline, out: npt.NDArray[np.uint32]) -> None:
    """Write what `to_grey` gives for values of up to 16 bits as 0xFFRRGGBB, in one pass.

    Parameters
    ----------
    out
        (row, column), takes the words; a screen's own memory.
    """
    narrow = stored if stored.dtype.itemsize == 2 else stored.astype(np.int16)
    # No pattern is out of range; the other modes of `take` copy what they write.
    np.take(pipeline.words(), narrow.view(np.uint16), out=out, mode="clip")


def padding_range(instance: Instance) -> tuple[int, int] | None:
    """Return first and last stored value of the padding of an image (PS3.3 C.7.5.1.1.2)."""
    value = instance.pixel_padding_value
    if value is None:
        return None
    limit = instance.pixel_padding_range_limit
    other = value if limit is None else limit
    return min(value, other), max(value, other)


def no_image(stored: npt.NDArray[Any], instance: Instance) -> npt.NDArray[np.bool_]:
    """Return where stored values show nothing: padding (PS3.3 C.7.5.1.1.2), or no finite number."""
    padding = padding_range(instance)
    if stored.dtype.kind == "f":
        return np.asarray(~np.isfinite(stored))
    if padding is None:
        return np.zeros(stored.shape, dtype=bool)
    return np.asarray((stored >= padding[0]) & (stored <= padding[1]))


def pipeline_of(
    stack: ImageStack, index: int, window: WindowPreset | None = None, *, inverted: bool = False
) -> GreyPipeline:
    """Return the pipeline of one frame of a grey stack.

    Parameters
    ----------
    window
        In modality units; the default window of the frame when none is given.
    inverted
        The reader's invert, on top of that of the image.
    """
    instance_index, number = stack.frames[index]
    instance = stack.series.instances[instance_index]
    attributes = instance.of_frame(number)
    chosen = window or default_window(stack, index)
    if instance.floating and chosen.function == "LINEAR":
        chosen = chosen.model_copy(update={"function": "LINEAR_EXACT"})
    return GreyPipeline(
        slope=attributes.rescale_slope,
        intercept=attributes.rescale_intercept,
        window=chosen,
        inverted=instance.is_inverse != inverted,
        padding=padding_range(instance),
        dtype=stack.stored.dtype.name,
        modality_lut=attributes.modality_lut,
        palette=instance.supplemental,
    )


def _is_hounsfield(series: Series, instance: Instance) -> bool:
    """Return whether the values of a CT image are Hounsfield units (PS3.3 C.8.2.1.1.2)."""
    plain = not instance.floating and instance.supplemental is None and instance.modality_lut is None
    return (
        plain
        and series.modality == "CT"
        and instance.rescale_type == "HU"
        and "LOCALIZER" not in series.image_type
    )


def default_window(stack: ImageStack, index: int) -> WindowPreset:
    """Return the header's first window of a frame, else one from the percentiles of its values.

    SUVs have one window for all frames: the same grey is the same uptake on every slice. So have
    Hounsfield units: soft tissue, as a reader expects a CT that brings no window of its own.
    """
    instance_index, number = stack.frames[index]
    instance = stack.series.instances[instance_index]
    attributes = instance.of_frame(number)
    if attributes.windows:
        return attributes.windows[0]
    if stack.series.modality == "PT" and isinstance(scale := suv_scale(stack.series), SuvScale):
        top = SUV_TOP / scale.factor
        return WindowPreset(
            center=top / 2.0, width=top, explanation="Automatic", function="LINEAR_EXACT"
        )
    if _is_hounsfield(stack.series, instance):
        return presets("CT")[SOFT_TISSUE]
    stored = stack.stored[index]
    values = np.asarray(stored).reshape(-1)
    if instance.floating or padding_range(instance) is not None:
        values = values[~no_image(values, instance)]
    if instance.supplemental is not None:
        values = values[values < instance.supplemental.first]
    if values.size == 0:
        return WindowPreset(center=0.0, width=1.0, explanation="Automatic")
    low, high = np.percentile(values[:: max(1, values.size // AUTO_SAMPLES)], AUTO_PERCENTILES)
    table, slope = attributes.modality_lut, attributes.rescale_slope
    ends = np.sort(
        modality_values(np.array([low, high]), slope, attributes.rescale_intercept, table)
    ).tolist()
    smallest = abs(slope) if table is None else 1.0
    if instance.floating:
        smallest = 0.0 if ends[1] > ends[0] else 1.0
    elif not (math.isfinite(smallest) and smallest > 0.0):
        smallest = 1.0
    return WindowPreset(
        center=(ends[0] + ends[1]) / 2.0,
        width=max(ends[1] - ends[0], smallest),
        explanation="Automatic",
        function="LINEAR_EXACT",
    )


def image_presets(stack: ImageStack, index: int) -> tuple[WindowPreset, ...]:
    """Return the windows and VOI LUTs that a frame brings, each with words to choose it by."""
    instance_index, number = stack.frames[index]
    windows = stack.series.instances[instance_index].of_frame(number).windows
    return tuple(
        window if window.explanation else window.model_copy(update={"explanation": f"Window {place}"})
        for place, window in enumerate(windows, start=1)
    )


def window_after(known: Sequence[WindowPreset], window: WindowPreset | None) -> WindowPreset | None:
    """Return which of the windows of an image comes after the one in effect: the first after another.

    None when the image brings none.
    """

    def bare(one: WindowPreset) -> WindowPreset:
        return one.model_copy(update={"explanation": ""})

    if not known:
        return None
    same = [at for at, one in enumerate(known) if window is not None and bare(one) == bare(window)]
    return known[(same[0] + 1) % len(known)] if same else known[0]


def presets(modality: str) -> dict[str, WindowPreset]:
    """Return the presets of a modality that are windows in its unit, by the key that chooses them."""
    rows = resources.table("presets", "windows.json").get(modality, ())
    return {
        row["key"]: WindowPreset(
            center=row["center"], width=row["width"], explanation=row["explanation"]
        )
        for row in rows
        if "width" in row
    }

"""One series over another: values of a second volume on the pixels of an image, in colour. No Qt.

Two series are laid over each other only where it is known how they lie to each other: in one frame of
reference, or through a registration that a person confirmed (`viewer.imaging.spaces`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

import resources
from viewer.imaging.geometry import FloatArray, GeometryVerdict, ImagePlane, VerdictKind
from viewer.imaging.grey import default_window
from viewer.imaging.resample import RESAMPLED, as_shown_volume
from viewer.imaging.spaces import SPACES
from viewer.imaging.study import Series
from viewer.imaging.suv import SUV_TOP, SuvScale, suv_scale
from viewer.imaging.volume import ImageStack, Volume

Values = npt.NDArray[np.float32]
Colours = npt.NDArray[np.uint32]

UPTAKE: Final = ("PT", "NM")
"""Modalities that show uptake: they lie over the anatomy of others."""

TOP_PERCENTILE: Final = 99.8
"""Share of the voxels under the upper end of a window that no SUV and no header gives."""

CLEAR_SHARE: Final = 0.1
"""Lowest share of the window over which colour fades in: what takes up nothing hides nothing."""

ON_AXIS: Final = 1e-3
"""Voxels by which a row may leave its axis over the whole image and still count as along it."""

FEWEST_IMAGES: Final = 2


# --- colours ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ColourMap:
    """A palette of 256 colours.

    Parameters
    ----------
    table
        (256, 3) uint8 red, green, blue.
    """

    name: str
    text: str
    table: npt.NDArray[np.uint8]


@cache
def colour_maps() -> dict[str, ColourMap]:
    """Return the palettes by name, in the order in which they are offered."""
    found = {}
    for entry in resources.table("presets", "colour_maps.json")["maps"]:
        if "rows" in entry:
            table = np.frombuffer(bytes.fromhex("".join(entry["rows"])), dtype=np.uint8).reshape(-1, 3)
        else:
            stops = np.frombuffer(bytes.fromhex("".join(entry["stops"])), dtype=np.uint8).reshape(-1, 3)
            at, places = np.linspace(0, len(stops) - 1, 256), np.arange(len(stops))
            bands = [np.interp(at, places, stops[:, band]) for band in range(3)]
            table = np.rint(np.stack(bands, axis=1)).astype(np.uint8)
        found[entry["name"]] = ColourMap(entry["name"], entry["text"], table)
    return found


def usual_map(modality: str) -> str:
    """Return the name of the palette with which a modality comes up."""
    data = resources.table("presets", "colour_maps.json")
    return str(data["default"].get(modality, data["otherwise"]))


@dataclass(frozen=True)
class Look:
    """How a series lies over others.

    Parameters
    ----------
    low, high
        Ends of the window in the unit of the series' shown values.
    opacity
        0 (not seen) to 1 (nothing beneath is seen).
    """

    low: float
    high: float
    opacity: float = 0.5
    colour_map: str = "hot_iron"


@cache
def palette_words(colour_map: str) -> Colours:
    """Return the 256 colours as premultiplied ARGB words; the first is clear, the next fade in."""
    table = colour_maps()[colour_map].table.astype(np.float64)
    share = np.clip(np.arange(256) / (255 * CLEAR_SHARE), 0.0, 1.0)
    alpha = np.rint(255 * share).astype(np.uint32)
    red, green, blue = np.rint(table * share[:, None]).astype(np.uint32).T
    words: Colours = (alpha << 24) | (red << 16) | (green << 8) | blue
    return words


# --- the volume that lies over ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class OverVolume:
    """A volume that can be laid over others.

    Parameters
    ----------
    factor
        Modality value x `factor` = the value that is shown.
    unit
        UCUM unit of the shown value.
    why
        Why the value is no SUV where a reader expects one, empty otherwise.
    look
        How it comes up.
    inverse
        4 x 4, LPS mm -> (column, row, slice).
    """

    series: Series
    volume: Volume
    factor: float
    unit: str
    why: str
    look: Look
    inverse: FloatArray

    def shown(self, stored: npt.ArrayLike) -> FloatArray:
        """Return the shown value of stored ones."""
        volume = self.volume
        return (np.asarray(stored) * volume.slope + volume.intercept) * self.factor

    def stored_at(self, shown: float) -> float:
        """Return the stored value that is shown as this."""
        return (shown / self.factor - self.volume.intercept) / self.volume.slope


def over_volume(stack: ImageStack) -> OverVolume | GeometryVerdict:
    """Return a stack as a volume that can lie over others, or why it cannot."""
    shown = as_shown_volume(stack)
    if isinstance(shown, GeometryVerdict):
        return shown
    volume, series = shown.volume, stack.series
    if volume.slope == 0.0:
        return GeometryVerdict(
            kind=VerdictKind.NOT_A_VOLUME, reason="Every voxel of this series has the same value."
        )
    scale = suv_scale(series) if series.modality == "PT" else None
    factor, unit = (scale.factor, scale.unit) if isinstance(scale, SuvScale) else (1.0, volume.unit)
    why = "" if scale is None or isinstance(scale, SuvScale) else scale.reason
    window = default_window(stack, len(stack.frames) // 2)
    if isinstance(scale, SuvScale):
        low, high = 0.0, SUV_TOP
    elif series.modality in UPTAKE or window is None:
        low = 0.0 if series.modality in UPTAKE else float(volume.stored.min()) * volume.slope
        top = float(np.percentile(volume.stored[:, ::2, ::2], TOP_PERCENTILE))
        high = top * volume.slope + volume.intercept
    else:
        low, high = window.center - window.width / 2, window.center + window.width / 2
    look = Look(low, max(high, low + abs(volume.slope * factor)), colour_map=usual_map(series.modality))
    inverse = np.asarray(np.linalg.inv(volume.affine), dtype=np.float64)
    return OverVolume(series, volume, factor, unit, why, look, inverse)


def way_to(base: Series, over: Series) -> FloatArray | None:
    """Return the 4 x 4 from the space of one series to that of another, LPS mm; none when unknown."""
    joined = SPACES.between(base.frame_of_reference_uid, over.frame_of_reference_uid)
    return None if joined is None else joined.matrix


def can_lie_over(series: Series) -> bool:
    """Return whether a series is a volume, as far as its headers tell."""
    verdict = series.verdict
    return series.image_count >= FEWEST_IMAGES and (verdict.is_volume or verdict.kind in RESAMPLED)


def partners(base: Series, series: Iterable[Series]) -> tuple[Series, ...]:
    """Return the series that can lie over another, the likeliest first.

    Uptake comes before anatomy, and what is corrected for attenuation before what is not.
    """
    found = [
        one
        for one in series
        if one.key != base.key and can_lie_over(one) and way_to(base, one) is not None
    ]

    def rank(one: Series) -> tuple[bool, bool, int]:
        corrected = one.pet is not None and "ATTN" in one.pet.corrected
        return one.modality not in UPTAKE, not corrected, -one.image_count

    return tuple(sorted(found, key=rank))


# --- sampling --------------------------------------------------------------------------------------


def sampled(
    over: OverVolume, plane: ImagePlane, rows: int, columns: int, way: FloatArray | None = None
) -> Values:
    """Return stored values (not rounded) at the pixels of an image, -inf outside the volume.

    A sample lies in the volume up to half a voxel beyond the centre of its last voxel. Between voxels
    it is interpolated linearly in three dimensions.

    Parameters
    ----------
    way
        4 x 4 from the image's space to the volume's, LPS mm; none where they are one.
    """
    matrix = np.eye(4)
    matrix[:3, 0] = np.asarray(plane.row_cosines) * plane.column_spacing
    matrix[:3, 1] = np.asarray(plane.column_cosines) * plane.row_spacing
    matrix[:3, 3] = plane.position
    to_voxel = over.inverse @ (matrix if way is None else way @ matrix)
    axes = _axes(to_voxel, rows, columns)
    stored = over.volume.stored
    return (
        _oblique(stored, to_voxel, rows, columns)
        if axes is None
        else _along(stored, to_voxel, axes, rows, columns)
    )


def value_at(over: OverVolume, point: npt.ArrayLike) -> float | None:
    """Return the shown value at a place, LPS mm of its own space; none outside or in padding."""
    at = over.inverse @ np.append(np.asarray(point, dtype=np.float64), 1.0)
    shift = np.eye(4)
    shift[:3, 3] = at[:3]
    stored = float(_oblique(over.volume.stored, shift, 1, 1)[0, 0])
    if not np.isfinite(stored) or round(stored) == over.volume.padding:
        return None
    return float(over.shown(stored))


def coloured(over: OverVolume, stored: Values, look: Look) -> Colours:
    """Return premultiplied ARGB words for stored values; what lies under the window is clear.

    The opacity is left to the painter: it changes without new colours.
    """
    words = palette_words(look.colour_map)
    low, high = over.stored_at(look.low), over.stored_at(look.high)
    scale = np.float32(len(words) / (high - low))
    index = (stored - np.float32(low)) * scale
    np.clip(index, 0.0, 255.0, out=index)
    return words[index.astype(np.uint8)]


def _axes(to_voxel: FloatArray, rows: int, columns: int) -> tuple[int, int] | None:
    """Return the axes of the voxels that rows and columns of the image run along, none at an angle."""
    steps = np.abs(to_voxel[:3, :2])
    across, down = (int(axis) for axis in steps.argmax(axis=0))
    rest = steps.copy()
    rest[across, 0] = rest[down, 1] = 0.0
    return None if across == down or rest.max() * max(rows, columns) > ON_AXIS else (across, down)


def _along(
    stored: npt.NDArray[np.int16],
    to_voxel: FloatArray,
    axes: tuple[int, int],
    rows: int,
    columns: int,
) -> Values:
    """Sample where rows and columns of the image run along axes of the voxels: axis after axis."""
    across, down = axes
    deep = 3 - across - down
    depth = float(to_voxel[deep, 3])
    count = stored.shape[2 - deep]
    if not -0.5 <= depth <= count - 0.5:
        return np.full((rows, columns), -np.inf, dtype=np.float32)
    below, share = _split(np.array([depth]), count)
    box = np.moveaxis(stored, 2 - deep, 0)  # the other two axes keep their order
    first, second = box[below[0]], box[min(below[0] + 1, count - 1)]
    layer = first + share[0] * (second.astype(np.float32) - first)
    if down < across:  # voxels lie as slice, row, column: the larger axis number comes first
        layer = layer.T
    found = np.ascontiguousarray(layer, dtype=np.float32)
    outside = []
    for axis, voxel_axis, size, column in ((0, down, rows, 1), (1, across, columns, 0)):
        at = to_voxel[voxel_axis, 3] + to_voxel[voxel_axis, column] * np.arange(size)
        length = found.shape[axis]
        near, part = _split(at, length)
        low = np.take(found, near, axis=axis)
        following = np.take(found, np.minimum(near + 1, length - 1), axis=axis)
        following -= low
        following *= part[:, None] if axis == 0 else part
        low += following
        found = low
        outside.append((at < -0.5) | (at > length - 0.5))
    found[outside[0]] = -np.inf
    found[:, outside[1]] = -np.inf
    return found


def _split(at: FloatArray, count: int) -> tuple[npt.NDArray[np.intp], Values]:
    """Return the voxel below each place and the share of the next one; ends count on beyond."""
    inside = np.clip(at, 0.0, count - 1.0)
    below = np.floor(inside).astype(np.intp)
    return below, (inside - below).astype(np.float32)


def _oblique(stored: npt.NDArray[np.int16], to_voxel: FloatArray, rows: int, columns: int) -> Values:
    """Sample at any angle."""
    from scipy.ndimage import affine_transform

    # from (layer, row, column) of the samples to (slice, row, column) of the voxels
    order = to_voxel[[2, 1, 0]]
    matrix = np.stack([np.zeros(3), order[:, 1], order[:, 0]], axis=1)
    found = affine_transform(
        stored,
        matrix,
        offset=order[:, 3],
        output_shape=(1, rows, columns),
        output=np.float32,
        order=1,
        mode="nearest",
        prefilter=False,
    )[0]
    down, across = np.arange(rows)[:, None], np.arange(columns)[None, :]
    for axis in range(3):
        at = to_voxel[axis, 3] + to_voxel[axis, 1] * down + to_voxel[axis, 0] * across
        found[(at < -0.5) | (at > stored.shape[2 - axis] - 0.5)] = -np.inf
    return np.asarray(found, dtype=np.float32)

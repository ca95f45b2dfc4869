"""The inside of the skull as a mask, and the plane that parts its halves.

In each axial slice: what bone encloses once gaps up to twice `CLOSING_MM` are bridged; over slices: the
body that belongs to the largest of them, followed up and down while bone still encloses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.head.slices import IntArray, Misfit, Slices
from inference.evidence.tool import RefusalCode
from viewer.imaging.geometry import FloatArray

BoolArray = npt.NDArray[np.bool_]
FloatImage = npt.NDArray[np.float32]

BONE_HU = 250
COARSE_MM = 0.9
"""Finer pixels are strided towards this for the shape of the skull."""

CLOSING_MM = 5.0
"""Foramina and sutures up to twice this width count as closed."""

NECK_MM = 4.0
"""Bridges thinner than twice this do not join two parts of a slice."""

SOFT_HU = (-30.0, 200.0)
"""What may be brain, blood or fluid, after smoothing."""

LEAST_HU = -60
"""At the edge of the mask: air of a sinus behind thin bone is less."""

SMALLEST_ML = 300.0
"""A smaller cavity is no head (a newborn's holds about 350 mL)."""

SMALLEST_SLICE_MM2 = 1500.0
"""Below this area the mask ends: foramen magnum below, vertex above."""

ENCLOSED = 0.85
"""Share of the outline of a slice that bone must enclose."""

BONE_REACH_MM = 5.0


@dataclass(frozen=True, eq=False)
class Cavity:
    """The inside of the skull.

    Parameters
    ----------
    mask
        (slice, row, column), in the order of the stack.
    bone
        Distance in the slice to the nearest bone (over `BONE_HU`), mm, within the box of the mask.
    box
        Rows and columns that hold the mask with a margin.
    lowest, highest
        First and last slice of the mask by height.
    closed_below, closed_above
        Whether the cavity ends there by itself, and not at the end of the images or of its bone.
    """

    mask: BoolArray
    bone: FloatImage
    box: tuple[slice, slice]
    lowest: int
    highest: int
    closed_below: bool
    closed_above: bool
    midplane: Midplane

    @property
    def rows(self) -> list[int]:
        """Slices of the mask in the order of the stack."""
        return [int(index) for index in np.flatnonzero(self.mask.any(axis=(1, 2)))]


@dataclass(frozen=True)
class Midplane:
    """The plane between the halves: x = middle + lean * (y - depth) at every height, LPS mm."""

    middle: float
    lean: float
    depth: float

    def offset(self, points: FloatArray) -> FloatArray:
        """Return distances of (n, 3) places, mm; positive towards the patient's left."""
        slant: FloatArray = points[:, 0] - self.middle - self.lean * (points[:, 1] - self.depth)
        along: FloatArray = slant / np.hypot(1.0, self.lean)
        return along

    @property
    def degrees(self) -> float:
        """How far the head is turned from straight ahead."""
        return float(np.degrees(np.arctan(self.lean)))


def cavity_of(slices: Slices) -> Cavity | Misfit:
    """Return the inside of the skull, or why there is none to measure."""
    stride = max(1, int(COARSE_MM / max(slices.pixel_mm) + 0.25))
    coarse = slices.hu[:, ::stride, ::stride]
    pixel = slices.pixel_mm[0] * stride, slices.pixel_mm[1] * stride
    inner = np.zeros(coarse.shape, dtype=bool)
    around = np.zeros(coarse.shape, dtype=np.float32)
    for index, image in enumerate(coarse):
        inner[index], around[index] = _inside(image, pixel)
    soft = (coarse > SOFT_HU[0]) & (coarse < SOFT_HU[1])
    chosen, ends = _followed(inner, around, soft, slices, pixel)
    if not chosen.any():
        return RefusalCode.WRONG_REGION, "No closed skull with brain inside was found in these images."
    mask, box, bone = _refined(chosen, slices, stride)
    if slices.ml(mask) < SMALLEST_ML:
        return RefusalCode.WRONG_REGION, "No closed skull with brain inside was found in these images."
    order = [int(i) for i in np.argsort(slices.heights) if mask[i].any()]
    return Cavity(
        mask=mask,
        bone=bone,
        box=box,
        lowest=order[0],
        highest=order[-1],
        closed_below=ends[0],
        closed_above=ends[1],
        midplane=midplane_of(mask, slices),
    )


def _inside(image: IntArray, pixel: tuple[float, float]) -> tuple[BoolArray, FloatImage]:
    """Return soft tissue that bone encloses in a slice, and the distance to bone, mm."""
    from scipy import ndimage

    empty = np.zeros(image.shape, dtype=bool)
    bone = image > BONE_HU
    if np.count_nonzero(bone) * pixel[0] * pixel[1] < 200.0:
        return empty, np.full(image.shape, np.inf, dtype=np.float32)
    away = ndimage.distance_transform_edt(~bone, sampling=pixel).astype(np.float32)
    wide = away <= CLOSING_MM
    hole = ndimage.binary_fill_holes(wide) & ~wide
    # The ring was thickened inwards too: grow back to the bone, but not through what was bridged.
    grown = ndimage.distance_transform_edt(~hole, sampling=pixel) <= CLOSING_MM - max(pixel) / 2
    smooth = ndimage.uniform_filter(image.astype(np.float32), 3)
    soft = (smooth > SOFT_HU[0]) & (smooth < SOFT_HU[1]) & (image < BONE_HU)
    return grown & soft, away


def _followed(
    inner: BoolArray,
    around: FloatImage,
    soft: BoolArray,
    slices: Slices,
    pixel: tuple[float, float],
) -> tuple[BoolArray, tuple[bool, bool]]:
    """Follow the cavity from its largest slice up and down; also whether it ended by itself."""
    area = pixel[0] * pixel[1]
    order = [int(index) for index in np.argsort(slices.heights)]
    parts = [_parts(inner[index], pixel) for index in range(len(inner))]
    sizes = [float(np.count_nonzero(part)) * area for part in parts]
    start = int(np.argmax([sizes[index] for index in order]))
    if sizes[order[start]] < 2.0 * SMALLEST_SLICE_MM2:
        return np.zeros_like(inner), (False, False)
    chosen = np.zeros_like(inner)
    ends: list[bool] = []
    for way in (range(start, -1, -1), range(start, len(order))):
        last: BoolArray | None = None
        by_itself = False
        for place in way:
            index = order[place]
            part = _joined(inner[index], last, pixel)
            size = float(np.count_nonzero(part)) * area
            if size < SMALLEST_SLICE_MM2 or enclosure(part, around[index]) < ENCLOSED:
                rest = [order[beyond] for beyond in way if (beyond - place) * way.step >= 0]
                under = inner if way.step > 0 else soft
                by_itself = _ends(under, last, rest, slices.heights)
                break
            chosen[index] = part
            last = part
        ends.append(by_itself)
    return chosen, (ends[0], ends[1])


BEYOND_MM = 16.0
BEYOND_SHARE = 0.1
"""Beyond the end of a closed cavity, within `BEYOND_MM`, less than this share of its area goes on."""


def _ends(under: BoolArray, last: BoolArray | None, rest: list[int], heights: FloatArray) -> bool:
    """Tell whether the cavity closes soon beyond its last slice, within the images.

    Above: nothing enclosed goes on. Below: no soft tissue does, as cord and neck do below a skull base.
    """
    if last is None:
        return False
    near = [index for index in rest if abs(heights[index] - heights[rest[0]]) <= BEYOND_MM]
    size = np.count_nonzero(last)
    return any(np.count_nonzero(under[index] & last) < BEYOND_SHARE * size for index in near)


def _parts(inside: BoolArray, pixel: tuple[float, float]) -> BoolArray:
    """Return the largest part of a slice after thin bridges are cut."""
    return _joined(inside, None, pixel)


def _joined(inside: BoolArray, last: BoolArray | None, pixel: tuple[float, float]) -> BoolArray:
    """Return the parts of a slice that go on from the last one; the largest when there is none.

    A part goes on when most of it lies over the last slice: what lies beside the skull does not.
    """
    from scipy import ndimage

    if not inside.any():
        return inside
    core = ndimage.distance_transform_edt(inside, sampling=pixel) > NECK_MM
    labels, count = ndimage.label(core)
    if count == 0:
        return np.zeros_like(inside)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    keep = np.zeros(count + 1, dtype=bool)
    if last is None:
        keep[int(sizes.argmax())] = True
    else:
        over = np.bincount(labels[last], minlength=count + 1)
        keep = (over > 0.6 * sizes) | (over > 0.5 * np.count_nonzero(last))
        keep &= sizes > 0
        keep[0] = False
    kept = keep[labels]
    if not kept.any():
        return np.zeros_like(inside)
    near = ndimage.distance_transform_edt(~kept, sampling=pixel) <= NECK_MM + 1.0
    grown: BoolArray = ndimage.binary_fill_holes(near & inside)
    return grown


def enclosure(part: BoolArray, around: FloatImage) -> float:
    """Return the share of the outline of a part that lies next to bone."""
    from scipy import ndimage

    edge = part & ~ndimage.binary_erosion(part)
    if not edge.any():
        return 0.0
    return float((around[edge] <= BONE_REACH_MM).mean())


def _refined(
    chosen: BoolArray, slices: Slices, stride: int
) -> tuple[BoolArray, tuple[slice, slice], FloatImage]:
    """Return the mask at full resolution, its box of rows and columns, and the distance to bone."""
    from scipy import ndimage

    flat: BoolArray = np.any(chosen, axis=0)
    rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    margin = round(10.0 / min(slices.pixel_mm))
    height, width = slices.hu.shape[1:]
    box = (
        slice(max(int(rows[0]) * stride - margin, 0), min(int(rows[-1]) * stride + margin, height)),
        slice(
            max(int(columns[0]) * stride - margin, 0), min(int(columns[-1]) * stride + margin, width)
        ),
    )
    reach = 1.6 * stride * max(slices.pixel_mm)
    mask = np.zeros(slices.hu.shape, dtype=bool)
    bone = np.full((len(chosen), box[0].stop - box[0].start, box[1].stop - box[1].start), np.inf, "f4")
    held = np.flatnonzero(chosen.any(axis=(1, 2)))
    beside = np.arange(max(held[0] - 1, 0), min(held[-1] + 2, len(chosen)))
    for index in beside:
        wide = chosen[index].repeat(stride, axis=0).repeat(stride, axis=1)[:height, :width]
        full = np.zeros((height, width), dtype=bool)
        full[: wide.shape[0], : wide.shape[1]] = wide
        image = slices.hu[index][box]
        hard = image > BONE_HU
        if hard.any():
            bone[index] = ndimage.distance_transform_edt(~hard, sampling=slices.pixel_mm)
        # The coarse mask ends up to a step and a half before the bone.
        near = ndimage.distance_transform_edt(~full[box], sampling=slices.pixel_mm) <= reach
        part = near & (image < BONE_HU) & (image > LEAST_HU)
        mask[index][box] = ndimage.binary_fill_holes(part)
    return mask, box, bone


LEANS_DEG = np.arange(-20.0, 21.0, 1.0)
SHIFTS_MM = np.arange(-4.0, 5.0, 1.0)
GRID_MM = 3.0
REACH_MM = 120.0


def midplane_of(mask: BoolArray, slices: Slices) -> Midplane:
    """Return the plane about which the mask, seen from above, is most nearly its own mirror image."""
    from scipy import ndimage

    seen, corner = _seen_from_above(mask, slices)
    steps = np.arange(-REACH_MM, REACH_MM + GRID_MM, GRID_MM)
    total = float(seen.sum())
    middle_x, middle_y = (
        float((seen.sum(axis=1 - axis) * np.arange(seen.shape[axis])).sum()) / total for axis in (0, 1)
    )
    across, along = np.meshgrid(steps, steps, indexing="ij")

    def halves_differ(lean: float, shift: float) -> float:
        angle = np.radians(lean)
        sides = []
        for sign in (1.0, -1.0):
            x = shift + sign * across * np.cos(angle) + along * np.sin(angle)
            y = -sign * across * np.sin(angle) + along * np.cos(angle)
            places = [middle_x + x / GRID_MM, middle_y + y / GRID_MM]
            sides.append(ndimage.map_coordinates(seen, places, order=1))
        return float(np.abs(sides[0] - sides[1]).sum()) / total

    _, lean, shift = min(
        (halves_differ(lean, shift), lean, shift) for lean in LEANS_DEG for shift in SHIFTS_MM
    )
    return Midplane(
        middle=corner[0] + middle_x * GRID_MM + shift,
        lean=float(np.tan(np.radians(lean))),
        depth=corner[1] + middle_y * GRID_MM,
    )


def _seen_from_above(mask: BoolArray, slices: Slices) -> tuple[FloatArray, tuple[float, float]]:
    """Return the height of the mask over a grid of x and y, and the LPS mm of its first point."""
    from scipy import ndimage

    stride = max(1, int(GRID_MM / 2 / max(slices.pixel_mm)))
    places, weights = [], []
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        rows, columns = np.nonzero(mask[index, ::stride, ::stride])
        points = np.stack([columns, rows], axis=1).astype(np.float64) * stride
        places.append(slices.patient(int(index), points)[:, :2])
        weights.append(np.full(len(points), slices.thick[index]))
    xy = np.concatenate(places)
    corner = xy.min(axis=0) - 2 * GRID_MM
    counts = [int(part) for part in (np.ptp(xy, axis=0) + 4 * GRID_MM) / GRID_MM]
    reach = [(-0.5, count - 0.5) for count in counts]
    seen, _ = np.histogramdd(
        (xy - corner) / GRID_MM, bins=counts, range=reach, weights=np.concatenate(weights)
    )
    return ndimage.gaussian_filter(seen, 1.0), (float(corner[0]), float(corner[1]))

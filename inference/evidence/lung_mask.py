"""Right and left lung as masks of a CT volume: pure functions on arrays.

The recipe is the classical one (Hu, Hoffman, Reinhardt, IEEE TMI 2001, doi 10.1109/42.929615): air
inside the body by threshold, airways taken out by region growing with a leak guard, the two lungs
parted, and each closed over its vessels. Labels are found on a coarse grid and refined at full size.
Arrays are in canonical order here: axis 0 to the head, axis 1 to the back, axis 2 to the left (the
directions of LPS); `canonical` makes a view of a volume in that order, whatever way it was acquired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from inference.evidence.lung_envelope import restored
from inference.evidence.orientation import Triple, bounds, canonical
from reports.domain import Code
from viewer.imaging.geometry import FloatArray

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int16]

LUNG = Code(value="39607008", scheme="SCT", meaning="Lung")

LUNG_HU = -400.0
"""Below this is lung or air (facts: measured evidence without weights)."""

COARSE_MM = 2.6
"""Finest voxel of the grid on which bodies are labelled; finer volumes are strided towards it."""

SMALLEST_LUNG_ML = 150.0
"""A smaller body of air is no lung that could be measured on its own."""

SMALLEST_PART_ML = 8.0
"""A part of a lung that a tumour or scar cut off; it must lie above the base of the lungs."""

DENSEST_LUNG_HU = -500.0
GAS_HU = -965.0
"""A body whose median lies below is gas (bowel, airway): even destroyed lung holds some tissue."""

AIRWAY_STEPS_HU = (-870.0, -900.0, -920.0, -940.0, -960.0)
"""Thresholds of the growing airway, from generous to strict; the first that does not leak is taken."""

AIRWAY_LIMIT_ML = 110.0
"""More than this is a leak into the lung: trachea and main bronchi hold 30-80 ml."""

AIRWAY_AREA_MM2 = (60.0, 800.0)
"""Area of the trachea in an axial plane: tracheomegaly ends near 30 mm, a child's is 6 mm wide."""

AIRWAY_WALL_MM = 2.0
CLOSING_MM = 6.0
"""Vessels and fissures up to twice this width are closed in the axial plane."""

UPRIGHT_MM = 12.0
"""Gaps lower than this are closed from plane to plane: a lesion that is open in a few planes only."""


class NoLung(Exception):
    """There are no lungs to measure; the message says what was looked for.

    `cut` names the edges at which tissue of lung density runs out of the images, if any.
    """

    def __init__(self, message: str, cut: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.cut = cut


@dataclass(frozen=True, eq=False)
class Lungs:
    """Masks in the order of the volume, and what was seen on the way.

    Parameters
    ----------
    cut
        Where the lungs run out of the images: "head", "feet", "left", "right", "front", "back".
    only_bases
        Whether the images end while the lungs still grow towards the head: no chest, an abdomen.
    split
        Whether the lungs touched and were parted by erosion.
    airway_ml
        Volume of the trachea and bronchi that were taken out; 0 when none was found.
    """

    right: BoolArray
    left: BoolArray
    cut: tuple[str, ...] = ()
    only_bases: bool = False
    split: bool = False
    airway_ml: float = 0.0


@dataclass(eq=False)
class _Coarse:
    """The strided grid: HU, spacing and the stride that made it, canonical order."""

    hu: IntArray
    spacing: Triple
    stride: tuple[int, int, int]
    voxel_ml: float = field(init=False)

    def __post_init__(self) -> None:
        self.voxel_ml = float(np.prod(self.spacing)) / 1000.0


def segment_lungs(
    hu: IntArray,
    affine: FloatArray,
    spacing: Triple,
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> Lungs:
    """Find both lungs in a CT volume.

    Parameters
    ----------
    hu
        (slice, row, column) Hounsfield units as int16; padding as -1024 or lower.
    affine, spacing
        Geometry of the volume, as `Volume.affine` and `Volume.spacing`.
    cancelled
        Asked between steps; a true answer raises `Cancelled`.

    Raises
    ------
    NoLung
        No lungs are in the images.
    Oblique
        The volume lies so that its axes have no side.
    Cancelled
        The caller asked to stop.
    """

    def go_on() -> None:
        if cancelled():
            raise Cancelled

    orientation = canonical(affine)
    full = orientation.view(hu)
    coarse = _coarse(full, orientation.spacing(spacing))
    air = coarse.hu < LUNG_HU
    go_on()
    inside, cut = _inside(air, coarse)
    go_on()
    airway = _airway(inside, coarse)
    go_on()
    right, left, split = _two_sides(inside & ~airway.removed, coarse)
    if not right.any() and not left.any():
        raise NoLung("No air-filled lung was found inside the body.", cut)
    go_on()
    masks = []
    for mask, other in ((right, left), (left, right)):
        lesions = restored(mask, other, coarse.hu, coarse.spacing).filled & ~airway.removed
        go_on()
        masks.append(_refine(mask, lesions, airway.removed, full, coarse))
        go_on()
    overlap = masks[0] & masks[1]
    masks[1] &= ~overlap
    cut = (*cut, *_cut_ends(right | left, coarse))
    return Lungs(
        right=orientation.back(masks[0]),
        left=orientation.back(masks[1]),
        cut=cut,
        only_bases=_only_bases(right | left),
        split=split,
        airway_ml=airway.ml,
    )


class Cancelled(Exception):
    """The caller asked to stop."""


def _coarse(full: IntArray, spacing: Triple) -> _Coarse:
    strides = [max(1, int(COARSE_MM / step + 0.25)) for step in spacing]
    stride = strides[0], strides[1], strides[2]
    picked = np.ascontiguousarray(full[:: stride[0], :: stride[1], :: stride[2]])
    scaled = spacing[0] * stride[0], spacing[1] * stride[1], spacing[2] * stride[2]
    return _Coarse(picked, scaled, stride)


_IN_PLANE = np.zeros((3, 3, 3), dtype=bool)
_IN_PLANE[1] = [[False, True, False], [True, True, True], [False, True, False]]
"""Neighbours in the axial plane only: labels of each plane on its own, in one call."""

CUT_AREA_MM2 = 1500.0
"""Tissue of lung density that is open to the edge of the image over more than this counts as cut."""

_EDGES = (
    ("front", (slice(None), 0, slice(None))),
    ("back", (slice(None), -1, slice(None))),
    ("right", (slice(None), slice(None), 0)),
    ("left", (slice(None), slice(None), -1)),
)


def _inside(air: BoolArray, coarse: _Coarse) -> tuple[BoolArray, tuple[str, ...]]:
    """Return air that no path in its axial plane leads from to the edge, and where lung is cut.

    Plane by plane, because in three dimensions the airway leads to the room through the mouth.
    """
    from scipy import ndimage

    labels, count = ndimage.label(air, structure=_IN_PLANE)
    open_labels = np.zeros(count + 1, dtype=bool)
    for _, edge in _EDGES:
        open_labels[labels[edge]] = True
    open_labels[0] = False
    outside: BoolArray = open_labels[labels]
    return air & ~outside, _cut_sides(outside, coarse)


def _cut_sides(outside: BoolArray, coarse: _Coarse) -> tuple[str, ...]:
    """Return the edges at which tissue of lung density lies, in planes whose body is cut there too.

    The second condition leaves out couches and cushions, whose foam is as dense as lung.
    """
    tissue = outside & (coarse.hu > -930) & (coarse.hu < -650)
    body = _body(coarse)
    found: list[str] = []
    for name, edge in _EDGES:
        axis = 1 if name in ("front", "back") else 2
        depth = max(2, round(10.0 / coarse.spacing[axis]))
        reach = slice(0, depth) if edge[axis] == 0 else slice(-depth, None)
        near = (slice(None), reach) if axis == 1 else (slice(None), slice(None), reach)
        deep = tissue[near].all(axis=axis) & body[edge].any(axis=1, keepdims=True)
        area = float(deep.sum()) * coarse.spacing[0] * coarse.spacing[3 - axis]
        if area > CUT_AREA_MM2:
            found.append(name)
    return tuple(found)


def _body(coarse: _Coarse) -> BoolArray:
    """Return soft tissue and bone of the patient at half the grid: without a couch that touches."""
    from scipy import ndimage

    solid: BoolArray = ndimage.binary_erosion(
        coarse.hu[:, ::2, ::2] > -200, structure=_IN_PLANE, border_value=1
    )
    labels, count = ndimage.label(solid)
    if count == 0:
        return solid
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest: BoolArray = labels == int(sizes.argmax())
    return largest


@dataclass(frozen=True, eq=False)
class _Airway:
    removed: BoolArray
    ml: float


def _airway(inside: BoolArray, coarse: _Coarse) -> _Airway:
    """Grow trachea and main bronchi from a seed near the top, with a leak guard, and add the wall."""
    from scipy import ndimage

    nothing = _Airway(np.zeros_like(inside), 0.0)
    seeds = _airway_seeds(inside, coarse)
    if not seeds:
        return nothing
    for threshold in AIRWAY_STEPS_HU:
        labels, count = ndimage.label(inside & (coarse.hu < threshold))
        found = np.unique([labels[seed] for seed in seeds])
        sizes = np.bincount(labels.ravel(), minlength=count + 1) * coarse.voxel_ml
        # A seed may sit in a bulla, so that the rest leaks for it: bodies that leak are left alone.
        fitting = [label for label in found if label and sizes[label] <= AIRWAY_LIMIT_ML]
        if fitting and labels[seeds[0]] in fitting:
            kept = np.zeros(count + 1, dtype=bool)
            kept[fitting] = True
            steps = max(1, round(AIRWAY_WALL_MM / coarse.spacing[2]))
            wall = ndimage.binary_dilation(kept[labels], structure=_IN_PLANE, iterations=steps)
            return _Airway(wall, float(sizes[fitting].sum()))
    return nothing


def _airway_seeds(inside: BoolArray, coarse: _Coarse) -> list[tuple[int, int, int]]:
    """Return voxels of round, very dark bodies near the midline in the axial planes, from the top."""
    from scipy import ndimage

    pixel_mm2 = coarse.spacing[1] * coarse.spacing[2]
    dark = inside & (coarse.hu < -900)
    middle = _midline(coarse)
    seeds: list[tuple[int, int, int]] = []
    for plane in range(inside.shape[0] - 1, inside.shape[0] // 3, -1):
        labels, count = ndimage.label(dark[plane])
        for index, box in enumerate(ndimage.find_objects(labels, count), start=1):
            body = labels[box] == index
            area = float(np.count_nonzero(body)) * pixel_mm2
            if not AIRWAY_AREA_MM2[0] <= area <= AIRWAY_AREA_MM2[1]:
                continue
            height, width = body.shape
            rows, columns = np.nonzero(body)
            column = float(columns.mean()) + box[1].start
            filled = np.count_nonzero(body) / (height * width)
            off = abs(column - middle) * coarse.spacing[2]
            if off < 30.0 and filled > 0.5 and 0.4 < height / width < 2.5:
                nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
                seeds.append(
                    (plane, int(rows[nearest]) + box[0].start, int(columns[nearest]) + box[1].start)
                )
    return seeds


def _midline(coarse: _Coarse) -> float:
    """Return the column of the middle of the body: half way between its left and right skin."""
    columns = np.flatnonzero(
        (coarse.hu > -300).sum(axis=(0, 1)) > 0.02 * coarse.hu.shape[0] * coarse.hu.shape[1]
    )
    if columns.size == 0:
        return float(coarse.hu.shape[2] - 1) / 2
    return float(columns[0] + columns[-1]) / 2


def _two_sides(candidates: BoolArray, coarse: _Coarse) -> tuple[BoolArray, BoolArray, bool]:
    """Return the right and the left lung of the coarse grid, parted when they touch."""
    from scipy import ndimage

    labels, count = ndimage.label(candidates)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * coarse.voxel_ml
    middle = _midline(coarse)
    sizes[0] = 0.0
    right = np.zeros_like(candidates)
    left = np.zeros_like(candidates)
    split = False
    floor = candidates.shape[0]
    boxes = ndimage.find_objects(labels)
    for label in np.argsort(sizes)[::-1]:
        if sizes[label] < SMALLEST_PART_ML:
            break
        box = boxes[label - 1]
        if sizes[label] < SMALLEST_LUNG_ML and not box[0].start >= floor:
            continue
        body = labels[box] == label
        if not GAS_HU <= float(np.median(coarse.hu[box][body])) <= DENSEST_LUNG_HU:
            continue
        floor = min(floor, _floor(body) + box[0].start)
        columns = np.flatnonzero(body.any(axis=(0, 1))) + box[2].start
        balance = _share_right(body, box[2].start, middle)
        if 0.15 < balance < 0.85 and columns[0] < middle < columns[-1]:
            first, second = _part(body, coarse, middle - box[2].start)
            right[box] |= first
            left[box] |= second
            split = True
        else:
            (right if balance >= 0.5 else left)[box] |= body
    return right, left, split


def _floor(body: BoolArray) -> int:
    """Return the plane above which nine tenths of a body lie: higher is above the diaphragm's edge."""
    below = np.cumsum(body.sum(axis=(1, 2), dtype=np.int64))
    return int(np.searchsorted(below, 0.1 * below[-1]))


def _share_right(body: BoolArray, start: int, middle: float) -> float:
    counts = body.sum(axis=(0, 1), dtype=np.int64)
    columns = np.arange(start, start + body.shape[2])
    return float(counts[columns < middle].sum()) / float(counts.sum())


def _part(body: BoolArray, coarse: _Coarse, middle: float) -> tuple[BoolArray, BoolArray]:
    """Part one body of air into right and left: erode until it falls apart, then grow back.

    Where no erosion parts it, the midline does.
    """
    from scipy import ndimage

    core = body
    for _ in range(6):
        core = ndimage.binary_erosion(core, structure=_IN_PLANE)
        labels, count = ndimage.label(core)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        sizes[0] = 0
        largest = np.argsort(sizes)[::-1][:2]
        if count >= 2 and sizes[largest[1]] > 0.15 * sizes[largest[0]]:
            shares = [_share_right(labels == label, 0, middle) for label in largest]
            if (shares[0] - 0.5) * (shares[1] - 0.5) < 0:
                first = largest[int(np.argmax(shares))]
                second = largest[int(np.argmin(shares))]
                return _grow_back(body, labels, int(first), int(second), coarse.spacing)
    columns = np.arange(body.shape[2])[None, None, :]
    return body & (columns < middle), body & (columns >= middle)


def _grow_back(
    body: BoolArray, labels: npt.NDArray[np.int32], first: int, second: int, spacing: Triple
) -> tuple[BoolArray, BoolArray]:
    from scipy import ndimage

    to_first = ndimage.distance_transform_edt(labels != first, sampling=spacing)
    to_second = ndimage.distance_transform_edt(labels != second, sampling=spacing)
    nearer = to_first <= to_second
    return body & nearer, body & ~nearer


def _refine(
    mask: BoolArray, lesions: BoolArray, airway: BoolArray, full: IntArray, coarse: _Coarse
) -> BoolArray:
    """Return one lung at full size: closed over its vessels and lesions, its edge at the threshold."""
    from scipy import ndimage

    result = np.zeros(full.shape, dtype=bool)
    if not mask.any():
        return result
    near = bounds(mask | lesions, margin=(1, 2, 2))
    # A coarse voxel at the edge may be mostly wall: there the threshold at full size decides.
    closed = _closed((mask | lesions)[near], coarse.spacing)
    upright = np.ones((max(1, round(UPRIGHT_MM / coarse.spacing[0])) // 2 * 2 + 1, 1, 1), dtype=bool)
    closed |= ndimage.binary_closing(closed, structure=upright) & ~airway[near]
    inner = ndimage.binary_erosion(closed, structure=_IN_PLANE, border_value=1) & ~airway[near]
    inner |= lesions[near]
    grown = ndimage.binary_dilation(mask[near]) & ~airway[near]
    target = tuple(
        slice(span.start * step, min(span.stop * step, size))
        for span, step, size in zip(near, coarse.stride, full.shape, strict=True)
    )
    shape = full[target].shape
    edge = _upsampled(grown, coarse.stride, shape)
    core = _upsampled(inner, coarse.stride, shape)
    result[target] = (edge & (full[target] < LUNG_HU)) | core
    return result


def _closed(mask: BoolArray, spacing: Triple) -> BoolArray:
    """Close one lung in the axial plane by a disc of `CLOSING_MM` and fill its holes."""
    from scipy import ndimage

    radius = max(1, round(CLOSING_MM / spacing[2]))
    padded = np.pad(mask, ((0, 0), (radius + 1, radius + 1), (radius + 1, radius + 1)))
    # A disc as steps of cross and square in turn (an octagon): much faster than one large element.
    square = np.zeros((3, 3, 3), dtype=bool)
    square[1] = True
    elements = [square if step % 2 else _IN_PLANE for step in range(radius)]
    grown = padded
    for element in elements:
        grown = ndimage.binary_dilation(grown, structure=element)
    for element in elements:
        grown = ndimage.binary_erosion(grown, structure=element, border_value=1)
    holes, count = ndimage.label(~grown, structure=_IN_PLANE)
    open_holes = np.zeros(count + 1, dtype=bool)
    open_holes[holes[:, 0, :]] = True
    filled = grown | ~(open_holes[holes] | grown)
    inner = filled[:, radius + 1 : -radius - 1, radius + 1 : -radius - 1]
    return np.ascontiguousarray(inner)


def _upsampled(mask: BoolArray, stride: tuple[int, int, int], shape: tuple[int, ...]) -> BoolArray:
    for axis, step in enumerate(stride):
        if step > 1:
            mask = np.repeat(mask, step, axis=axis)
    return mask[tuple(slice(0, size) for size in shape)]


END_SHARE = 0.04
"""A lung whose first or last plane is larger than this share of its largest is cut there."""


def _cut_ends(mask: BoolArray, coarse: _Coarse) -> tuple[str, ...]:
    areas = mask.sum(axis=(1, 2), dtype=np.int64)
    largest = int(areas.max())
    found = []
    if areas[-1] > END_SHARE * largest:
        found.append("head")
    if areas[0] > END_SHARE * largest:
        found.append("feet")
    return tuple(found)


BASES_SHARE = 0.8
"""Lungs whose top plane is this share of their largest, and whose lowest is empty, are only bases."""


def _only_bases(mask: BoolArray) -> bool:
    areas = mask.sum(axis=(1, 2), dtype=np.int64)
    return bool(areas[-1] >= BASES_SHARE * areas.max() and areas[0] == 0)

"""Where uptake is usual: the body on a PET, and places of brain, heart, kidneys and bladder in it.

Rules of thumb on FDG: they only make a remark on a candidate and never take one away. Landmarks
come from the PET itself (skin, lungs, legs); where one is not in the images, its rule is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.orientation import Oblique, Triple, canonical
from inference.evidence.pet.uptake import Uptake
from reports.domain import Side
from viewer.imaging.volume import Volume

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Place = tuple[float, float, float]
"""Millimetres from the first voxel of the canonical view: towards head, back and left."""

BODY_SUV = 0.2
"""Skin against room; fat takes up 0.2 to 0.4."""

LUNG_SUV = 0.7
"""Lungs take up about 0.5, other tissue more than 1 with the exception of fat."""

HEAD_MM = 230.0
"""Widest head; a narrower cross-section is head, neck or limb."""

MIDLINE_MM = 30.0
BRAIN_ML, BRAIN_REACH_MM = 150.0, 200.0
BLADDER_REACH_MM = 140.0
KIDNEY_APART_MM = (50.0, 220.0)
KIDNEY_LEVEL_MM = 60.0
KIDNEY_ML = (2.0, 400.0)
HEART_ML = 10.0
LUNG_SHARE, CHEST_MM = 0.12, 100.0
"""Share of a cross-section with the uptake of lung, and height over which it must hold, for a chest."""

SIDE_MM = 15.0
"""Uptake closer than this to the middle of the body has no certain side."""


@dataclass(frozen=True, eq=False)
class BodyMap:
    """What the PET shows of the body, plane by plane from the feet, in mm of the canonical view.

    Parameters
    ----------
    mask
        Body in the order of the volume.
    left, right, front, back
        Skin of each plane; NaN without a body. The left of the patient has the higher number.
    parts
        Large bodies of each plane: two for the legs.
    lung_share
        Share of each plane with the uptake of lung.
    """

    mask: BoolArray
    step: float
    right: npt.NDArray[np.float64]
    left: npt.NDArray[np.float64]
    front: npt.NDArray[np.float64]
    back: npt.NDArray[np.float64]
    parts: npt.NDArray[np.int64]
    lung_share: npt.NDArray[np.float64]
    is_cut: bool

    def plane(self, place: Place) -> int:
        """Return the plane of a place."""
        return min(max(round(place[0] / self.step), 0), self.right.size - 1)

    def width(self, plane: int) -> float:
        """Return the width of the body in a plane, mm."""
        return float(self.left[plane] - self.right[plane])

    def off_middle(self, place: Place) -> float:
        """Return how far a place lies to the left of the middle of the body, mm."""
        plane = self.plane(place)
        return place[2] - float(self.left[plane] + self.right[plane]) / 2.0

    def depth(self, place: Place) -> float:
        """Return how deep a place lies between front (0) and back (1) of the body."""
        plane = self.plane(place)
        return (place[1] - float(self.front[plane])) / float(self.back[plane] - self.front[plane])


def body_map(values: FloatArray, volume: Volume) -> BodyMap | None:
    """Return the map of a body; none for oblique volumes or without a body."""
    from scipy import ndimage

    try:
        lie = canonical(volume.affine)
    except Oblique:
        return None
    steps = lie.spacing(volume.spacing)
    view = lie.view(values)
    smooth = ndimage.uniform_filter(view, size=[max(1, round(8.0 / step)) for step in steps])
    least = 2000.0 / (steps[1] * steps[2])
    body = np.zeros(view.shape, dtype=bool)
    edges = np.full((4, view.shape[0]), np.nan)
    parts = np.zeros(view.shape[0], dtype=np.int64)
    lung = np.zeros(view.shape[0])
    for plane in range(view.shape[0]):
        labels, count = ndimage.label(smooth[plane] > BODY_SUV)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        sizes[0] = 0
        large = np.flatnonzero(sizes >= least)
        if large.size == 0:
            continue
        parts[plane] = int(np.count_nonzero(sizes >= 0.3 * sizes.max()))
        body[plane] = ndimage.binary_fill_holes(np.isin(labels, large))
        rows, columns = (np.flatnonzero(body[plane].any(axis=axis)) for axis in (1, 0))
        edges[:, plane] = (
            columns[0] * steps[2],
            columns[-1] * steps[2],
            rows[0] * steps[1],
            rows[-1] * steps[1],
        )
        inner = ndimage.binary_erosion(body[plane], iterations=max(1, round(25.0 / steps[2])))
        lung[plane] = np.count_nonzero(inner & (smooth[plane] < LUNG_SUV)) / max(body[plane].sum(), 1)
    if not body.any():
        return None
    cut = bool(body[:, 0].any() or body[:, -1].any() or body[:, :, 0].any() or body[:, :, -1].any())
    right, left, front, back = edges
    return BodyMap(
        mask=lie.back(body),
        step=steps[0],
        right=right,
        left=left,
        front=front,
        back=back,
        parts=parts,
        lung_share=lung,
        is_cut=cut,
    )


def place_of(volume: Volume, voxel: tuple[int, int, int]) -> Place:
    """Return a voxel (slice, row, column) in mm of the canonical view."""
    lie = canonical(volume.affine)
    steps = lie.spacing(volume.spacing)
    return _mm(voxel, lie.order, lie.flipped, volume.stored.shape, steps)


def _mm(
    voxel: Sequence[int],
    order: tuple[int, int, int],
    flipped: tuple[bool, bool, bool],
    shape: tuple[int, ...],
    steps: Triple,
) -> Place:
    found = []
    for axis, back, step in zip(order, flipped, steps, strict=True):
        at = shape[axis] - 1 - voxel[axis] if back else voxel[axis]
        found.append(at * step)
    return found[0], found[1], found[2]


def side_at(body: BodyMap | None, place: Place) -> Side:
    """Return the side of a place, by the middle between the skin on both sides of its plane."""
    if body is None or body.is_cut or not np.isfinite(body.right[body.plane(place)]):
        return Side.UNKNOWN
    off = body.off_middle(place)
    if abs(off) < SIDE_MM:
        return Side.UNKNOWN
    return Side.LEFT if off > 0 else Side.RIGHT


def usual_places(body: BodyMap, found: Sequence[Uptake], places: Sequence[Place]) -> tuple[str, ...]:
    """Return for each uptake the organ whose usual uptake it may be, or an empty text."""
    named = [""] * len(found)
    crotch = _crotch(body)
    chest = _chest(body)
    for index, (one, place) in enumerate(zip(found, places, strict=True)):
        if not np.isfinite(body.right[body.plane(place)]):
            continue
        if _is_brain(body, one, place):
            named[index] = "brain"
        elif crotch is not None and _is_bladder(body, place, crotch):
            named[index] = "bladder"
        elif chest.size and _is_heart(body, one, place, chest):
            named[index] = "heart"
    _name_kidneys(body, found, places, chest, named)
    return tuple(named)


def _crotch(body: BodyMap) -> int | None:
    """Return the lowest plane with one wide body, where the legs stand apart below it; else none."""
    for plane in range(1, body.right.size):
        below, here = body.parts[plane - 1], body.parts[plane]
        if below == 2 and here == 1 and body.width(plane) > HEAD_MM:
            return plane if np.all(body.parts[:plane][-5:] == 2) else None
    return None


def _chest(body: BodyMap) -> npt.NDArray[np.int64]:
    """Return the planes of the chest: wide, with lung on them, over enough height; else none."""
    wide = (body.lung_share >= LUNG_SHARE) & (body.left - body.right > HEAD_MM)
    found = np.flatnonzero(wide)
    runs = np.split(found, np.flatnonzero(np.diff(found) > 2) + 1)
    planes = max(runs, key=len)
    return planes if planes.size * body.step >= CHEST_MM else planes[:0]


def _is_brain(body: BodyMap, one: Uptake, place: Place) -> bool:
    """A large, central uptake within the head: everything above it is as narrow as a head."""
    above = slice(body.plane(place), None)
    widths = (body.left - body.right)[above]
    top = np.flatnonzero(np.isfinite(body.right))[-1] * body.step
    return bool(
        one.fixed.ml >= BRAIN_ML
        and np.nanmax(widths) <= HEAD_MM
        and top - place[0] <= BRAIN_REACH_MM
        and abs(body.off_middle(place)) <= 2.0 * MIDLINE_MM
    )


def _is_bladder(body: BodyMap, place: Place, crotch: int) -> bool:
    height = place[0] - crotch * body.step
    return 0.0 <= height <= BLADDER_REACH_MM and abs(body.off_middle(place)) <= MIDLINE_MM


def _is_heart(body: BodyMap, one: Uptake, place: Place, chest: npt.NDArray[np.int64]) -> bool:
    span = int(chest[-1] - chest[0])
    level = (body.plane(place) - int(chest[0])) / max(span, 1)
    return (
        one.fixed.ml >= HEART_ML
        and -0.1 <= level <= 0.6
        and 0.0 <= body.off_middle(place) <= 110.0
        and body.depth(place) <= 0.6
    )


def _name_kidneys(
    body: BodyMap,
    found: Sequence[Uptake],
    places: Sequence[Place],
    chest: npt.NDArray[np.int64],
    named: list[str],
) -> None:
    """Name pairs in the back half of the trunk, one on each side at one level, below the lungs."""
    if not chest.size:
        return
    middle_of_chest = float(np.median(chest)) * body.step
    able = [
        index
        for index, (one, place) in enumerate(zip(found, places, strict=True))
        if not named[index]
        and np.isfinite(body.right[body.plane(place)])
        and KIDNEY_ML[0] <= one.fixed.ml <= KIDNEY_ML[1]
        and body.depth(place) >= 0.45
        and place[0] < middle_of_chest
        and body.width(body.plane(place)) > HEAD_MM
        and abs(body.off_middle(place)) > SIDE_MM
    ]
    for first in able:
        for second in able:
            one, other = body.off_middle(places[first]), body.off_middle(places[second])
            apart = other - one
            level = abs(places[first][0] - places[second][0])
            is_pair = one < 0 < other and KIDNEY_APART_MM[0] <= apart <= KIDNEY_APART_MM[1]
            if is_pair and level <= KIDNEY_LEVEL_MM:
                named[first] = named[second] = "kidney"

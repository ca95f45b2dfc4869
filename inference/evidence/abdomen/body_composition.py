"""Body composition on one image that a person chose: fat under the skin, fat inside, skeletal muscle.

Recipe and sources in docs/evidence/ct-body-composition.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.abdomen.prepared import ABDOMEN_CT, Misfit, Ready, phase_words, prepared
from inference.evidence.contours import mask_polygon
from inference.evidence.kept import kept
from inference.evidence.masks import MaskStore
from inference.evidence.quantities import quantity
from inference.evidence.seeds import frame_index, seed_mm, to_voxel
from inference.evidence.tool import (
    Applies,
    IdSource,
    MeasureContext,
    Need,
    NeedShape,
    RefusalCode,
    refused,
    source,
)
from reports.domain import Code, Evidence, EvidenceKind, Quantity, ReportDefault, Side
from viewer.imaging.contour import inside_polygon
from viewer.imaging.regions import Region, Shape, Space, outline

IntArray = npt.NDArray[np.int16]
BoolArray = npt.NDArray[np.bool_]

LEVEL_ROLE, CAVITY_ROLE = "l3", "abdominal_cavity"

MUSCLE_HU = (-29, 150)
SUBCUTANEOUS_HU = (-190, -30)
VISCERAL_HU = (-150, -50)

BODY_HU = -300
COUCH_MM = 5.0
SKIN_MM = 2.5
NARROWEST_MM = 200.0
"""A narrower cross-section is no trunk of an adult."""

WALL_GAP_MM = 12.0
"""Gaps of fat in the muscular wall up to twice this are closed."""

WALL_MM = (4.0, 8.0, 12.0)
"""Thickness of the wall that is kept out of the visceral fat: thin, usual, thick."""

EDGE_HU = 10
"""Thresholds are moved by this either way for the uncertainty of the muscle."""

COMPOSITION = Code(value="BODYCOMP", scheme="99SIGHTLINE", meaning="Body composition")
CODES = {
    "muscle": Code(value="127954009", scheme="SCT", meaning="Skeletal muscle"),
    "subcutaneous": Code(value="727294007", scheme="SCT", meaning="Subcutaneous adipose tissue"),
    "visceral": Code(value="725273007", scheme="SCT", meaning="Visceral adipose tissue"),
}


@dataclass(frozen=True)
class BodyComposition:
    """Areas of fat and muscle on the image at L3."""

    name: str = "ct-body-composition"
    version: str = "1"
    title: str = "Body composition at L3"
    concept: Code = COMPOSITION
    report_default: ReportDefault = ReportDefault.ON_REQUEST
    applies: Applies = ABDOMEN_CT
    needs: tuple[Need, ...] = (
        Need(LEVEL_ROLE, NeedShape.LEVEL, "Show the image through the middle of the L3 vertebra"),
    )

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence, or one refusal."""
        ready = prepared(ctx, self.title)
        if not isinstance(ready, Ready):
            return (refused(self, ids.take(), *ready),)
        plane = _plane(ctx, ready)
        if plane is None:
            reason = "The image that was shown for L3 is not in this series: show it here."
            return (refused(self, ids.take(), RefusalCode.OUTSIDE_IMAGE, reason),)
        steps = ready.volume.spacing[1], ready.volume.spacing[2]
        parts = compartments(ready.hu[plane], steps)
        if not isinstance(parts, Compartments):
            return (refused(self, ids.take(), *parts),)
        cavity = _cavity(ctx, plane, parts.wall.shape)
        if isinstance(cavity, str):
            return (refused(self, ids.take(), RefusalCode.OUTSIDE_IMAGE, cavity),)
        return (self._evidence(ctx, ready, parts, plane=plane, cavity=cavity, ids=ids, masks=masks),)

    def _evidence(
        self,
        ctx: MeasureContext,
        ready: Ready,
        parts: Compartments,
        *,
        plane: int,
        cavity: BoolArray | None,
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        image = ready.hu[plane]
        pixel_cm2 = ready.volume.spacing[1] * ready.volume.spacing[2] / 100.0
        visceral = parts.visceral if cavity is None else parts.fat_inside & cavity
        shown = {"subcutaneous": parts.subcutaneous, "visceral": visceral}
        values = [
            _area("subcutaneous_fat", parts.subcutaneous, pixel_cm2, edge(parts.subcutaneous) / 4.0),
            _area(
                "visceral_fat",
                visceral,
                pixel_cm2,
                parts.visceral_doubt if cavity is None else edge(visceral) / 4.0,
            ),
        ]
        warnings = [phase_words(ctx.series)]
        if cavity is None:
            warnings.append(
                "muscle is not measured: it needs the inner border of the abdominal wall, drawn by a "
                "person on this image"
            )
        else:
            muscle = parts.wall & ~cavity & ~parts.bone & between(image, MUSCLE_HU)
            doubt = _muscle_doubt(image, parts, cavity)
            values.insert(0, _area("muscle_area", muscle, pixel_cm2, doubt))
            values.insert(1, quantity("muscle_density", float(image[muscle].mean())))
            shown = {"muscle": muscle, **shown}
        regions: list[Region] = []
        for name, flat in shown.items():
            if flat.any():
                mask = np.zeros(ready.hu.shape, dtype=bool)
                mask[plane] = flat
                code = CODES[name]
                regions.append(kept(ctx, masks, mask, label=code.meaning, side=Side.NONE, concept=code))
                regions.insert(0, mask_polygon(ctx.stack, mask))
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.MEASUREMENT,
            concept=self.concept,
            label=self.title,
            side=Side.NONE,
            values=tuple(values),
            regions=tuple(regions),
            source=source(self),
            report_default=self.report_default,
            checks=("level shown by a person", "whole cross-section in the image"),
            warnings=tuple(warnings),
        )


def _plane(ctx: MeasureContext, ready: Ready) -> int | None:
    """Return the slice of the volume that a person showed."""
    region = ctx.inputs[LEVEL_ROLE]
    if region.space is Space.IMAGE:
        return frame_index(ctx, region)
    place = seed_mm(ctx, region)
    if place is None:
        return None
    number = round(float(to_voxel(ready.volume, place)[0]))
    return number if 0 <= number < ready.hu.shape[0] else None


def _cavity(ctx: MeasureContext, plane: int, shape: tuple[int, ...]) -> BoolArray | str | None:
    """Return the drawn cavity on the image of the level; a reason when it is drawn elsewhere."""
    region = ctx.inputs.get(CAVITY_ROLE)
    if region is None:
        return None
    if region.shape is Shape.POINT or frame_index(ctx, region) != plane:
        return "The abdominal cavity must be drawn on the same image as the level."
    return inside_polygon(outline(region, segments=360), (shape[0], shape[1]))


@dataclass(frozen=True, eq=False)
class Compartments:
    """Parts of one cross-section, (row, column).

    Parameters
    ----------
    wall
        All that the muscular wall encloses, with the wall.
    fat_inside
        Fat within it.
    visceral
        Fat within it in front of the spine and inside the wall.
    visceral_doubt
        Half of the range of that, in pixels, when the wall is thought thinner and thicker.
    """

    wall: BoolArray
    bone: BoolArray
    subcutaneous: BoolArray
    fat_inside: BoolArray
    visceral: BoolArray
    visceral_doubt: float


def compartments(image: IntArray, steps: tuple[float, float]) -> Compartments | Misfit:
    """Return the parts of an axial cross-section of the trunk, or why there are none.

    Parameters
    ----------
    image
        (row, column) HU; rows run to the back.
    steps
        Between rows and columns, mm.
    """
    trunk = _trunk(image, steps)
    if not isinstance(trunk, np.ndarray):
        return trunk
    inner = _eroded(trunk, SKIN_MM, steps)
    wall = _wall(inner & (image >= MUSCLE_HU[0]), inner, steps)
    if np.count_nonzero(wall) < 0.2 * np.count_nonzero(trunk):
        return RefusalCode.UNCERTAIN, "The muscular wall of the trunk was not found on this image."
    bone = _bone(image, wall, steps)
    fat_inside = wall & between(image, VISCERAL_HU)
    spine_row = _spine_row(bone, image.shape)
    front = np.arange(image.shape[0])[:, None] < spine_row
    found = [fat_inside & front & _eroded(wall, thick, steps) for thick in WALL_MM]
    counts = [int(np.count_nonzero(one)) for one in found]
    return Compartments(
        wall=wall,
        bone=bone,
        subcutaneous=inner & ~wall & between(image, SUBCUTANEOUS_HU),
        fat_inside=fat_inside,
        visceral=found[1],
        visceral_doubt=max((counts[0] - counts[2]) / 2.0, edge(found[1]) / 4.0),
    )


def between(image: IntArray, limits: tuple[int, int]) -> BoolArray:
    """Return the pixels within limits, both included."""
    return np.asarray((image >= limits[0]) & (image <= limits[1]))


def edge(mask: BoolArray) -> float:
    """Return the sides of pixels along the edge of a mask."""
    padded = np.pad(mask, 1)
    return float(sum(np.count_nonzero(np.diff(padded, axis=axis)) for axis in (0, 1)))


def _trunk(image: IntArray, steps: tuple[float, float]) -> BoolArray | Misfit:
    from scipy import ndimage

    rounds = max(1, round(COUCH_MM / min(steps)))
    opened = ndimage.binary_opening(image > BODY_HU, iterations=rounds)
    labels, count = ndimage.label(opened)
    if count == 0:
        return RefusalCode.UNCERTAIN, "There is no body on this image."
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    trunk: BoolArray = ndimage.binary_fill_holes(labels == int(sizes.argmax()))
    if trunk[0].any() or trunk[-1].any() or trunk[:, 0].any() or trunk[:, -1].any():
        return (
            RefusalCode.CUT_FIELD_OF_VIEW,
            "The body is cut by the edge of this image: its areas are not known.",
        )
    columns = np.flatnonzero(trunk.any(axis=0))
    if (columns[-1] - columns[0]) * steps[1] < NARROWEST_MM:
        return RefusalCode.WRONG_REGION, "This cross-section is too narrow for a trunk."
    return trunk


def _wall(lean: BoolArray, inner: BoolArray, steps: tuple[float, float]) -> BoolArray:
    """Return what the muscular wall encloses: lean tissue closed over its gaps, holes filled."""
    from scipy import ndimage

    specks = ndimage.binary_opening(lean, iterations=max(1, round(1.5 / min(steps))))
    grown = ndimage.distance_transform_edt(~specks, sampling=steps) <= WALL_GAP_MM
    filled = ndimage.binary_fill_holes(grown)
    closed = ndimage.distance_transform_edt(filled, sampling=steps) > WALL_GAP_MM
    labels, count = ndimage.label(closed & inner)
    if count == 0:
        return np.zeros_like(lean)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(ndimage.binary_fill_holes(labels == int(sizes.argmax())))


def _eroded(mask: BoolArray, by: float, steps: tuple[float, float]) -> BoolArray:
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1), sampling=steps)[1:-1, 1:-1] > by)


def _bone(image: IntArray, wall: BoolArray, steps: tuple[float, float]) -> BoolArray:
    """Return bone with its marrow: dense tissue of some size in the back, closed and filled."""
    from scipy import ndimage

    dense = wall & (image > MUSCLE_HU[1])
    closed = ndimage.binary_closing(dense, iterations=max(1, round(4.0 / min(steps))))
    filled = ndimage.binary_fill_holes(closed) & wall
    labels, count = ndimage.label(filled)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * steps[0] * steps[1]
    large = sizes > 30.0
    large[0] = False
    return np.asarray(large[labels])


def _spine_row(bone: BoolArray, shape: tuple[int, ...]) -> float:
    """Return the row of the spinal canal: two thirds down the largest bone; the back without one."""
    from scipy import ndimage

    labels, count = ndimage.label(bone)
    if count == 0:
        return float(shape[0])
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return float(np.percentile(np.nonzero(labels == int(sizes.argmax()))[0], 67))


def _muscle_doubt(image: IntArray, parts: Compartments, cavity: BoolArray) -> float:
    """Return half of what both thresholds change, and a quarter pixel of the outline, in pixels."""
    place = parts.wall & ~cavity & ~parts.bone
    wide = between(image, (MUSCLE_HU[0] - EDGE_HU, MUSCLE_HU[1] + EDGE_HU))
    narrow = between(image, (MUSCLE_HU[0] + EDGE_HU, MUSCLE_HU[1] - EDGE_HU))
    change = np.count_nonzero(place & wide) - np.count_nonzero(place & narrow)
    return float(change / 2.0 + edge(cavity) / 4.0)


def _area(name: str, mask: BoolArray, pixel_cm2: float, doubt_pixels: float) -> Quantity:
    return quantity(name, np.count_nonzero(mask) * pixel_cm2, uncertainty=doubt_pixels * pixel_cm2)

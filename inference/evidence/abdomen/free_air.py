"""Gas at the front that may lie outside the bowel: candidates to look at, never a statement.

Recipe and sources in docs/evidence/ct-free-air.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.abdomen.prepared import ABDOMEN_CT, Misfit, Ready, prepared
from inference.evidence.contours import mask_polygon
from inference.evidence.kept import kept
from inference.evidence.masks import MaskStore
from inference.evidence.orientation import Oblique, Triple, canonical
from inference.evidence.quantities import quantity
from inference.evidence.tool import (
    Applies,
    IdSource,
    MeasureContext,
    Need,
    RefusalCode,
    ToolCancelled,
    refused,
    source,
)
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    ReportDefault,
    Search,
    SearchResult,
    Side,
)

IntArray = npt.NDArray[np.int16]
BoolArray = npt.NDArray[np.bool_]

GAS_HU = -500
LUNG_HU = (-940, -500)
"""Median of a body that is lung and not gas."""

LUNG_ML = 15.0
SMALLEST_ML, MOST = 0.3, 12

BODY_HU = -300
NARROWEST_MM = 220.0
"""A narrower cross-section is no trunk: limbs and heads are not looked at."""

SHELL_MM = (1.5, 4.5)
"""Where the wall of the bowel would lie around its gas."""

WALL_HU = -20
"""Denser than this within the shell is wall; fat has less."""

BARE_SHARE = 0.3
"""A body with less wall than the rest around it lies against fat: gas in bowel has wall all round."""

FLAT_RATIO = 0.45
"""Free air under the wall is flatter than this: height over width."""

UNDER_WALL_SHARE = 0.7
"""So much of the front of a body must lie straight under the wall of the trunk."""

LAYER_MM, SKIN_MM = 25.0, 4.0
"""Thickest muscle of the front wall, and skin, which is no layer of it."""

ON_BACK = ("HFS", "FFS")
NOT_ON_BACK = (
    "Free air is looked for at the front of a patient who lies on the back; Patient Position "
    "(0018,5100) does not say so."
)

FREE_AIR = Code(value="80660001", scheme="SCT", meaning="Pneumoperitoneum")
CAVITY = Code(value="52731004", scheme="SCT", meaning="Abdominal cavity")


@dataclass(frozen=True)
class FreeAirCandidates:
    """Bodies of gas straight under the front wall that are bare of a wall of their own, or flat."""

    name: str = "ct-free-air"
    version: str = "1"
    title: str = "Free air candidates"
    concept: Code = FREE_AIR
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = ABDOMEN_CT
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return candidates, the most bare first, then the search; or one refusal."""
        ready = prepared(ctx, self.title)
        if not isinstance(ready, Ready):
            return (refused(self, ids.take(), *ready),)
        if ctx.series.patient_position not in ON_BACK:
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, NOT_ON_BACK),)
        try:
            lie = canonical(ready.volume.affine)
        except Oblique as error:
            return (refused(self, ids.take(), RefusalCode.GEOMETRY, str(error)),)
        steps = lie.spacing(ready.volume.spacing)

        def go_on() -> None:
            if ctx.cancelled():
                raise ToolCancelled

        hu = lie.view(ready.hu)
        trunk = _trunk(hu, steps)
        if not isinstance(trunk, np.ndarray):
            return (refused(self, ids.take(), *trunk),)
        go_on()
        found = gas_outside(hu, trunk, steps, go_on=go_on)
        listed = []
        for number, one in enumerate(found[:MOST], start=1):
            mask = np.zeros(hu.shape, dtype=bool)
            mask[one.box] = one.mask
            listed.append(
                self._candidate(
                    ctx, ready, one, np.ascontiguousarray(lie.back(mask)), number=number, ids=ids,
                    masks=masks,
                )
            )  # fmt: skip
        searched = kept(
            ctx, masks, np.ascontiguousarray(lie.back(trunk)), label="Searched for free air",
            side=Side.NONE, concept=CAVITY,
        )  # fmt: skip
        warnings = [
            "gas under 0.3 mL, and gas that is not straight under the front wall, is not listed"
        ]
        if len(found) > MOST:
            warnings.append(f"{len(found) - MOST} further bodies of gas are not listed")
        search = Evidence(
            id=ids.take(),
            kind=EvidenceKind.SEARCH,
            concept=FREE_AIR,
            label="Search for free air",
            side=Side.NONE,
            regions=(searched,),
            source=source(self),
            report_default=self.report_default,
            warnings=tuple(warnings),
            search=Search(
                target=FREE_AIR,
                searched="gas straight under the front wall of the trunk",
                coverage=0.3,
                complete=False,
                result=SearchResult.CANDIDATES if listed else SearchResult.NONE,
                candidates=tuple(one.id for one in listed),
            ),
        )
        return (*listed, search)

    def _candidate(
        self,
        ctx: MeasureContext,
        ready: Ready,
        one: Gas,
        mask: BoolArray,
        *,
        number: int,
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        label = f"Free air candidate {number}"
        region = kept(ctx, masks, mask, label=label, side=Side.UNKNOWN, concept=FREE_AIR)
        voxel = ready.volume.voxel_volume_ml
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.CANDIDATE,
            concept=FREE_AIR,
            label=label,
            side=Side.UNKNOWN,
            values=(quantity("gas_volume", one.voxels * voxel, uncertainty=one.edge / 2.0 * voxel),),
            regions=(mask_polygon(ctx.stack, mask), region),
            source=source(self),
            report_default=self.report_default,
            checks=(one.words,),
            warnings=("gas in bowel with a thin wall looks the same: look at the wall",),
        )


@dataclass(frozen=True, eq=False)
class Gas:
    """A body of gas in the canonical view.

    Parameters
    ----------
    bare
        Share of its surroundings without wall.
    edge
        Voxels at its edge whose density lies half way.
    words
        Why it is listed.
    """

    box: tuple[slice, slice, slice]
    mask: BoolArray
    voxels: int
    edge: int
    bare: float
    words: str


def _trunk(hu: IntArray, steps: Triple) -> BoolArray | Misfit:
    """Return the trunk plane by plane, with what it encloses, or why there is none."""
    from scipy import ndimage

    stride = max(1, round(2.5 / steps[2]))
    small = hu[:, ::stride, ::stride]
    rounds = max(1, round(5.0 / (steps[2] * stride)))
    trunk = np.zeros(small.shape, dtype=bool)
    wide = 0
    for plane in range(small.shape[0]):
        opened = ndimage.binary_opening(small[plane] > BODY_HU, iterations=rounds)
        labels, count = ndimage.label(opened)
        if count == 0:
            continue
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        body = ndimage.binary_fill_holes(labels == int(sizes.argmax()))
        columns = np.flatnonzero(body.any(axis=0))
        if (columns[-1] - columns[0]) * steps[2] * stride >= NARROWEST_MM:
            trunk[plane] = body
            wide += 1
    if wide < max(2, hu.shape[0] // 2):
        return RefusalCode.WRONG_REGION, "Free air is looked for in a trunk; these images show none."
    full = np.repeat(np.repeat(trunk, stride, axis=1), stride, axis=2)
    return np.asarray(full[:, : hu.shape[1], : hu.shape[2]])


def gas_outside(
    hu: IntArray, trunk: BoolArray, steps: Triple, *, go_on: Callable[[], None]
) -> list[Gas]:
    """Return bodies of gas at the front, of someone on the back, that do not look like bowel.

    Parameters
    ----------
    hu, trunk
        Canonical view: to the head, to the back, to the left.
    go_on
        Called between bodies; may raise to stop.
    """
    from scipy import ndimage

    labels, count = ndimage.label((hu < GAS_HU) & trunk, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    boxes = ndimage.find_objects(labels)
    voxel_ml = float(np.prod(steps)) / 1000.0
    large = [one for one in np.flatnonzero(sizes * voxel_ml >= SMALLEST_ML) if one]
    medians = {
        one: float(np.median(hu[boxes[one - 1]][labels[boxes[one - 1]] == one])) for one in large
    }
    lungs = [
        one
        for one in large
        if sizes[one] * voxel_ml >= LUNG_ML and LUNG_HU[0] <= medians[one] <= LUNG_HU[1]
    ]
    lowest_lung = min((boxes[one - 1][0].start for one in lungs), default=hu.shape[0])
    front = _front_of(trunk)
    found = []
    for label in large:
        go_on()
        tight = boxes[label - 1]
        is_beside_lung = tight[0].stop > lowest_lung and medians[label] > LUNG_HU[0]
        if label in lungs or is_beside_lung:
            continue
        body = labels[tight] == label
        under_wall = _under_wall(hu, front, tight, body, steps)
        if under_wall < UNDER_WALL_SHARE:
            continue
        gas = _looked_at(hu, labels, int(label), tight, steps)
        tall, across = (tight[axis].stop - tight[axis].start for axis in (1, 2))
        is_flat = tall * steps[1] <= FLAT_RATIO * across * steps[2]
        if gas.bare >= BARE_SHARE or is_flat:
            found.append(gas)
    return sorted(found, key=lambda one: (-one.bare, -one.voxels))


def _front_of(trunk: BoolArray) -> npt.NDArray[np.int64]:
    """Return the row of the front skin at each plane and column; the last row without a body."""
    any_body = trunk.any(axis=1)
    return np.asarray(np.where(any_body, trunk.argmax(axis=1), trunk.shape[1]), dtype=np.int64)


def _under_wall(
    hu: IntArray,
    front: npt.NDArray[np.int64],
    box: tuple[slice, ...],
    body: BoolArray,
    steps: Triple,
) -> float:
    """Return the share of a body's front over which only the wall of the trunk lies.

    That is one layer of muscle (bowel that does not touch it has a layer of its own), no gas, and not
    too thick.
    """
    planes, columns = np.nonzero(body.any(axis=1))
    tops = body.argmax(axis=1)[planes, columns] + box[1].start
    thick = LAYER_MM / steps[1]
    skin = round(SKIN_MM / steps[1])
    single = 0
    for plane, column, top in zip(planes + box[0].start, columns + box[2].start, tops, strict=True):
        above = hu[plane, int(front[plane, column]) + skin : int(top), column]
        lean = above > WALL_HU
        layers = int(np.count_nonzero(np.diff(lean.astype(np.int8), prepend=0) == 1))
        clear = not np.any(above[: max(above.size - 2, 0)] < GAS_HU)
        single += layers <= 1 and clear and int(np.count_nonzero(lean)) <= thick
    return single / max(planes.size, 1)


def _looked_at(
    hu: IntArray, labels: npt.NDArray[np.int32], label: int, tight: tuple[slice, ...], steps: Triple
) -> Gas:
    """Return a body of gas with the share of its surroundings that has no wall."""
    from scipy import ndimage

    reach = [int(np.ceil(SHELL_MM[1] / step)) + 1 for step in steps]
    spans = [
        slice(max(span.start - r, 0), min(span.stop + r, size))
        for span, r, size in zip(tight, reach, hu.shape, strict=True)
    ]
    box = spans[0], spans[1], spans[2]
    body = labels[box] == label
    near = hu[box]
    distance, nearest = ndimage.distance_transform_edt(~body, sampling=steps, return_indices=True)
    shell = (distance > 0) & (distance <= SHELL_MM[1])
    # Each voxel of the surface: the densest tissue in the shell that it is the nearest one to.
    flat = np.ravel_multi_index(tuple(nearest[axis][shell] for axis in range(3)), body.shape)
    densest = np.full(body.size, -2000, dtype=np.int16)
    np.maximum.at(densest, flat, near[shell])
    surface = densest[np.unique(flat)]
    bare = float(np.count_nonzero(surface < WALL_HU)) / max(surface.size, 1)
    edge = int(np.count_nonzero(body & (near > GAS_HU - 250)))
    words = f"under the front wall, {100.0 * bare:.0f} % of its surface without a wall of its own"
    return Gas(box, body, int(np.count_nonzero(body)), edge, bare=bare, words=words)

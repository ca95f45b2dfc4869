"""Finds bone in CT so that it can be taken away: dense parts that hold cortical bone.

Dense parts are cut where they hang together by a voxel or two, so that a contrasted vessel that
touches a bone is a part of its own; a part is bone when enough of it is as dense as cortical bone,
which contrast rarely is. Crumbs beside bone go with it. It works on a copy of about 2 mm. What it
takes for bone is a proposal: the reader adds and takes back parts by clicking. No Qt, no VTK.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.views.rendering.camera import Camera, Point, Size
from viewer.views.rendering.scalpel import to_view
from viewer.views.rendering.voxels import Mask, Voxels, enlarged, shrunk_all

DENSE_HU = 150.0
"""From here a voxel may be bone, or contrast."""

CORTICAL_HU = 420.0
"""Cortical bone in slices of up to 5 mm; contrast in vessels stays below in most protocols."""

CORTICAL_SHARE = 0.02
"""Least share of cortical voxels in bone: a calcified plaque is less of its vessel."""

LARGEST_HOLE_MM2 = 500.0
"""Holes in a slice of bone up to this are marrow and are filled; a skull's inside is larger."""

CRUMB_ML = 0.4
"""A part up to this that is not bone itself is taken away with the bone it touches."""

REACH = 3
"""Voxels of the copy over which bone takes crumbs with it."""

WORKING_MM = 1.6
"""The copy is halved while its voxels are finer than this and it has many of them."""

MANY_VOXELS = 6_000_000

Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class DenseParts:
    """The dense parts of a volume and which of them are taken for bone.

    Parameters
    ----------
    grid
        The voxels (a copy at lower resolution) whose grid `labels` has.
    labels
        Number of the part of each voxel, 0 outside.
    bone
        Whether each part is bone; entry 0 is false.
    cores
        Parts up to this number have an inside; those above are thin and go with bone that they touch.
    """

    grid: Voxels
    labels: Labels
    bone: npt.NDArray[np.bool_]
    cores: int

    def only(self, part: int) -> DenseParts:
        """Return the parts with a single one taken for bone."""
        bone = np.zeros_like(self.bone)
        bone[part] = True
        return replace(self, bone=bone)

    def bone_mask(self, voxels: Voxels) -> Mask:
        """Return bone with its soft rim, in the grid of `voxels`; what is kept is not touched."""
        from scipy import ndimage

        found = self.bone[self.labels]
        sizes = np.bincount(self.labels.reshape(-1), minlength=self.bone.size)
        large = sizes * np.prod(self.grid.spacing) / 1000.0 > CRUMB_ML
        large[0], large[self.cores + 1 :] = False, False
        kept = (large & ~self.bone)[self.labels]
        crumbs = (self.labels > 0) & ~kept
        found = ndimage.binary_dilation(found, iterations=REACH, mask=crumbs)
        wide = ndimage.binary_dilation(found, mask=~kept)
        return enlarged(wide, self.grid, voxels)


def find_parts(voxels: Voxels) -> DenseParts:
    """Find the dense parts of a CT and which are bone."""
    from scipy import ndimage

    grid = voxels
    while grid.values.size > MANY_VOXELS and min(grid.spacing) < WORKING_MM:
        grid = grid.reduced()
    values = grid.values
    dense = values >= grid.stored(DENSE_HU)
    cortical = ~shrunk_all(voxels.values < voxels.stored(CORTICAL_HU), grid, voxels)
    labels, cores, thin = _parts(_filled(dense, grid), ndimage)
    count = cores + thin
    sizes = np.bincount(labels.reshape(-1), minlength=count + 1)
    dense_sizes = np.bincount(labels.reshape(-1), weights=dense.reshape(-1), minlength=count + 1)
    hard = np.bincount(labels.reshape(-1), weights=cortical.reshape(-1), minlength=count + 1)
    bone = (sizes > 0) & (hard >= CORTICAL_SHARE * np.maximum(dense_sizes, 1.0))
    bone[0] = False
    return DenseParts(grid, labels, bone, cores)


def part_at(
    parts: DenseParts, removed: Mask | None, camera: Camera, point: Point, size: Size, *, gone: bool
) -> int:
    """Return the first part along the line of sight that is seen (or, with `gone`, removed); 0: none.

    Parameters
    ----------
    removed
        What is removed, in the grid of the parts.
    """
    axes, first = to_view(parts.grid, camera, size)
    inverse = np.linalg.inv(axes)
    corners = camera.project(parts.grid.corners(), size)
    step = min(parts.grid.spacing) / 2
    depths = np.arange(corners[:, 2].min(), corners[:, 2].max(), step)
    seen = np.column_stack((np.full_like(depths, point[0]), np.full_like(depths, point[1]), depths))
    index = np.rint((seen - first) @ inverse.T).astype(np.intp)
    shape = np.asarray(parts.labels.shape[::-1])
    index = index[((index >= 0) & (index < shape)).all(axis=1)]
    place = index[:, 2], index[:, 1], index[:, 0]
    found = parts.labels[place]
    away = np.zeros(found.shape, dtype=bool) if removed is None else removed[place]
    hits = found[(found > 0) & (away == gone)]
    return int(hits[0]) if hits.size else 0


def _parts(dense: Mask, ndimage: Any) -> tuple[Labels, int, int]:
    """Number the parts: cores that survive an erosion grow back, what had none comes after them."""
    core, cores = ndimage.label(ndimage.binary_erosion(dense, border_value=1))
    labels = core.astype(np.int32)
    for _ in range(2):
        grown = ndimage.maximum_filter(labels, size=3)
        labels = np.where((labels == 0) & dense, grown, labels)
    rest, thin = ndimage.label(dense & (labels == 0), structure=np.ones((3, 3, 3)))
    labels = np.where(rest > 0, rest.astype(np.int32) + np.int32(cores), labels)
    return labels, cores, thin


def _filled(dense: Mask, grid: Voxels) -> Mask:
    """Fill small holes of each slice: marrow between cortical walls."""
    from scipy import ndimage

    limit = LARGEST_HOLE_MM2 / (grid.spacing[0] * grid.spacing[1])
    filled = dense.copy()
    for number, image in enumerate(dense):
        holes, count = ndimage.label(~image)
        if count > 1:
            sizes = np.bincount(holes.reshape(-1))
            small = sizes <= limit
            small[0] = False
            filled[number] |= small[holes]
    return filled

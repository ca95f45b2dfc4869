"""Finds what is not the patient in CT: the couch, cables, the head rest. No Qt, no VTK."""

from __future__ import annotations

import numpy as np

from viewer.views.rendering.voxels import Mask, Voxels, enlarged

BODY_HU = -300.0
"""From here a voxel is tissue, or couch."""

WORKING_VOXELS = 2_500_000
"""The copy is halved until it has no more."""

COUCH_GAP = 2
"""Voxels of the copy that are eroded to part the body from the couch it lies on."""


def around_body(voxels: Voxels) -> Mask:
    """Return all that lies outside the largest body, in the grid of the voxels."""
    from scipy import ndimage

    grid = voxels
    while grid.values.size > WORKING_VOXELS:
        grid = grid.reduced()
    tissue = grid.values >= grid.stored(BODY_HU)
    # in the plane of a slice alone: the couch runs along the stack
    flat = np.zeros((3, 3, 3), dtype=bool)
    flat[1] = ndimage.generate_binary_structure(2, 1)
    core = ndimage.binary_erosion(tissue, flat, iterations=COUCH_GAP)
    labels, count = ndimage.label(core)
    if count == 0:
        return np.zeros(voxels.values.shape, dtype=bool)
    sizes = np.bincount(labels.reshape(-1))
    sizes[0] = 0
    body = labels == int(sizes.argmax())
    body = ndimage.binary_dilation(body, flat, iterations=COUCH_GAP + 1)
    body = np.stack([ndimage.binary_fill_holes(image) for image in body])
    return enlarged(~body, grid, voxels)

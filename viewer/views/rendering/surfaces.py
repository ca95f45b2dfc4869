"""Masks as coloured surfaces: flying edges over the mask at half size, smoothed (VTK)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.views.rendering.scene import Surface
from viewer.views.rendering.voxels import Voxels, on_grid

SMOOTHING_STEPS, PASS_BAND = 12, 0.08
"""Windowed-sinc smoothing: takes the steps of slices away and moves no surface by half a voxel."""


def surface_actor(surface: Surface, voxels: Voxels) -> Any:
    """Return the surface of a mask as a VTK actor, in patient space."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkCommonMath import vtkMatrix4x4
    from vtkmodules.vtkFiltersCore import (
        vtkFlyingEdges3D,
        vtkPolyDataNormals,
        vtkWindowedSincPolyDataFilter,
    )
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    halves, spacing, origin = half_size(on_grid(surface.mask, voxels), voxels.spacing)
    image = vtkImageData()
    image.SetDimensions(halves.shape[::-1])
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.GetPointData().SetScalars(numpy_to_vtk(halves.reshape(-1), deep=1))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 127.5)
    edges.ComputeNormalsOff()
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(edges.GetOutputPort())
    smooth.SetNumberOfIterations(SMOOTHING_STEPS)
    smooth.SetPassBand(PASS_BAND)
    normals = vtkPolyDataNormals()
    normals.SetInputConnection(smooth.GetOutputPort())
    normals.SplittingOff()
    normals.Update()
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(normals.GetOutput())
    mapper.ScalarVisibilityOff()
    actor = vtkActor()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetColor(*surface.colour)
    look.SetOpacity(surface.opacity)
    look.SetAmbient(0.2)
    look.SetDiffuse(0.8)
    look.SetSpecular(0.15)
    pose = vtkMatrix4x4()
    pose.DeepCopy(voxels.pose.ravel().tolist())
    actor.SetUserMatrix(pose)
    return actor


def half_size(
    mask: npt.NDArray[np.bool_], spacing: tuple[float, float, float]
) -> tuple[npt.NDArray[np.uint8], tuple[float, float, float], tuple[float, float, float]]:
    """Return a mask at half size with its spacing and origin, mm along the axes of the box.

    Blocks hold the share of voxels that are set, 0 to 255; an empty rim closes the surface. Axes that
    are coarser than the finest by half keep their voxels.
    """
    finest = min(spacing)
    steps = tuple(2 if space < 1.5 * finest else 1 for space in spacing[::-1])
    rim = [(2, 2 + (count + 4) % step) for count, step in zip(mask.shape, steps, strict=True)]
    whole = np.pad(mask, rim)
    z, y, x = (count // step for count, step in zip(whole.shape, steps, strict=True))
    blocks = whole.reshape(z, steps[0], y, steps[1], x, steps[2])
    share = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    first = [(-2 + (step - 1) / 2) * space for step, space in zip(steps[::-1], spacing, strict=True)]
    wide = [step * space for step, space in zip(steps[::-1], spacing, strict=True)]
    return (
        np.rint(share * 255).astype(np.uint8),
        (wide[0], wide[1], wide[2]),
        (first[0], first[1], first[2]),
    )

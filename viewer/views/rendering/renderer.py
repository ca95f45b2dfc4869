"""Renders scenes off-screen with VTK. No Qt: pixels in, pixels out, all on one thread."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from viewer.views.rendering.camera import Camera
from viewer.views.rendering.capability import WINDOW_CLASS, Capability, Engine
from viewer.views.rendering.presets import Look, Mode
from viewer.views.rendering.scene import Crop, Picture, Pixels, Scene, Surface
from viewer.views.rendering.voxels import COARSE_FROM, Mask, Voxels

MOVING_RATE, STILL_RATE = 30.0, 0.001
"""Pictures a second that VTK's mapper aims at: while dragging, and at rest. While dragging it aims
higher than the eye needs: the way from the mouse to the screen takes its share of the time."""

SHORTEST_STEP, LONGEST_STEP = 0.35, 1.5
"""Millimetres between two samples of a ray at rest: the finest voxel size within these bounds."""

MOVING_STEP = 1.5
"""Finest voxel sizes between two samples of a ray while dragging."""

COARSEST_PIXELS = 8.0
"""Pixels of the screen that share a ray at most while dragging; a slower machine drops pictures."""

CROP_INSIDE = 0x0002000
"""The middle of VTK's 27 cropping regions."""

MIP_BLEND, RENDER_BLEND = 1, 0
"""Blend modes of vtkVolumeMapper."""

Point = tuple[float, float]


class VolumeRenderer:
    """One off-screen window with one volume.

    Made, used and disposed of on one thread. A large volume is drawn from a copy at half resolution
    while it is dragged, and at the very first: VTK works out the gradients of the whole one with the
    first picture of it.

    Parameters
    ----------
    interrupted
        Asked while a picture at rest is rendered; true gives it up.
    """

    def __init__(
        self, can: Capability, *, threads: int = 2, interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        if can.window:
            os.environ[WINDOW_CLASS] = can.window
        import vtkmodules.vtkRenderingOpenGL2
        import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401 - both register classes
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
        from vtkmodules.vtkCommonDataModel import vtkPlane
        from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

        self._can, self._threads = can, threads
        self._interrupted = interrupted
        self._window = vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._renderer = vtkRenderer()
        self._window.AddRenderer(self._renderer)
        self._observer = self._window.AddObserver("AbortCheckEvent", self._check)
        self._read = vtkUnsignedCharArray()
        self._plane = vtkPlane()
        self._voxels: Voxels | None = None
        self._fine: _Level | None = None
        self._coarse: _Level | None = None
        self._shown: _Level | None = None
        self._surfaces: list[Any] = []
        self._aborted = self._may_abort = False

    # --- what is shown -----------------------------------------------------------------------------

    def set_voxels(self, voxels: Voxels | None) -> None:
        """Take the voxels to render; none drops all memory of them."""
        self._drop_levels()
        self.set_surfaces(())
        self._voxels = voxels
        if voxels is None:
            return
        self._fine = _Level(voxels, self._can.engine, self._threads)
        if voxels.values.size > COARSE_FROM and self._can.engine is Engine.PROCESSOR:
            self._coarse = _Level(voxels.reduced(), self._can.engine, self._threads)

    def remove(self, removed: Mask | None) -> None:
        """Draw nothing where a mask in the grid of the voxels is true; none draws all again."""
        for level in (self._fine, self._coarse):
            if level is not None:
                level.remove(removed)

    def set_surfaces(self, surfaces: Sequence[Surface]) -> None:
        """Draw masks in the grid of the volume as coloured surfaces, in place of those before."""
        for actor in self._surfaces:
            self._renderer.RemoveActor(actor)
            actor.ReleaseGraphicsResources(self._window)
        self._surfaces = []
        if surfaces and self._voxels is not None:
            from viewer.views.rendering.surfaces import surface_actor

            self._surfaces = [surface_actor(surface, self._voxels) for surface in surfaces]
        for actor in self._surfaces:
            self._renderer.AddActor(actor)

    # --- pictures ----------------------------------------------------------------------------------

    def render(self, scene: Scene) -> Picture | None:
        """Return the picture of a scene, or none when it was given up or there is nothing to show."""
        level = self._level(scene.moving)
        if level is None:
            return None
        start = time.perf_counter()
        self._show_level(level)
        level.set_look(scene.look)
        level.set_crop(scene.crop)
        self._set_clip(level, scene)
        ground = 1.0 if scene.look.white_ground else 0.0
        self._renderer.SetBackground(ground, ground, ground)
        if self._window.GetSize() != scene.size:
            self._window.SetSize(*scene.size)
        self._set_camera(scene.camera)
        self._window.SetDesiredUpdateRate(MOVING_RATE if scene.moving else STILL_RATE)
        level.set_moving(scene.moving)
        self._aborted, self._may_abort = False, not scene.moving
        self._window.Render()
        if self._aborted:
            return None
        level.ready = True
        pixels = self._pixels(scene.size)
        complete = not scene.moving and level is self._fine
        return Picture(scene, pixels, time.perf_counter() - start, complete)

    def _level(self, moving: bool) -> _Level | None:
        """Return what to draw: the smaller volume while moving and at first, else the whole."""
        if self._coarse is None or not (moving or not self._coarse.ready):
            return self._fine
        return self._coarse

    def _show_level(self, level: _Level) -> None:
        if self._shown is level:
            return
        if self._shown is not None:
            self._renderer.RemoveVolume(self._shown.actor)
        self._renderer.AddVolume(level.actor)
        self._shown = level

    def _set_clip(self, level: _Level, scene: Scene) -> None:
        mappers = [level.mapper, *(actor.GetMapper() for actor in self._surfaces)]
        if scene.clip is not None and self._voxels is not None:
            camera = scene.camera
            middle = self._voxels.corners().mean(axis=0)
            self._plane.SetOrigin(*(middle + camera.depth * scene.clip))
            self._plane.SetNormal(*camera.depth)
        for mapper in mappers:
            mapper.RemoveAllClippingPlanes()
            if scene.clip is not None:
                mapper.AddClippingPlane(self._plane)

    def _set_camera(self, camera: Camera) -> None:
        seen = self._renderer.GetActiveCamera()
        back = camera.centre - camera.depth * 2000.0
        seen.ParallelProjectionOn()
        seen.SetFocalPoint(*camera.centre)
        seen.SetPosition(*back)
        seen.SetViewUp(*(-camera.axes[1]))
        seen.SetParallelScale(camera.height / 2)
        self._renderer.ResetCameraClippingRange()

    def _pixels(self, size: tuple[int, int]) -> Pixels:
        from vtkmodules.util.numpy_support import vtk_to_numpy

        self._window.GetRGBACharPixelData(0, 0, size[0] - 1, size[1] - 1, 0, self._read)
        rows = vtk_to_numpy(self._read).reshape(size[1], size[0], 4)
        return np.ascontiguousarray(rows[::-1])

    def _check(self, *_: object) -> None:
        if self._may_abort and self._interrupted():
            self._aborted = True
            self._window.SetAbortRender(1)

    # --- the end -----------------------------------------------------------------------------------

    def dispose(self) -> None:
        """Give everything back: VTK keeps 7 MB a window otherwise."""
        self.set_voxels(None)
        self._window.RemoveObserver(self._observer)
        self._window.RemoveRenderer(self._renderer)
        self._window.Finalize()
        del self._renderer, self._window, self._read, self._plane

    def _drop_levels(self) -> None:
        if self._shown is not None:
            self._renderer.RemoveVolume(self._shown.actor)
        for level in (self._fine, self._coarse):
            if level is not None:
                level.actor.ReleaseGraphicsResources(self._window)
        self._voxels = self._fine = self._coarse = self._shown = None


class _Level:
    """The voxels at one resolution with all that VTK needs to draw them."""

    def __init__(self, voxels: Voxels, engine: Engine, threads: int) -> None:
        from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPiecewiseFunction
        from vtkmodules.vtkCommonMath import vtkMatrix4x4
        from vtkmodules.vtkRenderingCore import (
            vtkColorTransferFunction,
            vtkVolume,
            vtkVolumeProperty,
        )

        self.voxels = voxels
        self.ready = False
        self._look: Look | None = None
        self._image = vtkImageData()
        self._image.SetDimensions(voxels.values.shape[::-1])
        self._image.SetSpacing(voxels.spacing)
        self._put(voxels.values)
        self.mapper = _mapper(engine, threads)
        self.mapper.SetInputData(self._image)
        finest = min(voxels.spacing)
        self.mapper.SetSampleDistance(min(max(finest, SHORTEST_STEP), LONGEST_STEP))
        if engine is Engine.PROCESSOR:
            self.mapper.SetInteractiveSampleDistance(MOVING_STEP * finest)
        self._opacity, self._gradient = vtkPiecewiseFunction(), vtkPiecewiseFunction()
        self._colour = vtkColorTransferFunction()
        self._property = vtkVolumeProperty()
        self._property.SetScalarOpacity(self._opacity)
        self._property.SetGradientOpacity(self._gradient)
        self._property.SetColor(self._colour)
        self._property.SetInterpolationTypeToLinear()
        # opacity is meant for one step of a usual CT, about a millimetre
        self._property.SetScalarOpacityUnitDistance(1.0)
        pose = vtkMatrix4x4()
        pose.DeepCopy(voxels.pose.ravel().tolist())
        self.actor = vtkVolume()
        self.actor.SetMapper(self.mapper)
        self.actor.SetProperty(self._property)
        self.actor.SetUserMatrix(pose)

    def _put(self, values: np.ndarray[Any, Any]) -> None:
        from vtkmodules.util.numpy_support import numpy_to_vtk

        # VTK shares the memory: the reference keeps it there
        self._values = values.reshape(-1)
        self._image.GetPointData().SetScalars(numpy_to_vtk(self._values, deep=0))
        self._image.Modified()
        self.ready = False

    def remove(self, removed: Mask | None) -> None:
        values = self.voxels.values
        if removed is not None:
            taken = _fitted(removed, values.shape)
            values = np.where(taken, np.int16(self.voxels.emptiest), values)
        self._put(values)

    def set_look(self, look: Look) -> None:
        if look == self._look:
            return
        self._look = look
        stored = self.voxels.stored
        self._opacity.RemoveAllPoints()
        for value, opacity in look.opacity():
            self._opacity.AddPoint(stored(value), opacity)
        self._gradient.RemoveAllPoints()
        for change, factor in look.gradient():
            self._gradient.AddPoint(abs(change / self.voxels.slope), factor)
        self._colour.RemoveAllPoints()
        for value, *rgb in look.colours():
            self._colour.AddRGBPoint(stored(value), *rgb)
        ambient, diffuse, specular, power = look.preset.light
        self._property.SetAmbient(ambient)
        self._property.SetDiffuse(diffuse)
        self._property.SetSpecular(specular)
        self._property.SetSpecularPower(power)
        projects = look.mode is Mode.MIP
        self._property.SetShade(not projects)
        self._property.SetDisableGradientOpacity(projects)
        self.mapper.SetBlendMode(MIP_BLEND if projects else RENDER_BLEND)

    def set_crop(self, crop: Crop) -> None:
        self.mapper.SetCropping(not crop.is_whole)
        extent = self.voxels.extent
        planes = [
            share * size
            for pair in zip(crop.low, crop.high, extent, strict=True)
            for share, size in ((pair[0], pair[2]), (pair[1], pair[2]))
        ]
        self.mapper.SetCroppingRegionPlanes(*planes)
        self.mapper.SetCroppingRegionFlags(CROP_INSIDE)

    def set_moving(self, moving: bool) -> None:
        """At rest every pixel has its own ray; while moving VTK keeps to the rate."""
        self.mapper.SetAutoAdjustSampleDistances(moving)
        if not moving:
            self.mapper.SetImageSampleDistance(1.0)


def _mapper(engine: Engine, threads: int) -> Any:
    """Return what casts the rays: on the processor where OpenGL is emulated (7 times as fast)."""
    if engine is Engine.GPU:
        from vtkmodules.vtkRenderingVolumeOpenGL2 import vtkOpenGLGPUVolumeRayCastMapper

        return vtkOpenGLGPUVolumeRayCastMapper()
    from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper

    mapper = vtkFixedPointVolumeRayCastMapper()
    mapper.SetNumberOfThreads(threads)
    mapper.SetMaximumImageSampleDistance(COARSEST_PIXELS)
    return mapper


def _fitted(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Return a mask in a grid that has as many voxels along an axis, or half as many."""
    steps = tuple(
        slice(None) if count == wanted else slice(0, 2 * wanted, 2)
        for count, wanted in zip(mask.shape, shape, strict=True)
    )
    return mask[steps]

"""Time of planes and slabs at any angle in motion, against a bare vtkImageReslice and SciPy."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import numpy as np

SHAPE = (300, 512, 512)
SIDE = 512
"""A view of 512 x 512, as in the four cells of a reading screen."""

LAYERS = 20
ROUNDS = 7
REPEATS = 4


def run() -> list[dict[str, object]]:
    """Return a row each for a plane and a slab at an angle, and a slab along the voxels.

    All are timed by turns in one process, on the clock: sampling uses every core. What is above 1
    against the bare filter is grey pipeline, lines, words and painting; what is below 1 is resolution
    that waits until the hand rests.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication

    from viewer.imaging.reformat import Slab, SlabMode, sample, slab_offsets
    from viewer.views.reformat.plane_view import PlaneView
    from viewer.views.reformat.planes import PlaneName
    from viewer.views.reformat.scene import MprScene
    from viewer.views.theme import Theme

    application = QApplication.instance() or QApplication([])
    scene = MprScene()
    stack, shown, sampler = _volume()
    scene.show(stack, None, shown, sampler, None)
    view = PlaneView(PlaneName.CORONAL, scene, Theme())
    view.resize(SIDE, SIDE)
    straight, canvas = scene.state, QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    application.processEvents()
    slab = Slab(SlabMode.MIP, float(LAYERS))
    turned = straight.rotated(PlaneName.AXIAL, 25.0).rotated(PlaneName.SAGITTAL, 15.0)
    bare = _bare(sampler, turned.poses[PlaneName.CORONAL])

    def paint(name: str, thick: bool) -> Callable[[int], None]:
        poses = {"turn": turned, "straight": straight}[name]

        def move(step: int) -> None:
            state = poses if name == "straight" else poses.rotated(PlaneName.AXIAL, 0.5 * (step % 40))
            scene.set_state(state.scrolled(PlaneName.CORONAL, step % 20 - 10, scene.grid))
            if thick != (scene.state.poses[PlaneName.CORONAL].slab.mode is not SlabMode.OFF):
                scene.set_slab(slab if thick else Slab(), name=PlaneName.CORONAL)
            view.render(canvas)

        return move

    def along(step: int) -> None:
        first = 200 + step % 20
        sampler.volume.stored[:, first : first + LAYERS, :].max(axis=1)

    def truth(step: int) -> None:
        plane = view.frame().plane(sampler.grid)
        pose = view.pose()
        offsets = slab_offsets(sampler.grid, pose.centre, pose.normal, Slab())
        sample(sampler.volume, plane, offsets)

    def thin(step: int) -> None:
        bare(step, 1)

    def thick(step: int) -> None:
        bare(step, LAYERS)

    rows: list[dict[str, object]] = []
    for words, ours, reference, against in (
        ("oblique plane in motion", paint("turn", False), thin, "bare vtkImageReslice, same size"),
        ("oblique plane in motion", paint("turn", False), truth, "SciPy map_coordinates"),
        (f"slab of {LAYERS} at an angle, in motion", paint("turn", True), thick, "bare, full size"),
        (f"slab of {LAYERS} along the voxels", paint("straight", True), along, "numpy max alone"),
    ):
        mine, other = _paired(ours, reference)
        rows.append(
            {
                "name": f"{words}, {SIDE} x {SIDE} painted",
                "ours": mine,
                "reference": other,
                "ratio": mine / other,
                "note": f"ms a frame ({1000 / mine:.0f} a second); reference: {against}",
            }
        )
    scene.clear()
    return rows


def _paired(ours: Callable[[int], None], bare: Callable[[int], None]) -> tuple[float, float]:
    """Return the medians of both in milliseconds a call, measured by turns."""
    times: dict[Callable[[int], None], list[float]] = {ours: [], bare: []}
    step = 0
    for _ in range(ROUNDS):
        for call, found in times.items():
            for _ in range(REPEATS):
                step += 1
                start = time.perf_counter()
                call(step)
                found.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[ours]), statistics.median(times[bare])


def _bare(sampler, pose):  # type: ignore[no-untyped-def]
    """Return the filter as one would write it: the plane as output axes, all layers at full size."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkCommonMath import vtkMatrix4x4
    from vtkmodules.vtkImagingCore import vtkImageReslice

    image, axes, reslice = vtkImageData(), vtkMatrix4x4(), vtkImageReslice()
    image.SetDimensions(*sampler.grid.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(sampler.volume.stored.reshape(-1), deep=False))
    reslice.SetInputData(image)
    reslice.SetResliceAxes(axes)
    reslice.SetOutputDimensionality(2)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputExtent(0, SIDE - 1, 0, SIDE - 1, 0, 0)
    reslice.SetInterpolationModeToLinear()
    reslice.SetSlabModeToMax()
    turn = np.stack([pose.row, pose.column, pose.normal], axis=1)

    def call(step: int, layers: int) -> None:
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        middle = np.array([256.0, 256.0, 150.0]) + pose.normal * (step % 20 - 10)
        matrix[:3, 3] = middle - turn @ np.array([SIDE / 2, SIDE / 2, 0.0])
        axes.DeepCopy(matrix.reshape(-1).tolist())
        reslice.SetSlabNumberOfSlices(layers)
        reslice.Update()

    return call


def _volume():  # type: ignore[no-untyped-def]
    """Return 300 slices of 512 x 512 of 1 mm, their volume and its sampler."""
    from viewer.imaging.geometry import ImagePlane, judge
    from viewer.imaging.resample import as_shown_volume
    from viewer.imaging.study import Instance, Series, WindowPreset
    from viewer.imaging.volume import ImageStack
    from viewer.views.reformat.sampler import VolumeSampler

    instances = tuple(
        Instance(
            path="",
            sop_instance_uid=f"1.2.{number}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            rows=SHAPE[1],
            columns=SHAPE[2],
            photometric_interpretation="MONOCHROME2",
            windows=(WindowPreset(center=40.0, width=400.0),),
            plane=ImagePlane(
                position=(0.0, 0.0, float(number)),
                row_cosines=(1.0, 0.0, 0.0),
                column_cosines=(0.0, 1.0, 0.0),
                row_spacing=1.0,
                column_spacing=1.0,
            ),
        )
        for number in range(SHAPE[0])
    )
    verdict = judge([one.plane for one in instances])
    series = Series(series_instance_uid="1.2", modality="CT", instances=instances, verdict=verdict)
    stored = np.random.default_rng(1).integers(-1000, 1000, SHAPE, dtype=np.int16)
    stack = ImageStack(series, stored, tuple((number, 1) for number in range(SHAPE[0])))
    shown = as_shown_volume(stack)
    sampler = VolumeSampler(shown.volume)
    sampler.warm()
    return stack, shown, sampler


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']}: {row['ours']:.2f} ms, {row['ratio']:.2f} x ({row['note']})")

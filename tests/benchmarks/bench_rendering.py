"""Pictures a second of the 3D view while dragging, against a bare loop over VTK's mapper."""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

import numpy as np

SLICES, ROWS, COLUMNS = 200, 512, 512
SPACING = (0.7, 0.7)
BETWEEN = 1.5

SIDE = 512
ROUNDS = 5
SECONDS = 2.5
"""How long one drag lasts."""

TURN = 2.0
"""Degrees from one picture to the next."""

MOVE_MS = 8
"""Milliseconds between two moves of the mouse, as of an office mouse."""


def run() -> list[dict[str, object]]:
    """Return one row per preset: pictures a second of our view, of the bare loop, their ratio.

    Ours: mouse moves through a real widget, its thread, the way back and the paint event. The
    reference: `Render()` and a turn of the camera in a loop, VTK's fixed-point mapper with a desired
    rate of 15 on the same values, transfer functions and size; no picture is read back. By turns.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from viewer.imaging.resample import ShownVolume
    from viewer.views.rendering.capability import Engine, capability
    from viewer.views.rendering.view import VolumeView

    application = QApplication.instance() or QApplication([])
    if capability().engine is Engine.NONE:
        return []
    view = VolumeView()
    view.resize(SIDE, SIDE)
    view.show()
    view.show_volume(ShownVolume(_volume()))
    _until(application, view.is_current)
    rows: list[dict[str, object]] = []
    for name in ("ct_bone", "ct_vessels"):
        view.do(f"rendering.preset.{name}")
        _until(application, view.is_current)
        bare = _bare(view.model)
        ours, reference = [], []
        for _ in range(ROUNDS):
            ours.append(_drag(application, view))
            _until(application, view.is_current)
            reference.append(_loop(*bare))
        bare[0].Finalize()
        fast, raw = statistics.median(ours), statistics.median(reference)
        rows.append(
            {
                "name": f"3D {name}, {SLICES} x {ROWS} x {COLUMNS} at {SIDE} x {SIDE}, dragging",
                "ours": fast,
                "reference": raw,
                "ratio": fast / raw,
                "note": "pictures a second (goal 20); reference: bare VTK render loop, rate 15",
            }
        )
    thread = view.rendering()
    view.clear()
    assert thread is not None
    thread.wait()
    return rows


def _drag(application: Any, view: Any) -> float:
    """Turn the view with the mouse for a while; return pictures a second that were painted."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    count = 0

    def painted(_picture: object) -> None:
        nonlocal count
        count += 1

    view.rendering().painted.connect(painted)
    start, centre = time.perf_counter(), QPoint(SIDE // 2, SIDE // 2)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=centre)
    step = 0
    while time.perf_counter() - start < SECONDS:
        step += 1
        QTest.mouseMove(view, centre + QPoint(step % 200, step % 40))
        QTest.qWait(MOVE_MS)
        application.processEvents()
    elapsed = time.perf_counter() - start
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=centre)
    view.rendering().painted.disconnect(painted)
    return count / elapsed


def _bare(model: Any) -> tuple[Any, Any]:
    """Return a VTK window and camera that show the same volume in the same way."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPiecewiseFunction
    from vtkmodules.vtkRenderingCore import (
        vtkColorTransferFunction,
        vtkRenderer,
        vtkRenderWindow,
        vtkVolume,
        vtkVolumeProperty,
    )
    from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper

    voxels, look = model.voxels, model.look
    image = vtkImageData()
    image.SetDimensions(voxels.values.shape[::-1])
    image.SetSpacing(voxels.spacing)
    image.GetPointData().SetScalars(numpy_to_vtk(voxels.values.reshape(-1), deep=0))
    mapper = vtkFixedPointVolumeRayCastMapper()
    mapper.SetInputData(image)
    mapper.SetNumberOfThreads(os.cpu_count() or 1)
    opacity, gradient = vtkPiecewiseFunction(), vtkPiecewiseFunction()
    colour, drawn = vtkColorTransferFunction(), vtkVolumeProperty()
    for value, part in look.opacity():
        opacity.AddPoint(voxels.stored(value), part)
    for value, part in look.gradient():
        gradient.AddPoint(value / voxels.slope, part)
    for value, *rgb in look.colours():
        colour.AddRGBPoint(voxels.stored(value), *rgb)
    drawn.SetScalarOpacity(opacity)
    drawn.SetGradientOpacity(gradient)
    drawn.SetColor(colour)
    drawn.SetInterpolationTypeToLinear()
    drawn.ShadeOn()
    volume, renderer, window = vtkVolume(), vtkRenderer(), vtkRenderWindow()
    volume.SetMapper(mapper)
    volume.SetProperty(drawn)
    renderer.AddVolume(volume)
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(SIDE, SIDE)
    window.AddRenderer(renderer)
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetFocalPoint(0, 0, 0)
    camera.SetPosition(0, -1, 0)
    camera.SetViewUp(0, 0, 1)
    renderer.ResetCamera()
    camera.SetParallelScale(model.camera.height / 2)
    window.Render()
    window.SetDesiredUpdateRate(15)
    return window, camera


def _loop(window: Any, camera: Any) -> float:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        camera.Azimuth(TURN)
        window.Render()
        count += 1
    return count / (time.perf_counter() - start)


def _until(application: Any, holds: Any) -> None:
    from PySide6.QtCore import QEventLoop

    while not holds():
        application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 5)


def _volume():  # type: ignore[no-untyped-def]
    """Return a chest of shells and rods with noise, in Hounsfield units."""
    from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind
    from viewer.imaging.study import Series
    from viewer.imaging.volume import StackValues, volume_at

    noise = np.random.default_rng(2).normal(0.0, 20.0, (ROWS, COLUMNS)).astype(np.int16)
    row, column = np.mgrid[-1.0 : 1.0 : ROWS * 1j, -1.0 : 1.0 : COLUMNS * 1j].astype(np.float32)
    distance = np.hypot(row * 1.3, column)
    stored = np.empty((SLICES, ROWS, COLUMNS), dtype=np.int16)
    for number in range(SLICES):
        image = np.where(distance < 0.85, 40, -1000)
        image[np.hypot(row, np.abs(column) - 0.38) < 0.3] = -850
        shell = np.abs(distance - 0.75) < 0.035
        angle = np.arctan2(row, column)
        image[shell & (np.sin(number / 5 + 2 * np.abs(angle)) > 0.2)] = 700
        image[np.hypot(row - 0.4, column) < 0.12] = 500
        image[np.hypot(row - 0.1, column - 0.05) < 0.07] = 300
        stored[number] = image + np.roll(noise, 37 * number)
    series = Series(
        series_instance_uid="1.2",
        modality="CT",
        verdict=GeometryVerdict(kind=VerdictKind.UNIFORM, reason="evenly spaced", spacing=BETWEEN),
    )
    plane = ImagePlane(
        position=(0.0, 0.0, 0.0),
        row_cosines=(1.0, 0.0, 0.0),
        column_cosines=(0.0, 1.0, 0.0),
        row_spacing=SPACING[0],
        column_spacing=SPACING[1],
    )
    values = StackValues(stored, 1.0, 0.0, "[hnsf'U]", (), None)
    return volume_at(series, values, plane, np.zeros(3), np.array([0.0, 0.0, BETWEEN]))


if __name__ == "__main__":
    for found in run():
        print(f"{found['name']}: {found['ours']:.1f} / s, {found['ratio']:.2f} x ({found['note']})")

"""The three planes under a reader's hands: mouse, wheel, keys, slabs, marks, curve, regions."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
from planes_driver import AXIAL, CORONAL, LEFT, NONE, SAGITTAL, crosshair, drag, middle_of, wheel
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from viewer.acts import Tool
from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.grey import to_grey
from viewer.imaging.reader import OpenStack
from viewer.imaging.reformat import Slab, SlabMode, sample, slab_offsets
from viewer.imaging.regions import Region, Shape
from viewer.imaging.volume import ImageStack
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.places import PatientPoint
from viewer.views.reformat.plane_view import PlaneView
from viewer.views.reformat.planes import PlaneName
from viewer.views.reformat.workspace import MprWorkspace

pytestmark = pytest.mark.gui

Open = Callable[[ImageStack], OpenStack]


def handle(view: PlaneView, of: PlaneName) -> tuple[float, float]:
    """Where the first handle of another plane's line stands."""
    return next(line for line in view.lines() if line.plane is of).handles()[0]


# --- opening and leaving ---------------------------------------------------------------------------


def test_planes_open_where_the_reader_was_and_hold_nothing_when_closed(
    workspace: MprWorkspace, make_stack: Callable[..., ImageStack], opened: Open, qtbot: QtBot
) -> None:
    stack = make_stack(count=20)
    there = PatientPoint("1.9", (-60.0, -50.0, -20.0))
    workspace.open(stack, None, opened(stack), there)
    qtbot.waitUntil(lambda: workspace.scene.state is not None)
    assert workspace.place() == there
    workspace.grab()
    for act in ("viewport.slab_mode", "viewport.slab_everywhere", "viewport.planes_turn_right"):
        assert workspace.do(act)
    workspace.grab()
    held = weakref.ref(workspace.scene.sampler)
    workspace.close()
    gc.collect()
    assert held() is None
    assert workspace.place() is None
    assert workspace.scene.sampler is None and workspace.scene.stack is None


def test_a_volume_that_comes_after_leaving_is_dropped(
    workspace: MprWorkspace, make_stack: Callable[..., ImageStack], opened: Open, qtbot: QtBot
) -> None:
    first, second = make_stack(count=30), make_stack(count=12)
    memory = opened(first)
    workspace.open(first, None, memory, None)
    workspace.close()
    memory.release()
    workspace.open(second, None, opened(second), None)
    qtbot.waitUntil(lambda: workspace.scene.state is not None)
    assert workspace.scene.stack is second


def test_a_stack_that_is_no_volume_is_refused_in_words(
    workspace: MprWorkspace, make_stack: Callable[..., ImageStack], opened: Open, qtbot: QtBot
) -> None:
    stack = make_stack(count=1)
    workspace.open(stack, None, opened(stack), None)
    qtbot.waitUntil(lambda: "one image only" in workspace.message.text())
    assert workspace.why_not("viewport.slab_mode")
    assert not workspace.do("viewport.next")


def test_an_uneven_stack_says_that_it_was_resampled(
    workspace: MprWorkspace, make_stack: Callable[..., ImageStack], opened: Open, qtbot: QtBot
) -> None:
    even = make_stack(count=8)
    instances = [
        one.model_copy(
            update={
                "plane": one.plane.model_copy(
                    update={"position": (-100.0, -80.0, -40.0 + 2.0 * number + 0.4 * (number % 2))}
                )
            }
        )
        for number, one in enumerate(even.series.instances)
    ]
    verdict = GeometryVerdict(kind=VerdictKind.NON_UNIFORM, reason="uneven", spacing=2.0)
    series = even.series.model_copy(update={"instances": tuple(instances), "verdict": verdict})
    stack = ImageStack(series, even.stored, even.frames)
    workspace.open(stack, None, opened(stack), None)
    qtbot.waitUntil(lambda: workspace.scene.state is not None)
    assert workspace.scene.badge.startswith("Resampled.")


def test_escape_leaves(planes: MprWorkspace, qtbot: QtBot) -> None:
    with qtbot.waitSignal(planes.leaveWanted):
        QTest.keyClick(planes.planes[AXIAL], Qt.Key.Key_Escape)


# --- planes under the hand -------------------------------------------------------------------------


def test_the_wheel_goes_from_slice_to_slice(planes: MprWorkspace) -> None:
    before = crosshair(planes)
    wheel(planes.planes[AXIAL], -3)
    assert crosshair(planes) - before == pytest.approx([0.0, 0.0, -6.0])
    wheel(planes.planes[CORONAL], 2)
    assert crosshair(planes) - before == pytest.approx([0.0, -2.0, -6.0])
    assert planes.scene.active is CORONAL


def test_keys_scroll_the_active_plane(planes: MprWorkspace) -> None:
    view, before = planes.planes[SAGITTAL], crosshair(planes)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert abs((crosshair(planes) - before)[0]) == pytest.approx(1.0)
    QTest.keyClick(view, Qt.Key.Key_End)
    assert crosshair(planes)[0] in (pytest.approx(-100.0), pytest.approx(-31.0))


def test_a_click_moves_the_crosshair_and_the_other_planes(planes: MprWorkspace) -> None:
    view = planes.planes[AXIAL]
    x, y = middle_of(view)
    place = view.place_at((x + 50, y + 30))
    QTest.mouseClick(view, LEFT, NONE, QPoint(round(x + 50), round(y + 30)))
    assert crosshair(planes) == pytest.approx(np.asarray(place), abs=0.5)
    state = planes.scene.state
    assert state is not None
    assert state.poses[CORONAL].centre[1] == pytest.approx(crosshair(planes)[1])


def test_the_end_of_a_line_turns_the_planes(planes: MprWorkspace) -> None:
    view = planes.planes[AXIAL]
    (x, y), (hx, hy) = middle_of(view), handle(planes.planes[AXIAL], CORONAL)
    radius = np.hypot(hx - x, hy - y)
    sign = 1.0 if hx > x else -1.0
    angle = np.radians(30.0)
    drag(view, (hx, hy), (x + sign * radius * np.cos(angle), y + sign * radius * np.sin(angle)))
    state = planes.scene.state
    assert state is not None
    tilt = np.degrees(np.arccos(abs(state.poses[CORONAL].normal[1])))
    assert tilt == pytest.approx(30.0, abs=1.0)
    assert abs(state.poses[CORONAL].normal @ state.poses[SAGITTAL].normal) < 1e-9
    assert "oblique 30°" in planes.planes[CORONAL].accessibleName()
    planes.scene.set_active(AXIAL)
    planes.do("viewport.planes_turn_left")
    assert "oblique 25°" in planes.planes[CORONAL].accessibleName()
    planes.do("viewport.planes_straight")
    assert planes.planes[CORONAL].accessibleName() == "Coronal"


def test_with_shift_one_plane_turns_alone(planes: MprWorkspace) -> None:
    view = planes.planes[AXIAL]
    hx, hy = handle(view, SAGITTAL)
    drag(view, (hx, hy), (hx + 40, hy), keys=Qt.KeyboardModifier.ShiftModifier)
    state = planes.scene.state
    assert state is not None
    assert state.poses[CORONAL].normal == pytest.approx([0.0, 1.0, 0.0])
    assert abs(state.poses[SAGITTAL].normal[1]) > 0.1


def test_the_centre_moves_the_crosshair_and_a_line_its_plane(planes: MprWorkspace) -> None:
    view = planes.planes[AXIAL]
    scale = view.frame().scale
    before, (x, y) = crosshair(planes), middle_of(view)
    drag(view, (x, y), (x + 40, y - 20))
    assert crosshair(planes) - before == pytest.approx([40 / scale, -20 / scale, 0.0], abs=0.6 / scale)
    before, (x, y) = crosshair(planes), middle_of(view)
    drag(view, (x + 45, y), (x + 52, y + 30))
    assert crosshair(planes) - before == pytest.approx([0.0, 30 / scale, 0.0], abs=1.1 / scale)


def test_middle_pans_right_zooms_and_window_follows_its_tool(planes: MprWorkspace) -> None:
    view = planes.planes[CORONAL]
    pose = planes.scene.state.poses[CORONAL]
    drag(view, (60, 60), (90, 60), Qt.MouseButton.MiddleButton)
    assert planes.scene.state.poses[CORONAL].centre != pose.centre
    drag(view, (60, 120), (60, 60), Qt.MouseButton.RightButton)
    assert planes.scene.state.poses[CORONAL].magnification > 1.2
    wheel(view, 2, Qt.KeyboardModifier.ControlModifier)
    assert planes.scene.state.poses[CORONAL].magnification > 1.5
    planes.do("viewport.tool.window")
    drag(view, (60, 60), (140, 60))
    assert planes.scene.window.width > 450.0
    assert planes.do("viewport.preset.2")
    assert (planes.scene.window.center, planes.scene.window.width) == (-500.0, 1500.0)
    planes.do("viewport.reset")
    assert planes.scene.state.poses[CORONAL].magnification == 1.0
    assert planes.scene.window.width == 400.0


def test_double_click_maximises_and_back(planes: MprWorkspace) -> None:
    QTest.mouseDClick(planes.planes[SAGITTAL], LEFT)
    assert planes.planes[SAGITTAL].isVisible() and not planes.planes[AXIAL].isVisible()
    QTest.keyClick(planes.planes[SAGITTAL], Qt.Key.Key_F)
    assert all(view.isVisible() for view in planes.planes.values())


# --- what is drawn ---------------------------------------------------------------------------------


def test_the_middle_of_a_view_shows_the_grey_of_the_reference(
    planes: MprWorkspace, qtbot: QtBot
) -> None:
    planes.scene.lines_shown = planes.scene.corner_text = False
    for degrees in (0.0, 27.0):
        planes.scene.set_state(planes.scene.state.rotated(SAGITTAL, degrees))
        view = planes.planes[AXIAL]
        qtbot.waitUntil(lambda view=view: not view.is_refining)
        frame, sampler = view.frame(), planes.scene.sampler
        plane = frame.plane(sampler.grid)
        truth = to_grey(sample(sampler.volume, plane, np.zeros(1)), planes.scene.pipeline())
        picture = view.grab().toImage()
        matrix, errors = frame.matrix_of(plane), []
        for row, column in ((plane.rows // 2, plane.columns // 2), (plane.rows // 2 + 5, 20)):
            x, y = matrix[:2, :2] @ np.array([column, row]) + matrix[:2, 2]
            shown = picture.pixelColor(int(x), int(y)).red()
            near = truth[row - 1 : row + 2, column - 1 : column + 2].astype(int)
            errors.append(not near.min() - 2 <= shown <= near.max() + 2)
        assert not any(errors)


def test_a_slab_is_refined_to_the_reference_when_the_hand_rests(
    planes: MprWorkspace, qtbot: QtBot
) -> None:
    planes.scene.set_state(planes.scene.state.rotated(AXIAL, 21.0))
    planes.scene.set_active(CORONAL)
    planes.scene.sampler.samples_per_ms = 20.0  # as on a very slow machine
    planes.scene.set_slab(Slab(SlabMode.MIP, 15.0))
    view = planes.planes[CORONAL]
    view.repaint()
    assert view.is_refining
    planes.scene.sampler.samples_per_ms = 20_000.0
    qtbot.waitUntil(lambda: not view.is_refining)
    sampler, pose = planes.scene.sampler, view.pose()
    plane = view.frame().plane(sampler.grid)
    offsets = slab_offsets(sampler.grid, pose.centre, pose.normal, pose.slab)
    truth = sample(sampler.volume, plane, offsets, SlabMode.MIP)
    assert np.abs(view._picture._stored.astype(int) - truth).max() <= 1


@pytest.mark.parametrize("mode", [SlabMode.MIP, SlabMode.MINIP])
@pytest.mark.parametrize("degrees", [0.0, 20.0])
def test_the_value_under_the_pointer_is_what_the_slab_shows(
    planes: MprWorkspace, mode: SlabMode, degrees: float
) -> None:
    scene = planes.scene
    scene.set_state(scene.state.rotated(SAGITTAL, degrees))
    scene.set_slab(Slab(mode, 20.0), name=AXIAL)
    pose, place = scene.state.poses[AXIAL], scene.state.crosshair
    offsets = slab_offsets(scene.grid, place, pose.normal, pose.slab)
    values = [scene.sampler.value(tuple(place + offset * pose.normal)) for offset in offsets]
    shown = max(values) if mode is SlabMode.MIP else min(values)
    words = scene.value_words(place, pose)
    assert float(words.split()[0].replace("\u2212", "-")) == pytest.approx(shown, abs=1.0)
    assert words != scene.value_words(place)


def test_slab_acts_are_for_the_active_plane(planes: MprWorkspace) -> None:
    view = planes.planes[CORONAL]
    QTest.keyClick(view, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    assert planes.scene.slab() == Slab(SlabMode.MIP, 10.0)
    QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert planes.scene.slab().thickness == 15.0
    assert planes.bar.thickness.text() == "15 mm" and planes.bar.modes[SlabMode.MIP].isChecked()
    assert planes.scene.state.poses[AXIAL].slab.mode is SlabMode.OFF
    QTest.mouseClick(planes.bar.everywhere, LEFT)
    assert planes.scene.state.poses[AXIAL].slab == planes.scene.slab()
    QTest.mouseClick(planes.bar.modes[SlabMode.MEAN], LEFT)
    assert planes.scene.slab().mode is SlabMode.MEAN
    line = next(line for line in planes.planes[AXIAL].lines() if line.plane is CORONAL)
    x, y = line.middle
    edge = (x + 70, y + line.half_slab)
    drag(planes.planes[AXIAL], edge, (edge[0], y + 2 * line.half_slab))
    assert planes.scene.state.poses[CORONAL].slab.thickness == pytest.approx(30.0, abs=1.5)


def test_the_selected_region_is_cut_and_found(planes: MprWorkspace) -> None:
    stack = planes.scene.stack
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[25:33, 10:30, 40:60] = True
    uid = stack.series.series_instance_uid
    region = Region(shape=Shape.MASK, series_instance_uid=uid, mask_sha256="m")
    before = planes.grab().toImage()
    planes.set_overlay(Overlay((ViewRegion("E1", (region,)),), {"m": mask}))
    planes.select_regions(frozenset({"E1"}))
    assert planes.show_region(region)
    index = planes.scene.grid.index_of(crosshair(planes))[0]
    assert mask[round(index[2]), round(index[1]), round(index[0])]
    assert planes.grab().toImage() != before
    elsewhere = region.model_copy(update={"series_instance_uid": "9"})
    assert not planes.show_region(elsewhere)


def test_a_region_under_the_pointer_is_outlined_and_a_click_on_it_tells_which(
    planes: MprWorkspace, qtbot: QtBot, hover: Callable[..., None]
) -> None:
    stack = planes.scene.stack
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[15:26, 30:50, 25:45] = True
    uid = stack.series.series_instance_uid
    region = Region(shape=Shape.MASK, series_instance_uid=uid, mask_sha256="m")
    planes.set_overlay(Overlay((ViewRegion("E1", (region,)),), {"m": mask}))
    assert planes.show_region(region)
    view = planes.planes[CORONAL]
    x, y = middle_of(view)
    bare = view.grab().toImage()
    # beside the middle of a region that spans 20 mm, off the crosshair
    inside, outside = (x + 7 * view.frame().scale, y + 8), (x + 30 * view.frame().scale, y + 8)
    with qtbot.waitSignal(planes.regionHovered) as told:
        hover(view, inside)
    assert told.args == ["E1"] and view.grab().toImage() != bare
    with qtbot.waitSignal(planes.regionClicked) as told:
        QTest.mouseClick(view, LEFT, NONE, QPoint(round(inside[0]), round(inside[1])))
    assert told.args == ["E1"]
    with qtbot.waitSignal(planes.regionHovered) as told:
        hover(view, outside)
    assert told.args == [""]
    with qtbot.assertNotEmitted(planes.regionClicked):
        QTest.mouseClick(view, LEFT, NONE, QPoint(round(outside[0]), round(outside[1])))
        drag(view, inside, (inside[0], inside[1] + 30))
        planes.set_tool(Tool.LENGTH)
        drag(view, inside, (inside[0] + 20, inside[1] + 30))


def test_the_chip_under_the_pointer_lights_its_region(planes: MprWorkspace) -> None:
    stack = planes.scene.stack
    mask = np.ones(stack.stored.shape, dtype=bool)
    mask[:, :20] = False
    uid = stack.series.series_instance_uid
    region = Region(shape=Shape.MASK, series_instance_uid=uid, mask_sha256="m")
    planes.set_overlay(Overlay((ViewRegion("E1", (region,)),), {"m": mask}))
    view = planes.planes[AXIAL]
    bare = view.grab().toImage()
    planes.hover_regions("E1")
    assert view.grab().toImage() != bare
    planes.hover_regions("")
    assert view.grab().toImage() == bare


def test_the_fourth_cell_shows_the_volume_on_demand(planes: MprWorkspace, qtbot: QtBot) -> None:
    assert planes.why_not("rendering.mip")
    assert planes.do("reformat.volume")
    assert planes.cell.shows_volume and planes.bar.volume.isChecked()
    volume = planes.cell.volume
    qtbot.waitUntil(lambda: bool(volume.picture() or volume.refusal), timeout=30_000)
    assert not volume.refusal and not planes.why_not("rendering.mip")
    assert planes.do("rendering.mip")
    QTest.mouseClick(planes.bar.volume, LEFT)
    assert not planes.cell.shows_volume and volume.rendering() is None

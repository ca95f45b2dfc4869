"""Marks and a curve on the three planes, their cells and thickness, and what is not measured."""

from __future__ import annotations

import numpy as np
import pytest
from planes_driver import AXIAL, CORONAL, LEFT, NONE, SAGITTAL, crosshair, drag, middle_of, wheel
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from viewer.acts import Tool
from viewer.imaging.marks import MarkKind
from viewer.imaging.reformat import Slab, SlabMode
from viewer.views.marks.board import MarkBoard
from viewer.views.reformat.curved_view import why_not_measured
from viewer.views.reformat.workspace import MprWorkspace

pytestmark = pytest.mark.gui


# --- marks and curves ------------------------------------------------------------------------------


def test_a_diameter_on_an_oblique_plane_is_in_millimetres_and_square(planes: MprWorkspace) -> None:
    board = MarkBoard()
    planes.set_board(board)
    planes.scene.set_state(planes.scene.state.rotated(AXIAL, 35.0))
    view = planes.planes[CORONAL]
    planes.do("viewport.tool.bidirectional")
    scale = view.frame().scale
    x, y = middle_of(view)
    drag(view, (x - 50, y - 60), (x + 50, y - 60))
    assert not board.marks
    drag(view, (x + 10, y - 90), (x + 25, y - 30))
    (mark,) = board.marks
    assert mark.kind is MarkKind.PERPENDICULAR and mark.in_patient
    assert [value.value for value in mark.values] == pytest.approx(
        [100 / scale, 60 / scale], abs=2.0 / scale
    )
    long, short = mark.array()[1] - mark.array()[0], mark.array()[3] - mark.array()[2]
    assert long @ short == pytest.approx(0.0, abs=1e-6)
    assert long @ view.pose().normal == pytest.approx(0.0, abs=1e-9)
    # half of the longest side of a voxel at each end
    assert mark.values[0].uncertainty == pytest.approx(2.0 / 2 * np.sqrt(2))
    assert view.drawn_marks() and not planes.planes[AXIAL].drawn_marks()
    wheel(view, 5)
    assert not view.drawn_marks()
    assert planes.show_mark(mark)
    assert planes.planes[planes.scene.active].drawn_marks()
    planes.do("viewport.mark_delete")
    assert not board.marks


def test_the_end_of_a_length_is_moved_and_measured_again(planes: MprWorkspace) -> None:
    view = planes.planes[AXIAL]
    planes.do("viewport.tool.length")
    x, y = middle_of(view)
    drag(view, (x - 60, y - 40), (x + 20, y - 40))
    (before,) = planes.scene.marks.all
    drag(view, (x + 20, y - 40), (x + 60, y - 40))
    (after,) = planes.scene.marks.all
    assert after.id == before.id
    assert after.values[0].value == pytest.approx(before.values[0].value * 1.5, rel=0.03)


def test_a_curve_is_clicked_ended_moved_and_turned(planes: MprWorkspace) -> None:
    view = planes.planes[SAGITTAL]
    assert planes.do("reformat.curved")
    x, y = middle_of(view)
    for dx, dy in ((10, -70), (30, -30), (25, 10), (40, 50)):
        QTest.mouseClick(view, LEFT, NONE, QPoint(round(x + dx), round(y + dy)))
    QTest.keyClick(view, Qt.Key.Key_Backspace)
    QTest.keyClick(view, Qt.Key.Key_Return)
    scene = planes.scene
    assert not scene.drawing_curve and len(scene.curve_points) == 3
    assert planes.cell.currentWidget() is planes.curved
    length = scene.curve.length
    drag(view, (x + 25, y + 10), (x + 60, y + 60))
    assert scene.curve.length > length
    before = planes.curved.stored()
    wheel(planes.curved, 4)
    assert planes.curved.degrees == pytest.approx(340.0)
    assert (planes.curved.stored() != before).any()
    planes.do("viewport.slab_mode")
    assert planes.curved.slab.mode is SlabMode.MIP and scene.slab().mode is SlabMode.OFF
    target = planes.curved.target()
    place = planes.curved.place_at((target.center().x(), target.center().y()))
    QTest.mouseClick(planes.curved, LEFT, NONE, target.center().toPoint())
    assert crosshair(planes) == pytest.approx(np.asarray(place), abs=1.0)
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.mouseClick(planes.curved, LEFT, shift, target.center().toPoint())
    along = scene.curve.tangents[planes.curved.sample_at(target.center().toTuple())]
    across = scene.state.poses[scene.active]
    assert abs(across.normal @ along) == pytest.approx(1.0)
    planes.do("reformat.curved")
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert planes.cell.currentWidget() is not planes.curved


# --- cells, thickness, what is not measured ---------------------------------------------------------


def test_a_thickness_is_typed_and_nonsense_goes_away(planes: MprWorkspace, qtbot: QtBot) -> None:
    field, view = planes.bar.thickness, planes.planes[AXIAL]
    view.setFocus()

    def typed(words: str, key: Qt.Key) -> None:
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, words)
        QTest.keyClick(field, key)

    typed("20 mm", Qt.Key.Key_Return)
    assert planes.scene.slab() == Slab(SlabMode.MIP, 20.0) and field.text() == "20 mm"
    assert planes.focusWidget() is view
    planes.do("viewport.slab.mean")
    typed("7,5", Qt.Key.Key_Return)
    assert planes.scene.slab() == Slab(SlabMode.MEAN, 7.5)
    for words in ("thick", "0", "1e9", "-3"):
        typed(words, Qt.Key.Key_Return)
        assert planes.scene.slab() == Slab(SlabMode.MEAN, 7.5) and field.text() == "7.5 mm"
    with qtbot.assertNotEmitted(planes.leaveWanted):
        typed("9", Qt.Key.Key_Escape)
    assert field.text() == "7.5 mm"


def test_the_active_cell_is_put_first_and_back(planes: MprWorkspace) -> None:
    axial, coronal = planes.planes[AXIAL], planes.planes[CORONAL]
    before = axial.geometry(), coronal.geometry()
    planes.scene.set_active(CORONAL)
    assert planes.do("reformat.swap")
    QApplication.processEvents()
    assert (coronal.geometry(), axial.geometry()) == before
    assert planes.do("reformat.swap")
    QApplication.processEvents()
    assert (axial.geometry(), coronal.geometry()) == before


def test_the_straightened_image_says_why_nothing_is_measured_there(planes: MprWorkspace) -> None:
    scene, curved = planes.scene, planes.curved
    scene.set_curve(((-60.0, -50.0, -20.0), (-50.0, -40.0, 0.0), (-60.0, -30.0, 20.0)))
    scene.set_on_curve()
    planes.set_tool(Tool.LENGTH)
    bare = curved.grab().toImage()
    degrees = curved.degrees
    drag(curved, (60, 80), (120, 140))
    assert curved.refuses and curved.grab().toImage() != bare
    assert not scene.marks.all and curved.degrees == degrees
    assert f"{scene.curve.length:.0f} mm" in why_not_measured(scene.curve.length)
    planes.set_tool(Tool.SCROLL)
    assert curved.grab().toImage() == bare
    drag(curved, (60, 80), (120, 80))
    assert curved.degrees != degrees

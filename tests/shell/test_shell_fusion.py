"""Fusion in the real window: by key and by the row, in viewports and planes, with the right values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fusion_scene import HOT, write_patient
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from shell_driver import Driver, Keys, make_home

from app.shell.volumes.fusion_part import FusionPart
from viewer.views.places import PatientPoint
from viewer.views.reformat.planes import PlaneName
from viewer.views.viewport_paint import corner_words

pytestmark = pytest.mark.gui

BOTH = Keys.ControlModifier | Keys.ShiftModifier


@pytest.fixture
def driver(qtbot: QtBot, tmp_path: Path) -> Iterator[Driver]:
    """A person who has a PET/CT open, CT and PET side by side."""
    made = Driver(qtbot, make_home(tmp_path / "home"))
    made.sign_in()
    made.drop(write_patient(tmp_path / "patient", ("CT", "PT")))
    made.open_first()
    panes = made.reading.area.grid.panes()
    made.until(lambda: all(pane.stack() is not None for pane in panes))
    yield made
    made.leave()


def part_of(driver: Driver) -> FusionPart:
    return next(one for one in driver.reading.parts.all if isinstance(one, FusionPart))


def go_to(driver: Driver) -> tuple[float, float]:
    """Show the lesion in the active viewport; return where it is seen."""
    viewport = driver.viewport
    uid = viewport.stack().series.frame_of_reference_uid
    viewport.show_place(PatientPoint(uid, tuple(HOT.tolist())))
    viewport.show_place(None)
    return viewport.model.to_widget(viewport.model.cut().plane.patient_to_pixel(HOT[None])[0])


def colour_at(widget: QWidget, point: tuple[float, float]):
    picture = QImage(widget.size(), QImage.Format.Format_RGB32)
    widget.render(picture)
    return picture.pixelColor(round(point[0]), round(point[1]))


def move_to(widget: QWidget, point: tuple[float, float]) -> None:
    place, none = QPointF(*point), Qt.MouseButton.NoButton
    where = widget.mapToGlobal(place)
    event = QMouseEvent(QEvent.Type.MouseMove, place, where, none, none, Keys.NoModifier)
    QApplication.sendEvent(widget, event)


def test_pet_lies_over_ct_by_one_key_and_is_gone_by_the_same(driver: Driver) -> None:
    part, viewport = part_of(driver), driver.viewport
    assert viewport.stack().series.modality == "CT"
    lesion = go_to(driver)
    assert colour_at(viewport, lesion).saturation() == 0
    assert part.row.isHidden()
    driver.press(Qt.Key.Key_F, BOTH)
    driver.until(lambda: part.over() is not None)
    lesion = go_to(driver)  # the row has taken some of the height
    assert part.row.isVisible()
    assert colour_at(viewport, lesion).saturation() > 0
    move_to(viewport, lesion)
    words = corner_words(viewport.model, viewport.theme).bottom_left[0]
    value = float(words.split("SUVbw ")[1].split()[0])
    assert "HU / SUVbw" in words and value == pytest.approx(5.5, abs=0.3)
    driver.press(Qt.Key.Key_F, BOTH)
    assert part.over() is None and part.row.isHidden()
    assert colour_at(viewport, go_to(driver)).saturation() == 0


def test_opacity_palette_and_window_by_keys_and_row(driver: Driver) -> None:
    part = part_of(driver)
    assert driver.window.why_not("fusion.more")
    driver.press(Qt.Key.Key_F, BOTH)
    driver.until(lambda: part.over() is not None)
    over = part.over()
    driver.press(Qt.Key.Key_Up, BOTH)
    assert part.board.look(over).opacity == pytest.approx(0.6)
    driver.press(Qt.Key.Key_Down, BOTH)
    driver.press(Qt.Key.Key_Down, BOTH)
    assert part.board.look(over).opacity == pytest.approx(0.4)
    assert (part.row.opacity.value(), part.row.percent.text()) == (40, "40 %")
    part.row.opacity.setFocus()
    driver.press(Qt.Key.Key_End)
    assert part.board.look(over).opacity == 1.0
    assert driver.window.perform("fusion.next_map")
    assert part.row.colours.currentData() == part.board.look(over).colour_map == "pet"
    part.row.high.setFocus()
    part.row.high.selectAll()
    driver.type("4")
    driver.press(Qt.Key.Key_Return)
    assert part.board.look(over).high == 4.0
    part.row.low.setFocus()
    part.row.low.selectAll()
    driver.type("9")  # above the upper end: no window
    driver.press(Qt.Key.Key_Return)
    assert part.board.look(over).low == 0.0 and part.row.low.text() == "0.0"
    assert part.row.unit.text() == "SUVbw"


def test_from_the_pet_the_ct_comes_beneath_it_at_the_same_place(driver: Driver) -> None:
    part = part_of(driver)
    driver.reading.area.grid.set_active(1)
    viewport = driver.viewport
    assert viewport.stack().series.modality == "PT"
    go_to(driver)
    place = viewport.cut().middle().position
    driver.press(Qt.Key.Key_F, BOTH)
    driver.until(lambda: part.over() is not None)
    assert viewport.stack().series.modality == "CT"
    assert abs(viewport.cut().distance(place)) <= 2.5
    driver.press(Qt.Key.Key_F, BOTH)
    assert viewport.stack().series.modality == "PT"


def test_swap_lays_the_ct_over_the_pet(driver: Driver) -> None:
    part = part_of(driver)
    driver.press(Qt.Key.Key_F, BOTH)
    driver.until(lambda: part.over() is not None)
    driver.click(part.row.swap)
    driver.until(lambda: part.over() is not None and part.over().series.modality == "CT")
    assert driver.viewport.stack().series.modality == "PT"
    assert part.board.look(part.over()).colour_map == "grey"


def test_planes_show_the_pet_over_the_ct_and_say_both_values(driver: Driver) -> None:
    part = part_of(driver)
    driver.press(Qt.Key.Key_F, BOTH)
    driver.until(lambda: part.over() is not None)
    go_to(driver)
    driver.press(Qt.Key.Key_M, BOTH)
    stage = driver.reading.area.stage
    driver.until(lambda: stage.workspace is not None and stage.workspace.scene.state is not None)
    scene = stage.workspace.scene
    assert scene.fusion is not None and part.over() is not None  # it came along
    scene.change(lambda state, grid: state.at(tuple(HOT.tolist()), grid))
    for name in PlaneName:
        view = stage.workspace.planes[name]
        point = view.frame().to_widget([HOT + 3.0])[0]
        assert colour_at(view, tuple(point.tolist())).saturation() > 0, name
    assert "HU / SUVbw 5." in scene.value_words(tuple(HOT.tolist()))
    driver.press(Qt.Key.Key_F, BOTH)
    assert scene.fusion is None
    view = stage.workspace.planes[PlaneName.AXIAL]
    point = view.frame().to_widget([HOT + 3.0])[0]
    assert colour_at(view, tuple(point.tolist())).saturation() == 0
    driver.press(Qt.Key.Key_F, BOTH)
    driver.until(lambda: scene.fusion is not None)
    driver.press(Qt.Key.Key_M, BOTH)
    assert stage.name == ""


def test_a_protocol_hangs_a_fused_viewport(driver: Driver) -> None:
    part, area = part_of(driver), driver.reading.area
    fused = next(
        one for one in area.hangings(any_width=True) if one.protocol.name.startswith("PET over")
    )
    area.hang(fused)
    driver.until(lambda: len(area.grid.panes()) == 3)
    third = area.grid.panes()[2]
    driver.until(lambda: part.board.fused_in(third) is not None)
    assert third.stack().series.modality == "CT"
    assert part.board.fused_in(area.grid.panes()[0]) is None
    side = next(one for one in area.hangings(any_width=True) if one.protocol.name == "PET beside CT")
    area.hang(side)
    assert all(part.board.fused_in(pane) is None for pane in area.grid.all_panes())


def test_the_memory_of_the_pet_goes_back_with_the_study(driver: Driver) -> None:
    part = part_of(driver)
    driver.press(Qt.Key.Key_F, BOTH)
    driver.until(lambda: part.over() is not None)
    pool = driver.window.engine.reader.pool
    closed = []
    driver.reading.close_study(closed.append)
    driver.until(lambda: closed)
    assert closed == [True] and part.over() is None
    driver.until(lambda: not pool._used)


def test_paint_of_a_fused_image_is_quick(driver: Driver) -> None:
    """Scrolling makes new pictures; 20 ms is far above what one takes and far under what is seen."""
    import time

    part, viewport = part_of(driver), driver.viewport
    driver.press(Qt.Key.Key_F, BOTH)
    driver.until(lambda: part.over() is not None)
    viewport.grab()
    times = []
    for index in range(32):
        viewport.set_state(viewport.model.state.at(index, 32))
        start = time.perf_counter()
        viewport.repaint()
        times.append(time.perf_counter() - start)
    assert np.median(times) < 0.02


def test_a_study_without_a_partner_says_why(driver: Driver, tmp_path: Path) -> None:
    area = driver.reading.area
    area.grid.set_active(0)
    area.show_series(next(s.key for s in area.study().series if s.modality == "CT"))
    area._study = area.study().model_copy(
        update={"series": tuple(s for s in area.study().series if s.modality == "CT")}
    )
    assert "frame of reference" in driver.window.why_not("fusion.switch")
    QTest.keyClick(driver.viewport, Qt.Key.Key_F, BOTH)
    assert part_of(driver).over() is None

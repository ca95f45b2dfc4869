"""Key images in the window: kept with one key, listed, noted, ordered, jumped to, undone, stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from shell_driver import PASSWORD, USER, Driver, Keys, copied, open_desk

from app.key_images import key_images_of_study
from app.shell.output.key_images_part import KeyImagesPart
from reports.audit.event import AuditAct
from viewer.views.key_layer import KeyLayer

pytestmark = pytest.mark.gui

CTRL, NONE = Keys.ControlModifier, Keys.NoModifier


@pytest.fixture
def home(imported_home: Path, tmp_path: Path) -> Path:
    return copied(imported_home, tmp_path / "home")


def part(driver: Driver) -> KeyImagesPart:
    return next(one for one in driver.reading.parts.all if isinstance(one, KeyImagesPart))


def opened(qtbot: QtBot, home: Path) -> Driver:
    driver = Driver(qtbot, home)
    driver.sit_down()
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    driver.until(lambda: part(driver).history is not None)
    driver.reading.focus_images()
    return driver


@pytest.fixture
def reader(qtbot: QtBot, home: Path) -> Iterator[Driver]:
    driver = opened(qtbot, home)
    yield driver
    driver.leave()


def keep_three(driver: Driver) -> list[int]:
    """Keep three images with J and return their places in the stack."""
    places = []
    for _ in range(3):
        for _ in range(4):
            driver.press(Qt.Key.Key_Down)
        driver.press(Qt.Key.Key_J)
        places.append(driver.viewport.shown_frame())
    driver.until(lambda: len(part(driver).history.images) == 3)
    return places


def test_j_keeps_the_image_as_it_is_seen_and_j_again_does_not(reader: Driver) -> None:
    reader.press(Qt.Key.Key_I)
    reader.press(Qt.Key.Key_H)
    reader.press(Qt.Key.Key_J)
    (kept,) = part(reader).history.images
    model = reader.viewport.model
    assert kept.sop_instance_uid == model.instance().sop_instance_uid
    assert (kept.inverted, kept.mirrored) == (model.state.inverted, model.state.mirrored)
    assert kept.window == model.window()
    reader.press(Qt.Key.Key_J)
    assert part(reader).history.images == ()


def test_a_star_says_it_on_the_image_and_on_its_series(reader: Driver) -> None:
    view, area = reader.viewport, reader.reading.area
    layer = next(one for one in view.layers if isinstance(one, KeyLayer))
    item = area.strip._items[view.model.stack.series.key]
    plain, bare = view.grab().toImage(), item.grab().toImage()
    assert layer.note() == "" and item.kept == 0
    reader.press(Qt.Key.Key_J)
    assert layer.note() == "\u2605 Key image" and item.kept == 1
    assert "key images: 1" in item.accessibleName()
    assert view.grab().toImage() != plain and item.grab().toImage() != bare
    reader.press(Qt.Key.Key_Down)
    assert layer.note() == ""
    reader.press(Qt.Key.Key_Up)
    reader.press(Qt.Key.Key_J)
    assert layer.note() == "" and item.kept == 0


def test_point_and_comma_jump_with_window_and_zoom(reader: Driver) -> None:
    reader.press(Qt.Key.Key_2)
    window = reader.viewport.shown_window()
    places = keep_three(reader)
    reader.press(Qt.Key.Key_1)
    reader.press(Qt.Key.Key_Home)
    assert reader.viewport.shown_window() != window
    reader.press(Qt.Key.Key_Period)
    assert reader.viewport.shown_frame() == places[0]
    assert reader.viewport.shown_window() == window
    reader.press(Qt.Key.Key_Period)
    assert reader.viewport.shown_frame() == places[1]
    for expected in (places[0], places[2]):
        reader.press(Qt.Key.Key_Comma)
        assert reader.viewport.shown_frame() == expected


def test_the_page_notes_orders_and_removes(reader: Driver) -> None:
    keep_three(reader)
    reader.window.perform("window.key_images")
    page, history = part(reader).page, part(reader).history
    assert page.isVisible()
    assert page.list.count() == 3
    first = history.images[0].id
    page.choose(first)
    page.note.setFocus()
    reader.type("Nodule beside the hilum")
    reader.press(Qt.Key.Key_Return)
    assert history.images[0].note == "Nodule beside the hilum"
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Down, CTRL)
    assert history.images[1].id == first
    assert page.current() == first
    reader.click(page.up)
    assert history.images[0].id == first
    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    assert [one.id for one in history.images].count(first) == 0
    assert page.list.count() == 2


def test_undo_takes_back_the_newest_act_of_key_images(reader: Driver) -> None:
    keep_three(reader)
    third = part(reader).history.images[2].id
    reader.press(Qt.Key.Key_J)
    assert len(part(reader).history.images) == 2
    reader.press(Qt.Key.Key_Z, CTRL)
    assert part(reader).history.images[2].id == third
    reader.press(Qt.Key.Key_Z, CTRL)
    assert len(part(reader).history.images) == 2
    assert "key image kept" in reader.panel.toast.text
    reader.press(Qt.Key.Key_Y, CTRL)
    assert len(part(reader).history.images) == 3


def test_key_images_stay_with_their_study(qtbot: QtBot, home: Path) -> None:
    first = opened(qtbot, home)
    keep_three(first)
    images = part(first).history.images
    told: list[bool] = []
    part(first).flush(told.append)
    first.until(lambda: told)
    uid = first.reading.entry.study.study_instance_uid
    first.leave()
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    assert key_images_of_study(desk, uid) == images
    saved = [
        one
        for one in desk.store.events(desk.account)
        if one.act is AuditAct.STUDY_RECORD_SAVED and one.detail["kind"] == "key images"
    ]
    assert "keep a key image" in saved[-1].detail["act"]
    desk.close()
    again = opened(qtbot, home)
    assert part(again).history.images == images
    again.until(lambda: len(part(again)._pictures) == 3)
    again.leave()


def test_they_are_exported_as_a_key_object_selection(reader: Driver, tmp_path: Path) -> None:
    keep_three(reader)
    target = tmp_path / "key.dcm"
    part(reader).export_to(target)
    reader.until(target.exists)
    written = pydicom.dcmread(target)
    assert written.Modality == "KO"
    uids = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in written.ContentSequence
        if item.ValueType == "IMAGE"
    ]
    assert uids == [one.sop_instance_uid for one in part(reader).history.images]


def test_printed_key_images_carry_their_marks(reader: Driver) -> None:
    reader.press(Qt.Key.Key_J)
    bare = part(reader).printed(with_patient=False, ratio=1.0)[0].image
    reader.press(Qt.Key.Key_L)
    view = reader.viewport
    middle = view.rect().center()
    for at in (middle, middle + QPoint(60, 30)):
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, NONE, at)
    reader.until(lambda: reader.reading.area.marks.marks)
    marked = part(reader).printed(with_patient=False, ratio=1.0)[0].image
    assert marked.size() == bare.size()
    different = np.array(marked.constBits()) != np.array(bare.constBits())
    assert different.any()


def test_nothing_kept_is_said(reader: Driver) -> None:
    assert "no key images" in reader.window.why_not("viewport.key_next")
    assert "no key images" in reader.window.why_not("window.key_images_export")

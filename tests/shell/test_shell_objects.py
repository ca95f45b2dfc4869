"""Objects of others in the window: listed, read when asked for, shown on the images, gone to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from object_scene import (
    BOXES,
    CIRCLE,
    CONTOUR,
    KEY_SLICES,
    LARGEST,
    LINE,
    SLICE,
    slices,
    write_scene,
)
from objects_driver import (
    at,
    check,
    choose,
    go_to_slice,
    is_coloured,
    is_red,
    middle,
    page,
    part,
    row,
    settle,
    shown,
    slice_shown,
)
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from shell_driver import PASSWORD, USER, Driver, Keys, copied, make_home, open_desk

from app.engine import Engine
from app.shell.objects.rows import RowKind
from viewer.imaging.objects.foreign import ObjectKind
from viewer.views.objects.presentation_layer import presenter_of

pytestmark = pytest.mark.gui

KINDS = (
    ObjectKind.SEGMENTATION,
    ObjectKind.STRUCTURE_SET,
    ObjectKind.PRESENTATION_STATE,
    ObjectKind.MEASUREMENT_REPORT,
    ObjectKind.KEY_OBJECT,
    ObjectKind.ENCAPSULATED_PDF,
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene(tmp_path_factory.mktemp("objects") / "study")


@pytest.fixture(scope="module")
def imported_home(tmp_path_factory: pytest.TempPathFactory, scene: Path) -> Path:
    """A store with one radiologist, the phantom and the objects beside it."""
    home = make_home(tmp_path_factory.mktemp("imported") / "home")
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    with Engine(home) as engine:
        desk.import_studies(engine.reader.index([scene]))
    desk.close()
    return home


@pytest.fixture
def reader(qtbot: QtBot, imported_home: Path, tmp_path: Path) -> Iterator[Driver]:
    """The window with the study open, all pixels in, the keyboard on the images."""
    driver = Driver(qtbot, copied(imported_home, tmp_path / "home"))
    driver.sit_down()
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    driver.reading.focus_images()
    yield driver
    driver.leave()


def test_objects_are_listed_by_kind_with_maker_and_date_and_nothing_is_shown_unasked(
    reader: Driver,
) -> None:
    assert reader.reading.side.tabs["objects"].text() == "Objects 7"
    assert not reader.reading.side.isVisible()
    go_to_slice(reader, SLICE)
    assert not is_coloured(at(reader, middle(1), middle(2), CONTOUR[0])).any()
    rows = list(page(reader).list.rows())
    found = [one.found.kind for one in rows if one.kind is RowKind.OBJECT]
    assert found == [ObjectKind.SEGMENTATION, *KINDS]
    assert [one.text for one in rows if one.kind is RowKind.GROUP][:2] == [
        "Segmentations  2",
        "Structure sets  1",
    ]
    assert row(reader, ObjectKind.PRESENTATION_STATE).note == "Reader, Rosa \u00b7 6 Jan 2026"
    assert not part(reader).board.contents


def test_a_segmentation_is_checked_by_the_keyboard_and_jumps_to_its_largest_slice(
    reader: Driver,
) -> None:
    go_to_slice(reader, SLICE)
    bare = at(reader, middle(1))
    check(reader, ObjectKind.SEGMENTATION)
    parts = [one for one in page(reader).list.rows() if one.kind is RowKind.PART]
    assert [one.text for one in parts] == ["Left part", "Right part"]
    volume = (6 * 50 * 60 + 20 * 60) * 0.95 * 0.95 * 5 / 1000
    assert parts[0].note == f"{volume:.1f} mL"
    top, bottom, left, right = BOXES[1]
    inside = [(left + 3, top + 3), (right - 4, bottom - 4), middle(1)]
    outside = [(left - 4, top), (right + 3, bottom), (left, bottom + 4), (left, top - 10)]
    assert is_red(at(reader, *inside)).all()
    assert not is_coloured(at(reader, *outside)).any()
    tint = at(reader, middle(1)) - bare * 0.6
    assert tint[0] == pytest.approx((102, 0, 0), abs=4)
    reader.press(Qt.Key.Key_Down)  # to the first segment
    assert part(reader).page.list.row().text == "Left part"
    reader.press(Qt.Key.Key_Return)
    settle(reader)
    assert slice_shown(reader) == LARGEST
    assert is_red(at(reader, (left + 3, top - 10))).all()
    reader.press(Qt.Key.Key_Space)
    assert not is_coloured(at(reader, middle(1))).any()
    assert is_coloured(at(reader, middle(2))).all()
    part(reader).page.opacity.setValue(100)
    assert at(reader, middle(2))[0] == pytest.approx((0, 160, 0), abs=12)
    go_to_slice(reader, SLICE + 5)
    assert not is_coloured(at(reader, middle(2))).any()


def test_a_contour_is_on_its_slice_with_the_volume_that_it_encloses(reader: Driver) -> None:
    check(reader, ObjectKind.STRUCTURE_SET)
    (region,) = (one for one in page(reader).list.rows() if one.kind is RowKind.PART)
    assert region.text == "GTV"
    assert region.note == f"{80 * 40 * 0.95 * 0.95 * 5 / 1000:.1f} mL"
    part(reader).page.list.openWanted.emit(region)
    settle(reader)
    assert slice_shown(reader) == SLICE
    sides = [(100.0, 80.0), (140.0, 100.0), (100.0, 120.0), (60.0, 100.0)]
    lines = at(reader, *sides)
    assert (lines[:, 0] > 150).all() and (lines[:, 1] > 150).all() and (lines[:, 2] < 110).all()
    assert not is_coloured(at(reader, (100.0, 100.0), (70.0, 90.0))).any()
    go_to_slice(reader, SLICE + 1)
    assert not is_coloured(at(reader, *sides)).any()


def test_measurements_of_a_report_stand_on_the_image_with_their_author(reader: Driver) -> None:
    check(reader, ObjectKind.MEASUREMENT_REPORT)
    marks = reader.reading.area.marks
    (mark,) = marks.marks
    assert (mark.name, mark.is_own, mark.values[0].value) == ("Nodule A", False, 57.0)
    assert mark.points == LINE
    marks.jump_to(mark.id)
    assert slice_shown(reader) == SLICE
    from viewer.views.marks.words import label_lines

    assert label_lines(mark) == ["Nodule A", "57 mm", "Reader, Rosa"]
    bare = at(reader, (130.0, 255.0))
    assert bare.max() < 250
    check(reader, ObjectKind.MEASUREMENT_REPORT)
    assert marks.marks == ()


def test_a_mark_of_a_report_becomes_a_finding_in_the_name_of_its_author(reader: Driver) -> None:
    check(reader, ObjectKind.MEASUREMENT_REPORT)
    marks = reader.reading.area.marks
    marks.jump_to(marks.marks[0].id)
    reader.reading.focus_images()
    reader.press(Qt.Key.Key_Return, Keys.ShiftModifier)
    form = reader.panel.finding_form
    reader.until(form.isVisible)
    form.descriptor.setCurrentText("nodule")
    form.anatomy.setCurrentIndex(0)
    form.side.setCurrentIndex(0)
    form.accept()
    reader.until(lambda: reader.model.ledger.evidence)
    evidence = reader.model.ledger.evidence[-1]
    assert [value.value for value in evidence.values][:1] == [57.0]
    assert "measured by Reader Rosa (SR)" in evidence.checks


def test_a_presentation_state_is_applied_to_its_image_and_goes_with_the_reset(reader: Driver) -> None:
    go_to_slice(reader, SLICE + 6)
    before = reader.viewport.model.state
    check(reader, ObjectKind.PRESENTATION_STATE)
    assert slice_shown(reader) == SLICE
    state = reader.viewport.model.state
    assert (state.quarter_turns, state.mirrored) == (1, True)
    (column, row_), (edge, _) = CIRCLE
    radius = edge - column
    ring = [(column + radius, row_), (column - radius, row_), (column, row_ + radius)]
    line = at(reader, *ring)
    assert (line[:, 1] - line[:, 0] > 60).all()
    assert not is_coloured(at(reader, *[(x * 0.9 + 20, y * 0.9 + 15) for x, y in ring])).any()
    assert at(reader, (105.0, 150.0)).max() == 0  # the shutter hides it
    assert at(reader, (130.0, 150.0)).min() > 230  # air is white
    reader.reading.focus_images()
    reader.press(Qt.Key.Key_G, Keys.ShiftModifier)
    assert not is_coloured(at(reader, *ring)).any()
    reader.press(Qt.Key.Key_G, Keys.ShiftModifier)
    assert is_coloured(at(reader, *ring)).all()
    assert reader.window.acts.perform("viewport.reset") or reader.viewport.do("viewport.reset")
    assert reader.viewport.model.state.quarter_turns == before.quarter_turns
    assert not is_coloured(shown(reader)).any()
    shown_row = row(reader, ObjectKind.PRESENTATION_STATE)
    assert part(reader).board.state_of(reader.viewport) is None
    part(reader).page.list.choose(shown_row.uid)
    part(reader).page.go.click()
    settle(reader)
    assert part(reader).board.state_of(reader.viewport) is not None
    assert presenter_of(reader.viewport) is not None
    check(reader, ObjectKind.PRESENTATION_STATE)
    assert reader.viewport.model.state.quarter_turns == 0


def test_key_images_are_gone_through(reader: Driver) -> None:
    choose(reader, ObjectKind.KEY_OBJECT)
    reader.press(Qt.Key.Key_Right)
    settle(reader)
    images = [one for one in page(reader).list.rows() if one.kind is RowKind.IMAGE]
    headers = slices()
    numbers = sorted(int(headers[number].InstanceNumber) for number in KEY_SLICES)
    assert sorted(one.text for one in images) == [f"Se 1  Im {number}" for number in numbers]
    seen = []
    for _ in range(3):
        part(reader).page.following.click()
        seen.append(slice_shown(reader))
    assert sorted(seen[:2]) == list(KEY_SLICES)
    assert seen[2] == seen[0]
    assert reader.window.acts.perform("objects.key_previous")
    assert slice_shown(reader) == seen[1]


def test_a_document_is_read_in_a_card_that_esc_closes(reader: Driver) -> None:
    choose(reader, ObjectKind.ENCAPSULATED_PDF)
    reader.press(Qt.Key.Key_Return)
    reader.until(lambda: part(reader).documents is not None and part(reader).documents.isVisible())
    card = part(reader).documents
    picture = card.page.pixmap().toImage()
    left = picture.pixelColor(picture.width() // 4, picture.height() // 2)
    right = picture.pixelColor(picture.width() * 3 // 4, picture.height() // 2)
    assert (left.name(), right.name()) == ("#ff0000", "#ffffff")
    assert card.count.text() == "Page 1 of 2"
    assert not card.previous.isEnabled()
    wide = picture.width()
    QTest.keyClick(card, Qt.Key.Key_Plus)
    assert card.page.pixmap().width() > wide * 1.2
    QTest.keyClick(card, Qt.Key.Key_PageDown)
    assert card.page.pixmap().toImage().pixelColor(20, 20).name() == "#0000ff"
    assert not card.following.isEnabled()
    QTest.keyClick(card, Qt.Key.Key_Escape)
    assert not card.isVisible()


def test_a_report_is_read_as_a_tree(reader: Driver) -> None:
    choose(reader, ObjectKind.MEASUREMENT_REPORT)
    part(reader).page.read.click()
    reader.until(lambda: part(reader).reports is not None and part(reader).reports.isVisible())
    text = part(reader).reports.text.toPlainText()
    assert "Finding: Nodule" in text
    assert "Diameter: 57.0 mm" in text
    assert "Person Observer Name: Reader, Rosa" in text
    part(reader).reports.dismiss()


def test_an_object_that_cannot_be_read_says_why_in_its_place(reader: Driver) -> None:
    check(reader, ObjectKind.SEGMENTATION, "CUT")
    (note,) = (one for one in page(reader).list.rows() if one.kind is RowKind.NOTE)
    assert "incomplete" in note.text
    assert part(reader).page.problem.text() == note.text
    assert not part(reader).board.contents
    assert reader.problem() == ""


def test_everything_is_hidden_and_no_file_is_touched(reader: Driver, scene: Path) -> None:
    before = _digest(scene)
    go_to_slice(reader, SLICE)
    for kind in KINDS[:4]:
        check(reader, kind)
    assert is_coloured(shown(reader)).any()
    assert reader.window.acts.perform("objects.hide_all")
    assert not is_coloured(shown(reader)).any()
    assert reader.reading.area.marks.marks == ()
    assert _digest(scene) == before


def _digest(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())
    }


def test_the_planes_show_segments_and_contours_where_they_are(reader: Driver) -> None:
    check(reader, ObjectKind.SEGMENTATION)
    go_to_slice(reader, SLICE)
    reader.reading.focus_images()
    assert reader.window.acts.perform("workspace.mpr")
    stage = reader.reading.area.stage
    reader.until(lambda: stage.name == "workspace.mpr" and stage.workspace.scene.shapes is not None)
    views = stage.workspace.planes
    reader.until(lambda: stage.workspace.scene.state is not None)
    reader.until(lambda: not any(view.is_refining for view in views.values()))
    scene = stage.workspace.scene
    first = slices()[SLICE]
    left, top, height = (float(one) for one in first.ImagePositionPatient)
    x, y = middle(1)
    inside = (left + 0.95 * x, top + 0.95 * y, height)
    _, bottom, _, right = BOXES[1]
    beside = (left + 0.95 * (right + 12), top + 0.95 * (bottom + 8), height)
    for place, is_in in ((inside, True), (beside, False)):
        scene.change(lambda state, grid, place=place: state.at(place, grid))
        reader.until(lambda: not any(view.is_refining for view in views.values()))
        for name, view in views.items():
            column, row_ = view.frame().to_widget([place])[0]
            image = view.grab().toImage()
            # beside the crosshair, whose lines run through the place itself
            colour = image.pixelColor(int(column) + 4, int(row_) + 4)
            assert (colour.red() - colour.green() > 60) is is_in, (name, place, colour.name())
    row_shown = row(reader, ObjectKind.SEGMENTATION)
    part(reader).page.list.checkWanted.emit(row_shown, False)
    reader.until(lambda: scene.shapes is None)


def test_the_3d_view_shows_segments_as_surfaces(reader: Driver) -> None:
    check(reader, ObjectKind.SEGMENTATION)
    part(reader).page.opacity.setValue(100)
    reader.reading.focus_images()
    assert reader.window.acts.perform("workspace.rendering")
    stage = reader.reading.area.stage
    reader.until(lambda: stage.workspace is not None and hasattr(stage.workspace, "view"))
    view = stage.workspace.view
    reader.until(lambda: view.is_current() and not reader.reading.work.is_busy)

    def reds() -> int:
        image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        picture = raw[:, : 3 * image.width()].reshape(image.height(), -1, 3).astype(np.int64)
        return int(((picture[..., 0] - picture[..., 1] > 90) & (picture[..., 2] < 90)).sum())

    reader.until(lambda: view.is_current() and reds() > 200)
    assert reader.window.acts.perform("objects.hide_all")
    reader.until(lambda: view.is_current() and reds() == 0)


@pytest.fixture
def objects_alone(tmp_path: Path, scene: Path) -> Path:
    """A store with a study of objects whose images are elsewhere."""
    home = make_home(tmp_path / "home")
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("pdf.dcm", "ko.dcm", "seg.dcm"):
        (alone / name).write_bytes((scene / name).read_bytes())
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    with Engine(home) as engine:
        desk.import_studies(engine.reader.index([alone]))
    desk.close()
    return home


def test_a_study_of_objects_alone_opens_with_their_list_and_says_what_lacks(
    qtbot: QtBot, objects_alone: Path
) -> None:
    driver = Driver(qtbot, objects_alone)
    driver.sign_in()
    driver.wait_for_worklist()
    driver.window.worklist.table.setFocus()
    driver.press(Qt.Key.Key_Return)
    driver.until(lambda: driver.window.pages.currentWidget() is driver.reading)
    driver.until(part(driver).page.isVisible)
    check(driver, ObjectKind.SEGMENTATION)
    settle(driver)
    assert len([one for one in page(driver).list.rows() if one.kind is RowKind.PART]) == 2
    choose(driver, ObjectKind.KEY_OBJECT)
    driver.press(Qt.Key.Key_Right)
    settle(driver)
    images = [one for one in page(driver).list.rows() if one.kind is RowKind.IMAGE]
    assert [one.note for one in images] == ["not here", "not here"]
    choose(driver, ObjectKind.ENCAPSULATED_PDF)
    driver.press(Qt.Key.Key_Return)
    driver.until(lambda: part(driver).documents is not None and part(driver).documents.isVisible())
    driver.leave()


def test_a_jump_opens_the_series_that_an_object_lies_on(
    qtbot: QtBot, tmp_path: Path, scene: Path
) -> None:
    import pydicom
    from pydicom.uid import generate_uid

    data, series, frame = tmp_path / "data", generate_uid(), generate_uid()
    data.mkdir()
    for path in sorted(scene.iterdir()):
        (data / path.name).write_bytes(path.read_bytes())
    ct = slices()
    for number, path in enumerate(sorted(scene.iterdir())):
        ds = pydicom.dcmread(path)
        if ds.Modality != "CT":
            continue
        # more images than the other series, so that this one comes up first
        for half in (0.0, 2.5):
            ds.SeriesInstanceUID, ds.SeriesNumber, ds.FrameOfReferenceUID = series, 9, frame
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            place = [float(one) for one in ct[0].ImagePositionPatient]
            place[2] += 5.0 * number + half
            ds.ImagePositionPatient = place
            ds.save_as(data / f"other{number}{half}.dcm")
    home = make_home(tmp_path / "home")
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    with Engine(home) as engine:
        desk.import_studies(engine.reader.index([data]))
    desk.close()
    driver = Driver(qtbot, home)
    driver.sit_down()
    assert driver.viewport.stack().series.series_instance_uid == series
    check(driver, ObjectKind.SEGMENTATION)
    own = ct[0].SeriesInstanceUID
    driver.until(lambda: driver.viewport.stack().series.series_instance_uid == own)
    assert slice_shown(driver) == LARGEST
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    assert is_red(at(driver, middle(1))).all()
    driver.leave()

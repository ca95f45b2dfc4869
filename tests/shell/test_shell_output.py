"""What leaves the window: copies, pictures, prints and exports, without the patient unless asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pikepdf
import pydicom
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from shell_driver import Driver, Keys, copied

from app.shell.output.part import OutputPart
from app.shell.output.picture import picture_of
from app.shell.output.print import PrintWish, What
from reports.audit.event import AuditAct
from reports.export.deidentify_profile import Choices, Dates
from viewer.imaging.render import render_frame

pytestmark = pytest.mark.gui

CTRL, SHIFT, NONE = Keys.ControlModifier, Keys.ShiftModifier, Keys.NoModifier


@pytest.fixture
def reader(qtbot: QtBot, drafted_home: Path, tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(qtbot, copied(drafted_home, tmp_path / "home"))
    driver.sit_down()
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    driver.reading.focus_images()
    yield driver
    driver.leave()


def part(driver: Driver) -> OutputPart:
    return next(one for one in driver.reading.parts.all if isinstance(one, OutputPart))


def recorded(driver: Driver) -> list[str]:
    driver.until(lambda: not driver.window.store_thread.is_busy)
    desk = driver.window.desk
    return [
        one.detail["form"]
        for one in desk.store.events(desk.account)
        if one.act is AuditAct.DOCUMENT_EXPORTED
    ]


def pixels(image: QImage) -> np.ndarray:
    """Return (row, column, 3) of a picture."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    packed = np.frombuffer(rgb.constBits(), dtype=np.uint8)
    lines = packed.reshape(rgb.height(), rgb.bytesPerLine())[:, : 3 * rgb.width()]
    return lines.reshape(rgb.height(), rgb.width(), 3).copy()


def copied_picture(driver: Driver) -> QImage:
    clipboard = QGuiApplication.clipboard()
    driver.until(lambda: not clipboard.image().isNull())
    return clipboard.image()


def test_ctrl_c_copies_the_image_without_the_patient_and_records_it(reader: Driver) -> None:
    QGuiApplication.clipboard().clear()
    reader.press(Qt.Key.Key_C, CTRL)
    picture = copied_picture(reader)
    assert recorded(reader) == ["picture without patient data, copied"]
    view = reader.viewport
    assert np.array_equal(pixels(picture), pixels(picture_of(view, with_patient=False)))
    assert "without patient data" in reader.panel.toast.text


def test_only_the_named_picture_depends_on_the_patient(reader: Driver) -> None:
    """Another patient changes the named picture and not one pixel of the other."""
    view = reader.viewport
    before = [pixels(picture_of(view, with_patient=named)) for named in (False, True)]
    study = view.model.study
    other = study.patient.model_copy(update={"name": "Somebody^Else", "patient_id": "9999"})
    view.model.study = study.model_copy(
        update={"patient": other, "date": "19010101", "accession_number": "4711", "description": "X"}
    )
    after = [pixels(picture_of(view, with_patient=named)) for named in (False, True)]
    assert np.array_equal(before[0], after[0])
    assert before[1].shape != before[0].shape
    assert not np.array_equal(before[1], after[1])


def test_the_grey_of_a_picture_is_that_of_the_pipeline(reader: Driver) -> None:
    view = reader.viewport
    model = view.model
    rows, columns = model.stack.stored.shape[1:3]
    view.do("viewport.one_to_one")
    picture = pixels(picture_of(view, with_patient=False, ratio=view.devicePixelRatioF()))
    grey = render_frame(model.stack, model.state.index, model.window())
    corner = np.round(model.matrix() @ [-0.5, -0.5, 1.0]).astype(int)
    left, top = (int(value) for value in corner[:2])
    middle = picture[top + 150 : top + 250, left + 150 : left + 250]
    assert (rows, columns) == grey.shape
    assert np.array_equal(middle[..., 0], grey[150:250, 150:250])


def test_marks_stand_on_the_picture(reader: Driver) -> None:
    view = reader.viewport
    bare = pixels(picture_of(view, with_patient=False))
    reader.press(Qt.Key.Key_L)
    middle = view.rect().center()
    for at in (middle, middle + QPoint(80, 40)):
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, NONE, at)
    reader.until(lambda: reader.reading.area.marks.marks)
    assert not np.array_equal(pixels(picture_of(view, with_patient=False)), bare)


def test_a_saved_png_holds_no_words_beside_its_pixels(reader: Driver, tmp_path: Path) -> None:
    target = tmp_path / "image.png"
    part(reader).save_picture(target, with_patient=False)
    reader.until(target.exists)
    with Image.open(target) as image:
        assert not image.text
        assert image.size[0] > 2 * reader.viewport.width() - 3
    assert target.stat().st_mode & 0o077 == 0
    assert recorded(reader) == ["picture without patient data, saved"]


@pytest.mark.parametrize("what", list(What))
def test_sheets_are_printed_to_pdf(reader: Driver, tmp_path: Path, what: What) -> None:
    reader.press(Qt.Key.Key_J)
    target = tmp_path / "sheet.pdf"
    part(reader).print_to_pdf(PrintWish(what, "A4", False, what is What.REPORT), target)
    reader.until(target.exists)
    with pikepdf.open(target) as pdf:
        assert len(pdf.pages) >= 1
        width, height = (float(side) for side in pdf.pages[0].mediabox[2:])
        assert (round(width), round(height)) == (595, 842)
    content = target.read_bytes()
    patient = reader.viewport.model.study.patient
    if what is not What.REPORT:
        assert patient.patient_id.encode() not in content
    assert recorded(reader)[-1].startswith(str(what))


def test_ctrl_p_asks_what_and_says_what_is_missing(reader: Driver) -> None:
    reader.press(Qt.Key.Key_P, CTRL)
    chooser = part(reader).chooser
    assert chooser.isVisible()
    chooser.what.setCurrentIndex(chooser.what.findData(What.KEY_IMAGES))
    assert not chooser.pdf.isEnabled()
    assert "no key images" in chooser.note.text()
    chooser.what.setCurrentIndex(chooser.what.findData(What.REPORT))
    assert chooser.pdf.isEnabled()
    assert chooser.wish().with_patient
    reader.press(Qt.Key.Key_Escape)
    assert not chooser.isVisible()


def test_images_leave_without_their_patient_by_the_dialog(reader: Driver, tmp_path: Path) -> None:
    reader.press(Qt.Key.Key_E, CTRL | SHIFT)
    dialog = part(reader).dialog
    assert dialog.isVisible()
    reader.until(dialog.folder.isEnabled)
    assert "1 series can be exported" in dialog.found.text()
    dialog.dates.setCurrentIndex(dialog.dates.findData(Dates.SHIFT))
    dialog.label.setText("Subject 7")
    assert dialog.choices() == Choices(dates=Dates.SHIFT, label="Subject 7")
    target = tmp_path / "out"
    part(reader).deidentify(dialog.choices(), target)
    reader.until(lambda: "were written" in dialog.found.text())
    files = sorted(target.rglob("*.dcm"))
    assert len(files) == 60
    assert pydicom.dcmread(files[0]).PatientID == "Subject 7"
    assert recorded(reader) == ["de-identified images"]


def test_a_label_that_no_dicom_name_takes_is_said(reader: Driver) -> None:
    reader.press(Qt.Key.Key_E, CTRL | SHIFT)
    dialog = part(reader).dialog
    reader.until(dialog.folder.isEnabled)
    dialog.label.setText("Doe^Jane")
    assert not dialog.folder.isEnabled()
    assert "letters, digits" in dialog.folder.toolTip()


def test_marks_are_exported_with_what_was_just_drawn(reader: Driver, tmp_path: Path) -> None:
    assert reader.window.why_not("window.export_marks")
    reader.press(Qt.Key.Key_L)
    view = reader.viewport
    middle = view.rect().center()
    for at in (middle, middle + QPoint(80, 40)):
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, NONE, at)
    reader.until(lambda: any(one.values for one in reader.reading.area.marks.marks))
    part(reader).export_marks(tmp_path / "marks")
    target = tmp_path / "marks" / "measurements.sr.dcm"
    reader.until(target.exists)
    assert pydicom.dcmread(target).Modality == "SR"
    assert recorded(reader) == ["measurements as SR"]


def test_nothing_leaves_when_the_log_takes_no_entry(
    reader: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no room for the log")

    monkeypatch.setattr(reader.window.desk, "record_export", refuse)
    QGuiApplication.clipboard().clear()
    reader.press(Qt.Key.Key_C, CTRL)
    reader.until(lambda: "Nothing left the program" in reader.problem())
    assert QGuiApplication.clipboard().image().isNull()
    target = tmp_path / "out.zip"
    reader.press(Qt.Key.Key_E, CTRL | SHIFT)
    dialog = part(reader).dialog
    reader.until(dialog.zip.isEnabled)
    part(reader).deidentify(dialog.choices(), target)
    reader.until(lambda: "no room for the log" in dialog.found.text())
    assert list(tmp_path.glob("*.zip")) == []


def test_marks_that_could_not_be_saved_are_not_exported_as_they_were_before(
    reader: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no room for the marks")

    reader.press(Qt.Key.Key_L)
    view = reader.viewport
    middle = view.rect().center()
    monkeypatch.setattr(reader.window.desk, "save_study_record", refuse)
    for at in (middle, middle + QPoint(80, 40)):
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, NONE, at)
    reader.until(lambda: any(one.values for one in reader.reading.area.marks.marks))
    part(reader).export_marks(tmp_path / "marks")
    reader.until(lambda: "The marks were not exported" in reader.problem())
    assert not (tmp_path / "marks").exists()
    assert recorded(reader) == []

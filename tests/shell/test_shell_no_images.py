"""A study that holds only objects of others is a row of the worklist, opens, and can be reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from shell_driver import PASSWORD, USER, Driver, Keys, make_home, open_desk

from app.engine import Engine
from reports.domain import Section

pytestmark = pytest.mark.gui

TEXT_REPORT = "1.2.840.10008.5.1.4.1.1.88.11"


def text_report() -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = TEXT_REPORT
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.PatientName, ds.PatientID, ds.StudyDate, ds.Modality = "Doe^Jane", "P1", "20200102", "SR"
    ds.ValueType = "CONTAINER"
    return ds


def test_a_study_of_a_report_only_opens_and_can_be_reported(qtbot: QtBot, tmp_path: Path) -> None:
    text_report().save_as(tmp_path / "sr.dcm", enforce_file_format=True)
    home = make_home(tmp_path / "home")
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    with Engine(home) as engine:
        desk.import_studies(engine.reader.index([tmp_path / "sr.dcm"]))
    desk.close()
    driver = Driver(qtbot, home)
    try:
        driver.sign_in()
        driver.wait_for_worklist()
        driver.window.worklist.table.setFocus()
        driver.press(Qt.Key.Key_Return)
        driver.until(lambda: driver.window.pages.currentWidget() is driver.reading)
        driver.until(lambda: driver.model is not None)
        driver.reading.focus_images()
        for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_I, Qt.Key.Key_C, Qt.Key.Key_Space):
            driver.press(key)
        driver.press(Qt.Key.Key_D, Keys.ControlModifier)
        assert driver.viewport.stack() is None
        driver.panel.editor.write(Section.FINDINGS)
        driver.type("No images were sent.")
        driver.panel.editor.commit()
        assert driver.texts() == ["No images were sent."]
    finally:
        driver.leave()

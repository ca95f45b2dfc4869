"""The worklist: search, order, groups, priors, problems by name, and imports that go wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from phantom_copies import PATIENTS, write_copies
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shell_driver import Driver, Keys, make_home

from app.demo import sample
from app.shell.worklist.entries import Filter
from app.shell.worklist.table import Column
from reports.domain import ReportState, Section

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four studies of three patients, and three files that cannot be read."""
    place = tmp_path_factory.mktemp("CD")
    write_copies(place)
    return place


@pytest.fixture
def driver(qtbot: QtBot, tmp_path: Path) -> Iterator[Driver]:
    """A person who has signed in to an empty worklist."""
    driver = Driver(qtbot, make_home(tmp_path / "home"))
    driver.sign_in()
    driver.until(lambda: driver.window.pages.currentWidget() is driver.window.worklist)
    yield driver
    driver.leave()


@pytest.fixture
def filled(driver: Driver, folder: Path) -> Driver:
    """The same with the folder imported."""
    driver.drop(folder)
    driver.until(lambda: len(driver.window.worklist.entries) == len(PATIENTS))
    return driver


def shown(driver: Driver) -> list[str]:
    """Return name and date of the rows, top to bottom."""
    return [f"{e.name} {e.date}" for e in driver.window.worklist.table.shown()]


def test_bad_files_are_named_with_reasons_and_the_rest_is_in_the_worklist(filled):
    text = filled.window.importing.last.text()
    assert all(name in text for name in ("cut_in_pixels.dcm", "letter.txt", "empty.dcm"))
    assert all(line.split("\t")[1] for line in text.splitlines())
    assert len(shown(filled)) == len(PATIENTS)


def test_a_folder_without_dicom_says_so_and_changes_nothing(driver, tmp_path):
    other = tmp_path / "letters"
    other.mkdir()
    (other / "letter.txt").write_text("Dear colleague")
    driver.drop(other)
    driver.until(lambda: driver.window.importing.last is not None)
    assert "No DICOM images" in driver.window.import_bar.summary.text()
    assert driver.window.worklist.entries == ()
    assert driver.window.worklist.empty.isVisible()


def test_a_path_that_does_not_exist_is_told_and_the_window_lives(driver, tmp_path):
    driver.drop(tmp_path / "gone")
    driver.until(driver.window.import_bar.close_button.isVisible)
    bad = driver.window.importing.last
    words = driver.window.import_bar.summary.text() + (bad.text() if bad else "")
    assert words


def test_search_finds_as_you_type_and_enter_opens(filled):
    filled.press(Qt.Key.Key_F, Keys.ControlModifier)
    filled.type("two ct")
    assert [e.name for e in filled.window.worklist.table.shown()] == ["DEMO, Patient Two"]
    filled.type(" nobody")
    assert shown(filled) == []
    assert filled.window.worklist.nothing.isVisible()
    filled.press(Qt.Key.Key_Escape)
    assert len(shown(filled)) == len(PATIENTS)
    filled.window.worklist.focus_search()
    filled.type("three")
    filled.press(Qt.Key.Key_Return)
    filled.until(lambda: filled.reading.entry is not None)
    assert filled.reading.entry.name == "DEMO, Patient Three"


def test_columns_sort_and_the_chosen_study_stays_chosen(filled):
    table = filled.window.worklist.table
    assert [e.study.date for e in table.shown()] == sorted((p[4] for p in PATIENTS), reverse=True)
    chosen = table.shown()[2].study.study_instance_uid
    table.choose(chosen)
    table.sortByColumn(Column.IMAGES, Qt.SortOrder.AscendingOrder)
    assert table.shown()[0].images == 58
    assert table.current().study.study_instance_uid == chosen


def test_problems_priors_and_groups_stand_where_a_reader_looks(filled):
    entries = {(e.name, e.study.date): e for e in filled.window.worklist.entries}
    assert entries["DEMO, Patient Two", "20260219"].badges[0].text == "2 slices missing"
    assert entries["DEMO, Patient One", "20260304"].priors == 1
    assert entries["DEMO, Patient One", "20251118"].priors == 0
    filled.window.worklist.show_group(Filter.PROBLEMS)
    assert [e.name for e in filled.window.worklist.table.shown()] == ["DEMO, Patient Two"]


def test_cancelling_an_import_leaves_the_worklist_as_it_was(driver, folder):
    driver.drop(folder)
    driver.click(driver.window.import_bar.cancel)
    assert "Cancelled" in driver.window.import_bar.summary.text()
    driver.drop(folder)
    driver.until(lambda: len(driver.window.worklist.entries) == len(PATIENTS))


def test_next_study_saves_this_one_and_opens_the_other(filled):
    filled.window.worklist.table.choose(
        filled.window.worklist.table.shown()[0].study.study_instance_uid
    )
    filled.open_first()
    first = filled.reading.study.study_instance_uid
    filled.model.insert(Section.FINDINGS, "Written before leaving.")
    filled.reading.focus_images()
    filled.press(Qt.Key.Key_Right, Keys.ControlModifier)
    filled.until(
        lambda: (
            filled.model is not None
            and filled.reading.study
            and filled.reading.study.study_instance_uid != first
        )
    )
    filled.press(Qt.Key.Key_Left, Keys.ControlModifier)
    filled.until(lambda: filled.model is not None and filled.reading.study.study_instance_uid == first)
    assert "Written before leaving." in filled.texts()


def test_unsigned_export_says_draft_and_a_final_report_gets_an_addendum(filled, tmp_path):
    import pikepdf
    from shell_driver import PASSWORD

    filled.open_first()
    filled.model.insert(Section.FINDINGS, "Normal lungs, as I see them.")
    path = tmp_path / "copy.pdf"
    filled.reading.signing.export_to(path)
    filled.until(path.exists)
    filled.until(lambda: filled.window.status.doing.text() == "Idle")
    with pikepdf.open(path) as pdf:
        assert len(pdf.pages) >= 1
    assert not filled.window.desk.sealed_file(filled.model.report)

    filled.panel.perform("report.sign")
    dialog = filled.reading.signing.dialog
    QTest.keyClicks(dialog.password, PASSWORD)
    filled.until(dialog.seal.isEnabled)
    filled.click(dialog.seal)
    filled.until(lambda: filled.model.report.state is ReportState.FINAL)

    bar = filled.reading.sealed
    filled.click(bar.addendum)
    QTest.keyClicks(bar.reason, "late images")
    QTest.keyClick(bar.reason, Qt.Key.Key_Return)
    filled.until(lambda: filled.model.report.addendum_to)
    assert not filled.model.is_locked
    filled.model.insert(Section.FINDINGS, "Addition.")
    assert filled.panel.sign_bar.isVisible()

    filled.reading.signing.copy_text()
    filled.until(lambda: not filled.window.store_thread.is_busy)
    assert "Addition." in QApplication.clipboard().text()


def test_a_forgotten_screen_shows_nothing_of_the_last_person(filled):
    filled.until(lambda: filled.window.pictures.by_key)
    filled.window.sign_out()
    filled.until(lambda: filled.window.pages.currentWidget() is filled.window.sign_in_page)
    assert filled.window.worklist.entries == ()
    assert not filled.window.pictures.by_key
    assert filled.window.why_not("window.open") == "nobody is signed in"


def test_a_zip_is_unpacked_into_the_store_and_read_again_after_a_restart(driver, qtbot, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "phantom"), "zip", sample())
    driver.drop(Path(archive))
    driver.wait_for_worklist()
    home = driver.window._home
    driver.leave()
    Path(archive).unlink()
    again = Driver(qtbot, home)
    again.sign_in()
    again.open_first()
    assert len(again.viewport.stack().frames) == 60
    again.leave()

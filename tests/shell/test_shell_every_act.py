"""Every act of the table through the real window: by its key or the palette, with what is then seen."""

from __future__ import annotations

from collections.abc import Iterator

import every_act_page_rows
import every_act_rows
import pytest
from every_act_scene import ACTS, Prompt, Stand, make_scene
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from app.shell.application import make_application

pytestmark = pytest.mark.gui

ROWS = {**every_act_page_rows.ROWS, **every_act_rows.ROWS}


@pytest.fixture(scope="session")
def qapp_cls():
    """The application is made by the program itself."""
    make_application()
    return QApplication


@pytest.fixture(scope="module")
def stand(
    request: pytest.FixtureRequest, qapp: QApplication, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    """One window for all acts."""
    place = tmp_path_factory.mktemp("acts")
    home, studies = make_scene(place)
    driver = Prompt(QtBot(request), home)
    driver.sign_in()
    driver.until(lambda: driver.window.session.is_open)
    made = Stand(driver, studies, place)
    with pytest.MonkeyPatch.context() as patch:
        # The system's own dialogs: a person answers them.
        patch.setattr(QFileDialog, "getSaveFileName", made.new_file)
        patch.setattr(QFileDialog, "getExistingDirectory", made.new_folder)
        patch.setattr(QFileDialog, "getOpenFileNames", lambda *_asked: ([str(made.letter())], ""))
        yield made
    driver.leave()


def test_every_act_has_a_row() -> None:
    assert set(ROWS) == set(ACTS)


@pytest.mark.parametrize("name", ROWS)
def test_the_act_does_what_it_says(stand: Stand, name: str) -> None:
    row = ROWS[name]
    row.at(stand)
    if row.first is not None:
        row.first(stand)
    reason = stand.window.why_not(name)
    assert not reason
    before = row.see(stand)
    if row.by is not None:
        row.by(stand)
    else:
        stand.ask(name)
    stand.d.until(lambda: row.see(stand) != before)
    if row.back:
        after = row.see(stand)
        stand.key("Ctrl+Z")
        stand.d.until(lambda: row.see(stand) == before)
        stand.key("Ctrl+Y")
        stand.d.until(lambda: row.see(stand) == after)
        stand.key("Ctrl+Z")

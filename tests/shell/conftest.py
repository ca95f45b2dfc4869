"""Fixtures of the desktop tests: a report model on the invented report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import report_sample
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shell_driver import PASSWORD, USER, Driver, copied, draft_into, make_home, open_desk

from app.demo import sample
from app.engine import Engine
from app.report_model import ReportModel
from app.shell.application import make_application
from app.shell.style import apply_style
from viewer.views.key_bindings import keymap
from viewer.views.mouse import MOUSE
from viewer.views.theme import Theme


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    """The application is made by the program itself."""
    make_application()
    return QApplication


@pytest.fixture(scope="session")
def imported_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one radiologist and the phantom; tests work on copies."""
    home = make_home(tmp_path_factory.mktemp("imported") / "home")
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    with Engine(home) as engine:
        desk.import_studies(engine.reader.index([sample()]))
    desk.close()
    return home


@pytest.fixture(scope="session")
def drafted_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the phantom, drafted and saved; tests work on copies."""
    home = make_home(tmp_path_factory.mktemp("drafted") / "home")
    draft_into(home)
    return home


@pytest.fixture
def drive(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Open the window on a copy of a home; keys and mouse are the defaults again after it."""
    opened: list[Driver] = []

    def start(home: Path, **options: tuple[int, int]) -> Driver:
        driver = Driver(qtbot, copied(home, tmp_path / f"home{len(opened)}"), **options)
        opened.append(driver)
        return driver

    yield start
    for driver in opened:
        driver.leave()
    keymap().change({})
    MOUSE.change({})


@pytest.fixture
def empty_model() -> ReportModel:
    """A report without a sentence, with the phantom's ledger."""
    return ReportModel(
        report_sample.sample_report(),
        report_sample.sample_ledger(),
        check=report_sample.check_sides,
        reader="Dr R. Okafor",
    )


@pytest.fixture
def model(empty_model: ReportModel) -> ReportModel:
    """The same report with the draft loaded, nothing reviewed."""
    empty_model.load_draft(report_sample.sample_draft(), report_sample.sample_ledger())
    return empty_model


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    """The look at scale 1, given to the application once: a style sheet repolishes every widget."""
    made = Theme()
    apply_style(qapp, made)
    # A caret that blinks would make two pictures of the same text differ.
    qapp.setCursorFlashTime(0)
    return made

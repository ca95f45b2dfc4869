"""A morning of studies, opened and closed in one window: memory, threads and objects do not pile up."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from pytestqt.qtbot import QtBot
from shell_driver import Driver, Keys, make_home

from app.demo import sample
from viewer.acts import reformat, rendering

pytestmark = pytest.mark.gui

ROUNDS = 30
WARM_UP = 6
"""Rounds after which everything that is made once has been made."""

BOTH = Keys.ControlModifier | Keys.ShiftModifier


@pytest.fixture
def driver(qtbot: QtBot, tmp_path: Path) -> Iterator[Driver]:
    """A person at the worklist with the phantom in it."""
    made = Driver(qtbot, make_home(tmp_path / "home"))
    made.sign_in()
    made.drop(sample())
    made.wait_for_worklist()
    yield made
    made.leave()


def read_and_close(driver: Driver, workspace: str) -> None:
    """Open the study, draw on it, look at a workspace when one is named, and go back to the list."""
    driver.open_first()
    driver.press(Qt.Key.Key_Down)
    stage = driver.reading.area.stage
    if workspace:
        assert driver.window.perform(workspace)
        driver.until(lambda: stage.name == workspace)
        if workspace == reformat.WORKSPACE:
            driver.until(lambda: stage.workspace.scene.state is not None)
    assert driver.window.perform("window.worklist")
    driver.wait_for_worklist()
    driver.until(lambda: driver.reading.study is None)


def held(driver: Driver) -> tuple[int, int, int]:
    """Return bytes of pixels in use, living threads, and Qt objects of the window."""
    gc.collect()
    pool = driver.window.engine.reader.pool
    in_use = sum(segment.size for segment in pool._used)
    return in_use, threading.active_count(), len(driver.window.findChildren(QObject))


def test_thirty_studies_in_a_row_leave_nothing_behind(driver: Driver) -> None:
    workspaces = ("", reformat.WORKSPACE, rendering.WORKSPACE)
    for number in range(WARM_UP):
        read_and_close(driver, workspaces[number % 3])
    driver.until(lambda: held(driver)[0] == 0)
    allocated = driver.window.engine.reader.pool.allocated
    _, threads, objects = held(driver)
    for number in range(WARM_UP, ROUNDS):
        read_and_close(driver, workspaces[number % 3])
    driver.until(lambda: held(driver)[0] == 0)
    driver.until(lambda: held(driver)[1] <= threads)
    assert driver.window.engine.reader.pool.allocated <= allocated
    assert held(driver)[2] <= objects

"""What images bring, through the real window: their windows, graphics, refusals, ways to a volume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from shell_driver import Driver, Keys, make_home

from app.demo import sample
from app.shell.tool_bar import ACTS, VOLUME_ACTS
from viewer.acts import reformat, rendering
from viewer.imaging.reader import Reader
from viewer.views.corner_text import window_text
from viewer.views.viewport_paint import spoken

pytestmark = pytest.mark.gui

BOTH = Keys.ControlModifier | Keys.ShiftModifier


@pytest.fixture
def empty(qtbot: QtBot, tmp_path: Path) -> Iterator[Driver]:
    """A person who has signed in; nothing is imported."""
    made = Driver(qtbot, make_home(tmp_path / "home"))
    made.sign_in()
    yield made
    made.leave()


@pytest.fixture
def driver(empty: Driver) -> Driver:
    """A person who has the phantom open."""
    empty.drop(sample())
    empty.open_first()
    return empty


def entries(menu) -> list[str]:  # type: ignore[no-untyped-def]
    """The words of a menu, as it opens, without keys."""
    menu.aboutToShow.emit()
    return [action.text().partition("\t")[0] for action in menu.actions()]


def open_file(driver: Driver, *paths: Path) -> None:
    driver.drop(*paths)
    driver.open_first()


def with_windows(folder: Path) -> Path:
    """The phantom's CT with two windows and their explanations."""
    with Reader() as reader:
        index = reader.index([sample()])
        series = max(index.studies[0].series, key=lambda one: one.image_count)
        for number, instance in enumerate(series.instances):
            ds = pydicom.dcmread(instance.path)
            ds.WindowCenter, ds.WindowWidth = [40, 480], [80, 2500]
            ds.WindowCenterWidthExplanation = ["BRAIN", "BONE & JOINT"]
            ds.save_as(folder / f"{number:03d}.dcm")
    return folder


def test_windows_of_the_image_stand_over_the_presets_and_reach_the_planes(
    empty: Driver, tmp_path: Path
) -> None:
    driver = empty
    folder = tmp_path / "images"
    folder.mkdir()
    open_file(driver, with_windows(folder))
    tools, model = driver.reading.tools, driver.viewport.model
    assert tools.preset.text() == "BRAIN"
    assert window_text(model.window()) == "W 80  L 40  BRAIN"
    words = entries(tools.preset.menu_below)
    assert words[0] == "From the image"
    assert words[1].startswith("BRAIN   W 80") and words[2].startswith("BONE && JOINT   W 2500")
    assert words[3:5] == ["", "Presets"]
    assert driver.window.perform("viewport.next_voi")
    assert tools.preset.text() == "BONE && JOINT" and model.window().width == 2500
    driver.press(Qt.Key.Key_M, BOTH)
    stage = driver.reading.area.stage
    driver.until(lambda: stage.name == reformat.WORKSPACE)
    driver.until(lambda: stage.workspace.scene.state is not None)
    scene = stage.workspace.scene
    assert scene.window.width == 2500, "the planes begin with the window of the viewport"
    entries(tools.preset.menu_below)
    tools.preset.menu_below.actions()[1].trigger()
    assert scene.window.width == 80 and tools.preset.text() == "BRAIN"
    assert model.window().width == 2500, "the viewport keeps its own"
    driver.press(Qt.Key.Key_2)
    preset = stage.workspace.presets()["2"]
    assert (scene.window.center, scene.window.width) == (preset.center, preset.width)
    assert tools.preset.text() == preset.explanation
    driver.press(Qt.Key.Key_Escape)
    assert stage.name == "" and tools.preset.text() == "BONE && JOINT"


def test_ways_to_a_volume_stand_under_one_button(driver: Driver) -> None:
    menu = driver.reading.tools.volume.menu_below
    words = entries(menu)
    assert [one.isEnabled() for one in menu.actions()][:2] == [True, True]
    assert len(words) == sum(name in ACTS for name in VOLUME_ACTS)
    for action, text in zip(menu.actions(), words, strict=True):
        says_why = "(" in text and action.toolTip() != ""
        assert action.isEnabled() or says_why
    menu.actions()[0].trigger()
    driver.until(lambda: driver.reading.area.stage.name == reformat.WORKSPACE)
    entries(menu)
    assert menu.actions()[0].isChecked()


def test_a_colour_cine_offers_no_window_and_no_volume(empty: Driver, shared_data: Path) -> None:
    driver = empty
    open_file(driver, shared_data / "us" / "echo_cine_65f_jpeg_baseline.dcm")
    assert driver.viewport.stack().is_colour
    tools = driver.reading.tools
    assert entries(tools.preset.menu_below) == ["No presets for this image"]
    assert tools.preset.text() == "Window"
    words = entries(tools.volume.menu_below)
    assert "(colour images)" in words[0]
    assert not tools.volume.menu_below.actions()[0].isEnabled()
    driver.press(Qt.Key.Key_C)
    assert driver.viewport.cine.rate == pytest.approx(26.2476, abs=1e-3)


@pytest.mark.parametrize("key", [reformat.WORKSPACE, rendering.WORKSPACE])
def test_graphics_are_switched_while_a_workspace_comes_and_goes(driver: Driver, key: str) -> None:
    grid = driver.reading.area.grid
    driver.press(Qt.Key.Key_G, Keys.ShiftModifier)
    assert not grid.graphics_shown
    assert driver.reading.area.do(key)
    driver.until(lambda: driver.reading.area.stage.name == key)
    offers = driver.reading.tools.preset.isEnabled()
    assert offers is (key == reformat.WORKSPACE), "in 3D its own bar has the presets"
    driver.reading.area.do(key)
    assert driver.reading.tools.preset.isEnabled()
    assert not grid.graphics_shown
    driver.press(Qt.Key.Key_G, Keys.ShiftModifier)
    assert grid.graphics_shown


def test_a_study_without_images_says_so_in_the_viewport(empty: Driver, shared_data: Path) -> None:
    driver = empty
    driver.drop(shared_data / "sr-seg-rt" / "encapsulated_pdf.dcm")
    driver.wait_for_worklist()
    driver.window.worklist.table.setFocus()
    driver.press(Qt.Key.Key_Return)
    driver.until(lambda: driver.model is not None)
    words = spoken(driver.viewport.model)
    assert words.startswith("This study holds no images")
    assert "PDF" in words


def test_a_series_that_cannot_be_read_says_why_in_its_viewport(driver: Driver) -> None:
    area = driver.reading.area
    key = driver.viewport.stack().series.key
    area.adapter.seriesFailed.emit(key, "truncated", "The file ends early: copy it again.")
    assert driver.viewport.stack() is None
    assert spoken(driver.viewport.model) == "The file ends early: copy it again."
    assert driver.viewport.accessibleName() == "The file ends early: copy it again."
    before = driver.viewport.grab().toImage()
    driver.viewport.refuse("")
    assert driver.viewport.grab().toImage() != before, "it is painted, not only spoken"

"""Overlay planes over the image: where they lie, under every position, thin lines in small views."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot
from stack_files import COLUMNS, ROWS, image, save, with_overlay

from viewer.imaging.reader import Reader
from viewer.imaging.study import Study
from viewer.views.planes_layer import OverlayPlanes, PlanesLayer, block_for, plane_image
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.reading_area import ReadingArea
from viewer.views.theme import Theme
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_paint import quiet_note

pytestmark = pytest.mark.gui

INK = Theme().colour("corner")


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as shared:
        yield shared


def drawn_mask() -> np.ndarray:
    """An L of single pixels: no turn and no mirror leaves it as it is."""
    mask = np.zeros((12, 9), dtype=bool)
    mask[1:11, 2] = True
    mask[10, 2:7] = True
    return mask


@pytest.fixture
def area(qtbot: QtBot, tmp_path: Path, reader: Reader) -> Iterator[ReadingArea]:
    """Two images, the first with an overlay plane, on the window's own path."""
    black = np.zeros((ROWS, COLUMNS), dtype="<u2").tobytes()
    save(with_overlay(image(0, PixelData=black), drawn_mask(), origin=(4, 11)), tmp_path / "0.dcm")
    save(image(1, PixelData=black), tmp_path / "1.dcm")
    adapter = ReaderAdapter(reader)
    made = ReadingArea(adapter)
    planes = OverlayPlanes(adapter, made)
    made.grid.add_layer(lambda view: PlanesLayer(view, planes, made.grid))
    made.planes = planes  # type: ignore[attr-defined]
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    made.open_study(study_of(reader, tmp_path))
    qtbot.waitUntil(lambda: adapter.opened(made.study().series[0].key) is not None, timeout=30_000)
    yield made
    made.open_study(None)
    adapter.close()


def study_of(reader: Reader, path: Path) -> Study:
    (study,) = reader.index([path]).studies
    return study


def ink_of(pane: ImageViewport) -> np.ndarray:
    """Image pixels (row, column) whose middle is painted in the colour of graphics."""
    pane.set_corner_text(False)
    shown = pane.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    found = np.zeros((ROWS, COLUMNS), dtype=bool)
    for row in range(ROWS):
        for column in range(COLUMNS):
            x, y = pane.model.to_widget((column, row))
            found[row, column] = shown.pixelColor(int(x), int(y)) == INK
    return found


def placed_mask() -> np.ndarray:
    whole = np.zeros((ROWS, COLUMNS), dtype=bool)
    whole[3:15, 10:19] = drawn_mask()
    return whole


def arrive(qtbot: QtBot, area: ReadingArea) -> ImageViewport:
    """Show the first image and wait for its planes."""
    pane = area.grid.active_pane()
    stack = pane.stack()
    with qtbot.waitSignal(area.planes.changed, timeout=30_000):
        pane.do("viewport.last")
        pane.grab()
    assert area.planes.mask(stack, 0) is not None
    return pane


@pytest.mark.parametrize(
    "acts",
    [(), ("flip_horizontal",), ("rotate_right",), ("rotate_left", "flip_vertical"), ("zoom_in",)],
)
def test_planes_lie_on_their_pixels_in_every_position(
    qtbot: QtBot, area: ReadingArea, acts: tuple[str, ...]
) -> None:
    pane = arrive(qtbot, area)
    for act in acts:
        assert pane.do(f"viewport.{act}")
    assert np.array_equal(ink_of(pane), placed_mask())


def test_an_image_without_planes_shows_none(qtbot: QtBot, area: ReadingArea) -> None:
    pane = arrive(qtbot, area)
    pane.do("viewport.first")
    assert not ink_of(pane).any()


def test_graphics_are_switched_for_all_panes_and_hidden_ones_are_said(
    qtbot: QtBot, area: ReadingArea
) -> None:
    pane = arrive(qtbot, area)
    layer = next(one for one in pane.layers if isinstance(one, PlanesLayer))
    assert layer.note() == "" == quiet_note(pane.model)
    with qtbot.waitSignal(area.grid.graphicsChanged) as told:
        area.do("viewport.graphics")
    assert told.args == [False]
    assert not ink_of(pane).any()
    assert layer.note() == "graphics hidden"
    pane.do("viewport.first")
    assert layer.note() == "", "nothing is hidden on an image without graphics"
    pane.do("viewport.last")
    area.do("viewport.graphics")
    assert np.array_equal(ink_of(pane), placed_mask())


def test_planes_are_read_once_and_go_with_their_study(qtbot: QtBot, area: ReadingArea) -> None:
    pane = arrive(qtbot, area)
    stack = pane.stack()
    first = area.planes.mask(stack, 0)
    assert area.planes.mask(stack, 0) is first
    with qtbot.waitSignal(area.planes.changed):
        area.planes.forget()
    assert area.planes.mask(stack, 0) is None
    qtbot.waitUntil(lambda: np.array_equal(ink_of(pane), placed_mask()), timeout=30_000)


def test_a_line_of_one_pixel_survives_a_view_of_a_quarter() -> None:
    mask = np.zeros((64, 64), dtype=bool)
    mask[:, 37] = True
    picture = plane_image(mask, QColor(255, 255, 255), block_for(0.25))
    assert (picture.width(), picture.height()) == (18, 18)
    column = [picture.pixelColor(37 // 4 + 1, row) for row in range(1, 17)]
    assert all(colour == QColor(255, 255, 255) for colour in column)


def test_the_edge_is_dark_on_all_eight_sides() -> None:
    mask = np.zeros((5, 5), dtype=bool)
    mask[2, 2] = True
    picture = plane_image(mask, QColor(255, 255, 255))
    alpha = np.array([[picture.pixelColor(x, y).alpha() for x in range(7)] for y in range(7)])
    red = np.array([[picture.pixelColor(x, y).red() for x in range(7)] for y in range(7)])
    assert (alpha > 0).sum() == 9
    assert red[3, 3] == 255 and (red.sum() == 255)


@pytest.mark.parametrize(("scale", "block"), [(4.0, 1), (1.0, 1), (0.9, 2), (0.5, 2), (0.24, 8)])
def test_blocks_are_no_smaller_than_a_device_pixel(scale: float, block: int) -> None:
    assert block_for(scale) == block
    assert block * scale >= 1.0

"""A slide in a viewport: the right level, exact colours, zoom and pan, the small whole slide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from stack_files import TILE, picture, save, slide_level, write_slide

from viewer.acts import Arrangement
from viewer.imaging.hanging_facts import flavour_of
from viewer.imaging.reader import Reader
from viewer.imaging.study import BadFile
from viewer.imaging.tiles import SlideTiles, TilePlace
from viewer.imaging.tiling import Flavour
from viewer.views.corner_text import tr
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.reading_area import ReadingArea
from viewer.views.slide_layer import SlideLayer
from viewer.views.slide_tiles import TilePictures
from viewer.views.theme import Theme
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_paint import corner_words

pytestmark = pytest.mark.gui

SIDE = 4096


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as shared:
        yield shared


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    folder = tmp_path_factory.mktemp("slide")
    return folder, write_slide(folder, side=SIDE)


class Scene:
    """An area that shows the slide in its one viewport."""

    def __init__(self, qtbot: QtBot, reader: Reader, folder: Path) -> None:
        (self.study,) = reader.index([folder]).studies
        self.bot, self.adapter = qtbot, ReaderAdapter(reader)
        self.area = ReadingArea(self.adapter)
        self.area.grid.add_layer(lambda view: SlideLayer(view, self.adapter))
        qtbot.addWidget(self.area)
        self.area.resize(900, 700)
        self.area.show()
        self.area.open_study(self.study)
        qtbot.waitUntil(lambda: self.pane.stack() is not None, timeout=30_000)
        key = self.pane.stack().series.key
        qtbot.waitUntil(lambda: self.adapter.opened(key) is not None, timeout=30_000)

    @property
    def pane(self) -> ImageViewport:
        return self.area.grid.active_pane()

    @property
    def layer(self) -> SlideLayer:
        return next(one for one in self.pane.layers if isinstance(one, SlideLayer))

    def settle(self, holds: Callable[[], object]) -> None:
        """Paint until something holds: what is missing is asked for by painting."""

        def painted() -> bool:
            self.pane.grab()
            return bool(holds())

        self.bot.waitUntil(painted, timeout=30_000)

    def shown(self) -> np.ndarray:
        """What the viewport paints, without words: (row, column, 3)."""
        self.pane.set_corner_text(False)
        picture = self.pane.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(picture.constBits(), dtype=np.uint8)
        lines = rows.reshape(picture.height(), picture.bytesPerLine())[:, : picture.width() * 3]
        return lines.reshape(picture.height(), picture.width(), 3).copy()

    def all_here(self) -> bool:
        level, pictures = self.layer.level(), self.layer.pictures
        visible = self.layer._visible(self.pane.model.matrix())
        return all(pictures.picture(one) is not None for one in self.layer._places(level, visible))

    def wheel(self, angle: int, at: tuple[float, float]) -> None:
        point = QPointF(*at)
        none = Qt.MouseButton.NoButton
        event = QWheelEvent(
            point,
            self.pane.mapToGlobal(point),
            QPoint(),
            QPoint(0, angle),
            none,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self.pane, event)


@pytest.fixture
def scene(qtbot: QtBot, reader: Reader, written: tuple[Path, np.ndarray]) -> Iterator[Scene]:
    made = Scene(qtbot, reader, written[0])
    yield made
    made.area.open_study(None)
    made.adapter.close()


@pytest.mark.parametrize("acts", [(), ("rotate_right",), ("flip_horizontal", "rotate_left")])
def test_one_to_one_shows_the_pixels_of_the_finest_level_exactly(
    scene: Scene, written: tuple[Path, np.ndarray], acts: tuple[str, ...]
) -> None:
    pane = scene.pane
    assert pane.do("viewport.one_to_one")
    for act in acts:
        assert pane.do(f"viewport.{act}")
    assert scene.layer.level().index == 0
    scene.settle(scene.all_here)
    scene.layer.pictures.want(())
    shown = scene.shown()
    matrix = pane.model.matrix()
    inverse = np.linalg.inv(matrix)
    inner = np.arange(250, 450)
    down, right = np.meshgrid(inner, inner, indexing="ij")
    # The middle of each device pixel, as a pixel of level 0.
    points = np.stack([right + 0.5, down + 0.5], axis=-1) @ inverse[:2, :2].T + inverse[:2, 2]
    place = np.floor((points + 0.5) * 4 + 1e-9).astype(int)
    assert np.array_equal(shown[down, right], written[1][place[..., 1], place[..., 0]])


def test_the_fitted_slide_is_its_overview_and_needs_no_tiles(scene: Scene) -> None:
    assert scene.pane.stack().stored.shape[1:3] == (1024, 1024)
    assert scene.layer.level().tiling.total_columns == 1024
    assert scene.layer.navigator() is None
    asked: list[TilePlace] = []
    scene.layer.pictures.want = asked.extend  # type: ignore[method-assign]
    scene.pane.grab()
    assert asked == []


def test_until_tiles_arrive_the_coarser_level_is_shown(scene: Scene) -> None:
    pane = scene.pane
    pane.do("viewport.one_to_one")
    scene.layer.pictures.want = lambda places: None  # type: ignore[method-assign]
    shown = scene.shown()[250:450, 250:450]
    pane.layers.remove(scene.layer)
    assert np.array_equal(shown, scene.shown()[250:450, 250:450])
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 100


def test_the_overview_is_drawn_only_where_tiles_are_missing(scene: Scene) -> None:
    pane = scene.pane
    matrix = pane.model.matrix()
    assert not scene.layer.covers(matrix), "the fitted slide is its overview"
    pane.do("viewport.one_to_one")
    matrix = pane.model.matrix()
    assert not scene.layer.covers(matrix)
    scene.settle(lambda: scene.layer.covers(matrix))
    complete = scene.shown()
    scene.layer.covers = lambda matrix: False  # type: ignore[method-assign]
    assert np.array_equal(complete, scene.shown())


def test_the_wheel_zooms_about_the_pointer_and_asks_for_finer_levels(scene: Scene) -> None:
    pane, at = scene.pane, (300.0, 250.0)
    before = pane.model.to_image(at)
    for _ in range(12):
        scene.wheel(120, at)
    after = pane.model.to_image(at)
    assert after == pytest.approx(before, abs=2.0), "each step rounds to a device pixel"
    assert scene.layer.level().index == 0
    for _ in range(20):
        scene.wheel(-120, at)
    assert scene.layer.level().tiling.total_columns == 1024


def test_a_drag_pans_as_far_as_the_hand_goes(scene: Scene) -> None:
    pane = scene.pane
    pane.do("viewport.one_to_one")
    before = pane.model.to_image((400.0, 300.0))
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(pane, left, Qt.KeyboardModifier.NoModifier, QPoint(400, 300))
    for x in (420, 460):
        move = QMouseEvent(
            QMouseEvent.Type.MouseMove,
            QPointF(x, 300),
            pane.mapToGlobal(QPointF(x, 300)),
            Qt.MouseButton.NoButton,
            left,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(pane, move)
    QTest.mouseRelease(pane, left, Qt.KeyboardModifier.NoModifier, QPoint(460, 300))
    assert pane.model.to_image((460.0, 300.0)) == pytest.approx(before, abs=0.3)


def test_the_small_slide_shows_the_place_and_leads_to_another(scene: Scene) -> None:
    pane = scene.pane
    pane.do("viewport.one_to_one")
    small = scene.layer.navigator()
    assert small is not None and pane.rect().contains(small.toRect())
    corner = QPoint(round(small.left() + small.width() * 0.75), round(small.top() + small.height() / 4))
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, corner)
    column, row = pane.model.state.centre
    assert column == pytest.approx(0.75 * 1024, abs=8)
    assert row == pytest.approx(0.25 * 1024, abs=8)


def test_words_say_magnification_zoom_and_a_bar_in_micrometres(scene: Scene) -> None:
    pane = scene.pane
    pane.do("viewport.one_to_one")
    assert scene.layer.note() == "20 \u00d7   0.5 \u00b5m / px"
    assert tr("Zoom {n} %").format(n="100") in corner_words(pane.model, Theme()).bottom_left
    bar = pane.model.scale_bar()
    assert bar is not None and bar.text == "50 \u00b5m"
    assert bar.length == pytest.approx(100.0)


def test_a_spacing_that_no_microscope_has_gives_no_magnification(
    qtbot: QtBot, reader: Reader, tmp_path: Path
) -> None:
    save(slide_level(picture(100, 100), 0, spacing=1.0), tmp_path / "0.dcm")
    scene = Scene(qtbot, reader, tmp_path)
    try:
        assert scene.layer.note() == "its spacing of 1 mm is no microscope's"
    finally:
        scene.area.open_study(None)
        scene.adapter.close()


def test_the_newest_wish_counts_and_the_memory_is_bounded(
    qtbot: QtBot, reader: Reader, scene: Scene
) -> None:
    series = scene.pane.stack().series
    tile_bytes = TILE * TILE * 4
    pictures = TilePictures(reader.slide(series), kept_bytes=6 * tile_bytes)
    first = [TilePlace(0, 0, column) for column in range(20)]
    last = [TilePlace(0, 9, column) for column in range(4)]
    pictures.want(first)
    pictures.want(last)
    qtbot.waitUntil(lambda: all(pictures.picture(one) is not None for one in last), timeout=30_000)
    held = [one for one in (*first, *last) if pictures.picture(one) is not None]
    assert set(last) <= set(held) and len(held) <= 6
    pictures.close()
    assert all(pictures.picture(one) is None for one in held)


class OneBroken:
    """Tiles of a slide of which one is damaged."""

    def __init__(self, tiles: SlideTiles, broken: TilePlace) -> None:
        self.levels, self.forget = tiles.levels, tiles.forget
        self._tiles, self._broken = tiles, broken

    def tiles(self, wanted, *, cancel):  # type: ignore[no-untyped-def]
        found = dict(self._tiles.tiles(wanted, cancel=cancel))
        if self._broken in found:
            found[self._broken] = BadFile(path="", reason="Its bytes end early.", code="truncated")
        return found


def test_a_tile_that_cannot_be_read_is_said_and_not_asked_for_again(
    scene: Scene, reader: Reader
) -> None:
    broken = TilePlace(0, 32, 32)
    tiles = OneBroken(reader.slide(scene.pane.stack().series), broken)
    scene.layer.pictures.close()
    scene.layer.pictures = TilePictures(tiles)
    scene.pane.do("viewport.one_to_one")
    scene.settle(lambda: scene.layer.pictures.damaged)
    assert scene.layer.pictures.damaged == {broken: "Its bytes end early."}
    assert scene.layer.note().endswith("tiles that cannot be read: 1")
    scene.settle(lambda: scene.layer.pictures.picture(TilePlace(0, 32, 33)) is not None)
    assert scene.layer.pictures.picture(broken) is None


def test_leaving_the_slide_lets_its_tiles_go(scene: Scene) -> None:
    scene.pane.do("viewport.one_to_one")
    scene.settle(scene.all_here)
    pictures = scene.layer.pictures
    held = scene.layer._places(scene.layer.level(), (0.4, 0.4, 0.6, 0.6))
    scene.pane.show_stack(None)
    assert scene.layer.pictures is None
    assert all(pictures.picture(one) is None for one in held)


def test_pan_and_zoom_stay_those_of_one_place_at_both_levels(scene: Scene) -> None:
    pane = scene.pane
    pane.set_state(replace(pane.model.state, magnification=3.0, centre=(200.0, 300.0)))
    visible = scene.layer._visible(pane.model.matrix())
    assert visible is not None
    left, top, right, bottom = visible
    assert (left + right) / 2 == pytest.approx(200.5 / 1024, abs=0.002)
    assert (top + bottom) / 2 == pytest.approx(300.5 / 1024, abs=0.002)


def test_the_label_hangs_nowhere_by_itself_and_its_picture_is_hidden(scene: Scene) -> None:
    (label,) = [one for one in scene.study.series if flavour_of(one) is Flavour.LABEL]
    scene.area.grid.set_arrangement(Arrangement.SIDE_BY_SIDE)
    stacks = [pane.stack() for pane in scene.area.grid.panes()]
    assert label.key not in [stack.series.key for stack in stacks if stack is not None]
    item = scene.area.strip._items[label.key]
    before = item.grab().toImage()
    item.set_picture(np.full((60, 90, 3), 200, dtype=np.uint8))
    assert item.grab().toImage() == before
    assert "hidden" in item.accessibleName()


def test_a_reader_may_open_the_label(scene: Scene) -> None:
    (label,) = [one for one in scene.study.series if flavour_of(one) is Flavour.LABEL]
    item = scene.area.strip._items[label.key]
    QTest.mouseClick(item, Qt.MouseButton.LeftButton)
    scene.bot.waitUntil(lambda: scene.pane.stack().series.key == label.key, timeout=30_000)

"""A series in colour over a viewport: where, how strong, its bar and its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from viewer.imaging.fusion import OverVolume, colour_maps, over_volume
from viewer.imaging.spaces import SPACES, Registration
from viewer.imaging.study import PetFacts
from viewer.imaging.volume import ImageStack
from viewer.views.fusion.board import Fused, FusionBoard
from viewer.views.fusion.colour_bar import bar_area
from viewer.views.fusion.layer import FusionLayer
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_paint import corner_words

pytestmark = pytest.mark.gui

BASE = 40
"""Stored value of the grey series everywhere."""


@pytest.fixture(autouse=True)
def nothing_joined() -> Iterator[None]:
    SPACES.use(())
    yield
    SPACES.use(())


def hot_spot(frame: int, rows: int, columns: int) -> np.ndarray:
    """SUV 10 in a box of the slices 3 and 4, 0 elsewhere."""
    values = np.zeros((rows, columns), dtype=np.int16)
    if frame in (3, 4):
        values[8:12, 10:14] = 10
    return values


class Scene:
    """A viewport of 96 x 64 pixels of 1 mm with a PET of 24 x 16 voxels of 4 mm over it."""

    def __init__(self, qtbot: QtBot, make_stack: Callable[..., ImageStack], reference: str) -> None:
        self.base = make_stack(pixels=lambda f, r, c: np.full((r, c), BASE, dtype=np.int16))
        pet = make_stack(
            uid="1.4",
            modality="PT",
            rows=16,
            columns=24,
            spacing=(4.0, 4.0),
            pixels=hot_spot,
            frame_of_reference=reference,
        )
        pet = ImageStack(
            pet.series.model_copy(update={"pet": PetFacts(units="GML"), "description": "PET AC"}),
            pet.stored,
            pet.frames,
        )
        over = over_volume(pet)
        assert isinstance(over, OverVolume)
        self.over, self.board = over, FusionBoard()
        self.view = ImageViewport()
        qtbot.addWidget(self.view)
        self.view.resize(768, 512)
        self.layer = self.view.add_layer(lambda view: FusionLayer(view, self.board))
        self.view.show_stack(self.base, index=3)
        with qtbot.waitExposed(self.view):
            self.view.show()

    def fuse(self) -> None:
        self.board.fuse(self.view, Fused(self.base.series.key, self.over))

    def at(self, column: float, row: float) -> QPoint:
        x, y = self.view.model.to_widget((column, row))
        return QPoint(round(x), round(y))

    def colour(self, column: float, row: float) -> QColor:
        picture = QImage(self.view.size(), QImage.Format.Format_RGB32)
        self.view.render(picture)
        return picture.pixelColor(self.at(column, row))


@pytest.fixture
def scene(qtbot: QtBot, make_stack: Callable[..., ImageStack]) -> Scene:
    return Scene(qtbot, make_stack, "1.9")


INSIDE, OUTSIDE = (46.0, 38.0), (20.0, 50.0)


def test_the_upper_series_is_blended_where_it_lies_and_only_there(scene: Scene) -> None:
    grey = scene.colour(*INSIDE)
    assert grey.red() == grey.green() == grey.blue()
    scene.fuse()
    white = colour_maps()["hot_iron"].table[255].astype(int)
    found = scene.colour(*INSIDE)
    wanted = [round((grey.red() + each) / 2) for each in white]
    assert [found.red(), found.green(), found.blue()] == pytest.approx(wanted, abs=2)
    assert scene.colour(*OUTSIDE) == grey  # no uptake hides nothing
    scene.view.set_state(scene.view.model.state.at(0, 9))
    assert scene.colour(*INSIDE) == grey  # another slice has none
    scene.view.set_state(scene.view.model.state.at(3, 9))
    scene.board.part(scene.view)
    assert scene.colour(*INSIDE) == grey


def test_turned_and_mirrored_images_keep_the_colour_at_its_place(scene: Scene) -> None:
    scene.fuse()
    for act in ("viewport.rotate_right", "viewport.flip_horizontal", "viewport.zoom_in"):
        assert scene.view.do(act)
        assert scene.colour(*INSIDE) != scene.colour(*OUTSIDE)
        assert scene.colour(*OUTSIDE).saturation() == 0


def test_opacity_goes_in_steps_and_stays_in_bounds(scene: Scene) -> None:
    scene.fuse()
    for _ in range(7):
        scene.board.step_opacity(scene.over, 1)
    assert scene.board.look(scene.over).opacity == 1.0
    assert scene.colour(*INSIDE) == QColor(255, 255, 255)
    for _ in range(12):
        scene.board.step_opacity(scene.over, -1)
    assert scene.board.look(scene.over).opacity == 0.0
    assert scene.colour(*INSIDE).saturation() == 0


def test_another_palette_shows_other_colours_and_comes_round(scene: Scene) -> None:
    scene.fuse()
    seen = set()
    for _ in colour_maps():
        seen.add(scene.board.look(scene.over).colour_map)
        scene.board.next_map(scene.over)
    assert seen == set(colour_maps())
    assert scene.board.look(scene.over).colour_map == "hot_iron"


def test_dragging_in_the_colour_bar_moves_the_end_that_is_nearer(scene: Scene) -> None:
    scene.fuse()
    area = bar_area(768.0, 512.0, scene.view.theme)
    top = QPoint(round(area.center().x()), round(area.top() + 8))
    before = scene.view.model.state
    QTest.mousePress(scene.view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, top)
    QTest.mouseMove(scene.view, top + QPoint(0, round(area.height() / 2)))
    QTest.mouseRelease(scene.view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, top)
    look = scene.board.look(scene.over)
    assert look.low == 0.0 and look.high == pytest.approx(3.5, abs=0.1)
    assert scene.view.model.state == before  # the drag scrolled nothing
    low = QPoint(top.x(), round(area.bottom() - 6))
    QTest.mousePress(scene.view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, low)
    QTest.mouseMove(scene.view, low - QPoint(0, 10_000))
    QTest.mouseRelease(scene.view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, low)
    look = scene.board.look(scene.over)
    assert look.low < look.high  # a window stays a window


def test_the_wheel_over_the_bar_changes_the_opacity_and_elsewhere_scrolls(scene: Scene) -> None:
    scene.fuse()
    area = bar_area(768.0, 512.0, scene.view.theme)
    for point, opacity, index in ((area.center(), 0.6, 3), (QPointF(300, 250), 0.6, 4)):
        event = QWheelEvent(
            point,
            scene.view.mapToGlobal(point),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(scene.view, event)
        assert scene.board.look(scene.over).opacity == pytest.approx(opacity)
        assert scene.view.model.state.index == index


def test_the_probe_says_both_values(scene: Scene, hover: Callable[..., None]) -> None:
    point = scene.at(*INSIDE)
    hover(scene.view, (point.x(), point.y()))
    alone = corner_words(scene.view.model, scene.view.theme).bottom_left[0]
    scene.fuse()
    both = corner_words(scene.view.model, scene.view.theme).bottom_left[0]
    assert alone.startswith("40 ") and "/" not in alone
    assert "40 " in both and "/ SUVbw 10.0" in both
    assert "PET AC, 50 %" in scene.layer.note()


def test_a_series_of_another_space_is_not_drawn_until_somebody_vouches(
    qtbot: QtBot, make_stack: Callable[..., ImageStack]
) -> None:
    scene = Scene(qtbot, make_stack, "1.8")
    grey = scene.colour(*INSIDE)
    scene.fuse()
    assert scene.colour(*INSIDE) == grey
    matrix = np.eye(4)
    matrix[0, 3] = -24.0
    SPACES.use(
        (
            Registration(
                fixed="1.9",
                moving="1.8",
                matrix=tuple(matrix.ravel().tolist()),
                confirmed_by="Dr R. Okafor",
            ),
        )
    )
    scene.view.update()
    assert scene.colour(*INSIDE) == grey
    assert scene.colour(INSIDE[0] - 24.0, INSIDE[1]) != grey
    assert "registered, confirmed by Dr R. Okafor" in scene.layer.note()


def test_another_series_in_the_viewport_has_nothing_over_it(
    scene: Scene, make_stack: Callable[..., ImageStack]
) -> None:
    scene.fuse()
    other = make_stack(uid="1.7", pixels=lambda f, r, c: np.full((r, c), BASE, dtype=np.int16))
    scene.view.show_stack(other, index=3)
    assert scene.colour(*INSIDE).saturation() == 0
    assert scene.view.model.upper_value is None
    scene.view.show_stack(scene.base, index=3)
    assert scene.colour(*INSIDE) != scene.colour(*OUTSIDE)

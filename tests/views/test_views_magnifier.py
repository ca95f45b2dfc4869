"""The magnifier: larger round the pointer, true to the pixel under it, gone with the key."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from viewer.imaging.render import render_frame
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.layers import Layer, LayerOrder
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_paint import GLASS_FACTOR, GLASS_RADIUS
from viewer.views.viewport_state import FloatArray, ViewportState, transform

pytestmark = pytest.mark.gui

Hover = Callable[..., None]
M = Qt.Key.Key_M


@pytest.fixture
def viewport(qtbot, stack: ImageStack, study: Study) -> ImageViewport:  # type: ignore[no-untyped-def]
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(480, 420)
    widget.show_stack(stack, study, index=4)
    widget.set_corner_text(False)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.setFocus()
    return widget


def painted(viewport: ImageViewport) -> np.ndarray:
    image = viewport.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].astype(int)


@pytest.mark.parametrize(("turns", "mirrored"), itertools.product(range(4), (False, True)))
def test_the_pixel_under_the_pointer_stays_and_its_neighbours_move_apart(
    hover: Hover, viewport: ImageViewport, stack: ImageStack, turns: int, mirrored: bool
) -> None:
    viewport.set_state(ViewportState(index=4, quarter_turns=turns, mirrored=mirrored))
    expected = render_frame(stack, 4).astype(int)
    x, y = viewport.model.to_widget((40, 20))
    hover(viewport, (x, y))
    QTest.keyPress(viewport, M)
    glass = painted(viewport)
    for column, row in ((40, 20), (43, 20), (40, 24), (37, 17)):
        dx, dy = np.subtract(viewport.model.to_widget((column, row)), (x, y)) * GLASS_FACTOR
        found = glass[round(y + dy - 0.5), round(x + dx - 0.5)]
        assert abs(found - expected[row, column]) <= 3


def test_it_changes_nothing_beside_it_and_goes_with_the_key(
    qtbot, hover: Hover, viewport: ImageViewport
) -> None:  # type: ignore[no-untyped-def]
    hover(viewport, (200, 200))
    bare = painted(viewport)
    qtbot.keyPress(viewport, M)
    different = np.argwhere(painted(viewport) != bare)
    assert len(different) > 1000
    away = np.hypot(different[:, 1] + 0.5 - 200, different[:, 0] + 0.5 - 200)
    assert away.max() <= GLASS_RADIUS + 3
    qtbot.keyRelease(viewport, M)
    np.testing.assert_array_equal(painted(viewport), bare)


def test_it_follows_the_pointer_and_stays_while_the_key_repeats(
    qtbot, hover: Hover, viewport: ImageViewport
) -> None:  # type: ignore[no-untyped-def]
    hover(viewport, (150, 150))
    qtbot.keyPress(viewport, M)
    first = painted(viewport)
    for kind in (QEvent.Type.KeyRelease, QEvent.Type.KeyPress):
        repeat = QKeyEvent(kind, M, Qt.KeyboardModifier.NoModifier, "m", True)
        QApplication.sendEvent(viewport, repeat)
        assert viewport.model.magnified
    hover(viewport, (260, 220))
    assert (painted(viewport) != first).any()


def test_losing_the_focus_or_the_pointer_puts_it_away(
    qtbot, hover: Hover, viewport: ImageViewport
) -> None:  # type: ignore[no-untyped-def]
    bare = painted(viewport)
    hover(viewport, (200, 200))
    qtbot.keyPress(viewport, M)
    QApplication.sendEvent(viewport, QEvent(QEvent.Type.Leave))
    np.testing.assert_array_equal(painted(viewport), bare)
    assert viewport.model.magnified
    QApplication.sendEvent(viewport, QFocusEvent(QEvent.Type.FocusOut))
    assert not viewport.model.magnified


def test_done_by_name_it_stays_until_it_is_done_again(hover: Hover, viewport: ImageViewport) -> None:
    hover(viewport, (200, 200))
    assert viewport.do("viewport.magnifier")
    assert viewport.model.magnified
    assert viewport.do("viewport.magnifier")
    assert not viewport.model.magnified


def test_a_drag_under_the_glass_still_does_its_tool(
    qtbot, hover: Hover, viewport: ImageViewport
) -> None:  # type: ignore[no-untyped-def]
    hover(viewport, (200, 100))
    qtbot.keyPress(viewport, M)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(200, 100))
    qtbot.mouseMove(viewport, pos=QPoint(200, 160))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=QPoint(200, 160))
    assert viewport.shown_frame() < 4


def test_it_shows_masks_and_regions_as_the_viewport_does(
    hover: Hover, viewport: ImageViewport, stack: ImageStack
) -> None:
    class Red(Layer):
        order = LayerOrder.COLOUR

        def paint(self, painter: QPainter, matrix: FloatArray) -> None:
            edges = transform(matrix, [(39.5, 19.5), (43.5, 23.5)])
            painter.fillRect(QRectF(QPointF(*edges[0]), QPointF(*edges[1])), QColor(255, 0, 0))

    viewport.add_layer(Red)
    x, y = viewport.model.to_widget((41.5, 21.5))
    hover(viewport, (x, y))
    small = reds(viewport)
    QTest.keyPress(viewport, M)
    large = reds(viewport)
    assert large.sum() == pytest.approx(small.sum() * GLASS_FACTOR**2, rel=0.1)
    assert large[round(y), round(x)]


def reds(viewport: ImageViewport) -> np.ndarray:
    image = viewport.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    found: np.ndarray = (rows[..., 2] == 255) & (rows[..., 1] == 0)
    return found

"""What an image leaves free of a viewport is ground: nothing that was there before shows through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_stack import build_stack
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from viewer.views.frame_image import FrameImages
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_paint import paint_viewport


def painted(viewport: ImageViewport, before: Qt.GlobalColor, ratio: float) -> np.ndarray:
    """Return the words of what is drawn over a colour that was there before."""
    size = viewport.size() * ratio
    canvas = QImage(size, QImage.Format.Format_RGB32)
    canvas.setDevicePixelRatio(ratio)
    canvas.fill(before)
    painter = QPainter(canvas)
    viewport.model.pixel_ratio = ratio
    paint_viewport(
        painter,
        viewport.model,
        FrameImages(),
        viewport.theme,
        corner_text=False,
        active=False,
        glass=FrameImages(),
    )
    painter.end()
    return np.frombuffer(canvas.constBits(), dtype=np.uint32).reshape(canvas.height(), -1).copy()


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
@pytest.mark.parametrize("size", [(317, 201), (200, 333), (64, 64)])
def test_nothing_shows_through_at_any_zoom(qtbot: QtBot, size: tuple[int, int], ratio: float) -> None:
    viewport = ImageViewport()
    qtbot.addWidget(viewport)
    viewport.resize(*size)
    viewport.show()
    viewport.show_stack(build_stack())
    dice = np.random.default_rng(4)
    for turns in range(8):
        centre = tuple(dice.uniform(-20, 60, 2).tolist()) if turns else None
        viewport.set_state(
            replace(
                viewport.model.state,
                magnification=float(dice.choice([0.02, 0.3, 1.0, 1.37, 6.5])),
                centre=centre,
                quarter_turns=turns % 4,
            )
        )
        bright, dark = (
            painted(viewport, colour, ratio)
            for colour in (Qt.GlobalColor.magenta, Qt.GlobalColor.green)
        )
        np.testing.assert_array_equal(bright, dark)

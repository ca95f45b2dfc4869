"""The picture of a frame holds the bytes that `sightline render` gives, under every turn and mirror."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage

from viewer.imaging.grey import GreyPipeline, to_grey
from viewer.imaging.study import WindowPreset
from viewer.views.frame_image import to_qimage, to_screen, turned
from viewer.views.viewport_state import ViewportState


def bytes_of(image: QImage) -> np.ndarray:
    words = np.frombuffer(image.constBits(), dtype=np.uint32).reshape(image.height(), -1)
    return words[:, : image.width()]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("shape", [(5, 7), (64, 33)])
def test_written_at_once_and_converted_are_one_picture(
    shape: tuple[int, int], quarters: int, mirrored: bool
) -> None:
    stored = np.random.default_rng(2).integers(-1100, 1100, shape, dtype=np.int16)
    pipeline = GreyPipeline(
        1.0, 0.0, WindowPreset(center=40.0, width=400.0), inverted=False, padding=None, dtype="int16"
    )
    state = ViewportState(quarter_turns=quarters, mirrored=mirrored)
    at_once = to_screen(turned(stored, state), pipeline)
    converted = to_qimage(turned(to_grey(stored, pipeline), state))
    assert at_once.format() is converted.format() is QImage.Format.Format_RGB32
    np.testing.assert_array_equal(bytes_of(at_once), bytes_of(converted))

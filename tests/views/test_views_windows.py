"""Windows and VOI LUTs of an image: offered in turn, named in the corner, drawn by the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from viewer.imaging.grey import pipeline_of, to_grey, window_after
from viewer.imaging.mappings import LookupTable
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.corner_text import decoder_text, window_text
from viewer.views.frame_image import FrameImages
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_paint import corner_words

pytestmark = pytest.mark.gui

CURVE = LookupTable.of(np.linspace(4095, 0, 2048).astype(int), first=-1024, bits=12)
BROUGHT = (
    WindowPreset(center=40.0, width=80.0, explanation="BRAIN"),
    WindowPreset(center=480.0, width=2500.0),
    WindowPreset(center=0.0, width=2048.0, explanation="INVERSE", table=CURVE),
)


@pytest.fixture
def pane(
    qtbot: QtBot, make_stack: Callable[..., ImageStack], make_study: Callable[..., Study]
) -> ImageViewport:
    """A viewport of images that bring two windows and a VOI LUT."""
    plain = make_stack()
    instances = tuple(one.model_copy(update={"windows": BROUGHT}) for one in plain.series.instances)
    series = plain.series.model_copy(update={"instances": instances})
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    widget.show_stack(ImageStack(series, plain.stored, plain.frames), make_study(series), index=4)
    return widget


def test_windows_and_tables_come_in_turn(pane: ImageViewport) -> None:
    said = [window_text(pane.shown_window())]
    for _ in range(3):
        assert pane.do("viewport.next_voi")
        said.append(window_text(pane.shown_window()))
    assert said == [
        "W 80  L 40  BRAIN",
        "W 2500  L 480  Window 2",
        "VOI LUT: INVERSE",
        "W 80  L 40  BRAIN",
    ]


def test_a_window_that_a_reader_made_goes_back_to_the_first(pane: ImageViewport) -> None:
    pane.set_window(WindowPreset(center=1.0, width=7.0))
    pane.do("viewport.next_voi")
    assert pane.shown_window() == BROUGHT[0]


def test_a_table_is_what_the_image_is_drawn_by(pane: ImageViewport) -> None:
    pane.set_window(BROUGHT[2])
    model = pane.model
    image = FrameImages().image(model.stack, model.state, model.window(), level=0)
    drawn = np.array([[image.pixelColor(x, y).red() for x in range(96)] for y in range(64)])
    stored = model.stack.stored[4]
    expected = CURVE.apply(stored.astype(float)) * 255.0 / 4095.0
    assert np.array_equal(drawn, np.floor(expected + 0.5).astype(int))
    assert np.array_equal(drawn, to_grey(stored, pipeline_of(model.stack, 4, BROUGHT[2])))


def test_words_of_windows_without_a_name() -> None:
    assert window_text(None) == ""
    assert window_text(WindowPreset(center=-600.0, width=1500.0)) == "W 1500  L \u2212600"
    assert window_text(BROUGHT[2].model_copy(update={"explanation": ""})) == "VOI LUT"
    automatic = WindowPreset(center=5.0, width=10.0, explanation="Automatic")
    assert window_text(automatic) == "W 10  L 5"


@pytest.mark.parametrize(
    ("width", "center", "said"),
    [
        (7.0, 3.5, "W 7  L 3.5"),
        (17.125, 8.5632, "W 17.1  L 8.6"),
        (0.0024, 0.0012, "W 0.0024  L 0.0012"),
        (40.0, 40.0, "W 40  L 40"),
        (533.3, -26.7, "W 533  L \u221227"),
    ],
)
def test_a_narrow_window_is_written_as_finely_as_it_is_set(
    width: float, center: float, said: str
) -> None:
    assert window_text(WindowPreset(center=center, width=width)) == said


def test_an_image_without_windows_offers_none(pane: ImageViewport) -> None:
    assert window_after((), BROUGHT[0]) is None
    colour = np.zeros((9, 64, 96, 3), dtype=np.uint8)
    stack = pane.stack()
    pane.show_stack(ImageStack(stack.series, colour, stack.frames))
    assert pane.image_windows() == () and pane.presets() == {}
    before = pane.model.state
    pane.do("viewport.next_voi")
    assert pane.model.state == before


@pytest.mark.parametrize(
    ("decoder", "words"),
    [("native", ""), ("imagecodecs", ""), ("", ""), ("gdcm+imagecodecs", "decoded by gdcm")],
)
def test_a_decoder_that_stepped_in_is_named(decoder: str, words: str) -> None:
    assert decoder_text(decoder) == words


def test_the_decoder_stands_in_the_corner(pane: ImageViewport) -> None:
    pane.complete_stack(replace(pane.stack(), decoder="pydicom (openjpeg)"))
    pane.model.size = (900.0, 700.0)
    assert "decoded by pydicom (openjpeg)" in corner_words(pane.model, pane.theme).bottom_right

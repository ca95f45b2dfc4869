"""The probe: the value under the pointer with its unit, under every position of the image."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication

from viewer.imaging.mappings import RealWorldMap
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.corner_text import probe_text, value_text
from viewer.views.probe import Probe, probe
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_paint import corner_words
from viewer.views.viewport_state import ViewportState

StackMaker = Callable[..., ImageStack]
Hover = Callable[..., None]


def changed(stack: ImageStack, **facts: object) -> ImageStack:
    """The same pixels with other facts in every header."""
    instances = tuple(each.model_copy(update=facts) for each in stack.series.instances)
    series = stack.series.model_copy(update={"instances": instances})
    return ImageStack(series, stack.stored, stack.frames)


def test_a_ct_says_hounsfield_units_through_the_rescale(stack: ImageStack) -> None:
    scaled = changed(stack, rescale_slope=2.0, rescale_intercept=-1024.0, rescale_type="HU")
    found = probe(scaled, 3, (41.4, 17.6))
    assert found == Probe(41, 18, 2.0 * float(stack.stored[3, 18, 41]) - 1024.0, "[hnsf'U]")
    assert probe_text(Probe(41, 18, -512.0, "[hnsf'U]")) == "\u2212512 HU  px 41, 18"


@pytest.mark.parametrize("point", [(-0.6, 5), (95.6, 5), (5, -0.6), (5, 63.6)])
def test_nothing_is_said_outside_the_image(stack: ImageStack, point: tuple[float, float]) -> None:
    assert probe(stack, 0, point) is None


def test_the_edge_pixels_reach_half_a_pixel_further(stack: ImageStack) -> None:
    assert probe(stack, 0, (-0.5, 63.4)) == Probe(0, 63, float(stack.stored[0, 63, 0]), "[hnsf'U]")


def test_padding_has_a_place_and_no_value(stack: ImageStack) -> None:
    value = int(stack.stored[0, 4, 9])
    padded = changed(stack, pixel_padding_value=value - 3, pixel_padding_range_limit=value)
    assert probe(padded, 0, (9, 4)) == Probe(9, 4)
    assert probe_text(Probe(9, 4)) == "px 9, 4"
    beside = changed(stack, pixel_padding_value=value - 3, pixel_padding_range_limit=value - 1)
    assert probe(beside, 0, (9, 4)) == Probe(9, 4, float(value), "[hnsf'U]")


def test_values_without_a_unit_say_so(make_stack: StackMaker) -> None:
    mr = changed(make_stack(modality="MR"), rescale_type="US")
    found = probe(mr, 0, (1, 0))
    assert found is not None and found.unit == "1"
    assert probe_text(found) == "\u2212993 (no unit)  px 1, 0"


def test_pet_says_its_activity(make_stack: StackMaker) -> None:
    pet = changed(make_stack(modality="PT"), rescale_slope=0.5, rescale_type="BQML")
    assert probe_text(probe(pet, 0, (0, 0))) == "\u2212500 Bq/mL  px 0, 0"


def test_a_real_world_value_stands_before_the_rescale(make_stack: StackMaker) -> None:
    adc = RealWorldMap(unit="mm2/s", first=-2000, last=0, slope=1e-6)
    mapped = changed(make_stack(modality="MR"), real_world=(adc,))
    found = probe(mapped, 0, (0, 0))
    assert found is not None and found.unit == "mm2/s"
    assert found.value == pytest.approx(-1e-3)
    beyond = probe(changed(mapped, real_world=(adc.model_copy(update={"last": -1999.0}),)), 0, (0, 0))
    assert beyond is not None and beyond.unit == "1"


def test_colour_is_told_as_red_green_blue(make_stack: StackMaker) -> None:
    colour = np.arange(40 * 50 * 3, dtype=np.uint32).reshape(40, 50, 3).astype(np.uint8)
    stack = make_stack(count=1, rows=40, columns=50, axes=None, modality="US", pixels=lambda *_: colour)
    found = probe(stack, 0, (7, 2))
    assert found is not None and found.colour == tuple(int(part) for part in colour[2, 7])
    assert probe_text(Probe(7, 2, colour=(1, 20, 255))) == "RGB 1 20 255  px 7, 2"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (40.0, "40 HU"),
        (-0.5, "\u22120.5 HU"),
        (12.34567, "12.35 HU"),
        (12345.6, "12346 HU"),
    ],
)
def test_numbers_are_as_long_as_they_are_exact(value: float, words: str) -> None:
    assert value_text(value, "[hnsf'U]") == words


# --- with the real mouse ---------------------------------------------------------------------------


@pytest.fixture
def viewport(qtbot, stack: ImageStack, study: Study) -> ImageViewport:  # type: ignore[no-untyped-def]
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(480, 420)
    widget.show_stack(stack, study, index=4)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def lower_left(viewport: ImageViewport) -> str:
    return corner_words(viewport.model, viewport.theme).bottom_left[0]


@pytest.mark.gui
@pytest.mark.parametrize(("turns", "mirrored"), itertools.product(range(4), (False, True)))
def test_the_pixel_under_the_mouse_is_told_under_every_turn_and_flip(
    hover: Hover, viewport: ImageViewport, stack: ImageStack, turns: int, mirrored: bool
) -> None:
    viewport.set_state(ViewportState(index=4, quarter_turns=turns, mirrored=mirrored, magnification=2))
    hover(viewport, viewport.model.to_widget((50, 30)))
    value = f"{int(stack.stored[4, 30, 50])}".replace("-", "\u2212")
    assert lower_left(viewport) == f"{value} HU  px 50, 30"


@pytest.mark.gui
def test_the_value_follows_the_image_under_a_still_pointer(
    qtbot, hover: Hover, viewport: ImageViewport, stack: ImageStack
) -> None:  # type: ignore[no-untyped-def]
    hover(viewport, viewport.model.to_widget((50, 30)))
    before = viewport.grab().toImage()
    qtbot.keyClick(viewport, Qt.Key.Key_Down)
    assert viewport.model.probe() == Probe(50, 30, float(stack.stored[5, 30, 50]), "[hnsf'U]")
    assert viewport.grab().toImage() != before


@pytest.mark.gui
def test_no_value_is_told_of_an_image_that_stands_in_or_after_the_pointer_left(
    qtbot, hover: Hover, viewport: ImageViewport, stack: ImageStack
) -> None:  # type: ignore[no-untyped-def]
    hover(viewport, viewport.model.to_widget((50, 30)))
    assert viewport.model.probe() is not None
    viewport.show_stack(stack, arrived=[3], index=4)
    assert viewport.model.probe() is None
    viewport.frames_arrived([4])
    assert viewport.model.probe() is not None
    QApplication.sendEvent(viewport, QEvent(QEvent.Type.Leave))
    assert viewport.model.probe() is None


@pytest.mark.gui
def test_moving_the_pointer_draws_its_corner_only(qtbot, hover: Hover, viewport: ImageViewport) -> None:  # type: ignore[no-untyped-def]
    class Watch(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.heights: list[int] = []

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if isinstance(event, QPaintEvent):
                self.heights.append(event.rect().height())
            return False

    hover(viewport, viewport.model.to_widget((20, 20)))
    viewport.repaint()
    watch = Watch()
    viewport.installEventFilter(watch)
    hover(viewport, viewport.model.to_widget((50, 30)))
    qtbot.waitUntil(lambda: bool(watch.heights))
    assert max(watch.heights) < viewport.height() / 4

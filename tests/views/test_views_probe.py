"""The probe: the value under the pointer with its unit, under every position of the image."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtWidgets import QApplication

from viewer.imaging.mappings import RealWorldMap
from viewer.imaging.probe import Probe, RealWorldValue
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.corner_text import probe_text, value_text
from viewer.views.places import PointedPixel, pointed_pixel
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


def words(stack: ImageStack, index: int, point: tuple[float, float]) -> str:
    return probe_text(pointed_pixel(stack, index, point))


def printed(value: float) -> str:
    return f"{value:.0f}".replace("-", "\u2212")


def test_a_ct_says_hounsfield_units_through_the_rescale(stack: ImageStack) -> None:
    scaled = changed(stack, rescale_slope=2.0, rescale_intercept=-1024.0, rescale_type="HU")
    value = 2.0 * float(stack.stored[3, 18, 41]) - 1024.0
    assert words(scaled, 3, (41.4, 17.6)) == f"{printed(value)} HU  px 41, 18"


@pytest.mark.parametrize("point", [(-0.6, 5), (95.6, 5), (5, -0.6), (5, 63.6)])
def test_nothing_is_said_outside_the_image(stack: ImageStack, point: tuple[float, float]) -> None:
    assert pointed_pixel(stack, 0, point) is None
    assert words(stack, 0, point) == ""


def test_the_edge_pixels_reach_half_a_pixel_further(stack: ImageStack) -> None:
    assert words(stack, 0, (-0.5, 63.4)) == f"{printed(stack.stored[0, 63, 0])} HU  px 0, 63"


def test_padding_has_a_place_and_no_value(stack: ImageStack) -> None:
    value = int(stack.stored[0, 4, 9])
    padded = changed(stack, pixel_padding_value=value - 3, pixel_padding_range_limit=value)
    assert words(padded, 0, (9, 4)) == "px 9, 4"
    beside = changed(stack, pixel_padding_value=value - 3, pixel_padding_range_limit=value - 1)
    assert words(beside, 0, (9, 4)) == f"{printed(value)} HU  px 9, 4"


def test_values_without_a_unit_say_so(make_stack: StackMaker) -> None:
    mr = changed(make_stack(modality="MR"), rescale_type="US")
    assert words(mr, 0, (1, 0)) == "\u2212993 (no unit)  px 1, 0"


def test_pet_says_its_activity(make_stack: StackMaker) -> None:
    pet = changed(make_stack(modality="PT"), rescale_slope=0.5, rescale_type="BQML")
    assert words(pet, 0, (0, 0)) == "\u2212500 Bq/mL  px 0, 0"


def test_a_real_world_value_stands_beside_the_modality_value(make_stack: StackMaker) -> None:
    adc = RealWorldMap(unit="mm2/s", first=-2000, last=0, slope=1e-6)
    mapped = changed(make_stack(modality="MR"), real_world=(adc,))
    assert words(mapped, 0, (0, 0)) == "\u22121000 (no unit)  \u22120.001 mm2/s  px 0, 0"
    beyond = changed(mapped, real_world=(adc.model_copy(update={"last": -1999.0}),))
    assert words(beyond, 0, (0, 0)) == "\u22121000 (no unit)  px 0, 0"


def test_an_uptake_is_told_by_its_kind() -> None:
    uptake = Probe((9,), 5210.0, "Bq/mL", (RealWorldValue(3.9, "{SUVbw}g/ml", ""),))
    assert probe_text(PointedPixel(1, 2, uptake)) == "5210 Bq/mL  3.9 SUVbw  px 1, 2"
    same = dataclasses.replace(uptake, value=3.9, unit="g/mL")
    assert probe_text(PointedPixel(1, 2, same)) == "3.9 SUVbw  px 1, 2"


def test_colour_is_told_as_red_green_blue(make_stack: StackMaker) -> None:
    colour = np.arange(40 * 50 * 3, dtype=np.uint32).reshape(40, 50, 3).astype(np.uint8)
    stack = make_stack(count=1, rows=40, columns=50, axes=None, modality="US", pixels=lambda *_: colour)
    red, green, blue = colour[2, 7].tolist()
    assert words(stack, 0, (7, 2)) == f"RGB {red} {green} {blue}  px 7, 2"


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
    with qtbot.waitExposed(widget):
        widget.show()
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
    assert lower_left(viewport) == f"{printed(stack.stored[4, 30, 50])} HU  px 50, 30"


@pytest.mark.gui
def test_the_value_follows_the_image_under_a_still_pointer(
    qtbot, hover: Hover, viewport: ImageViewport, stack: ImageStack
) -> None:  # type: ignore[no-untyped-def]
    hover(viewport, viewport.model.to_widget((50, 30)))
    before = viewport.grab().toImage()
    qtbot.keyClick(viewport, Qt.Key.Key_Up)
    assert lower_left(viewport) == f"{printed(stack.stored[5, 30, 50])} HU  px 50, 30"
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
def test_moving_the_pointer_draws_its_corner_only(
    monkeypatch: pytest.MonkeyPatch, hover: Hover, viewport: ImageViewport
) -> None:
    asked: list[QRect] = []
    monkeypatch.setattr(viewport, "update", lambda *area: asked.extend(area or [viewport.rect()]))
    hover(viewport, viewport.model.to_widget((50, 30)))
    assert asked
    assert max(area.height() for area in asked) < viewport.height() / 4
    assert max(area.width() for area in asked) <= viewport.width() / 2 + 1

"""Greys on the screen are those of the standard's formulas, for every stored value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from viewer.imaging.geometry import judge
from viewer.imaging.grey import GreyPipeline, default_window, pipeline_of, presets, to_grey, voi
from viewer.imaging.render import render_frame, thumbnail
from viewer.imaging.study import Instance, Series, WindowPreset
from viewer.imaging.volume import ImageStack


def window(center: float, width: float, function: str = "LINEAR") -> WindowPreset:
    """Return a window."""
    return WindowPreset(center=center, width=width, function=function)


def linear(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.2.1 as printed, ymin = 0, ymax = 255."""
    if x <= c - 0.5 - (w - 1) / 2:
        return 0.0
    if x > c - 0.5 + (w - 1) / 2:
        return 255.0
    return ((x - (c - 0.5)) / (w - 1) + 0.5) * 255.0


def linear_exact(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.3.2 as printed."""
    if x <= c - w / 2:
        return 0.0
    if x > c + w / 2:
        return 255.0
    return ((x - c) / w + 0.5) * 255.0


def sigmoid(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.3.1 as printed."""
    exponent = -4.0 * (x - c) / w
    return 0.0 if exponent > 700 else 255.0 / (1.0 + math.exp(exponent))


FORMULAS = {"LINEAR": linear, "LINEAR_EXACT": linear_exact, "SIGMOID": sigmoid}


@pytest.mark.parametrize("function", list(FORMULAS))
@pytest.mark.parametrize(
    ("center", "width"), [(40, 400), (-500, 1500), (0.5, 2), (2048, 4096), (10, 80)]
)
def test_each_voi_function_is_the_formula_of_the_standard(
    function: str, center: float, width: float
) -> None:
    values = np.arange(-2100, 4200, 3.5)
    wanted = [FORMULAS[function](float(x), center, width) for x in values]
    assert voi(values, window(center, width, function)) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint8])
@pytest.mark.parametrize("function", list(FORMULAS))
@pytest.mark.parametrize("inverted", [False, True])
def test_the_table_gives_the_formula_for_every_stored_value(
    dtype: type[np.generic], function: str, inverted: bool
) -> None:
    info = np.iinfo(dtype)
    stored = np.arange(info.min, info.max + 1, dtype=np.int64)[:: 1 if dtype is np.uint8 else 17]
    shown = window(40, 400, function)
    pipeline = GreyPipeline(1.5, -1024.0, shown, inverted, None, np.dtype(dtype).name)
    got = to_grey(stored.astype(dtype).reshape(1, -1), pipeline)[0]
    greys = [math.floor(FORMULAS[function](value * 1.5 - 1024.0, 40, 400) + 0.5) for value in stored]
    wanted = [255 - grey if inverted else grey for grey in greys]
    assert np.array_equal(got, wanted)


def test_values_of_32_bits_take_the_same_way_without_a_table() -> None:
    stored = np.array([[-100000, 0, 40, 200000]], dtype=np.int32)
    pipeline = GreyPipeline(1.0, 0.0, window(40, 400), False, None, "int32")
    assert to_grey(stored, pipeline).tolist() == [[0, 102, 128, 255]]


def test_a_window_of_one_is_a_threshold() -> None:
    # PS3.3 C.11.2.1.2.1: "if w = 1, it is a threshold" at c - 0.5
    assert voi(np.array([9.0, 9.5, 9.6, 10.0]), window(10, 1)).tolist() == [0.0, 0.0, 255.0, 255.0]


def test_padding_is_black_before_and_after_inversion() -> None:
    for inverted in (False, True):
        pipeline = GreyPipeline(1.0, 0.0, window(40, 400), inverted, (-2000, -1990), "int16")
        stored = np.array([[-2000, -1995, -1990, -1989]], dtype=np.int16)
        greys = to_grey(stored, pipeline)[0]
        assert greys[:3].tolist() == [0, 0, 0]
        assert greys[3] == (255 if inverted else 0)


def test_the_table_cannot_be_changed_by_its_user() -> None:
    table = GreyPipeline(1.0, 0.0, window(40, 400), False, None, "int16").table()
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 1


def make_stack(stored: np.ndarray, *, modality: str = "", **fields: object) -> ImageStack:
    """Return a stack of one image."""
    instance = Instance(
        path="/a.dcm",
        sop_instance_uid="1.2",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        rows=stored.shape[0],
        columns=stored.shape[1],
        bits_allocated=16,
        bits_stored=16,
        high_bit=15,
        signed=True,
        **fields,
    )
    series = Series(
        series_instance_uid="1.1", modality=modality, instances=(instance,), verdict=judge([])
    )
    return ImageStack(series=series, stored=stored[np.newaxis], frames=((0, 1),))


STORED = np.linspace(0, 2000, 60).astype(np.int16).reshape(6, 10)


def test_monochrome1_is_inverted_after_voi_and_the_reader_s_invert_undoes_it() -> None:
    shown = WindowPreset(center=0, width=1000)
    plain = render_frame(make_stack(STORED, photometric_interpretation="MONOCHROME2"), 0, shown)
    negative = make_stack(STORED, photometric_interpretation="MONOCHROME1")
    assert np.array_equal(render_frame(negative, 0, shown), 255 - plain)
    assert np.array_equal(render_frame(negative, 0, shown, inverted=True), plain)


def test_the_header_s_first_window_is_the_default() -> None:
    windows = (window(40, 400), window(-500, 1500))
    stack = make_stack(STORED, windows=windows)
    assert default_window(stack, 0) == windows[0]
    assert pipeline_of(stack, 0).window == windows[0]


def test_an_automatic_window_spans_the_values_in_modality_units_without_the_padding() -> None:
    stored = STORED.copy()
    stored[0] = -30000
    stack = make_stack(stored, pixel_padding_value=-30000, rescale_slope=2.0, rescale_intercept=-1000.0)
    automatic = default_window(stack, 0)
    inside = stored[1:].astype(float) * 2.0 - 1000.0
    assert automatic.center - automatic.width / 2 == pytest.approx(np.percentile(inside, 0.5))
    assert automatic.center + automatic.width / 2 == pytest.approx(np.percentile(inside, 99.5))


def test_a_ct_in_hounsfield_units_without_a_window_comes_up_as_soft_tissue() -> None:
    stack = make_stack(STORED, modality="CT", rescale_type="HU", rescale_intercept=-1024.0)
    assert default_window(stack, 0) == presets("CT")["1"]
    other = make_stack(STORED, modality="CT", rescale_type="US", rescale_intercept=-1024.0)
    assert default_window(other, 0).explanation == "Automatic"


def test_an_image_of_one_value_has_a_window_with_a_width() -> None:
    for stored in (np.full((3, 3), 7, np.int16), np.full((3, 3), -30000, np.int16)):
        stack = make_stack(stored, pixel_padding_value=-30000)
        assert default_window(stack, 0).width > 0
        assert render_frame(stack, 0).shape == (3, 3)


def test_presets_are_those_that_hands_know() -> None:
    ct = presets("CT")
    assert (ct["2"].center, ct["2"].width) == (-500, 1500)
    assert [ct[key].explanation for key in "1234"] == ["Soft tissue", "Lung", "Bone", "Brain"]
    assert presets("MR") == {}


def test_a_frame_that_is_not_there_is_an_error_in_words() -> None:
    with pytest.raises(IndexError, match="images 0 to 0"):
        render_frame(make_stack(STORED), 1)


def test_a_thumbnail_keeps_its_proportions() -> None:
    stack = make_stack(np.zeros((200, 100), np.int16))
    assert thumbnail(stack.series, stack.frames, 0, stack.stored[0], 50).shape == (50, 25)

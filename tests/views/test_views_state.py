"""Where image points land on the screen: every turn and mirror, zoom, pan and fit, by known answers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from viewer.imaging.study import WindowPreset
from viewer.views.pyramid import Pyramid, halved, level_for
from viewer.views.scale_bar import scale_bar
from viewer.views.viewport_state import (
    LARGEST_SCALE,
    ImageSize,
    ViewportState,
    at_scale,
    framed,
    panned,
    render_matrix,
    scale_of,
    transform,
    window_dragged,
    zoomed,
)

IMAGE = ImageSize(columns=96, rows=64)
SIZE = (480.0, 320.0)
CORNERS = [(-0.5, -0.5), (95.5, -0.5), (95.5, 63.5), (-0.5, 63.5)]
ALL_POSITIONS = [
    ViewportState(quarter_turns=turns, mirrored=mirrored)
    for turns, mirrored in itertools.product(range(4), (False, True))
]


def test_a_fitted_image_fills_the_viewport() -> None:
    mapped = transform(render_matrix(ViewportState(), IMAGE, *SIZE), CORNERS)
    assert mapped.tolist() == [[0, 0], [480, 0], [480, 320], [0, 320]]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        # where the top left, top right, bottom right and bottom left corner of a square image go
        (lambda s: s.turned(1), [(100, 0), (100, 100), (0, 100), (0, 0)]),
        (lambda s: s.turned(-1), [(0, 100), (0, 0), (100, 0), (100, 100)]),
        (lambda s: s.flipped_horizontally(), [(100, 0), (0, 0), (0, 100), (100, 100)]),
        (lambda s: s.flipped_vertically(), [(0, 100), (100, 100), (100, 0), (0, 0)]),
        (lambda s: s.flipped_horizontally().turned(1), [(100, 100), (100, 0), (0, 0), (0, 100)]),
        (lambda s: s.turned(1).flipped_horizontally(), [(0, 0), (0, 100), (100, 100), (100, 0)]),
        (lambda s: s.turned(1).flipped_vertically(), [(100, 100), (100, 0), (0, 0), (0, 100)]),
    ],
)
def test_turns_and_flips_act_on_what_is_seen(act, expected) -> None:  # type: ignore[no-untyped-def]
    square = ImageSize(columns=50, rows=50)
    corners = [(-0.5, -0.5), (49.5, -0.5), (49.5, 49.5), (-0.5, 49.5)]
    mapped = transform(render_matrix(act(ViewportState()), square, 100, 100), corners)
    np.testing.assert_allclose(mapped, expected, atol=1e-9)


@pytest.mark.parametrize("state", ALL_POSITIONS)
def test_every_position_is_reached_and_left_by_its_opposite(state: ViewportState) -> None:
    assert state.turned(1).turned(-1) == state
    assert state.flipped_horizontally().flipped_horizontally() == state
    assert state.flipped_vertically().flipped_vertically() == state
    assert state.turned(2) == state.flipped_horizontally().flipped_vertically()


@pytest.mark.parametrize("state", ALL_POSITIONS)
@pytest.mark.parametrize("magnification", [0.4, 1.0, 3.7])
def test_zoom_keeps_the_point_under_the_pointer(state: ViewportState, magnification: float) -> None:
    start = at_scale(state, IMAGE, *SIZE, scale=magnification)
    about = (123.0, 77.0)
    before = transform(np.linalg.inv(render_matrix(start, IMAGE, *SIZE)), [about])
    after_state = zoomed(start, IMAGE, *SIZE, factor=1.7, about=about)
    after = transform(render_matrix(after_state, IMAGE, *SIZE), before)
    # the outer corner is snapped to a whole pixel: at most half a pixel each time
    assert np.abs(after - about).max() <= 1.0
    assert scale_of(after_state, IMAGE, *SIZE) == pytest.approx(1.7 * scale_of(start, IMAGE, *SIZE))


@pytest.mark.parametrize("state", ALL_POSITIONS)
def test_pan_moves_the_image_with_the_hand(state: ViewportState) -> None:
    start = at_scale(state, IMAGE, *SIZE, scale=4.0)
    point = [IMAGE.centre]
    before = transform(render_matrix(start, IMAGE, *SIZE), point)
    moved = panned(start, IMAGE, *SIZE, by=(16.0, -9.0))
    after = transform(render_matrix(moved, IMAGE, *SIZE), point)
    assert np.abs(after - before - (16.0, -9.0)).max() <= 0.5


def test_the_image_cannot_be_lost_by_panning() -> None:
    lost = panned(ViewportState(), IMAGE, *SIZE, by=(1e6, 1e6))
    assert lost.centre == (0.0, 0.0)


def test_pixels_have_their_shape_in_the_patient() -> None:
    tall = ImageSize(columns=100, rows=50, aspect=2.0)
    mapped = transform(render_matrix(ViewportState(), tall, 200, 200), [(0, 0), (1, 0), (0, 1)])
    across, down = mapped[1] - mapped[0], mapped[2] - mapped[0]
    assert np.hypot(*down) == pytest.approx(2 * np.hypot(*across))


def test_one_to_one_lands_on_whole_device_pixels() -> None:
    odd = ImageSize(columns=101, rows=77)
    state = at_scale(ViewportState(), odd, 640, 480, scale=1.0)
    corner = transform(render_matrix(state, odd, 640, 480), [(-0.5, -0.5)])[0]
    assert corner.tolist() == [round(corner[0]), round(corner[1])]
    assert scale_of(state, odd, 640, 480) == pytest.approx(1.0)


def test_the_scale_has_an_upper_limit() -> None:
    state = zoomed(ViewportState(), IMAGE, *SIZE, factor=1e9)
    assert scale_of(state, IMAGE, *SIZE) == pytest.approx(LARGEST_SCALE)


def test_the_same_part_of_the_patient_stays_in_view_at_another_size() -> None:
    state = zoomed(ViewportState(), IMAGE, *SIZE, factor=2.0, about=(100.0, 100.0))
    small = transform(np.linalg.inv(render_matrix(state, IMAGE, *SIZE)), [(240.0, 160.0)])
    large = transform(np.linalg.inv(render_matrix(state, IMAGE, 960, 640)), [(480.0, 320.0)])
    np.testing.assert_allclose(small, large, atol=0.2)


def test_a_tiny_region_is_magnified_and_brought_to_the_middle() -> None:
    state = framed(ViewportState(), IMAGE, *SIZE, box=(80.0, 50.0, 81.0, 51.0))
    middle = transform(render_matrix(state, IMAGE, *SIZE), [(80.5, 50.5)])[0]
    assert np.abs(middle - (240, 160)).max() <= 0.5
    assert 1.0 < state.magnification <= 4.0


def test_a_region_well_in_view_moves_nothing() -> None:
    assert framed(ViewportState(), IMAGE, *SIZE, box=(30, 20, 50, 40)) == ViewportState()


def test_a_region_out_of_view_is_brought_back() -> None:
    far = panned(at_scale(ViewportState(), IMAGE, *SIZE, scale=40.0), IMAGE, *SIZE, by=(2000, 1200))
    box = (60.0, 40.0, 70.0, 50.0)
    state = framed(far, IMAGE, *SIZE, box=box)
    corners = transform(render_matrix(state, IMAGE, *SIZE), [box[:2], box[2:]])
    assert (corners >= 0).all() and (corners <= SIZE).all()


def test_window_drag_follows_the_width_and_never_collapses() -> None:
    lung = WindowPreset(center=-500, width=1500, explanation="Lung")
    wider = window_dragged(lung, 30, -10)
    assert (wider.width, wider.center) == (1650.0, -550.0)
    assert window_dragged(lung, -1e6, 0).width == 1.0


@pytest.mark.parametrize("index", [-5, 0, 3, 8, 12])
def test_the_index_stays_inside_the_stack(index: int) -> None:
    assert ViewportState().at(index, 9).index == min(max(index, 0), 8)


@pytest.mark.parametrize(
    ("scale", "spacing", "height", "text", "length"),
    [
        (1.4, 0.98, 480, "5 cm", 50 * 1.4 / 0.98),
        (1.0, 1.0, 500, "10 cm", 100.0),
        (20.0, 0.5, 400, "2 mm", 80.0),
        (0.3, None, 400, "200 px", 60.0),
    ],
)
def test_scale_bar_is_a_round_length(
    scale: float, spacing: float | None, height: float, text: str, length: float
) -> None:
    bar = scale_bar(scale=scale, column_spacing=spacing, height=height)
    assert bar is not None
    assert bar.text == text
    assert bar.length == pytest.approx(length)


def test_no_millimetres_without_calibration() -> None:
    for height in (60, 200, 900):
        for scale in (0.05, 0.4, 1.0, 30.0):
            bar = scale_bar(scale=scale, column_spacing=None, height=height)
            assert bar is None or bar.text.endswith(" px")


def test_a_halved_frame_is_the_mean_of_its_blocks() -> None:
    frame = np.array([[1, 3, -2], [5, 7, -4]], dtype=np.int16)
    assert halved(frame).tolist() == [[4, -3]]
    assert halved(frame).dtype == np.int16


@pytest.mark.parametrize(("scale", "level"), [(2.0, 0), (0.51, 0), (0.5, 1), (0.26, 1), (0.25, 2)])
def test_frames_are_halved_only_as_far_as_the_screen_shows(scale: float, level: int) -> None:
    assert level_for(scale) == level


def test_the_pyramid_forgets_when_pixels_change() -> None:
    stored = np.zeros((2, 4, 4), dtype=np.int16)
    pyramid = Pyramid()
    assert pyramid.frame(stored, 1, 1).max() == 0
    stored[1] = 8
    pyramid.clear()
    assert pyramid.frame(stored, 1, 1).tolist() == [[8, 8], [8, 8]]

"""Objects of others on a viewport: colours lie on their pixels and nowhere else, at every position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from objects_sample import (
    BOX,
    at,
    is_coloured,
    mask,
    pixels,
    presentation,
    segmentation,
    structure_set,
)
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from viewer.imaging.objects.presenting import for_frame, present
from viewer.imaging.objects.states import Shutter, TextObject
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.objects.board import ObjectsBoard
from viewer.views.objects.layers import layers_of
from viewer.views.objects.notes_layer import NotesLayer
from viewer.views.objects.parts import COLOURS, PartKey, parts_of
from viewer.views.objects.presentation_layer import presenter_of
from viewer.views.objects.shapes_layer import MOST_AT_ONCE
from viewer.views.viewport import ImageViewport

pytestmark = pytest.mark.gui

ON = 4
"""The frame on which objects lie."""

POSITIONS = list(product(range(4), (False, True)))
SEGMENT = PartKey("seg", 1)


@pytest.fixture
def board() -> ObjectsBoard:
    return ObjectsBoard()


@pytest.fixture
def viewport(qtbot: QtBot, stack: ImageStack, study: Study, board: ObjectsBoard) -> ImageViewport:
    """A viewport at 8 widget pixels for one of the image, without words over it."""
    found = ImageViewport()
    qtbot.addWidget(found)
    found.resize(768, 512)
    for make in layers_of(board):
        found.add_layer(make)
    found.show_stack(stack, study, index=ON)
    found.set_corner_text(False)
    with qtbot.waitExposed(found):
        found.show()
    return found


def grid_of(stack: ImageStack) -> np.ndarray:
    """Centres of all pixels, (rows * columns, 2)."""
    rows, columns = stack.stored.shape[1:3]
    row, column = np.mgrid[:rows, :columns]
    return np.stack([column.ravel(), row.ravel()], axis=1).astype(np.float64)


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
def test_the_colour_of_a_segment_is_on_its_pixels_and_on_no_other(
    turns: int, mirrored: bool, viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    board.add(segmentation(stack, ON))
    viewport.set_state(replace(viewport.model.state, quarter_turns=turns, mirrored=mirrored))
    points = grid_of(stack)
    assert not is_coloured(at(viewport, points)).any()  # nothing is shown unasked
    board.show_parts([SEGMENT], True)
    coloured = is_coloured(at(viewport, points)).reshape(mask(stack).shape)
    assert np.array_equal(coloured, mask(stack) > 0)
    viewport.set_state(viewport.model.state.at(ON + 1, viewport.model.count))
    assert not is_coloured(at(viewport, points)).any()


def test_opacity_goes_from_an_outline_to_a_full_colour(
    viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    board.add(segmentation(stack, ON))
    board.show_parts([SEGMENT], True)
    top, bottom, left, right = BOX
    inside = np.array([[(left + right) / 2, (top + bottom) / 2]])
    edge = np.array([[left - 0.5, (top + bottom) / 2]])
    board.set_opacity(0.0)
    assert not is_coloured(at(viewport, inside)).any()
    assert is_coloured(at(viewport, edge)).all()
    bare = at(viewport, inside)[0]
    board.set_opacity(0.5)
    assert at(viewport, inside)[0] == pytest.approx((bare + np.array([255, 0, 0])) / 2, abs=2)
    board.set_opacity(1.0)
    assert at(viewport, inside)[0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_fraction_is_as_opaque_as_it_is_large(
    share: float, viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    board.add(segmentation(stack, ON, share=share))
    top, bottom, left, right = BOX
    inside = np.array([[(left + right) // 2, (top + bottom) // 2]], dtype=np.float64)
    bare = at(viewport, inside)[0]
    board.set_opacity(0.8)
    board.show_parts([SEGMENT], True)
    opacity = 0.8 * share
    wanted = bare * (1 - opacity) + np.array([255, 0, 0]) * opacity
    assert at(viewport, inside)[0] == pytest.approx(wanted, abs=2)


def test_a_segmentation_of_another_space_is_not_drawn_and_says_why(
    viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    board.add(segmentation(stack, ON, frame_of_reference="9.9"))
    board.show_parts([SEGMENT], True)
    assert not is_coloured(at(viewport, grid_of(stack))).any()
    (layer,) = (one for one in viewport.layers if isinstance(one, NotesLayer))
    (note,) = layer.notes()
    assert "another frame of reference" in note


@pytest.mark.parametrize(("turns", "mirrored"), [(0, False), (1, True)])
def test_a_contour_is_drawn_on_its_own_plane_only(
    turns: int, mirrored: bool, viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    corners = [(15.0, 12.0), (70.0, 12.0), (70.0, 50.0), (15.0, 50.0)]
    board.add(structure_set(stack, ON, corners))
    viewport.set_state(replace(viewport.model.state, quarter_turns=turns, mirrored=mirrored))
    line = np.array([(40.0, 12.0), (70.0, 33.0), (40.0, 50.0), (15.0, 33.0)])
    inside = np.array([(40.0, 33.0), (20.0, 45.0)])
    assert not is_coloured(at(viewport, line)).any()
    board.show_parts([PartKey("plan", 4)], True)
    assert is_coloured(at(viewport, line)).all()
    assert not is_coloured(at(viewport, inside)).any()
    for other in (ON - 1, ON + 1):
        viewport.set_state(viewport.model.state.at(other, viewport.model.count))
        assert not is_coloured(pixels(viewport)).any()
    viewport.set_state(viewport.model.state.at(ON, viewport.model.count))
    board.set_graphics(False)
    assert not is_coloured(at(viewport, line)).any()
    (notes,) = (one for one in viewport.layers if isinstance(one, NotesLayer))
    assert notes.notes() == ["Graphics of others are hidden"]


def ring(radius: float = 10.0) -> np.ndarray:
    """Points on the circle of the presentation state."""
    angles = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    return np.stack([40 + radius * np.cos(angles), 30 + radius * np.sin(angles)], axis=1)


@pytest.mark.parametrize(("rotation", "flipped"), list(product((0, 90, 180, 270), (False, True))))
def test_a_presentation_state_turns_flips_zooms_and_its_circle_stays_on_its_pixels(
    rotation: int, flipped: bool, viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    area = ((20.0, 10.0), (67.0, 57.0))
    content = presentation(stack, ON, rotation=rotation, flipped=flipped, area=area)
    board.add(content)
    presenter = presenter_of(viewport)
    assert presenter is not None
    assert presenter.apply(content)
    state = viewport.model.state
    assert (state.quarter_turns, state.mirrored) == (rotation // 90, flipped)
    corners = np.array([viewport.model.to_widget(one) for one in ((19.5, 9.5), (67.5, 57.5))])
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert max(high - low) == pytest.approx(512, abs=1)  # the area fills the height
    assert (low + high) / 2 == pytest.approx((384, 256), abs=1)
    on_line = at(viewport, ring())
    assert (on_line[:, 1] - on_line[:, 0] > 60).all()
    assert not is_coloured(at(viewport, np.vstack([ring(8.5), ring(11.5)]))).any()
    viewport.set_state(replace(state, magnification=state.magnification * 0.7))
    assert (np.diff(at(viewport, ring())[:, :2], axis=1) > 60).all()
    viewport.do("viewport.rotate_right")
    assert (np.diff(at(viewport, ring())[:, :2], axis=1) > 60).all()


def test_the_grey_of_a_presentation_state_is_that_of_the_one_pipeline(
    viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    shutter = Shutter(rectangle=(5, 80, 4, 55), grey=40)
    content = presentation(stack, ON, shutter=shutter, shape="INVERSE")
    presenter = presenter_of(viewport)
    assert presenter is not None
    assert presenter.apply(content)
    board.set_graphics(False)
    instance = stack.series.instances[ON]
    shown = for_frame(content, instance.sop_instance_uid, 1)
    assert shown is not None
    wanted = present(np.asarray(stack.stored[ON]), shown, instance)
    points = grid_of(stack)
    # the note on the state lies over the upper middle; smooth scaling moves grey by little
    free = points[:, 1] > 20
    found = at(viewport, points)[free, 0]
    assert wanted[10, 2] == 40
    assert np.abs(found - wanted.ravel()[free]).max() <= 24  # a step of the shutter's edge is smoothed
    assert np.median(np.abs(found - wanted.ravel()[free])) <= 2


def test_a_state_is_for_its_image_and_goes_with_a_reset(
    viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    presenter = presenter_of(viewport)
    assert presenter is not None
    before = viewport.model.state
    assert not presenter.apply(presentation(stack, ON + 1))
    assert board.state_of(viewport) is None
    assert viewport.model.state == before
    content = presentation(stack, ON, rotation=180)
    assert presenter.apply(content)
    (notes,) = (one for one in viewport.layers if isinstance(one, NotesLayer))
    assert notes.notes() == ["Presentation state: STATE"]
    viewport.set_state(viewport.model.state.at(ON + 1, viewport.model.count))
    assert notes.notes() == ["Presentation state STATE: not for this image"]
    assert not is_coloured(pixels(viewport)[100:]).any()
    viewport.set_state(viewport.model.state.at(ON, viewport.model.count))
    viewport.setFocus()
    assert viewport.do("viewport.reset")
    assert board.state_of(viewport) is None
    assert viewport.model.state.quarter_turns == 0
    assert not is_coloured(pixels(viewport)).any()
    assert presenter.apply(content)
    presenter.remove()
    assert viewport.model.state == before.at(ON, viewport.model.count)


def test_a_state_goes_when_its_viewport_shows_another_series(
    viewport: ImageViewport,
    board: ObjectsBoard,
    stack: ImageStack,
    make_stack: Callable[..., ImageStack],
) -> None:
    presenter = presenter_of(viewport)
    assert presenter is not None
    assert presenter.apply(presentation(stack, ON))
    viewport.complete_stack(stack)
    assert board.state_of(viewport) is not None
    viewport.show_stack(make_stack(uid="7.7"))
    assert board.state_of(viewport) is None


def test_words_of_a_state_stand_at_their_place(
    viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    words = TextObject(text="LOOK", box=((60.0, 40.0), (80.0, 45.0)), colour="#ff00ff")
    presenter = presenter_of(viewport)
    assert presenter is not None
    assert presenter.apply(presentation(stack, ON, texts=(words,)))
    shown = pixels(viewport)
    pink = (shown[..., 0] > 150) & (shown[..., 2] > 150) & (shown[..., 1] < 100)
    rows, columns = np.nonzero(pink)
    x, y = viewport.model.to_widget((60.0, 40.0))
    assert rows.size > 20
    assert abs(columns.min() - x) <= 3
    assert 0 <= rows.min() - y <= 8
    assert columns.max() < x + 60


def test_windowing_works_on_from_the_window_of_the_state(
    viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack
) -> None:
    presenter = presenter_of(viewport)
    assert presenter is not None
    assert presenter.apply(presentation(stack, ON))
    window = viewport.model.window()
    assert window is not None
    assert (window.center, window.width) == (0.0, 2000.0)
    point = np.array([[5.0, 50.0]])
    before = at(viewport, point)[0, 0]
    viewport.set_tool(viewport.tool)
    viewport.set_window(window.model_copy(update={"center": 600.0}))
    assert at(viewport, point)[0, 0] < before - 20
    QTest.keyClick(viewport, Qt.Key.Key_I)
    assert at(viewport, point)[0, 0] > before - 20


def test_parts_without_a_colour_get_different_ones(stack: ImageStack) -> None:
    content = segmentation(stack, ON)
    segments = tuple(
        content.segments[0].model_copy(update={"number": number, "colour": ""})
        for number in range(1, 9)
    )
    found = parts_of(content.model_copy(update={"segments": segments}))
    assert [part.colour for part in found] == list(COLOURS[:8])


def test_outlines_of_many_segments_follow_when_the_reader_rests(
    viewport: ImageViewport, board: ObjectsBoard, stack: ImageStack, qtbot: QtBot
) -> None:
    content = segmentation(stack, ON)
    count = MOST_AT_ONCE + 1
    segments = tuple(
        content.segments[0].model_copy(update={"number": number}) for number in range(1, count + 1)
    )
    frames = tuple(
        content.frames[0].model_copy(update={"segment": number}) for number in range(1, count + 1)
    )
    board.add(content.model_copy(update={"segments": segments, "frames": frames}))
    board.set_opacity(0.0)
    top, bottom, left, _ = BOX
    edge = np.array([[left - 0.5, (top + bottom) / 2]])
    board.show_parts([part.key for part in board.parts("seg")], True)
    assert not is_coloured(at(viewport, edge)).any()
    qtbot.waitUntil(lambda: bool(is_coloured(at(viewport, edge)).all()))

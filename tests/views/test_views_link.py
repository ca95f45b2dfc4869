"""Linked scrolling: by place in the patient, and by hand where two series share no space."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt

from viewer.acts import Arrangement
from viewer.imaging.volume import ImageStack
from viewer.views.corner_text import link_text
from viewer.views.grid import ViewportGrid
from viewer.views.link import ManualLink, index_by_hand, link_here
from viewer.views.viewport_paint import corner_words

StackMaker = Callable[..., ImageStack]
KEY = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
FROM_ABOVE = ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
"""Axial axes whose normal points to the feet."""


@pytest.fixture
def current(make_stack: StackMaker) -> ImageStack:
    """40 images, 2 mm apart, from z -40."""
    return make_stack(count=40, between=2.0)


@pytest.fixture
def prior(make_stack: StackMaker) -> ImageStack:
    """16 images, 5 mm apart, from z 300, of another frame of reference."""
    return make_stack(count=16, between=5.0, uid="1.5", frame_of_reference="2.2", origin=(0, 0, 300))


def test_a_link_by_hand_keeps_the_distance_in_the_patient(
    current: ImageStack, prior: ImageStack
) -> None:
    link = link_here(current, 10, prior, 4)
    assert link.millimetres == pytest.approx((300 + 20) - (-40 + 20))
    # 10 mm on is 5 images of 2 mm, and 2 images of 5 mm
    assert [index_by_hand(link, current, index, prior) for index in (10, 15, 20, 0, 39)] == [
        4,
        6,
        8,
        0,
        15,
    ]
    assert index_by_hand(link_here(prior, 4, current, 10), prior, 6, current) == 15


def test_a_series_cut_from_the_other_side_runs_against_it(
    current: ImageStack, make_stack: StackMaker
) -> None:
    below = make_stack(
        count=16, between=5.0, uid="1.6", frame_of_reference="2.2", axes=FROM_ABOVE, origin=(0, 0, 300)
    )
    link = link_here(current, 10, below, 4)
    assert index_by_hand(link, current, 15, below) == 2
    assert index_by_hand(link_here(below, 4, current, 10), below, 2, current) == 15


def test_series_without_planes_are_linked_by_number(make_stack: StackMaker) -> None:
    left = make_stack(count=9, axes=None, frame_of_reference="")
    right = make_stack(count=12, axes=None, frame_of_reference="", uid="1.7")
    link = link_here(left, 2, right, 5)
    assert link == ManualLink("1.2.3", "1.7", None, 3)
    assert [index_by_hand(link, left, index, right) for index in (0, 4, 8)] == [3, 7, 11]
    assert index_by_hand(link_here(right, 5, left, 2), right, 1, left) == 0


@pytest.mark.parametrize(
    ("millimetres", "images", "words"),
    [
        (12.46, 3, "linked by hand +12.5 mm"),
        (-340.0, 3, "linked by hand \u2212340.0 mm"),
        (None, 3, "linked by hand +3 images"),
        (None, -2, "linked by hand \u22122 images"),
    ],
)
def test_the_offset_is_told_with_its_unit(millimetres: float | None, images: int, words: str) -> None:
    assert link_text(ManualLink("a", "b", millimetres, images)) == words
    assert link_text(None) == ""


@pytest.fixture
def grid(qtbot, current: ImageStack, prior: ImageStack) -> ViewportGrid:  # type: ignore[no-untyped-def]
    widget = ViewportGrid()
    qtbot.addWidget(widget)
    widget.resize(902, 502)
    widget.set_arrangement(Arrangement.SIDE_BY_SIDE)
    for pane, stack, index in zip(widget.panes(), (current, prior), (10, 4), strict=True):
        pane.show_stack(stack, index=index)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def frames(grid: ViewportGrid) -> list[int]:
    return [pane.shown_frame() for pane in grid.panes()]


def told(grid: ViewportGrid, number: int) -> list[str]:
    pane = grid.panes()[number]
    words = corner_words(pane.model, pane.theme).bottom_right
    return [line for line in words if line.startswith("linked")]


@pytest.mark.gui
def test_two_spaces_scroll_apart_until_they_are_linked_here(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    left, right = (pane.widget() for pane in grid.panes())
    qtbot.keyClick(left, KEY.Key_Up)
    assert frames(grid) == [11, 4]
    qtbot.keyClick(left, KEY.Key_Down)
    qtbot.keyClick(left, KEY.Key_K, SHIFT)
    for _ in range(5):
        qtbot.keyClick(left, KEY.Key_Up)
    assert frames(grid) == [15, 6]
    qtbot.mouseClick(right, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    qtbot.keyClick(right, KEY.Key_Up)
    qtbot.keyClick(right, KEY.Key_Up)
    assert frames(grid) == [20, 8]


@pytest.mark.gui
def test_the_offset_stands_in_the_corner_of_the_pane_that_follows(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    left, right = (pane.widget() for pane in grid.panes())
    assert [told(grid, 0), told(grid, 1)] == [[], []]
    before = right.grab().toImage()
    qtbot.keyClick(left, KEY.Key_K, SHIFT)
    assert [told(grid, 0), told(grid, 1)] == [[], ["linked by hand +340.0 mm"]]
    assert right.grab().toImage() != before
    qtbot.mouseClick(right, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    assert [told(grid, 0), told(grid, 1)] == [["linked by hand \u2212340.0 mm"], []]
    qtbot.keyClick(right, KEY.Key_K)
    assert [told(grid, 0), told(grid, 1)] == [[], []]
    qtbot.keyClick(right, KEY.Key_Up)
    assert frames(grid) == [10, 5]


@pytest.mark.gui
def test_linking_again_takes_the_new_offset_and_the_same_offset_lets_go(
    qtbot, grid: ViewportGrid
) -> None:  # type: ignore[no-untyped-def]
    left, right = (pane.widget() for pane in grid.panes())
    qtbot.keyClick(left, KEY.Key_K, SHIFT)
    qtbot.keyClick(left, KEY.Key_K)
    qtbot.keyClick(right, KEY.Key_Up)
    qtbot.keyClick(left, KEY.Key_K, SHIFT)
    assert grid.linked
    assert [line for number in (0, 1) for line in told(grid, number)] in (
        ["linked by hand +345.0 mm"],
        ["linked by hand \u2212345.0 mm"],
    )
    qtbot.keyClick(left, KEY.Key_K, SHIFT)
    assert [told(grid, 0), told(grid, 1)] == [[], []]
    qtbot.keyClick(left, KEY.Key_Up)
    assert frames(grid) == [11, 5]


@pytest.mark.gui
def test_a_link_belongs_to_the_series_and_not_to_the_pane(
    qtbot, grid: ViewportGrid, prior: ImageStack, make_stack: StackMaker
) -> None:  # type: ignore[no-untyped-def]
    first, second = grid.panes()
    qtbot.keyClick(first.widget(), KEY.Key_K, SHIFT)
    second.show_stack(make_stack(uid="9.9", frame_of_reference="3.3"), index=0)
    assert told(grid, 1) == []
    qtbot.keyClick(first.widget(), KEY.Key_Up)
    assert frames(grid) == [11, 0]
    second.show_stack(prior, index=0)
    assert told(grid, 1) == ["linked by hand +340.0 mm"]
    qtbot.keyClick(first.widget(), KEY.Key_Down)
    assert frames(grid) == [10, 4]


@pytest.mark.gui
def test_series_of_one_space_need_no_link_by_hand(
    qtbot, grid: ViewportGrid, make_stack: StackMaker
) -> None:  # type: ignore[no-untyped-def]
    first, second = grid.panes()
    second.show_stack(make_stack(count=80, between=1.0, uid="1.9"), index=0)
    qtbot.keyClick(first.widget(), KEY.Key_K, SHIFT)
    assert told(grid, 1) == []
    qtbot.keyClick(first.widget(), KEY.Key_Up)
    assert frames(grid) == [11, 22]

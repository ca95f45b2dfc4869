"""Zoom, place and window of one viewport taken over by the others: by the patient, else by share."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from viewer.acts import Arrangement
from viewer.imaging.study import WindowPreset
from viewer.views.grid import ViewportGrid
from viewer.views.viewport_model import Hung
from viewer.views.viewport_state import ImageSize, ViewportState, middle_of, render_matrix, transform

pytestmark = pytest.mark.gui

CORONAL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))


@pytest.fixture
def grid(qtbot) -> ViewportGrid:
    made = ViewportGrid()
    qtbot.addWidget(made)
    made.resize(802, 400)
    made.set_arrangement(Arrangement.SIDE_BY_SIDE)
    with qtbot.waitExposed(made):
        made.show()
    return made


def press(grid: ViewportGrid, key: Qt.Key, keys=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(grid.active_pane().widget(), key, keys)


def in_patient(pane) -> np.ndarray:
    model = pane.model
    middle = middle_of(model.state, model.image_size(), *model.size)
    return model.plane().pixel_to_patient(np.array([middle]))[0]


def mm_per_pixel(pane) -> float:
    return pane.model.plane().column_spacing / pane.model.scale()


def test_one_frame_of_reference_shows_the_same_place_at_the_same_size(grid, make_stack) -> None:
    fine = make_stack(uid="1.1", rows=200, columns=240, spacing=(0.5, 0.5), origin=(-40.0, -40.0, 0.0))
    coarse = make_stack(uid="1.2")
    left, right = grid.panes()
    left.show_stack(fine, index=0)
    right.show_stack(coarse, index=0)
    grid.set_active(0)
    press(grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ShiftModifier)
    assert grid.zoom_linked
    press(grid, Qt.Key.Key_Plus)
    left.set_state(left.model.state.__class__(index=0, magnification=2.0, centre=(50.0, 60.0)))
    assert mm_per_pixel(left) == pytest.approx(mm_per_pixel(right))
    assert in_patient(left)[:2] == pytest.approx(in_patient(right)[:2])
    press(grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ShiftModifier)
    before = right.model.state
    press(grid, Qt.Key.Key_Plus)
    assert right.model.state == before


def test_a_prior_of_another_frame_of_reference_takes_the_size_in_millimetres(grid, make_stack) -> None:
    left, right = grid.panes()
    left.show_stack(make_stack(uid="1.1", spacing=(0.8, 0.8)), index=0)
    right.show_stack(make_stack(uid="2.1", frame_of_reference="9.9", rows=128, columns=128), index=0)
    grid.set_active(0)
    grid.set_zoom_linked(True)
    press(grid, Qt.Key.Key_Plus)
    assert mm_per_pixel(left) == pytest.approx(mm_per_pixel(right))
    model = right.model
    assert middle_of(model.state, model.image_size(), *model.size) == pytest.approx((63.5, 63.5))


def test_another_cut_takes_the_size_and_stays_where_it_is(grid, make_stack) -> None:
    left, right = grid.panes()
    left.show_stack(make_stack(uid="1.1"), index=0)
    right.show_stack(make_stack(uid="1.2", axes=CORONAL, rows=50, columns=50), index=0)
    grid.set_active(0)
    grid.set_zoom_linked(True)
    left.set_state(ViewportState(index=0, magnification=3.0))
    assert mm_per_pixel(left) == pytest.approx(mm_per_pixel(right))
    assert right.model.state.centre is None


def test_what_is_not_calibrated_takes_the_magnification(grid, make_stack) -> None:
    left, right = grid.panes()
    left.show_stack(make_stack(uid="1.1"), index=0)
    right.show_stack(make_stack(uid="1.2", axes=None, calibrated=False, rows=50, columns=50), index=0)
    grid.set_active(0)
    grid.set_zoom_linked(True)
    left.set_state(ViewportState(index=0, magnification=3.0))
    assert right.model.state.magnification == 3.0
    assert right.model.state.centre is None


@pytest.mark.parametrize("prior_first", [False, True])
def test_a_prior_comes_up_as_large_as_the_study_beside_it(grid, make_stack, prior_first: bool) -> None:
    left, right = grid.panes()
    now = make_stack(uid="1.1", spacing=(0.8, 0.8), rows=100, columns=100)
    then = make_stack(uid="2.1", frame_of_reference="9.9", rows=128, columns=128)
    for is_prior in (True, False) if prior_first else (False, True):
        if is_prior:
            right.show_stack(then, index=0, hung=Hung(prior="PRIOR 2011-05-14"))
        else:
            left.show_stack(now, index=0)
        grid.match_priors()
    assert mm_per_pixel(left) == pytest.approx(mm_per_pixel(right))
    assert left.model.state.magnification == 1.0
    # a reset keeps it, and what a reader has zoomed stays
    QTest.keyClick(right.widget(), Qt.Key.Key_Plus)
    zoomed = mm_per_pixel(right)
    grid.match_priors()
    assert mm_per_pixel(right) == zoomed < mm_per_pixel(left)
    QTest.keyClick(right.widget(), Qt.Key.Key_Space)
    assert mm_per_pixel(left) == pytest.approx(mm_per_pixel(right))


def test_the_window_goes_to_the_same_modality_alone(grid, make_stack) -> None:
    grid.set_arrangement(Arrangement.THREE)
    ct, other, mr = grid.panes()
    ct.show_stack(make_stack(uid="1.1"), index=0)
    other.show_stack(make_stack(uid="1.2"), index=0)
    mr.show_stack(make_stack(uid="1.3", modality="MR"), index=0)
    grid.set_active(0)
    press(grid, Qt.Key.Key_W, Qt.KeyboardModifier.ShiftModifier)
    assert grid.window_linked
    press(grid, Qt.Key.Key_2)
    assert ct.model.state.window == other.model.state.window
    assert other.model.state.window is not None
    assert mr.model.state.window is None
    assert other.model.state.magnification == 1.0


def test_a_series_that_comes_up_changes_no_other_pane(grid, make_stack) -> None:
    left, right = grid.panes()
    left.show_stack(make_stack(uid="1.1"), index=0)
    right.show_stack(make_stack(uid="1.2"), index=0)
    grid.set_active(0)
    grid.set_zoom_linked(True)
    grid.set_window_linked(True)
    left.set_state(
        ViewportState(index=0, magnification=2.0, window=WindowPreset(center=1.0, width=2.0))
    )
    kept = right.model.state
    assert kept.magnification == 2.0
    left.show_stack(make_stack(uid="1.4"), index=0)
    assert right.model.state == kept


@pytest.mark.parametrize(("edge", "x"), [("left", 0.0), ("right", 800.0)])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_justified_image_stands_at_its_edge_however_it_is_turned(
    edge: str, x: float, quarters: int, mirrored: bool
) -> None:
    image = ImageSize(300, 500, 1.25)
    state = ViewportState(justify=edge, quarter_turns=quarters, mirrored=mirrored)
    for magnification in (1.0, 1.7):
        matrix = render_matrix(
            ViewportState(**(vars(state) | {"magnification": magnification})), image, 800.0, 400.0
        )
        corners = transform(matrix, [(-0.5, -0.5), (299.5, 499.5)])
        found = corners[:, 0].min() if edge == "left" else corners[:, 0].max()
        assert found == pytest.approx(x, abs=1.0)
        assert corners[:, 1].mean() == pytest.approx(200.0, abs=1.0)

"""Reference lines and the 3D cursor: analytic geometry, then the real panes with mouse and keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from viewer.acts import Arrangement
from viewer.imaging.geometry import ImagePlane
from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid
from viewer.views.places import Cut, PatientPoint, cut_of, nearest, reference_line
from viewer.views.viewport_state import ViewportState

StackMaker = Callable[..., ImageStack]
Hover = Callable[..., None]
SHIFT = Qt.KeyboardModifier.ShiftModifier
CORONAL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))


def turned(degrees: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Axes of a coronal plane turned about the body axis z."""
    angle = np.radians(degrees)
    return (float(np.cos(angle)), float(np.sin(angle)), 0.0), (0.0, 0.0, -1.0)


def a_cut(
    axes=CORONAL,  # type: ignore[no-untyped-def]
    position: tuple[float, float, float] = (0.0, 0.0, 0.0),
    *,
    rows: int = 100,
    columns: int = 100,
    spacing: tuple[float, float] = (1.0, 1.0),
    frame: str = "1.9",
) -> Cut:
    plane = ImagePlane(
        position=position,
        row_cosines=axes[0],
        column_cosines=axes[1],
        row_spacing=spacing[0],
        column_spacing=spacing[1],
    )
    return Cut(frame, plane, rows, columns)


AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def test_an_axial_image_cuts_a_coronal_one_in_a_row() -> None:
    # coronal: x 0..99, z 50 at row 0 downwards; the axial image lies at z = 20: row 30
    coronal, axial = a_cut(CORONAL, (0, 40, 50)), a_cut(AXIAL, (0, 0, 20))
    line = reference_line(coronal, axial)
    assert line is not None
    np.testing.assert_allclose(np.sort(line[:, 0]), (-0.5, 99.5))
    np.testing.assert_allclose(line[:, 1], 30)
    # and the other way round: y = 40 is row 40 of the axial image
    back = reference_line(axial, coronal)
    assert back is not None
    np.testing.assert_allclose(back[:, 1], 40)


def test_unequal_pixel_sizes_are_respected() -> None:
    coronal = a_cut(CORONAL, (0, 40, 50), spacing=(2.5, 0.5), columns=300)
    line = reference_line(coronal, a_cut(AXIAL, (10, 0, 20), columns=41))
    assert line is not None
    np.testing.assert_allclose(line[:, 1], 30 / 2.5)
    np.testing.assert_allclose(np.sort(line[:, 0]), (9.5 / 0.5, 50.5 / 0.5))


@pytest.mark.parametrize("degrees", [10, 33, 45, 70, -25, 90, 120])
@pytest.mark.parametrize("tilt", [0, 18.5, -30])
def test_the_line_of_oblique_planes_lies_in_both(degrees: float, tilt: float) -> None:
    lean = np.radians(tilt)
    tilted = ((1.0, 0.0, 0.0), (0.0, float(np.cos(lean)), float(np.sin(lean))))
    on = a_cut(tilted, (-60, -60, 3), rows=120, columns=140)
    of = a_cut(turned(degrees), (-20, -10, 40), rows=90, columns=80, spacing=(0.8, 1.3))
    line = reference_line(on, of)
    assert line is not None
    in_patient = on.plane.pixel_to_patient(line)
    # both ends lie in the plane of the other image, and inside both rectangles, one edge reached
    np.testing.assert_allclose((in_patient - of.plane.position) @ of.plane.normal, 0, atol=1e-9)
    for cut in (on, of):
        points = cut.plane.patient_to_pixel(in_patient)
        low, high = cut.edges()[0], cut.edges()[2]
        assert (points >= low - 1e-6).all() and (points <= high + 1e-6).all()
    ends_on_an_edge = [
        min(
            float(np.abs(cut.plane.patient_to_pixel(end[None]) - edge).min())
            for cut in (on, of)
            for edge in (cut.edges()[0], cut.edges()[2])
        )
        for end in in_patient
    ]
    np.testing.assert_allclose(ends_on_an_edge, 0, atol=1e-6)
    direction = np.cross(on.plane.normal, of.plane.normal)
    along = in_patient[1] - in_patient[0]
    np.testing.assert_allclose(np.cross(direction, along), 0, atol=1e-6)


@pytest.mark.parametrize(
    "other",
    [
        a_cut(AXIAL, (0, 0, 25)),
        a_cut(AXIAL, (0, 0, 20), frame="another"),
        a_cut(CORONAL, (0, 500, 50)),
        a_cut(CORONAL, (0, 40, 500), rows=20),
    ],
    ids=["parallel", "another frame of reference", "beside the image", "above the image"],
)
def test_no_line_where_two_images_do_not_cut(other: Cut) -> None:
    assert reference_line(a_cut(AXIAL, (0, 0, 20)), other) is None


def test_images_without_a_frame_of_reference_share_no_space() -> None:
    assert reference_line(a_cut(AXIAL, frame=""), a_cut(CORONAL, (0, 40, 50), frame="")) is None


@pytest.mark.parametrize("degrees", [0, 30, 75])
def test_a_place_comes_back_to_its_pixel(degrees: float) -> None:
    cut = a_cut(turned(degrees), (-20, -10, 40), spacing=(0.8, 1.3))
    assert cut.place_of(cut.point((12.25, 70.5))) == pytest.approx((12.25, 70.5))
    beside = np.asarray(cut.point((12, 70)).position) + cut.plane.normal * 0.6
    assert cut.place_of(PatientPoint("1.9", tuple(beside.tolist()))) is None
    assert cut.place_of(cut.point((120, 70))) is None


def test_the_nearest_frame_of_3000_is_found_between_two_paints(make_stack: StackMaker) -> None:
    stack = make_stack(count=3000, rows=2, columns=2, between=0.5)
    assert nearest(stack, (0, 0, -40.0 + 0.5 * 1234 + 0.1)) == (1234, pytest.approx(0.1))
    cut = cut_of(stack, 1234)
    assert cut is not None and cut.reach == 0.25


# --- the panes -------------------------------------------------------------------------------------


@pytest.fixture
def grid(qtbot, make_stack: StackMaker) -> ViewportGrid:  # type: ignore[no-untyped-def]
    """Axial (active), oblique coronal, sagittal of one patient, and one of another space."""
    widget = ViewportGrid()
    qtbot.addWidget(widget)
    widget.resize(902, 702)
    widget.set_arrangement(Arrangement.FOUR)
    widget.set_corner_text(False)
    stacks = [
        make_stack(count=40, between=1.0),
        make_stack(
            uid="1.2.4", axes=turned(20), origin=(-100, -90, 10), count=60, between=1.0, rows=70
        ),
        make_stack(uid="1.2.5", axes=SAGITTAL, origin=(-11, -90, 10), count=60, between=1.0, rows=70),
        make_stack(uid="1.2.6", axes=CORONAL, frame_of_reference="other"),
    ]
    for pane, stack in zip(widget.panes(), stacks, strict=True):
        pane.show_stack(stack, index=20)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def painted(grid: ViewportGrid, number: int) -> np.ndarray:
    """Green of every pixel of a pane: (row, column)."""
    image = grid.panes()[number].widget().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows[:, :, 1].astype(int)


@pytest.mark.gui
def test_the_line_of_the_active_image_is_drawn_in_panes_of_its_space(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    axial, oblique, sagittal, other = (pane.model for pane in grid.panes())
    assert axial.reference_line() is None
    assert other.reference_line() is None
    # the axial image lies at z -40 + 20; row 0 of the sagittal image is z 10: row 30 throughout
    line = sagittal.reference_line()
    assert line is not None
    np.testing.assert_allclose(line[:, 1], 30, atol=1e-9)
    np.testing.assert_allclose(oblique.reference_line()[:, 1], 30, atol=1e-9)
    before = grid.panes()[2].widget().grab().toImage()
    qtbot.keyClick(grid.panes()[0].widget(), Qt.Key.Key_Up)
    np.testing.assert_allclose(sagittal.reference_line()[:, 1], 29, atol=1e-9)
    assert grid.panes()[2].widget().grab().toImage() != before


@pytest.mark.gui
def test_the_lines_follow_the_active_pane_and_one_key_hides_them(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    qtbot.mouseClick(grid.panes()[2].widget(), Qt.MouseButton.LeftButton, pos=QPoint(40, 40))
    # sagittal images run to the right of the patient: number 20 lies at x -31, column 69
    line = grid.panes()[0].model.reference_line()
    assert line is not None
    np.testing.assert_allclose(line[:, 0], 69, atol=1e-9)
    with_line = painted(grid, 0)
    qtbot.keyClick(grid.panes()[2].widget(), Qt.Key.Key_X)
    assert grid.panes()[0].model.reference_line() is None
    rows, columns = np.nonzero(with_line != painted(grid, 0))
    expected, _ = grid.panes()[0].model.to_widget((69, 0))
    assert abs(columns - expected).max() <= 2.5
    assert len(set(rows.tolist())) > 200
    qtbot.keyClick(grid.panes()[2].widget(), Qt.Key.Key_X)
    assert grid.panes()[0].model.reference_line() is not None


@pytest.mark.gui
def test_only_the_line_is_drawn_anew_when_the_active_image_changes(
    monkeypatch: pytest.MonkeyPatch, grid: ViewportGrid
) -> None:
    first, _, sagittal, other = grid.panes()
    asked: list[tuple[object, QRect]] = []
    for pane in (sagittal, other):
        monkeypatch.setattr(
            pane,
            "update",
            lambda area=None, pane=pane: asked.append((pane, pane.rect() if area is None else area)),
        )
    before = sagittal.model.to_widget((0, 30))[1]
    first.do("viewport.previous")
    after = sagittal.model.to_widget((0, 29))[1]
    areas = [area for pane, area in asked if pane is sagittal]
    assert len(areas) == 1
    assert all(areas[0].contains(QPoint(200, round(row))) for row in (before, after))
    assert areas[0].height() <= abs(before - after) + 8
    assert all(area.isEmpty() for pane, area in asked if pane is other)


@pytest.mark.gui
@pytest.mark.parametrize(("quarters", "mirrored"), [(0, False), (1, False), (2, True), (3, True)])
def test_shift_shows_the_same_place_in_every_pane_of_the_space(
    hover: Hover, grid: ViewportGrid, quarters: int, mirrored: bool
) -> None:
    first, oblique, sagittal, other = grid.panes()
    first.set_state(ViewportState(index=20, quarter_turns=quarters, mirrored=mirrored, magnification=2))
    place = first.model.to_widget((52, 30))
    hover(first.widget(), place)
    assert sagittal.model.cursor is None
    hover(first.widget(), place, SHIFT)
    position = np.array((-100 + 52, -80 + 30, -40 + 20), dtype=float)
    for pane in (oblique, sagittal):
        cut = pane.cut()
        assert abs((position - cut.plane.position) @ cut.plane.normal) <= 0.5 + 1e-9
        marked = pane.model.cursor_place()
        assert marked is not None
        foot = cut.plane.pixel_to_patient(np.array([marked]))[0]
        assert np.linalg.norm(foot - position) <= 0.5 + 1e-6
    assert other.model.cursor_place() is None
    assert other.shown_frame() == 8


@pytest.mark.gui
def test_the_mark_is_drawn_and_ends_with_shift_and_outside(hover: Hover, grid: ViewportGrid) -> None:
    first, _, sagittal, _ = grid.panes()
    hover(first.widget(), first.model.to_widget((52, 30)), SHIFT)
    marked = sagittal.widget().grab().toImage()
    hover(first.widget(), first.model.to_widget((52, 30)))
    assert sagittal.model.cursor is None
    assert sagittal.widget().grab().toImage() != marked
    hover(first.widget(), first.model.to_widget((50, 30)), SHIFT)
    assert sagittal.model.cursor is not None
    QApplication.sendEvent(first.widget(), QEvent(QEvent.Type.Leave))
    assert sagittal.model.cursor is None


@pytest.mark.gui
def test_releasing_shift_ends_the_cursor_and_a_key_shows_it_too(
    qtbot, hover: Hover, grid: ViewportGrid
) -> None:  # type: ignore[no-untyped-def]
    first, _, sagittal, _ = grid.panes()
    hover(first.widget(), first.model.to_widget((52, 30)))
    qtbot.keyClick(first.widget(), Qt.Key.Key_O)
    assert sagittal.model.cursor_place() is not None
    qtbot.keyRelease(first.widget(), Qt.Key.Key_Shift)
    assert sagittal.model.cursor is None


@pytest.mark.gui
def test_a_place_beyond_the_ends_of_a_series_does_not_move_it(
    hover: Hover, grid: ViewportGrid, make_stack: StackMaker
) -> None:
    first, _, sagittal, _ = grid.panes()
    short = make_stack(uid="1.2.5", axes=SAGITTAL, origin=(-90, -90, 10), count=5, between=1.0)
    sagittal.show_stack(short, index=3)
    hover(first.widget(), first.model.to_widget((90, 30)), SHIFT)
    assert sagittal.shown_frame() == 3
    assert sagittal.model.cursor_place() is None

"""Two frames of reference that a confirmed registration joins: scrolling, 3D cursor, lines, words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from viewer.acts import Arrangement
from viewer.imaging.regions import Region, Shape, Space
from viewer.imaging.spaces import SPACES, Registration
from viewer.imaging.volume import ImageStack
from viewer.views.corner_text import link_text
from viewer.views.grid import ViewportGrid
from viewer.views.link import RegisteredLink, link_here, linked_index, registered, shares_space
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.places import PatientPoint, cut_of, plane_of, reference_line
from viewer.views.reformat.region_cuts import places_of
from viewer.views.view_link import View, zoomed_like
from viewer.views.viewport_state import ImageSize, ViewportState

TURN = np.radians(5.0)
MATRIX = np.array(
    [
        [np.cos(TURN), -np.sin(TURN), 0.0, 10.0],
        [np.sin(TURN), np.cos(TURN), 0.0, -4.0],
        [0.0, 0.0, 1.0, 6.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
"""Moving ("1.8") -> fixed ("1.9"), LPS mm."""


def registration(**changes: str) -> Registration:
    return Registration(
        **{
            "fixed": "1.9",
            "moving": "1.8",
            "matrix": tuple(MATRIX.ravel().tolist()),
            "confirmed_by": "Dr R. Okafor",
            **changes,
        }
    )


@pytest.fixture(autouse=True)
def joined() -> Iterator[None]:
    SPACES.use((registration(),))
    yield
    SPACES.use(())


@pytest.fixture
def pair(make_stack: Callable[..., ImageStack]) -> tuple[ImageStack, ImageStack]:
    """A fixed and a moving series of nine images, 2 mm apart."""
    return make_stack(), make_stack(uid="1.4", frame_of_reference="1.8")


def test_scrolling_goes_to_the_place_that_the_registration_says(
    pair: tuple[ImageStack, ImageStack],
) -> None:
    fixed, moving = pair
    assert linked_index(moving, 2, fixed) == 5  # 6 mm higher
    assert linked_index(fixed, 5, moving) == 2
    SPACES.use((registration(confirmed_by=""),))
    assert linked_index(moving, 2, fixed) is None and not shares_space(fixed, moving)


def test_the_3d_cursor_finds_the_same_place(pair: tuple[ImageStack, ImageStack]) -> None:
    fixed = pair[0]
    point = PatientPoint("1.8", (-60.0, -50.0, -36.0))
    there = point.in_space("1.9")
    assert there is not None
    assert there.position == pytest.approx((MATRIX @ (-60.0, -50.0, -36.0, 1.0))[:3])
    back = there.in_space("1.8")
    assert back is not None and back.position == pytest.approx(point.position)
    cut = cut_of(fixed, 5)
    assert cut is not None
    column, row = cut.place_of(point) or (0.0, 0.0)
    assert (column, row) == pytest.approx((there.position[0] + 100.0, there.position[1] + 80.0))
    assert point.in_space("1.7") is None


def test_reference_lines_are_drawn_through_the_registration(
    make_stack: Callable[..., ImageStack],
) -> None:
    axial = cut_of(make_stack(), 4)
    sagittal = make_stack(
        uid="1.4",
        frame_of_reference="1.8",
        axes=((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
        origin=(-60.0, -90.0, 20.0),
    )
    of = cut_of(sagittal, 0)
    assert axial is not None and of is not None
    line = reference_line(axial, of)
    assert line is not None
    along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    assert abs(along[0]) == pytest.approx(np.sin(TURN), abs=1e-6)  # turned as the patient is
    SPACES.use(())
    assert reference_line(axial, of) is None


def test_the_corner_says_who_vouches(pair: tuple[ImageStack, ImageStack]) -> None:
    fixed, moving = pair
    link = registered(fixed, moving)
    assert link == RegisteredLink("Dr R. Okafor")
    assert link_text(link) == "registered, confirmed by Dr R. Okafor"
    assert registered(fixed, fixed) is None
    assert link_here(fixed, 0, moving, 0).millimetres is not None  # still possible by hand


@pytest.mark.gui
def test_viewports_follow_and_say_it(qtbot: QtBot, pair: tuple[ImageStack, ImageStack]) -> None:
    grid = ViewportGrid()
    qtbot.addWidget(grid)
    grid.resize(800, 400)
    grid.set_arrangement(Arrangement.SIDE_BY_SIDE)
    for pane, stack in zip(grid.panes(), pair, strict=True):
        pane.show_stack(stack, index=4)
    grid.set_active(0)
    grid.show()
    grid.panes()[0].do("viewport.previous")
    assert [pane.shown_frame() for pane in grid.panes()] == [5, 2]
    assert grid.panes()[1].model.link == RegisteredLink("Dr R. Okafor")
    grid.set_linked(False)
    assert grid.panes()[1].model.link is None


def test_regions_of_evidence_lie_where_the_registration_says(
    pair: tuple[ImageStack, ImageStack],
) -> None:
    fixed = pair[0]
    ring = [(-60.0, -50.0), (-50.0, -50.0), (-50.0, -40.0), (-60.0, -40.0)]
    region = Region(
        shape=Shape.POLYGON,
        space=Space.PATIENT,
        series_instance_uid="1.4",
        frame_of_reference_uid="1.8",
        points=tuple((x, y, -36.0) for x, y in ring),
    )
    overlay = Overlay((ViewRegion("E1", (region,)),))
    assert overlay.frame_of(region, fixed) == 5  # 6 mm higher
    (found,) = overlay.on_frame(fixed, 5)
    expected = [np.add((MATRIX @ (x, y, -36.0, 1.0))[:2], (100.0, 80.0)) for x, y in ring]
    np.testing.assert_allclose(found.rings[0], expected, atol=1e-6)
    places = places_of(region, fixed)
    assert places is not None and places[0, 2] == pytest.approx(-30.0)
    SPACES.use(())
    assert overlay.frame_of(region, fixed) is None and not overlay.on_frame(fixed, 5)
    assert places_of(region, fixed) is None


def test_linked_zoom_shows_the_registered_place(pair: tuple[ImageStack, ImageStack]) -> None:
    fixed, moving = pair
    at = ViewportState(index=5, magnification=2.0, centre=(40.0, 30.0))
    views = [
        View(stack.series, plane_of(stack, index), ImageSize(96, 64), (400.0, 300.0), state)
        for stack, index, state in ((fixed, 5, at), (moving, 2, ViewportState(index=2)))
    ]
    column, row = zoomed_like(views[1], views[0]).centre or (0.0, 0.0)
    place = plane_of(moving, 2).pixel_to_patient(np.array([(column, row)]))[0]
    wanted = plane_of(fixed, 5).pixel_to_patient(np.array([(40.0, 30.0)]))[0]
    np.testing.assert_allclose((MATRIX @ (*place, 1.0))[:2], wanted[:2], atol=1e-6)


@pytest.mark.gui
def test_planes_are_entered_at_the_registered_place(workspace, pair, opened, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    fixed, _ = pair
    workspace.open(fixed, None, opened(fixed), PatientPoint("1.8", (-60.0, -50.0, -36.0)))
    qtbot.waitUntil(lambda: workspace.scene.state is not None)
    there = (MATRIX @ (-60.0, -50.0, -36.0, 1.0))[:3]
    assert np.abs(np.asarray(workspace.scene.state.crosshair) - there).max() < 1.1

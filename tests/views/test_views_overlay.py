"""Regions lie where they were measured, and a click finds the right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from viewer.imaging.contour import mask_rings
from viewer.imaging.regions import Region, Shape, Space, outline
from viewer.imaging.volume import ImageStack
from viewer.views.link import linked_index
from viewer.views.overlay import Outline, Overlay, ViewRegion, hit
from viewer.views.places import nearest_frame
from viewer.views.tag_place import place_tag

StackMaker = Callable[..., ImageStack]


def area(ring: np.ndarray) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def on_image(shape: Shape, *points: tuple[float, float], frame: int = 5, uid: str = "1.2.3") -> Region:
    return Region(
        shape=shape, series_instance_uid=uid, sop_instance_uid=f"{uid}.{frame}", points=points
    )


# --- contours of masks -----------------------------------------------------------------------------


def test_one_pixel_is_a_diamond_around_its_centre() -> None:
    mask = np.zeros((5, 7), dtype=bool)
    mask[2, 4] = True
    (ring,) = mask_rings(mask)
    assert sorted(map(tuple, ring.tolist())) == [(3.5, 2.0), (4.0, 1.5), (4.0, 2.5), (4.5, 2.0)]


def test_the_ring_of_a_disc_encloses_its_area_and_a_hole_runs_the_other_way() -> None:
    row, column = np.mgrid[:512, :512]
    square = (row - 250) ** 2 + (column - 200) ** 2
    mask = (square < 150**2) & (square >= 20**2)
    rings = mask_rings(mask)
    assert len(rings) == 2
    assert sum(area(ring) for ring in rings) == pytest.approx(mask.sum(), rel=0.002)
    assert min(area(ring) for ring in rings) < 0 < max(area(ring) for ring in rings)


def test_a_mask_up_to_the_edge_is_closed() -> None:
    (ring,) = mask_rings(np.ones((4, 6), dtype=bool))
    assert ring.min(axis=0).tolist() == [-0.5, -0.5]
    assert ring.max(axis=0).tolist() == [5.5, 3.5]


def test_every_ring_is_closed_on_noise() -> None:
    rng = np.random.default_rng(7)
    for _ in range(100):
        mask = rng.random((12, 15)) > 0.5
        rings = mask_rings(mask)
        for ring in rings:
            step = np.abs(np.roll(ring, -1, axis=0) - ring)
            assert ((step[:, 0] == step[:, 1]) | (step.min(axis=1) == 0)).all()
        rows, columns = np.nonzero(mask)
        for row, column in zip(rows, columns, strict=True):
            crossings = sum(_inside(ring, column, row) for ring in rings)
            assert crossings % 2 == 1


def _inside(ring: np.ndarray, x: float, y: float) -> bool:
    found = False
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            found = not found
    return found


def test_an_empty_mask_has_no_ring() -> None:
    assert mask_rings(np.zeros((3, 3), dtype=bool)) == []


# --- which regions lie on a frame ------------------------------------------------------------------


def test_an_image_region_lies_on_its_image_only(stack: ImageStack) -> None:
    region = on_image(Shape.BOX, (10, 10), (20, 30))
    overlay = Overlay((ViewRegion("E3", (region,)),))
    assert [len(overlay.on_frame(stack, i)) for i in range(9)] == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert overlay.frame_of(region, stack) == 4


def test_a_region_of_another_series_is_not_drawn(stack: ImageStack) -> None:
    region = on_image(Shape.BOX, (10, 10), (20, 30), uid="7.7")
    overlay = Overlay((ViewRegion("E3", (region,)),))
    assert overlay.frame_of(region, stack) is None
    assert overlay.on_frame(stack, 4) == []


def test_a_region_in_the_patient_is_drawn_on_the_plane_it_lies_in(stack: ImageStack) -> None:
    # The stack's origin is (-100, -80, -40), pixels of 1 mm, slices 2 mm apart: pixel (30, 20) of
    # frame 6 is the point (-70, -60, -28).
    region = Region(
        shape=Shape.POINT,
        space=Space.PATIENT,
        series_instance_uid="other",
        frame_of_reference_uid="1.9",
        points=((-70.0, -60.0, -28.4),),
    )
    overlay = Overlay((ViewRegion("E7", (region,)),))
    assert overlay.frame_of(region, stack) == 6
    (outlined,) = overlay.on_frame(stack, 6)
    np.testing.assert_allclose(outlined.rings[0], [[30.0, 20.0]])
    assert overlay.on_frame(stack, 5) == [] == overlay.on_frame(stack, 7)


def test_a_region_in_another_frame_of_reference_has_no_place_here(stack: ImageStack) -> None:
    region = Region(
        shape=Shape.POINT,
        space=Space.PATIENT,
        series_instance_uid="other",
        frame_of_reference_uid="somewhere else",
        points=((-70.0, -60.0, -28.0),),
    )
    overlay = Overlay((ViewRegion("E7", (region,)),))
    assert overlay.frame_of(region, stack) is None
    assert overlay.on_frame(stack, 6) == []


def test_a_mask_is_shown_where_it_is_largest(stack: ImageStack) -> None:
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[2, 10:12, 10:12] = True
    mask[7, 5:30, 5:40] = True
    region = Region(shape=Shape.MASK, series_instance_uid="1.2.3", mask_sha256="m")
    overlay = Overlay((ViewRegion("E4", (region,)),), {"m": mask})
    assert overlay.frame_of(region, stack) == 7
    (outlined,) = overlay.on_frame(stack, 7)
    assert outlined.box == (4.5, 4.5, 39.5, 29.5)
    assert overlay.on_frame(stack, 3) == []


def test_a_mask_of_other_planes_is_not_shown_on_the_wrong_image(stack: ImageStack) -> None:
    mask = np.ones(stack.stored.shape, dtype=bool)
    region = Region(shape=Shape.MASK, series_instance_uid="1.2.3", mask_sha256="m")
    overlay = Overlay((ViewRegion("E4", (region,)),), {"m": mask})
    lost = replace(stack, stored=stack.stored[1:], frames=stack.frames[1:])
    assert overlay.on_frame(stack, 3)
    assert overlay.on_frame(lost, 3) == []
    assert overlay.frame_of(region, lost) is None


# --- hit-testing -----------------------------------------------------------------------------------


def outlined(evidence_id: str, region: Region) -> Outline:
    return Outline(evidence_id, region, (outline(region),))


def test_the_smallest_region_around_a_point_is_hit() -> None:
    large = outlined("E1", on_image(Shape.BOX, (0, 0), (50, 50)))
    small = outlined("E2", on_image(Shape.ELLIPSE, (20, 25), (30, 25), (25, 22), (25, 28)))
    found = hit([large, small], (25, 25), reach=1)
    assert found is not None and found.evidence_id == "E2"
    found = hit([large, small], (5, 5), reach=1)
    assert found is not None and found.evidence_id == "E1"


def test_beside_an_outline_it_still_hits_within_reach() -> None:
    box = outlined("E1", on_image(Shape.BOX, (10, 10), (20, 20)))
    assert hit([box], (22.9, 15), reach=3) is box
    assert hit([box], (23.1, 15), reach=3) is None


def test_a_point_region_is_hit_by_nearness() -> None:
    point = outlined("E5", on_image(Shape.POINT, (12, 12)))
    assert hit([point], (13, 13), reach=2) is point
    assert hit([point], (15, 15), reach=2) is None


def test_a_hole_in_a_mask_is_outside_it(stack: ImageStack) -> None:
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[4, 10:40, 10:40] = True
    mask[4, 20:30, 20:30] = False
    region = Region(shape=Shape.MASK, series_instance_uid="1.2.3", mask_sha256="m")
    outlines = Overlay((ViewRegion("E4", (region,)),), {"m": mask}).on_frame(stack, 4)
    assert hit(outlines, (15, 15), reach=0.1) is outlines[0]
    assert hit(outlines, (25, 25), reach=0.1) is None


# --- tags ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("middle", [(250, 250), (30, 250), (470, 30), (30, 30), (470, 470)])
def test_a_tag_stands_outside_its_contour_and_inside_the_viewport(middle: tuple[int, int]) -> None:
    angle = np.linspace(0, 2 * np.pi, 90)
    ring = np.stack([middle[0] + 28 * np.cos(angle), middle[1] + 17 * np.sin(angle)], axis=1)
    left, top, right, bottom = place_tag(ring, (30, 18), (0, 0, 500, 500))
    assert left >= 0 and top >= 0 and right <= 500 and bottom <= 500
    columns, rows = np.meshgrid(np.linspace(left, right, 12), np.linspace(top, bottom, 8))
    covered = ((columns - middle[0]) / 28) ** 2 + ((rows - middle[1]) / 17) ** 2 < 1
    assert not covered.any()
    corners = np.array([(left, top), (right, top), (left, bottom), (right, bottom)])
    assert np.linalg.norm(corners[:, None] - ring, axis=2).min() < 6


def test_two_tags_do_not_cover_each_other() -> None:
    ring = np.array([(100.0, 100.0), (140.0, 100.0), (140.0, 140.0), (100.0, 140.0)])
    first = place_tag(ring, (30, 18), (0, 0, 500, 500))
    second = place_tag(ring, (30, 18), (0, 0, 500, 500), [first])
    assert second[0] >= first[2] or second[2] <= first[0] or second[1] >= first[3]


def test_the_tag_of_a_contour_larger_than_the_viewport_stays_in_sight() -> None:
    ring = np.array([(-100.0, -100.0), (900.0, -100.0), (900.0, 900.0), (-100.0, 900.0)])
    left, top, right, bottom = place_tag(ring, (30, 18), (0, 0, 500, 500))
    assert (left, top, right, bottom) == (470, 0, 500, 18)


# --- linked scrolling ------------------------------------------------------------------------------


def test_series_of_one_frame_of_reference_meet_at_the_same_place(make_stack: StackMaker) -> None:
    coarse = make_stack(count=9, between=2.0)
    fine = make_stack(count=18, between=1.0, uid="1.2.4")
    assert [linked_index(coarse, i, fine) for i in (0, 3, 8)] == [0, 6, 16]


def test_no_link_without_an_equal_frame_of_reference(make_stack: StackMaker) -> None:
    here = make_stack()
    assert linked_index(here, 3, make_stack(uid="5", frame_of_reference="other")) is None
    unnamed = make_stack(uid="6", frame_of_reference="")
    assert linked_index(unnamed, 3, unnamed) is None


def test_planes_that_cross_are_not_scrolled_together(make_stack: StackMaker) -> None:
    coronal = make_stack(uid="5", axes=((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)))
    assert linked_index(make_stack(), 3, coronal) is None


def test_a_radiograph_has_no_nearest_frame(make_stack: StackMaker) -> None:
    assert nearest_frame(make_stack(axes=None, count=1), (0, 0, 0)) is None

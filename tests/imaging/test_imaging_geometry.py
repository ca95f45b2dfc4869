"""A verdict on geometry names what it found; each test builds positions with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.imaging.geometry import ImagePlane, VerdictKind, judge


def plane(
    z: float, *, x: float = 0.0, y: float = 0.0, angle: float = 0.0, spacing: float = 0.7
) -> ImagePlane:
    """Return an axial plane at (x, y, z), turned about the patient's left-right axis by degrees."""
    tilt = np.radians(angle)
    return ImagePlane(
        position=(x, y, z),
        row_cosines=(1.0, 0.0, 0.0),
        column_cosines=(0.0, float(np.cos(tilt)), float(-np.sin(tilt))),
        row_spacing=spacing,
        column_spacing=spacing,
    )


def test_even_slices_are_a_volume() -> None:
    verdict = judge([plane(2.5 * index) for index in range(10)])
    assert verdict.kind is VerdictKind.UNIFORM
    assert verdict.is_volume
    assert verdict.spacing == pytest.approx(2.5)


def test_one_percent_is_even_and_two_percent_is_not() -> None:
    even = [plane(z) for z in (0.0, 1.0, 2.009, 3.0)]
    uneven = [plane(z) for z in (0.0, 1.0, 2.02, 3.0)]
    assert judge(even).kind is VerdictKind.UNIFORM
    assert judge(uneven).kind is VerdictKind.NON_UNIFORM


def test_missing_slices_are_counted_and_placed() -> None:
    kept = [index for index in range(30) if index not in (7, 19, 20)]
    verdict = judge([plane(3.0 * index) for index in kept])
    assert verdict.kind is VerdictKind.MISSING
    assert verdict.missing == ((6, 1), (17, 2))
    assert "3 slices are missing (2 after image 9, 1 after image 20)" in verdict.reason


def test_doubled_positions_are_named() -> None:
    verdict = judge([plane(z) for z in (0.0, 1.0, 1.0, 2.0)])
    assert verdict.kind is VerdictKind.DUPLICATED
    assert verdict.duplicated == (2,)


@pytest.mark.parametrize("angle", [5.0, 18.5, -12.0])
def test_a_gantry_tilt_gives_its_angle_and_the_distance_along_the_normal(angle: float) -> None:
    verdict = judge([plane(2.5 * index, angle=angle) for index in range(8)])
    assert verdict.kind is VerdictKind.TILTED
    assert verdict.tilt_degrees == pytest.approx(abs(angle))
    assert verdict.spacing == pytest.approx(2.5 * np.cos(np.radians(angle)))


def test_a_tilt_with_uneven_distances_is_uneven_and_keeps_its_angle() -> None:
    verdict = judge([plane(z, angle=18.5) for z in (0.0, 4.0, 8.0, 15.1, 22.0)])
    assert verdict.kind is VerdictKind.NON_UNIFORM
    assert verdict.tilt_degrees == pytest.approx(18.5)


def test_images_shifted_sideways_are_no_box() -> None:
    shifted = [plane(float(index), x=(0.0, 3.0)[index % 2]) for index in range(9)]
    assert judge(shifted).kind is VerdictKind.NOT_A_VOLUME


@pytest.mark.parametrize(
    ("planes", "kind", "word"),
    [
        ([], VerdictKind.NOT_A_VOLUME, "no position"),
        ([None, None], VerdictKind.NOT_A_VOLUME, "no position"),
        ([plane(0.0), None], VerdictKind.NOT_A_VOLUME, "1 of 2"),
        ([plane(0.0)], VerdictKind.SINGLE, "one image"),
        ([plane(0.0), plane(1.0, angle=30.0)], VerdictKind.NOT_A_VOLUME, "orientations"),
        ([plane(0.0), plane(1.0, spacing=0.8)], VerdictKind.NOT_A_VOLUME, "pixel spacings"),
    ],
)
def test_what_is_no_volume_says_why(
    planes: list[ImagePlane | None], kind: VerdictKind, word: str
) -> None:
    verdict = judge(planes)
    assert verdict.kind is kind
    assert not verdict.is_volume
    assert word in verdict.reason


def test_pixels_and_patient_are_the_same_place_both_ways() -> None:
    oblique = ImagePlane(
        position=(-120.0, 33.0, 7.0),
        row_cosines=(0.6, 0.8, 0.0),
        column_cosines=(0.0, 0.0, -1.0),
        row_spacing=0.5,
        column_spacing=0.75,
    )
    # PS3.3 C.7.6.2.1-1 by hand: 2 columns along the row cosines, 4 rows along the column cosines
    assert oblique.pixel_to_patient(np.array([[2.0, 4.0]]))[0] == pytest.approx([-119.1, 34.2, 5.0])
    points = np.array([[0.0, 0.0], [13.5, 7.25]])
    assert oblique.patient_to_pixel(oblique.pixel_to_patient(points)) == pytest.approx(points)

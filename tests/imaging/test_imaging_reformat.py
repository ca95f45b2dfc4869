"""Planes, slabs and curves through a volume: sampled where they say they lie, against known fields."""

from __future__ import annotations

import math

import numpy as np
import pytest

from viewer.imaging.curve import curve_through, straightened
from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.reformat import (
    MAX_SLAB_SAMPLES,
    OUTSIDE,
    ReformatPlane,
    Slab,
    SlabMode,
    grid_of,
    meeting_line,
    rotation,
    sample,
    slab_offsets,
    unit,
    vector,
    volume_pipeline,
)
from viewer.imaging.study import Instance, Series, WindowPreset
from viewer.imaging.volume import Volume

FIELD = np.array([3.0, -2.0, 5.0])
SHAPE = (20, 36, 30)


def volume(
    values: np.ndarray,
    *,
    spacing: tuple[float, float, float] = (2.5, 0.8, 0.7),
    turn: np.ndarray | None = None,
    padding: int | None = None,
    photometric: str = "MONOCHROME2",
) -> Volume:
    """A volume of (slice, row, column) values; spacing is (slice, row, column), mm."""
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) @ np.diag(spacing[::-1])
    affine[:3, 3] = (-12.0, 7.0, -30.0)
    instance = Instance(
        path="",
        sop_instance_uid="1.2",
        sop_class_uid="1.2",
        transfer_syntax_uid="1.2",
        photometric_interpretation=photometric,
    )
    verdict = GeometryVerdict(kind=VerdictKind.UNIFORM, reason="")
    series = Series(series_instance_uid="1.1", modality="CT", instances=(instance,), verdict=verdict)
    return Volume(series, values.astype(np.int16), affine, 1.0, 0.0, "[hnsf'U]", (), padding)


def field(turn: np.ndarray | None = None) -> Volume:
    """A volume whose values are a linear function of the place, rounded."""
    box = volume(np.zeros(SHAPE), turn=turn)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), axis=-1)[..., ::-1]
    places = index @ box.affine[:3, :3].T + box.affine[:3, 3]
    return volume(np.rint(places @ FIELD), turn=turn)


def plane_through(
    box: Volume, turn: np.ndarray, *, size: int = 24, spacing: float = 0.6
) -> ReformatPlane:
    """A square plane about the middle of a volume, turned."""
    middle, row, column = grid_of(box).centre, turn[:, 0], turn[:, 1]
    corner = middle - (size - 1) / 2 * spacing * (row + column)
    return ReformatPlane(vector(corner), vector(row), vector(column), (spacing, spacing), size, size)


OBLIQUES = [((0, 0, 1), 0.0), ((1, 2, 3), 33.0), ((-1, 0.2, 0.5), 71.0), ((0, 1, 0), 90.0)]


@pytest.mark.parametrize(("axis", "degrees"), OBLIQUES)
def test_a_ramp_is_the_same_ramp_on_any_plane(axis: tuple[float, ...], degrees: float) -> None:
    box = field(turn=rotation((1, 1, 0), 12.0))
    plane = plane_through(box, rotation(axis, degrees))
    found = sample(box, plane, np.zeros(1))
    columns, rows = np.meshgrid(np.arange(24), np.arange(24))
    places = plane.image_plane().pixel_to_patient(np.stack([columns.ravel(), rows.ravel()], axis=1))
    assert np.abs(found.ravel() - places @ FIELD).max() <= 1.0


def test_outside_is_background_and_never_something_else() -> None:
    box = field()
    beyond = plane_through(box, np.eye(3)).shifted(1000.0)
    assert (sample(box, beyond, np.zeros(1)) == OUTSIDE).all()
    padded = volume(np.zeros(SHAPE), padding=-2000)
    assert (sample(padded, beyond, np.zeros(1)) == -2000).all()
    grey = volume_pipeline(box, WindowPreset(center=0.0, width=100.0)).table()
    inverse = volume_pipeline(
        volume(np.zeros(SHAPE), photometric="MONOCHROME1"), WindowPreset(center=0.0, width=100.0)
    ).table()
    assert grey[np.int16(OUTSIDE).view(np.uint16)] == 0
    assert inverse[np.int16(OUTSIDE).view(np.uint16)] == 0
    assert (grey[1000], inverse[1000]) == (255, 0)


def test_a_sphere_is_a_circle_of_its_radius_on_any_plane() -> None:
    shape, radius = (60, 60, 60), 12.0
    box = volume(np.zeros(shape), spacing=(1.0, 0.5, 0.5))
    index = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)[..., ::-1]
    middle = grid_of(box).centre
    away = np.linalg.norm(index @ box.affine[:3, :3].T + box.affine[:3, 3] - middle, axis=-1)
    ball = volume(np.clip(radius - away, -1, 1) * 1000, spacing=(1.0, 0.5, 0.5))
    for axis, degrees in OBLIQUES:
        plane = plane_through(ball, rotation(axis, degrees), size=120, spacing=0.25)
        area = float((sample(ball, plane, np.zeros(1)) > 0).sum()) * 0.25**2
        assert math.sqrt(area / math.pi) == pytest.approx(radius, abs=0.1)
        # 5 mm off the middle the circle is that of Pythagoras
        aside = plane.shifted(5.0)
        area = float((sample(ball, aside, np.zeros(1)) > 0).sum()) * 0.25**2
        assert math.sqrt(area / math.pi) == pytest.approx(math.sqrt(144 - 25), abs=0.1)


def test_a_slab_along_the_voxels_is_that_of_its_slices() -> None:
    rng = np.random.default_rng(3)
    box = volume(rng.integers(-1000, 1000, SHAPE))
    grid = grid_of(box)
    point = box.affine[:3, :3] @ np.array([4.0, 9.0, 10.0]) + box.affine[:3, 3]
    plane = ReformatPlane(
        vector(box.affine[:3, :3] @ np.array([0, 0, 10.0]) + box.affine[:3, 3]),
        (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.8, 0.7), SHAPE[1], SHAPE[2],
    )  # fmt: skip
    expected = {SlabMode.MIP: np.max, SlabMode.MINIP: np.min, SlabMode.MEAN: np.mean}
    for mode, reduce in expected.items():
        # 12 mm hold the slices at 0, +-2.5 and +-5 mm
        offsets = slab_offsets(grid, point, plane.normal, Slab(mode, 12.0))
        assert offsets == pytest.approx([-5.0, -2.5, 0.0, 2.5, 5.0])
        found = sample(box, plane, offsets, mode)
        assert np.abs(found - reduce(box.stored[8:13].astype(float), axis=0)).max() <= 0.5


def test_layers_of_an_oblique_slab_stand_evenly_about_the_plane() -> None:
    grid = grid_of(volume(np.zeros(SHAPE), spacing=(1.0, 1.0, 1.0)))
    normal = unit((1, 1, 1))
    offsets = slab_offsets(grid, grid.centre, normal, Slab(SlabMode.MIP, 20.0))
    assert len(offsets) == 20
    assert np.diff(offsets) == pytest.approx(1.0)
    assert offsets.sum() == pytest.approx(0.0)
    assert slab_offsets(grid, grid.centre, normal, Slab(SlabMode.OFF, 20.0)) == pytest.approx([0.0])


def test_an_oblique_slab_of_very_many_layers_is_as_thick_as_it_says() -> None:
    grid = grid_of(volume(np.zeros(SHAPE), spacing=(0.1, 0.1, 0.1)))
    offsets = slab_offsets(grid, grid.centre, unit((1, 1, 1)), Slab(SlabMode.MIP, 200.0))
    assert len(offsets) == MAX_SLAB_SAMPLES
    step = np.diff(offsets)
    assert np.ptp(step) == pytest.approx(0.0, abs=1e-9)
    assert np.ptp(offsets) + step[0] == pytest.approx(200.0)


def test_a_slab_grows_and_shrinks_in_steps_down_to_off() -> None:
    slab = Slab().stepped(1)
    assert slab == Slab(SlabMode.MIP, 1.0)
    assert slab.stepped(1).thickness == 2.0
    assert slab.stepped(-1).mode is SlabMode.OFF
    assert Slab(SlabMode.MINIP, 200.0).stepped(1).thickness == 200.0
    seen = [SlabMode.OFF]
    while (following := seen[-1].next()) is not SlabMode.OFF:
        seen.append(following)
    assert seen == list(SlabMode)


def test_two_planes_meet_in_a_line_that_lies_on_both() -> None:
    point, normal = np.array([3.0, 1.0, -2.0]), unit((0.2, 1.0, 0.4))
    other_point, other = np.array([-5.0, 2.0, 8.0]), unit((1.0, -0.3, 0.1))
    found = meeting_line(point, normal, other_point, other)
    assert found is not None
    start, along = found
    for distance in (-40.0, 0.0, 25.0):
        place = start + distance * along
        assert (place - point) @ normal == pytest.approx(0.0, abs=1e-9)
        assert (place - other_point) @ other == pytest.approx(0.0, abs=1e-9)
    assert meeting_line(point, normal, other_point, -normal) is None


def test_a_coarser_plane_covers_the_same_rectangle() -> None:
    plane = plane_through(field(), rotation((1, 2, 3), 20.0))
    coarse = plane.coarser(2)
    assert (coarse.rows, coarse.columns, coarse.spacing) == (12, 12, (1.2, 1.2))
    corners = [one.image_plane().pixel_to_patient(np.array([[-0.5, -0.5]])) for one in (plane, coarse)]
    assert corners[0] == pytest.approx(corners[1])
    strip = plane.strip(5, 9)
    assert (strip.rows, strip.columns) == (4, 24)
    there = plane.image_plane().pixel_to_patient(np.array([[0.0, 5.0]]))[0]
    assert strip.origin == pytest.approx(there)


# --- curves ----------------------------------------------------------------------------------------


def helix(turns: int = 2, radius: float = 20.0, rise: float = 15.0) -> list[tuple[float, float, float]]:
    angles = np.linspace(0.0, 2 * math.pi * turns, 12 * turns + 1)
    places = np.stack([radius * np.cos(angles), radius * np.sin(angles), rise * angles / 6.28], axis=1)
    return [vector(place) for place in places]


def test_a_curve_goes_through_its_points_at_even_steps() -> None:
    points = helix()
    curve = curve_through(points, 0.25)
    assert curve is not None
    steps = np.linalg.norm(np.diff(curve.points, axis=0), axis=1)
    assert steps == pytest.approx(curve.step, rel=2e-3)
    for point in points:
        assert np.linalg.norm(curve.points - np.asarray(point), axis=1).min() < 0.2
    true_length = 2 * math.hypot(2 * math.pi * 20.0, 15.0 * 2 * math.pi / 6.28)
    assert curve.length == pytest.approx(true_length, rel=3e-3)


def test_frames_of_a_curve_are_square_and_do_not_twist() -> None:
    curve = curve_through(helix(), 0.5)
    assert curve is not None
    frames = np.stack([curve.tangents, curve.normals, curve.binormals], axis=1)
    assert frames @ frames.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(3), (len(frames), 1, 1)))
    # carried without twist: from sample to sample the normal turns only as far as the tangent does
    bend = np.linalg.norm(np.diff(curve.tangents, axis=0), axis=1)
    turn = np.linalg.norm(np.diff(curve.normals, axis=0), axis=1)
    assert (turn <= bend + 1e-6).all()


def test_a_curve_needs_two_places() -> None:
    assert curve_through([], 1.0) is None
    assert curve_through([(1.0, 2.0, 3.0), (1.0, 2.0, 3.0)], 1.0) is None


def test_a_straight_curve_shows_the_field_it_runs_through() -> None:
    box = field()
    middle = grid_of(box).centre
    half = np.array([0.0, 5.0, 0.0])
    ends = [vector(middle - half), vector(middle + half)]
    curve = curve_through(ends, 0.5)
    assert curve is not None
    image = straightened(box, curve, width=6.0, spacing=0.5)
    assert image.shape == (len(curve.points), 12)
    beside = (np.arange(12) - 5.5) * 0.5
    places = curve.points[:, None, :] + beside[None, :, None] * curve.normals[:, None, :]
    assert np.abs(image - places @ FIELD).max() <= 1.0
    turned = straightened(box, curve, width=6.0, spacing=0.5, degrees=180.0)
    assert np.abs(turned[:, ::-1] - image).max() <= 1

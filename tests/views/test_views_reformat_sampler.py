"""The fast samples of a plane are those of the slow reference, within one stored unit."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from viewer.imaging.decode import decode_stack
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.reformat import (
    OUTSIDE,
    ReformatPlane,
    Slab,
    SlabMode,
    grid_of,
    rotation,
    sample,
    slab_offsets,
    vector,
)
from viewer.imaging.resample import ShownVolume, as_shown_volume
from viewer.imaging.volume import ImageStack, Volume, as_volume
from viewer.views.reformat.sampler import VolumeSampler

TILTED = (
    (0.9659258, 0.2588190, 0.0),
    (-0.2562097, 0.9561878, 0.1418),
)


def rough(frame: int, rows: int, columns: int) -> np.ndarray:
    """Values without any order."""
    rng = np.random.default_rng(frame)
    return rng.integers(-1000, 2000, (rows, columns)).astype(np.int16)


@pytest.fixture(params=[((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), TILTED], ids=["axial", "oblique"])
def volume(make_stack, request: pytest.FixtureRequest) -> Volume:  # type: ignore[no-untyped-def]
    """Anisotropic voxels, square to the body or not."""
    found = as_volume(
        make_stack(
            count=22,
            rows=40,
            columns=50,
            spacing=(0.8, 0.6),
            between=2.1,
            axes=request.param,
            pixels=rough,
        )
    )
    assert isinstance(found, Volume)
    return found


def square(volume: Volume, turn: np.ndarray, spacing: float = 0.7, size: int = 90) -> ReformatPlane:
    """A plane larger than the volume about its middle."""
    centre = grid_of(volume).centre + np.array([0.3, -0.4, 0.2])
    corner = centre - (size - 1) / 2 * spacing * (turn[:, 0] + turn[:, 1])
    return ReformatPlane(
        vector(corner), vector(turn[:, 0]), vector(turn[:, 1]), (spacing, spacing), size, size
    )


def along(volume: Volume, axes: tuple[int, int], signs: tuple[int, int]) -> ReformatPlane:
    """A plane whose samples are voxels, a third of a voxel aside along its normal."""
    grid = grid_of(volume)
    across, down = axes
    sizes = grid.shape[::-1]
    index = np.array([size / 2 + 0.3333 for size in sizes])
    for axis, sign in zip(axes, signs, strict=True):
        index[axis] = 0 if sign > 0 else sizes[axis] - 1
    origin = volume.affine[:3, :3] @ index + volume.affine[:3, 3]
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)
    return ReformatPlane(
        vector(origin),
        vector(signs[0] * grid.directions[:, across]),
        vector(signs[1] * grid.directions[:, down]),
        (float(spacing[down]), float(spacing[across])),
        sizes[down],
        sizes[across],
    )


TURNS = [((1.0, 2.0, 3.0), 33.0), ((0.0, 0.0, 1.0), 17.0), ((-1.0, 0.3, 0.6), 123.0)]


@pytest.mark.parametrize(("axis", "degrees"), TURNS)
@pytest.mark.parametrize("mode", list(SlabMode))
@pytest.mark.parametrize("thickness", [6.0, 9.0])
def test_an_oblique_slab_equals_the_reference(
    volume: Volume, axis: tuple[float, ...], degrees: float, mode: SlabMode, thickness: float
) -> None:
    plane = square(volume, rotation(axis, degrees))
    offsets = slab_offsets(grid_of(volume), plane.origin, plane.normal, Slab(mode, thickness))
    found = VolumeSampler(volume).sample(plane, offsets, mode)
    truth = sample(volume, plane, offsets, mode)
    edge = (found == OUTSIDE) != (truth == OUTSIDE)
    assert edge.sum() <= 2  # a sample on the very edge may fall either way
    assert np.abs(found[~edge].astype(int) - truth[~edge]).max() <= 1
    assert (truth == OUTSIDE).any()
    assert (truth != OUTSIDE).any()


@pytest.mark.parametrize("axes", [(0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1)])
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, -1)])
@pytest.mark.parametrize("mode", list(SlabMode))
def test_a_plane_along_the_voxels_equals_the_reference(
    volume: Volume, axes: tuple[int, int], signs: tuple[int, int], mode: SlabMode
) -> None:
    plane = along(volume, axes, signs)
    offsets = slab_offsets(grid_of(volume), plane.origin, plane.normal, Slab(mode, 7.0))
    sampler = VolumeSampler(volume)
    found = sampler.sample(plane, offsets, mode)
    assert np.abs(found.astype(int) - sample(volume, plane, offsets, mode)).max() <= 1
    # a slab along the voxels is made of whole slices and needs no VTK
    assert "_image" not in vars(sampler)


def test_a_plane_on_a_slice_is_that_slice_untouched(volume: Volume) -> None:
    plane = along(volume, (0, 1), (1, 1))
    grid = grid_of(volume)
    index = grid.index_of(plane.origin)[0]
    index[2] = 7
    on_slice = vector(volume.affine[:3, :3] @ np.rint(index) + volume.affine[:3, 3])
    plane = ReformatPlane(
        on_slice, plane.row_cosines, plane.column_cosines, plane.spacing, plane.rows, plane.columns
    )
    found = VolumeSampler(volume).sample(plane, np.zeros(1))
    assert (found == volume.stored[7]).all()


def test_a_plane_beyond_the_volume_is_background(volume: Volume) -> None:
    sampler = VolumeSampler(volume)
    for plane in (along(volume, (0, 2), (1, 1)), square(volume, rotation((1, 1, 0), 40.0))):
        assert (sampler.sample(plane.shifted(500.0), np.zeros(1)) == OUTSIDE).all()


def test_a_mask_on_a_plane_is_its_nearest_voxel(volume: Volume) -> None:
    mask = np.zeros(volume.stored.shape, dtype=bool)
    mask[8:14, 10:30, 15:40] = True
    plane = square(volume, rotation((1, 2, 3), 33.0))
    found = VolumeSampler(volume).mask("m", mask, plane)
    columns, rows = np.meshgrid(np.arange(plane.columns), np.arange(plane.rows))
    places = plane.image_plane().pixel_to_patient(np.stack([columns.ravel(), rows.ravel()], axis=1))
    index = grid_of(volume).index_of(places)
    inside = ((index > [14.5, 9.5, 7.5]) & (index < [39.5, 29.5, 13.5])).all(axis=1)
    assert (found.ravel() != inside).sum() <= 2
    assert inside.any()


def test_the_value_at_a_place_is_in_modality_units(volume: Volume) -> None:
    sampler = VolumeSampler(volume)
    place = vector(volume.affine[:3, :3] @ np.array([5, 6, 7]) + volume.affine[:3, 3])
    assert sampler.value(place) == pytest.approx(float(volume.stored[7, 6, 5]))
    assert sampler.value((5000.0, 0.0, 0.0)) is None


@pytest.mark.shared
@pytest.mark.parametrize(
    "folder",
    ["ct/chest_LUNG1-001", "ct/head_GE_gantry_tilt_variable_spacing", "ct/phantom_IBSI2_orientation"],
)
def test_real_series_equal_the_reference(shared_data: Path, folder: str) -> None:
    (study,) = index_paths([shared_data / folder]).studies
    series = max(study.series, key=lambda one: one.image_count)
    layout = stack_layout(series)
    stored = np.zeros(layout.shape, layout.dtype)
    decode_stack(series, layout, stored)
    shown = as_shown_volume(ImageStack(series, stored, layout.frames))
    assert isinstance(shown, ShownVolume)
    sampler = VolumeSampler(shown.volume)
    for axis, degrees in (((1.0, 2.0, 3.0), 33.0), ((0.0, 1.0, 0.0), 90.0)):
        plane = square(shown.volume, rotation(axis, degrees), spacing=2.0, size=140)
        for slab in (Slab(), Slab(SlabMode.MIP, 12.0)):
            offsets = slab_offsets(sampler.grid, plane.origin, plane.normal, slab)
            found = sampler.sample(plane, offsets, slab.mode).astype(int)
            truth = sample(shown.volume, plane, offsets, slab.mode)
            off = np.abs(found - truth) > 1
            assert off.sum() <= 4  # samples on the very edge of the volume
            assert truth.std() > 100


def test_a_uniform_series_is_sampled_where_its_pixels_lie(make_stack) -> None:
    stack = make_stack(count=40, rows=256, columns=256)
    as_made = VolumeSampler(as_volume(make_stack(count=3)))
    as_made.warm()  # VTK's own import is not counted
    tracemalloc.start()
    try:
        shown = as_shown_volume(stack)
        sampler = VolumeSampler(shown.volume)
        sampler.warm()
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.shares_memory(shown.volume.stored, stack.stored)
    assert taken < stack.stored.nbytes / 4

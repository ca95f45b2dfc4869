"""The three planes as geometry: crosshair, turns, letters, lines, samples, regions that they cut."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from viewer.imaging.geometry import ImagePlane, judge
from viewer.imaging.letters import EdgeLetters, edge_letters
from viewer.imaging.reformat import ReformatPlane, Slab, SlabMode, VoxelGrid, grid_of, rotation
from viewer.imaging.regions import Region, Shape, Space
from viewer.imaging.volume import ImageStack, Volume, as_volume
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.reformat.plane_words import plane_text
from viewer.views.reformat.planes import MprState, PlaneName, Pose, planes_of
from viewer.views.reformat.region_cuts import cuts, middle_of
from viewer.views.reformat.sampler import VolumeSampler
from viewer.views.reformat.slice_masks import mask_on_plane
from viewer.views.reformat.view_frame import Grip, Held, ViewFrame

AXIAL, CORONAL, SAGITTAL = PlaneName


def box(turn: np.ndarray | None = None) -> VoxelGrid:
    """A box of 40 slices of 60 x 50 voxels, 2 x 1 x 1 mm, about the zero of the patient."""
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) @ np.diag([1.0, 1.0, 2.0])
    affine[:3, 3] = -affine[:3, :3] @ np.array([24.5, 29.5, 19.5])
    return VoxelGrid(affine, (40, 60, 50))


def letters(pose: Pose) -> EdgeLetters:
    """The letters at the edges of a plane."""
    plane = ImagePlane(
        position=pose.centre,
        row_cosines=pose.row,
        column_cosines=pose.column,
        row_spacing=1.0,
        column_spacing=1.0,
    )
    found = edge_letters(plane, np.eye(3))
    assert found is not None
    return found


@pytest.fixture
def grid() -> VoxelGrid:
    """The straight box."""
    return box()


@pytest.fixture
def state(grid: VoxelGrid) -> MprState:
    """The planes as they are laid first."""
    return planes_of(grid)


def holds_crosshair(state: MprState) -> bool:
    """Return whether every plane goes through the crosshair."""
    return all(
        abs((np.asarray(state.crosshair) - np.asarray(pose.centre)) @ pose.normal) < 1e-9
        for pose in state.poses.values()
    )


# --- planes ----------------------------------------------------------------------------------------


def test_planes_first_stand_as_readers_know_them(state: MprState) -> None:
    assert letters(state.poses[AXIAL]) == EdgeLetters("R", "L", "A", "P")
    assert letters(state.poses[CORONAL]) == EdgeLetters("R", "L", "H", "F")
    assert letters(state.poses[SAGITTAL]) == EdgeLetters("A", "P", "H", "F")
    assert holds_crosshair(state)


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 1, 0), (1, 0, 2)])
def test_a_volume_taken_in_another_plane_stands_the_same_way(order: tuple[int, int, int]) -> None:
    """Coronal and sagittal acquisitions, and stacks that run from head to feet."""
    turn = np.eye(3)[:, list(order)]
    turn[:, 2] *= -1
    state = planes_of(box(turn))
    assert letters(state.poses[AXIAL]) == EdgeLetters("R", "L", "A", "P")
    assert letters(state.poses[CORONAL]) == EdgeLetters("R", "L", "H", "F")
    assert letters(state.poses[SAGITTAL]) == EdgeLetters("A", "P", "H", "F")


def test_an_oblique_acquisition_is_first_seen_as_it_was_taken() -> None:
    turn = rotation((1, 0, 0), 25.0)
    grid = box(turn)
    pose = planes_of(grid).poses[AXIAL]
    assert grid.axis_along(pose.row) == 0
    assert grid.axis_along(pose.column) == 1
    assert letters(pose).top == "AF"
    assert plane_text(AXIAL, pose) == "Axial, oblique 25°"


def test_turning_in_one_plane_turns_the_others_and_their_letters(state: MprState) -> None:
    turned = state.rotated(AXIAL, 30.0)
    assert turned.poses[AXIAL] == state.poses[AXIAL]
    assert turned.poses[CORONAL].tilt(state.poses[CORONAL]) == pytest.approx(30.0)
    assert turned.poses[CORONAL].tilt(turned.poses[SAGITTAL]) == pytest.approx(90.0)
    # clockwise on an axial image, the right end of the coronal line goes to the back
    assert letters(turned.poses[CORONAL]) == EdgeLetters("RA", "LP", "H", "F")
    assert letters(state.rotated(AXIAL, -30.0).poses[CORONAL]).right == "LA"
    assert holds_crosshair(turned)


def test_one_plane_can_be_turned_alone(state: MprState) -> None:
    turned = state.rotated(AXIAL, 20.0, only=CORONAL)
    assert turned.poses[SAGITTAL] == state.poses[SAGITTAL]
    assert turned.poses[CORONAL].tilt(turned.poses[SAGITTAL]) == pytest.approx(70.0)


@pytest.mark.parametrize(
    ("quarters", "expected"),
    [(1, ("P", "A", "R", "L")), (2, ("L", "R", "P", "A")), (3, ("A", "P", "L", "R"))],
)
def test_letters_follow_a_plane_that_is_turned_in_itself(
    state: MprState, quarters: int, expected: tuple[str, str, str, str]
) -> None:
    assert letters(state.spun(AXIAL, 90.0 * quarters).poses[AXIAL]) == EdgeLetters(*expected)


def test_letters_follow_a_flip(state: MprState) -> None:
    assert letters(state.flipped(AXIAL, horizontally=True).poses[AXIAL]).left == "L"
    assert letters(state.flipped(CORONAL, horizontally=False).poses[CORONAL]).top == "F"


def test_scrolling_goes_from_voxel_to_voxel_and_stops_at_the_edge(
    state: MprState, grid: VoxelGrid
) -> None:
    moved = state.scrolled(AXIAL, 3, grid)
    assert np.asarray(moved.crosshair) - state.crosshair == pytest.approx([0.0, 0.0, -6.0])
    assert state.scrolled(AXIAL, -1000, grid).crosshair[2] == pytest.approx(39.0)
    assert holds_crosshair(moved)
    oblique = state.rotated(SAGITTAL, 40.0)
    one = oblique.scrolled(AXIAL, 1, grid)
    step = np.asarray(one.crosshair) - np.asarray(oblique.crosshair)
    assert np.linalg.norm(step) == pytest.approx(grid.step_along(oblique.poses[AXIAL].normal))
    assert oblique.scrolled(AXIAL, 1000, grid) == oblique


def test_the_crosshair_never_leaves_the_volume(state: MprState, grid: VoxelGrid) -> None:
    moved = state.at((900.0, -3.0, 4.0), grid)
    assert moved.crosshair == pytest.approx((24.5, -3.0, 4.0))
    assert holds_crosshair(moved)


def test_planes_can_be_laid_along_the_body() -> None:
    grid = box(rotation((1, 0, 0), 25.0))
    state = planes_of(grid, of_body=True)
    assert [plane_text(name, pose) for name, pose in state.poses.items()] == [
        "Axial",
        "Coronal",
        "Sagittal",
    ]
    assert holds_crosshair(state)


def test_planes_and_samples_need_no_toolkit() -> None:
    code = (
        "import sys; import viewer.views.reformat.view_frame, viewer.views.reformat.region_cuts;"
        "assert not {'PySide6', 'vtkmodules', 'scipy'} & {n.split('.')[0] for n in sys.modules}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- a plane in a view -----------------------------------------------------------------------------


def test_widget_points_and_places_are_each_others_inverse(state: MprState) -> None:
    pose = state.rotated(AXIAL, 33.0).poses[CORONAL]
    frame = ViewFrame(replace(pose, magnification=1.7), 400.0, 300.0)
    place = frame.to_patient((123.0, 45.0))
    assert frame.to_widget([place])[0] == pytest.approx([123.0, 45.0])
    assert (np.asarray(place) - np.asarray(pose.centre)) @ pose.normal == pytest.approx(0.0)


def test_zoom_keeps_the_place_under_the_pointer(state: MprState) -> None:
    frame = ViewFrame(state.poses[CORONAL], 400.0, 300.0)
    before = frame.to_patient((310.0, 50.0))
    after = ViewFrame(frame.zoomed(2.5, (310.0, 50.0)), 400.0, 300.0)
    assert after.to_patient((310.0, 50.0)) == pytest.approx(before)
    assert after.scale == pytest.approx(2.5 * frame.scale)
    panned = ViewFrame(frame.panned(30.0, -20.0), 400.0, 300.0)
    assert panned.to_widget([before])[0] == pytest.approx([340.0, 30.0])


@pytest.mark.parametrize("degrees", [0.0, 28.0])
def test_samples_lie_where_they_are_drawn(state: MprState, grid: VoxelGrid, degrees: float) -> None:
    frame = ViewFrame(state.rotated(SAGITTAL, degrees).poses[AXIAL], 420.0, 300.0)
    plane = frame.plane(grid)
    assert plane is not None
    here = plane.image_plane().pixel_to_patient(np.array([[7.0, 11.0]]))
    x, y = frame.to_widget(here)[0]
    matrix = frame.matrix_of(plane)
    assert matrix[:2, :2] @ np.array([7.0, 11.0]) + matrix[:2, 2] == pytest.approx([x, y])
    if not degrees:
        assert (plane.rows, plane.columns, plane.spacing) == (60, 50, (1.0, 1.0))


def test_an_oblique_plane_is_sampled_no_finer_than_screen_and_voxels(
    state: MprState, grid: VoxelGrid
) -> None:
    pose = state.rotated(SAGITTAL, 28.0).poses[AXIAL]
    small = ViewFrame(pose, 30.0, 30.0).plane(grid)
    assert small is not None and small.spacing[0] == pytest.approx(
        1 / ViewFrame(pose, 30.0, 30.0).scale
    )
    large = ViewFrame(pose, 900.0, 900.0).plane(grid)
    assert large is not None and large.spacing[0] == grid.smallest_spacing
    zoomed = ViewFrame(replace(pose, magnification=8.0), 300.0, 300.0).plane(grid)
    assert zoomed is not None and zoomed.rows * zoomed.columns < 300
    away = replace(pose, centre=(900.0, 900.0, 900.0))
    assert ViewFrame(away, 300.0, 300.0).plane(grid) is None


def test_lines_lie_where_planes_meet(state: MprState, grid: VoxelGrid) -> None:
    state = state.at((5.0, -8.0, 6.0), grid).rotated(AXIAL, 25.0)
    frame = ViewFrame(state.poses[AXIAL], 400.0, 400.0)
    found = {line.plane: line for line in frame.lines(AXIAL, state)}
    assert set(found) == {CORONAL, SAGITTAL}
    for name, line in found.items():
        assert line.middle == pytest.approx(frame.to_widget([state.crosshair])[0])
        for handle in line.handles():
            place = np.asarray(frame.to_patient(handle))
            for plane in (state.poses[name], state.poses[AXIAL]):
                assert (place - np.asarray(plane.centre)) @ plane.normal == pytest.approx(0, abs=1e-9)
    angle = math.degrees(math.atan2(found[CORONAL].along[1], found[CORONAL].along[0])) % 180.0
    assert angle == pytest.approx(25.0)


def test_borders_of_a_slab_stand_half_its_thickness_beside_the_line(state: MprState) -> None:
    pose = replace(state.poses[CORONAL], slab=Slab(SlabMode.MIP, 12.0))
    state = state.with_pose(CORONAL, pose)
    frame = ViewFrame(state.poses[AXIAL], 400.0, 400.0)
    line = next(line for line in frame.lines(AXIAL, state) if line.plane is CORONAL)
    assert line.half_slab == pytest.approx(6.0 * frame.scale)
    x, y = line.middle
    lines = frame.lines(AXIAL, state)
    assert frame.held_at((x + 2, y - 3), lines) == Held(Grip.CENTRE)
    assert frame.held_at((x + 40, y + 1), lines) == Held(Grip.LINE, CORONAL)
    assert frame.held_at((x + line.handle, y), lines) == Held(Grip.END, CORONAL)
    assert frame.held_at((x + 60, y + line.half_slab), lines) == Held(Grip.EDGE, CORONAL)
    assert frame.held_at((x + 60, y + 2 * line.half_slab), lines) is None


# --- regions ---------------------------------------------------------------------------------------


@pytest.fixture
def sampler(stack) -> VolumeSampler:  # type: ignore[no-untyped-def]
    """The analytic stack as a volume."""
    volume = as_volume(stack)
    assert isinstance(volume, Volume)
    return VolumeSampler(volume)


def test_a_mask_is_cut_by_any_plane(stack, sampler: VolumeSampler) -> None:  # type: ignore[no-untyped-def]
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[2:7, 20:40, 30:60] = True
    region = Region(
        shape=Shape.MASK, series_instance_uid=stack.series.series_instance_uid, mask_sha256="m"
    )
    overlay = Overlay((ViewRegion("E1", (region,)),), {"m": mask})
    middle = middle_of(region, overlay, stack, sampler)
    assert middle is not None
    column, row, slice_ = grid_of(sampler.volume).index_of(middle)[0]
    assert mask[round(slice_), round(row), round(column)]
    state = planes_of(sampler.grid).at(middle, sampler.grid)
    frame = ViewFrame(state.poses[CORONAL], 300.0, 300.0)
    plane = frame.plane(sampler.grid)
    assert plane is not None
    (found,) = cuts(overlay, None, stack, sampler, plane=plane, reach=0.5)
    # 30 columns of 1 mm by 5 slices of 2 mm, drawn between the centres of samples
    low, high = found.rings[0].min(axis=0), found.rings[0].max(axis=0)
    assert (high - low) * plane.spacing[::-1] == pytest.approx([30.0, 10.0])
    assert not list(cuts(overlay, frozenset(), stack, sampler, plane=plane, reach=0.5))


@pytest.mark.parametrize("degrees", [0.0, 30.0])
def test_a_mask_of_images_is_read_at_their_true_places(  # type: ignore[no-untyped-def]
    stack, sampler: VolumeSampler, degrees: float
) -> None:
    """On an even stack the way of the resampled ones gives what sampling its voxels gives."""
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[2:7, 20:40, 30:60] = True
    state = planes_of(sampler.grid).rotated(AXIAL, degrees).rotated(SAGITTAL, degrees / 2)
    plane = ViewFrame(state.poses[CORONAL], 300.0, 300.0).plane(sampler.grid)
    assert plane is not None
    found, voxels = mask_on_plane(mask, stack, plane), sampler.mask("m", mask, plane)
    assert voxels.any()
    assert (found != voxels).sum() <= 2  # a sample half way between two voxels


def test_where_slices_are_missing_no_mask_is_shown(make_stack) -> None:  # type: ignore[no-untyped-def]
    stack = make_stack(count=9)
    kept = [0, 1, 2, 6, 7, 8]
    instances = tuple(stack.series.instances[index] for index in kept)
    verdict = judge([one.plane for one in instances])
    series = stack.series.model_copy(update={"instances": instances, "verdict": verdict})
    gap = ImageStack(series, stack.stored[kept], tuple((number, 1) for number in range(6)))
    mask = np.ones(gap.stored.shape, dtype=bool)
    column = ReformatPlane((-60.0, -50.0, -40.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.5, 1.0), 33, 1)
    found = mask_on_plane(mask, gap, column)[:, 0]
    heights = np.arange(33) * 0.5
    assert (found == ((heights < 5.02) | (heights > 10.98))).all()


def test_an_outline_is_whole_in_its_plane_and_a_chord_across(stack, sampler: VolumeSampler) -> None:  # type: ignore[no-untyped-def]
    region = Region(
        shape=Shape.BOX,
        series_instance_uid=stack.series.series_instance_uid,
        sop_instance_uid=stack.series.instances[4].sop_instance_uid,
        points=((30.0, 20.0), (60.0, 40.0)),
    )
    overlay = Overlay((ViewRegion("E1", (region,)),))
    middle = middle_of(region, overlay, stack, sampler)
    assert middle == pytest.approx((-100.0 + 45.0, -80.0 + 30.0, -40.0 + 8.0))
    state = planes_of(sampler.grid).at(middle, sampler.grid)
    rings = {}
    for name, pose in state.poses.items():
        plane = ViewFrame(pose, 300.0, 300.0).plane(sampler.grid)
        assert plane is not None
        (found,) = cuts(overlay, None, stack, sampler, plane=plane, reach=0.6)
        (ring,) = found.rings
        rings[name] = np.ptp(ring * plane.spacing[::-1], axis=0), len(ring)
    assert rings[AXIAL][1] == 4
    assert rings[AXIAL][0] == pytest.approx([30.0, 20.0])
    assert rings[CORONAL] == (pytest.approx([30.0, 0.0]), 2)
    assert rings[SAGITTAL] == (pytest.approx([20.0, 0.0]), 2)


def test_a_region_of_another_frame_of_reference_is_not_shown(stack, sampler: VolumeSampler) -> None:  # type: ignore[no-untyped-def]
    region = Region(
        shape=Shape.POINT,
        space=Space.PATIENT,
        series_instance_uid="9",
        frame_of_reference_uid="9.9",
        points=((-55.0, -50.0, -32.0),),
    )
    assert middle_of(region, Overlay(), stack, sampler) is None
    same = region.model_copy(update={"frame_of_reference_uid": "1.9"})
    assert middle_of(same, Overlay(), stack, sampler) == (-55.0, -50.0, -32.0)

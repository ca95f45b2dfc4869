"""A stack that is no box is shown at its true positions, and what is missing stays missing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from viewer.imaging.decode import decode_stack
from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind, judge
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.resample import ShownVolume, as_shown_volume
from viewer.imaging.study import Instance, Series
from viewer.imaging.volume import ImageStack, as_volume

ROWS, COLUMNS = 40, 30
TILT = math.radians(18.5)
FIELD = np.array([3.0, 7.0, 11.0])
"""Values grow linearly through space, so that linear interpolation gives them back exactly."""

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
TILTED = ((1.0, 0.0, 0.0), (0.0, math.cos(TILT), -math.sin(TILT)))


def stack_at(heights: list[float], cosines: tuple[tuple[float, ...], tuple[float, ...]]) -> ImageStack:
    """Return slices at some heights of the couch, their values those of the field."""
    instances, frames = [], []
    for number, height in enumerate(heights):
        plane = ImagePlane(
            position=(-20.0, -30.0, height),
            row_cosines=cosines[0],
            column_cosines=cosines[1],
            row_spacing=0.8,
            column_spacing=0.9,
        )
        columns, rows = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
        points = plane.pixel_to_patient(np.stack([columns.ravel(), rows.ravel()], axis=1))
        frames.append(np.rint(points @ FIELD).astype(np.int16).reshape(ROWS, COLUMNS))
        instances.append(
            Instance(
                path=f"/{number}.dcm",
                sop_instance_uid=f"1.2.{number}",
                sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                rows=ROWS,
                columns=COLUMNS,
                plane=plane,
                pixel_padding_value=-2000,
            )
        )
    planes = [one.plane for one in instances]
    series = Series(
        series_instance_uid="1.1", modality="CT", instances=tuple(instances), verdict=judge(planes)
    )
    return ImageStack(series=series, stored=np.stack(frames), frames=series.frame_order())


def shown(stack: ImageStack) -> ShownVolume:
    """Return the box; a refusal fails the test."""
    found = as_shown_volume(stack)
    assert isinstance(found, ShownVolume), found
    return found


def errors(found: ShownVolume) -> np.ndarray:
    """Return how far each voxel that shows something is off the field."""
    volume = found.volume
    places = np.argwhere(volume.stored != -2000)
    points = places[:, ::-1] @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    return np.abs(volume.stored[tuple(places.T)] - points @ FIELD)


@pytest.mark.parametrize(
    ("heights", "cosines", "kind"),
    [
        ([0, 2.5, 5, 7.5, 10], TILTED, VerdictKind.TILTED),
        ([0, 2, 4, 7, 9, 10.5], AXIAL, VerdictKind.NON_UNIFORM),
        ([0, 2, 4, 7, 9, 10.5], TILTED, VerdictKind.NON_UNIFORM),
        ([0, 2, 4, 10, 12], AXIAL, VerdictKind.MISSING),
    ],
)
def test_every_voxel_shows_the_value_of_its_place(
    heights: list[float], cosines: tuple[tuple[float, ...], tuple[float, ...]], kind: VerdictKind
) -> None:
    stack = stack_at(heights, cosines)
    assert stack.series.verdict.kind is kind
    assert isinstance(as_volume(stack), GeometryVerdict)  # nothing is measured on it
    found = shown(stack)
    if kind is not VerdictKind.MISSING:
        assert errors(found).max() <= 1.0  # two roundings of half a value
    assert found.badge == f"Resampled. {stack.series.verdict.reason}"
    assert not found.volume.stored.flags.writeable


def test_no_pixel_of_a_tilted_stack_is_cut_off() -> None:
    stack = stack_at([0, 2.5, 5, 7.5, 10], TILTED)
    volume = shown(stack).volume
    inverse = np.linalg.inv(volume.affine)
    corners = np.array([[0, 0], [COLUMNS - 1, 0], [0, ROWS - 1], [COLUMNS - 1, ROWS - 1]])
    for instance in stack.series.instances:
        assert instance.plane is not None
        points = instance.plane.pixel_to_patient(corners)
        places = points @ inverse[:3, :3].T + inverse[:3, 3]
        assert places.min() >= -1e-6
        assert (places.max(axis=0) <= np.array(volume.stored.shape[::-1]) - 1 + 1e-6).all()
    # The axes are perpendicular again, unlike those of the stack.
    axes = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-9)


def test_nothing_is_drawn_where_slices_are_missing() -> None:
    found = shown(stack_at([0, 2, 4, 10, 12], AXIAL))
    volume = found.volume
    drawn = (volume.stored != -2000).any(axis=(1, 2))
    assert volume.spacing[0] == pytest.approx(2.0)
    assert drawn.tolist() == [True, True, True, False, False, True, True]
    assert errors(found).max() <= 0.5


def test_thick_slices_above_thin_ones_are_no_gaps_and_a_hole_among_them_is_one() -> None:
    head = [0, 2, 4, 6, 8, 11.7, 15.4, 19.1, 22.8]
    found = shown(stack_at(head, AXIAL))
    assert (found.volume.stored != -2000).any(axis=(1, 2)).all()
    assert errors(found).max() <= 1.0
    holed = shown(stack_at([*head, 40.3, 44.0], AXIAL)).volume
    drawn = (holed.stored != -2000).any(axis=(1, 2))
    heights = np.arange(len(drawn)) * holed.spacing[0]
    assert not drawn[(heights > 25) & (heights < 38)].any()
    assert drawn[(heights < 24) | (heights > 39)].all()


def test_a_box_is_passed_on_without_a_badge_and_what_is_none_is_refused() -> None:
    even = stack_at([0, 2, 4, 6], AXIAL)
    assert shown(even).badge == ""
    assert np.shares_memory(shown(even).volume.stored, even.stored)
    for heights in ([0.0], [0.0, 2.0, 2.0, 4.0]):
        refusal = as_shown_volume(stack_at(heights, AXIAL))
        assert isinstance(refusal, GeometryVerdict)
        assert refusal.reason


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["head_GE_gantry_tilt_variable_spacing", "head_phantom_Philips_tilt_uniform"]
)
def test_real_tilted_heads_are_straightened(name: str, shared_data: Path) -> None:
    stack = load(shared_data / "ct" / name)
    volume = shown(stack).volume
    # The first slice stays where it was, the box around it is as high as the head is tall.
    row, column = np.rint(np.linalg.inv(volume.affine) @ [*first_position(stack), 1.0])[[1, 0]].astype(
        int
    )
    rows, columns = stack.stored.shape[1:]
    inside = volume.stored[0, row : row + rows, column : column + columns]
    assert np.array_equal(inside, stack.stored[0])
    planes = [stack.series.plane_of(frame) for frame in stack.frames]
    first, last = planes[0], planes[-1]
    assert first is not None
    assert last is not None
    height = (volume.stored.shape[0] - 1) * volume.spacing[0]
    assert height == pytest.approx(last.offset - first.offset, abs=volume.spacing[0])


def load(folder: Path) -> ImageStack:
    """Return the largest series of a folder as a stack."""
    series = index_paths([str(folder)]).studies[0].series[0]
    layout = stack_layout(series)
    stored = np.zeros(layout.shape, layout.dtype)
    assert not decode_stack(series, layout, stored).bad
    return ImageStack(series=series, stored=stored, frames=layout.frames)


def first_position(stack: ImageStack) -> tuple[float, float, float]:
    """Return where the first slice begins, LPS mm."""
    plane = stack.series.plane_of(stack.frames[0])
    assert plane is not None
    return plane.position

"""Masks of the evidence in the grid of a rendered volume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from viewer.imaging.regions import Region, Shape
from viewer.imaging.resample import ShownVolume, as_shown_volume
from viewer.imaging.volume import as_volume
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.rendering.camera import Direction, camera_from
from viewer.views.rendering.evidence import mask_under, masks_of
from viewer.views.rendering.voxels import on_grid, voxels_of

SIZE = (400.0, 400.0)


def overlay_of(stack, **masks: np.ndarray) -> Overlay:
    uid = stack.series.series_instance_uid
    regions = tuple(
        ViewRegion(name, (Region(shape=Shape.MASK, series_instance_uid=uid, mask_sha256=name),))
        for name in masks
    )
    return Overlay(regions, masks)


def box(stack, *, row: int, size: int = 8) -> np.ndarray:
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[4:12, row : row + size, 20:40] = True
    return mask


def test_a_ray_meets_the_nearest_mask_first(make_stack) -> None:
    stack = make_stack(count=20, rows=64, columns=64, between=2.0)
    shown = ShownVolume(as_volume(stack))
    overlay = overlay_of(stack, E1=box(stack, row=40), E2=box(stack, row=10))
    masks = masks_of(overlay, None, stack, shown)
    corners = voxels_of(shown).corners()
    for side, first in ((Direction.FRONT, "E2"), (Direction.BACK, "E1")):
        camera = camera_from(side, corners, SIZE)
        x, y, _ = camera.project(masks[0].middle, SIZE)[0]
        assert mask_under(masks, shown.volume, camera, (x, y), SIZE) == first
        assert mask_under(masks, shown.volume, camera, (3.0, 3.0), SIZE) == ""
    assert [one.evidence_id for one in masks_of(overlay, frozenset({"E2"}), stack, shown)] == ["E2"]


def test_masks_of_an_uneven_stack_stand_where_their_images_stand(make_stack) -> None:
    whole = make_stack(count=24, rows=48, columns=48, between=2.0)
    # one slice in the middle is lacking: the box is resampled, the masks belong to the images
    kept = [number for number in range(24) if number != 12]
    stack = replace(
        whole,
        stored=whole.stored[kept],
        frames=tuple(whole.frames[number] for number in kept),
    )
    shown = as_shown_volume(stack)
    assert isinstance(shown, ShownVolume) and shown.badge
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[17:20, 10:20, 20:30] = True
    found = masks_of(overlay_of(stack, E1=mask), None, stack, shown)[0]
    plane = stack.series.plane_of(stack.frames[18])
    middle = plane.pixel_to_patient(np.array([[24.5, 14.5]]))[0]
    assert np.allclose(found.middle, middle, atol=1.1)
    assert found.mask.shape == shown.volume.stored.shape


def test_a_mask_is_mirrored_with_its_volume(make_stack) -> None:
    stack = make_stack(count=20, rows=32, columns=32, between=2.0)
    volume = as_volume(stack)
    mirrored = volume.affine.copy()
    mirrored[:3, 2] *= -1
    voxels = voxels_of(ShownVolume(replace(volume, affine=mirrored)))
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[3, 5, 7] = True
    index = np.argwhere(on_grid(mask, voxels))[0]
    place = voxels.to_patient((index[::-1] * voxels.spacing)[None])[0]
    assert np.allclose(place, mirrored[:3, :3] @ (7, 5, 3) + mirrored[:3, 3])

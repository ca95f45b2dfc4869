"""Pictures of analytic volumes: what is where from every side, crop box, clip plane, cuts, surfaces."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from viewer.imaging.resample import ShownVolume
from viewer.imaging.volume import as_volume
from viewer.views.rendering.camera import Direction
from viewer.views.rendering.capability import Engine, capability
from viewer.views.rendering.model import VolumeModel
from viewer.views.rendering.presets import Mode
from viewer.views.rendering.renderer import VolumeRenderer
from viewer.views.rendering.scene import Crop, Surface
from viewer.views.rendering.voxels import voxels_of

SIZE = (240, 200)
SIDE = 32
AIR, DENSE, CUBE_HU = -1000, 300, 1500

CUBE = (slice(22, 28), slice(6, 12), slice(20, 28))
"""Slices towards the head, rows towards the front, columns towards the patient's left."""


def cube_slice(frame: int, rows: int, columns: int) -> np.ndarray:
    """A bright cube off the centre in air."""
    values = np.full((rows, columns), AIR, dtype=np.int16)
    if CUBE[0].start <= frame < CUBE[0].stop:
        values[CUBE[1], CUBE[2]] = CUBE_HU
    return values


@pytest.fixture(scope="module")
def voxels():
    from analytic_stack import build_stack

    stack = build_stack(count=SIDE, rows=SIDE, columns=SIDE, between=1.0, pixels=cube_slice)
    return voxels_of(ShownVolume(as_volume(stack)))


@pytest.fixture(scope="module")
def renderer(voxels):
    can = capability()
    if can.engine is Engine.NONE:
        pytest.skip(can.reason)
    made = VolumeRenderer(can)
    made.set_voxels(voxels)
    yield made
    made.dispose()


@pytest.fixture
def model(voxels):
    made = VolumeModel()
    made.size = SIZE
    made.show(voxels)
    return made


def lit(renderer: VolumeRenderer, model: VolumeModel) -> np.ndarray:
    """Return which pixels of the picture of a model are not black."""
    picture = renderer.render(model.scene(moving=False))
    assert picture.complete
    found: np.ndarray = picture.pixels[..., :3].max(axis=2) > 60
    return found


def middle(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("direction", Direction)
def test_the_cube_stands_where_the_camera_says(direction, mode, renderer, model, voxels) -> None:
    if mode is Mode.MIP:
        model.toggle_mip()
    model.look_from(direction)
    centre = np.array([(part.start + part.stop - 1) / 2 for part in reversed(CUBE)])
    expected = model.camera.project(voxels.to_patient(centre * voxels.spacing), SIZE)[0]
    x, y = middle(lit(renderer, model))
    assert (x + 0.5, y + 0.5) == pytest.approx(tuple(expected[:2]), abs=2.0)


def test_from_the_front_the_patients_left_is_at_the_right_and_the_head_above(renderer, model) -> None:
    x, y = middle(lit(renderer, model))
    assert x > SIZE[0] / 2 + 10
    assert y < SIZE[1] / 2 - 10


def test_the_crop_box_hides_what_lies_outside(renderer, model) -> None:
    whole = lit(renderer, model).sum()
    assert whole > 500
    model.crop = Crop(high=(0.5, 1.0, 1.0))
    assert not lit(renderer, model).any()
    # half of the cube along the columns
    model.crop = Crop(high=(23.5 / 31, 1.0, 1.0))
    assert lit(renderer, model).sum() == pytest.approx(whole / 2, rel=0.2)


def test_the_clip_plane_takes_away_what_is_nearest(renderer, model) -> None:
    model.set_clip_share(0.1)
    assert lit(renderer, model).any()
    model.set_clip_share(0.5)
    assert not lit(renderer, model).any()
    model.look_from(Direction.BACK)
    model.set_clip_share(0.5)
    assert lit(renderer, model).any()


def test_what_was_cut_away_is_not_drawn_until_it_is_undone(renderer, model, voxels) -> None:
    removed = np.zeros(voxels.values.shape, dtype=bool)
    removed[CUBE] = True
    renderer.remove(removed)
    assert not lit(renderer, model).any()
    renderer.remove(None)
    assert lit(renderer, model).any()
    assert voxels.values.max() == CUBE_HU


def test_a_mask_is_drawn_as_a_surface_in_its_colour(renderer, model, voxels) -> None:
    mask = np.zeros(voxels.values.shape, dtype=np.uint8)
    mask[4:12, 4:12, 4:12] = 1
    renderer.set_surfaces([Surface(mask, (0.1, 0.9, 0.2), 1.0, "a part")])
    picture = renderer.render(model.scene(moving=False))
    renderer.set_surfaces(())
    red, green, _ = (picture.pixels[..., channel].astype(int) for channel in range(3))
    drawn = green > red + 60
    expected = model.camera.project(voxels.to_patient(np.full((1, 3), 7.5)), SIZE)[0]
    x, y = middle(drawn)
    assert (x + 0.5, y + 0.5) == pytest.approx(tuple(expected[:2]), abs=1.5)
    assert drawn.sum() == pytest.approx((8 * SIZE[1] / model.camera.height) ** 2, rel=0.1)
    after = renderer.render(model.scene(moving=False)).pixels.astype(int)
    assert not (after[..., 1] > after[..., 0] + 60).any()


def test_a_projection_has_the_window_of_its_grey(renderer, model) -> None:
    model.toggle_mip()
    preset = model.look.preset
    picture = renderer.render(model.scene(moving=False))
    assert picture.pixels[..., :3].max() == 255
    low, high = preset.mip
    model.look = model.look.dragged(0.0, (CUBE_HU - (low + high) / 2) / (high - low))
    middle_grey = renderer.render(model.scene(moving=False)).pixels[..., 0].max()
    assert middle_grey == pytest.approx(128, abs=4)


def test_a_picture_that_is_not_wanted_is_given_up(voxels) -> None:
    can = capability()
    if can.engine is not Engine.PROCESSOR:
        pytest.skip("only rays on the processor ask")
    renderer = VolumeRenderer(can, interrupted=lambda: True)
    renderer.set_voxels(voxels)
    model = VolumeModel()
    model.size = (400.0, 400.0)
    model.show(voxels)
    assert renderer.render(model.scene(moving=False)) is None
    assert renderer.render(model.scene(moving=True)) is not None
    renderer.dispose()


def resident_kb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_views_that_are_disposed_of_leave_no_memory_behind(voxels, model) -> None:
    can = capability()
    if can.engine is Engine.NONE:
        pytest.skip(can.reason)

    def one_view() -> None:
        renderer = VolumeRenderer(can)
        renderer.set_voxels(voxels)
        assert renderer.render(model.scene(moving=False)) is not None
        renderer.dispose()

    for _ in range(4):
        one_view()
    gc.collect()
    before, views = resident_kb(), 12
    for _ in range(views):
        one_view()
    gc.collect()
    # undisposed each leaves about 7 MB
    assert (resident_kb() - before) / views < 1500


CHILD = """
import numpy as np
from viewer.views.rendering.capability import Engine, capability
found = capability()
assert (found.engine is Engine.NONE) == bool(found.reason), found
print(found.engine)
"""


def test_without_a_display_there_is_a_picture_or_words_and_never_a_crash() -> None:
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("DISPLAY", "WAYLAND_DISPLAY", "VTK_DEFAULT_OPENGL_WINDOW")
    }
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in set(Engine)
    broken = {
        **kept,
        "__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent",
        "LIBGL_DRIVERS_PATH": "/nonexistent",
    }
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=broken, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in set(Engine)

"""Presets, camera, voxels and cutting of the 3D view, without a window and without VTK."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from viewer.acts import rendering as rendering_acts
from viewer.imaging.resample import ShownVolume
from viewer.imaging.volume import as_volume
from viewer.views.rendering.camera import Direction, camera_from
from viewer.views.rendering.capability import Engine, find_capability, read_answer
from viewer.views.rendering.model import Hand, Removal, VolumeModel
from viewer.views.rendering.presets import (
    Look,
    Mode,
    Scale,
    ValueScale,
    presets_for,
    render_presets,
    value_scale,
)
from viewer.views.rendering.probe import MARK
from viewer.views.rendering.scalpel import cut, inside_outline
from viewer.views.rendering.scene import Crop
from viewer.views.rendering.voxels import BYTES_PER_VOXEL, Removed, block_mean, on_grid, voxels_of

SIZE = (400.0, 300.0)


@pytest.fixture
def voxels(make_stack):
    return voxels_of(ShownVolume(as_volume(make_stack(count=20, rows=30, columns=40))))


def model_of(voxels) -> VolumeModel:
    model = VolumeModel()
    model.size = SIZE
    model.show(voxels)
    return model


# --- presets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", render_presets(), ids=lambda preset: preset.name)
def test_every_preset_rises_in_value_and_has_an_act(preset) -> None:
    for points in (preset.opacity, preset.colour, preset.gradient):
        values = [point[0] for point in points]
        assert values == sorted(set(values))
        assert all(0.0 <= part <= 1.0 for point in points for part in point[1:])
    assert preset.opacity[0][1] == 0.0
    assert preset.mip[0] < preset.mip[1]
    assert f"rendering.preset.{preset.name}" in {act.name for act in rendering_acts.ACTS}


def test_each_modality_has_its_presets_and_others_the_general_one() -> None:
    assert [preset.name for preset in presets_for("CT")][:2] == ["ct_bone", "ct_vessels"]
    assert {preset.mode for preset in presets_for("PT")} == {Mode.MIP}
    assert [preset.name for preset in presets_for("OT")] == ["any"]


def test_a_window_drag_moves_and_stretches_the_preset() -> None:
    preset = presets_for("CT")[0]
    look = Look(preset, ValueScale(), Mode.RENDER)
    low, high = look.window()
    assert look.opacity()[0][0] == pytest.approx(preset.opacity[0][0])
    wider = look.dragged(0.5, 0.0)
    assert wider.window()[1] - wider.window()[0] == pytest.approx(2 * (high - low))
    assert sum(wider.window()) == pytest.approx(low + high)
    darker = look.dragged(0.0, 0.1)
    assert darker.window()[0] == pytest.approx(low + 0.1 * (high - low))


def test_shares_and_suv_become_values_of_the_volume(voxels) -> None:
    share = next(preset for preset in render_presets() if preset.scale is Scale.SHARE)
    assert value_scale(share, voxels.series, 100.0, 300.0) == ValueScale(200.0, 100.0)
    suv = next(preset for preset in render_presets() if preset.scale is Scale.SUV)
    # no PET: the highest values stand for SUV 10
    assert value_scale(suv, voxels.series, 0.0, 5000.0).unit == pytest.approx(500.0)


# --- camera ----------------------------------------------------------------------------------------

LETTERS = {
    Direction.FRONT: ("R", "L", "H", "F"),
    Direction.BACK: ("L", "R", "H", "F"),
    Direction.LEFT: ("A", "P", "H", "F"),
    Direction.RIGHT: ("P", "A", "H", "F"),
    Direction.HEAD: ("L", "R", "A", "P"),
    Direction.FEET: ("R", "L", "A", "P"),
}


@pytest.mark.parametrize("direction", Direction)
def test_letters_are_right_from_every_side(direction, voxels) -> None:
    camera = camera_from(direction, voxels.corners(), SIZE)
    letters = camera.letters()
    assert (letters.left, letters.right, letters.top, letters.bottom) == LETTERS[direction]
    assert np.linalg.det(camera.axes) == pytest.approx(1.0)
    seen = camera.project(voxels.corners(), SIZE)
    assert seen[:, :2].min() >= 0.0
    assert (seen[:, :2] <= SIZE).all()


def test_what_lies_in_front_follows_the_hand_and_the_head_a_roll(voxels) -> None:
    camera = camera_from(Direction.FRONT, voxels.corners(), SIZE)
    turned = camera.rotated(np.pi / 2, 0.0)
    # what lay in front (A) has gone to the right edge
    assert turned.letters().right == "A"
    assert camera.rotated(0.0, np.pi / 2).letters().bottom == "A"
    assert camera.rolled(np.pi / 2).letters().right == "H"
    many = camera
    for _ in range(1000):
        many = many.rotated(0.01, 0.007).rolled(0.003)
    assert np.allclose(many.axes @ many.axes.T, np.eye(3), atol=1e-12)


def test_zoom_keeps_the_place_under_the_pointer_and_pan_follows_the_hand(voxels) -> None:
    camera = camera_from(Direction.LEFT, voxels.corners(), SIZE)
    place = camera.place((90.0, 60.0), SIZE)
    larger = camera.zoomed(3.0, (90.0, 60.0), SIZE)
    assert larger.project(place, SIZE)[0, :2] == pytest.approx((90.0, 60.0))
    moved = larger.panned(12.0, -7.0, SIZE)
    assert moved.project(place, SIZE)[0, :2] == pytest.approx((102.0, 53.0))


# --- voxels ----------------------------------------------------------------------------------------


def test_voxels_lie_where_the_volume_lies(make_stack) -> None:
    sagittal = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
    volume = as_volume(make_stack(count=5, rows=6, columns=8, axes=sagittal, spacing=(0.5, 0.7)))
    voxels = voxels_of(ShownVolume(volume))
    assert np.shares_memory(voxels.values, volume.stored)
    index = np.array([3.0, 2.0, 4.0])
    expected = (volume.affine @ [*index, 1.0])[:3]
    assert voxels.to_patient(index * voxels.spacing) == pytest.approx(expected)


def test_a_volume_over_the_limit_is_shown_at_half_resolution(make_stack) -> None:
    volume = as_volume(make_stack(count=16, rows=32, columns=32, between=1.0))
    whole = voxels_of(ShownVolume(volume))
    half = voxels_of(ShownVolume(volume), limit=whole.values.size * BYTES_PER_VOXEL - 1)
    assert half.values.shape == (8, 16, 16)
    assert half.steps == (2, 2, 2)
    # the middle of the first block of eight voxels
    assert half.to_patient(np.zeros(3)) == pytest.approx(whole.to_patient(np.full(3, 0.5)))
    mask = np.zeros(volume.stored.shape)
    mask[4:, :, :] = 1
    assert on_grid(mask, half).sum() == 6 * 16 * 16


def test_block_means_do_not_overflow() -> None:
    values = np.array([[[32767, 32767, -32768, -32767, 5, 6, 9]]], dtype=np.int16)
    assert block_mean(values, (1, 1, 2)).tolist() == [[[32767, -32768, 5]]]


def test_padding_is_not_drawn_as_something_dense(make_stack) -> None:
    stack = make_stack(count=4, rows=8, columns=8, pixels=lambda *_: np.full((8, 8), 50, np.int16))
    volume = as_volume(stack)
    stored = volume.stored.copy()
    stored[:, 0, :] = 3000
    voxels = voxels_of(ShownVolume(replace(volume, stored=stored, padding=3000)))
    assert voxels.values.max() == 50


# --- scalpel and state -----------------------------------------------------------------------------


def test_an_outline_is_filled_by_the_even_odd_rule() -> None:
    square = [(2.0, 1.0), (6.0, 1.0), (6.0, 4.0), (2.0, 4.0)]
    inside = inside_outline(square, 8, 6)
    expected = np.zeros((6, 8), dtype=bool)
    expected[1:4, 2:6] = True
    assert (inside == expected).all()
    beyond = inside_outline([(-5.0, -5.0), (3.0, -5.0), (3.0, 99.0), (-5.0, 99.0)], 8, 6)
    assert (beyond == (np.arange(8) < 3)).all()


def test_the_scalpel_cuts_through_the_whole_depth_what_is_seen(voxels) -> None:
    camera = camera_from(Direction.FRONT, voxels.corners(), SIZE)
    left_half = [(0.0, 0.0), (200.0, 0.0), (200.0, 300.0), (0.0, 300.0)]
    inside = cut(voxels, camera, left_half, SIZE, inside=True, crop=Crop(), clip=None)
    columns = inside.any(axis=(0, 1))
    # from the front the patient's right, the low columns, is at the left
    assert columns.tolist() == [True] * 20 + [False] * 20
    assert inside[:, :, :20].all()
    outside = cut(voxels, camera, left_half, SIZE, inside=False, crop=Crop(), clip=None)
    assert (outside == ~inside).all()
    upper = Crop(low=(0.0, 0.0, 0.5))
    assert not cut(voxels, camera, left_half, SIZE, inside=True, crop=upper, clip=None)[:10].any()
    behind = cut(voxels, camera, left_half, SIZE, inside=True, crop=Crop(), clip=0.0)
    assert behind.any(axis=(0, 2)).tolist() == [False] * 15 + [True] * 15


def test_what_was_cut_comes_back_step_by_step(voxels) -> None:
    model = model_of(voxels)
    first = np.zeros(voxels.values.shape, dtype=bool)
    first[3, 4, 5] = True
    second = first.copy()
    second[6] = True
    model.keep_removed(Removal.SCALPEL, Removed.of(first))
    model.keep_removed(Removal.BONE, Removed.of(second))
    assert (model.removed().mask() == second).all()
    assert model.undo() is Removal.BONE
    assert (model.removed().mask() == first).all()
    assert model.undo() is Removal.SCALPEL
    assert model.removed() is None
    assert model.undo() is None


def test_reset_leads_back_to_the_front(voxels) -> None:
    model = model_of(voxels)
    model.drag(Hand.ROTATE, (10, 10), (10, 10), (90, 40))
    model.drag(Hand.WINDOW, (10, 10), (10, 10), (90, 40))
    model.zoom(2.0)
    model.crop = model.crop.moved(0, False, 0.4)
    model.set_clip_share(0.25)
    assert model.clip_share() == pytest.approx(0.25)
    model.reset()
    fresh = model_of(voxels)
    assert model.direction is Direction.FRONT
    assert np.allclose(model.camera.axes, fresh.camera.axes)
    assert model.camera.height == pytest.approx(fresh.camera.height)
    assert (model.look, model.crop, model.clip) == (fresh.look, Crop(), None)


def test_a_crop_box_never_closes() -> None:
    box = Crop().moved(2, True, -3.0).moved(2, False, 9.0)
    assert 0.0 <= box.low[2] < box.high[2] <= 1.0


# --- what the machine can do -----------------------------------------------------------------------


def answer(renderer: str, *, drawn: bool = True) -> str:
    about = f"OpenGL vendor string:  X\nOpenGL renderer string:  {renderer}\n"
    return f"driver says hello\n{MARK}{json.dumps({'drawn': drawn, 'about': about})}\n"


@pytest.mark.parametrize(
    ("status", "output", "errors", "engine", "words"),
    [
        (0, answer("llvmpipe (LLVM 15.0.6, 256 bits)"), "", Engine.PROCESSOR, ""),
        (0, answer("ANGLE (Google, SwiftShader Device)"), "", Engine.PROCESSOR, ""),
        (0, answer("NVIDIA H200/PCIe/SSE2"), "", Engine.GPU, ""),
        (0, answer("llvmpipe", drawn=False), "", Engine.NONE, "picture was empty"),
        (-11, "", "", Engine.NONE, "ended by a signal"),
        (1, "", "ModuleNotFoundError: No module named 'vtkmodules'", Engine.NONE, "VTK library"),
        (1, "", "TimeoutExpired", Engine.NONE, "no picture"),
    ],
)
def test_the_probe_is_judged(status, output, errors, engine, words) -> None:
    found = read_answer("vtkEGLRenderWindow", status, output, errors)
    assert found.engine is engine
    assert words in found.refusal()
    assert bool(found.refusal()) == (engine is Engine.NONE)
    # each part is a whole sentence of the program, so that it can be translated
    told: list[str] = []
    found.refusal(lambda sentence: told.append(sentence) or "{what}")
    assert told == [found.reason, found.what] and "{" not in found.what


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have one kind only")
def test_a_second_kind_of_window_is_tried_when_the_first_crashes() -> None:
    tried = []

    def run(environment):
        tried.append(environment["VTK_DEFAULT_OPENGL_WINDOW"])
        return (-11, "", "") if len(tried) == 1 else (0, answer("llvmpipe"), "")

    found = find_capability(run)
    assert found.engine is Engine.PROCESSOR
    assert found.window == tried[1] == "vtkOSOpenGLRenderWindow"


def test_nothing_of_vtk_or_scipy_is_imported_before_it_is_used() -> None:
    code = (
        "import sys, viewer.views.rendering.workspace; "
        "assert not {'vtkmodules', 'vtk', 'scipy'} & {name.split('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

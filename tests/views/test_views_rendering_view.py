"""The 3D view and its workspace under mouse and keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QPainter, QWheelEvent, qGray
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from viewer.acts import Tool
from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.regions import Region, Shape
from viewer.imaging.resample import ShownVolume
from viewer.imaging.volume import as_volume
from viewer.views import mouse
from viewer.views.outlined_text import draw_outlined
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.rendering import overlay
from viewer.views.rendering.camera import Direction
from viewer.views.rendering.capability import Capability, Engine, capability
from viewer.views.rendering.model import Hand, Removal, VolumeModel
from viewer.views.rendering.presets import Mode
from viewer.views.rendering.render_thread import RenderThread
from viewer.views.rendering.view import VolumeView
from viewer.views.rendering.voxels import voxels_of
from viewer.views.rendering.workspace import VolumeWorkspace
from viewer.views.theme import Theme

PATIENCE = 60_000
BONE, TISSUE, AIR = 900, 40, -1000


def bone_slice(frame: int, rows: int, columns: int) -> np.ndarray:
    """A bone and a softer rod in a round body."""
    row, column = np.mgrid[:rows, :columns]
    values = np.full((rows, columns), AIR, dtype=np.int16)
    values[np.hypot(row - rows / 2, column - columns / 2) < 0.45 * rows] = TISSUE
    values[np.hypot(row - rows / 2, column - columns / 3) < 8] = BONE
    values[np.hypot(row - rows / 2, column - 2 * columns / 3) < 6] = 350
    return values


@pytest.fixture
def rendered_stack(make_stack):
    if capability().engine is Engine.NONE:
        pytest.skip(capability().refusal())
    return make_stack(count=40, rows=64, columns=64, between=1.0, pixels=bone_slice)


@pytest.fixture
def view(qtbot, rendered_stack, make_study):
    made = VolumeView()
    qtbot.addWidget(made)
    made.resize(420, 420)
    made.show()
    made.show_volume(ShownVolume(as_volume(rendered_stack)), make_study(rendered_stack.series))
    qtbot.waitUntil(made.is_current, timeout=PATIENCE)
    yield made
    thread = made.rendering()
    made.clear()
    assert thread is None or thread.wait(30)


def pixels(view: VolumeView) -> np.ndarray:
    found: np.ndarray = view.picture().pixels[..., :3].astype(int)
    return found


def drag(
    view: VolumeView,
    start: QPoint,
    end: QPoint,
    button=Qt.MouseButton.LeftButton,
    keys=Qt.KeyboardModifier.NoModifier,
) -> None:
    QTest.mousePress(view, button, keys, start)
    for step in (1, 2, 3, 4):
        QTest.mouseMove(view, start + (end - start) * step / 4)
    QTest.mouseRelease(view, button, keys, end)


def wheel(view: VolumeView, point: QPointF) -> None:
    event = QWheelEvent(
        point, view.mapToGlobal(point), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


def test_a_volume_is_shown_from_the_front_and_turns_under_the_hand(qtbot, view) -> None:
    assert view.model.direction is Direction.FRONT
    assert pixels(view).max() > 100
    before = view.model.camera
    drag(view, QPoint(200, 200), QPoint(305, 200))
    turned = view.model.camera
    assert turned.letters().right.startswith("LA") or turned.letters().right.startswith("AL")
    assert view.model.direction is None
    qtbot.waitUntil(view.is_current, timeout=PATIENCE)
    assert view.picture().scene.camera is turned
    drag(view, QPoint(200, 200), QPoint(230, 220), Qt.MouseButton.MiddleButton)
    assert view.model.camera.project(turned.centre, view.model.size)[0, :2] == pytest.approx((240, 230))
    drag(view, QPoint(200, 200), QPoint(200, 150), Qt.MouseButton.RightButton)
    assert view.model.camera.height < turned.height
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert np.allclose(view.model.camera.axes, before.axes)
    drag(view, QPoint(210, 60), QPoint(360, 210), keys=Qt.KeyboardModifier.ShiftModifier)
    assert view.model.camera.letters().right == "H"


def test_the_wheel_zooms_about_the_pointer(view) -> None:
    place = view.model.camera.place((100.0, 120.0), view.model.size)
    wheel(view, QPointF(100, 120))
    assert view.model.camera.project(place, view.model.size)[0, :2] == pytest.approx((100, 120))


def test_every_picture_says_that_it_is_not_for_measuring(view) -> None:
    words = overlay.words(view.model, None, tall=True)
    assert words.bottom_right == ("Not for measuring",)
    assert "3D  CT bone" in (*words.top_left, *words.top_right)


def test_a_badge_says_what_was_done_to_the_volume(make_stack) -> None:
    stack = make_stack(count=20, rows=64, columns=64, between=1.0, pixels=bone_slice)
    volume = as_volume(stack)
    model = VolumeModel()
    model.show(voxels_of(ShownVolume(volume)))
    assert overlay.words(model, None, tall=True).badge == ""
    model.show(voxels_of(ShownVolume(volume, "Resampled. Tilted."), limit=200_000))
    assert overlay.words(model, None, tall=True).badge == "resampled  \u00b7  shown at half resolution"


def test_acts_choose_side_preset_and_projection(qtbot, view) -> None:
    for direction in Direction:
        assert view.do(f"rendering.from.{direction}")
        assert view.model.direction is direction
    assert view.do("rendering.preset.ct_skin")
    assert view.model.look.preset.name == "ct_skin"
    assert not view.do("rendering.preset.pet_mip")
    assert view.do("rendering.mip")
    assert view.model.look.mode is Mode.MIP
    view.set_tool(Tool.WINDOW)
    before = view.model.look
    drag(view, QPoint(200, 200), QPoint(260, 230))
    assert view.model.look.stretch > before.stretch
    assert view.model.look.shift > before.shift
    assert not view.do("viewport.next")


def test_bone_goes_in_the_background_and_undo_brings_it_back(qtbot, view) -> None:
    whole = pixels(view)
    assert view.why_not("rendering.undo")
    assert view.do("rendering.bone")
    qtbot.waitUntil(lambda: view.model.removals() == (Removal.BONE,), timeout=PATIENCE)
    qtbot.waitUntil(view.is_current, timeout=PATIENCE)
    left, right = pixels(view)[:, :210], pixels(view)[:, 210:]
    assert left.max() < 30
    assert right.max() > 100
    assert "bone removed (automatic)" in overlay.words(view.model, None, tall=True).bottom_left
    assert view.do("rendering.undo")
    qtbot.waitUntil(view.is_current, timeout=PATIENCE)
    assert np.abs(pixels(view) - whole).max() <= 2


def test_a_click_takes_a_part_away_and_with_shift_brings_it_back(qtbot, view) -> None:
    assert view.do("rendering.hand.pick")
    rod = QPoint(282, 210)
    assert pixels(view)[rod.y(), rod.x()].max() > 60
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=rod)
    qtbot.waitUntil(lambda: view.model.removals() == (Removal.PART,), timeout=PATIENCE)
    qtbot.waitUntil(view.is_current, timeout=PATIENCE)
    assert pixels(view)[rod.y(), rod.x()].max() < 30
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, rod)
    qtbot.waitUntil(lambda: len(view.model.removals()) == 2, timeout=PATIENCE)
    qtbot.waitUntil(view.is_current, timeout=PATIENCE)
    assert pixels(view)[rod.y(), rod.x()].max() > 60


def test_the_scalpel_cuts_what_is_outlined(qtbot, view) -> None:
    assert view.do("rendering.hand.cut_inside")
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(60, 20))
    for corner in (QPoint(200, 20), QPoint(200, 400), QPoint(60, 400)):
        QTest.mouseMove(view, corner)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(60, 400))
    qtbot.waitUntil(lambda: view.model.removals() == (Removal.SCALPEL,), timeout=PATIENCE)
    qtbot.waitUntil(view.is_current, timeout=PATIENCE)
    assert pixels(view)[:, 70:190].max() < 30
    assert pixels(view)[:, 215:].max() > 100
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.model.hand is Hand.ROTATE


def test_a_handle_of_the_crop_box_follows_the_hand(qtbot, view) -> None:
    assert view.do("rendering.crop")
    x, y = overlay.crop_handles(view.model, view.model.camera)[overlay.FACES.index((0, False))]
    start = QPoint(round(x), round(y))
    drag(view, start, start + QPoint(200, 0))
    assert view.model.crop.low[0] == pytest.approx(0.5, abs=0.05)
    qtbot.waitUntil(view.is_current, timeout=PATIENCE)
    assert pixels(view)[:, : start.x() + 180].max() < 30
    assert pixels(view)[:, start.x() + 200 :].max() > 100


def test_the_tools_and_the_mouse_are_those_of_the_images(view, monkeypatch) -> None:
    monkeypatch.setattr(mouse.MOUSE, "_own", dict(mouse.MOUSE._own))
    before = view.model.camera
    assert not view.do("viewport.tool.pan")  # the tool bar shows it
    drag(view, QPoint(200, 200), QPoint(230, 220))
    panned = view.model.camera
    assert np.allclose(panned.axes, before.axes) and not np.allclose(panned.centre, before.centre)
    view.set_tool(Tool.LENGTH)
    drag(view, QPoint(200, 200), QPoint(230, 220))
    assert not np.allclose(view.model.camera.axes, before.axes)
    mouse.MOUSE.change({"Right": Tool.WINDOW, "Wheel": mouse.WheelStep.NOTHING})
    look, height = view.model.look, view.model.camera.height
    drag(view, QPoint(200, 200), QPoint(260, 230), Qt.MouseButton.RightButton)
    assert view.model.look.stretch > look.stretch
    wheel(view, QPointF(100, 120))
    assert view.model.camera.height == height
    # a cut is put down for the tool that was chosen before
    view.set_tool(Tool.ZOOM)
    assert view.do("rendering.hand.cut_inside")
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.model.hand is Hand.ZOOM


def test_arrows_turn_the_volume_and_digits_choose_presets(view) -> None:
    before = view.model.camera
    QTest.keyClick(view, Qt.Key.Key_Right)
    turned = view.model.camera
    assert np.degrees(np.arccos(before.depth @ turned.depth)) == pytest.approx(5.0)
    # what lay in front has moved to the right
    assert turned.axes[0] @ before.depth < 0
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert np.allclose(view.model.camera.axes, before.axes)
    QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert np.degrees(np.arccos(before.depth @ view.model.camera.depth)) == pytest.approx(30.0)
    assert view.do("rendering.turn.down") and view.model.direction is None
    QTest.keyClick(view, Qt.Key.Key_2)
    assert view.model.look.preset is view.model.presets()[1]
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert np.allclose(view.model.camera.axes, before.axes)


def test_selected_evidence_is_a_surface_that_is_pointed_at_and_clicked(
    qtbot, rendered_stack, make_study, hover
) -> None:
    workspace = VolumeWorkspace(Theme())
    qtbot.addWidget(workspace)
    workspace.resize(420, 460)
    workspace.show()
    view, opened = workspace.view, _Opened()
    workspace.open(rendered_stack, make_study(rendered_stack.series), opened, None)
    mask = np.zeros((40, 64, 64), dtype=bool)
    mask[10:30, 4:14, 30:40] = True
    uid = rendered_stack.series.series_instance_uid
    region = Region(shape=Shape.MASK, series_instance_uid=uid, mask_sha256="m")
    workspace.set_overlay(Overlay((ViewRegion("E7", (region,)),), {"m": mask}))
    qtbot.waitUntil(view.is_current, timeout=PATIENCE)
    bare = pixels(view)
    workspace.select_regions(frozenset({"E7"}))
    qtbot.waitUntil(lambda: bool(view.evidence.placed), timeout=PATIENCE)
    qtbot.waitUntil(lambda: view.is_current() and (pixels(view) != bare).any(), timeout=PATIENCE)
    changed = np.abs(pixels(view) - bare).max(axis=2) > 20
    rows, columns = np.nonzero(changed)
    x, y, _ = view.model.camera.project(view.evidence.placed[0].middle, view.model.size)[0]
    assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=12)
    with qtbot.waitSignal(workspace.regionHovered) as told:
        hover(view, (x, y))
    assert told.args == ["E7"]
    with qtbot.waitSignal(workspace.regionClicked) as told:
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    assert told.args == ["E7"]
    with qtbot.assertNotEmitted(workspace.regionClicked):
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
        drag(view, QPoint(round(x), round(y)), QPoint(round(x) + 20, round(y)))
    assert workspace.show_region(region)
    assert not workspace.show_region(region.model_copy(update={"series_instance_uid": "9"}))
    workspace.select_regions(frozenset())
    assert not view.evidence.placed
    thread = view.rendering()
    workspace.close()
    assert thread.wait(30) and not view.evidence.placed


def test_words_on_a_white_ground_are_dark_with_a_light_outline(qtbot) -> None:
    picture = QImage(120, 40, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.white)
    painter = QPainter(picture)
    theme = Theme().on_white()
    draw_outlined(painter, (4, 4), "PET 12", theme.font("corner"), theme.colour("corner"))
    painter.end()
    grey = [qGray(picture.pixel(x, y)) for x in range(120) for y in range(40)]
    assert min(grey) < 70
    # nothing is outlined in black: all but a few pixels of the ink are white
    assert sum(value < 128 for value in grey) < sum(value > 250 for value in grey) / 8


def test_masks_are_shown_as_surfaces(qtbot, view) -> None:
    mask = np.zeros((40, 64, 64), dtype=bool)
    mask[10:30, 4:14, 30:40] = True
    view.set_masks([(mask, (0.1, 0.2, 1.0), 1.0, "a part")])
    thread = view.rendering()
    with qtbot.waitSignal(thread.idle, timeout=PATIENCE):
        view.do("viewport.zoom_in")
    qtbot.waitUntil(view.is_current, timeout=PATIENCE)
    found = pixels(view)
    assert ((found[..., 2] > found[..., 0] + 60) & (found[..., 2] > 90)).sum() > 500


def test_a_series_that_is_no_volume_and_a_machine_without_opengl_are_told_in_words(
    qtbot, monkeypatch
) -> None:
    view = VolumeView()
    qtbot.addWidget(view)
    verdict = GeometryVerdict(kind=VerdictKind.NOT_A_VOLUME, reason="These images are no volume.")
    view.show_made(lambda: verdict)
    qtbot.waitUntil(lambda: bool(view.refusal), timeout=PATIENCE)
    assert view.refusal in (verdict.reason, capability().refusal())
    lacking = Capability(Engine.NONE, reason="3D cannot be shown on this machine.")
    thread = RenderThread(lambda: lacking)
    with qtbot.waitSignal(thread.refused, timeout=PATIENCE) as told:
        thread.start(lambda: verdict)
    assert told.args == [lacking.reason]
    assert thread.wait(10)


class _Buffer:
    """Counts the leases of a series' memory."""

    def __init__(self) -> None:
        self.leases = 0

    def lease(self) -> int:
        self.leases += 1
        return 0

    def unlease(self) -> None:
        self.leases -= 1


class _Opened:
    def __init__(self) -> None:
        self.buffer = _Buffer()


def test_the_workspace_holds_its_series_until_it_is_closed(qtbot, rendered_stack, make_study) -> None:
    workspace = VolumeWorkspace(Theme())
    qtbot.addWidget(workspace)
    workspace.resize(900, 500)
    workspace.show()
    opened = _Opened()
    workspace.open(rendered_stack, make_study(rendered_stack.series), opened, None)
    qtbot.waitUntil(workspace.view.is_current, timeout=PATIENCE)
    assert opened.buffer.leases == 1
    QTest.mouseClick(workspace.bar.mip, Qt.MouseButton.LeftButton)
    assert workspace.view.model.look.mode is Mode.MIP
    workspace.bar.clip.setValue(100)
    assert workspace.view.model.clip == pytest.approx(0.0)
    with qtbot.waitSignal(workspace.leaveWanted):
        QTest.keyClick(workspace.view, Qt.Key.Key_Escape)
    thread = workspace.view.rendering()
    workspace.close()
    assert thread.wait(30)
    assert opened.buffer.leases == 0
    assert workspace.view.picture() is None
    assert not workspace.do("rendering.mip")

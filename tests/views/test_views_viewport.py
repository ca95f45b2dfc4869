"""The viewport driven by mouse, wheel and keys, and what it paints, pixel for pixel."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from viewer.acts import Tool
from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.regions import Region, Shape
from viewer.imaging.render import render_frame
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.theme import Theme
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_state import ViewportState, at_scale

pytestmark = pytest.mark.gui

StackMaker = Callable[..., ImageStack]
KEY = Qt.Key
LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
POSITIONS = list(itertools.product(range(4), (False, True)))


@pytest.fixture
def viewport(qtbot, stack: ImageStack, study: Study) -> ImageViewport:  # type: ignore[no-untyped-def]
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(480, 420)
    widget.show_stack(stack, study, index=4)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.setFocus()
    return widget


def grey_of(image: QImage) -> np.ndarray:
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return rows[:, : grey.width()].copy()


def colours_of(image: QImage) -> set[str]:
    shown = image.convertToFormat(QImage.Format.Format_RGB32)
    values = np.frombuffer(shown.constBits(), np.uint32).reshape(shown.height(), -1)
    return {QColor.fromRgba(int(value)).name() for value in np.unique(values)}


def wheel(widget: ImageViewport, angle: int, modifiers=Qt.KeyboardModifier.NoModifier) -> None:  # type: ignore[no-untyped-def]
    event = QWheelEvent(
        QPointF(100, 90),
        widget.mapToGlobal(QPointF(100, 90)),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def drag(qtbot, widget, button, start: QPoint, end: QPoint) -> None:  # type: ignore[no-untyped-def]
    qtbot.mousePress(widget, button, pos=start)
    qtbot.mouseMove(widget, pos=(start + end) / 2)
    qtbot.mouseMove(widget, pos=end)
    qtbot.mouseRelease(widget, button, pos=end)


def at(viewport: ImageViewport, column: float, row: float) -> QPoint:
    x, y = viewport.model.to_widget((column, row))
    return QPoint(round(x), round(y))


# --- pixels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
@pytest.mark.parametrize("inverted", [False, True])
def test_grey_at_one_to_one_is_exactly_the_pipeline(
    qtbot, viewport: ImageViewport, turns: int, mirrored: bool, inverted: bool
) -> None:  # type: ignore[no-untyped-def]
    model = viewport.model
    window = WindowPreset(center=-120, width=900)
    state = ViewportState(
        index=3, window=window, quarter_turns=turns, mirrored=mirrored, inverted=inverted
    )
    viewport.set_corner_text(False)
    viewport.set_state(at_scale(state, model.image_size(), *model.size, scale=1.0))
    assert model.stack is not None
    expected = np.rot90(render_frame(model.stack, 3, window, inverted=inverted), -turns)
    expected = expected[:, ::-1] if mirrored else expected
    painted = grey_of(viewport.grab().toImage())
    inside = np.zeros(painted.shape, dtype=bool)
    corners = np.array([model.to_widget((-0.5, -0.5)), model.to_widget((95.5, 63.5))])
    (left, top), (right, bottom) = corners.min(axis=0).astype(int), corners.max(axis=0).astype(int)
    inside[top:bottom, left:right] = True
    np.testing.assert_array_equal(painted[top:bottom, left:right], expected)
    assert painted[~inside].max() == 0


def test_colour_is_shown_as_it_is(qtbot, make_stack: StackMaker) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(1)
    colour = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    stack = make_stack(
        count=1,
        rows=40,
        columns=50,
        axes=None,
        modality="US",
        pixels=lambda *_: colour,
        calibrated=False,
    )
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(50, 40)
    widget.set_corner_text(False)
    widget.show_stack(stack)
    shown = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(shown.constBits(), np.uint8).reshape(40, shown.bytesPerLine())[:, :150]
    np.testing.assert_array_equal(rows.reshape(40, 50, 3), colour)
    assert widget.model.window() is None


def test_corner_text_identifies_the_patient_and_can_be_hidden(viewport: ImageViewport) -> None:
    with_text = grey_of(viewport.grab().toImage())
    viewport.set_corner_text(False)
    without = grey_of(viewport.grab().toImage())
    assert np.abs(with_text[:60, :160].astype(int) - without[:60, :160]).max() > 100


def test_only_the_active_viewport_has_a_frame(viewport: ImageViewport) -> None:
    frame = Theme().colour("viewport-frame").name()
    viewport.set_corner_text(False)
    viewport.set_active(False)
    assert frame not in colours_of(viewport.grab().toImage().copy(0, 0, 480, 1))
    viewport.set_active(True)
    assert colours_of(viewport.grab().toImage().copy(0, 0, 480, 1)) == {frame}


def test_a_bad_geometry_is_named_in_a_badge(qtbot, make_stack: StackMaker) -> None:  # type: ignore[no-untyped-def]
    tilted = make_stack(
        verdict=GeometryVerdict(kind=VerdictKind.TILTED, reason="tilted", tilt_degrees=18.5)
    )
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(480, 420)
    widget.show_stack(tilted)
    assert "Tilt 18.5°" in widget.accessibleName()
    assert Theme().colour("warning").name() in colours_of(widget.grab().toImage())


# --- images that have not arrived ------------------------------------------------------------------


def test_the_nearest_arrived_image_stands_in_until_the_wanted_one_comes(
    qtbot, stack: ImageStack
) -> None:  # type: ignore[no-untyped-def]
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(96, 64)
    widget.set_corner_text(False)
    widget.show_stack(stack, arrived=[], index=4)
    assert widget.model.shown_index() is None
    assert grey_of(widget.grab().toImage()).max() == 0
    widget.frames_arrived([6, 7])
    assert widget.model.shown_index() == 6
    np.testing.assert_array_equal(grey_of(widget.grab().toImage())[:60], render_frame(stack, 6)[:60])
    widget.frames_arrived([4])
    np.testing.assert_array_equal(grey_of(widget.grab().toImage())[:60], render_frame(stack, 4)[:60])
    widget.frames_arrived(range(9))
    assert widget.model.arrived_share == 1.0


def test_no_region_is_drawn_on_an_image_that_stands_in(viewport: ImageViewport) -> None:
    region = Region(
        shape=Shape.BOX,
        series_instance_uid="1.2.3",
        sop_instance_uid="1.2.3.5",
        points=((20, 20), (40, 40)),
    )
    viewport.set_overlay(Overlay((ViewRegion("E3", (region,)),)))
    viewport.set_selected(frozenset({"E3"}))
    assert len(viewport.model.drawn_outlines()) == 1
    viewport.show_stack(viewport.stack(), arrived=[3], index=4)
    assert viewport.model.drawn_outlines() == []


def test_a_complete_stack_without_a_bad_frame_keeps_the_image_in_view(
    viewport: ImageViewport, stack: ImageStack
) -> None:
    kept = [0, 1, 3, 4, 5, 6, 7, 8]
    shorter = ImageStack(stack.series, stack.stored[kept], tuple(stack.frames[i] for i in kept))
    viewport.do("viewport.flip_horizontal")
    viewport.complete_stack(shorter)
    assert shorter.frames[viewport.shown_frame()] == stack.frames[4]
    assert viewport.model.state.mirrored


# --- wheel, drags, keys ----------------------------------------------------------------------------


def test_the_wheel_scrolls_and_small_steps_add_up(viewport: ImageViewport) -> None:
    wheel(viewport, -120)
    assert viewport.shown_frame() == 3
    for _ in range(4):
        wheel(viewport, 30)
    assert viewport.shown_frame() == 4
    wheel(viewport, -120 * 40)
    assert viewport.shown_frame() == 0


def test_ctrl_wheel_zooms_about_the_pointer(viewport: ImageViewport) -> None:
    before = viewport.model.to_image((100, 90))
    wheel(viewport, 240, Qt.KeyboardModifier.ControlModifier)
    assert viewport.model.state.magnification > 1.2
    assert viewport.shown_frame() == 4
    np.testing.assert_allclose(viewport.model.to_image((100, 90)), before, atol=0.3)


@pytest.mark.parametrize(
    ("tool", "button", "changed"),
    [
        (Tool.SCROLL, LEFT, "index"),
        (Tool.WINDOW, LEFT, "window"),
        (Tool.ZOOM, LEFT, "magnification"),
        (Tool.PAN, LEFT, "centre"),
        (Tool.WINDOW, MIDDLE, "centre"),
        (Tool.SCROLL, RIGHT, "magnification"),
        (Tool.ELLIPSE, MIDDLE, "centre"),
    ],
)
def test_each_button_does_its_tool_and_nothing_else(
    qtbot, viewport: ImageViewport, tool: Tool, button: Qt.MouseButton, changed: str
) -> None:  # type: ignore[no-untyped-def]
    viewport.set_tool(tool)
    before = viewport.model.state
    drag(qtbot, viewport, button, QPoint(200, 150), QPoint(230, 190))
    after = viewport.model.state
    different = {name for name in vars(before) if getattr(before, name) != getattr(after, name)}
    allowed = {"magnification", "centre"} if changed == "magnification" else {changed}
    assert changed in different <= allowed


def test_dragging_right_widens_the_window(qtbot, viewport: ImageViewport) -> None:  # type: ignore[no-untyped-def]
    viewport.set_tool(Tool.WINDOW)
    drag(qtbot, viewport, LEFT, QPoint(100, 100), QPoint(160, 100))
    window = viewport.model.window()
    assert window is not None
    assert (window.width, window.center) == (480.0, 40.0)


@pytest.mark.parametrize(
    ("key", "modifiers", "index"),
    [
        (KEY.Key_Down, Qt.KeyboardModifier.NoModifier, 3),
        (KEY.Key_Up, Qt.KeyboardModifier.NoModifier, 5),
        (KEY.Key_Home, Qt.KeyboardModifier.NoModifier, 8),
        (KEY.Key_End, Qt.KeyboardModifier.NoModifier, 0),
        (KEY.Key_Down, Qt.KeyboardModifier.ShiftModifier, 0),
        (KEY.Key_Up, Qt.KeyboardModifier.ShiftModifier, 8),
        (KEY.Key_Down, Qt.KeyboardModifier.KeypadModifier, 3),
    ],
)
def test_keys_move_through_the_stack(qtbot, viewport, key, modifiers, index) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(viewport, key, modifiers)
    assert viewport.shown_frame() == index


def test_display_keys_and_reset(qtbot, viewport: ImageViewport) -> None:  # type: ignore[no-untyped-def]
    for key in (KEY.Key_I, KEY.Key_H, KEY.Key_V, KEY.Key_R, KEY.Key_Plus, KEY.Key_2):
        qtbot.keyClick(viewport, key)
    state = viewport.model.state
    # flips cancel to a half turn, and a turn to the right adds one quarter
    assert (state.inverted, state.mirrored, state.quarter_turns) == (True, False, 3)
    assert state.magnification > 1
    assert state.window is not None and state.window.explanation == "Lung"
    qtbot.keyClick(viewport, KEY.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert viewport.model.state.quarter_turns == 2
    qtbot.keyClick(viewport, KEY.Key_Space)
    assert viewport.model.state == ViewportState(index=4)


def test_acts_of_the_whole_window_are_asked_for(qtbot, viewport: ImageViewport) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitSignal(viewport.actRequested) as asked:
        qtbot.keyClick(viewport, KEY.Key_PageDown)
    assert asked.args == ["viewport.next_series"]
    with qtbot.waitSignal(viewport.actRequested) as asked:
        qtbot.mouseDClick(viewport, LEFT, pos=QPoint(50, 50))
    assert asked.args == ["viewport.maximise"]


def test_an_empty_viewport_takes_every_gesture(qtbot) -> None:  # type: ignore[no-untyped-def]
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(200, 200)
    widget.show()
    for key in (KEY.Key_Down, KEY.Key_I, KEY.Key_1, KEY.Key_0, KEY.Key_Space, KEY.Key_End):
        qtbot.keyClick(widget, key)
    wheel(widget, -120)
    drag(qtbot, widget, LEFT, QPoint(10, 10), QPoint(90, 90))
    assert widget.model.state == ViewportState()
    assert grey_of(widget.grab().toImage()).max() == 0
    assert widget.accessibleName() == "empty viewport"


# --- regions ---------------------------------------------------------------------------------------


@pytest.fixture
def with_regions(viewport: ImageViewport, stack: ImageStack) -> ImageViewport:
    mask = np.zeros(stack.stored.shape, dtype=bool)
    mask[6, 10:30, 60:90] = True

    def region(shape: Shape, *points: tuple[float, float]) -> Region:
        return Region(
            shape=shape, series_instance_uid="1.2.3", sop_instance_uid="1.2.3.5", points=points
        )

    lung = Region(shape=Shape.MASK, series_instance_uid="1.2.3", mask_sha256="m")
    viewport.set_overlay(
        Overlay(
            (
                ViewRegion("E3", (region(Shape.BOX, (20, 20), (50, 50)),)),
                ViewRegion("E4", (region(Shape.ELLIPSE, (30, 35), (40, 35), (35, 32), (35, 38)),)),
                ViewRegion("E6", (lung,)),
            ),
            {"m": mask},
        )
    )
    return viewport


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
def test_a_click_on_a_region_names_its_evidence(
    qtbot, with_regions: ImageViewport, turns: int, mirrored: bool
) -> None:  # type: ignore[no-untyped-def]
    widget = with_regions
    widget.set_state(ViewportState(index=4, quarter_turns=turns, mirrored=mirrored, magnification=1.3))
    for column, row, expected in ((35, 35, "E4"), (24, 24, "E3")):
        with qtbot.waitSignal(widget.regionClicked) as clicked:
            qtbot.mouseClick(widget, LEFT, pos=at(widget, column, row))
        assert clicked.args == [expected]
    with qtbot.assertNotEmitted(widget.regionClicked):
        qtbot.mouseClick(widget, LEFT, pos=at(widget, 70, 40))


def test_a_large_mask_that_is_not_drawn_lets_the_reader_click_into_the_image(
    qtbot, with_regions: ImageViewport
) -> None:  # type: ignore[no-untyped-def]
    widget = with_regions
    widget.set_state(ViewportState(index=6))
    inside = at(widget, 75, 20)
    with qtbot.assertNotEmitted(widget.regionClicked):
        qtbot.mouseClick(widget, LEFT, pos=inside)
    with qtbot.waitSignal(widget.regionClicked):
        qtbot.mouseClick(widget, LEFT, pos=at(widget, 60, 20))
    widget.set_selected(frozenset({"E6"}))
    with qtbot.waitSignal(widget.regionClicked) as clicked:
        qtbot.mouseClick(widget, LEFT, pos=inside)
    assert clicked.args == ["E6"]


def test_a_drag_over_a_region_is_no_click(qtbot, with_regions: ImageViewport) -> None:  # type: ignore[no-untyped-def]
    with qtbot.assertNotEmitted(with_regions.regionClicked):
        drag(qtbot, with_regions, LEFT, at(with_regions, 30, 30), at(with_regions, 40, 40))


def test_hovering_lights_the_region_and_says_so(qtbot, with_regions: ImageViewport) -> None:  # type: ignore[no-untyped-def]
    widget = with_regions
    evidence = Theme().colour("evidence").name()
    assert evidence not in colours_of(widget.grab().toImage())
    with qtbot.waitSignal(widget.regionHovered) as hovered:
        qtbot.mouseMove(widget, pos=at(widget, 24, 24))
    assert hovered.args == ["E3"]
    assert evidence in colours_of(widget.grab().toImage())
    with qtbot.waitSignal(widget.regionHovered) as hovered:
        qtbot.mouseMove(widget, pos=at(widget, 70, 40))
    assert hovered.args == [""]


def test_a_selected_region_is_outlined_where_it_lies(with_regions: ImageViewport) -> None:
    widget = with_regions
    widget.set_corner_text(False)
    widget.set_selected(frozenset({"E3"}))
    image = widget.grab().toImage()
    evidence = Theme().colour("evidence")
    for column, row in ((20, 35), (50, 35), (35, 20), (35, 50)):
        assert image.pixelColor(at(widget, column, row)) == evidence
    assert image.pixelColor(at(widget, 35, 28)) != evidence


def test_showing_a_region_goes_to_its_slice_and_window(with_regions: ImageViewport) -> None:
    widget = with_regions
    (mask,) = widget.model.overlay.regions[2].regions
    assert widget.show_region(mask, WindowPreset(center=-500, width=1500))
    assert widget.shown_frame() == 6
    window = widget.model.window()
    assert window is not None and window.center == -500
    elsewhere = mask.model_copy(update={"series_instance_uid": "9.9"})
    assert not widget.show_region(elsewhere)

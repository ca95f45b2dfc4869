"""Cine: the clock decides what is shown, and every way a reader stops it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from analytic_stack import CORONAL
from marks_driver import drag, only
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from viewer.acts import Arrangement, Tool
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.cine import frame_at, milliseconds_to_next
from viewer.views.grid import ViewportGrid
from viewer.views.marks.board import MarkBoard
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_paint import quiet_note

StackMaker = Callable[..., ImageStack]
KEY = Qt.Key


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "frame"),
    [(0.0, 4), (0.066, 4), (0.067, 5), (0.2, 7), (1.0, 1), (0.5, 2), (60.0, 4)],
)
def test_the_frame_depends_on_the_time_alone(seconds: float, frame: int) -> None:
    assert frame_at(4, 9, 15.0, seconds) == frame


@pytest.mark.parametrize(("seconds", "milliseconds"), [(0.0, 67), (0.06, 7), (0.1, 34), (7.0, 67)])
def test_it_wakes_when_the_next_frame_is_due(seconds: float, milliseconds: int) -> None:
    assert milliseconds_to_next(15.0, seconds) == milliseconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stack(make_stack: StackMaker) -> ImageStack:
    """Nine frames in the order in which they are read."""
    return make_stack(axes=CORONAL)


@pytest.fixture
def viewport(qtbot, stack: ImageStack, study: Study, clock: Clock) -> ImageViewport:  # type: ignore[no-untyped-def]
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.cine.clock = clock
    widget.resize(480, 420)
    widget.show_stack(stack, study, index=4)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.setFocus()
    return widget


def after(viewport: ImageViewport, clock: Clock, seconds: float) -> int:
    """Let time pass, wake the cine once, and return the frame shown."""
    clock.now += seconds
    viewport.cine.tick()
    return viewport.shown_frame()


@pytest.mark.gui
def test_c_plays_round_and_round_and_skips_what_was_missed(
    qtbot, viewport: ImageViewport, clock: Clock
) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(viewport, KEY.Key_C)
    assert viewport.cine.playing
    assert after(viewport, clock, 0.05) == 4
    assert after(viewport, clock, 0.02) == 5
    assert after(viewport, clock, 0.2) == 8
    assert after(viewport, clock, 0.07) == 0


@pytest.mark.gui
def test_it_runs_by_its_own_timer(qtbot, viewport: ImageViewport, clock: Clock) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(viewport, KEY.Key_C)
    clock.now += 0.14
    qtbot.waitUntil(lambda: viewport.shown_frame() == 6)


@pytest.mark.gui
def test_the_corner_says_that_it_plays(qtbot, viewport: ImageViewport) -> None:  # type: ignore[no-untyped-def]
    assert quiet_note(viewport.model) == ""
    still = viewport.grab().toImage()
    qtbot.keyClick(viewport, KEY.Key_C)
    assert quiet_note(viewport.model) == "cine 15 / s"
    assert viewport.grab().toImage() != still


@pytest.mark.gui
@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"display_rate": 30.0}, "cine 30 / s"),
        ({"frame_steps_ms": (40.0,)}, "cine 25 / s"),
        ({"frame_steps_ms": (0.0, *[33.37] * 8)}, "cine 30 / s"),
        ({"display_rate": 1e9}, "cine 120 / s"),
        ({}, "cine 15 / s"),
    ],
)
def test_the_rate_is_that_of_the_header(
    viewport: ImageViewport,
    make_stack: StackMaker,
    clock: Clock,
    facts: dict[str, object],
    words: str,
) -> None:
    one = make_stack(count=9, axes=None, modality="US")
    loop = one.series.instances[0].model_copy(update={"number_of_frames": 9, **facts})
    series = one.series.model_copy(update={"instances": (loop,)})
    frames = tuple((0, number) for number in range(1, 10))
    viewport.show_stack(ImageStack(series, one.stored, frames), index=0)
    assert viewport.do("viewport.cine")
    assert quiet_note(viewport.model) == words
    rate = float(words.split()[1])
    assert after(viewport, clock, 2.5 / rate) == 2


def turn_wheel(widget: ImageViewport, modifiers: Qt.KeyboardModifier) -> None:
    event = QWheelEvent(
        QPointF(100, 90),
        widget.mapToGlobal(QPointF(100, 90)),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


@pytest.mark.gui
@pytest.mark.parametrize("key", [KEY.Key_C, KEY.Key_Escape, KEY.Key_Home, KEY.Key_Up])
def test_a_key_stops_it_and_it_stays_stopped(
    qtbot, viewport: ImageViewport, clock: Clock, key: Qt.Key
) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(viewport, KEY.Key_C)
    after(viewport, clock, 0.14)
    qtbot.keyClick(viewport, key)
    stopped = viewport.shown_frame()
    assert not viewport.cine.playing
    assert stopped == {KEY.Key_Home: 0, KEY.Key_Up: 5}.get(key, 6)
    assert after(viewport, clock, 1.0) == stopped


@pytest.mark.gui
def test_the_wheel_stops_it_and_zooming_does_not(qtbot, viewport: ImageViewport, clock: Clock) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(viewport, KEY.Key_C)
    turn_wheel(viewport, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(viewport, KEY.Key_I)
    assert viewport.cine.playing
    turn_wheel(viewport, Qt.KeyboardModifier.NoModifier)
    assert not viewport.cine.playing
    assert viewport.shown_frame() == 5


@pytest.mark.gui
def test_a_mark_can_be_drawn_on_the_image_that_was_pressed_on(
    qtbot, marked: ImageViewport, board: MarkBoard, clock: Clock
) -> None:  # type: ignore[no-untyped-def]
    marked.cine.clock = clock
    marked.set_tool(Tool.LENGTH)
    qtbot.keyClick(marked, KEY.Key_C)
    assert after(marked, clock, 0.14) == 6
    drag(marked, (20, 20), (40, 30), (60, 50))
    assert not marked.cine.playing
    assert after(marked, clock, 1.0) == 6
    assert only(board).sop_instance_uid == marked.model.instance().sop_instance_uid


@pytest.mark.gui
@pytest.mark.parametrize(("tool", "plays"), [(Tool.SCROLL, False), (Tool.WINDOW, True)])
def test_a_drag_that_scrolls_stops_it_and_another_does_not(
    qtbot, marked: ImageViewport, clock: Clock, tool: Tool, plays: bool
) -> None:  # type: ignore[no-untyped-def]
    marked.cine.clock = clock
    marked.set_tool(tool)
    qtbot.keyClick(marked, KEY.Key_C)
    drag(marked, (20, 20), (40, 30), (60, 50))
    assert marked.cine.playing is plays


@pytest.mark.gui
def test_another_series_or_a_hidden_viewport_ends_it(
    qtbot, viewport: ImageViewport, make_stack: StackMaker
) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(viewport, KEY.Key_C)
    viewport.show_stack(make_stack(uid="9.9"))
    assert not viewport.cine.playing
    qtbot.keyClick(viewport, KEY.Key_C)
    viewport.hide()
    assert not viewport.cine.playing
    viewport.show_stack(make_stack(count=1, uid="9.8"))
    assert viewport.do("viewport.cine")
    assert not viewport.cine.playing


@pytest.mark.gui
def test_linked_panes_play_along(qtbot, make_stack: StackMaker, clock: Clock) -> None:  # type: ignore[no-untyped-def]
    grid = ViewportGrid()
    qtbot.addWidget(grid)
    grid.resize(802, 402)
    grid.set_arrangement(Arrangement.SIDE_BY_SIDE)
    first, second = grid.panes()
    first.show_stack(make_stack(count=9, between=2.0, axes=CORONAL), index=0)
    second.show_stack(make_stack(count=18, between=1.0, uid="1.2.4", axes=CORONAL), index=0)
    with qtbot.waitExposed(grid):
        grid.show()
    first.widget().cine.clock = clock
    qtbot.keyClick(first.widget(), KEY.Key_C)
    assert after(first.widget(), clock, 0.21) == 3
    assert second.shown_frame() == 6

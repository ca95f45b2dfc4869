"""Analytic stacks and a small reader in this process, for tests that drive real widgets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from analytic_stack import build_stack, build_study

from viewer.imaging.layout import StackLayout
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.imaging.worker.memory import SharedPool

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from viewer.views.reformat.workspace import MprWorkspace

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def make_stack() -> Callable[..., ImageStack]:
    """Builder of analytic stacks."""
    return build_stack


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Builder of studies of the phantom patient."""
    return build_study


@pytest.fixture
def hover() -> Callable[..., None]:
    """Moves the mouse to a point of a widget, with modifier keys.

    The event is sent and not asked of the X server, whose own events arrive when they like.
    """
    from PySide6.QtCore import QEvent, QPointF, Qt
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication, QWidget

    def move(
        widget: QWidget,
        point: tuple[float, float],
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        place, none = QPointF(*point), Qt.MouseButton.NoButton
        event = QMouseEvent(
            QEvent.Type.MouseMove, place, widget.mapToGlobal(place), none, none, modifiers
        )
        QApplication.sendEvent(widget, event)

    return move


@pytest.fixture
def stack() -> ImageStack:
    """Nine axial frames of 64 x 96, 1 mm pixels, 2 mm apart."""
    return build_stack()


@pytest.fixture
def study(stack: ImageStack) -> Study:
    """The study of the analytic stack."""
    return build_study(stack.series)


@pytest.fixture
def opened() -> Iterator[Callable[[ImageStack], OpenStack]]:
    """Return stacks as the reader hands them out: with memory that is theirs until released."""
    pool = SharedPool(1 << 28)

    def open_stack(stack: ImageStack) -> OpenStack:
        layout = StackLayout(stack.stored.shape, stack.stored.dtype, stack.frames)
        buffer = pool.acquire(layout.nbytes)
        buffer.view(layout.dtype, layout.shape, writable=True)[...] = stack.stored
        return OpenStack(stack=stack, buffer=buffer, layout=layout)

    yield open_stack
    pool.close()


@pytest.fixture
def board():  # type: ignore[no-untyped-def]
    """An empty board of marks."""
    from viewer.views.marks.board import MarkBoard

    return MarkBoard()


@pytest.fixture
def marked(qtbot, stack: ImageStack, study: Study, board):  # type: ignore[no-untyped-def]
    """A viewport of the analytic stack at its fifth image, with the marks of the board."""
    from viewer.views.marks.layer import MarksLayer
    from viewer.views.viewport import ImageViewport

    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(480, 420)
    widget.add_layer(lambda view: MarksLayer(view, board))
    widget.show_stack(stack, study, index=4)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.activateWindow()
    widget.setFocus()
    return widget


@pytest.fixture
def workspace(qtbot: QtBot) -> MprWorkspace:
    """Three planes that show nothing yet."""
    from viewer.views.reformat.workspace import MprWorkspace
    from viewer.views.theme import Theme

    made = MprWorkspace(Theme())
    qtbot.addWidget(made)
    made.resize(900, 700)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def planes(
    workspace: MprWorkspace,
    make_stack: Callable[..., ImageStack],
    opened: Callable[[ImageStack], OpenStack],
    qtbot: QtBot,
) -> MprWorkspace:
    """Three planes of a volume of 40 slices of 80 x 70."""
    stack = make_stack(count=40, rows=80, columns=70, spacing=(1.0, 1.0), between=2.0)
    workspace.open(stack, None, opened(stack), None)
    qtbot.waitUntil(lambda: workspace.scene.state is not None)
    return workspace

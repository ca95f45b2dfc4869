"""Analytic stacks and a small reader in this process, for tests that drive real widgets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind
from viewer.imaging.layout import StackLayout
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Instance, Patient, Series, Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.imaging.worker.memory import SharedPool

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from viewer.views.reformat.workspace import MprWorkspace

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def ramp(frame: int, rows: int, columns: int) -> np.ndarray:
    """Stored values that tell frame, row and column apart."""
    row, column = np.mgrid[:rows, :columns]
    values: np.ndarray = ((column * 7 + row * 3 + frame * 11) % 2000 - 1000).astype(np.int16)
    return values


def build_stack(
    *,
    count: int = 9,
    rows: int = 64,
    columns: int = 96,
    spacing: tuple[float, float] = (1.0, 1.0),
    between: float = 2.0,
    axes: tuple[tuple[float, float, float], tuple[float, float, float]] | None = AXIAL,
    uid: str = "1.2.3",
    frame_of_reference: str = "1.9",
    calibrated: bool = True,
    modality: str = "CT",
    verdict: GeometryVerdict | None = None,
    pixels: Callable[[int, int, int], np.ndarray] = ramp,
    origin: tuple[float, float, float] = (-100.0, -80.0, -40.0),
) -> ImageStack:
    """Build a stack whose every pixel and plane is known."""
    instances = []
    for number in range(count):
        plane = None
        if axes is not None:
            normal = np.cross(axes[0], axes[1])
            position = np.asarray(origin) + normal * between * number
            plane = ImagePlane(
                position=tuple(float(part) for part in position),
                row_cosines=axes[0],
                column_cosines=axes[1],
                row_spacing=spacing[0],
                column_spacing=spacing[1],
            )
        instances.append(
            Instance(
                path="",
                sop_instance_uid=f"{uid}.{number + 1}",
                sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                rows=rows,
                columns=columns,
                bits_allocated=16,
                bits_stored=16,
                high_bit=15,
                signed=True,
                photometric_interpretation="MONOCHROME2",
                windows=(WindowPreset(center=40.0, width=400.0),),
                plane=plane,
            )
        )
    series = Series(
        series_instance_uid=uid,
        series_number=2,
        description="Lung",
        modality=modality,
        frame_of_reference_uid=frame_of_reference,
        pixel_spacing=spacing if calibrated else None,
        spacing_source="PixelSpacing" if calibrated else "",
        slice_thickness=between,
        instances=tuple(instances),
        verdict=verdict
        or GeometryVerdict(kind=VerdictKind.UNIFORM, reason="evenly spaced", spacing=between),
    )
    stored = np.stack([pixels(number, rows, columns) for number in range(count)])
    stored.flags.writeable = False
    return ImageStack(series, stored, tuple((number, 1) for number in range(count)))


def build_study(*series: Series) -> Study:
    """A study of the phantom patient."""
    return Study(
        study_instance_uid="1.1",
        patient=Patient(patient_id="LUNG1-001", name="DEMO^Patient One", sex="M"),
        date="20080918",
        time="094100",
        age="083Y",
        series=series,
    )


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

"""Three linked planes in place of the viewports; a fourth cell with the curve or something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from viewer.acts import PRESET_KEYS, Tool
from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.grey import image_presets, window_after
from viewer.imaging.marks import Mark
from viewer.imaging.reader import OpenStack
from viewer.imaging.reformat import Slab, SlabMode, Vector
from viewer.imaging.regions import Region
from viewer.imaging.resample import ShownVolume
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.act_reasons import TOOL
from viewer.views.marks.board import MarkBoard
from viewer.views.objects.plane_shapes import PlaneShapes
from viewer.views.objects.volumes import LabelVolume
from viewer.views.overlay import Overlay
from viewer.views.places import PatientPoint
from viewer.views.reformat.fourth_cell import RENDERING, FourthCell
from viewer.views.reformat.plane_view import PlaneView
from viewer.views.reformat.plane_words import plane_word, tr
from viewer.views.reformat.planes import MprState, PlaneName
from viewer.views.reformat.scene import MprScene
from viewer.views.reformat.slab_bar import SlabBar
from viewer.views.reformat.volume_job import Answer, BuiltVolume, VolumeJob
from viewer.views.theme import Theme

STEPS: Final[dict[str, int]] = {
    "viewport.next": 1,
    "viewport.previous": -1,
    "viewport.next_ten": 10,
    "viewport.previous_ten": -10,
    "viewport.first": -(1 << 20),
    "viewport.last": 1 << 20,
}
"""Acts that scroll the active plane, and by how many voxels."""

SLAB_ACTS: Final[dict[str, SlabMode]] = {
    f"viewport.slab.{mode.name.lower()}": mode for mode in SlabMode
}
"""Acts that choose a projection."""

TURN_DEGREES: Final = 5.0
"""By how much an act turns the other planes."""

ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)

FACTORS: Final[dict[str, float]] = {"viewport.zoom_in": 1.25, "viewport.zoom_out": 0.8}


class MprWorkspace(QWidget):
    """The workspace of the three planes (`viewer.views.workspace.Workspace`)."""

    leaveWanted = Signal()
    windowChanged = Signal()
    regionClicked = Signal(str)
    regionHovered = Signal(str)
    actLeft = Signal(str)
    toolWanted = Signal(str)
    """The act of a tool was asked for by its key: the tool bar follows."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.scene = MprScene(self)
        self.job = VolumeJob(self)
        self.job.built.connect(self._built)
        self.maximised: QWidget | None = None
        self._place: PatientPoint | None = None
        self._awaited: Mark | None = None
        self._window: WindowPreset | None = None
        self._study: Study | None = None
        self._opened: OpenStack | None = None
        self._shown: ShownVolume | None = None
        self.bar = SlabBar(theme, self.do, self._set_thickness, self)
        self.planes = {name: PlaneView(name, self.scene, theme, self) for name in PlaneName}
        self.cell = FourthCell(self.scene, theme, self)
        self.curved = self.cell.curved
        self.message = QLabel(self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setWordWrap(True)
        self._lay_out()
        for view in (*self.planes.values(), self.curved, self.cell):
            view.actRequested.connect(self._asked)
        for view in (*self.planes.values(), self.cell):
            view.regionClicked.connect(self.regionClicked)
            view.regionHovered.connect(self.regionHovered)
        self.scene.activeChanged.connect(self._show_slab)
        self.scene.curveChanged.connect(self._show_curve)
        self.scene.changed.connect(self._tell_window)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _lay_out(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.bar)
        self.pages = QStackedWidget(self)
        whole.addWidget(self.pages, 1)
        cells = QWidget(self)
        self._grid = QGridLayout(cells)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(self.theme.length("column", "gap"))
        self._cells: list[QWidget] = [*self.planes.values(), self.cell]
        self.pages.addWidget(self.message)
        self.pages.addWidget(cells)
        self._place_cells()

    def _place_cells(self) -> None:
        for number, cell in enumerate(self._cells):
            self._grid.removeWidget(cell)
            alone = self.maximised is cell
            if alone or self.maximised is None:
                self._grid.addWidget(cell, *((0, 0) if alone else divmod(number, 2)))
            cell.setVisible(alone or self.maximised is None)
            if isinstance(cell, PlaneView):
                cell.alone = alone
        for line in (0, 1):
            stretch = int(line == 0 or self.maximised is None)
            self._grid.setRowStretch(line, stretch)
            self._grid.setColumnStretch(line, stretch)

    # --- the workspace -----------------------------------------------------------------------------

    def widget(self) -> QWidget:
        """Return this widget."""
        return self

    def open(
        self, stack: ImageStack, study: Study | None, opened: OpenStack, place: PatientPoint | None
    ) -> None:
        """Build the volume of a series and show it; the window lives meanwhile."""
        self.scene.clear()
        self._place, self._study, self._opened = place, study, opened
        self._window = None
        self._say(tr("The volume is being built …"))
        self.job.start(stack, opened)

    def close(self) -> None:
        """Let go of the volume."""
        self.job.drop()
        self.scene.clear()
        self._study = self._opened = self._shown = None
        self.cell.clear()
        self.maximised = None
        self._place_cells()

    def set_shapes(self, labels: LabelVolume | None, opacity: float) -> None:
        """Show segments and regions of others on the planes (`ShapesWorkspace`)."""
        self.scene.set_shapes(None if labels is None else PlaneShapes(labels, opacity))

    def set_overlay(self, overlay: Overlay) -> None:
        """Take the regions of the evidence."""
        self.scene.overlay = overlay
        self.scene.changed.emit()

    def select_regions(self, evidence_ids: frozenset[str]) -> None:
        """Outline the regions of the selected evidence."""
        self.scene.selected = evidence_ids
        self.scene.changed.emit()

    def hover_regions(self, evidence_id: str) -> None:
        """Outline the regions of the evidence whose chip is under the pointer."""
        self.scene.set_hovered(evidence_id)

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Move the crosshair to a region; false when it is not of this volume."""
        if not self.scene.go_to(region):
            return False
        self.scene.set_window(window)
        return True

    def set_board(self, board: MarkBoard) -> None:
        """Keep marks on the board that all viewports of a study share."""
        self.scene.set_board(board)

    def set_corner_text(self, shown: bool) -> None:
        """Show or hide all text over the planes."""
        self.scene.corner_text = shown
        self.scene.changed.emit()

    def show_mark(self, mark: Mark) -> bool:
        """Lay the active plane where a mark was drawn; when the volume is there, if it is not yet."""
        self._awaited = None if self.scene.state is not None else mark
        return self.scene.go_to_mark(mark)

    def place(self) -> PatientPoint | None:
        """Return the place of the crosshair."""
        if self.scene.state is None or self.scene.stack is None:
            return None
        uid = self.scene.stack.series.frame_of_reference_uid
        return PatientPoint(uid, self.scene.state.crosshair) if uid else None

    def shown_window(self) -> WindowPreset | None:
        """Return the window of the planes (`Windowed`)."""
        return self.scene.window

    def set_window(self, window: WindowPreset | None) -> None:
        """Show another window; the volume may still be on its way."""
        self._window = window
        self.scene.set_window(window if self.scene.state is not None else None)

    def presets(self) -> dict[str, WindowPreset]:
        """Return the presets of the series by their key."""
        return self.scene.presets()

    def image_windows(self) -> tuple[WindowPreset, ...]:
        """Return the windows and VOI LUTs of the middle image."""
        stack = self.scene.stack
        return () if stack is None else image_presets(stack, len(stack.frames) // 2)

    def _tell_window(self) -> None:
        if self.scene.window is not None and self.scene.window != self._window:
            self._window = self.scene.window
            self.windowChanged.emit()

    def _next_voi(self) -> None:
        self.scene.set_window(window_after(self.image_windows(), self.scene.window))

    def why_not(self, act: str) -> str:
        """Return why an act is not possible now, or empty."""
        if self.scene.state is None:
            return tr("there is no volume yet")
        if act.startswith(RENDERING):
            return self.cell.why_not(act)
        if not act.startswith(TOOL) and act not in self._acts():
            return tr("not in the three planes")
        slab = self._slab()
        if act == "viewport.slab_thinner" and slab.mode is SlabMode.OFF:
            return tr("there is no slab")
        return tr("shown like this already") if SLAB_ACTS.get(act) is slab.mode else ""

    def _built(self, answer: Answer) -> None:
        if isinstance(answer, BuiltVolume):
            self._shown = answer.shown
            place = self._place_in(answer.stack)
            wanted = self._window
            self.scene.show(answer.stack, self._study, answer.shown, answer.sampler, place)
            self.scene.set_window(wanted)
            self.pages.setCurrentIndex(1)
            if self._awaited is not None:
                self.show_mark(self._awaited)
            self.planes[self.scene.active].setFocus(Qt.FocusReason.OtherFocusReason)
        elif isinstance(answer, GeometryVerdict):
            self._say(
                tr("No planes can be laid through these images.\n{why}").format(why=answer.reason)
            )
        else:
            self._say(tr("The volume could not be built: {why}").format(why=answer))

    def _place_in(self, stack: ImageStack) -> Vector | None:
        uid = stack.series.frame_of_reference_uid
        here = None if self._place is None else self._place.in_space(uid)
        return None if here is None else here.position

    def _say(self, words: str) -> None:
        self.message.setText(words)
        self.pages.setCurrentIndex(0)
        self._show_slab()

    def _show_slab(self) -> None:
        scene = self.scene
        name = tr("Curve") if scene.on_curve else plane_word(scene.active)
        self.bar.show_slab(name, self._slab(), curving=scene.drawing_curve)
        self.bar.volume.setChecked(self.cell.shows_volume)

    def _show_curve(self) -> None:
        self.cell.show_curve(bool(self.scene.drawing_curve or self.scene.curve_points))
        self._show_slab()

    # --- acts --------------------------------------------------------------------------------------

    def do(self, act: str) -> bool:
        """Do an act of the viewer's table; false when it is not one of this workspace's."""
        if self.scene.state is None:
            return False
        if act.startswith(RENDERING):
            return self.cell.do(act)
        tool = act.removeprefix(TOOL)
        if tool != act:
            self.set_tool(Tool(tool))
            return False  # the tool bar shows the tool that the viewports have
        own = self._acts().get(act)
        if own is not None:
            own()
        return own is not None

    def _acts(self) -> dict[str, Callable[[], object]]:
        scene, name = self.scene, self.scene.active
        view = self.planes[name]
        return {
            "viewport.reset": scene.reset,
            "viewport.planes_straight": scene.straighten,
            "viewport.planes_body": lambda: scene.straighten(of_body=True),
            "viewport.invert": scene.invert,
            "viewport.flip_horizontal": lambda: self._change(_flipped(name, horizontally=True)),
            "viewport.flip_vertical": lambda: self._change(_flipped(name, horizontally=False)),
            "viewport.rotate_right": lambda: self._change(_spun(name, 90.0)),
            "viewport.rotate_left": lambda: self._change(_spun(name, -90.0)),
            "viewport.planes_turn_right": lambda: self._change(_turned(name, TURN_DEGREES)),
            "viewport.planes_turn_left": lambda: self._change(_turned(name, -TURN_DEGREES)),
            "viewport.next_voi": self._next_voi,
            "viewport.regions": scene.switch_regions,
            "viewport.reference_lines": scene.switch_lines,
            "viewport.cursor": view.point_out,
            "viewport.maximise": self._maximise,
            "viewport.mark_delete": scene.take_back,
            "viewport.mark_by_keys": self._ends_drawing,
            "viewport.slab_mode": self._cycle_slab,
            "viewport.slab_thicker": lambda: self._step_slab(1),
            "viewport.slab_thinner": lambda: self._step_slab(-1),
            "viewport.slab_everywhere": lambda: scene.set_slab(scene.slab(), everywhere=True),
            "viewport.one_to_one": view.zoom_to_voxels,
            "reformat.curved": self._switch_curve,
            "reformat.volume": self._switch_volume,
            "reformat.swap": self._swap,
            **{act: lambda by=by: view.zoom_by(by) for act, by in FACTORS.items()},
            **{act: lambda by=by: view.scroll_by(by) for act, by in STEPS.items()},
            **{act: lambda mode=mode: self._set_mode(mode) for act, mode in SLAB_ACTS.items()},
            **{
                f"viewport.preset.{key}": lambda key=key: scene.set_window(scene.preset(key))
                for key in PRESET_KEYS
            },
        }

    def _change(self, make: Callable[[MprState], MprState]) -> None:
        self.scene.change(lambda state, grid: make(state))

    def _asked(self, act: str) -> None:
        if not self.do(act):
            (self.toolWanted if act.startswith(TOOL) else self.actLeft).emit(act)

    def set_tool(self, tool: Tool) -> None:
        """Choose what the left button does."""
        self.scene.tool = tool
        self.scene.marks.drawing = None
        self.scene.changed.emit()

    def _cycle_slab(self) -> None:
        self._set_mode(self._slab().mode.next())

    def _set_mode(self, mode: SlabMode) -> None:
        self._set_slab(replace(self._slab(), mode=mode))

    def _set_thickness(self, thickness: float) -> None:
        """Take a thickness that was typed; without a slab it becomes one, of the brightest values."""
        slab = self._slab()
        mode = SlabMode.MIP if slab.mode is SlabMode.OFF else slab.mode
        self._set_slab(Slab(mode, thickness))
        self._here().setFocus(Qt.FocusReason.OtherFocusReason)

    def _step_slab(self, direction: int) -> None:
        self._set_slab(self._slab().stepped(direction))

    def _slab(self) -> Slab:
        return self.curved.slab if self.scene.on_curve else self.scene.slab()

    def _set_slab(self, slab: Slab) -> None:
        if self.scene.on_curve:
            self.curved.set_slab(slab)
            self._show_slab()
        else:
            self.scene.set_slab(slab)

    def _maximise(self) -> None:
        self.maximised = None if self.maximised else self._here()
        self._place_cells()

    def _here(self) -> QWidget:
        """Return the cell that acts are for."""
        return self.cell if self.scene.on_curve else self.planes[self.scene.active]

    def _swap(self) -> None:
        """Put the active cell first, and the first one in its place; the first one second."""
        cells, here = self._cells, self._cells.index(self._here())
        other = 0 if here else 1
        cells[here], cells[other] = cells[other], cells[here]
        self._place_cells()

    def _switch_curve(self) -> None:
        """Begin a curve; end the one that is drawn; with a finished one begin anew."""
        scene = self.scene
        scene.drawing_curve = not scene.drawing_curve
        if scene.drawing_curve and len(scene.curve_points) > 1:
            scene.set_curve(())
        else:
            scene.set_curve(scene.curve_points if len(scene.curve_points) > 1 else ())

    def _switch_volume(self) -> None:
        """Show the volume in three dimensions in the fourth cell, or put it away."""
        if self.cell.shows_volume:
            self.cell.clear()
        elif self._shown is not None and self._opened is not None:
            self.cell.show_volume(self._shown, self._study, self._opened)
        self._show_slab()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc ends a drawing, then leaves; Enter ends curve or outline, Backspace takes a step back."""
        key, scene = event.key(), self.scene
        taken = (
            (key in ENTER and self._ends_drawing())
            or (key == Qt.Key.Key_Backspace and scene.take_back())
            or (key == Qt.Key.Key_Escape and self._escapes())
        )
        if not taken:
            super().keyPressEvent(event)

    def _ends_drawing(self) -> bool:
        """Finish the curve or the outline that is drawn; false when neither is."""
        drawing = self.scene.marks.drawing
        frame = None if drawing is None else self.planes[drawing.name].frame()
        if self.scene.drawing_curve:
            self._switch_curve()
        elif drawing is not None and drawing.is_outline and frame is not None:
            self.scene.finish_drawing(frame.scale)
        else:
            return False
        return True

    def _escapes(self) -> bool:
        if self.scene.drawing_curve:
            self._switch_curve()
        elif self.scene.marks.drawing is not None:
            self.scene.drop_drawing()
        else:
            self.leaveWanted.emit()
        return True


def _flipped(name: PlaneName, *, horizontally: bool) -> Callable[[MprState], MprState]:
    return lambda state: state.flipped(name, horizontally=horizontally)


def _turned(name: PlaneName, degrees: float) -> Callable[[MprState], MprState]:
    return lambda state: state.rotated(name, degrees)


def _spun(name: PlaneName, degrees: float) -> Callable[[MprState], MprState]:
    return lambda state: state.spun(name, degrees)

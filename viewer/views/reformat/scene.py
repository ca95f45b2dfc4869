"""What the three planes show together: volume, planes, window, regions, curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from viewer.acts import Tool
from viewer.imaging.curve import Curve, curve_through
from viewer.imaging.grey import GreyPipeline, default_window
from viewer.imaging.marks import Mark
from viewer.imaging.marks_plane import PlaneValues, measure_in_patient, source_of
from viewer.imaging.own_presets import PRESETS
from viewer.imaging.reformat import (
    ReformatPlane,
    Slab,
    Stored,
    Vector,
    VoxelGrid,
    slab_offsets,
    vector,
    volume_pipeline,
)
from viewer.imaging.regions import Region
from viewer.imaging.resample import ShownVolume
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.suv import SuvRefusal, SuvScale, suv_scale
from viewer.imaging.volume import ImageStack
from viewer.views.fusion.plane_fusion import PlaneFusion
from viewer.views.marks.board import MarkBoard
from viewer.views.objects.plane_shapes import PlaneShapes
from viewer.views.overlay import Overlay
from viewer.views.reformat.marks import PlaneMarks
from viewer.views.reformat.plane_words import shown_value
from viewer.views.reformat.planes import MprState, PlaneName, Pose, planes_of
from viewer.views.reformat.region_cuts import middle_of
from viewer.views.reformat.sampler import VolumeSampler


class MprScene(QObject):
    """The one owner of what is shown; every change is a new state and one signal."""

    changed = Signal()
    activeChanged = Signal()
    """Another plane is the one that acts are for, or its slab is another."""
    curveChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tool = Tool.SCROLL
        self.corner_text = True
        self.lines_shown = True
        self.all_regions = False
        self.inverted = False
        self.drawing_curve = False
        self.turning: frozenset[PlaneName] = frozenset()
        self.overlay = Overlay()
        self.selected: frozenset[str] = frozenset()
        self.hovered = self.pointed = ""
        """Evidence whose chip, or whose region on a plane, is under the pointer."""
        self.active = PlaneName.AXIAL
        self.on_curve = False
        """Whether acts are for the image along the curve instead of the active plane."""
        self.marks = PlaneMarks(MarkBoard(self))
        self.marks.board.renewed.connect(self.changed)
        self.marks.board.selected.connect(self._mark_selected)
        self.stack: ImageStack | None = None
        self.study: Study | None = None
        self.badge = ""
        self.sampler: VolumeSampler | None = None
        self.state: MprState | None = None
        self.window: WindowPreset | None = None
        self.suv: SuvScale | SuvRefusal | None = None
        self.fusion: PlaneFusion | None = None
        self.shapes: PlaneShapes | None = None
        self.curve_points: tuple[Vector, ...] = ()
        self.curve: Curve | None = None

    # --- the volume --------------------------------------------------------------------------------

    def show(
        self,
        stack: ImageStack,
        study: Study | None,
        shown: ShownVolume,
        sampler: VolumeSampler,
        place: Vector | None,
    ) -> None:
        """Show a volume, with the crosshair at a place or in its middle."""
        self.stack, self.study, self.badge, self.sampler = stack, study, shown.badge, sampler
        self.marks.series_key = stack.series.key
        self.state = planes_of(sampler.grid)
        if place is not None and sampler.grid.contains(place):
            self.state = self.state.at(place, sampler.grid)
        self.window = default_window(stack, len(stack.frames) // 2)
        self.suv = None if stack.series.pet is None else suv_scale(stack.series)
        self.inverted = False
        self.set_curve(())
        self.activeChanged.emit()
        self.changed.emit()

    def clear(self) -> None:
        """Let go of the volume and of all that was made of it."""
        self.stack = self.study = self.sampler = self.state = self.window = None
        self.badge = self.hovered = self.pointed = ""
        self.drawing_curve = False
        self.shapes = None
        self.fusion = None
        self.marks.drawing = self.marks.held = None
        self.marks.series_key = ""
        self.set_curve(())
        self.changed.emit()

    @property
    def grid(self) -> VoxelGrid | None:
        """The box of voxels, none without a volume."""
        return None if self.sampler is None else self.sampler.grid

    def pipeline(self) -> GreyPipeline | None:
        """Return how stored values become grey, none without a volume."""
        if self.sampler is None or self.window is None:
            return None
        return volume_pipeline(self.sampler.volume, self.window, inverted=self.inverted)

    def value_words(self, place: Vector, pose: Pose | None = None) -> str:
        """Write the value at a place with its unit, of PET also as SUV; empty where there is none.

        Parameters
        ----------
        pose
            Of the plane in which it is pointed at: its slab shows another value than the place has.
        """
        value = None if self.sampler is None else self._value_at(self.sampler, place, pose)
        if value is None or self.sampler is None:
            return ""
        words = shown_value(value, self.sampler.volume.unit)
        if isinstance(self.suv, SuvScale):
            words = f"{words}  {shown_value(value * self.suv.factor, self.suv.unit)}"
        if self.fusion is not None and self.stack is not None:
            words = " / ".join(filter(None, (words, self.fusion.value_words(place, self.stack.series))))
        return words

    @staticmethod
    def _value_at(sampler: VolumeSampler, place: Vector, pose: Pose | None) -> float | None:
        if pose is None or not pose.slab.shown:
            return sampler.value(place)
        at = ReformatPlane(place, pose.row, pose.column, (1.0, 1.0), 1, 1)
        offsets = slab_offsets(sampler.grid, place, pose.normal, pose.slab)
        return sampler.projected_value(at, offsets, pose.slab.mode)

    # --- changes -----------------------------------------------------------------------------------

    def set_state(self, state: MprState) -> None:
        """Show the planes elsewhere."""
        if state != self.state:
            self.state = state
            self.changed.emit()

    def change(self, make: Callable[[MprState, VoxelGrid], MprState]) -> None:
        """Make a new state of the one that is shown, if there is one."""
        if self.state is not None and self.grid is not None:
            self.set_state(make(self.state, self.grid))

    def set_window(self, window: WindowPreset | None) -> None:
        """Show another window; none does nothing."""
        if window is not None and window != self.window:
            self.window = window
            self.changed.emit()

    def set_shapes(self, shapes: PlaneShapes | None) -> None:
        """Lay segments and regions of others over the planes; none takes them away."""
        self.shapes = shapes
        self.changed.emit()

    def set_active(self, name: PlaneName) -> None:
        """Let acts be for a plane."""
        if name != self.active or self.on_curve:
            self.active, self.on_curve = name, False
            self.activeChanged.emit()
            self.changed.emit()

    def set_on_curve(self) -> None:
        """Let acts be for the image along the curve."""
        if not self.on_curve:
            self.on_curve = True
            self.activeChanged.emit()
            self.changed.emit()

    def slab(self) -> Slab:
        """Return the slab of the active plane."""
        return Slab() if self.state is None else self.state.poses[self.active].slab

    def set_slab(self, slab: Slab, *, name: PlaneName | None = None, everywhere: bool = False) -> None:
        """Give the active plane (or another, or all) a slab."""
        if self.state is None:
            return
        names = tuple(PlaneName) if everywhere else (name or self.active,)
        state = self.state
        for each in names:
            state = state.with_pose(each, replace(state.poses[each], slab=slab))
        self.set_state(state)
        self.activeChanged.emit()

    def set_turning(self, names: frozenset[PlaneName]) -> None:
        """Say which planes move under the reader's hand: they are sampled coarsely until it rests."""
        if names != self.turning:
            self.turning = names
            self.changed.emit()

    def reset(self) -> None:
        """Lay the planes along the voxels again, in the middle, without slab and zoom."""
        if self.stack is None or self.grid is None:
            return
        self.window, self.inverted = default_window(self.stack, len(self.stack.frames) // 2), False
        self.state = planes_of(self.grid)
        self.activeChanged.emit()
        self.changed.emit()

    def straighten(self, *, of_body: bool = False) -> None:
        """Lay the planes along voxels or body, through the crosshair; window and slabs stay."""
        if self.state is None or self.grid is None:
            return
        straight = planes_of(self.grid, of_body=of_body)
        poses = {
            name: replace(pose, slab=self.state.poses[name].slab)
            for name, pose in straight.poses.items()
        }
        self.set_state(replace(straight, poses=poses).at(self.state.crosshair, self.grid))

    def invert(self) -> None:
        """Invert the grey scale."""
        self.inverted = not self.inverted
        self.changed.emit()

    @property
    def lit(self) -> frozenset[str]:
        """Evidence whose regions are outlined even while the others are hidden."""
        return self.selected | {one for one in (self.hovered, self.pointed) if one}

    def set_pointed(self, evidence_id: str) -> None:
        """Outline the regions of the evidence under the pointer; empty for none."""
        self.pointed = evidence_id
        self.changed.emit()

    def set_hovered(self, evidence_id: str) -> None:
        """Outline the regions of the evidence whose chip is under the pointer; empty for none."""
        if evidence_id != self.hovered:
            self.hovered = evidence_id
            self.changed.emit()

    def switch_regions(self) -> None:
        """Outline all regions, or the selected ones alone."""
        self.all_regions = not self.all_regions
        self.changed.emit()

    def switch_lines(self) -> None:
        """Show or hide the lines of the other planes."""
        self.lines_shown = not self.lines_shown
        self.changed.emit()

    def take_back(self) -> bool:
        """Take back the last point of the curve in drawing, else the selected mark."""
        if self.drawing_curve and self.curve_points:
            self.set_curve(self.curve_points[:-1])
            return True
        if not self.marks.remove():
            return False
        self.changed.emit()
        return True

    def preset(self, key: str) -> WindowPreset | None:
        """Return a window preset of this series."""
        return self.presets().get(key)

    def presets(self) -> dict[str, WindowPreset]:
        """Return the window presets of the series by their key, as its middle image has them."""
        if self.stack is None:
            return {}
        brought = default_window(self.stack, len(self.stack.frames) // 2)
        return PRESETS.fitting(self.stack.series, brought)

    def set_curve(self, points: tuple[Vector, ...]) -> None:
        """Lay the curve through other points."""
        self.curve_points = points
        step = 1.0 if self.grid is None else self.grid.smallest_spacing
        self.curve = curve_through(points, step)
        self.curveChanged.emit()
        self.changed.emit()

    def finish_drawing(self, scale: float) -> None:
        """Keep the mark that is drawn, unless it was a slip.

        Parameters
        ----------
        scale
            Widget pixels for one millimetre.
        """
        drawing, self.marks.drawing = self.marks.drawing, None
        if drawing is not None and self.stack is not None:
            mark = drawing.finished(self.stack.series, scale)
            if mark is not None:
                mark = self.measured(mark)
                self.marks.board.add(mark)
                self.marks.board.select(mark.id)
        self.changed.emit()

    def drop_drawing(self) -> None:
        """Forget the mark that is drawn."""
        self.marks.drawing = None
        self.changed.emit()

    def measured(self, mark: Mark) -> Mark:
        """Return a mark with its sizes and the values inside, of the slab of the active plane."""
        if self.stack is None:
            return mark
        return measure_in_patient(mark, self.stack.series, self._values_on(self.slab()))

    def _values_on(self, slab: Slab) -> PlaneValues | None:
        sampler = self.sampler
        if sampler is None:
            return None

        def read(plane: ReformatPlane) -> Stored:
            offsets = slab_offsets(sampler.grid, plane.origin, plane.normal, slab)
            return sampler.sample(plane, offsets, slab.mode)

        volume, suv = sampler.volume, self.suv
        found = suv if isinstance(suv, SuvScale) else None
        return PlaneValues(
            volume,
            sampler.grid,
            read,
            factor=1.0 if found is None else found.factor,
            unit=volume.unit if found is None else found.unit,
            source=source_of(slab),
            refusal=suv.reason if isinstance(suv, SuvRefusal) else "",
        )

    def hold(self, mark: Mark) -> None:
        """Show a mark as it is in the reader's hand."""
        self.marks.held = mark
        self.changed.emit()

    def let_go(self) -> None:
        """Keep the mark in hand as it is now."""
        held, self.marks.held = self.marks.held, None
        if held is not None:
            self.marks.board.replace(held)

    def set_board(self, board: MarkBoard) -> None:
        """Keep marks on the board that all viewports of a study share."""
        for signal, slot in (
            (self.marks.board.renewed, self.changed),
            (self.marks.board.selected, self._mark_selected),
        ):
            signal.disconnect(slot)
        self.marks.board = board
        board.renewed.connect(self.changed)
        board.selected.connect(self._mark_selected)

    def go_to_mark(self, mark: Mark) -> bool:
        """Lay the active plane where a mark was drawn; false when it is not of this volume."""
        plane = mark.plane
        if self.state is None or self.grid is None or plane is None or mark not in self.marks.all:
            return False
        pose = replace(
            self.state.poses[self.active], row=plane.row_cosines, column=plane.column_cosines
        )
        middle = mark.array().mean(axis=0)
        pose = replace(pose, centre=vector(middle))
        self.set_state(self.state.with_pose(self.active, pose).at(middle, self.grid))
        return True

    def _mark_selected(self, mark_id: str) -> None:
        self.changed.emit()

    def lay_across(self, index: int, degrees: float) -> None:
        """Lay the active plane square across the curve at one of its samples.

        Parameters
        ----------
        degrees
            Angle about the curve of what stands to the right.
        """
        if self.curve is None or self.state is None or self.grid is None:
            return
        place = vector(self.curve.points[index])
        pose = replace(
            self.state.poses[self.active],
            row=vector(self.curve.across(degrees)[index]),
            column=vector(self.curve.across(degrees + 90.0)[index]),
            centre=place,
        )
        self.set_state(self.state.with_pose(self.active, pose).at(place, self.grid))

    # --- regions -----------------------------------------------------------------------------------

    def shows_region(self, region: Region) -> bool:
        """Return whether a region lies in this volume."""
        return self.stack is not None and self._middle_of(region) is not None

    def go_to(self, region: Region) -> bool:
        """Move the crosshair to the middle of a region; false when it is not of this volume."""
        middle = self._middle_of(region)
        if middle is None:
            return False
        self.change(lambda state, grid: state.at(middle, grid))
        return True

    def _middle_of(self, region: Region) -> Vector | None:
        if self.stack is None or self.sampler is None:
            return None
        return middle_of(region, self.overlay, self.stack, self.sampler)

    def spread(self) -> float:
        """Return half the diagonal of a voxel, mm: how well a place in the volume is known."""
        if self.sampler is None:
            return 0.0
        return float(np.linalg.norm(np.asarray(self.sampler.volume.spacing))) / 2

"""One window for the test of every act: its store, and the situations that acts need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
from fusion_scene import write_patient
from object_scene import write_scene
from pydicom.uid import generate_uid
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeySequence, QMouseEvent
from PySide6.QtWidgets import QApplication
from shell_driver import PASSWORD, USER, Driver, Keys, make_home, open_desk

from app.demo import sample
from app.engine import Engine, empty_ledger
from app.report_model import ReportModel
from app.shell import act_binding
from app.shell.layers import Layer
from inference.drafting.triage import choose_series
from inference.validation.rules import check_sentence
from reports.audit.event import AuditAct
from reports.domain import Candidate, Section
from viewer.acts import Arrangement, Tool, reformat, rendering
from viewer.imaging.marks import Mark, MarkKind
from viewer.imaging.reformat import SlabMode
from viewer.imaging.study import WindowPreset
from viewer.views.key_bindings import keymap
from viewer.views.marks.layer import MarksLayer
from viewer.views.rendering.model import Hand

ACTS = {act.name: act for act in act_binding.ACTS}
"""Every act of the program by its name."""

SENTENCE = "Calcified granuloma in the right upper lobe, unchanged."
PHANTOM, FUSED, PHASES, EARLIER, OTHER = "phantom", "fused", "phases", "earlier", "other"
PRIOR_SLICES = 12
MR = "1.2.840.10008.5.1.4.1.1.4"

SOON = 15_000
"""Milliseconds within which an act is seen to be done, on a busy machine."""


def write_prior(folder: Path) -> Path:
    """Write some slices of the phantom as an earlier study of the same patient."""
    folder.mkdir(parents=True)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for source in sorted(sample().rglob("*.dcm"))[::5][:PRIOR_SLICES]:
        dataset = pydicom.dcmread(source)
        dataset.StudyDate, dataset.AccessionNumber = "20240105", ""
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.FrameOfReferenceUID = frame
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.save_as(folder / source.name)
    return folder


def write_phases(folder: Path) -> Path:
    """Write some slices of the phantom as an MR series with three b-values."""
    folder.mkdir(parents=True)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for b_value in (0, 500, 1000):
        for source in sorted(sample().rglob("*.dcm"))[20:25]:
            dataset = pydicom.dcmread(source)
            dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MR
            dataset.Modality, dataset.DiffusionBValue = "MR", float(b_value)
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
            dataset.FrameOfReferenceUID, dataset.PatientID = frame, "PH-2001"
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            dataset.save_as(folder / f"{b_value}-{source.name}")
    return folder


def write_other(folder: Path) -> Path:
    """Write some slices of the phantom as of a modality for which nothing is preset."""
    folder.mkdir(parents=True)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for source in sorted(sample().rglob("*.dcm"))[20:25]:
        dataset = pydicom.dcmread(source)
        dataset.Modality, dataset.PatientID = "OT", "PH-3001"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.FrameOfReferenceUID = frame
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.save_as(folder / source.name)
    return folder


def make_scene(place: Path) -> tuple[Path, dict[str, str]]:
    """Import four studies, draft one, sign another; return the home and the studies by name."""
    folders = {
        PHANTOM: write_scene(place / "phantom"),
        FUSED: write_patient(place / "fused", ("CT", "PT", "MR")),
        PHASES: write_phases(place / "phases"),
        EARLIER: write_prior(place / "prior"),
        OTHER: write_other(place / "other"),
    }
    home = make_home(place / "home")
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    found: dict[str, str] = {}
    with Engine(home) as engine:
        for name, folder in folders.items():
            index = engine.reader.index([folder])
            desk.import_studies(index)
            study = index.studies[0]
            found[name] = study.study_instance_uid
            if name == PHANTOM:
                with engine.reader.open(choose_series(study)) as stack:
                    outcome = engine.draft(study, stack)
                opened = desk.open_study(study)
                model = ReportModel(opened.report, outcome.result.ledger, check=check_sentence)
                ledger = outcome.result.ledger
                proposed = tuple(
                    Candidate(evidence_id=one.id, text=f"Proposal {number}.", reason="to be read")
                    for number, one in enumerate(ledger.evidence[:3], start=1)
                )
                draft = outcome.result.draft.model_copy(update={"candidates": proposed})
                model.load_draft(draft, ledger)
                desk.take_draft(replace(outcome, result=replace(outcome.result, draft=draft)))
                desk.save(model.report, model.ledger)
            if name == PHASES:
                opened = desk.open_study(study)
                ledger = empty_ledger(study, study.series[0])
                model = ReportModel(opened.report, ledger, check=check_sentence)
                model.insert(Section.FINDINGS, SENTENCE)
                desk.sign(model.report, model.ledger, study, None, PASSWORD)
    desk.close()
    return home, found


class Prompt(Driver):
    """A person who does not wait long for one act."""

    def until(self, holds: Callable[[], object]) -> None:
        self.bot.waitUntil(lambda: bool(holds()), timeout=SOON)


class Stand:
    """A person at one window through all situations; `d` drives it."""

    def __init__(self, driver: Driver, studies: dict[str, str], files: Path) -> None:
        self.d, self.studies, self.files = driver, studies, files
        self.written = files / "written"
        self.written.mkdir()
        self._number = 0

    # --- what is there ------------------------------------------------------------------------------

    @property
    def window(self):
        return self.d.window

    @property
    def area(self):
        return self.d.reading.area

    @property
    def grid(self):
        return self.area.grid

    @property
    def model(self):
        """What the active viewport shows."""
        return self.d.viewport.model

    @property
    def state(self):
        return self.model.state

    @property
    def board(self):
        return self.area.marks

    @property
    def stage(self):
        return self.area.stage

    @property
    def planes(self):
        """The three planes, entered."""
        return self.stage.workspace.scene

    @property
    def volume(self):
        """The 3D view, entered."""
        return self.stage.workspace.view.model

    def part(self, name: str) -> Any:
        return next(one for one in self.d.reading.parts.all if type(one).__name__ == name)

    def marks_layer(self) -> MarksLayer:
        return next(one for one in self.d.viewport.layers if isinstance(one, MarksLayer))

    def letter(self) -> Path:
        """Write a file that cannot be read as an image."""
        self._number += 1
        path = self.files / f"letter{self._number}.txt"
        path.write_text("no image")
        return path

    def new_file(self, *asked: object) -> tuple[str, str]:
        """Answer a dialog that asks where to write."""
        self._number += 1
        return str(self.written / f"{self._number}{Path(str(asked[2])).suffix}"), ""

    def new_folder(self, *asked: object) -> str:
        """Answer a dialog that asks for a folder: for one to read, or one to write into."""
        return str(self.letter().parent / "prior" if "DICOM" in str(asked[1]) else self.written)

    def page(self) -> str:
        """The page of the side panel that is seen."""
        side = self.d.reading.side
        return side.page() if side.isVisible() else ""

    def events(self, act: AuditAct, word: str, *, saves: bool = True) -> list[dict[str, str]]:
        """What the audit log has of an act whose detail holds a word; what waits is saved first."""
        if saves and self.window.session.is_open and self.d.reading.entry is not None:
            flushed: list[bool] = []
            self.d.reading.flush(flushed.append)
            self.d.until(lambda: flushed)
        self.d.until(lambda: not self.window.store_thread.is_busy)
        found = [dict(one.detail) for one in self.window.desk.store.events() if one.act is act]
        return [detail for detail in found if word.lower() in str(detail).lower()]

    def layers(self) -> list[str]:
        """The cards that are open."""
        return sorted(
            type(one).__name__
            for window in QApplication.topLevelWidgets()
            for one in window.findChildren(Layer)
            if one.isVisible()
        )

    # --- keys and palette ---------------------------------------------------------------------------

    def key(self, text: str) -> None:
        """Press a key given in portable text where the keyboard is."""
        combined = QKeySequence(text)[0]
        self.d.press(combined.key(), combined.keyboardModifiers())

    def choose(self, name: str) -> None:
        """Do an act by the command palette."""
        palette, act = self.window.palette_layer, ACTS[name]
        self.key("Ctrl+K")
        self.d.until(palette.isVisible)
        palette.field.setText(act.text)
        for _ in range(palette.list.count()):
            if palette.list.currentItem().data(Qt.ItemDataRole.UserRole + 1).name == name:
                break
            self.key("Down")
        else:
            raise AssertionError(f"{act.text} is not to be chosen: {self.window.why_not(name)}")
        self.key("Return")

    def ask(self, name: str) -> None:
        """Do an act by its key, or by the palette when it has none."""
        key = keymap().key_of(ACTS[name])
        if key:
            self.key(key)
        else:
            self.choose(name)

    def perform(self, name: str) -> None:
        """Do an act that only prepares."""
        assert not self.window.why_not(name), name
        self.window.perform(name)

    # --- situations ---------------------------------------------------------------------------------

    def tidy(self) -> None:
        """Close what is open over the window."""
        d = self.d
        if self.window.account is None or not self.window.session.is_open:
            d.sign_in_when_asked()
            d.until(lambda: self.window.session.is_open)
        for window in QApplication.topLevelWidgets():
            for card in window.findChildren(Layer):
                card.dismiss()
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
        d.reading.cancel_draft()
        d.until(lambda: not d.panel.trace.is_running)
        self.window.personal.second.set_on(False)
        if self.window.personal.check is not None:
            self.window.personal.check.close()
        if d.reading._signing is not None:
            d.reading.signing.dismiss()
        self.window.activateWindow()
        d.until(self.window.isActiveWindow)
        d.until(lambda: not self.window.store_thread.is_busy)

    def worklist(self) -> None:
        """The worklist with the phantom chosen."""
        self.tidy()
        if self.window.pages.currentWidget() is not self.window.worklist:
            self.window.show_worklist()
        self.d.wait_for_worklist()
        self.d.until(lambda: len(self.window.worklist.entries) == len(self.studies))
        self.window.worklist.table.choose(self.studies[PHANTOM])
        self.window.worklist.table.setFocus()

    def open(self, name: str) -> None:
        """A study with one viewport, in the middle of its main series, as it came; nothing marked."""
        self.tidy()
        d, uid = self.d, self.studies[name]
        if not self.is_open(name):
            self.worklist()
            self.window.worklist.table.choose(uid)
            d.open_first()
            d.until(lambda: self.part("MarksPart").book is not None)
            d.until(lambda: self.part("KeyImagesPart").history is not None)
        reading = d.reading
        self.stage.leave()
        reading.side.hide()
        reading.panel.finding_form.hide()
        reading.panel.show_tab(0)
        for part in (self.area.strip, reading._right):
            part.show()
        grid = self.grid
        grid.set_tiled(False)
        grid.set_active(0)
        grid.set_arrangement(Arrangement.ONE)
        grid.set_tool(Tool.SCROLL)
        grid.set_linked(True)
        self.board.remove(*(mark.id for mark in self.board.marks))
        key = self.area.series_in_reading_order()[0].key
        if name != PHASES:
            self.area.show_series(key)
        d.until(lambda: d.viewport.stack() is not None)
        if name != PHASES:
            d.until(lambda: d.viewport.stack().series.key == key)
        d.until(lambda: self.model.arrived_share == 1.0)
        d.viewport.cine.stop()
        d.viewport.set_state(self.model.hung.home.at(self.model.count // 2, self.model.count))
        self.model.all_regions = False
        self.model.pointer = None
        reading.focus_images()

    def is_open(self, name: str) -> bool:
        """Return whether a study is open."""
        if self.window.pages.currentWidget() is not self.d.reading or self.d.reading.study is None:
            return False
        return self.d.reading.study.study_instance_uid == self.studies[name]

    def images(self) -> None:
        self.open(PHANTOM)

    def earlier(self) -> None:
        self.open(EARLIER)

    def fused(self) -> None:
        self.open(FUSED)

    def phases(self) -> None:
        self.open(PHASES)

    def lying_over(self) -> None:
        """The PET lies over the CT."""
        self.fused()
        part = self.part("FusionPart")
        if part.over() is None:
            self.perform("fusion.switch")
        self.d.until(lambda: part.over() is not None)

    def two(self) -> None:
        """Two viewports of the phantom, the pointer on the first."""
        self.images()
        self.grid.set_arrangement(Arrangement.SIDE_BY_SIDE)
        panes = self.grid.panes()
        self.d.until(lambda: all(pane.stack() is not None for pane in panes))
        self.point()

    def point(self) -> None:
        """Move the pointer over the middle of the image."""
        widget, none = self.d.viewport.widget(), Qt.MouseButton.NoButton
        place = QPointF(widget.rect().center())
        shown = widget.mapToGlobal(place)
        event = QMouseEvent(QEvent.Type.MouseMove, place, shown, none, none, Keys.NoModifier)
        QApplication.sendEvent(widget, event)

    def prior(self) -> None:
        """The phantom and its prior beside."""
        self.images()
        self.perform("hanging.prior_beside")
        here, beside = self.grid.panes()[:2]
        self.d.until(lambda: beside.stack() not in (None, here.stack()))
        self.d.until(lambda: self.grid.panes()[1].model.arrived_share == 1.0)
        self.grid.set_active(0)
        self.d.reading.focus_images()

    def mark_at(self, index: int) -> Mark:
        """Return a length on an image of the main series."""
        stack = self.d.viewport.stack()
        instance, number = stack.frames[index]
        return Mark(
            kind=MarkKind.LENGTH,
            points=((40.0, 40.0), (80.0, 40.0)),
            series_instance_uid=stack.series.series_instance_uid,
            series_key=stack.series.key,
            sop_instance_uid=stack.series.instances[instance].sop_instance_uid,
            frame_number=number,
        )

    def mark(self) -> None:
        """A mark on the image that is shown, selected."""
        self.images()
        mark = self.mark_at(self.state.index)
        self.board.add(mark)
        self.board.select(mark.id)

    def lesion(self) -> None:
        """A selected mark that belongs to a lesion."""
        self.mark()
        self.perform("window.mark_new_lesion")

    def mpr(self) -> None:
        """The three planes as they come up."""
        if self.stage.name == reformat.WORKSPACE and self.is_open(PHANTOM):
            self.tidy()
            workspace = self.stage.workspace
            self.d.until(lambda: self.planes.state is not None)
            if workspace.cell.shows_volume:
                self.perform("reformat.volume")
            if self.planes.drawing_curve:
                self.perform("reformat.curved")
            self.planes.reset()
            workspace.planes[self.planes.active].setFocus()
            return
        self.images()
        self.perform(reformat.WORKSPACE)
        self.d.until(lambda: self.stage.name == reformat.WORKSPACE)
        self.d.until(lambda: self.planes.state is not None)

    def turned(self) -> None:
        """The three planes, turned, with a slab."""
        self.mpr()
        self.perform("viewport.planes_turn_right")
        if self.planes.slab().mode is SlabMode.OFF:
            self.perform("viewport.slab_mode")

    def in_3d(self) -> None:
        """The 3D view from the front with nothing cut away; drawn when it is entered."""
        if self.stage.name == rendering.WORKSPACE and self.is_open(PHANTOM):
            self.tidy()
            view = self.stage.workspace.view
            self.d.until(view.is_current)
            view.setFocus()
            self.d.until(lambda: not view.editor.aside.is_busy)
            while self.volume.removals():
                self.perform("rendering.undo")
            self.volume.hand, self.volume.cropping = Hand.ROTATE, False
            self.perform("rendering.preset.ct_bone")
            self.volume.reset()
            return
        self.images()
        self.perform(rendering.WORKSPACE)
        view = self.stage.workspace.view
        self.d.until(view.is_current)

    def in_3d_of(self, name: str) -> None:
        """The 3D view of the MR, or of the PET."""
        self.open(name if name in self.studies else FUSED)
        if name not in self.studies:
            found = next(one for one in self.area.study().series if one.modality == "PT")
            self.area.show_series(found.key)
            self.d.until(lambda: self.d.viewport.stack().series.key == found.key)
            self.d.until(lambda: self.model.arrived_share == 1.0)
        self.perform(rendering.WORKSPACE)
        self.d.until(self.stage.workspace.view.is_current)

    def sentence(self) -> None:
        """The drafted report with the keyboard in its text and the first sentence chosen."""
        self.images()
        editor = self.d.panel.editor
        editor.select_sentence(editor.rows()[0])
        editor.setFocus()


def window_of(centre: float) -> WindowPreset:
    """Return a window that no preset has."""
    return WindowPreset(center=centre, width=777.0)


Step = Callable[[Stand], object]

"""Undo over report, marks and key images: Ctrl+Z takes back the newest act and says what it was."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, Signal

from app.key_images import KEY_IMAGE_WORDS, KeyImagesHistory, KeyImagesTold
from app.marks import MarksHistory, MarksTold, Way
from app.report_history import Change
from app.report_model import ReportModel
from app.shell.marks.words import change_words
from app.timeline import History, Owner, Step, Timeline

REPORT_WORDS: dict[str, str] = {
    "report.accept": QT_TRANSLATE_NOOP("Undoing", "sentence accepted"),
    "report.accept_candidate": QT_TRANSLATE_NOOP("Undoing", "candidate accepted"),
    "report.accept_finding": QT_TRANSLATE_NOOP("Undoing", "finding accepted"),
    "report.ask": QT_TRANSLATE_NOOP("Undoing", "question changed"),
    "report.attach_slot": QT_TRANSLATE_NOOP("Undoing", "measured value put back"),
    "report.delete": QT_TRANSLATE_NOOP("Undoing", "sentence deleted"),
    "report.delete_selection": QT_TRANSLATE_NOOP("Undoing", "selection deleted"),
    "report.edit_text": QT_TRANSLATE_NOOP("Undoing", "text changed"),
    "report.flip_side": QT_TRANSLATE_NOOP("Undoing", "side changed"),
    "report.insert": QT_TRANSLATE_NOOP("Undoing", "sentence written"),
    "report.item": QT_TRANSLATE_NOOP("Undoing", "state of an item"),
    "report.join": QT_TRANSLATE_NOOP("Undoing", "sentences joined"),
    "report.keep_risk": QT_TRANSLATE_NOOP("Undoing", "reason to keep a sentence"),
    "report.link": QT_TRANSLATE_NOOP("Undoing", "evidence linked"),
    "report.link_region": QT_TRANSLATE_NOOP("Undoing", "region linked"),
    "report.load_draft": QT_TRANSLATE_NOOP("Undoing", "draft"),
    "report.normals": QT_TRANSLATE_NOOP("Undoing", "normals inserted"),
    "report.reject": QT_TRANSLATE_NOOP("Undoing", "sentence struck"),
    "report.reject_candidate": QT_TRANSLATE_NOOP("Undoing", "candidate rejected"),
    "report.restore": QT_TRANSLATE_NOOP("Undoing", "sentence restored"),
    "report.split": QT_TRANSLATE_NOOP("Undoing", "sentence broken in two"),
    "report.unlink": QT_TRANSLATE_NOOP("Undoing", "evidence unlinked"),
}
"""What each act on the report did; an act that is missing is "change of the report"."""


def tr(text: str) -> str:
    """Translate words of an act."""
    return QCoreApplication.translate("Undoing", text)


class Undoing(QObject):
    """Keeps the order of acts of the report and of the marks, and steps through it.

    Signals
    -------
    said(str)
        What was taken back or done again.
    """

    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timeline = Timeline()
        self._report: ReportModel | None = None

    @property
    def can_undo(self) -> bool:
        """True when there is an act to take back."""
        return self._timeline.newest is not None

    @property
    def can_redo(self) -> bool:
        """True when an act was taken back."""
        return self._timeline.taken_back is not None

    def watch(self, model: ReportModel | None) -> None:
        """Take the report that is open; the one before has no way back any more."""
        self._report = model
        self._take(Owner.REPORT, model)

    def watch_marks(self, history: MarksHistory | None) -> None:
        """Take the marks of the study that is open."""
        self._take(Owner.MARKS, history)
        if history is not None:
            history.subscribe(self._marks_told)

    def watch_key_images(self, history: KeyImagesHistory | None) -> None:
        """Take the key images of the study that is open."""
        self._take(Owner.KEY_IMAGES, history)
        if history is not None:
            history.subscribe(self._key_images_told)

    def _take(self, owner: Owner, history: History | None) -> None:
        self._timeline.forget(owner)
        if history is None:
            self._timeline.histories.pop(owner, None)
        else:
            self._timeline.histories[owner] = history

    def heard(self, change: Change) -> None:
        """Hear of a change of the report."""
        if self._report is not None and self._report.is_locked:
            self._timeline.forget(Owner.REPORT)
        elif change.is_act:
            self._timeline.did(Owner.REPORT, change.act)
        elif change.is_undo:
            self._timeline.undone(Owner.REPORT)
        elif change.is_redo:
            self._timeline.redone(Owner.REPORT)

    def _marks_told(self, told: MarksTold) -> None:
        if told.change is None:
            return
        steps = {
            Way.NEW: lambda: self._timeline.did(Owner.MARKS, change_words(told.change)),
            Way.UNDO: lambda: self._timeline.undone(Owner.MARKS),
            Way.REDO: lambda: self._timeline.redone(Owner.MARKS),
        }
        steps[told.way]()

    def _key_images_told(self, told: KeyImagesTold) -> None:
        steps = {
            Way.NEW: lambda: self._timeline.did(Owner.KEY_IMAGES, tr(KEY_IMAGE_WORDS[told.act])),
            Way.UNDO: lambda: self._timeline.undone(Owner.KEY_IMAGES),
            Way.REDO: lambda: self._timeline.redone(Owner.KEY_IMAGES),
        }
        steps[told.way]()

    def undo(self) -> None:
        """Take back the newest act, of whichever it was, and say what."""
        step = self._timeline.undo()
        self.said.emit(
            tr("Nothing to undo") if step is None else tr("Undone: {act}").format(act=_words(step))
        )

    def redo(self) -> None:
        """Do again what was taken back last, and say what."""
        step = self._timeline.redo()
        self.said.emit(
            tr("Nothing to do again")
            if step is None
            else tr("Done again: {act}").format(act=_words(step))
        )


def _words(step: Step) -> str:
    if step.owner is not Owner.REPORT:
        return step.act
    return tr(REPORT_WORDS.get(step.act, "change of the report"))

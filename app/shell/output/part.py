"""What leaves, as a part of the reading page: copies, pictures, prints, exports; each is recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPdfWriter
from PySide6.QtWidgets import QFileDialog, QWidget
from shiboken6 import isValid

from app.desk import Desk
from app.documents import program_name
from app.exporting.answers import Cleaned
from app.exporting.client import Exported
from app.files import write_private
from app.marks import marks_of_study
from app.shell.background import Job
from app.shell.output.deidentify import DeidentifyDialog
from app.shell.output.key_images_part import KeyImagesPart
from app.shell.output.picture import identity_words, picture_of
from app.shell.output.print import PrintChooser, PrintWish, What
from app.shell.output.sheet import Sheet, SheetPicture, print_sheet, set_paper
from app.shell.parts import PartContext, SidePage
from reports.export.burned_in import OFTEN_BURNED_IN
from reports.export.deidentify_profile import Choices
from reports.export.text import report_text
from viewer.imaging.study import Study
from viewer.imaging.worker.host import CancelToken
from viewer.views.stack_view import StackView

PRINT_RATIO = 3.0
"""Picture pixels for one widget pixel on paper: about 300 dpi for a viewport as wide as a page."""

SAVED_RATIO = 2.0

STORE_SECONDS = 60.0
"""How long an export waits for the entry in the log."""

OF_IMAGE = frozenset(
    ("viewport.copy_image", "window.copy_image_named", "window.save_image", "window.save_image_named")
)


class OutputPart(QObject):
    """Acts by which pictures and data leave the program."""

    _advanced = Signal(int, int)
    _ask_store = Signal(object, object)

    def __init__(self, context: PartContext) -> None:
        super().__init__(context.area)
        self._context = context
        self._study: Study | None = None
        self._desk: Desk | None = None
        self.chooser: PrintChooser | None = None
        self.dialog: DeidentifyDialog | None = None
        self._cancel: CancelToken | None = None
        self._jobs: list[Job] = []
        self._acts: dict[str, Callable[[], object]] = {
            "viewport.copy_image": lambda: self.copy_image(with_patient=False),
            "window.copy_image_named": lambda: self.copy_image(with_patient=True),
            "window.save_image": lambda: self.choose_picture(with_patient=False),
            "window.save_image_named": lambda: self.choose_picture(with_patient=True),
            "window.print": self.choose_print,
            "window.deidentify": self.choose_deidentify,
            "window.export_marks": self.choose_marks,
        }
        self._advanced.connect(self._show_progress)
        self._ask_store.connect(self._run_on_store)

    # --- what the page asks ------------------------------------------------------------------------

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return what this part does, by the name of the act."""
        return self._acts

    def why_not(self, act: str) -> str:
        """Return why one of its acts is not possible now, or empty."""
        if self._study is None or self._desk is None:
            return self.tr("no study is open")
        if act in OF_IMAGE:
            return self._no_image()
        has_own = any(mark.is_own for mark in self._context.area.marks.marks)
        return (
            self.tr("there is no mark of yours") if act == "window.export_marks" and not has_own else ""
        )

    def _no_image(self) -> str:
        if self._context.area.stage.workspace is not None:
            return self.tr("leave planes and 3D first: only viewports are copied")
        view = self._active()
        if view is None or view.model.stack is None:
            return self.tr("no image is shown here")
        return "" if view.model.shown_index() == view.model.state.index else self.tr("it is loading")

    def side_page(self) -> SidePage | None:
        """Return none: there is nothing to list."""
        return None

    def sit_down(self, desk: Desk) -> None:
        """Record at this desk from now on."""
        self._desk = desk

    def open_study(self, study: Study | None) -> None:
        """Close what belongs to the study before."""
        self._study = study
        self._stop()
        for card in (self.chooser, self.dialog):
            if card is not None and isValid(card):
                card.dismiss()

    def flush(self, then: Callable[[bool], None]) -> None:
        """Nothing waits."""
        then(True)

    def close(self) -> None:
        """Stop what runs."""
        self._stop()
        for job in self._jobs:
            job.drop()

    # --- pictures ----------------------------------------------------------------------------------

    def _active(self) -> StackView | None:
        pane = self._context.area.grid.active_pane()
        return pane if isinstance(pane, StackView) else None

    def _views(self) -> list[StackView]:
        panes = self._context.area.grid.panes()
        return [one for one in panes if isinstance(one, StackView) and one.model.stack is not None]

    def copy_image(self, *, with_patient: bool) -> None:
        """Put the picture of the active viewport on the clipboard, once the log has it."""
        view = self._active()
        if view is None:
            return
        picture = picture_of(view, with_patient=with_patient, ratio=view.devicePixelRatioF())

        def leave() -> None:
            QGuiApplication.clipboard().setImage(picture)
            self._context.say(self._left_words(view, self.tr("Copied"), with_patient=with_patient))

        self._record(_form("picture", with_patient, "copied"), png_of(picture), leave)

    def choose_picture(self, *, with_patient: bool) -> None:
        """Ask where to write the picture of the active viewport."""
        chosen, _kind = QFileDialog.getSaveFileName(
            self._context.window(), self.tr("Save image"), str(Path.home() / "image.png"), "PNG (*.png)"
        )
        if chosen:
            self.save_picture(Path(chosen), with_patient=with_patient)

    def save_picture(self, path: Path, *, with_patient: bool) -> None:
        """Write the picture of the active viewport as PNG, once the log has it."""
        view = self._active()
        if view is None:
            return
        content = png_of(picture_of(view, with_patient=with_patient, ratio=SAVED_RATIO))

        def leave() -> None:
            try:
                write_private(path, content)
            except OSError as error:
                self._failed(self.tr("The image was not saved"), error)
                return
            self._context.say(self._left_words(view, self.tr("Saved"), with_patient=with_patient))

        self._record(_form("picture", with_patient, "saved"), content, leave)

    def _left_words(self, view: StackView, what: str, *, with_patient: bool) -> str:
        if with_patient:
            return self.tr("{what} with patient data").format(what=what)
        words = self.tr("{what} without patient data").format(what=what)
        stack = view.model.stack
        if stack is not None and stack.series.modality in OFTEN_BURNED_IN:
            words += ". " + self.tr("Look: text in the pixels themselves stays")
        return words

    # --- print -------------------------------------------------------------------------------------

    def choose_print(self) -> None:
        """Ask what to print."""
        from PySide6.QtPrintSupport import QPrinterInfo

        if not self._is_here(self.chooser):
            self.chooser = PrintChooser(self._context.theme, self._context.area.window())
            self.chooser.printWanted.connect(self.send_to_printer)
            self.chooser.pdfWanted.connect(self._choose_pdf)
        chooser = self.chooser
        assert chooser is not None
        model = self._context.model()
        kept = self._key_images()
        reasons = {
            What.VIEWPORT: self._no_image(),
            What.VIEWPORTS: "" if self._views() else self.tr("no image is shown here"),
            What.KEY_IMAGES: "" if kept else self.tr("there are no key images"),
            What.REPORT: "" if model is not None and model.sentences else self.tr("there is no report"),
        }
        shown = {what: words[:1].upper() + words[1:] for what, words in reasons.items()}
        has_printer = bool(QPrinterInfo.availablePrinterNames())
        chooser.ask(shown, self._context.area.stage, has_printer=has_printer)

    def _key_images(self) -> KeyImagesPart | None:
        """Return the part of key images when it has any."""
        found = self._context.area.findChild(KeyImagesPart)
        return found if found is not None and found.history and found.history.images else None

    def send_to_printer(self, wish: PrintWish) -> None:
        """Let the person choose a printer, then print."""
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter

        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        set_paper(printer, wish.paper, landscape=wish.landscape)
        if QPrintDialog(printer, self._context.window()).exec() != QPrintDialog.DialogCode.Accepted:
            return
        sheet = self.sheet(wish)

        def leave() -> None:
            pages = print_sheet(printer, sheet, self._context.theme.font("base").family())
            self._context.say(
                self.tr("Sent to the printer, pages: {n}").format(n=pages)
                if pages
                else self.tr("The printer could not be opened")
            )

        self._record(_form(str(wish.what), wish.with_patient, "printed"), _ink_of(sheet), leave)

    def _choose_pdf(self, wish: PrintWish) -> None:
        chosen, _kind = QFileDialog.getSaveFileName(
            self._context.window(),
            self.tr("Save as PDF"),
            str(Path.home() / "sheet.pdf"),
            "PDF (*.pdf)",
        )
        if chosen:
            self.print_to_pdf(wish, Path(chosen))

    def print_to_pdf(self, wish: PrintWish, path: Path) -> None:
        """Write the sheet as a PDF, once the log has it."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        writer = QPdfWriter(buffer)
        writer.setResolution(300)
        writer.setCreator("Sightline")
        writer.setTitle("Sightline")
        set_paper(writer, wish.paper, landscape=wish.landscape)
        pages = print_sheet(writer, self.sheet(wish), self._context.theme.font("base").family())
        del writer
        buffer.close()
        pdf = buffer.data().data()

        def leave() -> None:
            try:
                write_private(path, pdf)
            except OSError as error:
                self._failed(self.tr("The PDF was not written"), error)
                return
            self._context.say(self.tr("Written: {name}, pages: {n}").format(name=path.name, n=pages))

        self._record(_form(str(wish.what), wish.with_patient, "printed to PDF"), pdf, leave)

    def sheet(self, wish: PrintWish) -> Sheet:
        """Return what a wish prints, rendered for paper."""
        head = identity_words(self._study) if wish.with_patient else self.tr("Without patient data")
        model = self._context.model()
        if wish.what is What.REPORT:
            text = "" if model is None else report_text(model.report)
            return Sheet(head=identity_words(self._study), text=text)
        if wish.what is What.KEY_IMAGES:
            kept = self._key_images()
            pictures = (
                () if kept is None else kept.printed(with_patient=wish.with_patient, ratio=PRINT_RATIO)
            )
            return Sheet(head=head, pictures=pictures, columns=min(2, max(1, len(pictures))))
        active = self._active()
        views = self._views() if wish.what is What.VIEWPORTS else [one for one in (active,) if one]
        columns = self._context.area.grid.arrangement.shape[1] if wish.what is What.VIEWPORTS else 1
        pictures = tuple(
            SheetPicture(picture_of(view, with_patient=wish.with_patient, ratio=PRINT_RATIO))
            for view in views
        )
        return Sheet(head=head, pictures=pictures, columns=columns)

    # --- marks -------------------------------------------------------------------------------------

    def choose_marks(self) -> None:
        """Ask for the folder of the marks."""
        chosen = QFileDialog.getExistingDirectory(
            self._context.window(), self.tr("Export marks into"), str(Path.home())
        )
        if chosen:
            self.export_marks(Path(chosen))

    def export_marks(self, folder: Path) -> None:
        """Write the marks as SR, brushed ones also as SEG; what is drawn is saved first."""
        self._context.save_all(lambda is_saved: self._write_saved(folder, is_saved=is_saved))

    def _write_saved(self, folder: Path, *, is_saved: bool) -> None:
        if is_saved:
            self._write_marks(folder)
        else:
            self._context.problem(
                self.tr("The marks were not exported"),
                self.tr("What was drawn last could not be saved, so the files would lack it."),
                self.tr("Try again as soon as the marks are saved."),
            )

    def _write_marks(self, folder: Path) -> None:
        desk, study, thread = self._desk, self._study, self._context.store_thread()
        if desk is None or study is None or thread is None:
            return
        uid, engine = study.study_instance_uid, self._context.engine

        def work() -> Exported:
            return engine.exporting.export_marks(
                study,
                marks_of_study(desk, uid),
                folder,
                lambda form, digest: desk.record_export(uid, form, digest),
                person=desk.account.printed_name,
                program=program_name(),
            )

        def done(exported: Exported) -> None:
            names = ", ".join(path.name for path in exported.files)
            self._context.say(self.tr("Written: {name}").format(name=names))
            if exported.left_out:
                self._context.problem(
                    self.tr("Some marks were not written"),
                    " ".join(exported.left_out),
                    self.tr("They are in the structured report as outlines."),
                )

        self._jobs.append(
            thread.run(work, done, lambda e: self._failed(self.tr("The marks were not exported"), e))
        )

    # --- de-identified export ----------------------------------------------------------------------

    def choose_deidentify(self) -> None:
        """Open the dialog and look at the images."""
        study = self._study
        if study is None:
            return
        if not self._is_here(self.dialog):
            self.dialog = DeidentifyDialog(self._context.theme, self._context.area.window())
            self.dialog.folderWanted.connect(self._choose_folder)
            self.dialog.zipWanted.connect(self._choose_zip)
            self.dialog.stopWanted.connect(self._stop)
        dialog = self.dialog
        assert dialog is not None
        dialog.ask(self._context.area.stage)
        engine = self._context.engine
        self._jobs.append(
            self._context.work.run(
                lambda: engine.exporting.survey(study),
                dialog.show_survey,
                lambda error: dialog.show_failed(str(error)),
            )
        )

    def _choose_folder(self, choices: Choices) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self._context.window(), self.tr("Export into a new folder in"), str(Path.home())
        )
        if chosen:
            self.deidentify(choices, _free(Path(chosen) / "without-patient-data"))

    def _choose_zip(self, choices: Choices) -> None:
        chosen, _kind = QFileDialog.getSaveFileName(
            self._context.window(),
            self.tr("Export as ZIP"),
            str(Path.home() / "without-patient-data.zip"),
            "ZIP (*.zip)",
        )
        if chosen:
            path = Path(chosen)
            self.deidentify(choices, path if path.suffix.lower() == ".zip" else Path(f"{chosen}.zip"))

    def deidentify(self, choices: Choices, target: Path) -> None:
        """Write copies without patient data; the dialog shows how far it is and what was done."""
        desk, study, dialog = self._desk, self._study, self.dialog
        if desk is None or study is None or dialog is None:
            return
        uid, engine, token = study.study_instance_uid, self._context.engine, CancelToken()
        self._cancel = token
        dialog.start()

        def work() -> Cleaned:
            return engine.exporting.deidentify(
                study,
                choices,
                target,
                lambda form, digest: self._on_store(lambda: desk.record_export(uid, form, digest)),
                on_progress=self._advanced.emit,
                cancel=token,
            )

        self._jobs.append(
            self._context.work.run(
                work,
                lambda cleaned: dialog.show_done(cleaned, target.name),
                lambda error: dialog.show_failed(str(error)),
            )
        )

    def _show_progress(self, done: int, total: int) -> None:
        if self.dialog is not None and isValid(self.dialog):
            self.dialog.show_progress(done, total)

    def _stop(self) -> None:
        if self._cancel is not None:
            self._cancel.cancel()
            self._cancel = None

    # --- the log -----------------------------------------------------------------------------------

    def _on_store(self, call: Callable[[], None]) -> None:
        """Run a call on the thread of the store, from a thread that works, and wait for it."""
        answer: Future[None] = Future()
        self._ask_store.emit(call, answer)
        answer.result(timeout=STORE_SECONDS)

    def _run_on_store(self, call: Callable[[], None], answer: Future[None]) -> None:
        thread = self._context.store_thread()
        if thread is None:
            answer.set_exception(RuntimeError(self.tr("Nobody is signed in any more.")))
            return
        thread.run(call, answer.set_result, answer.set_exception)

    def _record(self, form: str, content: bytes, leave: Callable[[], None]) -> None:
        """Let something leave once the log has it: a store that takes no entry lets nothing out."""
        desk, study, thread = self._desk, self._study, self._context.store_thread()
        if desk is None or study is None or thread is None:
            return
        uid, digest = study.study_instance_uid, hashlib.sha256(content).hexdigest()
        self._jobs = self._jobs[-20:]
        self._jobs.append(
            thread.run(
                lambda: desk.record_export(uid, form, digest),
                lambda _none: leave(),
                lambda error: self._failed(self.tr("Nothing left the program"), error),
            )
        )

    def _failed(self, what: str, error: Exception) -> None:
        self._context.problem(what, str(error), self.tr("Try again, or choose another place."))

    def _is_here(self, card: QWidget | None) -> bool:
        """Return whether a card is over the images: they may have gone to a second screen."""
        if card is None or not isValid(card):
            return False
        if card.parentWidget() is self._context.area.window():
            return True
        card.deleteLater()
        return False


def _form(what: str, with_patient: bool, how: str) -> str:
    named = "with" if with_patient else "without"
    return f"{what} {named} patient data, {how}"


def png_of(picture: QImage) -> bytes:
    """Return a picture as PNG, without any words beside its pixels."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    buffer.close()
    return buffer.data().data()


def _ink_of(sheet: Sheet) -> bytes:
    """Return what a printed sheet is made of, for the hash in the log."""
    return sheet.text.encode() + b"".join(bytes(one.image.constBits()) for one in sheet.pictures)


def _free(path: Path) -> Path:
    """Return a path that is not taken: with a number where it is."""
    number = 2
    free = path
    while free.exists():
        free = path.with_name(f"{path.name}-{number}")
        number += 1
    return free

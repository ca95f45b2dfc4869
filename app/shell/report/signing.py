"""Signing, exporting and copying the report that is open; the store's work runs on its thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.desk import Desk, SignedDocument
from app.report_model import ReportModel
from app.shell.background import Background
from app.shell.report.sign_dialog import SignDialog, Signer
from app.shell.saving import ReportSaver
from reports.domain import Report, ReportAct, Trace
from reports.export.text import report_text
from reports.store.errors import TooSoonError, WrongPasswordError
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.theme import Theme


@dataclass(frozen=True)
class OnTheDesk:
    """What a document is made of: the report, its study, and the pixels when they are in."""

    model: ReportModel
    study: Study
    opened: OpenStack | None
    trace: Trace | None
    images_now: int | None
    beside: tuple[OpenStack, ...] = ()
    """Other series of the study that are open: key images may lie on them."""

    @contextmanager
    def pixels(self) -> Iterator[ImageStack | None]:
        """Keep the pixels while a document is made of them, whatever the window opens meanwhile."""
        try:
            yield None if self.opened is None else self.opened.stack
        finally:
            for one in self._all():
                one.buffer.unlease()

    def lease(self) -> None:
        """Claim the pixels in the window's thread, before `pixels` is entered in another."""
        for one in self._all():
            one.buffer.lease()

    def others(self) -> tuple[ImageStack, ...]:
        """Return the other open series, while `pixels` is entered."""
        return tuple(one.stack for one in self.beside)

    def _all(self) -> tuple[OpenStack, ...]:
        return self.beside if self.opened is None else (self.opened, *self.beside)


class Signing(QObject):
    """Turns the open report into documents.

    Parameters
    ----------
    on_the_desk
        Returns what is open, or none.

    Signals
    -------
    signed(Report)
        The signed report, as the store has it.
    showWanted(str)
        A sentence to jump to from the dialog.
    doing(str), said(str)
        Words for the status line; words for a passing message.
    failed(str, str, str)
        What, why, what now.
    """

    signed = Signal(object)
    showWanted = Signal(str)
    doing = Signal(str)
    said = Signal(str)
    failed = Signal(str, str, str)

    def __init__(
        self,
        theme: Theme,
        desk: Desk,
        thread: Background,
        saver: ReportSaver,
        on_the_desk: Callable[[], OnTheDesk | None],
        *,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._theme, self._desk, self._thread, self._saver = theme, desk, thread, saver
        self._on_the_desk = on_the_desk
        self._page = parent
        self.dialog: SignDialog | None = None

    # --- signing -----------------------------------------------------------------------------------

    def ask(self) -> None:
        """Open the signing dialog."""
        found = self._on_the_desk()
        if found is None or found.model.is_locked or not found.model.sentences or self.dialog:
            return
        account = self._desk.account
        self.dialog = SignDialog(
            self._theme,
            found.model,
            Signer(account.printed_name, account.role),
            images_now=found.images_now,
            parent=self._page.window(),
        )
        self.dialog.attempted.connect(self._attempt)
        self.dialog.showWanted.connect(self.showWanted)
        self.dialog.finished.connect(self._closed)
        self.dialog.open()

    def dismiss(self) -> None:
        """Close the dialog without a signature."""
        if self.dialog is not None:
            self.dialog.reject()

    def _closed(self, _result: int) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _attempt(self, password: str, act: ReportAct) -> None:
        self._saver.flush(lambda is_saved: self._seal(password, act, is_saved=is_saved))

    def _seal(self, password: str, act: ReportAct, *, is_saved: bool) -> None:
        found, dialog = self._on_the_desk(), self.dialog
        if found is None or dialog is None:
            return
        if not is_saved:
            dialog.show_error(self.tr("The report could not be saved, so it was not signed."))
            return
        report, ledger = found.model.report, found.model.ledger
        found.lease()

        def work() -> SignedDocument:
            with found.pixels() as stack:
                return self._desk.sign(
                    report,
                    ledger,
                    found.study,
                    stack,
                    password,
                    final=act is not ReportAct.SIGN_PRELIMINARY,
                    trace=found.trace,
                    others=found.others(),
                )

        self.doing.emit(self.tr("Signing and sealing"))
        self._thread.run(work, self._sealed, lambda error: self._not_sealed(found.model, error))

    def _sealed(self, document: SignedDocument) -> None:
        self.doing.emit("")
        if self.dialog is not None:
            self.dialog.accept()
        self.signed.emit(document.report)

    def _not_sealed(self, model: ReportModel, error: Exception) -> None:
        self.doing.emit("")
        self._take_revision(model)
        if self.dialog is None:
            return
        wait = error.wait_seconds if isinstance(error, (WrongPasswordError, TooSoonError)) else 0.0
        words = str(error)
        if isinstance(error, WrongPasswordError):
            words = self.tr("The password is wrong. Nothing was signed.")
        elif isinstance(error, TooSoonError):
            words = self.tr("Too soon after a wrong password.")
        self.dialog.show_error(words, wait)

    def _take_revision(self, model: ReportModel) -> None:
        """Take over the revision that an attempt saved before its password was found wrong."""
        report_id, account = model.report.id, self._desk.account

        def done(stored: Report) -> None:
            model.saved(stored)

        self._thread.run(
            lambda: self._desk.store.reports.latest(report_id, account),
            done,
            lambda error: self.failed.emit(
                self.tr("The report cannot be read again"), str(error), self.tr("Open it anew.")
            ),
        )

    # --- documents ---------------------------------------------------------------------------------

    def export_to(self, path: Path) -> None:
        """Write the document: the sealed one of a signed report, else one marked DRAFT."""
        found = self._on_the_desk()
        if found is None:
            return
        report, ledger, candidates = found.model.report, found.model.ledger, found.model.candidates
        found.lease()

        def work() -> Path:
            with found.pixels() as stack:
                return self._desk.export_pdf(
                    report,
                    ledger,
                    found.study,
                    stack,
                    path,
                    candidates=candidates,
                    trace=found.trace,
                    others=found.others(),
                )

        def done(written: Path) -> None:
            self.doing.emit("")
            self.said.emit(self.tr("Written: {name}").format(name=written.name))

        def failed(error: Exception) -> None:
            self.doing.emit("")
            self.failed.emit(
                self.tr("The document was not written"), str(error), self.tr("Choose another place.")
            )

        self.doing.emit(self.tr("Writing the document"))
        self._thread.run(work, done, failed)

    def copy_text(self) -> None:
        """Put the report on the clipboard as text, as it would be printed, once the log has it."""
        found = self._on_the_desk()
        if found is None:
            return
        report = found.model.report
        text, desk = report_text(report), self._desk

        def leave(_none: None) -> None:
            QGuiApplication.clipboard().setText(text)
            self.said.emit(self.tr("The report is on the clipboard"))

        def failed(error: Exception) -> None:
            self.failed.emit(self.tr("The report was not copied"), str(error), "")

        self._thread.run(lambda: desk.record_text(report, text), leave, failed)

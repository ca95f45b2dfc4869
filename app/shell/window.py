"""The window: its strips, its pages, the acts that belong to no page, lock and import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from app.desk import Desk
from app.engine import Engine
from app.shell.act_binding import ACTS, bind_acts
from app.shell.background import Background
from app.shell.command_palette import CommandPalette
from app.shell.header import AlertStrip, DropFrame, ErrorStrip, NoticeStrip, StatusLine
from app.shell.pictures import Pictures
from app.shell.preferences.personal import Personal
from app.shell.reading import ReadingPage
from app.shell.session import OpenDesk, Session
from app.shell.shortcut_sheet import ShortcutSheet
from app.shell.sign_in import SignInPage, StorePage
from app.shell.window_acts import WindowActs
from app.shell.worklist.entries import Entry, entries_of
from app.shell.worklist.import_report import ImportBar, Imported
from app.shell.worklist.importing import Importing
from app.shell.worklist.page import WorklistPage
from app.shell.worklist.search import WorklistSearch
from inference.models.registry import InstalledModel
from viewer.acts import Scope
from viewer.imaging.reader import Reader
from viewer.views.plain_tip import plain_tip
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.theme import Theme

if TYPE_CHECKING:
    from reports.store.accounts import Account

ARCHIVE_FOLDER = "archive"
"""Sub-folder of the home into which ZIP files are unpacked."""

SMALLEST = (1100, 640)
"""Least size of the window, logical pixels."""


class SightlineWindow(QWidget):
    """The one window of the program.

    Parameters
    ----------
    home
        Folder of the store.
    paths
        Files to import once somebody is signed in; a single study among them is opened.
    sign_in_as
        Name and password to sign in with at once: the demonstration's.
    open_desk
        How the store is opened; `Desk.open` with the home and a passphrase.
    """

    studiesListed = Signal()
    """The worklist was read from the store."""

    def __init__(
        self,
        home: Path,
        paths: Sequence[Path] = (),
        *,
        theme: Theme | None = None,
        sign_in_as: tuple[str, str] | None = None,
        open_desk: OpenDesk | None = None,
    ) -> None:
        super().__init__()
        self.theme = theme or Theme()
        self._home = home
        self._paths = tuple(paths)
        self._sign_in_as = sign_in_as
        self._page_before: QWidget | None = None
        self._is_closing = self._is_down = self._opens = False
        self.engine = Engine(home, archive=home / ARCHIVE_FOLDER)
        # Import and small pictures have a worker of their own: they never make a reader wait.
        self.library = Reader(archive_dir=home / ARCHIVE_FOLDER)
        self.store_thread = Background(1, self)
        self.work = Background(1, self)
        self.pictures = Pictures(self.library, self)
        self._build()
        self.session = Session(
            home,
            open_desk or (lambda folder, secret: Desk.open(folder, passphrase=secret)),
            self.store_thread,
            unsaved=self._has_unsaved,
            finish=self._finish,
            store_page=self.store_page,
            sign_in_page=self.sign_in_page,
            parent=self,
        )
        self.importing = Importing(
            self.library, self.import_bar, self.store_thread, lambda: self.desk, self
        )
        self.searching = WorklistSearch(self.worklist, self.store_thread, lambda: self.desk)
        self.personal = Personal(self, home)
        self.acts = WindowActs(self)
        self._connect()
        self._name_model()
        self.session.open_store()

    def _build(self) -> None:
        theme = self.theme
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle("Sightline")
        self.setAcceptDrops(True)
        self.setMinimumSize(theme.px(SMALLEST[0]), theme.px(SMALLEST[1]))
        self.notice = NoticeStrip(theme)
        self.alert = AlertStrip(theme)
        self.error = ErrorStrip(theme)
        self.store_page = StorePage(theme, self._home)
        self.sign_in_page = SignInPage(theme)
        self.worklist = WorklistPage(theme, self.pictures)
        self.reading = ReadingPage(theme, self.engine, ReaderAdapter(self.engine.reader, self))
        self.pages = QStackedWidget()
        for page in (self.store_page, self.sign_in_page, self.worklist, self.reading):
            self.pages.addWidget(page)
        self.import_bar = ImportBar(theme)
        self.status = StatusLine(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.notice, self.alert, self.error):
            column.addWidget(widget)
        column.addWidget(self.pages, 1)
        column.addWidget(self.import_bar)
        column.addWidget(self.status)
        self.drop_frame = DropFrame(self, theme)
        self.palette_layer = CommandPalette(theme, self, ACTS, self.why_not)
        self.sheet = ShortcutSheet(theme, self, ACTS)
        bind_acts(self, [act for act in ACTS if act.scope is not Scope.VIEWPORT], self._ask)

    def _connect(self) -> None:
        self.session.deskOpened.connect(self._desk_opened)
        self.session.entered.connect(self._entered)
        self.session.left.connect(self._left)
        self.session.failed.connect(self._say)
        self.worklist.openWanted.connect(self.open_entry)
        self.worklist.folderWanted.connect(self.choose_folder)
        self.worklist.filesWanted.connect(self.choose_files)
        self.reading.header.worklistWanted.connect(self.show_worklist)
        self.reading.header.stepWanted.connect(self.step_study)
        self.reading.doing.connect(self.status.set_doing)
        self.reading.savedAt.connect(self.status.set_saved)
        self.reading.exportWanted.connect(self.choose_export)
        for bar in (self.worklist.session, self.reading.header.session):
            bar.paletteWanted.connect(self.open_palette)
            bar.lockWanted.connect(self.session.lock)
            bar.signOutWanted.connect(self.sign_out)
        self.importing.imported.connect(self._imported)
        self.importing.doing.connect(self.status.set_doing)
        self.import_bar.listWanted.connect(self.show_import_report)
        self.palette_layer.actWanted.connect(self.perform)
        self.palette_layer.sentenceWanted.connect(self.reading.panel.show_sentence)
        self.palette_layer.sheetWanted.connect(self.sheet.open)

    # --- who is signed in --------------------------------------------------------------------------

    @property
    def desk(self) -> Desk | None:
        """The desk of the open store."""
        return self.session.desk

    @property
    def account(self) -> Account | None:
        """Who is signed in, or locked the screen."""
        return self.session.account

    def _desk_opened(self, desk: Desk) -> None:
        self.reading.sit_down(desk, self.store_thread)
        self.notice.show_badge(desk.badge)
        alert = desk.alert
        if alert is not None:
            words = self.tr(
                "The audit log does not hold: {why} The store is open for reading only. "
                "Keep this machine as it is and call whoever runs it; "
                "\u201csightline audit verify\u201d tells more."
            )
            self.alert.show_alert(words.format(why=alert.message))
        self.pages.setCurrentWidget(self.sign_in_page)
        self.sign_in_page.focus_first()
        if self._sign_in_as is not None:
            self.session.sign_in(*self._sign_in_as)

    def _entered(self, account: Account, comes_back: bool) -> None:
        for bar in (self.worklist.session, self.reading.header.session):
            bar.show_user(account.printed_name)
        if not comes_back:
            self.reading.close_study(lambda _is_saved: self._begin_session())
            return
        self.pages.setCurrentWidget(self._page_before or self.worklist)
        self.personal.enter(comes_back=True)
        if self.pages.currentWidget() is self.reading:
            self.reading.focus_images()
            self.reading.saver.save()

    def _begin_session(self) -> None:
        self.reading.parts.signed_in()
        self.personal.enter(comes_back=False)
        self.show_page(self.worklist)
        self.list_studies()
        if self._paths:
            paths, self._paths = self._paths, ()
            self.import_paths(paths, opens=True)

    def _left(self) -> None:
        self.palette_layer.dismiss()
        self.sheet.dismiss()
        self.reading.signing.dismiss()
        self.personal.leave(forget=self.account is None)
        self._page_before = self.pages.currentWidget()
        self.pages.setCurrentWidget(self.sign_in_page)
        self.sign_in_page.focus_first()

    def _has_unsaved(self) -> bool:
        return self.reading.entry is not None and self.reading.has_unsaved()

    def _finish(self, then: Callable[[bool], None]) -> None:
        """Save what is open without closing it."""
        if self.reading.entry is None:
            then(True)
            return
        self.reading.flush(then)

    def sign_out(self) -> None:
        """Save, close the study and sign out; the study stays open when it cannot be saved."""

        def closed(is_saved: bool) -> None:
            if is_saved:
                self.session.sign_out()
                self.pictures.forget()
                self.worklist.show_entries(())

        self.reading.close_study(closed)

    def _name_model(self) -> None:
        def done(models: tuple[InstalledModel, ...]) -> None:
            if not models:
                self.status.set_model(self.tr("No model installed"))
                return
            manifest = models[0].manifest
            self.reading.drafts.model_title = manifest.name
            words = [manifest.name, manifest.sha256[:8]]
            if manifest.demonstration:
                words.append(self.tr("demonstration model"))
            self.status.set_model(" \u00b7 ".join(words))
            self.status.model.setToolTip(plain_tip(manifest.title))
            self.status.set_device("CPU")

        self.work.run(
            self.engine.models.list,
            done,
            lambda error: self.status.set_model(self.tr("No model: {why}").format(why=error)),
        )

    def _say(self, error: object) -> None:
        self.error.say(str(error))

    # --- the worklist ------------------------------------------------------------------------------

    def list_studies(self) -> None:
        """Read the worklist from the store."""
        desk = self.desk
        if desk is None or not self.session.is_open:
            return

        def done(rows: object) -> None:
            self.worklist.show_entries(entries_of(rows, self.importing.new))
            self.studiesListed.emit()

        self.store_thread.run(desk.studies, done, self._say)

    def show_page(self, page: QWidget) -> None:
        """Bring a page to the front and give it the keyboard."""
        self.pages.setCurrentWidget(page)
        if page is self.worklist:
            self.worklist.focus_list()

    def show_worklist(self) -> None:
        """Save and close the study, and go back to the worklist."""

        def closed(is_saved: bool) -> None:
            if is_saved:
                self.show_page(self.worklist)
                self.list_studies()

        self.reading.close_study(closed)

    def open_entry(self, entry: Entry, draft: bool = False) -> None:
        """Open a study; the one that is open is saved and closed first."""

        def closed(is_saved: bool) -> None:
            if not is_saved:
                return
            shown = self.worklist.table.shown()
            uids = [one.study.study_instance_uid for one in shown]
            uid = entry.study.study_instance_uid
            number = uids.index(uid) + 1 if uid in uids else 1
            self.show_page(self.reading)
            self.reading.open_entry(entry, number=number, count=max(len(shown), 1), draft=draft)
            self.personal.second.refresh()

        self.reading.close_study(closed)

    def step_study(self, by: int) -> None:
        """Open the next or previous study of the worklist."""
        entry = self.reading.entry
        shown = self.worklist.table.shown()
        uids = [one.study.study_instance_uid for one in shown]
        if entry is None or entry.study.study_instance_uid not in uids:
            return
        there = uids.index(entry.study.study_instance_uid) + by
        if 0 <= there < len(shown):
            self.worklist.table.choose(uids[there])
            self.open_entry(shown[there])

    # --- import ------------------------------------------------------------------------------------

    def choose_folder(self) -> None:
        """Ask for a folder to import."""
        folder = QFileDialog.getExistingDirectory(self, self.tr("Folder with DICOM files"))
        if folder:
            self.import_paths((Path(folder),))

    def choose_files(self) -> None:
        """Ask for files and ZIP archives to import."""
        chosen, _kind = QFileDialog.getOpenFileNames(self, self.tr("DICOM files or ZIP archives"))
        self.import_paths([Path(name) for name in chosen])

    def import_paths(self, paths: Sequence[Path], *, opens: bool = False) -> None:
        """Read what is under some paths into the worklist.

        Parameters
        ----------
        opens
            Open the study when there is exactly one.
        """
        if self.session.is_open and paths:
            self._opens = opens
            self.importing.start(paths)

    def _imported(self, imported: Imported) -> None:
        self.worklist.report.show_import(imported)
        if self._opens and len(imported.index.studies) == 1:
            self.studiesListed.connect(self._open_only, Qt.ConnectionType.SingleShotConnection)
        self.list_studies()

    def _open_only(self) -> None:
        entry = next((one for one in self.worklist.entries if one.is_new), None)
        if entry is not None and self.pages.currentWidget() is self.worklist:
            self.worklist.table.choose(entry.study.study_instance_uid)
            self.open_entry(entry)

    def show_import_report(self) -> None:
        """Show what the last import could not read."""

        def closed(is_saved: bool) -> None:
            if is_saved:
                self.show_page(self.worklist)
                self.worklist.show_import_report()

        if self.importing.last is not None:
            self.reading.close_study(closed)

    # --- documents ---------------------------------------------------------------------------------

    def choose_export(self) -> None:
        """Ask where to write the document of the open report."""
        if self.reading.model is None:
            return
        report = self.reading.model.report
        name = f"{report.id}-r{report.revision}.pdf"
        start = str(Path.home() / name)
        chosen, _kind = QFileDialog.getSaveFileName(self, self.tr("Export PDF"), start, "PDF (*.pdf)")
        if chosen:
            self.reading.signing.export_to(Path(chosen))

    def copy_text(self) -> None:
        """Put the report on the clipboard."""
        self.reading.signing.copy_text()

    # --- acts --------------------------------------------------------------------------------------

    def perform(self, name: str) -> bool:
        """Do an act by name, whichever table it is of; false when it does not fit now."""
        return self.acts.perform(name)

    def _ask(self, name: str) -> None:
        self.acts.ask(name)

    def why_not(self, name: str) -> str:
        """Return why an act is not possible now, or empty."""
        return self.acts.why_not(name)

    def open_palette(self) -> None:
        """Open the command palette over the right side, never over an image."""
        in_reading = self.pages.currentWidget() is self.reading
        model = self.reading.model
        sentences = model.sentences if in_reading and model is not None else ()
        self.activateWindow()
        self.palette_layer.open_over(self.side_anchor(), sentences)

    def side_anchor(self) -> QWidget:
        """Return what a card at the right side stands over: report, details, else the page."""
        in_reading = self.pages.currentWidget() is self.reading
        anchor: QWidget = self.reading.panel if in_reading else self.worklist.detail
        return anchor if anchor.isVisible() else self.pages

    # --- events of the window ----------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes the top layer, else cancels drafting, else goes back to the image."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.sheet.isVisible():
            self.sheet.dismiss()
        elif self.palette_layer.isVisible():
            self.palette_layer.dismiss()
        elif self.personal.dismiss():
            return
        elif self.pages.currentWidget() is self.reading and not self.reading.cancel_draft():
            self.reading.focus_images()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Start the idle clock anew whenever somebody moves or types."""
        self.session.watch(event)
        return False

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and self.session.is_open:
            event.acceptProposedAction()
            self.drop_frame.setGeometry(self.rect())
            self.drop_frame.show()
            self.drop_frame.raise_()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop_frame.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_frame.hide()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.import_paths(paths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.drop_frame.setGeometry(self.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save what is open first; asked twice, close even when it cannot be saved."""
        if self._is_closing or self.desk is None:
            self.shut_down()
            event.accept()
            return
        event.ignore()
        self._is_closing = True

        def closed(is_saved: bool) -> None:
            if is_saved:
                # Not from inside this event: a window that is closing does not close again.
                QTimer.singleShot(0, self.close)
            else:
                words = self.tr(
                    "The report could not be saved. Close again to leave without saving it."
                )
                self.error.say(words)

        self.reading.close_study(closed)

    def shut_down(self) -> None:
        """End threads, workers and the store; a second time does nothing."""
        if self._is_down:
            return
        self._is_down = True
        self.personal.close()
        self.importing.close()
        self.pictures.close()
        self.reading.close_page()
        self.work.close()
        self.store_thread.close()
        self.engine.close()
        self.library.close()
        self.session.close()

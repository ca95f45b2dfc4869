"""The window: its strips, its pages, the acts that belong to no page, lock and import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

from app.shell.background import Background
from app.shell.header import AlertStrip, DropFrame, ErrorStrip, NoticeStrip, StatusLine
from app.shell.session import OpenDesk, Session, open_with
from app.shell.sign_in import SignInPage, StorePage
from viewer.views.theme import Theme

if TYPE_CHECKING:
    from app.desk import Desk
    from app.engine import Engine
    from app.shell.command_palette import CommandPalette
    from app.shell.pictures import Pictures
    from app.shell.preferences.personal import Personal
    from app.shell.reading import ReadingPage
    from app.shell.rooms import Rooms
    from app.shell.shortcut_sheet import ShortcutSheet
    from app.shell.window_acts import WindowActs
    from app.shell.worklist.entries import Entry
    from app.shell.worklist.import_report import ImportBar, Imported
    from app.shell.worklist.importing import Importing
    from app.shell.worklist.page import WorklistPage
    from reports.store.accounts import Account
    from viewer.imaging.reader import Reader

SMALLEST = (1100, 640)
"""Least size of the window, logical pixels."""


def _read_rooms() -> None:
    """Read the modules of the rooms, on a thread."""
    import_module("app.shell.rooms")


class _Room:
    """An attribute of the window that is one of its rooms: made at once when asked for early."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, window: SightlineWindow, _owner: type | None = None) -> Any:
        return getattr(window.rooms(self._name), self._name)


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
    complete = Signal()
    """Everything behind the sign-in is made."""

    engine: Engine = _Room()
    library: Reader = _Room()
    pictures: Pictures = _Room()
    worklist: WorklistPage = _Room()
    import_bar: ImportBar = _Room()
    importing: Importing = _Room()
    reading: ReadingPage = _Room()
    palette_layer: CommandPalette = _Room()
    sheet: ShortcutSheet = _Room()
    personal: Personal = _Room()
    acts: WindowActs = _Room()

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
        self._rooms: Rooms | None = None
        self._is_complete = False
        self.store_thread = Background(1, self)
        self._build()
        self.session = Session(
            home,
            open_desk or open_with,
            self.store_thread,
            unsaved=self._has_unsaved,
            finish=self._finish,
            store_page=self.store_page,
            sign_in_page=self.sign_in_page,
            parent=self,
        )
        self.session.deskOpened.connect(self._desk_opened)
        self.session.entered.connect(self._entered)
        self.session.left.connect(self._left)
        self.session.failed.connect(self._say)
        self.session.open_store()
        self.store_thread.run(_read_rooms, lambda _none: self._go_on(), self._say)

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
        self.pages = QStackedWidget()
        for page in (self.store_page, self.sign_in_page):
            self.pages.addWidget(page)
        self.status = StatusLine(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.notice, self.alert, self.error):
            column.addWidget(widget)
        column.addWidget(self.pages, 1)
        column.addWidget(self.status)
        self._column = column
        self.drop_frame = DropFrame(self, theme)

    def add_above_status(self, widget: QWidget) -> None:
        """Put a strip over the status line."""
        self._column.insertWidget(self._column.indexOf(self.status), widget)

    # --- what stands behind the sign-in ------------------------------------------------------------

    def rooms(self, wanted: str) -> Rooms:
        """Return the rooms with at least the wanted one; those that lack are made now."""
        if self._rooms is None:
            from app.shell.rooms import Rooms

            self._rooms = Rooms(self, self._home)
        while not hasattr(self._rooms, wanted):
            self._rooms.step()
        return self._rooms

    def _go_on(self) -> None:
        """Make the next room while nobody waits; the event loop turns in between."""
        self._make_room()
        if not (self._is_complete or self._is_down):
            QTimer.singleShot(0, self._go_on)

    def _make_room(self) -> None:
        if self._is_down or self._is_complete:
            return
        if self.rooms("preferences").step():
            self._is_complete = True
            self.complete.emit()

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
        if self._is_complete:
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
        while not self._is_complete:
            self._make_room()
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
        return self._is_complete and self.reading.entry is not None and self.reading.has_unsaved()

    def _finish(self, then: Callable[[bool], None]) -> None:
        """Save what is open without closing it."""
        if not self._is_complete or self.reading.entry is None:
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

    def _say(self, error: object) -> None:
        self.error.say(str(error))

    # --- the worklist ------------------------------------------------------------------------------

    def list_studies(self) -> None:
        """Read the worklist from the store."""
        desk = self.desk
        if desk is None or not self.session.is_open:
            return

        def done(rows: object) -> None:
            from app.shell.worklist.entries import entries_of

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

    def imported(self, imported: Imported) -> None:
        """Show what an import brought, and open its study when that was asked for."""
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

    def ask(self, name: str) -> None:
        """Do an act whose key was pressed; say why when it does not fit now."""
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
        if event.key() != Qt.Key.Key_Escape or self.account is None:
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
        if self._is_closing or self.desk is None or not self._is_complete:
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
        if self._rooms is not None:
            self._rooms.close()
        self.store_thread.close()
        if self._rooms is not None:
            self._rooms.close_workers()
        self.session.close()

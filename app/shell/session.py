"""Who sits at this machine: opening the store, signing in, locking, signing out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

import resources
from app.shell.background import Background
from app.shell.sign_in import SignInPage, StorePage
from reports.store.errors import (
    NoStoreError,
    PassphraseNeededError,
    TooSoonError,
    WrongPassphraseError,
    WrongPasswordError,
)

if TYPE_CHECKING:
    from app.desk import Desk
    from reports.store.accounts import Account

OpenDesk = Callable[[Path, str | None], "Desk"]

SETTINGS = ("presets", "session.json")
"""Resource with the times of a session: when it locks, when it saves."""

INPUTS = frozenset(
    {QEvent.Type.KeyPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel}
)
"""What counts as somebody being there."""


def open_with(home: Path, passphrase: str | None) -> Desk:
    """Open the desk of a store as the program does; called on the store's thread."""
    from app.desk import Desk

    return Desk.open(home, passphrase=passphrase)


class Session(QObject):
    """The store of a home folder and the person who works with it.

    Parameters
    ----------
    thread
        The one thread of the store: what is asked first is done first.
    unsaved
        True while the open study holds text that is not in the store.
    finish
        Saves what is open, then calls back; the person leaves the store only after it.

    Signals
    -------
    deskOpened(Desk)
        The store is open; nobody is signed in yet.
    entered(Account, bool)
        Somebody signed in; true when they come back to the screen that they locked.
    left()
        The screen belongs to nobody: locked, or signed out.
    failed(str)
        The store could not record that somebody left.
    """

    deskOpened = Signal(object)
    entered = Signal(object, bool)
    left = Signal()
    failed = Signal(str)

    def __init__(
        self,
        home: Path,
        open_desk: OpenDesk,
        thread: Background,
        *,
        unsaved: Callable[[], bool],
        finish: Callable[[Callable[[bool], None]], None],
        store_page: StorePage,
        sign_in_page: SignInPage,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._home, self._open_desk, self._thread = home, open_desk, thread
        self._unsaved, self._finish = unsaved, finish
        self._store_page, self._sign_in_page = store_page, sign_in_page
        self.desk: Desk | None = None
        self.account: Account | None = None
        self.is_locked = False
        self.idle = QTimer(self)
        self.idle.setSingleShot(True)
        self.idle.setInterval(1000 * resources.table(*SETTINGS)["lock_after_idle_seconds"])
        self.idle.timeout.connect(self.lock)
        store_page.tryAgain.connect(self.open_store)
        store_page.passphraseGiven.connect(self.open_store)
        sign_in_page.attempted.connect(self.sign_in)

    @property
    def is_open(self) -> bool:
        """True while somebody is signed in and the screen is not locked."""
        return self.account is not None and not self.is_locked

    def watch(self, event: QEvent) -> None:
        """Start the idle clock anew when an event of the application is somebody's."""
        if event.type() in INPUTS and self.idle.isActive():
            self.idle.start()

    # --- the store ---------------------------------------------------------------------------------

    def open_store(self, passphrase: str | None = None) -> None:
        """Open the store on its thread; what is missing is asked for."""
        self._store_page.show_opening()
        self._thread.run(
            lambda: self._open_desk(self._home, passphrase), self._opened, self._not_opened
        )

    def _opened(self, desk: Desk) -> None:
        self.desk = desk
        self.deskOpened.emit(desk)
        self._sign_in_page.welcome()

    def _not_opened(self, error: Exception) -> None:
        if isinstance(error, NoStoreError):
            self._store_page.show_first_start()
        elif isinstance(error, PassphraseNeededError):
            self._store_page.ask_passphrase()
        elif isinstance(error, WrongPassphraseError):
            self._store_page.ask_passphrase(str(error))
        else:
            self._store_page.show_failure(str(error))

    def close(self) -> None:
        """Sign out and close the store; after its thread has ended."""
        self.idle.stop()
        if self.desk is not None:
            self.desk.close()
            self.desk = None

    # --- the person --------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str) -> None:
        """Check a password on the store's thread; the page counts down after a wrong one."""
        desk, before = self.desk, self.account
        if desk is None:
            return
        is_other = self.is_locked and before is not None and name.casefold() != before.name
        if is_other and before is not None and self._unsaved():
            words = self.tr("{name} has text that could not be saved: they must sign in first.")
            self._sign_in_page.show_error(words.format(name=before.printed_name))
            return
        self._thread.run(lambda: desk.sign_in(name, password), self._signed_in, self._not_signed_in)

    def _not_signed_in(self, error: Exception) -> None:
        wait = error.wait_seconds if isinstance(error, (WrongPasswordError, TooSoonError)) else 0.0
        words = str(error)
        if isinstance(error, WrongPasswordError):
            words = self.tr("The name or the password is wrong.")
        elif isinstance(error, TooSoonError):
            words = self.tr("Too soon after wrong passwords.")
        self._sign_in_page.show_error(words, wait)

    def _signed_in(self, account: Account) -> None:
        before, self.account = self.account, account
        comes_back = self.is_locked and before is not None and before.name == account.name
        self.is_locked = False
        self._sign_in_page.done()
        self.idle.start()
        self.entered.emit(account, comes_back)

    def lock(self) -> None:
        """Hide everything until the password is given again; nothing is closed."""
        if self.account is None or self.is_locked:
            return
        self.is_locked = True
        self._leave()
        self._sign_in_page.locked(self.account.printed_name, self.account.name)

    def sign_out(self) -> None:
        """Forget the person; the window has saved and closed their study."""
        if self.account is not None:
            self.account = None
            self._leave()
            self._sign_in_page.welcome()

    def _leave(self) -> None:
        self.idle.stop()
        self.left.emit()
        desk = self.desk

        def forget(_is_saved: bool) -> None:
            if desk is not None:
                self._thread.run(
                    desk.sign_out, lambda _none: None, lambda error: self.failed.emit(str(error))
                )

        self._finish(forget)

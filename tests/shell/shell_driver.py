"""Drives the real window for the tests: a store with a cheap password hash, keys, mouse and waiting."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.demo import sample
from app.desk import Desk
from app.engine import Engine
from app.shell.window import SightlineWindow
from inference.drafting.triage import choose_series
from reports.domain import Role
from reports.store.database import Store
from reports.store.keys import ProviderKind, make_provider, provider_for

USER, PASSWORD, PRINTED_NAME = "reader", "a password for tests", "Dr R. Okafor"

PATIENCE = 60_000
"""Milliseconds after which a wait has failed, on a busy machine."""

Keys = Qt.KeyboardModifier


def cheap_hasher():
    """A real argon2id hash with the least work: the tests wait for none."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def open_desk(home: Path, passphrase: str | None = None) -> Desk:
    """Open a store as the window does, with the cheap hash."""
    return Desk(Store.open(home, provider_for(home, passphrase=passphrase), hasher=cheap_hasher()))


def make_home(home: Path) -> Path:
    """Make a store with one radiologist."""
    made = Store.create(home, make_provider(ProviderKind.FILE), hasher=cheap_hasher())
    made.store.accounts.add(USER, PRINTED_NAME, Role.RADIOLOGIST, PASSWORD)
    made.store.close()
    return home


def draft_into(home: Path) -> None:
    """Import the phantom and keep a draft of it, saved as the report, as a morning's work would."""
    from app.report_model import ReportModel
    from inference.validation.rules import check_sentence

    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    with Engine(home) as engine:
        index = engine.reader.index([sample()])
        desk.import_studies(index)
        study = index.studies[0]
        opened = desk.open_study(study)
        with engine.reader.open(choose_series(study)) as stack:
            outcome = engine.draft(study, stack)
    model = ReportModel(opened.report, outcome.result.ledger, check=check_sentence)
    model.load_draft(outcome.result.draft, outcome.result.ledger)
    desk.take_draft(outcome)
    desk.save(model.report, model.ledger)
    desk.close()


def copied(home: Path, place: Path) -> Path:
    """Copy a home, so that each test has its own."""
    shutil.copytree(home, place)
    return place


class Driver:
    """A person at the window."""

    def __init__(self, qtbot: QtBot, home: Path, size: tuple[int, int] = (1366, 768)) -> None:
        self.bot = qtbot
        self.has_left = False
        self.window = SightlineWindow(home, open_desk=open_desk)
        self.window.resize(*size)
        self.window.show()
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)
        self.until(lambda: not self.window.store_thread.is_busy)

    @property
    def reading(self):
        """The reading page."""
        return self.window.reading

    @property
    def panel(self):
        """The report panel."""
        return self.window.reading.panel

    @property
    def model(self):
        """The report that is open."""
        return self.window.reading.model

    @property
    def viewport(self):
        """The active viewport."""
        return self.window.reading.area.grid.active_pane()

    def until(self, holds: Callable[[], object]) -> None:
        """Let the program run until something holds."""
        self.bot.waitUntil(lambda: bool(holds()), timeout=PATIENCE)

    def press(self, key: Qt.Key, keys: Keys = Keys.NoModifier) -> None:
        """Press a key where the keyboard is."""
        QTest.keyClick(self.window.focusWidget() or self.window, key, keys)

    def type(self, text: str) -> None:
        """Type where the keyboard is."""
        QTest.keyClicks(self.window.focusWidget(), text)

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click a widget."""
        place = widget.rect().center() if at is None else at
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Keys.NoModifier, place)

    def sign_in(self, password: str = PASSWORD) -> None:
        """Sign in with name and password, by the keyboard alone."""
        page = self.window.sign_in_page
        page.name.setFocus()
        page.name.clear()
        self.type(USER)
        self.press(Qt.Key.Key_Return)
        self.type(password)
        self.press(Qt.Key.Key_Return)
        self.until(page.password.isEnabled)

    def sign_in_when_asked(self) -> None:
        """Wait for the sign-in page and sign in."""
        self.until(lambda: self.window.pages.currentWidget() is self.window.sign_in_page)
        self.sign_in()
        self.until(lambda: self.window.account is not None)

    def drop(self, *paths: Path) -> None:
        """Drop files on the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        event = QDropEvent(
            QPointF(300, 300),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Keys.NoModifier,
        )
        self.window.dropEvent(event)

    def wait_for_worklist(self) -> None:
        """Wait until the worklist lists a study."""
        self.until(lambda: self.window.pages.currentWidget() is self.window.worklist)
        self.until(lambda: self.window.worklist.table.current() is not None)

    def open_first(self) -> None:
        """Open the chosen study by Enter and wait for report and pixels."""
        self.wait_for_worklist()
        self.window.worklist.table.setFocus()
        self.press(Qt.Key.Key_Return)
        self.until(lambda: self.window.pages.currentWidget() is self.reading)
        self.until(lambda: self.model is not None)
        self.until(lambda: self.viewport.stack() is not None)
        self.until(lambda: self.reading.area.adapter.opened(self.viewport.stack().series.key))

    def sit_down(self) -> None:
        """Sign in and open the first study."""
        self.sign_in()
        self.open_first()

    def draft(self) -> None:
        """Ctrl+D, and wait for the draft."""
        self.press(Qt.Key.Key_D, Keys.ControlModifier)
        self.until(lambda: self.reading.drafts.runs.is_running or self.panel.trace.events)
        self.until(lambda: not self.panel.trace.is_running)

    def texts(self) -> list[str]:
        """Return the sentences of the report."""
        return [sentence.text for sentence in self.model.sentences]

    def problem(self) -> str:
        """Return the inline message over the report, or empty."""
        message = self.panel._message
        return message.accessibleName() if message is not None else ""

    def leave(self) -> None:
        """Close the window and end its workers."""
        if self.has_left:
            return
        self.has_left = True
        if self.window.desk is not None:
            self.window.reading.saver.watch(None)
        self.window.shut_down()
        self.window.close()
        self.window.deleteLater()

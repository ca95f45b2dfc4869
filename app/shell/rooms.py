"""What stands behind the sign-in: workers, worklist, reading page, acts.

It is the most of the program and nobody sees it before the password is given, so the window paints its
sign-in page first: the modules are read on the store's thread while somebody types, the pages are made
after that, one step for each turn of the event loop. Whoever asks for a room earlier gets all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine import Engine
from app.shell.act_binding import ACTS, bind_acts
from app.shell.background import Background
from app.shell.command_palette import CommandPalette
from app.shell.pictures import Pictures
from app.shell.preferences.own_preferences import OwnPreferences
from app.shell.preferences.personal import Personal
from app.shell.reading import ReadingPage
from app.shell.shortcut_sheet import ShortcutSheet
from app.shell.window_acts import WindowActs
from app.shell.worklist.import_report import ImportBar
from app.shell.worklist.importing import Importing
from app.shell.worklist.page import WorklistPage
from app.shell.worklist.search import WorklistSearch
from inference.models.registry import InstalledModel
from viewer.acts import Scope
from viewer.imaging.reader import Reader
from viewer.views.plain_tip import plain_tip
from viewer.views.reader_adapter import ReaderAdapter

if TYPE_CHECKING:
    from app.shell.window import SightlineWindow

ARCHIVE_FOLDER = "archive"
"""Sub-folder of the home into which ZIP files are unpacked."""


class Rooms:
    """The rooms of a window, made step by step.

    Parameters
    ----------
    home
        Folder of the store.
    """

    def __init__(self, window: SightlineWindow, home: Path) -> None:
        self._window, self._home = window, home
        self._steps: list[Callable[[], None]] = [
            self._make_preferences,
            self._make_workers,
            self._make_worklist,
            self._make_reading,
            self._make_layers,
            self._join,
        ]

    def step(self) -> bool:
        """Make the next one; true when all are there."""
        if self._steps:
            self._steps.pop(0)()
        return not self._steps

    def _make_preferences(self) -> None:
        """Put the machine's keys, mouse and presets in force before what shows them is made."""
        self.preferences = OwnPreferences(self._home, self._window.store_thread, self._window)

    def _make_workers(self) -> None:
        archive = self._home / ARCHIVE_FOLDER
        self.engine = Engine(self._home, archive=archive)
        # Import and small pictures have a worker of their own: they never make a reader wait.
        self.library = Reader(archive_dir=archive)
        self.work = Background(1, self._window)
        self.pictures = Pictures(self.library, self._window)

    def _make_worklist(self) -> None:
        window = self._window
        self.worklist = WorklistPage(window.theme, self.pictures)
        window.pages.addWidget(self.worklist)
        self.import_bar = ImportBar(window.theme)
        window.add_above_status(self.import_bar)
        self.importing = Importing(
            self.library, self.import_bar, window.store_thread, lambda: window.desk, window
        )
        self.searching = WorklistSearch(self.worklist, window.store_thread, lambda: window.desk)

    def _make_reading(self) -> None:
        window = self._window
        self.reading = ReadingPage(window.theme, self.engine, ReaderAdapter(self.engine.reader, window))
        window.pages.addWidget(self.reading)

    def _make_layers(self) -> None:
        window = self._window
        self.palette_layer = CommandPalette(window.theme, window, ACTS, window.why_not)
        self.sheet = ShortcutSheet(window.theme, window, ACTS)
        bind_acts(window, [act for act in ACTS if act.scope is not Scope.VIEWPORT], window.ask)
        self.personal = Personal(window, self.preferences)
        self.acts = WindowActs(window)

    def _join(self) -> None:
        """Let the rooms hear of each other."""
        window, status, session = self._window, self._window.status, self._window.session
        self.worklist.openWanted.connect(window.open_entry)
        self.worklist.folderWanted.connect(window.choose_folder)
        self.worklist.filesWanted.connect(window.choose_files)
        self.reading.header.worklistWanted.connect(window.show_worklist)
        self.reading.header.stepWanted.connect(window.step_study)
        self.reading.doing.connect(status.set_doing)
        self.reading.savedAt.connect(status.set_saved)
        self.reading.exportWanted.connect(window.choose_export)
        for bar in (self.worklist.session, self.reading.header.session):
            bar.paletteWanted.connect(window.open_palette)
            bar.lockWanted.connect(session.lock)
            bar.signOutWanted.connect(window.sign_out)
        self.importing.imported.connect(window.imported)
        self.importing.doing.connect(status.set_doing)
        self.import_bar.listWanted.connect(window.show_import_report)
        self.palette_layer.actWanted.connect(window.perform)
        self.palette_layer.sentenceWanted.connect(self.reading.panel.show_sentence)
        self.palette_layer.sheetWanted.connect(self.sheet.open)
        if window.desk is not None:
            self.reading.sit_down(window.desk, window.store_thread)
        self._name_model()

    def _name_model(self) -> None:
        window, status = self._window, self._window.status

        def done(models: tuple[InstalledModel, ...]) -> None:
            if not models:
                status.set_model(window.tr("No model installed"))
                return
            manifest = models[0].manifest
            self.reading.drafts.model_title = manifest.name
            words = [manifest.name, manifest.sha256[:8]]
            if manifest.demonstration:
                words.append(window.tr("demonstration model"))
            status.set_model(" \u00b7 ".join(words))
            status.model.setToolTip(plain_tip(manifest.title))
            status.set_device("CPU")

        self.work.run(
            self.engine.models.list,
            done,
            lambda error: status.set_model(window.tr("No model: {why}").format(why=error)),
        )

    def close(self) -> None:
        """End the threads of the rooms that are made; before the store closes."""
        ends = {
            "personal": "close",
            "importing": "close",
            "pictures": "close",
            "reading": "close_page",
            "work": "close",
        }
        for room, end in ends.items():
            if hasattr(self, room):
                getattr(getattr(self, room), end)()

    def close_workers(self) -> None:
        """End the workers, after the store's thread has ended."""
        if hasattr(self, "pictures"):
            self.engine.close()
            self.library.close()

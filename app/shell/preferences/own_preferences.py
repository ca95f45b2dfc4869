"""The preferences of who is signed in: read at sign-in, in force at once, kept in the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.desk import Desk
from app.preferences import Preferences, keep_scale, read, read_machine
from app.shell.act_binding import ACTS
from app.shell.background import Background
from app.wording import WORDING
from reports.store.kinds import PreferenceKind
from viewer.imaging.own_presets import PRESETS
from viewer.imaging.study import WindowPreset
from viewer.views.key_bindings import keymap
from viewer.views.mouse import MOUSE

RECORDS = {"bindings": ("keys", "mouse"), "presets": ("presets",), "display": ("display",)}
"""Which parts of the preferences stand in which record of the store (`PreferenceKind`)."""


class OwnPreferences(QObject):
    """A person's preferences over the machine's, and what follows them.

    Signals
    -------
    changed()
        Something else is in force.
    entered()
        A person's preferences were read; what begins with a session begins now.
    noted(str)
        Words about entries that were left out, or about a save that failed.
    """

    changed = Signal()
    entered = Signal()
    noted = Signal(str)

    def __init__(self, home: Path, thread: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._home, self._thread = home, thread
        self._desk: Desk | None = None
        self.machine, self._machine_notes = read_machine(home, ACTS)
        self.own = Preferences()
        self._apply()

    @property
    def now(self) -> Preferences:
        """What is in force: the person's choices over the machine's."""
        return self.own.over(self.machine)

    def enter(self, desk: Desk) -> None:
        """Read the preferences of who has signed in at a desk, and put them in force."""
        self._desk = desk

        def work() -> dict[str, object]:
            body: dict[str, object] = {}
            for record in RECORDS:
                body |= desk.preference(PreferenceKind(record)) or {}
            return body

        def done(body: dict[str, object]) -> None:
            if self._desk is not desk:
                return
            self.own, notes = read(body, ACTS)
            self._apply()
            self.entered.emit()
            self._tell((*self._machine_notes, *notes))

        self._thread.run(work, done, self._failed)

    def leave(self) -> None:
        """Nobody is signed in: the machine's preferences are in force."""
        self._desk = None
        self.own = Preferences()
        self._apply()

    def take(self, own: Preferences) -> None:
        """Put other choices of the person in force and keep them."""
        before, self.own = self.own, own
        self._apply()
        desk = self._desk
        if desk is None:
            return
        scale = self.now.display.text_scale
        if scale != before.over(self.machine).display.text_scale:
            self._thread.run(lambda: keep_scale(self._home, scale), lambda _none: None, self._failed)
        for record, names in RECORDS.items():
            body = _body(own, names)
            if body != _body(before, names):
                self._thread.run(_save(desk, record, body), lambda _none: None, self._failed)

    def _apply(self) -> None:
        now = self.now
        keymap().change(now.keys)
        MOUSE.change(now.mouse)
        WORDING.change(now.display.draft_language, now.display.draft_style)
        PRESETS.change(
            {
                modality: {
                    digit: preset
                    and WindowPreset(center=preset.centre, width=preset.width, explanation=preset.name)
                    for digit, preset in rows.items()
                }
                for modality, rows in now.presets.items()
            }
        )
        self.changed.emit()

    def _failed(self, error: Exception) -> None:
        self.noted.emit(self.tr("The preferences were not kept: {why}").format(why=error))

    def _tell(self, notes: tuple[str, ...]) -> None:
        if notes:
            words = self.tr("{n} of the preferences left out: {first}")
            self.noted.emit(words.format(n=len(notes), first=notes[0]))


def _body(own: Preferences, names: tuple[str, ...]) -> dict[str, object]:
    return {name: value for part in names for name, value in own.part(part).items()}


def _save(desk: Desk, record: str, body: dict[str, object]) -> Callable[[], None]:
    return lambda: desk.save_preference(PreferenceKind(record), body)

"""A person who opens whatever is given: drops it, opens each study, scrolls, windows, tries 3D."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from fault_scene import peak_memory
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget

sys.path.append(str(Path(__file__).resolve().parents[1] / "shell"))
from shell_driver import Driver, make_home

from app.shell.application import Mishaps
from app.shell.worklist.entries import Entry
from app.shell.worklist.import_report import Imported
from viewer.acts import reformat, rendering
from viewer.imaging.study import Series

__all__ = ["Driver", "Seen", "Sweep", "make_home"]

STEPS = ("last", "previous_ten", "first", "next", "next_ten", "invert", "preset.2", "zoom_in", "reset")
"""Acts of the viewport that are done on every series."""

BEAT_MS = 10
"""How often the event loop is asked whether it lives."""


class Heard(Mishaps):
    """The program's own hook for what nobody caught, which also keeps the stacks for the test."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.stacks: list[str] = []
        super().__init__(self.words.append)

    def hear(
        self, kind: type[BaseException], _error: BaseException, trace: TracebackType | None
    ) -> None:
        self.stacks.append("".join(traceback.format_exception(kind, _error, trace)))
        super().hear(kind, _error, trace)


@dataclass
class Seen:
    """What the window showed of one input."""

    imported: Imported | None = None
    failed: str = ""
    opened: list[str] = field(default_factory=list)
    """Keys of the series whose images came."""
    problems: dict[str, str] = field(default_factory=dict)
    """Key of a series -> what was said instead of, or beside, its images."""
    no_planes: dict[str, str] = field(default_factory=dict)
    """Key of a series whose planes were asked for -> why there are none, empty where they came."""
    no_volume: dict[str, str] = field(default_factory=dict)
    """The same of the 3D view."""
    entries: list[Entry] = field(default_factory=list)
    """The studies in the worklist."""
    longest_gap: float = 0.0
    """Longest time in which the event loop did not turn, seconds."""
    mishaps: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def names(self) -> list[str]:
        """What the worklist shows as the patient, of each study."""
        return [entry.name for entry in self.entries]

    @property
    def bad(self) -> dict[str, str]:
        """Name of a file that was left out -> why."""
        files = self.imported.index.bad_files if self.imported is not None else ()
        return {Path(one.path).name: one.reason for one in files}


class Sweep:
    """Opens inputs in one window, one after the other."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.heard = Heard()
        self._gap = self._last = 0.0
        self._beat = QTimer(driver.window)
        self._beat.setInterval(BEAT_MS)
        self._beat.timeout.connect(self._turn)
        area = driver.reading.area
        self._seen = Seen()
        area.seriesProblem.connect(self._problem)
        area.seriesReady.connect(lambda key, _stack: self._seen.opened.append(key))

    def _problem(self, key: str, words: str) -> None:
        self._seen.problems.setdefault(key, words)

    def _turn(self) -> None:
        now = time.monotonic()
        self._gap = max(self._gap, now - self._last)
        self._last = now

    @contextmanager
    def watched(self) -> Iterator[Seen]:
        """Watch the event loop and what nobody catches; then the program's hook stands in its place."""
        hooks = sys.excepthook, threading.excepthook
        self.heard.stacks.clear()
        self.heard.install()
        seen = self._seen = Seen()
        self._gap, self._last = 0.0, time.monotonic()
        start = self._last
        self._beat.start()
        try:
            yield seen
        finally:
            self._turn()
            self._beat.stop()
            sys.excepthook, threading.excepthook = hooks
            seen.longest_gap, seen.seconds = self._gap, time.monotonic() - start
            seen.mishaps = list(self.heard.stacks)

    def bring(self, *paths: Path, volumes: bool = True, most_series: int = 1000) -> Seen:
        """Drop paths on the window and look at everything that comes of them."""
        with self.watched() as seen:
            self.drop(seen, *paths)
            window = self.driver.window
            seen.entries = self.new()
            for entry in seen.entries:
                window.worklist.table.choose(entry.study.study_instance_uid)
                window.open_entry(entry)
                self.driver.until(lambda: self.driver.model is not None)
                for number, series in enumerate(entry.study.series[:most_series]):
                    self.look(seen, series, volumes=volumes and number == 0)
                self.leave()
        return seen

    def drop(self, seen: Seen, *paths: Path) -> None:
        """Drop paths and wait for the list of studies."""
        window, driver = self.driver.window, self.driver
        before = window.importing.last
        driver.drop(*paths)
        bar = window.import_bar
        driver.until(lambda: not bar.cancel.isVisibleTo(bar))
        if window.importing.last is before:
            seen.failed = bar.summary.text()
            return
        imported = seen.imported = window.importing.last
        assert imported is not None
        wanted = {study.study_instance_uid for study in imported.index.studies}
        driver.until(lambda: {one.study.study_instance_uid for one in self.new()} == wanted)

    def new(self) -> list[Entry]:
        """Return the entries of the last import."""
        return [entry for entry in self.driver.window.worklist.entries if entry.is_new]

    def look(self, seen: Seen, series: Series, *, volumes: bool) -> None:
        """Show a series, scroll and window it, try planes and 3D."""
        area, driver = self.driver.reading.area, self.driver
        key = series.key
        area.show_series(key)
        driver.until(lambda: area.adapter.opened(key) is not None or key in seen.problems)
        if area.adapter.opened(key) is None:
            return
        for act in STEPS:
            area.do(f"viewport.{act}")
            QApplication.processEvents()
        if volumes:
            seen.no_planes[key] = self.try_planes()
            if not seen.no_planes[key]:
                seen.no_volume[key] = self.try_volume()
        driver.window.reading.side.toggle()
        QApplication.processEvents()

    def try_planes(self) -> str:
        """Enter the three planes and leave them; returns why there are none, or empty."""
        planes = self._entered(reformat.WORKSPACE)
        if planes is None:
            return ""
        first = planes.message.text()
        self.driver.until(lambda: planes.scene.state is not None or planes.message.text() != first)
        words = "" if planes.scene.state is not None else planes.message.text()
        if not words:
            planes.do("viewport.next")
            planes.do("viewport.slab.mip")
            QApplication.processEvents()
        self.driver.reading.area.stage.leave()
        return words

    def try_volume(self) -> str:
        """Enter the 3D view and leave it; returns why there is none, or empty."""
        workspace = self._entered(rendering.WORKSPACE)
        if workspace is None:
            return ""
        view = workspace.view
        self.driver.until(lambda: view.refusal or view.picture() is not None)
        words = view.refusal
        self.driver.reading.area.stage.leave()
        return words

    def _entered(self, name: str) -> Any:
        self.driver.window.perform(name)
        return self.driver.reading.area.stage.workspace

    def words(self, place: QWidget) -> set[str]:
        """Return the texts of all labels inside a widget."""
        return {label.text() for label in place.findChildren(QLabel)}

    def leave(self) -> None:
        """Go back to the worklist."""
        window, driver = self.driver.window, self.driver
        window.show_worklist()
        driver.until(lambda: window.pages.currentWidget() is window.worklist)
        driver.until(lambda: not window.store_thread.is_busy)

    def memory(self) -> int:
        """Most memory that a worker of the readers ever had resident, bytes."""
        window = self.driver.window
        pids = [host.pid for host in (window.engine.reader.host, window.library.host)]
        return max((peak_memory(pid) for pid in pids if pid is not None), default=0)

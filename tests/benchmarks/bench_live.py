"""The window at work: start, scrolling beside loading and drafting, a large series, a page of tiles.

Every reference is measured in the same run: an empty Qt window for the start, the same scrolling with
nothing else going on, the bytes of the volume, bare `drawImage` calls of the same size.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from bench_load import write_ct

STARTS = 5
FRAMES = 400
"""Scrolled images in each condition."""

LARGE, LARGE_SIZE = 3000, 256
"""Slices of the large series and their side: 375 MiB, scrolled as 3,000 slices of any size are."""

FILES, STUDIES = 10_000, 10
"""Files of a large import, and the studies that they make."""

MIB = 1 << 20

EMPTY = """
import time; start = time.perf_counter()
from PySide6.QtWidgets import QApplication, QWidget
application = QApplication([]); window = QWidget(); window.resize(1600, 940); window.show()
application.processEvents(); window.grab()
print(time.perf_counter() - start)
"""

SIGHTLINE = """
import sys, time; start = time.perf_counter()
from pathlib import Path
from viewer.imaging.lasting import begin_start
begin_start()
from PySide6.QtCore import QEventLoop
from app.shell.application import make_application
application = make_application()
from app.shell.window import SightlineWindow
window = SightlineWindow(Path(sys.argv[1])); window.resize(1600, 940); window.show()
def usable():
    return window.pages.currentWidget() is window.sign_in_page
while not usable():
    # Waits as the program does: a loop that polls takes the interpreter from the thread of the store.
    application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
application.processEvents(); window.grab()
print(time.perf_counter() - start)
window.shut_down()
"""


def run() -> list[dict[str, Any]]:
    """Return the rows for docs/benchmarks.md."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return [_start(), *_scrolling(), *_large(), _tiles(), _importing()]


def _row(name: str, ours: float, reference: float, note: str) -> dict[str, Any]:
    ratio = ours / reference if reference else float("nan")
    return {"name": name, "ours": ours, "reference": reference, "ratio": ratio, "note": note}


# --- start -----------------------------------------------------------------------------------------


def _start() -> dict[str, Any]:
    """Time from the first line of a process to a sign-in page that can be typed into."""
    from reports.store.database import Store
    from reports.store.keys import ProviderKind, make_provider

    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as name:
        home = Path(name) / "home"
        Store.create(home, make_provider(ProviderKind.FILE)).store.close()
        ours, empty = [], []
        for turn in range(STARTS + 1):
            for code, found in ((SIGHTLINE, ours), (EMPTY, empty)):
                seconds = _child(code, str(home))
                if turn:
                    found.append(seconds)
    note = "seconds, warm; reference: an empty Qt window of the same size"
    return _row("start to the sign-in page", statistics.median(ours), statistics.median(empty), note)


def _child(code: str, *arguments: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


# --- scrolling while other things go on ------------------------------------------------------------


def _scrolling() -> list[dict[str, Any]]:
    """Time from a step of the wheel to its image, alone and beside a loading series and a draft."""
    from app.demo import sample
    from app.engine import Engine
    from inference.drafting.triage import choose_series

    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as name:
        folder = Path(name) / "second"
        folder.mkdir()
        write_ct(folder)
        with Engine(Path(name) / "home") as engine:
            study = engine.reader.index([sample()]).studies[0]
            second = engine.reader.index([folder]).studies[0].series[0]
            with engine.reader.open(choose_series(study)) as opened:
                viewport = _viewport(opened.stack)
                idle = _scrolled(viewport, len(opened.stack.frames))

                def load_again() -> None:
                    engine.reader.open(second).release()

                def draft_again() -> None:
                    engine.draft(study, opened)

                with _again(load_again), _again(draft_again):
                    busy = _scrolled(viewport, len(opened.stack.frames))
                viewport.close()
    note = (
        f"ms from step to image at 1024 x 1024, {FRAMES} steps; reference: the same with nothing else"
    )
    return [
        _row(f"{share}. percentile of a step while a series loads and a draft runs", *pair, note)
        for share, pair in (
            (50, (statistics.median(busy), statistics.median(idle))),
            (99, (_percentile(busy, 99), _percentile(idle, 99))),
        )
    ]


@contextmanager
def _again(act: Callable[[], None]) -> Iterator[None]:
    """Do something over and over on a thread while the block runs."""
    ends = threading.Event()
    began = threading.Event()

    def work() -> None:
        while not ends.is_set():
            began.set()
            act()

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def _viewport(stack: object, side: int = 1024):  # type: ignore[no-untyped-def]
    from PySide6.QtWidgets import QApplication

    from viewer.views.viewport import ImageViewport

    application = QApplication.instance() or QApplication([])
    viewport = ImageViewport()
    viewport.resize(side, side)
    viewport.show()
    viewport.show_stack(stack)
    application.processEvents()
    return viewport


def _scrolled(viewport: Any, count: int) -> list[float]:
    """Return the milliseconds of each step through the images, there and back, painted at once."""
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance()
    assert application is not None
    times = []
    for step in range(FRAMES):
        place = step % (2 * count - 2)
        act = "viewport.next" if place < count - 1 else "viewport.previous"
        start = time.perf_counter()
        viewport.do(act)
        viewport.repaint()
        application.processEvents()
        times.append((time.perf_counter() - start) * 1000)
    return times


def _percentile(times: list[float], share: int) -> float:
    return float(np.percentile(times, share))


# --- a large series --------------------------------------------------------------------------------


def _large() -> list[dict[str, Any]]:
    """Memory of program and workers, and the longest step, with 3,000 slices open."""
    from viewer.imaging.reader import Reader

    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as name:
        folder = Path(name)
        write_ct(folder, slices=LARGE, size=LARGE_SIZE)
        with Reader() as reader:
            reader.warm()
            series = reader.index([folder]).studies[0].series[0]
            before = _memory()
            with reader.open(series) as opened:
                viewport = _viewport(opened.stack)
                _scrolled(viewport, LARGE)
                times = _scrolled(viewport, LARGE)
                held = _memory() - before + reader.pool.allocated / MIB
                volume = opened.stack.stored.nbytes / MIB
                viewport.close()
    memory = (
        "MiB of this process and its workers (PSS) above what they held before; reference: the volume"
    )
    step = "ms, longest of 400 steps; reference: their median"
    return [
        _row(f"memory of {LARGE} slices", held, volume, memory),
        _row(f"longest step through {LARGE} slices", max(times), statistics.median(times), step),
    ]


def _memory() -> float:
    """Return the MiB of this process and all below it, without the segments of pixels they share."""
    children: dict[str, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(fields[1], []).append(entry.name)
    waiting, total = [str(os.getpid())], 0
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, [])
        try:
            lines = Path("/proc", process, "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        found = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
        total += found["Pss_Anon"] + found["Pss_File"]
    return total / 1024


# --- a page of tiles -------------------------------------------------------------------------------


def _tiles() -> dict[str, Any]:
    """Time to turn a page of 16 tiles, against 16 bare images of the same size."""
    from bench_paint import _stack
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtWidgets import QApplication

    from viewer.acts import Arrangement
    from viewer.views.grid import ViewportGrid

    application = QApplication.instance() or QApplication([])
    grid = ViewportGrid()
    grid.resize(1420, 900)
    grid.show()
    stack = _stack()
    grid.active_pane().show_stack(stack, index=0)
    grid.set_arrangement(Arrangement.SIXTEEN)
    grid.set_tiled(True)
    application.processEvents()
    size = grid.panes()[0].widget().size()
    canvas = QImage(grid.size(), QImage.Format.Format_RGB32)
    ready = QImage(512, 512, QImage.Format.Format_RGB32)
    ready.fill(0x808080)

    def ours(turn: int) -> None:
        grid.do("viewport.next" if turn % 6 < 3 else "viewport.previous")
        grid.render(canvas)

    def bare(_: int) -> None:
        painter = QPainter(canvas)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number in range(16):
            row, column = divmod(number, 4)
            side = min(size.width(), size.height())
            at = QRectF(column * size.width(), row * size.height(), side, side)
            painter.drawImage(at, ready)
        painter.end()

    times: dict[Callable[[int], None], list[float]] = {ours: [], bare: []}
    for turn in range(36):
        for act, found in times.items():
            start = time.perf_counter()
            act(turn)
            found.append((time.perf_counter() - start) * 1000)
    grid.close()
    note = "ms to turn and paint a page at 1420 x 900; reference: 16 drawImage of ready RGB32 images"
    return _row("page of 16 tiles", *(statistics.median(found) for found in times.values()), note)


# --- a large import --------------------------------------------------------------------------------


def _importing() -> dict[str, Any]:
    """Longest time between two turns of the window's loop while a folder of 10,000 files is indexed."""
    from PySide6.QtCore import Qt, QTimer

    from app import demo
    from app.shell.application import make_application
    from app.shell.window import SightlineWindow

    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as name:
        files, home = Path(name) / "files", Path(name) / "home"
        for study in range(STUDIES):
            folder = files / str(study)
            folder.mkdir(parents=True)
            write_ct(folder, slices=FILES // STUDIES, size=32)
        demo.prepare(home)
        application = make_application()
        window = SightlineWindow(home, sign_in_as=(demo.USER, demo.PASSWORD))
        window.resize(1600, 940)
        window.show()
        done: list[object] = []
        window.studiesListed.connect(lambda: done.append(None))
        _until(lambda: bool(done))
        turns: list[float] = []
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(lambda: turns.append(time.perf_counter()))
        timer.start(1)
        quiet = time.perf_counter() + 2.0
        _until(lambda: time.perf_counter() > quiet)
        idle = _longest(turns)
        turns.clear()
        done.clear()
        window.import_paths((files,))
        _until(lambda: bool(done))
        busy = _longest(turns)
        timer.stop()
        window.shut_down()
        window.close()
        application.processEvents()
    note = "ms between two turns of a timer of 1 ms, import, store and list; reference: before, idle"
    return _row(f"longest gap of the event loop while {FILES:,} files are imported", busy, idle, note)


def _until(holds: Callable[[], bool]) -> None:
    """Let the window run until something holds."""
    from PySide6.QtWidgets import QApplication

    while not holds():
        QApplication.processEvents()


def _longest(turns: list[float]) -> float:
    return float(np.diff(turns).max()) * 1000


if __name__ == "__main__":
    for row in run():
        figures = f"{row['ours']:.4g} / {row['reference']:.4g} = {row['ratio']:.3g}"
        print(f"{row['name']}: {figures} ({row['note']})")

"""The reader for a window: blocking calls on threads, answers as signals, stale answers dropped.

A request carries all it needs and a number; the answer of a thread travels to the window's thread
through one queued signal and counts only when its request is still wanted. Each series is opened
once, however many panes show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRunnable, Qt, QThreadPool, Signal

from viewer.imaging.study import BadFile, Series, StudyIndex
from viewer.imaging.volume import ImageStack
from viewer.imaging.worker.cancel import CancelToken
from viewer.imaging.worker.errors import WorkerCancelled, WorkerError

if TYPE_CHECKING:
    from viewer.imaging.reader import Overlay
    from viewer.imaging.tiles import SlideTiles

THREADS = 2
"""Calls that may wait for the worker at once; the worker itself answers one at a time."""

THUMBNAIL_SIZE = 192
"""Longer side of a picture in pixels: sharp in the open strip and on a dense screen."""

THUMBNAIL_PRIORITY = -1
"""Pictures wait for everything that a reader asked for (QThreadPool: 0 is the usual)."""


class OpenedStack(Protocol):
    """A stack whose pixels arrive (`viewer.imaging.reader.OpenStack`)."""

    stack: ImageStack
    bad_files: tuple[BadFile, ...]

    def load(
        self,
        *,
        first: int,
        on_frames: Callable[[Sequence[int]], None] | None,
        cancel: CancelToken | None,
    ) -> ImageStack:
        """Fill the pixels, `first` first; blocking. `stack` may then lack frames that are bad."""
        ...

    def release(self) -> None:
        """Give the memory back."""
        ...


class BlockingReader(Protocol):
    """What the adapter asks of `viewer.imaging.reader.Reader`."""

    def index(
        self,
        paths: Sequence[Path],
        *,
        on_progress: Callable[[int, int], None] | None,
        cancel: CancelToken | None,
    ) -> StudyIndex:
        """Find the studies under paths."""
        ...

    def begin(self, series: Series) -> OpenedStack:
        """Take memory for a series; its pixels are zero until loaded."""
        ...

    def thumbnail(
        self, series: Series, *, size: int, cancel: CancelToken | None
    ) -> npt.NDArray[np.uint8]:
        """Return a small picture of the middle frame."""
        ...

    def overlays(
        self, series: Series, frame: tuple[int, int], *, cancel: CancelToken | None
    ) -> tuple[Overlay, ...]:
        """Return the overlays of one frame as masks."""
        ...

    def slide(self, series: Series) -> SlideTiles:
        """Return the tiles of a slide; reading them blocks."""
        ...


@dataclass(eq=False)
class _Request:
    """One call on a thread; `wanted` is read and written in the window's thread only."""

    key: str
    cancel: CancelToken = field(default_factory=CancelToken)
    wanted: bool = True
    opened: OpenedStack | None = None
    stack: ImageStack | None = None
    """What the window was told: the thread that loads takes frames out of its own when they are bad."""


@dataclass(frozen=True, eq=False)
class _Answer:
    request: _Request
    take: Callable[..., None]
    """The adapter's method for it, called in the window's thread."""
    values: tuple[Any, ...] = ()


class _Call(QRunnable):
    def __init__(self, run: Callable[[], None]) -> None:
        super().__init__()
        self._run = run

    def run(self) -> None:
        self._run()


class ReaderAdapter(QObject):
    """Signals and slots around a reader; lives in the window's thread."""

    indexProgress = Signal(int, int)
    """Files done and files known so far."""
    indexed = Signal(object)
    """The StudyIndex of the newest request."""
    indexFailed = Signal(str, str)
    """Code and words for the reader."""
    seriesBegun = Signal(str, object)
    """Series key and its ImageStack: sizes and geometry are known, pixels follow."""
    framesArrived = Signal(str, object)
    """Series key and the frames (from 0) whose pixels are in."""
    seriesOpened = Signal(str, object, object)
    """Series key, its ImageStack, complete, and the BadFiles that it lacks."""
    thumbnailMade = Signal(str, object)
    """Series key and grey or RGB bytes."""
    overlaysRead = Signal(str, object, object)
    """Series key, the frame as in `ImageStack.frames`, and its overlays."""
    seriesFailed = Signal(str, str, str)
    """Series key, code and words for the reader. Its memory goes back when the slots have run: a pane
    that shows it must let go in the slot."""

    _answered = Signal(object)

    def __init__(self, reader: BlockingReader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(THREADS)
        self._indexing: _Request | None = None
        self._pictures: list[_Request] = []
        self._series: dict[str, _Request] = {}
        self._arrived: dict[str, set[int]] = {}
        self._complete: set[str] = set()
        self._answered.connect(self._take, Qt.ConnectionType.QueuedConnection)

    # --- requests ----------------------------------------------------------------------------------

    def index(self, paths: Sequence[Path]) -> None:
        """Find the studies under paths; a running search is cancelled and its answer dropped."""
        self.cancel_index()
        request = _Request("index")
        self._indexing = request
        found = tuple(paths)

        def run() -> None:
            try:
                index = self._reader.index(
                    found,
                    on_progress=lambda done, total: self._tell(request, self._progress, done, total),
                    cancel=request.cancel,
                )
            except Exception as error:
                self._tell(request, self._index_failed, *_words(error))
            else:
                self._tell(request, self._index_done, index)

        self._pool.start(_Call(run))

    def cancel_index(self) -> None:
        """Stop a running search."""
        if self._indexing is not None:
            self._indexing.wanted = False
            self._indexing.cancel.cancel()
            self._indexing = None

    def open(self, series: Series, *, first: int | None = None) -> None:
        """Open a series with frame `first` first (none: the middle one, where reading begins).

        A series that is open already is announced again at once.
        """
        key = series.key
        known = self._series.get(key)
        if known is not None:
            if known.opened is not None:
                self.seriesBegun.emit(key, known.stack)
                if key in self._complete:
                    self.seriesOpened.emit(key, known.stack, known.opened.bad_files)
            return
        request = _Request(key)
        self._series[key] = request
        wanted = series.image_count // 2 if first is None else first

        def run() -> None:
            opened: OpenedStack | None = None
            try:
                if request.cancel.cancelled:
                    raise WorkerCancelled("cancelled", "Cancelled.")
                opened = self._reader.begin(series)
                self._tell(request, self._begun, opened, opened.stack)
                opened.load(
                    first=wanted,
                    on_frames=lambda frames: self._tell(request, self._frames, tuple(frames)),
                    cancel=request.cancel,
                )
            except Exception as error:
                self._tell(request, self._open_failed, opened, *_words(error))
            else:
                self._tell(request, self._opened, opened)

        self._pool.start(_Call(run))

    def add_thumbnails(self, wanted: Sequence[Series]) -> None:
        """Ask for a picture of some series."""
        asked = [_Request(series.key) for series in wanted]
        self._pictures += asked
        for request, series in zip(asked, wanted, strict=True):
            self._pool.start(_Call(partial(self._make_thumbnail, request, series)), THUMBNAIL_PRIORITY)

    def drop_thumbnails(self) -> None:
        """Stop making pictures."""
        for request in self._pictures:
            request.wanted = False
            request.cancel.cancel()
        self._pictures = []

    def _make_thumbnail(self, request: _Request, series: Series) -> None:
        if request.cancel.cancelled:
            return
        try:
            pixels = self._reader.thumbnail(series, size=THUMBNAIL_SIZE, cancel=request.cancel)
        except WorkerError:
            return  # the strip shows the series without a picture; opening it names the reason
        self._tell(request, self._thumbnail_made, pixels)

    def slide(self, series: Series) -> SlideTiles:
        """Return the tiles of a slide, for a thread to read."""
        return self._reader.slide(series)

    def read_overlays(self, series: Series, frame: tuple[int, int]) -> None:
        """Ask for the overlays of a frame; those that cannot be read are answered by none."""
        request = _Request(series.key)

        def run() -> None:
            try:
                found = self._reader.overlays(series, frame, cancel=request.cancel)
            except WorkerError:
                found = ()
            self._tell(request, self._overlays_read, frame, found)

        self._pool.start(_Call(run))

    def arrived(self, key: str) -> frozenset[int] | None:
        """Return the frames of an open series whose pixels are in; none when all are."""
        return None if key in self._complete else frozenset(self._arrived.get(key, ()))

    def stack(self, key: str) -> ImageStack | None:
        """Return the stack of a series that is open or opening."""
        request = self._series.get(key)
        return None if request is None else request.stack

    def opened(self, key: str) -> OpenedStack | None:
        """Return an open series with its memory once all pixels are in: for workers that measure."""
        request = self._series.get(key)
        return request.opened if request is not None and key in self._complete else None

    def keep_only(self, keys: Iterable[str]) -> None:
        """Close every other series, whose panes are empty by now: loading stops, memory goes back."""
        for key in set(self._series) - set(keys):
            request = self._series.pop(key)
            request.wanted = False
            request.cancel.cancel()
            self._arrived.pop(key, None)
            if key in self._complete and request.opened is not None:
                self._complete.discard(key)
                request.opened.release()

    def let_go(self, keys: Iterable[str]) -> None:
        """Close some series, which no pane shows."""
        self.keep_only(set(self._series) - set(keys))

    def close(self) -> None:
        """Cancel everything, wait for the threads and give all memory back."""
        self.cancel_index()
        self.drop_thumbnails()
        self.keep_only(())
        self._pool.waitForDone()
        QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall.value)

    # --- answers, in the window's thread -----------------------------------------------------------

    def _tell(self, request: _Request, take: Callable[..., None], *values: Any) -> None:
        self._answered.emit(_Answer(request, take, values))

    def _take(self, answer: _Answer) -> None:
        answer.take(answer.request, *answer.values)

    def _progress(self, request: _Request, done: int, total: int) -> None:
        if request.wanted:
            self.indexProgress.emit(done, total)

    def _index_done(self, request: _Request, index: StudyIndex) -> None:
        if request.wanted:
            self._indexing = None
            self.indexed.emit(index)

    def _index_failed(self, request: _Request, code: str, message: str) -> None:
        if request.wanted:
            self._indexing = None
            self.indexFailed.emit(code, message)

    def _begun(self, request: _Request, opened: OpenedStack, stack: ImageStack) -> None:
        if request.wanted:
            request.opened, request.stack = opened, stack
            self._arrived[request.key] = set()
            self.seriesBegun.emit(request.key, stack)

    def _frames(self, request: _Request, frames: tuple[int, ...]) -> None:
        if request.wanted:
            self._arrived[request.key].update(frames)
            self.framesArrived.emit(request.key, frames)

    def _opened(self, request: _Request, opened: OpenedStack) -> None:
        if not request.wanted:
            opened.release()
            return
        self._complete.add(request.key)
        request.stack = opened.stack
        self.seriesOpened.emit(request.key, opened.stack, opened.bad_files)

    def _thumbnail_made(self, request: _Request, pixels: npt.NDArray[np.uint8]) -> None:
        if request.wanted:
            self.thumbnailMade.emit(request.key, pixels)

    def _overlays_read(
        self, request: _Request, frame: tuple[int, int], found: tuple[Overlay, ...]
    ) -> None:
        self.overlaysRead.emit(request.key, frame, found)

    def _open_failed(
        self, request: _Request, opened: OpenedStack | None, code: str, message: str
    ) -> None:
        if request.wanted:
            self._series.pop(request.key, None)
            self._arrived.pop(request.key, None)
            self.seriesFailed.emit(request.key, code, message)
        if opened is not None:
            opened.release()


def _words(error: Exception) -> tuple[str, str]:
    """Return code and words of what went wrong on a thread; nothing may end it silently."""
    if isinstance(error, WorkerError):
        return error.code, error.message
    return type(error).__name__, str(error)

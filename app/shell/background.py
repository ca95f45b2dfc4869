"""Blocking calls on threads of their own; their answers come back in the window's thread.

A call that was dropped is not answered any more: whoever asked has gone on to something else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRunnable, Qt, QThreadPool, Signal

_Result = TypeVar("_Result")


@dataclass(eq=False)
class Job:
    """A call that runs or waits; `wanted` is read and written in the window's thread only."""

    wanted: bool = True

    def drop(self) -> None:
        """Want no answer any more."""
        self.wanted = False


@dataclass(frozen=True, eq=False)
class _Answer:
    job: Job
    take: Callable[..., None]
    values: tuple[Any, ...]
    ends: bool


class _Call(QRunnable):
    def __init__(self, run: Callable[[], None]) -> None:
        super().__init__()
        self._run = run

    def run(self) -> None:
        self._run()


class Background(QObject):
    """A few threads for blocking calls of one kind.

    Parameters
    ----------
    threads
        Calls that run at once; with one thread they run in the order in which they were asked.
    """

    _answered = Signal(object)

    def __init__(self, threads: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._answered.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._open = 0

    @property
    def is_busy(self) -> bool:
        """True while a call was not answered."""
        return self._open > 0

    def run(
        self,
        call: Callable[[], _Result],
        done: Callable[[_Result], None],
        failed: Callable[[Exception], None],
        *,
        job: Job | None = None,
    ) -> Job:
        """Do a blocking call on a thread, then `done` or `failed` here; returns at once.

        Parameters
        ----------
        job
            Made before the call, for one that tells something on the way.
        """
        job = job or Job()
        self._open += 1

        def work() -> None:
            try:
                result = call()
            except Exception as error:
                self._answered.emit(_Answer(job, failed, (error,), ends=True))
            else:
                self._answered.emit(_Answer(job, done, (result,), ends=True))

        self._pool.start(_Call(work))
        return job

    def tell(self, job: Job, take: Callable[..., None], *values: Any) -> None:
        """From the thread of a job: tell something on the way."""
        self._answered.emit(_Answer(job, take, values, ends=False))

    def close(self) -> None:
        """Wait for what runs; nothing is answered after this."""
        self._pool.clear()
        self._pool.waitForDone()
        self._answered.disconnect(self._take)
        QCoreApplication.removePostedEvents(self, QEvent.Type.MetaCall.value)

    def _take(self, answer: _Answer) -> None:
        if answer.ends:
            self._open -= 1
        if answer.job.wanted:
            answer.take(*answer.values)

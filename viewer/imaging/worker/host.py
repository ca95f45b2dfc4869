"""The host's side: one worker process of a kind, called from any thread, restarted when it died."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any

from viewer.imaging.worker import wire
from viewer.imaging.worker.cancel import CancelToken
from viewer.imaging.worker.errors import (
    WorkerCancelled,
    WorkerDied,
    WorkerError,
    WorkerRefused,
    WorkerTimeout,
)
from viewer.imaging.worker.kinds import KINDS
from viewer.imaging.worker.memory import SharedBuffer
from viewer.imaging.worker.process import WorkerProcess
from viewer.imaging.worker.quarantine import Quarantine

__all__ = [
    "CancelToken",
    "Quarantine",
    "WorkerCancelled",
    "WorkerDied",
    "WorkerError",
    "WorkerHost",
    "WorkerRefused",
    "WorkerTimeout",
]

GRACE = 0.07
"""Seconds a worker has to answer a cancel before the caller goes on without it. The promise of the
product is 0.1 s; the rest is for the caller."""

START_SECONDS = 60.0
"""Seconds a process has for its imports on a busy machine."""

Events = Callable[[dict[str, Any]], None]


class WorkerHost:
    """One child process of a kind; starts with the first call and again when it died.

    Parameters
    ----------
    kind
        Name in `KINDS`.
    memory_limit
        Overrides that of the kind, bytes.
    quarantine
        Shared by hosts that should refuse the same subjects; one of its own by default.
    """

    def __init__(
        self, kind: str, *, memory_limit: int | None = None, quarantine: Quarantine | None = None
    ) -> None:
        self.kind = kind
        self.quarantine = quarantine if quarantine is not None else Quarantine()
        self._spec = KINDS[kind]
        self._memory_limit = memory_limit
        self._turn = threading.Condition()
        self._queue: deque[object] = deque()
        self._closed = False
        self._process: WorkerProcess | None = None
        self._wake = _Wake()
        self._ids = count(1)

    def call(
        self,
        op: str,
        params: Mapping[str, Any],
        *,
        buffers: Sequence[SharedBuffer] = (),
        on_event: Events | None = None,
        cancel: CancelToken | None = None,
        deadline: float | None = None,
        subject: str | None = None,
    ) -> dict[str, Any]:
        """Run an operation and return its result; blocks, so never from the window's thread.

        Parameters
        ----------
        op, params
            Operation of the worker's `HANDLERS` and its parameters, plain JSON.
        buffers
            Shared memory the handler sees as `context.buffers`.
        on_event
            Called in this thread with each event.
        cancel
            Cancelled from another thread it ends the call within 100 ms.
        deadline
            Seconds for waiting in the queue and running together; default that of the kind.
        subject
            Hash or path of what is worked on: having killed two workers it is refused.

        Raises
        ------
        WorkerRefused, WorkerDied, WorkerTimeout, WorkerCancelled
            No result; the message says why.
        """
        message, frame = self._encoded(op, params, buffers)
        limit = deadline if deadline is not None else self._spec.deadline
        request = _Request(message, tuple(buffers), on_event, cancel, time.monotonic() + limit, subject)
        with self._woken_by(cancel), self._my_turn(request):
            return self._run(request, frame)

    def start(self) -> None:
        """Start the process ahead of the first call, without waiting for it."""
        ticket = object()
        with self._turn:
            if self._closed or self._queue or self._process is not None:
                return
            self._queue.append(ticket)
        try:
            self._spawn()
        finally:
            self._leave(ticket)

    def close(self) -> None:
        """Kill the process and end the calls; never blocks. A second time does nothing."""
        with self._turn:
            if self._closed:
                return
            self._closed = True
            if self._process is not None:
                self._process.kill()
            self._wake.signal()
            self._turn.notify_all()
            if not self._queue:
                self._tidy()

    def __enter__(self) -> WorkerHost:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the worker, none when there is none."""
        process = self._process
        return process.pid if process is not None and process.alive else None

    def _encoded(
        self, op: str, params: Mapping[str, Any], buffers: Sequence[SharedBuffer]
    ) -> tuple[wire.Call, bytes]:
        try:
            words = [wire.BufferWord(nbytes=b.nbytes, writable=b.writable) for b in buffers]
            message = wire.Call(id=next(self._ids), op=op, params=dict(params), buffers=words)
            return message, wire.encode(message)
        except (TypeError, ValueError) as error:
            # The error of the schema would quote the parameters, so the cause is not named here.
            raise WorkerRefused(
                "bad_request", f"The request to {op!r} is too large or cannot be passed on."
            ) from error

    # --- the queue

    @contextmanager
    def _woken_by(self, cancel: CancelToken | None) -> Iterator[None]:
        if cancel is None:
            yield
            return

        def wake() -> None:
            self._wake.signal()
            with self._turn:
                self._turn.notify_all()

        forget = cancel.subscribe(wake)
        try:
            yield
        finally:
            forget()

    @contextmanager
    def _my_turn(self, request: _Request) -> Iterator[None]:
        ticket = object()
        with self._turn:
            self._queue.append(ticket)
        try:
            with self._turn:
                while True:
                    reason = self._stop_reason(request)
                    if reason is not None:
                        raise reason
                    if self._queue[0] is ticket:
                        break
                    self._turn.wait(request.remaining())
            yield
        finally:
            self._leave(ticket)

    def _leave(self, ticket: object) -> None:
        with self._turn:
            self._queue.remove(ticket)
            self._turn.notify_all()
            if self._closed and not self._queue:
                self._tidy()

    def _tidy(self) -> None:
        if self._process is not None:
            self._process.bury()
            self._process = None
        self._wake.close()

    # --- one call

    def _stop_reason(self, request: _Request) -> WorkerError | None:
        if self._closed:
            return WorkerRefused("closed", "The program is closing this work.")
        if request.cancel is not None and request.cancel.cancelled:
            return WorkerCancelled("cancelled", "Stopped as asked.")
        if request.remaining() <= 0:
            return WorkerTimeout(
                "deadline", f"The step {request.message.op!r} took longer than it may and was stopped."
            )
        return None

    def _run(self, request: _Request, frame: bytes) -> dict[str, Any]:
        if request.subject is not None and self.quarantine.holds(request.subject):
            raise WorkerRefused(
                "quarantined",
                f"This was tried twice and each time it brought the {self.kind} process down. It is "
                "not tried again; the file may be damaged or hostile.",
            )
        process = self._await_ready(request)
        leases: list[SharedBuffer] = []
        descriptors: list[int] = []
        try:
            for buffer in request.buffers:
                descriptors.append(buffer.lease())
                leases.append(buffer)
            process.channel.queue(frame, descriptors)
            answer = self._converse(process, request)
        except BaseException as error:
            # Whatever went wrong, a process in an unknown state is not used again.
            self._drop(process, leases)
            if (
                isinstance(error, WorkerDied | _Hung)
                and request.subject is not None
                and not self._closed
            ):
                self.quarantine.crashed(request.subject)
            if isinstance(error, _Hung):
                raise error.reason from None
            raise
        for buffer in leases:
            buffer.unlease()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _spawn(self) -> WorkerProcess:
        """Start a process; the caller has the turn, so nobody else does."""
        process = WorkerProcess(self.kind, self._memory_limit)
        with self._turn:
            self._process = process
            if self._closed:  # `close` came while the process was being made
                process.kill()
        return process

    def _await_ready(self, request: _Request) -> WorkerProcess:
        process = self._process
        if process is not None and not process.alive:
            self._drop(process)
            process = None
        if process is None:
            process = self._spawn()
        limit = time.monotonic() + START_SECONDS
        while not process.ready:
            # The start goes on without the caller: it is of use to the next one.
            reason = self._stop_reason(request)
            if reason is not None:
                raise reason
            try:
                if time.monotonic() > limit:
                    raise WorkerTimeout(
                        "start", f"The {self.kind} process did not start in time. Try again."
                    )
                for message in self._pump(process, min(limit, request.ends)):
                    self._greet(process, message)
            except WorkerError:
                self._drop(process)
                raise
        return process

    def _greet(self, process: WorkerProcess, message: object) -> None:
        if isinstance(message, wire.Ready) and message.version == wire.PROTOCOL_VERSION:
            process.ready = True
        elif isinstance(message, wire.Failure):
            raise WorkerDied(message.code, message.message, message.details)
        else:
            raise WorkerDied(
                "version", f"The {self.kind} process is of another version. Install Sightline again."
            )

    def _converse(self, process: WorkerProcess, request: _Request) -> dict[str, Any] | BaseException:
        """Return the result, or what to raise while the worker lives on."""
        heard = time.monotonic()
        stop: BaseException | None = None
        stop_ends = 0.0
        while True:
            now = time.monotonic()
            if stop is None:
                stop = self._stop_reason(request)
                if stop is not None:
                    stop_ends = self._ask_to_stop(process, request)
                elif now - heard > self._spec.silence:
                    raise _Hung(self._silent(request))
            elif now >= stop_ends or self._closed:
                raise _Hung(stop) if isinstance(stop, WorkerTimeout) else stop
            until = stop_ends if stop is not None else min(request.ends, heard + self._spec.silence)
            for message in self._pump(process, until):
                heard = time.monotonic()
                if not self._concerns(process, request, message):
                    continue
                if isinstance(message, wire.Result):
                    return stop or message.body
                if isinstance(message, wire.Failure):
                    return stop or WorkerRefused(message.code, message.message, message.details)
                if stop is None and request.on_event is not None:
                    try:
                        request.on_event(message.body)
                    except Exception as error:
                        stop, stop_ends = error, self._ask_to_stop(process, request)
                    heard = time.monotonic()  # a slow listener is not a silent worker

    def _concerns(self, process: WorkerProcess, request: _Request, message: Any) -> bool:
        """Tell whether the message carries news of this call."""
        if isinstance(message, wire.Ready) or message.id > request.message.id:
            raise self._broken(process, "answered what it was not asked")
        # A thread of the call before may be late.
        return message.id == request.message.id and not isinstance(message, wire.Beat)

    @staticmethod
    def _ask_to_stop(process: WorkerProcess, request: _Request) -> float:
        """Send a cancel; return until when the worker may answer."""
        process.channel.queue(wire.encode(wire.Cancel(id=request.message.id)))
        return time.monotonic() + GRACE

    def _pump(self, process: WorkerProcess, until: float) -> list[Any]:
        """Wait for anything to happen, at most until then; return the messages that came."""
        poll = select.poll()
        poll.register(self._wake.descriptor, select.POLLIN)
        if process.stderr_open:
            poll.register(process.stderr, select.POLLIN)
        poll.register(
            process.channel, select.POLLIN | (select.POLLOUT if process.channel.pending else 0)
        )
        timeout = max(0.0, until - time.monotonic())
        messages: list[Any] = []
        for descriptor, events in poll.poll(int(timeout * 1000) + 1):
            if descriptor == self._wake.descriptor:
                self._wake.clear()
            elif descriptor == process.stderr:
                process.drain_stderr()
            else:
                messages = self._exchange(process, events)
        return messages

    def _exchange(self, process: WorkerProcess, events: int) -> list[Any]:
        try:
            if events & select.POLLOUT:
                process.channel.flush()
            if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                return list(process.channel.read())
        except EOFError:
            raise self._died(process) from None
        except wire.ProtocolError as error:
            raise self._broken(process, f"spoke what is not the protocol: {error}") from error
        return []

    def _drop(self, process: WorkerProcess, leases: Sequence[SharedBuffer] = ()) -> None:
        with self._turn:
            if self._process is process:
                self._process = None
        process.bury(leases)

    # --- words

    def _died(self, process: WorkerProcess) -> WorkerError:
        if self._closed:
            return WorkerRefused("closed", "The program is closing this work.")
        cause = process.cause_of_death()
        return WorkerDied(
            "died",
            f"The {self.kind} process {cause}. What it worked on may be damaged; the rest is not "
            "affected and a new process takes over.",
            process.last_words(),
        )

    def _broken(self, process: WorkerProcess, what: str) -> WorkerError:
        return WorkerDied(
            "protocol", f"The {self.kind} process {what}, and was ended.", process.last_words()
        )

    def _silent(self, request: _Request) -> WorkerTimeout:
        return WorkerTimeout(
            "silent",
            f"The {self.kind} process gave no sign of life for {self._spec.silence:.0f} s in "
            f"{request.message.op!r} and was ended. A new process takes over.",
        )


@dataclass(frozen=True)
class _Request:
    """All that one call needs."""

    message: wire.Call
    buffers: tuple[SharedBuffer, ...]
    on_event: Events | None
    cancel: CancelToken | None
    ends: float
    subject: str | None

    def remaining(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self.ends - time.monotonic()


class _Hung(Exception):
    """The process did not even answer that it stops; it has to be killed."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason = reason


class _Wake:
    """A pipe by which other threads end a poll."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.descriptor, self._writer = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._writer, False)
        self._open = True

    def signal(self) -> None:
        with self._lock, suppress(BlockingIOError):
            if self._open:
                os.write(self._writer, b"x")

    def clear(self) -> None:
        with suppress(BlockingIOError):
            os.read(self.descriptor, 1 << 12)

    def close(self) -> None:
        with self._lock:
            if self._open:
                self._open = False
                os.close(self.descriptor)
                os.close(self._writer)

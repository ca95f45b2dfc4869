"""The worker's side: takes calls from the socket, runs handlers, answers.

A package offers operations as a module with `HANDLERS: dict[str, Handler]`. A handler gets the
parameters and a `WorkerContext`, returns a JSON object, raises `Refused` for what it will not do,
and looks at `cancelled()` often. Handlers run in the main thread, one at a time.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import queue
import select
import socket
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from viewer.imaging.worker import wire
from viewer.imaging.worker.kinds import module_is_allowed
from viewer.imaging.worker.limits import set_memory_limit
from viewer.imaging.worker.memory import AttachedBuffer

Handler = Callable[[dict[str, Any], "WorkerContext"], dict[str, Any]]


class Refused(Exception):
    """Raised by a handler: the request cannot be met, and the worker lives on.

    Parameters
    ----------
    code
        Short stable name of the reason.
    message
        What, where and what to do, for the reader; no patient data.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class WorkerContext:
    """What a handler has beside its parameters: buffers, a way to report, and the wish to stop."""

    def __init__(
        self,
        call: wire.Call,
        buffers: tuple[AttachedBuffer, ...],
        stop: threading.Event,
        outlet: Outlet,
    ) -> None:
        self.buffers = buffers
        self._id = call.id
        self._stop = stop
        self._outlet = outlet

    def emit(self, event: Mapping[str, Any]) -> None:
        """Send an event to the caller; it waits while the caller is slow. Sample: 10 a second do."""
        self._outlet.send(wire.Event(id=self._id, body=dict(event)))

    def cancelled(self) -> bool:
        """Tell whether the caller wants no result any more; then return or raise soon."""
        return self._stop.is_set()


class Outlet:
    """Sends messages to the host from any thread of the worker, each whole."""

    def __init__(self, channel: wire.Channel[wire.Hello | wire.Call | wire.Cancel]) -> None:
        self._channel = channel
        self._lock = threading.Lock()

    def send(self, message: wire.Message) -> None:
        """Send, waiting for the host to take it.

        Raises
        ------
        ValueError, TypeError
            The message is too large or is not JSON; nothing was sent.
        """
        frame = wire.encode(message)
        with self._lock:
            self._channel.queue(frame)
            poll = select.poll()
            poll.register(self._channel, select.POLLOUT)
            try:
                while True:
                    self._channel.flush()
                    if not self._channel.pending:
                        return
                    poll.poll()
            except EOFError:
                os._exit(0)


class _Worker:
    def __init__(self, descriptor: int, kind: str, memory_limit: int) -> None:
        sock = socket.socket(fileno=descriptor)
        self.channel = wire.Channel(sock, wire.TO_WORKER)
        self.outlet = Outlet(self.channel)
        self.kind = kind
        self.memory_limit = memory_limit
        self.attached = 0
        self.calls: queue.SimpleQueue[tuple[wire.Call, tuple[int, ...], threading.Event]] = (
            queue.SimpleQueue()
        )
        self.stops: dict[int, threading.Event] = {}
        self.running: int | None = None
        self.active = threading.Event()

    def await_hello(self) -> wire.Hello:
        """Return the host's greeting; ends the process when there is none."""
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        while True:
            poll.poll()
            for message in self._read():
                if isinstance(message, wire.Hello):
                    return message
                os._exit(2)

    def receive(self) -> None:
        """Take messages until the host goes; in a thread of its own, so that a cancel is heard."""
        try:
            self._receive()
        finally:
            os._exit(2)  # deaf (out of memory, say) it would be of no use

    def _receive(self) -> None:
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        while True:
            poll.poll()
            for message in self._read():
                if isinstance(message, wire.Call):
                    stop = self.stops[message.id] = threading.Event()
                    try:
                        descriptors = self.channel.take_descriptors(len(message.buffers))
                    except wire.ProtocolError:
                        os._exit(2)
                    self.calls.put((message, tuple(descriptors), stop))
                elif isinstance(message, wire.Cancel):
                    # None: the answer crossed the request on the way.
                    stopping = self.stops.get(message.id)
                    if stopping is not None:
                        stopping.set()
                else:
                    os._exit(2)

    def beat(self, seconds: float) -> None:
        """Say at this interval that a running call is alive."""
        interval = threading.Event()
        while True:
            self.active.wait()
            interval.wait(seconds)
            running = self.running
            if running is not None:
                with contextlib.suppress(MemoryError):  # the handler will meet it too
                    self.outlet.send(wire.Beat(id=running))

    def run(self, handlers: Mapping[str, Handler]) -> None:
        """Run calls for ever."""
        while True:
            call, descriptors, stop = self.calls.get()
            self.running = call.id
            self.active.set()
            buffers: list[AttachedBuffer] = []
            answer = self._answer(call, descriptors, buffers, stop, handlers)
            self.active.clear()
            self.running = None
            self.stops.pop(call.id, None)
            try:
                self.outlet.send(answer)
            except Exception as error:
                self.outlet.send(_failure(call.id, "bad_result", _words("bad_result", call.op), error))
            # Only now: to unmap a large volume takes a third of the time that reading it takes, and
            # nothing writes to it any more.
            self._detach(call, buffers)

    def _answer(
        self,
        call: wire.Call,
        descriptors: tuple[int, ...],
        buffers: list[AttachedBuffer],
        stop: threading.Event,
        handlers: Mapping[str, Handler],
    ) -> wire.Result | wire.Failure:
        """Run a call, attaching its `buffers`; `_detach` lets go of them."""
        handler = handlers.get(call.op)
        # Shared memory counts as address space; what the host gave is not the worker's doing.
        self._allow(sum(word.nbytes for word in call.buffers))
        try:
            for word, descriptor in zip(call.buffers, descriptors, strict=True):
                buffers.append(AttachedBuffer(descriptor, word.nbytes, writable=word.writable))
            if handler is None:
                return wire.Failure(
                    id=call.id, code="unknown_operation", message=_words("unknown_operation", call.op)
                )
            result = handler(call.params, WorkerContext(call, tuple(buffers), stop, self.outlet))
            return wire.Result(id=call.id, body=result)
        except Refused as refusal:
            return wire.Failure(
                id=call.id, code=refusal.code[:200], message=refusal.message[: wire.MAX_TEXT]
            )
        except MemoryError as error:
            return _failure(call.id, "memory", _words("memory", call.op), error)
        except ValidationError as error:
            where = ", ".join(sorted({".".join(map(str, item["loc"])) for item in error.errors()}))[
                :200
            ]
            return _failure(call.id, "invalid", f"{_words('invalid', call.op)} ({where})", None)
        except Exception as error:
            return _failure(call.id, "failed", _words("failed", call.op), error)
        finally:
            for descriptor in descriptors[len(buffers) :]:
                with contextlib.suppress(OSError):
                    os.close(descriptor)

    def _detach(self, call: wire.Call, buffers: list[AttachedBuffer]) -> None:
        kept = sum(buffer.nbytes for buffer in buffers if not buffer.close())
        self._allow(kept - sum(word.nbytes for word in call.buffers))

    def _allow(self, nbytes: int) -> None:
        if nbytes:
            self.attached += nbytes
            set_memory_limit(self.memory_limit + self.attached)

    def _read(self) -> list[wire.Hello | wire.Call | wire.Cancel]:
        try:
            return self.channel.read()
        except EOFError:
            os._exit(0)
        except wire.ProtocolError:
            os._exit(2)


_WORDS = {
    "unknown_operation": "This worker has no operation {op!r}. Install Sightline again.",
    "memory": "The step {op!r} needed more memory than a worker may have. Try a smaller series.",
    "invalid": "The request to {op!r} or a part of its answer was not as agreed",
    "failed": "The step {op!r} failed on an error inside the program. The rest goes on.",
    "bad_result": "The step {op!r} gave a result that cannot be passed on (too large or no number).",
}


def _words(code: str, op: str) -> str:
    return _WORDS[code].format(op=op)


def _failure(call: int, code: str, message: str, error: BaseException | None) -> wire.Failure:
    details = ""
    if error is not None:
        details = "".join(traceback.format_exception(error))[-wire.MAX_TEXT :]
        # The frames of the traceback hold what filled the memory.
        traceback.clear_frames(error.__traceback__)
        gc.collect()
    return wire.Failure(id=call, code=code, message=message[: wire.MAX_TEXT], details=details)


def load_handlers(module: str) -> dict[str, Handler]:
    """Import the handlers of a worker.

    Raises
    ------
    Refused
        The module is not one that a worker may import, or has no `HANDLERS`.
    """
    if not module_is_allowed(module):
        raise Refused("module", f"A worker does not take operations from {module}.")
    handlers = getattr(importlib.import_module(module), "HANDLERS", None)
    if not isinstance(handlers, dict):
        raise Refused("module", f"{module} offers no operations to a worker.")
    return handlers


def serve(descriptor: int, *, kind: str, module: str, memory_limit: int) -> int:
    """Greet the host on the inherited socket and serve it until it goes.

    Returns
    -------
    int
        Exit status, when the worker could not start; else the process ends with the host.
    """
    worker = _Worker(descriptor, kind, memory_limit)
    hello = worker.await_hello()
    if hello.version != wire.PROTOCOL_VERSION or hello.kind != kind:
        words = f"The program speaks version {hello.version}, its worker {wire.PROTOCOL_VERSION}."
        worker.outlet.send(
            wire.Failure(id=0, code="version", message=f"{words} Install Sightline again.")
        )
        return 3
    try:
        handlers = load_handlers(module)
    except Refused as refusal:
        worker.outlet.send(wire.Failure(id=0, code=refusal.code, message=refusal.message))
        return 3
    except Exception as error:
        words = f"The {kind} worker could not start. Install Sightline again."
        worker.outlet.send(_failure(0, "start", words, error))
        return 3
    for target, arguments in ((worker.receive, ()), (worker.beat, (hello.heartbeat,))):
        threading.Thread(target=target, args=arguments, daemon=True).start()
    worker.outlet.send(wire.Ready(version=wire.PROTOCOL_VERSION, kind=kind))
    worker.run(handlers)
    return 0

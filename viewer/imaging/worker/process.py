"""One child process of a host: made by exec, spoken to over a socketpair, killed without ceremony."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from viewer.imaging.worker import wire
from viewer.imaging.worker.errors import WorkerDied
from viewer.imaging.worker.kinds import ENVIRONMENT, KINDS, worker_command
from viewer.imaging.worker.memory import SharedBuffer

STDERR_KEPT = 16 << 10
"""Bytes kept of what a worker last wrote to stderr."""

_REAP_SECONDS = 5.0
_NURSERY = ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker-nursery")
"""Makes processes. Linux kills a worker with the *thread* that made it (PDEATHSIG), so that thread
must live as long as the program, which a caller's thread does not."""

_BURIAL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="worker-burial")
"""Waits for killed processes; apart, as one that held gigabytes takes its time to go."""

_DEATHS = {
    signal.SIGABRT: "gave up (abort), as native code does when memory runs out or data is damaged",
    signal.SIGSEGV: "crashed in native code (segmentation fault)",
    signal.SIGBUS: "crashed in native code (bus error)",
    signal.SIGILL: "met an instruction this processor does not have",
    signal.SIGFPE: "crashed in native code (arithmetic error)",
    signal.SIGKILL: "was killed, perhaps because the machine ran out of memory",
    signal.SIGTERM: "was told to end by the system",
}


class WorkerProcess:
    """A running worker. One thread at a time reads and writes; `kill` may come from any.

    Parameters
    ----------
    kind
        Name in `KINDS`.
    memory_limit
        Overrides that of the kind, bytes.
    """

    def __init__(self, kind: str, memory_limit: int | None) -> None:
        self.kind = KINDS[kind]
        self.ready = False
        self.stderr_open = True
        self._stderr_tail = b""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            command = [
                *worker_command(kind),
                *("--fd", str(theirs.fileno())),
                *("--module", self.kind.module),
                *("--memory", str(memory_limit or self.kind.memory_limit)),
                *("--nice", str(self.kind.nice)),
            ]
            self._popen = _NURSERY.submit(self._start, command, theirs.fileno()).result()
        except (OSError, RuntimeError) as error:
            ours.close()
            raise WorkerDied(
                "start",
                f"The {kind} process cannot be started ({type(error).__name__}). "
                "Close other programs and try again.",
            ) from error
        finally:
            theirs.close()
        assert self._popen.stderr is not None
        self.stderr = self._popen.stderr.fileno()
        os.set_blocking(self.stderr, False)
        self.channel = wire.Channel(ours, wire.TO_HOST)
        hello = wire.Hello(version=wire.PROTOCOL_VERSION, kind=kind, heartbeat=self.kind.silence / 20)
        self.channel.queue(wire.encode(hello))

    @property
    def pid(self) -> int:
        """Process id."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """True while the process has not ended."""
        return self._popen.poll() is None

    def kill(self) -> None:
        """Kill at once; safe from any thread and more than once."""
        with contextlib.suppress(OSError):
            self._popen.kill()

    def drain_stderr(self) -> bool:
        """Take what the worker wrote, keep the end of it; false at its end."""
        try:
            data = os.read(self.stderr, 1 << 16)
        except BlockingIOError:
            return True
        self._stderr_tail = (self._stderr_tail + data)[-STDERR_KEPT:]
        self.stderr_open = bool(data)
        return self.stderr_open

    def last_words(self) -> str:
        """Return the end of stderr, for an engineer."""
        poll = select.poll()
        poll.register(self.stderr, select.POLLIN)
        while poll.poll(0) and self.drain_stderr():
            pass
        return self._stderr_tail.decode("utf-8", "replace")

    def cause_of_death(self) -> str:
        """Say how the process ended; it is killed if it has not."""
        try:
            status = self._popen.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self.kill()
            return "closed its line and did not end"
        if status < 0:
            return _DEATHS.get(signal.Signals(-status), f"was ended by signal {-status}")
        return f"ended by itself with status {status}"

    def bury(self, leases: Sequence[SharedBuffer] = ()) -> None:
        """Kill, then in the background wait for the end and let go of the buffers it could write."""
        self.kill()
        self.channel.close()

        def wait() -> None:
            if self._popen.stderr is not None:
                self._popen.stderr.close()
            # A process that hangs in the kernel keeps its buffers: it might still write to them.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(timeout=_REAP_SECONDS)
                for buffer in leases:
                    buffer.unlease()

        _in_background(wait)

    def _start(self, command: list[str], descriptor: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(descriptor,),
            env=self._environment(),
            bufsize=0,
        )

    def _environment(self) -> dict[str, str]:
        root = str(Path(__file__).resolve().parents[3])
        merged = {**os.environ, **ENVIRONMENT, **self.kind.environment}
        merged["PYTHONPATH"] = os.pathsep.join(filter(None, (root, merged.get("PYTHONPATH"))))
        return merged


def _in_background(task: Callable[[], None]) -> None:
    try:
        _BURIAL.submit(task)
    except RuntimeError:  # the interpreter is shutting down
        task()

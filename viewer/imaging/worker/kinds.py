"""The kinds of workers as a table, and the one place that knows their command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

MIB = 1 << 20
GIB = 1 << 30

ALLOWED_PREFIXES = ("viewer.", "inference.", "app.exporting.")
"""A worker imports its handlers only from these packages."""

TEST_MODULE_VARIABLE = "SIGHTLINE_WORKER_TEST_MODULE"
"""Names the one other module that a worker may import. For tests of a source checkout: a frozen
program ignores it. It widens nothing, as who can set a variable of the process can set PYTHONPATH."""


@dataclass(frozen=True)
class WorkerKind:
    """How a kind of worker is run.

    Parameters
    ----------
    module
        Dotted name of the module that holds `HANDLERS`; a string, so that the host imports nothing.
    memory_limit
        Address space the process may have beside the shared buffers, bytes.
    nice
        Added to the niceness, so that the window stays quick.
    deadline
        Seconds a call may take when its caller names none.
    silence
        Seconds without a heartbeat after which a busy worker counts as hung. Long, as a native call
        that holds the interpreter lock silences the heartbeat without being ill.
    environment
        Variables set for the process on top of `ENVIRONMENT`.
    """

    module: str
    memory_limit: int
    nice: int = 0
    deadline: float = 600.0
    silence: float = 60.0
    environment: Mapping[str, str] = field(default_factory=dict)


ENVIRONMENT: Mapping[str, str] = {
    # Threads that spin while they wait take the core the window draws on.
    "OMP_WAIT_POLICY": "PASSIVE",
    # ggml would start a debugger by fork on a failed assertion.
    "GGML_NO_BACKTRACE": "1",
    # Each OpenBLAS thread and each malloc arena reserves address space, which RLIMIT_AS counts.
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    # The search for plugins among all installed packages is a tenth of the start of a worker.
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
"""Set for all workers."""

KINDS: dict[str, WorkerKind] = {
    "imaging": WorkerKind("viewer.imaging.serve", 2 * GIB, nice=2),
    "evidence": WorkerKind(
        "inference.evidence.serve", 6 * GIB, nice=5, environment={"OPENBLAS_NUM_THREADS": "2"}
    ),
    "export": WorkerKind("app.exporting.serve", 4 * GIB, nice=5, deadline=3600.0),
    "model": WorkerKind("inference.models.serve", 16 * GIB, nice=10, deadline=900.0),
}
"""The kinds there are. A test may add its own."""


def worker_command(kind: str) -> list[str]:
    """Return the start of the command line of a worker; the host adds the options.

    In a frozen build it is the program's own hidden subcommand. `-P` keeps the current folder, which
    may be a folder of hostile files, off the import path.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, "worker", kind]
    return [sys.executable, "-P", "-m", "viewer.imaging.worker", kind]


def module_is_allowed(module: str) -> bool:
    """Tell whether a worker may take its handlers from this module."""
    if module.startswith(ALLOWED_PREFIXES):
        return True
    return not getattr(sys, "frozen", False) and os.environ.get(TEST_MODULE_VARIABLE) == module

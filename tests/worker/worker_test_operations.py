"""Operations of the worker of these tests: well-behaved ones and every kind of bad one."""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from viewer.imaging.worker.serve import Handler, Refused, WorkerContext


class Strict(BaseModel):
    number: int


def echo(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    return {"params": params, "pid": os.getpid()}


def double(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    source, target = context.buffers
    values = source.view(np.int16, (params["count"],))
    target.view(np.int32, (params["count"],), writable=True)[:] = values.astype(np.int32) * 2
    return {"sum": int(values.sum())}


def write_to_first(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    context.buffers[0].view(np.uint8, (1,), writable=True)[:] = 1
    return {}


def count(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    for number in range(params["to"]):
        context.emit({"number": number})
    return {"last": params["to"] - 1}


def wait_for_cancel(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    context.emit({"started": True})
    while not context.cancelled():
        threading.Event().wait(0.005)
    return {}


def spin(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    context.emit({"started": True, "pid": os.getpid()})
    while True:
        pass


def stuck_in_c(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Sleep in C with the interpreter lock held, so that no thread of the worker answers."""
    context.emit({"started": True, "pid": os.getpid()})
    ctypes.PyDLL(None).sleep(600)
    return {}


def abort(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    os.write(2, b"a native library says why\n")
    os.abort()


def leave(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    os._exit(int(params["status"]))


def eat_memory(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    return {"length": len(np.ones(params["bytes"], dtype=np.uint8))}


def refuse(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    raise Refused("not_a_volume", "Slices 4 to 6 are missing.")


def fail(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    raise KeyError("DOE^JANE")


def validate(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    return Strict.model_validate(params).model_dump()


def not_a_number(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    return {"mean": float("nan")}


def too_large(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    return {"text": "x" * (65 << 20)}


def garbage(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Write past the protocol, as a process taken over by a hostile file might."""
    os.write(context._outlet._channel.fileno(), bytes.fromhex(params["hex"]))
    threading.Event().wait()
    return {}


def limits(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    import resource

    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
    return {
        "core": list(resource.getrlimit(resource.RLIMIT_CORE)),
        "address_space": resource.getrlimit(resource.RLIMIT_AS)[0],
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "dumpable": dumpable,
        "stdin": str(Path("/proc/self/fd/0").readlink()),
        "stdout": str(Path("/proc/self/fd/1").readlink()),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "environment": {name: os.environ.get(name) for name in params["names"]},
    }


HANDLERS: dict[str, Handler] = {
    function.__name__: function
    for function in (
        echo, double, write_to_first, count, wait_for_cancel, spin, stuck_in_c, abort, leave,
        eat_memory, refuse, fail, validate, not_a_number, too_large, garbage, limits,
    )
}  # fmt: skip

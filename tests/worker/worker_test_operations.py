"""Operations of the worker of these tests: well-behaved ones and every kind of bad one."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import socket
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


def babble(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    os.write(2, b"x" * params["bytes"])
    os.write(2, b"the end")
    os._exit(1)


def not_an_object(params: dict[str, Any], context: WorkerContext) -> Any:
    return [1, 2]


def lying_view(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Ask for more pixels than the buffer has, as a header may."""
    return {"sum": int(context.buffers[0].view(np.uint16, (65535, 65535)).sum())}


def refuse_in_the_middle(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Give up with the pixels in hand, as a cancelled decoder does."""
    stack = context.buffers[0].view(np.uint8, (context.buffers[0].nbytes,), writable=True)
    try:
        raise ValueError(f"{len(stack)} values and no more")
    except ValueError as error:
        raise Refused("cancelled", "Stopped as asked.") from error


def map_for_writing(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Try to write past the view, through the mapping itself."""
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    address = context.buffers[0].view(np.uint8, (1,)).ctypes.data
    if protect(ctypes.c_void_p(address), ctypes.c_size_t(1), mmap.PROT_READ | mmap.PROT_WRITE):
        raise PermissionError(ctypes.get_errno(), "mprotect")
    return {}


def interrupt(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGINT)
    return {"pid": os.getpid()}


def crash(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    return {"text": ctypes.string_at(1)}


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
    line = context._outlet._channel.fileno()
    os.set_blocking(line, True)
    rest = bytes.fromhex(params["hex"])
    while rest:
        rest = rest[os.write(line, rest) :]
    threading.Event().wait()
    return {}


def connect(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        return {"errno": sock.connect_ex(("127.0.0.1", params["port"]))}


def limit_with_buffers(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Tell the limit of the address space while a buffer is attached."""
    return {"address_space": resource.getrlimit(resource.RLIMIT_AS)[0], "pid": os.getpid()}


def mappings(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Tell how many shared segments are mapped, and how many descriptors of them are open."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return {
        "mapped": sum("sightline-pixels" in line for line in maps),
        "open": sum("sightline-pixels" in link for link in links),
    }


def limits(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
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
        eat_memory, refuse, fail, validate, not_a_number, too_large, garbage, connect, interrupt, crash,
        babble, not_an_object, lying_view, map_for_writing,
        refuse_in_the_middle,
        limit_with_buffers, mappings, limits,
    )
}  # fmt: skip

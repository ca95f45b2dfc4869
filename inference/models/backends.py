"""What the llama.cpp of this machine can compute on, and what a model weighs, asked of llama.cpp.

Runs in the model worker only.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from inference.models.memory import Device, Sizes, cache_bytes

_GRAPHICS = (1, 2)
"""ggml_backend_dev_type of a graphics card, and of one that shares the machine's memory."""


def devices(library: Any) -> tuple[Device, ...]:
    """Return the devices that can take layers; none with a build for the processor alone.

    Parameters
    ----------
    library
        `llama_cpp.llama_cpp`, its backend initialised.
    """
    if not library.llama_supports_gpu_offload():
        return ()
    from llama_cpp import _ggml

    ggml: Any = _ggml.libggml
    try:
        ggml.ggml_backend_dev_count.restype = ctypes.c_size_t
        ggml.ggml_backend_dev_get.argtypes = (ctypes.c_size_t,)
        ggml.ggml_backend_dev_get.restype = ctypes.c_void_p
        ggml.ggml_backend_dev_type.argtypes = (ctypes.c_void_p,)
        ggml.ggml_backend_dev_name.argtypes = (ctypes.c_void_p,)
        ggml.ggml_backend_dev_name.restype = ctypes.c_char_p
        size = ctypes.POINTER(ctypes.c_size_t)
        ggml.ggml_backend_dev_memory.argtypes = (ctypes.c_void_p, size, size)
        ggml.ggml_backend_dev_memory.restype = None
    except AttributeError:  # a build that keeps the registry to itself: the processor computes
        return ()
    found = []
    for number in range(ggml.ggml_backend_dev_count()):
        device = ggml.ggml_backend_dev_get(number)
        if ggml.ggml_backend_dev_type(device) not in _GRAPHICS:
            continue
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        ggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        name = ggml.ggml_backend_dev_name(device).decode("utf-8", "replace")
        found.append(Device(name, free.value, total.value))
    return tuple(found)


def free_memory() -> int | None:
    """Return the bytes that this process may still take, or none where the system does not say.

    The least of what the machine has, what its control group leaves, and the limit of the process.
    """
    found: list[int] = []
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) << 10)
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        held = int((group / "memory.current").read_text(encoding="ascii"))
        for line in (group / "memory.stat").read_text(encoding="ascii").splitlines():
            if line.startswith("inactive_file "):  # pages that are given back when they are wanted
                held -= int(line.split()[1])
        found.append(max(0, limit - held))
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            found.append(max(0, limit - pages * os.sysconf("SC_PAGE_SIZE")))
    return min(found) if found else None


def sizes(
    library: Any, path: str, *, context: int, batch: int, weights: int, projector: int
) -> Sizes | None:
    """Return what a model weighs, from its header and vocabulary alone; none when it has none.

    Parameters
    ----------
    context, batch
        Tokens of the context and of one step.
    weights, projector
        Bytes of the model file, and of the projector file or 0.
    """
    parameters = library.llama_model_default_params()
    parameters.n_gpu_layers = 0
    parameters.vocab_only = True
    model = library.llama_model_load_from_file(path.encode(), parameters)
    if not model:
        return None
    try:
        family = _text(library, model, "general.architecture")

        def number(key: str, default: int) -> int:
            text = _text(library, model, f"{family}.{key}")
            return int(text) if text.isdecimal() else default

        layers, width = number("block_count", 0), number("embedding_length", 0)
        heads = number("attention.head_count", 1)
        head = width // max(1, heads)
        vocabulary = int(library.llama_vocab_n_tokens(library.llama_model_get_vocab(model)))
        return Sizes(
            weights=weights,
            layers=layers,
            cache=cache_bytes(
                context=min(context, number("context_length", context)),
                layers=layers,
                heads=number("attention.head_count_kv", heads),
                key=number("attention.key_length", head),
                value=number("attention.value_length", head),
            ),
            projector=projector,
            # Logits of a step, and a dozen of the widest intermediate results, 32 bit each.
            compute=4 * batch * (vocabulary + 12 * 4 * width),
        )
    finally:
        library.llama_model_free(model)


def _text(library: Any, model: Any, key: str) -> str:
    out = ctypes.create_string_buffer(256)
    count = library.llama_model_meta_val_str(model, key.encode(), out, len(out))
    return out.value.decode("utf-8", "replace") if count > 0 else ""

"""What a model needs, and what of it goes to a device: sums over sizes, nothing is asked or loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MIB = 1 << 20
GIB = 1 << 30

DEVICE_RESERVE = 512 * MIB
"""Left free on a device: the screen and the buffers that its driver takes without asking."""

HOST_RESERVE = 256 * MIB
"""Left free in the machine's memory for everything else."""

HALF = 2
"""Bytes of a number in the key-value cache (16 bit)."""


@dataclass(frozen=True)
class Device:
    """A device of the llama.cpp build that can take layers.

    Parameters
    ----------
    name
        llama.cpp's own name (``CUDA0``, ``Metal``, ``Vulkan0``).
    free, total
        Its memory, bytes; a device that shares the machine's memory says what it may take.
    """

    name: str
    free: int
    total: int


@dataclass(frozen=True)
class Sizes:
    """What a model weighs, bytes.

    Parameters
    ----------
    weights
        All tensors of the language model.
    layers
        Its repeated layers; one more can be offloaded, the output.
    cache
        Key-value cache of all layers for the whole context.
    projector
        The projector file, or 0.
    compute
        Scratch of one step.
    """

    weights: int
    layers: int
    cache: int
    projector: int = 0
    compute: int = 0

    @property
    def total(self) -> int:
        """Everything together, bytes."""
        return self.weights + self.cache + self.projector + self.compute


@dataclass(frozen=True)
class Plan:
    """Where a model goes.

    Parameters
    ----------
    device
        Name of the device that takes layers, or empty for the processor alone.
    layers
        Layers on the device; the last of them is the output.
    projector
        Whether the projector goes there too.
    device_bytes, host_bytes
        What is needed on either side; scratch is needed on both.
    """

    device: str
    layers: int
    projector: bool
    device_bytes: int
    host_bytes: int


def cache_bytes(*, context: int, layers: int, heads: int, key: int, value: int) -> int:
    """Return the bytes of a key-value cache: per token and layer one key and one value per head."""
    return context * layers * heads * (key + value) * HALF


def on_processor(sizes: Sizes) -> Plan:
    """Return the plan without a device."""
    return Plan("", 0, False, 0, sizes.total)


def plan(sizes: Sizes, devices: Sequence[Device], *, reserve: int = DEVICE_RESERVE) -> Plan:
    """Return the plan with the most layers on the device that has the most free memory.

    All layers before the projector (it works once for a picture, the layers at every token), all of
    the projector or none. A device that would take less than a quarter of the layers is left alone:
    moving the numbers to and fro would cost more than it saves.
    """
    if not devices or sizes.layers < 1:
        return on_processor(sizes)
    device = max(devices, key=lambda one: one.free)
    room = device.free - reserve - sizes.compute
    each = -(-sizes.weights // (sizes.layers + 1)) + -(-sizes.cache // sizes.layers)
    layers = min(sizes.layers + 1, max(0, room) // each) if each else 0
    if layers * 4 < sizes.layers:
        return on_processor(sizes)
    whole = layers > sizes.layers
    used = sizes.weights + sizes.cache if whole else layers * each
    projector = bool(sizes.projector) and whole and used + sizes.projector <= room
    used += sizes.projector if projector else 0
    return Plan(
        device=device.name,
        layers=layers,
        projector=projector,
        device_bytes=used + sizes.compute,
        host_bytes=max(0, sizes.weights + sizes.cache + sizes.projector - used) + sizes.compute,
    )


def shortage(wanted: Plan, free: int | None) -> str:
    """Return in words what is missing in the machine's memory, or nothing when it fits.

    Parameters
    ----------
    free
        Bytes that are free for new memory, or none where the system does not say.
    """
    if free is None or wanted.host_bytes + HOST_RESERVE <= free:
        return ""
    return (
        f"The model needs {in_words(wanted.host_bytes)} of memory and {in_words(free)} is free. "
        "Close other programs, or choose a smaller model."
    )


def in_words(size: int) -> str:
    """Return a size as a reader says it."""
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{max(1, round(size / MIB))} MiB"

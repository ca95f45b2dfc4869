"""Objects that stay: `lasting` makes them without the collector, which then passes them by.

The cyclic collector visits every object there is, and holds the interpreter meanwhile: the index of
10,000 images costs each of its full passes a tenth of a second in which no window draws. What is made
in the block is freed as usual when nothing refers to it, but cycles among it are found only after
`forget_lasting`.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MANY: Final = 20_000
"""New objects from which a block is set aside; fewer cost a pass a few milliseconds."""

_lock = threading.Lock()
_blocks = 0


@contextmanager
def lasting() -> Iterator[None]:
    """Make many objects that will stay for long."""
    global _blocks  # noqa: PLW0603 - the collector is one for the process
    with _lock:
        _blocks += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if _blocks == 0:
                if gc.get_count()[0] >= MANY:
                    gc.freeze()
                gc.enable()


def begin_start() -> None:
    """Let the collector rest while the program is read: what comes with it stays to the end."""
    gc.disable()


def set_aside() -> None:
    """Let the collector pass by all objects there are: those of the program itself, once it runs."""
    gc.freeze()
    gc.enable()


def forget_lasting() -> None:
    """Let the collector find all objects again, at a time when nobody waits."""
    gc.unfreeze()

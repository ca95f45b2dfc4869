"""A token by which any thread cancels a call."""

from __future__ import annotations

import threading
from collections.abc import Callable


class CancelToken:
    """Cancelled once, for good. Thread-safe."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._next = 0

    @property
    def cancelled(self) -> bool:
        """True after `cancel`."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Cancel; each callback runs once, in this thread."""
        with self._lock:
            self._event.set()
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            callback()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until cancelled or for `timeout` seconds; return whether it is."""
        return self._event.wait(timeout)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Run `callback` on cancel, at once when it was; return a function that takes it back."""
        with self._lock:
            key = self._next
            self._next += 1
            if not self._event.is_set():
                self._callbacks[key] = callback
                return lambda: self._forget(key)
        callback()
        return lambda: None

    def _forget(self, key: int) -> None:
        with self._lock:
            self._callbacks.pop(key, None)

"""The clock of the audit trail: wall time, monotonic time and the boot it counts from."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Edge of the world: tests hand in one they can turn."""

    def utc(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def monotonic_us(self) -> int:
        """Return microseconds since an instant fixed for this boot."""
        ...

    def boot_id(self) -> str:
        """Return a name of the boot that `monotonic_us` counts from; empty when unknown."""
        ...


def _read_boot_id() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


@dataclass(frozen=True)
class SystemClock:
    """The clock of this machine. No trusted time is claimed."""

    _boot: str = field(default_factory=_read_boot_id)

    def utc(self) -> datetime:
        """Return the wall time in UTC."""
        return datetime.now(UTC)

    def monotonic_us(self) -> int:
        """Return microseconds of the monotonic clock (RFC 8785 has no room for 100 days of ns)."""
        return time.monotonic_ns() // 1000

    def boot_id(self) -> str:
        """Return the kernel's boot id where there is one."""
        return self._boot


def utc_text(moment: datetime) -> str:
    """Return ISO 8601 UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_utc_text(text: str) -> datetime:
    """Return the aware moment that `utc_text` wrote."""
    return datetime.fromisoformat(text)

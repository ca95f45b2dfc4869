"""Pixel memory: segments owned by the host, reused and kept ready, that workers attach to.

On Linux a segment is an anonymous memfd, open to its user only and sealed against resizing, so that
no worker can pull the memory away under the window; elsewhere a named mapping of mode 0600 whose
name is removed at once. Both travel as descriptors and leave nothing on disk or in /dev/shm.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import secrets
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.imaging.worker.errors import PoolExhausted

GRANULE = 2 << 20
"""Segments are multiples of this many bytes, so that nearly equal series share them."""

DEFAULT_SHARE = 0.5
"""Part of the machine's memory that a pool may take when no limit is given."""

WASTE = 4.0
"""A free segment is reused for a request down to its size divided by this."""

_MADV_POPULATE_READ = 22
"""linux/mman.h, since 5.14. For shared memory it maps pages that can be written as well, a group at a
time; MADV_POPULATE_WRITE goes page by page and takes twice as long."""


def _find_madvise() -> Callable[[int, int, int], int] | None:
    """Return the C library's madvise: unlike `mmap.madvise` it does not hold the interpreter lock."""
    if not sys.platform.startswith("linux"):
        return None
    function = ctypes.CDLL(None).madvise
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return function


_madvise = _find_madvise()


def _view(
    memory: memoryview, dtype: npt.DTypeLike, shape: tuple[int, ...], offset: int, writable: bool
) -> npt.NDArray[Any]:
    kind = np.dtype(dtype)
    if kind.hasobject:
        raise ValueError("shared memory holds numbers only")
    if offset < 0 or any(n < 0 for n in shape):
        raise ValueError(f"offset {offset} or shape {shape} is negative")
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if offset + count * kind.itemsize > len(memory):
        raise ValueError(
            f"{shape} of {kind} at {offset} is larger than the buffer of {len(memory)} bytes"
        )
    source = memory if writable else memory.toreadonly()
    return np.frombuffer(source, dtype=kind, count=count, offset=offset).reshape(shape)


def _memory_limit_of_group() -> int | None:
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            return int(Path("/sys/fs/cgroup", name).read_text(encoding="ascii"))
    return None


def memory_of_machine() -> int:
    """Return the memory of the machine or of its control group, the smaller of them, bytes."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(physical, _memory_limit_of_group() or physical)


def default_limit() -> int:
    """Return half of the memory of the machine or of its control group, bytes."""
    return int(memory_of_machine() * DEFAULT_SHARE)


def _available() -> int | None:
    """Return what the kernel says is free for new memory, bytes; none where it does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return None


def _memory_file(size: int) -> int:
    """Return a descriptor of zeroed memory of exactly this size."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("sightline-pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.posix_fallocate(descriptor, 0, size)
            # Who got a descriptor for reading cannot reopen it for writing.
            os.fchmod(descriptor, 0o400)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
    return _named_memory_file(size)


def _named_memory_file(size: int) -> int:
    import _posixshmem  # type: ignore[import-not-found, unused-ignore]

    name = f"/sightline-{secrets.token_hex(8)}"
    descriptor: int = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600)
    try:
        _posixshmem.shm_unlink(name)
        os.ftruncate(descriptor, size)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def map_pages(target: npt.NDArray[Any]) -> None:
    """Map the pages under an array of shared memory that is about to be written.

    Otherwise each page is mapped by a fault of its own at its first write, which makes reading a file
    into the buffer three times slower. Workers call it for each frame in the thread that fills it, so
    that the threads share the work and the first frame waits for its own pages only. Where the system
    cannot do it nothing happens.
    """
    if _madvise is not None and target.flags.c_contiguous:
        start = target.ctypes.data
        page = start - start % mmap.PAGESIZE
        _madvise(page, start + target.nbytes - page, _MADV_POPULATE_READ)


class _Segment:
    """Memory of the pool, mapped once in the host for its whole life.

    The system has promised all its pages; to clear and map them is left to who touches them first,
    mostly the threads of a worker, so that the first image does not wait for the last page.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.descriptor = _memory_file(size)
        self.read_descriptor = -1
        try:
            self.read_descriptor = self._reopen_read_only()
            self.map = mmap.mmap(self.descriptor, size, flags=mmap.MAP_SHARED)
        except BaseException:
            self._close_descriptors()
            raise
        self.used = 0
        self.leases = 0
        self._touched = False

    def touch(self) -> None:
        """Map all pages in the host, which then writes to them without a fault each."""
        if not self._touched:
            map_pages(np.frombuffer(self.map, dtype=np.uint8))
            self._touched = True

    def _reopen_read_only(self) -> int:
        with contextlib.suppress(OSError):
            return os.open(f"/proc/self/fd/{self.descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        return os.dup(self.descriptor)

    def clear(self) -> None:
        """Zero what the last user had: no image may show through in the next."""
        if self.used:
            self.touch()
            np.frombuffer(self.map, dtype=np.uint8, count=self.used)[:] = 0
            self.used = 0

    def close(self) -> None:
        # Views that are still held keep the mapping until they go.
        with contextlib.suppress(BufferError):
            self.map.close()
        self._close_descriptors()

    def _close_descriptors(self) -> None:
        for descriptor in (self.descriptor, self.read_descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        self.descriptor = self.read_descriptor = -1


class SharedBuffer:
    """A part of the pool, zeroed, until `release`.

    Views show memory, not a copy: use none after `release`.
    """

    def __init__(
        self, pool: SharedPool, segment: _Segment, nbytes: int, *, writable: bool = True
    ) -> None:
        self._pool = pool
        self._segment = segment
        self.nbytes = nbytes
        self.writable = writable
        """Whether a worker that gets this buffer may write to it."""
        self._released = not writable

    def view(
        self, dtype: npt.DTypeLike, shape: tuple[int, ...], offset: int = 0, *, writable: bool = False
    ) -> npt.NDArray[Any]:
        """Return the bytes from `offset` as an array; it can be written only when asked for."""
        return _view(memoryview(self._segment.map)[: self.nbytes], dtype, shape, offset, writable)

    def touch(self) -> None:
        """Clear and map the pages now, by this thread, rather than when they are first used."""
        self._segment.touch()

    def read_only(self) -> SharedBuffer:
        """Return the same memory to hand to a worker that must not write; the owner releases it."""
        return SharedBuffer(self._pool, self._segment, self.nbytes, writable=False)

    def release(self) -> None:
        """Give the memory back; a second time does nothing."""
        if not self._released:
            self._released = True
            self.unlease()

    def lease(self) -> int:
        """Keep the memory from being reused while a worker has it; return the descriptor to send.

        A worker that was told to die may still write for a moment.
        """
        self._pool.lease(self._segment)
        return self._segment.descriptor if self.writable else self._segment.read_descriptor

    def unlease(self) -> None:
        """End a `lease`."""
        self._pool.unlease(self._segment)

    def __enter__(self) -> SharedBuffer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class SharedPool:
    """The pixel memory of a program, bounded and reused. Thread-safe.

    Parameters
    ----------
    limit
        Most bytes in all segments together; default half of the memory of the machine.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = default_limit() if limit is None else limit
        self._lock = threading.Lock()
        self._free: list[_Segment] = []
        self._used: list[_Segment] = []
        self._reserved = 0
        self._closed = False

    @property
    def allocated(self) -> int:
        """Bytes in all segments, in use or waiting."""
        with self._lock:
            return self._allocated()

    def acquire(self, nbytes: int) -> SharedBuffer:
        """Return a zeroed buffer of `nbytes`.

        Raises
        ------
        PoolExhausted
            The limit of the pool or the memory of the machine does not allow it.
        """
        if nbytes <= 0:
            raise ValueError(f"a buffer of {nbytes} bytes cannot be")
        size = -(-nbytes // GRANULE) * GRANULE
        with self._lock:
            if self._closed:
                raise PoolExhausted("closed", "The program is closing; no images can be loaded.")
            segment = self._reuse(size)
            if segment is None:
                self._reserve(size)
            else:
                self._used.append(segment)
        if segment is None:
            segment = self._create(size)
        segment.leases = 1
        segment.clear()
        segment.used = nbytes
        return SharedBuffer(self, segment, nbytes)

    def prepare(self, nbytes: int) -> None:
        """Have a free segment for `nbytes` ready, when memory allows; for a background thread.

        To make and touch a fresh segment takes ten times longer than to clear a used one.
        """
        with contextlib.suppress(PoolExhausted), self.acquire(nbytes) as buffer:
            buffer.touch()

    def lease(self, segment: _Segment) -> None:
        """Count one more user of a segment."""
        with self._lock:
            if segment.leases <= 0:
                raise ValueError("this buffer was released before")
            segment.leases += 1

    def unlease(self, segment: _Segment) -> None:
        """Count one user less; the last makes the segment free."""
        with self._lock:
            segment.leases -= 1
            if segment.leases == 0:
                self._used.remove(segment)
                if self._closed:
                    segment.close()
                else:
                    self._free.append(segment)

    def close(self) -> None:
        """Free all memory; what is still in use goes when its user releases it."""
        with self._lock:
            self._closed = True
            while self._free:
                self._free.pop().close()

    def __enter__(self) -> SharedPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _allocated(self) -> int:
        return sum(segment.size for segment in (*self._free, *self._used)) + self._reserved

    def _reuse(self, size: int) -> _Segment | None:
        fitting = [s for s in self._free if size <= s.size <= max(size * WASTE, GRANULE)]
        if not fitting:
            return None
        best = min(fitting, key=lambda s: s.size)
        self._free.remove(best)
        return best

    def _reserve(self, size: int) -> None:
        while self._free and self._allocated() + size > self.limit:
            self._free.pop(0).close()
        if self._allocated() + size > self.limit:
            raise self._exhausted(size, f"{self.limit >> 20} MB are allowed for images")
        available = _available()
        if available is not None and size > available:
            raise self._exhausted(size, f"this machine has {available >> 20} MB free")
        self._reserved += size

    def _create(self, size: int) -> _Segment:
        """Make a reserved segment; without the lock, as touching each page takes its time."""
        segment = None
        try:
            segment = _Segment(size)
        except (OSError, MemoryError) as error:
            raise self._exhausted(size, "the system gave no memory") from error
        finally:
            with self._lock:
                self._reserved -= size
                if segment is not None:
                    self._used.append(segment)
        return segment

    def _exhausted(self, size: int, why: str) -> PoolExhausted:
        return PoolExhausted(
            "pool_exhausted",
            f"These images need {size >> 20} MB and {why}. Close an open series and try again.",
        )


class AttachedBuffer:
    """A buffer of the host as the worker sees it.

    Pages are mapped when they are touched or by `map_pages`, not all at once.

    Parameters
    ----------
    descriptor
        The received descriptor; it is closed here.
    nbytes, writable
        What the host said of it.
    """

    def __init__(self, descriptor: int, nbytes: int, *, writable: bool) -> None:
        self.nbytes = nbytes
        self.writable = writable
        protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        try:
            if os.fstat(descriptor).st_size < nbytes:
                raise ValueError("a shared buffer is smaller than announced")
            self._map = mmap.mmap(descriptor, nbytes, flags=mmap.MAP_SHARED, prot=protection)
        finally:
            os.close(descriptor)

    def view(
        self, dtype: npt.DTypeLike, shape: tuple[int, ...], offset: int = 0, *, writable: bool = False
    ) -> npt.NDArray[Any]:
        """Return the bytes from `offset` as an array; use none after the handler returned."""
        if writable and not self.writable:
            raise ValueError("this buffer was shared for reading only")
        return _view(memoryview(self._map), dtype, shape, offset, writable)

    def close(self) -> bool:
        """Unmap; false when a view is still held."""
        try:
            self._map.close()
        except BufferError:
            return False
        return True

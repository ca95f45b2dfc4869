"""Pixel memory is bounded, reused, and never shows one patient's pixels to the next."""

from __future__ import annotations

import errno
import mmap
import os
import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from viewer.imaging.worker import memory
from viewer.imaging.worker.errors import PoolExhausted
from viewer.imaging.worker.memory import GRANULE, AttachedBuffer, SharedPool, map_pages


def test_a_reused_segment_comes_back_zeroed(pool: SharedPool) -> None:
    with pool.acquire(3 * GRANULE) as first:
        first.view(np.uint8, (first.nbytes,), writable=True)[:] = 7
        allocated = pool.allocated
    with pool.acquire(2 * GRANULE) as second:
        assert pool.allocated == allocated
        assert not second.view(np.uint8, (second.nbytes,)).any()


def test_prepared_memory_is_there_for_the_first_series(pool: SharedPool) -> None:
    pool.prepare(4 * GRANULE)
    with pool.acquire(2 * GRANULE):
        assert pool.allocated == 4 * GRANULE
    pool.prepare(2 * pool.limit)
    assert pool.allocated <= pool.limit


def test_the_limit_of_the_pool_is_an_error_in_words() -> None:
    with SharedPool(4 * GRANULE) as pool, pool.acquire(3 * GRANULE) as held:
        with pytest.raises(PoolExhausted, match="Close an open series") as caught:
            pool.acquire(2 * GRANULE)
        assert caught.value.code == "pool_exhausted"
        pool.acquire(GRANULE).release()
        held.release()
        pool.acquire(4 * GRANULE).release()
        assert pool.allocated <= pool.limit


def test_a_request_larger_than_the_machine_is_an_error_and_not_a_kill() -> None:
    with SharedPool(1 << 60) as pool:
        with pytest.raises(PoolExhausted, match="free"):
            pool.acquire(1 << 50)
        assert pool.allocated == 0


def test_no_memory_from_the_system_is_an_error_and_frees_its_reservation(
    pool: SharedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, offset: int, length: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", refuse)
        with pytest.raises(PoolExhausted):
            pool.acquire(pool.limit)
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    pool.acquire(pool.limit).release()


def test_a_leased_segment_is_not_reused_before_its_worker_is_gone(pool: SharedPool) -> None:
    first = pool.acquire(GRANULE)
    first.lease()
    first.release()
    first.release()
    with pool.acquire(GRANULE) as second:
        second.view(np.uint8, (1,), writable=True)[:] = 1
        assert first.view(np.uint8, (1,))[0] == 0
    first.unlease()
    assert pool.allocated == 2 * GRANULE
    with pytest.raises(ValueError, match="released"):
        first.lease()


def test_a_view_is_read_only_unless_asked_and_cannot_be_unlocked(pool: SharedPool) -> None:
    with pool.acquire(100) as buffer:
        view = buffer.view(np.int16, (5, 10))
        with pytest.raises(ValueError, match="read-only"):
            view[0, 0] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.flags.writeable = True


@pytest.mark.parametrize(
    ("dtype", "shape", "offset"),
    [
        (np.uint8, (101,), 0),
        (np.int16, (50,), 2),
        (np.uint8, (1,), 100),
        (np.uint8, (-1,), 0),
        (np.uint8, (1,), -1),
        (np.uint16, (65535, 65535, 4000, 65535), 0),
        (np.object_, (1,), 0),
    ],
)
def test_a_view_beyond_the_buffer_is_refused(
    pool: SharedPool, dtype: type, shape: tuple[int, ...], offset: int
) -> None:
    with pool.acquire(100) as buffer, pytest.raises(ValueError):
        buffer.view(dtype, shape, offset)


def test_no_worker_can_shrink_the_memory_under_the_window(pool: SharedPool) -> None:
    with pool.acquire(100) as buffer:
        descriptor = buffer.lease()
        assert os.fstat(descriptor).st_mode & 0o777 == 0o400
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 0)
        buffer.unlease()


def test_a_descriptor_smaller_than_announced_is_refused(pool: SharedPool) -> None:
    with pool.acquire(100) as buffer:
        descriptor = os.dup(buffer.lease())
        with pytest.raises(ValueError, match="smaller"):
            AttachedBuffer(descriptor, GRANULE + 1, writable=True)
        buffer.unlease()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def _maps_ahead() -> bool:
    """Tell whether this system maps pages when asked (Linux 5.14 and later)."""
    if not sys.platform.startswith("linux"):
        return False
    with mmap.mmap(-1, mmap.PAGESIZE) as page:
        try:
            page.madvise(memory._MADV_POPULATE_READ)
        except OSError:
            return False
    return True


@pytest.mark.skipif(not _maps_ahead(), reason="this system maps pages at their first use only")
def test_mapped_pages_are_written_without_a_fault_each(pool: SharedPool) -> None:
    pages = GRANULE // mmap.PAGESIZE
    with pool.acquire(GRANULE) as buffer:
        buffer.view(np.uint8, (GRANULE,), writable=True)[:] = 9
        attached = AttachedBuffer(os.dup(buffer.lease()), GRANULE, writable=True)
        frame = attached.view(np.uint8, (GRANULE - 1000,), 1000, writable=True)
        map_pages(frame)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        frame[:] = 7
        assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < pages // 4
        view = buffer.view(np.uint8, (GRANULE,))
        assert (view[:1000] == 9).all()
        assert (view[1000:] == 7).all()
        del frame
        assert attached.close()
        buffer.unlease()


@pytest.mark.skipif(not _maps_ahead(), reason="this system maps pages at their first use only")
def test_prepared_memory_is_touched_before_it_is_needed(pool: SharedPool) -> None:
    size = 4 * GRANULE
    pool.prepare(size)
    with pool.acquire(size) as buffer:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        buffer.view(np.uint8, (size,), writable=True)[:] = 1
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    assert faults < size // mmap.PAGESIZE // 4


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memory without a promise of its pages")
def test_a_fresh_segment_has_the_promise_of_all_its_pages(pool: SharedPool) -> None:
    """Nobody has touched them yet, and to run out of memory then would kill the program."""
    with pool.acquire(4 * GRANULE) as buffer:
        assert os.fstat(buffer.lease()).st_blocks * 512 >= 4 * GRANULE
        buffer.unlease()


def test_to_map_pages_of_any_array_changes_nothing_in_it(pool: SharedPool) -> None:
    plain = np.arange(10)
    for array in (plain, plain[::2], plain[:0], np.array(1.0)):
        before = array.copy()
        map_pages(array)
        assert np.array_equal(array, before)
    with pool.acquire(100) as buffer:
        attached = AttachedBuffer(os.dup(buffer.lease()), 100, writable=False)
        view = attached.view(np.uint8, (100,))
        map_pages(view)
        assert not view.any()
        buffer.unlease()


def test_named_memory_is_private_and_leaves_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(Path("/dev/shm").iterdir())
    monkeypatch.delattr(os, "memfd_create")
    with SharedPool(GRANULE) as pool, pool.acquire(100) as buffer:
        assert set(Path("/dev/shm").iterdir()) == before
        descriptor = buffer.lease()
        assert os.fstat(descriptor).st_mode & 0o777 == 0o600
        attached = AttachedBuffer(os.dup(descriptor), 100, writable=True)
        attached.view(np.uint8, (100,), writable=True)[:] = 3
        assert buffer.view(np.uint8, (100,)).sum() == 300
        assert attached.close()
        buffer.unlease()


def test_a_closed_pool_frees_its_memory_and_gives_none() -> None:
    pool = SharedPool(4 * GRANULE)
    before = len(list(Path("/proc/self/fd").iterdir()))
    held = pool.acquire(100)
    pool.acquire(3 * GRANULE).release()
    pool.close()
    with pytest.raises(PoolExhausted, match="closing"):
        pool.acquire(100)
    assert held.view(np.uint8, (100,)).sum() == 0
    held.release()
    assert pool.allocated == 0
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_default_limit_is_below_the_memory_of_the_machine() -> None:
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert mmap.PAGESIZE < memory.default_limit() <= physical / 2

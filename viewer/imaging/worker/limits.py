"""What a worker process takes from itself before it imports anything heavy. Standard library only."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import signal
import sys

try:
    import resource
except ImportError:  # not a POSIX system
    resource = None  # type: ignore[assignment]

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_CREATE_RULESET_VERSION = 1
_LANDLOCK_NETWORK_ABI = 4
_LANDLOCK_ACCESS_NET = 0b11
"""TCP bind and connect (linux/landlock.h)."""


def harden(*, memory_limit: int, nice: int) -> None:
    """Limit the memory of this process, lower its priority, dump no core, die with the host, write
    private files only, and give up the network where the system can take it away.

    A core would hold pixels. RLIMIT_CORE does not hold for a core that the system pipes to a
    program, so the process is made undumpable as well.
    """
    # Ctrl+C in a terminal reaches the whole group; the host decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Masks and unpacked archives are patient data.
    os.umask(0o077)
    # A crash in native code leaves the Python stack among the last words.
    faulthandler.enable()
    _die_with_host()
    _give_up_network()
    set_memory_limit(memory_limit)
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if nice and hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(nice)


def set_memory_limit(nbytes: int) -> None:
    """Set the soft limit of the address space; macOS and others may not enforce it."""
    if resource is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = nbytes if hard == resource.RLIM_INFINITY else min(nbytes, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _give_up_network() -> None:
    """Deny this process TCP for good through Landlock (Linux 6.7 and later).

    A parser that a hostile file has taken over cannot call out. UDP is not covered.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_CREATE_RULESET_VERSION)
        if version < _LANDLOCK_NETWORK_ABI:
            return
        # struct landlock_ruleset_attr: handled_access_fs, handled_access_net; no rule allows any.
        attributes = (ctypes.c_uint64 * 2)(0, _LANDLOCK_ACCESS_NET)
        ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, ctypes.sizeof(attributes), 0)
        if ruleset < 0:
            return
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)


def _die_with_host() -> None:
    """Ask Linux to kill this process when the host's thread that made it ends.

    That thread lives as long as the host (process.py). The end of the socket says the same on every
    system, but a process stuck in a native call does not hear it.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

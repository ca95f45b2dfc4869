"""What can go wrong between a host and its worker, each with words for the reader."""

from __future__ import annotations


class WorkerError(Exception):
    """A call to a worker did not give a result.

    Parameters
    ----------
    code
        Short stable name of the cause, for programs ("died", "deadline", "memory", ...).
    message
        What happened and what to do, for the reader; holds no patient data.
    details
        Last lines the worker wrote, for an engineer. May name files: never log or export it.
    """

    def __init__(self, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class WorkerDied(WorkerError):
    """The process ended, or broke the protocol and was ended."""


class WorkerTimeout(WorkerError):
    """The deadline of the call passed, or the process fell silent."""


class WorkerCancelled(WorkerError):
    """The caller's token was cancelled."""


class WorkerRefused(WorkerError):
    """The worker (or its host) answered that it does not do this, and lives on."""


class PoolExhausted(WorkerError):
    """There is no memory left for these pixels."""

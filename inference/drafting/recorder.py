"""Records a drafting run event by event, and hands each event on as it happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from reports.domain import Step, Trace, TraceEvent, TraceStatus


class TraceRecorder:
    """Owns the trace of one run; ids count up, times are seconds of a monotonic clock."""

    def __init__(
        self,
        *,
        program: str,
        seed: int,
        on_event: Callable[[TraceEvent], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._program = program
        self._seed = seed
        self._on_event = on_event
        self._clock = clock
        self._events: list[TraceEvent] = []
        self._begun: dict[tuple[Step, str], float] = {}

    def start(self, step: Step, subject: str, message: str = "", **detail: Any) -> None:
        """Record that something runs."""
        self._begun[step, subject] = self._clock()
        self._record(step, subject, TraceStatus.RUNNING, message, detail=detail)

    def end(
        self,
        step: Step,
        subject: str,
        status: TraceStatus = TraceStatus.DONE,
        message: str = "",
        *,
        seconds: float | None = None,
        evidence_ids: tuple[str, ...] = (),
        **detail: Any,
    ) -> None:
        """Record how it ended; the time is measured from its start unless it is given."""
        begun = self._begun.pop((step, subject), None)
        if seconds is None and begun is not None:
            seconds = round(self._clock() - begun, 3)
        self._record(
            step, subject, status, message, seconds=seconds, evidence_ids=evidence_ids, detail=detail
        )

    def trace(self) -> Trace:
        """Return everything recorded so far."""
        return Trace(program=self._program, seed=self._seed, events=tuple(self._events))

    def _record(
        self,
        step: Step,
        subject: str,
        status: TraceStatus,
        message: str,
        *,
        seconds: float | None = None,
        evidence_ids: tuple[str, ...] = (),
        detail: dict[str, Any],
    ) -> None:
        event = TraceEvent(
            sequence=len(self._events) + 1,
            step=step,
            subject=subject,
            status=status,
            message=message,
            seconds=seconds,
            evidence_ids=evidence_ids,
            detail=detail,
        )
        self._events.append(event)
        if self._on_event is not None:
            self._on_event(event)

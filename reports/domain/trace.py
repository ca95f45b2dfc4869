"""The ordered, replayable record of a drafting run."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from reports.domain.evidence import Frozen

TRACE_SCHEMA = "sightline.trace/1"


class Step(StrEnum):
    """Steps of a drafting run, in order."""

    TRIAGE = "triage"
    COLLECT = "collect"
    COMPOSE = "compose"
    VERIFY = "verify"
    DONE = "done"


class TraceStatus(StrEnum):
    """How a traced item stands: drives the glyph of its row."""

    RUNNING = "running"
    DONE = "done"
    CARE = "care"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TraceEvent(Frozen):
    """One line of the trace.

    `subject` names the row ("Lung volume"), `message` its value or reason; an event with the same
    step and subject as an earlier one replaces it on screen (running -> done). `detail` holds what
    is needed to replay: prompt and its sha256, grammar sha256, seed, tokens, parameters.
    """

    sequence: int
    step: Step
    subject: str
    status: TraceStatus
    message: str = ""
    seconds: float | None = None
    evidence_ids: tuple[str, ...] = ()
    detail: dict[str, Any] = Field(default_factory=dict)


class Trace(Frozen):
    """All events of one run."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: str = Field(default=TRACE_SCHEMA, alias="schema")
    program: str
    seed: int
    events: tuple[TraceEvent, ...] = ()

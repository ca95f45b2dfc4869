"""Run the tools over a series and fill the ledger: ids in the order of tools, misfits as refusals."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evidence.body_region import Seen, Settled, see, settle
from inference.evidence.lungs import hounsfield
from inference.evidence.masks import MaskStore
from inference.evidence.tool import (
    WORDS,
    IdSource,
    MeasureContext,
    RefusalCode,
    Tool,
    ToolCancelled,
    fits,
    refused,
)
from inference.evidence.tool_table import TOOLS
from reports.domain import Evidence, EvidenceKind, Ledger
from viewer.imaging.volume import Volume


@dataclass(frozen=True)
class Collected:
    """What the tools gave, and the events on the way as `on_event` saw them."""

    ledger: Ledger
    masks: MaskStore
    events: tuple[dict[str, Any], ...]


def collect(
    ctx: MeasureContext,
    tools: Sequence[Tool] = TOOLS,
    *,
    asked_region: str = "",
    on_event: Callable[[dict[str, Any]], None] = lambda event: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Collected:
    """Settle what part of the body is shown, measure with each tool made for it, return the ledger.

    Parameters
    ----------
    ctx
        `body_region` is what the header names.
    asked_region
        What the request names, or empty.
    on_event
        Called with {"tool", "title", "status", "message", "seconds", "evidence"}; status is "running",
        then "done", "refused" or "failed"; a tool with nothing to do gives "done" and no evidence.
    cancelled
        Asked between tools and between the steps of a tool.

    Raises
    ------
    RegionMismatch
        Header, request and pixels name different parts of the body.
    ToolCancelled
        The caller asked to stop; what was measured is dropped.
    """
    began = time.perf_counter()
    seen = see(ctx.series.modality, ctx.volume, partial(_hounsfield, ctx))
    settled = settle(ctx.body_region, asked_region, seen)
    ctx = replace(ctx, body_region=settled.region, enhanced=seen.enhanced, cancelled=cancelled)
    masks = MaskStore()
    ledger = Ledger(
        study_instance_uid=ctx.study.study_instance_uid,
        series_instance_uid=ctx.series.series_instance_uid,
        modality=ctx.series.modality,
        patient_sex=ctx.study.patient.sex,
        patient_age=ctx.study.age,
        body_region=ctx.body_region,
    )
    events: list[dict[str, Any]] = []

    def tell(event: dict[str, Any]) -> None:
        events.append(event)
        on_event(event)

    def say(tool: Tool, status: str, message: str, seconds: float, found: Sequence[Evidence]) -> None:
        tell(
            {
                "tool": tool.name,
                "title": tool.title,
                "status": status,
                "message": message,
                "seconds": round(seconds, 3),
                "evidence": [evidence.id for evidence in found],
            }
        )

    tell(
        {
            "tool": "body-region",
            "title": "Body region",
            "status": "done",
            "message": _seen_in_words(settled, seen),
            "seconds": round(time.perf_counter() - began, 3),
            "evidence": [],
        }
    )

    for tool in (tool for tool in tools if fits(tool, ctx)):
        if cancelled():
            raise ToolCancelled
        say(tool, "running", "", 0.0, ())
        began = time.perf_counter()
        found = _measured(tool, ctx, len(ledger.evidence) + 1, masks)
        seconds = time.perf_counter() - began
        if _was_not_asked(tool, ctx, found):
            say(tool, "refused", summary(found), seconds, ())
            continue
        ledger = ledger.add(*found)
        say(tool, _status(found), summary(found), seconds, found)
    return Collected(ledger, masks, tuple(events))


def _was_not_asked(tool: Tool, ctx: MeasureContext, found: Sequence[Evidence]) -> bool:
    """Tell whether a tool for another part of the body looked at a series whose part nobody knows.

    It was run in case it fits; that it does not is no gap of the draft.
    """
    return (
        not ctx.body_region
        and bool(tool.applies.regions)
        and bool(found)
        and all(one.refusal is not None and one.refusal.code != RefusalCode.FAILED for one in found)
    )


def _hounsfield(ctx: MeasureContext, volume: Volume) -> npt.NDArray[np.int16]:
    return ctx.once("hounsfield", lambda: hounsfield(volume))


def _seen_in_words(settled: Settled, seen: Seen) -> str:
    parts = [settled.words]
    parts += [f"the header names {settled.overruled}"] if settled.overruled else []
    parts += ["enhanced vessels"] if seen.enhanced else []
    return "; ".join(parts)


def _measured(tool: Tool, ctx: MeasureContext, first: int, masks: MaskStore) -> tuple[Evidence, ...]:
    """Return a tool's evidence; a tool that breaks costs its own evidence, not the draft."""
    try:
        return tool.measure(ctx, IdSource(first), masks)
    except (ToolCancelled, MemoryError):
        raise
    except Exception as error:
        reason = (
            f"The tool {tool.title} failed on an error inside the program ({type(error).__name__})."
        )
        return (refused(tool, f"E{first}", RefusalCode.FAILED, reason),)


def _status(found: Sequence[Evidence]) -> str:
    refusals = [evidence.refusal for evidence in found if evidence.refusal is not None]
    if not refusals or len(refusals) < len(found):
        return "done"
    return "failed" if refusals[0].code == RefusalCode.FAILED else "refused"


def summary(found: Sequence[Evidence]) -> str:
    """Return one line for a trace row: values as printed, or why the tool refused."""
    if not found:
        return "nothing to measure"
    parts = []
    for evidence in found:
        if evidence.refusal is not None:
            words = WORDS[RefusalCode(evidence.refusal.code)]
            parts.append(f"{words}: {evidence.refusal.reason}")
        else:
            parts.append(_values_in_words(evidence))
    return "; ".join(parts)


def _values_in_words(evidence: Evidence) -> str:
    """Return the first values as printed; facts of a header with their names, which no unit tells."""
    values = evidence.values[:3]
    if evidence.kind is EvidenceKind.TECHNIQUE:
        return ", ".join(f"{value.name.replace('_', ' ')} {value.text}" for value in values)
    return f"{evidence.label.lower()} {', '.join(value.text for value in values)}"

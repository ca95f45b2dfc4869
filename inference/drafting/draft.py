"""One drafting run: triage -> collect -> compose -> verify, with the trace that records it.

The ledger is made first and survives whatever the model does. The profile is *measured*: values
become sentences of origin measured, accepted findings become sentences of the model, unaccepted
proposals go to `candidates` and gaps to `limitations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from inference.drafting.compose import Composed, compose
from inference.drafting.gaps import candidates, limitations, unread
from inference.drafting.grammar import ComposeError, ComposePlan, item_grammar, writable
from inference.drafting.items import Item, propose_items
from inference.drafting.phrases import phrase_table
from inference.drafting.recorder import TraceRecorder
from inference.drafting.style import HOUSE, Style, style
from inference.drafting.templates import Language
from inference.drafting.triage import Triage, triage
from inference.evidence.body_region import REQUEST_MISMATCH
from inference.models.generation import Generate
from inference.validation.rules import check_sentence
from reports.domain import (
    Draft,
    EvidenceKind,
    Ledger,
    Limitation,
    ModelStamp,
    ReportDefault,
    Sentence,
    Step,
    Trace,
    TraceEvent,
    TraceStatus,
    Verdict,
)
from viewer.imaging.study import BadFile, Series, Study
from viewer.imaging.worker.cancel import CancelToken
from viewer.imaging.worker.errors import WorkerCancelled, WorkerRefused

ReportTool = Callable[[str, TraceStatus, str, float | None, tuple[str, ...]], None]
"""Called as a tool starts and ends: title, status, value or reason, seconds, evidence ids."""


class Collect(Protocol):
    """Measures a series and returns evidence whose ids follow those of `ledger`, in tool order."""

    def __call__(self, ledger: Ledger, report: ReportTool, cancel: CancelToken) -> Ledger: ...


class DraftRefused(Exception):
    """The draft was stopped before anything was written: request and study do not match."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class DraftCancelled(Exception):
    """A person cancelled; nothing of the draft is kept but its trace."""

    def __init__(self, trace: Trace) -> None:
        super().__init__("The draft was cancelled. What was measured before is kept.")
        self.trace = trace


@dataclass(frozen=True)
class DraftRequest:
    """All that a run needs to know.

    Parameters
    ----------
    ledger
        What is known already: evidence of an earlier run keeps its ids and is not measured again,
        accepted findings enter this way.
    question
        The clinical question as typed; empty means "check not possible".
    unread
        Images of the series that could not be read: nothing was measured on them.
    language
        Of the sentences and headings: a value of `Language`.
    style
        Name of a house style (`resources/style`).
    """

    study: Study
    series: Series
    program: str
    question: str = ""
    seed: int = 0
    ledger: Ledger | None = None
    unread: tuple[BadFile, ...] = ()
    language: str = Language.ENGLISH
    style: str = HOUSE


@dataclass(frozen=True)
class DraftResult:
    """What a run made. `draft.complete` is false when the model did not finish."""

    ledger: Ledger
    draft: Draft
    trace: Trace


def run_draft(
    request: DraftRequest,
    *,
    collect: Collect,
    generate: Generate | None,
    model: ModelStamp | None,
    on_event: Callable[[TraceEvent], None] | None = None,
    on_ledger: Callable[[Ledger], None] | None = None,
    on_sentence: Callable[[Sentence], None] | None = None,
    cancel: CancelToken | None = None,
) -> DraftResult:
    """Make a draft; call it from any thread that draws nothing.

    Parameters
    ----------
    collect, generate
        The workers' sides: tools that measure, and the model. Without a model the draft holds the
        ledger and says what is missing.
    on_event, on_ledger, on_sentence
        Told as it happens: trace rows, the ledger once it is closed, each checked sentence.

    Raises
    ------
    DraftRefused
        Request and study do not match.
    DraftCancelled
        `cancel` was used.
    """
    token = cancel or CancelToken()
    recorder = TraceRecorder(program=request.program, seed=request.seed, on_event=on_event)
    _triage(request, recorder)
    ledger = _collect(request, collect, recorder, token)
    if on_ledger is not None:
        on_ledger(ledger)
    writing = _Writing(
        generate,
        model,
        request.seed,
        recorder,
        token,
        on_sentence,
        Language(request.language),
        style(request.style),
    )
    sentences, gaps, stamp = writing.compose(ledger)
    gaps_found = [*unread(request.unread), *limitations(ledger), *gaps]
    complete = not any(limitation.code.startswith("compose") for limitation in gaps_found)
    draft = Draft(
        study_instance_uid=request.study.study_instance_uid,
        series_key=request.series.key,
        question=request.question,
        model=stamp,
        seed=request.seed,
        complete=complete,
        sentences=sentences,
        candidates=tuple(candidates(ledger)),
        limitations=tuple(gaps_found),
    )
    struck = sum(sentence.verdict is Verdict.CONTRADICTED for sentence in sentences)
    recorder.end(
        Step.DONE,
        "Draft",
        TraceStatus.DONE if complete else TraceStatus.CARE,
        f"{len(sentences)} sentences, {struck} struck, {len(draft.candidates)} candidates, "
        f"{len(gaps_found)} limitations",
    )
    return DraftResult(ledger, draft, recorder.trace())


def _triage(request: DraftRequest, recorder: TraceRecorder) -> Triage:
    recorder.start(Step.TRIAGE, "Study")
    found = triage(request.study, request.series, request.question)
    verdict = request.series.verdict
    recorder.end(
        Step.TRIAGE,
        "Study",
        TraceStatus.DONE if verdict.is_volume or found.images == 1 else TraceStatus.CARE,
        f"{found.summary()}, {verdict.kind.value}",
        series=request.series.key,
        reason=verdict.reason,
    )
    if found.mismatch is not None:
        recorder.end(Step.TRIAGE, "Request", TraceStatus.FAILED, found.mismatch.reason)
        raise DraftRefused(found.mismatch.code, found.mismatch.reason)
    recorder.end(
        Step.TRIAGE,
        "Request",
        TraceStatus.DONE if found.question else TraceStatus.REFUSED,
        f"\u201c{found.question}\u201d names nothing that contradicts the header"
        if found.question
        else "not given: check not possible",
    )
    return found


def _collect(
    request: DraftRequest, collect: Collect, recorder: TraceRecorder, token: CancelToken
) -> Ledger:
    known = request.ledger or Ledger(
        study_instance_uid=request.study.study_instance_uid,
        series_instance_uid=request.series.series_instance_uid,
        modality=request.series.modality,
        patient_sex=request.study.patient.sex,
    )

    def report(
        title: str, status: TraceStatus, message: str, seconds: float | None, ids: tuple[str, ...]
    ) -> None:
        if status is TraceStatus.RUNNING:
            recorder.start(Step.COLLECT, title)
        else:
            recorder.end(Step.COLLECT, title, status, message, seconds=seconds, evidence_ids=ids)

    try:
        ledger = collect(known, report, token)
    except WorkerCancelled:
        _stop_if_cancelled(token, recorder, Step.COLLECT)
        raise
    except WorkerRefused as error:
        if error.code != REQUEST_MISMATCH:
            raise
        recorder.end(Step.TRIAGE, "Body region", TraceStatus.FAILED, str(error))
        raise DraftRefused(error.code, str(error)) from error
    _stop_if_cancelled(token, recorder, Step.COLLECT)
    return ledger


@dataclass(frozen=True)
class _Writing:
    """What composing needs beside the ledger."""

    generate: Generate | None
    model: ModelStamp | None
    seed: int
    recorder: TraceRecorder
    token: CancelToken
    on_sentence: Callable[[Sentence], None] | None
    language: Language
    style: Style

    def compose(
        self, ledger: Ledger
    ) -> tuple[tuple[Sentence, ...], list[Limitation], ModelStamp | None]:
        """Return the checked sentences, what could not be written, and who wrote to which prompt."""
        table = phrase_table(self.language)
        proposed = propose_items(ledger, measured=True, language=self.language)
        items, unwritable = writable(ledger, proposed, table)
        gaps = _without_phrase(unwritable, ledger)
        if not items:
            text = "Nothing was measured that can be written as a sentence."
            return (), [*gaps, Limitation(text=text, code="nothing_measured")], None
        if self.generate is None or self.model is None:
            text = "No model is ready: nothing was written."
            return (), [*gaps, Limitation(text=text, code="compose_no_model")], None
        plan = item_grammar(ledger, items, table, self.style)
        name = f"{self.model.name} {self.model.sha256[:8]}"
        self.recorder.start(
            Step.COMPOSE,
            name,
            f"{len(items)} items",
            prompt=plan.prompt,
            prompt_sha256=plan.prompt_sha256,
            grammar_sha256=plan.gbnf_sha256,
            model_sha256=self.model.sha256,
            seed=self.seed,
        )
        kept: list[Sentence] = []

        def keep(sentence: Sentence) -> None:
            checked = _verified(sentence, ledger, self.recorder)
            kept.append(checked)
            if self.on_sentence is not None:
                self.on_sentence(checked)

        composed = compose(plan, self.generate, seed=self.seed, on_sentence=keep)
        _stop_if_cancelled(self.token, self.recorder, Step.COMPOSE)
        _close_compose(composed, plan, name, self.recorder)
        gaps += [
            _not_written(gap.item, f"compose_{gap.code}", gap.reason, ledger)
            for gap in composed.not_composed
        ]
        stamp = self.model.model_copy(update={"prompt_sha256": plan.prompt_sha256}) if kept else None
        return tuple(kept), gaps, stamp


def _close_compose(composed: Composed, plan: ComposePlan, name: str, recorder: TraceRecorder) -> None:
    tokens = sum(generation.tokens for generation in composed.generations)
    recorder.end(
        Step.COMPOSE,
        name,
        TraceStatus.DONE if composed.complete else TraceStatus.FAILED,
        f"{len(composed.sentences)} of {len(plan.items)} sentences, {tokens} tokens"
        if composed.complete
        else composed.not_composed[0].reason,
        tokens=tokens,
        texts=[generation.text for generation in composed.generations],
        stop_reasons=[generation.stop_reason.value for generation in composed.generations],
    )


def _verified(sentence: Sentence, ledger: Ledger, recorder: TraceRecorder) -> Sentence:
    checked = check_sentence(sentence, ledger)
    failed = [check for check in checked.checks if not check.passed]
    recorder.end(
        Step.VERIFY,
        checked.text,
        TraceStatus.FAILED if checked.verdict is Verdict.CONTRADICTED else TraceStatus.DONE,
        failed[0].message if failed else f"{len(checked.checks)} rules hold",
        evidence_ids=tuple(citation.evidence_id for citation in checked.citations),
        sentence=checked.id,
        verdict=checked.verdict.value,
        risk=max((check.risk for check in failed), default=1),
    )
    return checked


def _stop_if_cancelled(token: CancelToken, recorder: TraceRecorder, step: Step) -> None:
    if token.cancelled:
        recorder.end(step, "Draft", TraceStatus.CANCELLED, "cancelled by a person")
        raise DraftCancelled(recorder.trace())


def _not_written(item: Item, code: str, reason: str, ledger: Ledger) -> Limitation:
    found = ledger.get(item.evidence_id)
    label = found.label if found else item.evidence_id
    return Limitation(evidence_id=item.evidence_id, text=f"{label}: no sentence. {reason}", code=code)


def _without_phrase(
    unwritable: Iterable[tuple[Item, ComposeError]], ledger: Ledger
) -> list[Limitation]:
    """Return what should have been a sentence and has no phrase; values on request stay silent."""
    return [
        _not_written(item, error.code, str(error), ledger)
        for item, error in unwritable
        if (found := ledger.get(item.evidence_id)) is not None
        and (found.report_default is ReportDefault.SENTENCE or found.kind is EvidenceKind.FINDING)
    ]

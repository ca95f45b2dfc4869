"""`evidence` and `draft`: measure a study and let the model write what was measured. No store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.imaging import index_of, only_study, open_series
from app.cli.options import AsJson, Home, Out, Seed, SeriesKey, Source
from app.cli.output import CommandFailed, reported_errors, show, tell
from app.draft_files import DraftFolder
from app.home import home_folder
from inference.drafting.style import HOUSE, style_names
from inference.drafting.templates import Language

if TYPE_CHECKING:
    from reports.domain import Evidence, Ledger, TraceEvent


def evidence(path: Source, out: Out, series: SeriesKey = "", as_json: AsJson = False) -> None:
    """Measure a study and write ledger.json, and evidence.seg.dcm when there are masks."""
    from app.engine import Engine

    with reported_errors(), Engine() as engine:
        study = only_study(index_of(engine.reader, path), path, series)
        folder = DraftFolder(out).made()
        with open_series(engine.reader, study, series, path) as opened:
            ledger, masks = engine.collect(study, opened)
            written = folder.write_evidence(engine, study, opened.stack, ledger, masks)
    show(
        {
            "ledger": ledger.model_dump(mode="json", by_alias=True),
            "files": [str(one) for one in written],
        },
        as_json=as_json,
        words=lambda _: _ledger_words(ledger, written),
    )


def draft(
    path: Source,
    out: Out,
    series: SeriesKey = "",
    model: Annotated[str, typer.Option("--model", help="Name of an installed model.")] = "",
    seed: Seed = 0,
    question: Annotated[
        str, typer.Option("--question", help="Clinical question; else that of the order in the header.")
    ] = "",
    language: Annotated[
        Language, typer.Option("--language", help="Language of the sentences.")
    ] = Language.ENGLISH,
    style: Annotated[str, typer.Option("--style", help="Name of a house style.")] = HOUSE,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Measure a study, draft a report of it, check each sentence, and write everything to a folder."""
    from app.engine import Engine

    if style not in style_names():
        raise CommandFailed(f"There is no house style {style}: use one of {', '.join(style_names())}.")
    with reported_errors(), Engine(home_folder(home)) as engine:
        study = only_study(index_of(engine.reader, path), path, series)
        folder = DraftFolder(out).made()
        with open_series(engine.reader, study, series, path) as opened:
            outcome = engine.draft(
                study,
                opened,
                model=model,
                question=question or study.request,
                language=language,
                style=style,
                seed=seed,
                on_event=tell_event,
            )
            written = folder.write(engine, study, opened.stack, outcome)
    result = outcome.result
    show(
        {
            "draft": result.draft.model_dump(mode="json", by_alias=True),
            "files": [str(one) for one in written],
        },
        as_json=as_json,
        words=lambda _: "\n".join(
            [*(sentence.text for sentence in result.draft.sentences if sentence.is_in_body)]
            + [f"limitation: {limitation.text}" for limitation in result.draft.limitations]
            + [f"wrote {one}" for one in written]
        ),
    )
    if not result.draft.complete:
        raise CommandFailed(
            "The draft is not complete: "
            + next(
                limitation.text
                for limitation in result.draft.limitations
                if limitation.code.startswith("compose")
            )
        )


def tell_event(event: TraceEvent) -> None:
    """Show a trace row that has ended."""
    if event.status.value != "running":
        time = "" if event.seconds is None else f" ({event.seconds:.2f} s)"
        tell(f"{event.step.value:<8} {event.subject}: {event.message or event.status.value}{time}")


def _ledger_words(ledger: Ledger, written: list[Path]) -> str:
    lines = [_evidence_words(item) for item in ledger.evidence]
    return "\n".join([*lines, *(f"wrote {one}" for one in written)])


def _evidence_words(item: Evidence) -> str:
    if item.refusal is not None:
        return f"{item.id}  {item.label}: refused, {item.refusal.reason}"
    values: list[Any] = [f"{value.name} {value.text}" for value in item.values]
    return f"{item.id}  {item.label}: {', '.join(values)}"

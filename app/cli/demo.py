"""`demo --headless`: the main job on the bundled sample, ending with the files it wrote."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import typer

import resources
from app import demo as demonstration
from app.cli.drafting import tell_event
from app.cli.imaging import index_of, only_study
from app.cli.options import Seed
from app.cli.output import CommandFailed, reported_errors, tell
from app.documents import key_images
from app.draft_files import DraftFolder
from app.files import write_private


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.")] = Path("out/demo"),
    headless: Annotated[bool, typer.Option("--headless", help="Without a window.")] = False,
    seed: Seed = 0,
) -> None:
    """Index, show, measure and draft the bundled sample without a window, and write it all out."""
    from PIL import Image

    from app.engine import Engine
    from inference.drafting.triage import choose_series

    if not headless:
        raise CommandFailed("There is no window here: use `sightline demo --headless`.")
    tell(resources.NOTICE)
    home = out / "home"
    with reported_errors(), Engine(home) as engine:
        demonstration.prepare(home)
        study = only_study(index_of(engine.reader, demonstration.sample()), demonstration.sample())
        with engine.reader.open(choose_series(study)) as opened:
            outcome = engine.draft(study, opened, seed=seed, on_event=tell_event)
            result = outcome.result
            written = DraftFolder(out).write(engine, study, opened.stack, outcome)
            for image in key_images(result.ledger, result.draft.sentences, opened.stack):
                buffer = io.BytesIO()
                Image.fromarray(image.grey).save(buffer, format="PNG")
                written.append(write_private(out / f"image-{image.number}.png", buffer.getvalue()))
    for sentence in result.draft.sentences:
        cited = ", ".join(citation.evidence_id for citation in sentence.citations)
        tell(f"  {sentence.text} [{cited}]")
    tell(
        f"Nothing is signed: a person signs. To do it here: sightline sign {out} "
        f"--user {demonstration.USER} --home {home} (the password is: {demonstration.PASSWORD})"
    )
    tell("Files written:")
    for file in written:
        typer.echo(str(file))

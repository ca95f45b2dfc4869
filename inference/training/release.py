"""Ship a trained model: `python -m inference.training.release --run DIR`.

Exports at Q8_0, measures the file on held-out ledgers, and writes the file, its manifest and the
README beside it into `resources/models`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import resources
from inference.models.profiles import PROFILES
from inference.models.registry import (
    BUILT_IN,
    MANIFEST,
    FileRole,
    ModelFile,
    ModelManifest,
    Quality,
)
from inference.training.export import export
from inference.training.measure import LEDGERS, report
from inference.training.train import RECORD, load

FILE = "sightline-demo-q8_0.gguf"

TRAINED_ON = (
    "Random ledgers and sentences of this program's own phrase table, made by "
    "inference/training/data.py. No clinical data, no images, no text of any other source."
)

README = """# Built-in model

`sightline-demo` is a demonstration model. It shows the way from a ledger to a draft; it knows no
medicine, sees no image and is not fit for any clinical use. It was trained from scratch by this
repository's own script, on random ledgers, in less than an hour on one CPU core.

What it does: for each item of a ledger it chooses the phrase in which the item is written. Numbers,
units, sides, places, terms and ids are fixed by the grammar of the draft and are not the model's to
choose; the rows *without grammar* below say what it would do with them.

| | |
|---|---|
| Architecture | qwen3, {layers} layers, width {width}, {parameters:,} parameters, {vocabulary} tokens |
| File | `{file}`, {size:,} bytes, Q8_0 |
| SHA-256 | `{sha256}` |
| Licence | Apache-2.0 |
| Trained on | {trained_on} |
| Training | {training} |

Measured through llama.cpp on {ledgers} held-out random ledgers, greedy (inference/training/measure.py):

| measure | value |
|---|---|
{rows}

*Style* is the table in `inference/training/data.py`: which phrase is preferred for which content.
Nothing here says anything about real reports.

Make it again:

    python -m inference.training.train --out runs/demo --minutes 30
    python -m inference.training.release --run runs/demo

## A pair with eyes

`inference/training/eyes` draws chest films, chest slices and head slices whose truth is known, trains a
pair of language model and vision encoder on them, and measures it through its quantized files on
pictures that it was not trained on. What may be drawn was frozen before training. The pair starts from
the language model above and goes on writing drafts; for a picture it fills in a form: for each kind of
finding whether it is there, on which side and in which box. Its card is written beside its files: in
`sightline-eyes/README.md` where that folder lies here.

    python -m inference.training.eyes.train --minutes 240
    python -m inference.training.eyes.release --run DIR --to sightline-eyes

A run that is stopped goes on when the first command is given again. It uses a GPU when there is one;
its checkpoints lie in the user's cache folder, or where `--out` says.

## Another model

A GGUF, with its mmproj file if it has one, is added with a manifest of the same form as
`sightline-demo/manifest.json`: `sightline models add MANIFEST GGUF [--mmproj FILE]`. A file that is not
the one of its manifest is never loaded, nor is a pair whose families do not belong together.
`prompt_profile` is one of {profiles}. The chat template
inside the file is not read. Leave
`demonstration` true until you have shown on your own data what the model is fit for.
"""


def _history(record: dict[str, Any]) -> str:
    """Return the runs that made the weights, the oldest first."""
    runs = [*record.get("earlier", ()), record]
    parts = [f"{run['steps']:,} steps with seed {run['seed']}" for run in runs]
    return ", then ".join(parts) + (
        " (each went on from the one before, with the phrase table as it was at that time)"
        if len(runs) > 1
        else ""
    )


def release(run: Path, root: Path, *, ledgers: int = LEDGERS) -> ModelManifest:
    """Write file, manifest and README of a training run; return the manifest."""
    record = json.loads((run / RECORD).read_text(encoding="utf-8"))
    folder = root / BUILT_IN
    folder.mkdir(parents=True, exist_ok=True)
    model, tokenizer = load(run)
    export(model, tokenizer, folder / FILE)
    data = (folder / FILE).read_bytes()
    figures = report(folder / FILE, ledgers)
    manifest = ModelManifest(
        name=BUILT_IN,
        title="Sightline demonstration model",
        files=(
            ModelFile(
                name=FILE, role=FileRole.MODEL, bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
            ),
        ),
        architecture="qwen3",
        prompt_profile="sightline",
        context=record["shape"]["context"],
        licence="Apache-2.0",
        trained_on=TRAINED_ON,
        quality=tuple(
            Quality(name=name, value=value, on=f"{ledgers} held-out random ledgers")
            for name, value in figures.items()
        ),
        demonstration=True,
    )
    (folder / MANIFEST).write_text(
        manifest.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8"
    )
    shape = record["shape"]
    (root / "README.md").write_text(
        README.format(
            layers=shape["layers"],
            width=shape["width"],
            parameters=record["parameters"],
            vocabulary=shape["vocabulary"],
            file=FILE,
            size=len(data),
            sha256=manifest.sha256,
            trained_on=TRAINED_ON,
            training=_history(record),
            ledgers=ledgers,
            profiles=", ".join(f"`{name}`" for name in PROFILES),
            rows="\n".join(f"| {name} | {value:g} |" for name, value in figures.items()),
        ),
        encoding="utf-8",
    )
    return manifest


def main() -> None:
    """Release from the command line."""
    parser = argparse.ArgumentParser(description="Ship a trained model as the built-in one.")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--to", type=Path, default=resources.ROOT / "models")
    given = parser.parse_args()
    release(given.run, given.to)


if __name__ == "__main__":
    main()

"""Make a trained pair ready to ship: ``python -m inference.training.eyes.release --run DIR --to DIR``.

Exports at Q8_0, measures the two files on held-out pictures and the language model on held-out ledgers,
and writes files, manifest and card into one folder, which `sightline models add` takes.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch

from inference.models.registry import MANIFEST, FileRole, ModelFile, ModelManifest, Quality
from inference.training.eyes.export import export_pair, load
from inference.training.eyes.measure import PICTURES, Report, measure_files
from inference.training.eyes.model import Pair
from inference.training.eyes.pictures import DIFFICULTY
from inference.training.eyes.train import CHECKPOINT
from inference.training.measure import report as text_report

NAME = "sightline-eyes"
MODEL, MMPROJ = f"{NAME}-q8_0.gguf", f"mmproj-{NAME}-q8_0.gguf"
CARD = "README.md"
LEDGERS = 100
LEDGERS_ON = "held-out random ledgers"

GOALS = {"finding F1": ">= 0.95", "mean IoU": ">= 0.7", "ECE of all answers": "<= 0.05"}
"""What was aimed at; the card says what was reached."""

TRAINED_ON = (
    "Pictures drawn by this program (inference/training/eyes): chest films, chest slices and head "
    "slices with a known truth. Random ledgers and sentences of its own phrase table. No clinical "
    "data, no image or text of any other source."
)

TEXT = """# {title}

`{name}` is a demonstration model. It looks at a picture of {size} x {size} pixels and fills in a
form: for each kind of finding of the view whether it is there, on which side, and in which box. It was
trained from scratch on drawings made by this repository's own script. **It has never seen a patient's
image; its figures say nothing about real radiographs, and it is not fit for any clinical use.** What
it proposes is a candidate that a person accepts or rejects, and its silence is no search.

| | |
|---|---|
| Architecture | qwen3, {language:,} parameters |
| Eyes | encoder of {eyes:,} parameters, projector type gemma3, {tokens} tokens a picture |
| Files | `{model}` {model_bytes:,} bytes, `{mmproj}` {mmproj_bytes:,} bytes, Q8_0 |
| SHA-256 | `{model_sha256}`, `{mmproj_sha256}` |
| Licence | Apache-2.0 |
| Trained on | {trained_on} |
| Difficulty | frozen before training, SHA-256 `{difficulty}` |
| Training | {steps:,} steps of {batch} pictures in {minutes:.0f} minutes by the clock |

Measured through llama.cpp on {pictures} held-out pictures with {findings} findings, greedy, under the
grammar of the form (inference/training/eyes/measure.py); the interval is the middle 95 % over pictures
drawn again.

| measure | value | interval | goal |
|---|---|---|---|
{rows}

| kind | findings | F1 | mean IoU |
|---|---|---|---|
{kinds}

*ECE* is that of its answers yes and no; *of findings named* counts only the answers that became a
proposal. A picture has at most one finding of a kind. Rib fractures are not among the kinds: they
are not to be seen at this resolution.

As a writer of drafts (inference/training/measure.py):

| measure | value | on |
|---|---|---|
{text_rows}

Make it again, or go on with a run that was stopped (a GPU is used when there is one):

    python -m inference.training.eyes.train --out runs/eyes --minutes {minutes:.0f}
    python -m inference.training.eyes.release --run runs/eyes --to runs/eyes-release
"""


def release(
    run: Path, folder: Path, *, pictures: int = PICTURES, ledgers: int = LEDGERS
) -> ModelManifest:
    """Write files, manifest and card of a training run; return the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    pair, tokenizer = load(run)
    export_pair(pair, tokenizer, folder / MODEL, folder / MMPROJ)
    seen = measure_files(folder / MODEL, folder / MMPROJ, pictures)
    written = text_report(folder / MODEL, ledgers) if ledgers else {}
    files = tuple(
        ModelFile(
            name=name,
            role=role,
            bytes=(folder / name).stat().st_size,
            sha256=hashlib.sha256((folder / name).read_bytes()).hexdigest(),
        )
        for name, role in ((MODEL, FileRole.MODEL), (MMPROJ, FileRole.MMPROJ))
    )
    quality = [
        Quality(name=name, value=value, on=f"{pictures} held-out drawn pictures")
        for name, value in seen.figures.items()
    ] + [
        Quality(name=name, value=value, on=f"{ledgers} {LEDGERS_ON}") for name, value in written.items()
    ]
    manifest = ModelManifest(
        name=NAME,
        title="Sightline demonstration pair with eyes",
        files=files,
        architecture="qwen3",
        projector_type="gemma3",
        prompt_profile="sightline",
        context=pair.language.shape.context,
        licence="Apache-2.0",
        trained_on=TRAINED_ON,
        quality=tuple(quality),
        demonstration=True,
    )
    (folder / MANIFEST).write_text(
        manifest.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8"
    )
    (folder / CARD).write_text(card(run, manifest, pair, seen), encoding="utf-8")
    return manifest


def card(run: Path, manifest: ModelManifest, pair: Pair, seen: Report) -> str:
    """Return the model card."""
    written = [row for row in manifest.quality if row.on.endswith(LEDGERS_ON)]
    saved = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)
    model, mmproj = manifest.files
    return TEXT.format(
        title=manifest.title,
        name=manifest.name,
        size=pair.eyes.shape.size,
        tokens=pair.eyes.shape.tokens,
        language=sum(p.numel() for p in pair.language.parameters()),
        eyes=sum(p.numel() for p in pair.eyes.parameters()),
        model=model.name,
        model_bytes=model.bytes,
        model_sha256=model.sha256,
        mmproj=mmproj.name,
        mmproj_bytes=mmproj.bytes,
        mmproj_sha256=mmproj.sha256,
        trained_on=TRAINED_ON,
        difficulty=DIFFICULTY.sha256(),
        steps=saved["step"],
        batch=int(saved["plan"]["batch"]),
        minutes=saved["seconds"] / 60,
        pictures=seen.pictures,
        findings=seen.findings,
        rows="\n".join(
            f"| {name} | {value:g} | {_interval(seen, name)} | {GOALS.get(name, '')} |"
            for name, value in seen.figures.items()
        ),
        kinds="\n".join(
            f"| {kind} | {count} | {f1:g} | {iou:g} |"
            for kind, (count, f1, iou) in seen.by_kind.items()
        ),
        text_rows="\n".join(f"| {row.name} | {row.value:g} | {row.on} |" for row in written)
        or "| not measured | | |",
    )


def _interval(seen: Report, name: str) -> str:
    found = seen.intervals.get(name)
    return f"{found[0]:g} to {found[1]:g}" if found else ""


def main() -> None:
    """Release from the command line."""
    parser = argparse.ArgumentParser(description="Make a trained pair ready to ship.")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--ledgers", type=int, default=LEDGERS)
    given = parser.parse_args()
    release(given.run, given.to, pictures=given.pictures, ledgers=given.ledgers)


if __name__ == "__main__":
    main()

"""Train the built-in model from scratch: ``python -m inference.training.train --out DIR``.

Writes ``checkpoint.npz``, ``tokenizer.json`` and ``training.json`` (seed, steps, losses) into
DIR; `inference.training.export` makes the GGUF of them. About half an hour on two CPU cores.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inference.drafting.grammar import shared_start
from inference.models.profiles import PROFILES
from inference.training.data import Sample, samples
from inference.training.model import LanguageModel, ModelShape
from inference.training.tokenizer import EOT, PAD, load_tokenizer, train_tokenizer

log = logging.getLogger(__name__)

RECORD = "training.json"
"""What is known of a run: sizes, seed, steps, mean losses by 50 steps, and the runs before it."""

TRAINING_SEED = 20_000
HELD_OUT_SEED = 10_000_000
"""Seeds of the two streams of samples; no ledger is drawn from both."""

COPY_WEIGHT = 0.1
"""Weight of what the grammar will fix anyway, against the places where the model chooses. Copying is
learnt along because the choice depends on what the numbers are."""

TOKENIZER_SAMPLES = 3000
WARM_UP = 40
LEARNING_RATE = 3e-3
LAST_RATE = 0.03
"""Share of the learning rate that is left at the end of the cosine."""


@dataclass(frozen=True)
class Encoded:
    """Tokens of a sample, and the weight with which each is to be predicted (0 in the prompt)."""

    tokens: list[int]
    weights: list[float]


def encode(tokenizer: Any, sample: Sample) -> Encoded:
    """Return the tokens of a sample with their weights."""
    prompt = tokenizer.encode(PROFILES["sightline"].wrap(sample.plan.prompt)).ids
    answer = tokenizer.encode(sample.answer)
    choices = choice_places(sample)
    weights = [
        # Also the token that ends there: " of" against " " and "2" is decided one token earlier.
        1.0 if any(start <= place <= end for place in choices) else COPY_WEIGHT
        for start, end in answer.offsets
    ]
    return Encoded([*prompt, *answer.ids, EOT], [*([0.0] * len(prompt)), *weights, COPY_WEIGHT])


def choice_places(sample: Sample) -> set[int]:
    """Return the characters of the answer at which the grammar allows more than one way on."""
    places: set[int] = set()
    start = 0
    for planned, line in zip(sample.plan.items, sample.answer.splitlines(keepends=True), strict=True):
        for filled in planned.alternatives:
            other = planned.line(filled)
            if other != line:
                places.add(start + len(shared_start((line, other))))
        start += len(line)
    return places


def batches(tokenizer: Any, seed: int, tokens: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield (tokens, weights), padded, of about this many tokens and of samples of similar length."""
    stream = samples(seed)
    while True:
        pool = [encode(tokenizer, one) for one in itertools.islice(stream, 256)]
        groups: list[list[Encoded]] = [[]]
        for one in sorted(pool, key=lambda encoded: len(encoded.tokens)):
            if groups[-1] and (len(groups[-1]) + 1) * len(one.tokens) > tokens:
                groups.append([])
            groups[-1].append(one)
        order = torch.randperm(len(groups)).tolist()
        yield from (_pad(groups[number]) for number in order)


def _pad(group: list[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    length = max(len(one.tokens) for one in group)
    x = torch.full((len(group), length), PAD)
    weights = torch.zeros(len(group), length)
    for row, one in enumerate(group):
        x[row, : len(one.tokens)] = torch.tensor(one.tokens)
        weights[row, : len(one.weights)] = torch.tensor(one.weights)
    return x, weights


def loss_of(model: LanguageModel, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean cross-entropy of the next tokens of the answers."""
    states = model.states(x)[:, :-1]
    weight = weights[:, 1:]
    kept = weight > 0
    logits = model.logits(states[kept]).float()
    losses = torch.nn.functional.cross_entropy(logits, x[:, 1:][kept], reduction="none")
    return (losses * weight[kept]).sum() / weight[kept].sum()


def schedule(done: float, step: int) -> float:
    """Return the share of the learning rate after this share of the run: warm-up, then a cosine."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return min(1.0, (step + 1) / WARM_UP) * (LAST_RATE + (1 - LAST_RATE) * cosine)


def train(
    out: Path,
    *,
    steps: int,
    minutes: float = math.inf,
    seed: int = 1,
    tokens: int = 4096,
    shape: ModelShape | None = None,
    start: Path | None = None,
    rate: float = LEARNING_RATE,
) -> dict[str, Any]:
    """Train and write the checkpoint; return what `training.json` holds.

    Parameters
    ----------
    steps, minutes
        The run ends at whichever comes first; the learning rate falls towards it.
    tokens
        About how many tokens, padding included, a step sees.
    start
        Folder of an earlier run to go on from, with its tokenizer; from scratch without one.
    rate
        Highest learning rate; half of it when a run goes on from another.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    earlier: list[dict[str, int]] = []
    if start is None:
        tokenizer = _tokenizer(seed)
        model = LanguageModel(shape or ModelShape())
    else:
        model, tokenizer = load(start)
        model.train()
        before = json.loads((start / RECORD).read_text(encoding="utf-8"))
        earlier = [*before.get("earlier", ()), {"seed": before["seed"], "steps": before["steps"]}]
    tokenizer.save(str(out / "tokenizer.json"))
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}],
        lr=rate,
        betas=(0.9, 0.98),
    )
    started = saved = time.monotonic()
    losses: list[float] = []
    for step, (x, weights) in enumerate(
        itertools.islice(batches(tokenizer, TRAINING_SEED + seed, tokens), steps)
    ):
        elapsed = (time.monotonic() - started) / 60
        if elapsed > minutes:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * schedule(max(step / steps, elapsed / minutes), step)
        with torch.autocast("cpu", dtype=torch.bfloat16):  # twice as fast on a CPU with AMX or AVX512
            loss = loss_of(model, x, weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        if step % 50 == 49:
            recent = sum(losses[-50:]) / 50
            log.info("step %d, %.1f min, loss %.4f", step + 1, elapsed, recent)
        if time.monotonic() - saved > 120:
            saved = time.monotonic()
            save(out, model, losses, seed, earlier)
    return save(out, model, losses, seed, earlier)


def _tokenizer(seed: int) -> Any:
    texts = (
        text
        for sample in itertools.islice(samples(TRAINING_SEED + seed), TOKENIZER_SAMPLES)
        for text in (sample.plan.prompt, sample.answer)
    )
    return train_tokenizer(texts, vocabulary=ModelShape().vocabulary)


def save(
    out: Path, model: LanguageModel, losses: list[float], seed: int, earlier: list[dict[str, int]]
) -> dict[str, Any]:
    """Write the checkpoint and its record; return the record.

    Parameters
    ----------
    earlier
        Seed and steps of the runs that this one went on from, the oldest first.
    """
    record = {
        "shape": model.shape.as_dict(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "earlier": earlier,
        "seed": seed,
        "steps": len(losses),
        "loss": losses[-1] if losses else None,
        "losses": [round(sum(part) / len(part), 4) for part in _chunks(losses, 50)],
    }
    np.savez(out / "checkpoint.npz", **{name: w.numpy() for name, w in model.state_dict().items()})
    (out / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


def _chunks(values: list[float], size: int) -> Iterator[list[float]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def load(folder: Path) -> tuple[LanguageModel, Any]:
    """Read the model and the tokenizer of a training run."""
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    model = LanguageModel(ModelShape(**record["shape"]))
    with np.load(folder / "checkpoint.npz", allow_pickle=False) as weights:
        model.load_state_dict({name: torch.from_numpy(weights[name]) for name in weights})
    model.eval()
    return model, load_tokenizer(folder / "tokenizer.json")


def main() -> None:
    """Run the training from the command line."""
    parser = argparse.ArgumentParser(description="Train Sightline's built-in demonstration model.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--start", type=Path)
    parser.add_argument("--rate", type=float, default=LEARNING_RATE)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(given.threads)
    train(
        given.out,
        steps=given.steps,
        minutes=given.minutes,
        seed=given.seed,
        tokens=given.tokens,
        start=given.start,
        rate=given.rate,
    )


if __name__ == "__main__":
    main()

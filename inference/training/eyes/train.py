"""Train the pair: ``python -m inference.training.eyes.train --out DIR --minutes 60``.

First the encoder alone, by its heads; then encoder and language model together. Pictures are drawn as
they are needed, each from its number, so a run that is stopped (Ctrl-C, SIGTERM, power) goes on from
its last checkpoint with the next picture and the same weights, momenta and random state. A GPU is used
when there is one. Checkpoints lie in a cache folder of the user unless `--out` says otherwise;
``log.csv`` beside them has a row for every 20 steps.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import logging
import math
import signal
import time
from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch.nn import functional

import resources
from inference.models.look_form import KINDS, PLACES
from inference.training.eyes.lessons import BLUR, Lesson, Teacher
from inference.training.eyes.model import ORGANS, EyesShape, Pair
from inference.training.eyes.optimiser import Muon
from inference.training.eyes.pictures import DIFFICULTY, TRAINING_SEED, Picture, empty_picture, picture
from inference.training.eyes.vocabulary import first_edition, fresh, save_tokenizer
from inference.training.model import ModelShape
from inference.training.tokenizer import load_tokenizer
from inference.training.train import TRAINING_SEED as TEXT_SEED
from inference.training.train import batches, loss_of

log = logging.getLogger(__name__)

Tensor: TypeAlias = torch.Tensor

CHECKPOINT, TOKENIZER, LOG = "checkpoint.pt", "tokenizer.json", "log.csv"
FIRST_EDITION = resources.ROOT / "models" / "sightline-demo" / "sightline-demo-q8_0.gguf"

SCARCE: dict[str, float] = {
    "nodule": 30.0, "mass": 6.0, "consolidation": 4.0, "effusion": 4.0, "pneumothorax": 5.0,
    "cardiomegaly": 2.0, "line": 12.0, "device": 8.0, "haemorrhage": 8.0,
}  # fmt: skip
"""How much more a cell inside a finding counts than one outside: small findings have few."""

EMPTY_EVERY = 25
"""One in so many pictures of a run is empty: a model is to see nothing in it."""

WARM_UP = 30
ROW_STEPS = 20
WHITENED = 40
"""Pictures whose patches the first filters are made of."""
SAVE_SECONDS = 120.0
TEXT_TOKENS = 2048


@dataclass(frozen=True)
class Plan:
    """How a run is made; may be changed when it goes on.

    Parameters
    ----------
    minutes, steps
        The run is over at whichever comes first, counting the time of the runs that it goes on from.
    encoder_share
        Share of the run in which only the encoder learns.
    steady_share
        Share of the run after which the learning rate begins to fall, in a line to 3 %.
    text_every
        Every so many steps of the second part a batch of ledgers and sentences is learnt; 0 for none.
    """

    minutes: float = 60.0
    steps: float = math.inf
    batch: int = 16
    encoder_share: float = 0.3
    steady_share: float = 0.55
    rate: float = 2e-3
    matrix_rate: float = 0.02
    text_every: int = 4


class Run:
    """A pair in training with everything that a checkpoint holds."""

    def __init__(self, out: Path, *, shape: EyesShape, language: ModelShape | None, plan: Plan) -> None:
        self.out, self.plan = out, plan
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.step, self.seconds = 0, 0.0
        out.mkdir(parents=True, exist_ok=True)
        saved: dict[str, Any] | None = None
        if (out / CHECKPOINT).exists():
            saved = torch.load(out / CHECKPOINT, map_location="cpu", weights_only=True)
            shape, language = EyesShape(**saved["eyes"]), ModelShape(**saved["language"])
            if saved["difficulty"] != DIFFICULTY.sha256():
                raise SystemExit("The pictures were changed since this run began: begin another one.")
            self.tokenizer = load_tokenizer(out / TOKENIZER)
            self.pair = Pair(shape, language)
        else:
            torch.manual_seed(1)
            model, self.tokenizer = (
                first_edition(FIRST_EDITION) if language is None else fresh(language)
            )
            save_tokenizer(self.tokenizer, out / TOKENIZER)
            self.pair = Pair(shape, model.shape)
            self.pair.language = model
            first = [torch.from_numpy(picture(TRAINING_SEED, n).pixels) for n in range(WHITENED)]
            self.pair.eyes.whiten(torch.stack(first))
        self.pair.to(self.device)
        self.teacher = Teacher(self.tokenizer, shape)
        self.optimisers = _optimisers(self.pair)
        if saved is not None:
            self._restore(saved)

    def _restore(self, saved: dict[str, Any]) -> None:
        self.pair.load_state_dict(saved["pair"])
        for optimiser, state in zip(self.optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.step, self.seconds = saved["step"], saved["seconds"]
        torch.set_rng_state(saved["random"])

    def save(self) -> None:
        """Write the checkpoint; the one before stays until the new one is whole."""
        state = {
            "pair": self.pair.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "eyes": self.pair.eyes.shape.as_dict(),
            "language": self.pair.language.shape.as_dict(),
            "difficulty": DIFFICULTY.sha256(),
            "plan": {name: float(value) for name, value in asdict(self.plan).items()},
            "step": self.step,
            "seconds": self.seconds,
            "random": torch.get_rng_state(),
        }
        part = self.out / (CHECKPOINT + ".part")
        torch.save(state, part)
        part.replace(self.out / CHECKPOINT)

    @property
    def done(self) -> float:
        """Share of the run that is over."""
        return max(self.seconds / 60 / self.plan.minutes, self.step / self.plan.steps)

    def learn(self, lesson: Lesson) -> dict[str, float]:
        """Make one step on pictures and return its losses by name."""
        alone = self.done < self.plan.encoder_share
        fall = (1 - self.done) / (1 - self.plan.steady_share)
        rate = min(1.0, (self.step + 1) / WARM_UP) * max(0.03, min(1.0, fall))
        for optimiser, highest in zip(
            self.optimisers, (self.plan.matrix_rate, self.plan.rate), strict=True
        ):
            for group in optimiser.param_groups:
                group["lr"] = highest * rate
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            losses = picture_losses(self.pair, self.teacher, lesson, self.device, look_only=alone)
        weights = {"outline": 12.0, "kind": 16.0, "box": 1.5}
        total = sum(weights.get(name, 1.0) * loss for name, loss in losses.items())
        total.backward()
        self._move()
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def write(self, x: Tensor, weights: Tensor) -> dict[str, float]:
        """Make one step on ledgers and sentences."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            loss = loss_of(self.pair.language, x.to(self.device), weights.to(self.device))
        loss.backward()
        self._move()
        return {"text": float(loss.detach())}

    def _move(self) -> None:
        torch.nn.utils.clip_grad_norm_(self.pair.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)


def _optimisers(pair: Pair) -> tuple[Muon, torch.optim.AdamW]:
    blocks = [*pair.eyes.blk.parameters(), *pair.language.blk.parameters()]
    matrices = [p for p in blocks if p.dim() == 2]
    chosen = {id(p) for p in matrices}
    rest = [p for p in pair.parameters() if id(p) not in chosen]
    groups = [
        {"params": [p for p in rest if p.dim() > 1], "weight_decay": 0.03},
        {"params": [p for p in rest if p.dim() < 2], "weight_decay": 0.0},
    ]
    return Muon(matrices, rate=0.02, decay=0.02), torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98))


def picture_losses(
    pair: Pair, teacher: Teacher, lesson: Lesson, device: torch.device, *, look_only: bool
) -> dict[str, Tensor]:
    """Return the mean losses of a batch by name; without those of the form when `look_only`."""
    features = pair.eyes.features(lesson.pixels.to(device))
    seen = pair.eyes.project(features)
    with torch.autocast(device.type, enabled=False):
        outline, kind, box = pair.heads(features, seen)
        wanted = lesson.kind.to(device)
        more = torch.tensor([SCARCE[kind] for kind in KINDS], device=device)
        cells = outline.shape[-1] // (len(KINDS) + ORGANS)
        areas = torch.cat([more, torch.ones(ORGANS, device=device)]).repeat_interleave(cells)
        losses = {
            "outline": functional.binary_cross_entropy_with_logits(
                outline, lesson.outline.to(device), pos_weight=areas
            ),
            "kind": functional.binary_cross_entropy_with_logits(kind, wanted, pos_weight=more.sqrt()),
        }
        if bool((wanted > 0.5).any()):
            losses["box"] = box_loss(box, lesson.box.to(device), wanted)
    if look_only:
        return losses
    words, weights, places = (part.to(device) for part in (lesson.words, lesson.weights, lesson.places))
    before = torch.tensor(teacher.before, device=device)
    states = pair.states(before, seen, words)[:, :-1]
    kept = weights > 0
    logits = pair.language.logits(states[kept]).float()
    return losses | form_losses(logits, words[kept], weights[kept], places[kept], teacher.first_place)


def box_loss(boxes: Tensor, right: Tensor, wanted: Tensor) -> Tensor:
    """Return how far boxes miss, in shares of their own longer side; each finding counts once."""
    there = wanted > 0.5
    share = (1 / wanted.sum(1, keepdim=True).clamp(min=1)).expand_as(wanted)[there]
    true = right[there]
    side = (true[:, 2:] - true[:, :2]).amax(-1).clamp(min=0.06)
    miss = functional.smooth_l1_loss(boxes[there], true, beta=0.02, reduction="none").mean(-1)
    return (miss / side * share).sum() / share.sum()


def form_losses(
    logits: Tensor, words: Tensor, weights: Tensor, places: Tensor, first_place: int
) -> dict[str, Tensor]:
    """Return the loss of words and that of positions, where a near miss is a small one."""
    chances = logits.log_softmax(-1)
    place = places >= 0
    hard = -chances[~place].gather(1, words[~place, None])[:, 0]
    losses = {"words": (hard * weights[~place]).sum() / weights[~place].sum()}
    if bool(place.any()):
        away = torch.arange(PLACES, device=logits.device)[None] - places[place, None]
        aim = torch.softmax(-0.5 * (away / BLUR) ** 2, -1)
        soft = -(chances[place, first_place : first_place + PLACES] * aim).sum(-1)
        losses["places"] = soft.mean()
    return losses


def train(
    out: Path,
    plan: Plan,
    *,
    shape: EyesShape | None = None,
    language: ModelShape | None = None,
) -> Run:
    """Train, or go on with what lies in `out`, until the plan is over or the program is stopped.

    Parameters
    ----------
    shape, language
        Sizes of a new run. Without `language` the first edition's language model is gone on with.
    """
    run = Run(out, shape=shape or EyesShape(), language=language, plan=plan)
    stopped: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    ledgers = batches(run.tokenizer, TEXT_SEED + 1000 + run.step, TEXT_TOKENS)
    lessons = _lessons(run.teacher, run.step * plan.batch, plan.batch)
    recent: dict[str, deque[float]] = {}
    last = saved = time.monotonic()
    try:
        while run.done < 1 and not stopped:
            losses = run.learn(next(lessons))
            writes = plan.text_every and run.done >= plan.encoder_share
            if writes and run.step % plan.text_every == 0:
                losses |= run.write(*next(ledgers))
            run.step += 1
            now = time.monotonic()
            run.seconds, last = run.seconds + now - last, now
            for name, value in losses.items():
                recent.setdefault(name, deque(maxlen=ROW_STEPS)).append(value)
            if run.step % ROW_STEPS == 0:
                _row(run, {name: sum(values) / len(values) for name, values in recent.items()})
            if now - saved > SAVE_SECONDS:
                saved = now
                run.save()
    except KeyboardInterrupt:
        log.info("Stopped; the last step is kept.")
    finally:
        signal.signal(signal.SIGTERM, before)
        lessons.close()
    run.save()
    return run


def _lessons(teacher: Teacher, first: int, batch: int) -> Generator[Lesson, None, None]:
    """Yield batches from picture number `first` on, one of them drawn ahead."""

    def draw(number: int) -> Picture:
        blank = number % EMPTY_EVERY == 0
        return (empty_picture if blank else picture)(TRAINING_SEED, number)

    def make(number: int) -> Lesson:
        return teacher.lesson([draw(one) for one in range(number, number + batch)])

    with ThreadPoolExecutor(1) as drawing:
        ahead = drawing.submit(make, first)
        for number in itertools.count(first + batch, batch):
            ready, ahead = ahead, drawing.submit(make, number)
            yield ready.result()


COLUMNS = ("step", "minutes", "outline", "kind", "box", "words", "places", "text")


def _row(run: Run, losses: dict[str, float]) -> None:
    path = run.out / LOG
    new = not path.exists()
    row = {"step": run.step, "minutes": round(run.seconds / 60, 2)}
    row |= {name: round(value, 5) for name, value in losses.items()}
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, restval="")
        if new:
            writer.writeheader()
        writer.writerow(row)
    log.info("%s", row)


def default_folder() -> Path:
    """Return the cache folder of this user for checkpoints: never inside the project."""
    from platformdirs import user_cache_path

    return user_cache_path("sightline") / "training" / "eyes"


def main() -> None:
    """Run the training from the command line."""
    parser = argparse.ArgumentParser(description="Train Sightline's built-in pair with eyes.")
    parser.add_argument("--out", type=Path, default=default_folder())
    for name, value in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(given.pop("threads"))
    out = given.pop("out")
    train(out, Plan(**given))


if __name__ == "__main__":
    main()

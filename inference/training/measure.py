"""Measure a GGUF on held-out ledgers through llama.cpp: `python -m inference.training.measure FILE`.

With the grammar, as it is used: how often the model takes the phrase that the style prefers, against
a random choice and against the first row of the phrase table. Without the grammar, as a warning: how
many sentences and numbers it would get wrong if it were trusted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.drafting.grammar import ComposeError, parse
from inference.models.profiles import PROFILES
from inference.models.runtime import Request, Runtime
from inference.training.data import Sample, samples
from inference.training.train import HELD_OUT_SEED

FREE_GRAMMAR = "root ::= [^\\x00]*\n"
"""Allows any text: what the model does when nothing holds it."""

LEDGERS = 300
SECONDS = 60.0

Writer = Callable[[Sample, str], str]


@dataclass
class Tally:
    """Counts over samples."""

    sentences: int = 0
    agree: int = 0
    numbers: int = 0
    numbers_right: int = 0
    items: int = 0
    samples: int = 0
    sound: int = 0

    def add(self, sample: Sample, text: str) -> None:
        """Compare a text with the style's, line by line."""
        written = text.splitlines()
        wanted = sample.styled.splitlines()
        self.samples += 1
        self.items += len(wanted)
        try:
            parse(sample.plan, text)
            self.sound += 1
        except ComposeError as error:
            self.sentences += len(error.sentences)
        else:
            self.sentences += len(wanted)
        for number, line in enumerate(wanted):
            mine = written[number] if number < len(written) else ""
            self.agree += mine == line
            right = re.findall(r"\d+(?:\.\d+)?", line)
            self.numbers += len(right)
            self.numbers_right += sum(
                a == b for a, b in zip(right, re.findall(r"\d+(?:\.\d+)?", mine), strict=False)
            )


def measure(writer: Writer, held_out: Sequence[Sample], grammar: str | None = None) -> Tally:
    """Return the counts of a writer; under each sample's own grammar unless another is given."""
    tally = Tally()
    for sample in held_out:
        tally.add(sample, writer(sample, sample.plan.gbnf if grammar is None else grammar))
    return tally


def with_model(runtime: Runtime) -> Writer:
    """Return a writer that asks the model, greedily."""
    profile = PROFILES["sightline"]

    def write(sample: Sample, grammar: str) -> str:
        request = Request(
            before=profile.before,
            prompt=sample.plan.prompt,
            after=profile.after,
            grammar=grammar,
            max_tokens=sample.plan.longest + 1,
            seconds=SECONDS,
        )
        return runtime.generate(request, lambda piece: None).text

    return write


def by_chance(seed: int) -> Writer:
    """Return a writer that takes any of the allowed sentences."""
    draw = random.Random(seed)
    return lambda sample, _: "".join(p.line(draw.choice(p.alternatives)) for p in sample.plan.items)


def first_row(sample: Sample, _: str) -> str:
    """Write the first of the allowed sentences of each item."""
    return "".join(planned.line(planned.alternatives[0]) for planned in sample.plan.items)


def report(path: Path, ledgers: int = LEDGERS) -> dict[str, float]:
    """Return the measured figures of a GGUF file by name."""
    held_out = list(itertools.islice(samples(HELD_OUT_SEED, other_phrase=0.0), ledgers))
    runtime = Runtime(str(path), mmproj_path=None, context=2048, cancelled=lambda: False)
    try:
        locked = measure(with_model(runtime), held_out)
        free = measure(with_model(runtime), held_out, FREE_GRAMMAR)
    finally:
        runtime.close()
    chance, first = measure(by_chance(1), held_out), measure(first_row, held_out)
    return {
        "style agreement with grammar": round(locked.agree / locked.items, 4),
        "style agreement of a random choice": round(chance.agree / chance.items, 4),
        "style agreement of the first phrase": round(first.agree / first.items, 4),
        "numbers exact with grammar": round(locked.numbers_right / locked.numbers, 4),
        "texts in the grammar with grammar": round(locked.sound / locked.samples, 4),
        "numbers exact without grammar": round(free.numbers_right / free.numbers, 4),
        "texts in the grammar without grammar": round(free.sound / free.samples, 4),
        "held-out sentences": locked.items,
    }


def main() -> None:
    """Print the figures of a file as JSON."""
    parser = argparse.ArgumentParser(
        description="Measure a model of this repository on held-out ledgers."
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--ledgers", type=int, default=LEDGERS)
    given = parser.parse_args()
    sys.stdout.write(json.dumps(report(given.file, given.ledgers), indent=1) + "\n")


if __name__ == "__main__":
    main()

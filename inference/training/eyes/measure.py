"""Measure a pair through its files: ``python -m inference.training.eyes.measure MODEL MMPROJ``.

On held-out pictures, greedily, under the grammar of the form, as a draft asks: which findings it names
(F1), on which side, with which box (IoU), how far its confidence can be believed (ECE), what it says to
an empty and to a mirrored picture. Each figure has the middle 95 % of resampled sets of pictures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.models.look_form import FORMS, KINDS, Box, Entry, chances, grammar, read
from inference.models.profiles import PROFILES
from inference.models.runtime import Request, Runtime
from inference.training.eyes.pictures import HELD_OUT_SEED, SIZE, Picture, View, picture

PICTURES = 300
RESAMPLED = 1000
ECE_BINS = 10
LONGEST_FORM = 400
SECONDS = 60.0

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Seen:
    """What the model said of a picture: its entries, and how likely each kind is by its answer."""

    entries: tuple[Entry, ...]
    chances: dict[str, float]


Look = Callable[[Rgb, View], Seen]
"""Shows a picture to a model."""


def with_model(runtime: Runtime) -> Look:
    """Return how this pair is asked."""
    profile = PROFILES["sightline"]

    def look(rgb: Rgb, view: View) -> Seen:
        kinds = FORMS[view.value]
        request = Request(
            before=profile.before,
            prompt=view.value,
            after=profile.after,
            grammar=grammar(kinds),
            max_tokens=LONGEST_FORM,
            seconds=SECONDS,
            picture=rgb,
            choices=True,
        )
        made = runtime.generate(request, lambda piece: None)
        return Seen(read(made.text, kinds), chances(made.text, made.choices, kinds))

    return look


@dataclass
class Tally:
    """Counts of one picture, or of many added up."""

    found: dict[str, int] = field(default_factory=dict)
    extra: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    overlaps: dict[str, list[float]] = field(default_factory=dict)
    sides: list[bool] = field(default_factory=list)
    answers: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the counts of another."""
        for mine, theirs in (
            (self.found, other.found), (self.extra, other.extra), (self.missed, other.missed),
        ):  # fmt: skip
            for kind, count in theirs.items():
                mine[kind] = mine.get(kind, 0) + count
        for kind, overlaps in other.overlaps.items():
            self.overlaps.setdefault(kind, []).extend(overlaps)
        self.sides += other.sides
        self.answers += other.answers

    def f1(self, kinds: Iterable[str] = KINDS) -> float:
        """Return the harmonic mean of precision and sensitivity over these kinds."""
        both = [
            sum(one.get(kind, 0) for kind in kinds) for one in (self.found, self.extra, self.missed)
        ]
        return 2 * both[0] / max(1, 2 * both[0] + both[1] + both[2])

    def iou(self, kinds: Iterable[str] = KINDS) -> float:
        """Return the mean overlap of the boxes of findings that were named."""
        every = [value for kind in kinds for value in self.overlaps.get(kind, ())]
        return float(np.mean(every)) if every else 0.0

    def laterality(self) -> float:
        """Return the share of named findings with a side that have the right one."""
        return float(np.mean(self.sides)) if self.sides else 0.0

    def f1_with_side(self) -> float:
        """Return F1 when a finding of the wrong side counts as missed and as one too many."""
        wrong = self.sides.count(False)
        found = sum(self.found.values()) - wrong
        errors = sum(self.extra.values()) + sum(self.missed.values()) + 2 * wrong
        return 2 * found / max(1, 2 * found + errors)

    def ece(self, *, named: bool = False) -> float:
        """Return the expected calibration error of the answers, or only of the findings named."""
        rows = np.array([row for row in self.answers if row[0] >= 0.5 or not named], dtype=float)
        if not len(rows):
            return 0.0
        sure = np.maximum(rows[:, 0], 1 - rows[:, 0])
        right = (rows[:, 0] >= 0.5) == (rows[:, 1] > 0.5)
        bins = np.minimum(ECE_BINS - 1, ((sure - 0.5) * 2 * ECE_BINS).astype(int))
        parts = [bins == number for number in range(ECE_BINS)]
        return float(sum(abs(right[p].mean() - sure[p].mean()) * p.mean() for p in parts if p.any()))


def compare(one: Picture, seen: Seen) -> Tally:
    """Return what is right and wrong about a picture."""
    tally = Tally()
    entries = {entry.kind: entry for entry in seen.entries}
    for kind in FORMS[one.view.value]:
        true, entry = one.finding(kind), entries.get(kind)
        tally.answers.append((seen.chances[kind], true is not None))
        if true is not None and entry is not None:
            tally.found[kind] = 1
            tally.overlaps[kind] = [overlap(entry.box, true.box)]
            if true.side != "central":
                tally.sides.append(entry.side == true.side)
        elif true is not None:
            tally.missed[kind] = 1
        elif entry is not None:
            tally.extra[kind] = 1
    return tally


def overlap(shares: Box, true: Box) -> float:
    """Return intersection over union of a box in shares of the picture and one in its pixels."""
    x0, y0, x1, y1 = (value * SIZE for value in shares)
    wide = max(0.0, min(x1, true[2]) - max(x0, true[0]))
    high = max(0.0, min(y1, true[3]) - max(y0, true[1]))
    both = (x1 - x0) * (y1 - y0) + (true[2] - true[0]) * (true[3] - true[1]) - wide * high
    return wide * high / both if both > 0 else 0.0


def rgb_of(pixels: npt.NDArray[np.uint8]) -> Rgb:
    """Return grey pixels as three equal channels."""
    return np.ascontiguousarray(np.repeat(pixels[..., None], 3, axis=2))


MEASURES: dict[str, Callable[[Tally], float]] = {
    "finding F1": Tally.f1,
    "finding F1 with side": Tally.f1_with_side,
    "laterality": Tally.laterality,
    "mean IoU": Tally.iou,
    "ECE of all answers": Tally.ece,
    "ECE of findings named": lambda tally: tally.ece(named=True),
}


def total(tallies: Sequence[Tally]) -> Tally:
    """Return the sum of tallies."""
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole


def intervals(tallies: Sequence[Tally], seed: int = 1) -> dict[str, tuple[float, float]]:
    """Return the middle 95 % of each measure over pictures drawn again with replacement."""
    draw = np.random.default_rng(seed)
    rows = [
        [measure(total([tallies[i] for i in chosen])) for measure in MEASURES.values()]
        for chosen in draw.integers(0, len(tallies), (RESAMPLED, len(tallies)))
    ]
    low, high = np.percentile(rows, (2.5, 97.5), axis=0)
    return {name: (float(a), float(b)) for name, a, b in zip(MEASURES, low, high, strict=True)}


@dataclass(frozen=True)
class Report:
    """Figures of a pair, with their intervals, and by kind."""

    pictures: int
    findings: int
    figures: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    by_kind: dict[str, tuple[int, float, float]]
    """Findings, F1 and mean IoU of each kind."""


def measure(look: Look, pictures: int = PICTURES) -> Report:
    """Return the figures of a model on the first held-out pictures."""
    drawn = [picture(HELD_OUT_SEED, number) for number in range(pictures)]
    tallies = [compare(one, look(rgb_of(one.pixels), one.view)) for one in drawn]
    whole = total(tallies)
    figures = {name: round(measure(whole), 4) for name, measure in MEASURES.items()}
    normal = [tally for tally, one in zip(tallies, drawn, strict=True) if not one.findings]
    if normal:
        clean = [not tally.extra for tally in normal]
        figures["pictures without a finding called so"] = round(float(np.mean(clean)), 4)
    figures["findings named on empty pictures"] = _on_empty(look)
    figures["sides that change when a film is mirrored"] = _mirrored(look, drawn)
    return Report(
        pictures,
        sum(len(one.findings) for one in drawn),
        figures,
        {name: (round(a, 4), round(b, 4)) for name, (a, b) in intervals(tallies).items()},
        {
            kind: (
                whole.found.get(kind, 0) + whole.missed.get(kind, 0),
                round(whole.f1([kind]), 4),
                round(whole.iou([kind]), 4),
            )
            for kind in KINDS
        },
    )


def _on_empty(look: Look) -> float:
    """Return how many findings are named on black, grey and white pictures together."""
    levels = (np.full((SIZE, SIZE), level, dtype=np.uint8) for level in (0, 128, 255))
    return float(sum(len(look(rgb_of(level), view).entries) for level in levels for view in View))


def _mirrored(look: Look, drawn: Sequence[Picture]) -> float:
    """Return the share of sides that change; the heart of a mirrored film lies on the other side."""
    changed: list[bool] = []
    for one in drawn:
        if one.view is View.FILM and len(changed) < 100:
            sides = {e.kind: e.side for e in look(rgb_of(one.pixels), one.view).entries}
            for entry in look(rgb_of(one.pixels[:, ::-1]), one.view).entries:
                if entry.kind in sides and entry.kind != "cardiomegaly":
                    changed.append(entry.side != sides[entry.kind])
    return round(float(np.mean(changed)), 4) if changed else 0.0


def measure_files(model: Path, mmproj: Path, pictures: int = PICTURES) -> Report:
    """Return the figures of a pair of files."""
    runtime = Runtime(str(model), mmproj_path=str(mmproj), context=512, cancelled=lambda: False)
    try:
        return measure(with_model(runtime), pictures)
    finally:
        runtime.close()


def main() -> None:
    """Print the figures of a pair as JSON."""
    parser = argparse.ArgumentParser(description="Measure a pair with eyes on held-out pictures.")
    parser.add_argument("model", type=Path)
    parser.add_argument("mmproj", type=Path)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    given = parser.parse_args()
    report = measure_files(given.model, given.mmproj, given.pictures)
    sys.stdout.write(json.dumps(vars(report), indent=1) + "\n")


if __name__ == "__main__":
    main()

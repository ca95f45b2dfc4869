"""Procedural radiographs and CT slices with a known truth, for training and for measuring.

Everything follows from a seed and a number: the same pair always gives the same picture. What may be
drawn from, and how faint and small a finding may be, stands in `DIFFICULTY`; it was frozen before the
model was trained and its hash is kept (`FROZEN`), so that figures of different runs can be compared.

The pictures are drawings: bright and dark shapes with noise, at the proportions of a chest. No patient
was looked at, and what a model reaches on them says nothing about real images.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from inference.models.look_form import FORMS
from inference.training.eyes.shapes import Field, spots

SIZE = 192
"""Rows and columns of every picture: what the vision encoder is given."""

FROZEN = "4ca4ee0fdfe074e60e74fbf56e14c123536ea260853c9a1fa761a56412af6953"
"""SHA-256 of the difficulty that the weights were trained on; a test holds it against `DIFFICULTY`."""

TRAINING_SEED, HELD_OUT_SEED = 1, 9_000_001
"""Streams of pictures; none is drawn from both."""

Range = tuple[float, float]


class View(StrEnum):
    """What a picture shows; the names of the forms that are filled in for it."""

    FILM = "chest film"
    CHEST = "chest slice"
    HEAD = "head slice"


KINDS: dict[View, tuple[str, ...]] = {view: FORMS[view.value] for view in View}
"""What may be found in each view, in the order in which it is asked. One of a kind at most."""


@dataclass(frozen=True)
class Difficulty:
    """All ranges that a picture is drawn from: mm, degrees and grey levels of 255."""

    views: dict[str, float] = field(
        default_factory=lambda: {"chest film": 0.7, "chest slice": 0.15, "head slice": 0.15}
    )
    findings: tuple[float, ...] = (0.2, 0.32, 0.28, 0.2)
    """Shares of pictures with 0, 1, 2 and 3 findings (a head slice has one or none)."""
    head_haemorrhage: float = 0.6
    pixel_mm: Range = (1.95, 2.15)
    slice_pixel_mm: Range = (1.75, 2.0)
    head_pixel_mm: Range = (1.1, 1.25)
    turn: Range = (-4.0, 4.0)
    shift: Range = (-9.0, 9.0)
    noise: Range = (1.5, 5.0)
    texture: Range = (5.0, 9.0)
    gain: Range = (0.85, 1.15)
    offset: Range = (-14.0, 14.0)
    gamma: Range = (0.85, 1.18)
    nodule_radius: Range = (8.0, 14.0)
    nodule_contrast: Range = (30.0, 55.0)
    mass_radius: Range = (19.0, 34.0)
    mass_contrast: Range = (36.0, 60.0)
    consolidation_radius: Range = (26.0, 48.0)
    consolidation_contrast: Range = (34.0, 58.0)
    effusion_height: Range = (0.16, 0.5)
    """Share of the lung's height."""
    pneumothorax_width: Range = (0.35, 0.8)
    """Share of the hemithorax at its widest."""
    pneumothorax_height: Range = (0.4, 0.95)
    normal_heart: Range = (0.39, 0.48)
    large_heart: Range = (0.55, 0.66)
    """Cardiothoracic ratio; nothing is drawn between the two ranges."""
    line_width: Range = (2.6, 3.6)
    line_contrast: Range = (45.0, 75.0)
    device_radius: Range = (19.0, 27.0)
    slice_nodule_radius: Range = (6.0, 14.0)
    haemorrhage_radius: Range = (8.0, 24.0)
    haemorrhage_contrast: Range = (38.0, 75.0)

    def sha256(self) -> str:
        """Return the hash of all ranges, the kinds and the picture's size."""
        kinds = {view.value: names for view, names in KINDS.items()}
        text = json.dumps({"size": SIZE, "kinds": kinds, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


DIFFICULTY = Difficulty()


@dataclass(frozen=True)
class Finding:
    """Something that was drawn: kind, side of the patient, and box in pixel edges of the picture."""

    kind: str
    side: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Picture:
    """A picture with its truth.

    Parameters
    ----------
    pixels
        uint8 grey, `SIZE` squared.
    findings
        In the order of `KINDS`.
    masks
        Coverage of each finding, by kind.
    organs
        Coverage of the right lung, the left lung and the heart; brain and none in a head slice.
    """

    view: View
    pixels: npt.NDArray[np.uint8]
    findings: tuple[Finding, ...]
    masks: dict[str, Field]
    organs: tuple[Field, Field, Field]

    def finding(self, kind: str) -> Finding | None:
        """Return the finding of a kind, or none."""
        return next((one for one in self.findings if one.kind == kind), None)


def empty_picture(seed: int, number: int) -> Picture:
    """Return a picture of nothing, flat or noise: in any view there is nothing to be seen in it."""
    draw = np.random.default_rng([seed, number, 1])
    view = list(View)[int(draw.integers(len(View)))]
    width, strength = float(draw.uniform(0.5, 40)), float(draw.uniform(0, 40)) * (draw.random() < 0.7)
    grey = float(draw.uniform(0, 255)) + strength * spots(draw, SIZE, width)
    nothing: Field = np.zeros((SIZE, SIZE), dtype=np.float32)
    return Picture(view, np.clip(grey, 0, 255).astype(np.uint8), (), {}, (nothing, nothing, nothing))


def picture(seed: int, number: int, difficulty: Difficulty = DIFFICULTY) -> Picture:
    """Return picture `number` of a stream."""
    from inference.training.eyes.film import film
    from inference.training.eyes.slices import chest_slice, head_slice

    draw = np.random.default_rng([seed, number])
    view = View(str(draw.choice(list(difficulty.views), p=list(difficulty.views.values()))))
    if view is View.HEAD:
        return head_slice(draw, difficulty)
    count = int(draw.choice(len(difficulty.findings), p=difficulty.findings))
    kinds = frozenset(str(kind) for kind in draw.choice(KINDS[view], count, replace=False))
    return film(draw, difficulty, kinds) if view is View.FILM else chest_slice(draw, difficulty, kinds)

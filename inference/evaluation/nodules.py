"""Nodule candidates and their sizes against balls of known place and size laid into scans.

`froc` counts how many balls are found at 1, 2, 4 and 8 false candidates a scan; `sizes` compares
diameters and volumes. Both run on synthetic chests, or on any scan that is given as an array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evaluation.inserted import SIZES_MM, Inserted, insert, places
from inference.evaluation.phantom_scan import Look, scan
from inference.evidence.chest.blobs import blobs
from inference.evidence.chest.nodule_size import measured
from inference.evidence.lung_mask import segment_lungs
from inference.evidence.orientation import bounds

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int16]
Triple = tuple[float, float, float]

FALSE_A_SCAN = (1, 2, 4, 8)
SPACINGS: tuple[Triple, ...] = ((1.5, 0.9, 0.9), (3.0, 0.9, 0.9))
NOISE_HU = 18.0
REAL_NOISE_HU = 15.0


@dataclass(frozen=True, eq=False)
class Base:
    """A scan that balls are laid into, in canonical order (head, back, left).

    Parameters
    ----------
    air
        Lung in which balls may lie.
    """

    name: str
    hu: IntArray
    affine: npt.NDArray[np.float64]
    spacing: Triple
    air: BoolArray


def base(name: str, hu: IntArray, affine: npt.NDArray[np.float64], spacing: Triple) -> Base:
    """Return a scan to lay balls into; its first axis must run to the head."""
    from scipy import ndimage

    lungs = segment_lungs(hu, affine, spacing)
    air = ndimage.binary_closing((lungs.right | lungs.left) & (hu < -500), iterations=2)
    return Base(name, hu, affine, spacing, air)


def synthetic(spacing: Triple, *, seed: int = 5) -> Base:
    """Return a synthetic chest with vessels to lay balls into."""
    made = scan(spacing, look=Look(noise_hu=NOISE_HU, seed=seed))
    return base(f"synthetic, {spacing[0]:g} mm", made.hu, made.affine, made.spacing)


@dataclass(frozen=True)
class Answer:
    """A candidate of a scan: its score, and the diameter of the ball it found, or 0."""

    score: float
    found_mm: float


@dataclass(frozen=True)
class Froc:
    """What was inserted, and every candidate of all scans."""

    scans: int
    inserted: tuple[float, ...]
    answers: tuple[Answer, ...]

    def sensitivity(self, false_a_scan: float, sizes: tuple[float, float] = (4.0, 30.0)) -> float:
        """Return the share of balls of these sizes found at so many false candidates a scan."""
        allowed, hits = false_a_scan * self.scans, 0
        for answer in sorted(self.answers, key=lambda one: -one.score):
            if answer.found_mm == 0:
                allowed -= 1
                if allowed < 0:
                    break
            elif sizes[0] <= answer.found_mm <= sizes[1]:
                hits += 1
        total = sum(sizes[0] <= size <= sizes[1] for size in self.inserted)
        return hits / total if total else 0.0


def froc(bases: Sequence[Base], *, seeds: Sequence[int] = (0, 1, 2), glass: bool = False) -> Froc:
    """Lay balls into scans, search, and compare."""
    answers: list[Answer] = []
    inserted: list[float] = []
    for one in bases:
        for seed in seeds:
            balls = places(one.air, one.spacing, SIZES_MM * 2, seed=seed, glass=glass)
            inserted += [ball.diameter_mm for ball in balls]
            answers += _answers(one, balls, seed)
    return Froc(len(bases) * len(seeds), tuple(inserted), tuple(answers))


def _answers(one: Base, balls: Sequence[Inserted], seed: int) -> list[Answer]:
    hu = insert(one.hu, balls, one.spacing, Look(noise_hu=REAL_NOISE_HU, seed=seed))
    lungs = segment_lungs(hu, one.affine, one.spacing)
    both = lungs.right | lungs.left
    box = bounds(both, margin=(2, 4, 4))
    corner = np.array([span.start for span in box])
    found: set[int] = set()
    answers = []
    for blob in blobs(hu[box], both[box], one.spacing):
        at = (np.array(blob.peak.place) + corner) * one.spacing
        hit = next(
            (
                index
                for index, ball in enumerate(balls)
                if np.linalg.norm(at - np.array(ball.place) * one.spacing)
                <= max(ball.diameter_mm / 2, 2.0)
            ),
            None,
        )
        if hit is None:
            answers.append(Answer(blob.score, 0.0))
        elif hit not in found:
            found.add(hit)
            answers.append(Answer(blob.score, balls[hit].diameter_mm))
    return answers


@dataclass(frozen=True)
class SizeError:
    """Errors of one ball: diameters in mm, volume as a share of the truth."""

    diameter_mm: float
    slices: float
    longest_mm: float
    perpendicular_mm: float
    volume: float
    volume_uncertainty: float
    voxel_mm: float


def sizes(one: Base, *, seeds: Sequence[int] = (0, 1, 2)) -> list[SizeError]:
    """Return the errors of balls laid into a scan at random places."""
    errors = []
    for seed in seeds:
        balls = places(one.air, one.spacing, SIZES_MM, seed=seed)
        hu = insert(one.hu, balls, one.spacing, Look(noise_hu=REAL_NOISE_HU, seed=seed))
        lungs = segment_lungs(hu, one.affine, one.spacing)
        both = lungs.right | lungs.left
        for ball in balls:
            size = measured(hu, both, ball.place, 0.95 * ball.diameter_mm, one.spacing)
            if size is not None:
                errors.append(
                    SizeError(
                        diameter_mm=ball.diameter_mm,
                        slices=ball.diameter_mm / max(one.spacing),
                        longest_mm=size.diameters.longest - ball.diameter_mm,
                        perpendicular_mm=size.diameters.perpendicular - ball.diameter_mm,
                        volume=size.volume_mm3 / ball.volume_mm3 - 1.0,
                        volume_uncertainty=size.volume_uncertainty_mm3 / ball.volume_mm3,
                        voxel_mm=max(one.spacing),
                    )
                )
    return errors


def table(bases: Sequence[Base] = ()) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of the table of nodule candidates, as text.

    Columns: scan, share of balls of 4-30 mm found at 1, 2, 4, 8 false candidates a scan, median and
    90th percentile of the error of the mean diameter (mm), of the volume of balls of three slices and
    more (%), and the share of balls whose stated uncertainty of volume covers the truth.
    """
    rows = []
    for one in bases or [synthetic(spacing) for spacing in SPACINGS]:
        found = froc([one])
        errors = sizes(one)
        across = np.abs([(e.longest_mm + e.perpendicular_mm) / 2 for e in errors])
        whole = np.abs([e.volume for e in errors if e.slices >= 3.0])
        covered = np.mean([abs(e.volume) <= e.volume_uncertainty for e in errors])
        rows.append(
            [
                one.name,
                *(f"{found.sensitivity(n):.2f}" for n in FALSE_A_SCAN),
                f"{np.median(across):.2f} / {np.percentile(across, 90):.2f}",
                f"{100 * np.median(whole):.1f} / {100 * np.percentile(whole, 90):.1f}",
                f"{covered:.2f}",
            ]
        )
    head = [
        "scan", *(f"found at {n} false" for n in FALSE_A_SCAN), "diameter, mm", "volume, %", "covered",
    ]  # fmt: skip
    return head, rows

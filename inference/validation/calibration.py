"""Calibrated confidence: Platt scaling on what readers did with earlier candidates and sentences.

A score becomes a probability only from local records of accept, edit and reject, and only when there
are enough of both; before, it is *uncalibrated* and no number is shown. This module knows no
database: records are handed in.

Sources: Platt 1999, "Probabilistic outputs for support vector machines" (targets with priors);
Lin, Lin, Weng 2007, "A note on Platt's probabilistic outputs" (Newton's method with backtracking,
no overflow); Guo et al. 2017 (expected calibration error in bins of equal width).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

FEWEST_RECORDS = 100
"""Fewest records before a probability is shown; `FEWEST_OF_EACH` of them accepted and rejected."""

FEWEST_OF_EACH = 20

UNCALIBRATED = "uncalibrated"

BINS = 10
FOLDS = 10
RESAMPLES = 500
_STEPS = 100
_RIDGE = 1e-12


class Outcome(StrEnum):
    """What a reader did with a proposal."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    """Accepted after a change of its words or numbers: the proposal as it was, was not right."""
    REJECTED = "rejected"


@dataclass(frozen=True)
class ReviewRecord:
    """A proposal's raw score 0..1 and what became of it."""

    score: float
    outcome: Outcome
    finding: str = ""
    """Term of the finding, for curves of their own."""

    @property
    def is_right(self) -> bool:
        """True when it was accepted as it stood."""
        return self.outcome is Outcome.ACCEPTED


@dataclass(frozen=True)
class Calibration:
    """p = 1 / (1 + exp(slope * logit(score) + offset)); a slope under 0 when higher is better."""

    slope: float
    offset: float
    records: int

    def probability(self, score: float) -> float:
        """Return the calibrated probability of a score."""
        return float(_sigmoid(self.slope * _logit(np.array([score])) + self.offset)[0])


def _logit(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    held = np.clip(scores, 1e-6, 1 - 1e-6)
    found: npt.NDArray[np.float64] = np.log(held / (1 - held))
    return found


def _sigmoid(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return 1 / (1 + exp(v)) without overflow."""
    small = np.exp(-np.abs(values))
    found: npt.NDArray[np.float64] = np.where(values >= 0, small / (1 + small), 1 / (1 + small))
    return found


def fit(records: Sequence[ReviewRecord]) -> Calibration | None:
    """Return the calibration of these records, or none while there are too few of them."""
    right = sum(record.is_right for record in records)
    if len(records) < FEWEST_RECORDS or min(right, len(records) - right) < FEWEST_OF_EACH:
        return None
    return platt(records)


def platt(records: Sequence[ReviewRecord]) -> Calibration:
    """Return the curve through these records, however few they are: `fit` says when to show it."""
    right = sum(record.is_right for record in records)
    wrong = len(records) - right
    values = _logit(np.array([record.score for record in records]))
    # Platt's targets: with few records no probability comes near 0 or 1.
    high, low = (right + 1.0) / (right + 2.0), 1.0 / (wrong + 2.0)
    targets = np.where([record.is_right for record in records], high, low)
    slope, offset = 0.0, float(np.log((wrong + 1.0) / (right + 1.0)))
    loss = _loss(values, targets, slope, offset)
    for _ in range(_STEPS):
        p = _sigmoid(slope * values + offset)
        difference, weight = targets - p, p * (1 - p)
        gradient = np.array([float(np.sum(values * difference)), float(np.sum(difference))])
        if np.max(np.abs(gradient)) < 1e-8:
            break
        cross = float(np.sum(weight * values))
        hessian = np.array([[float(np.sum(weight * values**2)), cross], [cross, float(np.sum(weight))]])
        step = -np.linalg.solve(hessian + _RIDGE * np.eye(2), gradient)
        length = 1.0
        while length > 1e-10:
            tried = slope + length * step[0], offset + length * step[1]
            new = _loss(values, targets, *tried)
            if new < loss + 1e-4 * length * float(gradient @ step):
                (slope, offset), loss = (float(tried[0]), float(tried[1])), new
                break
            length /= 2
        else:
            break
    return Calibration(slope, offset, len(records))


def _loss(
    values: npt.NDArray[np.float64], targets: npt.NDArray[np.float64], slope: float, offset: float
) -> float:
    """Return the cross-entropy, written so that nothing overflows (Lin 2007, eq. 7 and 8)."""
    x = slope * values + offset
    return float(
        np.sum(np.where(x >= 0, targets * x, (targets - 1) * x) + np.log1p(np.exp(-np.abs(x))))
    )


def shown(calibration: Calibration | None, score: float | None) -> str:
    """Return what a card says of a score: "uncalibrated", or the probability in whole per cent."""
    if calibration is None or score is None:
        return UNCALIBRATED
    return f"{100 * calibration.probability(score):.0f} %"


@dataclass(frozen=True)
class Bin:
    """Records whose probability lies in one tenth: how sure, how often right, how many."""

    low: float
    high: float
    mean: float
    right: float
    count: int


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error with its 95 % interval, from resampled records."""

    value: float
    low: float
    high: float
    bins: tuple[Bin, ...]


def calibration_error(
    probabilities: Sequence[float], right: Sequence[bool], *, seed: int = 0
) -> CalibrationError:
    """Return the expected calibration error over `BINS` bins of equal width.

    Raises
    ------
    ValueError
        There is no record, or not one answer for each probability.
    """
    if not probabilities or len(probabilities) != len(right):
        raise ValueError("Calibration error needs as many answers as probabilities, at least one.")
    p, y = np.array(probabilities, np.float64), np.array(right, np.float64)
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    generator = np.random.default_rng(seed)
    draws = [generator.integers(0, len(p), len(p)) for _ in range(RESAMPLES)]
    values = [_error(place[draw], p[draw], y[draw]) for draw in draws]
    low, high = np.quantile(values, (0.025, 0.975))
    bins = tuple(
        Bin(
            number / BINS,
            (number + 1) / BINS,
            float(p[own].mean()),
            float(y[own].mean()),
            int(own.sum()),
        )
        for number in range(BINS)
        if (own := place == number).any()
    )
    return CalibrationError(_error(place, p, y), float(low), float(high), bins)


def held_out_error(records: Sequence[ReviewRecord]) -> CalibrationError:
    """Return the error of probabilities from curves that have not seen the record they judge.

    `FOLDS` runs of neighbours are left out in turn: records of one report stand side by side.

    Raises
    ------
    ValueError
        There are fewer records than folds.
    """
    count = len(records)
    if count < FOLDS:
        raise ValueError(f"Calibration error needs at least {FOLDS} records.")
    probabilities: list[float] = []
    for fold in range(FOLDS):
        start, end = fold * count // FOLDS, (fold + 1) * count // FOLDS
        curve = platt([*records[:start], *records[end:]])
        probabilities += [curve.probability(record.score) for record in records[start:end]]
    return calibration_error(probabilities, [record.is_right for record in records])


def _error(
    place: npt.NDArray[np.int64], p: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> float:
    gaps = np.abs(np.bincount(place, p - y, BINS))
    return float(gaps.sum() / len(p))

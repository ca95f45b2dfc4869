"""What calibration does, on made-up readers: scores that are too sure, before and after."""

from __future__ import annotations

import numpy as np

from inference.validation.calibration import (
    FEWEST_OF_EACH,
    FEWEST_RECORDS,
    CalibrationError,
    Outcome,
    ReviewRecord,
    calibration_error,
    fit,
)

SIZES = (60, 200, 1000, 5000)


def records(count: int, *, seed: int) -> list[ReviewRecord]:
    """Return proposals whose score is twice as sure as it should be (in log odds)."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(0.0, 1.2, count)
    right = generator.random(count) < 1 / (1 + np.exp(-truth))
    scores = 1 / (1 + np.exp(-(2.0 * truth + 0.8)))
    return [
        ReviewRecord(float(score), Outcome.ACCEPTED if is_right else Outcome.REJECTED)
        for score, is_right in zip(scores, right, strict=True)
    ]


def table() -> str:
    """Return the calibration error on fresh records, raw and calibrated, by the number learnt from."""
    fresh = records(4000, seed=99)
    right = [record.is_right for record in fresh]
    raw = calibration_error([record.score for record in fresh], right)
    lines = [
        "| local records | ECE of raw scores (95 %) | ECE calibrated (95 %) |",
        "|---:|---:|---:|",
    ]
    for count in SIZES:
        found = fit(records(count, seed=count))
        if found is None:
            lines.append(f"| {count} | {_words(raw)} | uncalibrated |")
            continue
        after = calibration_error([found.probability(record.score) for record in fresh], right)
        lines.append(f"| {count} | {_words(raw)} | {_words(after)} |")
    lines.append(
        f"\nShown from {FEWEST_RECORDS} records on, {FEWEST_OF_EACH} of them accepted and as many not."
    )
    return "\n".join(lines)


def _words(error: CalibrationError) -> str:
    return f"{error.value:.3f} ({error.low:.3f} to {error.high:.3f})"

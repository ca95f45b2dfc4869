"""Confidence is a number only where local readers have taught it."""

from __future__ import annotations

import numpy as np
import pytest

from inference.evaluation.calibration_demo import records
from inference.validation.calibration import (
    FEWEST_OF_EACH,
    FEWEST_RECORDS,
    UNCALIBRATED,
    Outcome,
    ReviewRecord,
    calibration_error,
    fit,
    held_out_error,
    shown,
)


def test_few_records_show_no_number() -> None:
    few = records(FEWEST_RECORDS - 1, seed=1)
    assert fit(few) is None
    one_sided = [ReviewRecord(0.9, Outcome.ACCEPTED)] * (FEWEST_RECORDS + FEWEST_OF_EACH)
    assert fit(one_sided) is None
    assert shown(None, 0.9) == UNCALIBRATED
    assert shown(fit(records(400, seed=1)), None) == UNCALIBRATED


def test_scores_that_are_too_sure_become_honest() -> None:
    fresh = records(4000, seed=99)
    right = [record.is_right for record in fresh]
    found = fit(records(1000, seed=3))
    assert found is not None
    before = calibration_error([record.score for record in fresh], right)
    after = calibration_error([found.probability(record.score) for record in fresh], right)
    assert before.value > 0.1
    assert after.value < 0.05
    assert after.low <= after.value <= after.high


def test_a_higher_score_is_never_a_lower_probability() -> None:
    found = fit(records(500, seed=5))
    assert found is not None
    shown_values = [found.probability(score) for score in np.linspace(0, 1, 21)]
    assert shown_values == sorted(shown_values)
    assert 0 < shown_values[0] < shown_values[-1] < 1


def test_separable_records_stay_off_zero_and_one() -> None:
    rows = [ReviewRecord(0.9, Outcome.ACCEPTED)] * 60 + [ReviewRecord(0.1, Outcome.REJECTED)] * 60
    found = fit(rows)
    assert found is not None
    assert found.probability(0.9) == pytest.approx(61 / 62, abs=1e-3)
    assert found.probability(0.1) == pytest.approx(1 / 62, abs=1e-3)


def test_an_edited_proposal_was_not_right() -> None:
    assert not ReviewRecord(0.9, Outcome.EDITED).is_right


def test_calibration_error_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        calibration_error([], [])


def test_the_held_out_error_is_of_records_the_curve_has_not_seen() -> None:
    sure = records(600, seed=4)
    raw = calibration_error([r.score for r in sure], [r.is_right for r in sure])
    held_out = held_out_error(sure)
    assert held_out.value < raw.value and held_out.low <= held_out.value <= held_out.high
    with pytest.raises(ValueError, match="at least"):
        held_out_error(sure[:5])

"""The short ways of the pipeline: only the ramp is mapped; greys become words of a screen at once."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.imaging.grey import TABLE_SIZE, GreyPipeline, to_grey, to_words, voi
from viewer.imaging.study import WindowPreset

PATTERN = np.arange(TABLE_SIZE, dtype=np.uint16)


def written_out(pipeline: GreyPipeline) -> np.ndarray:
    """Return the table by the formulas of PS3.3 alone, every entry for itself."""
    signed = np.dtype(pipeline.dtype).kind == "i"
    stored = (PATTERN.view(np.int16) if signed else PATTERN).astype(np.int64)
    values = stored.astype(np.float64) * pipeline.slope + pipeline.intercept
    grey = np.floor(voi(values, pipeline.window) + 0.5).astype(np.uint8)
    if pipeline.inverted:
        grey = 255 - grey
    if pipeline.padding is not None:
        grey[(stored >= pipeline.padding[0]) & (stored <= pipeline.padding[1])] = 0
    return grey


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "uint8"])
def test_every_entry_of_a_table_is_that_of_the_formula(dtype: str, function: str) -> None:
    dice = np.random.default_rng(11)
    for _ in range(60):
        slope = float(dice.choice([1.0, -1.0, 0.5, -3.7, 1e-9, 1e6, dice.lognormal(0, 5)]))
        width = float(dice.choice([1.0, 0.5, 2.0, 400.0, 4096.0, 65536.0, dice.lognormal(4, 3)]))
        window = WindowPreset(center=float(dice.normal(40, 9000)), width=width, function=function)
        ends = sorted(int(end) for end in dice.integers(-70_000, 70_000, 2))
        pipeline = GreyPipeline(
            slope=slope,
            intercept=float(dice.choice([0.0, -1024.0, dice.normal(0, 3000)])),
            window=window,
            inverted=bool(dice.integers(2)),
            padding=(ends[0], ends[1]) if dice.integers(2) else None,
            dtype=dtype,
        )
        np.testing.assert_array_equal(pipeline.table(), written_out(pipeline), err_msg=str(pipeline))


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int8", "uint8"])
def test_words_of_a_screen_are_the_greys(dtype: str) -> None:
    limits = np.iinfo(dtype)
    stored = np.random.default_rng(3).integers(limits.min, limits.max, (37, 41), dtype, endpoint=True)
    window = WindowPreset(center=20.0, width=180.0)
    pipeline = GreyPipeline(1.0, 0.0, window, inverted=False, padding=(-5, 5), dtype=dtype)
    words = np.zeros((37, 48), dtype=np.uint32)
    to_words(stored, pipeline, words[:, :41])
    grey = written_out(pipeline)[stored.astype(np.int64) & 0xFFFF]
    np.testing.assert_array_equal(to_grey(stored, pipeline), grey)
    np.testing.assert_array_equal(words[:, :41] & 0xFF, grey)
    np.testing.assert_array_equal(words[:, :41], grey * np.uint32(0x010101) | np.uint32(0xFF000000))
    assert not words[:, 41:].any()

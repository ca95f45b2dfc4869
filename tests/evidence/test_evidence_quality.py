"""Image quality: values against known truth, warnings only where they matter, and fast."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.analytic_study import volume_context
from inference.evaluation.quality_phantom import (
    Body,
    magnitude_context,
    measured,
    radiograph_context,
    table,
)
from inference.evidence.masks import MaskStore
from inference.evidence.quality import ImageQuality
from inference.evidence.tool import IdSource, MeasureContext
from reports.domain import ReportDefault
from viewer.imaging.acquisition import AcquisitionFacts
from viewer.imaging.reader import Reader
from viewer.imaging.volume import as_volume


def test_values_are_those_that_were_put_in() -> None:
    for row in table():
        truth, value = float(str(row["truth"])), float(str(row["measured"]))
        assert value == pytest.approx(truth, rel=0.1, abs=0.5), row


def test_a_good_series_has_no_warning_and_no_sentence() -> None:
    found = measured(Body().context())
    assert found.warnings == ()
    assert found.report_default is ReportDefault.LEDGER_ONLY
    assert "no jump between slices" in found.checks


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (Body(noise=80.0), "noise of"),
        (Body(half_width=260.0), "edge of the field of view on 100 %"),
        (Body(metal_mm=6.0), "metal"),
        (Body(jump_after=12), "jumps after image 12"),
    ],
)
def test_each_fault_gives_its_own_warning(body: Body, words: str) -> None:
    found = measured(body.context())
    assert len(found.warnings) == 1
    assert words in found.warnings[0]


def test_thick_slices_and_gaps_are_said() -> None:
    thick = measured(Body().context(slice_thickness=8.0)).warnings
    assert thick == ("slices of 8 mm: small findings average out",)
    gaps = measured(Body().context(slice_thickness=1.0)).warnings
    assert gaps == ("slices of 1 mm stand 3 mm apart: what lies between is not seen",)


def test_weak_signal_clipping_and_exposure_are_said() -> None:
    assert "times the noise" in measured(magnitude_context(100.0, 20.0)).warnings[0]
    assert measured(magnitude_context(600.0, 20.0)).warnings == ()
    assert "at one limit" in measured(radiograph_context(0.3)).warnings[0]
    facts = AcquisitionFacts(exposure_index=900.0, deviation_index=3.4)
    found = measured(radiograph_context(0.0, acquisition=facts))
    assert found.warnings == ("overexposed (deviation index 3.4)",)
    assert found.value("exposure_index").text == "900"


def test_a_phase_image_has_no_signal_to_noise() -> None:
    ctx = magnitude_context(100.0, 20.0)
    series = ctx.series.model_copy(update={"image_type": ("ORIGINAL", "PRIMARY", "P")})
    assert ImageQuality().measure(replace(ctx, series=series), IdSource(), MaskStore()) == ()


def test_three_hundred_slices_take_a_moment() -> None:
    rng = np.random.default_rng(1)
    stored = rng.integers(-1000, 400, (300, 512, 512), dtype=np.int16)
    ctx = volume_context(stored, (1.0, 0.7, 0.7), modality="CT")
    began = time.process_time()
    ImageQuality().measure(ctx, IdSource(), MaskStore())
    assert time.process_time() - began < 2.0


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("ct/chest_LUNG1-001", ()),
        ("ct/abdomen_contrast_CRLM-CT-1004", ()),
        ("mr/brain_T1_MPRAGE_oblique_sagittal", ()),
        ("ct/chest_tumour_IBSI_PAT1/image", ("edge of the field of view",)),
    ],
)
def test_real_series_are_judged_fairly(shared_data: Path, folder: str, words: tuple[str, ...]) -> None:
    with Reader() as reader:
        study = reader.index([shared_data / folder]).studies[0]
        with reader.open(study.series[0]) as opened:
            stack = opened.stack
            ctx = MeasureContext(study=study, series=stack.series, stack=stack, volume=as_volume(stack))
            found = measured(ctx)
    assert len(found.warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, found.warnings, strict=True))

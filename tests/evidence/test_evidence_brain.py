"""MR brain: bright lesions of a phantom with known truth, and refusals in words."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.brain_phantom import Ball, BrainPhantom, brain_context, matched
from inference.evidence.brain import BrightLesions
from inference.evidence.brain.bright import search
from inference.evidence.brain.lesions import side_of
from inference.evidence.brain.prepared import Brain, brain_of
from inference.evidence.brain.sequence import Weighting, weighting_of
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext, RefusalCode
from reports.domain import Evidence, EvidenceKind, ReportDefault, SearchResult, Side
from viewer.imaging.acquisition import AcquisitionFacts
from viewer.imaging.reader import Reader
from viewer.imaging.regions import Shape
from viewer.imaging.volume import Volume, as_volume

SPACING = (4.0, 1.6, 1.6)

LESIONS = (Ball((28.0, 18.0, 32.0), 15.0), Ball((-30.0, 34.0, -14.0), 10.0))


@cache
def measured(
    sequence: str, lesions: tuple[Ball, ...] = ()
) -> tuple[MeasureContext, tuple[Evidence, ...], MaskStore]:
    ctx, masks = brain_context(BrainPhantom(sequence, lesions), spacing=SPACING), MaskStore()
    return ctx, BrightLesions().measure(ctx, IdSource(3), masks), masks


@pytest.mark.parametrize("sequence", ["FLAIR", "T2"])
def test_lesions_have_their_volume_place_and_side(sequence: str) -> None:
    ctx, found, masks = measured(sequence, LESIONS)
    *candidates, search = found
    assert [one.id for one in candidates] == ["E3", "E4"]
    for number, (ball, side) in enumerate(zip(LESIONS, (Side.LEFT, Side.RIGHT), strict=True)):
        one = matched(candidates, masks, ctx, ball)
        assert one is candidates[number]
        assert one.label == f"Bright lesion candidate {number + 1}"
        assert one.kind is EvidenceKind.CANDIDATE
        assert one.report_default is ReportDefault.LEDGER_ONLY
        assert one.side is side
        volume = one.value("lesion_ml")
        assert volume.uncertainty is not None
        assert volume.value == pytest.approx(ball.ml, abs=volume.uncertainty)
        assert one.value("long").value == pytest.approx(ball.diameter, abs=2 * SPACING[1])
        assert [region.shape for region in one.regions] == [Shape.POLYGON, Shape.MASK]
        assert not any("HU" in value.text for value in one.values)
    record = search.search
    assert record is not None
    assert record.candidates == ("E3", "E4")
    assert record.target.value == "BRIGHTLESION"
    assert 0.6 < record.coverage < 1.0
    assert not record.complete
    assert not record.accepted


def test_grey_matter_shading_and_linings_of_ventricles_are_no_candidates() -> None:
    _, found, _ = measured("FLAIR")
    (search,) = found
    assert search.search is not None
    assert search.search.result is SearchResult.NONE
    assert any("lining of a ventricle" in check for check in search.checks)


@pytest.mark.parametrize(
    ("facts", "header", "answer"),
    [
        ({"repetition_ms": 9000, "echo_ms": 120, "inversion_ms": 2500}, {}, Weighting.FLAIR),
        ({"repetition_ms": 4800, "echo_ms": 350, "inversion_ms": 1650}, {}, Weighting.FLAIR),
        ({"repetition_ms": 5000, "echo_ms": 100, "scanning_sequence": ("SE",)}, {}, Weighting.T2),
        ({}, {"description": "Ax T2 FLAIR"}, Weighting.FLAIR),
        ({}, {"description": "AX T2 TSE"}, Weighting.T2),
        ({"repetition_ms": 500, "echo_ms": 10}, {}, "TE 10 ms"),
        ({"repetition_ms": 2000, "echo_ms": 20, "inversion_ms": 800}, {}, "TI 800 ms"),
        ({"repetition_ms": 4000, "echo_ms": 80, "inversion_ms": 150}, {}, "inversion time"),
        ({"repetition_ms": 700, "echo_ms": 75, "scanning_sequence": ("GR",)}, {}, "gradient-echo"),
        ({"echo_ms": 90, "scanning_sequence": ("EP", "SE")}, {}, "echo-planar"),
        ({"echo_ms": 90}, {"image_type": ("DERIVED", "PRIMARY", "ADC")}, "ADC"),
        ({}, {"description": "T1 FLAIR"}, "T1"),
        ({}, {"description": "AX T2*"}, "neither"),
    ],
)
def test_the_sequence_is_known_by_its_times_or_refused_in_words(
    facts: dict[str, object], header: dict[str, object], answer: Weighting | str
) -> None:
    series = measured("FLAIR")[0].series.model_copy(
        update={"description": "", "acquisition": AcquisitionFacts(**facts), **header}  # type: ignore[arg-type]
    )
    told = weighting_of(series)
    if isinstance(answer, Weighting):
        assert told is answer
    else:
        code, reason = told
        assert code == RefusalCode.WRONG_SEQUENCE
        assert answer in reason
        assert "FLAIR" in reason


def test_slices_far_apart_and_a_part_of_a_head_are_refused() -> None:
    thick = brain_context(BrainPhantom(), spacing=(12.0, 3.0, 3.0))
    ctx = measured("FLAIR")[0]
    stored = ctx.stack.stored.copy()
    stored[: 2 * len(stored) // 3] = 0
    stack = replace(ctx.stack, stored=stored)
    half = replace(ctx, stack=stack, volume=as_volume(stack), _made={})
    for one, code in ((thick, RefusalCode.GEOMETRY), (half, RefusalCode.UNCERTAIN)):
        (told,) = BrightLesions().measure(one, IdSource(), MaskStore())
        assert told.refusal is not None
        assert told.refusal.code == code
        assert told.refusal.reason.endswith(".")


def test_a_side_is_that_of_the_patient_however_the_slices_run() -> None:
    volume = measured("FLAIR", LESIONS)[0].volume
    assert isinstance(volume, Volume)
    # Sagittal slices from left to right: slice -> -x, row -> -z, column -> y.
    stored = np.ascontiguousarray(volume.stored.transpose(2, 0, 1)[::-1, ::-1])
    slices, rows, _ = stored.shape
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (
        volume.affine[:3, 1],
        -volume.affine[:3, 2],
        -volume.affine[:3, 0],
    )
    affine[:3, 3] = volume.affine[:3] @ np.array([slices - 1, 0, rows - 1, 1])
    brain = brain_of(replace(volume, stored=stored, affine=affine))
    assert isinstance(brain, Brain)
    found = search(brain, Weighting.FLAIR).bodies
    assert [side_of(brain, one) for one in found] == [Side.LEFT, Side.RIGHT]


def test_t2_of_an_unknown_part_of_the_body_is_no_brain() -> None:
    ctx = replace(measured("T2", LESIONS)[0], body_region="", _made={})
    (told,) = BrightLesions().measure(ctx, IdSource(), MaskStore())
    assert told.refusal is not None
    assert told.refusal.code == RefusalCode.WRONG_REGION


def test_a_real_t1_series_is_refused_in_words(reader: Reader, shared_data: Path) -> None:
    study = reader.index([shared_data / "mr" / "brain_T1_MPRAGE_oblique_sagittal"]).studies[0]
    assert isinstance(study.series[0].acquisition.echo_ms, float)
    told = weighting_of(study.series[0])
    assert not isinstance(told, Weighting)
    assert told[0] == RefusalCode.WRONG_SEQUENCE
    assert "TE 4.13 ms" in told[1]

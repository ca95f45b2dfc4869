"""CT lungs: volumes within their stated uncertainty, sides from geometry, refusals in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from analytic_chest import (
    AXIAL,
    AXIAL_PRONE,
    CORONAL,
    SAGITTAL,
    Chest,
    Vector,
    make_context,
    with_stored,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.evidence.lungs import CtLungs, density_warnings
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext, RefusalCode, ToolCancelled
from reports.domain import Evidence, ReportDefault, Side
from viewer.imaging.reader import OpenStack, Reader
from viewer.imaging.regions import Shape
from viewer.imaging.study import Study
from viewer.imaging.volume import as_volume


def measure(ctx: MeasureContext, masks: MaskStore | None = None) -> tuple[Evidence, ...]:
    return CtLungs().measure(ctx, IdSource(2), masks if masks is not None else MaskStore())


def refusal_of(found: tuple[Evidence, ...]) -> str:
    assert len(found) == 1
    assert found[0].refusal is not None
    assert found[0].values == () and found[0].regions == ()
    assert found[0].refusal.reason.endswith(".")
    return found[0].refusal.code


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("orientation", "spacing", "shape"),
    [
        (AXIAL, (4.0, 2.0, 2.0), (66, 145, 180)),
        (AXIAL_PRONE, (5.0, 2.5, 2.5), (60, 130, 145)),
        (CORONAL, (3.0, 4.0, 3.0), (110, 75, 120)),
        (SAGITTAL, (3.0, 4.0, 2.5), (120, 75, 140)),
    ],
)
def test_volume_and_side_hold_in_every_orientation(
    orientation: tuple[Vector, Vector],
    spacing: tuple[float, float, float],
    shape: tuple[int, int, int],
    reverse: bool,
) -> None:
    chest = Chest()
    ctx = make_context(chest, orientation=orientation, spacing=spacing, shape=shape, reverse=reverse)
    right, left, both = measure(ctx)
    assert (right.side, left.side, both.side) == (Side.RIGHT, Side.LEFT, Side.BILATERAL)
    for evidence, truth in (
        (right, chest.right_ml),
        (left, chest.left_ml),
        (both, chest.right_ml + chest.left_ml),
    ):
        volume = evidence.value("volume")
        assert volume.uncertainty is not None
        assert volume.value * 1000 == pytest.approx(truth, abs=volume.uncertainty * 1000)
        assert volume.uncertainty < 0.05 * volume.value


def test_masks_lie_on_the_side_they_name() -> None:
    masks = MaskStore()
    ctx = make_context(Chest(), orientation=AXIAL_PRONE)
    measure(ctx, masks)
    assert [reference.label for reference in masks] == ["Right lung", "Left lung"]
    for reference in masks:
        slices, rows, columns = np.nonzero(masks.get(reference.sha256))
        plane = ctx.series.instances[int(np.median(slices))].plane
        assert plane is not None
        x = plane.pixel_to_patient(np.array([[columns.mean(), rows.mean()]]))[0, 0]
        assert (x < -30) if reference.side is Side.RIGHT else (x > 30)


def test_touching_lungs_are_parted_at_the_middle() -> None:
    chest = Chest(right_centre=(-53.0, 0.0, 0.0), left_centre=(45.0, 0.0, 0.0))
    found = measure(make_context(chest))
    assert [evidence.side for evidence in found] == [Side.RIGHT, Side.LEFT, Side.BILATERAL]
    right, left, _ = found
    assert "touching lungs parted" in right.checks
    assert right.value("volume").value * 1000 == pytest.approx(chest.right_ml, rel=0.05)
    assert left.value("volume").value * 1000 == pytest.approx(chest.left_ml, rel=0.05)


def test_airway_couch_and_bowel_gas_are_no_lung() -> None:
    masks = MaskStore()
    ctx = make_context(Chest())
    measure(ctx, masks)
    lungs = np.logical_or(*(masks.get(reference.sha256) for reference in masks))
    hu = np.asarray(ctx.stack.stored)
    assert not lungs[hu < -950].any()
    couch = hu[:, 133:, :]
    assert ((couch > -930) & (couch < -700)).any()
    assert not lungs[:, 133:].any()


def test_density_and_low_density_share_are_those_of_the_phantom() -> None:
    ctx = make_context(Chest(lung_hu=-880.0), noise=20.0)
    right, _, _ = measure(ctx)
    mean = right.value("mean_density")
    assert mean.value == pytest.approx(-880.0, abs=12.0)
    assert mean.text == f"\u2212{abs(round(mean.value))} HU"
    # Normal noise of 20 HU around -880 puts 0.02 % below -950; an emphysema of a quarter adds 25 %.
    assert right.value("laa950").value < 0.5
    stored = ctx.stack.stored.copy()
    lung = stored < -700
    emphysema = lung & (np.arange(stored.shape[0]) % 4 == 0)[:, None, None]
    emphysema &= stored > -960
    stored[emphysema] = -970
    share = measure(with_stored(ctx, stored))[0].value("laa950")
    assert share.value == pytest.approx(25.0, abs=2.5)
    assert share.unit == "%"


def test_polygon_lies_on_the_image_where_the_lung_is_largest() -> None:
    ctx = make_context(Chest())
    right, left, _ = measure(ctx)
    for evidence, centre in ((right, -70.0), (left, 75.0)):
        polygon, mask = evidence.regions
        assert (polygon.shape, mask.shape) == (Shape.POLYGON, Shape.MASK)
        index = next(
            i
            for i, one in enumerate(ctx.series.instances)
            if one.sop_instance_uid == polygon.sop_instance_uid
        )
        plane = ctx.series.instances[index].plane
        assert plane is not None
        assert abs(plane.position[2]) < 10.0
        middle = plane.pixel_to_patient(polygon.array()).mean(axis=0)
        assert middle[0] == pytest.approx(centre, abs=6.0)


def test_lungs_wait_for_a_reader_before_they_are_written() -> None:
    found = measure(make_context(Chest()))
    assert {evidence.report_default for evidence in found} == {ReportDefault.ON_REQUEST}


@pytest.mark.parametrize("modality", ["MR", "CR", "PT", ""])
def test_other_modalities_are_refused(modality: str) -> None:
    assert refusal_of(measure(make_context(Chest(), modality=modality))) == RefusalCode.WRONG_MODALITY


def test_missing_slices_are_refused() -> None:
    ctx = make_context(Chest())
    keep = [index for index in range(76) if index not in (30, 31)]
    series = ctx.series.model_copy(update={"instances": tuple(ctx.series.instances[i] for i in keep)})
    stack = replace(
        ctx.stack, series=series, stored=ctx.stack.stored[keep], frames=tuple((i, 1) for i in range(74))
    )
    found = measure(replace(ctx, series=series, stack=stack, volume=as_volume(stack)))
    assert refusal_of(found) == RefusalCode.GEOMETRY
    assert found[0].refusal is not None and "2 slices are missing" in found[0].refusal.reason


def test_lungs_cut_by_the_first_or_last_slice_are_refused() -> None:
    found = measure(make_context(Chest(), shape=(40, 180, 180)))
    assert refusal_of(found) == RefusalCode.CUT_FIELD_OF_VIEW
    assert found[0].refusal is not None and "head and feet" in found[0].refusal.reason


def test_lungs_cut_by_the_side_of_the_image_are_refused() -> None:
    ctx = make_context(Chest(), shape=(76, 180, 100))
    assert refusal_of(measure(ctx)) == RefusalCode.CUT_FIELD_OF_VIEW


def test_an_abdomen_with_the_bases_of_the_lungs_is_refused() -> None:
    chest = Chest(right_centre=(-70.0, 0.0, 190.0), left_centre=(75.0, 0.0, 190.0))
    assert refusal_of(measure(make_context(chest))) == RefusalCode.WRONG_REGION


def test_a_body_without_lungs_is_refused() -> None:
    ctx = make_context(Chest(lung_hu=30.0))
    assert refusal_of(measure(ctx)) == RefusalCode.NO_LUNG


def test_one_lung_alone_is_refused() -> None:
    ctx = make_context(Chest(left_radii=(12.0, 12.0, 12.0)))
    assert refusal_of(measure(ctx)) == RefusalCode.NO_LUNG


def test_oblique_volumes_are_refused() -> None:
    turned = 1 / np.sqrt(2)
    ctx = make_context(Chest(), orientation=((turned, turned, 0.0), (-turned, turned, 0.0)))
    assert refusal_of(measure(ctx)) == RefusalCode.GEOMETRY


def test_a_cancelled_tool_stops() -> None:
    asked: list[int] = []

    def after_two() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(ToolCancelled):
        measure(replace(make_context(Chest()), cancelled=after_two))
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ({"convolution_kernel": "B70f"}, "sharp kernel"),
        ({"convolution_kernel": "LUNG"}, "sharp kernel"),
        ({"contrast_agent": "Iohexol"}, "contrast"),
        ({"slice_thickness": 5.0}, "slices over 2.5 mm"),
    ],
)
def test_what_makes_density_doubtful_is_said(header: dict[str, object], word: str) -> None:
    plain = {"convolution_kernel": "B30f", "slice_thickness": 1.0}
    series = make_context(Chest()).series.model_copy(update=plain)
    assert not any(word in warning for warning in density_warnings(series))
    assert any(word in warning for warning in density_warnings(series.model_copy(update=header)))


def test_sample_volumes_are_those_of_its_truth(
    sample: tuple[Study, OpenStack], sample_truth: dict[str, dict[str, float]]
) -> None:
    study, opened = sample
    ctx = MeasureContext(
        study=study, series=opened.stack.series, stack=opened.stack, volume=as_volume(opened.stack)
    )
    right, left, _ = measure(ctx)
    for evidence in (right, left):
        volume = evidence.value("volume")
        assert volume.uncertainty is not None
        truth = sample_truth["lung_volume_ml"][evidence.side.value]
        assert volume.value * 1000 == pytest.approx(truth, abs=volume.uncertainty * 1000)
        assert 0.2 < evidence.value("laa950").value < 5.0


REAL: dict[str, RefusalCode] = {
    "ct/abdomen_contrast_CRLM-CT-1004": RefusalCode.WRONG_REGION,
    "ct/upper_abdomen_TotalSegmentator": RefusalCode.NO_LUNG,
    "ct/chest_LIDC-IDRI-0314_mid": RefusalCode.CUT_FIELD_OF_VIEW,
    "ct/chest_tumour_IBSI_PAT1/image": RefusalCode.CUT_FIELD_OF_VIEW,
    "ct/head_GE_gantry_tilt_variable_spacing": RefusalCode.GEOMETRY,
    "malformed/series_missing_slice_STS_008": RefusalCode.GEOMETRY,
    "mr/brain_T1_MPRAGE_oblique_sagittal": RefusalCode.WRONG_MODALITY,
}
"""Real series that are no whole chest CT, and why the tool says no."""


@pytest.mark.shared
@pytest.mark.parametrize(("folder", "code"), REAL.items())
def test_real_series_that_do_not_fit_are_refused(
    shared_data: Path, reader: Reader, folder: str, code: RefusalCode
) -> None:
    study = reader.index([shared_data / folder]).studies[0]
    with reader.open(study.series[0]) as opened:
        stack = opened.stack
        ctx = MeasureContext(study=study, series=stack.series, stack=stack, volume=as_volume(stack))
        assert refusal_of(measure(ctx)) == code


@pytest.mark.shared
def test_a_real_chest_is_measured(shared_data: Path, reader: Reader) -> None:
    study = reader.index([shared_data / "ct/chest_LUNG1-001"]).studies[0]
    with reader.open(study.series[0]) as opened:
        stack = opened.stack
        ctx = MeasureContext(study=study, series=stack.series, stack=stack, volume=as_volume(stack))
        right, left, _ = measure(ctx)
    # No expert contour of this patient is at hand: wide bounds, seen by eye on every slice.
    assert 2.7 < right.value("volume").value < 3.1
    assert 2.0 < left.value("volume").value < 2.4
    assert -860 < right.value("mean_density").value < -790


def test_values_that_are_no_hounsfield_units_are_refused() -> None:
    ctx = make_context(Chest())
    instances = tuple(one.model_copy(update={"rescale_type": "US"}) for one in ctx.series.instances)
    series = ctx.series.model_copy(update={"instances": instances})
    stack = replace(ctx.stack, series=series)
    found = measure(replace(ctx, series=series, stack=stack, volume=as_volume(stack)))
    assert refusal_of(found) == RefusalCode.WRONG_MODALITY


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(2, 6), st.integers(1, 24), st.integers(1, 24)),
    st.floats(0.2, 8.0),
    st.integers(0, 2**32 - 1),
    st.sampled_from([-2048, -1000, -850, 40]),
)
def test_no_pixels_make_the_tool_raise(
    shape: tuple[int, int, int], step: float, seed: int, level: int
) -> None:
    ctx = make_context(Chest(), shape=shape, spacing=(step * 4, step * 2, step * 2))
    noise = np.random.default_rng(seed).normal(level, 300, shape)
    found = measure(with_stored(ctx, np.rint(noise).astype(np.int16)))
    assert all(evidence.refusal is not None or evidence.values for evidence in found)

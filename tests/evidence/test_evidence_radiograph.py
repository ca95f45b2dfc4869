"""Radiograph tools on an analytic chest: widths, views, letters, clicks; and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.analytic_study import image_context
from inference.evaluation.radiograph_phantom import (
    LETTERS,
    SPACING,
    TOP,
    Chest,
    brightness,
    clicks,
    context,
    measured,
    table,
)
from inference.evidence.diameters import polygon_area
from inference.evidence.masks import MaskStore
from inference.evidence.radiograph import TOOLS
from inference.evidence.radiograph.marker import letter_of
from inference.evidence.tool import IdSource, MeasureContext, RefusalCode, fits
from reports.domain import Evidence, EvidenceKind, ReportDefault, SearchResult, Side
from viewer.imaging.reader import Reader
from viewer.imaging.volume import as_volume


def code_of(found: tuple[Evidence, ...]) -> str:
    assert len(found) == 1 and found[0].refusal is not None
    assert found[0].refusal.reason.endswith(".")
    return found[0].refusal.code


def test_every_row_of_the_quality_table_holds() -> None:
    for row in table():
        assert row["note"] == "", row
        assert isinstance(row["error_percent"], float)
        assert abs(row["error_percent"]) < 3.5, row


def test_the_ratio_draws_its_two_widths() -> None:
    chest = Chest()
    (found,) = measured("cxr-cardiothoracic-ratio", context(chest))
    ratio = found.value("cardiothoracic_ratio")
    assert ratio.text == f"{ratio.value:.2f}"
    assert (ratio.uncertainty or 0.0) < 0.05
    heart, thorax = found.regions
    columns = heart.array()[:, 0]
    assert columns.min() == pytest.approx(chest.heart[0], abs=4.0)
    assert columns.max() == pytest.approx(chest.heart[1], abs=8.0)
    assert np.ptp(thorax.array()[:, 0]) == pytest.approx(360.0, rel=0.035)
    thorax_mm = np.ptp(thorax.array()[:, 0]) * SPACING[0]
    assert any(check.endswith(f"thorax {thorax_mm:.0f} mm") for check in found.checks)
    assert any("at the detector" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ({"view": "AP"}, "AP"),
        ({"view": "LL"}, "lateral"),
        ({"view": "LLD"}, "decubitus"),
        ({"view": ""}, "does not name the view"),
        ({"description": "CHEST PORTABLE"}, "portable"),
        ({"description": "Thorax_supine"}, "supine"),
    ],
)
def test_the_ratio_needs_a_standing_pa_view(header: dict[str, str], word: str) -> None:
    found = measured("cxr-cardiothoracic-ratio", context(Chest(), **header))
    assert code_of(found) == RefusalCode.WRONG_VIEW
    assert found[0].refusal is not None and word in found[0].refusal.reason


@pytest.mark.parametrize(
    "chest",
    [
        Chest(spine=216.0, heart=(150.0, 310.0)),
        Chest(lungs=False),
    ],
)
def test_rotated_or_unclear_chests_have_no_ratio(chest: Chest) -> None:
    found = measured("cxr-cardiothoracic-ratio", context(chest))
    assert code_of(found) == RefusalCode.UNCERTAIN


def test_lung_fields_are_shown_and_their_side_is_not_guessed() -> None:
    masks = MaskStore()
    tool = next(one for one in TOOLS if one.name == "cxr-view")
    (found,) = tool.measure(context(Chest()), IdSource(), masks)
    assert found.descriptor == "PA" and found.value("rotation").value < 5.0
    assert "view PA by View Position (0018,5101)" in found.checks
    assert found.side is Side.NONE
    assert len(masks) == 0  # a segmentation cannot refer to a projection
    left, right = (region.array() for region in found.regions)
    assert left[:, 0].max() < 256 < right[:, 0].min()
    # The fields of the phantom: the thorax without heart and spine, above the diaphragm.
    share = (polygon_area(left) + polygon_area(right)) / 512**2
    assert 0.2 < share < 0.4


def test_a_view_that_is_not_stated_stays_unknown() -> None:
    (found,) = measured("cxr-view", context(Chest(), view=""))
    assert found.descriptor == ""
    assert any("PA or AP" in warning for warning in found.warnings)
    assert code_of(measured("cxr-view", context(Chest(), view="LATERAL"))) == RefusalCode.WRONG_VIEW


def test_monochrome1_gives_the_same_fields() -> None:
    plain = context(Chest())
    stored = (TOP - np.rint(brightness(Chest()) * TOP)).astype(np.uint16)
    turned = image_context(stored, view_position="PA")
    instance = turned.series.instances[0].model_copy(
        update={"photometric_interpretation": "MONOCHROME1"}
    )
    series = turned.series.model_copy(update={"instances": (instance,)})
    stack = type(turned.stack)(series=series, stored=turned.stack.stored, frames=((0, 1),))
    inverse = MeasureContext(study=turned.study, series=series, stack=stack, volume=as_volume(stack))
    ratios = [
        measured("cxr-cardiothoracic-ratio", ctx)[0].value("cardiothoracic_ratio").value
        for ctx in (plain, inverse)
    ]
    assert ratios[0] == pytest.approx(ratios[1], abs=0.005)


def test_rotation_by_three_clicks() -> None:
    places = {"clavicle_left": (300.0, 80.0), "clavicle_right": (220.0, 80.0)}
    even = clicks({**places, "spinous_process": (260.0, 95.0)})
    (found,) = measured("cxr-rotation", context(Chest(), inputs=even))
    assert found.value("rotation").value == pytest.approx(0.0, abs=0.1)
    turned = clicks({**places, "spinous_process": (240.0, 95.0)})
    (found,) = measured("cxr-rotation", context(Chest(), inputs=turned))
    assert found.value("rotation").value == pytest.approx(50.0)
    assert found.value("rotation").uncertainty == pytest.approx(2.5)
    beyond = clicks({**places, "spinous_process": (320.0, 95.0)})
    assert code_of(measured("cxr-rotation", context(Chest(), inputs=beyond))) == RefusalCode.UNCERTAIN


def test_tip_to_carina_is_mm_only_as_far_as_the_image_is_calibrated() -> None:
    inputs = clicks({"tube_tip": (250.0, 140.0), "carina": (250.0, 190.0)})
    (found,) = measured("cxr-tip-to-carina", context(Chest(), inputs=inputs))
    distance = found.value("tip_to_carina")
    assert (distance.text, found.descriptor) == ("35 mm", "above")
    assert found.report_default is ReportDefault.SENTENCE
    assert any("smaller than measured" in warning for warning in found.warnings)
    bare = context(Chest(), inputs=inputs, detector_spacing=None, spacing_source="")
    (found,) = measured("cxr-tip-to-carina", bare)
    assert found.value("tip_to_carina").text == "50 px"
    assert found.value("tip_to_carina").unit == "{pixels}"
    real = {"pixel_spacing": (0.5, 0.5), "spacing_source": "calibrated: FIDUCIAL"}
    (found,) = measured("cxr-tip-to-carina", context(Chest(), inputs=inputs, **real))
    assert found.value("tip_to_carina").text == "25 mm" and found.warnings == ()
    swapped = clicks({"tube_tip": (250.0, 190.0), "carina": (250.0, 140.0)})
    (found,) = measured("cxr-tip-to-carina", context(Chest(), inputs=swapped))
    assert found.descriptor == "below"


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_letters_are_known_in_any_turn(turns: int, mirrored: bool) -> None:
    for name, shape in LETTERS.items():
        turned = np.rot90(shape[:, ::-1] if mirrored else shape, turns)
        assert letter_of(turned) == (name if name in "LR" else "")


def test_a_side_marker_is_a_candidate_without_a_side() -> None:
    candidate, search = measured("cxr-side-marker", context(Chest(marker="L")))
    assert candidate.label == "Side marker: L?"
    assert candidate.side is Side.UNKNOWN
    assert candidate.checks == ("at the right of the picture",)
    assert search.search is not None and search.search.candidates == (candidate.id,)
    (nothing,) = measured("cxr-side-marker", context(Chest()))
    assert nothing.kind is EvidenceKind.SEARCH and nothing.search is not None
    assert nothing.search.result is SearchResult.NONE and not nothing.search.complete


def test_tools_wait_for_their_clicks_and_their_modality() -> None:
    names = [tool.name for tool in TOOLS if fits(tool, context(Chest()))]
    assert names == ["cxr-view", "cxr-side-marker", "cxr-cardiothoracic-ratio"]
    for modality, region in (("MG", "breast"), ("XA", ""), ("DX", "limb"), ("CT", "chest")):
        assert not any(tool.applies.fit(modality, region) for tool in TOOLS)


@pytest.mark.parametrize(
    "stored",
    [
        np.zeros((300, 300), dtype=np.uint16),
        np.zeros((20, 400), dtype=np.uint16),
        np.arange(160000, dtype=np.uint16).reshape(400, 400),
        np.random.default_rng(1).integers(0, 4096, (256, 256)).astype(np.uint16),
    ],
)
def test_no_picture_breaks_a_tool(stored: np.ndarray[tuple[int, int], np.dtype[np.uint16]]) -> None:
    inputs = clicks({role: (3.0, 4.0) for tool in TOOLS for role in (n.role for n in tool.needs)})
    ctx = image_context(stored, inputs=inputs, view_position="PA")
    for tool in TOOLS:
        found = tool.measure(ctx, IdSource(), MaskStore())
        assert found
        if tool.name in ("cxr-view", "cxr-cardiothoracic-ratio"):
            assert found[0].refusal is not None


REAL = {
    "barre_PA_440_MONO1_10bit.dcm": None,
    "rsna_nih_PA_16d7f894.dcm": RefusalCode.UNCERTAIN,
    "veterinary_thorax_lateral_DX_small.dcm": RefusalCode.WRONG_VIEW,
}
"""Real radiographs: a ratio, or why there is none."""


@pytest.mark.shared
@pytest.mark.parametrize(("name", "code"), REAL.items())
def test_real_radiographs(shared_data: Path, reader: Reader, name: str, code: str | None) -> None:
    study = reader.index([shared_data / "cxr/dicom" / name]).studies[0]
    with reader.open(study.series[0]) as opened:
        stack = opened.stack
        ctx = MeasureContext(study=study, series=stack.series, stack=stack, volume=as_volume(stack))
        (found,) = measured("cxr-cardiothoracic-ratio", ctx)
        marks = measured("cxr-side-marker", ctx)
    if code is None:
        assert 0.36 < found.value("cardiothoracic_ratio").value < 0.46  # 0.42 by eye
    else:
        assert code_of((found,)) == code
    seen = [one.label for one in marks if one.kind is EvidenceKind.CANDIDATE]
    assert seen == (["Side marker: L?"] if name.startswith("rsna") else [])

"""Tools of abdominal CT against formulas: densities, areas, stones, gas; and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.abdomen_phantom import (
    LEFT_KIDNEY,
    LEVEL_MM,
    SPACING,
    Abdomen,
    areas_cm2,
    context,
    hounsfield,
    level_inputs,
    measured,
    organ_inputs,
    pixel,
    ring,
    slice_at,
    stone_inputs,
    table,
)
from inference.evaluation.analytic_study import drawn_on, point_mm, volume_context
from inference.evidence.abdomen import TOOLS
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext, RefusalCode, fits
from reports.domain import Evidence, EvidenceKind, ReportDefault, SearchResult, Side
from viewer.imaging.reader import Reader
from viewer.imaging.regions import Region, Shape, Space
from viewer.imaging.volume import as_volume


def code_of(found: tuple[Evidence, ...]) -> str:
    assert len(found) == 1 and found[0].refusal is not None
    assert found[0].refusal.reason.endswith(".")
    return found[0].refusal.code


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], dict[str, object]]:
    return {(str(row["measure"]), str(row["case"])): row for row in table()}


def test_every_row_of_the_quality_table_holds(
    rows: dict[tuple[str, str], dict[str, object]],
) -> None:
    assert all(row["note"] == "" for row in rows.values())
    for (name, case), row in rows.items():
        truth, found = row["truth"], row["found"]
        assert isinstance(truth, float) and isinstance(found, float)
        if name == "long":
            assert abs(found - truth) < SPACING[2] / 2.0, case
        elif name.endswith("candidates"):
            assert found == truth, case
        elif name.endswith(("area", "fat")):
            assert found == pytest.approx(truth, rel=0.005), case


def test_liver_and_spleen_stand_alone_and_together() -> None:
    ctx = context(Abdomen(noise=15.0), inputs=organ_inputs())
    (liver,) = measured("ct-liver-density", ctx)
    (spleen,) = measured("ct-spleen-density", ctx)
    (both,) = measured("ct-liver-spleen", ctx)
    assert (liver.anatomy, spleen.anatomy) == ("liver", "spleen")
    assert liver.value("mean_density").value == both.value("liver_density").value
    assert liver.value("sd").value == pytest.approx(15.0, abs=0.5)
    assert both.value("density_difference").value == pytest.approx(-14.0, abs=0.8)
    assert "liver at most 40 HU: yes" in both.checks
    assert "liver more than 10 HU below the spleen: yes" in both.checks
    assert any("does not prove" in warning for warning in both.warnings)
    assert len(both.regions) == 4 and liver.report_default is ReportDefault.ON_REQUEST


@pytest.mark.parametrize(
    ("case", "header"),
    [
        (Abdomen(), {"contrast_agent": "Iomeprol"}),
        (Abdomen(liver_hu=105.0, spleen_hu=118.0), {}),
    ],
)
def test_enhanced_organs_say_nothing_of_steatosis(case: Abdomen, header: dict[str, str]) -> None:
    ctx = context(case, inputs=organ_inputs(), **header)
    assert code_of(measured("ct-liver-spleen", ctx)) == RefusalCode.WRONG_PHASE
    (liver,) = measured("ct-liver-density", ctx)
    assert liver.value("mean_density").value == pytest.approx(case.liver_hu, abs=1.0)


def test_a_place_without_even_tissue_is_refused() -> None:
    stored = hounsfield(Abdomen())
    places = {
        "edge of the skin": (168.0, 0.0, 0.0),
        "gas": (-30.0, -45.0, -60.0),
    }
    for words, place in places.items():
        ctx = volume_context(stored, SPACING, modality="CT", inputs={"liver": point_mm(place)})
        assert code_of(measured("ct-liver-density", ctx)) == RefusalCode.UNCERTAIN, words
    away = volume_context(stored, SPACING, modality="CT", inputs={"liver": point_mm((0.0, 0.0, 400.0))})
    assert code_of(measured("ct-liver-density", away)) == RefusalCode.OUTSIDE_IMAGE


def test_growing_that_leaks_falls_back_to_the_seed() -> None:
    stored = np.full((30, 80, 80), 60, dtype=np.int16)
    stored[:, :, 42:] = 77  # a neighbour that smoothing joins to the seed
    ctx = volume_context(
        stored, (3.0, 1.5, 1.5), modality="CT", inputs={"liver": point_mm((-8.0, 0.0, 0.0))}
    )
    (found,) = measured("ct-liver-density", ctx)
    assert found.value("mean_density").value == pytest.approx(60.0, abs=2.5)
    assert any("leaked" in warning for warning in found.warnings)


def test_uneven_tissue_is_told() -> None:
    ctx = context(Abdomen(noise=38.0), inputs=organ_inputs())
    (liver,) = measured("ct-liver-density", ctx)
    assert liver.value("mean_density").value == pytest.approx(38.0, abs=1.5)
    assert any("uneven tissue" in warning for warning in liver.warnings)


def test_muscle_waits_for_the_inner_border_of_the_wall() -> None:
    ctx = context(Abdomen(), inputs=level_inputs(with_cavity=False))
    (alone,) = measured("ct-body-composition", ctx)
    names = {value.name for value in alone.values}
    assert names == {"subcutaneous_fat", "visceral_fat"}
    assert any("inner border" in warning for warning in alone.warnings)
    masks = MaskStore()
    tool = next(one for one in TOOLS if one.name == "ct-body-composition")
    (whole,) = tool.measure(context(Abdomen(), inputs=level_inputs()), IdSource(), masks)
    assert whole.value("muscle_area").value == pytest.approx(areas_cm2()["muscle_area"], rel=0.005)
    assert whole.value("muscle_density").value == pytest.approx(50.0)
    assert {ref.label for ref in masks} == {
        "Skeletal muscle",
        "Subcutaneous adipose tissue",
        "Visceral adipose tissue",
    }
    for ref in masks:
        planes = np.flatnonzero(masks.get(ref.sha256).any(axis=(1, 2)))
        assert planes.tolist() == [slice_at(LEVEL_MM)]


def test_a_level_in_millimetres_is_the_same_level() -> None:
    inputs = level_inputs() | {"l3": point_mm((0.0, 0.0, LEVEL_MM + 1.2))}
    (found,) = measured("ct-body-composition", context(Abdomen(), inputs=inputs))
    assert found.value("muscle_area").value == pytest.approx(areas_cm2()["muscle_area"], rel=0.005)


def test_levels_and_outlines_elsewhere_are_refused() -> None:
    wrong = level_inputs() | {"abdominal_cavity": ring((0.0, -15.0), (125.0, 70.0), 0.0)}
    assert (
        code_of(measured("ct-body-composition", context(Abdomen(), inputs=wrong)))
        == RefusalCode.OUTSIDE_IMAGE
    )
    lost = Region(
        shape=Shape.POINT, series_instance_uid="9", sop_instance_uid="9", points=((1.0, 1.0),)
    )
    ctx = context(Abdomen(), inputs={"l3": lost})
    assert code_of(measured("ct-body-composition", ctx)) == RefusalCode.OUTSIDE_IMAGE
    cut = hounsfield(Abdomen())[:, :, 30:]
    inputs = {"l3": drawn_on(4, [(100.0, 90.0)])}
    ctx = volume_context(cut, SPACING, modality="CT", inputs=inputs)
    assert code_of(measured("ct-body-composition", ctx)) == RefusalCode.CUT_FIELD_OF_VIEW


def test_a_stone_is_found_on_its_side_and_only_where_it_was_looked_for() -> None:
    inputs = stone_inputs()
    found = measured("ct-stones", context(Abdomen(stone=6.0), inputs=inputs))
    stone, search = found
    assert stone.kind is EvidenceKind.CANDIDATE and stone.side is Side.LEFT
    assert stone.value("maximum").value == pytest.approx(900.0, abs=1.0)
    assert search.search is not None
    assert search.search.candidates == (stone.id,)
    assert not search.search.complete and not search.search.accepted
    elsewhere = ring((-60.0, 10.0), (26.0, 26.0), LEFT_KIDNEY[0][2])
    (empty,) = measured("ct-stones", context(Abdomen(stone=6.0), inputs={"urinary_tract": elsewhere}))
    assert empty.search is not None and empty.search.result is SearchResult.NONE


def test_stones_are_not_looked_for_after_contrast_or_in_bone() -> None:
    ctx = context(Abdomen(stone=6.0), inputs=stone_inputs(), contrast_agent="Iohexol")
    assert code_of(measured("ct-stones", ctx)) == RefusalCode.WRONG_PHASE
    spine = {"urinary_tract": ring((0.0, 76.0), (17.0, 17.0), 0.0)}
    assert code_of(measured("ct-stones", context(Abdomen(), inputs=spine))) == RefusalCode.UNCERTAIN
    point = {"urinary_tract": drawn_on(3, [pixel((60.0, 10.0))])}
    ctx = context(Abdomen(), inputs=point)
    assert code_of(measured("ct-stones", ctx)) == RefusalCode.OUTSIDE_IMAGE


def test_free_air_under_the_wall_is_a_candidate_and_bowel_gas_is_none() -> None:
    candidate, search = measured("ct-free-air", context(Abdomen(free_air=True)))
    assert candidate.report_default is ReportDefault.LEDGER_ONLY
    assert candidate.value("gas_volume").value > 1.0
    assert search.search is not None and not search.search.complete
    assert search.search.candidates == (candidate.id,)
    (nothing,) = measured("ct-free-air", context(Abdomen()))
    assert nothing.search is not None and nothing.search.result is SearchResult.NONE


@pytest.mark.parametrize("position", ["HFP", "HFDL", ""])
def test_free_air_is_not_looked_for_without_knowing_what_is_up(position: str) -> None:
    ctx = context(Abdomen(free_air=True), patient_position=position)
    assert code_of(measured("ct-free-air", ctx)) == RefusalCode.UNCERTAIN


def test_tools_wait_for_their_places_and_their_region() -> None:
    bare = context(Abdomen())
    assert [tool.name for tool in TOOLS if fits(tool, bare)] == ["ct-free-air"]
    assert not any(
        tool.applies.fit("CT", "head") or tool.applies.fit("MR", "abdomen") for tool in TOOLS
    )


def test_other_images_are_refused_by_every_tool() -> None:
    place = {**organ_inputs(), **level_inputs(), **stone_inputs()}
    for series in ("MR", "CT"):
        ctx = volume_context(
            np.zeros((3, 20, 20), dtype=np.int16), (3.0, 2.0, 2.0), modality=series, inputs=place
        )
        for tool in TOOLS:
            assert code_of(tool.measure(ctx, IdSource(), MaskStore())) in {
                RefusalCode.WRONG_MODALITY if series == "MR" else code
                for code in (
                    RefusalCode.OUTSIDE_IMAGE,
                    RefusalCode.UNCERTAIN,
                    RefusalCode.WRONG_REGION,
                    RefusalCode.CUT_FIELD_OF_VIEW,
                )
            }


@pytest.mark.shared
def test_real_organs_lie_in_the_reference(shared_data: Path, reader: Reader) -> None:
    """Seeds at the middle of liver and spleen of the reference segmentation, patient mm."""
    study = reader.index([shared_data / "ct/upper_abdomen_TotalSegmentator"]).studies[0]
    with reader.open(study.series[0]) as opened:
        stack = opened.stack
        frame = stack.series.frame_of_reference_uid
        inputs = {
            role: Region(
                shape=Shape.POINT,
                space=Space.PATIENT,
                series_instance_uid=stack.series.series_instance_uid,
                frame_of_reference_uid=frame,
                points=(place,),
            )
            for role, place in (("liver", (-76.0, -166.0, -785.0)), ("spleen", (94.5, -120.8, -785.3)))
        }
        ctx = MeasureContext(
            study=study, series=stack.series, stack=stack, volume=as_volume(stack), inputs=inputs
        )
        (liver,) = measured("ct-liver-density", ctx)
        (spleen,) = measured("ct-spleen-density", ctx)
        assert code_of(measured("ct-liver-spleen", ctx)) == RefusalCode.WRONG_PHASE
    # Medians over the whole reference masks: 93 and 80 HU; both organs enhance unevenly.
    assert liver.value("mean_density").value == pytest.approx(93.0, abs=8.0)
    assert spleen.value("mean_density").value == pytest.approx(80.0, abs=8.0)

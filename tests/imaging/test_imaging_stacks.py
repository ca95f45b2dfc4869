"""A 4D series becomes phases, each a stack of its own that can be measured; copies do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from viewer.imaging.geometry import VerdictKind
from viewer.imaging.index import index_paths
from viewer.imaging.study import PhaseKind, Study

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]
PLACES = 3


def study_of(
    folder: Path, ct_slice: Make, save: Save, phases: list[dict[str, Any]], places: int = PLACES
) -> Study:
    """Write `places` slices for each phase with its fields, instance numbers running on; index them."""
    number = 0
    for phase in phases:
        for place in range(places):
            number += 1
            changes = {"InstanceNumber": number, "SOPInstanceUID": f"1.2.3.{number}", **phase}
            save(ct_slice(place, Modality="MR", **changes), folder / f"{number}.dcm")
    index = index_paths([str(folder)])
    assert not index.bad_files
    return index.studies[0]


@pytest.mark.parametrize(
    ("phases", "kind", "values"),
    [
        (
            [{"DiffusionBValue": value} for value in (1000.0, 0.0, 500.0)],
            PhaseKind.B_VALUE,
            ["b 0 s/mm2", "b 500 s/mm2", "b 1000 s/mm2"],
        ),
        (
            [{"EchoTime": value, "EchoNumbers": place} for place, value in ((2, 9.2), (1, 4.6))],
            PhaseKind.ECHO,
            ["TE 4.6 ms", "TE 9.2 ms"],
        ),
        (
            [{"TemporalPositionIdentifier": value} for value in (10, 9, 2)],
            PhaseKind.TIME,
            ["2", "9", "10"],
        ),
    ],
    ids=["b-value", "echo", "time"],
)
def test_stacks_of_one_place_that_differ_in_one_way_are_its_phases_in_order(  # noqa: PLR0917
    phases: list[dict[str, Any]],
    kind: PhaseKind,
    values: list[str],
    tmp_path: Path,
    ct_slice: Make,
    save: Save,
) -> None:
    study = study_of(tmp_path, ct_slice, save, phases)
    found = study.phases_of(study.series[0])
    assert [one.phase.value for one in found if one.phase] == values
    assert [(one.phase.index, one.phase.count, one.phase.kind) for one in found if one.phase] == [
        (index + 1, len(values), kind) for index in range(len(values))
    ]
    assert all(one.verdict.kind is VerdictKind.UNIFORM for one in found)
    assert all(study.phases_of(one) == found for one in found)


@pytest.mark.parametrize("by_time", [True, False])
def test_places_shown_equally_often_are_a_series_over_time(
    by_time: bool, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    phases = [{"AcquisitionTime": f"1000{time:02d}"} if by_time else {} for time in (30, 10, 20)]
    study = study_of(tmp_path, ct_slice, save, phases)
    assert len(study.series) == 3
    found = study.phases_of(study.series[0])
    assert [one.phase.index for one in found if one.phase] == [1, 2, 3]
    assert {one.phase.kind for one in found if one.phase} == {PhaseKind.TIME}
    assert all(one.verdict.kind is VerdictKind.UNIFORM for one in found)
    first = [one.instances[0].instance_number for one in found]
    assert first == ([4, 7, 1] if by_time else [1, 4, 7])


def test_copies_are_no_phases(tmp_path: Path, ct_slice: Make, save: Save) -> None:
    for copy in range(2):
        for place in range(PLACES):
            ds = ct_slice(place, SOPInstanceUID=f"1.2.3.{copy}.{place}", AcquisitionTime="100000")
            save(ds, tmp_path / f"{copy}{place}.dcm")
    (series,) = index_paths([str(tmp_path)]).studies[0].series
    assert series.phase is None
    assert series.verdict.kind is VerdictKind.DUPLICATED
    assert "each of 3 positions 2 times" in series.verdict.reason


def test_one_place_many_times_stays_one_stack_to_scroll_through(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    study = study_of(tmp_path, ct_slice, save, [{} for _ in range(5)], places=1)
    (series,) = study.series
    assert [one.instance_number for one in series.instances] == [1, 2, 3, 4, 5]
    assert series.verdict.kind is VerdictKind.DUPLICATED
    assert "one position 5 times" in series.verdict.reason


def test_a_place_shown_once_more_than_others_is_no_series_over_time(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    study = study_of(tmp_path, ct_slice, save, [{}, {}])
    (tmp_path / "6.dcm").unlink()
    (series,) = index_paths([str(tmp_path)]).studies[0].series
    assert len(study.series) == 2
    assert series.phase is None
    assert "already has" in series.verdict.reason


def test_stacks_of_other_places_or_other_kinds_are_no_phases(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    study = study_of(
        tmp_path,
        ct_slice,
        save,
        [{"EchoTime": 4.6}, {"EchoTime": 9.2, "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}],
    )
    assert [one.phase for one in study.series] == [None, None]
    assert study.phases_of(study.series[0]) == (study.series[0],)


@pytest.mark.shared
def test_enhanced_objects_say_why_they_are_a_volume_or_none(shared_data: Path) -> None:
    verdicts = {
        name: index_paths([str(shared_data / "multiframe" / name)]).studies[0].series[0].verdict
        for name in (
            "siemens_xa_4d_a.dcm",
            "eCT_Supplemental.dcm",
            "enhanced_mr_j2k_multifragment.dcm",
            "emri_small.dcm",
        )
    }
    assert verdicts["siemens_xa_4d_a.dcm"].kind is VerdictKind.UNIFORM
    assert verdicts["eCT_Supplemental.dcm"].kind is VerdictKind.UNIFORM
    assert "one position 19 times" in verdicts["enhanced_mr_j2k_multifragment.dcm"].reason
    # Its anonymiser removed all functional groups: there is no position to be found.
    assert verdicts["emri_small.dcm"].kind is VerdictKind.NOT_A_VOLUME
    assert "no position in the patient" in verdicts["emri_small.dcm"].reason

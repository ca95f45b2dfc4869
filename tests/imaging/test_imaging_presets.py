"""Presets under the number keys: SUVs for PET, changes of the image's window where no unit exists."""

from __future__ import annotations

import pytest

from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.own_presets import PresetTable
from viewer.imaging.study import PetFacts, Series, WindowPreset

BROUGHT = WindowPreset(center=400.0, width=1000.0, explanation="Automatic")


def series(modality: str, pet: PetFacts | None = None) -> Series:
    verdict = GeometryVerdict(kind=VerdictKind.SINGLE, reason="one")
    return Series(series_instance_uid="1.2", modality=modality, pet=pet, verdict=verdict)


def test_keys_of_pet_are_ranges_of_suv() -> None:
    found = PresetTable().fitting(series("PT", PetFacts(units="GML")), BROUGHT)
    tops = [one.center + one.width / 2 for one in found.values()]
    assert tops == pytest.approx([5, 7, 10, 15, 20, 2.5, 30])
    assert all(one.center == one.width / 2 for one in found.values())
    assert found["3"].explanation == "SUV 0\u201310"


def test_pet_in_activity_takes_the_factor_of_the_scan() -> None:
    pet = PetFacts(
        units="BQML",
        corrected=("ATTN", "DECY"),
        decay_correction="ADMIN",
        weight_kg=70.0,
        dose_bq=3.5e8,
    )
    found = PresetTable().fitting(series("PT", pet), BROUGHT)
    # 70 kg and 350 MBq at the time of the scan: 1 g/ml is 5000 Bq/ml
    assert found["1"].width == pytest.approx(25_000, rel=1e-6)


def test_what_has_no_unit_changes_the_window_that_the_image_brings() -> None:
    for modality in ("MR", "DX", "PT"):
        found = PresetTable().fitting(series(modality), BROUGHT)
        assert found["1"].center == 400.0 and found["1"].width == 1000.0
        assert found["2"].width < 1000.0 < found["3"].width
        # a lower centre makes the image brighter
        assert found["4"].center < 400.0 < found["5"].center


def test_a_persons_own_go_over_them_and_may_take_one_away() -> None:
    table = PresetTable()
    mine = WindowPreset(center=1.0, width=2.0, explanation="Mine")
    table.change({"MR": {"2": mine, "3": None}})
    found = table.fitting(series("MR"), BROUGHT)
    assert found["2"] == mine and "3" not in found and "1" in found
    assert table.of("MR") == {"2": mine} and table.named("MR")["3"] == "Less contrast"


def test_ct_keeps_its_windows() -> None:
    table = PresetTable()
    assert table.fitting(series("CT"), BROUGHT) == table.of("CT")

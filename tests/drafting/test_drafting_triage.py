"""Which series carries a study, which are read beside it, and what a header says of the body region."""

from __future__ import annotations

from typing import Any

import pytest

from inference.drafting.triage import body_region, choose_series, companions, regions_named
from viewer.imaging.acquisition import AcquisitionFacts
from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.study import Instance, Patient, Series, Study

VOLUME = GeometryVerdict(kind=VerdictKind.UNIFORM, reason="")
STACK = GeometryVerdict(kind=VerdictKind.NON_UNIFORM, reason="Uneven.")


def series(uid: str, modality: str, images: int = 10, **more: Any) -> Series:
    instances = tuple(
        Instance(
            path=f"{uid}.{n}", sop_instance_uid=f"{uid}.{n}", sop_class_uid="1.2", rows=4, columns=4,
            transfer_syntax_uid="1.2.840.10008.1.2.1",
        )
        for n in range(images)
    )  # fmt: skip
    found: dict[str, Any] = {"verdict": VOLUME, "frame_of_reference_uid": "1.9", **more}
    return Series(series_instance_uid=uid, modality=modality, instances=instances, **found)


def study(*found: Series, **more: Any) -> Study:
    return Study(
        study_instance_uid="1", patient=Patient(patient_id="1", name="A"), series=found, **more
    )


def test_pet_is_read_beside_its_ct_and_only_in_its_own_frame_of_reference() -> None:
    ct, pet, short = series("1", "CT", 40), series("2", "PT", 40), series("3", "PT", 8)
    elsewhere = series("4", "PT", 90, frame_of_reference_uid="7.7")
    flat = series("5", "PT", 50, verdict=STACK)
    whole = study(ct, pet, short, elsewhere, flat)
    assert choose_series(whole) == ct
    assert companions(whole, ct) == (pet,)
    assert companions(whole, pet) == (ct,)
    assert companions(study(ct, series("6", "MR")), ct) == ()
    lost = series("8", "CT", frame_of_reference_uid="")
    assert companions(study(lost, series("9", "PT", frame_of_reference_uid="")), lost) == ()


def test_fluid_suppressed_mr_carries_a_study_of_the_brain() -> None:
    t1 = series("1", "MR", 128, acquisition=AcquisitionFacts(inversion_ms=900.0))
    flair = series("2", "MR", 30, acquisition=AcquisitionFacts(inversion_ms=2500.0))
    assert choose_series(study(t1, flair)) == flair
    assert choose_series(study(t1, flair), "1") == t1


@pytest.mark.parametrize(
    ("header", "region"),
    [
        ({"body_part": "CHEST"}, "chest"),
        ({"body_part": "CHEST", "description": "Abdomen"}, "chest"),
        ({"description": "Thorax_Abdomen"}, "chest, abdomen"),
        ({"body_part": "EXTREMITY"}, "extremity"),
        ({"body_part": "LOCALIZER"}, ""),
    ],
)
def test_the_first_field_that_names_a_region_decides(header: dict[str, str], region: str) -> None:
    one = series("1", "CT", **header)
    assert body_region(study(one), one) == region


def test_the_description_of_the_study_helps_out() -> None:
    one = series("1", "CT")
    assert body_region(study(one, description="CT head without contrast"), one) == "head"
    assert regions_named("abdominal pain, chest clear") == "chest, abdomen"


def test_a_request_for_the_whole_body_fits_every_series() -> None:
    assert regions_named("PET skull to thigh, lymphoma of the chest") == ""

"""Earlier studies: of the same patient by ID, or marked as sharing name and birth date only."""

from __future__ import annotations

import pytest

from viewer.imaging.priors import PriorFinder, same_patient
from viewer.imaging.study import Patient, Study

ONE = Patient(patient_id="P1", issuer="", name="DOE^JANE", birth_date="19500101")


def study(uid: str, date: str, patient: Patient = ONE, time: str = "") -> Study:
    return Study(study_instance_uid=uid, patient=patient, date=date, time=time)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"name": "Doe^Jane^"}, True),
        ({"name": "MILLER^JANE"}, True),
        ({"name": "MILLER^JANE", "birth_date": "19600101"}, False),
        ({"birth_date": ""}, True),
        ({"patient_id": ""}, False),
        ({"issuer": "House B"}, False),
        ({"name": "=山田^太郎=やまだ^たろう", "birth_date": "19600101"}, False),
    ],
)
def test_an_id_without_issuer_needs_name_or_birth_date(changes: dict[str, str], same: bool) -> None:
    assert same_patient(ONE, ONE.model_copy(update=changes)) is same


def test_names_in_other_scripts_alone_are_compared_too() -> None:
    one = ONE.model_copy(update={"name": "=山田^太郎", "birth_date": ""})
    other = one.model_copy(update={"name": "=鈴木^花子"})
    assert same_patient(one, one.model_copy(update={"name": "=山田^太郎^"}))
    assert not same_patient(one, other)


def test_an_issuer_vouches_for_the_id_whatever_the_name() -> None:
    one = ONE.model_copy(update={"issuer": "House A"})
    married = one.model_copy(update={"name": "MILLER^JANE", "birth_date": ""})
    assert same_patient(one, married)


def test_priors_are_earlier_newest_first_and_the_namesake_is_marked() -> None:
    namesake = ONE.model_copy(update={"patient_id": "X9"})
    stranger = ONE.model_copy(update={"patient_id": "X8", "birth_date": "19770707"})
    now = study("now", "20260301", time="1200")
    others = [
        study("old", "20100101"),
        study("later", "20260302"),
        study("morning", "20260301", time="0800"),
        study("undated", ""),
        study("namesake", "20200101", namesake),
        study("stranger", "20200101", stranger),
    ]
    found = PriorFinder([now, *others]).priors_of(now)
    assert [(prior.study.study_instance_uid, prior.same_id) for prior in found] == [
        ("morning", True),
        ("namesake", False),
        ("old", True),
    ]
    assert PriorFinder(others).priors_of(study("x", "")) == ()


def test_patients_without_any_name_or_id_share_nothing() -> None:
    nobody = Patient()
    one, two = study("a", "20200101", nobody), study("b", "20210101", nobody)
    assert PriorFinder([one, two]).priors_of(two) == ()

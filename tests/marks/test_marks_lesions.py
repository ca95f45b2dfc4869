"""A lesion keeps its identity over the studies of one patient, and never crosses to another."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from reports.domain import Change, LesionEntry, LesionError, Lesions, Quantity, patient_key
from reports.domain.lesion import difference

ONE, TWO = "PH-1\\A", "PH-1\\B"


def mm(name: str, value: float, unit: str = "mm") -> Quantity:
    return Quantity(name=name, value=value, unit=unit, text=f"{value:.1f} {unit}")


def entry(study: str, date: str, mark: str, *values: Quantity) -> LesionEntry:
    return LesionEntry(study_instance_uid=study, study_date=date, mark_id=mark, values=values)


def test_patients_are_kept_apart_by_number_and_issuer() -> None:
    keys = {
        patient_key("PH-1", "A"), patient_key("PH-1", "B"), patient_key("PH-1"),
        patient_key("PH-1A", ""), patient_key("PH", "-1A"),
    }  # fmt: skip
    assert len(keys) == 5
    assert patient_key(" PH-1 ", "A ") == ONE
    assert patient_key("", "A") is None
    assert patient_key("  ") is None


def test_lesion_has_an_identity_for_life_and_a_name_that_may_change() -> None:
    lesions, first = Lesions(patient_key=ONE).with_new()
    lesions, second = lesions.with_new()
    assert (first.name, second.name) == ("L1", "L2")
    assert first.id != second.id
    assert first.tracking_uid == f"2.25.{int(first.id, 16)}"
    assert len(first.tracking_uid) <= 64
    renamed = lesions.renamed(first.id, " Node 4R ").get(first.id)
    assert renamed is not None
    assert (renamed.name, renamed.tracking_uid) == ("Node 4R", first.tracking_uid)
    with pytest.raises(LesionError, match="name"):
        lesions.renamed(first.id, " ")
    with pytest.raises(LesionError, match="no such"):
        lesions.renamed("x", "L9")


def test_timeline_runs_by_date_and_measuring_a_study_again_replaces_it() -> None:
    lesions, lesion = Lesions(patient_key=ONE).with_new()
    now, before = entry("s2", "20260301", "m2", mm("long", 12)), entry("s1", "20251201", "m1")
    undated = entry("s3", "", "m3")
    for study, one in (("s3", undated), ("s2", now), ("s1", before)):
        lesions = lesions.with_study(study, [(lesion.id, one)])
    kept = lesions.get(lesion.id)
    assert kept is not None
    assert kept.timeline() == (before, now, undated)
    again = entry("s2", "20260301", "m4", mm("long", 13))
    kept = lesions.with_study("s2", [(lesion.id, again)]).get(lesion.id)
    assert kept is not None
    assert kept.timeline() == (before, again, undated)
    kept = lesions.with_study("s2", []).get(lesion.id)
    assert kept is not None
    assert kept.timeline() == (before, undated)


def test_lesion_of_another_patient_is_refused() -> None:
    _, foreign = Lesions(patient_key=TWO).with_new()
    mine, _ = Lesions(patient_key=ONE).with_new()
    with pytest.raises(ValidationError, match="another patient"):
        Lesions(patient_key=ONE, lesions=(*mine.lesions, foreign))
    with pytest.raises(LesionError, match="no such lesion"):
        mine.with_study("s1", [(foreign.id, entry("s1", "20260101", "m"))])
    with pytest.raises(LesionError, match="another study"):
        mine.with_study("s1", [(mine.lesions[0].id, entry("s2", "20260101", "m"))])


def test_difference_is_of_the_leading_value_that_both_have() -> None:
    now = entry("s2", "", "m", mm("short", 8), mm("long", 12))
    before = entry("s1", "", "m", mm("long", 10), mm("short", 8))
    found = difference(now, before)
    assert found is not None
    assert (found.now, found.before) == (mm("long", 12), mm("long", 10))
    assert (found.absolute, found.share) == (2.0, 0.2)
    found = difference(now, entry("s1", "", "m", mm("short", 10)))
    assert found is not None
    assert (found.now.name, found.absolute, found.share) == ("short", -2.0, -0.2)
    assert difference(now, entry("s1", "", "m", mm("long", 10, "{pixels}"))) is None
    assert difference(now, entry("s1", "", "m")) is None
    from_nothing = difference(now, entry("s1", "", "m", mm("long", 0)))
    assert from_nothing is not None
    assert from_nothing.share is None


def sized(name: str, value: float, unit: str = "mm", *, uncertainty: float | None = None) -> Quantity:
    return Quantity(name=name, value=value, unit=unit, text=f"{value} {unit}", uncertainty=uncertainty)


@pytest.mark.parametrize(
    ("now", "before", "word"),
    [
        (sized("long", 11.4), sized("long", 10.0), Change.NO_MEASURABLE_CHANGE),
        (sized("long", 11.6), sized("long", 10.0), Change.LARGER),
        (sized("long", 8.0), sized("long", 10.0), Change.SMALLER),
        (
            sized("long", 13, uncertainty=3),
            sized("long", 10, uncertainty=3),
            Change.NO_MEASURABLE_CHANGE,
        ),
        (sized("volume", 1.24, "mL"), sized("volume", 1.0, "mL"), Change.NO_MEASURABLE_CHANGE),
        (sized("volume", 1.26, "mL"), sized("volume", 1.0, "mL"), Change.LARGER),
        (sized("long", 101, "{pixels}"), sized("long", 100, "{pixels}"), Change.LARGER),
    ],
)
def test_a_change_is_one_only_beyond_repeatability(
    now: Quantity, before: Quantity, word: Change
) -> None:
    found = difference(entry("s2", "", "m", now), entry("s1", "", "m", before))
    assert found is not None
    assert found.change is word
    assert found.source


def test_doubling_time_is_of_a_volume_that_grew() -> None:
    before = entry("s1", "20260101", "m", sized("volume", 1.0, "mL"))
    doubled = difference(entry("s2", "20260411", "m", sized("volume", 2.0, "mL")), before)
    assert doubled is not None and doubled.doubling_days == pytest.approx(100.0)
    same = difference(entry("s2", "20260411", "m", sized("volume", 1.1, "mL")), before)
    assert same is not None and same.doubling_days is None
    undated = difference(entry("s2", "", "m", sized("volume", 2.0, "mL")), before)
    assert undated is not None and undated.doubling_days is None


def test_lesions_come_back_from_json() -> None:
    lesions, lesion = Lesions(patient_key=ONE).with_new("Node")
    lesions = lesions.with_study("s1", [(lesion.id, entry("s1", "20260301", "m", mm("long", 12)))])
    assert Lesions.model_validate_json(lesions.model_dump_json(by_alias=True)) == lesions

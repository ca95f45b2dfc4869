"""Lesions follow the marks of the open study; nothing of another study or patient is lost or shown."""

from __future__ import annotations

import pytest
from marks_sample import bidirectional, length

from app.lesions import LesionBook, where
from app.marks import MarksError
from reports.domain import LesionError
from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.marks import Mark, MarkOrigin
from viewer.imaging.study import Instance, Patient, Series, Study


def study(uid: str = "1.2", *, patient: str = "PH-1", date: str = "20260301") -> Study:
    instances = tuple(
        Instance(
            path=f"{n}.dcm",
            sop_class_uid="1.2",
            transfer_syntax_uid="1.2",
            sop_instance_uid=f"1.2.3.{n}",
            instance_number=100 + n,
        )
        for n in range(38, 42)
    )
    series = Series(
        series_instance_uid="1.2.3",
        modality="CT",
        series_number=4,
        instances=instances,
        verdict=GeometryVerdict(kind=VerdictKind.NOT_A_VOLUME, reason=""),
    )
    patient_of = Patient(patient_id=patient, issuer="A")
    return Study(study_instance_uid=uid, patient=patient_of, date=date, series=(series,))


def linked(mark: Mark, book: LesionBook) -> Mark:
    lesion = book.lesions.lesions[-1]
    return mark.changed(lesion_id=lesion.id, tracking_uid=lesion.tracking_uid)


def test_entry_holds_what_was_measured_and_where() -> None:
    book = LesionBook(study(), None)
    book.new()
    assert book.known == ()
    assert book.follow((linked(bidirectional(12.0, 8.0), book), length("x")))
    (entry,) = book.lesions.lesions[0].entries
    assert (entry.study_instance_uid, entry.study_date, entry.label) == (
        "1.2",
        "20260301",
        "Se 4 Im 139",
    )
    assert [(one.name, one.text) for one in entry.values] == [("long", "12.0 mm"), ("short", "8.0 mm")]
    assert [lesion.name for lesion in book.known] == ["L1"]
    assert not book.follow((linked(bidirectional(12.0, 8.0), book),))


def test_next_study_of_the_patient_finds_it_and_another_patient_is_refused() -> None:
    book = LesionBook(study(), None)
    book.new("Node")
    book.follow((linked(length(), book),))
    body = book.maker()(None)
    later = LesionBook(study("1.9"), body)
    assert [lesion.name for lesion in later.known] == ["Node"]
    later.follow((linked(length("n", 15.0), later),))
    kept = LesionBook(study("1.9"), later.maker()(body)).lesions.lesions[0]
    assert [entry.study_instance_uid for entry in kept.entries] == ["1.2", "1.9"]
    with pytest.raises(MarksError, match="another patient"):
        LesionBook(study(patient="PH-2"), body)
    with pytest.raises(MarksError, match="cannot be read"):
        LesionBook(study(), {"schema": "sightline.lesions/1", "lesions": 3})


def test_what_changed_elsewhere_meanwhile_stays() -> None:
    first = LesionBook(study(), None)
    first.new("Node")
    first.follow((linked(length(), first),))
    body = first.maker()(None)
    here, there = LesionBook(study("1.8"), body), LesionBook(study("1.9"), body)
    there.new("Liver")
    there.rename(there.lesions.lesions[0].id, "Node 4R")
    there.follow((linked(length("t"), there),))
    body = there.maker()(body)
    here.new("Spleen")
    here.follow((linked(length("h"), here),))
    merged = LesionBook(study(), here.maker()(body)).lesions
    assert [(one.name, len(one.entries)) for one in merged.lesions] == [
        ("Node 4R", 1), ("Liver", 1), ("Spleen", 1),
    ]  # fmt: skip


def test_lesion_that_only_a_mark_remembers_keeps_its_identity() -> None:
    lost = LesionBook(study(), None)
    lost.new("Node")
    mark = linked(length(), lost)
    book = LesionBook(study(), None)
    assert book.follow((mark,))
    assert [(one.id, one.tracking_uid) for one in book.known] == [(mark.lesion_id, mark.tracking_uid)]
    assert LesionBook(study(), book.maker()(None)).known == book.known


def test_patient_without_a_number_and_marks_of_others_have_no_lesions() -> None:
    unknown = LesionBook(study(patient=""), None)
    with pytest.raises(LesionError, match="no ID"):
        unknown.new()
    assert not unknown.follow((length(lesion_id="x", tracking_uid="2.25.1"),))
    book = LesionBook(study(), None)
    book.new()
    assert not book.follow((linked(length(origin=MarkOrigin.SR), book),))


def test_place_is_named_as_the_image_names_it() -> None:
    assert where(study(), length()) == "Se 4 Im 139"
    assert where(study(), length(sop="9.9")) == "Se 4"
    assert where(study(), length(series_key="other")) == ""

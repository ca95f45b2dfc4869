"""Indexes in portions: what is written comes back, whoever wrote it, and the collector passes by."""

from __future__ import annotations

import gc
import threading

from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind
from viewer.imaging.lasting import MANY, forget_lasting, lasting
from viewer.imaging.layout import stack_layout
from viewer.imaging.portions import PORTION, SHOWN, read_studies, series_json, study_lines
from viewer.imaging.study import Instance, Patient, Series, Study, WindowPreset

COUNTS = (1, PORTION, 2 * PORTION + 3)


def image(number: int) -> Instance:
    return Instance(
        path=f"/a/file {number}\n\u2028.dcm",
        sop_instance_uid=f"1.2.{number}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        rows=4,
        columns=5,
        bits_allocated=16,
        bits_stored=12,
        high_bit=11,
        signed=False,
        photometric_interpretation="MONOCHROME2",
        windows=(WindowPreset(center=40.0, width=400.0, explanation='"soft"\r\n'),),
        plane=ImagePlane(
            position=(0.0, 0.1, number / 3),
            row_cosines=(1.0, 0.0, 0.0),
            column_cosines=(0.0, 1.0, 0.0),
            row_spacing=0.7,
            column_spacing=0.7,
        ),
    )


def study(*counts: int) -> Study:
    verdict = GeometryVerdict(kind=VerdictKind.UNIFORM, reason="evenly spaced", spacing=1.0)
    series = tuple(
        Series(
            series_instance_uid=f"1.{place}",
            instances=tuple(image(1000 * place + number) for number in range(count)),
            verdict=verdict,
        )
        for place, count in enumerate(counts)
    )
    return Study(
        study_instance_uid="1.9",
        patient=Patient(patient_id="P", issuer="", name="A^B", birth_date="", sex=""),
        series=series,
    )


def test_studies_come_back_from_their_lines() -> None:
    written = (study(*COUNTS), study(), study(0, 2))
    lines = [line for one in written for line in study_lines(one)]
    assert all("\n" not in line for line in lines)
    assert read_studies(lines) == written
    assert read_studies("\n".join(lines).split("\n")) == written


def test_no_line_is_long() -> None:
    longest = max(line.count("sop_instance_uid") for line in study_lines(study(*COUNTS)))
    assert longest == PORTION


def test_a_study_in_one_line_is_read() -> None:
    one = study(*COUNTS)
    assert read_studies([one.model_dump_json(exclude_defaults=True)]) == (one,)


def test_a_series_written_in_portions_is_one_object() -> None:
    for series in study(0, *COUNTS).series:
        assert Series.model_validate_json(series_json(series)) == series


def test_a_series_to_decode_says_all_of_how_its_values_are_stored() -> None:
    for series in study(3, PORTION + 1).series:
        stored = Series.model_validate_json(series_json(series, stored_only=True))
        assert stack_layout(stored) == stack_layout(series)
        kept = set(Instance.model_fields) - SHOWN
        for one, other in zip(stored.instances, series.instances, strict=True):
            assert one.model_dump(include=kept) == other.model_dump(include=kept)


def test_many_new_objects_are_set_aside_and_found_again() -> None:
    forget_lasting()
    with lasting():
        assert not gc.isenabled()
        kept = [[number] for number in range(2 * MANY)]
    assert gc.isenabled()
    try:
        assert gc.get_freeze_count() > len(kept)
    finally:
        forget_lasting()
    assert gc.get_freeze_count() == 0


def test_the_collector_rests_until_the_last_block_ends() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with lasting():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    with lasting():
        pass
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()

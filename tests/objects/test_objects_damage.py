"""Damaged objects are refused in words or read in part; nothing else happens."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from object_files import save
from pydicom.dataset import Dataset
from test_objects_contours import contour, square, structure_set
from test_objects_document import document, pdf
from test_objects_presentation import lut, state
from test_objects_reports import content_item, planar, region, report, text_report
from test_objects_segmentation import drawn, segmentation

from viewer.imaging.index import index_paths
from viewer.imaging.objects.content import assembled
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.handler import read
from viewer.imaging.objects.values import ObjectError
from viewer.imaging.reader import Reader
from viewer.imaging.worker.errors import WorkerError

CODES = {
    *("not_dicom", "truncated", "too_deep", "too_large", "unsupported", "no_pixels"),
    *("bad_header", "corrupt", "unreadable"),
}
TRIES = 60


def _segmentation(ct: list[Dataset]) -> Dataset:
    return segmentation(ct, drawn(), "BINARY")


def _labels(ct: list[Dataset]) -> Dataset:
    from pydicom.uid import RLELossless

    return segmentation(ct, drawn()[..., 0], "LABELMAP", transfer_syntax_uid=RLELossless)


def _contours(ct: list[Dataset]) -> Dataset:
    return structure_set({"Organ": [contour(square(2, 2, 9, 9), number) for number in range(4)]})


def _state(ct: list[Dataset]) -> Dataset:
    return state(ModalityLUTSequence=[lut(list(range(256)), 8)], ShutterShape="RECTANGULAR")


def _report(ct: list[Dataset]) -> Dataset:
    from highdicom.sr import TrackingIdentifier

    circle = region(ct, "CIRCLE", [[8.5, 6.5], [8.5, 10.5]])
    return report(ct, [planar(circle, 8.0, TrackingIdentifier(identifier="N"))])


def _text(ct: list[Dataset]) -> Dataset:
    return text_report([content_item("TEXT", "CONTAINS", "Finding", TextValue="Nothing new")])


def _document(ct: list[Dataset]) -> Dataset:
    return document(pdf())


MAKERS = [_segmentation, _labels, _contours, _state, _report, _text]


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """Overwrite some bytes behind the preamble, and sometimes cut the end off."""
    data = bytearray(whole)
    for _ in range(chance.choice((1, 3, 12))):
        at = chance.randrange(300, len(data))
        noise = chance.choice(
            (
                b"\xff\xff\xff\xff",
                b"\xfe\xff\x00\xe0",
                b"\0\0",
                chance.randbytes(1),
                chance.randbytes(8),
            )
        )
        data[at : at + len(noise)] = noise
    end = chance.choice((len(data), len(data), chance.randrange(132, len(data))))
    return bytes(data[:end])


def entry_of(path: Path) -> ForeignObject:
    (entry,) = index_paths([str(path)]).studies[0].objects
    return entry


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__.strip("_"))
def test_no_damage_brings_a_reader_down(
    make: Callable[[list[Dataset]], Dataset], ct: list[Dataset], tmp_path: Path
) -> None:
    path = save(make(ct), tmp_path / "object.dcm")
    entry, whole = entry_of(path), path.read_bytes()
    chance = random.Random(make.__name__)
    refused = 0
    for _ in range(TRIES):
        path.write_bytes(damaged(whole, chance))
        parts: list[Any] = []
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            index_paths([str(path)])
            try:
                content = read(entry, parts.extend, lambda: False)
            except ObjectError as error:
                assert error.code in CODES
                assert str(error).endswith(".")
                refused += 1
                continue
        # What was read travels as JSON, without NaN and without an end.
        again = assembled(content.model_dump_json(), [part.model_dump_json() for part in parts])
        assert again.about == entry
    assert 0 < refused < TRIES


def test_no_damage_to_a_document_brings_the_window_down(
    ct: list[Dataset], tmp_path: Path, reader: Reader
) -> None:
    path = save(_document(ct), tmp_path / "object.dcm")
    entry, whole = entry_of(path), path.read_bytes()
    chance = random.Random("document")
    outcomes = set()
    for _ in range(TRIES):
        path.write_bytes(damaged(whole, chance))
        try:
            outcomes.add(type(reader.read_object(entry)).__name__)
        except WorkerError as error:
            assert error.code in CODES
            outcomes.add("refused")
    assert outcomes == {"DocumentContent", "refused"}


def test_reading_stops_when_asked(ct: list[Dataset], tmp_path: Path) -> None:
    from viewer.imaging.sources import Cancelled

    for make in (_segmentation, _contours, _text, _document):
        entry = entry_of(save(make(ct), tmp_path / f"{make.__name__}.dcm"))
        with pytest.raises(Cancelled):
            read(entry, lambda parts: None, lambda: True)


def test_a_segmentation_that_promises_too_much_is_refused(ct: list[Dataset], tmp_path: Path) -> None:
    ds = _segmentation(ct)
    ds.Rows = ds.Columns = 65535
    entry = entry_of(save(ds, tmp_path / "seg.dcm"))
    with pytest.raises(ObjectError) as refused:
        read(entry, lambda parts: None, lambda: False)
    assert refused.value.code == "too_large"
    ds = _segmentation(ct)
    ds.Rows = 600
    entry = entry_of(save(ds, tmp_path / "seg.dcm"))
    with pytest.raises(ObjectError) as refused:
        read(entry, lambda parts: None, lambda: False)
    assert refused.value.code == "truncated"

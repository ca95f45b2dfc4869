"""Files that read well and deserve a word: another format in the preamble, digits that are lost."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, VLWholeSlideMicroscopyImageStorage

from viewer.imaging.index import index_paths

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]


def beginning_like(start: bytes, ds: Dataset, path: Path, save: Save) -> Path:
    ds.preamble = start.ljust(128, b"\x01")
    return save(ds, path)


@pytest.fixture
def make_and_save(ct_slice: Make, save: Save) -> tuple[Make, Save]:
    return ct_slice, save


@pytest.mark.parametrize(
    ("start", "code", "word"),
    [
        (b"MZ\x90\x00", "program", "Windows program"),
        (b"\x7fELF\x02", "program", "Linux program"),
        (b"\xcf\xfa\xed\xfe", "program", "macOS program"),
        (b"#!/bin/sh\n", "program", "script"),
        (b"II*\x00", "tiff", "TIFF"),
        (b"MM\x00*", "tiff", "TIFF"),
        (b"%PDF-1.4", "polyglot", "PDF document"),
        (b"PK\x03\x04", "polyglot", "ZIP archive"),
        (b"<html>", "polyglot", "markup"),
    ],
)
def test_another_format_in_the_preamble_is_told_and_the_image_is_read(
    make_and_save: tuple[Make, Save], tmp_path: Path, start: bytes, code: str, word: str
) -> None:
    make, save = make_and_save
    path = beginning_like(start, make(), tmp_path / "a.dcm", save)
    index = index_paths([str(path)])
    (note,) = index.notes
    assert (note.path, note.code) == (str(path), code)
    assert word in note.reason
    assert not index.bad_files
    assert index.studies[0].series[0].image_count == 1


def test_a_usual_preamble_deserves_no_word(ct_slice: Make, save: Save, tmp_path: Path) -> None:
    save(ct_slice(0), tmp_path / "a.dcm")
    beginning_like(b"\x01\x02vendor", ct_slice(1), tmp_path / "b.dcm", save)
    assert not index_paths([str(tmp_path)]).notes


def test_a_slide_may_be_a_tiff_file_but_no_program(ct_slice: Make, save: Save, tmp_path: Path) -> None:
    slide = {"SOPClassUID": VLWholeSlideMicroscopyImageStorage, "Modality": "SM"}
    beginning_like(b"II*\x00", ct_slice(0, **slide), tmp_path / "a.dcm", save)
    assert not index_paths([str(tmp_path / "a.dcm")]).notes
    beginning_like(b"MZ\x90", ct_slice(1, **slide), tmp_path / "b.dcm", save)
    assert [note.code for note in index_paths([str(tmp_path / "b.dcm")]).notes] == ["program"]


def test_every_program_is_told_and_a_harmless_format_once_for_its_series(
    make_and_save: tuple[Make, Save], tmp_path: Path
) -> None:
    make, save = make_and_save
    for number, start in enumerate((b"II*\x00", b"II*\x00", b"MZ", b"MZ")):
        beginning_like(start, make(number), tmp_path / f"{number}.dcm", save)
    notes = index_paths([str(tmp_path)]).notes
    assert [note.code for note in notes] == ["tiff", "program", "program"]


def test_a_file_in_an_odd_encoding_is_looked_at_too(ct_slice: Make, save: Save, tmp_path: Path) -> None:
    ds = ct_slice(syntax=ExplicitVRBigEndian)
    ds.PixelData = b"\0" * 48
    ds.add_new(0x00091001, "UN", b"\0\0")
    path = beginning_like(b"MZ", ds, tmp_path / "a.dcm", save)
    assert [note.code for note in index_paths([str(path)]).notes] == ["program"]


def test_a_member_of_an_archive_is_named_by_the_archive(
    ct_slice: Make, save: Save, tmp_path: Path
) -> None:
    path = beginning_like(b"MZ", ct_slice(), tmp_path / "a.dcm", save)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, "CT/a.dcm")
    (note,) = index_paths([str(tmp_path / "all.zip")], archive_dir=tmp_path / "unpacked").notes
    assert note.path == f"{tmp_path / 'all.zip'}!CT/a.dcm"


@pytest.mark.shared
def test_a_real_tiff_polyglot_is_told(shared_data: Path) -> None:
    path = shared_data / "malformed" / "derived" / "tiff_preamble_polyglot.dcm"
    index = index_paths([str(path)])
    assert [note.code for note in index.notes] == ["tiff"]
    assert index.studies
    assert not index.bad_files

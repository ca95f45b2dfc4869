"""A DICOMDIR as a source: the files it names, nothing outside its folder, the missing ones named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from viewer.imaging.dicomdir import MAX_REFUSED
from viewer.imaging.index import index_paths
from viewer.imaging.study import StudyIndex

DICOMDIR_CLASS = "1.2.840.10008.1.3.10"


def write_dicomdir(
    folder: Path,
    file_ids: list[object],
    *,
    syntax: str = ExplicitVRLittleEndian,
    name: str = "DICOMDIR",
) -> Path:
    """A directory whose image records name these files."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = DICOMDIR_CLASS
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds.FileSetID = "TEST"
    ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    ds.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    ds.FileSetConsistencyFlag = 0
    records = [Dataset()]
    records[0].DirectoryRecordType = "PATIENT"
    for file_id in file_ids:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        with disable_value_validation():  # names that the standard does not allow are met
            record.ReferencedFileID = file_id
        records.append(record)
    for record in records:
        record.OffsetOfTheNextDirectoryRecord = 0
        record.RecordInUseFlag = 65535
        record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    ds.DirectoryRecordSequence = records
    path = folder / name
    with disable_value_validation():
        ds.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def medium(write_series: Callable[..., Path], tmp_path: Path) -> Path:
    """A folder with the five slices 000.dcm to 004.dcm in `series`."""
    write_series(5)
    return tmp_path


def paths_of(index: StudyIndex) -> list[str]:
    return sorted(
        Path(instance.path).name
        for study in index.studies
        for series in study.series
        for instance in series.instances
    )


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_only_the_files_that_it_names_are_read(medium: Path, syntax: str) -> None:
    path = write_dicomdir(medium, [["series", "000.dcm"], ["series", "003.dcm"]], syntax=syntax)
    index = index_paths([str(path)])
    assert paths_of(index) == ["000.dcm", "003.dcm"]
    assert not index.bad_files
    assert index.file_count == 3


def test_of_a_folder_the_files_beside_it_are_read_too(medium: Path) -> None:
    write_dicomdir(medium, [["series", "000.dcm"]])
    index = index_paths([str(medium)])
    assert len(paths_of(index)) == 5
    assert not index.bad_files


def test_a_file_that_is_not_there_is_named(medium: Path) -> None:
    path = write_dicomdir(medium, [["series", "000.dcm"], ["SERIES", "9"]])
    index = index_paths([str(path)])
    assert paths_of(index) == ["000.dcm"]
    (bad,) = index.bad_files
    assert bad.path == f"{path}!SERIES/9"
    assert (bad.code, bad.reason) == (
        "missing",
        "The DICOMDIR names this file, and it is not there.",
    )


def test_names_that_were_copied_in_lower_case_or_with_an_extension_are_found(medium: Path) -> None:
    path = write_dicomdir(medium, [["SERIES", "000.DCM"], ["series", "001"]])
    assert paths_of(index_paths([str(path)])) == ["000.dcm", "001.dcm"]


@pytest.mark.parametrize(
    "file_id",
    [
        ["..", "outside.dcm"],
        ["series", "..", "..", "outside.dcm"],
        ["", "etc", "passwd"],
        ["/etc/passwd"],
        ["../outside.dcm"],
        ["C:", "outside.dcm"],
        [".", "outside.dcm"],
        ["x"] * 40,
        ["y" * 300],
    ],
)
def test_no_name_leads_out_of_its_folder(medium: Path, file_id: list[str]) -> None:
    inner = medium / "disc"
    inner.mkdir()
    shutil.copy(medium / "series" / "000.dcm", medium / "outside.dcm")
    path = write_dicomdir(inner, [file_id])
    index = index_paths([str(path)])
    assert not index.studies
    assert {bad.code for bad in index.bad_files} == {"unsafe_path"}


def test_no_link_leads_out_of_its_folder(medium: Path) -> None:
    inner = medium / "disc"
    inner.mkdir()
    (inner / "IMAGE").symlink_to(medium / "series" / "000.dcm")
    (inner / "FOLDER").symlink_to(medium / "series")
    path = write_dicomdir(inner, ["IMAGE", ["FOLDER", "001.dcm"]])
    index = index_paths([str(path)])
    assert not index.studies
    assert [bad.code for bad in index.bad_files] == ["unsafe_path"] * 2


def test_a_directory_that_names_itself_is_read_once(medium: Path) -> None:
    path = write_dicomdir(medium, ["DICOMDIR", "OTHER", ["series", "000.dcm"]])
    write_dicomdir(medium, ["DICOMDIR", ["series", "001.dcm"]], name="OTHER")
    index = index_paths([str(path)])
    assert paths_of(index) == ["000.dcm", "001.dcm"]
    assert index.file_count == 4


def test_many_missing_files_are_counted(medium: Path) -> None:
    path = write_dicomdir(medium, [f"M{number}" for number in range(MAX_REFUSED + 50)])
    bad = index_paths([str(path)]).bad_files
    assert len(bad) == MAX_REFUSED + 1
    assert bad[-1].reason == "50 more files that it names are missing."


def test_markup_and_control_signs_in_a_name_are_only_text(medium: Path) -> None:
    path = write_dicomdir(medium, [["<b>", "A\x07B"]])
    (bad,) = index_paths([str(path)]).bad_files
    assert bad.path.startswith(f"{path}!<b>/A")
    assert "\x07" not in bad.path


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    ["", "-bigEnd", "-implicit", "-nooffset", "-nopatient", "-reordered"],
)
def test_real_directories_name_their_thirty_one_files(shared_data: Path, name: str) -> None:
    folder = shared_data / "dicomdir" / "pydicom_dicomdirtests"
    index = index_paths([str(folder / f"DICOMDIR{name}")])
    assert index.file_count == 32
    assert sum(series.image_count for study in index.studies for series in study.series) == 31
    assert not index.bad_files


@pytest.mark.shared
def test_an_empty_directory_holds_nothing(shared_data: Path) -> None:
    path = shared_data / "dicomdir" / "pydicom_dicomdirtests" / "DICOMDIR-empty.dcm"
    index = index_paths([str(path)])
    assert not index.studies
    assert index.file_count == 1

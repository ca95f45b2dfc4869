"""A de-identified export lets no word of the patient out, and leaves the pixels alone."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, keyword_dict
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.uid import generate_uid

import resources
from app.engine import Engine
from app.exporting.answers import Cleaned
from app.exporting.client import ExportError
from reports.export.deidentify import Cleaner, NotCleanable
from reports.export.deidentify_profile import Choices, Dates, basic_profile
from viewer.imaging.study import Study
from viewer.imaging.worker.errors import WorkerRefused

NAME = "Zwickelburg^Quintilia"
ID = "QX77140093"
ACCESSION = "ACC5512907"
PHYSICIAN = "Obermuellner^Hektor"
BIRTH, STUDY = "19430917", "20210314"
SECRETS = ("zwickelburg", "quintilia", ID, ACCESSION, "obermuellner", "hektor", BIRTH, STUDY)

CANARY = "Kanarienvogel"
"""Stands in every text that is not known to describe the technique."""

TEXT = ("AE", "LO", "LT", "SH", "ST", "UC", "UR", "UT", "PN")

SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as one:
        yield one


def source(number: int = 20) -> Any:
    files = sorted(resources.path("sample", "chest-phantom").glob("*.dcm"))
    return pydicom.dcmread(files[number])


def identified(dataset: Any) -> Any:
    """Give a dataset an identity."""
    dataset.PatientName, dataset.PatientID = NAME, ID
    dataset.PatientBirthDate, dataset.AccessionNumber = BIRTH, ACCESSION
    dataset.ReferringPhysicianName = PHYSICIAN
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = STUDY
    dataset.StudyTime = "101112"
    dataset.PatientSex, dataset.PatientAge = "F", "093Y"
    return dataset


def full_of_words(dataset: Any) -> Any:
    """Put a canary into every text element of the dictionary that may stand in an image."""
    profile = basic_profile()
    for keyword, tag in keyword_dict.items():
        group = tag >> 16
        if group < 0x0008 or group in (0xFFFA, 0xFFFC, 0xFFFE) or keyword in dataset:
            continue
        kind = dictionary_VR(tag)
        if kind in TEXT:
            word = ID if keyword in profile.keep_text else CANARY
            dataset.add_new(tag, kind, word[:16] if kind in ("SH", "AE") else word)
        elif kind in ("DA", "DT"):
            dataset.add_new(tag, kind, STUDY)
    return dataset


def nested(dataset: Any) -> Any:
    """Put the same words into sequences, of the standard and private."""
    deep = Dataset()
    deep.PatientName, deep.PatientComments = NAME, CANARY
    item = full_of_words(Dataset())
    item.add_new(0x00081140, "SQ", [deep])
    item.CodeMeaning = f"Scan of {NAME.split('^', maxsplit=1)[0]}"
    dataset.add_new(0x00400275, "SQ", [item])  # Request Attributes Sequence: removed as a whole
    dataset.add_new(0x00181078, "DT", STUDY)
    dataset.add_new(0x00540016, "SQ", [item])  # Radiopharmaceutical Information: kept and cleaned
    block = dataset.private_block(0x0029, "MAKER OF THINGS", create=True)
    block.add_new(0x01, "LO", NAME)
    block.add_new(0x02, "UN", f"{ID} {CANARY}".encode())
    block.add_new(0x03, "SQ", [deep])
    return dataset


def written(dataset: Any) -> bytes:
    buffer = DicomBytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return bytes(buffer.getvalue())


def cleaned(dataset: Any, choices: Choices | None = None) -> bytes:
    cleaner = Cleaner(choices or Choices(), SECRET)
    cleaner.identity.learn(dataset)
    return written(cleaner.clean(pydicom.dcmread(io.BytesIO(written(dataset)))))


def with_overlay(dataset: Any) -> Any:
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60000022, "LO", CANARY)
    dataset.add_new(0x60003000, "OW", ID.encode()[:8])
    dataset.add_new(0x50000022, "LO", CANARY)
    return dataset


def test_no_word_of_the_patient_is_in_the_bytes_that_leave() -> None:
    dataset = with_overlay(nested(full_of_words(identified(source()))))
    dataset.preamble = NAME.encode().ljust(128, b"\0")
    dataset.file_meta.SourceApplicationEntityTitle = CANARY
    before = written(dataset)
    for word in (*SECRETS, CANARY):
        assert word.lower().encode() in before.lower()
    after = cleaned(dataset)
    found = [word for word in (*SECRETS, CANARY) if word.lower().encode() in after.lower()]
    assert found == []
    assert not any(element.tag.is_private for element in pydicom.dcmread(io.BytesIO(after)).iterall())


def test_pixels_and_what_they_mean_stay() -> None:
    dataset = identified(source())
    after = pydicom.dcmread(io.BytesIO(cleaned(dataset)))
    assert after.PixelData == dataset.PixelData
    assert after.file_meta.TransferSyntaxUID == dataset.file_meta.TransferSyntaxUID
    for keyword in (
        *("Rows", "Columns", "BitsStored", "PixelSpacing", "ImagePositionPatient", "RescaleSlope"),
        *("ImageOrientationPatient", "RescaleIntercept", "Modality", "SliceThickness", "SOPClassUID"),
    ):
        assert after[keyword].value == dataset[keyword].value, keyword


def test_what_was_done_is_stated() -> None:
    after = pydicom.dcmread(io.BytesIO(cleaned(identified(source()))))
    assert after.PatientIdentityRemoved == "YES"
    assert [one.CodeValue for one in after.DeidentificationMethodCodeSequence] == ["113100"]
    assert after.LongitudinalTemporalInformationModified == "REMOVED"
    assert str(after.PatientName) == after.PatientID
    assert after.PatientID.startswith("ANON-")
    assert after.PatientSex == ""
    assert "PatientAge" not in after


def test_dates_are_moved_together_and_the_birth_date_goes() -> None:
    dataset = identified(source())
    dataset.AcquisitionDateTime = "20210320101112.5"
    after = pydicom.dcmread(io.BytesIO(cleaned(dataset, Choices(dates=Dates.SHIFT))))
    assert after.StudyDate == after.SeriesDate != STUDY
    first = np.datetime64(f"{after.StudyDate[:4]}-{after.StudyDate[4:6]}-{after.StudyDate[6:]}")
    moved = after.AcquisitionDateTime
    assert moved[8:] == "101112.5"
    second = np.datetime64(f"{moved[:4]}-{moved[4:6]}-{moved[6:8]}")
    assert (second - first).astype(int) == 6
    assert after.PatientBirthDate == ""
    assert [one.CodeValue for one in after.DeidentificationMethodCodeSequence] == ["113100", "113107"]


def test_choices_keep_what_they_say() -> None:
    choices = Choices(dates=Dates.KEEP, keep_uids=True, keep_characteristics=True, label="Subject 12")
    dataset = identified(source())
    after = pydicom.dcmread(io.BytesIO(cleaned(dataset, choices)))
    assert after.SOPInstanceUID == dataset.SOPInstanceUID
    assert (after.PatientSex, after.PatientAge, after.PatientID) == ("F", "090Y", "Subject 12")
    codes = [one.CodeValue for one in after.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113106", "113108", "113110"]


def test_uids_map_alike_over_files_and_not_over_exports() -> None:
    first, second = identified(source(20)), identified(source(21))
    second.add_new(0x00081140, "SQ", [Dataset()])
    second.ReferencedImageSequence[0].ReferencedSOPClassUID = first.SOPClassUID
    second.ReferencedImageSequence[0].ReferencedSOPInstanceUID = first.SOPInstanceUID
    one, two = (pydicom.dcmread(io.BytesIO(cleaned(dataset))) for dataset in (first, second))
    assert one.StudyInstanceUID == two.StudyInstanceUID != first.StudyInstanceUID
    assert one.FrameOfReferenceUID == two.FrameOfReferenceUID
    assert two.ReferencedImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert two.ReferencedImageSequence[0].ReferencedSOPClassUID == first.SOPClassUID
    other = Cleaner(Choices(), bytes(32))
    assert other.uid(str(first.StudyInstanceUID)) != one.StudyInstanceUID


@pytest.mark.parametrize("modality", ["SR", "PR", "KO"])
def test_words_are_refused_in_words(modality: str) -> None:
    dataset = identified(source())
    del dataset.PixelData, dataset.Rows
    dataset.Modality = modality
    dataset.ContentSequence = [Dataset()]
    with pytest.raises(NotCleanable, match="cannot be cleaned safely"):
        Cleaner(Choices(), SECRET).clean(dataset)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("dates", list(Dates))
def test_dciodvfy_finds_no_new_error(tmp_path: Path, dates: Dates) -> None:
    dataset = identified(source())
    (tmp_path / "before.dcm").write_bytes(written(dataset))
    (tmp_path / "after.dcm").write_bytes(cleaned(dataset, Choices(dates=dates)))
    assert _errors(tmp_path / "after.dcm") <= _errors(tmp_path / "before.dcm")


def _errors(path: Path) -> set[str]:
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    return {line for line in done.stderr.splitlines() if line.startswith("Error")}


# --- through the worker ----------------------------------------------------------------------------


@pytest.fixture
def study(tmp_path: Path, engine: Engine) -> Study:
    """Two images of a CT, and a secondary capture with the name in its pixels."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in (20, 21):
        identified(source(number)).save_as(folder / f"{NAME}-{number}.dcm")
    capture = identified(source(22))
    capture.SeriesInstanceUID, capture.SOPInstanceUID = generate_uid(), generate_uid()
    capture.file_meta.MediaStorageSOPInstanceUID = capture.SOPInstanceUID
    capture.BurnedInAnnotation = "YES"
    capture.save_as(folder / "capture.dcm")
    return engine.reader.index([folder]).studies[0]


def _export(
    engine: Engine, study: Study, target: Path, choices: Choices
) -> tuple[Cleaned, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    done = engine.exporting.deidentify(
        study, choices, target, lambda form, digest: told.append((form, digest))
    )
    return done, told


def test_flagged_series_are_listed_and_left_out(engine: Engine, study: Study, tmp_path: Path) -> None:
    flags = {one.files: one for one in engine.exporting.survey(study)}
    assert flags[2].flagged == ""
    assert "burned in" in flags[1].flagged
    done, told = _export(engine, study, tmp_path / "out", Choices())
    assert (done.written, done.series) == (2, 1)
    assert [one.files for one in done.left_out] == [1]
    assert told == [("de-identified images", done.manifest_sha256)]
    with_all, _ = _export(engine, study, tmp_path / "all", Choices(with_flagged=(flags[1].series_uid,)))
    assert (with_all.written, with_all.series) == (3, 2)


def test_a_zip_holds_the_same_and_no_name(engine: Engine, study: Study, tmp_path: Path) -> None:
    target = tmp_path / "out.zip"
    done, _ = _export(engine, study, target, Choices())
    with zipfile.ZipFile(target) as packed:
        names = packed.namelist()
        content = b"".join(packed.read(name) for name in names)
    assert len(names) == done.written
    everything = (content + " ".join(names).encode()).lower()
    assert [word for word in SECRETS if word.lower().encode() in everything] == []
    again = engine.reader.index([target]).studies[0]
    assert sum(series.image_count for series in again.series) == 2
    assert again.patient.name.startswith("ANON-")


def test_nothing_is_left_behind_when_the_log_takes_no_entry(
    engine: Engine, study: Study, tmp_path: Path
) -> None:
    def refuse(_form: str, _digest: str) -> None:
        raise ExportError("The log is full.")

    target = tmp_path / "there" / "out"
    with pytest.raises(ExportError, match="log is full"):
        engine.exporting.deidentify(study, Choices(), target, refuse)
    assert list(target.parent.iterdir()) == []


def test_a_target_that_is_there_is_not_written_over(
    engine: Engine, study: Study, tmp_path: Path
) -> None:
    target = tmp_path / "out.zip"
    target.write_bytes(b"mine")
    with pytest.raises(ExportError, match="there already"):
        _export(engine, study, target, Choices())
    assert target.read_bytes() == b"mine"


def test_only_flagged_series_is_nothing_and_says_so(
    engine: Engine, study: Study, tmp_path: Path
) -> None:
    flagged = [series for series in study.series if series.image_count == 1]
    alone = study.model_copy(update={"series": tuple(flagged)})
    with pytest.raises(WorkerRefused, match="Nothing could be exported"):
        _export(engine, alone, tmp_path / "out", Choices())
    assert not (tmp_path / "out").exists()


# --- real images -----------------------------------------------------------------------------------

EQUAL_BEFORE = "has same value as"
"""Two kinds of UID that were equal stay equal; the words of this error name them, so they differ."""

FOLDERS = ("mr", "multiframe", "us", "mg", "xa", "cxr", "sr-seg-rt")


@pytest.mark.shared
@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.filterwarnings("ignore")
def test_real_images_keep_pixels_and_conformance(
    shared_data: Path, tmp_path: Path, folder: str
) -> None:
    checked = 0
    first_of = {path.parent: path for path in sorted((shared_data / folder).rglob("*"), reverse=True)}
    for path in first_of.values():
        if path.is_dir() or path.stat().st_size > 10_000_000:
            continue
        try:
            dataset = pydicom.dcmread(path)
            stored = dataset.PixelData
            cleaner = Cleaner(Choices(), SECRET)
            cleaner.identity.learn(dataset)
            content = written(cleaner.clean(dataset))
        except (pydicom.errors.InvalidDicomError, AttributeError, NotCleanable):
            continue  # no DICOM, no pixels, or refused in words
        (tmp_path / "after.dcm").write_bytes(content)
        assert pydicom.dcmread(tmp_path / "after.dcm").PixelData == stored
        new = _errors(tmp_path / "after.dcm") - _errors(path)
        assert [line for line in new if EQUAL_BEFORE not in line] == [], path.name
        checked += 1
    assert checked > 0

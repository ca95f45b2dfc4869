"""Folders of hostile input, made on the spot: what each holds, and what a reader must be told of it."""

from __future__ import annotations

import os
import random
import shutil
import socket
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from fault_scene import nested, siblings, slices
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

Make = Callable[[Path], None]

MARKUP = '<img src="http://192.0.2.1/x.png"><b>Doe</b>&lt;'
"""What HTML would turn into a request to another machine and bold letters."""

NAME_MARKUP = "<b><img src>Doe</b>&lt;"
"""The same as a name, in which no equals sign may stand."""

SIDE = 32
"""Rows and columns of the small images."""


@dataclass(frozen=True)
class Case:
    """One input.

    Parameters
    ----------
    bad
        Part of a file's name -> words that its reason must hold; every other file must be read.
        None where damage may hit anything and only the count matters.
    series
        Series whose images must come.
    names
        What the worklist must show, where the case is about names.
    suspect
        Whether text must be marked as encoded in a doubtful way; none where both are right.
    """

    make: Make
    bad: Mapping[str, str] | None = field(default_factory=dict)
    series: int = 1
    names: tuple[str, ...] = ()
    suspect: bool | None = False


def small(number: int = 0, **values: Any) -> Dataset:
    """Return a small slice of the phantom, uncompressed, number `number` of its series."""
    ds = pydicom.dcmread(slices()[0])
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.Rows = ds.Columns = SIDE
    ds["PixelData"].VR = "OW"
    ds.PixelData = struct.pack("<H", 900 + number) * (SIDE * SIDE)
    ds["PixelData"].is_undefined_length = False
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.InstanceNumber = number + 1
    ds.ImagePositionPatient = [0, 0, 5 * number]
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def save(ds: Dataset, path: Path) -> Path:
    """Write a data set as it is: nothing is checked."""
    with disable_value_validation():
        ds.save_as(path, enforce_file_format=True)
    return path


def write(folder: Path, count: int = 4, **values: Any) -> None:
    """Write a small series with some values changed, in a study of its own."""
    own = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
    with disable_value_validation():
        for number in range(count):
            save(small(number, **{**own, **values}), folder / f"{number:03d}.dcm")


def raw(folder: Path, changes: Mapping[int, bytes], count: int = 3) -> None:
    """Write a small series with raw bytes as values of short elements (tag -> bytes)."""
    write(folder, count)
    for path in folder.iterdir():
        data = path.read_bytes()
        for tag, value in changes.items():
            at = data.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF)) + 6
            (length,) = struct.unpack_from("<H", data, at)
            even = value + b" " * (len(value) % 2)
            data = data[:at] + struct.pack("<H", len(even)) + even + data[at + 2 + length :]
        path.write_bytes(data)


def with_values(**values: Any) -> Make:
    """Return a maker of a small series with some values."""
    return lambda folder: write(folder, **values)


def with_bytes(changes: Mapping[int, bytes]) -> Make:
    """Return a maker of a small series with raw values."""
    return lambda folder: raw(folder, changes)


TEXTS = (
    *("PatientName", "PatientID", "StudyDescription", "SeriesDescription", "Manufacturer"),
    *("ReferringPhysicianName", "AccessionNumber", "ConvolutionKernel", "ProtocolName", "StudyID"),
    *("IssuerOfPatientID", "ManufacturerModelName", "ContrastBolusAgent", "RescaleType"),
    "WindowCenterWidthExplanation",
)
CODES = ("PatientAge", "PatientSex", "Modality", "BodyPartExamined", "StudyDate", "ImageType")
"""Text and codes that the window may show."""


def everywhere(value: str) -> dict[str, Any]:
    """Return every text element with one value; codes have what ASCII has of it."""
    codes = value.encode("ascii", "ignore").decode()
    return {**dict.fromkeys(TEXTS, value), **dict.fromkeys(CODES, codes)}


def cut_everywhere(folder: Path) -> None:
    """Write a slice cut off at every KiB."""
    whole = slices()[0].read_bytes()
    for end in range(1024, len(whole), 1024):
        (folder / f"cut-{end // 1024:03d}k.dcm").write_bytes(renumbered(whole, end)[:end])


def renumbered(whole: bytes, number: int) -> bytes:
    """Give a file another SOP Instance UID of the same length."""
    uid = pydicom.dcmread(slices()[0]).SOPInstanceUID
    return whole.replace(uid.encode(), uid[:-6].encode() + f"{100_000 + number}".encode())


def flipped(folder: Path) -> None:
    """Write slices with a few random bytes changed, in headers and in pixels."""
    chance = random.Random(20260301)
    for number, path in enumerate(slices() * 3):
        whole = path.read_bytes()
        ends = len(whole) if number % 2 else 2200
        data = bytearray(renumbered(whole, number))
        for _ in range(chance.choice((1, 2, 8, 40))):
            data[chance.randrange(132, ends)] = chance.randrange(256)
        (folder / f"flipped-{number:03d}.dcm").write_bytes(data)


def private(folder: Path) -> None:
    """Write a series with thousands of private elements, some of them sequences."""
    own = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
    for number in range(3):
        ds = small(number, **own)
        for group in range(0x0011, 0x0011 + 200, 2):
            block = ds.private_block(group, "MAKER <b>", create=True)
            for element in range(20):
                block.add_new(element, "UN", os.urandom(40))
            block.add_new(0x30, "SQ", [Dataset()])
        save(ds, folder / f"{number:03d}.dcm")


def deep(folder: Path) -> None:
    """Write a good series beside sequences in sequences and side by side."""
    write(folder, 3)
    whole = (folder / "000.dcm").read_bytes()
    start = whole[: whole.index(b"\xe0\x7f\x10\x00")]
    (folder / "deep.dcm").write_bytes(start + nested(20_000))
    (folder / "wide.dcm").write_bytes(start + siblings(20_000))


def archives(folder: Path) -> None:
    """Write a good series beside archives that bomb, slip, link, lie and break."""
    write(folder, 3)
    good = save(small(SOPInstanceUID="2.25.7"), folder / "good").read_bytes()
    (folder / "good").unlink()
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.dcm", bytes(128) + b"DICM" + bytes(200 << 20))
    with zipfile.ZipFile(folder / "slip.zip", "w") as archive:
        archive.writestr("../../slipped.dcm", good)
        archive.writestr("C:\\slipped.dcm", good)
        archive.writestr("/tmp/slipped-absolute.dcm", good)
    with zipfile.ZipFile(folder / "link.zip", "w") as archive:
        info = zipfile.ZipInfo("link.dcm")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    (folder / "broken.zip").write_bytes(b"PK\x03\x04" + bytes(200))
    (folder / "no-zip.zip").write_bytes(b"nothing of the kind")
    with zipfile.ZipFile(folder / "inner.zip", "w") as archive:
        archive.write(folder / "bomb.zip", "again.zip")


def no_files(folder: Path) -> None:
    """Write a good series beside links, a pipe and a socket."""
    write(folder, 3)
    (folder / "out.dcm").symlink_to("/etc/passwd")
    (folder / "zero.dcm").symlink_to("/dev/zero")
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere.dcm").symlink_to(folder / "gone")
    (folder / "itself.dcm").symlink_to(folder / "itself.dcm")
    os.mkfifo(folder / "pipe.dcm")
    place = Path.cwd()
    os.chdir(folder)  # the path of a socket may have 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("socket.dcm")
    finally:
        os.chdir(place)


def odd_names(folder: Path) -> None:
    """Write images and bad files whose own names are hostile."""
    own = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
    names = (
        "two\nlines.dcm", "\u202egpj.dcm", "smile 🙂.dcm", "山田.dcm", "<b>bold<img src=x>.dcm",
        "a" * 240 + ".dcm", "-rf", "%s%n{0}.dcm", "&amp; 'quote\".dcm", "exclaim!.dcm",
    )  # fmt: skip
    for number, name in enumerate(names):
        save(small(number, **own), folder / name)
        (folder / f"bad {name[:200]}").write_bytes(b"nothing")


def write_bad(folder: Path) -> None:
    """Write a bad file whose name is markup."""
    (folder / "<b>bad<img src=x>.dcm").write_bytes(b"nothing")


def directory(folder: Path) -> None:
    """Write a DICOMDIR that names files outside, missing ones and one that is there."""
    write(folder, 1)
    ds = Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    records = []
    for parts in (
        ["..", "..", "etc", "passwd"], ["/etc/passwd"], ["C:\\secret"], ["GONE"], ["000.DCM"],
    ):  # fmt: skip
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        with disable_value_validation():
            record.ReferencedFileID = parts
        record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
        record.RecordInUseFlag = 65535
        records.append(record)
    ds.DirectoryRecordSequence = records
    save(ds, folder / "DICOMDIR")


def locked(folder: Path) -> None:
    """Write a series of which one file and one folder may not be read."""
    write(folder, 3)
    (folder / "locked.dcm").write_bytes((folder / "000.dcm").read_bytes())
    (folder / "locked.dcm").chmod(0)
    shutil.copytree(folder, folder / "room", ignore=shutil.ignore_patterns("locked.dcm"))
    (folder / "room").chmod(0)


def claims(folder: Path) -> None:
    """Write a good series beside images that claim more than there is."""
    write(folder, 3)
    lies: tuple[dict[str, Any], ...] = (
        {"Rows": 65535, "Columns": 65535},
        {"NumberOfFrames": 2**31 - 1},
        {"NumberOfFrames": "9" * 12},
        {"Rows": 65535, "Columns": 65535, "NumberOfFrames": 4000, "SamplesPerPixel": 3},
        {"BitsStored": 20},
        {"BitsAllocated": 64},
        {"SamplesPerPixel": 65535},
        {"Rows": 0},
    )
    with disable_value_validation():
        for number, values in enumerate(lies):
            ds = small(number, SeriesInstanceUID=generate_uid(), **values)
            save(ds, folder / f"lie-{number}.dcm")


def odd_dates(folder: Path) -> None:
    """Write studies with dates and ages that are none."""
    for number, date in enumerate(
        ("99999999", "20261340", "2026.01.02", "", "tomorrow", "00000000", "20260230", "-1", "9" * 60)
    ):
        (folder / str(number)).mkdir()
        write(
            folder / str(number), 1, StudyDate=date, StudyTime=date, PatientAge=date or "999Z",
            PatientBirthDate=date, ContentDate=date, AcquisitionTime=date,
        )  # fmt: skip


def many_series(folder: Path, count: int = 3000) -> None:
    """Write one study of so many series with one small image each."""
    mark, image = "2.25." + "1" * 30, "2.25." + "2" * 30
    ds = small(StudyInstanceUID=generate_uid(), SeriesInstanceUID=mark, SOPInstanceUID=image)
    ds.file_meta.MediaStorageSOPInstanceUID = image
    whole = save(ds, folder / "first").read_bytes()
    (folder / "first").unlink()
    for number in range(count):
        own = f"{number:030d}"
        data = whole.replace(mark.encode(), b"2.25.1" + own[1:].encode())
        (folder / f"{number:04d}.dcm").write_bytes(
            data.replace(image.encode(), b"2.25.2" + own[1:].encode())
        )


def geometries(folder: Path) -> None:
    """Write series whose geometry and grey scale are absurd, each in a series of its own."""
    odd: tuple[dict[str, Any], ...] = (
        {"PixelSpacing": [0, 0]},
        {"PixelSpacing": [-1, 1]},
        {"PixelSpacing": ["1e300", "1e-300"]},
        {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]},
        {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]},
        {"ImageOrientationPatient": [9, 9, 9, 7, 7, 7]},
        {"RescaleSlope": 0},
        {"RescaleSlope": "1e300", "RescaleIntercept": "-1e300"},
        {"WindowWidth": [0, -5], "WindowCenter": ["1e300", 1]},
        {"WindowWidth": ["1e300", "1e-300"], "WindowCenter": ["-1e300", "1e300"]},
        {"WindowWidth": [400], "WindowCenter": [1, 2, 3]},
        {"SliceThickness": "1e300", "KVP": "1e300", "SliceLocation": "nan"},
        {"SliceThickness": "-1", "KVP": "inf", "ImagePositionPatient": ["nan", 0, 0]},
        {"BitsStored": 1, "HighBit": 0},
        {"HighBit": 15},
        {"PixelRepresentation": 1, "BitsStored": 16, "HighBit": 15},
        {"PhotometricInterpretation": "MONOCHROME9"},
        {"PhotometricInterpretation": "MONOCHROME1", "VOILUTFunction": "SIGMOID"},
        {"Modality": "PT", "Units": "BQML"},
        {"Modality": "US", "NumberOfFrames": "1", "FrameTime": "0"},
        {"Modality": "MG", "ImageLaterality": "X", "ImagerPixelSpacing": ["1e-300", "1e-300"]},
        {"ImageType": ["\\".join(["A" * 64] * 60)]},
        {"SeriesNumber": "2147483647", "InstanceNumber": "-2147483648"},
    )
    study = generate_uid()
    for number, values in enumerate(odd):
        (folder / f"{number:02d}").mkdir()
        write(folder / f"{number:02d}", 3, **{"StudyInstanceUID": study, **values})

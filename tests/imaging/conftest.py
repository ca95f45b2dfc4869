"""A small CT written for a test: every element that the tests change is an argument."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

STUDY, SERIES, FRAME = (
    "1.2.826.0.1.3680043.10.1",
    "1.2.826.0.1.3680043.10.2",
    "1.2.826.0.1.3680043.10.3",
)


def _ct_slice(number: int = 0, *, syntax: str = ExplicitVRLittleEndian, **changes: Any) -> Dataset:
    """Return a 4 x 6 CT slice at z = 2.5 mm * number; a change of None deletes the element."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = f"{SERIES}.{number + 1}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = STUDY, SERIES, FRAME
    ds.Modality, ds.PatientName, ds.PatientID = "CT", "Doe^Jane", "P1"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.StudyDate, ds.SeriesNumber, ds.InstanceNumber = "20200102", 3, 100 - number
    ds.ImagePositionPatient = [-10.0, -20.0, 2.5 * number]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [0.5, 0.75]
    ds.Rows, ds.Columns = 4, 6
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
    ds.PixelData = (np.arange(24, dtype="<i2") + 100 * number).tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", "1.2.3")
    return ds


def _save(ds: Dataset, path: Path) -> Path:
    """Write a data set as a DICOM file."""
    ds.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def ct_slice() -> Callable[..., Dataset]:
    """Make one slice as a data set."""
    return _ct_slice


@pytest.fixture
def save() -> Callable[[Dataset, Path], Path]:
    """Write a data set."""
    return _save


@pytest.fixture
def write_series(tmp_path: Path) -> Callable[..., Path]:
    """Write slices 0 to count - 1 into a folder; `changes` by slice number."""

    def write(count: int = 5, *, changes: dict[int, dict[str, Any]] | None = None) -> Path:
        folder = tmp_path / "series"
        folder.mkdir(exist_ok=True)
        for number in range(count):
            _save(_ct_slice(number, **(changes or {}).get(number, {})), folder / f"{number:03d}.dcm")
        return folder

    return write

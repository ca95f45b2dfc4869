"""A small CT and the parts of objects made on it: every number is known to the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

STUDY, SERIES, FRAME = (
    "1.2.826.0.1.3680043.10.77.1",
    "1.2.826.0.1.3680043.10.77.2",
    "1.2.826.0.1.3680043.10.77.3",
)
ROWS, COLUMNS, SLICES = 20, 24, 5
ORIGIN, STEP = (-30.0, -40.0, 100.0), 2.5
ROW_SPACING, COLUMN_SPACING = 0.5, 0.75
VOXEL_ML = ROW_SPACING * COLUMN_SPACING * STEP / 1000.0


def patient_and_study(ds: Dataset) -> Dataset:
    """Fill in patient and study modules."""
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Doe^Jane", "P1", "", "F"
    ds.StudyInstanceUID, ds.StudyID, ds.AccessionNumber = STUDY, "S1", "A1"
    ds.StudyDate, ds.StudyTime, ds.ReferringPhysicianName = "20200102", "101112", ""
    return ds


def new_object(sop_class: str, **values: Any) -> Dataset:
    """Return a data set of the study with a file meta, to be filled by a test."""
    ds = patient_and_study(Dataset())
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, generate_uid()
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = generate_uid(), 9, 1
    ds.Modality, ds.Manufacturer = "OT", "Maker"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def item(**values: Any) -> Dataset:
    """Return an item of a sequence."""
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """Return a code."""
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def ct_slice(number: int) -> Dataset:
    """Return slice `number` of a CT: 20 x 24 pixels of 0.5 x 0.75 mm, 2.5 mm apart."""
    ds = new_object(CTImageStorage, Modality="CT", SeriesInstanceUID=SERIES, SeriesNumber=3)
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{SERIES}.{number + 1}"
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = FRAME, ""
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.InstanceNumber = 50 - number
    ds.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + STEP * number]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = [ROW_SPACING, COLUMN_SPACING], STEP
    ds.Rows, ds.Columns = ROWS, COLUMNS
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
    ds.PixelData = (np.arange(ROWS * COLUMNS, dtype="<u2") + number).tobytes()
    return ds


def save(ds: Dataset, path: Path) -> Path:
    """Write a data set as a DICOM file."""
    ds.save_as(path, enforce_file_format=True)
    return path

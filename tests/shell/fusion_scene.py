"""A patient with CT, PET and MR for the tests of fusion: invented bodies in files of DICOM.

CT and PET share a frame of reference; the MR has its own, in which the same body lies moved and turned.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.10.77"
CT_FRAME, MR_FRAME = f"{ROOT}.1", f"{ROOT}.2"

CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
}

SIZES = {"CT": (128, 2.5, 32, 5.0), "PT": (48, 7.0, 32, 5.0), "MR": (96, 3.0, 30, 5.0)}
"""Columns, pixel spacing, slices and slice distance in mm."""

HOT = np.array([35.0, 20.0, 10.0])
"""Middle of the lesion that takes up activity, LPS mm of the CT."""

MOVED = np.eye(4)
"""MR -> CT, LPS mm: turned by 8 degrees about the head, moved by (12, -9, 6)."""
_angle = np.radians(8.0)
MOVED[:2, :2] = [[np.cos(_angle), -np.sin(_angle)], [np.sin(_angle), np.cos(_angle)]]
MOVED[:3, 3] = (12.0, -9.0, 6.0)


def body(points: npt.NDArray[np.float64], modality: str) -> npt.NDArray[np.float64]:
    """Value at places of the CT's space: an ellipse with a spine, two lungs, a liver and the lesion."""
    x, y, _ = points.T

    def inside(middle: tuple[float, ...], radii: tuple[float, ...]) -> npt.NDArray[np.bool_]:
        return (((points - middle) / radii) ** 2).sum(axis=1) <= 1.0

    tissues = (
        (((x / 130) ** 2 + (y / 95) ** 2 <= 1.0), {"CT": 20, "PT": 0.7, "MR": 300}),
        (inside((60, -10, 60), (48, 60, 70)), {"CT": -820, "PT": 0.3, "MR": 20}),
        (inside((-60, -10, 60), (48, 60, 70)), {"CT": -820, "PT": 0.3, "MR": 20}),
        (inside((-50, 0, -55), (65, 55, 45)), {"CT": 110, "PT": 2.2, "MR": 500}),
        (inside((0, 60, 0), (20, 18, 400)), {"CT": 600, "PT": 1.2, "MR": 120}),
        (inside(tuple(HOT.tolist()), (14, 14, 14)), {"CT": 60, "PT": 5.5, "MR": 800}),
        (inside((-20, -60, 20), (16, 10, 30)), {"CT": 250, "PT": 1.5, "MR": 60}),
    )
    values = np.full(len(points), {"CT": -1000.0, "PT": 0.0, "MR": 0.0}[modality])
    for where, by_modality in tissues:
        values[where] = by_modality[modality]
    return values


def write_patient(folder: Path, modalities: tuple[str, ...] = ("CT", "PT", "MR")) -> Path:
    """Write the series of the patient and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, modality in enumerate(modalities, start=1):
        columns, spacing, slices, between = SIZES[modality]
        noise = np.random.default_rng(number)
        j, i = np.mgrid[:columns, :columns]
        corner = -(columns - 1) / 2 * spacing
        for k in range(slices):
            z = (k - (slices - 1) / 2) * between
            points = np.stack(
                [corner + i.ravel() * spacing, corner + j.ravel() * spacing, np.full(i.size, z)], axis=1
            )
            if modality == "MR":
                points = points @ MOVED[:3, :3].T + MOVED[:3, 3]
            values = body(points, modality).reshape(columns, columns)
            values += noise.normal(0.0, {"CT": 12.0, "PT": 0.05, "MR": 8.0}[modality], values.shape)
            _write(
                folder / f"{modality}{k:03d}.dcm", modality, (number, k), values, (corner, corner, z)
            )
    return folder


def _write(
    path: Path,
    modality: str,
    numbers: tuple[int, int],
    values: npt.NDArray[np.float64],
    position: tuple[float, float, float],
) -> None:
    columns, spacing, _, between = SIZES[modality]
    number, k = numbers
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CLASSES[modality]
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.{number}.{k + 1}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.9", f"{ROOT}.9.{number}"
    ds.FrameOfReferenceUID = MR_FRAME if modality == "MR" else CT_FRAME
    ds.Modality, ds.PatientName, ds.PatientID = modality, "Invented^Patient", "PHANTOM-77"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientWeight = "19600101", "F", 70.0
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = "20240110"
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = "110000"
    ds.SeriesNumber, ds.InstanceNumber = number, k + 1
    ds.SeriesDescription = {"CT": "CT body", "PT": "PET AC", "MR": "T1"}[modality]
    ds.StudyDescription = "PET CT"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.ImagePositionPatient, ds.ImageOrientationPatient = list(position), [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = [spacing, spacing], between
    ds.Rows = ds.Columns = columns
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    slope, intercept = (2.0, 0.0) if modality == "PT" else (1.0, 0.0)
    if modality == "PT":
        # SUVbw = activity x 70 kg over 350 MBq, decay-corrected to the injection
        values = values * 350e6 / 70_000.0
        ds.Units, ds.DecayCorrection = "BQML", "ADMIN"
        ds.CorrectedImage = ["ATTN", "DECY", "SCAT"]
        dose = Dataset()
        dose.RadionuclideTotalDose, dose.RadionuclideHalfLife = 350e6, 6586.2
        dose.RadiopharmaceuticalStartTime = "100000"
        ds.RadiopharmaceuticalInformationSequence = Sequence([dose])
    ds.RescaleSlope, ds.RescaleIntercept = slope, intercept
    stored = np.clip(np.rint((values - intercept) / slope), -32000, 32000).astype("<i2")
    ds.PixelData = stored.tobytes()
    ds.save_as(path, enforce_file_format=True)

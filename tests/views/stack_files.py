"""Small DICOM files for tests of viewports: overlays, VOI LUTs, phases of a 4D series, a slide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    MRImageStorage,
    VLWholeSlideMicroscopyImageStorage,
)

ROOT = "1.2.826.0.1.3680043.10.77"
ROWS, COLUMNS = 24, 32
TILE = 64


def image(number: int, *, series: int = 1, **changes: Any) -> Dataset:
    """One 24 x 32 MR image at z = 3 mm * number, whose values tell images apart."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
    ds.SOPInstanceUID = f"{ROOT}.{series}.{number + 1}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.0", f"{ROOT}.{series}"
    ds.FrameOfReferenceUID = f"{ROOT}.99"
    ds.Modality, ds.PatientName, ds.PatientID = "MR", "Doe^Jane", "P1"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    ds.StudyDate, ds.SeriesNumber, ds.InstanceNumber = "20200102", series, number + 1
    ds.SeriesDescription = "Diffusion"
    ds.ImagePositionPatient = [0.0, 0.0, 3.0 * number]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [1.0, 1.0]
    ds.Rows, ds.Columns = ROWS, COLUMNS
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.WindowCenter, ds.WindowWidth = 500, 1000
    ds.PixelData = np.full((ROWS, COLUMNS), 100 + number, dtype="<u2").tobytes()
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return ds


def save(ds: Dataset, path: Path) -> Path:
    """Write a data set as a DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def with_overlay(ds: Dataset, mask: np.ndarray, *, origin: tuple[int, int] = (1, 1)) -> Dataset:
    """Add an overlay plane of the mask's own size, its first point at `origin` (row, column)."""
    ds.add_new(0x60000010, "US", mask.shape[0])
    ds.add_new(0x60000011, "US", mask.shape[1])
    ds.add_new(0x60000040, "CS", "G")
    ds.add_new(0x60000050, "SS", list(origin))
    ds.add_new(0x60000100, "US", 1)
    ds.add_new(0x60000102, "US", 0)
    bits = np.packbits(mask.astype(np.uint8).reshape(-1), bitorder="little").tobytes()
    ds.add_new(0x60003000, "OW", bits + b"\0" * (len(bits) % 2))
    return ds


def write_phases(folder: Path, *, b_values: tuple[int, ...] = (0, 500, 1000), slices: int = 6) -> Path:
    """Write a diffusion series: slice s of phase p holds the value 100 * (p + 1) + s."""
    for phase, b_value in enumerate(b_values):
        for number in range(slices):
            at = phase * slices + number
            values = np.full((ROWS, COLUMNS), 100 * (phase + 1) + number, dtype="<u2")
            ds = image(
                number,
                SOPInstanceUID=f"{ROOT}.1.{at + 1}",
                InstanceNumber=at + 1,
                DiffusionBValue=float(b_value),
                PixelData=values.tobytes(),
            )
            save(ds, folder / f"{at:03d}.dcm")
    return folder


def picture(rows: int, columns: int) -> np.ndarray:
    """Colours that tell every pixel of a small place from its neighbours."""
    down, right = np.mgrid[:rows, :columns]
    return np.stack([down * 7 % 256, right * 5 % 256, (down + right) * 3 % 256], axis=-1).astype(
        np.uint8
    )


def slide_level(whole: np.ndarray, number: int, *, spacing: float, flavour: str = "VOLUME") -> Dataset:
    """One level of a slide in native RGB tiles."""
    rows, columns = (-(-side // TILE) for side in whole.shape[:2])
    pad = ((0, rows * TILE - whole.shape[0]), (0, columns * TILE - whole.shape[1]), (0, 0))
    full = np.pad(whole, pad, mode="edge")
    tiles = [
        full[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE].tobytes()
        for row in range(rows)
        for column in range(columns)
    ]
    ds = image(
        number,
        series=2,
        SOPClassUID=VLWholeSlideMicroscopyImageStorage,
        Modality="SM",
        SeriesDescription="HE",
        ImageType=["ORIGINAL", "PRIMARY", flavour, "NONE"],
        Rows=TILE,
        Columns=TILE,
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        NumberOfFrames=len(tiles),
        TotalPixelMatrixRows=whole.shape[0],
        TotalPixelMatrixColumns=whole.shape[1],
        DimensionOrganizationType="TILED_FULL",
        PixelData=b"".join(tiles),
    )
    ds.file_meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "WindowCenter",
        "WindowWidth",
    ):
        delattr(ds, keyword)
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [spacing, spacing]
    shared.PixelMeasuresSequence = [measures]
    ds.SharedFunctionalGroupsSequence = [shared]
    return ds


def write_slide(folder: Path, *, side: int = 4096, label: bool = True) -> np.ndarray:
    """Write a slide of two levels, 1 : 4, 0.5 \u00b5m a pixel, with a label; return level 0."""
    whole = picture(side, side)
    save(slide_level(whole, 0, spacing=0.0005), folder / "0.dcm")
    save(slide_level(whole[::4, ::4].copy(), 1, spacing=0.002), folder / "1.dcm")
    if label:
        save(slide_level(picture(80, 120), 2, spacing=0.02, flavour="LABEL"), folder / "2.dcm")
    return whole

"""Analytic phantoms of a brain (MR) and of breasts (mammography), for pictures that may be published.

Every shape is an ellipsoid, a shell or filtered noise of a fixed seed: nothing is taken from a person.
The files carry Synthetic Data = YES.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scipy import ndimage

Points = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
MAMMOGRAM = "1.2.840.10008.5.1.4.1.1.1.2"

TISSUES = ("air", "skin", "fat", "bone", "marrow", "muscle", "csf", "grey", "white", "lesion")
SIGNALS = {
    "T1": (0, 420, 900, 30, 520, 330, 150, 480, 690, 420),
    "T2": (0, 330, 620, 25, 330, 210, 980, 520, 360, 780),
    "FLAIR": (0, 330, 560, 25, 300, 240, 80, 560, 430, 900),
    "DWI": (0, 40, 50, 10, 30, 70, 90, 520, 430, 900),
}
"""Signal of each tissue in each kind of sequence, in arbitrary units."""


@dataclass(frozen=True)
class Sequence:
    """One series of the brain: its kind, plane and slices."""

    description: str
    kind: str
    row: tuple[float, float, float]
    column: tuple[float, float, float]
    first: float
    step: float
    count: int
    echo_time: float
    repetition_time: float


SEQUENCES = (
    Sequence("t2_tse_tra", "T2", (1, 0, 0), (0, 1, 0), -68, 5.5, 27, 98, 5200),
    Sequence("t1_se_sag", "T1", (0, 1, 0), (0, 0, -1), -63.5, 5.5, 25, 9, 520),
    Sequence("t2_flair_cor", "FLAIR", (1, 0, 0), (0, 0, -1), -88, 6.5, 28, 110, 8800),
    Sequence("dwi_b1000_tra", "DWI", (1, 0, 0), (0, 1, 0), -68, 5.5, 27, 84, 4900),
)

VIEWS = (
    ("R", "CC", "P\\L", ("399162004", "cranio-caudal")),
    ("L", "CC", "A\\R", ("399162004", "cranio-caudal")),
    ("R", "MLO", "P\\FL", ("399368009", "medio-lateral oblique")),
    ("L", "MLO", "A\\FR", ("399368009", "medio-lateral oblique")),
)
"""Laterality, view, patient orientation and the SNOMED CT code of the view."""


def write_brain(folder: Path) -> None:
    """Write one MR study of the brain phantom: four kinds of sequences in three planes."""
    study, frame = generate_uid(), generate_uid()
    for number, sequence in enumerate(SEQUENCES, 1):
        series = generate_uid()
        normal = np.cross(sequence.row, sequence.column)
        # Slices run to the left, to the back or to the head, whichever way the normal points.
        along = np.abs(normal)
        size, spacing = 288, 0.85
        half = (size - 1) * spacing / 2
        middle = np.array([0.0, 2.0, -8.0]) * (1 - along)
        for index in range(sequence.count):
            centre = middle + along * (sequence.first + sequence.step * index)
            corner = centre - half * (np.array(sequence.row) + np.array(sequence.column))
            pixels = brain_slice(sequence, corner, size, spacing, seed=1000 * number + index)
            ds = new_file(MR_IMAGE, study, series, index + 1)
            ds.PatientName, ds.PatientID = "DEMO^Brain Phantom", "PH-2001"
            ds.PatientSex, ds.PatientAge, ds.PatientBirthDate = "F", "047Y", "19790301"
            ds.StudyDate, ds.StudyTime = "20261102", "081500"
            ds.StudyDescription, ds.SeriesDescription = "MR brain, synthetic", sequence.description
            ds.Modality, ds.BodyPartExamined, ds.SeriesNumber = "MR", "BRAIN", number
            ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
            ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = frame, ""
            ds.ImageOrientationPatient = [*map(float, sequence.row), *map(float, sequence.column)]
            ds.ImagePositionPatient = [round(float(v), 4) for v in corner]
            ds.PixelSpacing = [spacing, spacing]
            ds.SliceThickness, ds.SpacingBetweenSlices = 4.5, sequence.step
            ds.EchoTime, ds.RepetitionTime = sequence.echo_time, sequence.repetition_time
            ds.MagneticFieldStrength, ds.ScanningSequence = 1.5, "SE"
            if sequence.kind == "DWI":
                ds.DiffusionBValue = 1000.0
            ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "SK", "", "2D"
            ds.WindowCenter, ds.WindowWidth = 480, 1000
            put_pixels(ds, pixels, folder / f"mr{number}" / f"{index:03}.dcm", bits=12)


def brain_slice(
    sequence: Sequence, corner: NDArray[np.float64], size: int, spacing: float, seed: int
) -> NDArray[np.uint16]:
    """Return one slice: tissues, a receive field, blur of the acquisition and Rician noise."""
    row, column = np.array(sequence.row, float), np.array(sequence.column, float)
    steps = np.arange(size) * spacing
    signals = np.array(SIGNALS[sequence.kind], float)
    normal = np.abs(np.cross(row, column))
    clean = np.zeros((size, size))
    for offset in (-1.2, 0.0, 1.2):
        place = corner + normal * offset
        points = tuple(
            place[axis] + row[axis] * steps[None, :] + column[axis] * steps[:, None]
            for axis in range(3)
        )
        clean += signals[tissues_at(points)] / 3
    clean = ndimage.gaussian_filter(clean, 0.75)
    clean *= 1.0 + 0.12 * np.cos(steps / 110)[None, :] - 0.08 * np.sin(steps / 90)[:, None]
    noise = np.random.default_rng(seed).normal(0, 14, (2, size, size))
    return np.clip(np.hypot(clean + noise[0], noise[1]), 0, 4095).astype(np.uint16)


def ball(points: Points, centre: tuple[float, ...], axes: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the radius of points in units of an ellipsoid's half axes (mm, LPS)."""
    x, y, z = ((p - c) / a for p, c, a in zip(points, centre, axes, strict=True))
    return np.sqrt(x * x + y * y + z * z)


def tissues_at(points: Points) -> NDArray[np.intp]:
    """Return the tissue (index in TISSUES) at points of the patient in mm."""
    x, y, z = points
    found = np.zeros(np.broadcast(x, y, z).shape, dtype=np.intp)
    code = {name: number for number, name in enumerate(TISSUES)}

    def put(mask: NDArray[np.bool_], name: str) -> None:
        found[np.broadcast_to(mask, found.shape)] = code[name]

    vault = ball(points, (0, 0, 0), (73, 90, 72))
    neck = np.sqrt((x / 56) ** 2 + ((y - 22) / 60) ** 2)
    face = ball(points, (0, -42, -62), (54, 58, 66))
    head = np.minimum(np.minimum(vault / 1.19, face), np.where(z < -30, neck, 9.0))
    put(head < 1.0, "skin")
    put(head < 0.975, "fat")
    put(head < 0.945, "muscle")
    put((vault > 1.03) & (vault < 1.13) & (z > -52), "bone")
    put((vault > 1.06) & (vault < 1.10) & (z > -48), "marrow")
    put(vault <= 1.03, "muscle")
    spine = np.sqrt((x / 17) ** 2 + ((y - 34) / 17) ** 2)
    put((spine < 1.0) & (z < -64), "marrow")
    put((spine < 0.62) & (z < -58), "csf")
    for side in (-1, 1):
        eye = ball(points, (side * 31, -78, -34), (13, 13, 13))
        put(ball(points, (side * 30, -68, -34), (19, 28, 18)) < 1, "fat")
        put(eye < 1.0, "csf")
        put(ball(points, (side * 31, -90, -34), (5, 3, 5)) < 1, "muscle")
        put(ball(points, (side * 20, -62, -66), (13, 22, 16)) < 1, "air")
        put(ball(points, (side * 50, 42, -46), (11, 14, 14)) < 1, "bone")
    put(ball(points, (0, -72, -52), (10, 26, 20)) < 1, "air")
    put_cerebrum(points, vault, put)
    put_below(points, put)
    return found


def put_cerebrum(points: Points, vault: NDArray[np.float64], put) -> None:  # type: ignore[no-untyped-def]
    """Put hemispheres with folded cortex, deep grey matter, ventricles and a few lesions."""
    x, y, z = points
    away = np.abs(x)
    temporal = 1 / (1 + np.exp((19 - away) / 1.5)) / (1 + np.exp(-(y + 34) / 2.5))
    base = np.where(y > 14, -15 - 0.06 * (y - 14), -27 - 20 * temporal)
    put((vault <= 1.03) & (z > base - 7), "bone")
    put((vault <= 1.03) & (z > base - 3), "csf")
    medial = ball(points, (0, 2, 6), (99, 46, 25)) > 1
    depth = np.minimum((0.985 - vault) * 76, (z - base) * 0.8)
    depth = np.where(medial & (z > -24), np.minimum(depth, away - 0.7), depth)
    inside = depth > 0
    wave = np.sin(x / 3.1 + 1.9 * np.sin(z / 7.3 + y / 15))
    wave = wave + np.sin(y / 3.3 + 1.7 * np.sin(away / 8.1 + z / 11))
    wave = wave + np.sin(z / 3.2 + 1.6 * np.sin(y / 7.7 - away / 13))
    furrow = np.abs(wave) / 1.7
    reach = np.clip(1 - depth / 17, 0, 1)
    put(inside, "white")
    put(inside & ((depth < 3.0) | (furrow < 0.62 * np.sqrt(reach)) & (depth < 17)), "grey")
    put(inside & (furrow < 0.19 * reach) & (depth < 13), "csf")
    insula = np.abs(np.abs(x) - 40 - (y + 5) * 0.05)
    sylvian = (np.abs(y + 6) < 26) & (np.abs(z + 6 - (y + 6) * 0.25) < 14)
    put(inside & sylvian & (insula < 5.0), "grey")
    put(inside & sylvian & (insula < 1.7), "csf")
    for side in (-1, 1):
        bend = np.abs(y - 4) * 0.11
        put(ball(points, (side * 27, -4, 4), (6.5, 17, 10)) < 1, "grey")
        put(ball(points, (side * 15, -22, 12), (6, 12, 9)) < 1, "grey")
        put(ball(points, (side * 10, 10, 5), (9, 14, 9)) < 1, "grey")
        shifted = (x - side * (9 + bend), y - 2, z - 17 + ((y - 2) / 22) ** 2)
        put(ball(shifted, (0, 0, 0), (5.5, 36, 6.5)) < 1, "csf")
        put(ball(points, (side * 23, 34, 4), (5, 13, 8)) < 1, "csf")
    put(ball(points, (0, 6, 3), (2.4, 14, 9)) < 1, "csf")
    arch = ball(points, (0, 2, 6), (99, 43, 22))
    put((away < 9) & (arch > 0.82) & (arch < 1) & (z > 6), "white")
    for centre, axes in (
        ((25, 14, 24), (4, 5, 3.5)),
        ((-24, -24, 26), (3, 4.5, 3)),
        ((-30, 26, 20), (5, 6, 4)),
        ((34, -8, 30), (2.6, 3, 2.6)),
    ):
        put(ball(points, centre, axes) < 1, "lesion")


def put_below(points: Points, put) -> None:  # type: ignore[no-untyped-def]
    """Put brain stem and cerebellum."""
    x, y, z = points
    cerebellum = ball(points, (0, 46, -40), (49, 29, 22))
    put(cerebellum < 1.06, "csf")
    folia = np.sin((np.hypot(y - 22, z + 36) + 0.05 * np.abs(x)) / 1.0)
    put(cerebellum < 1.0, "white")
    put((cerebellum < 1.0) & ((folia > -0.3) & (cerebellum > 0.55) | (cerebellum > 0.93)), "grey")
    lean = y - 20 + (z + 30) * 0.12
    stem = np.sqrt((x / 11) ** 2 + (lean / 9.5) ** 2)
    put((stem < 1.55) & (z < -12) & (z > -62), "csf")
    put((stem < 1.0) & (z < -2) & (z > -62), "white")
    put((np.sqrt((x / 7) ** 2 + (lean / 7) ** 2) < 1) & (z <= -56), "white")
    put(ball(points, (0, 12, -32), (16, 12, 13)) < 1, "white")
    put(ball(points, (0, 27, -34), (7, 4, 9)) < 1, "csf")


def write_breasts(folder: Path) -> None:
    """Write one mammography study of four views."""
    study = generate_uid()
    for number, (side, view, orientation, code) in enumerate(VIEWS, 1):
        ds = new_file(MAMMOGRAM, study, generate_uid(), 1)
        ds.PatientName, ds.PatientID = "DEMO^Breast Phantom", "PH-2002"
        ds.PatientSex, ds.PatientAge, ds.PatientBirthDate = "F", "058Y", "19680514"
        ds.StudyDate, ds.StudyTime = "20261109", "104000"
        ds.StudyDescription, ds.SeriesDescription = "Mammography, synthetic", f"{side} {view}"
        ds.Modality, ds.BodyPartExamined, ds.SeriesNumber = "MG", "BREAST", number
        ds.ImageType = ["ORIGINAL", "PRIMARY"]
        ds.PresentationIntentType, ds.PresentationLUTShape = "FOR PRESENTATION", "IDENTITY"
        ds.ImageLaterality, ds.ViewPosition = side, view
        ds.PatientOrientation = orientation.split("\\")
        coded = Dataset()
        coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning = code[0], "SCT", code[1]
        coded.ViewModifierCodeSequence = []
        ds.ViewCodeSequence = [coded]
        ds.ImagerPixelSpacing = [0.14, 0.14]
        ds.EstimatedRadiographicMagnificationFactor = 1.05
        ds.KVP, ds.BodyPartThickness, ds.CompressionForce = 29, 54, 92
        ds.PixelPaddingValue = 0
        ds.WindowCenter, ds.WindowWidth = 2050, 3100
        pixels = breast(view, seed=40 + number, mass=(side, view) in {("L", "CC"), ("L", "MLO")})
        if side == "R":
            pixels = pixels[:, ::-1]
        put_pixels(ds, np.ascontiguousarray(pixels), folder / f"mg{number}.dcm", bits=12)


def breast(view: str, seed: int, mass: bool) -> NDArray[np.uint16]:
    """Return a left breast (chest wall on the left) as digital values, 1720 x 1280 pixels."""
    rows, columns = 1720, 1280
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns].astype(float)
    nipple = 0.50 if view == "CC" else 0.62
    reach, half = 0.76 * columns, (0.43 if view == "CC" else 0.37) * rows
    down = (y - nipple * rows) / half
    if view == "MLO":  # The upper part goes on to the armpit.
        down = np.where(down < 0, down * 0.62, down * 1.08)
    outline = np.clip(np.abs(down), 0, None) ** 2.25 + (x / reach) ** 2.1
    outline += 0.012 * np.sin(y / 170 + seed)
    nub = np.hypot((x - 0.995 * reach) / 34, (y - nipple * rows) / 40)
    edge = np.clip((1 - outline) * 5.2, 0, 1)
    thick = np.sqrt(edge) * np.clip((1 - outline) * 60, 0, 1)

    def texture(sigma: float, stretch: float = 1.0) -> NDArray[np.float64]:
        made = ndimage.gaussian_filter(
            rng.normal(size=(rows // 2, columns // 2)), (sigma / 2, sigma * stretch / 2)
        )
        made = ndimage.zoom(made, 2, order=1)
        return made / made.std()

    gland = np.hypot((x - 0.50 * reach) / (0.40 * reach), (y - nipple * rows) / (0.62 * half))
    gland = np.clip(1.15 - gland, 0, 1) ** 0.7
    clumps = np.clip(0.55 + 0.5 * texture(46) + 0.25 * texture(20, 1.6), 0, 1.6)
    # Strands run to the nipple: noise that is smooth along the ray and fine across it.
    angle = np.arctan2(y - nipple * rows, 1.12 * reach - x)
    ray = np.hypot(y - nipple * rows, 1.12 * reach - x)
    sheet = ndimage.gaussian_filter(rng.normal(size=(900, 240)), (2.4, 5), mode="wrap")
    sheet /= sheet.std()
    places = [(angle + np.pi / 2) / np.pi * 899, np.clip(ray / 1700 * 239, 0, 239)]
    strands = ndimage.map_coordinates(sheet, places, order=1, mode="nearest")
    values = 760 + 620 * thick
    values += thick * (gland * clumps * 980 + np.clip(strands, 0, 3) * (90 + 190 * gland))
    values += thick * (70 * texture(90) + 42 * texture(7) + 26 * texture(2.4))
    if view == "MLO":
        muscle = np.clip((0.36 * columns - x - 0.40 * y) / 26, 0, 1)
        values += thick * muscle * (860 + 60 * texture(12, 0.4))
    skin = np.exp(-((((1 - outline) * reach / 2 - 14) / 9) ** 2)) * (outline < 1)
    values += 330 * skin
    values = np.where(nub < 1, np.maximum(values, 1250 - 300 * nub**2), values)
    if mass:
        row, column = nipple * rows - 0.34 * half, 0.44 * reach
        bearing = np.arctan2(y - row, x - column)
        spikes = 40 * (1 + 0.16 * np.sin(7 * bearing) + 0.10 * np.sin(13 * bearing + 1))
        values += 900 / (1 + np.exp((np.hypot(x - column, y - row) - spikes) / 7))
        for _ in range(11):
            dx, dy = rng.normal(0, 34, 2)
            values += 1300 * np.exp(-((x - column - 90 - dx) ** 2 + (y - row - 60 - dy) ** 2) / 5)
    values += rng.normal(0, 16, values.shape)
    inside = ndimage.gaussian_filter(((outline < 1) | (nub < 1)).astype(float), 2.0)
    return np.clip(values * inside, 0, 4095).astype(np.uint16)


def new_file(sop_class: str, study: str, series: str, number: int) -> Dataset:
    """Return a data set with what every image needs."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
    ds.InstanceNumber, ds.Manufacturer, ds.SyntheticData = number, "Analytic phantom", "YES"
    ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = "1", "", ""
    ds.SpecificCharacterSet = "ISO_IR 192"
    return ds


def put_pixels(ds: Dataset, pixels: NDArray[np.uint16], path: Path, bits: int) -> None:
    """Give a data set its pixels and write it."""
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, bits, bits - 1
    ds.PixelData = pixels.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, ds, enforce_file_format=True)

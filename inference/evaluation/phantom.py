"""An analytic chest CT phantom with known truth: ``python -m inference.evaluation.phantom OUT``.

Bodies are implicit functions in patient coordinates (LPS mm: +x left, +y back, +z head), each giving
a signed distance (`phantom_shapes`) whose coverage of a voxel is composed over what lies below it, so
edges have partial volume as a scanner's have. The truth (lung volumes, nodule) is the integral of the
same functions. Randomness comes from a fixed PCG64 stream per purpose: the same version always gives
the same pixels.
"""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.phantom_shapes import (
    PIXEL_MM,
    SIZE,
    SLICE_MM,
    SLICES,
    SUB_SLICES,
    Ball,
    Capsule,
    FloatArray,
    Grid,
    Point,
    capsule,
    chain,
    common,
    coverage,
    ellipse,
    ellipsoid,
    tubes,
    union,
)

Vector = npt.NDArray[np.float64]

VERSION = "1"
INTERCEPT = -1024
NOISE_HU = 8.0
SEED = 20260105

AIR, FAT, SKIN, MUSCLE, SOFT = -1000.0, -100.0, 20.0, 55.0, 40.0
BLOOD, LIVER, SPLEEN, WATER = 42.0, 58.0, 48.0, 8.0
CORTEX, MARROW, CARTILAGE, TABLE = 620.0, 180.0, 95.0, -350.0
BULLA = -972.0

RIGHT, LEFT = -1.0, 1.0
"""Sign of x in LPS on each side of the patient."""


NODULE = Ball(centre=(-78.0, -8.0, 215.0), radius=8.0, hu=38.0)
"""The solid nodule in the right upper lobe: 16 mm, centred on a slice."""

NODULE_CLEARANCE_MM = 14.0
"""Vessels and bullae keep this far from the nodule's centre, so that its edge is known."""


ASCENDING_AND_ARCH = chain(
    15.0, (-4.0, -22.0, 125.0), (-13.0, -28.0, 165.0), (-8.0, -18.0, 186.0), (8.0, 4.0, 196.0),
    (20.0, 26.0, 190.0),
)  # fmt: skip
DESCENDING_AORTA = chain(
    12.0, (20.0, 26.0, 190.0), (24.0, 42.0, 172.0), (22.0, 46.0, 90.0), (12.0, 44.0, -20.0)
)
SUPERIOR_VENA_CAVA = chain(9.0, (-30.0, -14.0, 232.0), (-29.0, -14.0, 130.0))
PULMONARY_TRUNK = (
    *chain(13.0, (12.0, -34.0, 128.0), (18.0, -16.0, 160.0)),
    *chain(10.0, (18.0, -16.0, 160.0), (-8.0, 2.0, 158.0), (-44.0, 8.0, 152.0)),
    *chain(10.0, (18.0, -16.0, 160.0), (48.0, 14.0, 158.0)),
)
NECK_VESSELS = (
    *chain(5.5, (-6.0, -10.0, 200.0), (-20.0, -6.0, 300.0)),
    *chain(4.5, (6.0, 0.0, 204.0), (18.0, -4.0, 300.0)),
)
GREAT_VESSELS = (
    ASCENDING_AND_ARCH,
    DESCENDING_AORTA,
    SUPERIOR_VENA_CAVA,
    PULMONARY_TRUNK,
    NECK_VESSELS,
)
OESOPHAGUS = chain(6.5, (7.0, 34.0, 310.0), (8.0, 34.0, 150.0), (10.0, 28.0, 60.0))
AIRWAY = (
    *chain(8.5, (0.0, 10.0, 320.0), (-2.0, 18.0, 182.0)),
    Capsule((-2.0, 18.0, 182.0), (-42.0, 20.0, 160.0), 7.0, 6.0),
    Capsule((-2.0, 18.0, 182.0), (46.0, 22.0, 154.0), 6.5, 5.5),
)
LOBAR_BRONCHI = (
    Capsule((-36.0, 20.0, 163.0), (-62.0, 8.0, 192.0), 4.5, 2.5),
    Capsule((-42.0, 20.0, 160.0), (-66.0, 34.0, 118.0), 5.0, 2.5),
    Capsule((46.0, 22.0, 154.0), (64.0, 6.0, 186.0), 4.5, 2.5),
    Capsule((46.0, 22.0, 154.0), (66.0, 38.0, 112.0), 4.5, 2.5),
)
CLAVICLES = tuple(
    Capsule((side * 16.0, -74.0, 262.0), (side * 132.0, -22.0, 290.0), 6.5, 6.0)
    for side in (RIGHT, LEFT)
)
SCAPULAE = tuple(
    Capsule((side * 92.0, 88.0, 168.0), (side * 128.0, 62.0, 288.0), 4.0, 7.5) for side in (RIGHT, LEFT)
)
STOMACH_GAS = Ball((62.0, -44.0, 22.0), 27.0, AIR)
"""Gas below the left diaphragm: a lung tool must leave it out."""

FIRST_RIB_MM, RIB_STEP_MM, RIBS, RIB_SLOPE = 20.0, 24.0, 12, 0.42


def cage(grid: Grid) -> FloatArray:
    """Distance to the inner wall of the rib cage: an elliptic cylinder below, a dome above."""
    above = np.maximum(grid.z - 120.0, 0.0)
    taper = np.sqrt(np.maximum(1.0 - (above / 166.0) ** 2, np.float32(1e-4)))
    return ellipse(grid, 0.0, 4.0, 124.0 * taper, 86.0 * taper, power=2.3)


def diaphragm(grid: Grid) -> FloatArray:
    """Height of the domes above a voxel, mm: positive below the diaphragm (outside the lung)."""
    right = 96.0 - 0.0088 * ((grid.x + 66.0) ** 2 + (grid.y + 6.0) ** 2)
    left = 86.0 - 0.0088 * ((grid.x - 70.0) ** 2 + (grid.y + 6.0) ** 2)
    height: FloatArray = (np.where(grid.x < 0, right, left) - grid.z).astype(np.float32)
    return height * np.float32(0.8)


def heart(grid: Grid) -> FloatArray:
    """Distance to the heart: two overlapping ellipsoids, apex to the left and front."""
    return union(
        ellipsoid(grid, (4.0, -22.0, 108.0), (50.0, 42.0, 44.0)),
        ellipsoid(grid, (40.0, -38.0, 92.0), (44.0, 34.0, 38.0)),
    )


def mediastinum(grid: Grid) -> FloatArray:
    """Distance to what parts the lungs: central column, spine, heart, great vessels, junction line."""
    column = ellipse(grid, 0.0, 2.0, 36.0, 52.0)
    spine = ellipse(grid, 0.0, 66.0, 27.0, 32.0)
    junction = np.abs(grid.x) - np.float32(2.4)
    arteries = union(tubes(grid, ASCENDING_AND_ARCH), tubes(grid, DESCENDING_AORTA))
    return union(column, spine, junction, heart(grid) - 3.0, arteries - 1.5)


def lungs(grid: Grid) -> FloatArray:
    """Distance to both lungs with all that lies in them (vessels, bronchi, nodule)."""
    return common(cage(grid), diaphragm(grid), -mediastinum(grid))


@cache
def vessels() -> tuple[Capsule, ...]:
    """Return branching vessels of both lungs, grown from the hila by a fixed random stream."""
    rng = np.random.default_rng(SEED)
    grown: list[Capsule] = []

    def grow(start: Vector, way: Vector, radius: float, left: int) -> None:
        length = 7.0 + 3.4 * radius
        end = start + way * length
        if np.linalg.norm(end - np.asarray(NODULE.centre)) > NODULE_CLEARANCE_MM + length / 2:
            grown.append(Capsule(_point(start), _point(end), radius, radius * 0.85))
        if left == 0:
            return
        for _ in range(2):
            turned = way + rng.uniform(-0.75, 0.75, 3)
            grow(end, turned / np.linalg.norm(turned), radius * 0.78, left - 1)

    for side in (RIGHT, LEFT):
        for height, forward, up in (
            (158.0, 0.1, 1.0), (156.0, -0.6, 0.7), (156.0, 0.6, 0.7), (152.0, -0.7, 0.1),
            (148.0, 0.6, -0.1), (144.0, -0.5, -0.7), (140.0, 0.1, -1.0), (138.0, 0.6, -0.9),
        ):  # fmt: skip
            way = np.array([side * 0.8, forward, up])
            grow(np.array([side * 40.0, 14.0, height]), way / np.linalg.norm(way), 4.4, 6)
    return tuple(grown)


@cache
def bullae() -> tuple[Ball, ...]:
    """Return emphysema-like pockets, most in the upper lungs."""
    rng = np.random.default_rng(SEED + 1)
    found: list[Ball] = []
    while len(found) < 150:
        side = RIGHT if rng.random() < 0.5 else LEFT
        centre = np.array(
            [side * rng.uniform(40, 112), rng.uniform(-70, 78), rng.triangular(120, 250, 272)]
        )
        radius = rng.uniform(3.0, 7.5)
        if np.linalg.norm(centre - np.asarray(NODULE.centre)) > NODULE_CLEARANCE_MM + radius:
            found.append(Ball(_point(centre), float(radius), BULLA))
    return tuple(found)


def _point(values: Vector) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z


@cache
def texture() -> FloatArray:
    """Return the lung's texture, (slice, row, column), mean 0 and about 14 HU: smoothed white noise."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(SEED + 2)
    rough = rng.standard_normal((SLICES, SIZE // 2, SIZE // 2), dtype=np.float32)
    smooth = gaussian_filter(rough, (0.6, 1.1, 1.1), mode="wrap")
    smooth *= np.float32(14.0 / smooth.std(dtype=np.float64))
    doubled: FloatArray = np.repeat(np.repeat(smooth, 2, axis=1), 2, axis=2)
    return doubled


def _lay(hu: FloatArray, distance: FloatArray, value: Any) -> None:
    part = coverage(distance)
    hu += part * (value - hu)


def _bones(grid: Grid, hu: FloatArray, wall: FloatArray) -> None:
    shell = np.abs(wall - 7.0) - 3.6
    for index in range(RIBS):
        plane = grid.z - (FIRST_RIB_MM + index * RIB_STEP_MM + RIB_SLOPE * grid.y)
        rib = np.maximum(shell, np.abs(plane) * np.float32(0.92) - 5.0)
        if rib.min() > PIXEL_MM:
            continue
        front = np.broadcast_to(grid.y < -66.0, rib.shape)
        _lay(hu, rib, np.where(front, CARTILAGE, CORTEX))
        _lay(hu, rib + 1.9, np.where(front, CARTILAGE, MARROW))
    disc = np.abs(np.mod(grid.z, 25.0) - 12.5) > 10.0
    body = ellipse(grid, 0.0, 66.0, 19.0, 15.0)
    _lay(hu, body, np.where(disc, 85.0, CORTEX))
    _lay(hu, body + 2.0, np.where(disc, 85.0, MARROW))
    _lay(
        hu,
        np.maximum(ellipse(grid, 0.0, 92.0, 19.0, 13.0), -ellipse(grid, 0.0, 88.0, 10.5, 8.5)),
        CORTEX * 0.8,
    )
    _lay(hu, ellipse(grid, 0.0, 88.0, 8.5, 7.0), 25.0)
    spinous = np.maximum(np.abs(grid.x) - 3.2, np.abs(grid.y - 112.0) - 10.0) + np.zeros_like(grid.z)
    _lay(hu, spinous.astype(np.float32), CORTEX * 0.7)
    sternum = np.maximum(ellipse(grid, 0.0, -100.0, 17.0, 6.0), np.abs(grid.z - 170.0) - 72.0)
    _lay(hu, sternum.astype(np.float32), CORTEX * 0.7)
    _lay(hu, sternum.astype(np.float32) + 2.0, MARROW)
    for bone in (*CLAVICLES, *SCAPULAE):
        tube = capsule(grid, bone)
        _lay(hu, tube, CORTEX)
        _lay(hu, tube + 2.2, MARROW)


def _abdomen(grid: Grid, hu: FloatArray, wall: FloatArray) -> None:
    below = np.maximum(wall, -diaphragm(grid) + 3.0)
    _lay(hu, below, FAT)
    right = np.broadcast_to(grid.x, below.shape)
    _lay(hu, np.maximum(below + 1.0, right - 22.0), LIVER)
    _lay(hu, ellipsoid(grid, (92.0, 42.0, 18.0), (32.0, 44.0, 42.0)), SPLEEN)
    _lay(hu, ellipsoid(grid, (56.0, -26.0, 14.0), (44.0, 48.0, 46.0)), WATER)
    _lay(
        hu,
        ellipsoid(grid, STOMACH_GAS.centre, (STOMACH_GAS.radius, 22.0, STOMACH_GAS.radius)),
        STOMACH_GAS.hu,
    )


def _lung_contents(grid: Grid, hu: FloatArray, lung: FloatArray, index: int) -> None:
    density = -858.0 + 0.22 * grid.y + texture()[index][None]
    _lay(hu, lung, density)
    inside = coverage(lung)
    low, high = float(grid.z.min()) - 12.0, float(grid.z.max()) + 12.0
    for ball in bullae():
        if low < ball.centre[2] < high:
            part = coverage(ellipsoid(grid, ball.centre, (ball.radius,) * 3)) * inside
            hu += part * (ball.hu - hu)
    for tube in vessels():
        bottom, top = sorted((tube.start[2], tube.end[2]))
        if top < low or bottom > high:
            continue
        window = _window(tube)
        part = coverage(capsule(Grid(grid.x[..., window[2]], grid.y[:, window[1]], grid.z), tube))
        part = part * inside[window]
        hu[window] += part * (BLOOD - hu[window])
    _lay(hu, ellipsoid(grid, NODULE.centre, (NODULE.radius,) * 3), NODULE.hu)


def _window(tube: Capsule) -> tuple[slice, slice, slice]:
    reach = tube.start_radius + 2 * PIXEL_MM

    def span(axis: int) -> slice:
        low, high = sorted((tube.start[axis], tube.end[axis]))
        first = int((low - reach) / PIXEL_MM + (SIZE - 1) / 2)
        last = int((high + reach) / PIXEL_MM + (SIZE - 1) / 2) + 2
        return slice(max(first, 0), min(max(last, 0), SIZE))

    return slice(None), span(1), span(0)


def slice_hu(index: int) -> FloatArray:
    """Return slice `index` (0 = lowest) of the phantom without noise, (row, column) HU."""
    grid = Grid.of_slice(index)
    hu = np.full((SUB_SLICES, SIZE, SIZE), AIR, dtype=np.float32)
    wall = cage(grid)
    shoulder = np.clip((grid.z - 200.0) / 90.0, 0.0, 1.0)
    skin = ellipse(grid, 0.0, 8.0, 162.0 - 4.0 * shoulder, 120.0 - 14.0 * shoulder, power=2.4)
    _lay(hu, skin, SKIN)
    _lay(hu, skin + 2.2, FAT)
    _lay(hu, skin + 15.0 + (np.abs(grid.x) / 40.0).astype(np.float32), MUSCLE)
    _lay(hu, wall - 13.0, MUSCLE)
    _lay(hu, wall - 1.5, FAT + 10.0)
    _bones(grid, hu, wall)
    _lay(hu, heart(grid), BLOOD)
    for great in GREAT_VESSELS:
        _lay(hu, tubes(grid, great), BLOOD)
    _lay(hu, tubes(grid, OESOPHAGUS), SOFT)
    _abdomen(grid, hu, wall)
    _lay(hu, tubes(grid, DESCENDING_AORTA), BLOOD)
    lung = lungs(grid)
    _lung_contents(grid, hu, lung, index)
    hilum = np.maximum(tubes(grid, PULMONARY_TRUNK), wall + 20.0)
    _lay(hu, hilum, BLOOD)
    for airways in (LOBAR_BRONCHI, AIRWAY):
        bore = tubes(grid, airways)
        _lay(hu, bore - 1.6, SOFT)
        _lay(hu, bore, AIR)
    couch = np.abs(ellipse(grid, 0.0, 66.0, 236.0, 74.0)) - 1.4
    _lay(hu, np.maximum(couch, 118.0 - grid.y).astype(np.float32), TABLE)
    mean: FloatArray = hu.mean(axis=0)
    return mean


def stored_slice(index: int) -> npt.NDArray[np.uint16]:
    """Return slice `index` as stored values: HU with noise, plus 1024, in 12 bits."""
    rng = np.random.default_rng([SEED, 3, index])
    hu = slice_hu(index)
    white = rng.standard_normal(hu.shape, dtype=np.float32) * np.float32(NOISE_HU)
    # Air outside the body keeps its exact value: noise there would only cost space.
    noisy = np.where(hu > AIR + 1.0, hu + white, hu)
    stored: npt.NDArray[np.uint16] = np.clip(np.rint(noisy) - INTERCEPT, 0, 4095).astype(np.uint16)
    return stored


def truth() -> dict[str, Any]:
    """Return what is known exactly: integrals and centres of the analytic bodies, LPS mm and ml."""
    voxel_ml = PIXEL_MM * PIXEL_MM * SLICE_MM / 1000.0
    volume = {"right": 0.0, "left": 0.0}
    for index in range(SLICES):
        grid = Grid.of_slice(index)
        part = coverage(np.maximum(lungs(grid), -_large_bodies(grid))).mean(axis=0, dtype=np.float64)
        right = np.broadcast_to(grid.x[0] < 0, part.shape)
        volume["right"] += float(part[right].sum()) * voxel_ml
        volume["left"] += float(part[~right].sum()) * voxel_ml
    position = round(NODULE.centre[2] / SLICE_MM)
    return {
        "phantom": "chest",
        "version": VERSION,
        "frame": "LPS mm",
        "lung_volume_ml": {side: round(value, 1) for side, value in volume.items()},
        "lung_volume_includes": "all within the pleura, with vessels and the nodule; without hilar "
        "great vessels and bronchi",
        "nodule": {
            "centre_lps_mm": list(NODULE.centre),
            "diameter_mm": 2 * NODULE.radius,
            "volume_mm3": round(4 / 3 * np.pi * NODULE.radius**3, 1),
            "density_hu": NODULE.hu,
            "side": "right",
            "lobe": "right upper lobe",
            "slice_index_from_feet": position,
            "sop_instance_uid": uid(f"image {position}"),
            "centre_pixel_column_row": [
                round(NODULE.centre[axis] / PIXEL_MM + (SIZE - 1) / 2, 3) for axis in (0, 1)
            ],
        },
    }


def _large_bodies(grid: Grid) -> FloatArray:
    return union(
        tubes(grid, PULMONARY_TRUNK),
        tubes(grid, AIRWAY) - 1.6,
        tubes(grid, LOBAR_BRONCHI) - 1.6,
    )


def uid(name: str) -> str:
    """Return the UID of a thing of this phantom: 2.25 and a number from a hash (PS3.5 B.2)."""
    digest = hashlib.sha256(f"sightline chest phantom {VERSION} {name}".encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


def dataset(index: int) -> Any:
    """Return slice `index` as a pydicom CT Image Storage dataset, JPEG-LS lossless."""
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = uid(f"image {index}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid("implementation")
    meta.ImplementationVersionName = "SIGHTLINE"
    ds = Dataset()
    ds.file_meta = meta
    ds.preamble = b"\0" * 128
    day = date(2026, 1, 5).strftime("%Y%m%d")
    corner = -(SIZE - 1) / 2 * PIXEL_MM
    fields: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": uid(f"image {index}"),
        "SyntheticData": "YES",
        "StudyDate": day, "SeriesDate": day, "AcquisitionDate": day, "ContentDate": day,
        "StudyTime": "090000", "SeriesTime": "090000",
        "AcquisitionTime": "090000", "ContentTime": "090000",
        "AccessionNumber": "SYNTH-0001",
        "Modality": "CT",
        "Manufacturer": "Sightline",
        "ManufacturerModelName": "Analytic chest phantom",
        "DeviceSerialNumber": "0",
        "SoftwareVersions": VERSION,
        "ReferringPhysicianName": "",
        "StudyDescription": "Chest CT, synthetic phantom (no patient)",
        "SeriesDescription": "Axial 5 mm, synthetic phantom",
        "PatientName": "PHANTOM^CHEST",
        "PatientID": "SYNTHETIC-CHEST-1",
        "PatientBirthDate": "",
        "PatientSex": "O",
        "BodyPartExamined": "CHEST",
        "KVP": "120",
        "SliceThickness": f"{SLICE_MM:g}",
        "SpacingBetweenSlices": f"{SLICE_MM:g}",
        "ConvolutionKernel": "STANDARD",
        "PatientPosition": "HFS",
        "StudyInstanceUID": uid("study"),
        "SeriesInstanceUID": uid("series"),
        "StudyID": "1",
        "SeriesNumber": "1",
        "AcquisitionNumber": "1",
        "InstanceNumber": str(SLICES - index),  # counted from the head, as scanners do
        "ImagePositionPatient": [f"{corner:g}", f"{corner:g}", f"{index * SLICE_MM:g}"],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "FrameOfReferenceUID": uid("frame of reference"),
        "PositionReferenceIndicator": "",
        "SliceLocation": f"{index * SLICE_MM:g}",
        "ImageComments": "SYNTHETIC: computed from formulas, shows no patient",
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": SIZE,
        "Columns": SIZE,
        "PixelSpacing": [f"{PIXEL_MM:g}", f"{PIXEL_MM:g}"],
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "WindowCenter": ["40", "-500"],
        "WindowWidth": ["400", "1500"],
        "WindowCenterWidthExplanation": ["SOFT TISSUE", "LUNG"],
        "RescaleIntercept": str(INTERCEPT),
        "RescaleSlope": "1",
        "RescaleType": "HU",
    }  # fmt: skip
    for keyword, value in fields.items():
        setattr(ds, keyword, value)
    ds.PixelData = stored_slice(index).tobytes()
    ds["PixelData"].VR = "OW"
    pydicom.pixels.compress(ds, JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
    return ds


def write(folder: Path) -> Path:
    """Write the images into `folder/chest-phantom` and the truth beside it; return the truth's path."""
    series = folder / "chest-phantom"
    series.mkdir(parents=True, exist_ok=True)
    for index in range(SLICES):
        dataset(index).save_as(series / f"{SLICES - index:04d}.dcm", enforce_file_format=True)
    path = folder / "chest-phantom.truth.json"
    path.write_text(json.dumps(truth(), indent=2) + "\n", encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    """Write the phantom into the folder that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m inference.evaluation.phantom OUT\n")
        return 2
    path = write(Path(arguments[0]))
    sys.stderr.write(f"Wrote {SLICES} images and {path}.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Loading against the least that any program must do: reading the same bytes into the same memory.

Every ratio compares two ways in one process run, measured in turns; a ratio says more than a time.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from viewer.imaging.index import index_paths
from viewer.imaging.reader import Reader
from viewer.imaging.study import Series
from viewer.imaging.worker.memory import SharedPool

SLICES, SIZE = 300, 512
ROUNDS = 7


def write_ct(folder: Path, slices: int = SLICES, size: int = SIZE) -> None:
    """Write an uncompressed CT series with a header as scanners write it (sequences, private data)."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.sequence import Sequence
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    rng = np.random.default_rng(1)
    pixels = rng.integers(-1000, 1500, size=(size, size), dtype=np.int16)
    for number in range(slices):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CTImageStorage
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.SpecificCharacterSet, ds.Modality = "ISO_IR 100", "CT"
        ds.PatientName, ds.PatientID = "Bench", "B"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.StudyDate, ds.StudyTime, ds.SeriesNumber = "20200101", "120000", "2"
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "RPID16", "RadLex", "CT Chest"
        ds.ProcedureCodeSequence = Sequence([code])
        ds.RequestAttributesSequence = Sequence([code])
        ds.SliceThickness, ds.KVP, ds.ConvolutionKernel = "1.0", "120", "B30f"
        block = ds.private_block(0x0009, "BENCH 1.0", create=True)
        for element in range(0x10, 0x40):
            block.add_new(element, "LO", f"private value {element}")
        ds.ImagePositionPatient = [-200.0, -200.0, -float(number)]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.InstanceNumber = [0.78125, 0.78125], number + 1
        ds.Rows = ds.Columns = size
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.RescaleSlope, ds.RescaleIntercept = "1", "0"
        ds.WindowCenter, ds.WindowWidth = ["40", "-500"], ["400", "1500"]
        ds.PixelData = np.roll(pixels, number).tobytes()
        ds.save_as(folder / f"IM{number:05d}.dcm", enforce_file_format=True)


def median_times(ways: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median seconds of each way, run in turns after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def _preadv(pool: SharedPool, series: Series) -> None:
    """Read the pixel bytes of a series in order into a buffer of the pool: the reference."""
    size = sum(instance.pixel_length for instance in series.instances)
    with pool.acquire(size) as buffer:
        target = memoryview(buffer.view(np.uint8, (size,), writable=True))
        filled = 0
        for instance in series.instances:
            descriptor = os.open(instance.path, os.O_RDONLY)
            try:
                end = filled + instance.pixel_length
                os.preadv(descriptor, [target[filled:end]], instance.pixel_offset)
            finally:
                os.close(descriptor)
            filled = end
        target.release()


def _simpleitk(series: Series) -> None:
    """Read the series with SimpleITK, its files already sorted: without its slow index."""
    import SimpleITK as sitk  # noqa: N813 - its usual name

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([instance.path for instance in series.instances])
    reader.Execute()


def run() -> list[dict[str, Any]]:
    """Return the rows for docs/benchmarks.md."""
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as name, Reader() as reader:
        folder = Path(name)
        write_ct(folder)
        series = reader.index([folder]).studies[0].series[0]
        scan = median_times({"index": lambda: index_paths([name])})["index"]
        first_image: list[float] = []

        def opened() -> None:
            reader.open(series).release()

        def indexed_and_opened() -> None:
            reader.open(reader.index([folder]).studies[0].series[0]).release()

        def until_first_image() -> None:
            start = time.perf_counter()
            found = reader.index([folder]).studies[0].series[0]
            seen: list[float] = []
            reader.open(
                found, on_frames=lambda _: seen.append(time.perf_counter()) if not seen else None
            ).release()
            first_image.append(seen[0] - start)

        times = median_times(
            {
                "preadv": lambda: _preadv(reader.pool, series),
                "open": opened,
                "index and open": indexed_and_opened,
            }
        )
        slow = median_times({"SimpleITK": lambda: _simpleitk(series)}, rounds=3)["SimpleITK"]
        median_times({"first": until_first_image}, rounds=3)
    shape = f"{SLICES} x {SIZE} x {SIZE} int16"
    reference = times["preadv"]
    whole = times["index and open"]
    return [
        _row(f"open {shape} / preadv", times["open"], reference, "headers known; worker included"),
        _row(f"index and open {shape} / preadv", whole, reference, "paths to volume; worker included"),
        _row(f"SimpleITK / index and open {shape}", slow, whole, "SimpleITK is given sorted names"),
        _row(
            "header scan, seconds per 300 files / preadv of their pixels",
            scan,
            reference,
            f"{SLICES / scan:,.0f} files/s in one process",
        ),
        _row(
            "first image of 300 files, scan included / preadv of all",
            statistics.median(first_image),
            reference,
            f"{statistics.median(first_image) * 1000:.0f} ms",
        ),
    ]


def _row(name: str, ours: float, reference: float, note: str) -> dict[str, Any]:
    return {
        "name": name,
        "ours": round(ours, 4),
        "reference": round(reference, 4),
        "ratio": round(ours / reference, 2),
        "note": note,
    }


def main() -> None:
    """Print the rows."""
    for row in run():
        seconds = f"{row['ours']:.4f} / {row['reference']:.4f} s"
        print(f"{row['ratio']:6.2f}  {row['name']}  ({seconds}; {row['note']})")


if __name__ == "__main__":
    main()

"""Loading against reading the same bytes into the same memory, the least there is; best of the turns.

Every ratio compares two ways in one process run, measured in turns; a ratio says more than a time. The
best of each is compared: what else the machine does only ever adds.
"""

from __future__ import annotations

import itertools
import os
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
MANY = 1000
"""Slices of the large series."""
FILES, TINY = 10_000, 16
"""Files of the large import, and their rows: a header counts, whatever the pixels."""
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


def in_turns(ways: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Return the seconds of each way, run in turns after one round to warm up.

    A way that returns a number has measured itself.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            own = way()
            if turn:
                passed = time.perf_counter() - start
                times[name].append(own if isinstance(own, float) else passed)
    return times


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
    with (
        tempfile.TemporaryDirectory(prefix="sightline-bench-") as name,
        Reader() as reader,
        Reader() as fresh,
    ):
        folder = Path(name)
        write_ct(folder)
        series = reader.index([folder]).studies[0].series[0]
        turns = itertools.count()

        def unseen() -> Series:
            """Return the series as one that the worker has not met, so that it parses all of it."""
            return series.model_copy(update={"description": f"turn {next(turns)}"})

        def indexed_and_opened() -> None:
            reader.index([folder])
            reader.open(unseen()).release()

        times = in_turns(
            {
                "preadv": lambda: _preadv(reader.pool, series),
                "open": lambda: reader.open(unseen()).release(),
                "index and open": indexed_and_opened,
                "scan": lambda: index_paths([name]),
                "pydicom": lambda: _pydicom_headers(series),
                "first": lambda: _until_first_image(reader, unseen(), folder),
                "click": lambda: _until_first_image(fresh, unseen()),
                "SimpleITK": lambda: _simpleitk(series),
            }
        )
        large = _large_series(reader)
        imported = _large_import()
    shape = f"{SLICES} x {SIZE} x {SIZE} int16"
    files_per_second = SLICES / min(times["scan"])
    return [
        _row(
            f"open {shape} / preadv of the same bytes",
            times["open"],
            times["preadv"],
            "worker included",
        ),
        _row(
            f"open {shape} / SimpleITK",
            times["open"],
            times["SimpleITK"],
            "SimpleITK is given the sorted names; worker included",
        ),
        _row(
            f"index and open {shape} / preadv of the same bytes",
            times["index and open"],
            times["preadv"],
            "from a folder to a complete volume, worker included",
        ),
        _row(
            f"index and open {shape} / SimpleITK",
            times["index and open"],
            times["SimpleITK"],
            "SimpleITK is given the sorted names",
        ),
        _row(
            f"index of {SLICES} files / headers by pydicom",
            times["scan"],
            times["pydicom"],
            f"{files_per_second:,.0f} files/s in one process",
        ),
        _row(
            f"first image of {SLICES} files, index included / preadv of all",
            times["first"],
            times["preadv"],
            "until its frame event is heard",
        ),
        _row(
            f"first image of {SLICES} files into fresh memory / preadv of all",
            times["click"],
            times["preadv"],
            "indexed before; no segment to reuse",
        ),
        large,
        imported,
    ]


def _large_series(reader: Reader) -> dict[str, Any]:
    """Time a click on a folder of many slices to its first image."""
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as name:
        folder = Path(name)
        write_ct(folder, MANY)
        series = reader.index([folder]).studies[0].series[0]
        turns = itertools.count()

        def first() -> float:
            unseen = series.model_copy(update={"description": f"large {next(turns)}"})
            return _until_first_image(reader, unseen, folder)

        times = in_turns({"preadv": lambda: _preadv(reader.pool, series), "first": first}, 5)
    return _row(
        f"first image of {MANY:,} files, index included / preadv of all",
        times["first"],
        times["preadv"],
        "until its frame event is heard",
    )


def _large_import() -> dict[str, Any]:
    """Time the index of many files."""
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as name:
        folder = Path(name)
        write_ct(folder, FILES, TINY)
        series = index_paths([name]).studies[0].series[0]
        ways: dict[str, Callable[[], object]] = {
            "scan": lambda: index_paths([name]),
            "pydicom": lambda: _pydicom_headers(series),
        }
        times = in_turns(ways, 3)
    return _row(
        f"index of {FILES:,} files / headers by pydicom",
        times["scan"],
        times["pydicom"],
        f"{FILES / min(times['scan']):,.0f} files/s in one process",
    )


def _pydicom_headers(series: Series) -> None:
    from pydicom import dcmread

    for instance in series.instances:
        dcmread(instance.path, stop_before_pixels=True)


def _until_first_image(reader: Reader, series: Series, folder: Path | None = None) -> float:
    """Return the seconds to the first image, from a folder or else into memory never used before."""
    heard: list[float] = []
    if folder is None:
        reader.pool.close()
        reader.pool = SharedPool()
    start = time.perf_counter()
    if folder is not None:
        reader.index([folder])
    reader.open(series, on_frames=lambda _: heard.append(time.perf_counter())).release()
    return heard[0] - start


def _row(name: str, ours: list[float], reference: list[float], note: str) -> dict[str, Any]:
    """Make a row of the least seconds of the turns."""
    mine, other = min(ours), min(reference)
    return {
        "name": name,
        "ours": round(mine, 4),
        "reference": round(other, 4),
        "ratio": round(mine / other, 3),
        "note": note,
    }


def main() -> None:
    """Print the rows."""
    for row in run():
        seconds = f"{row['ours']:.4f} / {row['reference']:.4f} s"
        print(f"{row['ratio']:6.2f}  {row['name']}  ({seconds}; {row['note']})")


if __name__ == "__main__":
    main()

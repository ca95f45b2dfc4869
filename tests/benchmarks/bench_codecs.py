"""Compressed series: images a second, against one thread of the library times the cores; best turns."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from bench_load import in_turns

from viewer.imaging.decode import decode_stack
from viewer.imaging.layout import stack_layout
from viewer.imaging.reader import Reader
from viewer.imaging.study import Series

SLICES, SIZE = 32, 512
LONG = 200
"""Images of a series as scanners make them: the same ones again and again."""
ROUNDS = 5

Frames = npt.NDArray[np.uint16]
Encode = Callable[[npt.NDArray[np.uint16]], bytes]


def _codecs() -> dict[str, tuple[str, Encode, Callable[[bytes], Any]]]:
    """Return transfer syntax, encoder and the library's decoder by name; all lossless."""
    import imagecodecs

    return {
        "RLE": ("1.2.840.10008.1.2.5", _rle, lambda data: imagecodecs.dicomrle_decode(data, "<u2")),
        "JPEG lossless": (
            "1.2.840.10008.1.2.4.70",
            lambda frame: bytes(imagecodecs.ljpeg_encode(frame, bitspersample=16)),
            imagecodecs.jpeg8_decode,  # half the time of jpegsof3_decode, the same values
        ),
        "JPEG-LS": (
            "1.2.840.10008.1.2.4.80",
            lambda frame: bytes(imagecodecs.jpegls_encode(frame)),
            imagecodecs.jpegls_decode,
        ),
        "JPEG 2000": (
            "1.2.840.10008.1.2.4.90",
            lambda frame: bytes(
                imagecodecs.jpeg2k_encode(frame, level=0, reversible=True, codecformat="J2K")
            ),
            lambda data: imagecodecs.jpeg2k_decode(data, numthreads=1),
        ),
    }


def _rle(frame: npt.NDArray[np.uint16]) -> bytes:
    """Return the RLE of a frame (PS3.5 G), by pydicom's encoder."""
    from pydicom.pixels.encoders import RLELosslessEncoder

    return RLELosslessEncoder.encode(
        frame,
        encoding_plugin="pydicom",
        rows=SIZE,
        columns=SIZE,
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=16,
        bits_stored=16,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
    )


def _frames() -> Frames:
    """Return 12-bit images with smooth parts, edges and noise, as those of a scanner."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] / SIZE - 0.5
    body = ((rows / 0.4) ** 2 + (columns / 0.45) ** 2 < 1.0) * 1000.0
    smooth = 80.0 * np.sin(9.0 * rows) * np.cos(7.0 * columns)
    noise = rng.normal(0.0, 12.0, (SLICES, SIZE, SIZE))
    return np.clip(body + smooth * (body > 0) + noise + 60.0, 0, 4095).astype(np.uint16)


def _write(folder: Path, frames: Frames, syntax: str, encoded: list[bytes]) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, CTImageStorage, generate_uid

    study, series = generate_uid(), generate_uid()
    for number, data in enumerate(encoded):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = UID(syntax)
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.Modality = study, series, "CT"
        ds.PatientName, ds.PatientID = "Bench", "B"
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.InstanceNumber = [0.7, 0.7], number + 1
        ds.Rows, ds.Columns = frames.shape[1:]
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.PixelData = encapsulate([data])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        ds.save_as(folder / f"IM{number:03d}.dcm", enforce_file_format=True)


def run() -> list[dict[str, Any]]:
    """Return three rows for each codec: the rate of an opened series, processor time, a long series.

    Raises
    ------
    AssertionError
        A series does not come back bit for bit.
    """
    frames = _frames()
    rows = []
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as name, Reader() as reader:
        for codec, (syntax, encode, decode) in _codecs().items():
            folder = Path(name, syntax)
            folder.mkdir()
            encoded = [encode(frame) for frame in frames]
            _write(folder, frames, syntax, encoded)
            series = reader.index([folder]).studies[0].series[0]
            with reader.open(series) as opened:
                assert np.array_equal(opened.stack.stored, frames), f"{codec} is not bit-exact"
            rows += _measured(codec, reader, series, encoded, decode)
            longer = Path(name, f"{syntax}-long")
            longer.mkdir()
            many = [encoded[number % SLICES] for number in range(LONG)]
            _write(longer, frames, syntax, many)
            long_series = reader.index([longer]).studies[0].series[0]
            rows += _measured(codec, reader, long_series, many, decode)[:1]
    return rows


def _measured(
    codec: str,
    reader: Reader,
    series: Series,
    encoded: list[bytes],
    decode: Callable[[bytes], Any],
) -> list[dict[str, Any]]:
    layout = stack_layout(series)
    buffer = np.empty(layout.shape, layout.dtype)
    turns = itertools.count()
    spent: dict[str, list[float]] = {"ours": [], "library": []}

    def opened() -> None:
        reader.open(series.model_copy(update={"description": f"turn {next(turns)}"})).release()

    def library() -> None:
        start = time.process_time()
        for data in encoded:
            decode(data)
        spent["library"].append(time.process_time() - start)

    def here() -> None:
        start = time.process_time()
        decode_stack(series, layout, buffer)
        spent["ours"].append(time.process_time() - start)

    times = in_turns({"opened": opened, "library": library, "here": here}, ROUNDS)
    cores = os.cpu_count() or 1
    rate = len(encoded) / min(times["opened"])
    best = cores * len(encoded) / min(times["library"])
    ours, bare = (min(spent[key]) * 1000 for key in ("ours", "library"))
    return [
        {
            "name": f"{codec}, {len(encoded)} x {SIZE} x {SIZE}",
            "ours": rate,
            "reference": best,
            "ratio": rate / best,
            "note": f"images a second, worker included; reference: {cores} cores x imagecodecs in one "
            "thread; bit-exact",
        },
        {
            "name": f"{codec}, processor time",
            "ours": ours,
            "reference": bare,
            "ratio": ours / bare,
            "note": "ms a series, files and threads included; reference: imagecodecs in one thread",
        },
    ]


if __name__ == "__main__":
    for row in run():
        figures = f"{row['ours']:.4g} / {row['reference']:.4g} = {row['ratio']:.3g}"
        print(f"{row['name']}: {figures} ({row['note']})")

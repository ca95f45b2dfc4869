"""Every readable test file is rendered as a plain NumPy reading of the standard renders it.

The peer below shares nothing with the program: pydicom decodes and applies the Modality LUT, and the
window is the formula of PS3.3 C.11.2.1 written out. Grey must agree pixel for pixel; what may differ
and why is in `TOLERANCE` and `NO_PEER`.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array
from pydicom.uid import ImplicitVRLittleEndian

from viewer.imaging.decode import decode_one
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.render import render_frame
from viewer.imaging.volume import ImageStack

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"

DCT_SYNTAXES = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")

TOLERANCE = 1
"""Grey levels by which a colour image in lossy JPEG may differ: the inverse DCT and the upsampling of
chrominance are not bit-exact between libraries (ITU-T T.83 allows it)."""


def peer(path: Path, frame: int) -> np.ndarray:
    """Return frame (from 0) of a file as grey (rows, columns) or RGB, straightforwardly.

    Of a mosaic: the whole picture.
    """
    ds = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    if "MOSAIC" in ds.get("ImageType", ()):
        frame = 0
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(pixel_array(ds, index=frame), ds)
        return (values >> 8 if values.dtype == np.uint16 else values).astype(np.uint8)
    if "TotalPixelMatrixRows" in ds:
        return slide(ds)
    if ds.SamplesPerPixel == 3:
        values = pixel_array(ds, index=frame)
        return (values >> max(0, ds.BitsStored - 8)).astype(np.uint8)
    return grey(ds, pixel_array(ds, index=frame, raw=True), groups(ds, frame))


def slide(ds: Any) -> np.ndarray:
    """A level of a slide, TILED_FULL: its tiles side by side, cropped."""
    height, width = ds.TotalPixelMatrixRows, ds.TotalPixelMatrixColumns
    across = -(-width // ds.Columns)
    whole = np.zeros((height + ds.Rows, width + ds.Columns, *pixel_array(ds, index=0).shape[2:]), int)
    for number in range(ds.NumberOfFrames):
        top, left = number // across * ds.Rows, number % across * ds.Columns
        whole[top : top + ds.Rows, left : left + ds.Columns] = pixel_array(ds, index=number)
    whole = whole[:height, :width]
    return whole if whole.ndim == 3 else grey(ds, whole.astype(np.uint16), [])


def groups(ds: Any, frame: int) -> list[Any]:
    """Shared functional groups, then those of the frame."""
    shared = list(ds.get("SharedFunctionalGroupsSequence") or ())
    per_frame = list(ds.get("PerFrameFunctionalGroupsSequence") or ())
    return [*shared, *per_frame[frame : frame + 1]]


def grey(ds: Any, stored: np.ndarray, found: list[Any]) -> np.ndarray:
    """Modality LUT, window, MONOCHROME1, padding: one after the other."""
    voi = ds
    modality = ds
    for group in found:
        if group.get("FrameVOILUTSequence"):
            voi = group.FrameVOILUTSequence[0]
        if group.get("PixelValueTransformationSequence"):
            modality = group.PixelValueTransformationSequence[0]
    plain = modality.get("RescaleSlope") in (0, None) and "ModalityLUTSequence" not in modality
    values = (stored if plain else apply_modality_lut(stored, modality)).astype(np.float64)
    padding = np.zeros(stored.shape, dtype=bool)
    if ds.get("PixelPaddingValue") is not None:
        limit = ds.get("PixelPaddingRangeLimit", ds.PixelPaddingValue)
        low, high = sorted((int(ds.PixelPaddingValue), int(limit)))
        padding = (stored >= low) & (stored <= high)
    if stored.dtype.kind == "f":
        padding = ~np.isfinite(stored)
        values[padding] = 0.0
    centers, widths = many(voi.get("WindowCenter")), many(voi.get("WindowWidth"))
    if centers and widths and widths[0] > 0:
        function = voi.get("VOILUTFunction", "LINEAR")
        if stored.dtype.kind == "f" and function == "LINEAR":
            function = "LINEAR_EXACT"
        shown = windowed(values, centers[0], widths[0], function)
    elif voi.get("VOILUTSequence"):
        item = voi.VOILUTSequence[0]
        _, first, bits = item.LUTDescriptor
        index = np.clip(values - first, 0, len(item.LUTData) - 1).astype(int)
        shown = np.asarray(item.LUTData, dtype=np.float64)[index] * (255.0 / (2**bits - 1))
    else:
        shown = without_window(ds, modality, values, padding)
    levels = np.floor(shown + 0.5).astype(np.uint8)
    if ds.PhotometricInterpretation == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE":
        levels = 255 - levels
    levels[padding] = 0
    if ds.get("PixelPresentation") in ("COLOR", "MIXED"):
        return coloured(ds, stored, levels)
    return levels


def without_window(ds: Any, modality: Any, values: np.ndarray, padding: np.ndarray) -> np.ndarray:
    """What an image that brings no window comes up with."""
    if in_hounsfield(ds, modality):
        return windowed(values, 40.0, 400.0, "LINEAR")
    if ds.get("Modality") == "PT" and ds.get("Units") == "GML":
        # the values are SUVs: 0 to 7 on every slice
        return windowed(values, 3.5, 7.0, "LINEAR_EXACT")
    return automatic(values[~padding], values)


def in_hounsfield(ds: Any, modality: Any) -> bool:
    """A CT that says HU comes up as soft tissue when it brings no window of its own."""
    kind = modality.get("RescaleType") or ds.get("RescaleType")
    whole = "PixelPresentation" not in ds and "ModalityLUTSequence" not in ds
    is_scout = "LOCALIZER" in (ds.get("ImageType") or ())
    return ds.get("Modality") == "CT" and kind == "HU" and whole and not is_scout


def coloured(ds: Any, stored: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Supplemental palette, PS3.3 C.7.6.19: colours from the first value mapped on."""
    count, first, _ = ds.RedPaletteColorLookupTableDescriptor
    rgb = np.dstack([levels] * 3)
    for channel, colour in enumerate(("Red", "Green", "Blue")):
        words = np.frombuffer(ds[f"{colour}PaletteColorLookupTableData"].value, dtype="<u2")
        chosen = words[np.clip(stored.astype(int) - first, 0, count - 1)] >> 8
        rgb[..., channel] = np.where(stored >= first, chosen, levels)
    return rgb


def windowed(x: np.ndarray, c: float, w: float, function: str) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2, from 0 to 255."""
    if function == "SIGMOID":
        return 255.0 / (1.0 + np.exp(-4.0 * (x - c) / w))
    if function == "LINEAR_EXACT":
        return np.clip((x - c) / w + 0.5, 0.0, 1.0) * 255.0
    if w == 1:
        return np.where(x <= c - 0.5, 0.0, 255.0)
    return np.clip((x - (c - 0.5)) / (w - 1) + 0.5, 0.0, 1.0) * 255.0


def automatic(image: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Without a window in the header: between the 0.5th and 99.5th percentile, of a quarter million."""
    if image.size == 0:
        return windowed(values, 0.0, 1.0, "LINEAR")
    low, high = np.percentile(image[:: max(1, image.size // 2**18)], (0.5, 99.5))
    return windowed(values, (low + high) / 2, max(high - low, 1.0), "LINEAR_EXACT")


def many(value: Any) -> list[float]:
    if value is None or value == "":
        return []
    return [float(one) for one in value] if hasattr(value, "__iter__") else [float(value)]


def compare(path: Path) -> dict[int, int]:
    """Return the largest difference of the first, middle and last frame; nothing for a bad file."""
    index = index_paths([str(path)])
    if not any(study.series for study in index.studies):  # a bad file, or an object without images
        return {}
    series = index.studies[0].series[0]
    if series.instances[0].path != str(path):  # a DICOMDIR: its files are compared one by one
        return {}
    layout = stack_layout(series)
    differences = {}
    for place in sorted({0, len(layout.frames) // 2, len(layout.frames) - 1}):
        frame = layout.frames[place]
        stored = decode_one(series, layout, place)[np.newaxis]
        ours = render_frame(ImageStack(series=series, stored=stored, frames=(frame,)), 0)
        theirs = peer(path, frame[1] - 1)
        if ours.shape != theirs.shape:  # a mosaic: six tiles of 64 x 64 in a row
            row, column = divmod(frame[1] - 1, 6)
            theirs = theirs[64 * row : 64 * row + 64, 64 * column : 64 * column + 64]
        differences[place] = int(np.abs(ours.astype(int) - theirs.astype(int)).max())
    return differences


NO_PEER = {
    "JPEG-lossy.dcm": "12-bit JPEG that neither pydicom's plugins nor its GDCM decode here",
    "JPGExtended.dcm": "12-bit JPEG that neither pydicom's plugins nor its GDCM decode here",
    "HTJ2KLossless_08_RGB.dcm": "HTJ2K: no permissive plugin of pydicom decodes it",
    "HTJ2K_08_RGB.dcm": "HTJ2K: no permissive plugin of pydicom decodes it",
    "JPEG2000-embedded-sequence-delimiter.dcm": "its code stream is damaged: no decoder reads it",
    "wsi_140tiles_jpeg.dcm": "its last tile is smaller than the header says: pydicom refuses it",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "frames are missing: pydicom refuses the whole file",
    "dwv-test_bad.zip": "an archive, not a file that pydicom opens",
}
"""Files that the index accepts and that have nothing to be compared with, each with its reason."""


def check_all(paths: list[Path]) -> tuple[int, dict[str, object]]:
    """Compare all files; return how many were, and what differs or failed."""
    compared = 0
    wrong: dict[str, object] = {}
    for path in paths:
        if path.name in NO_PEER:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            differences = compare(path)
            if not differences:
                continue
            compared += 1
            worst = max(differences.values())
            if worst > 0 and worst > tolerance(path):
                wrong[path.name] = differences
    return compared, wrong


def tolerance(path: Path) -> int:
    """Grey levels by which a file may differ."""
    ds = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    lossy = ds.file_meta.get("TransferSyntaxUID") in DCT_SYNTAXES
    return TOLERANCE if lossy and ds.SamplesPerPixel == 3 else 0


def test_every_bundled_file_is_rendered_as_plain_numpy_renders_it() -> None:
    compared, wrong = check_all(sorted(path for path in BUNDLED.rglob("*") if path.is_file()))
    assert not wrong
    assert compared >= 75


@pytest.mark.shared
def test_every_real_file_is_rendered_as_plain_numpy_renders_it(shared_data: Path) -> None:
    compared, wrong = check_all(sorted(path for path in shared_data.rglob("*") if path.is_file()))
    assert not wrong
    assert compared >= 1000


def test_the_peer_would_notice_a_wrong_window() -> None:
    path = BUNDLED / "MR_small.dcm"
    ds = pydicom.dcmread(path)
    shifted = windowed(pixel_array(ds).astype(float), 600.0 + 8.0, 1600.0, "LINEAR")
    assert not np.array_equal(np.floor(shifted + 0.5), peer(path, 0))

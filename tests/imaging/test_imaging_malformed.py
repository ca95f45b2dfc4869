"""Every malformed file of the collection, one by one: what is shown, or what is wrong in words."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from viewer.imaging.decode import decode_stack
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.reader import Reader

SHOWN = {
    "derived/injection_strings.dcm": (1, 128, 128),
    "derived/tiff_preamble_polyglot.dcm": (1, 128, 128),
    "derived/zero_spacing_zero_window.dcm": (1, 128, 128),
    "dwv/dwv-test-anonymise.dcm": (1, 32, 32),
    "fodicom/1403-OB.dcm": (1, 3, 3, 3),
    "fodicom/CR-MONO1-10-chest": (1, 440, 440),
    "orthanc/ColorTestMalaterre.dcm": (1, 41, 41, 3),
    "orthanc/Issue140.dcm": (1, 3, 3),
    "orthanc/UnknownSopClassUid.dcm": (1, 41, 41, 3),
    "pydicom/J2K_pixelrep_mismatch.dcm": (1, 512, 512),
    "pydicom/OT-PAL-8-face.dcm": (1, 480, 640, 3),
    "pydicom/bad_sequence.dcm": (1, 512, 512),
    "pydicom/emri_small_jpeg_2k_lossless_too_short.dcm": (10, 64, 64),
    "pydicom/explicit_VR-UN.dcm": (1, 512, 512),
}
"""Files that are odd and whose images are shown: shape of the stack."""

REFUSED = {
    "derived/bits_stored_gt_allocated.dcm": ("bad_header", "20 bits in 16"),
    "derived/html_saved_as.dcm": ("not_dicom", "not a DICOM file"),
    "derived/huge_value_length.dcm": ("truncated", "ends inside its header"),
    "derived/jpeg_named.dcm": ("not_dicom", "not a DICOM file"),
    "derived/missing_pixeldata.dcm": ("no_pixels", "no Pixel Data"),
    "derived/preamble_only.dcm": ("no_pixels", "no Pixel Data"),
    "derived/rows_cols_65535.dcm": ("too_large", "8,192 MiB"),
    "derived/truncated_in_header.dcm": ("truncated", "ends inside its header"),
    "derived/truncated_in_pixels.dcm": ("truncated", "13,303 of 32,768 bytes"),
    "derived/zero_length.dcm": ("not_dicom", "empty"),
    "dwv/dwv-test_no-number-rows.dcm": ("bad_header", "rows and columns"),
    "fodicom/GH626.dcm": ("truncated", "ends inside its header"),
    "pydicom/MR_truncated.dcm": ("truncated", "8,130 of 8,192 bytes"),
    "pydicom/no_meta.dcm": ("not_dicom", "not a DICOM file"),
    "pydicom/rtplan_truncated.dcm": ("truncated", "ends inside its header"),
}
"""Files that are refused: code, and words of the reason."""

UNDECODABLE = {"pydicom/JPEG2000-embedded-sequence-delimiter.dcm": "compressed data is damaged"}
"""Files that the index takes and no decoder reads."""


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(SHOWN))
def test_an_odd_file_is_shown(shared_data: Path, name: str) -> None:
    index = index_paths([str(shared_data / "malformed" / name)])
    assert not index.bad_files
    series = index.studies[0].series[0]
    layout = stack_layout(series)
    stored = np.zeros(layout.shape, dtype=layout.dtype)
    assert not decode_stack(series, layout, stored).bad
    assert stored.shape == SHOWN[name]
    assert stored.max() > stored.min()


@pytest.mark.shared
def test_a_file_whose_end_is_missing_gives_the_frames_that_are_whole(shared_data: Path) -> None:
    """Ten frames are there, what follows them is not: all ten are those of the uncompressed file."""
    stacks = []
    for name in (
        "malformed/pydicom/emri_small_jpeg_2k_lossless_too_short.dcm",
        "multiframe/emri_small.dcm",
    ):
        series = index_paths([str(shared_data / name)]).studies[0].series[0]
        layout = stack_layout(series)
        stored = np.zeros(layout.shape, dtype=layout.dtype)
        decode_stack(series, layout, stored)
        stacks.append(stored)
    assert np.array_equal(*stacks)


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_bad_file_is_named_with_what_is_wrong(shared_data: Path, name: str) -> None:
    path = shared_data / "malformed" / name
    index = index_paths([str(path)])
    assert not index.studies
    (bad,) = index.bad_files
    code, words = REFUSED[name]
    assert (bad.path, bad.code) == (str(path), code)
    assert words in bad.reason


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(UNDECODABLE))
def test_a_damaged_code_stream_is_named_when_it_is_decoded(shared_data: Path, name: str) -> None:
    series = index_paths([str(shared_data / "malformed" / name)]).studies[0].series[0]
    layout = stack_layout(series)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bad = decode_stack(series, layout, np.zeros(layout.shape, dtype=layout.dtype)).bad
    assert UNDECODABLE[name] in bad[0].reason


@pytest.mark.shared
def test_everything_together_opens_in_one_worker_and_every_file_is_accounted_for(
    shared_data: Path,
) -> None:
    """One worker, within its memory limit, opens what can be opened; no file is lost without a word."""
    folders = [shared_data / name for name in ("malformed", "charset", "dicomdir", "transfer-syntax")]
    opened = 0
    with Reader() as reader:
        reader.host.start()
        started = reader.host.pid
        for folder in folders:
            index = reader.index([folder])
            files = {str(path) for path in folder.rglob("*") if path.is_file()}
            read = {
                instance.path
                for study in index.studies
                for series in study.series
                for instance in series.instances
            }
            objects = {one.path for study in index.studies for one in study.objects}
            named = {bad.path.split("!")[0] for bad in index.bad_files}
            left = {path for path in files - read - objects - named if "DICOMDIR" not in path}
            assert {Path(path).suffix for path in left} <= {".zip"}  # opened: its members are read
            for study in index.studies:
                for series in study.series:
                    if any(Path(one.path).name in HELD for one in series.instances):
                        continue
                    with reader.open(series) as one:
                        opened += len(one.stack.frames)
        assert reader.host.pid == started  # the one worker read it all
    assert opened >= 150


HELD = {"JPEG2000-embedded-sequence-delimiter.dcm"}

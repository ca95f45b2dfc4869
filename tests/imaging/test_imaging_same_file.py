"""A file that was replaced after its import is named; its pixels never stand under another header."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from app.demo import sample
from viewer.imaging.codestream import DecodeError
from viewer.imaging.decode import decode_one
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.study import Series


@pytest.fixture(params=["native", "compressed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with one image, its pixels as they are or in a code stream."""
    file = tmp_path / "image.dcm"
    data_set = pydicom.dcmread(sorted(sample().rglob("*.dcm"))[0])
    if data_set.file_meta.TransferSyntaxUID.is_compressed != (request.param == "compressed"):
        data_set.decompress()
    data_set.save_as(file, enforce_file_format=True)
    return file


def indexed(file: Path) -> Series:
    """Index the folder of a file."""
    return index_paths([str(file.parent)]).studies[0].series[0]


def other_of(file: Path) -> pydicom.Dataset:
    """Return the same image with another identity and other pixels, of the same length where native."""
    data_set = pydicom.dcmread(file)
    uid = generate_uid()
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = uid
    if not data_set.file_meta.TransferSyntaxUID.is_compressed:
        data_set.PixelData = np.zeros(len(data_set.PixelData), dtype=np.uint8).tobytes()
    return data_set


def test_another_object_in_its_place_is_refused_in_words(place: Path) -> None:
    series = indexed(place)
    layout = stack_layout(series)
    assert decode_one(series, layout, 0).any()
    other_of(place).save_as(place, enforce_file_format=True)
    with pytest.raises(DecodeError, match="replaced after it was imported") as refused:
        decode_one(series, layout, 0)
    assert refused.value.code == "replaced"


def test_a_copy_that_lost_its_time_is_the_same_file(place: Path) -> None:
    series = indexed(place)
    layout = stack_layout(series)
    before = decode_one(series, layout, 0)
    copy = place.with_suffix(".copy")
    shutil.copyfile(place, copy)
    copy.replace(place)
    os.utime(place, ns=(1, 1))
    assert np.array_equal(decode_one(series, layout, 0), before)


def test_the_same_object_with_a_longer_header_is_read_at_its_own_place_or_refused(place: Path) -> None:
    series = indexed(place)
    layout = stack_layout(series)
    before = decode_one(series, layout, 0)
    data_set = pydicom.dcmread(place)
    data_set.StudyComments = "longer " * 50
    data_set.save_as(place, enforce_file_format=True)
    if series.instances[0].pixel_length:
        with pytest.raises(DecodeError, match="import the study again"):
            decode_one(series, layout, 0)
    else:
        assert np.array_equal(decode_one(series, layout, 0), before)


def test_an_index_of_an_older_program_is_not_held_against_its_files(place: Path) -> None:
    series = indexed(place)
    old = series.model_copy(
        update={
            "instances": tuple(
                one.model_copy(update={"file_size": 0, "modified_ns": 0}) for one in series.instances
            )
        }
    )
    assert decode_one(old, stack_layout(old), 0).any()
    other_of(place).save_as(place, enforce_file_format=True)
    with pytest.raises(DecodeError, match="replaced after it was imported"):
        decode_one(old, stack_layout(old), 0)

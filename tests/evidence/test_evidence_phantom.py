"""The sample: same pixels every time, valid DICOM, tagged synthetic, and its truth is in the pixels."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from inference.evaluation import phantom
from viewer.imaging.geometry import VerdictKind
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Study

UNKNOWN_TO_DCIODVFY = "(0x0008,0x001c)"
"""Synthetic Data came into the standard in 2023; Debian's dciodvfy is older and calls it an error."""


def test_sample_is_small_in_git(sample_folder: Path) -> None:
    files = sorted(sample_folder.glob("*.dcm"))
    assert len(files) == phantom.SLICES
    assert sum(file.stat().st_size for file in files) <= 4_000_000


@pytest.mark.parametrize("index", [3, 31, 43, 58])
def test_generating_again_gives_the_same_pixels(sample_folder: Path, index: int) -> None:
    kept = pydicom.dcmread(sample_folder / f"{phantom.SLICES - index:04d}.dcm").pixel_array
    made = phantom.stored_slice(index)
    assert hashlib.sha256(made.tobytes()).digest() == hashlib.sha256(kept.tobytes()).digest()


def test_header_says_that_no_patient_is_shown(sample_folder: Path) -> None:
    for file in (sample_folder / "0001.dcm", sample_folder / "0060.dcm"):
        header: Any = pydicom.dcmread(file, stop_before_pixels=True)
        assert header.SyntheticData == "YES"
        assert "synthetic" in header.StudyDescription.lower()
        assert header.ImageComments.startswith("SYNTHETIC")
        assert header.PatientName == "PHANTOM^CHEST"


def test_truth_is_what_the_formulas_give(sample_truth: dict[str, Any]) -> None:
    nodule = sample_truth["nodule"]
    assert nodule["centre_lps_mm"][2] == nodule["slice_index_from_feet"] * phantom.SLICE_MM
    assert nodule["sop_instance_uid"] == phantom.uid(f"image {nodule['slice_index_from_feet']}")
    assert nodule["volume_mm3"] == pytest.approx(np.pi / 6 * nodule["diameter_mm"] ** 3, rel=1e-3)


def test_nodule_is_where_the_truth_says(
    sample: tuple[Study, OpenStack], sample_truth: dict[str, Any]
) -> None:
    study, opened = sample
    nodule = sample_truth["nodule"]
    series = study.series[0]
    index = nodule["slice_index_from_feet"]
    instance = series.instances[index]
    assert instance.sop_instance_uid == nodule["sop_instance_uid"]
    assert instance.plane is not None
    column, row = instance.plane.patient_to_pixel(np.array([nodule["centre_lps_mm"]]))[0]
    assert (column, row) == pytest.approx(tuple(nodule["centre_pixel_column_row"]), abs=0.01)
    hu = opened.stack.stored[index].astype(int) + phantom.INTERCEPT
    near = hu[round(row) - 2 : round(row) + 3, round(column) - 2 : round(column) + 3]
    assert near.mean() == pytest.approx(nodule["density_hu"], abs=6)
    ring = round(column) + round(nodule["diameter_mm"] / phantom.PIXEL_MM)
    assert hu[round(row), ring] < -700


def test_series_is_one_uniform_volume(sample: tuple[Study, OpenStack]) -> None:
    study, _ = sample
    assert len(study.series) == 1
    assert study.series[0].verdict.kind is VerdictKind.UNIFORM
    assert study.series[0].verdict.spacing == pytest.approx(phantom.SLICE_MM)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("name", ["0001.dcm", "0030.dcm", "0060.dcm"])
def test_dciodvfy_finds_no_error(sample_folder: Path, name: str) -> None:
    done = subprocess.run(
        ["dciodvfy", str(sample_folder / name)], capture_output=True, text=True, check=False
    )
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert [line for line in errors if UNKNOWN_TO_DCIODVFY not in line] == []
    assert "CTImage" in done.stderr


def test_written_files_are_the_same_bytes(tmp_path: Path, sample_folder: Path) -> None:
    path = tmp_path / "slice.dcm"
    phantom.dataset(20).save_as(path, enforce_file_format=True)
    assert path.read_bytes() == (sample_folder / f"{phantom.SLICES - 20:04d}.dcm").read_bytes()

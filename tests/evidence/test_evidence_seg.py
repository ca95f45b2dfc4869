"""Masks leave as a DICOM Segmentation that others can read, bound to their source images."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from inference.evidence.lungs import LUNG
from inference.evidence.masks import MaskStore
from inference.evidence.seg import SegError, write_seg
from reports.domain import Side, Source, SourceKind
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Study

TOOL = Source(kind=SourceKind.TOOL, name="ct-lungs", version="7")


@pytest.fixture(scope="module")
def files(sample: tuple[Study, OpenStack]) -> list[Path]:
    _, opened = sample
    instances = opened.stack.series.instances
    return [Path(instances[instance].path) for instance, _ in opened.stack.frames][20:26]


@pytest.fixture(scope="module")
def masks() -> MaskStore:
    store = MaskStore()
    for side, columns in ((Side.RIGHT, slice(60, 150)), (Side.LEFT, slice(220, 300))):
        mask = np.zeros((6, 384, 384), dtype=bool)
        mask[1:5, 120:250, columns] = True
        mask[2, 130, columns] = False
        store.add(mask, label=f"{side.value.capitalize()} lung", side=side, concept=LUNG)
    return store


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, files: list[Path], masks: MaskStore) -> Path:
    path = tmp_path_factory.mktemp("seg") / "evidence.seg.dcm"
    write_seg(masks, files, path, tool=TOOL)
    return path


def test_segments_come_back_through_highdicom(
    written: Path, files: list[Path], masks: MaskStore
) -> None:
    import highdicom

    segmentation = highdicom.seg.segread(written)
    assert segmentation.number_of_segments == 2
    uids = [pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID for file in files]
    pixels = segmentation.get_pixels_by_source_instance(
        uids, segment_numbers=[1, 2], assert_missing_frames_are_empty=True
    )
    for reference in masks:
        assert np.array_equal(pixels[..., reference.segment - 1] > 0, masks.get(reference.sha256))


def test_segments_say_what_they_are_and_who_made_them(written: Path) -> None:
    segmentation: Any = pydicom.dcmread(written)
    labels = [item.SegmentLabel for item in segmentation.SegmentSequence]
    assert labels == ["Right lung", "Left lung"]
    for item, side in zip(segmentation.SegmentSequence, ("Right", "Left"), strict=True):
        kind = item.SegmentedPropertyTypeCodeSequence[0]
        assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("39607008", "SCT")
        assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == side
        algorithm = item.SegmentationAlgorithmIdentificationSequence[0]
        assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("ct-lungs", "7")
        assert item.SegmentAlgorithmType == "AUTOMATIC"
    assert segmentation.SyntheticData == "YES"


def test_each_frame_names_its_source_image(written: Path, files: list[Path]) -> None:
    segmentation: Any = pydicom.dcmread(written)
    places = {}
    for file in files:
        image: Any = pydicom.dcmread(file, stop_before_pixels=True)
        places[image.SOPInstanceUID] = [float(value) for value in image.ImagePositionPatient]
    for group in segmentation.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        position = group.PlanePositionSequence[0].ImagePositionPatient
        assert places[source.ReferencedSOPInstanceUID] == [float(value) for value in position]
    assert len(segmentation.PerFrameFunctionalGroupsSequence) == 8


def test_the_same_masks_are_the_same_object(
    written: Path, tmp_path: Path, files: list[Path], masks: MaskStore
) -> None:
    uid = write_seg(masks, files, tmp_path / "again.dcm", tool=TOOL)
    assert uid == pydicom.dcmread(written).SOPInstanceUID


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
def test_dciodvfy_finds_no_error_in_the_segmentation(written: Path) -> None:
    done = subprocess.run(["dciodvfy", str(written)], capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    # Debian's dciodvfy is older than the attribute Synthetic Data.
    assert [line for line in errors if "(0x0008,0x001c)" not in line] == []
    assert "Segmentation" in done.stderr


def test_no_masks_is_an_error_in_words(tmp_path: Path, files: list[Path]) -> None:
    with pytest.raises(SegError, match="no mask to write") as caught:
        write_seg(MaskStore(), files, tmp_path / "none.dcm", tool=TOOL)
    assert caught.value.code == "no_masks"


def test_masks_of_other_images_are_refused(tmp_path: Path, files: list[Path], masks: MaskStore) -> None:
    with pytest.raises(SegError) as caught:
        write_seg(masks, files[:-1], tmp_path / "short.dcm", tool=TOOL)
    assert caught.value.code == "geometry"
    assert not (tmp_path / "short.dcm").exists()


def test_a_source_file_that_is_gone_is_refused(
    tmp_path: Path, files: list[Path], masks: MaskStore
) -> None:
    with pytest.raises(SegError, match="can no longer be read"):
        write_seg(masks, [*files[:-1], tmp_path / "gone.dcm"], tmp_path / "x.dcm", tool=TOOL)


@pytest.mark.shared
def test_images_without_identity_are_refused(
    tmp_path: Path, shared_data: Path, masks: MaskStore
) -> None:
    folder = shared_data / "ct/upper_abdomen_TotalSegmentator"
    with pytest.raises(SegError, match="SOPInstanceUID"):
        write_seg(masks, sorted(folder.glob("*.dcm"))[:6], tmp_path / "x.dcm", tool=TOOL)


def test_images_without_a_birth_date_are_referred_to_with_an_empty_one(
    tmp_path: Path, files: list[Path], masks: MaskStore
) -> None:
    bare = []
    for file in files:
        dataset = pydicom.dcmread(file)
        for keyword in ("PatientBirthDate", "StudyID", "AccessionNumber"):
            dataset.pop(keyword, None)
        bare.append(tmp_path / file.name)
        dataset.save_as(bare[-1])
    write_seg(masks, bare, tmp_path / "bare.dcm", tool=TOOL)
    assert pydicom.dcmread(tmp_path / "bare.dcm").PatientBirthDate == ""

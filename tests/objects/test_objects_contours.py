"""Contours of structure sets lie on their slices and enclose the voxels whose centres are inside."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from object_files import (
    COLUMNS,
    FRAME,
    ORIGIN,
    ROWS,
    SERIES,
    SLICES,
    STEP,
    VOXEL_ML,
    item,
    new_object,
    save,
)
from pydicom.dataset import Dataset

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.objects.contours import StructureSetContent
from viewer.imaging.objects.outlines import Outlines, contours_on, enclosed, outlines
from viewer.imaging.objects.placing import Misaligned
from viewer.imaging.study import Study

Open = Callable[[Path], Any]
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
Square = tuple[float, float, float, float]


def square(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    """Corners in pixels, centre of the first pixel at 0."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def contour(
    pixels: Sequence[tuple[float, float]], number: float, geometry: str = "CLOSED_PLANAR"
) -> Dataset:
    """Return a contour on slice `number` (or between two)."""
    flat: list[float] = []
    for column, row in pixels:
        flat += [ORIGIN[0] + 0.75 * column, ORIGIN[1] + 0.5 * row, ORIGIN[2] + STEP * number]
    return item(ContourGeometricType=geometry, NumberOfContourPoints=len(pixels), ContourData=flat)


def structure_set(regions: dict[str, list[Dataset]], *, frame: str = FRAME) -> Dataset:
    ds = new_object(RTSTRUCT, Modality="RTSTRUCT", StructureSetLabel="PLAN")
    ds.ReferencedFrameOfReferenceSequence = [
        item(
            FrameOfReferenceUID=frame,
            RTReferencedStudySequence=[
                item(
                    RTReferencedSeriesSequence=[
                        item(
                            SeriesInstanceUID=SERIES,
                            ContourImageSequence=[item(ReferencedSOPInstanceUID=f"{SERIES}.1")],
                        )
                    ]
                )
            ],
        )
    ]
    names = list(regions)
    ds.StructureSetROISequence = [
        item(
            ROINumber=place,
            ReferencedFrameOfReferenceUID=frame,
            ROIName=name,
            ROIGenerationAlgorithm="MANUAL",
        )
        for place, name in enumerate(names, start=1)
    ]
    ds.ROIContourSequence = [
        item(ReferencedROINumber=place, ROIDisplayColor=[255, 128, 0], ContourSequence=regions[name])
        for place, name in enumerate(names, start=1)
    ]
    ds.RTROIObservationsSequence = [
        item(ReferencedROINumber=1, RTROIInterpretedType="GTV", ROIInterpreter="Reader^Rosa")
    ]
    return ds


def laid(content: StructureSetContent, study: Study, place: int = 0) -> Outlines:
    series = study.series[0]
    found = outlines(content.regions[place], series, series.frame_order())
    assert isinstance(found, Outlines), found
    return found


@pytest.mark.parametrize(
    ("polygons", "wanted"),
    [
        ([square(1.5, 1.5, 4.5, 3.5)], {(2, 2), (2, 3), (2, 4), (3, 2), (3, 3), (3, 4)}),
        ([square(0.5, 0.5, 4.5, 4.5), square(1.5, 1.5, 3.5, 3.5)], "ring"),
        ([[(0.5, 0.5), (4.5, 0.5), (4.5, 4.5), (0.5, 4.5), (0.5, 0.5), (1.5, 1.5), (1.5, 3.5),
           (3.5, 3.5), (3.5, 1.5), (1.5, 1.5)]], "ring"),
        ([square(-9.0, -9.0, 99.0, 99.0)], "all"),
        ([square(20.0, 20.0, 30.0, 30.0)], set()),
        ([[(0.0, 0.0), (0.0, 0.0)]], set()),
    ],
)  # fmt: skip
def test_a_pixel_is_inside_when_its_centre_is(polygons: list[Any], wanted: Any) -> None:
    inside = enclosed([np.array(polygon) for polygon in polygons], (6, 7))
    ring = {(row, column) for row in range(1, 5) for column in range(1, 5)}
    named = {
        "ring": ring - {(2, 2), (2, 3), (3, 2), (3, 3)},
        "all": {(row, column) for row in range(6) for column in range(7)},
    }
    pixels = {(int(row), int(column)) for row, column in np.argwhere(inside)}
    assert pixels == (named[wanted] if isinstance(wanted, str) else wanted)


def test_a_disc_has_the_area_of_a_disc() -> None:
    angles = np.linspace(0.0, 2.0 * np.pi, 400, endpoint=False)
    disc = np.stack([100.3 + 60.0 * np.cos(angles), 90.7 + 60.0 * np.sin(angles)], axis=1)
    area = int(enclosed([disc], (200, 200)).sum())
    assert area == pytest.approx(np.pi * 60.0**2, rel=5e-3)


def test_regions_come_with_names_colours_and_the_voxels_they_enclose(
    ct_folder: Path, open_only: Open
) -> None:
    ring = [contour(square(2.5, 2.5, 10.5, 9.5), number) for number in (1, 2)]
    ring += [contour(square(4.5, 4.5, 6.5, 7.5), number) for number in (1, 2)]
    marker = [contour([(8.0, 6.0)], 3, "POINT")]
    line = [contour([(1.0, 1.0), (5.0, 5.0), (9.0, 1.0)], 0, "OPEN_PLANAR")]
    save(structure_set({"Tumour": ring, "Marker": marker, "Path": line}), ct_folder / "rs.dcm")
    study, entry, content = open_only(ct_folder)
    assert (entry.label, entry.references[0].series_instance_uid) == ("PLAN", SERIES)
    assert [(one.name, one.colour, one.interpreted_type) for one in content.regions] == [
        ("Tumour", "#ff8000", "GTV"),
        ("Marker", "#ff8000", ""),
        ("Path", "#ff8000", ""),
    ]
    tumour = laid(content, study)
    wanted = np.zeros((SLICES, ROWS, COLUMNS), dtype=np.uint8)
    wanted[1:3, 3:10, 3:11] = 255
    wanted[1:3, 5:8, 5:7] = 0
    assert np.array_equal(tumour.masks(), wanted)
    assert tumour.volume_ml() == pytest.approx((wanted > 0).sum() * VOXEL_ML)
    assert tumour.frames() == (1, 2)
    marked = laid(content, study, 1)
    assert np.allclose(marked.on(3)[0].points, [(8.0, 6.0)])
    assert (marked.on(2), marked.volume_ml()) == ((), None)
    (path,) = laid(content, study, 2).on(0)
    assert not path.contour.closed
    assert np.allclose(path.points, [(1.0, 1.0), (5.0, 5.0), (9.0, 1.0)])


def test_contours_every_other_slice_fill_the_slices_between_and_are_drawn_once(
    ct_folder: Path, open_only: Open
) -> None:
    sparse = [contour(square(2.5, 2.5, 6.5, 6.5), number) for number in (0, 2, 4)]
    save(structure_set({"Organ": sparse}), ct_folder / "rs.dcm")
    study, _, content = open_only(ct_folder)
    organ = laid(content, study)
    assert organ.frames() == (0, 2, 4)
    assert [int((organ.mask(index) > 0).sum()) for index in range(SLICES)] == [16] * SLICES


def test_contours_of_another_frame_of_reference_are_refused(ct_folder: Path, open_only: Open) -> None:
    region = {"Organ": [contour(square(2.5, 2.5, 6.5, 6.5), 1)]}
    save(structure_set(region, frame="1.2.3"), ct_folder / "rs.dcm")
    study, _, content = open_only(ct_folder)
    series = study.series[0]
    refused = outlines(content.regions[0], series, series.frame_order())
    assert isinstance(refused, Misaligned)
    assert refused.code == "other_frame"


def test_contours_on_any_plane_and_damaged_ones_are_counted(ct_folder: Path, open_only: Open) -> None:
    bad = contour(square(2.5, 2.5, 6.5, 6.5), 1)
    bad.ContourData = [1.0, 2.0]
    good = contour(square(2.5, 2.5, 6.5, 6.5), 1)
    save(structure_set({"Organ": [bad, good]}), ct_folder / "rs.dcm")
    study, _, content = open_only(ct_folder)
    assert content.notes == ("Organ: 1 damaged contours are left out.",)
    plane = study.series[0].instances[1].plane
    assert isinstance(plane, ImagePlane)
    (found,) = contours_on(content.regions[0], plane, within_mm=0.1)
    assert np.allclose(found.points, square(2.5, 2.5, 6.5, 6.5))
    assert contours_on(content.regions[0], study.series[0].instances[3].plane) == ()


@pytest.mark.shared
def test_real_structure_sets_enclose_the_voxels_of_the_reference_masks(
    shared_data: Path, reader: Any
) -> None:
    truth = json.loads((shared_data / "GROUND_TRUTH.json").read_text())["rtstruct_reference_masks"]
    tumour = {
        "ct/chest_tumour_IBSI_PAT1": {("CT", "RS.dcm"): "ct/chest_tumour_IBSI_PAT1 GTV-1"},
        "pet/STS_002_petct": {
            ("CT", "rtstruct_ct.dcm"): "pet/STS_002_petct ct GTV_Mass",
            ("PT", "rtstruct_pet.dcm"): "pet/STS_002_petct pet GTV_Mass",
            ("MR", "rtstruct_mr_t1.dcm"): "pet/STS_002_petct mr_t1 GTV_Mass",
        },
    }
    for folder, wanted in tumour.items():
        study = reader.index([shared_data / folder]).studies[0]
        for (modality, name), key in wanted.items():
            (entry,) = (one for one in study.objects if Path(one.path).name == name)
            region = reader.read_object(entry).regions[0]
            series = next(one for one in study.series if one.modality == modality)
            found = outlines(region, series, series.frame_order())
            assert isinstance(found, Outlines)
            assert int((found.masks() > 0).sum()) == truth[key]["voxels"]
            assert found.volume_ml() == pytest.approx(truth[key]["volume_ml"], abs=1e-3)

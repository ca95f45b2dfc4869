"""Reports of others: TID 1500 as measurements on images, any other as a tree; key objects as a list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from highdicom.sr import (
    Comprehensive3DSR,
    FindingSite,
    GraphicTypeValues,
    GraphicTypeValues3D,
    ImageRegion,
    ImageRegion3D,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    SourceImageForRegion,
    TrackingIdentifier,
)
from object_files import FRAME, ORIGIN, SERIES, STEP, code_item, item, new_object, save
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from viewer.imaging.marks import MarkKind, MarkOrigin
from viewer.imaging.objects.report_marks import marks_of_report

Open = Callable[[Path], Any]
TEXT_REPORT = "1.2.840.10008.5.1.4.1.1.88.11"
KEY_OBJECT = "1.2.840.10008.5.1.4.1.1.88.59"


def region(ct: list[Dataset], kind: str, points: Any, slice_number: int = 2) -> ImageRegion:
    return ImageRegion(
        graphic_type=GraphicTypeValues[kind],
        graphic_data=np.array(points, dtype=np.float64),
        source_image=SourceImageForRegion.from_source_image(ct[slice_number]),
    )


def in_patient(points: Any, kind: str = "POLYGON") -> ImageRegion3D:
    return ImageRegion3D(
        graphic_type=GraphicTypeValues3D[kind],
        graphic_data=np.array(points, dtype=np.float64),
        frame_of_reference_uid=FRAME,
    )


def diameter(value: float) -> Measurement:
    return Measurement(name=codes.SCT.Diameter, value=value, unit=codes.UCUM.Millimeter)


def planar(shape: Any, value: float, tracking: TrackingIdentifier) -> Any:
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        referenced_region=shape,
        finding_type=codes.SCT.Nodule,
        finding_sites=[FindingSite(codes.SCT.Lung, laterality=codes.SCT.Right)],
        measurements=[diameter(value)],
    )


def report(ct: list[Dataset], groups: list[Any]) -> Comprehensive3DSR:
    observer = ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes(name="Reader^Rosa"),
    )
    content = MeasurementReport(
        observation_context=ObservationContext(observer_person_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    return Comprehensive3DSR(
        evidence=ct,
        content=content[0],
        series_number=5,
        series_instance_uid=generate_uid(),
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Maker",
    )


def test_a_measurement_report_becomes_marks_on_the_images_it_measured(
    ct: list[Dataset], ct_folder: Path, open_only: Open
) -> None:
    uid = generate_uid()
    place = (ORIGIN[0] + 0.75 * 4, ORIGIN[1] + 0.5 * 6, ORIGIN[2] + STEP * 3)
    corners = [(place[0] + dx, place[1] + dy, place[2]) for dx, dy in ((0, 0), (3, 0), (3, 2), (0, 0))]
    groups = [
        planar(region(ct, "CIRCLE", [[8.5, 6.5], [8.5, 10.5]]), 8.0, TrackingIdentifier(uid, "N1")),
        planar(
            region(ct, "POLYLINE", [[1.5, 1.5], [9.5, 1.5], [9.5, 7.5], [1.5, 1.5]], 1),
            9.0,
            TrackingIdentifier(identifier="N2"),
        ),
        planar(in_patient(corners), 3.0, TrackingIdentifier(identifier="N3")),
        MeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(identifier="whole"),
            measurements=[diameter(4.0)],
        ),
    ]
    save(report(ct, groups), ct_folder / "sr.dcm")
    study, entry, content = open_only(ct_folder)
    assert (entry.kind.value, content.template) == ("measurement report", "1500")
    assert content.observers == ("Reader^Rosa",)
    first = content.groups[0]
    assert (first.template, first.tracking_id, first.tracking_uid) == ("1410", "N1", uid)
    assert (first.finding.meaning, first.sites) == ("Nodule", ("Lung, Right",))
    assert [(one.label, one.value, one.unit) for one in first.measurements] == [("Diameter", 8.0, "mm")]
    marks = marks_of_report(content, study)
    assert [(mark.kind, mark.name, mark.sop_instance_uid) for mark in marks] == [
        (MarkKind.ELLIPSE, "N1", f"{SERIES}.3"),
        (MarkKind.POLYGON, "N2", f"{SERIES}.2"),
        (MarkKind.POLYGON, "N3", f"{SERIES}.4"),
    ]
    assert marks[0].points == ((4.0, 6.0), (12.0, 6.0), (8.0, 2.0), (8.0, 10.0))
    assert marks[1].points == ((1.0, 1.0), (9.0, 1.0), (9.0, 7.0))
    assert np.allclose(marks[2].points, [(4.0, 6.0), (8.0, 6.0), (8.0, 10.0)])
    assert {mark.origin for mark in marks} == {MarkOrigin.SR}
    assert {mark.author for mark in marks} == {"Reader^Rosa"}
    assert marks[0].values[0].value == 8.0
    assert marks_of_report(content, study)[0].id == marks[0].id


def test_marks_are_made_only_where_their_image_is_there(
    ct: list[Dataset], ct_folder: Path, open_only: Open
) -> None:
    (ct_folder / "ct2.dcm").unlink()
    one = planar(region(ct, "POINT", [[3.5, 3.5]]), 1.0, TrackingIdentifier(identifier="N"))
    save(report(ct, [one]), ct_folder / "sr.dcm")
    study, _, content = open_only(ct_folder)
    assert content.groups[0].shapes
    assert marks_of_report(content, study) == ()


def content_item(kind: str, relation: str, name: str, **values: Any) -> Dataset:
    return item(
        ValueType=kind,
        RelationshipType=relation,
        ConceptNameCodeSequence=[code_item("1", "99T", name)],
        **values,
    )


def text_report(inner: list[Dataset], sop_class: str = TEXT_REPORT) -> Dataset:
    ds = new_object(sop_class, Modality="SR", ContentDate="20210203", ContentTime="111213")
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "VERIFIED"
    ds.ConceptNameCodeSequence = [code_item("18748-4", "LN", "Imaging Report")]
    ds.VerifyingObserverSequence = [
        item(VerifyingObserverName="Chief^Carl", VerificationDateTime="20210204101010")
    ]
    ds.ContentSequence = inner
    return ds


def drawn_on(number: int, kind: str, points: list[float]) -> Dataset:
    """Return coordinates on slice `number`, counted from the corner of the first pixel."""
    image = item(ReferencedSOPInstanceUID=f"{SERIES}.{number + 1}")
    shown = content_item("IMAGE", "SELECTED FROM", "Source", ReferencedSOPSequence=[image])
    return content_item(
        "SCOORD",
        "INFERRED FROM",
        "Path",
        GraphicType=kind,
        GraphicData=points,
        ContentSequence=[shown],
    )


def measured(name: Dataset, value: str, inner: list[Dataset]) -> Dataset:
    unit = code_item("mm", "UCUM", "mm")
    number = item(NumericValue=value, MeasurementUnitsCodeSequence=[unit])
    found = content_item("NUM", "CONTAINS", "x", MeasuredValueSequence=[number])
    found.ConceptNameCodeSequence, found.ContentSequence = [name], inner
    return found


def test_long_and_short_axis_are_one_bidirectional_mark(ct_folder: Path, open_only: Open) -> None:
    long = measured(
        code_item("G-A185", "SRT", "Long Axis"),
        "12",
        [drawn_on(1, "POLYLINE", [2.5, 3.5, 14.5, 3.5])],
    )
    short = measured(
        code_item("G-A186", "SRT", "Short Axis"), "4", [drawn_on(1, "POLYLINE", [8.5, 1.5, 8.5, 5.5])]
    )
    group = content_item("CONTAINER", "CONTAINS", "Group", ContentSequence=[long, short])
    group.ConceptNameCodeSequence = [code_item("125007", "DCM", "Measurement Group")]
    save(text_report([group], TEXT_REPORT), ct_folder / "sr.dcm")
    study, _, content = open_only(ct_folder)
    (mark,) = marks_of_report(content, study)
    assert mark.kind is MarkKind.BIDIRECTIONAL
    assert mark.points == ((2.0, 3.0), (14.0, 3.0), (8.0, 1.0), (8.0, 5.0))
    assert [(one.label, one.value) for one in mark.values] == [("Long Axis", 12.0), ("Short Axis", 4.0)]


def test_what_a_computer_marked_outside_of_groups_is_a_mark_too(
    ct_folder: Path, open_only: Open
) -> None:
    centre = drawn_on(3, "POINT", [6.5, 7.5])
    finding = content_item(
        "CODE",
        "CONTAINS",
        "Single Image Finding",
        ConceptCodeSequence=[code_item("F-01796", "SRT", "Mammography breast density")],
        ContentSequence=[centre],
    )
    length = measured(
        code_item("1", "99T", "Length"), "8", [drawn_on(0, "POLYLINE", [1.5, 1.5, 9.5, 1.5])]
    )
    save(text_report([finding, length]), ct_folder / "sr.dcm")
    study, _, content = open_only(ct_folder)
    point, line = marks_of_report(content, study)
    assert (point.kind, point.name, point.points) == (
        MarkKind.POINT,
        "Mammography breast density",
        ((6.0, 7.0),),
    )
    assert (line.kind, line.values[0].value) == (MarkKind.LENGTH, 8.0)


def test_an_item_that_another_one_points_at_is_read_in_both_places(
    ct_folder: Path, open_only: Open
) -> None:
    shape = drawn_on(2, "POINT", [3.5, 4.5])
    pointing = item(RelationshipType="INFERRED FROM", ReferencedContentItemIdentifier=[1, 1])
    value = measured(code_item("1", "99T", "Depth"), "5", [pointing])
    save(text_report([shape, value]), ct_folder / "sr.dcm")
    study, _, content = open_only(ct_folder)
    marks = marks_of_report(content, study)
    assert {mark.points for mark in marks} == {((3.0, 4.0),)}
    assert [mark.values[0].value for mark in marks if mark.values] == [5.0]


def test_any_other_report_is_a_tree_to_read(ct_folder: Path, open_only: Open) -> None:
    number = item(
        NumericValue="12.5", MeasurementUnitsCodeSequence=[code_item("mm", "UCUM", "millimetre")]
    )
    right = code_item("R", "9", "Right")
    finding = content_item(
        "CONTAINER",
        "CONTAINS",
        "Findings",
        ContentSequence=[
            content_item("TEXT", "CONTAINS", "Finding", TextValue="First line\r\n<b>second</b>"),
            content_item("NUM", "CONTAINS", "Width", MeasuredValueSequence=[number]),
            content_item("CODE", "CONTAINS", "Side", ConceptCodeSequence=[right]),
        ],
    )
    save(text_report([finding]), ct_folder / "sr.dcm")
    _, entry, content = open_only(ct_folder)
    assert (entry.what, entry.creator, content.title) == (
        "Basic text report",
        "Chief^Carl",
        "Imaging Report",
    )
    assert [(one.depth, one.concept, one.value) for one in content.lines] == [
        (0, "Findings", ""),
        (1, "Finding", "First line\n<b>second</b>"),
        (1, "Width", "12.5 mm"),
        (1, "Side", "Right"),
    ]
    assert content.verified_by == ("Chief^Carl 20210204",)


def test_a_report_that_points_at_itself_ends(ct_folder: Path, open_only: Open) -> None:
    loop = item(RelationshipType="INFERRED FROM", ReferencedContentItemIdentifier=[1])
    save(text_report([loop, content_item("TEXT", "CONTAINS", "Note", TextValue="x")]), ct_folder / "a")
    _, _, content = open_only(ct_folder)
    assert [one.value for one in content.lines if one.value] == ["x"]


def test_a_report_that_is_too_deep_is_cut_and_says_so(ct_folder: Path, open_only: Open) -> None:
    inner = content_item("TEXT", "CONTAINS", "Bottom", TextValue="never seen")
    for level in range(28):
        inner = content_item("CONTAINER", "CONTAINS", f"Level {level}", ContentSequence=[inner])
    save(text_report([inner]), ct_folder / "sr.dcm")
    _, _, content = open_only(ct_folder)
    assert content.notes
    assert not any("never" in one.value for one in content.lines)


def test_a_key_object_selection_names_its_images_and_why(
    ct: list[Dataset], ct_folder: Path, open_only: Open
) -> None:
    selection = hd.ko.KeyObjectSelectionDocument(
        evidence=ct[1:3],
        content=hd.ko.KeyObjectSelection(
            document_title=codes.DCM.ForTeaching,
            referenced_objects=ct[1:3],
            description="The two that matter",
        ),
        series_instance_uid=generate_uid(),
        series_number=8,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Maker",
    )
    save(selection, ct_folder / "ko.dcm")
    _, entry, content = open_only(ct_folder)
    assert (entry.what, content.title) == ("Key object selection", "For Teaching")
    assert content.description == "The two that matter"
    assert [one.sop_instance_uid for one in content.images] == [f"{SERIES}.2", f"{SERIES}.3"]
    assert content.series[0].series_instance_uid == SERIES


@pytest.mark.shared
def test_real_reports_have_the_values_of_the_ground_truth(shared_data: Path, open_only: Open) -> None:
    truth = json.loads((shared_data / "GROUND_TRUTH.json").read_text())["sr_values"]
    (group,) = open_only(shared_data / "sr-seg-rt/dcmqi_sr_example/sr.dcm")[2].groups
    wanted = truth["sr-seg-rt/dcmqi_sr_example/sr.dcm"]
    values = {one.label: (one.value, one.unit) for one in group.measurements}
    assert (group.finding.meaning, group.sites) == (wanted["finding"], (wanted["site"],))
    assert values["Volume"] == (wanted["Volume_ml"], "ml")
    assert values["Total Lesion Glycolysis"] == (wanted["TLG_g"], "g")
    for name, key in {
        "Mean": "SUVbw_mean",
        "Minimum": "SUVbw_min",
        "Maximum": "SUVbw_max",
        "Peak Value Within ROI": "SUVbw_peak",
        "Standard Deviation": "SUVbw_sd",
        "Median": "SUVbw_median",
    }.items():
        assert values[f"SUVbw, {name}"] == (wanted[key], "{SUVbw}g/ml")
    assert group.segments[0].segments == (1,)
    (area,) = open_only(shared_data / "sr-seg-rt/highdicom/sr_document.dcm")[2].groups
    assert (area.measurements[0].value, area.measurements[0].unit) == (1.7, "cm2")
    name = "sr-seg-rt/highdicom/sr_document_with_multiple_groups.dcm"
    several = open_only(shared_data / name)[2].groups
    numbers = sorted(one.value for group in several for one in group.measurements)
    wanted_numbers = truth[name]
    assert numbers == pytest.approx(sorted(wanted_numbers.values()))


@pytest.mark.shared
def test_a_real_key_object_selection_names_images_of_its_series(
    shared_data: Path, open_only: Open
) -> None:
    _, entry, content = open_only(shared_data / "sr-seg-rt/key_object_selection.dcm")
    assert (content.title, content.description) == (
        "For Conference",
        "key images selected for testing",
    )
    assert {one.sop_instance_uid for one in content.images} == set(entry.references[0].instances)
    assert len(content.images) == 3

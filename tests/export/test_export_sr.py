"""Marks leave as SR and SEG that our own reader, highdicom and dciodvfy read; key images as KO."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

import resources
from app.engine import Engine
from app.exporting.client import Exported, ExportError
from app.exporting.mark_groups import group_of
from viewer.imaging.marks import Mark, MarkKind, MarkOrigin, MarkPlane
from viewer.imaging.marks_mask import MarkMask
from viewer.imaging.marks_measure import frame_pixels, measure_mark
from viewer.imaging.objects.report_marks import marks_of_report
from viewer.imaging.objects.reports import ReportContent
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Series, Study
from viewer.imaging.worker.errors import WorkerRefused

PERSON = "Ada Reader"

KNOWN_ERRORS = ("(0x0008,0x001c)",)
"""Synthetic Data is younger than Debian's dciodvfy and is copied from the phantom."""

PLACES: dict[MarkKind, tuple[tuple[float, float], ...]] = {
    MarkKind.LENGTH: ((101.25, 120.5), (160.0, 140.75)),
    MarkKind.ANGLE: ((100.0, 100.0), (120.0, 130.0), (160.0, 130.0)),
    MarkKind.BIDIRECTIONAL: ((100.0, 120.0), (160.0, 120.0), (130.0, 100.0), (130.0, 140.0)),
    MarkKind.ELLIPSE: ((100.0, 120.0), (160.0, 120.0), (130.0, 100.0), (130.0, 140.0)),
    MarkKind.POLYGON: ((100.0, 100.0), (140.0, 105.0), (120.0, 150.0)),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as one:
        yield one


@pytest.fixture(scope="module")
def sample(engine: Engine) -> Iterator[tuple[Study, OpenStack]]:
    study = engine.reader.index([resources.path("sample", "chest-phantom")]).studies[0]
    with engine.reader.open(study.series[0]) as opened:
        yield study, opened


def mark_on(opened: OpenStack, kind: MarkKind, index: int = 20, **fields: Any) -> Mark:
    """Return a measured mark on a frame."""
    series = opened.stack.series
    frame = opened.stack.frames[index]
    mark = Mark(
        kind=kind,
        points=PLACES.get(kind, ()),
        series_instance_uid=series.series_instance_uid,
        series_key=series.key,
        sop_instance_uid=series.instances[frame[0]].sop_instance_uid,
        frame_number=frame[1],
        **fields,
    )
    return measure_mark(mark, series, frame, frame_pixels(opened.stack, index))


def export(
    engine: Engine, study: Study, marks: list[Mark], folder: Path
) -> tuple[Exported, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    done = engine.exporting.export_marks(
        study,
        marks,
        folder,
        lambda form, digest: told.append((form, digest)),
        person=PERSON,
        program="Sightline test",
    )
    return done, told


def read_back(engine: Engine, study: Study, path: Path) -> ReportContent:
    found = engine.reader.index([path]).studies[0].objects[0]
    content = engine.reader.read_object(found)
    assert isinstance(content, ReportContent)
    return content


def errors_of(path: Path) -> list[str]:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    return [line for line in lines if not any(known in line for known in KNOWN_ERRORS)]


def test_our_reader_reads_the_same_points_and_values(
    engine: Engine, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    study, opened = sample
    marks = [
        mark_on(opened, kind, name=f"M{number}", tracking_uid=f"2.25.{number + 77}")
        for number, kind in enumerate(PLACES)
    ]
    done, told = export(engine, study, marks, tmp_path)
    assert [path.name for path in done.files] == ["measurements.sr.dcm"]
    assert [form for form, _ in told] == ["measurements as SR"]
    content = read_back(engine, study, done.files[0])
    back = {mark.name: mark for mark in marks_of_report(content, study)}
    assert "Reader^Ada" in " ".join(content.observers)
    for mark in marks:
        other = back[mark.name]
        assert other.kind is mark.kind
        np.testing.assert_allclose(other.points, mark.points, atol=1e-4)
        assert other.tracking_uid == mark.tracking_uid
        assert (other.sop_instance_uid, other.frame_number) == (mark.sop_instance_uid, 1)
        assert [value.unit for value in other.values] == [value.unit for value in mark.values]
        np.testing.assert_allclose(
            [value.value for value in other.values], [value.value for value in mark.values], rtol=1e-9
        )


def test_highdicom_reads_uncertainty_calibration_and_corner_coordinates(
    engine: Engine, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    import highdicom

    study, opened = sample
    mark = mark_on(opened, MarkKind.LENGTH, name="T1")
    (path,) = export(engine, study, [mark], tmp_path)[0].files
    report = highdicom.sr.srread(path)
    assert report.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.33"
    (group,) = report.content.get_image_measurement_groups()
    (value,) = group.get_measurements()
    assert value.value == pytest.approx(mark.values[0].value)
    assert value.unit.value == "mm"
    names = {item.name.meaning: item for item in value[0].ContentSequence}
    upper = next(item for name, item in names.items() if "upper" in name)
    assert upper.value == pytest.approx(mark.values[0].uncertainty)
    (coordinates,) = value.referenced_coordinates
    np.testing.assert_allclose(coordinates.value, np.array(mark.points) + 0.5, atol=1e-4)
    (source,) = group.get_qualitative_evaluations()
    assert source.value.meaning == "PixelSpacing"


def test_statistics_say_of_what_they_are(sample: tuple[Study, OpenStack]) -> None:
    group = group_of(mark_on(sample[1], MarkKind.ELLIPSE))
    assert group is not None and group.is_region
    derived = {value.derivation[2]: value for value in group.values if value.derivation}
    assert derived["Mean"].concept == ("112031", "DCM", "Attenuation Coefficient")
    assert derived["Mean"].unit == "[hnsf'U]"


def test_dciodvfy_finds_no_error_in_the_report(
    engine: Engine, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    study, opened = sample
    marks = [mark_on(opened, kind) for kind in PLACES]
    assert errors_of(export(engine, study, marks, tmp_path)[0].files[0]) == []


def on_plane(opened: OpenStack, kind: MarkKind, points: tuple[tuple[float, ...], ...]) -> Mark:
    series = opened.stack.series
    return Mark(
        kind=kind,
        name=f"oblique {kind}",
        points=points,
        plane=MarkPlane(
            origin=(0.0, 0.0, 0.0), row_cosines=(0.8, 0.0, 0.6), column_cosines=(0.0, 1.0, 0.0)
        ),
        frame_of_reference_uid=series.frame_of_reference_uid,
        series_instance_uid=series.series_instance_uid,
        series_key=series.key,
    )


def test_marks_on_oblique_planes_leave_in_the_patient(
    engine: Engine, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    study, opened = sample
    square = ((0.0, 0.0, 0.0), (8.0, 0.0, 6.0), (8.0, 10.0, 6.0), (0.0, 10.0, 0.0))
    (path,) = export(engine, study, [on_plane(opened, MarkKind.POLYGON, square)], tmp_path)[0].files
    content = read_back(engine, study, path)
    (shape,) = content.groups[0].shapes
    assert shape.type == "POLYGON"
    np.testing.assert_allclose(shape.points, (*square, square[0]), atol=1e-4)
    assert pydicom.dcmread(path).SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.34"
    assert errors_of(path) == []


def test_brushed_regions_leave_as_segments_too(
    engine: Engine, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    study, opened = sample
    masks = []
    for column in (40, 60):
        mask = np.zeros(opened.stack.stored.shape[1:3], dtype=bool)
        mask[100:130, column : column + 25] = True
        mask[110:115, column + 5 : column + 9] = False
        masks.append(mask)
    marks = [
        mark_on(opened, MarkKind.BRUSH, index, name=f"B{index}", mask=MarkMask.of(mask))
        for index, mask in zip((20, 23), masks, strict=True)
    ]
    done, told = export(engine, study, marks, tmp_path)
    assert [path.name for path in done.files] == ["measurements.sr.dcm", "regions-1.seg.dcm"]
    assert [form for form, _ in told] == ["measurements as SR", "regions as SEG"]
    import highdicom

    segmentation = highdicom.seg.segread(done.files[1])
    uids = [mark.sop_instance_uid for mark in marks]
    pixels = segmentation.get_pixels_by_source_instance(
        uids, segment_numbers=[1, 2], assert_missing_frames_are_empty=True
    )
    for number, mask in enumerate(masks):
        assert np.array_equal(pixels[number, ..., number] > 0, mask)
        assert not pixels[1 - number, ..., number].any()
    assert [item.SegmentAlgorithmType for item in segmentation.SegmentSequence] == ["MANUAL"] * 2
    assert [item.SegmentLabel for item in segmentation.SegmentSequence] == ["B20", "B23"]
    assert errors_of(done.files[1]) == []


def test_marks_of_others_are_not_exported_in_my_name(
    engine: Engine, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    study, opened = sample
    theirs = mark_on(opened, MarkKind.LENGTH, origin=MarkOrigin.SR)
    with pytest.raises(ExportError, match="no mark of yours"):
        export(engine, study, [theirs], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_key_images_leave_as_a_key_object_selection(
    engine: Engine, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    study, opened = sample
    uids = [opened.stack.series.instances[index].sop_instance_uid for index in (30, 12)]
    told: list[str] = []
    path = engine.exporting.export_key_images(
        study,
        uids,
        tmp_path / "key.ko.dcm",
        lambda form, _digest: told.append(form),
        person=PERSON,
        description="For the conference",
    )
    assert told == ["key images as KO"]
    found = engine.reader.index([path]).studies[0].objects[0]
    content: Any = engine.reader.read_object(found)
    assert [one.sop_instance_uid for one in content.images] == uids
    assert errors_of(path) == []


# --- other modalities ------------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.parametrize("folder", ["cxr", "us"])
def test_projections_and_ultrasound_keep_their_calibration(
    engine: Engine, shared_data: Path, tmp_path: Path, folder: str
) -> None:
    where = shared_data / folder
    if not where.is_dir():
        pytest.skip(f"{folder} is not among the shared data")
    study, series = _first_series(engine, where)
    with engine.reader.open(series) as opened:
        rows, columns = opened.stack.stored.shape[1:3]
        line = ((columns * 0.4, rows * 0.5), (columns * 0.6, rows * 0.55))
        mark = Mark(
            kind=MarkKind.LENGTH,
            name="L",
            points=line,
            series_instance_uid=series.series_instance_uid,
            series_key=series.key,
            sop_instance_uid=series.instances[0].sop_instance_uid,
        )
        mark = measure_mark(mark, series, opened.stack.frames[0], frame_pixels(opened.stack, 0))
    done, _ = export(engine, study, [mark], tmp_path)
    content = read_back(engine, study, done.files[0])
    (group,) = content.groups
    if mark.values:
        assert group.measurements[0].value == pytest.approx(mark.values[0].value)
        assert group.measurements[0].unit == mark.values[0].unit
        assert mark.values[0].source in [one.answer for one in group.evaluations]
    assert errors_of(done.files[0]) == []


def _first_series(engine: Engine, where: Path) -> tuple[Study, Series]:
    for study in engine.reader.index([where]).studies:
        for series in study.series:
            if series.instances and all(one.sop_instance_uid for one in series.instances):
                return study, series
    pytest.skip("no image with an identity")


def test_an_image_that_is_gone_is_refused(
    engine: Engine, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    study, opened = sample
    series = opened.stack.series
    moved = tuple(
        one.model_copy(update={"path": str(tmp_path / "gone.dcm")}) for one in series.instances
    )
    gone = study.model_copy(update={"series": (series.model_copy(update={"instances": moved}),)})
    with pytest.raises(WorkerRefused, match="can no longer be read"):
        export(engine, gone, [mark_on(opened, MarkKind.LENGTH)], tmp_path / "out")

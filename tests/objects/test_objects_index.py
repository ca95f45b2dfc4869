"""The index names every object of others with its study, and shows nothing of it as images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from object_files import SERIES, STUDY, item, new_object, save

from app.cli.main import run
from viewer.imaging.index import index_paths
from viewer.imaging.objects.foreign import ObjectKind
from viewer.imaging.study import StudyIndex

STORAGE = "1.2.840.10008.5.1.4.1.1."


@pytest.mark.parametrize(
    ("sop_class", "kind", "what"),
    [
        ("66.4", ObjectKind.SEGMENTATION, "Segmentation"),
        ("66.7", ObjectKind.SEGMENTATION, "Label map segmentation"),
        ("481.3", ObjectKind.STRUCTURE_SET, "Radiotherapy structure set"),
        ("11.1", ObjectKind.PRESENTATION_STATE, "Greyscale presentation state"),
        ("88.22", ObjectKind.STRUCTURED_REPORT, "Enhanced structured report"),
        ("88.67", ObjectKind.STRUCTURED_REPORT, "X-ray radiation dose report"),
        ("88.99", ObjectKind.STRUCTURED_REPORT, "Structured report"),
        ("88.59", ObjectKind.KEY_OBJECT, "Key object selection"),
        ("104.1", ObjectKind.ENCAPSULATED_PDF, "PDF document"),
        ("104.2", ObjectKind.OTHER, "CDA document"),
        ("104.3", ObjectKind.OTHER, "STL surface model"),
        ("66.1", ObjectKind.OTHER, "Spatial registration"),
        ("481.5", ObjectKind.OTHER, "Radiotherapy plan"),
        ("9.1.1", ObjectKind.OTHER, "Waveform"),
    ],
)
def test_an_object_is_known_by_its_class(
    sop_class: str, kind: ObjectKind, what: str, ct_folder: Path
) -> None:
    save(new_object(STORAGE + sop_class, SeriesDescription="Of others"), ct_folder / "object.dcm")
    index = index_paths([str(ct_folder)])
    assert not index.bad_files
    (study,) = index.studies
    (found,) = study.objects
    assert (found.kind, found.what, found.description) == (kind, what, "Of others")
    assert found.readable == (kind is not ObjectKind.OTHER)
    assert len(study.series[0].instances) == 5


def test_an_entry_names_creator_and_the_images_it_was_made_on(ct_folder: Path) -> None:
    evidence = item(
        StudyInstanceUID=STUDY,
        ReferencedSeriesSequence=[
            item(
                SeriesInstanceUID=SERIES,
                ReferencedSOPSequence=[
                    item(ReferencedSOPInstanceUID=f"{SERIES}.{number}") for number in (1, 4)
                ],
            )
        ],
    )
    ds = new_object(STORAGE + "88.33", ContentDate="20210101", ContentTime="1010")
    ds.ContentTemplateSequence = [item(TemplateIdentifier="1500", MappingResource="DCMR")]
    ds.CurrentRequestedProcedureEvidenceSequence = [evidence]
    ds.SpecificCharacterSet, ds.OperatorsName = "ISO_IR 100", "Bj\xf6rk^Jos\xe9"
    save(ds, ct_folder / "sr.dcm")
    (found,) = index_paths([str(ct_folder)]).studies[0].objects
    assert found.kind is ObjectKind.MEASUREMENT_REPORT
    assert (found.creator, found.date, found.encoding_suspect) == (
        "Bj\xf6rk^Jos\xe9",
        "20210101",
        False,
    )
    assert found.references[0].instances == (f"{SERIES}.1", f"{SERIES}.4")
    assert found.refers_to(SERIES)
    assert not found.refers_to("1.2.3")


def test_a_study_of_objects_only_is_a_study(tmp_path: Path) -> None:
    for number, instance in enumerate((2, 1)):
        ds = new_object(STORAGE + "104.1", InstanceNumber=instance)
        save(ds, tmp_path / f"{number}.dcm")
    (study,) = index_paths([str(tmp_path)]).studies
    assert (study.series, study.patient.name, study.date) == ((), "Doe^Jane", "20200102")
    assert [one.instance_number for one in study.objects] == [1, 2]
    assert StudyIndex.model_validate_json(
        StudyIndex(studies=(study,)).model_dump_json(exclude_defaults=True)
    ).studies == (study,)


def test_a_copy_of_an_object_is_named_and_listed_once(tmp_path: Path) -> None:
    ds = new_object(STORAGE + "481.5")
    save(ds, tmp_path / "a.dcm")
    save(ds, tmp_path / "b.dcm")
    index = index_paths([str(tmp_path)])
    assert len(index.studies[0].objects) == 1
    assert [bad.code for bad in index.bad_files] == ["duplicate"]


def test_an_object_of_no_study_is_a_file_that_is_not_used(tmp_path: Path) -> None:
    ds = new_object("1.2.840.10008.5.1.4.38.1")
    del ds.StudyInstanceUID
    save(ds, tmp_path / "hanging.dcm")
    index = index_paths([str(tmp_path)])
    assert index.studies == ()
    assert [bad.code for bad in index.bad_files] == ["unsupported"]


def test_the_command_line_prints_what_is_inside(
    ct_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    region = item(ROINumber=1, ROIName="Liver", ReferencedFrameOfReferenceUID="1.2")
    structures = new_object(STORAGE + "481.3", StructureSetROISequence=[region])
    save(structures, ct_folder / "rs.dcm")
    save(new_object(STORAGE + "104.3"), ct_folder / "stl.dcm")
    assert run(["inspect", str(ct_folder), "--objects", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["studies"][0]["objects"]) == 2
    contents = {Path(one["path"]).name: one for one in told["contents"]}
    assert contents["rs.dcm"]["content"]["regions"][0]["name"] == "Liver"
    assert contents["stl.dcm"]["refusal"]["code"] == "unsupported"
    assert "STL" in contents["stl.dcm"]["refusal"]["reason"]
    assert run(["inspect", str(ct_folder), "--objects"]) == 0
    assert "1 Liver" in capsys.readouterr().out


@pytest.mark.shared
def test_every_real_object_is_listed_and_read_or_refused_in_words(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", str(shared_data / "sr-seg-rt"), "--objects", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    listed = [one for study in told["studies"] for one in study["objects"]]
    assert len(told["contents"]) == len(listed) >= 30
    refused = {one["what"] for one in told["contents"] if "refusal" in one}
    assert refused == {
        *("STL surface model", "Real world value mapping", "Radiotherapy dose", "Radiotherapy plan"),
        "Waveform",
    }

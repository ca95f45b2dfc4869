"""A folder of mixed, partly broken files comes out split and sorted; each bad file has a reason."""

from __future__ import annotations

import os
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from viewer.imaging.geometry import VerdictKind
from viewer.imaging.index import index_paths
from viewer.imaging.sources import MAX_MEMBERS, Cancelled
from viewer.imaging.study import StudyIndex

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]


def codes(index: StudyIndex) -> dict[str, str]:
    """Return file name -> code of the bad files."""
    return {Path(bad.path).name: bad.code for bad in index.bad_files}


def test_slices_are_sorted_along_the_patient_and_not_by_number(
    write_series: Callable[..., Path],
) -> None:
    index = index_paths([str(write_series(6))])
    (series,) = index.studies[0].series
    assert [one.plane.position[2] for one in series.instances if one.plane] == [
        2.5 * number for number in range(6)
    ]
    assert [one.instance_number for one in series.instances] == [100, 99, 98, 97, 96, 95]
    assert series.verdict.kind is VerdictKind.UNIFORM
    assert index.file_count == 6
    assert not index.bad_files


def test_a_series_without_positions_is_sorted_by_instance_number(
    write_series: Callable[..., Path],
) -> None:
    none = {"ImagePositionPatient": None}
    index = index_paths([str(write_series(4, changes=dict.fromkeys(range(4), none)))])
    (series,) = index.studies[0].series
    assert [one.instance_number for one in series.instances] == [97, 98, 99, 100]
    assert series.verdict.kind is VerdictKind.NOT_A_VOLUME


@pytest.mark.parametrize(
    "odd_one",
    [
        {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        {"EchoTime": 80.0},
        {"DiffusionBValue": 1000.0},
        {"TemporalPositionIdentifier": 2},
        {"Rows": 2, "Columns": 12},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_image_of_another_kind_is_split_off(
    odd_one: dict[str, Any], write_series: Callable[..., Path]
) -> None:
    index = index_paths([str(write_series(6, changes={2: odd_one}))])
    main, other = index.studies[0].series
    assert (len(main.instances), len(other.instances)) == (5, 1)
    assert (main.part, other.part) == ("", "2")
    assert main.key != other.key
    assert main.verdict.kind is VerdictKind.MISSING


def test_the_vendor_value_of_a_ct_image_type_splits_nothing(
    write_series: Callable[..., Path],
) -> None:
    vendor = {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "ADD"]}
    (series,) = index_paths([str(write_series(5, changes={1: vendor, 2: vendor}))]).studies[0].series
    assert len(series.instances) == 5


def test_a_doubled_sop_instance_uid_is_named_and_read_once(
    write_series: Callable[..., Path], ct_slice: Make, save: Save
) -> None:
    folder = write_series(3)
    save(ct_slice(1), folder / "copy.dcm")
    index = index_paths([str(folder)])
    assert codes(index) == {"copy.dcm": "duplicate"}
    assert len(index.studies[0].series[0].instances) == 3


def test_every_bad_file_is_named_with_a_reason_and_the_rest_loads(
    write_series: Callable[..., Path], ct_slice: Make, save: Save
) -> None:
    folder = write_series(4)
    whole = save(ct_slice(7), folder / "cut.dcm").read_bytes()
    (folder / "cut.dcm").write_bytes(whole[:-20])
    (folder / "notes.txt").write_text("no image")
    (folder / "empty.dcm").write_bytes(b"")
    save(ct_slice(8, PixelData=None), folder / "no_pixels.dcm")
    save(ct_slice(9, Rows=65535, Columns=65535), folder / "lying.dcm")
    save(ct_slice(10, BitsStored=20), folder / "bits.dcm")
    stray = ct_slice(11, PixelData=None, SOPClassUID="1.2.840.10008.5.1.4.38.1", StudyInstanceUID="")
    save(stray, folder / "hanging.dcm")
    nested = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 3000
    (folder / "bomb.dcm").write_bytes(whole[: whole.index(b"\x08\x00\x08\x00")] + nested)
    index = index_paths([str(folder)])
    assert codes(index) == {
        "cut.dcm": "truncated",
        "notes.txt": "not_dicom",
        "empty.dcm": "not_dicom",
        "no_pixels.dcm": "no_pixels",
        "lying.dcm": "too_large",
        "bits.dcm": "bad_header",
        "hanging.dcm": "unsupported",
        "bomb.dcm": "too_deep",
    }
    assert all(bad.reason.endswith(".") for bad in index.bad_files)
    assert "Hanging protocol" in next(b.reason for b in index.bad_files if "hanging" in b.path)
    assert len(index.studies[0].series[0].instances) == 4


def test_compressed_pixels_that_claim_too_much_are_refused_from_the_header(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEG2000Lossless

    ds = ct_slice(syntax=JPEG2000Lossless, Rows=8000, Columns=8000)
    ds.PixelData = encapsulate([b"\xff\x4f\xff\x51" + bytes(40)])
    save(ds, tmp_path / "bomb.dcm")
    index = index_paths([str(tmp_path)])
    assert codes(index) == {"bomb.dcm": "too_large"}
    assert "cannot be true" in index.bad_files[0].reason


def test_a_folder_without_dicom_gives_an_empty_index_with_reasons(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    index = index_paths([str(tmp_path), str(tmp_path / "absent")])
    assert index.studies == ()
    assert codes(index) == {"a.txt": "not_dicom", "absent": "unreadable"}


def test_a_link_out_of_the_folder_is_not_followed(
    write_series: Callable[..., Path], tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    save(ct_slice(30), outside / "secret.dcm")
    folder = write_series(2)
    (folder / "out").symlink_to(outside)
    (folder / "file.dcm").symlink_to(outside / "secret.dcm")
    (folder / "inside.dcm").symlink_to(folder / "000.dcm")
    index = index_paths([str(folder)])
    assert codes(index) == {"out": "unsafe_path", "file.dcm": "unsafe_path"}
    assert index.studies[0].series[0].image_count == 2


def test_a_pipe_in_the_folder_does_not_hang_the_index(write_series: Callable[..., Path]) -> None:
    folder = write_series(2)
    os.mkfifo(folder / "pipe")
    assert codes(index_paths([str(folder)])) == {"pipe": "not_dicom"}


def test_a_name_that_is_no_text_is_refused_and_shown(write_series: Callable[..., Path]) -> None:
    folder = write_series(2)
    os.close(os.open(os.fsencode(folder) + b"/\xff.dcm", os.O_CREAT | os.O_WRONLY))
    index = index_paths([str(folder)])
    assert codes(index) == {"\\udcff.dcm": "unreadable"}
    assert index.model_dump_json()


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_zip_is_unpacked_privately_under_names_of_its_own(
    write_series: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write_series(3)
    members = {f"Jane Doe/{file.name}": file.read_bytes() for file in folder.iterdir()}
    given = _zip(tmp_path / "study.zip", {**members, "readme.txt": b"hello"})
    archive_dir = tmp_path / "archive"
    index = index_paths([str(given)], archive_dir=archive_dir)
    (series,) = index.studies[0].series
    assert series.verdict.kind is VerdictKind.UNIFORM
    for instance in series.instances:
        path = Path(instance.path)
        assert path.is_relative_to(archive_dir)
        assert "Doe" not in instance.path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [(bad.path, bad.code) for bad in index.bad_files] == [(f"{given}!readme.txt", "not_dicom")]


def test_a_damaged_zip_member_is_named_and_the_rest_of_the_archive_loads(
    write_series: Callable[..., Path], tmp_path: Path
) -> None:
    members = {file.name: file.read_bytes() for file in sorted(write_series(3).iterdir())}
    given = _zip(tmp_path / "study.zip", members)
    with zipfile.ZipFile(given) as archive:
        broken = archive.infolist()[1]
    data = bytearray(given.read_bytes())
    start = broken.header_offset + 30 + len(broken.filename)
    data[start : start + broken.compress_size] = b"\xff" * broken.compress_size
    given.write_bytes(data)
    index = index_paths([str(given)], archive_dir=tmp_path / "archive")
    assert codes(index) == {f"study.zip!{broken.filename}": "bad_archive"}
    assert [one.image_count for one in index.studies[0].series] == [2]


@pytest.mark.parametrize("name", ["../evil.dcm", "/evil.dcm", "a/../../evil.dcm", "C:\\evil.dcm"])
def test_a_zip_member_cannot_leave_the_archive(
    name: str, write_series: Callable[..., Path], tmp_path: Path
) -> None:
    data = (write_series(1) / "000.dcm").read_bytes()
    index = index_paths([str(_zip(tmp_path / "evil.zip", {name: data}))], archive_dir=tmp_path / "a")
    assert [bad.code for bad in index.bad_files] == ["unsafe_path"]
    assert not list(tmp_path.rglob("evil.dcm"))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = _zip(tmp_path / "bomb.zip", {"a.dcm": bytes(128) + b"DICM" + bytes(64 << 20)})
    index = index_paths([str(bomb)], archive_dir=tmp_path / "a")
    assert [bad.code for bad in index.bad_files] == ["too_large"]
    assert sum(file.stat().st_size for file in (tmp_path / "a").rglob("*.dcm")) == 0


def test_a_zip_member_that_lies_about_its_size_stops_where_it_said_it_ends(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    data = save(ct_slice(), tmp_path / "a.dcm").read_bytes()
    given = _zip(tmp_path / "lying.zip", {"a.dcm": data + bytes(100_000)})
    raw = bytearray(given.read_bytes())
    size = struct.pack("<I", len(data) + 100_000)
    assert raw.count(size) == 2
    given.write_bytes(bytes(raw).replace(size, struct.pack("<I", 200)))
    index = index_paths([str(given)], archive_dir=tmp_path / "out")
    assert index.studies == ()
    assert {bad.code for bad in index.bad_files} <= {"bad_archive", "too_large", "truncated"}
    assert index.bad_files


def test_an_archive_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_MEMBERS >= 100_000
    monkeypatch.setattr("viewer.imaging.sources.MAX_MEMBERS", 3)
    given = _zip(tmp_path / "many.zip", {f"{number}.dcm": b"x" for number in range(4)})
    index = index_paths([str(given)], archive_dir=tmp_path / "out")
    assert codes(index) == {"many.zip": "too_large"}


def test_an_archive_that_unpacks_beyond_the_cap_is_stopped(
    write_series: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (write_series(1) / "000.dcm").read_bytes()
    monkeypatch.setattr("viewer.imaging.sources.MAX_UNPACKED", len(data) + 10)
    given = _zip(tmp_path / "big.zip", {"1.dcm": data, "2.dcm": data})
    index = index_paths([str(given)], archive_dir=tmp_path / "out")
    assert codes(index) == {"big.zip": "too_large"}
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 1


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04" + bytes(200))
    assert codes(index_paths([str(tmp_path / "bad.zip")], archive_dir=tmp_path / "o")) == {
        "bad.zip": "bad_archive"
    }


def test_progress_ends_with_all_files_and_a_cancel_is_heard(
    write_series: Callable[..., Path],
) -> None:
    folder = str(write_series(8))
    heard: list[tuple[int, int]] = []
    index_paths([folder], on_progress=lambda count, total: heard.append((count, total)))
    assert heard[-1] == (8, 8)
    with pytest.raises(Cancelled):
        index_paths([folder], cancelled=lambda: True)


def test_names_in_other_scripts_are_read_and_hostile_characters_are_dropped(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Mu\u0308ller^J\u202egpj\u200f\x07",
        StudyDescription="Lunge\nmit Kontrast",
    )
    study = index_paths([str(save(ds, tmp_path / "a.dcm"))]).studies[0]
    assert study.patient.name == "Müller^Jgpj"
    assert study.description == "Lunge mit Kontrast"
    assert not study.patient.encoding_suspect


def test_the_request_of_the_order_is_read_the_reason_before_the_procedure(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(
        RequestedProcedureDescription="CT chest", ReasonForTheRequestedProcedure="Cough\n3 weeks"
    )
    assert index_paths([str(save(ds, tmp_path / "a.dcm"))]).studies[0].request == "Cough 3 weeks"
    del ds.ReasonForTheRequestedProcedure
    assert index_paths([str(save(ds, tmp_path / "a.dcm"))]).studies[0].request == "CT chest"


def test_codes_and_uids_lose_control_characters_too(tmp_path: Path, ct_slice: Make, save: Save) -> None:
    path = save(ct_slice(Modality="CTXXXXX", BodyPartExamined="CHESTXXX"), tmp_path / "a.dcm")
    data = path.read_bytes().replace(b"CTXXXXX", b"CT\x1b[31m").replace(b"CHESTXXX", b"CHEST\x07\n\x9b")
    path.write_bytes(data)
    (series,) = index_paths([str(path)]).studies[0].series
    assert series.modality == "CT[31m"
    assert series.body_part.isprintable()


@pytest.mark.parametrize("charset", ["ISO_IR 192", "", "NO SUCH SET"])
def test_a_name_in_the_wrong_character_set_is_marked_suspect(
    charset: str, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    path = save(ct_slice(SpecificCharacterSet="ISO_IR 100", PatientName="Mller"), tmp_path / "a.dcm")
    data = path.read_bytes().replace(b"Mller ", b"M\xfcller")
    declared = charset.encode().ljust(len(charset) + len(charset) % 2)
    old = b"\x08\x00\x05\x00CS" + struct.pack("<H", 10) + b"ISO_IR 100"
    assert old in data
    path.write_bytes(data.replace(old, old[:6] + struct.pack("<H", len(declared)) + declared))
    patient = index_paths([str(path)]).studies[0].patient
    assert patient.encoding_suspect
    assert patient.name


PROJECTION: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}


@pytest.mark.parametrize(
    ("elements", "spacing", "source"),
    [
        ({"Modality": "CT"}, (0.5, 0.75), "PixelSpacing"),
        ({"Modality": "DX", "PixelSpacing": None}, None, ""),
        ({"Modality": "DX"}, None, "at detector"),
        ({"Modality": "DX", "ImagerPixelSpacing": [0.5, 0.75]}, None, "at detector"),
        (
            {"Modality": "DX", "ImagerPixelSpacing": [0.6, 0.9]},
            (0.5, 0.75),
            "calibrated: method not stated",
        ),
        (
            {"Modality": "MG", "PixelSpacingCalibrationType": "FIDUCIAL"},
            (0.5, 0.75),
            "calibrated: FIDUCIAL",
        ),
        (
            {
                "Modality": "DX",
                "PixelSpacing": None,
                "ImagerPixelSpacing": [0.5, 0.75],
                "EstimatedRadiographicMagnificationFactor": 1.25,
            },
            (0.4, 0.6),
            "magnification corrected",
        ),
        (
            {
                "Modality": "XA",
                "PixelSpacing": None,
                "ImagerPixelSpacing": [0.5, 0.75],
                "DistanceSourceToDetector": 1000,
                "DistanceSourceToPatient": 800,
            },
            (0.4, 0.6),
            "magnification corrected",
        ),
        ({"Modality": "US"}, None, ""),
        ({"Modality": "CT", "PixelSpacing": [0, 0]}, None, ""),
    ],
)
def test_a_radiograph_is_calibrated_only_when_someone_did_it(  # noqa: PLR0917 - parameters, fixtures
    elements: dict[str, Any],
    spacing: tuple[float, float] | None,
    source: str,
    tmp_path: Path,
    ct_slice: Make,
    save: Save,
) -> None:
    path = save(ct_slice(**{**PROJECTION, **elements}), tmp_path / "a.dcm")
    (series,) = index_paths([str(path)]).studies[0].series
    assert series.spacing_source == source
    if spacing is None:
        assert series.pixel_spacing is None
    else:
        assert series.pixel_spacing == pytest.approx(spacing)


CODES = {
    *("not_dicom", "truncated", "too_deep", "too_large", "unsupported", "no_pixels"),
    *("bad_header", "corrupt"),
}


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm"])
def test_no_damage_to_a_file_stops_the_index(name: str, tmp_path: Path) -> None:
    """Flip, cut and overwrite bytes in 100 ways that a fixed seed gives."""
    whole = (Path(pydicom.__file__).parent / "data" / "test_files" / name).read_bytes()
    rng = random.Random(name)
    folder = tmp_path / "damaged"
    folder.mkdir()
    for number in range(100):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 3, 10))):
            at = rng.randrange(132, min(len(data), 3000))
            noise = rng.choice((b"\xff\xff\xff\xff", b"\xfe\xff\x00\xe0", rng.randbytes(1)))
            data[at : at + len(noise)] = noise
        (folder / f"{number:03d}.dcm").write_bytes(data[: rng.choice((len(data), 1500))])
    index = index_paths([str(folder)])
    read = sum(len(series.instances) for study in index.studies for series in study.series)
    read += sum(len(study.objects) for study in index.studies)
    assert read + len(index.bad_files) == 100
    assert {bad.code for bad in index.bad_files} <= CODES | {"duplicate"}


@pytest.mark.shared
def test_real_bad_files_never_stop_the_index(shared_data: Path) -> None:
    index = index_paths([str(shared_data / "malformed")])
    found = codes(index)
    assert found["rows_cols_65535.dcm"] == "too_large"
    assert found["truncated_in_pixels.dcm"] == "truncated"
    assert found["html_saved_as.dcm"] == "not_dicom"
    assert any("dwv-test_bad.zip!" in bad.path for bad in index.bad_files)
    assert all(bad.reason for bad in index.bad_files)
    (missing,) = [
        series
        for study in index.studies
        for series in study.series
        if series.verdict.kind is VerdictKind.MISSING
    ]
    assert missing.verdict.missing == ((19, 2),)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("ct/chest_LUNG1-001", VerdictKind.UNIFORM),
        ("ct/head_GE_gantry_tilt_variable_spacing", VerdictKind.NON_UNIFORM),
        ("ct/head_phantom_Philips_tilt_uniform", VerdictKind.TILTED),
        ("mr/brain_T1_MPRAGE_oblique_sagittal", VerdictKind.UNIFORM),
    ],
)
def test_real_series_get_the_right_verdict(folder: str, kind: VerdictKind, shared_data: Path) -> None:
    (series,) = index_paths([str(shared_data / folder)]).studies[0].series
    assert series.verdict.kind is kind


@pytest.mark.shared
def test_a_dicomdir_is_no_bad_file(shared_data: Path) -> None:
    index = index_paths([str(shared_data / "dicomdir")])
    assert len(index.studies) >= 5
    assert "DICOMDIR" not in codes(index)


@pytest.mark.shared
def test_names_of_the_standard_s_examples_are_decoded(shared_data: Path) -> None:
    names = {study.patient.name for study in index_paths([str(shared_data / "charset")]).studies}
    assert "Buc^Jérôme" in names
    assert "Yamada^Tarou=山田^太郎=やまだ^たろう" in names
    assert "Hong^Gildong=洪^吉洞=홍^길동" in names
    assert "Διονυσιος" in names

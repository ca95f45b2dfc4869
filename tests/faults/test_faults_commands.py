"""Bad files by command line: words that name the file, exit code 1 or 2, no stack of calls, in time."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from fault_scene import PASSWORD, PHANTOM, RADIOLOGIST, add_bad_files
from hostile_files import directory, raw, save, small
from pydicom.uid import generate_uid

from app.cli.main import run
from app.desk import Desk
from app.engine import Engine
from app.marks import body_of
from reports.domain import Ledger
from reports.store.kinds import RecordKind
from viewer.imaging.marks import Mark, MarkKind
from viewer.imaging.study import StudyIndex

SLOWEST = 20.0
"""Seconds that a command may take for one small file, on a machine that does other work."""


@dataclass(frozen=True)
class Ended:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run commands in this process: an error that is not typed comes out here and fails the test."""

    def ran(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))
        capsys.readouterr()
        began = time.monotonic()
        code = run([str(one) for one in arguments])
        assert time.monotonic() - began < SLOWEST, arguments
        told = capsys.readouterr()
        assert "Traceback" not in told.err + told.out
        assert "[Errno" not in told.err
        return Ended(code, told.out, told.err)

    return ran


def refused(command: Command, path: Path, *arguments: object) -> str:
    """Run a command that must fail, and return its last line, which must name the file."""
    ended = command(*arguments)
    assert ended.code in (1, 2), (arguments, ended)
    assert path.name in ended.err, (arguments, ended.err)
    return ended.err.splitlines()[-1]


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, Path]:
    """Bad files alone, by name: none holds an image that can be shown."""
    folder = tmp_path / "bad"
    folder.mkdir()
    names = add_bad_files(folder)
    (folder / "bytes.dcm").write_bytes(bytes(range(256)) * 8)
    (folder / "broken.zip").write_bytes(b"PK\x03\x04" + bytes(200))
    return {name: folder / name for name in (*names, "bytes.dcm", "broken.zip")}


def as_person(home: Path) -> tuple[object, ...]:
    return ("--user", RADIOLOGIST, "--password-stdin", "--home", home)


def test_each_bad_file_is_refused_by_inspect_and_render_with_its_name(
    command: Command, bad: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    together = command("inspect", next(iter(bad.values())).parent)
    assert together.code == 1
    assert "0 studies, " in together.out
    for path in bad.values():
        assert f"not read: {path}: " in together.out
        last = refused(command, path, "render", path, "--out", out)
        assert last.startswith("sightline: ")
    assert not out.exists()


@pytest.mark.parametrize("name", ["cut-in-pixels.dcm", "web-page.dcm", "broken.zip"])
def test_bad_file_is_refused_by_every_command_that_takes_images(
    command: Command, bad: dict[str, Path], home: Path, tmp_path: Path, name: str
) -> None:
    path, out = bad[name], tmp_path / "out"
    refused(command, path, "evidence", path, "--out", out)
    refused(command, path, "draft", path, "--out", out, "--home", home)
    refused(command, path, "deidentify", path, "--out", out, *as_person(home))
    assert not out.exists()


def test_bad_file_where_a_text_a_ledger_a_draft_or_a_pdf_should_be(
    command: Command, bad: dict[str, Path], home: Path, tmp_path: Path
) -> None:
    text, ledger = tmp_path / "report.txt", tmp_path / "ledger.json"
    text.write_text("FINDINGS: The lungs are clear.")
    ledger.write_text(Ledger(study_instance_uid="1.2.3").model_dump_json(by_alias=True))
    assert command("check", text, "--ledger", ledger).code in (0, 1)
    for path in bad.values():
        assert command("check", text, "--ledger", path).code == 2
        refused(command, path, "check", text, "--ledger", path)
    for name in ("cut-in-pixels.dcm", "deep-20000.dcm", "empty.dcm", "bytes.dcm"):
        refused(command, bad[name], "check", bad[name], "--ledger", ledger)
    for name in ("empty.dcm", "bytes.dcm"):
        refused(command, bad[name], "verify", bad[name], "--home", home)
        refused(command, bad[name], "sign", bad[name], *as_person(home))


def test_image_that_cannot_be_drafted_decoded_or_copied_is_named_with_the_reason(
    command: Command, home: Path, tmp_path: Path
) -> None:
    capture = save(small(Modality="OT", SeriesInstanceUID=generate_uid()), tmp_path / "capture.dcm")
    last = refused(command, capture, "evidence", capture, "--out", tmp_path / "out")
    assert last.endswith("capture.dcm: The study has no series of images that can be drafted.")
    damaged = pydicom.dcmread(next(PHANTOM.glob("*.dcm")))
    assert damaged.file_meta.TransferSyntaxUID.is_compressed
    stream = bytearray(damaged.PixelData)
    stream[60:] = bytes(len(stream) - 60)
    damaged.PixelData = bytes(stream)
    path = tmp_path / "damaged-stream.dcm"
    damaged.save_as(path)
    last = refused(command, path, "render", path, "--out", tmp_path / "out.png")
    assert "No image of this series can be shown" in last
    whole = small()
    bare = tmp_path / "bare.dcm"
    pydicom.dcmwrite(bare, pydicom.Dataset(whole), implicit_vr=False, little_endian=True)
    assert command("render", bare, "--out", tmp_path / "bare.png").code == 0
    last = refused(command, bare, "deidentify", bare, "--out", tmp_path / "copies", *as_person(home))
    assert last.endswith("Nothing could be exported: it has no DICOM file header (PS3.10).")


def test_marks_of_a_study_whose_files_were_damaged_since_are_not_exported(
    command: Command, home: Path, tmp_path: Path
) -> None:
    source = save(small(), tmp_path / "image.dcm")
    with Desk.open(home) as desk, Engine() as engine:
        desk.sign_in(RADIOLOGIST, PASSWORD)
        (study,) = engine.reader.index([source]).studies
        desk.import_studies(StudyIndex(studies=(study,)))
        series = study.series[0]
        mark = Mark(
            kind=MarkKind.POINT, name="P1", points=((5.0, 6.0),), series_key=series.key,
            series_instance_uid=series.series_instance_uid,
            sop_instance_uid=series.instances[0].sop_instance_uid,
        )  # fmt: skip
        uid = study.study_instance_uid
        desk.save_study_record(uid, RecordKind.MARKS, body_of([mark]), act="add: point")
    for content in (b"", b"<html>", source.read_bytes()[:400]):
        source.write_bytes(content)
        ended = command("export-marks", uid, "--out", tmp_path / "out", *as_person(home))
        assert ended.code == 1
        assert "can no longer be read" in ended.err
        assert not list((tmp_path / "out").glob("*.dcm"))
    ended = command("export-marks", "../../etc/passwd", "--out", tmp_path / "out", *as_person(home))
    assert (ended.code, "../../etc/passwd is not on the worklist" in ended.err) == (1, True)


def test_directory_record_never_leads_out_of_its_folder(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    directory(folder)
    ended = command("inspect", folder / "DICOMDIR", "--json")
    assert ended.code == 0, ended.err
    index = json.loads(ended.out)
    used = [
        instance["path"]
        for study in index["studies"]
        for series in study["series"]
        for instance in series["instances"]
    ]
    assert [Path(path).parent for path in used] == [folder]
    assert "passwd" not in "".join(used)


# --- the shared data

UNREADABLE = (
    *("derived/bits_stored_gt_allocated.dcm", "derived/huge_value_length.dcm"),
    *("derived/missing_pixeldata.dcm", "derived/preamble_only.dcm", "derived/rows_cols_65535.dcm"),
    *("derived/truncated_in_header.dcm", "derived/truncated_in_pixels.dcm", "pydicom/no_meta.dcm"),
    *("dwv/dwv-test_no-number-rows.dcm", "pydicom/badVR.dcm", "fodicom/GH626.dcm"),
    "pydicom/JPEG2000-embedded-sequence-delimiter.dcm",
)
"""Malformed files that hold no image to render: one of each reason."""

NAMES = (
    *("Yamada^Tarou=山田^太郎=やまだ^たろう", "Hong^Gildong=洪^吉洞=홍^길동", "Wang^XiaoDong=王^小东="),
    *("Διονυσιος", "Buc^Jérôme", "Äneas^Rüdiger", "قباني^لنزار", "Люкceмбypг", "שרון^דבורה"),
)
"""Names of the standard's examples (PS3.5 H, I, J, K)."""


@pytest.mark.shared
def test_every_bad_file_of_the_shared_data_is_named_when_it_is_rendered(
    command: Command, shared_data: Path, tmp_path: Path
) -> None:
    for name in UNREADABLE:
        path = shared_data / "malformed" / name
        refused(command, path, "render", path, "--out", tmp_path / "out.png")
    text = shared_data / "charset" / "FileInfo.txt"
    refused(command, text, "render", text, "--out", tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.shared
def test_every_file_of_the_shared_folders_is_listed_or_named_in_one_command_each(
    command: Command, shared_data: Path
) -> None:
    for name in ("malformed", "charset", "dicomdir"):
        folder = shared_data / name
        ended = command("inspect", folder, "--json", "--objects")
        assert ended.code == 0, ended.err
        index = json.loads(ended.out)
        series = [one for study in index["studies"] for one in study["series"]]
        listed = {instance["path"] for one in series for instance in one["instances"]}
        listed |= {one["path"] for study in index["studies"] for one in study["objects"]}
        listed |= {one["path"] for one in (*index["bad_files"], *index["notes"])}
        files = [path for path in folder.rglob("*") if path.is_file()]
        lost = {path for path in files if str(path.resolve()) not in listed}
        assert all(path.suffix == ".zip" or "DICOMDIR" in path.name for path in lost), lost
        assert all(one["reason"] and one["code"] for one in index["bad_files"])
        if name == "dicomdir":
            assert all(Path(path).is_relative_to(folder.resolve()) for path in listed)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["derived/truncated_in_pixels.dcm", "pydicom/badVR.dcm"])
def test_malformed_file_is_refused_by_the_commands_that_measure_and_copy(
    command: Command, shared_data: Path, home: Path, tmp_path: Path, name: str
) -> None:
    path = shared_data / "malformed" / name
    refused(command, path, "evidence", path, "--out", tmp_path / "out")
    refused(command, path, "deidentify", path, "--out", tmp_path / "copies", *as_person(home))


@pytest.mark.shared
def test_names_in_all_character_sets_and_odd_text_are_printed_as_they_are(
    command: Command, shared_data: Path
) -> None:
    words = command("inspect", shared_data / "charset").out
    for name in NAMES:
        assert f"{name}  " in words
    assert "encoding suspect" not in words
    odd = command("inspect", shared_data / "malformed" / "derived" / "injection_strings.dcm")
    assert odd.code == 0
    assert not {letter for letter in odd.out if ord(letter) < 32} - {"\n", "\t"}


def test_name_in_another_encoding_than_it_says_is_marked_suspect(
    command: Command, tmp_path: Path
) -> None:
    raw(tmp_path, {0x00100010: "Müller^Jörg".encode("latin-1")}, count=1)
    ended = command("inspect", tmp_path)
    assert ended.code == 0
    assert "(encoding suspect)" in ended.out

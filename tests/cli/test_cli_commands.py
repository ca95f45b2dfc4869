"""The command line on the bundled sample: what IT and a quality lead script against."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

import resources
from app.cli.main import run
from app.desk import Desk
from app.draft_files import DraftFolder
from reports.domain import Citation, Origin, Review, Section, Sentence, Span
from viewer.imaging.study import StudyIndex

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = resources.path("sample", "chest-phantom")
PASSWORD = "a good long password"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)


def sightline(
    *arguments: str | Path, stdin: str = "", environment: dict[str, str] | None = None
) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("draft")
    done = sightline("draft", SAMPLE, "--out", out, "--seed", "7", "--json")
    assert done.code == 0, done.err
    return out


def load(folder: Path, name: str) -> dict:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def test_inspect_names_study_series_and_verdict() -> None:
    done = sightline("inspect", SAMPLE, "--json")
    assert done.code == 0
    (study,) = done.json["studies"]
    (series,) = study["series"]
    assert len(series["instances"]) == 60
    assert series["verdict"]["kind"] == "uniform"
    assert study["patient"]["name"] == "PHANTOM^CHEST"


def test_inspect_of_a_folder_without_dicom_says_so(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("not an image")
    done = sightline("inspect", tmp_path, "--json")
    assert done.code == 1
    assert done.json["bad_files"][0]["path"].endswith("letter.txt")
    assert "no DICOM image" in done.err


def test_a_file_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b]0;owned\x07.dcm").write_bytes(b"no image")
    words = sightline("inspect", tmp_path)
    assert "\x1b" not in words.out + words.err
    assert "a\\x1b]0;owned\\x07.dcm: This is not a DICOM file." in words.out
    assert "\x1b]0;owned" in sightline("inspect", tmp_path, "--json").json["bad_files"][0]["path"]


def test_a_terminal_without_unicode_gets_escapes_and_json_stays_json() -> None:
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    listed = sightline("models", "list", "--json", environment=plain)
    assert listed.code == 0, listed.err
    assert listed.json["models"][0]["name"] == "sightline-demo"
    refused = sightline("models", "verify", "Modell f\u00fcr T\u00fcren", environment=plain)
    assert refused.code == 1
    assert "There is no model" in refused.err


def test_wrong_use_is_exit_code_2(tmp_path: Path) -> None:
    assert sightline("inspect", tmp_path / "absent").code == 2
    assert sightline("render", SAMPLE, "--out", tmp_path / "x.png", "--window", "wide").code == 2
    assert sightline("no-such-command").code == 2


def test_render_writes_the_grey_of_the_formula(tmp_path: Path) -> None:
    import pydicom

    png = tmp_path / "slice.png"
    done = sightline("render", SAMPLE, "--index", "30", "--window=-500/1500", "--out", png, "--json")
    assert done.code == 0, done.err
    datasets = [pydicom.dcmread(path) for path in SAMPLE.rglob("*.dcm")]
    datasets.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    ds = datasets[30]
    hu = ds.pixel_array.astype(float) * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    # PS3.3 C.11.2.1.2.1, written out.
    grey = np.clip(((hu - (-500 - 0.5)) / (1500 - 1) + 0.5) * 255.0, 0, 255)
    assert np.array_equal(np.asarray(Image.open(png)), np.floor(grey + 0.5).astype(np.uint8))


@pytest.mark.parametrize("name", ["ledger", "draft", "trace", "study"])
def test_files_of_a_draft_follow_their_documented_schemas(drafted: Path, name: str) -> None:
    schema = json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text())
    jsonschema.validate(load(drafted, name), schema)


def test_documented_schemas_are_those_of_the_program() -> None:
    from app.schemas import SCHEMAS, schema_text

    for name in SCHEMAS:
        committed = (ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
        assert committed == schema_text(name), "run: python -m app.schemas"


def test_every_citation_of_a_draft_resolves_to_pixels_or_header(drafted: Path) -> None:
    ledger = {item["id"]: item for item in load(drafted, "ledger")["evidence"]}
    sentences = load(drafted, "draft")["sentences"]
    assert len(sentences) >= 4
    for sentence in sentences:
        assert sentence["citations"]
        for citation in sentence["citations"]:
            cited = ledger[citation["evidence_id"]]
            assert cited["refusal"] is None
            assert cited["kind"] == "technique" or cited["regions"]


def test_no_digit_of_a_draft_is_outside_the_ledger(drafted: Path) -> None:
    ledger = {item["id"]: item for item in load(drafted, "ledger")["evidence"]}
    for sentence in load(drafted, "draft")["sentences"]:
        rest = sentence["text"]
        for citation in sentence["citations"]:
            texts = [value["text"] for value in ledger[citation["evidence_id"]]["values"]]
            for text in sorted(texts, key=len, reverse=True):
                rest = rest.replace(text, "")
        assert not re.search(r"\d", rest), sentence["text"]


def test_measured_lungs_agree_with_the_truth_of_the_phantom(drafted: Path) -> None:
    truth = resources.table("sample", "chest-phantom.truth.json")["lung_volume_ml"]
    evidence = load(drafted, "ledger")["evidence"]
    by_side = {item["side"]: item for item in evidence if item["source"]["name"] == "ct-lungs"}
    for side in ("left", "right"):
        volume = next(value for value in by_side[side]["values"] if value["name"] == "volume")
        assert volume["unit"] == "L"
        assert abs(volume["value"] * 1000 - truth[side]) <= volume["uncertainty"] * 1000


def test_the_same_seed_gives_the_same_draft(drafted: Path, tmp_path: Path) -> None:
    assert sightline("draft", SAMPLE, "--out", tmp_path, "--seed", "7").code == 0
    assert load(tmp_path, "draft") == load(drafted, "draft")
    assert load(tmp_path, "ledger") == load(drafted, "ledger")


def test_the_draft_in_chinese_cites_the_same_evidence(drafted: Path, tmp_path: Path) -> None:
    done = sightline("draft", SAMPLE, "--out", tmp_path, "--seed", "7", "--language", "zh-CN")
    assert done.code == 0
    ours, theirs = (load(folder, "draft")["sentences"] for folder in (drafted, tmp_path))
    assert [s["citations"][0]["evidence_id"] for s in ours] == [
        s["citations"][0]["evidence_id"] for s in theirs
    ]
    assert all(s["verdict"] == "supported" and not s["text"].isascii() for s in theirs)
    assert load(tmp_path, "ledger") == load(drafted, "ledger")


def test_a_style_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = sightline("draft", SAMPLE, "--out", tmp_path, "--style", "baroque")
    assert done.code == 1 and "house, structured" in done.err


def test_a_request_that_does_not_fit_stops_the_draft(tmp_path: Path) -> None:
    done = sightline("draft", SAMPLE, "--out", tmp_path, "--question", "MRI of the left knee")
    assert done.code == 1
    assert "request" in done.err.lower()
    assert not (tmp_path / "draft.json").exists()


def test_files_are_private(drafted: Path) -> None:
    assert all(path.stat().st_mode & 0o077 == 0 for path in drafted.iterdir())


def test_sign_seals_and_verify_judges(drafted: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    added = sightline(
        "account", "add", "ana", "--printed-name", "Dr A. Reader", "--key", "file",
        "--password-stdin", "--home", home, "--json", stdin=PASSWORD + "\n",
    )  # fmt: skip
    assert added.code == 0, added.err
    assert added.json["role"] == "radiologist"

    wrong = sightline(
        "sign", drafted, "--user", "ana", "--password-stdin", "--home", home, stdin="no\n"
    )
    assert wrong.code == 1
    assert "password" in wrong.err
    assert not (drafted / "report.pdf").exists()

    signed = sightline(
        "sign", drafted, "--user", "ana", "--password-stdin", "--home", home, "--json",
        stdin=PASSWORD + "\n",
    )  # fmt: skip
    assert signed.code == 0, signed.err
    assert signed.json["state"] == "final"
    pdf = drafted / "report.pdf"

    assert sightline("verify", pdf, "--home", home, "--json").json["verdict"] == "intact"
    foreign = sightline("verify", pdf, "--home", tmp_path / "elsewhere", "--json")
    assert (foreign.code, foreign.json["verdict"]) == (1, "foreign")
    flipped = bytearray(pdf.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (tmp_path / "flipped.pdf").write_bytes(flipped)
    altered = sightline("verify", tmp_path / "flipped.pdf", "--home", home, "--json")
    assert (altered.code, altered.json["verdict"]) == (1, "altered")

    again = sightline(
        "sign", drafted, "--user", "ana", "--password-stdin", "--home", home, stdin=PASSWORD + "\n"
    )
    assert again.code == 1
    assert "never changes" in again.err
    assert sightline("audit", "verify", "--home", home, "--json").json["intact"] is True


def made_store(home: Path) -> None:
    done = sightline(
        "account", "add", "ana", "--printed-name", "Dr A. Reader", "--key", "file",
        "--password-stdin", "--home", home, stdin=PASSWORD + "\n",
    )  # fmt: skip
    assert done.code == 0, done.err


def test_a_draft_of_a_zip_can_be_signed_after_its_unpacked_images_are_gone(tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "study"), "zip", SAMPLE)
    out, home = tmp_path / "draft", tmp_path / "home"
    assert sightline("draft", archive, "--out", out).code == 0
    made_store(home)
    signed = sightline(
        "sign", out, "--user", "ana", "--password-stdin", "--home", home, stdin=PASSWORD + "\n"
    )
    assert signed.code == 0, signed.err
    assert "without key images" in signed.err
    assert sightline("verify", out / "report.pdf", "--home", home, "--json").json["verdict"] == "intact"


def test_a_checkpoint_that_found_no_room_beside_the_database_is_said(
    drafted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, home = tmp_path / "draft", tmp_path / "home"
    shutil.copytree(drafted, folder)
    made_store(home)

    def full(path: Path, notes: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("reports.store.witness.append_side_file", full)
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))
    assert run(["sign", str(folder), "--user", "ana", "--home", str(home), "--password-stdin"]) == 0
    assert "side file with the checkpoints cannot be written" in capsys.readouterr().err


def test_audit_verify_judges_a_database_that_no_longer_opens(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made_store(home)
    assert sightline("audit", "verify", "--home", home, "--json").json["fault"] == "none"
    database = home / "sightline.db"
    data = bytearray(database.read_bytes())
    data[len(data) // 2 :: 4096] = bytes(len(data[len(data) // 2 :: 4096]))
    database.write_bytes(data)
    damaged = sightline("audit", "verify", "--home", home, "--json")
    assert damaged.code == 1
    assert (damaged.json["intact"], damaged.json["fault"]) == (False, "database damaged")


def test_signing_a_draft_keeps_what_the_report_already_cites(drafted: Path, tmp_path: Path) -> None:
    folder, home = tmp_path / "draft", tmp_path / "home"
    shutil.copytree(drafted, folder)
    made_store(home)
    study, ledger, _, _ = DraftFolder(folder).read()
    left = next(item for item in ledger.evidence if item.label == "Left lung")
    with Desk.open(home) as desk:
        desk.sign_in("ana", PASSWORD)
        desk.import_studies(StudyIndex(studies=(study,)))
        report = desk.open_study(study).report
        known = ledger.model_copy(update={"evidence": (left.model_copy(update={"id": "E1"}),)})
        own = Sentence(
            id="S1",
            section=Section.FINDINGS,
            text="Left lung expanded.",
            citations=(Citation(evidence_id="E1", span=Span(start=0, end=9)),),
            origin=Origin.PERSON,
            review=Review.ACCEPTED,
        )
        desk.save(report.model_copy(update={"sentences": (own,)}), known)
    signed = sightline(
        "sign", folder, "--user", "ana", "--password-stdin", "--home", home, "--json",
        stdin=PASSWORD + "\n",
    )  # fmt: skip
    assert signed.code == 0, signed.err
    with Desk.open(home) as desk:
        desk.sign_in("ana", PASSWORD)
        opened = desk.open_study(study)
        cited = {
            sentence.text: [opened.ledger.get(c.evidence_id).label for c in sentence.citations]
            for sentence in opened.report.sentences
        }
    assert cited["Left lung expanded."] == ["Left lung"]
    assert all(labels[0].split()[0] in text for text, labels in cited.items() if "volume" in text)


def test_a_model_whose_bytes_changed_does_not_write(
    tmp_path: Path, vouch: Callable[[Path], None]
) -> None:
    source = resources.path("models", "sightline-demo")
    side = tmp_path / "usb"
    shutil.copytree(source, side)
    manifest = json.loads((side / "manifest.json").read_text())
    manifest["name"] = "copied"
    (side / "manifest.json").write_text(json.dumps(manifest))
    vouch(side / "manifest.json")
    gguf = side / manifest["files"][0]["name"]
    home = tmp_path / "home"
    assert sightline("models", "add", side / "manifest.json", gguf, "--home", home).code == 0
    assert sightline("models", "verify", "copied", "--home", home).code == 0
    assert sightline("models", "test", "copied", "--home", home).code == 0

    installed = next((home / "models").rglob("*.gguf"))
    damaged = bytearray(installed.read_bytes())
    damaged[-1] ^= 1
    installed.chmod(0o600)
    installed.write_bytes(damaged)
    verdict = sightline("models", "verify", "copied", "--home", home)
    assert verdict.code == 1
    drafted = sightline("draft", SAMPLE, "--out", tmp_path / "out", "--model", "copied", "--home", home)
    assert drafted.code == 1
    # What was measured is there all the same, and nothing was written by that model.
    assert load(tmp_path / "out", "ledger")["evidence"]
    draft = load(tmp_path / "out", "draft")
    assert draft["sentences"] == []
    assert draft["complete"] is False


def test_demo_ends_by_naming_its_files(tmp_path: Path) -> None:
    done = sightline("demo", "--headless", "--out", tmp_path)
    assert done.code == 0, done.err
    files = [Path(line) for line in done.out.splitlines()]
    assert {"ledger.json", "draft.json", "draft.pdf", "evidence.seg.dcm"} <= {f.name for f in files}
    assert all(file.stat().st_size for file in files)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("multiframe/wsi_140tiles_jpeg.dcm", (3175, 2281)),
        ("sr-seg-rt/pydicom/parametric_map_float.dcm", (128, 128)),
        ("multiframe/eCT_Supplemental.dcm", (512, 512)),
    ],
)
def test_what_no_draft_takes_is_rendered_too(
    shared_data: Path, tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    png = tmp_path / "out.png"
    done = sightline("render", shared_data / name, "--out", png)
    assert done.code == 0, done.err
    with Image.open(png) as picture:
        assert picture.size == size

"""Wrong use of a command ends in words and an exit code, never in a stack of calls."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest
from fault_scene import PASSWORD, PHANTOM, RADIOLOGIST, ROOT, sightline

from app.draft_files import DraftFolder, DraftFolderError
from app.engine import DraftOutcome, Engine
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Study

TMP = "{tmp}"
HOME = "{tmp}/home"
OUT = "{tmp}/out"
FILE = "{tmp}/file"
CASES: dict[str, tuple[tuple[str, ...], int, str]] = {
    "a file where the folder should be": (("draft", str(PHANTOM), "--out", FILE), 1, "File exists"),
    "a folder where the picture should be": (("render", str(PHANTOM), "--out", TMP), 1, "directory"),
    "an image behind the last": (
        ("render", str(PHANTOM), "--out", OUT, "--index", "99"), 1, "images 0 to 59, not 99",
    ),
    "an image before the first": (
        ("render", str(PHANTOM), "--out", OUT, "--index", "-1"), 1, "images 0 to 59, not -1",
    ),
    "a series that is not there": (
        ("draft", str(PHANTOM), "--out", OUT, "--series", "1.2.3"), 1, "holds no series 1.2.3",
    ),
    "a seed below zero": (("draft", str(PHANTOM), "--out", OUT, "--seed", "-5"), 2, "--seed"),
    "a kind of key that is not known": (
        ("account", "add", "a", "--key", "gold", "--home", HOME), 2, "keyring, passphrase, file",
    ),
    "a store that is not there": (("audit", "verify", "--home", HOME), 1, "no store"),
    "a document that is no PDF": (("verify", FILE, "--home", HOME), 1, "not a PDF"),
    "a manifest that is no manifest": (
        ("models", "add", FILE, FILE, "--home", HOME), 1, "manifest",
    ),
    "a model name that is a path": (("models", "verify", "../..", "--home", HOME), 1, "no model"),
    "the built-in model removed": (
        ("models", "remove", "sightline-demo", "--home", HOME), 1, "came with the program",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_wrong_use_ends_in_words_and_an_exit_code(case: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    words, code, said = CASES[case]
    done = sightline(*(word.format(tmp=tmp_path) for word in words))
    assert (done.code, "Traceback" in done.err) == (code, False), done.err
    assert said in done.err
    assert "[Errno" not in done.err
    assert (tmp_path / "file").read_text() == "in the way"


def test_without_a_display_the_window_says_so_instead_of_crashing() -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    done = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in hidden},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "There is no display here" in done.stderr


# --- a draft folder that was changed before it is signed


@pytest.fixture(scope="module")
def whole_folder(
    engine: Engine,
    sample: tuple[Study, OpenStack],
    drafted: DraftOutcome,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    study, opened = sample
    path = tmp_path_factory.mktemp("whole") / "draft"
    DraftFolder(path).write(engine, study, opened.stack, drafted)
    return path


@pytest.fixture
def folder(whole_folder: Path, tmp_path: Path) -> Path:
    """The files of a whole draft, to be damaged."""
    return shutil.copytree(whole_folder, tmp_path / "draft")


def sign(folder: Path, home: Path) -> tuple[int, str]:
    done = sightline(
        "sign", folder, "--user", RADIOLOGIST, "--password-stdin", "--home", home,
        stdin=PASSWORD + "\n",
    )  # fmt: skip
    assert "Traceback" not in done.err
    return done.code, done.err


RIGHT = 1
"""Place of the sentence about the right lung."""

LIES: dict[str, str] = {
    "a number": "Right lung volume 9.00 L, mean density −820 HU, 0.7 % below −950 HU.",
    "a number more": "Right lung volume 2.00 L, mean density −820 HU, 12 nodules.",
    "a side": "Left lung volume 2.00 L, mean density −820 HU, 0.7 % below −950 HU.",
    "a negative that nobody searched for": "There is no nodule in the right lung.",
}


def test_lies_written_into_a_draft_file_never_come_into_the_signed_body(
    folder: Path, home: Path
) -> None:
    """The rules look at what the file says now, not at the checks that it claims to have passed."""
    draft = json.loads((folder / "draft.json").read_text())
    honest = draft["sentences"][RIGHT]
    assert honest["text"].startswith("Right lung")
    truths = [one["id"] for one in draft["sentences"]]
    lies = [{**honest, "id": name, "text": text, "slots": []} for name, text in LIES.items()]
    nothing = [{**one, "evidence_id": "E77"} for one in honest["citations"]]
    lies.append({**honest, "id": "a citation of nothing", "citations": nothing})
    lies.append({**honest, "id": "no citation", "citations": []})
    draft["sentences"] += lies
    (folder / "draft.json").write_text(json.dumps(draft))
    code, said = sign(folder, home)
    assert code == 0, said
    with pikepdf.open(folder / "report.pdf") as pdf:
        report = json.loads(pdf.attachments["report.json"].get_file().read_bytes())["report"]
    accepted = {one["id"] for one in report["sentences"] if one["review"] == "accepted"}
    assert accepted == set(truths)


def test_a_draft_folder_with_a_missing_or_broken_file_is_named_and_not_signed(
    folder: Path, home: Path
) -> None:
    for name in ("ledger.json", "draft.json", "trace.json", "study.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_text('{"half')
        with pytest.raises(DraftFolderError, match=f"{name} is not valid"):
            DraftFolder(folder).read()
        (folder / name).unlink()
        with pytest.raises(DraftFolderError, match=f"{name} is missing"):
            DraftFolder(folder).read()
        (folder / name).write_bytes(whole)
    (folder / "trace.json").unlink()
    code, said = sign(folder, home)
    assert code == 1
    assert "trace.json is missing" in said
    assert not (folder / "report.pdf").exists()


def test_a_draft_whose_images_are_gone_is_signed_without_pictures_and_says_so(
    engine: Engine, drafted: DraftOutcome, home: Path, tmp_path: Path
) -> None:
    images = shutil.copytree(PHANTOM, tmp_path / "usb")
    study = engine.reader.index([images]).studies[0]
    with engine.reader.open(study.series[0]) as opened:
        DraftFolder(tmp_path / "draft").write(engine, study, opened.stack, drafted)
    shutil.rmtree(images)
    code, said = sign(tmp_path / "draft", home)
    assert code == 0
    assert "sealed without key images: No image of this series can be shown" in said
    verified = sightline("verify", tmp_path / "draft" / "report.pdf", "--home", home, "--json")
    assert verified.json["verdict"] == "intact"

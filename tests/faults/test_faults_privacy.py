"""Nothing leaves the machine: no network is needed, and no log holds a patient's name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from fault_scene import PHANTOM, ROOT, SLICES, copy_of_phantom, sightline

CANARY = "Canarybird"
NO_NETWORK = ("unshare", "--net", "--map-root-user")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phantom with names that would be seen wherever they leak."""
    folder = copy_of_phantom(tmp_path_factory.mktemp("named") / "study")
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.PatientName = f"{CANARY}^Yellow"
        dataset.PatientID = f"{CANARY}-ID"
        dataset.AccessionNumber = f"{CANARY}-ACC"
        dataset.ReferringPhysicianName = f"{CANARY}^Doctor"
        dataset.save_as(path)
    shutil.copy(folder / "slice-03.dcm", folder / "again.dcm")
    (folder / "letter.txt").write_text(f"Dear {CANARY}")
    cut = (folder / "slice-05.dcm").read_bytes()
    (folder / "slice-05.dcm").write_bytes(cut[:1000])
    return folder


def test_progress_and_errors_hold_no_name_of_a_patient(named: Path, tmp_path: Path) -> None:
    seen = sightline("inspect", named)
    assert seen.code == 0
    assert CANARY in seen.out, "inspect says whose study it is, on stdout only"
    assert CANARY not in seen.err
    drafted = sightline("draft", named, "--out", tmp_path)
    assert drafted.code == 0, drafted.err
    assert "collect" in drafted.err, "there is something to look at"
    assert "slice-05.dcm" in drafted.err
    assert CANARY not in drafted.err
    assert CANARY not in drafted.out
    trace = (tmp_path / "trace.json").read_text()
    assert CANARY not in trace
    assert CANARY not in json.dumps(json.loads((tmp_path / "ledger.json").read_text()))


def test_last_words_of_a_worker_hold_no_name_of_a_patient(named: Path) -> None:
    """A reading process that meets damaged pixels says so without the header."""
    code = (
        "import sys; from pathlib import Path; from app.engine import Engine\n"
        "from inference.drafting.triage import choose_series\n"
        "with Engine() as engine:\n"
        "    study = engine.reader.index([Path(sys.argv[1])]).studies[0]\n"
        "    series = choose_series(study)\n"
        "    for one in series.instances[:5]: Path(one.path).write_bytes(b'')\n"
        "    with engine.reader.open(series) as opened:\n"
        "        print(len(opened.bad_files), repr(engine.reader.host._process.last_words()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(named)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.startswith("5 ")
    assert CANARY not in done.stdout + done.stderr


def test_a_draft_without_any_network_is_the_same_draft(tmp_path: Path) -> None:
    """An empty network namespace has no interface that is up, not even loopback."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    if subprocess.run([*NO_NETWORK, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system does not allow a network namespace")
    inside = sightline("draft", PHANTOM, "--out", tmp_path / "in", "--seed", "3", before=NO_NETWORK)
    outside = sightline("draft", PHANTOM, "--out", tmp_path / "out", "--seed", "3")
    assert (inside.code, outside.code) == (0, 0), inside.err
    for name in ("draft.json", "ledger.json", "study.json"):
        assert (tmp_path / "in" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_a_draft_opens_no_socket_but_the_pairs_to_its_own_workers(tmp_path: Path) -> None:
    """The audit hook of Python sees every connect, bind and address look-up of the program."""
    code = (
        "import sys\n"
        "def heard(event, args):\n"
        "    if event in {'socket.connect', 'socket.bind', 'socket.getaddrinfo', 'socket.sendto'}:\n"
        "        sys.stderr.write(f'NETWORK {event} {args[1:]}\\n')\n"
        "sys.addaudithook(heard)\n"
        "from app.cli.main import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "draft", str(PHANTOM), "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "NETWORK" not in done.stderr
    assert len(list(PHANTOM.rglob("*.dcm"))) == SLICES


def test_no_file_of_a_draft_can_be_read_by_others(named: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert sightline("evidence", named, "--out", out).code == 0
    assert out.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in out.iterdir())

"""What the fault tests share: the phantom and copies of it, commands, worker processes, bad files."""

from __future__ import annotations

import json
import resource
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resources

ROOT = Path(__file__).resolve().parents[2]
PHANTOM = resources.path("sample", "chest-phantom")
PASSWORD = "a good long password"
RADIOLOGIST, RESIDENT = "rosa", "remy"
SLICES = 60


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def sightline(
    *arguments: str | Path,
    stdin: str = "",
    before: Sequence[str] = (),
    memory: int | None = None,
) -> Done:
    """Run a command of the program as a person would; `memory` limits its address space, bytes."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "app", *map(str, arguments)],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        preexec_fn=_limited(memory) if memory else None,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def _limited(memory: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def worker_pids(kind: str) -> list[int]:
    """Return the worker processes of a kind that this process started, oldest first."""
    pids = []
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            if b"viewer.imaging.worker" in words and kind.encode() in words:
                pids.append(int(child))
    return sorted(pids)


def peak_memory(pid: int) -> int:
    """Return the most memory a process ever had resident, bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def copy_of_phantom(folder: Path, *, leave_out: Sequence[int] = ()) -> Path:
    """Copy the slices of the phantom, named by their number, without some of them."""
    folder.mkdir(parents=True)
    for number, path in enumerate(slices()):
        if number not in leave_out:
            shutil.copy(path, folder / f"slice-{number:02d}.dcm")
    return folder


def slices() -> list[Path]:
    """Return the files of the phantom from feet to head, as their names have it."""
    found = sorted(PHANTOM.rglob("*.dcm"))
    assert len(found) == SLICES
    return found


def nested(levels: int, *, per_level: int = 1) -> bytes:
    """Return sequences in sequences (Request Attributes, undefined length), never closed."""
    return (
        b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * per_level
    ) * levels


def siblings(count: int) -> bytes:
    """Return one closed sequence with so many items, each holding a closed, empty sequence."""
    inner = b"\x40\x00\x75\x02SQ\0\0" + struct.pack("<I", 0)
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
    return b"\x40\x00\x75\x02SQ\0\0" + struct.pack("<I", count * len(item)) + item * count


def add_bad_files(folder: Path) -> dict[str, str]:
    """Put every kind of bad file beside a study; return file name -> code that it must get."""
    import pydicom
    from pydicom.uid import generate_uid

    whole = slices()[0].read_bytes()
    body = whole.index(b"\x08\x00\x05\x00") if b"\x08\x00\x05\x00" in whole else 132
    head = whole[:body]
    (folder / "cut-in-pixels.dcm").write_bytes(_renumbered(whole)[:-4000])
    (folder / "cut-in-header.dcm").write_bytes(whole[: body + 60])
    (folder / "deep-20000.dcm").write_bytes(head + nested(20_000))
    (folder / "letter.txt").write_text("Dear colleague")
    (folder / "empty.dcm").write_bytes(b"")
    (folder / "web-page.dcm").write_bytes(b"<!doctype html><p>not found</p>")
    lying = pydicom.dcmread(slices()[0])
    lying.SOPInstanceUID = lying.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    lying.Rows = lying.Columns = 65535
    lying.NumberOfFrames = 4000
    lying.save_as(folder / "lying-4000-frames.dcm")
    return {
        "cut-in-pixels.dcm": "truncated",
        "cut-in-header.dcm": "*",
        "deep-20000.dcm": "too_deep",
        "letter.txt": "not_dicom",
        "empty.dcm": "not_dicom",
        "web-page.dcm": "not_dicom",
        "lying-4000-frames.dcm": "too_large",
    }


def _renumbered(content: bytes) -> bytes:
    """Change the last digit of the SOP Instance UIDs, so that the file is no copy of another."""
    import io

    import pydicom
    from pydicom.uid import generate_uid

    dataset = pydicom.dcmread(io.BytesIO(content))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def foreign_digits(sentence: Any, ledger: Any) -> str:
    """Return what digits remain of a sentence without the values of the evidence it cites."""
    rest = sentence.text
    for citation in sentence.citations:
        item = ledger.get(citation.evidence_id)
        texts = [value.text for value in item.values] + [item.anatomy]
        for text in sorted(texts, key=len, reverse=True):
            rest = rest.replace(text, "") if text else rest
    return "".join(letter for letter in rest if letter.isdigit())


def flip(path: Path, at: int) -> None:
    """Change one bit of one byte of a file."""
    mode = path.stat().st_mode
    path.chmod(mode | 0o200)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)

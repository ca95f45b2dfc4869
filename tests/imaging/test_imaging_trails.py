"""Trails of headers: what comes out is what the walk gives, for every file and after every other."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from viewer.imaging.elements import HEAD_BYTES, RawHeader, walk
from viewer.imaging.headers import WANTED
from viewer.imaging.trails import PATIENCE, Trails

Make = Callable[..., Dataset]
Save = Callable[..., Path]


def outcome(way: Callable[[], RawHeader]) -> RawHeader | tuple[str, str]:
    """Return a header, or what was raised."""
    try:
        return way()
    except Exception as error:
        return type(error).__name__, str(error)


def agreeing(heads: Iterable[bytes], trails: Trails | None = None) -> int:
    """Compare trails with the walk, header by header; return how many headers there were."""
    trails = trails or Trails(WANTED)
    count = 0
    for head in heads:
        count += 1
        wanted = outcome(partial(walk, head, WANTED, 1 << 20, 7))
        assert outcome(partial(trails.walk, head, 1 << 20, 7)) == wanted
    return count


@pytest.fixture
def heads(ct_slice: Make, save: Save, tmp_path: Path) -> Callable[..., list[bytes]]:
    """Return headers of slices whose texts have lengths of their own, with sequences of both kinds."""

    def made(count: int, syntax: str = ExplicitVRLittleEndian, **changes: Any) -> list[bytes]:
        found = []
        for number in range(count):
            ds = ct_slice(number, syntax=syntax, **changes)
            item = Dataset()
            item.CodeMeaning = "x" * (2 * number % 7)
            ds.ProcedureCodeSequence = Sequence([item])
            ds.ReferencedImageSequence = Sequence([item, item])
            ds["ReferencedImageSequence"].is_undefined_length = True
            ds.SeriesDescription = "d" * (number // 3)
            path = save(ds, tmp_path / f"{syntax}-{number}.dcm")
            found.append(path.read_bytes()[:HEAD_BYTES])
        return found

    return made


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_slices_of_every_encoding(heads: Callable[..., list[bytes]], syntax: str) -> None:
    assert agreeing(heads(30, syntax)) == 30


def test_slices_are_read_by_the_trail_of_those_before(
    heads: Callable[..., list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from viewer.imaging import trails as module

    walked = []
    monkeypatch.setattr(module, "walk", lambda *facts: walked.append(1) or walk(*facts))
    assert agreeing(heads(60)) == 60
    assert 2 <= len(walked) <= 12


def test_files_that_are_all_different_are_not_learnt_for_ever(
    heads: Callable[..., list[bytes]],
) -> None:
    trails = Trails(WANTED)
    one = heads(1)[0]
    at = one.index(b"\x08\x00\x60\x00CS")
    for number in range(PATIENCE + 10):
        private = b"\x09\x00" + (0x1000 + number).to_bytes(2, "little") + b"LO\x00\x00"
        assert agreeing([one[:at] + private * (number + 1) + one[at:]], trails) == 1
    assert trails._patience <= 0
    assert agreeing([one], trails) == 1


def test_any_damage_is_met_as_the_walk_meets_it(heads: Callable[..., list[bytes]]) -> None:
    rng = random.Random(5)
    whole = heads(6)
    trails = Trails(WANTED)
    agreeing(whole, trails)
    for _ in range(1500):
        head = bytearray(rng.choice(whole))
        for _ in range(rng.randint(1, 3)):
            head[rng.randrange(len(head) - 600)] = rng.choice((0, 1, 8, 0x7F, 0xFE, 0xFF))
        cut = bytes(head[: rng.randrange(100, len(head))]) if rng.random() < 0.3 else bytes(head)
        trails._patience = PATIENCE
        agreeing([cut, rng.choice(whole)], trails)


def test_bundled_files_one_after_the_other() -> None:
    folder = Path(pydicom.__file__).parent / "data"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert agreeing(path.read_bytes()[:HEAD_BYTES] for path in (*files, *files)) > 100

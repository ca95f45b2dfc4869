"""Bad files: each is named with its reason, the rest is read, drafted and written all the same."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pydicom
import pytest
from fault_scene import (
    PHANTOM,
    SLICES,
    add_bad_files,
    copy_of_phantom,
    nested,
    peak_memory,
    siblings,
    sightline,
    slices,
)

from app.engine import DraftOutcome, Engine
from inference.drafting.triage import choose_series
from reports.domain import Evidence
from viewer.imaging.geometry import VerdictKind
from viewer.imaging.worker.errors import WorkerRefused

MEMORY = 700 << 20
"""What reading the headers of a small study may take at most, bytes."""

ADDRESSES = 2 << 30
"""Address space that each process of a command may have, bytes: what a bad file claims is far more."""


def lungs(outcome: DraftOutcome) -> list[Evidence]:
    return [item for item in outcome.result.ledger.evidence if "ung" in item.label]


@pytest.fixture(scope="module")
def littered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The phantom among bad files of every kind."""
    folder = copy_of_phantom(tmp_path_factory.mktemp("littered") / "study")
    return folder, add_bad_files(folder)


def test_bad_files_beside_a_study_are_named_and_cost_no_worker(
    littered: tuple[Path, dict[str, str]],
) -> None:
    folder, expected = littered
    with Engine() as engine:
        engine.reader.index([PHANTOM])
        before = engine.reader.host.pid
        assert before is not None
        found = engine.reader.index([folder])
        assert engine.reader.host.pid == before
        assert peak_memory(before) < MEMORY
    codes = {Path(bad.path).name: bad.code for bad in found.bad_files}
    assert codes.keys() == expected.keys()
    assert {name: code for name, code in codes.items() if expected[name] != "*"} == {
        name: code for name, code in expected.items() if code != "*"
    }
    assert all(bad.reason.strip().endswith(".") for bad in found.bad_files)
    (study,) = found.studies
    assert max(series.image_count for series in study.series) == SLICES


def test_inspect_and_draft_of_a_littered_folder_name_the_bad_files_and_do_the_rest(
    littered: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, expected = littered
    seen = sightline("inspect", folder, "--json", memory=ADDRESSES)
    assert seen.code == 0, seen.err
    assert {Path(bad["path"]).name for bad in seen.json["bad_files"]} == expected.keys()
    done = sightline("draft", folder, "--out", tmp_path, "--json")
    assert done.code == 0, done.err
    assert all(name in done.err for name in expected)
    assert done.json["draft"]["complete"] is True
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.dcm", nested(20_000)),
        ("many.dcm", siblings(20_000)),
        ("both.dcm", nested(40, per_level=1) + siblings(20_000)),
    ],
)
def test_sequences_in_sequences_never_bring_the_worker_down(
    name: str, content: bytes, engine: Engine, tmp_path: Path
) -> None:
    """20,000 of them: side by side, in each other, and both."""
    folder = copy_of_phantom(tmp_path / "study", leave_out=range(2, SLICES))
    whole = slices()[0].read_bytes()
    at = whole.index(b"\xe0\x7f\x10\x00")  # before the pixels, so that the header ends in them
    (folder / name).write_bytes(whole[:at] + content)
    engine.reader.index([slices()[0]])
    before = engine.reader.host.pid
    found = engine.reader.index([folder])
    assert before is not None
    assert engine.reader.host.pid == before
    assert [Path(bad.path).name for bad in found.bad_files] == [name]
    assert found.studies[0].series[0].image_count == 2


def test_a_folder_without_dicom_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague")
    for command in (("inspect", tmp_path), ("draft", tmp_path, "--out", tmp_path / "out")):
        done = sightline(*command)
        assert done.code == 1
        assert "holds no DICOM image" in done.err
        assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


def draft_of(engine: Engine, folder: Path) -> DraftOutcome:
    study = engine.reader.index([folder]).studies[0]
    with engine.reader.open(choose_series(study)) as opened:
        return engine.draft(study, opened)


def test_a_missing_slice_is_in_the_verdict_the_refusal_and_the_limitations(
    engine: Engine, tmp_path: Path
) -> None:
    folder = copy_of_phantom(tmp_path / "study", leave_out=[30, 31])
    study = engine.reader.index([folder]).studies[0]
    verdict = choose_series(study).verdict
    assert verdict.kind is VerdictKind.MISSING
    assert "2" in verdict.reason
    outcome = draft_of(engine, folder)
    refused = [item for item in lungs(outcome) if item.refusal is not None]
    assert refused
    assert not [item for item in lungs(outcome) if item.values]
    said = " ".join(limitation.text for limitation in outcome.result.draft.limitations)
    assert refused[0].refusal is not None
    assert refused[0].refusal.reason.rstrip(".")[1:] in said
    assert "missing" in said
    assert all("ung" not in sentence.text for sentence in outcome.result.draft.sentences)


def test_doubled_slices_are_in_the_verdict_the_refusal_and_the_limitations(
    engine: Engine, tmp_path: Path
) -> None:
    folder = copy_of_phantom(tmp_path / "study")
    for number in (10, 11, 12):
        dataset = pydicom.dcmread(slices()[number])
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number + 77}"
        dataset.save_as(folder / f"again-{number}.dcm")
    verdict = choose_series(engine.reader.index([folder]).studies[0]).verdict
    assert verdict.kind is VerdictKind.DUPLICATED
    outcome = draft_of(engine, folder)
    assert not [item for item in lungs(outcome) if item.values]
    said = " ".join(limitation.text for limitation in outcome.result.draft.limitations)
    assert "Lung volume and density: not assessed" in said
    assert outcome.result.draft.complete


def test_the_same_file_twice_is_named_and_measured_once(engine: Engine, tmp_path: Path) -> None:
    folder = copy_of_phantom(tmp_path / "study")
    shutil.copy(folder / "slice-10.dcm", folder / "slice-10 (copy).dcm")
    found = engine.reader.index([folder])
    (bad,) = found.bad_files
    assert Path(bad.path).name in {"slice-10.dcm", "slice-10 (copy).dcm"}
    assert bad.code == "duplicate"
    assert found.studies[0].series[0].verdict.kind is VerdictKind.UNIFORM


@pytest.mark.parametrize("number", [0, SLICES - 1])
def test_an_image_that_cannot_be_read_at_an_end_of_the_stack_is_in_the_limitations(
    engine: Engine, tmp_path: Path, number: int
) -> None:
    """Without it the rest is evenly spaced: nothing but these words would show that it is missing."""
    folder = copy_of_phantom(tmp_path / "study")
    study = engine.reader.index([folder]).studies[0]
    (folder / f"slice-{number:02d}.dcm").unlink()
    with engine.reader.open(choose_series(study)) as opened:
        outcome = engine.draft(study, opened)
    (said,) = [one for one in outcome.result.draft.limitations if one.code == "unread_images"]
    assert said.text.startswith("1 image of this series could not be read")


def test_files_that_vanish_between_index_and_open_are_named_and_not_measured(
    engine: Engine, tmp_path: Path
) -> None:
    folder = copy_of_phantom(tmp_path / "study")
    study = engine.reader.index([folder]).studies[0]
    (folder / "slice-20.dcm").unlink()
    (folder / "slice-40.dcm").write_bytes(b"")
    with engine.reader.open(choose_series(study)) as opened:
        assert {Path(bad.path).name for bad in opened.bad_files} == {"slice-20.dcm", "slice-40.dcm"}
        assert len(opened.stack.frames) == SLICES - 2
        assert opened.stack.series.verdict.kind is VerdictKind.MISSING
        outcome = engine.draft(study, opened)
    assert not [item for item in lungs(outcome) if item.values]
    assert outcome.result.draft.complete


def test_a_study_that_vanished_is_an_error_in_words_and_the_next_one_opens(
    engine: Engine, tmp_path: Path
) -> None:
    folder = copy_of_phantom(tmp_path / "study", leave_out=range(3, SLICES))
    study = engine.reader.index([folder]).studies[0]
    shutil.rmtree(folder)
    with pytest.raises(WorkerRefused, match="No image of this series can be shown"):
        engine.reader.open(choose_series(study))
    whole = engine.reader.index([PHANTOM]).studies[0]
    with engine.reader.open(choose_series(whole)) as opened:
        assert len(opened.stack.frames) == SLICES


def test_a_zip_that_is_hostile_in_every_way_gives_its_study_and_nothing_outside(
    engine: Engine, tmp_path: Path
) -> None:
    given = tmp_path / "inbox" / "study.zip"
    given.parent.mkdir()
    content = slices()[5].read_bytes()
    with zipfile.ZipFile(given, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in slices()[:5]:
            archive.write(path, f"CT/{path.name}")
        archive.writestr("../../slipped.dcm", content)
        archive.writestr("/tmp/slipped-absolute.dcm", content)
        archive.writestr("bomb.dcm", bytes(128) + b"DICM" + bytes(300 << 20))
    found = engine.reader.index([given])
    assert found.studies[0].series[0].image_count == 5
    codes = {bad.path.split("!")[1]: bad.code for bad in found.bad_files}
    assert codes == {
        "../../slipped.dcm": "unsafe_path",
        "/tmp/slipped-absolute.dcm": "unsafe_path",
        "bomb.dcm": "too_large",
    }
    assert not list(tmp_path.rglob("slipped*"))
    assert not Path("/tmp/slipped-absolute.dcm").exists()
    with engine.reader.open(choose_series(found.studies[0])) as opened:
        assert len(opened.stack.frames) == 5


def test_an_output_folder_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = sightline("evidence", PHANTOM, "--out", tmp_path / "file" / "out")
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "file" in done.err

"""A model drafts once it was accepted, and only as it was tested; faults of boxes are named."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import inference.evaluation.acceptance_record as records
from app.engine import Engine
from inference.evaluation.acceptance import accept
from inference.evaluation.acceptance_boxes import (
    BoxResult,
    block_pictures,
    judge_boxes,
    self_test,
    shares,
)
from inference.evaluation.acceptance_record import (
    AcceptanceRecord,
    Check,
    NotAccepted,
    Outcome,
    Verdict,
    read_record,
    record_path,
    require_accepted,
    verdict_of,
    write_record,
)
from inference.models.client import ModelClient
from inference.models.letterbox import Box
from inference.models.profiles import PROFILES
from inference.models.registry import InstalledModel, ModelRegistry, read_manifest

NOW = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
SHIP = "run python -m inference.evaluation.acceptance_ship"


@pytest.mark.parametrize("model", ModelRegistry().list(), ids=lambda model: model.manifest.name)
def test_every_built_in_model_comes_accepted_as_it_is(model: InstalledModel) -> None:
    try:
        record = require_accepted(model, None)
    except NotAccepted as refused:
        pytest.fail(f"{refused} For a built-in model: {SHIP}")
    assert record.verdict is not Verdict.NOT_ACCEPTED


# --- boxes


def told(fault: str) -> BoxResult:
    """What is judged of a model that is right but for one fault."""
    true = [shares(one.box, *one.grey.shape) for one in block_pictures(12)]
    turned: dict[str, list[Box | None]] = {
        "none": list(true),
        "swap": [(y0, x0, y1, x1) for x0, y0, x1, y1 in true],
        "mirror": [(1 - x1, y0, 1 - x0, y1) for x0, y0, x1, y1 in true],
        "flip": [(x0, 1 - y1, x1, 1 - y0) for x0, y0, x1, y1 in true],
        "scale": [(x0 * 0.5, y0 * 0.5, x1 * 0.5, y1 * 0.5) for x0, y0, x1, y1 in true],
        "little scale": [(x0 * 0.9, y0 * 0.9, x1 * 0.9, y1 * 0.9) for x0, y0, x1, y1 in true],
        "offset": [(x0 + 0.1, y0 - 0.2, x1 + 0.1, y1 - 0.2) for x0, y0, x1, y1 in true],
        "little offset": [(x0 + 0.05, y0, x1 + 0.05, y1) for x0, y0, x1, y1 in true],
        "same": [(0.4, 0.4, 0.6, 0.6)] * len(true),
        "silent": [None] * len(true),
    }
    return judge_boxes(turned[fault], true)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("swap", "axes are swapped"),
        ("mirror", "left and right are swapped"),
        ("flip", "top and bottom are swapped"),
        ("scale", "scale of 2.00"),
        ("little scale", "scale of 1.11"),
        ("offset", "off by -10% across and \\+20% down"),
        ("little offset", "off by -5% across"),
        ("same", "do not follow"),
        ("silent", "given for 0 of 12"),
    ],
)
def test_a_fault_of_the_boxes_is_found_and_named(fault: str, words: str) -> None:
    result = told(fault)
    assert not result.passed
    assert re.search(words, result.fault), result.fault


def test_boxes_that_are_right_or_a_little_rough_pass() -> None:
    assert told("none") == BoxResult(pytest.approx(1.0), "")
    draw = np.random.default_rng(4)
    true = [shares(one.box, *one.grey.shape) for one in block_pictures(12)]
    rough = [tuple(np.array(box) + draw.normal(0, 0.01, 4)) for box in true]
    assert judge_boxes(rough, true).passed


def test_the_self_test_finds_the_block_of_a_reader_who_sees_it() -> None:
    def sees(grey: np.ndarray) -> Box:
        rows, columns = np.nonzero(grey > 130)
        box = (columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5)
        return shares(box, *grey.shape)

    assert self_test(sees).overlap > 0.95
    assert not self_test(lambda grey: (0.0, 0.0, 1.0, 1.0)).passed


# --- verdict, record and door


def check(outcome: Outcome, *, for_text: bool) -> Check:
    return Check(id="x", title="Boxes", outcome=outcome, found="off", for_text=for_text)


def test_a_verdict_is_as_good_as_the_checks() -> None:
    good = check(Outcome.PASSED, for_text=True)
    assert verdict_of((good,)) == (Verdict.ACCEPTED, ())
    blind = check(Outcome.NOT_DONE, for_text=False)
    assert verdict_of((good, blind)) == (Verdict.TEXT_ONLY, ("Boxes: off",))
    assert verdict_of((good, check(Outcome.FAILED, for_text=False)))[0] is Verdict.TEXT_ONLY
    assert verdict_of((check(Outcome.FAILED, for_text=True), blind))[0] is Verdict.NOT_ACCEPTED


@pytest.fixture
def copied(tmp_path: Path, built_in: InstalledModel) -> InstalledModel:
    """The built-in model as if somebody had brought it, with its record."""
    folder = tmp_path / "models" / "copied"
    shutil.copytree(built_in.folder, folder)
    return InstalledModel(built_in.manifest, folder)


def test_a_changed_binding_voids_the_record_and_names_what_changed(
    copied: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert require_accepted(copied, None).name == copied.manifest.name
    with pytest.raises(NotAccepted, match=r"for pictures .*sees nothing"):
        require_accepted(copied, None, pictures=True)
    name = copied.manifest.name
    with monkeypatch.context() as patch:
        patch.setattr(records, "backend_name", lambda: "another")
        patch.setattr(records, "program_version", lambda: "Sightline 99")
        with pytest.raises(NotAccepted, match="the program's version and the backend changed") as void:
            require_accepted(copied, None)
        assert void.value.code == "acceptance_void"
        assert f"`sightline models test {name}`" in str(void.value)
    with monkeypatch.context() as patch:
        patch.setattr(records, "backend_name", lambda: "another")
        shipped = InstalledModel(copied.manifest, copied.folder, built_in=True)
        assert require_accepted(shipped, None).verdict is Verdict.TEXT_ONLY
        with pytest.raises(NotAccepted, match="the backend changed"):
            require_accepted(copied, None)
    profile = PROFILES["sightline"].model_copy(update={"instruction": "Be brief."})
    with monkeypatch.context() as patch:
        patch.setitem(PROFILES, "sightline", profile)
        with pytest.raises(NotAccepted, match="the prompt profile changed"):
            require_accepted(copied, None)
    changed = copied.manifest.files[0].model_copy(update={"sha256": "0" * 64})
    other = InstalledModel(copied.manifest.model_copy(update={"files": (changed,)}), copied.folder)
    with pytest.raises(NotAccepted, match="the model file changed"):
        require_accepted(other, None)


def test_a_record_that_was_edited_or_is_damaged_counts_as_none(copied: InstalledModel) -> None:
    path = record_path(copied, None)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("accepted for text only", "accepted"), encoding="utf-8")
    assert read_record(copied, None) is None
    path.write_text(text[:50], encoding="utf-8")
    with pytest.raises(NotAccepted, match="has not been through its acceptance test"):
        require_accepted(copied, None)


def test_a_model_that_failed_may_not_draft_and_says_why(copied: InstalledModel) -> None:
    record = read_record(copied, None)
    assert record is not None
    checks = (check(Outcome.FAILED, for_text=True),)
    verdict, reasons = verdict_of(checks)
    failed = record.model_copy(update={"checks": checks, "verdict": verdict, "reasons": reasons})
    write_record(failed, record_path(copied, None))
    with pytest.raises(NotAccepted, match=r"did not pass .*Boxes: off"):
        require_accepted(copied, None)


def test_a_model_is_not_asked_to_draft_before_it_was_accepted(
    tmp_path: Path, copied: InstalledModel
) -> None:
    record_path(copied, None).unlink()
    with Engine() as engine:
        engine.models = ModelRegistry(None, built_in=copied.folder.parent)
        with pytest.raises(NotAccepted, match="sightline models test"):
            engine._client(copied.manifest.name)


def test_the_built_in_model_passes_the_test_here(
    built_in: InstalledModel, client: ModelClient, tmp_path: Path
) -> None:
    said: list[str] = []
    record = accept(built_in, client, now=NOW, tell=said.append)
    assert record.verdict is Verdict.TEXT_ONLY
    assert record.tested == "2026-01-02T03:04:00+00:00"
    assert [one.id for one in record.checks] == [
        "load", "speed", "grammar", "injection", "memory", "sight",
    ]  # fmt: skip
    assert said[0] == "loading"
    write_record(record, record_path(built_in, tmp_path))
    again = read_record(built_in, tmp_path)
    assert again == record
    assert AcceptanceRecord.model_validate_json(record.model_dump_json(by_alias=True)) == record


def test_random_weights_write_but_do_not_see(tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="writes the pair with the extra 'train'")
    from inference.training.tiny_pairs import write_pair

    manifest = write_pair("internvl", tmp_path / "pair")
    model = InstalledModel(read_manifest(manifest), manifest.parent)
    with ModelClient(model) as client:
        record = accept(model, client, now=NOW)
    assert record.verdict is Verdict.TEXT_ONLY, record.reasons
    failed = {one.id for one in record.checks if one.outcome is Outcome.FAILED}
    assert "boxes" in failed
    assert failed <= {"boxes", "blank", "mirror", "pairs", "burned"}


def test_the_page_for_it_is_one_page_and_holds_verdict_reasons_and_hashes(
    built_in: InstalledModel,
) -> None:
    import pypdfium2

    from app.acceptance_page import acceptance_page

    record = read_record(built_in, None)
    assert record is not None
    long = Check(
        id="y", title="Mirrored picture", outcome=Outcome.FAILED, found="told apart <b>0</b> of 4. " * 6
    )
    record = record.model_copy(update={"checks": (*record.checks, *[long] * 5)}).sealed()
    pdf = pypdfium2.PdfDocument(acceptance_page(record, built_in.manifest, "signed by St Mary IT"))
    assert len(pdf) == 1
    text = pdf[0].get_textpage().get_text_range()
    for words in (
        "Accepted for text only", "signed by St Mary IT", record.binding.model, record.digest,
        "told apart <b>0</b>", "Not a medical device",
    ):  # fmt: skip
        assert words in text
    pdf.close()

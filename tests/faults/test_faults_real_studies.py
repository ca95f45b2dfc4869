"""Real studies: measured values, citations that resolve, no foreign digit, refusals in words."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_scene import foreign_digits, sightline

from reports.domain import Draft, EvidenceKind, Ledger, Verdict

pytestmark = pytest.mark.shared

CASES = {
    "chest": "ct/chest_LUNG1-001",
    "abdomen": "ct/abdomen_contrast_CRLM-CT-1004",
    "radiograph": "cxr/dicom/rsna_nih_PA_16d7f894.dcm",
}


@dataclass(frozen=True)
class Written:
    """What the command wrote about a study."""

    ledger: Ledger
    draft: Draft
    seconds: float
    files: frozenset[str]


@pytest.fixture(scope="module")
def written(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    found = {}
    for name, path in CASES.items():
        out = tmp_path_factory.mktemp(name)
        began = time.monotonic()
        done = sightline("draft", shared_data / path, "--out", out, "--json")
        seconds = time.monotonic() - began
        assert done.code == 0, f"{name}: {done.err}"
        found[name] = Written(
            Ledger.model_validate_json((out / "ledger.json").read_text()),
            Draft.model_validate_json((out / "draft.json").read_text()),
            seconds,
            frozenset(file.name for file in out.iterdir()),
        )
        assert json.loads(done.out)["draft"]["complete"] is True
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_sentence_cites_what_resolves_and_holds_no_foreign_digit(
    name: str, written: dict[str, Written]
) -> None:
    ledger, draft = written[name].ledger, written[name].draft
    assert draft.sentences
    for sentence in draft.sentences:
        assert sentence.citations
        for citation in sentence.citations:
            cited = ledger.get(citation.evidence_id)
            assert cited is not None
            assert cited.refusal is None
            assert cited.kind is EvidenceKind.TECHNIQUE or cited.regions
        assert foreign_digits(sentence, ledger) == "", sentence.text
        assert sentence.verdict is not Verdict.CONTRADICTED


def test_a_real_chest_ct_has_its_lungs_measured_within_what_a_person_can_breathe(
    written: dict[str, Written],
) -> None:
    chest = written["chest"]
    volumes = {
        item.side.value: value.value
        for item in chest.ledger.evidence
        for value in item.values
        if value.name == "volume"
    }
    assert {"left", "right"} <= volumes.keys()
    assert 0.5 < volumes["left"] < 4.5
    assert 0.5 < volumes["right"] < 4.5
    assert "evidence.seg.dcm" in chest.files
    assert any("lung" in sentence.text.lower() for sentence in chest.draft.sentences)


def test_a_tool_of_another_modality_is_not_run(written: dict[str, Written]) -> None:
    names = {item.source.name for item in written["radiograph"].ledger.evidence}
    assert names
    assert not any(name.startswith("ct-") for name in names)
    assert not any("lung volume" in one.text.lower() for one in written["radiograph"].draft.limitations)


def test_where_no_lungs_can_be_measured_the_tool_refuses_and_the_limitations_say_why(
    written: dict[str, Written],
) -> None:
    ledger, draft = written["abdomen"].ledger, written["abdomen"].draft
    refused = [item for item in ledger.evidence if item.refusal is not None and "ung" in item.label]
    assert refused
    for item in refused:
        said = [one for one in draft.limitations if one.evidence_id == item.id]
        assert said
        assert item.refusal is not None
        assert said[0].code == item.refusal.code
        assert item.refusal.reason.rstrip(".")[1:] in said[0].text
    assert all(item.values == () for item in refused)
    assert not any("lung" in sentence.text.lower() for sentence in draft.sentences)


def test_a_draft_of_a_real_study_takes_less_than_two_minutes(written: dict[str, Written]) -> None:
    print({name: f"{one.seconds:.1f} s" for name, one in written.items()})
    assert all(one.seconds < 120 for one in written.values())


def test_every_malformed_file_of_the_collection_is_read_or_named(shared_data: Path) -> None:
    done = sightline("inspect", shared_data / "malformed", "--json")
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    index = done.json
    files = [path for path in (shared_data / "malformed").rglob("*") if path.is_file()]
    used = {
        instance["path"]
        for study in index["studies"]
        for series in study["series"]
        for instance in series["instances"]
    }
    used |= {one["path"] for study in index["studies"] for one in study["objects"]}
    named = {bad["path"] for bad in index["bad_files"]}
    lost = {str(path) for path in files if path.suffix != ".zip"} - used - named
    assert not lost
    assert all(bad["reason"] and bad["code"] for bad in index["bad_files"])


def test_a_real_series_with_a_missing_slice_says_so(shared_data: Path) -> None:
    done = sightline("inspect", shared_data / "malformed" / "series_missing_slice_STS_008", "--json")
    verdicts = [series["verdict"] for study in done.json["studies"] for series in study["series"]]
    assert any(verdict["kind"] == "missing slices" and verdict["missing"] for verdict in verdicts)

"""What was signed with the first schema keeps its bytes: later fields hide at their default."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reports import domain
from reports.audit.canonical import canonical, content_sha256
from reports.domain import Ledger, Report, ReportState, StudyBlock

FIRST: dict[str, str] = {
    "Report": "addendum_to author changed_at id limitations model revision schema seed sentences "
    "signatures state study",
    "Check": "category check message passed risk",
    "Citation": "evidence_id region role span view",
    "Limitation": "code evidence_id text",
    "ModelStamp": "demonstration licence name prompt_sha256 sha256",
    "Sentence": "checks citations id organ origin restored review section slots text verdict",
    "Signature": "content_sha256 meaning printed_name role signed_at state user",
    "Slot": "detached_from evidence_id span value",
    "Span": "end start",
    "StudyBlock": "accession_number age birth_date image_count modality patient_id patient_name "
    "referring_physician sex study_date study_description study_instance_uid study_time synthetic",
    "ViewState": "frame_number series_key sop_instance_uid window_center window_width",
    "Ledger": "evidence modality patient_sex schema series_instance_uid study_instance_uid",
    "Code": "meaning scheme value",
    "Evidence": "anatomy checks concept confidence descriptor id kind label refusal regions "
    "report_default side source values warnings",
    "Quantity": "concept name text uncertainty unit value",
    "Refusal": "code reason",
    "Source": "kind name sha256 version",
    "Draft": "candidates complete limitations model schema seed sentences series_key "
    "study_instance_uid",
    "Candidate": "evidence_id reason text",
}
"""Fields of sightline.report/1, sightline.ledger/1 and sightline.draft/1 as they were first written."""


@pytest.mark.parametrize("name", sorted(FIRST))
def test_a_field_that_came_later_hides_at_its_default(name: str) -> None:
    model: Any = getattr(domain, name)
    first = set(FIRST[name].split())
    now = {field.alias or key: field for key, field in model.model_fields.items()}
    assert first <= set(now), "a field of the first schema is gone"
    for key in set(now) - first:
        assert now[key].exclude_if is not None, f"{name}.{key}: make it `later(default)`"
        assert now[key].exclude_if(now[key].default)


def test_an_old_report_and_ledger_are_read_and_written_with_the_same_bytes() -> None:
    report = Report(
        id="R1",
        revision=1,
        state=ReportState.DRAFT,
        study=StudyBlock(patient_name="A", patient_id="1", study_instance_uid="1.2"),
    )
    ledger = Ledger(study_instance_uid="1.2")
    for value in (report, ledger):
        written = canonical(value.model_dump(mode="json", by_alias=True))
        assert set(json.loads(written)) == set(FIRST[type(value).__name__].split())
        again = type(value).model_validate_json(written)
        assert canonical(again.model_dump(mode="json", by_alias=True)) == written


def test_what_a_later_field_says_is_part_of_what_is_signed() -> None:
    report = Report(
        id="R1",
        revision=1,
        state=ReportState.DRAFT,
        study=StudyBlock(patient_name="A", patient_id="1", study_instance_uid="1.2"),
    )
    asked = report.model_copy(update={"question": "Nodule?"})
    assert content_sha256(asked) != content_sha256(report)

"""Checkpoints are C2SP signed notes, events are PS3.15, hashes are RFC 8785."""

from __future__ import annotations

import base64
import hashlib

import pytest
from pydicom.sr.codedict import codes
from store_reading import study_block

from reports.audit.canonical import NotCanonicalError, canonical, content_sha256
from reports.audit.checkpoint import BadNoteError, NoteSigner, NoteVerifier
from reports.audit.event import ACT_CODES, AuditAct
from reports.domain import Report, ReportState

SIGNER = NoteSigner("sightline/test", bytes(range(32)))


def test_note_has_the_form_of_the_specification() -> None:
    text = SIGNER.sign(7, b"\x01" * 32).note
    lines = text.split("\n")
    assert lines[:3] == ["sightline/test", "7", base64.b64encode(b"\x01" * 32).decode()]
    assert lines[3] == ""
    mark, name, signature = lines[4].split(" ")
    assert (mark, name, lines[5:]) == ("\u2014", "sightline/test", [""])
    public = SIGNER.verifier().public
    key_id = hashlib.sha256(b"sightline/test\n\x01" + public).digest()[:4]
    assert base64.b64decode(signature)[:4] == key_id
    assert len(base64.b64decode(signature)) == 4 + 64
    assert SIGNER.verifier().key() == (
        f"sightline/test+{key_id.hex()}+{base64.b64encode(bytes([1]) + public).decode()}"
    )


def test_verifier_opens_the_known_key_of_the_specification() -> None:
    """Example of the signed-note specification (PeterNeumann, golang.org/x/mod/sumdb/note)."""
    known = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    verifier = NoteVerifier("PeterNeumann", known[1:])
    assert verifier.key() == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_signed_note_is_opened_again() -> None:
    note = SIGNER.sign(7, b"\x01" * 32)
    assert SIGNER.verifier().open(note.note) == note


def test_any_changed_character_of_a_note_is_found() -> None:
    note = SIGNER.sign(123, hashlib.sha256(b"root").digest()).note
    for place, char in enumerate(note[:-1]):
        changed = note[:place] + ("A" if char != "A" else "B") + note[place + 1 :]
        with pytest.raises(BadNoteError):
            SIGNER.verifier().open(changed)


def test_note_of_another_key_is_found() -> None:
    stranger = NoteSigner("sightline/test", bytes(32))
    with pytest.raises(BadNoteError, match="signature"):
        SIGNER.verifier().open(stranger.sign(1, bytes(32)).note)


def test_every_act_has_codes_and_dicom_codes_are_those_of_the_standard() -> None:
    assert set(ACT_CODES) == set(AuditAct)
    meanings = {code.value: code.meaning for code in (getattr(codes.DCM, n) for n in codes.DCM.dir())}
    for act, code in ACT_CODES.items():
        for part in (code.event_id, code.event_type):
            if part.scheme == "DCM":
                assert meanings[part.value] == part.meaning, act


def test_canonical_json_is_rfc_8785() -> None:
    assert (
        canonical({"b": 1.0, "a": [True, None, "\u20ac"]})
        == '{"a":[true,null,"\u20ac"],"b":1}'.encode()
    )
    with pytest.raises(NotCanonicalError):
        canonical({"value": float("nan")})


def test_content_hash_covers_the_text_and_not_the_state() -> None:
    report = Report(id="r", revision=1, state=ReportState.DRAFT, study=study_block())
    moved = report.model_copy(update={"revision": 2, "state": ReportState.FINAL, "author": "x"})
    other = report.model_copy(update={"study": report.study.model_copy(update={"patient_id": "PH-2"})})
    assert content_sha256(moved) == content_sha256(report)
    assert content_sha256(other) != content_sha256(report)

"""Audit events in the words of DICOM PS3.15 A.5 and IHE ATNA, and the table of our acts.

Draft, edit and approve have no code of their own in the standard: they are 110110 Patient Record
with type codes of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from pydantic import ConfigDict, Field

from reports.audit.canonical import canonical
from reports.domain import Code, Role
from reports.domain.evidence import Frozen

AUDIT_SCHEMA = "sightline.audit/1"
OUR_SCHEME = "99SIGHTLINE"


class AuditAct(StrEnum):
    """What this program audits."""

    STORE_CREATED = "store created"
    APPLICATION_START = "application start"
    APPLICATION_STOP = "application stop"
    CLOCK_WENT_BACK = "clock went back"
    PROTECTION_RESTORED = "protection restored"
    LOGIN = "login"
    LOGIN_FAILED = "login failed"
    LOGOUT = "logout"
    ACCOUNT_ADDED = "account added"
    ACCOUNT_DISABLED = "account disabled"
    PASSWORD_CHANGED = "password changed"
    SEAL_KEY_SET = "seal key set"
    STUDY_IMPORTED = "study imported"
    STUDY_OPENED = "study opened"
    STUDY_REMOVED = "study removed"
    DRAFT_SAVED = "draft saved"
    REPORT_STARTED = "report started"
    REPORT_SAVED = "report saved"
    REPORT_SIGNED = "report signed"
    ADDENDUM_STARTED = "addendum started"
    DOCUMENT_SEALED = "document sealed"
    DOCUMENT_EXPORTED = "document exported"
    STUDY_RECORD_SAVED = "study record saved"
    PREFERENCE_SAVED = "preference saved"
    AUDIT_LOG_USED = "audit log used"


class EventAction(StrEnum):
    """EventActionCode: create, read, update, delete, execute."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class Outcome(IntEnum):
    """EventOutcomeIndicator of PS3.15 A.5."""

    SUCCESS = 0
    MINOR_FAILURE = 4
    SERIOUS_FAILURE = 8
    MAJOR_FAILURE = 12


@dataclass(frozen=True)
class ActCode:
    """How an act is written: EventID, EventTypeCode and action."""

    event_id: Code
    event_type: Code
    action: EventAction


def _dcm(value: str, meaning: str) -> Code:
    return Code(value=value, scheme="DCM", meaning=meaning)


def _ours(act: AuditAct) -> Code:
    return Code(value=act.replace(" ", "-"), scheme=OUR_SCHEME, meaning=act.capitalize())


_APPLICATION = _dcm("110100", "Application Activity")
_LOG_USED = _dcm("110101", "Audit Log Used")
_ACCESSED = _dcm("110103", "DICOM Instances Accessed")
_DELETED = _dcm("110105", "DICOM Study Deleted")
_EXPORT = _dcm("110106", "Export")
_IMPORT = _dcm("110107", "Import")
_RECORD = _dcm("110110", "Patient Record")
_SECURITY = _dcm("110113", "Security Alert")
_AUTHENTICATION = _dcm("110114", "User Authentication")
_USER_CHANGED = _dcm("110137", "User Security Attributes Changed")
_LOGIN = _dcm("110122", "Login")

ACT_CODES: Final[dict[AuditAct, ActCode]] = {
    act: ActCode(event_id, event_type or _ours(act), EventAction(action))
    for act, event_id, event_type, action in (
        (AuditAct.STORE_CREATED, _APPLICATION, None, "C"),
        (AuditAct.APPLICATION_START, _APPLICATION, _dcm("110120", "Application Start"), "E"),
        (AuditAct.APPLICATION_STOP, _APPLICATION, _dcm("110121", "Application Stop"), "E"),
        (AuditAct.CLOCK_WENT_BACK, _SECURITY, None, "E"),
        (AuditAct.PROTECTION_RESTORED, _SECURITY, None, "E"),
        (AuditAct.LOGIN, _AUTHENTICATION, _LOGIN, "E"),
        (AuditAct.LOGIN_FAILED, _AUTHENTICATION, _LOGIN, "E"),
        (AuditAct.LOGOUT, _AUTHENTICATION, _dcm("110123", "Logout"), "E"),
        (AuditAct.ACCOUNT_ADDED, _SECURITY, _USER_CHANGED, "C"),
        (AuditAct.ACCOUNT_DISABLED, _SECURITY, _USER_CHANGED, "U"),
        (AuditAct.PASSWORD_CHANGED, _SECURITY, _USER_CHANGED, "U"),
        (AuditAct.SEAL_KEY_SET, _SECURITY, _dcm("110129", "Security Configuration"), "C"),
        (AuditAct.STUDY_IMPORTED, _IMPORT, None, "C"),
        (AuditAct.STUDY_OPENED, _ACCESSED, None, "R"),
        (AuditAct.STUDY_REMOVED, _DELETED, None, "D"),
        (AuditAct.DRAFT_SAVED, _RECORD, None, "C"),
        (AuditAct.REPORT_STARTED, _RECORD, None, "C"),
        (AuditAct.REPORT_SAVED, _RECORD, None, "U"),
        (AuditAct.REPORT_SIGNED, _RECORD, None, "U"),
        (AuditAct.ADDENDUM_STARTED, _RECORD, None, "C"),
        (AuditAct.DOCUMENT_SEALED, _RECORD, None, "C"),
        (AuditAct.DOCUMENT_EXPORTED, _EXPORT, None, "R"),
        (AuditAct.STUDY_RECORD_SAVED, _RECORD, None, "U"),
        (AuditAct.PREFERENCE_SAVED, _APPLICATION, None, "U"),
        (AuditAct.AUDIT_LOG_USED, _LOG_USED, None, "R"),
    )
}


class ActiveParticipant(Frozen):
    """Who did it: UserID, UserName, role and whether this participant asked for it."""

    user_id: str
    user_name: str = ""
    role: str = ""
    is_requestor: bool = True


PROGRAM = ActiveParticipant(user_id="sightline", user_name="Sightline", role="application")
"""The program itself, for what no person asked for."""


def person(name: str, printed_name: str, role: Role) -> ActiveParticipant:
    """Return the participant for an account."""
    return ActiveParticipant(user_id=name, user_name=printed_name, role=str(role))


class ParticipantObject(Frozen):
    """What it was done to (ParticipantObjectIdentification).

    Parameters
    ----------
    type_code
        ParticipantObjectTypeCode: 1 person, 2 system object.
    role_code
        ParticipantObjectTypeCodeRole: 1 patient, 3 report, 11 security user entity, 13 security
        resource.
    """

    type_code: int
    role_code: int
    id_type: Code
    object_id: str


def patient(patient_id: str) -> ParticipantObject:
    """Return the patient as an object (type 1, role 1)."""
    return ParticipantObject(
        type_code=1,
        role_code=1,
        id_type=Code(value="2", scheme="RFC-3881", meaning="Patient Number"),
        object_id=patient_id,
    )


def study(study_instance_uid: str) -> ParticipantObject:
    """Return a study as an object (type 2, role 3, 110180)."""
    return ParticipantObject(
        type_code=2,
        role_code=3,
        id_type=_dcm("110180", "Study Instance UID"),
        object_id=study_instance_uid,
    )


def record(kind: str, object_id: str) -> ParticipantObject:
    """Return a report, draft or document of ours as an object (type 2, role 3)."""
    return ParticipantObject(
        type_code=2,
        role_code=3,
        id_type=Code(value=kind, scheme=OUR_SCHEME, meaning=f"Sightline {kind}"),
        object_id=object_id,
    )


def security_user(name: str) -> ParticipantObject:
    """Return an account as an object (type 1, role 11)."""
    return ParticipantObject(
        type_code=1,
        role_code=11,
        id_type=Code(value="11", scheme="RFC-3881", meaning="User Identifier"),
        object_id=name,
    )


class AuditEvent(Frozen):
    """One entry of the log.

    Parameters
    ----------
    sequence
        Counts from 1 without gaps; the order of the log, whatever the clock says.
    utc
        ISO 8601 with Z, from this machine's clock.
    monotonic_us, boot_id
        Microseconds of the monotonic clock of that boot: shows a wall clock that was turned.
    previous
        Leaf hash (hex) of the entry before, empty in the first: names the entry that was changed.
    detail
        Short facts, words and hashes only, that belong to the act.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: str = Field(default=AUDIT_SCHEMA, alias="schema")
    sequence: int = Field(ge=1)
    act: AuditAct
    event_id: Code
    event_type: Code
    action: EventAction
    outcome: Outcome = Outcome.SUCCESS
    utc: str
    monotonic_us: int
    boot_id: str
    participants: tuple[ActiveParticipant, ...]
    source_id: str
    """AuditSourceID: the installation."""
    source_type: int = 1
    """AuditSourceTypeCode 1: end-user interface."""
    objects: tuple[ParticipantObject, ...] = ()
    detail: dict[str, str] = Field(default_factory=dict)
    previous: str = ""

    def canonical(self) -> bytes:
        """Return the bytes that are stored and hashed."""
        return canonical(self.model_dump(mode="json", by_alias=True))

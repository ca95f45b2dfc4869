"""The life-cycle of a report as a table: (state, act, role) -> state; everything else raises.

Mapped to FHIR DiagnosticReport.status, HL7 OBR-25 (table 0123) and the SR Completion and
Verification flags (PS3.3 C.17.2) in the same place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReportState(StrEnum):
    """States a report part can be in."""

    DRAFT = "draft"
    IN_REVIEW = "in review"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    ADDENDUM = "addendum"
    """A signed part that adds to a final report."""


class ReportAct(StrEnum):
    """What can be done to a report part."""

    EDIT = "edit"
    ACCEPT_DRAFT = "accept draft"
    SIGN_PRELIMINARY = "sign preliminary"
    SIGN_FINAL = "sign final"
    START_ADDENDUM = "start addendum"
    SIGN_ADDENDUM = "sign addendum"


class Role(StrEnum):
    """Roles of accounts. An administrator sees no patient data and approves nothing."""

    RADIOLOGIST = "radiologist"
    RESIDENT = "resident"
    ADMINISTRATOR = "administrator"


class TransitionError(Exception):
    """An act that the table does not allow; the message says in words what is possible."""


READERS = (Role.RADIOLOGIST, Role.RESIDENT)

_RULES: tuple[tuple[ReportState, ReportAct, tuple[Role, ...], ReportState], ...] = (
    (ReportState.DRAFT, ReportAct.EDIT, READERS, ReportState.IN_REVIEW),
    (ReportState.DRAFT, ReportAct.ACCEPT_DRAFT, READERS, ReportState.IN_REVIEW),
    (ReportState.IN_REVIEW, ReportAct.EDIT, READERS, ReportState.IN_REVIEW),
    (ReportState.IN_REVIEW, ReportAct.ACCEPT_DRAFT, READERS, ReportState.IN_REVIEW),
    (ReportState.IN_REVIEW, ReportAct.SIGN_PRELIMINARY, READERS, ReportState.PRELIMINARY),
    (ReportState.IN_REVIEW, ReportAct.SIGN_FINAL, (Role.RADIOLOGIST,), ReportState.FINAL),
    (ReportState.PRELIMINARY, ReportAct.EDIT, READERS, ReportState.IN_REVIEW),
    (ReportState.PRELIMINARY, ReportAct.SIGN_FINAL, (Role.RADIOLOGIST,), ReportState.FINAL),
    # An addendum is a new part: the final report it adds to stays as it is.
    (ReportState.FINAL, ReportAct.START_ADDENDUM, (Role.RADIOLOGIST,), ReportState.FINAL),
    (ReportState.IN_REVIEW, ReportAct.SIGN_ADDENDUM, (Role.RADIOLOGIST,), ReportState.ADDENDUM),
)

TRANSITIONS: dict[tuple[ReportState, ReportAct, Role], ReportState] = {
    (state, act, role): after for state, act, roles, after in _RULES for role in roles
}


def transition(state: ReportState, act: ReportAct, role: Role) -> ReportState:
    """Return the state after the act.

    Raises
    ------
    TransitionError
        The table has no such entry.
    """
    try:
        return TRANSITIONS[state, act, role]
    except KeyError:
        raise TransitionError(
            f"A {role} cannot {act} a report that is {state}."
            + (" A final report never changes: start an addendum." if state in LOCKED else "")
        ) from None


LOCKED = frozenset({ReportState.FINAL, ReportState.ADDENDUM})
"""States whose content never changes."""


@dataclass(frozen=True)
class ExternalStatus:
    """How a state is called outside."""

    fhir: str
    obr25: str
    sr_completion: str
    sr_verification: str


EXTERNAL: dict[ReportState, ExternalStatus] = {
    ReportState.DRAFT: ExternalStatus("registered", "I", "PARTIAL", "UNVERIFIED"),
    ReportState.IN_REVIEW: ExternalStatus("partial", "R", "PARTIAL", "UNVERIFIED"),
    ReportState.PRELIMINARY: ExternalStatus("preliminary", "P", "COMPLETE", "UNVERIFIED"),
    ReportState.FINAL: ExternalStatus("final", "F", "COMPLETE", "VERIFIED"),
    ReportState.ADDENDUM: ExternalStatus("appended", "C", "COMPLETE", "VERIFIED"),
}

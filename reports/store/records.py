"""Small things beside the report: what a person drew on a study, and how an account likes to work.

Bodies are plain JSON that the callers define and check; this room keeps their canonical bytes, and
the audit entry of each save carries their hash. What is on a study stays in all its revisions; of a
preference only the newest is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from reports.audit.canonical import NotCanonicalError, canonical, sha256_hex
from reports.audit.clock import utc_text
from reports.audit.event import AuditAct, ParticipantObject, patient
from reports.audit.event import study as study_object
from reports.store.accounts import (
    Account,
    require_active,
    require_active_reader,
    require_reader,
)
from reports.store.errors import RecordDamagedError, RecordRefusedError, StaleRevisionError
from reports.store.kinds import PreferenceKind, RecordKind
from reports.store.schema import PREFERENCES, STUDY_RECORDS
from reports.store.transaction import Transactions

LARGEST_RECORD: Final = 8 * 2**20
"""Bytes of one study record: some hundred brushed outlines."""
LARGEST_PREFERENCE: Final = 2**18
LONGEST_ACT: Final = 120
"""Characters of the words that name an act in the audit log."""


@dataclass(frozen=True)
class StudyRecord:
    """One revision of a record; revisions count from 1, and 0 stands for none yet."""

    revision: int
    body: dict[str, Any]
    account: str
    """Who saved it."""
    saved_at: str


class StudyRecords:
    """The records of the studies and patients of a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def save(
        self,
        kind: RecordKind,
        subject: str,
        body: Mapping[str, Any],
        account: Account,
        *,
        act: str,
        after: int | None = None,
    ) -> StudyRecord:
        """Keep the next revision and return it.

        Parameters
        ----------
        subject
            Study Instance UID, or the patient key of lesions.
        act
            What the person did, as the audit log names it: program's words, nothing that was typed.
        after
            The revision that this one was made from (0: none); none given takes the newest.

        Raises
        ------
        RecordRefusedError
            The body is too large, or no JSON.
        StaleRevisionError
            Someone else saved a newer one than `after` meanwhile.
        NotPermittedError
            The account may not write patient data.
        """
        require_reader(account)
        content = _content(body, LARGEST_RECORD)
        with self._transactions.writing() as transaction:
            require_active_reader(transaction.connection, account)
            newest = transaction.connection.scalar(
                sa.select(sa.func.max(STUDY_RECORDS.c.revision)).where(*_of(kind, subject))
            )
            if after is not None and after != (newest or 0):
                raise StaleRevisionError(f"The {kind} of this study were changed meanwhile.")
            saved_at = utc_text(self._transactions.journal.clock.utc())
            revision = (newest or 0) + 1
            transaction.connection.execute(
                STUDY_RECORDS.insert().values(
                    kind=str(kind),
                    subject=subject,
                    revision=revision,
                    content=content,
                    sha256=sha256_hex(content),
                    account=account.name,
                    saved_at=saved_at,
                )
            )
            transaction.record(
                AuditAct.STUDY_RECORD_SAVED,
                account.participant(),
                objects=(_participant(kind, subject),),
                detail={
                    "kind": str(kind),
                    "subject": subject_name(kind, subject),
                    "revision": str(revision),
                    "record_sha256": sha256_hex(content),
                    "act": act[:LONGEST_ACT],
                },
            )
        return StudyRecord(revision, json.loads(content), account.name, saved_at)

    def latest(self, kind: RecordKind, subject: str, account: Account) -> StudyRecord | None:
        """Return the newest revision, or none.

        Raises
        ------
        RecordDamagedError
            It is not the one that was hashed.
        NotPermittedError
            The account may not see patient data.
        """
        require_reader(account)
        query = sa.select(STUDY_RECORDS).where(*_of(kind, subject))
        with self._transactions.reading() as connection:
            row = connection.execute(
                query.order_by(STUDY_RECORDS.c.revision.desc()).limit(1)
            ).one_or_none()
        if row is None:
            return None
        body = _body(row.content, row.sha256, f"The {kind} of this study")
        return StudyRecord(row.revision, body, row.account, row.saved_at)


class Preferences:
    """What each account of a store keeps for itself: no patient data."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def save(self, kind: PreferenceKind, body: Mapping[str, Any], account: Account) -> None:
        """Keep a preference in place of the one before.

        Raises
        ------
        RecordRefusedError
            The body is too large, or no JSON.
        NotPermittedError
            The account was disabled meanwhile.
        """
        content = _content(body, LARGEST_PREFERENCE)
        mine = {"account": account.name, "kind": str(kind)}
        with self._transactions.writing() as transaction:
            require_active(transaction.connection, account)
            transaction.connection.execute(PREFERENCES.delete().where(*_equal(mine)))
            transaction.connection.execute(
                PREFERENCES.insert().values(
                    **mine,
                    content=content,
                    sha256=sha256_hex(content),
                    saved_at=utc_text(self._transactions.journal.clock.utc()),
                )
            )
            transaction.record(
                AuditAct.PREFERENCE_SAVED,
                account.participant(),
                detail={**mine, "preference_sha256": sha256_hex(content)},
            )

    def latest(self, kind: PreferenceKind, account: Account) -> dict[str, Any] | None:
        """Return a preference of an account, or none.

        Raises
        ------
        RecordDamagedError
            It is not the one that was hashed.
        """
        query = sa.select(PREFERENCES).where(*_equal({"account": account.name, "kind": str(kind)}))
        with self._transactions.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _body(row.content, row.sha256, f"Your {kind}")


def subject_name(kind: str, subject: str) -> str:
    """Name the subject of a record without the patient's number, which stays in its own field."""
    if kind == RecordKind.LESIONS:
        return f"patient {hashlib.sha256(subject.encode()).hexdigest()[:12]}"
    return f"study {subject}"


def _participant(kind: RecordKind, subject: str) -> ParticipantObject:
    return patient(subject) if kind is RecordKind.LESIONS else study_object(subject)


def _of(kind: RecordKind, subject: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (STUDY_RECORDS.c.kind == str(kind), STUDY_RECORDS.c.subject == subject)


def _equal(values: Mapping[str, str]) -> tuple[sa.ColumnElement[bool], ...]:
    return tuple(PREFERENCES.c[name] == value for name, value in values.items())


def _content(body: Mapping[str, Any], largest: int) -> bytes:
    """Return the bytes to keep; what is wrong is said without any of the content."""
    try:
        content = canonical(dict(body))
    except (NotCanonicalError, RecursionError, TypeError, ValueError):
        raise RecordRefusedError("This record has no JSON form, so it was not saved.") from None
    if len(content) > largest:
        raise RecordRefusedError(
            f"This record is too large to keep: {len(content)} bytes of at most {largest}."
        )
    return content


def _body(content: bytes, sha256: str, name: str) -> dict[str, Any]:
    if sha256_hex(content) != sha256:
        raise RecordDamagedError(f"{name} were changed outside Sightline.")
    body: dict[str, Any] = json.loads(content)
    return body

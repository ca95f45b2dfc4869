"""Writes the audit log: one entry per act, in the transaction of the act, and signed checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from reports.audit.checkpoint import CheckpointNote, NoteSigner, NoteVerifier
from reports.audit.clock import Clock, from_utc_text, utc_text
from reports.audit.event import (
    ACT_CODES,
    PROGRAM,
    ActiveParticipant,
    AuditAct,
    AuditEvent,
    Outcome,
    ParticipantObject,
)
from reports.audit.log import Frontier, leaf_hash
from reports.audit.verify import Entry, Witness
from reports.store.schema import AUDIT_EVENTS, CHECKPOINTS

CLOCK_TOLERANCE: Final = timedelta(seconds=1)
"""A step back below this is the slewing of a time service, not a clock that went back."""


class Journal:
    """The log of one installation."""

    def __init__(self, installation: str, signer: NoteSigner, clock: Clock) -> None:
        self.installation = installation
        self.clock = clock
        self._signer = signer
        self._committed = Frontier()

    def start_from(self, committed: Frontier) -> None:
        """Take over the frontier of the log as it was checked when the store was opened."""
        self._committed = committed

    @property
    def verifier(self) -> NoteVerifier:
        """Public key of the log."""
        return self._signer.verifier()

    def append(
        self,
        connection: sa.Connection,
        act: AuditAct,
        actor: ActiveParticipant,
        *,
        objects: Sequence[ParticipantObject] = (),
        detail: Mapping[str, str] | None = None,
        outcome: Outcome = Outcome.SUCCESS,
    ) -> AuditEvent:
        """Add an entry in the open transaction; before it one more when the clock went back."""
        newest = connection.execute(
            sa.select(AUDIT_EVENTS).order_by(AUDIT_EVENTS.c.sequence.desc()).limit(1)
        ).one_or_none()
        last = None if newest is None else AuditEvent.model_validate_json(newest.event)
        leaf = b"" if newest is None else bytes(newest.leaf)
        now = self.clock.utc()
        if last is not None and now < from_utc_text(last.utc) - CLOCK_TOLERANCE:
            last = self._event(
                AuditAct.CLOCK_WENT_BACK,
                PROGRAM,
                after=(last.sequence, leaf),
                detail={"from": last.utc, "to": utc_text(now)},
                outcome=Outcome.MINOR_FAILURE,
            )
            leaf = self._write(connection, last)
        event = self._event(
            act,
            actor,
            after=(0 if last is None else last.sequence, leaf),
            objects=tuple(objects),
            detail=detail,
            outcome=outcome,
        )
        self._write(connection, event)
        return event

    def _event(
        self,
        act: AuditAct,
        actor: ActiveParticipant,
        *,
        after: tuple[int, bytes],
        objects: tuple[ParticipantObject, ...] = (),
        detail: Mapping[str, str] | None = None,
        outcome: Outcome,
    ) -> AuditEvent:
        """Return the entry that follows the one with sequence number and leaf hash `after`."""
        code = ACT_CODES[act]
        return AuditEvent(
            sequence=after[0] + 1,
            act=act,
            event_id=code.event_id,
            event_type=code.event_type,
            action=code.action,
            outcome=outcome,
            utc=utc_text(self.clock.utc()),
            monotonic_us=self.clock.monotonic_us(),
            boot_id=self.clock.boot_id(),
            participants=(actor,),
            source_id=self.installation,
            objects=objects,
            detail=dict(detail or {}),
            previous=after[1].hex(),
        )

    def _write(self, connection: sa.Connection, event: AuditEvent) -> bytes:
        data = event.canonical()
        leaf = leaf_hash(data)
        connection.execute(AUDIT_EVENTS.insert().values(sequence=event.sequence, event=data, leaf=leaf))
        return leaf

    def checkpoint(self, connection: sa.Connection) -> CheckpointNote:
        """Sign size and root of the log as it stands in the open transaction, and keep the note."""
        frontier = self._grown(connection)
        note = self._signer.sign(frontier.size, frontier.root())
        connection.execute(CHECKPOINTS.insert().values(size=note.size, note=note.note))
        return note

    def remember(self, connection: sa.Connection) -> None:
        """Keep the frontier of the committed log, so that the next checkpoint hashes only new entries.

        Called with a transaction that wrote nothing: what is seen there cannot be rolled back.
        """
        self._committed = self._grown(connection)

    def _grown(self, connection: sa.Connection) -> Frontier:
        base = self._committed  # Read once: another thread may move it on meanwhile.
        query = sa.select(AUDIT_EVENTS.c.leaf).where(AUDIT_EVENTS.c.sequence > base.size)
        leaves = connection.scalars(query.order_by(AUDIT_EVENTS.c.sequence))
        return base.extend(bytes(leaf) for leaf in leaves)


def entries(connection: sa.Connection) -> Iterator[Entry]:
    """Yield the whole log as it is stored."""
    rows = connection.execute(sa.select(AUDIT_EVENTS).order_by(AUDIT_EVENTS.c.sequence))
    for row in rows:
        yield Entry(int(row.sequence), bytes(row.event), bytes(row.leaf))


def leaves(connection: sa.Connection) -> Iterator[bytes]:
    """Yield the stored leaf hashes of the whole log."""
    query = sa.select(AUDIT_EVENTS.c.leaf).order_by(AUDIT_EVENTS.c.sequence)
    for leaf in connection.scalars(query):
        yield bytes(leaf)


def newest_event(connection: sa.Connection) -> AuditEvent | None:
    """Return the last entry of the log, none when it is not readable or there is none."""
    query = sa.select(AUDIT_EVENTS.c.event).order_by(AUDIT_EVENTS.c.sequence.desc()).limit(1)
    found = connection.scalar(query)
    try:
        return None if found is None else AuditEvent.model_validate_json(found)
    except ValueError:
        return None


def own_checkpoints(connection: sa.Connection) -> Witness:
    """Return the checkpoints kept in the database itself."""
    notes = connection.scalars(sa.select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size))
    return Witness("the database", tuple(notes), inside=True)

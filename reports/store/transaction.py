"""One transaction per act: state change and audit entry are committed together or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from reports.audit.checkpoint import CheckpointNote
from reports.audit.event import ActiveParticipant, AuditAct, AuditEvent, Outcome, ParticipantObject
from reports.audit.verify import AuditVerdict
from reports.store.engine import WRITE, in_words
from reports.store.errors import StoreReadOnlyError
from reports.store.journal import Journal
from reports.store.steps import Hook, Step
from reports.store.witness import Witnesses


@dataclass
class Transaction:
    """An act under way: its connection, and the log it writes to."""

    connection: sa.Connection
    journal: Journal
    notes: list[CheckpointNote] = field(default_factory=list)

    def record(
        self,
        act: AuditAct,
        actor: ActiveParticipant,
        *,
        objects: Sequence[ParticipantObject] = (),
        detail: Mapping[str, str] | None = None,
        outcome: Outcome = Outcome.SUCCESS,
    ) -> AuditEvent:
        """Add the audit entry of this act."""
        return self.journal.append(
            self.connection, act, actor, objects=objects, detail=detail, outcome=outcome
        )

    def checkpoint(self) -> CheckpointNote:
        """Sign the log as it stands; witnesses get the note after the commit."""
        note = self.journal.checkpoint(self.connection)
        self.notes.append(note)
        return note


class Transactions:
    """The one way to the database for accounts, studies, drafts and reports."""

    def __init__(
        self,
        engine: sa.Engine,
        database: Path,
        journal: Journal,
        witnesses: Witnesses,
        on_step: Hook,
    ) -> None:
        self._engine = engine
        self._database = database
        self.journal = journal
        self.witnesses = witnesses
        self.on_step = on_step
        self.alert: AuditVerdict | None = None
        self.witness_trouble = ""

    def tell(self, notes: Sequence[CheckpointNote]) -> None:
        """Give the checkpoints of a committed act to the witnesses.

        The act stands whatever happens here: a side file that takes nothing is not its failure, is
        said in `witness_trouble`, and is caught up at the next start.
        """
        try:
            self.witnesses.tell(notes)
            self.witness_trouble = ""
        except OSError as error:
            self.witness_trouble = (
                f"The side file with the checkpoints cannot be written ({error.strerror}): "
                "make room or give it back its rights, then start Sightline again."
            )

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one state of the database."""
        with in_words(self._database), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Give a transaction that holds the write lock; it commits when the block ends well.

        Raises
        ------
        StoreReadOnlyError
            The audit log did not hold when the store was opened.
        """
        if self.alert is not None:
            raise StoreReadOnlyError(f"The store can only be read. {self.alert.message}")
        with in_words(self._database), self._engine.connect() as connection:
            writer = connection.execution_options(**{WRITE: True})
            with writer.begin():
                act = Transaction(writer, self.journal)
                yield act
        self.on_step(Step.COMMITTED)
        if act.notes:
            self.tell(act.notes)
            with self.reading() as connection:
                self.journal.remember(connection)
        self.on_step(Step.WITNESSED)

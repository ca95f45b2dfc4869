"""The store: opens the database of a home folder, checks it, and hands out its parts."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import sqlalchemy as sa

from reports.audit.checkpoint import NoteSigner, NoteVerifier, size_stated
from reports.audit.clock import Clock, SystemClock, from_utc_text, utc_text
from reports.audit.event import PROGRAM, AuditAct, AuditEvent
from reports.audit.verify import AuditFault, AuditVerdict, Witness, newest_fits, verify_log
from reports.store.accounts import Account, Accounts
from reports.store.crosscheck import check_records
from reports.store.drafts import Drafts
from reports.store.engine import (
    WRITE,
    back_up,
    damaged_pages,
    failed_page_checks,
    in_words,
    open_engine,
)
from reports.store.errors import (
    DatabaseDamagedError,
    NoStoreError,
    StoreError,
    StoreExistsError,
)
from reports.store.home import Home, prepare_home, refuse_network
from reports.store.journal import Journal, entries, leaves, newest_event, own_checkpoints
from reports.store.keys import (
    KeyFile,
    KeyProvider,
    ProviderKind,
    RecoveryProvider,
    keyring_is_available,
    new_key,
    unwrap_key,
)
from reports.store.migrate import HEAD, require_known, revision_of, upgrade
from reports.store.records import Preferences, StudyRecords
from reports.store.reports import Reports
from reports.store.schema import AUDIT_EVENTS, INSTALLATION, install_triggers, triggers_are_complete
from reports.store.steps import Hook, pass_by
from reports.store.studies import Studies
from reports.store.transaction import Transactions
from reports.store.witness import KEYRING, SIDE_FILE, Witnesses

if TYPE_CHECKING:
    from argon2 import PasswordHasher

DATABASE_SUFFIXES: Final = ("", "-wal", "-shm")
SHORT_LOG: Final = 10_000
"""Entries that every start looks into: about 0.3 s."""


@dataclass(frozen=True)
class NewStore:
    """A store just made, and the recovery key to print: it is shown once and kept nowhere."""

    store: Store
    recovery_key: str


def _default_hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


class Store:
    """The one owner of the database of a home folder; use `open` or `create`, then `close`.

    Attributes
    ----------
    accounts, studies, drafts, reports, records, preferences
        The parts; each method is one act in one transaction with its audit entry.
    badge
        Words that stay on the screen while this store is open; empty when none are needed.
    """

    def __init__(
        self,
        home: Home,
        engine: sa.Engine,
        journal: Journal,
        *,
        badge: str,
        decoy_hash: str,
        hasher: PasswordHasher,
        on_step: Hook,
        alert: AuditVerdict | None,
        witnesses: Witnesses,
    ) -> None:
        self._home = home
        self._engine = engine
        self._journal = journal
        self._transactions = Transactions(engine, home.database, journal, witnesses, on_step)
        self._transactions.alert = alert
        self.badge = badge
        self.accounts = Accounts(self._transactions, hasher, decoy_hash)
        self.studies = Studies(self._transactions)
        self.drafts = Drafts(self._transactions)
        self.reports = Reports(self._transactions, self.accounts)
        self.records = StudyRecords(self._transactions)
        self.preferences = Preferences(self._transactions)

    @staticmethod
    def exists(home: Path) -> bool:
        """Return whether the folder holds a store that was created completely."""
        return Home(home).key_file.exists()

    @classmethod
    def create(
        cls,
        home: Path,
        provider: KeyProvider,
        *,
        clock: Clock | None = None,
        hasher: PasswordHasher | None = None,
        on_step: Hook = pass_by,
    ) -> NewStore:
        """Make a store in a folder and open it.

        Raises
        ------
        StoreExistsError
            There is one.
        HomeRefusedError
            The folder cannot hold a store.
        KeyUnavailableError, WeakPassphraseError
            The provider cannot keep a key.
        """
        files = prepare_home(home)
        if files.key_file.exists():
            raise StoreExistsError(f"There is a store in {home} already.")
        # Without its key file a database is the rest of a creation that was cut short: nobody can
        # have written to it, and nobody can open it.
        for suffix in DATABASE_SUFFIXES:
            files.database.with_name(files.database.name + suffix).unlink(missing_ok=True)
        files.side_file.unlink(missing_ok=True)
        installation = str(uuid.uuid4())
        key, key_file, recovery_key = new_key(files, installation, provider)
        clock, hasher = clock or SystemClock(), hasher or _default_hasher()
        files.database.touch(mode=0o600, exist_ok=False)
        engine = open_engine(files.database, key)
        signer = NoteSigner.new(f"sightline/{installation}")
        journal = Journal(installation, signer, clock)
        transactions = Transactions(
            engine, files.database, journal, _witnesses(files, key_file), pass_by
        )
        try:
            with transactions.writing() as act:
                upgrade(act.connection)
                act.connection.execute(
                    INSTALLATION.insert().values(
                        id=installation,
                        created_at=utc_text(clock.utc()),
                        signing_key=signer.private,
                        decoy_hash=hasher.hash(secrets.token_hex(16)),
                    )
                )
                act.record(
                    AuditAct.STORE_CREATED,
                    PROGRAM,
                    detail={"key_provider": str(provider.kind), "log_key": signer.verifier().key()},
                )
                act.checkpoint()
        finally:
            engine.dispose()
        key_file.write(files)
        return NewStore(
            cls.open(home, provider, clock=clock, hasher=hasher, on_step=on_step), recovery_key
        )

    @classmethod
    def open(
        cls,
        home: Path,
        provider: KeyProvider | RecoveryProvider,
        *,
        clock: Clock | None = None,
        hasher: PasswordHasher | None = None,
        on_step: Hook = pass_by,
    ) -> Store:
        """Open a store: unwrap its key, check pages and audit log, migrate, record the start.

        A log that does not hold gives a store that can only be read, with `alert` set.

        Raises
        ------
        NoStoreError
            There is none in this folder.
        KeyUnavailableError
            The key cannot be had (wrong passphrase, no keyring, ...).
        DatabaseDamagedError
            A page check failed.
        NewerStoreError
            A newer Sightline made it.
        """
        files = Home(home)
        if not cls.exists(home):
            raise NoStoreError(f"There is no store in {home}. Make one first.")
        refuse_network(home)
        key, key_file = unwrap_key(files, provider)
        if not files.database.exists():
            raise DatabaseDamagedError(
                f"The database {files.database} is gone. Restore the last backup."
            )
        # The witnesses are read first: another process that signs meanwhile makes the log longer
        # than they say, never shorter.
        witnesses = _witnesses(files, key_file)
        seen = witnesses.read()
        engine = open_engine(files.database, key)
        try:
            with in_words(files.database):
                row = _prepared(engine, key, files)
                signer = NoteSigner(f"sightline/{row.id}", bytes(row.signing_key))
                journal = Journal(row.id, signer, clock or SystemClock())
                with engine.connect() as connection:
                    verdict = _checked_at_start(connection, journal, seen)
        except BaseException:
            engine.dispose()
            raise
        alert = None if verdict is None or verdict.intact else verdict
        if alert is not None:
            engine.dispose()
            engine = open_engine(files.database, key, read_only=True)
        store = cls(
            files,
            engine,
            journal,
            badge=provider.badge,
            decoy_hash=row.decoy_hash,
            hasher=hasher or _default_hasher(),
            on_step=on_step,
            alert=alert,
            witnesses=witnesses,
        )
        if alert is None:
            try:
                store._begin(seen)
            except BaseException:
                engine.dispose()
                raise
        return store

    @property
    def alert(self) -> AuditVerdict | None:
        """None, or what is wrong with the audit log: then the store can only be read."""
        return self._transactions.alert

    @property
    def witnesses(self) -> tuple[str, ...]:
        """Where checkpoints are kept outside the database, in words; documents hold them too."""
        has_keyring = self._transactions.witnesses.uses_keyring and keyring_is_available()
        return (SIDE_FILE, KEYRING) if has_keyring else (SIDE_FILE,)

    @property
    def witness_trouble(self) -> str:
        """Why the newest checkpoint is not in the side file, in words; empty when it is."""
        return self._transactions.witness_trouble

    @property
    def installation(self) -> str:
        """Id of this installation; the source of its audit events."""
        return self._journal.installation

    @property
    def log_key(self) -> NoteVerifier:
        """Public key of the audit log: who holds it can check every checkpoint."""
        return self._journal.verifier

    @property
    def home(self) -> Path:
        """The folder of the store."""
        return self._home.folder

    def _begin(self, witnesses: Sequence[Witness | None]) -> None:
        """Record the start, put back missing triggers, and tell the witnesses what they missed."""
        with self._transactions.writing() as act:
            if not triggers_are_complete(act.connection):
                install_triggers(act.connection)
                act.record(AuditAct.PROTECTION_RESTORED, PROGRAM)
            act.record(AuditAct.APPLICATION_START, PROGRAM)
        with self._transactions.reading() as connection:
            own = own_checkpoints(connection).notes
        seen = -1 if witnesses[0] is None else max(map(size_stated, witnesses[0].notes), default=-1)
        missed = [self.log_key.open(note) for note in own if size_stated(note) > seen]
        if missed:
            self._transactions.tell(missed)

    def verify(self, *, notes: Sequence[str] = ()) -> AuditVerdict:
        """Check everything: pages, audit log, checkpoints, witnesses, and records against the log.

        Parameters
        ----------
        notes
            Checkpoints from elsewhere, such as those printed in exported documents.
        """
        seen = self._transactions.witnesses.read()
        try:
            with self._transactions.reading() as connection:
                failed = failed_page_checks(connection) + damaged_pages(connection)
                if failed:
                    return AuditVerdict(
                        AuditFault.DATABASE_DAMAGED,
                        None,
                        f"The database is damaged: {failed[0]}.",
                        0,
                        "",
                    )
                given = Witness("a given checkpoint", tuple(notes))
                verdict = _verdict(connection, self.log_key, (*seen, given))
                return check_records(connection, verdict) if verdict.intact else verdict
        except DatabaseDamagedError as error:
            return AuditVerdict(AuditFault.DATABASE_DAMAGED, None, str(error), 0, "")

    def events(self, account: Account | None = None) -> Sequence[AuditEvent]:
        """Return the audit log, oldest first; looking at it is an entry of its own."""
        if self.alert is None:
            with self._transactions.writing() as act:
                act.record(
                    AuditAct.AUDIT_LOG_USED, PROGRAM if account is None else account.participant()
                )
        with self._transactions.reading() as connection:
            query = sa.select(AUDIT_EVENTS.c.event).order_by(AUDIT_EVENTS.c.sequence)
            return tuple(AuditEvent.model_validate_json(event) for event in connection.scalars(query))

    def seal_key(self) -> bytes | None:
        """Return the installation's key for sealing documents, as it was set, or none."""
        with self._transactions.reading() as connection:
            found = connection.scalar(sa.select(INSTALLATION.c.seal_key))
        return None if found is None else bytes(found)

    def set_seal_key(self, seal_key: bytes) -> bytes:
        """Keep the key for sealing documents, unless there is one; return the one that is kept.

        Two processes at their first signature end with the same key.
        """
        with self._transactions.writing() as act:
            found = act.connection.scalar(sa.select(INSTALLATION.c.seal_key))
            if found is not None:
                return bytes(found)
            act.connection.execute(INSTALLATION.update().values(seal_key=seal_key))
            act.record(AuditAct.SEAL_KEY_SET, PROGRAM)
        return seal_key

    def close(self) -> None:
        """Record the stop with a checkpoint and let go of the database."""
        try:
            if self.alert is None:
                with self._transactions.writing() as act:
                    act.record(AuditAct.APPLICATION_STOP, PROGRAM)
                    act.checkpoint()
        except StoreError:
            # A full or broken disk must not keep the program from ending: the stop that is missing
            # in the log says that it was not clean.
            pass
        finally:
            self._engine.dispose()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.close()


def _witnesses(home: Home, key_file: KeyFile) -> Witnesses:
    uses_keyring = key_file.provider is not ProviderKind.FILE
    return Witnesses(home.side_file, key_file.installation, uses_keyring)


def _checked_at_start(
    connection: sa.Connection, journal: Journal, witnesses: Sequence[Witness | None]
) -> AuditVerdict | None:
    """Check the log as a start does and return what is wrong, none when the quick check found nothing.

    Each entry of a long log is looked into only after a stop that was not clean and at the first
    start of a week; else its newest checkpoints are held against the stored leaf hashes.
    """
    if witnesses[0] is not None and _may_be_quick(newest_event(connection), journal.clock):
        outside = [witness for witness in witnesses if witness is not None]
        held_against = [own_checkpoints(connection), *outside]
        frontier = newest_fits(leaves(connection), journal.verifier, held_against)
        if frontier is not None:
            journal.start_from(frontier)
            return None
    verdict = _verdict(connection, journal.verifier, witnesses)
    if verdict.intact:
        journal.remember(connection)
    return verdict


def _may_be_quick(newest: AuditEvent | None, clock: Clock) -> bool:
    if newest is None or newest.sequence <= SHORT_LOG or newest.act is not AuditAct.APPLICATION_STOP:
        return False
    return from_utc_text(newest.utc).isocalendar()[:2] == clock.utc().isocalendar()[:2]


def _verdict(
    connection: sa.Connection, verifier: NoteVerifier, witnesses: Sequence[Witness | None]
) -> AuditVerdict:
    """Check the log against its own checkpoints and those outside."""
    own = own_checkpoints(connection)
    outside = [witness for witness in witnesses if witness is not None]
    verdict = verify_log(entries(connection), verifier, [own, *outside])
    if verdict.intact and witnesses[0] is None:
        return replace(
            verdict,
            fault=AuditFault.NO_WITNESS,
            message="The side file with the checkpoints of the audit log is gone: nobody can tell "
            "whether the database is the newest.",
        )
    return verdict


def _prepared(engine: sa.Engine, key: bytes, home: Home) -> sa.Row[tuple[object, ...]]:
    """Check the pages, bring the schema up to date, and return the row of the installation."""
    with engine.connect() as connection:
        damaged = damaged_pages(connection)
        revision = revision_of(connection)
    if damaged:
        raise DatabaseDamagedError(
            f"The database {home.database} is damaged ({damaged[0]}). Restore the last backup."
        )
    if revision != HEAD:
        _updated(engine, key, home, revision)
    with engine.connect() as connection:
        return connection.execute(sa.select(INSTALLATION)).one()


def _updated(engine: sa.Engine, key: bytes, home: Home, revision: str | None) -> None:
    """Move the schema up, with a checked backup made before."""
    backup = home.backup(str(revision))
    # Under the write lock of a second start at the same time, the first has done it all.
    with engine.connect() as connection:
        writer = connection.execution_options(**{WRITE: True})
        with writer.begin():
            if revision_of(writer) == HEAD:
                return
            require_known(revision)
            if not backup.exists():
                back_up(home.database, key, backup)
            upgrade(writer)

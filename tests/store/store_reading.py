"""A store with its people, a clock to turn and cheap hashes, for the tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlcipher3.dbapi2 as sqlcipher
from argon2 import PasswordHasher

from reports.domain import Origin, Report, Role, Section, Sentence, StudyBlock
from reports.store.accounts import Account
from reports.store.database import Store
from reports.store.home import Home
from reports.store.keys import FileProvider, KeyProvider, unwrap_key

PASSWORD = "correct horse battery"
STUDY_UID = "1.2.826.0.1.3680043.8.498.1"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Argon2id still, with costs that fit a test."""


@dataclass
class TurnableClock:
    """A clock that stands still until it is turned."""

    now: datetime = field(default=datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
    microseconds: int = 1_000_000

    def utc(self) -> datetime:
        return self.now

    def monotonic_us(self) -> int:
        return self.microseconds

    def boot_id(self) -> str:
        return "boot-1"

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.microseconds += max(int(seconds * 1_000_000), 0)


@dataclass
class MemoryKeyring:
    """A secret service that forgets at the end of the test.

    Not a subclass of keyring's own base: that one enters itself as a backend of the whole process.
    """

    secrets: dict[tuple[str, str], str] = field(default_factory=dict)

    def get_password(self, service: str, username: str) -> str | None:
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.secrets[service, username] = password


@dataclass
class Reading:
    """A store in a folder with its people."""

    home: Path
    store: Store
    clock: TurnableClock
    recovery_key: str
    radiologist: Account
    resident: Account
    administrator: Account
    provider: KeyProvider = field(default_factory=FileProvider)

    def reopened(self) -> Store:
        """Close the store and open it again."""
        self.store.close()
        self.store = Store.open(self.home, self.provider, clock=self.clock, hasher=CHEAP)
        return self.store

    def raw(self) -> sqlcipher.Connection:
        """Connect as someone who has the key, past the program."""
        key, _ = unwrap_key(Home(self.home), self.provider)
        connection = sqlcipher.connect(str(Home(self.home).database), isolation_level=None)
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        return connection

    def in_review(self) -> Report:
        """Start a report and save a sentence in it."""
        report = self.store.reports.start(study_block(), self.radiologist)
        return self.store.reports.save_revision(
            with_sentence(report, "No nodule is seen."), self.radiologist
        )


def study_block() -> StudyBlock:
    return StudyBlock(patient_name="Phantom", patient_id="PH-1", study_instance_uid=STUDY_UID)


def with_sentence(report: Report, text: str) -> Report:
    """Return the next revision with one more sentence of a person."""
    sentence = Sentence(
        id=f"s{len(report.sentences) + 1}",
        section=Section.FINDINGS,
        text=text,
        origin=Origin.PERSON,
    )
    return report.model_copy(
        update={"revision": report.revision + 1, "sentences": (*report.sentences, sentence)}
    )


def made_in(home: Path) -> Reading:
    """Make a store with a radiologist, a resident and an administrator."""
    clock = TurnableClock()
    new = Store.create(home, FileProvider(), clock=clock, hasher=CHEAP)
    accounts = new.store.accounts
    radiologist = accounts.add("rosa", "Dr. Rosa Lind", Role.RADIOLOGIST, PASSWORD)
    resident = accounts.add("remy", "Dr. Remy Voss", Role.RESIDENT, PASSWORD)
    administrator = accounts.add("ada", "Ada Berg", Role.ADMINISTRATOR, PASSWORD)
    return Reading(home, new.store, clock, new.recovery_key, radiologist, resident, administrator)


def everything(connection: sqlcipher.Connection) -> str:
    """Return all rows of all tables as text."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return "\n".join(
        f"{name}: {row!r}"
        for (name,) in names.fetchall()
        for row in connection.execute(f'SELECT * FROM "{name}"')
    )

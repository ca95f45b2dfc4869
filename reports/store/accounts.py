"""People: accounts with roles, argon2id passwords, and tries that are slowed, never locked out."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from reports.audit.clock import from_utc_text, utc_text
from reports.audit.event import PROGRAM, ActiveParticipant, AuditAct, Outcome, person, security_user
from reports.domain import Role
from reports.store.errors import (
    AccountError,
    DisabledError,
    NotPermittedError,
    TooSoonError,
    UnknownRecordError,
    WeakPassphraseError,
    WrongPasswordError,
)
from reports.store.schema import ACCOUNTS, ATTEMPTS
from reports.store.transaction import Transaction, Transactions

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST_PASSWORD: Final = 8
LONGEST_NAME: Final = 64
FREE_TRIES: Final = 2
"""Wrong passwords that cost nothing: a slip of the finger."""
LONGEST_WAIT: Final = 300.0
"""Seconds: a wait never becomes a lock-out."""
UNKNOWN_NAME: Final = "(unknown name)"
"""Written for a name without account: people type passwords into the name field."""


@dataclass(frozen=True)
class Account:
    """A person who may sign in.

    Parameters
    ----------
    name
        Sign-in name, case-folded.
    printed_name
        Name under a signature, as it is printed.
    """

    name: str
    printed_name: str
    role: Role
    disabled: bool = False

    def participant(self) -> ActiveParticipant:
        """Return this account as it stands in an audit event."""
        return person(self.name, self.printed_name, self.role)


def wait_after(failures: int) -> float:
    """Return the seconds that must pass after so many wrong passwords in a row.

    Nothing after the first two, then 1, 2, 4 ... up to five minutes.
    """
    if failures <= FREE_TRIES:
        return 0.0
    # The exponent is bounded before it is used: a float holds no 2**1100.
    return float(min(2.0 ** min(failures - FREE_TRIES - 1, 16), LONGEST_WAIT))


def require_reader(account: Account) -> None:
    """Refuse an account that may not see patient data.

    Raises
    ------
    NotPermittedError
        It is an administrator's.
    """
    if account.role is Role.ADMINISTRATOR:
        raise NotPermittedError("An administrator sees no patient data: sign in as a reader.")


def require_active_reader(connection: sa.Connection, account: Account) -> None:
    """Refuse an account that may not write patient data, or that was disabled meanwhile.

    Raises
    ------
    NotPermittedError
        It is an administrator's, or not the enabled account that it says it is.
    """
    require_reader(account)
    require_active(connection, account)


def require_active(connection: sa.Connection, account: Account) -> None:
    """Refuse an account that was disabled meanwhile.

    Raises
    ------
    NotPermittedError
        It is not the enabled account that it says it is.
    """
    query = sa.select(ACCOUNTS.c.role).where(ACCOUNTS.c.name == account.name, ACCOUNTS.c.disabled == 0)
    if connection.scalar(query) != str(account.role):
        raise NotPermittedError("This account was disabled or changed meanwhile. Sign in again.")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()


def _key(name: str) -> str:
    return hashlib.sha256(_folded(name).encode()).hexdigest()


def _account(row: sa.Row[tuple[object, ...]]) -> Account:
    return Account(row.name, row.printed_name, Role(row.role), bool(row.disabled))


class Accounts:
    """The accounts of a store."""

    def __init__(self, transactions: Transactions, hasher: PasswordHasher, decoy_hash: str) -> None:
        self._transactions = transactions
        self._hasher = hasher
        self._decoy = decoy_hash
        # A store that can only be read still slows its readers, as long as the program runs.
        self._unwritten: dict[str, tuple[int, str]] = {}

    def list(self) -> Sequence[Account]:
        """Return all accounts by name, disabled ones too."""
        with self._transactions.reading() as connection:
            rows = connection.execute(sa.select(ACCOUNTS).order_by(ACCOUNTS.c.name)).all()
        return tuple(_account(row) for row in rows)

    def get(self, name: str) -> Account:
        """Return one account.

        Raises
        ------
        UnknownRecordError
            There is none of that name.
        """
        with self._transactions.reading() as connection:
            row = self._row(connection, name)
        if row is None:
            raise UnknownRecordError(f"There is no account {name!r}.")
        return _account(row)

    def add(
        self, name: str, printed_name: str, role: Role, password: str, *, by: Account | None = None
    ) -> Account:
        """Make an account.

        Parameters
        ----------
        by
            The administrator who makes it. Not needed while no administrator is enrolled: then
            whoever can open the store makes the first accounts.

        Raises
        ------
        AccountError
            The name is taken or cannot be used, or `by` may not do this.
        WeakPassphraseError
            The password is too short or holds the name.
        """
        folded, printed = _folded(name), " ".join(printed_name.split())
        _check_names(folded, printed)
        _check_password(password, folded)
        password_hash = self._hasher.hash(password)
        account = Account(folded, printed, Role(role))
        with self._transactions.writing() as act:
            self._require_administrator(act.connection, by)
            if self._row(act.connection, folded) is not None:
                raise AccountError(f"There is an account {folded!r} already.")
            act.connection.execute(
                ACCOUNTS.insert().values(
                    name=account.name,
                    printed_name=account.printed_name,
                    role=str(account.role),
                    password_hash=password_hash,
                    disabled=0,
                    created_at=self._now(),
                )
            )
            act.record(
                AuditAct.ACCOUNT_ADDED,
                PROGRAM if by is None else by.participant(),
                objects=(security_user(account.name),),
                detail={"role": str(account.role), "printed_name": account.printed_name},
            )
        return account

    def disable(self, name: str, *, by: Account | None = None) -> Account:
        """Disable an account for good; what it signed stays.

        Raises
        ------
        UnknownRecordError
            There is no such account.
        NotPermittedError
            `by` is not an enrolled administrator, or would disable themselves.
        """
        if by is not None and by.name == _folded(name):
            raise NotPermittedError("Nobody disables their own account.")
        with self._transactions.writing() as act:
            self._require_administrator(act.connection, by)
            row = self._row(act.connection, name)
            if row is None:
                raise UnknownRecordError(f"There is no account {name!r}.")
            act.connection.execute(
                ACCOUNTS.update().where(ACCOUNTS.c.name == row.name).values(disabled=1)
            )
            act.record(
                AuditAct.ACCOUNT_DISABLED,
                PROGRAM if by is None else by.participant(),
                objects=(security_user(row.name),),
            )
        return Account(row.name, row.printed_name, Role(row.role), disabled=True)

    def authenticate(self, name: str, password: str) -> Account:
        """Sign a person in; success and failure are audited.

        Raises
        ------
        TooSoonError
            The wait after wrong passwords is not over; nothing was checked.
        WrongPasswordError
            Name or password is wrong.
        DisabledError
            The password is right, but the account is disabled.
        """
        account = self.prove(name, password, purpose="sign in")
        if self._transactions.alert is None:
            with self._transactions.writing() as act:
                act.record(
                    AuditAct.LOGIN,
                    account.participant(),
                    objects=(security_user(account.name),),
                )
        return account

    def logout(self, account: Account) -> None:
        """Record that a person signed out."""
        if self._transactions.alert is None:
            with self._transactions.writing() as act:
                act.record(
                    AuditAct.LOGOUT, account.participant(), objects=(security_user(account.name),)
                )

    def change_password(self, name: str, password: str, new_password: str) -> None:
        """Let a person replace their own password.

        Raises
        ------
        WrongPasswordError, TooSoonError, DisabledError
            As `authenticate`.
        WeakPassphraseError
            The new password is too short or holds the name.
        """
        account = self.prove(name, password, purpose="change password")
        _check_password(new_password, account.name)
        password_hash = self._hasher.hash(new_password)
        with self._transactions.writing() as act:
            act.connection.execute(
                ACCOUNTS.update()
                .where(ACCOUNTS.c.name == account.name)
                .values(password_hash=password_hash)
            )
            act.record(
                AuditAct.PASSWORD_CHANGED,
                account.participant(),
                objects=(security_user(account.name),),
            )

    def prove(self, name: str, password: str, *, purpose: str) -> Account:
        """Check a password, count the try, audit a failure; a success is audited by the caller's act.

        The try is counted before the password is checked, so parallel guesses gain nothing, and an
        unknown name costs the same work as a wrong password.
        """
        key = _key(name)
        failures = self._count_try(key)
        with self._transactions.reading() as connection:
            row = self._row(connection, name)
        fits = self._fits(self._decoy if row is None else row.password_hash, password)
        if row is None or not fits:
            self._record_failure(None if row is None else _account(row), purpose, "wrong password")
            raise WrongPasswordError(wait_after(failures))
        account = _account(row)
        if account.disabled:
            self._record_failure(account, purpose, "account disabled")
            raise DisabledError("This account is disabled. Ask an administrator.")
        self._forget_tries(key)
        return account

    def _fits(self, password_hash: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def _count_try(self, key: str) -> int:
        """Count one try and return the failures in a row if it fails.

        Raises
        ------
        TooSoonError
            The wait of the last failure is not over.
        """
        if self._transactions.alert is not None:
            failures = self._after_wait(*self._unwritten.get(key, (0, ""))) + 1
            self._unwritten[key] = (failures, self._now())
            return failures
        with self._transactions.writing() as act:
            row = act.connection.execute(
                sa.select(ATTEMPTS).where(ATTEMPTS.c.name_sha256 == key)
            ).one_or_none()
            failures = self._after_wait(*((0, "") if row is None else (row.failures, row.last_at))) + 1
            self._write_tries(act, key, failures)
        return failures

    def _after_wait(self, failures: int, last_at: str) -> int:
        if failures and last_at:
            # A clock that went back gives no negative time: the wait starts again, and ends.
            gone = (self._transactions.journal.clock.utc() - from_utc_text(last_at)).total_seconds()
            wait = wait_after(failures) - max(gone, 0.0)
            if wait > 0:
                raise TooSoonError(wait)
        return failures

    def _write_tries(self, act: Transaction, key: str, failures: int) -> None:
        # Names that nobody tried for a day go too: wrong ones must not pile up.
        yesterday = utc_text(self._transactions.journal.clock.utc() - timedelta(days=1))
        act.connection.execute(
            ATTEMPTS.delete().where(
                sa.or_(ATTEMPTS.c.name_sha256 == key, ATTEMPTS.c.last_at < yesterday)
            )
        )
        if failures:
            act.connection.execute(
                ATTEMPTS.insert().values(name_sha256=key, failures=failures, last_at=self._now())
            )

    def _forget_tries(self, key: str) -> None:
        self._unwritten.pop(key, None)
        if self._transactions.alert is None:
            with self._transactions.writing() as act:
                self._write_tries(act, key, 0)

    def _record_failure(self, account: Account | None, purpose: str, reason: str) -> None:
        if self._transactions.alert is not None:
            return
        actor = ActiveParticipant(user_id=UNKNOWN_NAME) if account is None else account.participant()
        with self._transactions.writing() as act:
            act.record(
                AuditAct.LOGIN_FAILED,
                actor,
                objects=(security_user(actor.user_id),),
                detail={"purpose": purpose, "reason": reason},
                outcome=Outcome.MINOR_FAILURE,
            )

    @staticmethod
    def _row(connection: sa.Connection, name: str) -> sa.Row[tuple[object, ...]] | None:
        query = sa.select(ACCOUNTS).where(ACCOUNTS.c.name == _folded(name))
        return connection.execute(query).one_or_none()

    @staticmethod
    def _require_administrator(connection: sa.Connection, by: Account | None) -> None:
        administrators = set(
            connection.scalars(
                sa.select(ACCOUNTS.c.name).where(
                    ACCOUNTS.c.role == str(Role.ADMINISTRATOR), ACCOUNTS.c.disabled == 0
                )
            )
        )
        if administrators and (by is None or by.name not in administrators):
            raise NotPermittedError("Accounts are made and disabled by an administrator.")

    def _now(self) -> str:
        return utc_text(self._transactions.journal.clock.utc())


def _check_names(folded: str, printed: str) -> None:
    bad = not folded or len(folded) > LONGEST_NAME or any(not char.isprintable() for char in folded)
    if bad or any(char.isspace() for char in folded) or folded == UNKNOWN_NAME:
        raise AccountError(f"A sign-in name has 1 to {LONGEST_NAME} visible characters and no spaces.")
    if not printed or len(printed) > LONGEST_NAME or not printed.isprintable():
        raise AccountError("The printed name stands under signatures: give the full name.")


def _check_password(password: str, folded_name: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassphraseError(f"A password needs at least {SHORTEST_PASSWORD} characters.")
    if len(folded_name) > 2 and folded_name in password.casefold():
        raise WeakPassphraseError("The password must not hold the sign-in name.")

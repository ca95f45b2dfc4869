"""Typed errors of the store; each message is words for the person at the screen."""

from __future__ import annotations


class StoreError(Exception):
    """Anything the store refuses or cannot do."""


class NoStoreError(StoreError):
    """There is no store in this folder."""


class StoreExistsError(StoreError):
    """A store is there already: it is never overwritten."""


class HomeRefusedError(StoreError):
    """The folder cannot hold a store (network drive, foreign owner, not writable)."""


class KeyUnavailableError(StoreError):
    """The key of the database cannot be had from its provider."""


class NoSecretServiceError(KeyUnavailableError):
    """This machine has no keyring that keeps secrets."""


class PassphraseNeededError(KeyUnavailableError):
    """The store is locked by a passphrase and none was given."""


class WrongPassphraseError(KeyUnavailableError):
    """The passphrase or recovery key does not open this store."""


class WeakPassphraseError(StoreError):
    """The new passphrase or password is too short."""


class DatabaseDamagedError(StoreError):
    """A page check failed: the file was changed or damaged outside the program."""


class DiskError(StoreError):
    """The disk refused to read or write; nothing of the act was kept."""


class DiskFullError(DiskError):
    """Nothing was written, because the disk is full."""


class LockedRecordError(StoreError):
    """A record that never changes: a final report, a revision, a signature, the audit log."""


class DatabaseBusyError(StoreError):
    """Another program held the database for too long."""


class NotWritableError(StoreError):
    """The file or its folder cannot be written."""


class NewerStoreError(StoreError):
    """A newer Sightline made this store."""


class StoreReadOnlyError(StoreError):
    """The store was opened for reading only, because its audit log does not hold."""


class OtherPatientError(StoreError):
    """What is kept for a study names another patient than its images do now."""


class RecordDamagedError(StoreError):
    """A stored record is not the one that was hashed."""


class RecordRefusedError(StoreError):
    """A record that is too large to keep, or no JSON."""


class UnknownRecordError(StoreError):
    """There is no such report, study, draft or account."""


class StaleRevisionError(StoreError):
    """Someone saved or signed a newer revision meanwhile."""


class ReportMismatchError(StoreError):
    """A revision that belongs to another study or report part."""


class AccountError(StoreError):
    """An account cannot be made or used."""


class NotPermittedError(AccountError):
    """The role of the account does not allow this."""


class DisabledError(AccountError):
    """The account is disabled."""


class WrongPasswordError(AccountError):
    """Name or password is wrong; the next try waits `wait_seconds`."""

    def __init__(self, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds
        wait = f" Wait {wait_seconds:.0f} s before the next try." if wait_seconds else ""
        super().__init__(f"The name or the password is wrong.{wait}")


class TooSoonError(AccountError):
    """A try before the wait after wrong passwords was over; nothing was checked."""

    def __init__(self, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(
            f"After wrong passwords the next try is possible in {max(wait_seconds, 1):.0f} s."
        )

"""Where the key of the database comes from: a table of providers; it is never stored unwrapped.

The database key is 256 random bits. A provider holds or derives a *wrapping key*; the wrapped key
(AES-256-GCM) lies in `key.json` of the home folder, a second time under the recovery key that is
shown once when the store is made.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from reports.store.errors import (
    KeyUnavailableError,
    NoSecretServiceError,
    NoStoreError,
    PassphraseNeededError,
    WeakPassphraseError,
    WrongPassphraseError,
)
from reports.store.home import Home, write_private

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
KEY_FILE_SCHEMA: Final = "sightline.key/1"
KEYRING_SERVICE: Final = "sightline"
SHORTEST_PASSPHRASE: Final = 12
ARGON2 = {"time_cost": 3, "memory_cost": 65536, "parallelism": 4}
"""Argon2id parameters of argon2-cffi's default profile (64 MiB, RFC 9106 low-memory)."""
ARGON2_CEILING = {"time_cost": 16, "memory_cost": 1 << 20, "parallelism": 16}
"""The key file lies in the open: larger parameters than these are an attack on memory."""


class ProviderKind(StrEnum):
    """Kinds of key providers; a name in the key file."""

    KEYRING = "keyring"
    PASSPHRASE = "passphrase"
    FILE = "file"


class KeyProvider(Protocol):
    """Gives the wrapping key of one store."""

    @property
    def kind(self) -> ProviderKind:
        """Name in the key file."""
        ...

    @property
    def badge(self) -> str:
        """Words to keep on the screen while such a store is open; empty when none are needed."""
        ...

    def make(self, home: Home, installation: str) -> tuple[bytes, dict[str, Any]]:
        """Return a new wrapping key and the open parameters that bring it back."""
        ...

    def get(self, home: Home, installation: str, parameters: dict[str, Any]) -> bytes:
        """Return the wrapping key made earlier."""
        ...


@dataclass(frozen=True)
class KeyringProvider:
    """The keyring of the operating system (Secret Service, Keychain, Credential Locker)."""

    kind: ProviderKind = ProviderKind.KEYRING
    badge: str = ""

    def make(self, home: Home, installation: str) -> tuple[bytes, dict[str, Any]]:
        """Put a fresh wrapping key into the keyring.

        Raises
        ------
        NoSecretServiceError
            This machine has none, or only one that keeps secrets in the clear.
        """
        key = secrets.token_bytes(KEY_BYTES)
        keyring_set(f"{installation}:key", base64.b64encode(key).decode("ascii"))
        return key, {}

    def get(self, home: Home, installation: str, parameters: dict[str, Any]) -> bytes:
        """Return the wrapping key from the keyring."""
        text = keyring_get(f"{installation}:key")
        if text is None:
            raise KeyUnavailableError(
                "The keyring of this user does not hold the key of this store. Sign in to the "
                "operating system as the user who made it, or open it with the recovery key."
            )
        return base64.b64decode(text)


@dataclass(frozen=True)
class PassphraseProvider:
    """A passphrase that a person types at start, stretched with argon2id."""

    passphrase: str
    kind: ProviderKind = ProviderKind.PASSPHRASE
    badge: str = ""

    def make(self, home: Home, installation: str) -> tuple[bytes, dict[str, Any]]:
        """Derive a wrapping key with a fresh salt.

        Raises
        ------
        WeakPassphraseError
            The passphrase is too short to stand alone.
        """
        if len(self.passphrase) < SHORTEST_PASSPHRASE:
            raise WeakPassphraseError(
                f"A passphrase needs at least {SHORTEST_PASSPHRASE} characters: four or five "
                "words that do not belong together are good."
            )
        parameters = {"salt": secrets.token_bytes(16).hex(), **ARGON2}
        return self.get(home, installation, parameters), parameters

    def get(self, home: Home, installation: str, parameters: dict[str, Any]) -> bytes:
        """Derive the wrapping key again."""
        from argon2.low_level import Type, hash_secret_raw

        costs = {name: int(parameters[name]) for name in ARGON2}
        if any(cost > ARGON2_CEILING[name] for name, cost in costs.items()):
            raise KeyUnavailableError("The key file asks for absurd work: it was changed.")
        return hash_secret_raw(
            self.passphrase.encode(),
            bytes.fromhex(parameters["salt"]),
            hash_len=KEY_BYTES,
            type=Type.ID,
            **costs,
        )


@dataclass(frozen=True)
class FileProvider:
    """A key file (0600) beside the data: protects from nobody who can read the folder."""

    kind: ProviderKind = ProviderKind.FILE
    badge: str = "Demonstration store: its key lies beside the data. Not for patients."

    def make(self, home: Home, installation: str) -> tuple[bytes, dict[str, Any]]:
        """Write a fresh wrapping key into the home folder."""
        key = secrets.token_bytes(KEY_BYTES)
        write_private(home.file_key, key)
        return key, {}

    def get(self, home: Home, installation: str, parameters: dict[str, Any]) -> bytes:
        """Read the wrapping key.

        Raises
        ------
        KeyUnavailableError
            The file is missing, or others can read it.
        """
        try:
            mode = home.file_key.stat().st_mode
            key = home.file_key.read_bytes()
        except OSError as error:
            raise KeyUnavailableError(f"The key file {home.file_key} cannot be read.") from error
        if os.name != "nt" and mode & 0o077:
            raise KeyUnavailableError(
                f"Others can read the key file {home.file_key}: set its mode to 0600."
            )
        return key


@dataclass(frozen=True)
class RecoveryProvider:
    """The recovery key on paper: opens a store whose provider is lost."""

    recovery_key: str
    badge: str = "Opened with the recovery key: set a new key provider."


def provider_for(home: Path, *, passphrase: str | None = None) -> KeyProvider:
    """Return the provider that the store in this folder was made with.

    Raises
    ------
    NoStoreError
        There is no store.
    PassphraseNeededError
        It asks for a passphrase and none was given.
    """
    kind = KeyFile.read(Home(home)).provider
    return make_provider(kind, passphrase=passphrase)


def make_provider(kind: ProviderKind, *, passphrase: str | None = None) -> KeyProvider:
    """Return a provider of a kind.

    Raises
    ------
    PassphraseNeededError
        The kind asks for a passphrase and none was given.
    """
    if kind is ProviderKind.PASSPHRASE:
        if passphrase is None:
            raise PassphraseNeededError("This store is locked with a passphrase: type it to open.")
        return PassphraseProvider(passphrase)
    return KeyringProvider() if kind is ProviderKind.KEYRING else FileProvider()


def keyring_is_available() -> bool:
    """Return whether this machine has a keyring that keeps secrets encrypted."""
    import keyring
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    is_plain = "plaintext" in type(backend).__name__.lower()
    return not isinstance(backend, fail.Keyring | null.Keyring) and not is_plain


def keyring_set(name: str, secret: str) -> None:
    """Keep a secret in the keyring.

    Raises
    ------
    NoSecretServiceError
        This machine has no keyring that keeps secrets, or it refused.
    """
    import keyring
    from keyring.errors import KeyringError

    if not keyring_is_available():
        raise NoSecretServiceError(
            "This machine has no keyring that keeps secrets. Choose a passphrase instead."
        )
    try:
        keyring.set_password(KEYRING_SERVICE, name, secret)
    except KeyringError as error:
        raise NoSecretServiceError(f"The keyring of this machine refused: {error}.") from error


def keyring_get(name: str) -> str | None:
    """Return a secret from the keyring, or none when it holds none of that name.

    Raises
    ------
    NoSecretServiceError
        This machine has no keyring that keeps secrets, or it refused.
    """
    import keyring
    from keyring.errors import KeyringError

    if not keyring_is_available():
        raise NoSecretServiceError(
            "This machine has no keyring that keeps secrets, and the key of this store is in one."
        )
    try:
        found: str | None = keyring.get_password(KEYRING_SERVICE, name)
    except KeyringError as error:
        raise NoSecretServiceError(f"The keyring of this machine refused: {error}.") from error
    return found


def _wrap(wrapping_key: bytes, key: bytes, bound_to: str) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return (nonce + AESGCM(wrapping_key).encrypt(nonce, key, bound_to.encode())).hex()


def _unwrap(wrapping_key: bytes, wrapped: str, bound_to: str) -> bytes:
    blob = bytes.fromhex(wrapped)
    return AESGCM(wrapping_key).decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], bound_to.encode())


def _recovery_wrapping_key(recovery_key: str, installation: str) -> bytes:
    """Turn the printed key back into bytes; spaces, dashes and case do not matter."""
    text = "".join(char for char in recovery_key.upper() if char.isalnum())
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError as error:
        raise WrongPassphraseError("This is not a recovery key: check each group.") from error
    return HKDF(SHA256(), KEY_BYTES, salt=installation.encode(), info=b"sightline recovery").derive(raw)


@dataclass(frozen=True)
class KeyFile:
    """What `key.json` holds: nothing in it opens the database without a provider."""

    installation: str
    provider: ProviderKind
    parameters: dict[str, Any]
    wrapped: str
    recovery: str

    @classmethod
    def read(cls, home: Home) -> KeyFile:
        """Read the key file.

        Raises
        ------
        NoStoreError
            There is none.
        KeyUnavailableError
            It cannot be read or was changed.
        """
        try:
            fields = json.loads(home.key_file.read_bytes())
            return cls(
                fields["installation"],
                ProviderKind(fields["provider"]),
                dict(fields["parameters"]),
                fields["wrapped"],
                fields["recovery"],
            )
        except FileNotFoundError as error:
            raise NoStoreError(f"There is no store in {home.folder}.") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KeyUnavailableError(f"The key file {home.key_file} cannot be read.") from error

    def write(self, home: Home) -> None:
        """Write the key file, complete or not at all."""
        fields = {
            "schema": KEY_FILE_SCHEMA,
            "installation": self.installation,
            "provider": str(self.provider),
            "parameters": self.parameters,
            "wrapped": self.wrapped,
            "recovery": self.recovery,
        }
        write_private(home.key_file, json.dumps(fields, indent=2).encode())


def new_key(home: Home, installation: str, provider: KeyProvider) -> tuple[bytes, KeyFile, str]:
    """Make a database key and return it with its key file (not yet written) and the recovery key.

    The recovery key is groups of base32 and is kept nowhere: show it once, on paper.
    """
    key = secrets.token_bytes(KEY_BYTES)
    text = base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode("ascii").rstrip("=")
    recovery_key = "-".join(text[start : start + 4] for start in range(0, len(text), 4))
    wrapping_key, parameters = provider.make(home, installation)
    file = KeyFile(
        installation,
        provider.kind,
        parameters,
        _wrap(wrapping_key, key, installation),
        _wrap(_recovery_wrapping_key(recovery_key, installation), key, installation),
    )
    return key, file, recovery_key


def unwrap_key(home: Home, provider: KeyProvider | RecoveryProvider) -> tuple[bytes, KeyFile]:
    """Return the database key of the store in this folder.

    Raises
    ------
    NoStoreError
        There is no store.
    WrongPassphraseError
        The passphrase or recovery key is not the one.
    KeyUnavailableError
        The provider cannot give its key, or is of another kind than the store's.
    """
    file = KeyFile.read(home)
    if isinstance(provider, RecoveryProvider):
        wrapped = file.recovery
        wrapping_key = _recovery_wrapping_key(provider.recovery_key, file.installation)
    elif provider.kind is file.provider:
        wrapped = file.wrapped
        wrapping_key = provider.get(home, file.installation, file.parameters)
    else:
        raise KeyUnavailableError(
            f"This store takes its key from the {file.provider}, not from the {provider.kind}."
        )
    try:
        return _unwrap(wrapping_key, wrapped, file.installation), file
    except (InvalidTag, ValueError) as error:
        raise WrongPassphraseError(
            "This passphrase or recovery key does not open the store."
            if file.provider is ProviderKind.PASSPHRASE or isinstance(provider, RecoveryProvider)
            else f"The key from the {file.provider} does not open the store: key.json was changed."
        ) from error


def replace_provider(home: Path, current: KeyProvider | RecoveryProvider, new: KeyProvider) -> None:
    """Wrap the key of a store anew: another passphrase, another provider, or after a recovery.

    The recovery key stays the same. The database is not touched.

    Raises
    ------
    KeyUnavailableError, WeakPassphraseError
        The key cannot be had from `current`, or `new` cannot keep it.
    """
    same = not isinstance(current, RecoveryProvider) and current.kind is new.kind
    if same and new.kind is not ProviderKind.PASSPHRASE:
        # Its old wrapping key would be overwritten before the key file: a crash would lose both.
        raise KeyUnavailableError(f"The key of this store is in the {new.kind} already.")
    files = Home(home)
    key, file = unwrap_key(files, current)
    wrapping_key, parameters = new.make(files, file.installation)
    replace(
        file,
        provider=new.kind,
        parameters=parameters,
        wrapped=_wrap(wrapping_key, key, file.installation),
    ).write(files)
    if new.kind is not ProviderKind.FILE:
        files.file_key.unlink(missing_ok=True)

"""Who vouches for a model: a publisher's signature on its manifest, or an allow-list of hashes.

A hash beside a file proves nothing: whoever changed the file changed the hash. So a manifest is signed
(Ed25519, over its exact bytes) by a publisher whose key the machine's policy lists, or the policy lists
the SHA-256 of every file of the model. The policy belongs to the administrator, not to the user.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inference.models.generation import ModelError

SIGNATURE_SUFFIX = ".sig"
"""Added to the name of the manifest that it signs."""

LARGEST_SIGNATURE = 4096


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Publisher(_Frozen):
    """Somebody whose manifests are trusted.

    Parameters
    ----------
    key
        Ed25519 public key: 32 bytes in base64.
    """

    name: str = Field(min_length=1, max_length=120)
    key: str = Field(pattern=r"^[A-Za-z0-9+/]{43}=$")


class Trust(_Frozen):
    """The part of a machine's policy that is about models.

    Parameters
    ----------
    allowed
        SHA-256 of files (model and projector) that may be added and used.
    recalled
        SHA-256 of files that may not, whoever vouches for them.
    """

    publishers: tuple[Publisher, ...] = ()
    allowed: frozenset[str] = frozenset()
    recalled: frozenset[str] = frozenset()


class ManifestSignature(_Frozen):
    """What lies beside a signed manifest."""

    version: Literal["sightline.signature/1"] = Field("sightline.signature/1", alias="schema")
    publisher: str
    signature: str = Field(pattern=r"^[A-Za-z0-9+/]{86}==$")


class NotTrusted(ModelError):
    """Nobody whom the policy names vouches for the model."""


def sign(manifest: bytes, publisher: str, private_pem: bytes) -> ManifestSignature:
    """Sign a manifest.

    Raises
    ------
    NotTrusted
        The key is not an Ed25519 key in PEM without a password.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private_pem, None)
    except (ValueError, TypeError) as error:
        raise NotTrusted("key", "The key cannot be read: an Ed25519 key in PEM is needed.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NotTrusted("key", "The key is of another kind: an Ed25519 key in PEM is needed.")
    signature = base64.b64encode(key.sign(manifest)).decode()
    return ManifestSignature(publisher=publisher, signature=signature)


def public_key(private_pem: bytes) -> str:
    """Return what a policy lists for a private key (Ed25519, PEM)."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(private_pem, None)
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()  # type: ignore[union-attr]


def vouched(trust: Trust, name: str, hashes: Iterable[str], manifest: bytes, signature: Path) -> str:
    """Return who vouches for a model, in words.

    Parameters
    ----------
    hashes
        SHA-256 of its files as its manifest gives them; the files themselves are hashed elsewhere.
    manifest
        The bytes of its manifest.
    signature
        File of its signature; need not exist.

    Raises
    ------
    NotTrusted
        It was recalled, or is neither signed by a publisher of the policy nor on its list.
    """
    wanted = frozenset(hashes)
    if wanted & trust.recalled:
        raise NotTrusted(
            "recalled",
            f"{name} was recalled by the policy of this machine. It is not used. "
            "Remove it with `sightline models remove`.",
        )
    if wanted <= trust.allowed:
        return "allowed by the policy of this machine"
    why = "it is not signed, and the policy does not list its files"
    if signature.is_file():
        signed = _read_signature(signature)
        publisher = next((one for one in trust.publishers if one.name == signed.publisher), None)
        if publisher is None:
            why = f"it is signed by {signed.publisher!r}, whom the policy does not name"
        elif _verifies(publisher, signed, manifest):
            return f"signed by {publisher.name}"
        else:
            why = f"its manifest is not the one that {publisher.name} signed"
    raise NotTrusted(
        "not_trusted",
        f"{name} is not used: {why}. Ask the administrator of this machine to list the publisher's "
        "key or the SHA-256 of the files in the policy (docs/models.md).",
    )


def _read_signature(path: Path) -> ManifestSignature:
    try:
        with path.open("rb") as stream:
            return ManifestSignature.model_validate_json(stream.read(LARGEST_SIGNATURE))
    except (OSError, ValidationError) as error:
        raise NotTrusted("not_trusted", f"The signature {path.name} cannot be read.") from error


def _verifies(publisher: Publisher, signed: ManifestSignature, manifest: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(publisher.key, validate=True))
        key.verify(base64.b64decode(signed.signature, validate=True), manifest)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def write_signature(signed: ManifestSignature, manifest: Path) -> Path:
    """Write a signature beside its manifest and return its path."""
    path = manifest.with_name(manifest.name + SIGNATURE_SUFFIX)
    path.write_text(json.dumps(signed.model_dump(by_alias=True), indent=2) + "\n", encoding="utf-8")
    return path

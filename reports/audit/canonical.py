"""The one byte form of a value that is hashed or signed: RFC 8785 canonical JSON."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from reports.domain import Report

NOT_CONTENT = frozenset({"revision", "state", "author", "changed_at", "signatures"})
"""Fields of a report that say how it stands, not what it says: a co-signature leaves them out."""


class NotCanonicalError(ValueError):
    """A value that RFC 8785 cannot write: a number that is not finite or needs over 53 bits."""


def canonical(value: Any) -> bytes:
    """Return the canonical JSON (RFC 8785, UTF-8) of plain JSON values.

    Raises
    ------
    NotCanonicalError
        A number has no exact JSON form.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise NotCanonicalError(f"This record cannot be hashed, because {error}.") from error


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of the bytes in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def report_json(report: Report) -> bytes:
    """Return the canonical JSON of a whole revision, as it is stored and attached to documents."""
    return canonical(report.model_dump(mode="json", by_alias=True))


def content_sha256(report: Report) -> str:
    """Return the hash that a signature binds: all that the reader read, in canonical JSON.

    State, revision number, author, time and signatures are left out (`NOT_CONTENT`), so a resident's
    signature and the radiologist's on the same text carry the same hash.
    """
    return sha256_hex(
        canonical(report.model_dump(mode="json", by_alias=True, exclude=set(NOT_CONTENT)))
    )

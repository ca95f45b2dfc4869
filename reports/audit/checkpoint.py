"""Checkpoints of the audit log as C2SP signed notes (tlog-checkpoint, signed-note), Ed25519.

A checkpoint says: "this log had `size` entries with this root". Whoever holds one can show later
that the log was cut or rewritten.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM_ED25519 = b"\x01"
"""Signature type byte of Ed25519 in a C2SP signed note."""
SIGNATURE_MARK = "\u2014 "
"""Each signature line of a note starts with an em dash and a space."""

NO_SIZE = 1 << 63
"""Stands for the size of a text that is no checkpoint, so that it is looked at first."""


class BadNoteError(ValueError):
    """A note that is not a checkpoint, or that this log's key did not sign."""


@dataclass(frozen=True)
class Checkpoint:
    """Size and root hash of the log named `origin`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the body of the note: origin, size and base64 root, a line each."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


@dataclass(frozen=True)
class CheckpointNote:
    """A checkpoint with its signed text, as it is printed in documents and kept by witnesses."""

    checkpoint: Checkpoint
    note: str

    @property
    def size(self) -> int:
        """Number of entries that the checkpoint covers."""
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        """Root hash that the checkpoint states."""
        return self.checkpoint.root


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ALGORITHM_ED25519 + public).digest()[:4]


def size_stated(note: str) -> int:
    """Return the size that a text states, signed or not; more than any log has when it states none."""
    stated = note.split("\n")[1:2]
    return int(stated[0]) if stated and stated[0].isascii() and stated[0].isdigit() else NO_SIZE


@dataclass(frozen=True)
class NoteVerifier:
    """The public half: checks notes of one log.

    Parameters
    ----------
    name
        Name of the key; it is the origin of the log as well.
    public
        Raw Ed25519 public key, 32 bytes.
    """

    name: str
    public: bytes

    def key(self) -> str:
        """Return the verifier key in C2SP form (name+hash+key): safe to publish."""
        encoded = base64.b64encode(ALGORITHM_ED25519 + self.public).decode("ascii")
        return f"{self.name}+{_key_id(self.name, self.public).hex()}+{encoded}"

    def open(self, note: str) -> CheckpointNote:
        """Return the checkpoint of a note signed by this key.

        Raises
        ------
        BadNoteError
            The text is no checkpoint of this log, or its signature does not fit.
        """
        text, gap, signatures = note.partition("\n\n")
        lines = text.split("\n")
        if not gap or len(lines) != 3 or not lines[1].isascii() or not lines[1].isdigit():
            raise BadNoteError("This text is not a checkpoint of an audit log.")
        if lines[0] != self.name:
            raise BadNoteError(f"This checkpoint belongs to another audit log ({lines[0]}).")
        if not any(self._signed(text + "\n", line) for line in signatures.split("\n")):
            raise BadNoteError("The signature of this checkpoint does not fit its text.")
        return CheckpointNote(Checkpoint(lines[0], int(lines[1]), _decode(lines[2])), note)

    def _signed(self, text: str, line: str) -> bool:
        prefix = f"{SIGNATURE_MARK}{self.name} "
        if not line.startswith(prefix):
            return False
        blob = _decode(line.removeprefix(prefix))
        if blob[:4] != _key_id(self.name, self.public):
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(blob[4:], text.encode())
        except InvalidSignature:
            return False
        return True


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BadNoteError("This checkpoint holds text that is not base64.") from error


@dataclass(frozen=True)
class NoteSigner:
    """The private half, kept in the encrypted store: signs checkpoints of one log."""

    name: str
    private: bytes

    @classmethod
    def new(cls, name: str) -> NoteSigner:
        """Return a signer with a fresh key."""
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    def verifier(self) -> NoteVerifier:
        """Return the public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.private).public_key()
        return NoteVerifier(self.name, public.public_bytes_raw())

    def sign(self, size: int, root: bytes) -> CheckpointNote:
        """Return the signed checkpoint of the log at this size."""
        checkpoint = Checkpoint(self.name, size, root)
        key = Ed25519PrivateKey.from_private_bytes(self.private)
        public = key.public_key().public_bytes_raw()
        blob = _key_id(self.name, public) + key.sign(checkpoint.text().encode())
        signature = base64.b64encode(blob).decode("ascii")
        return CheckpointNote(
            checkpoint, f"{checkpoint.text()}\n{SIGNATURE_MARK}{self.name} {signature}\n"
        )

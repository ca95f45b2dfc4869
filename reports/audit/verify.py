"""Verification of an audit log: each entry, checkpoint and witness; the first bad entry is named.

What holds: evident to anyone who keeps an earlier checkpoint. Whoever has the store's key can write
new entries; they cannot change or cut what a witness has seen without being found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reports.audit.checkpoint import BadNoteError, CheckpointNote, NoteVerifier, size_stated
from reports.audit.log import Frontier, leaf_hash


class AuditFault(StrEnum):
    """What can be wrong with a log."""

    NONE = "none"
    CHANGED = "changed"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    ROLLED_BACK = "rolled back"
    REWRITTEN = "rewritten"
    BAD_CHECKPOINT = "bad checkpoint"
    NO_WITNESS = "no witness"
    RECORD_MISMATCH = "record mismatch"
    DATABASE_DAMAGED = "database damaged"


@dataclass(frozen=True)
class Entry:
    """One stored entry: its sequence number, canonical JSON and leaf hash."""

    sequence: int
    event: bytes
    leaf: bytes


@dataclass(frozen=True)
class Witness:
    """Checkpoints seen outside the log.

    Parameters
    ----------
    name
        Where they are kept, in words ("the side file").
    notes
        Texts of signed notes.
    inside
        True for notes kept in the database itself: they go back with it.
    """

    name: str
    notes: tuple[str, ...]
    inside: bool = False


@dataclass(frozen=True)
class AuditVerdict:
    """Outcome of a verification.

    Parameters
    ----------
    first_bad
        Sequence number of the first entry that does not hold, or none when no entry is to blame.
    message
        One sentence for the reader.
    size, root
        Entries in the log, and its root hash (hex) as far as it could be read.
    checkpoints
        Number of signed checkpoints that fit.
    """

    fault: AuditFault
    first_bad: int | None
    message: str
    size: int
    root: str
    checkpoints: int = 0

    @property
    def intact(self) -> bool:
        """True when nothing was found wrong."""
        return self.fault is AuditFault.NONE


@dataclass(frozen=True)
class _Walked:
    roots: dict[int, bytes]
    frontier: Frontier
    fault: tuple[AuditFault, int, str] | None


def _fault_of(entry: Entry, expected: int, previous: bytes) -> tuple[AuditFault, int, str] | None:
    """Return what is wrong with one entry; a broken link blames the entry before."""
    if entry.sequence != expected:
        return AuditFault.MISSING, expected, f"Entry {expected} of the audit log is missing."
    if leaf_hash(entry.event) != entry.leaf:
        return AuditFault.CHANGED, expected, f"Entry {expected} of the audit log was changed."
    try:
        fields = json.loads(entry.event)
        inner, link = fields["sequence"], fields["previous"]
    except (ValueError, KeyError, TypeError):
        return AuditFault.UNREADABLE, expected, f"Entry {expected} of the audit log is not readable."
    if inner != expected:
        return AuditFault.CHANGED, expected, f"Entry {expected} of the audit log says it is {inner}."
    if link != previous.hex():
        return (
            AuditFault.CHANGED,
            max(expected - 1, 1),
            f"Entry {max(expected - 1, 1)} of the audit log was changed: "
            f"entry {expected} still holds the hash it had.",
        )
    return None


def _walk(entries: Iterable[Entry], sizes: set[int]) -> _Walked:
    frontier, previous = Frontier(), b""
    roots = {0: frontier.root()}
    fault = None
    for expected, entry in enumerate(entries, start=1):
        fault = _fault_of(entry, expected, previous)
        if fault is not None:
            break
        frontier, previous = frontier.append(entry.leaf), entry.leaf
        if expected in sizes:
            roots[expected] = frontier.root()
    return _Walked(roots, frontier, fault)


def _opened(
    witnesses: Sequence[Witness], verifier: NoteVerifier
) -> tuple[list[tuple[Witness, CheckpointNote]], str]:
    """Return the notes that are signed by this log's key, and words on the first that is not."""
    good, bad = [], ""
    for witness in witnesses:
        for number, text in enumerate(witness.notes, start=1):
            try:
                good.append((witness, verifier.open(text)))
            except BadNoteError as error:
                bad = bad or f"Checkpoint {number} in {witness.name} does not hold: {error}"
    return good, bad


def newest_fits(
    leaves: Iterable[bytes], verifier: NoteVerifier, witnesses: Sequence[Witness]
) -> Frontier | None:
    """Return the frontier of a log whose newest checkpoints fit, none when one does not.

    The quick check of a start: it hashes the stored leaf hashes and opens one note of each witness,
    and does not look into the entries. What is wrong is for `verify_log` to say.
    """
    newest = [max(witness.notes, key=size_stated, default="") for witness in witnesses]
    try:
        notes = [verifier.open(note) for note in newest if note]
    except BadNoteError:
        return None
    frontier = Frontier()
    roots = {0: frontier.root()}
    sizes = {note.size for note in notes}
    for leaf in leaves:
        frontier = frontier.append(leaf)
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root()
    return frontier if all(roots.get(note.size) == note.root for note in notes) else None


def verify_log(
    entries: Iterable[Entry], verifier: NoteVerifier, witnesses: Sequence[Witness]
) -> AuditVerdict:
    """Check a whole log against itself and against all checkpoints that anyone kept.

    Parameters
    ----------
    entries
        In order of sequence number, from 1.
    verifier
        Public key of the log.
    witnesses
        Notes kept inside and outside the database, notes from documents among them.
    """
    notes, bad_note = _opened(witnesses, verifier)
    walked = _walk(entries, {note.size for _, note in notes})
    size, root = walked.frontier.size, walked.frontier.root().hex()

    def verdict(
        fault: AuditFault, first_bad: int | None, message: str, fitting: int = 0
    ) -> AuditVerdict:
        return AuditVerdict(fault, first_bad, message, size, root, fitting)

    if walked.fault is not None:
        return verdict(*walked.fault)
    last_good, fitting = 0, len({note.size for _, note in notes})
    for witness, note in sorted(notes, key=lambda pair: pair[1].size):
        if note.size > size:
            fault = AuditFault.TRUNCATED if witness.inside else AuditFault.ROLLED_BACK
            return verdict(
                fault,
                size + 1,
                f"The audit log ends at entry {size}, but {witness.name} holds a signed checkpoint "
                f"over {note.size} entries: entries from {size + 1} on are gone.",
            )
        if walked.roots[note.size] != note.root:
            return verdict(
                AuditFault.REWRITTEN,
                last_good + 1,
                f"Entries {last_good + 1} to {note.size} of the audit log are not those that the "
                f"checkpoint over {note.size} entries in {witness.name} was signed for.",
            )
        last_good = note.size
    if bad_note:
        return verdict(AuditFault.BAD_CHECKPOINT, None, bad_note, fitting)
    return verdict(
        AuditFault.NONE,
        None,
        f"The audit log is intact: {size} entries, {fitting} signed checkpoints fit.",
        fitting,
    )

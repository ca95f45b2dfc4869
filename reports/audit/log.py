"""The Merkle tree of RFC 9162 (section 2.1) over the leaves of the audit log.

Leaf = SHA-256(0x00 || entry), node = SHA-256(0x01 || left || right). Indices count from 0; a tree of
size n covers the entries with sequence numbers 1..n.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of a log without entries (RFC 9162, 2.1.1)."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the leaf hash of an entry's canonical bytes."""
    return hashlib.sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """The least that a log must keep to grow: its size and the roots of its perfect subtrees.

    Parameters
    ----------
    peaks
        Roots of perfect subtrees from the largest (oldest entries) to the smallest; one for each
        bit set in `size`.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """Return the frontier with one more leaf hash."""
        peaks = list(self.peaks)
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(peaks.pop(), node)
            size >>= 1
        return Frontier(self.size + 1, (*peaks, node))

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """Return the frontier with these leaf hashes appended in order."""
        grown = self
        for leaf in leaves:
            grown = grown.append(leaf)
        return grown

    def root(self) -> bytes:
        """Return the root hash of the whole tree."""
        if not self.peaks:
            return EMPTY_ROOT
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the root hash over leaf hashes."""
    return Frontier().extend(leaves).root()


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size` (size > 1)."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the path that proves leaf `index` is in the tree of these leaves (RFC 9162, 2.1.3.1).

    Raises
    ------
    IndexError
        The log has no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"The log holds {len(leaves)} entries; there is no entry {index + 1}.")
    if len(leaves) == 1:
        return ()
    half = _split(len(leaves))
    if index < half:
        return (*inclusion_proof(leaves[:half], index), root_hash(leaves[half:]))
    return (*inclusion_proof(leaves[half:], index - half), root_hash(leaves[:half]))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether the proof leads from the leaf to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, second, node = index, size - 1, leaf
    for step in proof:
        if second == 0:
            return False
        if first & 1 or first == second:
            node = node_hash(step, node)
            while not first & 1 and first:
                first, second = first >> 1, second >> 1
        else:
            node = node_hash(node, step)
        first, second = first >> 1, second >> 1
    return second == 0 and node == root


def consistency_proof(leaves: Sequence[bytes], first: int) -> tuple[bytes, ...]:
    """Return the proof that the first `first` leaves are a prefix of the tree (RFC 9162, 2.1.4.1).

    Raises
    ------
    IndexError
        The log never had that size.
    """
    if not 0 < first <= len(leaves):
        raise IndexError(f"The log holds {len(leaves)} entries; it has no earlier size {first}.")
    return () if first == len(leaves) else _subproof(leaves, first, whole=True)


def _subproof(leaves: Sequence[bytes], first: int, *, whole: bool) -> tuple[bytes, ...]:
    if first == len(leaves):
        return () if whole else (root_hash(leaves),)
    half = _split(len(leaves))
    if first <= half:
        return (*_subproof(leaves[:half], first, whole=whole), root_hash(leaves[half:]))
    return (*_subproof(leaves[half:], first - half, whole=False), root_hash(leaves[:half]))


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Return whether the proof shows that the smaller tree is a prefix (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    left, right = first - 1, second - 1
    while left & 1:
        left, right = left >> 1, right >> 1
    old = new = path[0]
    for step in path[1:]:
        if right == 0:
            return False
        if left & 1 or left == right:
            old, new = node_hash(step, old), node_hash(step, new)
            while not left & 1 and left:
                left, right = left >> 1, right >> 1
        else:
            new = node_hash(new, step)
        left, right = left >> 1, right >> 1
    return right == 0 and old == first_root and new == second_root

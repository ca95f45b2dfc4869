"""Masks of a draft, kept by the hash of their content: bit-packed, compressed, and as one blob."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reports.domain import Code, Side

BoolArray = npt.NDArray[np.bool_]

MAGIC = b"SLMASK1\n"
"""First bytes of a blob of masks, with its version."""

MOST_VOXELS = 1 << 31
"""Largest mask that is read: 2 billion voxels, 256 MB of bits."""


class MaskError(ValueError):
    """A blob or mask that cannot be used: damaged, too large, or unknown."""


class MaskRef(BaseModel):
    """What a mask is: its key, its number in the segmentation object, and its meaning.

    Parameters
    ----------
    sha256
        Hash of shape and packed bits: the same mask always has the same key.
    segment
        Segment number in `evidence.seg.dcm`, from 1 in the order of adding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    segment: int = Field(ge=1)
    label: str
    side: Side
    concept: Code
    shape: tuple[int, int, int]
    series: str = Field(default="", exclude_if=lambda key: not key)
    """Key of the series it lies on; empty for the series that carries the draft."""


@dataclass(frozen=True)
class _Entry:
    ref: MaskRef
    packed: bytes
    """zlib of the bits, eight voxels a byte, first voxel in the highest bit."""


def mask_sha256(shape: tuple[int, int, int], bits: bytes) -> str:
    """Return the key of a mask from its shape (slice, row, column) and packed bits."""
    head = struct.pack(">3Q", *shape)
    return hashlib.sha256(head + bits).hexdigest()


class MaskStore:
    """Masks by their hash, of the series that carries a draft and its companions; append-only."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def __iter__(self) -> Iterator[MaskRef]:
        """Iterate over the masks in the order of their segments."""
        return (entry.ref for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, mask: BoolArray, *, label: str, side: Side, concept: Code) -> MaskRef:
        """Keep a mask (slice, row, column) and return its reference; a known one keeps its number.

        Parameters
        ----------
        label
            Segment label: "Right lung".
        """
        if mask.ndim != 3 or mask.dtype != np.bool_:
            raise MaskError(
                f"A mask is a volume of truth values, not {mask.dtype} of {mask.ndim} axes."
            )
        shape = mask.shape[0], mask.shape[1], mask.shape[2]
        bits = np.packbits(np.ascontiguousarray(mask).ravel()).tobytes()
        key = mask_sha256(shape, bits)
        known = self._entries.get(key)
        if known is not None:
            return known.ref
        ref = MaskRef(
            sha256=key,
            segment=len(self.of()) + 1,
            label=label,
            side=side,
            concept=concept,
            shape=shape,
        )
        self._entries[key] = _Entry(ref, zlib.compress(bits, level=3))
        return ref

    def extend(self, other: MaskStore, *, series: str) -> None:
        """Take over the masks of another series; each keeps its number in that series' segmentation."""
        for key, entry in other._entries.items():
            ref = entry.ref.model_copy(update={"series": series})
            self._entries.setdefault(key, _Entry(ref, entry.packed))

    def of(self, series: str = "") -> MaskStore:
        """Return the masks of one series: those of the series that carries the draft by default."""
        kept = MaskStore()
        kept._entries = {key: one for key, one in self._entries.items() if one.ref.series == series}
        return kept

    @property
    def series(self) -> tuple[str, ...]:
        """Keys of the series that masks lie on, in order; empty for the one that carries the draft."""
        return tuple(dict.fromkeys(ref.series for ref in self))

    def get(self, sha256: str) -> BoolArray:
        """Return a mask, (slice, row, column).

        Raises
        ------
        MaskError
            There is no such mask.
        """
        entry = self._entries.get(sha256)
        if entry is None:
            raise MaskError("The mask of this evidence is not in the store: draft the study again.")
        bits = zlib.decompress(entry.packed)
        return _unpacked(entry.ref, bits)

    def to_bytes(self) -> bytes:
        """Return all masks as one blob: magic, then for each its reference as JSON and its bits."""
        parts = [MAGIC, struct.pack(">I", len(self._entries))]
        for entry in self._entries.values():
            head = entry.ref.model_dump_json().encode()
            parts += [struct.pack(">II", len(head), len(entry.packed)), head, entry.packed]
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, blob: bytes) -> MaskStore:
        """Read a blob; every mask is checked against its hash.

        Raises
        ------
        MaskError
            The blob is damaged or of another version.
        """
        if not blob.startswith(MAGIC):
            raise MaskError("These are no masks of this version of Sightline.")
        store = cls()
        try:
            at = len(MAGIC)
            (count,) = struct.unpack_from(">I", blob, at)
            at += 4
            for _ in range(count):
                head, size = struct.unpack_from(">II", blob, at)
                at += 8
                ref = MaskRef.model_validate_json(blob[at : at + head])
                packed = blob[at + head : at + head + size]
                at += head + size
                _check(ref, packed)
                store._entries[ref.sha256] = _Entry(ref, packed)
        except (struct.error, zlib.error, ValidationError) as error:
            raise MaskError("The stored masks are damaged: draft the study again.") from error
        if at != len(blob):
            raise MaskError("The stored masks are damaged (extra bytes): draft the study again.")
        return store


def _check(ref: MaskRef, packed: bytes) -> None:
    voxels = int(np.prod(ref.shape, dtype=object))
    if not 0 < voxels <= MOST_VOXELS:
        raise MaskError("A stored mask is larger than any series: it is not read.")
    expander = zlib.decompressobj()
    bits = expander.decompress(packed, -(-voxels // 8) + 1)
    if len(bits) != -(-voxels // 8) or mask_sha256(ref.shape, bits) != ref.sha256:
        raise MaskError("A stored mask does not match its hash: draft the study again.")


def _unpacked(ref: MaskRef, bits: bytes) -> BoolArray:
    count = int(np.prod(ref.shape))
    flat = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=count)
    return flat.view(np.bool_).reshape(ref.shape)

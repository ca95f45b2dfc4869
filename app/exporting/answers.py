"""What the export worker answers. Plain data on both sides of the wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SeriesFlag(BaseModel):
    """A series as the survey found it.

    Parameters
    ----------
    flagged
        Why its pixels may hold text; empty when no rule found a reason.
    refused
        Why none of its objects can be cleaned; empty when they can.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    series_uid: str
    modality: str
    description: str
    files: int
    flagged: str = ""
    refused: str = ""


class Left(BaseModel):
    """Objects of one series that were left out, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    series_uid: str
    modality: str
    files: int
    reason: str


class Cleaned(BaseModel):
    """What a de-identified export did.

    Parameters
    ----------
    manifest_sha256
        Hash of the hashes of all files in their order: what the audit log keeps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    written: int
    series: int
    left_out: tuple[Left, ...] = ()
    manifest_sha256: str
    codes: tuple[str, ...] = ()

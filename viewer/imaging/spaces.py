"""Frames of reference that a person has joined: what a confirmed registration says, and its use. No Qt.

Two series share space through an equal, non-empty FrameOfReferenceUID (PS3.3 C.7.4.1), or through a
rigid registration between their frames of reference that a person has looked at and confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, field_validator

from viewer.imaging.geometry import FloatArray

RIGID_TOLERANCE: Final = 1e-5
"""Largest deviation of a rotation from an orthonormal matrix."""

SCHEMA: Final = "sightline.registrations/1"


class Registration(BaseModel):
    """A rigid registration of two frames of reference, with who vouches for it.

    Parameters
    ----------
    fixed, moving
        Frame of reference UIDs.
    fixed_series, moving_series
        Series Instance UIDs that were compared.
    matrix
        4 x 4 by rows, moving -> fixed, LPS mm.
    method
        How it was found, in words ("automatic", "automatic, moved by hand", "by hand").
    metric_before, metric_after
        Mattes mutual information, negative; lower is better. None where nothing was measured.
    overlap
        Share of the smaller volume that lies in the other, 0 to 1.
    confirmed_by, confirmed_at
        Printed name and UTC time (ISO 8601); empty while nobody has confirmed it.
    """

    model_config = ConfigDict(frozen=True)

    fixed: str
    moving: str
    fixed_series: str = ""
    moving_series: str = ""
    matrix: tuple[float, ...]
    method: str = ""
    metric_before: float | None = None
    metric_after: float | None = None
    overlap: float | None = None
    confirmed_by: str = ""
    confirmed_at: str = ""

    @field_validator("matrix")
    @classmethod
    def _is_rigid(cls, matrix: tuple[float, ...]) -> tuple[float, ...]:
        if len(matrix) != 16 or not np.all(np.isfinite(matrix)):
            raise ValueError("a registration has 16 finite numbers")
        found = np.reshape(matrix, (4, 4))
        turn = found[:3, :3]
        if (
            np.abs(turn @ turn.T - np.eye(3)).max() > RIGID_TOLERANCE
            or np.linalg.det(turn) < 0
            or np.abs(found[3] - (0, 0, 0, 1)).max() > 0
        ):
            raise ValueError("a registration moves and turns, and nothing else")
        return matrix

    def array(self) -> FloatArray:
        """Return the 4 x 4, moving -> fixed, LPS mm."""
        return np.reshape(np.asarray(self.matrix, dtype=np.float64), (4, 4))

    def joins(self, first: str, second: str) -> bool:
        """Return whether it is between two frames of reference, either way round."""
        return {first, second} == {self.fixed, self.moving}


def body_of(registrations: Sequence[Registration]) -> dict[str, Any]:
    """Return the record that keeps registrations with a study."""
    return {"schema": SCHEMA, "registrations": [one.model_dump(mode="json") for one in registrations]}


def registrations_in(body: dict[str, Any] | None) -> tuple[Registration, ...]:
    """Return the confirmed registrations of a record; none of no record.

    Raises
    ------
    ValueError
        Another program wrote it, or it is damaged.
    """
    if body is None:
        return ()
    if body.get("schema") != SCHEMA:
        raise ValueError("A newer Sightline wrote the registrations of this study.")
    try:
        found = tuple(Registration.model_validate(one) for one in body["registrations"])
    except (KeyError, TypeError, ValueError):
        raise ValueError("The registrations of this study cannot be read.") from None
    return tuple(one for one in found if one.confirmed_by)


@dataclass(frozen=True, eq=False)
class Joined:
    """How one frame of reference lies in another.

    Parameters
    ----------
    matrix
        4 x 4 from the first to the second, LPS mm.
    registration
        What says so; none for one and the same frame of reference.
    """

    matrix: FloatArray
    registration: Registration | None = None

    def moved(self, points: npt.ArrayLike) -> FloatArray:
        """Map (n, 3) or (3,) points, LPS mm."""
        matrix = self.matrix
        return np.asarray(np.asarray(points) @ matrix[:3, :3].T + matrix[:3, 3])

    def turned(self, directions: npt.ArrayLike) -> FloatArray:
        """Map (n, 3) or (3,) directions."""
        return np.asarray(np.asarray(directions) @ self.matrix[:3, :3].T)


SAME: Final = Joined(np.eye(4))


class JoinedSpaces:
    """The frames of reference that are joined in the study that is open."""

    def __init__(self) -> None:
        self._ways: dict[tuple[str, str], Joined] = {}

    def use(self, registrations: Iterable[Registration]) -> None:
        """Let these registrations count from now on, and no others; those unconfirmed never do."""
        self._ways = {}
        for one in registrations:
            if one.confirmed_by and one.fixed and one.moving:
                matrix = one.array()
                self._ways[one.moving, one.fixed] = Joined(matrix, one)
                self._ways[one.fixed, one.moving] = Joined(
                    np.asarray(np.linalg.inv(matrix), dtype=np.float64), one
                )

    def between(self, source: str, target: str) -> Joined | None:
        """Return how points of one frame of reference lie in another; none when that is not known."""
        if not source or not target:
            return None
        return SAME if source == target else self._ways.get((source, target))


SPACES = JoinedSpaces()
"""What this process knows; one study is read at a time."""

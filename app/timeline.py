"""The order of what a person did in several histories, so that undo takes back the newest act. No Qt.

Each history (the report, the marks) keeps its own states and steps between them; the timeline knows
only whose turn it is. A history that steps by itself tells so, and stays in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Owner(StrEnum):
    """Whose act it was."""

    REPORT = "report"
    MARKS = "marks"
    KEY_IMAGES = "key images"


@dataclass(frozen=True)
class Step:
    """One act, with the name under which its owner knows it."""

    owner: Owner
    act: str


class History(Protocol):
    """States of one owner, with the way back and forth; it tells the timeline of every step."""

    def undo(self) -> object | None:
        """Take back its newest act; none when it has none, or may not."""
        ...

    def redo(self) -> object | None:
        """Do again what it took back last; none when it has none, or may not."""
        ...


class Timeline:
    """Acts in the order in which they were done.

    Parameters
    ----------
    histories
        Who undoes and does again; one that is missing has nothing to take back.
    """

    def __init__(self, histories: Mapping[Owner, History] | None = None) -> None:
        self.histories: dict[Owner, History] = dict(histories or {})
        self._past: list[Step] = []
        self._future: list[Step] = []

    @property
    def newest(self) -> Step | None:
        """What undo would take back."""
        return self._past[-1] if self._past else None

    @property
    def taken_back(self) -> Step | None:
        """What redo would do again."""
        return self._future[-1] if self._future else None

    def did(self, owner: Owner, act: str) -> None:
        """Hear of a new act: what was taken back before it is gone, of every owner."""
        self._past.append(Step(owner, act))
        self._future.clear()

    def undone(self, owner: Owner) -> None:
        """Hear that an owner took back its newest act."""
        self._move(owner, self._past, self._future)

    def redone(self, owner: Owner) -> None:
        """Hear that an owner did again what it took back last."""
        self._move(owner, self._future, self._past)

    def forget(self, owner: Owner) -> None:
        """Drop what an owner did: it has no way back any more."""
        self._past = [step for step in self._past if step.owner is not owner]
        self._future = [step for step in self._future if step.owner is not owner]

    def undo(self) -> Step | None:
        """Take back the newest act and return it; none when there is none.

        The owner tells of its step, which moves the act; one that may not step (a final report) keeps
        its acts out of the way.
        """
        return self._step(lambda: self._past, lambda history: history.undo())

    def redo(self) -> Step | None:
        """Do again the act that was taken back last and return it; none when there is none."""
        return self._step(lambda: self._future, lambda history: history.redo())

    def _step(
        self, acts: Callable[[], list[Step]], go: Callable[[History], object | None]
    ) -> Step | None:
        while acts():
            step = acts()[-1]
            history = self.histories.get(step.owner)
            if history is not None and go(history) is not None:
                return step
            self.forget(step.owner)
        return None

    @staticmethod
    def _move(owner: Owner, source: list[Step], target: list[Step]) -> None:
        for place in range(len(source) - 1, -1, -1):
            if source[place].owner is owner:
                target.append(source.pop(place))
                return

"""Snapshots of a report being written, undo between them, and who is told of a change. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from reports.domain import Candidate, ItemState, Ledger, Limitation, ModelStamp, Sentence


@dataclass(frozen=True)
class Snapshot:
    """All that an act can change."""

    sentences: tuple[Sentence, ...]
    ledger: Ledger
    candidates: tuple[Candidate, ...] = ()
    limitations: tuple[Limitation, ...] = ()
    model: ModelStamp | None = None
    seed: int | None = None
    first_seen: tuple[Sentence, ...] = ()
    """Machine sentences as first proposed: what a redraft must not bring back."""
    rejected_candidates: tuple[str, ...] = ()
    """Evidence ids of candidates that the reader turned down."""
    question: str = ""
    items: tuple[ItemState, ...] = ()
    """The reader's states of the items of the template."""


@dataclass(frozen=True)
class Change:
    """What observers are told: the act's name, the sentence it was about, and both states."""

    act: str
    sentence_id: str
    before: Snapshot
    after: Snapshot
    is_undo: bool = False
    is_redo: bool = False

    @property
    def is_act(self) -> bool:
        """True for what a person did anew: it can be taken back."""
        return self.before is not self.after and not (self.is_undo or self.is_redo)


Observer = Callable[[Change], None]


class ReportHistory:
    """The current snapshot with the way back. Undo is a swap of snapshots: nothing is half changed."""

    def __init__(self, state: Snapshot) -> None:
        self.state = state
        self._past: list[Change] = []
        self._future: list[Change] = []
        self._observers: list[Observer] = []
        self._group: Snapshot | None = None

    @property
    def can_undo(self) -> bool:
        """True when there is an act to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """True when an act was taken back."""
        return bool(self._future)

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer` after every change; returns the function that ends it."""
        self._observers.append(observer)

        def stop() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return stop

    def tell(self, change: Change) -> None:
        """Tell every observer."""
        for observer in tuple(self._observers):
            observer(change)

    def put(self, act: str, sentence_id: str, after: Snapshot) -> None:
        """Make a new state current; inside a group it becomes part of that one act."""
        before, self.state = self.state, after
        if self._group is None:
            self._commit(Change(act, sentence_id, before, after))

    @contextmanager
    def group(self, act: str, sentence_id: str = "") -> Iterator[None]:
        """Make several acts one: one step of undo, one message; nothing at all if one of them fails."""
        if self._group is not None:
            yield
            return
        before = self._group = self.state
        try:
            yield
        except BaseException:
            self.state = before
            raise
        finally:
            self._group = None
        if self.state is not before:
            self._commit(Change(act, sentence_id, before, self.state))

    def undo(self) -> Change | None:
        """Take back the last act and tell; none when there is nothing to take back."""
        if not self._past:
            return None
        last = self._past.pop()
        self._future.append(last)
        self.state = last.before
        change = Change(last.act, last.sentence_id, last.after, last.before, is_undo=True)
        self.tell(change)
        return change

    def redo(self) -> Change | None:
        """Do again what was taken back, and tell."""
        if not self._future:
            return None
        next_one = self._future.pop()
        self._past.append(next_one)
        self.state = next_one.after
        change = replace(next_one, is_redo=True)
        self.tell(change)
        return change

    def forget(self, state: Snapshot) -> None:
        """Drop the way back: after a final signature there is nothing left to undo."""
        self._past.clear()
        self._future.clear()
        self.state = state

    def _commit(self, change: Change) -> None:
        self._past.append(change)
        self._future.clear()
        self.tell(change)

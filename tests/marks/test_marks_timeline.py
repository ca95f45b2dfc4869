"""Undo takes back the newest act, whichever of report and marks it was, and redo goes the same way."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.timeline import Owner, Step, Timeline


@dataclass
class Counting:
    """A history whose states are numbers; it tells the timeline of its steps, as the real ones do."""

    owner: Owner
    timeline: Timeline
    past: list[str] = field(default_factory=list)
    future: list[str] = field(default_factory=list)
    is_locked: bool = False

    def do(self, act: str) -> None:
        self.past.append(act)
        self.future.clear()
        self.timeline.did(self.owner, act)

    def undo(self) -> str | None:
        return self._step(self.past, self.future, self.timeline.undone)

    def redo(self) -> str | None:
        return self._step(self.future, self.past, self.timeline.redone)

    def _step(self, source: list[str], target: list[str], tell: object) -> str | None:
        if self.is_locked or not source:
            return None
        target.append(source.pop())
        tell(self.owner)  # type: ignore[operator]
        return target[-1]


@pytest.fixture
def scene() -> tuple[Timeline, Counting, Counting]:
    timeline = Timeline()
    report, marks = Counting(Owner.REPORT, timeline), Counting(Owner.MARKS, timeline)
    timeline.histories = {Owner.REPORT: report, Owner.MARKS: marks}
    return timeline, report, marks


Scene = tuple[Timeline, Counting, Counting]


def test_undo_goes_back_over_both_in_the_order_of_the_acts(scene: Scene) -> None:
    timeline, report, marks = scene
    report.do("write")
    marks.do("length")
    report.do("accept")
    assert [timeline.undo() for _ in range(4)] == [
        Step(Owner.REPORT, "accept"),
        Step(Owner.MARKS, "length"),
        Step(Owner.REPORT, "write"),
        None,
    ]
    assert (report.past, marks.past) == ([], [])
    assert [timeline.redo() for _ in range(4)] == [
        Step(Owner.REPORT, "write"),
        Step(Owner.MARKS, "length"),
        Step(Owner.REPORT, "accept"),
        None,
    ]
    assert (report.past, marks.past) == (["write", "accept"], ["length"])


def test_new_act_of_one_ends_the_way_forward_of_both(scene: Scene) -> None:
    timeline, report, marks = scene
    report.do("write")
    timeline.undo()
    marks.do("length")
    assert timeline.taken_back is None
    assert timeline.redo() is None
    assert report.past == []


def test_step_that_a_history_took_by_itself_stays_in_order(scene: Scene) -> None:
    timeline, report, marks = scene
    report.do("write")
    marks.do("length")
    report.undo()
    assert timeline.newest == Step(Owner.MARKS, "length")
    assert timeline.taken_back == Step(Owner.REPORT, "write")
    report.redo()
    assert timeline.newest == Step(Owner.REPORT, "write")


def test_final_report_keeps_its_acts_and_marks_are_still_taken_back(scene: Scene) -> None:
    timeline, report, marks = scene
    marks.do("length")
    report.do("write")
    report.is_locked = True
    assert timeline.undo() == Step(Owner.MARKS, "length")
    assert report.past == ["write"]
    assert timeline.undo() is None


def test_owner_that_is_forgotten_leaves_the_other(scene: Scene) -> None:
    timeline, report, marks = scene
    report.do("write")
    marks.do("length")
    report.do("accept")
    timeline.undo()
    timeline.forget(Owner.REPORT)
    assert timeline.taken_back is None
    assert timeline.undo() == Step(Owner.MARKS, "length")
    assert timeline.undo() is None


@given(st.lists(st.sampled_from(["report", "marks", "undo", "redo", "report undo", "marks undo"])))
def test_timeline_and_histories_never_disagree(moves: list[str]) -> None:
    timeline = Timeline()
    owners = {"report": Counting(Owner.REPORT, timeline), "marks": Counting(Owner.MARKS, timeline)}
    timeline.histories = {one.owner: one for one in owners.values()}
    for number, move in enumerate(moves):
        if move in owners:
            owners[move].do(str(number))
        elif move == "undo":
            before = timeline.newest
            assert timeline.undo() == before
        elif move == "redo":
            before = timeline.taken_back
            assert timeline.redo() == before
        else:
            owners[move.split()[0]].undo()
        for one in owners.values():
            told = [step.act for step in timeline._past if step.owner is one.owner]
            assert told == one.past

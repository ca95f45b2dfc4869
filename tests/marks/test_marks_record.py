"""Marks are kept as plain JSON, acts on them have names, and every one can be taken back."""

from __future__ import annotations

import json

import pytest
from marks_sample import bidirectional, ellipse, length, oblique_length

from app.marks import (
    MarkAct,
    Marks,
    MarksError,
    MarksHistory,
    MarksTold,
    Way,
    body_of,
    change_between,
    marks_in,
)
from viewer.imaging.marks import MarkKind, MarkOrigin


def test_marks_come_back_from_their_record_as_they_were() -> None:
    marks = (
        length(name="T1", lesion_id="x"),
        bidirectional(12, 8),
        ellipse(9, 9, 4, 3),
        oblique_length(),
    )
    through_json = json.loads(json.dumps(body_of(marks)))
    assert marks_in(through_json) == marks
    assert marks_in(None) == ()


def test_marks_of_others_are_not_kept_as_ones_own() -> None:
    other = length("sr", origin=MarkOrigin.SR, author="CAD")
    assert marks_in(body_of((length(), other))) == (length(),)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"schema": "sightline.marks/2", "marks": []}, "newer Sightline"),
        ({"schema": "sightline.marks/1"}, "cannot be read"),
        (
            {"schema": "sightline.marks/1", "marks": [{"kind": "star", "name": "Meier"}]},
            "cannot be read",
        ),
        ({"schema": "sightline.marks/1", "marks": 3}, "cannot be read"),
    ],
)
def test_record_that_is_none_is_named_without_its_content(body: dict[str, object], words: str) -> None:
    with pytest.raises(MarksError, match=words) as caught:
        marks_in(body)
    assert "Meier" not in str(caught.value)


MOVED = length().changed(points=((1.0, 1.0), (2.0, 2.0)))


@pytest.mark.parametrize(
    ("before", "after", "act", "words"),
    [
        ((), (length(),), MarkAct.ADD, "add: length"),
        ((length(),), (), MarkAct.DELETE, "delete: length"),
        ((length("a"), length("b")), (), MarkAct.DELETE, "delete: 2 of kind length"),
        ((length(), bidirectional(9, 7)), (), MarkAct.DELETE, "delete: 2 of kind mark"),
        ((length(),), (length().changed(name="Meier"),), MarkAct.RENAME, "rename: length"),
        ((length(),), (MOVED,), MarkAct.CHANGE, "change: length"),
        ((length(),), (length(lesion_id="x"),), MarkAct.LINK, "link to a lesion: length"),
        ((length(lesion_id="x"),), (length(),), MarkAct.UNLINK, "unlink from a lesion: length"),
        ((length("a"),), (length("b"),), MarkAct.CHANGE, "change: 2 of kind length"),
    ],
)
def test_act_between_two_states_is_named_without_what_was_typed(
    before: Marks, after: Marks, act: MarkAct, words: str
) -> None:
    change = change_between(before, after)
    assert change is not None
    assert (change.act, change.words()) == (act, words)


def test_values_that_arrive_are_no_act() -> None:
    empty = length().changed(values=())
    assert change_between((empty,), (length(),)) is None
    assert change_between((length(),), (length(),)) is None


def test_acts_are_taken_back_and_done_again_in_order() -> None:
    shown: list[Marks] = []
    told: list[MarksTold] = []
    history = MarksHistory((), shown.append)
    history.subscribe(told.append)
    first, second = (length("a"),), (length("a"), bidirectional(9, 7))
    history.put(first)
    history.put(first)
    history.put(second)
    assert [one.way for one in told] == [Way.NEW, Way.NEW]
    undone = history.undo()
    assert undone is not None
    assert (undone.act, undone.kind) == (MarkAct.ADD, MarkKind.BIDIRECTIONAL)
    assert history.undo() is not None
    assert history.undo() is None
    assert shown == [first, ()]
    assert history.redo() is not None
    assert history.marks == shown[-1] == first
    history.put(())
    assert history.redo() is None
    assert [one.way for one in told[2:]] == [Way.UNDO, Way.UNDO, Way.REDO, Way.NEW]


def test_values_that_arrive_after_an_act_belong_to_it() -> None:
    told: list[MarksTold] = []
    history = MarksHistory((), lambda _marks: None)
    history.subscribe(told.append)
    history.put((length().changed(values=()),))
    history.put((length(),))
    assert [one.way for one in told] == [Way.NEW, Way.MEASURED]
    history.undo()
    history.redo()
    assert history.marks == (length(),)
    assert history.undo() is not None
    assert history.undo() is None

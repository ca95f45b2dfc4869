"""What a reader says of each item of the template, and the normals that follow from it. No Qt."""

from __future__ import annotations

from collections.abc import Iterable

from inference.drafting.states import MachineItem, MachineState
from inference.drafting.templates import Language, TemplateOrgan
from reports.domain import ItemState, ReaderState

CONTRADICTING = frozenset({ReaderState.ABNORMAL, ReaderState.LIMITED, ReaderState.NOT_EVALUABLE})
"""States beside which the reader's own normal of the item can't stand."""


def settled(items: Iterable[ItemState], said: ItemState) -> tuple[ItemState, ...]:
    """Return the reader's states with one more; one item has one, and the same again takes it back."""
    before = tuple(items)
    place = (said.template, said.organ, said.item)
    others = tuple(one for one in before if (one.template, one.organ, one.item) != place)
    return others if said in before else (*others, said)


def own_normals(
    organ: TemplateOrgan,
    machine: Iterable[MachineItem],
    items: Iterable[ItemState],
    language: str = Language.ENGLISH,
) -> tuple[str, ...]:
    """Return the reader's own normals of an organ, without what contradicts a finding or the reader.

    Without a contradiction it is the statement on the whole organ; with one, those of its other items.
    """
    against = {
        one.item for one in machine if one.organ == organ.id and one.state is MachineState.FINDING
    }
    against |= {one.item for one in items if one.organ == organ.id and one.state in CONTRADICTING}
    if not against:
        return (organ.normal.of(language),) if organ.normal is not None else ()
    return tuple(
        item.normal.of(language)
        for item in organ.items
        if item.normal is not None and item.id not in against
    )

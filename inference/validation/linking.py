"""Which evidence a statement speaks of, and in what it differs from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inference.validation.numbers import Measured, of_quantity
from inference.validation.reading import Said
from inference.validation.vocabulary import lies_in, related_places, related_terms, scan
from reports.domain import Evidence, EvidenceKind, Ledger, Side

SIDES: dict[Side, frozenset[str]] = {
    Side.LEFT: frozenset({"left"}),
    Side.RIGHT: frozenset({"right"}),
    Side.BILATERAL: frozenset({"left", "right", "bilateral"}),
}

_SPOKEN_OF = (EvidenceKind.FINDING, EvidenceKind.MEASUREMENT, EvidenceKind.TECHNIQUE)


@dataclass(frozen=True)
class Fact:
    """An evidence in the words of the lexicon."""

    evidence: Evidence
    terms: frozenset[str]
    places: tuple[str, ...]
    sides: frozenset[str]
    figures: tuple[Measured, ...]
    slots: frozenset[str]

    def is_in(self, places: tuple[str, ...]) -> bool:
        """Tell whether it may lie in one of these places; without a place it may."""
        if not places or not self.places:
            return True
        return any(related_places(own, place) for own in self.places for place in places)

    def is_on(self, sides: frozenset[str]) -> bool:
        """Tell whether it may lie on the sides that are said; without a side it may."""
        said = sides - {"bilateral"} if len(sides) > 1 else sides
        return not said or not self.sides or said <= self.sides

    def wrong(self, figures: Iterable[Measured]) -> tuple[Measured, ...]:
        """Return the numbers that are none of its values."""
        has_bare = any(not own.dimension for own in self.figures)
        return tuple(
            figure
            for figure in figures
            if (figure.dimension or has_bare) and not any(figure.is_of(own) for own in self.figures)
        )


def fact_of(evidence: Evidence, ledger: Ledger) -> Fact:
    """Return an evidence in the words of the lexicon, with the values of its priors."""
    told = " | ".join((evidence.descriptor, evidence.label, evidence.concept.meaning))
    if evidence.search is not None:
        told = evidence.search.target.meaning
    where = [token for token in scan(evidence.anatomy) if token.kind == "place"]
    if not where:
        where = [token for token in scan(evidence.label) if token.kind == "place"]
    names = list(dict.fromkeys(token.name for token in where))
    values = [own for quantity in evidence.values for own in of_quantity(quantity)]
    for other in ledger.evidence:
        if other.compared is not None and other.compared.current == evidence.id:
            values += [own for quantity in other.values for own in of_quantity(quantity)]
    return Fact(
        evidence,
        frozenset(token.name for token in scan(told) if token.kind == "finding"),
        tuple(n for n in names if not any(o != n and lies_in(o, n) for o in names)),
        SIDES.get(evidence.side, frozenset()),
        tuple(values),
        frozenset(quantity.name for quantity in evidence.values),
    )


@dataclass(frozen=True)
class Link:
    """A statement and the evidence that fits it best.

    Parameters
    ----------
    candidates
        All evidence that the statement may be about, by its words alone.
    best
        The one of them that differs least, or none.
    """

    said: Said
    candidates: tuple[Fact, ...]
    best: Fact | None

    @property
    def is_side_wrong(self) -> bool:
        """True when the best evidence lies on another side."""
        if self.best is None or self.best.is_on(self.said.sides):
            return False
        both = frozenset[str]().union(*(c.sides for c in self.candidates if c.is_in(self.said.places)))
        return not ("bilateral" in self.said.sides and both >= {"left", "right"})

    @property
    def is_place_wrong(self) -> bool:
        """True when the best evidence lies elsewhere."""
        return self.best is not None and not self.best.is_in(self.said.places)

    @property
    def wrong_figures(self) -> tuple[Measured, ...]:
        """Numbers that the best evidence does not hold."""
        return self.best.wrong(self.said.figures) if self.best is not None else ()

    @property
    def is_another(self) -> bool:
        """True when place and number differ: the reader speaks of something else."""
        differs = self.is_side_wrong + self.is_place_wrong
        return differs + bool(self.wrong_figures) > 1 and bool(self.said.term)

    @property
    def fitting(self) -> tuple[Fact, ...]:
        """Candidates that lie where the statement says."""
        places, sides = self.said.places, self.said.sides
        return tuple(c for c in self.candidates if c.is_in(places) and c.is_on(sides))


def _by_words(said: Said, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    if said.term:
        return tuple(f for f in facts if any(related_terms(said.term, term) for term in f.terms))
    if not said.figures:
        return ()
    named = tuple(f for f in facts if f.slots & said.measures)
    if named or not said.places:
        return named
    dimensions = {figure.dimension for figure in said.figures} - {""}
    return tuple(
        f
        for f in facts
        if f.evidence.kind is EvidenceKind.MEASUREMENT
        and f.places
        and f.is_in(said.places)
        and dimensions & {own.dimension for own in f.figures}
    )


def link(said: Said, facts: tuple[Fact, ...]) -> Link:
    """Return the evidence that a statement is about."""
    candidates = _by_words(said, facts)

    def fits(fact: Fact) -> tuple[int, bool, bool]:
        is_in, is_on = fact.is_in(said.places), fact.is_on(said.sides)
        return is_in + is_on + (not fact.wrong(said.figures)), is_in, is_on

    best = max(candidates, key=fits, default=None)
    return Link(said, candidates, best)


def facts_of(ledger: Ledger, only: tuple[Evidence, ...] = ()) -> tuple[Fact, ...]:
    """Return what a sentence may speak of: findings, measures and the technique, or these only."""
    chosen = only or tuple(item for item in ledger.evidence if item.kind in _SPOKEN_OF)
    return tuple(fact_of(item, ledger) for item in chosen if item.refusal is None)

"""A sentence with what it cites and how it reads: all that a rule may look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from inference.validation.linking import Fact, Link, facts_of, link
from inference.validation.reading import Reading, read
from reports.domain import Evidence, EvidenceKind, Ledger, Origin, Sentence


@dataclass(frozen=True)
class Claim:
    """One sentence with what it cites."""

    sentence: Sentence
    ledger: Ledger
    cited: tuple[Evidence, ...]

    @property
    def text(self) -> str:
        """The sentence's text."""
        return self.sentence.text

    @property
    def by_machine(self) -> bool:
        """True for measured and model sentences."""
        return self.sentence.origin is not Origin.PERSON

    @cached_property
    def reading(self) -> Reading:
        """What the sentence says."""
        return read(self.text)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """What the ledger holds, refused entries left out."""
        return facts_of(self.ledger)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Each statement with the evidence that it is about: what is cited, else of the ledger."""
        cited = facts_of(self.ledger, self.cited) if self.cited else ()
        found = []
        for said in self.reading.said:
            linked = link(said, cited)
            found.append(linked if linked.best is not None else link(said, self.facts))
        return tuple(found)

    @cached_property
    def findings(self) -> tuple[Fact, ...]:
        """The accepted findings of the ledger."""
        return tuple(f for f in self.facts if f.evidence.kind is EvidenceKind.FINDING)

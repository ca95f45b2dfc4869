"""A drawn region that a person accepts as a finding, and the sentence proposed for it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from inference.drafting.grammar import item_grammar, parse
from inference.drafting.items import ItemKind, propose_items
from reports.domain import Evidence, Ledger, Origin, Sentence, Side, ViewState


@dataclass(frozen=True)
class FindingChoice:
    """What the reader picked in the form: words of `findings.json` and `anatomy.json`, and the side.

    `view` is how the reader saw it, where that is known.
    """

    descriptor: str
    side: Side
    anatomy: str
    view: ViewState | None = None


def propose_sentence(
    ledger: Ledger, finding: Evidence, sentence_id: str, view: ViewState | None = None
) -> Sentence:
    """Return the first sentence that the phrase table has for a finding of the ledger.

    No model had a part in it, so its origin is *measured*: words of the table round the ledger's
    values.
    """
    item = next(
        item
        for item in propose_items(ledger)
        if item.kind is ItemKind.FINDING and item.evidence_id == finding.id
    )
    plan = item_grammar(ledger, (item,))
    planned = plan.items[0]
    (sentence,) = parse(plan, planned.line(planned.alternatives[0]))
    cited = tuple(one.model_copy(update={"view": view}) for one in sentence.citations)
    return sentence.model_copy(
        update={"id": sentence_id, "origin": Origin.MEASURED, "citations": cited}
    )

"""The grammar and the rules agree: what may be written is supported by the ledger."""

from __future__ import annotations

import random

import pytest

from inference.drafting.grammar import item_grammar, parse
from inference.drafting.items import propose_items
from inference.training.data import random_ledger
from inference.validation.rules import check_sentence
from reports.domain import Verdict


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_grammar_allows_every_rule_supports(seed: int) -> None:
    ledger = random_ledger(random.Random(seed))
    for item in propose_items(ledger, measured=True):
        plan = item_grammar(ledger, [item])
        planned = plan.items[0]
        for filled in planned.alternatives:
            (sentence,) = parse(plan, planned.line(filled))
            checked = check_sentence(sentence, ledger)
            assert checked.verdict is Verdict.SUPPORTED, [c.message for c in checked.checks]

"""The check of the sentence that is being typed, against one pass of a pattern over the same report."""

from __future__ import annotations

import re
import statistics
import time
from typing import Any

SENTENCES = 40
TYPED = (
    "There is a spiculated nodule in the right upper lobe, which measures 8 x 7 mm in this examination."
)
"""Checked after each of its keys, so that nothing that was read before is met again."""


def run() -> list[dict[str, Any]]:
    """Return what one rest of the keyboard costs: ours over reference, under 1 is faster.

    Ours: the sentence with its new text is held against the ledger, then every sentence of the report
    against the others. Reference: all words of the lexicon, longest first, as one pattern searched
    through the report's text.
    """
    from app.report_checks import judged
    from inference.evaluation.seeded_errors import ErrorKind, cases
    from inference.validation.rules import check_sentence
    from reports.domain import Origin, Review, Section, Sentence

    clean = [
        case
        for case in cases("development", "en")
        if case.kind is ErrorKind.CLEAN and not case.is_report
    ]
    ledger = clean[0].ledger.ledger
    texts = [case.rows[0][1] for case in clean if case.ledger is clean[0].ledger][:SENTENCES]
    report = tuple(
        Sentence(
            id=f"S{number}",
            section=Section.IMPRESSION if number > SENTENCES - 5 else Section.FINDINGS,
            text=text,
            origin=Origin.PERSON,
            review=Review.ACCEPTED,
        )
        for number, text in enumerate(texts)
    )
    judged(report, ledger)
    pattern = _pattern()
    ours, reference = [], []
    for end in range(1, len(TYPED) + 1):
        began = time.perf_counter()
        typed = check_sentence(report[0].model_copy(update={"text": TYPED[:end]}), ledger)
        judged((typed, *report[1:]), ledger)
        ours.append((time.perf_counter() - began) * 1000)
        whole = " ".join((TYPED[:end], *texts[1:]))
        began = time.perf_counter()
        pattern.findall(whole)
        reference.append((time.perf_counter() - began) * 1000)
    fast, bare = statistics.median(ours), statistics.median(reference)
    return [
        {
            "name": "check of the sentence at hand, after each key",
            "ours": round(fast, 2),
            "reference": round(bare, 2),
            "ratio": round(fast / bare, 2),
            "note": f"ms, median of {len(TYPED)} keys in a report of {len(texts)} sentences, slowest "
            f"{max(ours):.1f} ms; reference: the lexicon's words as one pattern over the same text",
        }
    ]


def _pattern() -> re.Pattern[str]:
    """Return every word of the lexicon as one alternation, the longest first."""
    import resources

    found: set[str] = set()

    def take(value: Any) -> None:
        if isinstance(value, str):
            found.add(value.removeprefix("="))
        elif isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                take(one)

    table = resources.table("phrases", "lexicon_terms.json")
    take({name: part for name, part in table.items() if name not in ("schema", "about")})
    longest = sorted(found, key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(word)}\b" for word in longest), re.IGNORECASE)

"""Any report text against a ledger: split into sentences, each checked, then the report as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import ConfigDict, Field

from inference.validation.reports import check_report
from inference.validation.rules import check_sentence
from reports.domain import Check, Ledger, Origin, Section, Sentence, Verdict
from reports.domain.evidence import Frozen
from reports.domain.report import Span

CHECK_SCHEMA = "sightline.check/1"

MOST_CHARACTERS = 200_000
"""Longest text that is checked."""

MOST_SENTENCES = 5_000
"""Most sentences of a text that is checked."""

LONGEST_SENTENCE = 2_000
"""A longer piece without a full stop is cut there."""


class TextTooLong(ValueError):
    """The text is longer than any report."""


class CheckedSentence(Frozen):
    """A sentence of a text, where it stands, and what the checks say of it."""

    text: str
    span: Span
    section: Section
    verdict: Verdict
    checks: tuple[Check, ...] = ()
    """The checks that failed, the gravest first."""

    @property
    def risk(self) -> int:
        """The highest risk of a failed check; 1 when none failed."""
        return max((check.risk for check in self.checks), default=1)


class CheckedText(Frozen):
    """A text with what was found in it; `checks` are those of the report as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: str = Field(default=CHECK_SCHEMA, alias="schema")
    study_instance_uid: str
    sentences: tuple[CheckedSentence, ...]
    checks: tuple[Check, ...] = ()

    @property
    def found(self) -> int:
        """Return how many failed checks there are."""
        return len(self.checks) + sum(len(sentence.checks) for sentence in self.sentences)


_HEADINGS: tuple[tuple[Section, re.Pattern[str]], ...] = tuple(
    (
        section,
        re.compile(
            rf"^\s*(?:#+\s*)?(?:{words})\s*[:：]?\s*$|^\s*(?:{words})\s*[:：]\s*", re.IGNORECASE
        ),
    )
    for section, words in (
        (Section.TECHNIQUE, "technique|examination|procedure|检查技术|检查方法|扫描技术|检查部位"),
        (Section.COMPARISON, "comparison|comparisons|prior studies|对比检查|比较"),
        (Section.FINDINGS, "findings?|report|description|影像所见|检查所见|影像学表现|影像表现|所见"),
        (
            Section.IMPRESSION,
            "impressions?|conclusions?|summary|assessment|opinion|诊断意见|影像诊断|诊断|印象|结论|提示",
        ),
    )
)

_END = re.compile(
    r"[。！？；]+|(?<![A-Z])(?<!\b[A-Za-z])(?<!vs)(?<!approx)(?<!e\.g)(?<!i\.e)(?<!No)(?<!Dr)[.!?](?=\s|$)"
    r"|(?<=[A-Z][A-Z])[.](?=\s|$)|(?<=\d)[.](?=\s+[A-Z]|$)"
)
_LIST_MARK = re.compile(r"\s*(?:\d{1,2}[.)、．]|[-*•])\s*$")


def sentences_of(text: str) -> tuple[tuple[Section, int, int], ...]:
    """Return section, start and end of each sentence; headings are none."""
    found: list[tuple[Section, int, int]] = []
    section, offset = Section.FINDINGS, 0
    for line in text.splitlines(keepends=True):
        start = offset
        offset += len(line)
        body = 0
        for named, pattern in _HEADINGS:
            match = pattern.match(line)
            if match:
                section, body = named, match.end()
                break
        found += [(section, start + a, start + b) for a, b in _split(line, body)]
    return tuple(found)


def _split(line: str, begin: int) -> Iterable[tuple[int, int]]:
    """Yield the sentences of a line, without the blanks round them."""
    ends = [
        m.end() for m in _END.finditer(line, begin) if not _LIST_MARK.fullmatch(line[begin : m.end()])
    ]
    for end in (*ends, len(line)):
        while end - begin > LONGEST_SENTENCE:
            yield begin, begin + LONGEST_SENTENCE
            begin += LONGEST_SENTENCE
        piece = line[begin:end]
        stripped = piece.strip()
        if stripped and not _LIST_MARK.fullmatch(piece):
            start = begin + len(piece) - len(piece.lstrip())
            yield start, start + len(stripped)
            begin = end
        elif not stripped:
            begin = end


def check_text(
    text: str, ledger: Ledger, *, section: Section | None = None, whole_report: bool = True
) -> CheckedText:
    """Return every sentence of a text with what the ledger says against it.

    Parameters
    ----------
    text
        Of any origin: it is only read. English and Chinese may be mixed; no language is asked for.
    section
        Section of the whole text; none reads it from the headings, *findings* before the first.
    whole_report
        Look for accepted findings that are not mentioned, and for an impression that contradicts
        the findings; false for a sentence or a part.

    Raises
    ------
    TextTooLong
        More than `MOST_CHARACTERS` or `MOST_SENTENCES`.
    """
    if len(text) > MOST_CHARACTERS:
        raise TextTooLong(f"The text has more than {MOST_CHARACTERS} characters: no report is so long.")
    spans = sentences_of(text)
    if len(spans) > MOST_SENTENCES:
        raise TextTooLong(f"The text has more than {MOST_SENTENCES} sentences: no report is so long.")
    checked = [
        check_sentence(
            Sentence(
                id=f"S{number}", section=section or named, text=text[start:end], origin=Origin.PERSON
            ),
            ledger,
        )
        for number, (named, start, end) in enumerate(spans, start=1)
    ]
    report = check_report(checked, ledger) if whole_report else None
    rows = []
    for sentence, (_, start, end) in zip(checked, spans, strict=True):
        failed = [check for check in sentence.checks if not check.passed]
        failed += report.of_sentences.get(sentence.id, ()) if report else ()
        rows.append(
            CheckedSentence(
                text=sentence.text,
                span=Span(start=start, end=end),
                section=sentence.section,
                verdict=Verdict.BLOCKS
                if report and sentence.id in report.of_sentences
                else sentence.verdict,
                checks=tuple(sorted(failed, key=lambda check: -check.risk)),
            )
        )
    return CheckedText(
        study_instance_uid=ledger.study_instance_uid,
        sentences=tuple(rows),
        checks=report.of_report if report else (),
    )

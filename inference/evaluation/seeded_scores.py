"""How many seeded errors the checks find, and how often they speak without a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from inference.evaluation.seeded_errors import (
    CONTRADICTION_CHECK,
    MISSING_CHECK,
    Case,
    ErrorKind,
    cases,
)
from inference.evaluation.seeded_ledgers import LANGUAGES
from inference.validation.text import check_text
from reports.domain import Section

NAMES: dict[ErrorKind, frozenset[str]] = {
    ErrorKind.SIDE: frozenset({"side"}),
    ErrorKind.LEVEL: frozenset({"anatomy"}),
    ErrorKind.COUNT: frozenset({"count"}),
    ErrorKind.NUMBER: frozenset({"number and unit"}),
    ErrorKind.UNIT: frozenset({"number and unit"}),
    ErrorKind.NEGATION: frozenset({"negation"}),
    ErrorKind.MODALITY: frozenset({"modality"}),
    ErrorKind.SEX_AGE: frozenset({"sex", "age"}),
    ErrorKind.FABRICATED: frozenset({"term"}),
    ErrorKind.MISSING: frozenset({MISSING_CHECK}),
    ErrorKind.CONTRADICTION: frozenset({CONTRADICTION_CHECK}),
    ErrorKind.COMPARISON: frozenset({"comparison"}),
}
"""The check that should say so, by what was done."""

_HEADINGS: dict[str, dict[Section, str]] = {
    "en": {
        Section.TECHNIQUE: "Technique:",
        Section.FINDINGS: "Findings:",
        Section.IMPRESSION: "Impression:",
    },
    "zh": {
        Section.TECHNIQUE: "检查技术：",
        Section.FINDINGS: "影像所见：",
        Section.IMPRESSION: "诊断意见：",
    },
}


@dataclass(frozen=True)
class Judged:
    """A case and the names of the checks that failed on it, one for each alert."""

    case: Case
    alerts: tuple[str, ...]

    @property
    def is_flagged(self) -> bool:
        """True when any check that counts here failed."""
        return bool(self.alerts)

    @property
    def is_named(self) -> bool:
        """True when the check failed that is there for this kind of error."""
        return bool(NAMES.get(self.case.kind, frozenset()) & set(self.alerts))


@dataclass(frozen=True)
class Score:
    """Figures over some cases."""

    errors: int
    found: int
    named: int
    clean_sentences: int
    false_alerts: int

    @property
    def recall(self) -> float:
        """Share of errors on which a check failed."""
        return self.found / self.errors if self.errors else 1.0

    @property
    def precision(self) -> float:
        """Share of the flagged cases that hold an error."""
        flagged = self.found + self.false_alerts
        return self.found / flagged if flagged else 1.0

    @property
    def false_per_hundred(self) -> float:
        """False alerts on 100 clean sentences."""
        return 100.0 * self.false_alerts / self.clean_sentences if self.clean_sentences else 0.0


def report_text(case: Case) -> str:
    """Return a case as the text of a report, with headings when it is a whole one."""
    if not case.is_report:
        return case.rows[0][1]
    lines: list[str] = []
    section = None
    for named, text in sorted(case.rows, key=lambda row: list(Section).index(row[0])):
        if named is not section:
            section = named
            lines.append(_HEADINGS[case.language][named])
        lines.append(text)
    return "\n".join(lines)


def judge(case: Case) -> Judged:
    """Hold a case against its ledger."""
    done = check_text(report_text(case), case.ledger.ledger, whole_report=case.is_report)
    alerts = [check.check for check in done.checks]
    alerts += [check.check for sentence in done.sentences for check in sentence.checks]
    return Judged(case, tuple(name for name in alerts if case.only in ("", name)))


@lru_cache(maxsize=8)
def judged(split: str, language: str, every: int = 1) -> tuple[Judged, ...]:
    """Return all cases of a split with their alerts; `every` takes one of so many."""
    return tuple(judge(case) for case in cases(split, language)[::every])


def score(rows: Iterable[Judged]) -> Score:
    """Return the figures of these cases; a clean report counts each of its sentences."""
    rows = tuple(rows)
    errors = [row for row in rows if row.case.kind is not ErrorKind.CLEAN]
    clean = [row for row in rows if row.case.kind is ErrorKind.CLEAN]
    return Score(
        len(errors),
        sum(row.is_flagged for row in errors),
        sum(row.is_named for row in errors),
        sum(len(row.case.rows) for row in clean),
        sum(len(row.alerts) for row in clean),
    )


def table(splits: Iterable[str] = ("development", "held_out", "final")) -> str:
    """Return the figures by kind, language and split as a Markdown table."""
    lines = [
        "| wordings | language | kind | errors | found | recall | named rightly |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    totals = [
        "| wordings | language | errors | recall | precision | clean sentences | false alerts "
        "| per 100 |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for split in splits:
        for language in LANGUAGES:
            rows = judged(split, language)
            for kind in list(ErrorKind)[1:]:
                one = score(row for row in rows if row.case.kind is kind)
                lines.append(
                    f"| {split.replace('_', ' ')} | {language} | {kind.value} | {one.errors} "
                    f"| {one.found} | {one.recall:.3f} | {one.named} |"
                )
            whole = score(rows)
            totals.append(
                f"| {split.replace('_', ' ')} | {language} | {whole.errors} | {whole.recall:.4f} "
                f"| {whole.precision:.4f} | {whole.clean_sentences} | {whole.false_alerts} "
                f"| {whole.false_per_hundred:.2f} |"
            )
    return "\n".join([*totals, "", *lines])

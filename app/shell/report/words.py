"""What the report says about its sentences, in the reader's language."""

from __future__ import annotations

import re

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app import sign_off
from app.shell.widgets import BadgeFrame
from app.sign_off import Repair, RepairKind
from reports.domain import Check, Origin, ReportAct, ReportState, Review, Section, Sentence, Verdict

_CONTEXT = "Report"

SIGN_TITLES: dict[ReportAct, str] = {
    ReportAct.SIGN_FINAL: QT_TRANSLATE_NOOP("SignDialog", "Sign final report"),
    ReportAct.SIGN_PRELIMINARY: QT_TRANSLATE_NOOP("SignDialog", "Sign preliminary report"),
    ReportAct.SIGN_ADDENDUM: QT_TRANSLATE_NOOP("SignDialog", "Sign addendum"),
}
"""Title of the signing dialog for each act."""


def tr(text: str) -> str:
    """Translate a string of the tables below."""
    return QCoreApplication.translate(_CONTEXT, text)


SECTION_WORDS: dict[Section, str] = {
    Section.TECHNIQUE: QT_TRANSLATE_NOOP("Report", "Technique"),
    Section.COMPARISON: QT_TRANSLATE_NOOP("Report", "Comparison"),
    Section.FINDINGS: QT_TRANSLATE_NOOP("Report", "Findings"),
    Section.IMPRESSION: QT_TRANSLATE_NOOP("Report", "Impression"),
}
ORIGIN_WORDS: dict[Origin, str] = {
    Origin.MEASURED: QT_TRANSLATE_NOOP("Report", "Measured"),
    Origin.MODEL: QT_TRANSLATE_NOOP("Report", "Model"),
    Origin.PERSON: QT_TRANSLATE_NOOP("Report", "Person"),
}
ORIGIN_GLYPHS: dict[Origin, str] = {
    Origin.MEASURED: "ruler",
    Origin.MODEL: "cpu",
    Origin.PERSON: "pen-nib",
}
VERDICT_WORDS: dict[Verdict, str] = {
    Verdict.SUPPORTED: QT_TRANSLATE_NOOP("Report", "supported"),
    Verdict.UNCHECKED: QT_TRANSLATE_NOOP("Report", "not checked"),
    Verdict.WEAK: QT_TRANSLATE_NOOP("Report", "weak"),
    Verdict.BLOCKS: QT_TRANSLATE_NOOP("Report", "blocks signing"),
    Verdict.CONTRADICTED: QT_TRANSLATE_NOOP("Report", "struck"),
}
VERDICT_GLYPHS: dict[Verdict, tuple[str, str]] = {
    Verdict.SUPPORTED: ("check", "text-2"),
    Verdict.WEAK: ("warning-circle", "warning"),
    Verdict.BLOCKS: ("warning-octagon-fill", "warning"),
    Verdict.CONTRADICTED: ("x-circle-fill", "warning"),
}
"""Glyph and colour token of a verdict; one that is not checked has none."""

STATE_BADGES: dict[ReportState, tuple[str, str, BadgeFrame]] = {
    ReportState.DRAFT: (QT_TRANSLATE_NOOP("Report", "Draft"), "pencil-simple-line", BadgeFrame.DASHED),
    ReportState.IN_REVIEW: (
        QT_TRANSLATE_NOOP("Report", "In review"),
        "pencil-simple-line",
        BadgeFrame.DASHED,
    ),
    ReportState.PRELIMINARY: (
        QT_TRANSLATE_NOOP("Report", "Preliminary"),
        "signature",
        BadgeFrame.SOLID,
    ),
    ReportState.FINAL: (QT_TRANSLATE_NOOP("Report", "Final"), "seal-check", BadgeFrame.FILLED),
    ReportState.ADDENDUM: (QT_TRANSLATE_NOOP("Report", "Addendum"), "seal-check", BadgeFrame.FILLED),
}

_REPAIR_TEXTS: dict[RepairKind, str] = {
    RepairKind.FLIP: QT_TRANSLATE_NOOP("Report", "Change to {subject}"),
    RepairKind.UNLINK: QT_TRANSLATE_NOOP("Report", "Unlink {subject}"),
    RepairKind.RESTORE: QT_TRANSLATE_NOOP("Report", "Restore"),
    RepairKind.ATTACH: QT_TRANSLATE_NOOP("Report", "Use {subject}"),
    RepairKind.WRITE: QT_TRANSLATE_NOOP("Report", "Write {subject}"),
}


def repair_text(repair: Repair) -> str:
    """Return the words of a repair: "Change to left", "Unlink E3"."""
    return tr(_REPAIR_TEXTS[repair.kind]).format(subject=repair.subject)


def is_struck(sentence: Sentence) -> bool:
    """Return true for what is shown with a line through it: not part of the body."""
    return not sentence.is_in_body


def glyph_of(sentence: Sentence) -> tuple[str, str] | None:
    """Return glyph and colour of a sentence's check, or none."""
    if sentence.review is Review.REJECTED and sentence.verdict is not Verdict.CONTRADICTED:
        return "x-circle", "text-3"
    if sentence.verdict is Verdict.CONTRADICTED and sentence.restored:
        return VERDICT_GLYPHS[Verdict.WEAK]
    return VERDICT_GLYPHS.get(sentence.verdict)


def note_of(sentence: Sentence) -> str:
    """Return the line under a sentence: which check says what; empty when there is nothing to say."""
    parts: list[str] = []
    check = next(iter(sign_off.failed(sentence)), None)
    message = check.message if check else ""
    if sentence.verdict is Verdict.CONTRADICTED:
        word = tr("Restored by the reader: {why}") if sentence.restored else tr("Struck: {why}")
        parts.append(word.format(why=message))
    elif sentence.review is Review.REJECTED:
        parts.append(tr("Rejected by the reader."))
    elif sentence.verdict is Verdict.WEAK:
        parts.append(tr("Weak: {why}").format(why=message))
    elif sentence.verdict is Verdict.BLOCKS:
        name = check.check.capitalize() if check else tr("Check")
        parts.append(f"{name}: {message}")
    reason = sign_off.kept_reason(sentence)
    if reason:
        parts.append(tr("Kept: {reason}").format(reason=reason))
    for slot in sentence.slots:
        if slot.detached_from:
            now = sentence.text[slot.span.start : slot.span.end]
            parts.append(
                tr("{was} was measured, {now} is written.").format(was=slot.detached_from, now=now)
            )
    return "  ".join(parts)


def marked_words(sentence: Sentence) -> tuple[tuple[int, int], ...]:
    """Return the character ranges under which a blocking sentence gets its wave."""
    rules = {check.check for check in sign_off.failed(sentence)}
    if "side" in rules:
        found = tuple(
            match.span()
            for match in re.finditer(r"\b(left|right|bilateral)\b", sentence.text, re.IGNORECASE)
        )
        if found:
            return found
    return ((0, len(sentence.text)),)


def describe(sentence: Sentence) -> str:
    """Return what a screen reader says of a sentence: "model, weak, not reviewed, evidence E5"."""
    words = [tr(ORIGIN_WORDS[sentence.origin]).lower(), tr(VERDICT_WORDS[sentence.verdict])]
    if sign_off.is_unreviewed(sentence):
        words.append(tr("not reviewed"))
    if sentence.review is Review.REJECTED:
        words.append(tr("rejected"))
    ids = list(dict.fromkeys(citation.evidence_id for citation in sentence.citations))
    if ids:
        words.append(tr("evidence {ids}").format(ids=", ".join(ids)))
    return ", ".join(words)


def tip_of(sentence: Sentence) -> str:
    """Return what the pointer on a sentence is told: its state, and each check that failed."""
    failed = [check_words(check) for check in sign_off.failed(sentence)]
    return "; ".join([describe(sentence), *failed])


def check_words(check: Check) -> str:
    """Return the check that said so, the risk 1 to 4 and the kind of error: "side, risk 4, ..."."""
    return tr("{check}, risk {risk} of 4, {category}").format(
        check=check.check, risk=check.risk, category=check.category
    )

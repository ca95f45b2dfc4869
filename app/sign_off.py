"""What stands between a report and its signature: blockers, open risks, repairs. No Qt.

Never asked for: tool refusals, weak flags on a person's own text, style (design: signing).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from app import report_checks, report_edit
from app.report_checks import Omission
from reports.domain import (
    Check,
    Ledger,
    Origin,
    Report,
    ReportAct,
    Review,
    Section,
    Sentence,
    Side,
    Verdict,
)

KEPT = "kept by the reader"
"""Name of the check that records a reader's reason for keeping a weak sentence."""

REASONS: tuple[str, ...] = (
    "Seen on the images, read by me.",
    "Known from an earlier study.",
    "Measured by hand.",
    "Stated by the referring physician.",
)
"""One-key picks when a risk is kept."""

HARD_RULES = frozenset({"side", "sex", "negation"})
"""Rules whose contradiction still blocks after a person restored the struck sentence."""

MEANINGS: dict[ReportAct, str] = {
    ReportAct.SIGN_FINAL: (
        "My signature means that I have read the images and this text and that the report is mine. "
        "The sealed report does not change afterwards. An addendum or a correction is a new part "
        "with its own signature."
    ),
    ReportAct.SIGN_PRELIMINARY: (
        "My signature means that I have read the images and this text. The report is preliminary "
        "until a radiologist signs it."
    ),
    ReportAct.SIGN_ADDENDUM: (
        "My signature means that I have read the images and this addition and that it is mine. "
        "The sealed addition does not change afterwards. A further one is a new part with its own "
        "signature."
    ),
}
"""What a signature says: shown before it is given and printed beside the name (21 CFR 11.50)."""

_EMPTY_FIELD = re.compile(r"\[[^\]]*\]|_{2,}|\*{3,}|<[^>]*>")


class BlockerKind(StrEnum):
    """Why a report cannot be signed."""

    PATIENT = "patient mismatch"
    NEW_IMAGES = "images arrived after the draft"
    EMPTY_REPORT = "empty report"
    CONTRADICTION = "contradiction"
    EMPTY_FIELD = "empty field"
    UNREVIEWED = "unreviewed machine sentence"
    OMISSION = "critical finding not mentioned"


class RepairKind(StrEnum):
    """One-click repairs of a sentence."""

    FLIP = "flip side"
    UNLINK = "unlink"
    RESTORE = "restore"
    ATTACH = "use the measured value"
    WRITE = "write the finding"


@dataclass(frozen=True)
class Repair:
    """A repair with what it needs; `subject` is a side, an evidence id or a slot's ledger text.

    `sentence_id` is empty for a finding that no sentence mentions.
    """

    kind: RepairKind
    sentence_id: str
    subject: str = ""


@dataclass(frozen=True)
class Blocker:
    """One thing that must be fixed; `sentence_id` is the place to jump to (empty: whole report)."""

    kind: BlockerKind
    message: str
    detail: str = ""
    sentence_id: str = ""
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class Risk:
    """A machine's weak sentence in the body: fix it, or keep it with a reason."""

    sentence_id: str
    message: str
    detail: str
    risk: int
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """True until a reason was given."""
        return not self.reason


def failed(sentence: Sentence) -> tuple[Check, ...]:
    """Return the checks that failed, the gravest first."""
    return tuple(sorted((c for c in sentence.checks if not c.passed), key=lambda c: -c.risk))


def kept_reason(sentence: Sentence) -> str:
    """Return the reason with which a person kept a weak sentence, or empty."""
    return next((check.message for check in sentence.checks if check.check == KEPT), "")


def repairs(sentence: Sentence, ledger: Ledger) -> tuple[Repair, ...]:
    """Return the one-click repairs that fit the failed checks of a sentence."""
    found: list[Repair] = []
    rules = {check.check for check in failed(sentence)}
    if sentence.verdict is Verdict.CONTRADICTED and not sentence.restored:
        return (Repair(RepairKind.RESTORE, sentence.id),)
    if "side" in rules:
        sides = {
            item.side
            for citation in sentence.citations
            if (item := ledger.get(citation.evidence_id)) is not None
            and item.side in (Side.LEFT, Side.RIGHT)
        }
        if len(sides) == 1 and len(report_edit.named_sides(sentence)) == 1:
            found.append(Repair(RepairKind.FLIP, sentence.id, sides.pop().value))
    if rules & {"side", "anatomy", "citation"}:
        found += [Repair(RepairKind.UNLINK, sentence.id, c.evidence_id) for c in sentence.citations[:2]]
    found += [
        Repair(RepairKind.ATTACH, sentence.id, slot.detached_from)
        for slot in sentence.slots
        if slot.detached_from
    ]
    return tuple(found)


def blockers(report: Report, ledger: Ledger, *, images_now: int | None = None) -> tuple[Blocker, ...]:
    """Return all that must be fixed before the report can be signed, in the order of its text.

    Parameters
    ----------
    images_now
        Images of the study now; more than the report's count means that some arrived after the
        draft. None when nobody counted.
    """
    found = list(_of_report(report, ledger, images_now))
    for omission in _missing(report, ledger):
        if omission.is_critical:
            found.append(
                Blocker(
                    BlockerKind.OMISSION,
                    f"{omission.words}: accepted, and no sentence mentions it.",
                    f"It may need action today. {omission.check.check.capitalize()} check.",
                    repairs=(write(omission),),
                )
            )
    for sentence in report_checks.judged(report.sentences, ledger):
        if sentence.review is not Review.REJECTED:
            found.extend(_of_sentence(sentence, ledger))
    return tuple(found)


def omissions(report: Report, ledger: Ledger) -> tuple[Omission, ...]:
    """Return the accepted findings that are not mentioned and do not block: shown, nobody asks."""
    return tuple(item for item in _missing(report, ledger) if not item.is_critical)


def write(omission: Omission) -> Repair:
    """Return the repair that puts a finding into the report."""
    return Repair(RepairKind.WRITE, "", omission.evidence_id)


def _missing(report: Report, ledger: Ledger) -> tuple[Omission, ...]:
    """An addendum adds to a signed report: it need not say again what that one says."""
    return () if report.addendum_to else report_checks.omissions(report.sentences, ledger)


def _of_report(report: Report, ledger: Ledger, images_now: int | None) -> list[Blocker]:
    found: list[Blocker] = []
    if ledger.study_instance_uid != report.study.study_instance_uid:
        found.append(
            Blocker(
                BlockerKind.PATIENT,
                "The evidence is of another study than the report.",
                f"Report: {report.study.study_instance_uid}. Evidence: {ledger.study_instance_uid}.",
            )
        )
    if images_now is not None and images_now > report.study.image_count:
        found.append(
            Blocker(
                BlockerKind.NEW_IMAGES,
                f"{images_now - report.study.image_count} images arrived after the draft.",
                "Look at them, then draft again or take the new count into the report.",
            )
        )
    if not any(sentence.is_in_body and sentence.text.strip() for sentence in report.sentences):
        found.append(Blocker(BlockerKind.EMPTY_REPORT, "The report is empty.", "Write it or draft it."))
    return found


def _of_sentence(sentence: Sentence, ledger: Ledger) -> list[Blocker]:
    name, found = label(sentence), []
    if sentence.verdict is Verdict.BLOCKS or _is_restored_against_hard_rule(sentence):
        check = next(iter(failed(sentence)), None)
        found.append(
            Blocker(
                BlockerKind.CONTRADICTION,
                f"{name}: {check.message if check else 'contradicts its evidence.'}",
                f"\u201c{sentence.text}\u201d"
                + (f" {check.check.capitalize()} check." if check else ""),
                sentence.id,
                repairs(sentence, ledger),
            )
        )
    if not sentence.text.strip() or _EMPTY_FIELD.search(sentence.text):
        match = _EMPTY_FIELD.search(sentence.text)
        what = f"the field {match.group(0)} is not filled." if match else "the sentence is empty."
        found.append(Blocker(BlockerKind.EMPTY_FIELD, f"{name}: {what}", "", sentence.id))
    if is_unreviewed(sentence):
        found.append(
            Blocker(
                BlockerKind.UNREVIEWED,
                f"\u201c{sentence.text}\u201d",
                # No repair here: it is read at its place, against its image; there is no accept-all.
                "Not reviewed yet: accept or reject it at its place.",
                sentence.id,
            )
        )
    return found


def is_unreviewed(sentence: Sentence) -> bool:
    """Return true for a machine's sentence of the body that no person accepted or rejected."""
    return (
        sentence.origin is not Origin.PERSON
        and sentence.review is Review.UNREVIEWED
        and sentence.is_in_body
    )


def _is_restored_against_hard_rule(sentence: Sentence) -> bool:
    return (
        sentence.restored
        and sentence.verdict is Verdict.CONTRADICTED
        and any(check.check in HARD_RULES for check in failed(sentence))
    )


def risks(report: Report) -> tuple[Risk, ...]:
    """Return the machine's weak sentences of the body, and restored ones that a rule had struck."""
    found = []
    for sentence in report.sentences:
        is_weak = sentence.verdict is Verdict.WEAK or (
            sentence.restored
            and sentence.verdict is Verdict.CONTRADICTED
            and not _is_restored_against_hard_rule(sentence)
        )
        if not is_weak or sentence.origin is Origin.PERSON or not sentence.is_in_body:
            continue
        check = next((c for c in failed(sentence)), None)
        found.append(
            Risk(
                sentence.id,
                f"\u201c{sentence.text}\u201d",
                check.message if check else "",
                check.risk if check else 2,
                kept_reason(sentence),
            )
        )
    return tuple(found)


def left_out(report: Report) -> tuple[Sentence, ...]:
    """Return the sentences that the signed body does not hold: rejected or struck."""
    return tuple(sentence for sentence in report.sentences if not sentence.is_in_body)


def label(sentence: Sentence) -> str:
    """Return how a message names a sentence: its section, and its text when it is short."""
    section = sentence.section.value.capitalize()
    if sentence.section is Section.FINDINGS and sentence.organ:
        section = sentence.organ
    return section

"""One-click repairs of a sentence, each as the operation of the report that does it."""

from __future__ import annotations

from collections.abc import Callable

from app.finding_phrase import propose_sentence
from app.report_model import ReportModel
from app.sign_off import Repair, RepairKind


def repair(model: ReportModel, one: Repair) -> None:
    """Do a repair that `sign_off.repairs` offered."""
    _REPAIRS[one.kind](model, one)


def _attach(model: ReportModel, one: Repair) -> None:
    slots = model.sentence(one.sentence_id).slots
    index = next(i for i, slot in enumerate(slots) if slot.detached_from == one.subject)
    model.attach_slot(one.sentence_id, index)


def _write(model: ReportModel, one: Repair) -> None:
    """Put a finding into the report in the words of the phrase table, as the reader's own sentence."""
    evidence = model.ledger.get(one.subject)
    assert evidence is not None
    proposed = propose_sentence(model.ledger, evidence, "")
    with model.group("report.write_finding"):
        new = model.insert(proposed.section, proposed.text, organ=proposed.organ)
        model.link(new, evidence.id)


_REPAIRS: dict[RepairKind, Callable[[ReportModel, Repair], None]] = {
    RepairKind.FLIP: lambda model, one: model.flip_side(one.sentence_id),
    RepairKind.UNLINK: lambda model, one: model.unlink(one.sentence_id, one.subject),
    RepairKind.RESTORE: lambda model, one: model.restore(one.sentence_id),
    RepairKind.ATTACH: _attach,
    RepairKind.WRITE: _write,
}

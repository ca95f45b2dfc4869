"""The report being written: one owner of its sentences, every change an undoable act. No Qt.

State is a frozen snapshot, so that undo is a swap of snapshots and nothing is half changed. Widgets
observe; they call the operations and draw what they are told.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from app import candidates, draft_merge, report_edit, sign_off
from app.draft_merge import CheckSentence
from app.finding_phrase import FindingChoice, propose_sentence
from app.item_states import settled
from app.normals import normals_for, unspoken
from app.report_history import Change, Observer, ReportHistory, Snapshot
from app.sign_off import Blocker, Repair, Risk
from inference.evidence.findings import accept_finding
from reports.domain import (
    LOCKED,
    Candidate,
    Check,
    Draft,
    Evidence,
    ItemState,
    Ledger,
    Limitation,
    Origin,
    Report,
    ReportAct,
    Review,
    Role,
    Section,
    Sentence,
    Span,
    Verdict,
    transition,
)


class ReportLockedError(Exception):
    """A change was asked of a final report."""


class UnknownSentenceError(KeyError):
    """An id that the report does not hold."""

    def __str__(self) -> str:
        return str(self.args[0])


def unchecked(sentence: Sentence, ledger: Ledger) -> Sentence:
    """Leave a sentence as it is: for a place where no validator is installed."""
    return sentence


class ReportModel:
    """A report part with its ledger, and the acts that change it.

    Parameters
    ----------
    check
        Holds a sentence against the ledger and returns it with checks and verdict; run after every
        change of its text or its links.
    role
        Of who edits: it decides which acts of the life-cycle table are open.
    reader
        Printed name of who edits: the source of findings that they accept.
    """

    def __init__(
        self,
        report: Report,
        ledger: Ledger,
        *,
        candidates: tuple[Candidate, ...] = (),
        check: CheckSentence = unchecked,
        role: Role = Role.RADIOLOGIST,
        reader: str = "reader",
    ) -> None:
        self._report = report
        self._check = check
        self.role = role
        self.reader = reader
        machine = tuple(item for item in report.sentences if item.origin is not Origin.PERSON)
        self._history = ReportHistory(
            Snapshot(
                report.sentences,
                ledger,
                tuple(c for c in candidates if c.evidence_id not in report.rejected_candidates),
                report.limitations,
                report.model,
                report.seed,
                first_seen=machine,
                rejected_candidates=report.rejected_candidates,
                question=report.question,
                items=report.items,
            )
        )
        self._taken = {sentence.id for sentence in report.sentences}

    # What it holds

    @property
    def report(self) -> Report:
        """The report as it stands now, with the revision number it was opened with."""
        state = self._state
        return self._report.model_copy(
            update={
                "sentences": state.sentences,
                "rejected_candidates": state.rejected_candidates,
                "limitations": state.limitations,
                "model": state.model,
                "seed": state.seed,
                "question": state.question,
                "items": state.items,
            }
        )

    @property
    def _state(self) -> Snapshot:
        return self._history.state

    @property
    def question(self) -> str:
        """The clinical question that the report answers, or empty."""
        return self._state.question

    def ask(self, question: str) -> None:
        """Put down the clinical question.

        Raises
        ------
        ReportLockedError
            The report is final.
        """
        if question != self._state.question:
            self._set("report.ask", "", replace(self._state, question=question))

    @property
    def ledger(self) -> Ledger:
        """The evidence that sentences may cite."""
        return self._state.ledger

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences in order, struck ones included."""
        return self._state.sentences

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Proposals to walk before the text."""
        return self._state.candidates

    @property
    def limitations(self) -> tuple[Limitation, ...]:
        """What could not be assessed; shown, never part of the signed body."""
        return self._state.limitations

    @property
    def is_locked(self) -> bool:
        """True when the report is final: nothing can change it."""
        return self._report.state in LOCKED

    def sentence(self, sentence_id: str) -> Sentence:
        """Return a sentence by id.

        Raises
        ------
        UnknownSentenceError
            The report does not hold it.
        """
        for sentence in self._state.sentences:
            if sentence.id == sentence_id:
                return sentence
        raise UnknownSentenceError(f"The report has no sentence {sentence_id}.")

    def sentences_citing(self, evidence_id: str) -> tuple[Sentence, ...]:
        """Return the sentences that cite this evidence, in order."""
        return tuple(
            sentence
            for sentence in self._state.sentences
            if any(citation.evidence_id == evidence_id for citation in sentence.citations)
        )

    def blockers(self, *, images_now: int | None = None) -> tuple[Blocker, ...]:
        """Return what must be fixed before signing, each with its place."""
        return sign_off.blockers(self.report, self._state.ledger, images_now=images_now)

    def risks(self) -> tuple[Risk, ...]:
        """Return weak machine sentences, kept or not."""
        return sign_off.risks(self.report)

    def repairs(self, sentence_id: str) -> tuple[Repair, ...]:
        """Return the one-click repairs of a sentence."""
        return sign_off.repairs(self.sentence(sentence_id), self._state.ledger)

    # Observing

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer` after every change; returns the function that ends it."""
        return self._history.subscribe(observer)

    def saved(self, report: Report) -> None:
        """Take over revision, state and signatures of a report that the store wrote.

        Undo goes on after a save; after a final signature there is nothing left to undo.
        """
        self._report = report
        if self.is_locked:
            self._history.forget(replace(self._state, sentences=report.sentences))
        self._history.tell(Change("report.saved", "", self._state, self._state))

    # The draft

    def load_draft(self, draft: Draft, ledger: Ledger) -> None:
        """Bring in a draft as proposals.

        Raises
        ------
        StudyMismatchError
            The draft is of another study.
        """
        if draft.study_instance_uid != self._report.study.study_instance_uid:
            raise draft_merge.StudyMismatchError(
                f"The draft is of study {draft.study_instance_uid}, the report of study "
                f"{self._report.study.study_instance_uid}. Open the study that was drafted."
            )
        after = draft_merge.merge_draft(self._state, draft, ledger, self._check, self._taken)
        self._set("report.load_draft", "", after, edits=False)

    def accept_candidate(self, evidence_id: str) -> str:
        """Turn a candidate into a finding sentence that the reader accepted; returns its id."""
        candidate = self._candidate(evidence_id)
        evidence = self._state.ledger.get(evidence_id)
        if evidence is None:
            raise UnknownSentenceError(f"The ledger has no {evidence_id}: draft again.")
        # A candidate becomes a finding by the reader's word; the ledger itself is append-only.
        new_id = self._state.ledger.next_id()
        promoted = candidates.finding_of(evidence, person=self.reader, evidence_id=new_id)
        ledger = self._state.ledger.add(promoted)
        sentence = candidates.sentence_of(
            ledger, promoted, said=candidate.text, sentence_id=self._new_id()
        )
        sentence = self._check(sentence.model_copy(update={"review": Review.ACCEPTED}), ledger)
        self._set(
            "report.accept_candidate",
            sentence.id,
            replace(
                self._state,
                sentences=draft_merge.placed(self._state.sentences, sentence),
                ledger=ledger,
                candidates=tuple(c for c in self._state.candidates if c.evidence_id != evidence_id),
            ),
        )
        return sentence.id

    def reject_candidate(self, evidence_id: str) -> None:
        """Turn a candidate down: a redraft does not bring it back."""
        self._candidate(evidence_id)
        self._set(
            "report.reject_candidate",
            "",
            replace(
                self._state,
                candidates=tuple(c for c in self._state.candidates if c.evidence_id != evidence_id),
                rejected_candidates=(*self._state.rejected_candidates, evidence_id),
            ),
        )

    def _candidate(self, evidence_id: str) -> Candidate:
        for candidate in self._state.candidates:
            if candidate.evidence_id == evidence_id:
                return candidate
        raise UnknownSentenceError(f"There is no candidate {evidence_id}.")

    # Reviewing

    def accept(self, sentence_id: str) -> None:
        """Accept a machine's sentence as it stands."""
        self._update("report.accept", sentence_id, review=Review.ACCEPTED)

    def reject(self, sentence_id: str) -> None:
        """Leave a sentence out of the report; it stays visible and can be restored."""
        self._update("report.reject", sentence_id, review=Review.REJECTED, restored=False)

    def restore(self, sentence_id: str) -> None:
        """Bring back a struck or rejected sentence on the reader's word."""
        struck = self.sentence(sentence_id).verdict is Verdict.CONTRADICTED
        self._update("report.restore", sentence_id, review=Review.ACCEPTED, restored=struck)

    def strike_or_restore(self, sentence_id: str) -> None:
        """Reject a sentence of the body, or restore one that is struck."""
        if self.sentence(sentence_id).is_in_body:
            self.reject(sentence_id)
        else:
            self.restore(sentence_id)

    def keep_risk(self, sentence_id: str, reason: str) -> None:
        """Keep a weak sentence with a reason (empty takes the reason back)."""
        sentence = self.sentence(sentence_id)
        checks = tuple(check for check in sentence.checks if check.check != sign_off.KEPT)
        if reason:
            checks = (*checks, Check(check=sign_off.KEPT, passed=True, message=reason))
        if checks != sentence.checks:
            self._update("report.keep_risk", sentence_id, checks=checks)

    # Editing

    def checked(self, sentence: Sentence) -> Sentence:
        """Return a sentence with its checks; the report stays as it is."""
        return self._check(sentence, self._state.ledger)

    def edit_text(self, sentence_id: str, text: str) -> None:
        """Put a person's text in place of a sentence's; numbers that changed are detached."""
        sentence = self.sentence(sentence_id)
        if text != sentence.text:
            self._put("report.edit_text", report_edit.with_text(sentence, text))

    def flip_side(self, sentence_id: str) -> None:
        """Exchange left and right in a sentence."""
        self._put("report.flip_side", report_edit.flipped(self.sentence(sentence_id)))

    def attach_slot(self, sentence_id: str, index: int) -> None:
        """Put the measured value back into a slot that a person wrote over."""
        self._put("report.attach_slot", report_edit.attach_slot(self.sentence(sentence_id), index))

    def link(self, sentence_id: str, evidence_id: str, span: Span | None = None) -> None:
        """Cite an evidence in a sentence."""
        if self._state.ledger.get(evidence_id) is None:
            raise UnknownSentenceError(f"The ledger has no {evidence_id}.")
        sentence = self.sentence(sentence_id)
        linked = report_edit.linked(sentence, evidence_id, span)
        if linked is not sentence:
            self._put("report.link", linked)

    def link_region(self, sentence_id: str, measured: Evidence) -> str:
        """Put a drawn and measured region into the ledger and cite it in a sentence; returns its id."""
        sentence = self.sentence(sentence_id)
        evidence = measured.model_copy(update={"id": self._state.ledger.next_id()})
        ledger = self._state.ledger.add(evidence)
        linked = self._check(report_edit.linked(sentence, evidence.id), ledger)
        changed = tuple(linked if item is sentence else item for item in self._state.sentences)
        self._set(
            "report.link_region", sentence_id, replace(self._state, sentences=changed, ledger=ledger)
        )
        return evidence.id

    def unlink(self, sentence_id: str, evidence_id: str) -> None:
        """Remove an evidence from a sentence; the sentence is then the person's own."""
        self._put("report.unlink", report_edit.unlinked(self.sentence(sentence_id), evidence_id))

    def insert(self, section: Section, text: str = "", *, organ: str = "", after: str = "") -> str:
        """Insert a person's sentence after another one, or at its section's end; returns its id."""
        sentence = self.checked(report_edit.written(self._new_id(), section, text, organ))
        self._set("report.insert", sentence.id, self._with_inserted(sentence, after))
        return sentence.id

    def split(self, sentence_id: str, at: int) -> str:
        """Break a sentence in two at a character; returns the id of the second."""
        first, second = report_edit.split(self.sentence(sentence_id), at, self._new_id())
        with self.group("report.split", sentence_id):
            self._put("report.split", first)
            checked = self._check(second, self._state.ledger)
            self._set("report.split", second.id, self._with_inserted(checked, sentence_id))
        return second.id

    def join(self, first_id: str, second_id: str) -> None:
        """Make two sentences one, in the place of the first."""
        whole = report_edit.joined(self.sentence(first_id), self.sentence(second_id))
        with self.group("report.join", first_id):
            self.delete(second_id)
            self._put("report.join", whole)

    def delete(self, sentence_id: str) -> None:
        """Remove a sentence. A redraft does not bring it back; undo does."""
        self.sentence(sentence_id)
        kept = tuple(item for item in self._state.sentences if item.id != sentence_id)
        self._set("report.delete", sentence_id, replace(self._state, sentences=kept))

    def insert_normals(self, section: Section, organ: str = "") -> tuple[str, ...]:
        """Insert the reader's own normals for a section (or one organ of it); returns the new ids.

        An organ about which a person or a model already says something is left alone.
        """
        study = self._report.study
        wanted = normals_for(study.modality or self._state.ledger.modality, study.study_description)
        with self.group("report.normals", ""):
            return tuple(
                self.insert(section, normal.text, organ=normal.organ)
                for normal in unspoken(wanted, self._state.sentences, section)
                if organ in ("", normal.organ)
            )

    def settle_item(self, said: ItemState) -> None:
        """Put down what the reader says of an item; saying the same again takes it back."""
        self._set("report.item", "", replace(self._state, items=settled(self._state.items, said)))

    def accept_finding(self, measured: Evidence, choice: FindingChoice) -> str:
        """Accept a drawn and measured region as a finding: evidence and proposed sentence.

        Returns the id of the proposed sentence.

        Raises
        ------
        FindingError
            Term, place and side do not fit together; nothing was accepted.
        """
        ledger = self._state.ledger
        evidence = accept_finding(
            measured,
            side=choice.side,
            anatomy=choice.anatomy,
            descriptor=choice.descriptor,
            person=self.reader,
            evidence_id=ledger.next_id(),
        )
        ledger = ledger.add(evidence)
        sentence = self._check(propose_sentence(ledger, evidence, self._new_id(), choice.view), ledger)
        self._set(
            "report.accept_finding",
            sentence.id,
            replace(
                self._state,
                sentences=draft_merge.placed(self._state.sentences, sentence),
                ledger=ledger,
            ),
        )
        return sentence.id

    def take_image_count(self, count: int) -> None:
        """Take a new number of images into the report, after the reader looked at the new ones."""
        self._report = self._report.model_copy(
            update={"study": self._report.study.model_copy(update={"image_count": count})}
        )
        self._history.tell(Change("report.take_image_count", "", self._state, self._state))

    # Undo

    @property
    def can_undo(self) -> bool:
        """True when there is an act to take back."""
        return self._history.can_undo and not self.is_locked

    @property
    def can_redo(self) -> bool:
        """True when an act was taken back."""
        return self._history.can_redo and not self.is_locked

    def undo(self) -> Change | None:
        """Take back the last act; returns what was told to observers, or none."""
        return self._history.undo() if self.can_undo else None

    def redo(self) -> Change | None:
        """Do again what was taken back."""
        return self._history.redo() if self.can_redo else None

    def group(self, act: str, sentence_id: str = "") -> AbstractContextManager[None]:
        """Make several operations one act: one step of undo, one message to observers."""
        return self._history.group(act, sentence_id)

    # How a change is made

    def _new_id(self) -> str:
        new = draft_merge.next_id(self._taken)
        self._taken.add(new)
        return new

    def _with_inserted(self, sentence: Sentence, after: str) -> Snapshot:
        sentences = self._state.sentences
        if not after:
            return replace(self._state, sentences=draft_merge.placed(sentences, sentence))
        at = sentences.index(self.sentence(after)) + 1
        return replace(self._state, sentences=(*sentences[:at], sentence, *sentences[at:]))

    def _put(self, act: str, sentence: Sentence) -> None:
        """Replace a sentence whose text or links changed, after checking it again."""
        self._replace(act, self.checked(sentence))

    def _update(self, act: str, sentence_id: str, **fields: object) -> None:
        """Change fields that no check looks at."""
        self._replace(act, self.sentence(sentence_id).model_copy(update=fields))

    def _replace(self, act: str, sentence: Sentence) -> None:
        if sentence == self.sentence(sentence.id):
            return
        changed = tuple(sentence if item.id == sentence.id else item for item in self._state.sentences)
        self._set(act, sentence.id, replace(self._state, sentences=changed))

    def _set(self, act: str, sentence_id: str, after: Snapshot, *, edits: bool = True) -> None:
        if self.is_locked:
            raise ReportLockedError(
                "This report is final and does not change. Start an addendum instead."
            )
        if edits:
            moved = transition(self._report.state, ReportAct.EDIT, self.role)
            self._report = self._report.model_copy(update={"state": moved})
        self._history.put(act, sentence_id, after)

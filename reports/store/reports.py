"""Reports as lines of revisions: started, saved, signed and sealed; a signed part never changes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from reports.audit.canonical import canonical, content_sha256, sha256_hex
from reports.audit.checkpoint import CheckpointNote
from reports.audit.clock import utc_text
from reports.audit.event import AuditAct
from reports.domain import (
    Draft,
    Ledger,
    Report,
    ReportAct,
    ReportState,
    Signature,
    StudyBlock,
    TransitionError,
    transition,
)
from reports.store.accounts import Account, Accounts, require_active_reader, require_reader
from reports.store.errors import (
    RecordDamagedError,
    ReportMismatchError,
    StaleRevisionError,
)
from reports.store.revisions import (
    insert_revision,
    latest_revision,
    move_to,
    participant_objects,
    report_in,
)
from reports.store.schema import DOCUMENTS, LEDGERS, REPORTS, REVISIONS, SIGNATURES
from reports.store.steps import Step
from reports.store.transaction import Transaction, Transactions

EDITING = frozenset({ReportAct.EDIT, ReportAct.ACCEPT_DRAFT})
"""Acts that make a new revision of what is not yet signed."""

SIGNING = frozenset({ReportAct.SIGN_PRELIMINARY, ReportAct.SIGN_FINAL, ReportAct.SIGN_ADDENDUM})
"""Acts that need a password and go through `Reports.sign`."""

Seal = Callable[[Report, CheckpointNote], bytes]
"""Makes the sealed document of a signed report from the checkpoint that covers its signature.

Called inside the transaction of the signature: it must not write to the store, which would wait for
itself (fetch `Store.seal_key` before), and what it raises leaves the report unsigned.
"""

_OLDEST_PART_FIRST = (REPORTS.c.created_at, sa.text("reports.rowid"))


@dataclass(frozen=True)
class SealedDocument:
    """The document that was sealed with a signature, byte for byte."""

    report_id: str
    revision: int
    pdf: bytes
    sha256: str
    checkpoint: str
    """Signed note that is printed in the document."""


class Reports:
    """The reports of a store."""

    def __init__(self, transactions: Transactions, accounts: Accounts) -> None:
        self._transactions = transactions
        self._accounts = accounts

    def start(
        self,
        study: StudyBlock,
        account: Account,
        *,
        draft: Draft | None = None,
        ledger: Ledger | None = None,
    ) -> Report:
        """Start a report, empty or with the sentences of a draft as proposals.

        Raises
        ------
        NotPermittedError
            The account may not write reports.
        ReportMismatchError
            The draft belongs to another study.
        """
        require_reader(account)
        if draft is not None and draft.study_instance_uid != study.study_instance_uid:
            raise ReportMismatchError("This draft was made for another study.")
        report = Report(
            id=str(uuid.uuid4()),
            revision=1,
            state=ReportState.DRAFT,
            study=study,
            sentences=() if draft is None else draft.sentences,
            limitations=() if draft is None else draft.limitations,
            model=None if draft is None else draft.model,
            seed=None if draft is None else draft.seed,
            author=account.name,
            changed_at=self._now(),
        )
        with self._transactions.writing() as act:
            require_active_reader(act.connection, account)
            self._insert_part(
                act, report, ledger, account, audit_act=AuditAct.REPORT_STARTED, detail={}
            )
        return report

    def start_addendum(self, report_id: str, account: Account, *, reason: str) -> Report:
        """Start a new part that adds to a final report, which stays as it is.

        Raises
        ------
        TransitionError
            The report is not final, or the account may not do this.
        """
        with self._transactions.writing() as act:
            base = latest_revision(act.connection, report_id)
            transition(base.state, ReportAct.START_ADDENDUM, account.role)
            require_active_reader(act.connection, account)
            report = Report(
                id=str(uuid.uuid4()),
                revision=1,
                state=ReportState.DRAFT,
                study=base.study,
                author=account.name,
                changed_at=self._now(),
                addendum_to=base.id,
            )
            self._insert_part(
                act,
                report,
                None,
                account,
                audit_act=AuditAct.ADDENDUM_STARTED,
                detail={"addendum_to": base.id, "reason": reason},
            )
        return report

    def save_revision(
        self,
        report: Report,
        account: Account,
        act: ReportAct = ReportAct.EDIT,
        *,
        ledger: Ledger | None = None,
        reason: str = "",
        acts: Sequence[str] = (),
    ) -> Report:
        """Save the next revision and return it as it was stored.

        State, author, time and signatures are the store's: what the report says about them is not
        taken over. A change drops earlier signatures from the new revision; they stay in theirs.

        Parameters
        ----------
        report
            Its `revision` is the latest one plus one.
        ledger
            The ledger that its citations point into, when it is new or has grown.
        reason
            Why it is changed; asked for after a signature, and kept in the audit log.
        acts
            Names of what the person did since the last revision, oldest first; kept there too.

        Raises
        ------
        StaleRevisionError
            Someone else saved or signed meanwhile.
        TransitionError
            The life-cycle has no such act in this state for this role.
        ReportMismatchError
            It belongs to another study or part than the report of that id.
        """
        if act not in EDITING:
            raise TransitionError(f"To {act} is no change of the text: it cannot be saved as that.")
        with self._transactions.writing() as transaction:
            latest = latest_revision(transaction.connection, report.id)
            _require_next(report.revision, latest.revision)
            state = transition(latest.state, act, account.role)
            require_active_reader(transaction.connection, account)
            same_study = report.study.study_instance_uid == latest.study.study_instance_uid
            if not same_study or report.addendum_to != latest.addendum_to:
                raise ReportMismatchError("This revision belongs to another study or report part.")
            saved = report.model_copy(
                update={
                    "state": state,
                    "author": account.name,
                    "changed_at": self._now(),
                    "signatures": (),
                }
            )
            hashes = insert_revision(transaction, saved, ledger)
            move_to(transaction, latest, saved)
            transaction.record(
                AuditAct.REPORT_SAVED,
                account.participant(),
                objects=participant_objects(saved),
                detail=hashes
                | {"act": str(act), "state": str(state), "reason": reason}
                | ({"acts": "; ".join(dict.fromkeys(acts))} if acts else {}),
            )
        return saved

    def sign(
        self,
        report_id: str,
        revision: int,
        account: Account,
        password: str,
        *,
        meaning: str,
        act: ReportAct,
        seal: Seal | None = None,
    ) -> Report:
        """Sign a revision: state, signature, audit entries, checkpoint and document, or none of them.

        Parameters
        ----------
        revision
            The latest one, as the signer saw it; the signature makes the next.
        meaning
            What the signature says (21 CFR 11.50): it is printed beside the name.
        seal
            Makes the document from the signed report and the checkpoint that covers the signature.

        Raises
        ------
        WrongPasswordError, TooSoonError, DisabledError
            The password of the account was not proved.
        StaleRevisionError
            Someone else saved or signed meanwhile: read the newer revision first.
        TransitionError
            The life-cycle has no such act in this state for this role.
        """
        if act not in SIGNING:
            raise TransitionError(f"To {act} is no signature.")
        if not meaning.strip():
            raise TransitionError("A signature says what it means: no meaning was given.")
        step = self._transactions.on_step
        signer = self._accounts.prove(account.name, password, purpose=str(act))
        step(Step.AUTHENTICATED)
        with self._transactions.writing() as transaction:
            step(Step.BEGUN)
            latest = latest_revision(transaction.connection, report_id)
            _require_next(revision + 1, latest.revision)
            state = transition(latest.state, act, signer.role)
            require_active_reader(transaction.connection, signer)
            _require_kind(latest, act)
            now = self._now()
            signature = Signature(
                user=signer.name,
                printed_name=signer.printed_name,
                role=signer.role,
                meaning=meaning.strip(),
                signed_at=now,
                content_sha256=content_sha256(latest),
                state=state,
            )
            signed = latest.model_copy(
                update={
                    "revision": revision + 1,
                    "state": state,
                    "author": signer.name,
                    "changed_at": now,
                    "signatures": (*latest.signatures, signature),
                }
            )
            hashes = insert_revision(transaction, signed, None)
            step(Step.REVISION_WRITTEN)
            transaction.connection.execute(
                SIGNATURES.insert().values(
                    report_id=signed.id,
                    revision=signed.revision,
                    account=signer.name,
                    content=canonical(signature.model_dump(mode="json")),
                    content_sha256=signature.content_sha256,
                )
            )
            step(Step.SIGNATURE_WRITTEN)
            transaction.record(
                AuditAct.REPORT_SIGNED,
                signer.participant(),
                objects=participant_objects(signed),
                detail=hashes
                | {
                    "act": str(act),
                    "state": str(state),
                    "meaning": signature.meaning,
                    "content_sha256": signature.content_sha256,
                },
            )
            step(Step.EVENT_WRITTEN)
            note = transaction.checkpoint()
            step(Step.CHECKPOINT_WRITTEN)
            if seal is not None:
                self._seal(transaction, signed, signer, note, seal)
            move_to(transaction, latest, signed)
            step(Step.STATE_WRITTEN)
        return signed

    def _seal(
        self,
        transaction: Transaction,
        signed: Report,
        signer: Account,
        note: CheckpointNote,
        seal: Seal,
    ) -> None:
        pdf = seal(signed, note)
        self._transactions.on_step(Step.DOCUMENT_MADE)
        digest = sha256_hex(pdf)
        transaction.connection.execute(
            DOCUMENTS.insert().values(
                report_id=signed.id,
                revision=signed.revision,
                pdf=pdf,
                sha256=digest,
                checkpoint=note.note,
            )
        )
        transaction.record(
            AuditAct.DOCUMENT_SEALED,
            signer.participant(),
            objects=participant_objects(signed),
            detail={"revision": str(signed.revision), "document_sha256": digest},
        )
        # The document holds the first checkpoint, so its own hash needs a second.
        transaction.checkpoint()
        self._transactions.on_step(Step.DOCUMENT_WRITTEN)

    def latest(self, report_id: str, account: Account) -> Report:
        """Return the newest revision of a report.

        Raises
        ------
        UnknownRecordError
            There is no such report.
        RecordDamagedError
            The stored revision is not the one that was hashed.
        """
        require_reader(account)
        with self._transactions.reading() as connection:
            return latest_revision(connection, report_id)

    def revisions(self, report_id: str, account: Account) -> Sequence[Report]:
        """Return all revisions of a report, oldest first."""
        require_reader(account)
        query = sa.select(REVISIONS).where(REVISIONS.c.report_id == report_id)
        with self._transactions.reading() as connection:
            rows = connection.execute(query.order_by(REVISIONS.c.revision)).all()
        return tuple(report_in(row) for row in rows)

    def for_study(self, study_instance_uid: str, account: Account) -> Sequence[Report]:
        """Return the newest revision of each report part of a study, oldest part first."""
        require_reader(account)
        query = (
            sa.select(REPORTS.c.id)
            .where(REPORTS.c.study_instance_uid == study_instance_uid)
            .order_by(*_OLDEST_PART_FIRST)
        )
        with self._transactions.reading() as connection:
            return tuple(
                latest_revision(connection, found) for found in connection.scalars(query).all()
            )

    def states(self, account: Account) -> dict[str, tuple[ReportState, ...]]:
        """Return the states of the report parts of each study, oldest part first: for a worklist."""
        require_reader(account)
        query = sa.select(REPORTS.c.study_instance_uid, REPORTS.c.state)
        states: dict[str, tuple[ReportState, ...]] = {}
        with self._transactions.reading() as connection:
            for uid, state in connection.execute(query.order_by(*_OLDEST_PART_FIRST)):
                states[uid] = (*states.get(uid, ()), ReportState(state))
        return states

    def newest(self, account: Account) -> dict[str, tuple[str, int]]:
        """Return Study Instance UID and newest revision of every report, by its id: for a search."""
        require_reader(account)
        query = sa.select(REPORTS.c.id, REPORTS.c.study_instance_uid, REPORTS.c.latest_revision)
        with self._transactions.reading() as connection:
            return {found: (uid, number) for found, uid, number in connection.execute(query)}

    def ledger(self, report_id: str, account: Account) -> Ledger | None:
        """Return the newest ledger that was saved with a report, or none."""
        require_reader(account)
        query = (
            sa.select(LEDGERS)
            .join(REVISIONS, REVISIONS.c.ledger_sha256 == LEDGERS.c.sha256)
            .where(REVISIONS.c.report_id == report_id)
            .order_by(REVISIONS.c.revision.desc())
            .limit(1)
        )
        with self._transactions.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        if sha256_hex(row.content) != row.sha256:
            raise RecordDamagedError("The ledger of this report was changed outside Sightline.")
        return Ledger.model_validate_json(row.content)

    def document(self, report_id: str, account: Account) -> SealedDocument | None:
        """Return the newest sealed document of a report part, or none.

        Raises
        ------
        RecordDamagedError
            The stored document is not the one that was sealed.
        """
        require_reader(account)
        query = sa.select(DOCUMENTS).where(DOCUMENTS.c.report_id == report_id)
        with self._transactions.reading() as connection:
            row = connection.execute(query.order_by(DOCUMENTS.c.revision.desc()).limit(1)).one_or_none()
        if row is None:
            return None
        if sha256_hex(row.pdf) != row.sha256:
            raise RecordDamagedError("The stored document was changed outside Sightline.")
        return SealedDocument(row.report_id, row.revision, bytes(row.pdf), row.sha256, row.checkpoint)

    def exported(self, report: Report, account: Account, *, form: str, sha256: str) -> None:
        """Record that a document of a report left the store (`form`: "pdf", "draft pdf", "text").

        Raises
        ------
        NotPermittedError
            The account may not see patient data.
        """
        require_reader(account)
        with self._transactions.writing() as act:
            require_active_reader(act.connection, account)
            act.record(
                AuditAct.DOCUMENT_EXPORTED,
                account.participant(),
                objects=participant_objects(report),
                detail={"form": form, "exported_sha256": sha256, "revision": str(report.revision)},
            )

    def _insert_part(
        self,
        act: Transaction,
        report: Report,
        ledger: Ledger | None,
        account: Account,
        *,
        audit_act: AuditAct,
        detail: Mapping[str, str],
    ) -> None:
        act.connection.execute(
            REPORTS.insert().values(
                id=report.id,
                study_instance_uid=report.study.study_instance_uid,
                state=str(report.state),
                latest_revision=report.revision,
                addendum_to=report.addendum_to,
                created_at=report.changed_at,
            )
        )
        hashes = insert_revision(act, report, ledger)
        act.record(
            audit_act,
            account.participant(),
            objects=participant_objects(report),
            detail=hashes | {"state": str(report.state)} | dict(detail),
        )

    def _now(self) -> str:
        return utc_text(self._transactions.journal.clock.utc())


def _require_next(revision: int, latest: int) -> None:
    if revision != latest + 1:
        raise StaleRevisionError(
            f"This is based on revision {revision - 1}, but revision {latest} is the latest: "
            "someone saved or signed meanwhile. Read it again."
        )


def _require_kind(report: Report, act: ReportAct) -> None:
    """Refuse to sign an addendum as a report of its own, and a report as an addendum."""
    if (act is ReportAct.SIGN_ADDENDUM) != bool(report.addendum_to):
        raise TransitionError(
            "This part adds to a final report: sign it as an addendum."
            if report.addendum_to
            else "This report adds to no other: it cannot be signed as an addendum."
        )

"""A signed-in person's work on the store: worklist, reports, drafts, signing, documents. No Qt.

Each method is one act; the store commits it together with its audit event. Workers and pixels are
the engine's: what comes from them enters here as finished values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from app.files import write_private
from app.imported import kept_of
from app.report_search import Found, ReportSearch
from app.sign_off import MEANINGS, blockers
from inference.evidence.masks import MaskStore
from reports.domain import (
    LOCKED,
    Candidate,
    Ledger,
    Report,
    ReportAct,
    ReportState,
    Role,
    Trace,
    TransitionError,
)
from viewer.imaging.lasting import forget_lasting
from viewer.imaging.portions import read_studies, study_lines
from viewer.imaging.study import Study, StudyIndex
from viewer.imaging.volume import ImageStack

if TYPE_CHECKING:
    from app.engine import DraftOutcome
    from reports.audit.checkpoint import CheckpointNote
    from reports.audit.verify import AuditVerdict
    from reports.export.key_image import KeyImage
    from reports.export.seal import SealKey
    from reports.store.accounts import Account
    from reports.store.database import Store
    from reports.store.keys import ProviderKind
    from reports.store.kinds import PreferenceKind, RecordKind

DOCUMENTS_FOLDER = "documents"
"""Sub-folder of the home that holds sealed PDFs beside the copies in the store."""


class SigningBlocked(Exception):
    """The report cannot be signed yet; the message names the first reason."""


@dataclass(frozen=True)
class StudyRow:
    """One line of the worklist."""

    study: Study
    state: ReportState | None
    addenda: int = 0
    has_text: bool = False
    """The report holds at least one sentence."""


@dataclass
class OpenedReport:
    """The report of a study with all it stands on."""

    report: Report
    ledger: Ledger | None = None
    masks: MaskStore = field(default_factory=MaskStore)
    trace: Trace | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class SignedDocument:
    """A signed report and its sealed PDF, in the store and as a file (none on a full disk)."""

    report: Report
    pdf: bytes
    path: Path | None


class Desk:
    """The store of a home folder with the person who is signed in."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._search = ReportSearch(store.reports)
        self._account: Account | None = None
        self._read: dict[str, tuple[bytes, Study]] = {}
        """Studies of the worklist with the digest of the text that they were read from."""

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        create: ProviderKind | None = None,
        passphrase: str | None = None,
        on_recovery_key: Callable[[str], None] | None = None,
    ) -> Desk:
        """Open the store of a home folder, making it first when `create` names a key provider.

        Raises
        ------
        StoreError
            There is no store, its key cannot be had, or it is damaged.
        """
        from reports.store.database import Store
        from reports.store.keys import make_provider, provider_for

        if create is not None and not Store.exists(home):
            made = Store.create(home, make_provider(create, passphrase=passphrase))
            if on_recovery_key is not None:
                on_recovery_key(made.recovery_key)
            return cls(made.store)
        return cls(Store.open(home, provider_for(home, passphrase=passphrase)))

    @property
    def badge(self) -> str:
        """Words that stay on the screen while this store is open."""
        return self.store.badge

    @property
    def alert(self) -> AuditVerdict | None:
        """What is wrong with the audit log, or none."""
        return self.store.alert

    @property
    def account(self) -> Account:
        """Who is signed in.

        Raises
        ------
        NotPermittedError
            Nobody is.
        """
        from reports.store.errors import NotPermittedError

        if self._account is None:
            raise NotPermittedError("Nobody is signed in.")
        return self._account

    def sign_in(self, name: str, password: str) -> Account:
        """Sign in; wrong passwords are slowed (`WrongPasswordError`, `TooSoonError`)."""
        self._account = self.store.accounts.authenticate(name, password)
        return self._account

    def sign_out(self) -> None:
        """Sign out; nothing happens when nobody is signed in."""
        if self._account is not None and self.store.alert is None:
            self.store.accounts.logout(self._account)
        self._account = None
        self._read = {}
        forget_lasting()
        self._search.forget()

    def import_studies(self, index: StudyIndex) -> StudyIndex:
        """Keep the studies of an import in the worklist; return the import with what was refused."""
        kept = kept_of(index, (row.study for row in self.studies()))
        studies = {study.study_instance_uid: "\n".join(study_lines(study)) for study in kept.studies}
        self.store.studies.save(studies, self.account)
        return kept

    def studies(self) -> tuple[StudyRow, ...]:
        """Return the worklist, newest import first."""
        states = self.store.reports.states(self.account)
        contents = self.store.studies.all(self.account)
        digests = {uid: hashlib.sha256(content.encode()).digest() for uid, content in contents.items()}
        unread = [uid for uid, digest in digests.items() if self._read.get(uid, (b"",))[0] != digest]
        # In one go: each is a reading of its own for the collector.
        found = read_studies(line for uid in unread for line in contents[uid].split("\n"))
        read = dict(zip(unread, found, strict=True))
        self._read = {
            uid: (digest, read[uid] if uid in read else self._read[uid][1])
            for uid, digest in digests.items()
        }
        return tuple(_row(study, states.get(uid, ())) for uid, (_, study) in self._read.items())

    def open_study(self, study: Study) -> OpenedReport:
        """Open a study for reading: its unfinished or newest report, started when there is none.

        Raises
        ------
        OtherPatientError
            The report that is kept for it is another patient's.
        """
        from app.documents import require_same_patient, study_block

        self.store.studies.opened(study.study_instance_uid, self.account)
        parts = self.store.reports.for_study(study.study_instance_uid, self.account)
        unfinished = [part for part in parts if part.state not in LOCKED]
        if unfinished or parts:
            opened = OpenedReport((unfinished or list(parts))[-1])
            require_same_patient(opened.report, study)
        else:
            opened = OpenedReport(self.store.reports.start(study_block(study), self.account))
        stored = self.store.drafts.latest(study.study_instance_uid, self.account)
        if stored is not None:
            opened.ledger, opened.trace = stored.ledger, stored.trace
            opened.masks = MaskStore.from_bytes(stored.masks)
            opened.candidates = stored.draft.candidates
        # A saved report may hold findings that were accepted after the last draft.
        saved = self.store.reports.ledger(opened.report.id, self.account)
        if saved is not None and len(saved.evidence) >= len(
            opened.ledger.evidence if opened.ledger else ()
        ):
            opened.ledger = saved
        return opened

    def search_reports(self, query: str) -> Found:
        """Return the studies whose reports hold a word of a query, with what was found."""
        return self._search.find(query, self.account)

    def report_text(self, study_instance_uid: str) -> str:
        """Return the newest reports of a study as text, oldest part first; empty without one.

        Reading is recorded as opening the study is.
        """
        from reports.export.text import report_text

        self.store.studies.opened(study_instance_uid, self.account)
        parts = self.store.reports.for_study(study_instance_uid, self.account)
        return "\n\n".join(report_text(part) for part in parts if part.sentences)

    def take_draft(self, outcome: DraftOutcome) -> None:
        """Keep a draft with ledger, trace and masks; the report itself changes with `save`."""
        result = outcome.result
        self.store.drafts.save(
            result.draft, result.ledger, result.trace, outcome.masks.to_bytes(), self.account
        )

    def save(
        self, report: Report, ledger: Ledger | None, *, reason: str = "", acts: Sequence[str] = ()
    ) -> Report:
        """Save the report as its next revision and return it as it was stored.

        Parameters
        ----------
        acts
            Names of what the person did since the last revision, for the audit log.
        """
        following = report.model_copy(update={"revision": report.revision + 1})
        return self.store.reports.save_revision(
            following, self.account, ReportAct.EDIT, ledger=ledger, reason=reason, acts=acts
        )

    def study_record(self, study_uid: str, kind: RecordKind) -> dict[str, Any] | None:
        """Return what is kept beside the report of a study, or none; lesions go by patient key."""
        found = self.store.records.latest(kind, study_uid, self.account)
        return None if found is None else found.body

    def save_study_record(
        self, study_uid: str, kind: RecordKind, body: Mapping[str, Any], *, act: str
    ) -> None:
        """Keep a new revision; `act` is what the person did, in the program's words."""
        self.store.records.save(kind, study_uid, body, self.account, act=act)

    def preference(self, kind: PreferenceKind) -> dict[str, Any] | None:
        """Return a preference of the one who is signed in, or none."""
        return self.store.preferences.latest(kind, self.account)

    def save_preference(self, kind: PreferenceKind, body: Mapping[str, Any]) -> None:
        """Keep a preference of the one who is signed in, in place of the one before."""
        self.store.preferences.save(kind, body, self.account)

    def start_addendum(self, report: Report, *, reason: str) -> Report:
        """Start a new part that adds to a final report."""
        return self.store.reports.start_addendum(report.id, self.account, reason=reason)

    def signing_act(self, report: Report, *, final: bool = True) -> ReportAct:
        """Return how this person signs this report; a resident's signature is preliminary."""
        if report.addendum_to:
            return ReportAct.SIGN_ADDENDUM
        if final and self.account.role is Role.RADIOLOGIST:
            return ReportAct.SIGN_FINAL
        return ReportAct.SIGN_PRELIMINARY

    def sign(
        self,
        report: Report,
        ledger: Ledger,
        study: Study,
        stack: ImageStack | None,
        password: str,
        *,
        final: bool = True,
        trace: Trace | None = None,
        others: Sequence[ImageStack] = (),
    ) -> SignedDocument:
        """Save what is open, sign it with the password and seal the document, all or nothing.

        Parameters
        ----------
        others
            More open series: key images that were kept on them become figures.

        Raises
        ------
        SigningBlocked
            Something must be fixed first.
        StoreError
            The password is wrong, someone else changed the report, or the disk refused.
        TransitionError
            This role may not sign this report like that.
        """
        if report.state in LOCKED:
            raise TransitionError("This report is signed and never changes: start an addendum.")
        if found := blockers(report, ledger):
            raise SigningBlocked(f"The report cannot be signed yet: {found[0].message}")
        act = self.signing_act(report, final=final)
        saved = self._saved(report, ledger)
        key = self.seal_key()
        kept = self._kept(study, stack, others)

        def sealed(signed: Report, note: CheckpointNote) -> bytes:
            from app.documents import pdf_document
            from reports.export.pdf import build_pdf
            from reports.export.seal import seal

            document = pdf_document(
                signed,
                ledger,
                study,
                stack,
                installation=self.installation_name,
                trace=trace,
                checkpoint=note.note,
                log_index=note.size - 1,
                kept=kept,
            )
            return seal(build_pdf(document), key, location=self.installation_name)

        signed = self.store.reports.sign(
            saved.id,
            saved.revision,
            self.account,
            password,
            meaning=MEANINGS[act],
            act=act,
            seal=sealed,
        )
        document = self.store.reports.document(signed.id, self.account)
        assert document is not None
        return SignedDocument(signed, document.pdf, self.sealed_file(signed))

    def _saved(self, report: Report, ledger: Ledger) -> Report:
        """Return the report as it is stored, saving it first only when something is open.

        The stored revision may be one ahead: a try to sign that failed on the password saved it.
        """
        stored = self.store.reports.latest(report.id, self.account)
        if (
            stored.state is not ReportState.DRAFT
            and stored.revision in (report.revision, report.revision + 1)
            and _content(stored) == _content(report)
            and self.store.reports.ledger(report.id, self.account) == ledger
        ):
            return stored
        return self.save(report, ledger)

    def sealed_file(self, report: Report) -> Path | None:
        """Return the sealed file of a signed report, or none when there is none or no room for it.

        The document is the one in the store: a file that is missing, because the process was killed
        or the disk was full, is written from there.
        """
        if not report.signatures:
            return None
        path = self._file(report)
        if path.exists():
            return path
        document = self.store.reports.document(report.id, self.account)
        if document is None or document.revision != report.revision:
            return None
        try:
            return write_private(path, document.pdf)
        except OSError:
            return None

    def _file(self, report: Report) -> Path:
        """Name a sealed file without patient data: report id and revision."""
        return self.store.home / DOCUMENTS_FOLDER / f"{report.id}-r{report.revision}.pdf"

    def export_pdf(
        self,
        report: Report,
        ledger: Ledger,
        study: Study,
        stack: ImageStack | None,
        path: Path,
        *,
        candidates: Sequence[Candidate] = (),
        trace: Trace | None = None,
        others: Sequence[ImageStack] = (),
    ) -> Path:
        """Write the document of a report: the sealed one of a signed part, else one marked DRAFT."""
        from app.documents import pdf_document
        from reports.export.pdf import build_pdf

        stored = self.store.reports.document(report.id, self.account) if report.signatures else None
        if stored is not None:
            content, form = stored.pdf, "pdf"
        else:
            document = pdf_document(
                report,
                ledger,
                study,
                stack,
                installation=self.installation_name,
                trace=trace,
                candidates=tuple(candidates),
                kept=self._kept(study, stack, others),
            )
            content, form = build_pdf(document), "draft pdf"
        # Recorded first: a store that takes no entry lets no document out.
        self.store.reports.exported(
            report, self.account, form=form, sha256=hashlib.sha256(content).hexdigest()
        )
        return write_private(path, content)

    def _kept(
        self, study: Study, stack: ImageStack | None, others: Sequence[ImageStack]
    ) -> tuple[KeyImage, ...]:
        """Return figures of the key images that were kept on the series that are at hand."""
        from app.kept_figures import kept_figures
        from app.key_images import key_images_of_study
        from app.marks import marks_of_study

        if not (kept := key_images_of_study(self, study.study_instance_uid)):
            return ()
        stacks = (*([] if stack is None else [stack]), *others)
        return kept_figures(kept, marks_of_study(self, study.study_instance_uid), stacks)

    def record_text(self, report: Report, text: str) -> None:
        """Record that the text of a report leaves; called first: without an entry nothing goes out."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.store.reports.exported(report, self.account, form="text", sha256=digest)

    def record_export(self, study_instance_uid: str, form: str, sha256: str) -> None:
        """Record that data of a study leaves; called first: without an entry nothing goes out."""
        self.store.studies.exported(study_instance_uid, self.account, form=form, sha256=sha256)

    @property
    def installation_name(self) -> str:
        """Name of this installation as printed: the store's id, as no department is enrolled yet."""
        return f"Installation {self.store.installation[:8]}"

    def seal_key(self) -> SealKey:
        """Return this installation's key for sealing documents, made at first use."""
        from reports.export.seal import SealKey, new_seal_key

        kept = self.store.seal_key()
        if kept is None:
            made = new_seal_key(self.installation_name, installation_id=self.store.installation)
            kept = self.store.set_seal_key(
                json.dumps(
                    {
                        "certificate": made.certificate_pem.decode(),
                        "private_key": made.private_key_pem.decode(),
                    }
                ).encode()
            )
        parts = json.loads(kept)
        return SealKey(parts["certificate"].encode(), parts["private_key"].encode())

    def close(self) -> None:
        """Sign out and close the store."""
        self.sign_out()
        self.store.close()

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _row(study: Study, states: tuple[ReportState, ...]) -> StudyRow:
    """Return a line of the worklist from the states of the study's report parts, oldest first."""
    main = next((state for state in states if state is not ReportState.ADDENDUM), None)
    return StudyRow(
        study=study,
        state=main,
        addenda=sum(state is ReportState.ADDENDUM for state in states),
        # A report starts empty; its first sentence moves it out of the state draft.
        has_text=main not in (None, ReportState.DRAFT),
    )


def _content(report: Report) -> dict[str, object]:
    """Return what a person may change in a report: all but what the store says about it."""
    return report.model_dump(exclude={"revision", "state", "author", "changed_at", "signatures"})

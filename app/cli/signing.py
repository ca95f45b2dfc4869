"""`sign` and `verify`: sign a draft folder as a person, and judge a sealed PDF."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import AsJson, Home, PasswordStdin
from app.cli.output import CommandFailed, reported_errors, show, tell
from app.cli.people import read_password
from app.cli.store import open_desk
from app.draft_files import DraftFolder
from app.files import write_private
from app.home import home_folder

if TYPE_CHECKING:
    from app.desk import Desk, SignedDocument
    from app.engine import Engine

SEALED = "report.pdf"


def sign(
    folder: Annotated[Path, typer.Argument(help="Folder that `sightline draft` wrote.", exists=True)],
    user: Annotated[str, typer.Option("--user", help="Account that signs.")],
    home: Home = None,
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Accept the sentences of a draft as their reader, sign them and seal the PDF.

    The sentences are shown first: who signs here says that each was read. A resident's signature
    makes the report preliminary.
    """
    from app.engine import Engine

    with reported_errors():
        password = read_password(password_stdin, f"Password of {user}: ")
        where = home_folder(home)
        with open_desk(where) as desk, Engine(where) as engine:
            desk.sign_in(user, password)
            signed = _signed(desk, engine, DraftFolder(folder), password)
            if desk.store.witness_trouble:
                tell(desk.store.witness_trouble)
        report, target = signed.report, folder / SEALED
        try:
            write_private(target, signed.pdf)
        except OSError as error:
            raise CommandFailed(
                f"The report is signed and its document is in the store, but {target} could not be "
                f"written: {error.strerror}."
            ) from error
    show(
        {
            "report": report.id,
            "revision": report.revision,
            "state": report.state.value,
            "signed_by": report.signatures[-1].printed_name,
            "signed_at": report.signatures[-1].signed_at,
            "content_sha256": report.signatures[-1].content_sha256,
            "file": str(target),
        },
        as_json=as_json,
        words=lambda done: f"{done['state']}, signed by {done['signed_by']}: {done['file']}",
    )


def _signed(desk: Desk, engine: Engine, folder: DraftFolder, password: str) -> SignedDocument:
    from app.report_model import ReportModel
    from inference.drafting.triage import choose_series
    from inference.validation.rules import check_sentence
    from reports.domain import LOCKED, Review
    from viewer.imaging.study import StudyIndex
    from viewer.imaging.worker.errors import WorkerError

    study, ledger, draft, trace = folder.read()
    if not draft.sentences:
        raise CommandFailed("The draft has no sentence: there is nothing to sign.")
    refused = desk.import_studies(StudyIndex(studies=(study,))).bad_files
    if refused:
        raise CommandFailed(refused[0].reason)
    opened = desk.open_study(study)
    if opened.report.state in LOCKED:
        raise CommandFailed(
            "This study has a signed report, which never changes. Start an addendum in the window."
        )
    model = ReportModel(
        opened.report,
        # Sentences that are in the report already cite the ledger it has; the draft's is added to it.
        opened.ledger or ledger,
        check=check_sentence,
        role=desk.account.role,
        reader=desk.account.printed_name,
    )
    model.load_draft(draft, ledger)
    for sentence in model.sentences:
        tell(f"{sentence.section.value}: {sentence.text}")
        if sentence.review is Review.UNREVIEWED and sentence.is_in_body:
            model.accept(sentence.id)
    with ExitStack() as stack:
        pixels = None
        try:
            opened_series = engine.reader.open(choose_series(study, draft.series_key))
            pixels = stack.enter_context(opened_series).stack
        except WorkerError as error:
            # A ZIP was unpacked for the draft only; disks are unplugged.
            tell(f"The document is sealed without key images: {error}")
        return desk.sign(model.report, model.ledger, study, pixels, password, trace=trace)


def verify(
    file: Annotated[Path, typer.Argument(help="PDF to judge.", exists=True, dir_okay=False)],
    trusted: Annotated[
        list[Path] | None, typer.Option("--trusted", help="Certificate (PEM) to trust.", exists=True)
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a sealed PDF is intact, altered, or of a signer who is not trusted here."""
    from reports.export.record import ExportError
    from reports.export.verify_pdf import PdfKind, verify_apart

    with reported_errors():
        certificates = [one.read_bytes() for one in trusted or ()] + _own_certificate(home_folder(home))
        try:
            verdict = verify_apart(file, certificates)
        except ExportError as error:
            raise CommandFailed(f"{file}: {error}") from error
    result: dict[str, Any] = {
        "file": str(file),
        "verdict": str(verdict.kind),
        "message": verdict.words,
        "signer": verdict.signer,
        "signed_at": verdict.signed_at,
        "report_sha256": verdict.report_sha256,
        "state": verdict.state,
        "log_index": verdict.log_index,
    }
    show(result, as_json=as_json, words=lambda _: f"{verdict.kind}: {verdict.words}")
    if verdict.kind is not PdfKind.INTACT:
        raise CommandFailed(f"{file.name} is {verdict.kind}.")


def _own_certificate(home: Path) -> list[bytes]:
    """Return this installation's own certificate, which it trusts, when there is a store to ask."""
    from reports.store.database import Store
    from reports.store.errors import StoreError

    if not Store.exists(home):
        return []
    try:
        with open_desk(home) as desk:
            kept = desk.store.seal_key()
    except (StoreError, CommandFailed) as error:
        tell(f"The store's own certificate is not at hand: {error}")
        return []
    return [json.loads(kept)["certificate"].encode()] if kept else []

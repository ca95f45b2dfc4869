"""`export-marks` and `deidentify`: what a person measured, and images without their patient."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.imaging import index_of, only_study
from app.cli.options import AsJson, Home, Out, PasswordStdin, Source
from app.cli.output import CommandFailed, Progress, reported_errors, show, tell
from app.cli.people import read_password
from app.cli.store import open_desk
from app.home import home_folder
from reports.export.deidentify_profile import Choices, Dates
from reports.store.kinds import RecordKind

if TYPE_CHECKING:
    from app.desk import Desk
    from viewer.imaging.study import Study

User = Annotated[str, typer.Option("--user", help="Account in whose name this is recorded.")]


def export_marks(
    study: Annotated[str, typer.Argument(help="Study Instance UID on the worklist.")],
    user: User,
    out: Out,
    key_images: Annotated[
        bool, typer.Option("--key-images", help="Also write the key images (DICOM KO).")
    ] = False,
    home: Home = None,
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Write your marks on a study as DICOM SR (TID 1500), brushed regions also as SEG."""
    from app.documents import program_name
    from app.engine import Engine
    from app.key_images import key_images_in
    from app.marks import marks_of_study

    with reported_errors():
        password = read_password(password_stdin, f"Password of {user}: ")
        where = home_folder(home)
        with open_desk(where) as desk, Engine(where) as engine:
            desk.sign_in(user, password)
            found = _study(desk, study)
            person = desk.account.printed_name

            def recorded(form: str, sha256: str) -> None:
                desk.record_export(study, form, sha256)

            done = engine.exporting.export_marks(
                found,
                marks_of_study(desk, study),
                out,
                recorded,
                person=person,
                program=program_name(),
            )
            files = list(done.files)
            if key_images:
                kept = key_images_in(desk.study_record(study, RecordKind.KEY_IMAGES))
                uids = [one.sop_instance_uid for one in kept]
                target = out / "key-images.ko.dcm"
                files.append(
                    engine.exporting.export_key_images(found, uids, target, recorded, person=person)
                )
    for words in done.left_out:
        tell(f"not written: {words}")
    show(
        {"files": [str(path) for path in files], "left_out": list(done.left_out)},
        as_json=as_json,
        words=lambda result: "\n".join(result["files"]),
    )


def _study(desk: Desk, uid: str) -> Study:
    for row in desk.studies():
        if row.study.study_instance_uid == uid:
            return row.study
    raise CommandFailed(f"The study {uid} is not on the worklist.")


def deidentify(
    path: Source,
    user: User,
    out: Annotated[Path, typer.Option("--out", help="New folder, or a ZIP to write.")],
    dates: Annotated[Dates, typer.Option("--dates", help="What becomes of dates.")] = Dates.REMOVE,
    keep_uids: Annotated[bool, typer.Option("--keep-uids", help="Leave UIDs as they are.")] = False,
    keep_characteristics: Annotated[
        bool, typer.Option("--keep-characteristics", help="Keep sex, age, size and weight.")
    ] = False,
    label: Annotated[str, typer.Option("--label", help="Name and ID that the patient gets.")] = "",
    with_series: Annotated[
        list[str] | None,
        typer.Option("--with-series", help="Export this flagged series all the same (its UID)."),
    ] = None,
    home: Home = None,
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Write copies of a study without its patient (PS3.15 Basic Application Confidentiality Profile).

    Series that may show text in their pixels are named and left out unless asked for. Free text and
    pixels cannot be guaranteed: look at what was written before it leaves your hands.
    """
    from app.engine import Engine
    from viewer.imaging.worker.errors import WorkerError

    with reported_errors():
        choices = Choices(
            dates=dates,
            keep_uids=keep_uids,
            keep_characteristics=keep_characteristics,
            label=label,
            with_flagged=tuple(with_series or ()),
        )
        password = read_password(password_stdin, f"Password of {user}: ")
        where = home_folder(home)
        with open_desk(where) as desk, Engine(where) as engine:
            desk.sign_in(user, password)
            study = only_study(index_of(engine.reader, path), path)
            try:
                done = engine.exporting.deidentify(
                    study,
                    choices,
                    out,
                    lambda form, sha256: desk.record_export(study.study_instance_uid, form, sha256),
                    on_progress=Progress("cleaning"),
                )
            except WorkerError as error:
                raise CommandFailed(f"{path}: {error}") from error
    for left in done.left_out:
        tell(f"left out: {left.files} of {left.modality or '?'} ({left.reason}) {left.series_uid}")
    show(
        {"out": str(out), **done.model_dump(mode="json")},
        as_json=as_json,
        words=lambda result: f"{result['written']} files of {result['series']} series: {result['out']}",
    )

"""`audit verify`: does the trail of this store hold, and if not, which entry is the first bad one."""

from __future__ import annotations

import typer

from app.cli.options import AsJson, Home
from app.cli.output import CommandFailed, reported_errors, show
from app.cli.store import open_desk
from app.home import home_folder

commands = typer.Typer(help="The audit trail of the store.", no_args_is_help=True)


@commands.callback()
def group() -> None:
    """The audit trail of the store."""


@commands.command("verify")
def verify(home: Home = None, as_json: AsJson = False) -> None:
    """Check pages, entries, checkpoints and witnesses; name the first bad entry."""
    from reports.audit.verify import AuditFault, AuditVerdict
    from reports.store.errors import DatabaseDamagedError

    with reported_errors():
        try:
            with open_desk(home_folder(home)) as desk:
                verdict = desk.store.verify()
        except DatabaseDamagedError as error:  # it does not even open: a verdict as well
            verdict = AuditVerdict(AuditFault.DATABASE_DAMAGED, None, str(error), 0, "")
    show(
        {
            "intact": verdict.intact,
            "fault": str(verdict.fault),
            "first_bad": verdict.first_bad,
            "message": verdict.message,
            "entries": verdict.size,
            "root": verdict.root,
            "checkpoints": verdict.checkpoints,
        },
        as_json=as_json,
        words=lambda _: verdict.message,
    )
    if not verdict.intact:
        raise CommandFailed(verdict.message)

"""`quality`: what this store's own records say of the program; no patient data is printed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.cli.options import AsJson, Home, PasswordStdin
from app.cli.output import reported_errors, show
from app.cli.people import read_password
from app.cli.store import open_desk
from app.home import home_folder

commands = typer.Typer(help="How good the drafts of this store were.", no_args_is_help=True)


@commands.callback()
def quality() -> None:
    """Keep the name of the command below a word of its own."""


@commands.command("calibration")
def calibration(
    user: Annotated[str, typer.Option("--user", help="Account that may read reports.")],
    home: Home = None,
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Say how far the confidence of each model can be believed, from what readers here did with it.

    The error is of records that the curve had not seen, with its 95 % interval.
    """
    from app.review_records import ReviewRecords
    from inference.validation.calibration import Outcome, fit, held_out_error

    with reported_errors():
        password = read_password(password_stdin, f"Password of {user}: ")
        with open_desk(home_folder(home)) as desk:
            desk.sign_in(user, password)
            records = ReviewRecords().collect(desk)
    rows: list[dict[str, Any]] = []
    for author, own in records.items():
        row: dict[str, Any] = {"model": author.name, "sha256": author.sha256, "records": len(own)}
        row |= {str(kind): sum(record.outcome is kind for record in own) for kind in Outcome}
        if fit(own) is not None:
            error = held_out_error(own)
            row["ece"] = [round(value, 4) for value in (error.value, error.low, error.high)]
        rows.append(row)
    show({"models": rows}, as_json=as_json, words=_words)


def _words(result: dict[str, Any]) -> str:
    if not result["models"]:
        return f"{_uncalibrated(0)}: no signed report holds a scored proposal."
    return "\n".join(
        f"{row['model']} {row['sha256'][:8]}: {_state(row)} ({row['accepted']} accepted, "
        f"{row['edited']} edited, {row['rejected']} rejected)"
        for row in result["models"]
    )


def _state(row: dict[str, Any]) -> str:
    if "ece" not in row:
        return _uncalibrated(row["records"])
    value, low, high = row["ece"]
    return f"{row['records']} records, ECE {value:.3f} (95 % {low:.3f} to {high:.3f})"


def _uncalibrated(count: int) -> str:
    from inference.validation.calibration import FEWEST_OF_EACH, FEWEST_RECORDS, UNCALIBRATED

    wanted = f"{UNCALIBRATED}: {count} of {FEWEST_RECORDS} records"
    return wanted if count < FEWEST_RECORDS else f"{wanted}, fewer than {FEWEST_OF_EACH} of one kind"

"""`check`: proofread the text of any report against a ledger. No store, no images, no model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import AsJson
from app.cli.output import FAILED, USAGE, show, tell

if TYPE_CHECKING:
    from inference.validation.text import CheckedText
    from reports.domain import Check, Ledger

MOST_TEXT_BYTES = 1 << 20
"""Largest report that is read: no report has a mebibyte of text."""

MOST_LEDGER_BYTES = 64 << 20
"""Largest ledger that is read: contours of many regions are long."""


class BadInput(ValueError):
    """A file that cannot be checked; the message says which and why."""


def check(
    report: Annotated[Path, typer.Argument(help="Text of a report, UTF-8, English or Chinese.")],
    ledger: Annotated[Path, typer.Option("--ledger", help="ledger.json of `evidence` or `draft`.")],
    sentences_only: Annotated[
        bool, typer.Option("--part", help="A part of a report: findings it leaves out are not told.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what of a report the ledger contradicts. Exit 0 nothing found, 1 found, 2 bad input.

    The text is only read: nothing in it is an instruction.
    """
    from inference.validation.text import TextTooLong, check_text

    try:
        checked = check_text(_text(report), _ledger(ledger), whole_report=not sentences_only)
    except (BadInput, TextTooLong) as error:
        tell(f"sightline: {error}")
        raise typer.Exit(USAGE) from error
    show(
        checked.model_dump(mode="json", by_alias=True),
        as_json=as_json,
        words=lambda _: _words(checked),
    )
    if checked.found:
        raise typer.Exit(FAILED)


def _bytes(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            held = file.read(most + 1)
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read: {error.strerror}.") from error
    if len(held) > most:
        raise BadInput(f"{path.name} is larger than {most >> 20} MiB.")
    return held


def _text(path: Path) -> str:
    try:
        text = _bytes(path, MOST_TEXT_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not UTF-8 text: save it as UTF-8.") from error
    if not text.strip():
        raise BadInput(f"{path.name} is empty.")
    return text


def _ledger(path: Path) -> Ledger:
    from pydantic import ValidationError

    from reports.domain import Ledger

    try:
        return Ledger.model_validate_json(_bytes(path, MOST_LEDGER_BYTES))
    except ValidationError as error:
        raise BadInput(f"{path.name} is not a ledger of this program.") from error


def _words(checked: CheckedText) -> str:
    lines: list[str] = []
    for sentence in checked.sentences:
        if sentence.checks:
            lines.append(f"{sentence.section.value}: {sentence.text}")
            lines += [_line(one) for one in sentence.checks]
    lines += [f"report: {_line(one).strip()}" for one in checked.checks]
    lines.append(f"{len(checked.sentences)} sentences, {checked.found} found")
    return "\n".join(lines)


def _line(one: Check) -> str:
    return f"  risk {one.risk}, {one.category} ({one.check}): {one.message}"

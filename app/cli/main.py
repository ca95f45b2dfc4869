"""The table of commands, and how a command ends: exit 0 done, 1 failed or bad, 2 wrong use."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from app.cli.output import FAILED, OK, USAGE, CommandFailed, take_any_character, tell


def _commands() -> typer.Typer:
    from app.cli import (
        audit,
        checking,
        demo,
        drafting,
        exporting,
        guidelines,
        imaging,
        models,
        people,
        quality,
        signing,
    )

    program = typer.Typer(
        name="sightline",
        help="Every sentence in the report points at the pixels it came from. "
        "Research software. Not a medical device. Without a command, or with `open PATH`, the window "
        "opens.",
        no_args_is_help=False,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    program.command("inspect")(imaging.inspect)
    program.command("render")(imaging.render)
    program.command("evidence")(drafting.evidence)
    program.command("draft")(drafting.draft)
    program.command("check")(checking.check)
    program.command("guideline")(guidelines.guideline)
    program.command("sign")(signing.sign)
    program.command("verify")(signing.verify)
    program.command("export-marks")(exporting.export_marks)
    program.command("deidentify")(exporting.deidentify)
    program.command("recover")(people.recover)
    program.command("demo")(demo.demo)
    program.add_typer(people.commands, name="account")
    program.add_typer(audit.commands, name="audit")
    program.add_typer(models.commands, name="models")
    program.add_typer(quality.commands, name="quality")
    return program


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Raises nothing for what a person can cause: typed errors become words on stderr.
    """
    take_any_character()
    command = typer.main.get_command(_commands())
    try:
        result = command.main(list(arguments), prog_name="sightline", standalone_mode=False)
    except CommandFailed as error:
        tell(f"sightline: {error}")
        return FAILED
    except (typer.Abort, KeyboardInterrupt, BrokenPipeError):
        return FAILED
    except typer.Exit as done:
        return done.exit_code
    except Exception as error:
        if not _is_usage(error):
            raise
        error.show(file=sys.stderr)  # type: ignore[attr-defined]
        return USAGE
    return result if isinstance(result, int) else OK


def _is_usage(error: Exception) -> bool:
    """Tell whether typer found the command line itself wrong."""
    return any(kind.__name__ == "ClickException" for kind in type(error).__mro__)

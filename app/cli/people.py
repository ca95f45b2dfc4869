"""`account`: the people of a store. `add` makes the store when there is none yet."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import AsJson, Home, PasswordStdin
from app.cli.output import CommandFailed, reported_errors, show, tell
from app.cli.store import PASSPHRASE_FILE, open_desk, passphrase
from app.home import home_folder
from reports.domain import Role

if TYPE_CHECKING:
    from app.desk import Desk
    from reports.store.keys import ProviderKind

commands = typer.Typer(help="Accounts of the store.", no_args_is_help=True)


def read_password(from_stdin: bool, prompt: str) -> str:
    """Return a password from stdin or the terminal; it never stands on a command line.

    Raises
    ------
    CommandFailed
        There is none to read.
    """
    if from_stdin:
        line = sys.stdin.readline()
        if not line:
            raise CommandFailed("No password came on stdin.")
        return line.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandFailed("There is no terminal to ask for the password: use --password-stdin.")
    return getpass.getpass(prompt)


@commands.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    printed_name: Annotated[str, typer.Option("--printed-name", help="Name under a signature.")] = "",
    role: Annotated[Role, typer.Option("--role", help="What this person may do.")] = Role.RADIOLOGIST,
    key: Annotated[
        str,
        typer.Option(
            "--key", help="What opens a new store: keyring, passphrase, or file (not for patients)."
        ),
    ] = "",
    by: Annotated[
        str, typer.Option("--by", help="Administrator who adds; asked once there is one.")
    ] = "",
    home: Home = None,
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add an account; the first one makes the store."""
    from reports.store.database import Store
    from reports.store.keys import ProviderKind, keyring_is_available

    with reported_errors():
        folder = home_folder(home)
        if not key and not Store.exists(folder) and not keyring_is_available():
            raise CommandFailed(
                "This machine has no keyring for the key of a new store. Choose --key passphrase "
                f"(with {PASSPHRASE_FILE} or a terminal), or --key file for a demonstration."
            )
        kind = _key_provider(key) if key else ProviderKind.KEYRING
        # With an administrator, his password comes on the first line, the new one on the second.
        administrator = read_password(password_stdin, f"Password of {by}: ") if by else ""
        password = read_password(password_stdin, f"Password for {name}: ")
        with _opened(folder, kind) as desk:
            adder = desk.sign_in(by, administrator) if by else None
            account = desk.store.accounts.add(name, printed_name or name, role, password, by=adder)
            if desk.badge:
                tell(desk.badge)
    show(
        {"name": account.name, "printed_name": account.printed_name, "role": account.role.value},
        as_json=as_json,
        words=lambda made: f"{made['name']} ({made['role']}) was added to {folder}",
    )


def _key_provider(name: str) -> ProviderKind:
    """Return the key provider of this name; another name is wrong use."""
    from reports.store.keys import ProviderKind

    if name not in set(ProviderKind):
        raise typer.BadParameter(f"--key is one of {', '.join(ProviderKind)}, not {name!r}.")
    return ProviderKind(name)


def _opened(folder: Path, kind: ProviderKind) -> Desk:
    """Open the store, making it first when there is none."""
    from app.desk import Desk
    from reports.store.database import Store
    from reports.store.keys import ProviderKind

    if Store.exists(folder):
        return open_desk(folder)
    secret = passphrase() if kind is ProviderKind.PASSPHRASE else None
    return Desk.open(folder, create=kind, passphrase=secret, on_recovery_key=_tell_recovery_key)


def _tell_recovery_key(recovery_key: str) -> None:
    tell(f"Recovery key of this store, shown once, print it and lock it away: {recovery_key}")


@commands.command("list")
def list_accounts(home: Home = None, as_json: AsJson = False) -> None:
    """List the accounts of the store."""
    with reported_errors(), open_desk(home_folder(home)) as desk:
        found = [
            {
                "name": account.name,
                "printed_name": account.printed_name,
                "role": account.role.value,
                "disabled": account.disabled,
            }
            for account in desk.store.accounts.list()
        ]
    show(
        {"accounts": found},
        as_json=as_json,
        words=lambda _: "\n".join(
            "  ".join(
                [str(one["name"]), str(one["printed_name"]), str(one["role"])]
                + ["disabled"] * bool(one["disabled"])
            )
            for one in found
        ),
    )


@commands.command("disable")
def disable(
    name: Annotated[str, typer.Argument(help="Sign-in name of who leaves.")],
    by: Annotated[str, typer.Option("--by", help="Administrator; asked once there is one.")] = "",
    home: Home = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Disable an account for good; its signatures stay valid."""
    with reported_errors():
        administrator = read_password(password_stdin, f"Password of {by}: ") if by else ""
        with open_desk(home_folder(home)) as desk:
            adder = desk.sign_in(by, administrator) if by else None
            desk.store.accounts.disable(name, by=adder)
    tell(f"{name} can no longer sign in.")


@commands.command("password")
def change_password(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    home: Home = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Change a password: the old one first, then the new one (two lines with --password-stdin)."""
    with reported_errors():
        old = read_password(password_stdin, f"Old password of {name}: ")
        new = read_password(password_stdin, f"New password of {name}: ")
        with open_desk(home_folder(home)) as desk:
            desk.store.accounts.change_password(name, old, new)
    tell(f"The password of {name} was changed.")


def recover(
    key: Annotated[
        str, typer.Option("--key", help="What opens it from now on: keyring or passphrase.")
    ],
    home: Home = None,
    recovery_key_stdin: Annotated[
        bool, typer.Option("--recovery-key-stdin", help="Read the recovery key from stdin.")
    ] = False,
) -> None:
    """Open a store whose key is lost with the printed recovery key, and give it a new key provider."""
    with reported_errors():
        from reports.store.database import Store
        from reports.store.keys import (
            ProviderKind,
            RecoveryProvider,
            make_provider,
            replace_provider,
        )

        kind = _key_provider(key)
        folder = home_folder(home)
        printed = RecoveryProvider(read_password(recovery_key_stdin, "Recovery key: ").strip())
        # Opening checks the store with that key before anything is replaced.
        Store.open(folder, printed).close()
        secret = passphrase() if kind is ProviderKind.PASSPHRASE else None
        replace_provider(folder, printed, make_provider(kind, passphrase=secret))
        with open_desk(folder):
            pass
    tell(
        f"The store opens with its {kind.value} again. The recovery key stays the same: keep it locked."
    )

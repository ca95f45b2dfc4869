"""Accounts and keys from the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD, OTHER = "a good long password", "another good password"


def sightline(*arguments: str | Path, stdin: str = "", passphrase: Path | None = None):
    env = dict(os.environ)
    if passphrase is not None:
        env["SIGHTLINE_PASSPHRASE_FILE"] = str(passphrase)
    return subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=env,
    )


def add(home: Path, name: str, *options: str, stdin: str = PASSWORD + "\n", **more):
    return sightline(
        "account", "add", name, *options, "--password-stdin", "--home", home, stdin=stdin, **more
    )


def test_an_administrator_adds_and_disables(tmp_path: Path) -> None:
    assert add(tmp_path, "root", "--role", "administrator", "--key", "file").returncode == 0
    assert add(tmp_path, "ana").returncode == 1  # only the administrator may, now that there is one
    done = add(tmp_path, "ana", "--by", "root", stdin=f"{PASSWORD}\n{OTHER}\n")
    assert done.returncode == 0, done.stderr
    gone = sightline(
        "account", "disable", "ana", "--by", "root", "--password-stdin", "--home", tmp_path,
        stdin=PASSWORD + "\n",
    )  # fmt: skip
    assert gone.returncode == 0, gone.stderr
    listed = json.loads(sightline("account", "list", "--home", tmp_path, "--json").stdout)["accounts"]
    assert {one["name"]: one["disabled"] for one in listed} == {"ana": True, "root": False}


def test_a_password_is_changed_with_the_old_one(tmp_path: Path) -> None:
    add(tmp_path, "ana", "--key", "file")
    change = ("account", "password", "ana", "--password-stdin", "--home", tmp_path)
    wrong = sightline(*change, stdin=f"not it at all\n{OTHER}\n")
    assert wrong.returncode == 1
    right = sightline(*change, stdin=f"{PASSWORD}\n{OTHER}\n")
    assert right.returncode == 0, right.stderr


def test_a_lost_passphrase_is_replaced_with_the_printed_recovery_key(tmp_path: Path) -> None:
    home, first, second = tmp_path / "home", tmp_path / "first", tmp_path / "second"
    first.write_text("the first long passphrase\n")
    second.write_text("the second long passphrase\n")
    made = add(home, "ana", "--key", "passphrase", passphrase=first)
    assert made.returncode == 0, made.stderr
    found = re.search(r"(?:[A-Z0-9]{4}-){5,}[A-Z0-9]{4}", made.stderr)
    assert found is not None
    recover = ("recover", "--key", "passphrase", "--recovery-key-stdin", "--home", home)
    guessed = sightline(*recover, stdin="AAAA-" * 12 + "AAAA\n", passphrase=second)
    assert guessed.returncode == 1
    done = sightline(*recover, stdin=found.group(0) + "\n", passphrase=second)
    assert done.returncode == 0, done.stderr
    assert sightline("audit", "verify", "--home", home, passphrase=first).returncode == 1
    assert sightline("audit", "verify", "--home", home, passphrase=second).returncode == 0

"""The policy of this machine: a file that the administrator writes and no user of the program can.

Where the platform keeps such files; the file named by SIGHTLINE_POLICY is read only on a machine that
has none there. Its sections are read by whom they concern; what nobody reads is passed over.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inference.models.generation import ModelError
from inference.models.server import ModelServer
from inference.models.trust import Trust

POLICY_VARIABLE = "SIGHTLINE_POLICY"
LARGEST_POLICY = 1 << 20


class BrokenPolicy(ModelError):
    """A policy that is there and cannot be read: nothing that needs it goes on."""


class _Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    models: Trust = Field(default_factory=Trust)
    model_servers: tuple[ModelServer, ...] = ()


def machine_policy_path() -> Path:
    """Return where this platform keeps the policy; it need not exist."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "Sightline" / "policy.json"
    if sys.platform == "darwin":
        return Path("/Library/Application Support/Sightline/policy.json")
    return Path("/etc/sightline/policy.json")


def policy_path() -> Path | None:
    """Return the policy that holds on this machine, or none when there is none."""
    machine = machine_policy_path()
    if machine.is_file():
        return machine
    named = os.environ.get(POLICY_VARIABLE)
    return Path(named) if named else None


def model_trust() -> Trust:
    """Return whom this machine trusts for models; nobody without a policy.

    Raises
    ------
    BrokenPolicy
        There is a policy, and it cannot be read.
    """
    return _policy().models


def model_servers() -> tuple[ModelServer, ...]:
    """Return the servers of the institution that text may be sent to; none without a policy.

    Raises
    ------
    BrokenPolicy
        There is a policy, and it cannot be read.
    """
    return _policy().model_servers


def _policy() -> _Policy:
    path = policy_path()
    if path is None:
        return _Policy()
    try:
        with path.open("rb") as stream:
            return _Policy.model_validate_json(stream.read(LARGEST_POLICY))
    except OSError as error:
        raise BrokenPolicy("policy", f"The policy {path} cannot be read.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise BrokenPolicy(
            "policy", f"The policy {path} is not sound at {where}: {first['msg']}."
        ) from None

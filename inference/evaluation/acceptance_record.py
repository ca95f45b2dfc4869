"""What an acceptance test found, bound to exactly what was tested, and the door that asks for it.

The record lies beside the model. It holds for one model file, projector, program version, backend and
prompt profile: when one of them changes, the model must be tested again. Its own digest finds a record
that was damaged or edited by hand; it is no signature.
"""

from __future__ import annotations

import hashlib
import json
import re
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inference.models.generation import ModelError
from inference.models.profiles import PROFILES
from inference.models.registry import FileRole, InstalledModel

RECORD = "acceptance.json"
LARGEST_RECORD = 1 << 20


_BACKEND = re.compile(r"^(?:lib)?ggml-(?P<name>[a-z]+)(?<!base)[.-]")
"""Names of ggml's libraries: libggml-cpu.so, ggml-cuda.dll, libggml-metal.dylib; cpu-haswell is cpu."""


class Verdict(StrEnum):
    """What a model may do."""

    ACCEPTED = "accepted"
    TEXT_ONLY = "accepted for text only"
    NOT_ACCEPTED = "not accepted"


class Outcome(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_DONE = "not done"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Check(_Frozen):
    """One check.

    Parameters
    ----------
    found
        What was measured, in words with units.
    wanted
        What it takes to pass; empty for what is only told.
    for_text
        Needed for writing; the others are needed for pictures only.
    """

    id: str
    title: str
    outcome: Outcome
    found: str
    wanted: str = ""
    for_text: bool = False


class Binding(_Frozen):
    """Exactly what was tested: hashes of the files and of the prompt profile, program, backend."""

    model: str
    projector: str = ""
    program: str
    backend: str
    profile: str


_WORDS = {
    "model": "the model file", "projector": "the projector file", "program": "the program's version",
    "backend": "the backend", "profile": "the prompt profile",
}  # fmt: skip


class AcceptanceRecord(_Frozen):
    """The result of one acceptance test."""

    version: Literal["sightline.acceptance/1"] = Field("sightline.acceptance/1", alias="schema")
    name: str
    tested: str
    """Date and time with zone, ISO 8601."""
    binding: Binding
    checks: tuple[Check, ...]
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    digest: str = ""

    def sealed(self) -> AcceptanceRecord:
        """Return the record with the digest of everything else in it."""
        return self.model_copy(update={"digest": self._digest()})

    def is_whole(self) -> bool:
        """Return whether the digest is that of the record."""
        return self.digest == self._digest()

    def _digest(self) -> str:
        said = self.model_dump(mode="json", by_alias=True, exclude={"digest"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


class NotAccepted(ModelError):
    """The model has not passed the acceptance test as it is now."""


def verdict_of(checks: tuple[Check, ...]) -> tuple[Verdict, tuple[str, ...]]:
    """Return what a model may do, with the checks that it did not pass as reasons."""
    lacking = [check for check in checks if check.outcome is not Outcome.PASSED]
    reasons = tuple(f"{check.title}: {check.found}" for check in lacking)
    if any(check.for_text for check in lacking):
        return Verdict.NOT_ACCEPTED, reasons
    return (Verdict.TEXT_ONLY, reasons) if lacking else (Verdict.ACCEPTED, ())


@cache
def backend_name() -> str:
    """Return what runs models here: the library with its version, and the backends that it brings.

    Read from the names of its files: llama.cpp itself is loaded in the model worker only.
    """
    place = find_spec("llama_cpp")
    folders = place.submodule_search_locations if place else None
    names = {
        found["name"]
        for folder in folders or ()
        for file in (Path(folder) / "lib").iterdir()
        if (found := _BACKEND.match(file.name)) is not None
    }
    return f"llama-cpp-python {version('llama-cpp-python')}: {', '.join(sorted(names)) or 'unknown'}"


def program_version() -> str:
    """Return the name and version of this program."""
    return f"Sightline {version('sightline')}"


def binding_of(model: InstalledModel) -> Binding:
    """Return what a record of this model, as it is installed here and now, is bound to."""
    projector = model.manifest.file(FileRole.MMPROJ)
    return Binding(
        model=model.manifest.sha256,
        projector=projector.sha256 if projector else "",
        program=program_version(),
        backend=backend_name(),
        profile=PROFILES[model.manifest.prompt_profile].sha256,
    )


def record_path(model: InstalledModel, home: Path | None) -> Path:
    """Return where a record is written: beside the model, for a built-in one in the store's folder."""
    if model.built_in and home is not None:
        return home / f".accepted-{model.manifest.name}.json"
    return model.folder / RECORD


def write_record(record: AcceptanceRecord, path: Path) -> None:
    """Write a record, sealed, in place of an older one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = record.sealed().model_dump_json(indent=2, by_alias=True) + "\n"
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def read_record(model: InstalledModel, home: Path | None) -> AcceptanceRecord | None:
    """Return the record of a model, or none when there is none that can be read and is whole.

    A built-in model comes with its record; one that was made on this machine goes before it.
    """
    for path in dict.fromkeys((record_path(model, home), model.folder / RECORD)):
        try:
            with path.open("rb") as stream:
                record = AcceptanceRecord.model_validate_json(stream.read(LARGEST_RECORD))
        except (OSError, ValidationError):
            continue
        if record.is_whole():
            return record
    return None


def require_accepted(
    model: InstalledModel, home: Path | None, *, pictures: bool = False
) -> AcceptanceRecord:
    """Return the record of a model that may draft.

    Parameters
    ----------
    pictures
        What is wanted includes findings with boxes, not text alone.

    Raises
    ------
    NotAccepted
        It was not tested, did not pass, or something that its record is bound to has changed.
    """
    name = model.manifest.name
    command = f"Run `sightline models test {name}`."
    record = read_record(model, home)
    if record is None:
        raise NotAccepted("not_accepted", f"{name} has not been through its acceptance test. {command}")
    now = binding_of(model)
    # What comes with the program was tested with it on the processor, for whatever machine it runs on.
    held = _WORDS.keys() - ({"backend"} if model.built_in else set())
    changed = [
        words
        for key, words in _WORDS.items()
        if key in held and getattr(now, key) != getattr(record.binding, key)
    ]
    if changed:
        raise NotAccepted(
            "acceptance_void",
            f"{name} was accepted, but since then {_listed(changed)} changed. {command}",
        )
    if record.verdict is Verdict.NOT_ACCEPTED or (pictures and record.verdict is not Verdict.ACCEPTED):
        why = record.reasons[0] if record.reasons else record.verdict.value
        what = "for pictures " if record.verdict is Verdict.TEXT_ONLY else ""
        raise NotAccepted(
            "not_accepted", f"{name} did not pass its acceptance test {what}({why}). {command}"
        )
    return record


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

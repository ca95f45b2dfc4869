"""`models`: which models are installed; add from disk or USB, remove, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import AsJson, Home
from app.cli.output import CommandFailed, Progress, reported_errors, show
from app.home import home_folder

if TYPE_CHECKING:
    from inference.models.registry import InstalledModel, ModelRegistry

commands = typer.Typer(help="Models that may write.", no_args_is_help=True)


def _registry(home: Path | None) -> ModelRegistry:
    from app.engine import MODELS_FOLDER
    from inference.models.registry import ModelRegistry

    return ModelRegistry(home_folder(home) / MODELS_FOLDER)


def _entry(model: InstalledModel) -> dict[str, Any]:
    return {**model.manifest.model_dump(mode="json", by_alias=True), "folder": str(model.folder)}


def _words(entry: dict[str, Any]) -> str:
    kind = "demonstration model" if entry["demonstration"] else "model"
    return f"{entry['name']}  {entry['title']}  {entry['architecture']}  {kind}  {entry['licence']}"


@commands.command("list")
def list_models(home: Home = None, as_json: AsJson = False) -> None:
    """List installed models, and folders whose manifest is broken."""
    with reported_errors():
        registry = _registry(home)
        found = [_entry(model) for model in registry.list()]
        problems = [{"folder": str(folder), "reason": str(why)} for folder, why in registry.problems()]
    show(
        {"models": found, "problems": problems},
        as_json=as_json,
        words=lambda _: "\n".join(
            [*(_words(entry) for entry in found)]
            + [f"broken: {one['folder']}: {one['reason']}" for one in problems]
        ),
    )


@commands.command("add")
def add(
    manifest: Annotated[Path, typer.Argument(help="manifest.json of the model.", exists=True)],
    gguf: Annotated[Path, typer.Argument(help="The model's GGUF.", exists=True)],
    mmproj: Annotated[
        Path | None, typer.Option("--mmproj", help="Its projector GGUF.", exists=True)
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Copy a model whose hashes are those of its manifest into this store."""
    with reported_errors():
        added = _entry(_registry(home).add(gguf, mmproj, manifest, progress=Progress("copying bytes")))
    show(added, as_json=as_json, words=_words)


@commands.command("remove")
def remove(name: str, home: Home = None, as_json: AsJson = False) -> None:
    """Delete a sideloaded model."""
    with reported_errors():
        _registry(home).remove(name)
    show({"removed": name}, as_json=as_json, words=lambda done: f"{done['removed']} was removed")


@commands.command("verify")
def verify(name: str, home: Home = None, as_json: AsJson = False) -> None:
    """Hash every file of a model against its manifest."""
    from inference.models.registry import HashMismatch

    with reported_errors():
        try:
            checked = _entry(_registry(home).verify(name, progress=Progress("hashing bytes")))
        except HashMismatch as error:
            raise CommandFailed(str(error)) from error
    show(
        checked,
        as_json=as_json,
        words=lambda entry: f"{entry['name']}: every file is as in its manifest",
    )

"""`models`: which models are installed; add from disk or USB, remove, verify."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import AsJson, Home
from app.cli.output import CommandFailed, Progress, reported_errors, show, tell
from app.home import home_folder

if TYPE_CHECKING:
    from inference.models.registry import InstalledModel, ModelRegistry

commands = typer.Typer(help="Models that may write.", no_args_is_help=True)


def _registry(home: Path | None) -> ModelRegistry:
    from app.engine import MODELS_FOLDER
    from app.machine_policy import model_trust
    from inference.models.registry import ModelRegistry

    return ModelRegistry(home_folder(home) / MODELS_FOLDER, trust=model_trust)


def _entry(model: InstalledModel) -> dict[str, Any]:
    return {**model.manifest.model_dump(mode="json", by_alias=True), "folder": str(model.folder)}


def _words(entry: dict[str, Any]) -> str:
    kind = "demonstration model" if entry["demonstration"] else "model"
    return f"{entry['name']}  {entry['title']}  {entry['architecture']}  {kind}  {entry['licence']}"


@commands.command("list")
def list_models(home: Home = None, as_json: AsJson = False) -> None:
    """List installed models, servers of the policy, and folders whose manifest is broken."""
    from app.machine_policy import model_servers

    with reported_errors():
        servers = model_servers()
        registry = _registry(home)
        found = [_entry(model) for model in registry.list()]
        problems = [{"folder": str(folder), "reason": str(why)} for folder, why in registry.problems()]
    show(
        {
            "models": found,
            "servers": [one.model_dump(mode="json") for one in servers],
            "problems": problems,
        },
        as_json=as_json,
        words=lambda _: "\n".join(
            [*(_words(entry) for entry in found)]
            + [f"{one.model}  {one.words()}" for one in servers]
            + [f"broken: {one['folder']}: {one['reason']}" for one in problems]
        ),
    )


@commands.command("add")
def add(
    source: Annotated[
        Path, typer.Argument(help="Folder of the model (a USB stick), or its manifest.", exists=True)
    ],
    gguf: Annotated[
        Path | None, typer.Argument(help="The model's GGUF, if not beside the manifest.", exists=True)
    ] = None,
    mmproj: Annotated[
        Path | None, typer.Option("--mmproj", help="Its projector GGUF.", exists=True)
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Copy a model into this store: signed by a publisher of the policy, or on its list."""
    from inference.models.registry import MANIFEST

    manifest = source / MANIFEST if source.is_dir() else source
    with reported_errors():
        registry = _registry(home)
        added = registry.add(gguf, mmproj, manifest, progress=Progress("copying bytes"))
        entry = {**_entry(added), "vouched": registry.vouched(added)}
    show(
        entry,
        as_json=as_json,
        words=lambda one: (
            f"{_words(one)}\n{one['vouched']}. It may not draft before: "
            f"sightline models test {one['name']}"
        ),
    )


@commands.command("sign")
def sign_manifest(
    manifest: Annotated[Path, typer.Argument(help="manifest.json to sign.", exists=True)],
    key: Annotated[Path, typer.Option("--key", help="Ed25519 private key, PEM.", exists=True)],
    publisher: Annotated[str, typer.Option("--publisher", help="Name as the policies list it.")],
    as_json: AsJson = False,
) -> None:
    """Sign a manifest as a publisher; prints what the policy of a machine must list."""
    from inference.models.trust import public_key, sign, write_signature

    with reported_errors():
        secret = key.read_bytes()
        path = write_signature(sign(manifest.read_bytes(), publisher, secret), manifest)
        entry = {"signature": str(path), "publisher": {"name": publisher, "key": public_key(secret)}}
    show(
        entry,
        as_json=as_json,
        words=lambda one: (
            f"{one['signature']}\nfor models.publishers of the policy: {json.dumps(one['publisher'])}"
        ),
    )


@commands.command("test")
def test(
    name: str,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write one page to file away.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Put a model through its acceptance test; it may draft once it was accepted."""
    import datetime as dt

    from inference.evaluation.acceptance import accept
    from inference.evaluation.acceptance_record import Verdict, record_path, write_record
    from inference.models.client import ModelClient

    with reported_errors():
        registry = _registry(home)
        model = registry.get(name)
        vouched = registry.vouched(model)
        with ModelClient(model) as client:
            record = accept(
                model,
                client,
                now=dt.datetime.now().astimezone(),
                tell=lambda what: tell(f"testing: {what}"),
            )
        write_record(record, record_path(model, registry.home))
        if pdf is not None:
            from app.acceptance_page import acceptance_page
            from app.files import write_private

            write_private(pdf, acceptance_page(record, model.manifest, vouched))
    show(record.model_dump(mode="json", by_alias=True), as_json=as_json, words=_verdict_words)
    if record.verdict is Verdict.NOT_ACCEPTED:
        raise typer.Exit(1)


def _verdict_words(record: dict[str, Any]) -> str:
    rows = [
        f"  {check['outcome']:<9} {check['title']}: {check['found']}"
        + (f" (wanted: {check['wanted']})" if check["wanted"] and check["outcome"] == "failed" else "")
        for check in record["checks"]
    ]
    return "\n".join([f"{record['name']}: {record['verdict']}", *rows])


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

"""`guideline`: what a guideline advises for features that a person confirms, and by which node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import AsJson
from app.cli.output import USAGE, show, tell

if TYPE_CHECKING:
    from inference.validation.guidelines import Advice, Asked, Guideline, Value


def guideline(
    name: Annotated[str, typer.Argument(help="fleischner-2017, lung-rads-2022 or ti-rads-2017.")],
    features: Annotated[
        list[str] | None, typer.Argument(help="Confirmed features: age=61 type=solid size=7 ...")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="en or zh-CN.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Walk a guideline over confirmed features; say what is missing, or the advice and its node.

    Exit 0 for advice or an exclusion, 2 when a feature is missing or does not fit.
    """
    from inference.validation.guidelines import Asked, GuidelineError, advise, guidelines

    known = guidelines()
    if name not in known:
        tell(f"sightline: there is no guideline {name}; there are {', '.join(known)}.")
        raise typer.Exit(USAGE)
    try:
        found = advise(known[name], _confirmed(known[name], features or []))
    except GuidelineError as error:
        tell(f"sightline: {error}")
        raise typer.Exit(USAGE) from error
    show(
        found.model_dump(mode="json"),
        as_json=as_json,
        words=lambda _: _words(known[name], found, language),
    )
    if isinstance(found, Asked):
        raise typer.Exit(USAGE)


def _confirmed(guideline: Guideline, features: list[str]) -> dict[str, Value]:
    from inference.validation.guidelines import GuidelineError, InputKind

    confirmed: dict[str, Value] = {}
    for feature in features:
        name, equals, text = feature.partition("=")
        asked = guideline.inputs.get(name)
        if not equals or asked is None:
            raise GuidelineError(
                f"{feature!r} is no feature of {guideline.name}: give {', '.join(guideline.inputs)} "
                "as name=value."
            )
        if asked.kind is InputKind.NUMBER:
            try:
                confirmed[name] = float(text)
            except ValueError:
                raise GuidelineError(f"{name}: {text!r} is not a number.") from None
        elif asked.kind is InputKind.FLAG and text in {"yes", "no"}:
            confirmed[name] = text == "yes"
        else:
            confirmed[name] = text
    return confirmed


def _words(guideline: Guideline, found: Advice | Asked, language: str) -> str:
    from inference.validation.guidelines import Asked

    if isinstance(found, Asked):
        asked = guideline.inputs[found.input]
        fitting = ", ".join(asked.choices) or {"number": asked.unit, "flag": "yes or no"}[asked.kind]
        return f"Needed next: {found.input} ({asked.words[language]}: {fitting})"
    if found.refuses:
        return f"{guideline.title[language]}: {found.refuses[language]}"
    way = " > ".join(found.path)
    return f"{found.sentence(language)}\nnode: {way}\nsource: {found.source}"

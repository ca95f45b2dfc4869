"""The tables of `run.py quality`: every measured promise that is no matter of speed, in one page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "quality.md"

_HEAD = """# Quality

Written by `python3 run.py quality`; each table is made anew by the module that is named under it.
How the seeded-error set is built, and what was looked at when: [checking.md](checking.md).
"""


@dataclass(frozen=True)
class Table:
    """A table of the page: its title and the module of `inference.evaluation` with a `table()`."""

    title: str
    module: str


TABLES: tuple[Table, ...] = (
    Table("Seeded errors: what the checks of a report find", "seeded_scores"),
    Table("Injection: texts that try to act as an instruction", "injection"),
    Table("Calibration of confidence, on made-up readers", "calibration_demo"),
    Table("CT head: what the tools make of an analytic head", "head_phantom"),
    Table("MR brain: bright lesions found in an analytic head", "brain_phantom"),
    Table("CT abdomen: what the tools make of an analytic abdomen", "abdomen_phantom"),
    Table("PET: what the tools make of an analytic phantom", "pet_phantom"),
    Table("Radiograph: what the tools make of an analytic chest", "radiograph_phantom"),
    Table("Image quality: noise, metal, truncation and clipping that are known", "quality_phantom"),
    Table("Lung masks on hard chests", "lung_cases"),
    Table("Nodules laid into scans", "nodules"),
)
"""In the order of the page."""


def markdown(made: Any) -> str:
    """Return a table as Markdown: text as it is, rows of names and values, or a head with rows."""
    if isinstance(made, str):
        return made
    if isinstance(made[0], Mapping):
        head = list(dict.fromkeys(name for row in made for name in row))
        rows = [[row.get(name, "") for name in head] for row in made]
    else:
        head, rows = made
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "/")


def page(say: Callable[[str], None]) -> str:
    """Return the page; each table is also said as soon as it is there."""
    parts = [_HEAD]
    for row in TABLES:
        name = f"inference.evaluation.{row.module}"
        made = markdown(import_module(name).table())
        parts.append(f"## {row.title}\n\n{made}\n\nMade by `{name}`.\n")
        say(parts[-1])
    return "\n".join(parts)


def main() -> int:
    """Print the tables and write the page."""

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    PAGE.write_text(page(say), encoding="utf-8")
    say(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

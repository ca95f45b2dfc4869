"""Runs every benchmark of this folder and writes docs/benchmarks.md; `python3 run.py bench`.

A benchmark is a module `bench_*.py` with `run() -> list of rows` of name, ours, reference, ratio and
note, both sides timed in the same run. Nothing here is asserted: times depend on the machine.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DOCUMENT = FOLDER.parents[1] / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

Written by `python3 run.py bench`. Trust the ratios: each stands for one run on one machine, ours and
the reference timed by turns. Nothing of this is asserted by the test suite.

"""


def machine() -> str:
    """Describe the machine in the words that matter for the figures."""
    return (
        f"Machine: {os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}, no GPU used."
    )


def figure(value: object) -> str:
    """Return a number with three significant digits, or the text that stands for it."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def table(rows: Iterable[Mapping[str, object]]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | ours | reference | ratio | note |", "|---|---|---|---|---|"]
    for row in rows:
        figures = " | ".join(figure(row[column]) for column in ("ours", "reference", "ratio"))
        lines.append(f"| {row['name']} | {figures} | {row['note']} |")
    return "\n".join(lines)


def main(names: list[str]) -> int:
    """Run the named benchmarks (all by default), print them, and write the document when all ran."""
    sys.path.insert(0, str(FOLDER))
    found = sorted(path.stem for path in FOLDER.glob("bench_*.py"))
    parts = []
    for module in found:
        if names and module.removeprefix("bench_") not in names:
            continue
        benchmark = importlib.import_module(module)
        title = (benchmark.__doc__ or module).strip().splitlines()[0]
        print(f"running {module} ...", flush=True)
        part = f"## {title}\n\n{table(benchmark.run())}\n"
        print(part, flush=True)
        parts.append(part)
    if not names:
        DOCUMENT.write_text(f"{HEAD}{machine()}\n\n" + "\n".join(parts), encoding="utf-8")
        print(f"wrote {DOCUMENT.relative_to(FOLDER.parents[1])}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""The house rules are tests: style, types, layers, module size, and nothing private in the files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_MODULE = 500


def run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]


def tracked(pattern: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--", pattern], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).exists()]


def test_code_is_formatted_and_clean() -> None:
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")


def test_types_hold_outside_qt() -> None:
    run("mypy")


def test_layers_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]


def test_modules_are_small_enough_to_see() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }
    assert not long


def test_every_package_is_listed_for_the_build() -> None:
    import tomllib

    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in tracked("*__init__.py")
        if path.relative_to(ROOT).parts[0] not in {"tests", "packaging"}
    }
    assert found == listed


@pytest.mark.parametrize("suffix", ["*.py", "*.md", "*.toml", "*.json", "*.txt", ".ci/*"])
def test_no_path_of_a_machine_is_written(suffix: str) -> None:
    private = re.compile(r"(?<![\w.])/(work|root)/\w")
    hits = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in tracked(suffix)
        if (match := private.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert not hits


HEAVY = {
    *("torch", "vtk", "vtkmodules", "SimpleITK", "scipy", "llama_cpp", "highdicom", "pydicom"),
    *("imagecodecs", "PIL", "pypdfium2", "reportlab", "pyhanko", "lxml", "gdcm", "sqlalchemy"),
}
"""Packages that are slow to import: each comes with the first work that needs it."""


@pytest.mark.parametrize(
    ("start", "more"), [("app.cli.main", {"PySide6"}), ("app.shell.application", set())]
)
def test_start_up_imports_nothing_heavy(start: str, more: set[str]) -> None:
    code = (
        f"import sys, {start}; "
        f"found = {HEAVY | more} & {{name.split('.')[0] for name in sys.modules}}; "
        "assert not found, found"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


BEHIND_SIGN_IN = {
    *("app.desk", "app.engine", "app.documents", "app.shell.rooms", "app.shell.reading", "numpy"),
    *("app.shell.worklist.page", "app.shell.report.panel", "app.shell.marks.part", "typer", "rich"),
    *("inference", "reports.domain", "reports.export", "viewer.imaging.study", "PySide6.QtNetwork"),
}
"""What the window reads only once its sign-in page is painted."""


def test_the_sign_in_page_waits_for_nothing_behind_it() -> None:
    code = (
        "import sys, app.shell.application; "
        f"found = {BEHIND_SIGN_IN} & set(sys.modules); "
        "assert not found, found"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_no_dependency_is_under_the_gpl() -> None:
    from importlib.metadata import distributions

    def licence(dist) -> str:  # type: ignore[no-untyped-def]
        classifiers = [c for c in dist.metadata.get_all("Classifier") or () if c.startswith("License")]
        return " ".join([dist.metadata.get("License-Expression") or "", *classifiers])

    strict = re.compile(r"(?<!Lesser )(?<!L)(?<!or )\bA?GPL|Affero|GNU General Public")
    # PySide6 is offered under the LGPL as well as the GPL: a choice, ours is the LGPL.
    found = {
        dist.metadata["Name"]: text
        for dist in distributions()
        if strict.search(text := licence(dist)) and "LGPL" not in text and "Lesser" not in text
    }
    assert not found


def test_every_tested_version_is_pinned_and_no_left_over() -> None:
    import tomllib
    from importlib.metadata import distribution

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    pending = [Requirement(text) for group in (project["dependencies"], *extras) for text in group]
    installed: dict[str, str] = {}
    named: set[str] = set()
    seen = set()
    while pending:
        wanted = pending.pop()
        name, chosen = canonicalize_name(wanted.name), frozenset(wanted.extras)
        named.add(name)
        if (name, chosen) in seen:
            continue
        seen.add((name, chosen))
        found = distribution(name)
        installed[name] = found.version.partition("+")[0]
        for one in map(Requirement, found.requires or ()):
            named.add(canonicalize_name(one.name))
            if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in ("", *chosen)):
                pending.append(one)
    lines = (ROOT / "constraints.txt").read_text().split()
    pins = {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines}
    # Which libraries of a graphics card torch brings is the machine's affair.
    other = {name: version for name, version in installed.items() if pins.get(name) != version}
    assert not {name for name in other if not name.startswith(("nvidia-", "triton", "cuda-"))}
    assert pins.keys() <= named

"""Documents made once, and the tools that judge them from outside (poppler, qpdf)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import export_sample
import pytest
from export_sample import Tool

from reports.export.pdf import build_pdf
from reports.export.seal import SealKey, new_seal_key, seal


@pytest.fixture(scope="session")
def seal_key() -> SealKey:
    """Key of this installation."""
    return new_seal_key("Example Hospital, Radiology", installation_id="machine-1")


@pytest.fixture(scope="session")
def draft_pdf() -> bytes:
    """A draft that nobody signed."""
    return build_pdf(export_sample.document())


@pytest.fixture(scope="session")
def final_pdf() -> bytes:
    """A signed report, laid out and not sealed yet."""
    return build_pdf(export_sample.document(export_sample.signed()))


@pytest.fixture(scope="session")
def sealed_pdf(final_pdf: bytes, seal_key: SealKey) -> bytes:
    """A signed and sealed report."""
    return seal(final_pdf, seal_key, location="Example Hospital")


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """Run an outside tool on PDF bytes and return what it prints; skip where it is not installed."""

    def run(name: str, pdf: bytes, *after: str, before: tuple[str, ...] = ()) -> str:
        program = shutil.which(name)
        if program is None:
            pytest.skip(f"{name} is not installed (Debian: apt-get install poppler-utils qpdf)")
        path = tmp_path / "document.pdf"
        path.write_bytes(pdf)
        done = subprocess.run(
            [program, *before, str(path), *after],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run

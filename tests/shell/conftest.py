"""Fixtures of the desktop tests: a report model on the invented report."""

from __future__ import annotations

import os

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import report_sample
from PySide6.QtWidgets import QApplication

from app.report_model import ReportModel
from app.shell.style import apply_style
from viewer.views.theme import Theme


@pytest.fixture
def empty_model() -> ReportModel:
    """A report without a sentence, with the phantom's ledger."""
    return ReportModel(
        report_sample.sample_report(),
        report_sample.sample_ledger(),
        check=report_sample.check_sides,
        reader="Dr R. Okafor",
    )


@pytest.fixture
def model(empty_model: ReportModel) -> ReportModel:
    """The same report with the draft loaded, nothing reviewed."""
    empty_model.load_draft(report_sample.sample_draft(), report_sample.sample_ledger())
    return empty_model


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    """The look at scale 1, given to the application once: a style sheet repolishes every widget."""
    made = Theme()
    apply_style(qapp, made)
    # A caret that blinks would make two pictures of the same text differ.
    qapp.setCursorFlashTime(0)
    return made

"""Fixtures of the desktop tests: a report model on the invented report."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import report_sample

from app.report_model import ReportModel


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

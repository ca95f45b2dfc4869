"""A draft folder of images that a segmentation cannot refer to: everything but the masks."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.draft_files import DraftFolder
from app.engine import Engine


@pytest.mark.shared
def test_a_draft_stands_without_its_masks(
    shared_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Engine() as engine:
        study = engine.reader.index([shared_data / "ct/upper_abdomen_TotalSegmentator"]).studies[0]
        with engine.reader.open(study.series[0]) as opened:
            ledger, masks = engine.collect(study, opened)
            assert masks.series  # there is something to write
            folder = DraftFolder(tmp_path / "draft").made()
            written = folder.write_evidence(engine, study, opened.stack, ledger, masks)
    assert [one.name for one in written] == ["ledger.json"]
    assert "No segmentation was written" in caplog.text and "SOPInstanceUID" in caplog.text

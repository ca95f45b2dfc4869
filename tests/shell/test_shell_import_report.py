"""What an import tells: files left out with their reason, files that were read but ask for a look."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.demo import sample
from app.shell.worklist.import_report import ImportBar, Imported, ImportReport
from viewer.imaging.index import index_paths
from viewer.views.theme import Theme

pytestmark = pytest.mark.gui


@pytest.fixture
def imported(tmp_path: Path) -> Imported:
    """An import of one good image that begins as a program does, and one text file."""
    whole = sorted(sample().rglob("*.dcm"))[0].read_bytes()
    (tmp_path / "program.dcm").write_bytes(b"MZ" + whole[2:])
    (tmp_path / "letter.dcm").write_text("no image")
    return Imported((tmp_path.name,), index_paths([str(tmp_path)]), 0.1, "14:08")


def test_a_file_that_is_a_program_too_is_named_in_the_report(
    qtbot: QtBot, theme: Theme, imported: Imported
) -> None:
    report = ImportReport(theme)
    qtbot.addWidget(report)
    report.show_import(imported)
    names = {widget.accessibleName() for widget in report.findChildren(object) if widget.isWidgetType()}
    said = next(name for name in names if name.startswith("program.dcm:"))
    assert "program" in said.removeprefix("program.dcm:")
    assert any(name.startswith("letter.dcm:") for name in names)
    assert len(imported.text().splitlines()) == 2


@pytest.mark.parametrize(
    ("left_out", "words"), [(True, "1 file could not be read"), (False, "1 file to know about")]
)
def test_the_bar_leads_to_the_list_for_either_kind(
    qtbot: QtBot, theme: Theme, imported: Imported, left_out: bool, words: str
) -> None:
    bar = ImportBar(theme)
    qtbot.addWidget(bar)
    kept = imported.index if left_out else imported.index.model_copy(update={"bad_files": ()})
    bar.start(["folder"])
    bar.finish(Imported(imported.names, kept, 0.1, "14:08"))
    assert not bar.list.isHidden()
    assert bar.bad.text() == words

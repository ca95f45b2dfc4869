"""Every act of the table through the real window: by its key or the palette, with what is then seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import every_act_page_rows
import every_act_rows
import pytest
from every_act_scene import ACTS, Prompt, Stand, make_scene
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.shell.act_binding import act_text
from reports.audit.event import AuditAct
from viewer.acts import Scope
from viewer.views.key_bindings import keymap

pytestmark = pytest.mark.gui

REPORT, RECORD, EXPORT = (
    AuditAct.REPORT_SAVED,
    AuditAct.STUDY_RECORD_SAVED,
    AuditAct.DOCUMENT_EXPORTED,
)

AUDIT: dict[str, tuple[AuditAct, str]] = {
    "report.accept": (REPORT, "report.accept"),
    "report.strike_or_restore": (REPORT, "report.reject"),
    "report.flip_side": (REPORT, "report.flip_side"),
    "report.repair": (REPORT, "report."),
    "report.normals": (REPORT, "report.normals"),
    "report.accept_candidate": (REPORT, "report.accept_candidate"),
    "report.reject_candidate": (REPORT, "report.reject_candidate"),
    "report.save": (REPORT, "report.accept"),
    "viewport.copy_image": (EXPORT, "copied"),
    "registration.confirm": (RECORD, "regist"),
    "registration.forget": (RECORD, "regist"),
    "window.open_study": (AuditAct.STUDY_OPENED, ""),
    "window.export_pdf": (EXPORT, "pdf"),
    "window.copy_text": (EXPORT, "text"),
    "window.sign_out": (AuditAct.LOGOUT, ""),
    "window.lock": (AuditAct.LOGOUT, ""),
    "window.mark_new_lesion": (RECORD, "MARKS"),
    "window.mark_no_lesion": (RECORD, "MARKS"),
    "window.copy_image_named": (EXPORT, "copied"),
    "window.save_image": (EXPORT, "saved"),
    "window.save_image_named": (EXPORT, "saved"),
    "window.export_marks": (EXPORT, ""),
    "window.key_images_export": (EXPORT, ""),
}
"""What the audit log has of an act once it is done, and a word of its detail."""

ASKING = {
    "report.draft", "report.sign", "window.addendum", "window.mark_lesion", "window.print",
    "window.deidentify",
}  # fmt: skip
"""Audited acts that first ask or work on: what they leave is tested with the answers elsewhere."""

ROWS = {**every_act_page_rows.ROWS, **every_act_rows.ROWS}


@pytest.fixture(scope="module")
def stand(
    request: pytest.FixtureRequest, qapp: QApplication, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    """One window for all acts."""
    place = tmp_path_factory.mktemp("acts")
    home, studies = make_scene(place)
    driver = Prompt(QtBot(request), home)
    driver.sign_in()
    driver.until(lambda: driver.window.session.is_open)
    made = Stand(driver, studies, place)
    with pytest.MonkeyPatch.context() as patch:
        # The system's own dialogs: a person answers them.
        patch.setattr(QFileDialog, "getSaveFileName", made.new_file)
        patch.setattr(QFileDialog, "getExistingDirectory", made.new_folder)
        patch.setattr(QFileDialog, "getOpenFileNames", lambda *_asked: ([str(made.letter())], ""))
        yield made
    driver.leave()


def test_every_act_has_a_row() -> None:
    assert set(ROWS) == set(ACTS)
    assert {act.name for act in ACTS.values() if act.audited} == set(AUDIT) | ASKING


@pytest.mark.parametrize("name", ROWS)
def test_the_act_does_what_it_says(stand: Stand, name: str) -> None:
    row = ROWS[name]
    row.at(stand)
    if row.first is not None:
        row.first(stand)
    reason = stand.window.why_not(name)
    assert not reason
    before = row.see(stand)
    saves = name != "report.save"
    logged = len(stand.events(*AUDIT[name], saves=saves)) if name in AUDIT else 0
    if row.by is not None:
        row.by(stand)
    else:
        stand.ask(name)
    stand.d.until(lambda: row.see(stand) != before)
    if name in AUDIT:
        assert len(stand.events(*AUDIT[name])) == logged + 1
    if row.back:
        after = row.see(stand)
        stand.key("Ctrl+Z")
        stand.d.until(lambda: row.see(stand) == before)
        stand.key("Ctrl+Y")
        stand.d.until(lambda: row.see(stand) == after)
        stand.key("Ctrl+Z")


def seen(stand: Stand) -> Any:
    """Everything that an act may change on the reading page."""
    grid, stage = stand.grid, stand.stage
    panes = [(pane.stack() and pane.stack().series.key, pane.model.state) for pane in grid.panes()]
    switches = (grid.tool, grid.arrangement, grid.tiled, grid.maximised, grid.linked, grid.zoom_linked)
    more = (grid.window_linked, grid.reference_lines, grid.corner_text, grid.graphics_shown)
    report = (stand.d.model.sentences, stand.d.model.candidates, stand.d.panel.tabs.currentIndex())
    return panes, switches, more, report, stand.board.marks, stage.name, stand.layers(), stand.page()


SITUATIONS = {
    "images": Stand.images,
    "sentence": Stand.sentence,
    "two": Stand.two,
    "mark": Stand.mark,
    "planes": Stand.mpr,
    "3D": Stand.in_3d,
    "final": Stand.phases,
    "fusion": Stand.lying_over,
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_does_not_fit_says_why_and_does_nothing(stand: Stand, name: str) -> None:
    SITUATIONS[name](stand)
    before, refused = seen(stand), []
    for act in ACTS.values():
        reason = stand.window.why_not(act.name)
        if not reason:
            continue
        refused.append(act.name)
        # A phrase, a phrase that begins with a short name (CT, 3D), or a whole sentence.
        first = reason.split()[0]
        assert first[0].islower() or first.isupper() or reason.endswith("."), reason
        assert not stand.window.perform(act.name)
        if name != "sentence" or act.scope is not Scope.VIEWPORT:  # those are letters there
            for key in keymap().keys_of(act):
                stand.key(key)
        assert seen(stand) == before, act.name
    assert len(refused) > 20
    stand.window.open_palette()
    rows = {row.name: row for row in stand.window.palette_layer.rows() if row.name}
    assert set(rows) == set(ACTS)
    for act in ACTS.values():
        row = rows[act.name]
        assert (row.text, row.key) == (act_text(act), keymap().key_of(act))
        assert bool(row.reason) == (act.name in refused), act.name


@pytest.mark.parametrize("name", ["planes", "3D"])
def test_keys_in_a_workspace_leave_the_viewports_alone(stand: Stand, name: str) -> None:
    SITUATIONS[name](stand)
    workspace = stand.stage.name
    before = [pane.model.state for pane in stand.grid.panes()]
    for act in ACTS.values():
        if act.scope is not Scope.VIEWPORT or act.name.startswith(("viewport.mark", "viewport.key")):
            continue
        for key in keymap().keys_of(act):
            stand.key(key)
        assert stand.stage.name == workspace, act.name
        assert [pane.model.state for pane in stand.grid.panes()] == before, act.name
        assert not stand.d.viewport.cine.playing
    toast = stand.d.panel.toast
    stand.key("C")
    assert toast.text == f"Play the images, or stop: {stand.window.why_not('viewport.cine')}"
    two_marks(stand)
    stand.key("N")
    stand.d.until(lambda: stand.board.selected_id == stand.board.marks[0].id)


def two_marks(stand: Stand) -> None:
    """Two marks on images of the study, none selected."""
    stand.board.add(stand.mark_at(5), stand.mark_at(20))
    stand.board.select("")


def fields(stand: Stand) -> Iterator[tuple[str, QWidget]]:
    """Everything that takes text, opened one after the other."""
    panel = stand.d.panel
    yield "report", panel.editor
    yield "question", panel.question.findChild(QLineEdit)
    stand.perform("window.palette")
    yield "palette", stand.window.palette_layer.field
    stand.window.palette_layer.dismiss()
    stand.perform("window.shortcuts")
    yield "sheet", stand.window.sheet.field
    stand.window.sheet.dismiss()
    stand.perform("window.preferences")
    layer = stand.window.personal.layer
    for number, field in enumerate(layer.findChildren(QLineEdit)):
        if field.isVisible() and field.isEnabled():
            yield f"preferences {number}", field
    layer.dismiss()
    stand.mark()
    stand.ask("viewport.mark_rename")
    yield "name of a mark", stand.window.focusWidget()
    stand.key("Esc")
    stand.perform("window.marks")
    for number, field in enumerate(stand.d.reading.side.findChildren(QLineEdit)):
        if field.isVisible() and field.isEnabled():
            yield f"side panel {number}", field


def test_single_keys_are_letters_wherever_text_is_written(stand: Stand) -> None:
    stand.images()
    panes = stand.grid.panes()
    wrote = []
    for name, field in fields(stand):
        field.setFocus()
        stand.d.until(field.hasFocus)
        if isinstance(field, QLineEdit):
            field.clear()
        marks = stand.board.marks
        before = [pane.model.state for pane in panes], stand.grid.tool, stand.stage.name
        QTest.keyClicks(field, "swzpcihvrRmgfkxolabuetynj19,.")
        assert ([pane.model.state for pane in panes], stand.grid.tool, stand.stage.name) == before, name
        assert stand.board.marks == marks and not stand.d.viewport.cine.playing, name
        text = field.text() if isinstance(field, QLineEdit) else field.toPlainText()
        assert "swzpcihvrRmgfkxolabuetynj" in text, name
        wrote.append(name)
    assert {"report", "question", "palette", "sheet", "name of a mark"} <= set(wrote)


def test_the_sheet_lists_every_key_and_fits_the_window(stand: Stand) -> None:
    stand.images()
    stand.perform("window.shortcuts")
    sheet = stand.window.sheet
    assert stand.window.rect().contains(sheet.geometry())
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    for act in ACTS.values():
        if keymap().keys_of(act):
            assert act_text(act) in shown
    area = sheet._area
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
    stand.key("Esc")
    assert not sheet.isVisible()


def test_no_two_acts_have_the_same_words_or_key() -> None:
    texts = Counter(act.text.lower() for act in ACTS.values())
    keys = Counter(key for act in ACTS.values() for key in act.keys)
    assert [text for text, count in texts.items() if count > 1] == []
    assert [key for key, count in keys.items() if count > 1] == []
    assert all(act.text[0].isupper() or act.text[0].isdigit() for act in ACTS.values())
    assert not any(act.text.endswith(".") for act in ACTS.values())

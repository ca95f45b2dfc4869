"""Writing in the report with keys and mouse, on the real widget."""

from __future__ import annotations

import pytest
import report_sample
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtTest import QTest

from app.report_model import ReportModel
from app.shell.report.document import RowKind, kind_of, sentence_blocks, text_of
from app.shell.report.editor import ReportEditor
from app.shell.report.gutter import tip_at
from app.shell.undoing import Undoing
from reports.domain import Origin, ReportState, Section, Verdict
from viewer.views.theme import Theme

pytestmark = pytest.mark.gui


@pytest.fixture
def editor(qtbot, theme: Theme, model: ReportModel) -> ReportEditor:
    widget = ReportEditor(theme)
    qtbot.addWidget(widget)
    widget.set_model(model)
    undoing = Undoing(widget)
    undoing.watch(model)
    model.subscribe(undoing.heard)
    widget.undoWanted.connect(undoing.undo)
    widget.redoWanted.connect(undoing.redo)
    widget.resize(528, 700)
    widget.show()
    widget.setFocus()
    qtbot.waitExposed(widget)
    return widget


def _caret(editor: ReportEditor, sentence_id: str, offset: int, *, anchor: int | None = None) -> None:
    block = sentence_blocks(editor.document())[sentence_id]
    start = block.text().index(text_of(block)[:1] or "\ufffc")
    cursor = editor.textCursor()
    cursor.setPosition(block.position() + start + (offset if anchor is None else anchor))
    if anchor is not None:
        cursor.setPosition(block.position() + start + offset, QTextCursor.MoveMode.KeepAnchor)
    editor.setTextCursor(cursor)


def _shown(editor: ReportEditor, sentence_id: str) -> str:
    return text_of(sentence_blocks(editor.document())[sentence_id])


def _spot(editor: ReportEditor, sentence_id: str, evidence_id: str) -> QPoint:
    spot = next(
        item
        for item in editor._spots()
        if item.row_id == sentence_id and item.evidence_id == evidence_id
    )
    return spot.rect.center().toPoint() - QPoint(0, editor.verticalScrollBar().value())


def test_every_sentence_is_shown_with_its_own_text_and_one_chip_for_each_evidence(editor, model):
    assert {key: _shown(editor, key) for key in editor.rows()} == {
        s.id: s.text for s in model.sentences
    }
    chips = [(spot.row_id, spot.evidence_id) for spot in editor._spots() if spot.evidence_id]
    assert chips == [
        *((s.id, c.evidence_id) for s in model.sentences for c in s.citations),
        ("E7", "E7"),
    ]


def test_typing_edits_the_sentence_when_the_caret_leaves_it(editor, model):
    _caret(editor, "S2", 4)
    QTest.keyClicks(editor, " lesion")
    assert model.sentence("S2").text.startswith("Mass at")
    QTest.keyClick(editor, Qt.Key.Key_Down)
    assert model.sentence("S2").text.startswith("Mass lesion at the left hilum")
    assert model.sentence("S2").origin is Origin.PERSON
    assert editor.selected == "S3"


def test_typing_reaches_the_model_after_a_pause_and_the_caret_stays(editor, model, qtbot):
    _caret(editor, "S2", 4)
    QTest.keyClicks(editor, " lesion")
    qtbot.waitUntil(lambda: "Mass lesion" in model.sentence("S2").text, timeout=3000)
    QTest.keyClicks(editor, "s")
    editor.commit()
    assert model.sentence("S2").text.startswith("Mass lesions at")


def test_typing_in_a_measured_number_detaches_it_and_says_both_values(editor, model):
    at = model.sentence("S2").text.index("72")
    _caret(editor, "S2", at + 2, anchor=at)
    QTest.keyClicks(editor, "75")
    editor.commit()
    assert model.sentence("S2").slots[0].detached_from == "72"
    notes = [b.text() for b in _blocks(editor) if kind_of(b) is RowKind.NOTE]
    assert any("72 was measured, 75 is written." in note for note in notes), notes


def _blocks(editor: ReportEditor):
    block = editor.document().begin()
    while block.isValid():
        yield block
        block = block.next()


def test_a_draft_that_arrives_while_typing_keeps_the_words_and_the_caret(editor, model):
    _caret(editor, "S2", 4)
    QTest.keyClicks(editor, " lesion")
    editor.commit()
    model.load_draft(report_sample.sample_draft(), report_sample.sample_ledger())
    assert editor.selected == "S2"
    QTest.keyClicks(editor, "s")
    editor.commit()
    assert model.sentence("S2").text.startswith("Mass lesions at the left hilum")


def test_undo_by_key_takes_back_typing_then_the_act_before(editor, model):
    model.accept("S1")
    before = model.sentences
    _caret(editor, "S2", 4)
    QTest.keyClicks(editor, "ive")
    QTest.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert model.sentences == before
    assert _shown(editor, "S2") == model.sentence("S2").text
    QTest.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert model.sentence("S1").review.value == "unreviewed"
    QTest.keyClick(editor, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert model.sentences == before


CTRL = Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.mark.parametrize(
    ("sentence_id", "at_end", "key", "modifiers"),
    [
        (sentence_id, at_end, key, modifiers)
        for sentence_id in ("S1", "S2", "S4", "S6")
        for at_end, keys in (
            (True, (Qt.Key.Key_Delete, Qt.Key.Key_Return, Qt.Key.Key_Right, Qt.Key.Key_Down)),
            (False, (Qt.Key.Key_Backspace, Qt.Key.Key_Return, Qt.Key.Key_Left, Qt.Key.Key_Up)),
        )
        for key in keys
        for modifiers in (NONE, CTRL)
    ],
)
def test_no_key_at_the_edge_of_a_sentence_damages_words_heads_or_chips(  # noqa: PLR0917
    editor, model, sentence_id, at_end, key, modifiers
):
    words = " ".join(s.text for s in model.sentences).split()
    cited = sorted(c.evidence_id for s in model.sentences for c in s.citations)
    _caret(editor, sentence_id, len(model.sentence(sentence_id).text) if at_end else 0)
    QTest.keyClick(editor, key, modifiers)
    QTest.keyClicks(editor, "Zz")
    editor.commit()
    kept = " ".join(s.text for s in model.sentences)
    assert "Zz" in kept
    assert kept.replace("Zz", "").split() == words
    assert sorted(c.evidence_id for s in model.sentences for c in s.citations) == cited
    heads = [b.text() for b in _blocks(editor) if kind_of(b) is RowKind.SECTION]
    assert heads == ["TECHNIQUE", "FINDINGS", "IMPRESSION", "LIMITATIONS"]
    assert [_shown(editor, k) for k in editor.rows()] == [s.text for s in model.sentences]


def test_enter_breaks_a_sentence_and_backspace_joins_it_again(editor, model):
    text = model.sentence("S2").text
    _caret(editor, "S2", len("Mass at the left hilum"))
    QTest.keyClick(editor, Qt.Key.Key_Return)
    rows = [item.text for item in model.sentences]
    assert "Mass at the left hilum" in rows
    assert any(row.startswith("reaching the lingula") for row in rows)
    QTest.keyClick(editor, Qt.Key.Key_Backspace)
    assert model.sentence("S2").text == text
    assert [text[s.span.start : s.span.end] for s in model.sentence("S2").slots] == ["72", "43 mm"]


def test_enter_at_the_end_starts_an_own_sentence_that_vanishes_when_left_empty(editor, model):
    count = len(model.sentences)
    _caret(editor, "S2", len(model.sentence("S2").text))
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QTest.keyClicks(editor, "Seen before.")
    editor.commit()
    own = model.sentence(editor.selected)
    assert own.text == "Seen before." and own.origin is Origin.PERSON and own.organ == "Lungs"
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QTest.keyClick(editor, Qt.Key.Key_Up)
    assert len(model.sentences) == count + 1


def test_a_selection_over_sentences_removes_only_their_words_as_one_act(editor, model):
    before = model.sentences
    first = sentence_blocks(editor.document())["S2"]
    last = sentence_blocks(editor.document())["S4"]
    cursor = editor.textCursor()
    cursor.setPosition(first.position() + 4)
    cursor.setPosition(last.position() + 8, QTextCursor.MoveMode.KeepAnchor)
    editor.setTextCursor(cursor)
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    assert [s.text for s in model.sentences if s.organ == "Lungs"][:2] == ["Mass", " has increased."]
    model.undo()
    assert model.sentences == before


def test_paste_brings_plain_words_on_one_line(editor, model):
    QGuiApplication.clipboard().setText("large\n\n<b>mass</b>  \ufffc")
    _caret(editor, "S2", 0)
    editor.paste()
    editor.commit()
    assert model.sentence("S2").text.startswith("large <b>mass</b>Mass at")


def test_copy_gives_words_without_chips(editor, model):
    editor.selectAll()
    text = editor.createMimeDataFromSelection().text()
    assert "\ufffc" not in text and "72 × 43 mm." in text


def test_hover_lights_a_region_and_a_second_click_goes_to_the_next(editor, qtbot):
    heard, hovered = [], []
    editor.evidenceActivated.connect(lambda *a: heard.append(a))
    editor.evidenceHovered.connect(hovered.append)
    place = _spot(editor, "S2", "E3")
    QTest.mouseMove(editor.viewport(), place)
    qtbot.waitUntil(lambda: bool(hovered))  # an X server answers when it likes
    for _ in range(3):
        QTest.mouseClick(editor.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(editor.viewport(), QPoint(300, 680))
    qtbot.waitUntil(lambda: hovered[-1] == "")
    assert heard == [("E3", 0), ("E3", 1), ("E3", 0)]
    assert hovered[0] == "E3"
    assert editor.selected == "S2" and editor.evidence == "E3"


def test_a_click_on_a_sentence_shows_its_region_and_a_region_finds_its_sentence(editor):
    shown = []
    editor.evidenceActivated.connect(lambda *a: shown.append(a))
    box = editor.document().documentLayout().blockBoundingRect(sentence_blocks(editor.document())["S3"])
    place = QPoint(120, round(box.top()) + 10)
    QTest.mouseClick(editor.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert editor.selected == "S3" and shown == [("E5", 0)]
    editor.select_evidence("E2")
    assert editor.selected == "S5" and editor.evidence == "E2"


def test_a_region_under_the_pointer_lights_its_chips(editor):
    before = editor.grab().toImage()
    editor.hover_evidence("E5")
    assert editor.grab().toImage() != before
    editor.hover_evidence("")
    assert editor.grab().toImage() == before


def test_chips_and_repairs_are_reached_by_keyboard(editor, model):
    shown = []
    editor.evidenceActivated.connect(lambda *a: shown.append(a))
    editor.select_sentence("S4")
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert shown == [("E3", 0)]
    QTest.keyClick(editor, Qt.Key.Key_Right)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert model.sentence("S4").restored
    assert model.sentence("S4").verdict is Verdict.CONTRADICTED


def test_a_side_that_contradicts_its_evidence_is_repaired_by_one_click(editor, model):
    own = model.insert(Section.IMPRESSION, "Right hilar mass.")
    model.link(own, "E3")
    link = next(spot for spot in editor._spots() if spot.row_id == own and spot.link == 0)
    place = link.rect.center().toPoint() - QPoint(0, editor.verticalScrollBar().value())
    QTest.mouseClick(editor.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert model.sentence(own).text == "Left hilar mass."
    assert _shown(editor, own) == "Left hilar mass."


def test_the_screen_reader_hears_origin_state_and_evidence(editor):
    editor.select_sentence("S3")
    assert editor.accessibleDescription() == "model, weak, not reviewed, evidence E5"


def test_a_final_report_takes_no_key(editor, model):
    final = model.report.model_copy(update={"state": ReportState.FINAL})
    model.saved(final)
    before = model.sentences
    _caret(editor, "S2", 4)
    QTest.keyClicks(editor, "x")
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QGuiApplication.clipboard().setText("pasted")
    QTest.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    editor.commit()
    assert model.sentences == before
    assert _shown(editor, "S2") == before[1].text


@pytest.mark.parametrize(
    "text", ["two\nlines", "object \ufffc here", "tab\there", "par\u2029agraph", "\u00a0x"]
)
def test_no_character_of_a_text_makes_rows_or_changes_the_sentence_by_being_shown(editor, model, text):
    own = model.insert(Section.FINDINGS, text)
    rows = editor.rows()
    editor.select_sentence(own)
    editor.select_sentence("S1")
    assert model.sentence(own).text == text and editor.rows() == rows
    assert len(rows) == len(model.sentences)


def test_characters_beyond_the_basic_plane_count_as_one(editor, model):
    own = model.insert(Section.FINDINGS, "\U0001d465\U0001d465 node seen.")
    model.link(own, "E3")
    editor.select_sentence(own)
    QTest.keyClicks(editor, " Twice.")
    editor.commit()
    assert model.sentence(own).text == "\U0001d465\U0001d465 node seen. Twice."
    for _ in range(len(" Twice.")):
        QTest.keyClick(editor, Qt.Key.Key_Left)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert model.sentence(own).text == "\U0001d465\U0001d465 node seen."
    assert model.sentence(editor.selected).text == "Twice."


def test_composing_a_word_is_not_disturbed_by_a_draft(editor, model, qapp):
    from PySide6.QtGui import QInputMethodEvent

    _caret(editor, "S2", 4)
    qapp.sendEvent(editor, QInputMethodEvent("vor", []))
    model.delete("S6")
    editor.viewport().repaint()
    done = QInputMethodEvent("", [])
    done.setCommitString(" vorne")
    qapp.sendEvent(editor, done)
    editor.commit()
    assert model.sentence("S2").text.startswith("Mass vorne at")
    assert editor.rows() == [item.id for item in model.sentences]


def test_typing_is_judged_before_it_reaches_the_model_and_the_caret_stays(editor, model, qtbot):
    text = model.sentence("S3").text
    at = text.index("right")
    heard = []

    def note(sentence_id):
        judged = editor.judging.sentences[sentence_id]
        heard.append(
            (judged.verdict, judged.text, model.sentence("S3").text, editor.textCursor().position())
        )

    editor.judging.changed.connect(note)
    before = editor.grab().toImage()
    _caret(editor, "S3", at + len("right"), anchor=at)
    QTest.keyClicks(editor, "left")
    caret = editor.textCursor().position()
    qtbot.waitUntil(lambda: bool(heard), timeout=3000)
    assert heard[0] == (Verdict.BLOCKS, text.replace("right", "left"), text, caret)
    editor.judging.check()
    after = editor.grab().toImage()
    side = editor.theme.length("column", "check")
    corner = (editor.width() - side, 0, side, editor.height())
    assert before.copy(*corner) != after.copy(*corner)
    qtbot.waitUntil(lambda: model.sentence("S3").text != text, timeout=5000)
    assert editor.textCursor().position() == caret


def test_an_impression_against_the_findings_says_so_at_its_place(editor, model):
    own = model.insert(Section.IMPRESSION, "No mass.")
    note = next(
        b.text() for b in _blocks(editor) if kind_of(b) is RowKind.NOTE and "otherwise" in b.text()
    )
    assert note.startswith("Contradiction: The findings say otherwise")
    spot = editor.cursorRect(QTextCursor(sentence_blocks(editor.document())[own])).center()
    assert "contradiction, risk 4 of 4" in tip_at(editor, QPointF(spot))
    _caret(editor, own, 2, anchor=0)
    QTest.keyClicks(editor, "A")
    editor.judging.check()
    assert editor.judging.sentences[own].verdict is not Verdict.BLOCKS

"""The report panel, signing and the palette on real widgets, by key and mouse."""

from __future__ import annotations

import pytest
import report_sample
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu, QWidget

from app import sign_off
from app.acts import REPORT_ACTS, WINDOW_ACTS
from app.report_model import ReportModel
from app.shell.command_palette import CommandPalette
from app.shell.focus_ring import FocusRing
from app.shell.report.chip import ChipButton
from app.shell.report.panel import EVIDENCE_TAB, REPORT_TAB, TRACE_TAB, ReportPanel
from app.shell.report.sign_dialog import SignDialog, Signer
from app.shell.report.sign_rows import RiskRow
from app.shell.shortcut_sheet import ShortcutSheet
from app.shell.widgets import ActButton
from reports.domain import (
    EvidenceKind,
    ReportAct,
    ReportState,
    Review,
    Role,
    Section,
    Side,
    Step,
    TraceEvent,
    TraceStatus,
)
from viewer.acts import VIEWER_ACTS
from viewer.views.theme import Theme

pytestmark = pytest.mark.gui

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
ALL_ACTS = (*VIEWER_ACTS, *REPORT_ACTS, *WINDOW_ACTS)


@pytest.fixture
def panel(qtbot, theme: Theme, model: ReportModel) -> ReportPanel:
    widget = ReportPanel(theme)
    qtbot.addWidget(widget)
    widget.bind(widget)
    widget.resize(528, 900)
    widget.set_model(model)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.activateWindow()
    widget.editor.setFocus()
    return widget


def _accept_all(model: ReportModel) -> None:
    for item in model.sentences:
        if item.is_in_body:
            model.accept(item.id)


def _button(parent: QWidget, text: str) -> ActButton:
    return next(b for b in parent.findChildren(ActButton) if b.text() == text and b.isVisibleTo(parent))


def _drawn(side: Side) -> report_sample.Evidence:
    return report_sample.evidence(
        8,
        EvidenceKind.MEASUREMENT,
        "Drawn region",
        side=side,
        values=(
            report_sample.quantity("long", 9.8, "mm", "9.8 mm"),
            report_sample.quantity("short", 8.7, "mm", "8.7 mm"),
        ),
        regions=(report_sample.ellipse(33),),
    )


def test_one_key_accepts_a_sentence_and_moves_on_with_the_image(panel, model):
    shown = []
    panel.evidenceActivated.connect(lambda *a: shown.append(a[0]))
    panel.show_sentence("S2")
    for expected in ("S3", "S5", "S6"):
        QTest.keyClick(panel.editor, Qt.Key.Key_Space, CTRL)
        assert panel.editor.selected == expected
    assert [s.id for s in model.sentences if s.review is Review.ACCEPTED] == ["S2", "S3", "S5"]
    assert shown[:2] == ["E3", "E5"]


def test_one_key_strikes_and_restores(panel, model):
    panel.show_sentence("S2")
    QTest.keyClick(panel.editor, Qt.Key.Key_Delete, CTRL)
    assert model.sentence("S2").review is Review.REJECTED
    QTest.keyClick(panel.editor, Qt.Key.Key_Delete, CTRL)
    assert model.sentence("S2").is_in_body
    panel.show_sentence("S4")
    QTest.keyClick(panel.editor, Qt.Key.Key_Delete, CTRL)
    assert model.sentence("S4").restored


def test_f8_walks_every_blocker_and_open_risk_and_comes_round(panel, model):
    visited = []
    for _ in range(6):
        QTest.keyClick(panel.editor, Qt.Key.Key_F8)
        visited.append(panel.editor.selected)
    assert sorted(visited[:5]) == ["S1", "S2", "S3", "S5", "S6"] and visited[5] == visited[0]
    _accept_all(model)
    for risk in model.risks():
        model.keep_risk(risk.sentence_id, "Seen.")
    panel.show_sentence("S2")
    QTest.keyClick(panel.editor, Qt.Key.Key_F8)
    assert panel.editor.selected == "S2"


def test_candidates_are_walked_with_three_keys(panel, model):
    assert panel.candidates.isVisible() and panel.candidates.current == "E6"
    QTest.keyClick(panel.editor, Qt.Key.Key_3, ALT)
    assert panel.candidates.current == "E6"
    QTest.keyClick(panel.editor, Qt.Key.Key_1, ALT)
    assert not panel.candidates.isVisible()
    assert any(s.text == "Nodule in the right lower lobe." for s in model.sentences)
    model.undo()
    QTest.keyClick(panel.editor, Qt.Key.Key_2, ALT)
    assert model.candidates == () and not any("Nodule" in s.text for s in model.sentences)


def test_normals_come_in_by_one_key_and_the_toast_takes_them_back(panel, model, qtbot):
    panel.show_sentence("S2")
    count = len(model.sentences)
    QTest.keyClick(panel.editor, Qt.Key.Key_M, CTRL)
    assert len(model.sentences) > count and panel.toast.isVisible()
    qtbot.mouseClick(_button(panel.toast, "Undo"), Qt.MouseButton.LeftButton)
    assert len(model.sentences) == count and panel.toast.text == "Undone: normals inserted"


def test_a_filter_hides_rows_and_a_jump_shows_them_again(panel, model):
    panel.counts._buttons[report_sample.Origin.MEASURED].click()
    assert panel.editor.rows() == ["S1", "S5"]
    panel.select_evidence("E5")
    assert panel.editor.selected == "S3" and len(panel.editor.rows()) == len(model.sentences)


def test_a_region_clicked_in_the_image_finds_its_sentence_and_fills_the_card(panel):
    image = QImage(64, 64, QImage.Format.Format_Grayscale8)
    image.fill(80)
    panel.set_crops(lambda _id, _region: (image, "Se 2 Im 24"))
    panel.show_tab(EVIDENCE_TAB)
    panel.select_evidence("E3")
    assert panel.tabs.currentIndex() == REPORT_TAB and panel.editor.selected == "S2"
    assert panel.card.isVisible()
    texts = {label.text() for label in panel.card.findChildren(QLabel)}
    assert {"Left hilar mass", "72 ± 1 mm", "Se 2 Im 24"} <= texts


def test_evidence_list_shows_values_with_uncertainty_and_refusals_and_jumps(panel, qtbot):
    panel.show_tab(EVIDENCE_TAB)
    texts = [label.text() for label in panel.evidence_list.findChildren(QLabel)]
    assert "volume 2.81 ± 0.06 L" in texts
    refusal = "Refused: not gated, no cardiac region drawn"
    label = next(x for x in panel.evidence_list.findChildren(QLabel) if x.text() == refusal)
    assert label.font().italic()
    chip = next(c for c in panel.evidence_list.findChildren(ChipButton) if c.evidence_id == "E3")
    with qtbot.waitSignal(panel.evidenceActivated) as heard:
        qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert heard.args == ["E3", 0]


def test_the_trace_fills_as_it_happens_and_can_be_cancelled(panel, qtbot):
    panel.start_draft("sightline-demo", 7)
    assert panel.tabs.currentIndex() == TRACE_TAB and panel.badge.text == "Drafting"
    for event in report_sample.sample_trace():
        panel.add_trace(event, 0.5)
    done = TraceEvent(
        sequence=20, step=Step.COMPOSE, subject="Impression", status=TraceStatus.DONE, message="rules"
    )
    panel.add_trace(done)
    rows = lambda: [label.text() for label in panel.trace.findChildren(QLabel)]  # noqa: E731
    qtbot.waitUntil(lambda: "Impression" in rows())
    assert "refused: no cardiac region drawn" in rows() and rows().count("Impression") == 1
    with qtbot.waitSignal(panel.cancelDraftWanted):
        qtbot.mouseClick(panel.trace.cancel, Qt.MouseButton.LeftButton)
    panel.finish_draft()
    assert panel.tabs.currentIndex() == REPORT_TAB and not panel.trace.is_running
    assert panel.trace_bar.line.startswith("4 tools, 1 refused · 3 claims, 1 struck")


def test_a_drawn_region_becomes_a_finding_only_with_term_place_and_side(panel, model):
    panel.ask_finding(_drawn(Side.LEFT), body_region="chest")
    form = panel.finding_form
    assert form.isVisible() and not form.accept_button.isEnabled()
    places = [form.anatomy.itemText(i) for i in range(form.anatomy.count())]
    assert "upper lobe" in places and "middle lobe" not in places
    form.descriptor.setCurrentText("nodule")
    form.anatomy.setCurrentText("upper lobe")
    assert form.side.currentText() == "left"
    form.accept_button.click()
    assert not form.isVisible()
    assert model.sentence(panel.editor.selected).text == "Nodule in the left upper lobe, 9.8 × 8.7 mm."


def test_a_drawn_region_is_linked_to_the_selected_sentence(panel, model):
    own = model.insert(Section.FINDINGS, "Small cyst.")
    panel.show_sentence(own)
    panel.ask_finding(_drawn(Side.LEFT))
    panel.finding_form.link_button.click()
    (citation,) = model.sentence(own).citations
    assert model.ledger.get(citation.evidence_id).regions == (report_sample.ellipse(33),)
    assert panel.editor.evidence == citation.evidence_id
    model.undo()
    assert model.sentence(own).citations == () and model.ledger.get("E8") is None


def test_the_menu_of_a_sentence_says_why_an_act_is_not_possible(panel, qtbot):
    panel.editor.customContextMenuRequested.emit(QPoint(100, 100))
    (menu,) = panel.findChildren(QMenu)
    actions = {action.text(): action for action in menu.actions()}
    assert not actions["Redo"].isEnabled() and actions["Redo"].toolTip() == "nothing to do again"
    menu.close()


def test_an_unknown_side_stays_empty_and_asks(panel, model):
    panel.ask_finding(_drawn(Side.UNKNOWN), body_region="chest")
    form = panel.finding_form
    form.descriptor.setCurrentText("nodule")
    form.anatomy.setCurrentText("upper lobe")
    assert form.choice() is None and "side" in form.accept_button.toolTip()
    form.side.setCurrentText("right")
    assert form.choice().side is Side.RIGHT


def test_the_narrow_panel_fits_its_column(panel, theme):
    panel.resize(432, 640)
    assert panel.width() == 432 and not panel.card.isVisible()
    assert panel.sign_bar._short.isVisible() and not panel.sign_bar.sign.isVisible()
    right = max(
        w.mapTo(panel, QPoint(w.width(), 0)).x()
        for w in panel.sign_bar.findChildren(QWidget)
        if w.isVisible()
    )
    assert right <= 432


def test_an_empty_report_offers_to_draft_and_cannot_be_signed(qtbot, theme, empty_model):
    panel = ReportPanel(theme)
    qtbot.addWidget(panel)
    panel.set_model(empty_model)
    panel.show()
    with qtbot.waitSignal(panel.draftWanted):
        _button(panel, "Draft").click()
    assert not panel.sign_bar.sign.isEnabled()
    _button(panel, "Write").click()
    QTest.keyClicks(panel.editor, "The lungs are clear.")
    panel.editor.commit()
    assert [s.text for s in empty_model.sentences] == ["The lungs are clear."]


def test_a_final_report_offers_no_change(panel, model):
    _accept_all(model)
    model.saved(model.report.model_copy(update={"state": ReportState.FINAL}))
    assert panel.badge.text == "Final"
    before = model.sentences
    for act in REPORT_ACTS:
        if panel.why_not(act.name) == "":
            panel.perform(act.name)
    assert model.sentences == before
    assert panel.why_not("report.sign") == "the report is final"


def test_text_from_data_is_never_markup(panel, model):
    bad = "<img src=x><b>bold</b>"
    model.insert(Section.FINDINGS, bad)
    panel.show_problem("What", bad, bad)
    panel.toast.say(bad)
    labels = panel.findChildren(QLabel)
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in labels if label.text())
    assert bad in panel.editor.toPlainText()


def test_no_key_means_two_acts_in_one_place():
    seen = {}
    for act in ALL_ACTS:
        for key in act.keys:
            assert key not in seen, f"{key}: {act.name} and {seen.get(key)}"
            seen[key] = act.name
    assert len({act.name for act in ALL_ACTS}) == len(ALL_ACTS)


def test_every_button_has_a_name_for_the_screen_reader(panel):
    panel.ask_finding(_drawn(Side.LEFT))
    panel.show_problem("What", "why")
    for button in panel.findChildren(ActButton):
        assert button.accessibleName() or button.text(), button.parent()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_focus_ring_follows_the_keyboard_with_a_gap(qapp, qtbot, theme, panel):
    ring = FocusRing(qapp, theme)
    QTest.keyClick(panel.editor, Qt.Key.Key_Shift)
    panel.sign_bar.sign.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(lambda: ring.target is panel.sign_bar.sign)
    panel.editor.setFocus()
    assert ring.target is None
    qapp.removeEventFilter(ring)
    ring.deleteLater()


# Signing


@pytest.fixture
def dialog(qtbot, theme, panel, model):
    made = []

    def build(role: Role = Role.RADIOLOGIST, **options) -> SignDialog:
        widget = SignDialog(theme, model, Signer("Dr R. Okafor", role), parent=panel, **options)
        qtbot.addWidget(widget)
        widget.open()
        made.append(widget)
        return widget

    yield build
    for widget in made:
        widget.reject()


def test_the_dialog_names_patient_accession_and_images_on_top(dialog):
    text = " ".join(label.text() for label in dialog().findChildren(QLabel))
    for part in ("PHANTOM, Chest", "PHANTOM-1", "Accession A0001", "60 images"):
        assert part in text


def test_sealing_opens_only_when_nothing_blocks_and_a_password_is_typed(dialog, model):
    widget = dialog()
    QTest.keyClicks(widget.password, "secret")
    assert not widget.seal.isEnabled() and "what blocks is fixed" in widget.reason
    _accept_all(model)
    assert not widget.seal.isEnabled() and "each open risk" in widget.reason
    assert widget.preliminary.isEnabled()
    for risk in model.risks():
        model.keep_risk(risk.sentence_id, "Seen on the images, read by me.")
    assert widget.seal.isEnabled()
    widget.password.clear()
    assert not widget.seal.isEnabled() and widget.reason == "Type your password."


def test_the_dialog_leads_to_an_unreviewed_sentence_and_offers_no_accept_there(dialog, qtbot):
    widget = dialog()
    texts = {button.text() for button in widget.findChildren(ActButton)}
    assert "Show" in texts and not texts & {"Accept", "Accept all"}
    with qtbot.waitSignal(widget.showWanted) as heard:
        _button(widget, "Show").click()
    assert heard.args == ["S1"]


def test_a_clean_report_is_signed_with_the_password_and_enter_alone(dialog, model, qtbot):
    _accept_all(model)
    for sentence_id in ("S3", "S6"):
        model.reject(sentence_id)
    widget = dialog()
    QTest.keyClicks(widget.password, "secret")
    with qtbot.waitSignal(widget.attempted) as heard:
        QTest.keyClick(widget.password, Qt.Key.Key_Return)
    assert heard.args == ["secret", ReportAct.SIGN_FINAL]
    shown = [label.text() for label in widget.findChildren(QLabel)]
    assert sign_off.MEANINGS[ReportAct.SIGN_FINAL] in shown
    assert not widget.seal.isEnabled()


def test_a_wrong_password_is_said_inline_and_slows_the_next_attempt(dialog, model):
    _accept_all(model)
    for sentence_id in ("S3", "S6"):
        model.reject(sentence_id)
    widget = dialog()
    QTest.keyClicks(widget.password, "wrong")
    QTest.keyClick(widget.password, Qt.Key.Key_Return)
    widget.show_error("The password is wrong.", 2.0)
    assert widget.problem == "The password is wrong. Try again in 2 s."
    QTest.keyClicks(widget.password, "right")
    assert not widget.seal.isEnabled() and "Wait 2 s" in widget.reason
    widget._countdown.timeout.emit()
    widget._countdown.timeout.emit()
    assert widget.seal.isEnabled() and widget.problem == "The password is wrong."


def test_a_blocker_is_repaired_in_the_dialog_or_shown_in_the_text(dialog, model, qtbot):
    _accept_all(model)
    own = model.insert(Section.IMPRESSION, "Right hilar mass.")
    model.link(own, "E3")
    widget = dialog()
    _button(widget, "Change to left").click()
    assert model.sentence(own).text == "Left hilar mass." and model.blockers() == ()
    with qtbot.waitSignal(widget.showWanted) as heard:
        _button(widget, "Show").click()
    assert heard.args == ["S3"] and not widget.isVisible()


def test_a_reason_is_picked_by_one_key(dialog, model):
    _accept_all(model)
    widget = dialog()
    row = widget.findChildren(RiskRow)[0]
    row.tick.setFocus()
    QTest.keyClick(row.tick, Qt.Key.Key_3)
    assert model.risks()[0].reason == "Measured by hand."


def test_a_resident_signs_preliminary_only(dialog, model, qtbot):
    _accept_all(model)
    widget = dialog(Role.RESIDENT)
    assert not widget.seal.isVisible()
    QTest.keyClicks(widget.password, "secret")
    with qtbot.waitSignal(widget.attempted) as heard:
        QTest.keyClick(widget.password, Qt.Key.Key_Return)
    assert heard.args == ["secret", ReportAct.SIGN_PRELIMINARY]


def test_images_that_arrived_after_the_draft_block_until_looked_at(dialog, model):
    _accept_all(model)
    widget = dialog(images_now=62)
    assert len(model.blockers(images_now=62)) == 1
    _button(widget, "I looked at them").click()
    assert model.report.study.image_count == 62 and model.blockers(images_now=62) == ()


def test_escape_goes_back_and_forgets_the_password(dialog):
    widget = dialog()
    QTest.keyClicks(widget.password, "secret")
    QTest.keyClick(widget, Qt.Key.Key_Escape)
    assert not widget.isVisible() and widget.password.text() == ""


# Palette and sheet


@pytest.fixture
def palette(qtbot, theme, panel) -> CommandPalette:
    widget = CommandPalette(theme, panel, ALL_ACTS, panel.why_not)
    return widget


def test_the_palette_runs_an_act_by_a_word_of_its_name(palette, panel, model, qtbot):
    palette.open_over(panel, model.sentences)
    QTest.keyClicks(palette.field, "normals")
    with qtbot.waitSignal(palette.actWanted) as heard:
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert heard.args == ["report.normals"] and not palette.isVisible()


def test_the_palette_finds_sentences_after_acts_and_says_why_an_act_waits(palette, panel, model):
    palette.open_over(panel, model.sentences)
    QTest.keyClicks(palette.field, "re")
    kinds = [
        "reason" if row.reason else "sentence" if row.sentence_id else "act"
        for row in palette.rows()
        if not row.is_heading
    ]
    assert kinds == sorted(kinds, key=("act", "sentence", "reason").index)
    assert set(kinds) == {"act", "sentence", "reason"}
    assert all(row.reason for row in palette.rows() if row.name == "report.redo")


def test_the_palette_moves_by_arrows_over_headings_and_closes_by_escape(palette, panel, model):
    palette.open_over(panel, model.sentences)
    first = palette.list.currentRow()
    QTest.keyClick(palette.field, Qt.Key.Key_Up)
    assert palette.list.currentRow() != first
    assert not palette.rows()[palette.list.currentRow()].is_heading
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_sheet_shows_every_key_of_the_tables(qtbot, theme, panel):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1366, 768)
    window.show()
    sheet = ShortcutSheet(theme, window, ALL_ACTS)
    sheet.open()
    texts = [label.text() for label in sheet.findChildren(QLabel)]
    for act in ALL_ACTS:
        assert not act.keys or act.text in texts
    QTest.keyClicks(sheet.field, "preset 3")
    shown = [label.text() for label in sheet._area.widget().findChildren(QLabel)]
    assert "Window preset 3" in shown and "Invert grey scale" not in shown
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()

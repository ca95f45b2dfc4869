"""The window does what the product promises: read, draft, link, edit, sign, and survive."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from shell_driver import PASSWORD, USER, Driver, Keys, copied, make_home, open_desk

import resources
from app.demo import sample
from inference.models.registry import ModelRegistry
from reports.domain import Origin, ReportState, Review, Section, TraceStatus
from reports.export.verify_pdf import PdfKind, verify_pdf
from reports.store.errors import DiskFullError
from viewer.acts import Tool
from viewer.imaging.regions import Shape

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one radiologist and no study."""
    return make_home(tmp_path_factory.mktemp("store") / "home")


@pytest.fixture
def drafted(drive, drafted_home: Path) -> Driver:
    """The window with the drafted phantom open."""
    driver = drive(drafted_home)
    driver.sit_down()
    return driver


def test_from_sign_in_to_a_sealed_pdf_with_keys_and_mouse(drive, empty_home, tmp_path):
    folder = tmp_path / "CD"
    shutil.copytree(sample(), folder)
    (folder / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\1\2\3")
    driver = drive(empty_home)
    window = driver.window

    driver.sign_in("not the password")
    assert "wrong" in window.sign_in_page.problem.text()
    driver.sign_in()
    driver.until(lambda: window.pages.currentWidget() is window.worklist)

    driver.drop(folder)
    driver.wait_for_worklist()
    driver.until(window.import_bar.list.isVisible)
    driver.click(window.import_bar.list)
    driver.until(window.worklist.report.isVisible)
    assert "broken.dcm" in window.worklist.report.imported.text()
    window.worklist.report.backWanted.emit()

    driver.open_first()
    driver.draft()
    assert len(driver.texts()) >= 3
    assert all(s.review is Review.UNREVIEWED for s in driver.model.sentences)

    left = next(s for s in driver.model.sentences if "eft lung" in s.text)
    evidence_id = left.citations[0].evidence_id
    frame = driver.viewport.shown_frame()
    spot = next(s for s in driver.panel.editor._spots() if s.evidence_id == evidence_id)
    driver.click(driver.panel.editor.viewport(), spot.rect.center().toPoint())
    assert driver.viewport.model.selected == {evidence_id}
    driver.until(driver.viewport.model.drawn_outlines)
    assert driver.viewport.model.window().center == -500
    assert driver.viewport.shown_frame() != frame or driver.viewport.model.drawn_outlines()

    driver.press(Qt.Key.Key_Up, Keys.AltModifier)
    here = driver.viewport.model.outlines()
    right = next(o for o in here if o.evidence_id not in (evidence_id, driver.panel.editor.evidence))
    point = driver.viewport.model.to_widget(right.rings[0].mean(axis=0))
    hit = driver.viewport.model.region_at(point)
    driver.click(driver.viewport, QPoint(*(round(v) for v in point)))
    cited = {c.evidence_id for c in driver.model.sentence(driver.panel.editor.selected).citations}
    assert hit in cited
    assert driver.viewport.model.selected == {hit}

    for sentence in driver.model.sentences:
        driver.panel.editor.select_sentence(sentence.id)
        driver.press(Qt.Key.Key_Space, Keys.ControlModifier)
    assert not driver.model.blockers(images_now=60)

    driver.press(Qt.Key.Key_Return, Keys.ControlModifier)
    driver.until(lambda: driver.reading.signing.dialog is not None)
    dialog = driver.reading.signing.dialog
    QTest.keyClicks(dialog.password, "not this either")
    QTest.keyClick(dialog.password, Qt.Key.Key_Return)
    driver.until(lambda: "wrong" in dialog.problem)
    assert driver.model.report.state is not ReportState.FINAL
    driver.until(dialog.password.isEnabled)
    QTest.keyClicks(dialog.password, PASSWORD)
    driver.until(dialog.seal.isEnabled)
    QTest.keyClick(dialog.password, Qt.Key.Key_Return)
    driver.until(lambda: driver.reading.signing.dialog is None)

    assert driver.model.report.state is ReportState.FINAL
    assert driver.reading.sealed.isVisible()
    path = window.desk.sealed_file(driver.model.report)
    certificate = window.desk.seal_key().certificate_pem
    assert verify_pdf(path, (certificate,)).kind is PdfKind.INTACT

    before = driver.texts()
    driver.panel.editor.setFocus()
    driver.type("and something else")
    driver.press(Qt.Key.Key_Delete, Keys.ControlModifier)
    assert driver.texts() == before
    assert window.why_not("report.draft")


def test_cancelling_gives_the_window_back_within_100_ms(drafted):
    ticks: list[float] = []
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    drafted.reading.masks = type(drafted.reading.masks)()  # so that it measures again
    drafted.panel.editor.setFocus()
    drafted.press(Qt.Key.Key_D, Keys.ControlModifier)
    drafted.until(lambda: any(e.status is TraceStatus.RUNNING for e in drafted.panel.trace.events))
    before = drafted.texts()

    start = time.monotonic()
    drafted.press(Qt.Key.Key_Escape)
    gone = time.monotonic() - start

    assert not drafted.panel.trace.is_running
    assert not drafted.reading.drafts.runs.is_running
    assert gone < 0.1
    timer.start()
    drafted.until(lambda: len(ticks) > 20)
    timer.stop()
    assert drafted.texts() == before
    assert drafted.window.status.doing.text() == "Idle"


def test_a_worker_killed_in_mid_draft_is_told_and_the_next_draft_works(drive, drafted_home):
    driver = drive(drafted_home)
    driver.sit_down()
    mine = driver.model.insert(Section.FINDINGS, "Written by me before the worker died.")
    driver.reading.masks = type(driver.reading.masks)()
    evidence = driver.window.engine.evidence.host
    driver.press(Qt.Key.Key_D, Keys.ControlModifier)
    driver.until(lambda: evidence.pid is not None and driver.panel.trace.events)
    os.kill(evidence.pid, signal.SIGKILL)
    driver.until(lambda: not driver.panel.trace.is_running)

    assert "The draft stopped" in driver.problem()
    assert driver.model.sentence(mine).text == "Written by me before the worker died."
    driver.draft()
    assert "Written by me before the worker died." in driver.texts()
    assert not driver.problem()


def test_a_model_file_that_was_changed_leaves_the_ledger_and_the_text(drive, drafted_home, tmp_path):
    folder = tmp_path / "models" / "sightline-demo"
    shutil.copytree(resources.path("models", "sightline-demo"), folder)
    file = next(folder.glob("*.gguf"))
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    driver = drive(drafted_home)
    driver.window.engine.models = ModelRegistry(None, built_in=folder.parent)
    driver.sit_down()
    mine = driver.model.insert(Section.FINDINGS, "Mine.")
    driver.draft()

    assert "SHA-256" in driver.problem()
    assert driver.model.sentence(mine).text == "Mine."
    assert len(driver.model.ledger.evidence) >= 3


def test_wrong_passwords_are_slowed_and_counted_down_never_locked(drive, empty_home):
    driver = drive(empty_home)
    page = driver.window.sign_in_page
    for number in range(3):
        driver.sign_in(f"wrong {number}")
    assert page.seconds_left > 0
    assert f"Next try in {page.seconds_left} s" in page.problem.text()
    assert not page.button.isEnabled()
    driver.until(lambda: page.seconds_left == 0)
    driver.sign_in()
    driver.until(lambda: driver.window.account is not None)


def test_lock_hides_the_study_and_the_password_brings_it_back(drafted):
    window = drafted.window
    drafted.press(Qt.Key.Key_L, Keys.ControlModifier)
    assert window.pages.currentWidget() is window.sign_in_page
    assert window.why_not("report.sign")
    QTest.keyClicks(window.sign_in_page.password, PASSWORD)
    QTest.keyClick(window.sign_in_page.password, Qt.Key.Key_Return)
    drafted.until(lambda: window.pages.currentWidget() is drafted.reading)
    assert drafted.texts()


def test_nobody_at_the_desk_locks_the_screen(drafted):
    drafted.window.session.idle.setInterval(1)
    drafted.window.session.idle.start()
    drafted.until(lambda: drafted.window.session.is_locked)


def test_what_is_typed_is_in_the_store_without_being_asked(drafted):
    drafted.panel.perform("report.write")
    drafted.panel.editor.setFocus()
    drafted.type("Small hiatal hernia.")
    drafted.until(lambda: not drafted.reading.saver.is_dirty and "hernia" in drafted.texts()[-1])
    drafted.until(lambda: drafted.window.status.saved.text().startswith("Saved"))
    uid = drafted.reading.study.study_instance_uid
    with open_desk(drafted.window._home) as other:
        account = other.sign_in(USER, PASSWORD)
        stored = other.store.reports.for_study(uid, account)[-1]
    assert any(s.text == "Small hiatal hernia." for s in stored.sentences)


def test_a_full_disk_is_told_and_the_text_is_kept(drafted, monkeypatch):
    desk = drafted.window.desk
    whole = desk.save

    def full(*_arguments, **_options):
        raise DiskFullError("The disk is full. Nothing was changed: make room and do it again.")

    monkeypatch.setattr(desk, "save", full)
    drafted.model.insert(Section.FINDINGS, "Kept in the window.")
    drafted.press(Qt.Key.Key_S, Keys.ControlModifier)
    drafted.until(lambda: "disk is full" in drafted.problem())
    assert "Kept in the window." in drafted.texts()
    assert drafted.window.status.saved.text() == "Not saved"
    monkeypatch.setattr(desk, "save", whole)
    drafted.press(Qt.Key.Key_S, Keys.ControlModifier)
    drafted.until(lambda: not drafted.reading.saver.is_dirty)


def test_a_redraft_never_touches_what_a_person_wrote(drafted):
    first = drafted.model.sentences[0]
    drafted.model.edit_text(first.id, first.text + " As I see it.")
    drafted.draft()
    kept = drafted.model.sentence(first.id)
    assert kept.text == first.text + " As I see it."
    assert kept.origin is Origin.PERSON


def test_a_drawn_ellipse_becomes_a_finding_of_the_report(drafted):
    before = len(drafted.model.ledger.evidence)
    _accept_ellipse(drafted)
    drafted.until(lambda: len(drafted.model.ledger.evidence) == before + 1)
    assert drafted.reading.area.grid.tool is Tool.ELLIPSE
    finding = drafted.model.ledger.evidence[-1]
    assert finding.regions[0].shape is Shape.ELLIPSE
    assert drafted.model.sentences_citing(finding.id)
    drafted.press(Qt.Key.Key_Z, Keys.ControlModifier)
    drafted.until(lambda: len(drafted.model.ledger.evidence) == before)


def _accept_ellipse(driver: Driver) -> None:
    """Draw an ellipse by the tool's key, make it a finding and accept the first that is offered."""
    driver.reading.focus_images()
    driver.press(Qt.Key.Key_E)
    view = driver.viewport
    start, end = (QPoint(*(round(v) for v in view.model.to_widget(p))) for p in ((60, 90), (80, 110)))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Keys.NoModifier, start)
    QTest.mouseMove(view, (start + end) / 2)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Keys.NoModifier, end)
    driver.press(Qt.Key.Key_Return, Keys.ShiftModifier)
    form = driver.panel.finding_form
    driver.until(form.isVisible)
    form.descriptor.setCurrentIndex(0)
    form.anatomy.setCurrentIndex(0)
    if form.side.currentIndex() < 0 and form.side.count():
        form.side.setCurrentIndex(0)
    driver.click(form.accept_button)
    driver.until(lambda: not form.isVisible())


def test_a_redraft_after_a_finding_keeps_it_and_proposes_its_impression(drafted):
    _accept_ellipse(drafted)
    finding = drafted.model.ledger.evidence[-1]
    (own,) = drafted.model.sentences_citing(finding.id)
    drafted.model.accept(own.id)
    assert not [s for s in drafted.model.sentences if s.section is Section.IMPRESSION]

    drafted.panel.editor.setFocus()
    drafted.draft()

    kept = drafted.model.sentence(own.id)
    assert (kept.text, kept.review) == (own.text, Review.ACCEPTED)
    cites = drafted.model.sentences_citing(finding.id)
    assert [s.text for s in cites].count(own.text) == 1
    impression = [s for s in cites if s.section is Section.IMPRESSION]
    assert len(impression) == 1
    assert impression[0].review is Review.UNREVIEWED


def test_a_question_that_does_not_fit_stops_the_draft_and_says_why(drafted):
    before = drafted.texts()
    drafted.press(Qt.Key.Key_Q, Keys.ControlModifier | Keys.ShiftModifier)
    drafted.until(drafted.panel.question.field.hasFocus)
    drafted.type("MR of the brain: metastases?")
    drafted.press(Qt.Key.Key_Return)
    drafted.until(drafted.problem)
    assert "MR" in drafted.problem() and "CT" in drafted.problem()
    assert drafted.texts() == before

    drafted.panel.question.field.setFocus()
    drafted.panel.question.field.selectAll()
    drafted.type("Chest CT: nodule?")
    drafted.press(Qt.Key.Key_Return)
    drafted.until(lambda: drafted.reading.drafts.runs.is_running)
    drafted.until(lambda: not drafted.panel.trace.is_running)
    assert not drafted.problem()
    assert any("Chest CT: nodule?" in event.message for event in drafted.panel.trace.events)
    assert drafted.model.report.question == "Chest CT: nodule?"
    drafted.until(lambda: not drafted.reading.saver.is_dirty)
    uid = drafted.reading.study.study_instance_uid
    with open_desk(drafted.window._home) as other:
        account = other.sign_in(USER, PASSWORD)
        assert other.store.reports.for_study(uid, account)[-1].question == "Chest CT: nodule?"


class LoopGaps:
    """How long the window's thread was away from its event loop, seconds, measured by a timer."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(2)
        self._timer.timeout.connect(self._tick)

    def __enter__(self) -> LoopGaps:
        self.gaps, self._last = [], time.monotonic()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tick()
        self._timer.stop()

    def _tick(self) -> None:
        now = time.monotonic()
        self.gaps.append(now - self._last)
        self._last = now

    def say(self, doing: str) -> None:
        """Print the figures and hold them against what even a busy machine keeps."""
        ordered = sorted(self.gaps)
        median, most = ordered[len(ordered) // 2], ordered[-1]
        over = sum(gap > 0.05 for gap in ordered)
        print(
            f"{doing}: {len(ordered)} turns, median {1000 * median:.1f} ms, "
            f"longest {1000 * most:.0f} ms, {over} over 50 ms"
        )
        # The goal is 50 ms; the bounds are what a regression breaks and a shared machine does not.
        assert median < 0.05
        assert most < 1.0


def test_the_window_keeps_turning_while_it_imports_and_drafts(drive, empty_home):
    driver = drive(empty_home)
    driver.sign_in()
    gaps = LoopGaps()
    with gaps:
        driver.drop(sample())
        driver.wait_for_worklist()
    gaps.say("import")
    driver.open_first()
    with gaps:
        driver.draft()
        driver.until(lambda: not driver.reading.saver.is_dirty)
    gaps.say("draft")
    assert driver.texts()


def test_first_start_says_which_command_makes_the_store(drive, tmp_path):
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    driver = drive(nothing)
    page = driver.window.store_page
    assert page.again.isVisible()
    assert page.command_field.text().startswith("sightline account add")

    make_home(driver.window._home / "made later")
    shutil.copytree(driver.window._home / "made later", driver.window._home, dirs_exist_ok=True)
    driver.click(page.again)
    driver.sign_in_when_asked()
    assert driver.window.account.name == USER


def test_a_store_whose_log_was_cut_is_read_only_and_says_so(drive, drafted_home, tmp_path):
    home = copied(drafted_home, tmp_path / "cut")
    old = (home / "sightline.db").read_bytes()
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
    newer = copied(home, tmp_path / "rolled")
    (newer / "sightline.db").write_bytes(old)
    driver = drive(newer)
    assert driver.window.alert.isVisible()
    assert "audit log" in driver.window.alert.text.text()
    driver.sign_in()
    driver.open_first()
    driver.model.insert(Section.FINDINGS, "Kept in the window.")
    driver.press(Qt.Key.Key_S, Keys.ControlModifier)
    driver.until(driver.problem)
    assert "Kept in the window." in driver.texts()


def test_closing_a_study_gives_its_memory_back(drafted):
    pool = drafted.window.engine.reader.pool
    assert pool._used
    drafted.press(Qt.Key.Key_W, Keys.ControlModifier)
    drafted.until(lambda: drafted.window.pages.currentWidget() is drafted.window.worklist)
    assert (
        drafted.reading.area.adapter.stack(drafted.window.worklist.entries[0].main_series().key) is None
    )
    drafted.until(lambda: not pool._used)


def test_every_act_stands_in_the_palette_with_a_reason_when_it_waits(drafted):
    drafted.press(Qt.Key.Key_K, Keys.ControlModifier)
    palette = drafted.window.palette_layer
    assert palette.isVisible()
    names = {row.name for row in palette.rows() if row.name}
    assert {"report.sign", "window.lock", "viewport.invert", "layout.2x2"} <= names
    QTest.keyClicks(palette.field, "four viewports")
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert len(drafted.reading.area.grid.panes()) == 4

"""A registration in the real window: searched, checked, moved, confirmed by a person, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fusion_scene import HOT, MOVED, write_patient
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from shell_driver import PATIENCE, PRINTED_NAME, Driver, Keys, make_home

from app.shell.volumes.fusion_part import FusionPart
from app.shell.volumes.registration_part import WORKSPACE, RegistrationPart
from reports.store.kinds import RecordKind
from viewer.imaging.registration import turn_of
from viewer.imaging.spaces import SPACES
from viewer.views.corner_text import link_text
from viewer.views.fusion.check_plane import Mode
from viewer.views.places import PatientPoint

pytestmark = pytest.mark.gui

BOTH = Keys.ControlModifier | Keys.ShiftModifier


@pytest.fixture
def driver(qtbot: QtBot, tmp_path: Path) -> Iterator[Driver]:
    """A person who has a CT and an MR of two frames of reference side by side."""
    made = Driver(qtbot, make_home(tmp_path / "home"))
    made.sign_in()
    made.drop(write_patient(tmp_path / "patient", ("CT", "MR")))
    made.open_first()
    area = made.reading.area
    made.window.perform("layout.1x2")
    for number, modality in enumerate(("CT", "MR")):
        key = next(one.key for one in area.study().series if one.modality == modality)
        area.show_series(key, pane=number)
    panes = area.grid.panes()
    made.until(lambda: len(panes) == 2 and all(pane.stack() is not None for pane in panes))
    made.until(lambda: [p.stack().series.modality for p in panes] == ["CT", "MR"])
    made.until(lambda: all(area.adapter.opened(p.stack().series.key) for p in panes))
    area.grid.set_active(0)
    yield made
    made.leave()
    SPACES.use(())


def part_of(driver: Driver) -> RegistrationPart:
    return next(one for one in driver.reading.parts.all if isinstance(one, RegistrationPart))


def begin(driver: Driver) -> RegistrationPart:
    """Start by key and wait until the search has ended."""
    part = part_of(driver)
    driver.until(lambda: not part.why_not("registration.start"))
    driver.press(Qt.Key.Key_T, BOTH)
    driver.until(lambda: part.is_checking)
    assert part.why_not("registration.confirm") == "the search still runs"
    driver.bot.waitUntil(lambda: part._job is None, timeout=4 * PATIENCE)  # seconds of both cores
    return part


def test_found_checked_confirmed_kept_and_read_again(driver: Driver) -> None:
    area = driver.reading.area
    fixed, moving = area.grid.panes()
    part = begin(driver)
    view = part.view
    place = view.pair.matrix @ (*(np.linalg.inv(MOVED) @ (*HOT, 1.0))[:3], 1.0)
    assert np.linalg.norm(place[:3] - HOT) < 1.5  # the MR's lesion lies on the CT's
    assert turn_of(view.pair.matrix @ np.linalg.inv(MOVED)) < 1.0
    assert "Metric" in view.quality.text() and "Check it" in view.quality.text()
    # nothing counts before a person says so
    assert SPACES.between(moving.stack().series.frame_of_reference_uid, "1") is None
    assert not part.known and area.stage.name == WORKSPACE
    driver.click(view.confirm)
    driver.until(lambda: part.known)
    assert area.stage.name == ""
    (kept,) = part.known
    assert (kept.confirmed_by, kept.method) == (PRINTED_NAME, "automatic")
    assert kept.confirmed_at and kept.overlap > 0.8
    body = driver.window.desk.study_record(area.study().study_instance_uid, RecordKind.REGISTRATIONS)
    assert body["registrations"][0]["confirmed_by"] == PRINTED_NAME
    # scrolling, 3D cursor and words follow
    assert link_text(moving.model.link) == f"registered, confirmed by {PRINTED_NAME}"
    driver.press(Qt.Key.Key_End)
    first = moving.shown_frame()
    driver.press(Qt.Key.Key_Home)
    assert moving.shown_frame() > first
    moving.show_place(PatientPoint(fixed.stack().series.frame_of_reference_uid, tuple(HOT.tolist())))
    cursor = moving.model.cursor_place()
    assert cursor is not None
    there = moving.cut().plane.pixel_to_patient(np.array([cursor]))[0]
    wanted = (np.linalg.inv(MOVED) @ (*HOT, 1.0))[:3]
    assert np.linalg.norm((there - wanted)[:2]) < 1.5
    moving.show_place(None)
    # fusion may use it now
    fusion = next(one for one in driver.reading.parts.all if isinstance(one, FusionPart))
    assert not fusion.why_not("fusion.switch")
    driver.press(Qt.Key.Key_F, BOTH)
    driver.until(lambda: fusion.over() is not None)
    assert fusion.over().series.modality == "MR"
    # it comes back with the study
    study = area.study()
    part.open_study(None)
    assert not part.known
    part.open_study(study)
    driver.until(lambda: part.known)
    assert part.known == (kept,)
    assert driver.window.perform("registration.forget")
    driver.until(lambda: not part.known)
    assert moving.model.link is None


def test_by_hand_with_keys_then_discarded(driver: Driver) -> None:
    part = begin(driver)
    view = part.view
    found = view.pair.matrix.copy()
    view.setFocus()
    driver.press(Qt.Key.Key_Right)
    driver.press(Qt.Key.Key_Down, Keys.ShiftModifier)
    assert view.pair.matrix[:3, 3] - found[:3, 3] == pytest.approx((1.0, 0.2, 0.0))
    driver.press(Qt.Key.Key_PageDown)
    assert turn_of(view.pair.matrix @ np.linalg.inv(found)) == pytest.approx(0.5, abs=1e-6)
    assert view.moved_by_hand
    pictures = set()
    for key, mode in zip((Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3), Mode, strict=False):
        driver.press(key)
        assert view.pair.mode is mode
        pictures.add(bytes(view.planes["axial"].grab().toImage().bits()))
    driver.press(Qt.Key.Key_Space)
    assert view.pair.mode is Mode.TURNS and view.pair.shows_moving
    pictures.add(bytes(view.planes["axial"].grab().toImage().bits()))
    driver.press(Qt.Key.Key_Space)
    pictures.add(bytes(view.planes["axial"].grab().toImage().bits()))
    assert len(pictures) == 5
    view.split.setValue(20)
    assert view.pair.mode is Mode.SWIPE and view.pair.split == 0.2
    driver.press(Qt.Key.Key_Escape)
    assert driver.reading.area.stage.name == "" and not part.known
    assert part.why_not("registration.confirm")
    area = driver.reading.area
    uid = area.study().study_instance_uid
    assert driver.window.desk.study_record(uid, RecordKind.REGISTRATIONS) is None
    assert [pane.model.link for pane in area.grid.panes()] == [None, None]


def test_a_search_can_be_stopped_and_matched_by_hand(driver: Driver) -> None:
    part = part_of(driver)
    driver.until(lambda: not part.why_not("registration.start"))
    driver.press(Qt.Key.Key_T, BOTH)
    driver.until(lambda: part.is_checking)
    driver.click(part.view.stop)
    assert part._job is None and "by hand" in part.view.quality.text()
    view = part.view
    view.setFocus()
    driver.press(Qt.Key.Key_Left)
    driver.click(view.confirm)
    driver.until(lambda: part.known)
    assert part.known[0].method == "by hand" and part.known[0].metric_after is None


def test_one_space_needs_no_registration(driver: Driver) -> None:
    part, area = part_of(driver), driver.reading.area
    driver.until(lambda: not part.why_not("registration.start"))
    study = area.study()
    frame = study.series[0].frame_of_reference_uid
    same = tuple(one.model_copy(update={"frame_of_reference_uid": frame}) for one in study.series)
    area._study = study.model_copy(update={"series": same})
    base = area.grid.panes()[0].stack().series
    reason = part.why_not("registration.start")
    area._study = study
    assert base.frame_of_reference_uid != frame or "share a frame of reference" in reason

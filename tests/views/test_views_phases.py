"""Phases of a 4D series in a viewport: the view stays, neighbours are opened, phases play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from stack_files import write_phases

from viewer.acts import Arrangement
from viewer.imaging.reader import Reader
from viewer.imaging.study import Phase, PhaseKind, WindowPreset
from viewer.views.act_reasons import why_not
from viewer.views.phase_bar import phase_words
from viewer.views.phase_layer import PhaseLayer
from viewer.views.phase_steps import PhaseSteps
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.reading_area import ReadingArea
from viewer.views.viewport import ImageViewport

pytestmark = pytest.mark.gui

SLICES = 6


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as shared:
        yield shared


class Scene:
    """An area with a diffusion series of three phases in its one viewport."""

    def __init__(self, qtbot: QtBot, reader: Reader, folder: Path, limit: int | None = None) -> None:
        (self.study,) = reader.index([folder]).studies
        self.bot, self.adapter = qtbot, ReaderAdapter(reader)
        self.area = ReadingArea(self.adapter)
        self.steps = PhaseSteps(self.area, self.area, limit=limit)
        self.area.grid.add_layer(lambda view: PhaseLayer(view, self.steps))
        qtbot.addWidget(self.area)
        self.area.resize(700, 500)
        self.area.show()
        self.area.open_study(self.study)
        qtbot.waitUntil(lambda: self.pane.stack() is not None, timeout=30_000)
        first = self.pane.stack().series
        self.keys = [one.key for one in self.study.phases_of(first)]

    @property
    def pane(self) -> ImageViewport:
        return self.area.grid.active_pane()

    @property
    def place(self) -> int:
        return self.keys.index(self.pane.stack().series.key)

    @property
    def layer(self) -> PhaseLayer:
        return next(one for one in self.pane.layers if isinstance(one, PhaseLayer))

    def wait_open(self, *places: int) -> None:
        self.bot.waitUntil(
            lambda: all(self.adapter.opened(self.keys[at]) is not None for at in places),
            timeout=30_000,
        )

    def wait_place(self, place: int) -> None:
        self.bot.waitUntil(lambda: self.place == place, timeout=30_000)


@pytest.fixture
def scene(qtbot: QtBot, tmp_path: Path, reader: Reader) -> Iterator[Scene]:
    made = Scene(qtbot, reader, write_phases(tmp_path))
    yield made
    made.area.open_study(None)
    made.adapter.close()


def test_a_4d_series_has_a_time_control_with_words(scene: Scene) -> None:
    assert len(scene.keys) == 3
    bar = scene.layer.bar
    assert bar is not None and bar.isVisible()
    assert bar.words.text() == "phase 1/3 \u00b7 b 0 s/mm\u00b2"
    assert (bar.slider.minimum(), bar.slider.maximum(), bar.slider.value()) == (0, 2, 0)
    pane = scene.pane
    assert bar.geometry().bottom() == pane.height() - 1
    assert pane.model.size[1] == pane.height() - bar.height(), "the image keeps clear of it"


def test_the_keys_change_the_phase_and_the_view_stays(scene: Scene) -> None:
    pane = scene.pane
    scene.wait_open(0, 1)
    pane.set_state(
        replace(
            pane.model.state,
            index=4,
            window=WindowPreset(center=321.0, width=77.0),
            magnification=2.5,
            centre=(9.0, 7.0),
            quarter_turns=1,
        )
    )
    before = pane.model.state
    pane.setFocus()
    QTest.keyClick(pane, Qt.Key.Key_BracketRight)
    scene.wait_place(1)
    assert pane.model.state == before
    assert np.all(pane.stack().stored[4] == 204)
    assert scene.layer.bar.words.text() == "phase 2/3 \u00b7 b 500 s/mm\u00b2"
    QTest.keyClick(pane, Qt.Key.Key_BracketLeft)
    scene.wait_place(0)
    QTest.keyClick(pane, Qt.Key.Key_BracketLeft)
    assert scene.place == 0, "before the first there is none"


def test_the_slider_and_alt_with_the_wheel_change_the_phase(scene: Scene) -> None:
    scene.wait_open(0, 1, 2)
    scene.layer.bar.slider.setValue(2)
    scene.wait_place(2)
    before = scene.pane.model.state.index
    middle = QPointF(scene.pane.rect().center())
    for angle in (QPoint(0, 120), QPoint(120, 0)):  # X11 turns Alt and wheel sideways
        event = QWheelEvent(
            middle,
            scene.pane.mapToGlobal(middle),
            QPoint(),
            angle,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.AltModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(scene.pane, event)
    scene.wait_place(0)
    assert scene.pane.model.state.index == before


def test_phases_beside_the_one_that_is_shown_are_opened_in_the_background(scene: Scene) -> None:
    scene.wait_open(0, 1, 2)
    assert scene.place == 0


def test_phases_far_away_go_back_where_there_is_no_room(
    qtbot: QtBot, tmp_path: Path, reader: Reader
) -> None:
    folder = write_phases(tmp_path, b_values=(0, 250, 500, 750, 1000))
    one_phase = SLICES * 24 * 32 * 2
    scene = Scene(qtbot, reader, folder, limit=3 * one_phase)
    try:
        scene.wait_open(0, 1, 2)
        for place in (1, 2, 3, 4):
            scene.steps.show(scene.pane, place)
            scene.wait_place(place)
            scene.wait_open(place)
        scene.wait_open(2, 3, 4)
        assert [scene.adapter.stack(key) is None for key in scene.keys] == [True, True] + [False] * 3
        scene.steps.show(scene.pane, 0)
        scene.wait_open(0)
        assert np.all(scene.pane.stack().stored[0] == 100), "what went back is read again"
    finally:
        scene.area.open_study(None)
        scene.adapter.close()


def test_phases_play_at_a_place_round_and_round_and_stop(scene: Scene) -> None:
    scene.wait_open(0, 1, 2)
    index = scene.pane.model.state.index
    assert scene.pane.do("viewport.play_phases")
    assert scene.layer.bar.play.isChecked()
    seen = []
    for _ in range(4):
        scene.steps.tick()
        seen.append(scene.place)
    assert seen == [1, 2, 0, 1]
    assert scene.pane.model.state.index == index
    assert scene.pane.do("viewport.play_phases")
    assert not scene.steps.is_playing(scene.pane)
    assert not scene.layer.bar.play.isChecked()


def test_tiles_change_the_phase_together_under_one_control(scene: Scene) -> None:
    scene.wait_open(0, 1, 2)
    grid = scene.area.grid
    grid.set_arrangement(Arrangement.FOUR)
    scene.bot.waitUntil(lambda: all(pane.stack() for pane in grid.panes()), timeout=30_000)
    grid.set_tiled(True)
    assert scene.pane.do("viewport.next_phase")
    shown = [(pane.stack().series.key, pane.model.state.index) for pane in grid.panes()]
    assert [key for key, _ in shown] == [scene.keys[1]] * 4
    first = shown[0][1]
    assert [index for _, index in shown] == [first, first - 1, first - 2, first - 3]
    assert [pane.model.size[1] < pane.height() for pane in grid.panes()] == [True] + [False] * 3


def test_what_no_phase_comes_after_says_so(scene: Scene) -> None:
    scene.wait_open(0, 1, 2)
    assert why_not(scene.area, "viewport.next_phase") == ""
    assert why_not(scene.area, "viewport.previous_phase") == "this is the first phase"
    scene.steps.show(scene.pane, 2)
    scene.wait_place(2)
    assert why_not(scene.area, "viewport.next_phase") == "this is the last phase"
    assert why_not(scene.area, "viewport.play_phases") == ""


def test_playing_ends_with_its_study(scene: Scene) -> None:
    scene.pane.do("viewport.play_phases")
    scene.area.open_study(None)
    assert not scene.steps.is_playing(scene.pane)
    assert not scene.layer.bar.isVisible()
    assert scene.pane.model.size[1] == scene.pane.height()


def test_other_series_have_no_phases(scene: Scene) -> None:
    scene.pane.show_stack(None)
    assert not scene.pane.do("viewport.next_phase")
    assert not scene.pane.do("viewport.play_phases")


@pytest.mark.parametrize(
    ("value", "words"),
    [("", "phase 3/8"), ("b 1000 s/mm2", "phase 3/8 \u00b7 b 1000 s/mm\u00b2"), ("TE 9 ms", None)],
)
def test_words_of_a_phase(value: str, words: str | None) -> None:
    phase = Phase(group=1, kind=PhaseKind.TIME, index=3, count=8, value=value)
    assert phase_words(phase, 2, 8) == (words or f"phase 3/8 \u00b7 {value}")


def test_planes_are_laid_through_the_phase_that_is_shown(scene: Scene) -> None:
    from viewer.views.reformat.workspace import MprWorkspace

    scene.area.stage.add("workspace.mpr", MprWorkspace)
    scene.wait_open(0, 1)
    scene.steps.show(scene.pane, 1)
    scene.wait_place(1)
    scene.bot.waitUntil(lambda: scene.adapter.opened(scene.keys[1]) is not None, timeout=30_000)
    scene.area.switch_workspace("workspace.mpr")
    planes = scene.area.stage.workspace
    scene.bot.waitUntil(lambda: planes.scene.state is not None, timeout=30_000)
    assert planes.scene.stack.series.key == scene.keys[1]
    assert int(planes.scene.sampler.volume.stored[2, 5, 5]) == 202
    scene.area.stage.leave()
    assert scene.place == 1

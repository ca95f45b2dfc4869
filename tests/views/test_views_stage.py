"""Workspaces in place of the viewports: entered with the active series, left to the place looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from viewer.acts import Arrangement, Tool
from viewer.imaging.reader import OpenStack
from viewer.imaging.regions import Region, Shape
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.places import PatientPoint
from viewer.views.stage import Stage
from viewer.views.theme import Theme

pytestmark = pytest.mark.gui

NAME = "viewport.plain"


class Plain(QWidget):
    """The least that is a workspace: it keeps what it is given."""

    leaveWanted = Signal()  # noqa: N815 - a signal is named as Qt names them
    regionClicked = Signal(str)  # noqa: N815
    regionHovered = Signal(str)  # noqa: N815

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.stack: ImageStack | None = None
        self.at: PatientPoint | None = None
        self.overlay = Overlay()
        self.selected: frozenset[str] = frozenset()
        self.hovered = ""
        self.done: list[str] = []

    def widget(self) -> QWidget:
        return self

    def open(
        self, stack: ImageStack, study: Study | None, opened: OpenStack, place: PatientPoint | None
    ) -> None:
        self.stack, self.at = stack, place

    def close(self) -> None:
        self.stack = None

    def do(self, act: str) -> bool:
        self.done.append(act)
        return act == "viewport.reset"

    def why_not(self, act: str) -> str:
        return ""

    def set_overlay(self, overlay: Overlay) -> None:
        self.overlay = overlay

    def select_regions(self, evidence_ids: frozenset[str]) -> None:
        self.selected = evidence_ids

    def hover_regions(self, evidence_id: str) -> None:
        self.hovered = evidence_id

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        return False

    def place(self) -> PatientPoint | None:
        return self.at


@pytest.fixture
def made() -> list[Plain]:
    """Workspaces that were made."""
    return []


@pytest.fixture
def stage(qtbot: QtBot, stack: ImageStack, made: list[Plain]) -> Stage:
    """A stage whose grid shows a stack."""
    grid = ViewportGrid()
    found = Stage(grid, Theme())
    qtbot.addWidget(found)

    def make(theme: Theme, parent: QWidget) -> Plain:
        made.append(Plain(theme, parent))
        return made[-1]

    found.add(NAME, make)
    found.resize(600, 600)
    with qtbot.waitExposed(found):
        found.show()
    grid.active_pane().show_stack(stack)
    return found


def test_a_workspace_is_made_once_and_holds_nothing_after_it_was_left(
    stage: Stage, stack: ImageStack, made: list[Plain], opened: Callable[[ImageStack], OpenStack]
) -> None:
    for _ in range(2):
        stage.enter(NAME, stack, None, opened(stack), None)
        assert stage.currentWidget() is made[0] and made[0].stack is stack
        stage.leave()
        assert stage.name == "" and made[0].stack is None
    assert len(made) == 1


def test_acts_go_to_what_stands_there_alone(
    stage: Stage, stack: ImageStack, made: list[Plain], opened: Callable[[ImageStack], OpenStack]
) -> None:
    grid = stage._grid
    assert stage.do("viewport.invert")
    shown = grid.active_pane().model.state
    assert shown.inverted
    stage.enter(NAME, stack, None, opened(stack), None)
    assert stage.do("viewport.reset") and not stage.do("viewport.flip_vertical")
    assert made[0].done == ["viewport.reset", "viewport.flip_vertical"]
    assert grid.active_pane().model.state == shown
    assert stage.do("viewport.tool.zoom") and grid.tool is Tool.ZOOM
    assert stage.name == NAME
    assert stage.do("layout.2x2") and grid.arrangement is Arrangement.FOUR
    assert stage.name == ""


def test_viewports_come_back_at_the_place_that_was_looked_at(
    stage: Stage, stack: ImageStack, made: list[Plain], opened: Callable[[ImageStack], OpenStack]
) -> None:
    grid = stage.widget(0)
    assert isinstance(grid, ViewportGrid)
    pane = grid.active_pane()
    assert grid.do("viewport.last")
    cut = pane.cut()
    assert cut is not None
    there = cut.middle()
    assert grid.do("viewport.first") and pane.shown_frame() > 0
    stage.enter(NAME, stack, None, opened(stack), there)
    stage.leave()
    assert pane.shown_frame() == 0


def test_regions_and_their_selection_reach_a_workspace_whenever_it_is_entered(
    stage: Stage, stack: ImageStack, made: list[Plain], opened: Callable[[ImageStack], OpenStack]
) -> None:
    grid = stage.widget(0)
    assert isinstance(grid, ViewportGrid)
    series = stack.series
    region = Region(
        shape=Shape.POINT,
        series_instance_uid=series.series_instance_uid,
        sop_instance_uid=series.instances[0].sop_instance_uid,
        points=((3.0, 4.0),),
    )
    overlay = Overlay((ViewRegion("E1", (region,)),))
    grid.set_overlay(overlay)
    stage.enter(NAME, stack, None, opened(stack), None)
    assert made[0].overlay is overlay
    grid.select_regions(frozenset({"E1"}))
    assert made[0].selected == {"E1"}
    # what the workspace cannot show brings the viewports back
    assert stage.show_region(region)
    assert stage.currentWidget() is grid and made[0].stack is None


def test_what_is_pointed_at_in_a_workspace_is_told_as_if_it_were_a_viewport(
    stage: Stage,
    stack: ImageStack,
    made: list[Plain],
    opened: Callable[[ImageStack], OpenStack],
    qtbot: QtBot,
) -> None:
    grid = stage.widget(0)
    assert isinstance(grid, ViewportGrid)
    stage.enter(NAME, stack, None, opened(stack), None)
    for mine, told in (
        (made[0].regionClicked, grid.regionClicked),
        (made[0].regionHovered, grid.regionHovered),
    ):
        with qtbot.waitSignal(told) as heard:
            mine.emit("E4")
        assert heard.args == ["E4"]
    grid.hover_regions("E2")
    assert made[0].hovered == "E2"

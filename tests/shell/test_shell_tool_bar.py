"""The tool bar shows and does what the table of acts says, for layouts, tiles and links."""

from __future__ import annotations

import numpy as np
import pytest

from app.shell.tool_bar import MEASURES, SWITCHES, ToolBar
from viewer.acts import VIEWER_ACTS, Arrangement, Tool
from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.study import Instance, Series
from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid
from viewer.views.key_bindings import keymap

pytestmark = pytest.mark.gui


def plain_stack(uid: str, count: int) -> ImageStack:
    """Images without a place in the patient."""
    instances = tuple(
        Instance(
            path="",
            sop_instance_uid=f"{uid}.{number}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.7",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            rows=8,
            columns=8,
        )
        for number in range(count)
    )
    verdict = GeometryVerdict(kind=VerdictKind.NOT_A_VOLUME, reason="no positions")
    series = Series(series_instance_uid=uid, instances=instances, verdict=verdict)
    stored = np.zeros((count, 8, 8), dtype=np.uint8)
    return ImageStack(series, stored, tuple((number, 1) for number in range(count)))


@pytest.fixture
def grid(qtbot, theme) -> ViewportGrid:  # type: ignore[no-untyped-def]
    made = ViewportGrid(theme)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def bar(qtbot, theme, grid: ViewportGrid) -> ToolBar:  # type: ignore[no-untyped-def]
    made = ToolBar(theme, grid)
    qtbot.addWidget(made)
    grid.set_arrangement(Arrangement.SIDE_BY_SIDE)
    for pane, stack in zip(grid.panes(), (plain_stack("1.1", 9), plain_stack("1.2", 5)), strict=True):
        pane.show_stack(stack, index=0)
    return made


def entry(bar: ToolBar, name: str):  # type: ignore[no-untyped-def]
    act = next(act for act in VIEWER_ACTS if act.name == name)
    found = [a for a in bar.layout_button.menu_below.actions() if a.text().startswith(act.text)]
    assert len(found) == 1
    return found[0]


def test_every_layout_is_in_the_menu_with_its_key(bar: ToolBar) -> None:
    texts = [action.text() for action in bar.layout_button.menu_below.actions()]
    for kind in Arrangement:
        rows, columns = kind.shape
        found = [text for text in texts if text.startswith(f"{rows} \u00d7 {columns}")]
        assert len(found) == 1
        assert ("\tCtrl" in found[0]) == (kind is not Arrangement.EIGHT)


def test_tiles_are_switched_in_the_menu_and_named_on_the_button(
    bar: ToolBar, grid: ViewportGrid
) -> None:
    assert bar.layout_button.text() == "1 \u00d7 2"
    entry(bar, "layout.tiles").trigger()
    assert grid.tiled
    assert bar.layout_button.text() == "1 \u00d7 2 tiles"
    assert entry(bar, "layout.tiles").isChecked()
    entry(bar, "layout.tiles").trigger()
    assert (grid.tiled, bar.layout_button.text()) == (False, "1 \u00d7 2")


def test_switches_show_what_is_on(bar: ToolBar, grid: ViewportGrid) -> None:
    on = [name for name in SWITCHES if bar.switches[name].isChecked()]
    assert on == ["viewport.reference_lines"]
    entry(bar, "viewport.reference_lines").trigger()
    assert not grid.reference_lines
    assert not bar.switches["viewport.reference_lines"].isChecked()
    entry(bar, "viewport.link_here").trigger()
    assert bar.switches["viewport.link_here"].isChecked()
    assert grid.is_linked_by_hand()
    entry(bar, "viewport.link_here").trigger()
    assert not bar.switches["viewport.link_here"].isChecked()
    assert not grid.is_linked_by_hand()


def test_zoom_and_window_of_all_viewports_are_switched_in_the_menu(
    bar: ToolBar, grid: ViewportGrid
) -> None:
    for name, is_on in (
        ("viewport.link_zoom", lambda: grid.zoom_linked),
        ("viewport.link_window", lambda: grid.window_linked),
    ):
        entry(bar, name).trigger()
        assert is_on()
        assert bar.switches[name].isChecked()
        entry(bar, name).trigger()
        assert not is_on()


def test_the_keys_in_force_are_shown(bar: ToolBar) -> None:
    assert bar.link.toolTip().endswith("(K)")
    try:
        keymap().change({"viewport.link": ("Ctrl+Alt+K",), "layout.2x2": ()})
        assert bar.link.toolTip().endswith("(Ctrl Alt K)")
        texts = [action.text() for action in bar.layout_button.menu_below.actions()]
        assert "2 \u00d7 2" in texts
    finally:
        keymap().change({})
    assert bar.link.toolTip().endswith("(K)")


def test_measuring_tools_share_a_button_that_shows_the_last_one_and_a_menu(
    bar: ToolBar, grid: ViewportGrid
) -> None:
    assert bar.measure.toolTip() == "Length (L)" and not bar.measure.isChecked()
    bar.measures.menu_below.aboutToShow.emit()
    actions = bar.measures.menu_below.actions()
    assert [tool.draws for tool in MEASURES] == [True] * len(actions)
    assert "Cobb angle\tShift A" in [action.text() for action in actions]
    actions[MEASURES.index(Tool.COBB)].trigger()
    assert grid.tool is Tool.COBB
    assert bar.measure.accessibleName() == "Cobb angle" and bar.measure.isChecked()
    bar.tools[Tool.SCROLL].click()
    assert grid.tool is Tool.SCROLL and not bar.measure.isChecked()
    bar.measure.click()
    assert grid.tool is Tool.COBB, "the button takes the tool used last"

"""Why an act of the viewer would do nothing now, in words for the reader: palette and keys tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from viewer.acts import Arrangement
from viewer.views.link import shares_space
from viewer.views.viewport_model import ViewportModel

if TYPE_CHECKING:
    from viewer.views.grid import ViewportGrid
    from viewer.views.reading_area import ReadingArea

TOOL: Final = "viewport.tool."
LAYOUT: Final = "layout."
PRESET: Final = "viewport.preset."
SERIES_STEPS: Final = {"viewport.next_series": 1, "viewport.previous_series": -1}
"""How far each act goes in the strip of series."""
CORNER_TEXT: Final = "view.corner_text"

LAST = QT_TRANSLATE_NOOP("ActReasons", "this is the last image")
FIRST = QT_TRANSLATE_NOOP("ActReasons", "this is the first image")
ALREADY = QT_TRANSLATE_NOOP("ActReasons", "shown like this already")
ALONE = QT_TRANSLATE_NOOP("ActReasons", "only one viewport is shown")
EMPTY = QT_TRANSLATE_NOOP("ActReasons", "no series is shown here")
UNPOINTED = QT_TRANSLATE_NOOP("ActReasons", "the pointer is on no image")

UNCHANGED: Final = {
    "viewport.next": LAST,
    "viewport.next_ten": LAST,
    "viewport.last": LAST,
    "viewport.previous": FIRST,
    "viewport.previous_ten": FIRST,
    "viewport.first": FIRST,
    "viewport.reset": QT_TRANSLATE_NOOP("ActReasons", "nothing was changed"),
    "viewport.next_voi": QT_TRANSLATE_NOOP("ActReasons", "the image brings no other window"),
}
"""Why an act would make the state there is; any other because it is shown like this already."""

ALWAYS: Final = frozenset({CORNER_TEXT})
"""Acts of viewports and workspaces alike."""

OF_THE_GRID: Final = frozenset(
    f"viewport.{name}" for name in ("link", "link_zoom", "link_window", "reference_lines")
)
"""Switches that hold for what will be shown too."""


def tr(text: str) -> str:
    """Translate a reason."""
    return QCoreApplication.translate("ActReasons", text)


def why_not(area: ReadingArea, act: str) -> str:
    """Return why an act of the viewer's table would do nothing now, or empty."""
    workspace, grid = area.stage.workspace, area.grid
    reason = ""
    if act in ALWAYS or area.stage.knows(act):
        pass
    elif workspace is not None:
        reason = "" if act.startswith(LAYOUT) else workspace.why_not(act)
    elif act in SERIES_STEPS:
        reason = _no_neighbour(area, SERIES_STEPS[act])
    elif act in _GRID:
        reason = _GRID[act](grid)
    elif act.startswith(TOOL):
        reason = tr("in use already") if act == f"{TOOL}{grid.tool}" else ""
    elif act.startswith(LAYOUT):
        reason = _same_layout(grid, act.removeprefix(LAYOUT))
    elif act not in OF_THE_GRID:
        model: ViewportModel | None = getattr(grid.active_pane(), "model", None)
        reason = tr(EMPTY) if model is None or model.stack is None else of_image(model, act)
    return reason


def of_image(model: ViewportModel, act: str) -> str:
    """Return why an act would change nothing on the image of a viewport, or empty."""
    if act.startswith(PRESET):
        reason = _no_preset(model, act.removeprefix(PRESET))
        if reason:
            return reason
    special = _IMAGE.get(act)
    if special is not None:
        return special(model)
    after = model.state_after(act)
    return tr(UNCHANGED.get(act, ALREADY)) if after is not None and after == model.state else ""


def _no_preset(model: ViewportModel, key: str) -> str:
    stack = model.stack
    if stack is None or stack.is_colour:
        return tr("colour images have no window")
    if key in model.presets():
        return ""
    return tr("{modality} has no preset of this number").format(modality=stack.series.modality)


def _no_window(model: ViewportModel) -> str:
    return "" if model.window() is not None else tr("this image has no grey-scale window")


def _no_regions(model: ViewportModel) -> str:
    return "" if model.overlay.regions else tr("no evidence has a region")


def _one_image(model: ViewportModel) -> str:
    return "" if model.count > 1 else tr("this series has one image")


def _no_phases(model: ViewportModel) -> str:
    stack = model.stack
    return "" if stack is not None and stack.series.phase is not None else tr("this is no 4D series")


def _no_later_phase(model: ViewportModel) -> str:
    phase = None if model.stack is None else model.stack.series.phase
    last = phase is not None and phase.index == phase.count
    return tr("this is the last phase") if last else _no_phases(model)


def _no_earlier_phase(model: ViewportModel) -> str:
    phase = None if model.stack is None else model.stack.series.phase
    first = phase is not None and phase.index == 1
    return tr("this is the first phase") if first else _no_phases(model)


def _no_pointer(model: ViewportModel) -> str:
    return "" if model.pointer is not None else tr(UNPOINTED)


_IMAGE: Final[dict[str, Callable[[ViewportModel], str]]] = {
    "viewport.keep_preset": _no_window,
    "viewport.regions": _no_regions,
    "viewport.cine": _one_image,
    "viewport.next_phase": _no_later_phase,
    "viewport.previous_phase": _no_earlier_phase,
    "viewport.play_phases": _no_phases,
    "viewport.magnifier": _no_pointer,
}


def _no_neighbour(area: ReadingArea, step: int) -> str:
    if area.neighbour(step):
        return ""
    return tr("this is the last series") if step > 0 else tr("this is the first series")


def _same_layout(grid: ViewportGrid, kind: str) -> str:
    if kind not in tuple(Arrangement):
        return "" if grid.tiled or grid.active_pane().stack() is not None else tr(EMPTY)
    is_full = all(pane.stack() is not None for pane in grid.panes())
    same = grid.arrangement is Arrangement(kind) and not grid.maximised and is_full
    return tr(ALREADY) if same else ""


def _nothing_to_maximise(grid: ViewportGrid) -> str:
    return "" if grid.maximised or len(grid.panes()) > 1 else tr(ALONE)


def _nobody_to_point_to(grid: ViewportGrid) -> str:
    if len(grid.panes()) < 2:
        return tr(ALONE)
    model: ViewportModel | None = getattr(grid.active_pane(), "model", None)
    has_place = model is not None and model.pointer is not None and model.place_at(model.pointer)
    return "" if has_place else tr(UNPOINTED)


def _nothing_to_link(grid: ViewportGrid) -> str:
    here = grid.active_pane().stack()
    if here is None:
        return tr(EMPTY)
    stacks = [pane.stack() for pane in grid.panes()]
    others = [there for there in stacks if there is not None and there is not here]
    if any(not shares_space(here, there) for there in others):
        return ""
    return tr("no series with another frame of reference is shown beside")


_GRID: Final[dict[str, Callable[[ViewportGrid], str]]] = {
    "viewport.maximise": _nothing_to_maximise,
    "viewport.cursor": _nobody_to_point_to,
    "viewport.link_here": _nothing_to_link,
}

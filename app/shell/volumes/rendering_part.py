"""The 3D view as a part of the reading page: its workspace and the acts that lead to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from app.shell.parts import LightPart, PartContext
from viewer.acts import rendering
from viewer.imaging.study import Study
from viewer.views.theme import Theme
from viewer.views.volume_warming import VolumeWarming
from viewer.views.workspace import Workspace


def tr(text: str) -> str:
    """Translate a reason."""
    return QCoreApplication.translate("RenderingPart", text)


class RenderingPart(LightPart):
    """Enters the 3D view and hands its acts to whatever workspace shows a volume."""

    def __init__(self, context: PartContext) -> None:
        self._area = context.area
        self._area.stage.add(rendering.WORKSPACE, self._make)
        self._warming = VolumeWarming(context.area)
        context.area.grid.viewChanged.connect(lambda _number: self._warming.stir())

    def _make(self, theme: Theme, parent: QWidget) -> Workspace:
        """Return the 3D workspace, imported when it is entered first."""
        from viewer.views.rendering.workspace import VolumeWorkspace

        grid, made = self._area.grid, VolumeWorkspace(theme, parent)
        made.set_tool(grid.tool)
        made.set_corner_text(grid.corner_text)
        grid.toolChanged.connect(made.set_tool)
        grid.cornerTextChanged.connect(made.set_corner_text)
        made.toolWanted.connect(grid.do)
        return made

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return all acts of the 3D view."""
        return {act.name: lambda name=act.name: self._area.do(name) for act in rendering.ACTS}

    def why_not(self, act: str) -> str:
        """Return why one of these acts is not possible now, or empty."""
        if act == rendering.WORKSPACE:
            return ""
        workspace = self._area.stage.workspace
        return tr("no 3D view is open") if workspace is None else workspace.why_not(act)

    def open_study(self, study: Study | None) -> None:
        """The area leaves the workspace when another study comes; a volume may be asked for soon."""
        self._warming.open_study(study)

    def close(self) -> None:
        """End the rendering thread."""
        self._warming.close()
        self._area.stage.leave()

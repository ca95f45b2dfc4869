"""The three linked planes as a part of the reading page: their workspace, acts and marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from app.shell.parts import LightPart, PartContext
from viewer.acts import reformat
from viewer.imaging.marks import Mark
from viewer.views.theme import Theme
from viewer.views.workspace import Workspace

if TYPE_CHECKING:
    from viewer.views.reformat.workspace import MprWorkspace


class ReformatPart(LightPart):
    """Enters the planes, hands them their acts, and leads to marks that were drawn on them."""

    def __init__(self, context: PartContext) -> None:
        self._area = context.area
        self._planes: MprWorkspace | None = None
        self._area.stage.add(reformat.WORKSPACE, self._make)
        self._area.marks.jumpRequested.connect(self._show_mark)

    def _make(self, theme: Theme, parent: QWidget) -> Workspace:
        """Return the workspace, imported when it is entered first."""
        from viewer.views.reformat.workspace import MprWorkspace

        self._planes = MprWorkspace(theme, parent)
        self._planes.set_board(self._area.marks)
        self._planes.set_tool(self._area.grid.tool)
        self._planes.set_corner_text(self._area.grid.corner_text)
        self._area.grid.cornerTextChanged.connect(self._planes.set_corner_text)
        self._planes.toolWanted.connect(self._area.grid.do)
        self._area.grid.toolChanged.connect(self._planes.set_tool)
        return self._planes

    def _show_mark(self, mark: Mark) -> None:
        """Go to a mark that lies on no image: on the planes, which are entered for it."""
        if not mark.in_patient:
            return
        if self._area.stage.name != reformat.WORKSPACE:
            self._area.do(reformat.WORKSPACE)
        if self._planes is not None:
            self._planes.show_mark(mark)

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return all acts of the planes."""
        return {act.name: lambda name=act.name: self._area.do(name) for act in reformat.ACTS}

    def why_not(self, act: str) -> str:
        """Return why one of these acts is not possible now, or empty."""
        if act == reformat.WORKSPACE:
            return ""
        entered = self._area.stage.name == reformat.WORKSPACE
        if self._planes is None or not entered:
            return QCoreApplication.translate("ReformatPart", "the three planes are not open")
        return self._planes.why_not(act)

    def close(self) -> None:
        """Let go of the volume."""
        self._area.stage.leave()

"""Fusion in the three planes: what lies over their volume, handed to their scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viewer.acts import reformat
from viewer.imaging.fusion import OverVolume
from viewer.imaging.study import Series
from viewer.views.fusion.board import FusionBoard
from viewer.views.fusion.plane_fusion import PlaneFusion
from viewer.views.reading_area import ReadingArea

if TYPE_CHECKING:
    from viewer.views.reformat.scene import MprScene


class PlanesFusion:
    """Lays a series over the volume of the planes while they are entered."""

    def __init__(self, area: ReadingArea, board: FusionBoard) -> None:
        self._area, self._board = area, board
        board.changed.connect(self._changed)

    @property
    def is_entered(self) -> bool:
        """Whether the planes stand in place of the viewports."""
        return self._area.stage.name == reformat.WORKSPACE

    def _scene(self) -> MprScene | None:
        from viewer.views.reformat.workspace import MprWorkspace

        workspace = self._area.stage.workspace
        return workspace.scene if isinstance(workspace, MprWorkspace) else None

    def base(self) -> Series | None:
        """Return the series of the volume."""
        scene = self._scene() if self.is_entered else None
        return None if scene is None or scene.stack is None else scene.stack.series

    def over(self) -> OverVolume | None:
        """Return what lies over the volume."""
        scene = self._scene() if self.is_entered else None
        return None if scene is None or scene.fusion is None else scene.fusion.over

    def fuse(self, over: OverVolume) -> None:
        """Lay a series over the volume."""
        scene = self._scene() if self.is_entered else None
        if scene is not None:
            scene.fusion = PlaneFusion(over, self._board)
            self._board.changed.emit()

    def clear(self) -> None:
        """Take away what lies there."""
        scene = self._scene() if self.is_entered else None
        if scene is not None and scene.fusion is not None:
            scene.fusion = None
            self._board.changed.emit()

    def _changed(self) -> None:
        scene = self._scene() if self.is_entered else None
        if scene is not None:
            scene.changed.emit()

"""Regions of the evidence on one plane under the reader's pointer. No Qt."""

from __future__ import annotations

import numpy as np

from viewer.imaging.reformat import ReformatPlane
from viewer.views.overlay import Outline, hit
from viewer.views.reformat.region_cuts import RegionCuts
from viewer.views.reformat.scene import MprScene
from viewer.views.reformat.view_frame import Point, ViewFrame
from viewer.views.viewport_model import HIT_REACH, LARGEST_HIDDEN_SHARE
from viewer.views.viewport_state import transform

Found = tuple[list[Outline], ReformatPlane]
"""Outlines, and the plane in whose samples they are given."""


class PlaneRegions:
    """Finds the outlines of one plane: those that are drawn, and the one under a point."""

    def __init__(self, scene: MprScene) -> None:
        self._scene = scene
        self._drawn, self._all = RegionCuts(), RegionCuts()

    def forget(self) -> None:
        """Let go of what was found."""
        self._drawn.forget()
        self._all.forget()

    def drawn(self, frame: ViewFrame, reach: float, ratio: float) -> Found | None:
        """Return the outlines that are drawn now: coarser ones while planes turn.

        Parameters
        ----------
        reach
            How far from the plane in mm a flat region still lies in it.
        ratio
            Pixels of the screen in a widget pixel.
        """
        scene = self._scene
        wanted = None if scene.all_regions else scene.lit
        if wanted is not None and not wanted:
            return None
        return self._cut(self._drawn, frame, wanted, reach, ratio)

    def at(self, point: Point, frame: ViewFrame, reach: float, ratio: float) -> str:
        """Return the evidence whose region lies under a widget point, or an empty text."""
        scene = self._scene
        found = None if scene.turning else self._cut(self._all, frame, None, reach, ratio)
        if found is None:
            return ""
        outlines, plane = found
        matrix = frame.matrix_of(plane)
        column, row = transform(np.linalg.inv(matrix), [point])[0].tolist()
        under = hit(
            outlines,
            (column, row),
            reach=HIT_REACH / min(matrix[0, 0], matrix[1, 1]),
            largest=LARGEST_HIDDEN_SHARE * plane.columns * plane.rows,
            drawn={one.evidence_id for one in outlines} if scene.all_regions else scene.lit,
        )
        return "" if under is None else under.evidence_id

    def _cut(
        self,
        cuts: RegionCuts,
        frame: ViewFrame,
        wanted: frozenset[str] | None,
        reach: float,
        ratio: float,
    ) -> Found | None:
        scene, grid = self._scene, self._scene.grid
        if scene.stack is None or scene.sampler is None or grid is None or not scene.overlay.regions:
            return None
        plane = frame.plane(grid, ratio)
        if plane is None:
            return None
        if scene.turning:
            plane = plane.coarser(2)
        found = cuts.on_plane(
            scene.overlay, wanted, scene.stack, scene.sampler, plane=plane, reach=reach
        )
        return found, plane

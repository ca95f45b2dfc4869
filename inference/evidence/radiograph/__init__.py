"""Tools for radiographs of the chest."""

from __future__ import annotations

from inference.evidence.radiograph.marker import SideMarker
from inference.evidence.radiograph.ratio import CardiothoracicRatio
from inference.evidence.radiograph.tip import TipToCarina
from inference.evidence.radiograph.views import RadiographView, Rotation
from inference.evidence.tool import Tool

TOOLS: tuple[Tool, ...] = (
    RadiographView(),
    Rotation(),
    SideMarker(),
    CardiothoracicRatio(),
    TipToCarina(),
)
"""In the order of their ids in a ledger."""

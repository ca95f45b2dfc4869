"""Tools for the quality of any image."""

from __future__ import annotations

from inference.evidence.quality.image_quality import ImageQuality
from inference.evidence.tool import Tool

__all__ = ["TOOLS", "ImageQuality"]

TOOLS: tuple[Tool, ...] = (ImageQuality(),)
"""In the order of their ids in a ledger."""

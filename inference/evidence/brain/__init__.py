"""Tools for MR of the brain."""

from __future__ import annotations

from inference.evidence.brain.lesions import BrightLesions
from inference.evidence.tool import Tool

__all__ = ["TOOLS", "BrightLesions"]

TOOLS: tuple[Tool, ...] = (BrightLesions(),)
"""In the order of their ids in a ledger."""

"""Tools for CT of the head, and midline shift on CT or MR."""

from __future__ import annotations

from inference.evidence.head.density import HeadDensity
from inference.evidence.head.fluid import HeadFluid
from inference.evidence.head.shift import MidlineShift
from inference.evidence.tool import Tool

__all__ = ["TOOLS", "HeadDensity", "HeadFluid", "MidlineShift"]

TOOLS: tuple[Tool, ...] = (HeadDensity(), HeadFluid(), MidlineShift())
"""In the order of their ids in a ledger."""

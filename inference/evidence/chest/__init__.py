"""Tools for CT of the chest."""

from __future__ import annotations

from inference.evidence.chest.nodules import CtNodules
from inference.evidence.tool import Tool

TOOLS: tuple[Tool, ...] = (CtNodules(),)
"""In the order of their ids in a ledger."""

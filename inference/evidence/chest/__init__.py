"""Tools for CT of the chest."""

from __future__ import annotations

from inference.evidence.chest.nodules import CtNodules
from inference.evidence.chest.opacities import CtEffusion, CtOpacities
from inference.evidence.tool import Tool

TOOLS: tuple[Tool, ...] = (CtNodules(), CtOpacities(), CtEffusion())
"""In the order of their ids in a ledger."""

"""Tools for CT of the chest."""

from __future__ import annotations

from inference.evidence.chest.calcium import CtCalcium
from inference.evidence.chest.nodules import CtNodules
from inference.evidence.chest.opacities import CtEffusion, CtOpacities
from inference.evidence.chest.shown import CtAorta, CtTrachea, CtVertebra
from inference.evidence.tool import Tool

TOOLS: tuple[Tool, ...] = (
    CtNodules(),
    CtOpacities(),
    CtEffusion(),
    CtAorta(),
    CtTrachea(),
    CtVertebra(),
    CtCalcium(),
)
"""In the order of their ids in a ledger."""

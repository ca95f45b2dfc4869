"""All tools, in the order of their ids in a ledger; each area names its own."""

from __future__ import annotations

from inference.evidence import abdomen, brain, chest, head, pet, quality, radiograph
from inference.evidence.lungs import CtLungs
from inference.evidence.region_statistics import RegionStatistics
from inference.evidence.technique import Technique
from inference.evidence.tool import Tool

TOOLS: tuple[Tool, ...] = (
    Technique(),
    *quality.TOOLS,
    CtLungs(),
    *chest.TOOLS,
    *head.TOOLS,
    *abdomen.TOOLS,
    *radiograph.TOOLS,
    *brain.TOOLS,
    *pet.TOOLS,
    RegionStatistics(),
)


def tool_named(name: str) -> Tool | None:
    """Return the tool of this name, or none."""
    return next((tool for tool in TOOLS if tool.name == name), None)

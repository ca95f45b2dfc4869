"""Tools for CT of the abdomen."""

from __future__ import annotations

from inference.evidence.abdomen.body_composition import BodyComposition
from inference.evidence.abdomen.free_air import FreeAirCandidates
from inference.evidence.abdomen.organ_density import LIVER_DENSITY, SPLEEN_DENSITY, LiverMinusSpleen
from inference.evidence.abdomen.stones import StoneCandidates
from inference.evidence.tool import Tool

TOOLS: tuple[Tool, ...] = (
    LIVER_DENSITY,
    SPLEEN_DENSITY,
    LiverMinusSpleen(),
    BodyComposition(),
    StoneCandidates(),
    FreeAirCandidates(),
)
"""In the order of their ids in a ledger."""

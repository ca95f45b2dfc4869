"""Tools for PET."""

from __future__ import annotations

from inference.evidence.pet.hot_spots import PetHotSpots
from inference.evidence.pet.reference import BLOOD_REFERENCE, LIVER_REFERENCE
from inference.evidence.tool import Tool

TOOLS: tuple[Tool, ...] = (LIVER_REFERENCE, BLOOD_REFERENCE, PetHotSpots())
"""In the order of their ids in a ledger."""

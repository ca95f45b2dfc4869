"""Tools for MR of the brain."""

from __future__ import annotations

from inference.evidence.tool import Tool

TOOLS: tuple[Tool, ...] = ()
"""In the order of their ids in a ledger."""

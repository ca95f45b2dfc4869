"""Checks of any report text against the evidence ledger."""

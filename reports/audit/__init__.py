"""Audit events, Merkle log, signed checkpoints and their verification."""

"""triage -> collect -> compose -> verify, and the trace that records it."""

"""The report panel: text, evidence chips, checks, signing."""

"""A drafting run as the window shows it: start, trace, messages."""

"""Documents: sealed PDF and its verification."""

"""Benchmarks of a model or a drafter on local data sets."""

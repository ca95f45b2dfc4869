"""Planes, three dimensions, fusion and registration on the reading page."""

"""Planes through a volume on the screen."""

"""Draws what others left with the images."""

"""Three linked planes through a volume, at any angle, with slabs, and the image along a curve."""

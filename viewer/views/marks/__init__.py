"""Marks on an image: drawn, measured, moved by handles."""

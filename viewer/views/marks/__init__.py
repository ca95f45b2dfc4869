"""Marks on images: the board that holds them, the layer that shows them and takes mouse and keys.

`board.py` is the one owner of the marks of a study; `layer.py` one layer a viewport, over the image;
`sketch.py` how clicks become a mark (no Qt); `paint.py` and `words.py` how one looks and reads.
"""

"""The layers in which a viewport shows what others left with the images."""

from __future__ import annotations

from viewer.views.layers import MakeLayer
from viewer.views.objects.board import ObjectsBoard
from viewer.views.objects.notes_layer import NotesLayer
from viewer.views.objects.presentation_layer import GraphicsLayer, PresentationLayer
from viewer.views.objects.shapes_layer import ContoursLayer, SegmentsLayer

KINDS = (PresentationLayer, SegmentsLayer, ContoursLayer, GraphicsLayer, NotesLayer)
"""Those beneath first."""


def layers_of(board: ObjectsBoard) -> tuple[MakeLayer, ...]:
    """Return what makes the layers of a board for a viewport, those beneath first."""
    return tuple(lambda view, kind=kind: kind(view, board) for kind in KINDS)

"""Reads the graphics and texts of a presentation state (PS3.3 C.10.5, C.10.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

from viewer.imaging.objects.colours import from_cielab, from_rgb
from viewer.imaging.objects.parts import Point
from viewer.imaging.objects.states import (
    Annotation,
    Graphic,
    GraphicLayer,
    GraphicStyle,
    TextObject,
)
from viewer.imaging.objects.values import (
    first_item,
    image_references,
    items,
    number,
    numbers,
    paragraphs,
    whole,
    words,
)

MAX_ANNOTATIONS: Final = 5000
MAX_POINTS: Final = 100_000
"""Most points of one graphic."""

MAX_TEXT: Final = 4000

FEWEST_POINTS: Final = {
    "POINT": 1,
    "POLYLINE": 2,
    "INTERPOLATED": 2,
    "CIRCLE": 2,
    "ELLIPSE": 4,
}
"""Graphic types of PS3.3 C.10.5.1.2 and how many points make one."""

Unit = Literal["PIXEL", "DISPLAY"]
Drawn = TypeVar("Drawn")


def graphic_layers(found: Any) -> tuple[GraphicLayer, ...]:
    """Return the layers in the order in which they are drawn."""
    layers = [
        GraphicLayer(
            name=words(item, "GraphicLayer"),
            order=whole(item, "GraphicLayerOrder") or 0,
            description=words(item, "GraphicLayerDescription"),
            colour=_layer_colour(item),
        )
        for item in items(found, "GraphicLayerSequence", limit=1000)
    ]
    return tuple(sorted(layers, key=lambda layer: layer.order))


def _layer_colour(item: Any) -> str:
    grey = number(item, "GraphicLayerRecommendedDisplayGrayscaleValue")
    return (
        from_cielab(numbers(item, "GraphicLayerRecommendedDisplayCIELabValue"))
        or from_rgb(numbers(item, "GraphicLayerRecommendedDisplayRGBValue"), maximum=65535.0)
        or ("" if grey is None else from_rgb((grey, grey, grey), maximum=65535.0))
    )


def state_annotations(found: Any) -> tuple[Annotation, ...]:
    """Return the annotations of a state, damaged graphics and texts left out."""
    return tuple(map(_annotation, items(found, "GraphicAnnotationSequence", limit=MAX_ANNOTATIONS)))


def _annotation(item: Any) -> Annotation:
    def read(keyword: str, reader: Callable[[Any], Drawn | None]) -> tuple[Drawn, ...]:
        found = (reader(one) for one in items(item, keyword, limit=MAX_ANNOTATIONS))
        return tuple(one for one in found if one is not None)

    return Annotation(
        images=image_references(item, "ReferencedImageSequence"),
        layer=words(item, "GraphicLayer"),
        graphics=read("GraphicObjectSequence", _graphic) + read("CompoundGraphicSequence", _compound),
        texts=read("TextObjectSequence", _text),
    )


def _unit(item: Any, keyword: str) -> Unit:
    return "DISPLAY" if words(item, keyword) == "DISPLAY" else "PIXEL"


def _points(flat: tuple[float, ...], unit: Unit) -> tuple[Point, ...]:
    """Return points; PIXEL counts from the corner of the first pixel, the program from its centre."""
    shift = 0.5 if unit == "PIXEL" else 0.0
    pairs = zip(flat[::2], flat[1::2], strict=False)
    return tuple((x - shift, y - shift) for x, y in pairs)[:MAX_POINTS]


def _graphic(item: Any) -> Graphic | None:
    kind = words(item, "GraphicType")
    unit = _unit(item, "GraphicAnnotationUnits")
    points = _points(numbers(item, "GraphicData"), unit)
    if len(points) < FEWEST_POINTS.get(kind, MAX_POINTS + 1):
        return None
    return Graphic(
        type=kind,
        unit=unit,
        points=points,
        filled=words(item, "GraphicFilled") == "Y",
        closed=len(points) > 2 and points[0] == points[-1],
        style=_style(item),
    )


def _compound(item: Any) -> Graphic | None:
    """Return a compound graphic (PS3.3 C.10.5.1.3): a named shape, drawn as such or as its points."""
    kind = words(item, "CompoundGraphicType")
    unit = _unit(item, "CompoundGraphicUnits")
    points = _points(numbers(item, "GraphicData"), unit)
    if not kind or not points:
        return None
    turn = _points(numbers(item, "RotationPoint"), unit)
    return Graphic(
        type=kind,
        unit=unit,
        points=points,
        filled=words(item, "GraphicFilled") == "Y",
        compound=True,
        rotation=number(item, "RotationAngle") or 0.0,
        rotation_point=turn[0] if turn else None,
        ticks=tuple(
            (number(tick, "TickPosition") or 0.0, words(tick, "TickLabel"))
            for tick in items(item, "MajorTicksSequence", limit=1000)
        ),
        style=_style(item),
    )


def _style(item: Any) -> GraphicStyle:
    style = first_item(item, "LineStyleSequence")
    if style is None:
        return GraphicStyle()
    opacity = number(style, "PatternOnOpacity")
    return GraphicStyle(
        colour=from_cielab(numbers(style, "PatternOnColorCIELabValue")),
        thickness=number(style, "LineThickness"),
        dashed=words(style, "LineDashingStyle") == "DASHED",
        opacity=1.0 if opacity is None else min(max(opacity, 0.0), 1.0),
    )


def _text(item: Any) -> TextObject | None:
    text = paragraphs(item, "UnformattedTextValue", limit=MAX_TEXT)
    box_unit = _unit(item, "BoundingBoxAnnotationUnits")
    anchor_unit = _unit(item, "AnchorPointAnnotationUnits")
    first = _points(numbers(item, "BoundingBoxTopLeftHandCorner"), box_unit)
    last = _points(numbers(item, "BoundingBoxBottomRightHandCorner"), box_unit)
    anchor = _points(numbers(item, "AnchorPoint"), anchor_unit)
    if not text or not ((first and last) or anchor):
        return None
    style = first_item(item, "TextStyleSequence")
    return TextObject(
        text=text,
        box=(first[0], last[0]) if first and last else None,
        box_unit=box_unit,
        justification=words(item, "BoundingBoxTextHorizontalJustification") or "LEFT",
        anchor=anchor[0] if anchor else None,
        anchor_unit=anchor_unit,
        anchor_visible=words(item, "AnchorPointVisibility") == "Y",
        colour="" if style is None else from_cielab(numbers(style, "TextColorCIELabValue")),
    )

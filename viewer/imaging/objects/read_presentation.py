"""Reads a softcopy presentation state: grey, colour, pseudo-colour, XA/XRF (PS3.3 A.33).

Called in the imaging worker. What a state says and this does not read is named in its notes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from viewer.imaging.headers import OVERLAY_GROUPS
from viewer.imaging.images import voi_lut_presets, window_presets
from viewer.imaging.mappings import LookupTable
from viewer.imaging.objects.colours import from_cielab
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.opening import opened
from viewer.imaging.objects.palettes import Palette, is_segmented, palette
from viewer.imaging.objects.parts import packed
from viewer.imaging.objects.read_annotations import graphic_layers, state_annotations
from viewer.imaging.objects.states import (
    DisplayedArea,
    MaskSubtraction,
    PresentationContent,
    Shutter,
    StateOverlay,
    WindowChoice,
)
from viewer.imaging.objects.values import (
    ObjectError,
    first_item,
    image_references,
    items,
    number,
    numbers,
    whole,
    wholes,
    words,
)
from viewer.imaging.sequences import lookup_table
from viewer.imaging.study import OverlayPlane

MAX_OVERLAY: Final = 1 << 26
"""Most points of an overlay."""

MODES: Final = ("SCALE TO FIT", "TRUE SIZE", "MAGNIFY")


def read_presentation(
    about: ForeignObject, on_parts: Callable[[list[Any]], None], cancelled: Callable[[], bool]
) -> PresentationContent:
    """Return a presentation state.

    Raises
    ------
    ObjectError
        It cannot be read, or a table that its images need is damaged.
    """
    del on_parts, cancelled  # small: it comes whole, at once
    with opened(about.path) as found:
        images = tuple(
            image
            for series in items(found, "ReferencedSeriesSequence")
            for image in image_references(series, "ReferencedImageSequence")
        )
        if not images:
            raise ObjectError("bad_header", "It names no images to be shown by it.")
        notes: list[str] = []
        modality = first_item(found, "ModalityLUTSequence")
        intercept = number(found, "RescaleIntercept")
        slope = number(found, "RescaleSlope")
        table = None if modality is None else _table(modality, "Modality LUT")
        signed = table is None and (intercept or 0.0) < 0.0
        presentation = first_item(found, "PresentationLUTSequence")
        shape = words(found, "PresentationLUTShape")
        return PresentationContent(
            about=about,
            images=images,
            modality_lut=table,
            rescale_slope=slope if slope else 1.0,
            rescale_intercept=intercept if slope and intercept is not None else 0.0,
            rescale_type=words(found if modality is None else modality, _TYPE_OF[modality is None]),
            windows=tuple(
                _windows(item, signed) for item in items(found, "SoftcopyVOILUTSequence", limit=1000)
            ),
            presentation_lut=None if presentation is None else _table(presentation, "Presentation LUT"),
            presentation_lut_shape=shape if shape in ("IDENTITY", "INVERSE") else "IDENTITY",
            palette=_palette(found, notes),
            displayed_areas=tuple(
                area
                for item in items(found, "DisplayedAreaSelectionSequence", limit=1000)
                if (area := _area(item)) is not None
            ),
            rotation=(whole(found, "ImageRotation") or 0) % 360 // 90 * 90,
            flipped=words(found, "ImageHorizontalFlip") == "Y",
            shutter=_shutter(found),
            layers=graphic_layers(found),
            annotations=state_annotations(found),
            overlays=_overlays(found, notes),
            overlay_layers=tuple(
                (group, layer)
                for group in OVERLAY_GROUPS
                if (layer := _overlay_words(found, group, 0x1001))
            ),
            subtraction=tuple(map(_subtraction, items(found, "MaskSubtractionSequence", limit=1000))),
            notes=tuple(notes),
        )


_TYPE_OF: Final = {True: "RescaleType", False: "ModalityLUTType"}


def _table(item: Any, name: str) -> LookupTable:
    try:
        return lookup_table(item, signed_input=False)
    except (ValueError, TypeError) as error:
        raise ObjectError("corrupt", f"Its {name} cannot be read: {error}.") from error


def _windows(item: Any, signed: bool) -> WindowChoice:
    explanation = words(item, "WindowCenterWidthExplanation")
    windows = window_presets(
        numbers(item, "WindowCenter"),
        numbers(item, "WindowWidth"),
        tuple(explanation.split("\\")) if explanation else (),
        words(item, "VOILUTFunction"),
    )
    tables = voi_lut_presets(items(item, "VOILUTSequence", limit=8), signed_input=signed)
    # A table goes before a window: where a state has both, it was made with the table.
    return WindowChoice(
        images=image_references(item, "ReferencedImageSequence"), windows=(*tables, *windows)
    )


def _palette(found: Any, notes: list[str]) -> Palette | None:
    if is_segmented(found):
        notes.append("Its palette is stored in segments and not read: grey is shown.")
        return None
    return palette(found)


def _area(item: Any) -> DisplayedArea | None:
    """Return one displayed area (PS3.3 C.10.4); none without corners.

    Its corners are those *after* rotation and flip: here they are put in the order of the image.
    """
    start = numbers(item, "DisplayedAreaTopLeftHandCorner")
    end = numbers(item, "DisplayedAreaBottomRightHandCorner")
    if len(start) != 2 or len(end) != 2:
        return None
    aspect = numbers(item, "PresentationPixelAspectRatio")
    spacing = numbers(item, "PresentationPixelSpacing")
    if len(spacing) != 2 or min(spacing) <= 0.0:
        spacing = ()
    magnification = number(item, "PresentationPixelMagnificationRatio")
    mode = words(item, "PresentationSizeMode")
    usable_aspect = len(aspect) == 2 and min(aspect) > 0.0
    return DisplayedArea(
        images=image_references(item, "ReferencedImageSequence"),
        top_left=(min(start[0], end[0]) - 1.0, min(start[1], end[1]) - 1.0),
        bottom_right=(max(start[0], end[0]) - 1.0, max(start[1], end[1]) - 1.0),
        mode=mode if mode in MODES else MODES[0],
        pixel_spacing=(spacing[0], spacing[1]) if spacing else None,
        pixel_aspect=aspect[0] / aspect[1]
        if usable_aspect
        else (spacing[0] / spacing[1] if spacing else 1.0),
        magnification=magnification if magnification and magnification > 0.0 else None,
    )


def _shutter(found: Any) -> Shutter | None:
    """Return the display shutter (PS3.3 C.7.6.11, C.7.6.15); its numbers count pixels from 1."""
    shapes = words(found, "ShutterShape").split("\\")
    edges = [
        whole(found, f"Shutter{side}Edge")
        for side in ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
    ]
    rectangle = circle = None
    if "RECTANGULAR" in shapes and None not in edges:
        left, right, upper, lower = (int(edge or 0) - 1 for edge in edges)
        rectangle = left, right, upper, lower
    centre, radius = numbers(found, "CenterOfCircularShutter"), number(found, "RadiusOfCircularShutter")
    if "CIRCULAR" in shapes and len(centre) == 2 and radius is not None:
        circle = centre[1] - 1.0, centre[0] - 1.0, radius
    corners = numbers(found, "VerticesOfThePolygonalShutter")
    polygon: tuple[tuple[float, float], ...] = ()
    if "POLYGONAL" in shapes and len(corners) >= 6 and len(corners) % 2 == 0:
        polygon = tuple(
            (column - 1.0, row - 1.0) for row, column in zip(corners[::2], corners[1::2], strict=True)
        )
    bitmap = whole(found, "ShutterOverlayGroup") or 0
    if rectangle is None and circle is None and not polygon and not bitmap:
        return None
    presented = whole(found, "ShutterPresentationValue") or 0
    return Shutter(
        rectangle=rectangle,
        circle=circle,
        polygon=polygon,
        bitmap=bitmap,
        grey=round(min(max(presented, 0), 65535) / 257.0),
        colour=from_cielab(numbers(found, "ShutterPresentationColorCIELabValue")),
    )


# --- overlays


def _overlay_value(found: Any, group: int, element: int) -> Any:
    try:
        one = found.get(group << 16 | element)
        return None if one is None else one.value
    except Exception:  # pydicom raises whatever its input provokes
        return None


def _overlay_words(found: Any, group: int, element: int) -> str:
    from viewer.imaging.charset import clean

    one = _overlay_value(found, group, element)
    return "" if one is None or isinstance(one, bytes) else clean(str(one)).strip()


def _overlays(found: Any, notes: list[str]) -> tuple[StateOverlay, ...]:
    """Return the overlays that the state itself carries."""
    overlays = []
    for group in OVERLAY_GROUPS:
        data = _overlay_value(found, group, 0x3000)
        if data is None:
            continue
        try:
            rows = int(_overlay_value(found, group, 0x0010))
            columns = int(_overlay_value(found, group, 0x0011))
            origin = [int(one) for one in _overlay_value(found, group, 0x0050) or (1, 1)]
            bits = _bits(data, rows * columns)
        except (TypeError, ValueError):
            notes.append(f"Overlay {group:04X} is damaged and left out.")
            continue
        plane = OverlayPlane(
            group=group,
            rows=rows,
            columns=columns,
            origin=(origin[0], origin[1]) if len(origin) == 2 else (1, 1),
            label=_overlay_words(found, group, 0x1500) or _overlay_words(found, group, 0x0022),
            region=_overlay_words(found, group, 0x0040) == "R",
        )
        overlays.append(StateOverlay(plane=plane, data=packed(np.packbits(bits).tobytes())))
    return tuple(overlays)


def _bits(data: Any, count: int) -> Any:
    """Return the points of an overlay, the first in the lowest bit (PS3.5 8.1.2)."""
    if not 0 < count <= MAX_OVERLAY:
        raise ValueError("no size of an overlay")
    raw = bytes(data) if isinstance(data, (bytes, bytearray)) else np.asarray(data, "<u2").tobytes()
    bits = np.unpackbits(np.frombuffer(raw, np.uint8)[: (count + 7) // 8], bitorder="little")[:count]
    if bits.size < count:
        raise ValueError("too few points")
    return bits


def _subtraction(item: Any) -> MaskSubtraction:
    """Return one item of the mask subtraction (PS3.3 C.7.6.10)."""
    shift = numbers(item, "MaskSubPixelShift")
    applicable = wholes(item, "ApplicableFrameRange")
    return MaskSubtraction(
        operation=words(item, "MaskOperation"),
        mask_frames=wholes(item, "MaskFrameNumbers"),
        shift=(shift[0], shift[1]) if len(shift) == 2 else (0.0, 0.0),
        tid_offset=whole(item, "TIDOffset") or 1,
        applicable=tuple(zip(applicable[::2], applicable[1::2], strict=False)),
        explanation=words(item, "MaskOperationExplanation"),
    )

"""A softcopy presentation state as a value (PS3.3 A.33, PS3.4 annex N)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from viewer.imaging.mappings import LookupTable, unpack
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.parts import Frozen, ImageReference, Point
from viewer.imaging.study import OverlayPlane, WindowPreset


class DisplayedArea(Frozen):
    """The part of an image to show (PS3.3 C.10.4).

    Parameters
    ----------
    top_left, bottom_right
        (column, row) of the corner pixels, from 0; may lie outside of the image.
    mode
        "SCALE TO FIT", "TRUE SIZE" or "MAGNIFY".
    pixel_spacing
        Row and column spacing for TRUE SIZE, mm, or none.
    pixel_aspect
        Height of a pixel over its width.
    magnification
        Screen pixels for an image pixel, for MAGNIFY.
    """

    images: tuple[ImageReference, ...] = ()
    top_left: Point
    bottom_right: Point
    mode: str = "SCALE TO FIT"
    pixel_spacing: tuple[float, float] | None = None
    pixel_aspect: float = 1.0
    magnification: float | None = None


class WindowChoice(Frozen):
    """Windows and VOI LUTs for some images (empty: all), the first to be applied."""

    images: tuple[ImageReference, ...] = ()
    windows: tuple[WindowPreset, ...] = ()


class Shutter(Frozen):
    """What hides the surroundings (PS3.3 C.7.6.11, C.7.6.15); visible is what all shapes leave.

    Parameters
    ----------
    rectangle
        First and last visible column, first and last visible row, from 0: (left, right, upper, lower).
    circle
        Column and row of the centre, and the radius, pixels.
    polygon
        Corners.
    bitmap
        Overlay group of the presentation state whose set pixels are hidden; 0 for none.
    grey
        What hidden pixels show: 0 black to 255 white.
    colour
        Instead of `grey` on a colour display, or empty.
    """

    rectangle: tuple[int, int, int, int] | None = None
    circle: tuple[float, float, float] | None = None
    polygon: tuple[Point, ...] = ()
    bitmap: int = 0
    grey: int = 0
    colour: str = ""


class GraphicLayer(Frozen):
    """A named layer of annotations; a higher order is drawn later (PS3.3 C.10.7)."""

    name: str
    order: int = 0
    description: str = ""
    colour: str = ""


class GraphicStyle(Frozen):
    """Line style of a graphic (PS3.3 C.10.5.1.2), where the object gives one."""

    colour: str = ""
    thickness: float | None = None
    dashed: bool = False
    opacity: float = 1.0


class Graphic(Frozen):
    """One drawn object (PS3.3 C.10.5).

    Parameters
    ----------
    type
        POINT, POLYLINE, INTERPOLATED, CIRCLE (centre, a point on it), ELLIPSE (ends of the major, then
        the minor axis); compound: MULTILINE, INFINITELINE, CUTLINE, RANGELINE, RULER, AXIS, CROSSHAIR,
        ARROW, RECTANGLE, ...
    unit
        PIXEL: image points; DISPLAY: fractions of the displayed area, (0, 0) top left.
    rotation
        Degrees of a compound graphic about `rotation_point`.
    ticks
        Positions along a ruler or axis (0 to 1) with labels.
    """

    type: str
    unit: Literal["PIXEL", "DISPLAY"] = "PIXEL"
    points: tuple[Point, ...]
    filled: bool = False
    closed: bool = False
    compound: bool = False
    rotation: float = 0.0
    rotation_point: Point | None = None
    ticks: tuple[tuple[float, str], ...] = ()
    style: GraphicStyle = GraphicStyle()


class TextObject(Frozen):
    """A text (PS3.3 C.10.5), in a box, at an anchor, or both.

    Parameters
    ----------
    box
        Its two opposite corners, or none; they follow the screen's reading direction.
    box_unit, anchor_unit
        As in `Graphic.unit`.
    justification
        LEFT, CENTER or RIGHT inside the box.
    anchor_visible
        True when a line should lead to the anchor.
    """

    text: str
    box: tuple[Point, Point] | None = None
    box_unit: Literal["PIXEL", "DISPLAY"] = "PIXEL"
    justification: str = "LEFT"
    anchor: Point | None = None
    anchor_unit: Literal["PIXEL", "DISPLAY"] = "PIXEL"
    anchor_visible: bool = False
    colour: str = ""


class Annotation(Frozen):
    """Graphics and texts on one layer, for some images (empty: all)."""

    images: tuple[ImageReference, ...] = ()
    layer: str = ""
    graphics: tuple[Graphic, ...] = ()
    texts: tuple[TextObject, ...] = ()


class StateOverlay(Frozen):
    """An overlay that the presentation state carries, with its bits (PS3.3 C.9.2)."""

    plane: OverlayPlane
    data: str
    """Packed bits of the overlay's own size, deflated, base64."""

    @property
    def drawn(self) -> npt.NDArray[np.bool_]:
        """(rows, columns) of the overlay, true where it is drawn."""
        count = self.plane.rows * self.plane.columns
        raw = np.frombuffer(unpack(self.data, (count + 7) // 8), dtype=np.uint8)
        bits = np.unpackbits(raw, count=count).reshape(self.plane.rows, self.plane.columns)
        return bits.astype(np.bool_)


class MaskSubtraction(Frozen):
    """How to subtract a mask from frames (DSA; PS3.3 C.7.6.10, C.11.13).

    Parameters
    ----------
    operation
        AVG_SUB, TID or REV_TID.
    mask_frames
        Frames that are averaged to the mask, from 1.
    shift
        Mask pixel shift (row, column), pixels.
    applicable
        First and last frame pairs it applies to; empty: all.
    """

    operation: str
    mask_frames: tuple[int, ...] = ()
    shift: tuple[float, float] = (0.0, 0.0)
    tid_offset: int = 1
    applicable: tuple[tuple[int, int], ...] = ()
    explanation: str = ""


class PresentationContent(Frozen):
    """A presentation state: how its images are to be shown.

    Transformations that are missing are the identity; those of the image are not used (PS3.4 N.2.1).

    Parameters
    ----------
    modality_lut
        Table in place of `rescale_slope` and `rescale_intercept`.
    presentation_lut
        Table, else `presentation_lut_shape`: IDENTITY or INVERSE.
    rotation, flipped
        Degrees clockwise (0, 90, 180, 270), and a flip about the vertical axis *after* the rotation
        (PS3.3 C.10.6).
    overlay_layers
        Overlay group and the layer on which it is shown; an overlay of the image that is not named here
        is not shown.
    palette
        Red, green and blue table of a pseudo-colour state, or none.
    """

    kind: Literal["presentation state"] = "presentation state"
    about: ForeignObject
    images: tuple[ImageReference, ...] = ()
    modality_lut: LookupTable | None = None
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    rescale_type: str = ""
    windows: tuple[WindowChoice, ...] = ()
    presentation_lut: LookupTable | None = None
    presentation_lut_shape: str = "IDENTITY"
    palette: tuple[LookupTable, LookupTable, LookupTable] | None = None
    displayed_areas: tuple[DisplayedArea, ...] = ()
    rotation: int = 0
    flipped: bool = False
    shutter: Shutter | None = None
    layers: tuple[GraphicLayer, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    overlays: tuple[StateOverlay, ...] = ()
    overlay_layers: tuple[tuple[int, str], ...] = ()
    subtraction: tuple[MaskSubtraction, ...] = ()
    notes: tuple[str, ...] = ()

    def is_for(self, sop_instance_uid: str, frame: int) -> bool:
        """True when the state says how to show this frame."""
        return any(one.is_of(sop_instance_uid, frame) for one in self.images)

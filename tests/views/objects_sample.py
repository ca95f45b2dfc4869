"""Contents of objects on an analytic stack, and the pixels of a viewport that shows them."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from viewer.imaging.objects.contours import Contour, StructureRegion, StructureSetContent
from viewer.imaging.objects.foreign import ForeignObject, ObjectKind, SeriesReference
from viewer.imaging.objects.parts import ImageReference, packed
from viewer.imaging.objects.segments import FrameMask, Segment, SegmentationContent, SegmentFrame
from viewer.imaging.objects.states import (
    Annotation,
    DisplayedArea,
    Graphic,
    GraphicLayer,
    PresentationContent,
    Shutter,
    TextObject,
    WindowChoice,
)
from viewer.imaging.study import WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.viewport import ImageViewport

RED, GREEN, YELLOW = "#ff0000", "#00ff00", "#ffff00"
BOX = (10, 30, 20, 50)
"""Top, bottom, left and right of the mask, the last not included."""


def about(stack: ImageStack, kind: ObjectKind, uid: str) -> ForeignObject:
    return ForeignObject(
        kind=kind,
        what=kind.value,
        path="",
        sop_instance_uid=uid,
        sop_class_uid="1",
        label=uid.upper(),
        frame_of_reference_uid=stack.series.frame_of_reference_uid,
        references=(SeriesReference(series_instance_uid=stack.series.series_instance_uid),),
    )


def mask(stack: ImageStack) -> np.ndarray:
    rows, columns = stack.stored.shape[1:3]
    found = np.zeros((rows, columns), dtype=np.uint8)
    top, bottom, left, right = BOX
    found[top:bottom, left:right] = 1
    found[top, left] = 0
    return found


def segmentation(
    stack: ImageStack, frame: int, *, share: float | None = None, frame_of_reference: str = ""
) -> SegmentationContent:
    """One red segment on one frame; with a share a fractional one."""
    pixels = mask(stack)
    values = pixels if share is None else (pixels * round(200 * share)).astype(np.uint8)
    found = about(stack, ObjectKind.SEGMENTATION, "seg")
    if frame_of_reference:
        found = found.model_copy(update={"references": ()})
    return SegmentationContent(
        about=found,
        type="BINARY" if share is None else "FRACTIONAL",
        fractional_type="" if share is None else "PROBABILITY",
        maximum=1 if share is None else 200,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        frame_of_reference_uid=frame_of_reference or stack.series.frame_of_reference_uid,
        slice_spacing=2.0,
        segments=(Segment(number=1, label="Part", colour=RED),),
        frames=(
            SegmentFrame(
                segment=1,
                plane=stack.series.instances[frame].plane,
                mask=FrameMask.of(values, bits=1 if share is None else 8),
            ),
        ),
    )


def structure_set(
    stack: ImageStack, frame: int, corners: list[tuple[float, float]]
) -> StructureSetContent:
    """One yellow region with one contour in the plane of a frame."""
    plane = stack.series.instances[frame].plane
    assert plane is not None
    points = plane.pixel_to_patient(np.array(corners)).astype("<f8")
    contour = Contour(geometry="CLOSED_PLANAR", count=len(corners), data=packed(points.tobytes()))
    region = StructureRegion(
        number=4,
        name="GTV",
        colour=YELLOW,
        frame_of_reference_uid=stack.series.frame_of_reference_uid,
        contours=(contour,),
    )
    return StructureSetContent(about=about(stack, ObjectKind.STRUCTURE_SET, "plan"), regions=(region,))


def presentation(
    stack: ImageStack,
    frame: int,
    *,
    circle: tuple[tuple[float, float], tuple[float, float]] = ((40.0, 30.0), (50.0, 30.0)),
    rotation: int = 0,
    flipped: bool = False,
    area: tuple[tuple[float, float], tuple[float, float]] | None = None,
    shutter: Shutter | None = None,
    shape: str = "IDENTITY",
    texts: tuple[TextObject, ...] = (),
) -> PresentationContent:
    """A state for one frame with a green circle."""
    uid = stack.series.instances[frame].sop_instance_uid
    drawn = Annotation(layer="NOTES", graphics=(Graphic(type="CIRCLE", points=circle),), texts=texts)
    areas = () if area is None else (DisplayedArea(top_left=area[0], bottom_right=area[1]),)
    return PresentationContent(
        about=about(stack, ObjectKind.PRESENTATION_STATE, "state"),
        images=(ImageReference(sop_instance_uid=uid),),
        windows=(WindowChoice(windows=(WindowPreset(center=0.0, width=2000.0),)),),
        presentation_lut_shape=shape,
        rotation=rotation,
        flipped=flipped,
        displayed_areas=areas,
        shutter=shutter,
        layers=(GraphicLayer(name="NOTES", colour=GREEN),),
        annotations=(drawn,),
    )


def pixels(viewport: ImageViewport) -> np.ndarray:
    """What the viewport shows: (y, x, 3), red, green, blue."""
    image = viewport.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), dtype=np.uint8)
    rows = raw.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
    return rows.reshape(image.height(), image.width(), 3).astype(np.int64)


def at(viewport: ImageViewport, points: np.ndarray) -> np.ndarray:
    """Colours at image points (column, row): (n, 3)."""
    shown = pixels(viewport)
    matrix = viewport.model.matrix()
    places = points @ matrix[:2, :2].T + matrix[:2, 2]
    x, y = np.floor(places).astype(int).T
    return shown[y, x]


def is_coloured(colours: np.ndarray) -> np.ndarray:
    """Tell colours from greys: what is grey on the image stays grey."""
    return np.ptp(colours, axis=-1) > 12

"""What is inside the objects of others: the one union of contents that `Reader.read_object` returns.

Image points are (column, row) with the centre of the first pixel at (0, 0), as everywhere in the
program; DICOM puts the corner of that pixel at (0, 0) (PS3.3 C.10.5.1.1, C.18.6.1.2) and the reader
has taken half a pixel off. Patient points are LPS mm. Colours are "#rrggbb" (sRGB) or empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from viewer.imaging.objects.contours import StructureRegion, StructureSetContent
from viewer.imaging.objects.parts import Frozen
from viewer.imaging.objects.reports import (
    DocumentContent,
    DocumentPage,
    KeyObjectContent,
    ReportContent,
)
from viewer.imaging.objects.segments import SegmentationContent, SegmentFrame
from viewer.imaging.objects.states import PresentationContent

ObjectContent = (
    SegmentationContent
    | StructureSetContent
    | PresentationContent
    | ReportContent
    | KeyObjectContent
    | DocumentContent
)

CONTENT: TypeAdapter[ObjectContent] = TypeAdapter(Annotated[ObjectContent, Field(discriminator="kind")])
"""Reads a content from its JSON; `kind` says which it is."""

PARTS: Final[dict[type[Frozen], tuple[str, type[Frozen]]]] = {
    SegmentationContent: ("frames", SegmentFrame),
    StructureSetContent: ("regions", StructureRegion),
    DocumentContent: ("pages", DocumentPage),
}
"""Contents whose parts travel apart: the field they make up and what they are."""


def assembled(content: str, parts: Sequence[str]) -> ObjectContent:
    """Return a content from its JSON and that of the parts that came before it."""
    found = CONTENT.validate_json(content)
    if type(found) not in PARTS:
        return found
    field, part = PARTS[type(found)]
    return found.model_copy(update={field: tuple(map(part.model_validate_json, parts))})

"""What is inside the objects of others: the one union of contents that `Reader.read_object` returns.

Image points are (column, row) with the centre of the first pixel at (0, 0), as everywhere in the
program; DICOM puts the corner of that pixel at (0, 0) (PS3.3 C.10.5.1.1, C.18.6.1.2) and the reader
has taken half a pixel off. Patient points are LPS mm. Colours are "#rrggbb" (sRGB) or empty.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from viewer.imaging.objects.contours import StructureSetContent
from viewer.imaging.objects.reports import DocumentContent, KeyObjectContent, ReportContent
from viewer.imaging.objects.segments import SegmentationContent
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

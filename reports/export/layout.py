"""Paragraph styles, tables and headings of the document: one place for its white, lines and type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Table, TableStyle

from reports.export.fonts import Face
from reports.export.page import INK, LINE, TEXT_WIDTH

ALL = ((0, 0), (-1, -1))

ROUNDED: tuple[Any, ...] = ("ROUNDEDCORNERS", [2.5, 2.5, 2.5, 2.5])
FRAME: tuple[tuple[Any, ...], ...] = (("BOX", *ALL, 0.6, LINE), ROUNDED)
"""A quiet rounded frame."""

INSET: tuple[tuple[Any, ...], ...] = (
    ("LEFTPADDING", *ALL, 9),
    ("RIGHTPADDING", *ALL, 9),
    ("TOPPADDING", *ALL, 6),
    ("BOTTOMPADDING", *ALL, 8),
)
"""White inside a framed block."""


def style(
    name: str, size: float, leading: float, face: Face = Face.REGULAR, colour: Any = INK, **more: Any
) -> ParagraphStyle:
    """Return a paragraph style; no line may split a word that fits on one line of its own."""
    return ParagraphStyle(
        name,
        fontName=face.value,
        fontSize=size,
        leading=leading,
        textColor=colour,
        bulletFontName=face.value,
        bulletFontSize=size,
        bulletColor=colour,
        **{"allowWidows": 0, "allowOrphans": 0, "splitLongWords": 1, **more},
    )


def grid(
    rows: Sequence[Sequence[Any]], widths: Sequence[float], *commands: tuple[Any, ...], **more: Any
) -> Table:
    """Return a table aligned to the top, without lines or padding but those the commands add."""
    table = Table([list(row) for row in rows], colWidths=list(widths), **more)
    table.setStyle(
        TableStyle(
            [
                # ReportLab sets the font of each cell, even of one that holds a paragraph.
                ("FONTNAME", *ALL, Face.REGULAR.value),
                ("VALIGN", *ALL, "TOP"),
                ("LEFTPADDING", *ALL, 0),
                ("RIGHTPADDING", *ALL, 0),
                ("TOPPADDING", *ALL, 0),
                ("BOTTOMPADDING", *ALL, 0),
                *commands,
            ]
        )
    )
    return table


class Heading(Flowable):  # type: ignore[misc]
    """A section heading: tracked capitals over a hairline, kept with what follows."""

    SIZE, TRACKING = 8.2, 0.55

    def __init__(self, title: str, *, keep_with_next: bool = True) -> None:
        super().__init__()
        self.keepWithNext = int(keep_with_next)
        self._title = title.upper()
        self.width, self.height = TEXT_WIDTH, 18.0

    def getSpaceBefore(self) -> float:
        """Return the white above, in points."""
        return 12.0

    def getSpaceAfter(self) -> float:
        """Return the white below, in points."""
        return 5.0

    def draw(self) -> None:
        """Draw the words and the line under them."""
        canvas = self.canv
        canvas.setFillColor(INK)
        canvas.setFont(Face.SEMIBOLD.value, self.SIZE)
        canvas.drawString(0, 6.5, self._title, charSpace=self.TRACKING)
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.6)
        canvas.line(0, 0.3, TEXT_WIDTH, 0.3)

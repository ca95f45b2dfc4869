"""What each page carries: notice, patient, page number, state, and the watermark of a draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from reports.export.fonts import Face, draw, fit, register, width_of

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 44.0
"""Left and right margin in points."""
TOP, BOTTOM = 40.0, 56.0
TEXT_WIDTH = PAGE_WIDTH - 2 * MARGIN

INK = Color(0.067, 0.075, 0.082)
GREY = Color(0.33, 0.35, 0.38)
LINE = Color(0.74, 0.76, 0.78)
WATERMARK = Color(0.5, 0.5, 0.5, alpha=0.3)
"""Middle grey, see-through: it shows on white paper and on a black image, and text stays readable."""

FOOTER_PT = 8.0
FOOTER_RULE, FOOTER_LINE = 38.0, 27.0
RUNNING_HEAD = PAGE_HEIGHT - 30.0


@dataclass(frozen=True)
class PageFurniture:
    """Texts that each page repeats; all of them printable already (`Typesetter.plain`)."""

    title: str
    state: str
    notice: str
    patient: str
    patient_id: str
    draft: bool


SETTINGS = {
    "invariant": 1,
    "pageCompression": 1,
    "lang": "en",
    # Without it ReportLab lists Helvetica, which is not embedded, on each page.
    "initialFontName": Face.REGULAR.value,
}


class NumberedCanvas(Canvas):  # type: ignore[misc]
    """A canvas that draws each page's furniture when the number of pages is known."""

    def __init__(self, *args: Any, furniture: PageFurniture, program: str, **kwargs: Any) -> None:
        register()
        super().__init__(*args, **{**kwargs, **SETTINGS})
        # No patient in the title: file managers and recent-file lists show it.
        self.setTitle("Radiology report")
        self.setCreator(program)
        self._furniture = furniture
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        """Keep the page until all are laid out."""
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Draw the furniture on each page and write the file."""
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self._draw_furniture(number, len(self._pages))
            super().showPage()
        super().save()

    def _draw_furniture(self, number: int, total: int) -> None:
        furniture = self._furniture
        right = PAGE_WIDTH - MARGIN
        self.saveState()
        if number > 1:
            self.setFillColor(GREY)
            title = fit(furniture.title, Face.REGULAR, FOOTER_PT, TEXT_WIDTH - 100)
            draw(self, MARGIN, RUNNING_HEAD, title, face=Face.REGULAR, size=FOOTER_PT)
            self.setFillColor(INK)
            self.setFont(Face.SEMIBOLD.value, FOOTER_PT)
            self.drawRightString(right, RUNNING_HEAD, furniture.state)
        self.setStrokeColor(LINE)
        self.setLineWidth(0.6)
        self.line(MARGIN, FOOTER_RULE, right, FOOTER_RULE)
        self.setFont(Face.REGULAR.value, FOOTER_PT)
        self.setFillColor(INK)
        self.drawString(MARGIN, FOOTER_LINE, furniture.notice)
        self.drawRightString(right, FOOTER_LINE, f"Page {number} of {total}")
        self.setFillColor(GREY)
        # A long name is cut before the id is: the id tells patients of one name apart.
        room = TEXT_WIDTH - 250
        patient_id = fit(f", {furniture.patient_id}", Face.REGULAR, FOOTER_PT, room * 0.6)
        rest = room - width_of(patient_id, Face.REGULAR, FOOTER_PT)
        patient = fit(furniture.patient, Face.REGULAR, FOOTER_PT, rest) + patient_id
        middle = PAGE_WIDTH / 2 + 40
        draw(self, middle, FOOTER_LINE, patient, face=Face.REGULAR, size=FOOTER_PT, anchor=0.5)
        if furniture.draft:
            self._draw_watermark()
        self.restoreState()

    def _draw_watermark(self) -> None:
        """Write DRAFT across the page, above everything else, in the page's own content stream."""
        self.setFillColor(WATERMARK)
        self.translate(PAGE_WIDTH / 2, PAGE_HEIGHT / 2)
        self.rotate(52)
        self.setFont(Face.SEMIBOLD.value, 168)
        self.drawCentredString(0, -46, "DRAFT")
        self.setFont(Face.SEMIBOLD.value, 22)
        self.drawCentredString(0, -92, "NOT SIGNED \u00b7 NOT FOR CLINICAL USE")

"""Printed sheets: pictures in rows with a header, or the report as text; the notice on each page.

Draws on any paged device (a printer, a PDF): everything is measured in millimetres of the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QFont,
    QImage,
    QPagedPaintDevice,
    QPageLayout,
    QPageSize,
    QPainter,
    QPalette,
    QTextDocument,
)

from app.shell.output.picture import notice_words, tr

MM_PER_INCH = 25.4
MARGIN_MM = 12.0
HEAD_MM, FOOT_MM, GAP_MM, CAPTION_MM = 9.0, 6.0, 4.0, 10.0
HEAD_PT, TEXT_PT, FOOT_PT = 10.0, 10.5, 7.5

PAPERS: dict[str, QPageSize.PageSizeId] = {
    "A4": QPageSize.PageSizeId.A4,
    "A3": QPageSize.PageSizeId.A3,
    "Letter": QPageSize.PageSizeId.Letter,
}


@dataclass(frozen=True)
class SheetPicture:
    """One picture with the line under it."""

    image: QImage
    caption: str = ""


@dataclass(frozen=True)
class Sheet:
    """What is printed.

    Parameters
    ----------
    head
        Line on top of each page: patient and study, or what the sheet is.
    columns
        Pictures beside each other.
    text
        The report; pictures follow on pages of their own.
    """

    head: str
    pictures: tuple[SheetPicture, ...] = ()
    columns: int = 1
    text: str = ""


def set_paper(device: QPagedPaintDevice, paper: str, *, landscape: bool) -> None:
    """Set paper, orientation and margins."""
    way = QPageLayout.Orientation.Landscape if landscape else QPageLayout.Orientation.Portrait
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    size = QPageSize(PAPERS[paper])
    device.setPageLayout(QPageLayout(size, way, margins, QPageLayout.Unit.Millimeter))


def print_sheet(device: QPagedPaintDevice, sheet: Sheet, family: str) -> int:
    """Draw a sheet and return its number of pages; 0 when the device could not be opened."""
    painter = QPainter()
    if not painter.begin(device):
        return 0
    try:
        return _Printing(painter, device, sheet, family).run()
    finally:
        painter.end()


class _Printing:
    def __init__(self, painter: QPainter, device: QPagedPaintDevice, sheet: Sheet, family: str) -> None:
        self._painter, self._device, self._sheet, self._family = painter, device, sheet, family
        self._mm = painter.device().logicalDpiX() / MM_PER_INCH
        whole = QRectF(painter.viewport())
        top, bottom = HEAD_MM * self._mm, FOOT_MM * self._mm
        self._room = whole.adjusted(0, top, 0, -bottom)
        self._whole = whole
        self._page = 0

    def run(self) -> int:
        if self._sheet.text:
            self._print_text()
        per_page = self._per_page()
        for first in range(0, len(self._sheet.pictures), per_page):
            self._new_page()
            self._print_pictures(self._sheet.pictures[first : first + per_page])
        if not self._page:
            self._new_page()
        return self._page

    def _font(self, points: float, *, bold: bool = False) -> QFont:
        font = QFont(self._family)
        font.setPointSizeF(points)
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def _new_page(self) -> None:
        """Begin a page with its header, and the notice at its foot."""
        painter, page = self._painter, self._whole
        if self._page:
            self._device.newPage()
        self._page += 1
        painter.setPen(Qt.GlobalColor.black)
        painter.setFont(self._font(HEAD_PT, bold=True))
        line = painter.fontMetrics().elidedText(
            self._sheet.head, Qt.TextElideMode.ElideRight, int(page.width())
        )
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        painter.drawText(page, flags, line)
        painter.setFont(self._font(FOOT_PT))
        foot = Qt.AlignmentFlag.AlignBottom
        painter.drawText(page, Qt.AlignmentFlag.AlignLeft | foot, notice_words())
        number = tr("Page {n}").format(n=self._page)
        painter.drawText(page, Qt.AlignmentFlag.AlignRight | foot, number)

    def _per_page(self) -> int:
        columns = max(1, self._sheet.columns)
        return columns * self._rows(columns)

    def _rows(self, columns: int) -> int:
        """Rows of a page: cells about as high as their pictures are."""
        if not self._sheet.pictures:
            return 1
        widest = self._cell_width(columns)
        highest = max(one.image.height() / one.image.width() for one in self._sheet.pictures) * widest
        cell = highest + (CAPTION_MM + GAP_MM) * self._mm
        return max(1, int((self._room.height() + GAP_MM * self._mm) // cell))

    def _cell_width(self, columns: int) -> float:
        return (self._room.width() - (columns - 1) * GAP_MM * self._mm) / columns

    def _print_pictures(self, pictures: Sequence[SheetPicture]) -> None:
        columns = max(1, self._sheet.columns)
        rows, width = self._rows(columns), self._cell_width(columns)
        gap, caption = GAP_MM * self._mm, CAPTION_MM * self._mm
        height = (self._room.height() - (rows - 1) * gap) / rows
        highest = max(one.image.height() / one.image.width() for one in pictures) * width
        height = min(height, highest + caption)
        for number, one in enumerate(pictures):
            row, column = divmod(number, columns)
            cell = QRectF(
                self._room.left() + column * (width + gap),
                self._room.top() + row * (height + gap),
                width,
                height,
            )
            size = QSizeF(one.image.size()).scaled(
                cell.width(), cell.height() - caption, Qt.AspectRatioMode.KeepAspectRatio
            )
            target = QRectF(cell.topLeft(), size)
            target.moveLeft(cell.left() + (cell.width() - size.width()) / 2)
            self._painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            self._painter.drawImage(target, one.image)
            self._painter.setFont(self._font(FOOT_PT + 1))
            line = QRectF(target.left(), target.bottom() + self._mm, target.width(), caption - self._mm)
            flags = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap)
            self._painter.drawText(line, flags, one.caption)

    def _print_text(self) -> None:
        """Lay the report out over as many pages as it needs."""
        document = QTextDocument()
        document.documentLayout().setPaintDevice(self._painter.device())
        document.setDefaultFont(self._font(TEXT_PT))
        document.setDocumentMargin(0)
        document.setPlainText(self._sheet.text)
        document.setPageSize(self._room.size())
        for page in range(document.pageCount()):
            self._new_page()
            self._painter.save()
            self._painter.translate(self._room.left(), self._room.top() - page * self._room.height())
            clip = QRectF(0, page * self._room.height(), self._room.width(), self._room.height())
            ink = QAbstractTextDocumentLayout.PaintContext()
            ink.clip = clip
            ink.palette.setColor(QPalette.ColorRole.Text, Qt.GlobalColor.black)
            self._painter.setClipRect(clip)
            document.documentLayout().draw(self._painter, ink)
            self._painter.restore()

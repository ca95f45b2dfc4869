"""The strip of series: a picture, number, name and count each; click, Enter or drag to show one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QDrag,
    QEnterEvent,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from viewer.imaging.study import Series, Study
from viewer.views.corner_text import badge_text
from viewer.views.frame_image import Bytes, to_qimage
from viewer.views.icons import glyph
from viewer.views.theme import Theme
from viewer.views.viewport import SERIES_MIME

PICTURE_SHAPE = 0.75
"""Height of a picture over its width."""


class SeriesItem(QWidget):
    """One series: its picture and what a reader needs to pick it."""

    chosen = Signal(str)
    neighbourWanted = Signal(str, int)

    def __init__(self, series: Series, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.series = series
        self.theme = theme
        self.shown = False
        self._picture = QPixmap()
        self._pressed: QPointF | None = None
        self._hovered = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(", ".join((*self._words(), badge_text(series.verdict))).strip(", "))
        self.setToolTip("  ".join(filter(None, (series.description, badge_text(series.verdict)))))

    def set_picture(self, pixels: Bytes) -> None:
        """Show a picture from grey or RGB bytes."""
        self._picture = QPixmap.fromImage(to_qimage(pixels))
        self.update()

    def set_shown(self, shown: bool) -> None:
        """Frame the series that the active viewport shows."""
        self.shown = shown
        self.update()

    def sizeHint(self) -> QSize:
        """A picture, and one or two lines under it."""
        width = self.width()
        lines = len(self._words()) * self.theme.line_height("note")
        return QSize(width, round(self._picture_box(width).height()) + lines + self.theme.px(12))

    def _words(self) -> tuple[str, ...]:
        number = "" if self.series.series_number is None else str(self.series.series_number)
        return (
            f"{number} {self.series.description or self.series.modality}".strip(),
            str(self.series.image_count),
        )

    def _picture_box(self, width: float) -> QRectF:
        side = self.theme.px(8)
        return QRectF(side, self.theme.px(4), width - 2 * side, (width - 2 * side) * PICTURE_SHAPE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw picture, words and the state: shown, pointed at, focused."""
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing
        )
        box = self._picture_box(self.width())
        painter.fillRect(box, self.theme.colour("image"))
        if not self._picture.isNull():
            size = self._picture.size().scaled(box.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRectF(QPointF(0, 0), size.toSizeF())
            target.moveCenter(box.center())
            painter.drawPixmap(target, self._picture, QRectF(self._picture.rect()))
        edge, width = (
            ("viewport-frame", 2) if self.shown else ("control" if self._hovered else "line-2", 1)
        )
        inset = width / 2
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.theme.colour(edge), width))
        painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), 2, 2)
        if badge_text(self.series.verdict):
            side = self.theme.px(14)
            mark = glyph(
                "warning", self.theme.colour("warning"), side, pixel_ratio=self.devicePixelRatioF()
            )
            painter.drawPixmap(QPointF(box.right() - side - 2, box.top() + 2), mark)
        self._paint_words(painter, box)
        if self.hasFocus():
            painter.setPen(QPen(self.theme.colour("focus"), self.theme.length("focus", "ring")))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 1, -2, -1), 4, 4)
        painter.end()

    def _paint_words(self, painter: QPainter, box: QRectF) -> None:
        font = self.theme.font("note")
        painter.setFont(font)
        metrics, line = QFontMetricsF(font), self.theme.line_height("note")
        for row, words in enumerate(self._words()):
            first = row == 0
            painter.setPen(
                self.theme.colour("text" if first and self.shown else "text-2" if first else "text-3")
            )
            place = QRectF(2, box.bottom() + self.theme.px(2) + row * line, self.width() - 4, line)
            fitting = metrics.elidedText(words, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, fitting)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Light the edge."""
        self._hovered = True
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Dim the edge."""
        self._hovered = False
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        self.update()
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the series to a viewport."""
        far = QApplication.startDragDistance()
        if self._pressed is None or (event.position() - self._pressed).manhattanLength() < far:
            return
        self._pressed = None
        drag = QDrag(self)
        drag.setMimeData(series_mime(self.series))
        if not self._picture.isNull():
            drag.setPixmap(self._picture.scaledToWidth(self.theme.px(64)))
        drag.exec(Qt.DropAction.CopyAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose the series."""
        if self._pressed is not None:
            self._pressed = None
            self.chosen.emit(self.series.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter chooses, the arrows walk."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(self.series.key)
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self.neighbourWanted.emit(self.series.key, step)
        else:
            super().keyPressEvent(event)


def series_mime(series: Series) -> QMimeData:
    """Return the drag data of a series."""
    data = QMimeData()
    data.setData(SERIES_MIME, series.key.encode())
    return data


class SeriesStrip(QScrollArea):
    """All series of a study, top to bottom."""

    seriesChosen = Signal(str)

    def __init__(self, theme: Theme | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme or Theme()
        self._items: dict[str, SeriesItem] = {}
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._column = QWidget()
        self._column.setAutoFillBackground(False)
        self._layout = QVBoxLayout(self._column)
        self._layout.setContentsMargins(0, self.theme.px(4), 0, self.theme.px(4))
        self._layout.setSpacing(self.theme.px(4))
        self._layout.addStretch(1)
        self.setWidget(self._column)
        self.setStyleSheet(
            "QScrollArea, QScrollArea > QWidget > QWidget "
            f"{{ background: {self.theme.colour('ground').name()}; }}"
        )
        self.set_narrow(False)

    def set_narrow(self, narrow: bool) -> None:
        """Take the width for windows under 1600 pixels, or the wider one."""
        width = self.theme.length("column", "strip-narrow" if narrow else "strip")
        self.setFixedWidth(width)
        for item in self._items.values():
            self._size(item)

    def set_study(self, study: Study | None) -> None:
        """List the series of a study."""
        for item in self._items.values():
            self._layout.removeWidget(item)
            item.deleteLater()
        self._items.clear()
        for series in () if study is None else study.series:
            item = SeriesItem(series, self.theme, self._column)
            item.chosen.connect(self.seriesChosen)
            item.neighbourWanted.connect(self._walk)
            self._items[series.key] = item
            self._layout.insertWidget(self._layout.count() - 1, item)
            self._size(item)

    def set_picture(self, key: str, pixels: Bytes) -> None:
        """Show the picture of a series."""
        if key in self._items:
            self._items[key].set_picture(pixels)

    def set_shown(self, key: str) -> None:
        """Frame the series that the active viewport shows, and bring it into sight."""
        for own, item in self._items.items():
            item.set_shown(own == key)
        if key in self._items:
            self.ensureWidgetVisible(self._items[key])

    def neighbour(self, key: str, step: int) -> str:
        """Return the key of the series `step` places on, empty at the ends."""
        keys = list(self._items)
        place = keys.index(key) + step if key in keys else 0
        return keys[place] if 0 <= place < len(keys) else ""

    def _size(self, item: SeriesItem) -> None:
        item.resize(self.width(), item.height())
        item.setFixedHeight(item.sizeHint().height())

    def _walk(self, key: str, step: int) -> None:
        there = self.neighbour(key, step)
        if there:
            self._items[there].setFocus(Qt.FocusReason.TabFocusReason)
            self.ensureWidgetVisible(self._items[there])

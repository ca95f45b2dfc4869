"""What the selected mark measured: every value with its source, and the histogram of its pixels."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from app.shell.widgets import plain_label
from viewer.imaging.marks import MEAN, Mark
from viewer.imaging.marks_measure import Histogram
from viewer.views.marks.words import number_words, tr, unit_words
from viewer.views.theme import Theme

HISTOGRAM_HEIGHT = 72
"""Logical pixels of the bars."""


class ValueTable(QWidget):
    """Every value of a mark on a row of its own, and below them where they come from."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.length("space", "xs"))
        self._place = QGridLayout()
        self._place.setHorizontalSpacing(theme.length("space", "s"))
        self._place.setVerticalSpacing(0)
        self._place.setColumnStretch(1, 1)
        column.addLayout(self._place)
        self.source = plain_label("", theme, step="note", tone="2", wraps=True)
        column.addWidget(self.source)

    def show_mark(self, mark: Mark | None) -> None:
        """Show the values of a mark, or nothing."""
        while (item := self._place.takeAt(0)) is not None:
            item.widget().deleteLater()
        values = mark.values if mark is not None else ()
        theme = self._theme
        for row, value in enumerate(values):
            unit = unit_words(value.unit)
            space = "" if unit == "\u00b0" else " "
            words = f"{number_words(value.value, value.uncertainty)}{space}{unit}".rstrip()
            figure = plain_label(words, theme)
            figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            figure.setAccessibleName(f"{tr(value.label)} {words}")
            self._place.addWidget(plain_label(tr(value.label), theme, tone="2"), row, 0)
            self._place.addWidget(figure, row, 1)
        sources = dict.fromkeys(value.source for value in values if value.source)
        notes = [self.tr("Source: {words}").format(words=tr(one)) for one in sources]
        if mark is not None and mark.refusal:
            notes.append(tr(mark.refusal))
        self.source.setText("\n".join(notes))
        self.source.setVisible(bool(notes))

    def texts(self) -> dict[str, str]:
        """Return what stands beside each label."""
        rows = range(self._place.rowCount())
        cells = [[self._place.itemAtPosition(row, column) for column in (0, 1)] for row in rows]
        return {name.widget().text(): value.widget().text() for name, value in cells if name and value}


class HistogramView(QWidget):
    """How often each value occurs in an area: bars, the two ends of the axis, and the mean."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.histogram: Histogram | None = None
        self._mean: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_histogram(self, histogram: Histogram | None, mark: Mark | None) -> None:
        """Show a histogram of a mark; none hides it."""
        self.histogram = histogram
        means = [value.value for value in mark.values if value.concept == MEAN] if mark else []
        self._mean = means[0] if means else None
        self.setVisible(histogram is not None)
        if histogram is not None:
            low, high = self._ends()
            words = self.tr("Histogram of {n} pixels from {low} to {high}")
            count = int(histogram.counts.sum())
            self.setAccessibleName(words.format(n=count, low=low, high=high))
            self.setToolTip(self.accessibleName())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, self._theme.px(HISTOGRAM_HEIGHT) + self._theme.line_height("note"))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _ends(self) -> tuple[str, str]:
        assert self.histogram is not None
        edges, unit = self.histogram.edges, unit_words(self.histogram.unit)
        return number_words(float(edges[0])), f"{number_words(float(edges[-1]))} {unit}".rstrip()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.histogram is None:
            return
        theme, edges, counts = self._theme, self.histogram.edges, self.histogram.counts
        painter = QPainter(self)
        base = theme.px(HISTOGRAM_HEIGHT) - 1
        wide, most = self.width(), max(int(counts.max()), 1)
        span = float(edges[-1] - edges[0])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("control"))
        for place, count in enumerate(counts):
            if not count:
                continue
            left = (float(edges[place]) - float(edges[0])) / span * wide
            right = (float(edges[place + 1]) - float(edges[0])) / span * wide
            # Every value that occurs is seen, however rare.
            height = max(float(count) / most * (base - 1), 1.0)
            gap = 1.0 if right - left > 3 else 0.0
            painter.drawRect(QRectF(left, base - height, max(right - left - gap, 1.0), height))
        painter.setPen(QPen(theme.colour("line-2"), 1))
        painter.drawLine(0, base, wide, base)
        if self._mean is not None and edges[0] <= self._mean <= edges[-1]:
            at = round((self._mean - float(edges[0])) / span * (wide - 1))
            painter.setPen(QPen(theme.colour("text"), 1, Qt.PenStyle.DashLine))
            painter.drawLine(at, 0, at, base)
        painter.setFont(theme.font("note"))
        painter.setPen(theme.colour("text-2"))
        low, high = self._ends()
        line = QRectF(0, base + 1, wide, QFontMetrics(theme.font("note")).height())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, low)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, high)
        painter.end()

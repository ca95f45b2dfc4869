"""The strip of series: a picture, number, name and count each; click, Enter or drag to show one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

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

from viewer.imaging.hanging_facts import flavour_of
from viewer.imaging.priors import PriorStudy
from viewer.imaging.study import Series, Study
from viewer.imaging.tiling import Flavour
from viewer.views.corner_text import badge_text, printed_date
from viewer.views.frame_image import Bytes, to_qimage
from viewer.views.icons import glyph
from viewer.views.key_layer import STAR
from viewer.views.more_series import MoreSeries
from viewer.views.outlined_text import draw_outlined
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme
from viewer.views.viewport import SERIES_MIME

PORTION = 100
"""Series of one study that are listed at once; a study with thousands would keep the window waiting."""

PICTURE_SHAPE = 0.75
"""Height of a picture over its width."""


class SeriesItem(QWidget):
    """One series: its picture and what a reader needs to pick it."""

    chosen = Signal(str)
    neighbourWanted = Signal(str, int)

    def __init__(
        self,
        series: Series,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        is_prior: bool = False,
        objects: int = 0,
    ) -> None:
        super().__init__(parent)
        self.series = series
        self.theme = theme
        self.is_prior = is_prior
        self.shown = False
        self.kept = 0
        self.is_label = flavour_of(series) is Flavour.LABEL
        self._picture = QPixmap()
        self._pressed: QPointF | None = None
        self._hovered = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.objects = objects
        self._describe()

    def _describe(self) -> None:
        drawn = self.tr("objects of others: {n}").format(n=self.objects) if self.objects else ""
        kept = self.tr("key images: {n}").format(n=self.kept) if self.kept else ""
        notes = tuple(filter(None, (badge_text(self.series.verdict), drawn, kept)))
        self.setAccessibleName(", ".join((*self._words(), *notes)))
        self.setToolTip(plain_tip("  ".join(filter(None, (self.series.description, *notes)))))

    def set_kept(self, kept: int) -> None:
        """Mark a series of which images are key images."""
        if kept != self.kept:
            self.kept = kept
            self._describe()
            self.update()

    def set_picture(self, pixels: Bytes) -> None:
        """Show a picture from grey or RGB bytes; the label of a slide may name the patient."""
        if self.is_label:
            return
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
        if self.is_label:
            return self.tr("Label"), self.tr("hidden")
        number = "" if self.series.series_number is None else str(self.series.series_number)
        count, phase = self.series.image_count, self.series.phase
        return (
            f"{number} {self.series.description or self.series.modality}".strip(),
            str(count) if phase is None else f"{count} \u00d7 {phase.count}",
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
        if self.is_prior:
            side = QRectF(0, 0, self.theme.px(3), self.height())
            painter.fillRect(side, self.theme.colour("prior"))
        if not self._picture.isNull():
            size = self._picture.size().scaled(box.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRectF(QPointF(0, 0), size.toSizeF())
            target.moveCenter(box.center())
            painter.drawPixmap(target, self._picture, QRectF(self._picture.rect()))
        if self.is_label:
            side, ratio = self.theme.px(20), self.devicePixelRatioF()
            mark = glyph("eye-slash", self.theme.colour("text-3"), side, pixel_ratio=ratio)
            painter.drawPixmap(box.center() - QPointF(side, side) / 2, mark)
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
        if self.objects:
            self._paint_objects(painter, box)
        if self.kept:
            place = QPointF(box.left() + self.theme.px(4), box.top() + self.theme.px(2))
            words = STAR if self.kept == 1 else f"{STAR} {self.kept}"
            ink = self.theme.colour("corner")
            draw_outlined(painter, (place.x(), place.y()), words, self.theme.font("note"), ink)
        self._paint_words(painter, box)
        if self.hasFocus():
            painter.setPen(QPen(self.theme.colour("focus"), self.theme.length("focus", "ring")))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 1, -2, -1), 4, 4)
        painter.end()

    def _paint_objects(self, painter: QPainter, box: QRectF) -> None:
        """Say that segmentations, reports or the like were made on this series."""
        side = self.theme.px(14)
        place = QRectF(box.left() + 2, box.bottom() - side - 4, side + 2, side + 2)
        painter.fillRect(place, self.theme.colour("image"))
        ink, ratio = self.theme.colour("text-2"), self.devicePixelRatioF()
        mark = glyph("polygon", ink, side, pixel_ratio=ratio)
        painter.drawPixmap(place.topLeft() + QPointF(1, 1), mark)

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


class PriorHeading(QWidget):
    """Where an earlier study begins in the strip; a click or Enter shows its series, or hides them."""

    toggled = Signal()

    def __init__(self, prior: PriorStudy, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.prior = prior
        self.theme = theme
        self.is_open = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        study = prior.study
        about = (
            self.tr("Prior"),
            printed_date(study.date),
            " ".join(study.modalities),
            study.description,
            "" if prior.same_id else self.tr("same name, not same ID"),
        )
        self.setAccessibleName(", ".join(filter(None, about)))
        self.setToolTip(plain_tip("\n".join(filter(None, about))))
        self.setFixedHeight(4 * theme.line_height("note") + theme.px(12))

    def set_open(self, is_open: bool) -> None:
        """Point the arrow down while the series are shown."""
        self.is_open = is_open
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a rule in the colour of priors, the word, the date and the modality."""
        theme = self.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("panel"))
        ink = theme.colour("prior")
        painter.fillRect(QRectF(0, 0, self.width(), theme.px(2)), ink)
        line, top = theme.line_height("note"), theme.px(6)
        side = theme.px(12)
        ratio = self.devicePixelRatioF()
        caret = glyph("caret-down" if self.is_open else "caret-right", ink, side, pixel_ratio=ratio)
        painter.drawPixmap(QPointF(theme.px(4), top + (line - side) / 2), caret)
        study = self.prior.study
        date = printed_date(study.date).rpartition(" ")
        rows = (self.tr("PRIOR"), date[0], date[2], " ".join(study.modalities))
        for row, words in enumerate(rows):
            painter.setFont(theme.font("chip" if row == 0 else "note"))
            painter.setPen(ink if row == 0 else theme.colour("text-2"))
            indent = theme.px(18) if row == 0 else theme.px(6)
            place = QRectF(indent, top + row * line, self.width() - indent - 2, line)
            fits = painter.fontMetrics().elidedText(
                words, Qt.TextElideMode.ElideRight, int(place.width())
            )
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, fits)
        if not self.prior.same_id:
            mark = glyph("warning", theme.colour("warning"), side + 2, pixel_ratio=ratio)
            painter.drawPixmap(QPointF(self.width() - side - theme.px(6), top + line), mark)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("focus"), theme.length("focus", "ring")))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Show the series, or hide them."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.toggled.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and the space bar do the same."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.toggled.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        self.update()
        super().focusOutEvent(event)


class SeriesStrip(QScrollArea):
    """All series of a study, top to bottom; below them earlier studies, closed.

    A 4D series is one item: its first phase.
    """

    seriesChosen = Signal(str)
    listed = Signal(object)
    """Series that were added to the strip: of an earlier study, or more of one with very many."""

    def __init__(self, theme: Theme | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme or Theme()
        self._items: dict[str, SeriesItem] = {}
        self._stands_for: dict[str, str] = {}
        self._of_study: dict[str, str] = {}
        self._headings: list[PriorHeading] = []
        self._more: dict[str, MoreSeries] = {}
        self._kept: Counter[str] = Counter()
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

    def set_study(self, study: Study | None, priors: Sequence[PriorStudy] = ()) -> None:
        """List the series of a study, and the headings of its priors."""
        for widget in (*self._items.values(), *self._headings, *self._more.values()):
            self._layout.removeWidget(widget)
            widget.deleteLater()
        self._items.clear()
        self._stands_for.clear()
        self._of_study.clear()
        self._more.clear()
        self._headings = []
        if study is not None:
            self._add(study, self._layout.count() - 1)
        for prior in priors:
            heading = PriorHeading(prior, self.theme, self._column)
            heading.toggled.connect(partial(self._toggle, heading))
            self._headings.append(heading)
            self._layout.insertWidget(self._layout.count() - 1, heading)

    def _add(self, study: Study, place: int, *, is_prior: bool = False) -> None:
        """Insert the first series of a study at a place of the column, and what adds the others."""
        uid, waiting = study.study_instance_uid, []
        for series in study.series:
            first = study.phases_of(series)[0].key
            self._stands_for[series.key] = first
            if first == series.key:
                self._of_study[series.key] = uid
                waiting.append(series)
        more = MoreSeries(study, waiting, self.theme, self._column, is_prior=is_prior)
        more.wanted.connect(partial(self._grow, more))
        self._more[uid] = more
        self._layout.insertWidget(place, more)
        self._list_more(more)

    def _grow(self, more: MoreSeries) -> None:
        """List the next series of a study with very many."""
        self.listed.emit(self._list_more(more))

    def _list_more(self, more: MoreSeries) -> tuple[Series, ...]:
        portion = more.take(PORTION)
        place = self._layout.indexOf(more)
        for series in portion:
            count = sum(one.refers_to(series.series_instance_uid) for one in more.study.objects)
            item = SeriesItem(series, self.theme, self._column, is_prior=more.is_prior, objects=count)
            item.chosen.connect(self.seriesChosen)
            item.neighbourWanted.connect(self._walk)
            item.set_kept(self._kept[series.key])
            self._items[series.key] = item
            self._layout.insertWidget(place, item)
            place += 1
            self._size(item)
        return portion

    def series(self) -> tuple[Series, ...]:
        """Return the series that are listed so far."""
        return tuple(item.series for item in self._items.values())

    def _toggle(self, heading: PriorHeading) -> None:
        study = heading.prior.study
        heading.set_open(not heading.is_open)
        uid = study.study_instance_uid
        items = self._items_of(uid)
        if not items:
            self._add(study, self._layout.indexOf(heading) + 1, is_prior=True)
            self.listed.emit(tuple(item.series for item in self._items_of(uid)))
        for item in items:
            item.setVisible(heading.is_open)
        self._more[uid].set_open(heading.is_open)

    def _items_of(self, study_instance_uid: str) -> list[SeriesItem]:
        return [item for key, item in self._items.items() if self._of_study[key] == study_instance_uid]

    def set_picture(self, key: str, pixels: Bytes) -> None:
        """Show the picture of a series."""
        if key in self._items:
            self._items[key].set_picture(pixels)

    def set_kept(self, kept: Mapping[str, int]) -> None:
        """Mark the series of which images are key images: how many, by the key of the series."""
        self._kept = Counter[str]()
        for key, count in kept.items():
            self._kept[self._stands_for.get(key, key)] += count
        for key, item in self._items.items():
            item.set_kept(self._kept[key])

    def set_shown(self, key: str) -> None:
        """Frame the series that the active viewport shows, and bring it into sight."""
        key = self._stands_for.get(key, key)
        self._reach(key)
        for own, item in self._items.items():
            item.set_shown(own == key)
        if key in self._items:
            self.ensureWidgetVisible(self._items[key])

    def _reach(self, key: str) -> None:
        """List the series of a study as far as one of them."""
        more = self._more.get(self._of_study.get(key, ""))
        while more is not None and key not in self._items and more.count:
            self._grow(more)

    def neighbour(self, key: str, step: int) -> str:
        """Return the key of the series of the same study `step` places on, empty at the ends."""
        key = self._stands_for.get(key, key)
        uid = self._of_study.get(key)
        keys = [own for own, of in self._of_study.items() if uid in (None, of)]
        place = keys.index(key) + step if key in keys else 0
        return keys[place] if 0 <= place < len(keys) else ""

    def _size(self, item: SeriesItem) -> None:
        item.resize(self.width(), item.height())
        item.setFixedHeight(item.sizeHint().height())

    def _walk(self, key: str, step: int) -> None:
        there = self.neighbour(key, step)
        if there:
            self._reach(there)
            self._items[there].setFocus(Qt.FocusReason.TabFocusReason)
            self.ensureWidgetVisible(self._items[there])

"""The page of key images in the side panel: pictures in order, a note under each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.key_images import KeptImage
from app.shell.act_binding import KeyFollower, key_of
from app.shell.widgets import QUIET, ActButton, plain_label
from viewer.views.theme import Theme

PICTURE = 96
"""Longer side of a picture, logical pixels."""

IMAGE_ID = int(Qt.ItemDataRole.UserRole)
WHERE = IMAGE_ID + 1
NOTE = IMAGE_ID + 2
PIXMAP = IMAGE_ID + 3


class KeyImageRow(QStyledItemDelegate):
    """Draws a picture with its place and its note beside it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(0, self._theme.px(PICTURE) + 2 * self._theme.length("space", "s"))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        theme, box = self._theme, option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.fillRect(box, theme.colour("selected" if selected else "panel"))
        gap, side = theme.length("space", "s"), theme.px(PICTURE)
        place = QRect(box.left() + gap, box.top() + gap, side, side)
        painter.fillRect(place, theme.colour("image"))
        pixmap = index.data(PIXMAP)
        if isinstance(pixmap, QPixmap) and not pixmap.isNull():
            size = pixmap.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
            at = QRect(place.topLeft(), size)
            at.moveCenter(place.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(at, pixmap)
        words = box.adjusted(side + 2 * gap + theme.px(4), gap, -gap, -gap)
        painter.setFont(theme.font("base"))
        painter.setPen(theme.colour("text"))
        line = painter.fontMetrics().height()
        painter.drawText(words, int(Qt.AlignmentFlag.AlignTop), str(index.data(WHERE)))
        painter.setFont(theme.font("note"))
        painter.setPen(theme.colour("text-2"))
        flags = int(Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(words.adjusted(0, line + theme.px(4), 0, 0), flags, str(index.data(NOTE)))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.colour("focus"))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.restore()


class KeyImageList(QListWidget):
    """The rows, by keyboard too: Return shows one, Del removes it, Ctrl and arrows move it."""

    removeWanted = Signal(str)
    moveWanted = Signal(str, int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if item is None:
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Delete:
            self.removeWanted.emit(item.data(IMAGE_ID))
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.key() in steps:
            self.moveWanted.emit(item.data(IMAGE_ID), steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)


class KeyImagesPage(QWidget):
    """Shows the key images of a study.

    Signals
    -------
    jumpWanted(str), removeWanted(str)
        An image by its id.
    moveWanted(str, int)
        By how many places.
    noted(str, str)
        The new note of an image.
    exportWanted()
    """

    jumpWanted = Signal(str)
    removeWanted = Signal(str)
    moveWanted = Signal(str, int)
    noted = Signal(str, str)
    exportWanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.list = KeyImageList()
        self.note = QLineEdit()
        self.empty = plain_label("", theme, tone="2", wraps=True)
        self.up = ActButton("", theme, kind=QUIET, glyph_name="arrow-up")
        self.down = ActButton("", theme, kind=QUIET, glyph_name="arrow-down")
        self.remove = ActButton(self.tr("Remove"), theme, glyph_name="trash")
        self.export = ActButton(self.tr("Export as DICOM"), theme, glyph_name="export")
        self._lay_out()
        self._connect()
        self.show_images((), {}, {})

    def _lay_out(self) -> None:
        side, gap = self._theme.length("space", "m"), self._theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.empty.setContentsMargins(side, gap, side, gap)
        column.addWidget(self.empty)
        self.list.setItemDelegate(KeyImageRow(self._theme, self.list))
        self.list.setAccessibleName(self.tr("Key images"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        column.addWidget(self.list, 1)
        column.addStretch()
        foot = QFrame()
        foot.setProperty("line", "top")
        rows = QVBoxLayout(foot)
        rows.setContentsMargins(side, gap, side, gap)
        rows.setSpacing(gap)
        self.note.setPlaceholderText(self.tr("Note for the report"))
        self.note.setAccessibleName(self.tr("Note of the key image"))
        self.note.setMaxLength(500)
        rows.addWidget(self.note)
        order = QHBoxLayout()
        order.setSpacing(gap)
        self.up.setAccessibleName(self.tr("Move up"))
        self.down.setAccessibleName(self.tr("Move down"))
        for button in (self.up, self.down):
            order.addWidget(button)
        order.addWidget(self.remove, 1)
        rows.addLayout(order)
        rows.addWidget(self.export)
        column.addWidget(foot)

    def _connect(self) -> None:
        self.list.itemActivated.connect(lambda item: self.jumpWanted.emit(item.data(IMAGE_ID)))
        self.list.itemClicked.connect(lambda item: self.jumpWanted.emit(item.data(IMAGE_ID)))
        self.list.currentItemChanged.connect(lambda _now, _before: self._show_current())
        self.list.removeWanted.connect(self.removeWanted)
        self.list.moveWanted.connect(self.moveWanted)
        self.note.editingFinished.connect(self._note_written)
        self.up.clicked.connect(lambda: self._with_current(lambda key: self.moveWanted.emit(key, -1)))
        self.down.clicked.connect(lambda: self._with_current(lambda key: self.moveWanted.emit(key, 1)))
        self.remove.clicked.connect(lambda: self._with_current(self.removeWanted.emit))
        self.export.clicked.connect(self.exportWanted)
        KeyFollower(self, self._say_empty)

    def current(self) -> str:
        """Return the id of the chosen image, or empty."""
        item = self.list.currentItem()
        return "" if item is None else item.data(IMAGE_ID)

    def choose(self, image_id: str) -> None:
        """Choose an image of the list."""
        for row in range(self.list.count()):
            if self.list.item(row).data(IMAGE_ID) == image_id:
                self.list.setCurrentRow(row)

    def show_images(
        self,
        images: Sequence[KeptImage],
        where: Mapping[str, str],
        pictures: Mapping[str, QPixmap],
    ) -> None:
        """List images with their places in words and their pictures, both by id."""
        chosen, row_before = self.current(), self.list.currentRow()
        self.list.blockSignals(True)
        self.list.clear()
        for image in images:
            item = QListWidgetItem()
            words = where.get(image.id, "")
            item.setData(IMAGE_ID, image.id)
            item.setData(WHERE, words)
            item.setData(NOTE, image.note)
            item.setData(PIXMAP, pictures.get(image.id))
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole, ", ".join(filter(None, (words, image.note)))
            )
            self.list.addItem(item)
        self.list.blockSignals(False)
        self.choose(chosen)
        if self.list.currentRow() < 0 and images:
            self.list.setCurrentRow(max(0, min(row_before, len(images) - 1)))
        self.list.setVisible(bool(images))
        self.empty.setVisible(not images)
        self._say_empty()
        self._show_current()

    def set_picture(self, image_id: str, picture: QPixmap) -> None:
        """Show a picture that has been made."""
        for row in range(self.list.count()):
            if self.list.item(row).data(IMAGE_ID) == image_id:
                self.list.item(row).setData(PIXMAP, picture)

    def _say_empty(self) -> None:
        key = key_of("viewport.key_image")
        self.empty.setText(
            self.tr("No key images yet: {key} keeps the image that is shown.").format(key=key)
            if key
            else self.tr("No key images yet.")
        )

    def _show_current(self) -> None:
        item = self.list.currentItem()
        reason = self.tr("No key image is chosen.") if item is None else ""
        for button in (self.up, self.down, self.remove):
            button.set_reason(reason)
        self.export.set_reason("" if self.list.count() else self.tr("There are no key images."))
        self.note.setEnabled(item is not None)
        self.note.setText("" if item is None else item.data(NOTE))

    def _note_written(self) -> None:
        item = self.list.currentItem()
        if item is not None and self.note.text().strip() != item.data(NOTE):
            self.noted.emit(item.data(IMAGE_ID), self.note.text())

    def _with_current(self, do: object) -> None:
        key = self.current()
        if key and callable(do):
            do(key)

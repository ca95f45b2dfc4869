"""Rows of hanging protocols in lists: name and words over each other, the layout at the right."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QRect, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from viewer.imaging.hanging_protocol import HangingProtocol, StudyRule
from viewer.views.theme import Theme

HELD = Qt.ItemDataRole.UserRole + 1
"""What a row stands for."""
REASON = Qt.ItemDataRole.UserRole + 2
SHAPE = Qt.ItemDataRole.UserRole + 3


class ProtocolRow(QStyledItemDelegate):
    """Name and reason over each other, the layout at the right."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: object) -> QSize:
        theme = self._theme
        return QSize(0, theme.line_height("name") + theme.line_height("note") + theme.px(12))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: object) -> None:
        theme = self._theme
        box = option.rect.adjusted(theme.px(12), theme.px(5), -theme.px(12), -theme.px(5))
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.fillRect(option.rect, theme.colour("selected" if selected else "raised"))
        if selected:
            painter.fillRect(
                QRect(option.rect.left(), option.rect.top(), theme.px(2), option.rect.height()),
                theme.colour("text"),
            )
        shape = str(index.data(SHAPE))
        painter.setFont(theme.font("note"))
        painter.setPen(theme.colour("text-2"))
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, shape)
        room = box.width() - painter.fontMetrics().horizontalAdvance(shape) - theme.px(12)
        for row, (role, step, ink) in enumerate(
            ((Qt.ItemDataRole.DisplayRole, "name", "text"), (REASON, "note", "text-2"))
        ):
            painter.setFont(theme.font(step))
            painter.setPen(theme.colour(ink))
            words = painter.fontMetrics().elidedText(
                str(index.data(role)), Qt.TextElideMode.ElideRight, box.width() if row else room
            )
            top = box.top() + row * theme.line_height("name")
            place = QRect(box.left(), top, box.width(), theme.line_height(step))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()


def protocol_item(protocol: HangingProtocol, reason: str, held: object) -> QListWidgetItem:
    """Return a row for a list: the protocol, why or for what it is, and what the row stands for."""
    item = QListWidgetItem(protocol.name)
    item.setData(HELD, held)
    item.setData(REASON, reason)
    item.setData(SHAPE, f"{protocol.rows} \u00d7 {protocol.columns}")
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{protocol.name}: {reason}")
    return item


def tr(text: str) -> str:
    """Translate a word about protocols."""
    return QCoreApplication.translate("Hanging", text)


def rule_words(rule: StudyRule) -> str:
    """Say in words for which studies a protocol is."""
    about = (
        " + ".join(rule.all_modalities) or tr(" or ").join(rule.modality),
        tr(" or ").join(rule.regions),
        tr(" or ").join(f"\u201c{phrase}\u201d" for phrase in rule.words),
        tr("with a prior") if rule.least_priors else "",
    )
    return ", ".join(filter(None, about)) or tr("any study")

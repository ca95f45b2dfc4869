"""What is painted round the report text: grounds, rails, origin and check glyphs, the focus ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QTextBlock

from app import sign_off
from app.shell.report import words
from app.shell.report.document import RowKind, blocks_of, id_of, kind_of
from viewer.views.icons import glyph

if TYPE_CHECKING:
    from app.shell.report.view import ReportView


def _shift(view: ReportView) -> QPointF:
    return QPointF(-view.horizontalScrollBar().value(), -view.verticalScrollBar().value())


def _row_rect(view: ReportView, block: QTextBlock) -> QRectF:
    """Return the full width of a block, in the viewport's coordinates."""
    box = view.document().documentLayout().blockBoundingRect(block).translated(_shift(view))
    return QRectF(0, box.top(), view.viewport().width(), box.height())


def paint_grounds(view: ReportView) -> None:
    """Paint the ground of the selected sentence, and the rails at the left."""
    if view.model is None:
        return
    theme = view.theme
    painter = QPainter(view.viewport())
    sentences = view.judging.sentences
    rail = theme.length("column", "rail")
    for block in blocks_of(view.document()):
        if kind_of(block) not in (RowKind.SENTENCE, RowKind.NOTE):
            continue
        sentence = sentences.get(id_of(block))
        if sentence is None:  # while a word is being composed, the text is older than the model
            continue
        box = _row_rect(view, block)
        pad = theme.px(3)
        has_note = kind_of(block.next()) is RowKind.NOTE
        box.adjust(0, -pad if kind_of(block) is RowKind.SENTENCE else 0, 0, 0 if has_note else pad)
        is_selected = sentence.id == view.selected
        if is_selected:
            painter.fillRect(box, theme.colour("evidence-ground"))
            painter.fillRect(QRectF(0, box.top(), rail, box.height()), theme.colour("evidence"))
        elif sign_off.is_unreviewed(sentence):
            # A broken rail: nobody has reviewed this machine sentence yet.
            pen = QPen(theme.colour("control"), rail)
            pen.setDashPattern([1.0, 1.0])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawLine(QPointF(rail / 2, box.top() + pad), QPointF(rail / 2, box.bottom() - pad))
    painter.end()


def paint_glyphs(view: ReportView) -> None:
    """Paint origin glyphs at the left and check glyphs at the right, on each row's first line."""
    if view.model is None:
        return
    theme = view.theme
    painter = QPainter(view.viewport())
    sentences = view.judging.sentences
    size = theme.length("icon", "size")
    left = theme.length("column", "rail") + (theme.length("column", "origin") - size) / 2
    right = view.viewport().width() - theme.length("column", "check") / 2 - size / 2 - theme.px(4)

    def draw(name: str, token: str, x: float, middle: float) -> None:
        mark = glyph(name, theme.colour(token), size, pixel_ratio=view.devicePixelRatioF())
        painter.drawPixmap(QPointF(round(x), round(middle - size / 2)), mark)

    for block in blocks_of(view.document()):
        kind = kind_of(block)
        if kind not in (RowKind.SENTENCE, RowKind.LIMITATION):
            continue
        line = block.layout().lineAt(0)
        middle = block.layout().position().y() + line.y() + line.height() / 2 + _shift(view).y()
        if kind is RowKind.LIMITATION:
            draw("minus-circle", "text-2", right, middle)
            continue
        sentence = sentences.get(id_of(block))
        if sentence is None:
            continue
        draw(words.ORIGIN_GLYPHS[sentence.origin], "text-2", left, middle)
        check = words.glyph_of(sentence)
        if check is not None:
            draw(check[0], check[1], right, middle)
    painter.end()


def paint_focus(view: ReportView) -> None:
    """Paint the ring round the chip or link that has the keyboard."""
    own = view.own_spots()
    if view.focused_spot is None or view.focused_spot >= len(own) or not view.hasFocus():
        return
    theme = view.theme
    spot = own[view.focused_spot]
    box = spot.rect.translated(_shift(view))
    if spot.link < 0:
        height = theme.length("row", "chip")
        box = QRectF(box.left() + theme.length("space", "xs"), box.center().y() - height / 2, 0, height)
        box.setWidth(spot.rect.width() - theme.length("space", "xs"))
    gap = theme.length("focus", "gap") - 1
    painter = QPainter(view.viewport())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour("focus"), theme.length("focus", "ring")))
    painter.drawRoundedRect(box.adjusted(-gap, -gap, gap, gap), 4, 4)
    painter.end()


def tip_at(view: ReportView, point: QPointF) -> str:
    """Return what a chip is of, or what the glyphs of a row mean."""
    spot = view.spot_at(point)
    if view.model is None or (spot is not None and spot.link >= 0):
        return ""
    if spot is not None:
        evidence = view.model.ledger.get(spot.evidence_id)
        return f"{spot.evidence_id} {evidence.label}" if evidence else spot.evidence_id
    block = view.cursorForPosition(point.toPoint()).block()
    if kind_of(block) is not RowKind.SENTENCE or id_of(block) not in view.judging.sentences:
        return ""
    return words.tip_of(view.judging.sentences[id_of(block)])

"""Badges and pictures as they are painted in rows, where a widget for each would be too slow."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen, QPixmap

from app.shell.widgets import BadgeFrame
from app.shell.worklist.entries import BadgeWords
from viewer.views.icons import glyph
from viewer.views.theme import Theme


def badge_width(theme: Theme, badge: BadgeWords) -> int:
    """Return how wide a badge is painted."""
    side = 0 if badge.frame is BadgeFrame.NONE else theme.px(7)
    words = QFontMetrics(theme.font("badge")).horizontalAdvance(badge.text)
    return 2 * side + theme.px(14) + theme.px(4) + words


def badge_lines(
    theme: Theme, badges: Sequence[BadgeWords], width: int
) -> tuple[tuple[BadgeWords, ...], ...]:
    """Return badges in lines that fit a width: beside each other, else each under the one before.

    A row has room for two lines; what would need a third stands in the tooltip alone.
    """
    gap = theme.length("space", "s")
    lines: list[list[BadgeWords]] = []
    left = 0
    for badge in badges:
        wide = badge_width(theme, badge)
        if not lines or left + wide + gap > width:
            lines.append([])
            left = gap
        lines[-1].append(badge)
        left += wide + gap
    return tuple(tuple(line) for line in lines[:2])


def paint_badge(
    painter: QPainter,
    theme: Theme,
    left: int,
    middle: int,
    badge: BadgeWords,
    *,
    selected: bool = False,
) -> int:
    """Paint a badge round a middle line; returns its right end. On a selected row a fill is lighter."""
    font = theme.font("badge")
    problem = badge.frame is BadgeFrame.PROBLEM
    ink = "warning" if problem else "text-2" if badge.frame is BadgeFrame.NONE else "text"
    side, mark, gap = theme.px(7), theme.px(14), theme.px(4)
    if badge.frame is BadgeFrame.NONE:
        side = 0
    width = badge_width(theme, badge)
    height = theme.length("row", "badge")
    box = QRect(left, middle - height // 2, width, height)
    if badge.frame is not BadgeFrame.NONE:
        filled = badge.frame is BadgeFrame.FILLED
        fill = "line-2" if selected else "selected"
        pen = QPen(theme.colour("warning-edge" if problem else fill if filled else "control"), 1)
        if badge.frame is BadgeFrame.DASHED:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(theme.colour(fill) if filled else Qt.BrushStyle.NoBrush)
        radius = theme.length("radius", "badge")
        painter.drawRoundedRect(box.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    ratio = painter.device().devicePixelRatioF()
    painter.drawPixmap(
        QPointF(left + side, middle - mark // 2),
        glyph(badge.glyph, theme.colour(ink), mark, pixel_ratio=ratio),
    )
    painter.setFont(font)
    painter.setPen(theme.colour(ink))
    words = box.adjusted(side + mark + gap, 0, 0, 0)
    painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, badge.text)
    return box.right() + 1


def draw_cover(painter: QPainter, box: QRect, picture: QPixmap) -> None:
    """Draw a picture so that it fills a box, cut where it is longer."""
    size = picture.size().scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
    scale = size.width() / max(picture.width(), 1)
    source = QRect(0, 0, round(box.width() / scale), round(box.height() / scale))
    source.moveCenter(picture.rect().center())
    painter.drawPixmap(box, picture, source)

"""Where words of others stand in a viewport: labels of marks keep clear of them."""

from __future__ import annotations

from PySide6.QtGui import QFontMetricsF

from viewer.views.tag_place import Box
from viewer.views.theme import Theme
from viewer.views.viewport_model import ViewportModel
from viewer.views.viewport_paint import corner_words


def word_boxes(model: ViewportModel, theme: Theme) -> list[Box]:
    """Return the boxes of the corner text, in which nothing else should stand."""
    text, font = corner_words(model, theme), QFontMetricsF(theme.font("corner"))
    line, margin = theme.line_height("corner"), theme.value("viewport", "margin")
    wide, high = model.size
    boxes = []
    for lines, right, bottom in (
        (text.top_left, False, False),
        (text.top_right, True, False),
        (text.bottom_left, False, True),
        (text.bottom_right, True, True),
    ):
        if lines:
            width = max(font.horizontalAdvance(words) for words in lines) + margin
            height = len(lines) * line + margin
            left, top = (wide - width if right else 0.0), (high - height if bottom else 0.0)
            boxes.append((left, top, left + width, top + height))
    return boxes

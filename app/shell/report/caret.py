"""Where the caret may stand in a report: inside of a sentence's own words, nowhere else."""

from __future__ import annotations

from PySide6.QtGui import QTextDocument

from app.shell.report.document import (
    RowKind,
    editable_range,
    id_of,
    kind_of,
    sentence_beside,
    sentence_blocks,
)


def allowed_position(document: QTextDocument, position: int, came_from: int) -> int:
    """Return the nearest place where a caret may stand, on the side it was moving to."""
    block = document.findBlock(position)
    if kind_of(block) is RowKind.SENTENCE:
        start, end = editable_range(block)
        if position > end and came_from == end and block.next().isValid():
            following = sentence_beside(block, forwards=True)
            return editable_range(following)[0] if following is not None else end
        return min(max(position, start), end)
    forwards = position >= came_from
    for direction in (forwards, not forwards):
        found = sentence_beside(block, forwards=direction)
        if found is not None:
            return editable_range(found)[0 if direction else 1]
    return position


def place_of(document: QTextDocument, position: int) -> tuple[str, int]:
    """Return a position as sentence and offset, which outlives a rebuild of the document."""
    block = document.findBlock(position)
    if kind_of(block) is not RowKind.SENTENCE:
        return "", position
    return id_of(block), position - editable_range(block)[0]


def position_of(document: QTextDocument, sentence_id: str, offset: int) -> int:
    """Return the position of a place, as near as the sentence reaches now."""
    block = sentence_blocks(document).get(sentence_id)
    if block is None:
        return offset
    start, end = editable_range(block)
    return min(max(start + offset, start), end)

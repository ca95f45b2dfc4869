"""The report as a text document: one block a row, chips as inline objects, meaning as formats.

The document is built from the model and never the other way round; `EditableText` tells which
characters of a sentence's block are the sentence's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import (
    QFont,
    QPainter,
    QPyTextObject,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)

from app.report_model import ReportModel
from app.shell.report import words
from app.shell.report.chip import ChipLook, chip_size, paint_chip
from reports.domain import Section, Sentence, Verdict
from viewer.views.theme import Theme

OBJECT = "\ufffc"
NO_BREAK = "\u00a0"
_ONE_LINE = {ord(character): " " for character in "\n\r\t\v\f\0\u0085\u2028\u2029\u00a0\u202f"}
_ONE_LINE |= {ord(OBJECT): "\ufffd", 0xFDD0: "\ufffd", 0xFDD1: "\ufffd"}
"""What a block of a text document cannot hold as it is."""
CHIP_TYPE = QTextFormat.ObjectTypes.UserObject + 1
_CHIP_ID = QTextFormat.Property.UserProperty + 1
_LINK = QTextFormat.Property.UserProperty + 2
_KIND = QTextFormat.Property.UserProperty + 3
_ID = QTextFormat.Property.UserProperty + 4
_PREFIX = QTextFormat.Property.UserProperty + 5


class RowKind(IntEnum):
    """Kinds of rows (blocks) of the report."""

    SECTION = 1
    ORGAN = 2
    SENTENCE = 3
    NOTE = 4
    HINT = 5
    LIMITATION = 6


@dataclass(frozen=True)
class Link:
    """A link in a note: what it says and what it does."""

    text: str
    do: Callable[[], None]


@dataclass(frozen=True)
class Spot:
    """A place in the document that can be pointed at: a chip or a link, in document coordinates."""

    row_id: str
    evidence_id: str
    link: int
    rect: QRectF


class ChipObject(QPyTextObject):
    """Draws evidence chips inside the text."""

    def __init__(self, look: Callable[[str], ChipLook], theme: Theme, parent: QTextDocument) -> None:
        super().__init__(parent)
        self._look = look
        self._theme = theme

    def intrinsicSize(self, doc: QTextDocument, position: int, style: QTextFormat) -> QSizeF:
        size = chip_size(str(style.property(_CHIP_ID)), self._theme)
        return QSizeF(size.width() + self._theme.length("space", "xs"), size.height())

    def drawObject(
        self, painter: QPainter, rect: QRectF, doc: QTextDocument, position: int, style: QTextFormat
    ) -> None:
        box = QRectF(rect).adjusted(self._theme.length("space", "xs"), 0, 0, 0)
        height = self._theme.length("row", "chip")
        box = QRectF(box.left(), round(box.center().y() - height / 2), box.width(), height)
        paint_chip(painter, box, self._look(str(style.property(_CHIP_ID))), self._theme)


def kind_of(block: QTextBlock) -> RowKind | None:
    """Return what a block is, or none for the empty document's only block."""
    value = block.blockFormat().property(_KIND)
    return RowKind(value) if value else None


def id_of(block: QTextBlock) -> str:
    """Return the sentence (or refused evidence) that a block belongs to."""
    return str(block.blockFormat().property(_ID) or "")


def prefix_length(block: QTextBlock) -> int:
    """Return how many characters at the block's start are numbering, not the sentence's."""
    return int(block.blockFormat().property(_PREFIX) or 0)


def shown_text(text: str) -> str:
    """Return a text as a block can hold it: one line, no object characters; lengths stay equal."""
    return text.translate(_ONE_LINE)


def units(text: str) -> int:
    """Return the length of a text as Qt counts it: in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def characters(text: str, offset: int) -> int:
    """Return how many characters of a text stand before an offset in UTF-16 units."""
    passed = 0
    for index, character in enumerate(text):
        if passed >= offset:
            return index
        passed += units(character)
    return len(text)


def editable_range(block: QTextBlock) -> tuple[int, int]:
    """Return the document positions between which a sentence's own text stands."""
    own = _own(block)
    start = block.position() + prefix_length(block)
    return start, start + units(own)


def text_of(block: QTextBlock) -> str:
    """Return the sentence's own text as it stands in its block."""
    return _own(block).replace(NO_BREAK, " ")


def _own(block: QTextBlock) -> str:
    return block.text()[prefix_length(block) :].partition(OBJECT)[0]


def blocks_of(document: QTextDocument) -> list[QTextBlock]:
    """Return all blocks in order."""
    found, block = [], document.begin()
    while block.isValid():
        found.append(block)
        block = block.next()
    return found


def sentence_blocks(document: QTextDocument) -> dict[str, QTextBlock]:
    """Return the block of each sentence that is shown, in order."""
    return {id_of(b): b for b in blocks_of(document) if kind_of(b) is RowKind.SENTENCE}


def sentence_beside(block: QTextBlock, *, forwards: bool) -> QTextBlock | None:
    """Return the next or previous sentence's block, or none."""
    step = block.next() if forwards else block.previous()
    while step.isValid() and kind_of(step) is not RowKind.SENTENCE:
        step = step.next() if forwards else step.previous()
    return step if step.isValid() else None


class DocumentBuilder:
    """Writes the rows of a report into a document."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        self._document = document
        self._theme = theme
        self.links: dict[str, list[Link]] = {}
        """Links of each row, by the row's id."""

    def build(
        self,
        model: ReportModel,
        sentences: Iterable[Sentence],
        *,
        shown: Callable[[Sentence], bool],
        links: Callable[[Sentence], Sequence[Link]],
        hints: Callable[[Section], Sequence[Link]],
    ) -> None:
        """Write all rows anew.

        Parameters
        ----------
        sentences
            Those of the report, with what is said of each.
        shown
            The filter: false leaves a sentence's row out.
        links, hints
            Links under a sentence, and in a section that is still empty.
        """
        self.links = {}
        self._document.clear()
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        self._is_first = True
        self._shown, self._links_of, self._hints = shown, links, hints
        every = tuple(sentences)
        for section in Section:
            rows = [item for item in every if item.section is section]
            if rows or (section in _ALWAYS and not model.is_locked):
                self._section(cursor, section, rows)
        if model.limitations:
            self._row(cursor, RowKind.SECTION, "", words.tr("Limitations").upper())
            for item in model.limitations:
                self._limitation(cursor, item.text, item.evidence_id)
        cursor.endEditBlock()

    def _section(self, cursor: QTextCursor, section: Section, rows: Sequence[Sentence]) -> None:
        self._row(cursor, RowKind.SECTION, "", words.tr(words.SECTION_WORDS[section]).upper())
        if not rows:
            offered = list(self._hints(section))
            if offered:
                self._row(cursor, RowKind.HINT, section.value, words.tr("Nothing yet."))
                self._links(cursor, section.value, offered)
            return
        organ, number = "", 0
        numbered = section is Section.IMPRESSION and len(rows) > 1
        for item in rows:
            number += not words.is_struck(item)
            if not self._shown(item):
                continue
            if item.organ != organ:
                organ = item.organ
                if organ:
                    self._row(cursor, RowKind.ORGAN, "", organ)
            prefix = f"{number}. " if numbered and not words.is_struck(item) else ""
            self._sentence(cursor, item, prefix, self._links_of(item))

    def _sentence(
        self, cursor: QTextCursor, sentence: Sentence, prefix: str, links: Sequence[Link]
    ) -> None:
        self._row(cursor, RowKind.SENTENCE, sentence.id, prefix, prefix=len(prefix))
        for start, end, style in self._runs(sentence):
            piece = shown_text(sentence.text[start:end])
            if any(s.span.start <= start < s.span.end for s in sentence.slots):
                piece = piece.replace(" ", NO_BREAK)
            # "72 × 43 mm" stays on one line, like a slot does.
            cursor.insertText(piece.replace(" \u00d7 ", f"{NO_BREAK}\u00d7{NO_BREAK}"), style)
        for evidence_id in dict.fromkeys(c.evidence_id for c in sentence.citations):
            self._chip(cursor, evidence_id)
        note = words.note_of(sentence)
        if note or links:
            self._row(cursor, RowKind.NOTE, sentence.id, note)
            self._links(cursor, sentence.id, links)

    def _runs(self, sentence: Sentence) -> list[tuple[int, int, QTextCharFormat]]:
        """Split a sentence where its look changes: slots, and the words that block signing."""
        marks = words.marked_words(sentence) if sentence.verdict is Verdict.BLOCKS else ()
        edges = {0, len(sentence.text)}
        for slot in sentence.slots:
            edges |= {slot.span.start, slot.span.end}
        for start, end in marks:
            edges |= {start, end}
        cuts = sorted(edge for edge in edges if 0 <= edge <= len(sentence.text))
        runs = []
        for start, end in pairwise(cuts):
            style = self.sentence_format(sentence)
            slot = next((s for s in sentence.slots if s.span.start <= start < s.span.end), None)
            if any(a <= start < b for a, b in marks):
                style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
                style.setUnderlineColor(self._theme.colour("warning"))
            elif slot is not None and sentence.verdict is not Verdict.WEAK:
                dashed = QTextCharFormat.UnderlineStyle.DashUnderline
                plain = QTextCharFormat.UnderlineStyle.SingleUnderline
                style.setUnderlineStyle(dashed if slot.detached_from else plain)
                style.setUnderlineColor(self._theme.colour("text-3"))
            runs.append((start, end, style))
        return runs

    def sentence_format(self, sentence: Sentence) -> QTextCharFormat:
        """Return the character format of a sentence's plain words."""
        style = QTextCharFormat()
        style.setFont(self._theme.font("sentence"))
        struck = words.is_struck(sentence)
        style.setForeground(self._theme.colour("text-3" if struck else "text"))
        style.setFontStrikeOut(struck)
        if sentence.verdict is Verdict.WEAK and not struck:
            style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
            style.setUnderlineColor(self._theme.colour("warning"))
        return style

    def _limitation(self, cursor: QTextCursor, text: str, evidence_id: str) -> None:
        self._row(cursor, RowKind.LIMITATION, evidence_id, text)
        if evidence_id:
            self._chip(cursor, evidence_id)

    def _chip(self, cursor: QTextCursor, evidence_id: str) -> None:
        style = QTextCharFormat()
        style.setFont(self._theme.font("sentence"))
        style.setObjectType(CHIP_TYPE)
        style.setProperty(_CHIP_ID, evidence_id)
        style.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignBaseline)
        cursor.insertText(OBJECT, style)

    def _links(self, cursor: QTextCursor, row_id: str, links: Sequence[Link]) -> None:
        self.links[row_id] = list(links)
        for index, link in enumerate(links):
            gap = QTextCharFormat()
            gap.setFont(self._theme.font("note"))
            cursor.insertText("  " if index or cursor.block().text() else "", gap)
            style = QTextCharFormat()
            style.setFont(self._theme.font("note"))
            style.setForeground(self._theme.colour("text"))
            style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
            style.setUnderlineColor(self._theme.colour("text-3"))
            style.setProperty(_LINK, index + 1)
            cursor.insertText(link.text.replace(" ", NO_BREAK), style)

    def _row(
        self, cursor: QTextCursor, kind: RowKind, row_id: str, text: str, *, prefix: int = 0
    ) -> None:
        look = _LOOKS[kind]
        theme = self._theme
        block = QTextBlockFormat()
        block.setProperty(_KIND, int(kind))
        block.setProperty(_ID, row_id)
        block.setProperty(_PREFIX, prefix)
        block.setLeftMargin(theme.length("column", "rail") + theme.length("column", "origin"))
        block.setRightMargin(theme.length("column", "check") + theme.px(4))
        block.setTopMargin(theme.px(look.above))
        block.setBottomMargin(theme.px(look.below))
        block.setLineHeight(
            theme.line_height(look.step), QTextBlockFormat.LineHeightTypes.MinimumHeight.value
        )
        style = QTextCharFormat()
        font = QFont(theme.font(look.step))
        font.setItalic(kind is RowKind.LIMITATION)
        if kind is RowKind.SECTION:
            font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.6)
        style.setFont(font)
        style.setForeground(theme.colour(look.colour))
        if self._is_first:
            cursor.setBlockFormat(block)
            cursor.setBlockCharFormat(style)
            self._is_first = False
        else:
            cursor.insertBlock(block, style)
        cursor.insertText(shown_text(text), style)


@dataclass(frozen=True)
class _RowLook:
    step: str
    colour: str
    above: int
    below: int


_LOOKS: dict[RowKind, _RowLook] = {
    RowKind.SECTION: _RowLook("section", "text-2", 14, 0),
    RowKind.ORGAN: _RowLook("note", "text-3", 8, 0),
    RowKind.SENTENCE: _RowLook("sentence", "text", 7, 0),
    RowKind.NOTE: _RowLook("note", "text-2", 0, 0),
    RowKind.HINT: _RowLook("note", "text-3", 2, 4),
    RowKind.LIMITATION: _RowLook("base", "text-2", 6, 0),
}
_ALWAYS = frozenset({Section.FINDINGS, Section.IMPRESSION})


def spots_of(document: QTextDocument) -> list[Spot]:
    """Return all chips and links with the rectangles they are drawn in."""
    found: list[Spot] = []
    block = document.begin()
    while block.isValid():
        origin = QPointF(block.layout().position())
        iterator = block.begin()
        while not iterator.atEnd():
            fragment = iterator.fragment()
            style = fragment.charFormat()
            chip, link = style.property(_CHIP_ID), style.property(_LINK)
            if chip:
                # Chips of one format side by side are one fragment: each character is one chip.
                for at in range(fragment.position(), fragment.position() + fragment.length()):
                    found.append(Spot(id_of(block), str(chip), -1, _box(block, at, at + 1, origin)))
            elif link:
                box = _box(block, fragment.position(), fragment.position() + fragment.length(), origin)
                found.append(Spot(id_of(block), "", int(link) - 1, box))
            iterator += 1
        block = block.next()
    return found


def _box(block: QTextBlock, start: int, end: int, origin: QPointF) -> QRectF:
    layout = block.layout()
    line = layout.lineForTextPosition(start - block.position())
    if not line.isValid():
        return QRectF()
    left = line.cursorToX(start - block.position())
    right = line.cursorToX(end - block.position())
    left, right = (value[0] if isinstance(value, tuple) else value for value in (left, right))
    return QRectF(origin.x() + left, origin.y() + line.y(), right - left, line.height())

"""Writing in the report: typing, deleting, breaking and joining of sentences, and undo."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QKeyCombination, QMimeData, Qt, Signal
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QKeySequence, QTextCursor
from PySide6.QtWidgets import QWidget

from app.shell.report.document import (
    OBJECT,
    RowKind,
    characters,
    editable_range,
    id_of,
    kind_of,
    sentence_beside,
    sentence_blocks,
    text_of,
    units,
)
from app.shell.report.view import ReportView
from reports.domain import Section
from viewer.views.theme import Theme

_DELETES: tuple[tuple[QKeySequence.StandardKey, QTextCursor.MoveOperation], ...] = (
    (QKeySequence.StandardKey.DeleteStartOfWord, QTextCursor.MoveOperation.PreviousWord),
    (QKeySequence.StandardKey.DeleteEndOfWord, QTextCursor.MoveOperation.NextWord),
    (QKeySequence.StandardKey.DeleteEndOfLine, QTextCursor.MoveOperation.EndOfLine),
    (QKeySequence.StandardKey.DeleteCompleteLine, QTextCursor.MoveOperation.EndOfBlock),
)
"""Keys that delete, with how far; the first that matches counts."""

_PLAIN_DELETES: dict[int, QTextCursor.MoveOperation] = {
    Qt.Key.Key_Backspace: QTextCursor.MoveOperation.PreviousCharacter,
    Qt.Key.Key_Delete: QTextCursor.MoveOperation.NextCharacter,
}

_REDO = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_Y)
"""The key of the table of acts; on X11 the standard key for it is Ctrl+Shift+Z alone."""


class ReportEditor(ReportView):
    """A report that can be written in. Only the words of sentences change; chips and heads stay.

    Signals
    -------
    undoWanted(), redoWanted()
        Take back the newest act, here or on the image, or do it again; what was typed is in the model.
    """

    undoWanted = Signal()
    redoWanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.writeWanted.connect(self.write)

    def write(self, section: Section | str, organ: str = "") -> None:
        """Start a new sentence of the reader's own at the end of a section."""
        if self.model is None:
            return
        self.commit()
        new = self.model.insert(Section(section), "", organ=organ)
        self.select_sentence(new)
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.spot_key(event) or self.model is None or self._row_key(event):
            return
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Redo) or event.keyCombination() == _REDO:
            self.redo()
        elif self.model.is_locked:
            super().keyPressEvent(event)
        elif event.matches(QKeySequence.StandardKey.Cut):
            self.copy()
            self._remove_selection()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._new_line()
        elif not self._delete_key(event):
            if event.text() and event.text().isprintable() and not self._prepare_insert():
                return
            super().keyPressEvent(event)

    def _row_key(self, event: QKeyEvent) -> bool:
        """Move up or down to the next sentence at the same place of the line, over heads and notes."""
        steps = {Qt.Key.Key_Down: True, Qt.Key.Key_Up: False}
        if event.key() not in steps or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        forwards = steps[Qt.Key(event.key())]
        block = self.textCursor().block()
        if kind_of(block) is not RowKind.SENTENCE:
            return False
        start, end = editable_range(block)
        layout = block.layout()
        here = layout.lineForTextPosition(self.textCursor().position() - block.position())
        edge = layout.lineForTextPosition((end if forwards else start) - block.position())
        if here.lineNumber() != edge.lineNumber():
            return False
        following = sentence_beside(block, forwards=forwards)
        if following is not None:
            across = here.cursorToX(self.textCursor().position() - block.position())
            across = across[0] if isinstance(across, tuple) else across
            first, last = editable_range(following)
            lines = following.layout()
            at = 0 if forwards else lines.lineForTextPosition(last - following.position()).lineNumber()
            offset = lines.lineAt(at).xToCursor(across) + following.position()
            cursor = self.textCursor()
            cursor.setPosition(min(max(offset, first), last))
            self.setTextCursor(cursor)
        return True

    def undo(self) -> None:
        """Take back the last act, what is being typed first."""
        self.commit()
        self.undoWanted.emit()

    def redo(self) -> None:
        """Do again what was taken back."""
        self.redoWanted.emit()

    def _prepare_insert(self) -> bool:
        """Make room for typed text: remove the selection, stay inside of a sentence."""
        if self.textCursor().hasSelection():
            self._remove_selection()
        cursor = self.textCursor()
        block = cursor.block()
        if kind_of(block) is not RowKind.SENTENCE or self.model is None:
            return False
        start, end = editable_range(block)
        cursor.setPosition(min(max(cursor.position(), start), end))
        self.setTextCursor(cursor)
        # Typed words look like the sentence's, never like the slot or chip beside the caret.
        self.setCurrentCharFormat(self._builder.sentence_format(self.model.sentence(id_of(block))))
        return True

    def _delete_key(self, event: QKeyEvent) -> bool:
        move = next((move for key, move in _DELETES if event.matches(key)), None)
        if move is None and not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier:
            # Not every platform has these two among its standard keys.
            move = _PLAIN_DELETES.get(event.key())
        if move is None:
            return False
        if self.textCursor().hasSelection():
            self._remove_selection()
            return True
        cursor = self.textCursor()
        block = cursor.block()
        if kind_of(block) is not RowKind.SENTENCE:
            return True
        start, end = editable_range(block)
        at = cursor.position()
        backwards = move in (
            QTextCursor.MoveOperation.PreviousCharacter,
            QTextCursor.MoveOperation.PreviousWord,
        )
        if (backwards and at <= start) or (not backwards and at >= end):
            self._join(backwards)
            return True
        cursor.movePosition(move, QTextCursor.MoveMode.KeepAnchor)
        cursor.setPosition(min(max(cursor.position(), start), end), QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        self.setTextCursor(cursor)
        return True

    def _join(self, backwards: bool) -> None:
        """Join the caret's sentence with its neighbour of the same section; drop it when empty."""
        if self.model is None or not self._selected:
            return
        self.commit()
        here = self.model.sentence(self._selected)
        rows = self.rows()
        at = rows.index(here.id)
        beside = at - 1 if backwards else at + 1
        if not 0 <= beside < len(rows):
            return
        there = self.model.sentence(rows[beside])
        if not here.text:
            self.model.delete(here.id)
            self.select_sentence(there.id)
        elif there.section is here.section:
            first, second = (there, here) if backwards else (here, there)
            offset = units(first.text) + (1 if backwards and first.text and second.text else 0)
            self.model.join(first.id, second.id)
            self._place_caret(first.id, offset)

    def _new_line(self) -> None:
        """Break the sentence at the caret, or start a new one after it."""
        if self.textCursor().hasSelection():
            self._remove_selection()
        self.commit()
        block = self._block_of(self._selected)
        if self.model is None or block is None:
            return
        start, end = editable_range(block)
        here = self.model.sentence(self._selected)
        at = characters(here.text, min(max(self.textCursor().position(), start), end) - start)
        if 0 < at < len(here.text):
            new = self.model.split(here.id, at)
        else:
            new = self.model.insert(here.section, "", organ=here.organ, after=here.id)
        self._place_caret(new, 0)

    def _remove_selection(self) -> None:
        """Remove the selected text: whole sentences go, partly selected ones keep the rest."""
        cursor = self.textCursor()
        first, last = cursor.selectionStart(), cursor.selectionEnd()
        blocks = [
            block
            for block in sentence_blocks(self.document()).values()
            if editable_range(block)[0] <= last and editable_range(block)[1] >= first
        ]
        if self.model is None or not blocks:
            return
        if len(blocks) == 1:
            start, end = editable_range(blocks[0])
            cursor.setPosition(min(max(first, start), end))
            cursor.setPosition(max(min(last, end), start), QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            self.setTextCursor(cursor)
            return
        cuts = []
        for block in blocks:
            start, _ = editable_range(block)
            text = text_of(block)
            before = text[: characters(text, max(first - start, 0))]
            after = text[characters(text, max(last - start, 0)) :]
            cuts.append((id_of(block), before + after))
        with self.model.group("report.delete_selection", cuts[0][0]):
            for sentence_id, text in cuts:
                if text.strip():
                    self.model.edit_text(sentence_id, text)
                else:
                    self.model.delete(sentence_id)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText() and self._prepare_insert():
            self.textCursor().insertText(" ".join(source.text().replace(OBJECT, "").split()))

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        text = self.textCursor().selection().toPlainText()
        data.setText(text.replace(OBJECT, "").replace("\u00a0", " "))
        return data

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        if (event.commitString() or event.preeditString()) and not self._prepare_insert():
            return
        super().inputMethodEvent(event)
        self._is_composing = bool(event.preeditString())
        if not self._is_composing and self._wants_rebuild:
            self._wants_rebuild = False
            self.commit()
            self.rebuild()

    def event(self, event: QEvent) -> bool:
        # Keys of the table of acts win over the editor's own meaning of them (Ctrl+Del, Ctrl+M).
        if event.type() == QEvent.Type.ShortcutOverride:
            pressed = QKeySequence(event.keyCombination())
            if pressed in self.act_keys:
                event.ignore()
                return False
        return super().event(event)

    act_keys: frozenset[QKeySequence] = frozenset()
    """Shortcuts of acts that are bound in this window."""

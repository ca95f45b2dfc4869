"""The report text as it is shown: sentences, each bound to its evidence. Shows a `ReportModel`.

Typing changes the text at once and the model when the caret leaves the sentence or rests for a
moment. A change of the model is drawn anew around the caret, which stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QPointF, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QToolTip, QWidget

from app.repairing import repair
from app.report_history import Change
from app.report_model import ReportModel
from app.shell.report import words
from app.shell.report.caret import allowed_position, place_of, position_of
from app.shell.report.chip import ChipLook, chip_look
from app.shell.report.document import (
    CHIP_TYPE,
    ChipObject,
    DocumentBuilder,
    Link,
    RowKind,
    Spot,
    editable_range,
    id_of,
    kind_of,
    sentence_blocks,
    shown_text,
    spots_of,
    text_of,
)
from app.shell.report.gutter import paint_focus, paint_glyphs, paint_grounds, tip_at
from app.shell.report.judging import Judging
from reports.domain import Origin, Section, Sentence
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

PAUSE_MS = 600
"""Rest of the keyboard after which a sentence that is being typed goes to the model and is checked."""


class ReportView(QTextEdit):
    """The text of one report with its chips, glyphs and caret; `ReportEditor` adds the writing.

    Signals
    -------
    evidenceHovered(str)
        Evidence under the pointer, or "" when it left.
    evidenceActivated(str, int)
        Evidence to show on the image, and the index of its region; again: the next region.
    sentenceSelected(str)
        The caret is in another sentence.
    """

    evidenceHovered = Signal(str)
    evidenceActivated = Signal(str, int)
    sentenceSelected = Signal(str)
    normalsWanted = Signal(str)
    writeWanted = Signal(str)
    refused = Signal(str)
    """Words for the reader when an edit was not possible."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.model: ReportModel | None = None
        self.spots: list[Spot] = []
        self.focused_spot: int | None = None
        """Index into the spots of the selected sentence while chips and links have the keyboard."""
        self._stop_observing: Callable[[], None] = lambda: None
        self._shown: Callable[[Sentence], bool] = lambda _sentence: True
        self._is_building = False
        self._is_composing = False
        self._wants_rebuild = False
        self._selected = ""
        self._evidence = ""
        self._hovered = ""
        self._region = 0
        self._last_position = 0
        self._builder = DocumentBuilder(self.document(), theme)
        self.document().setUndoRedoEnabled(False)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().registerHandler(
            CHIP_TYPE, ChipObject(self._chip_look, theme, self.document())
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptRichText(False)
        self.setAcceptDrops(False)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportMargins(0, theme.length("space", "s"), 0, theme.length("space", "s"))
        self.viewport().setAutoFillBackground(False)
        self.viewport().setMouseTracking(True)
        self.setFont(theme.font("sentence"))
        self.setAccessibleName(self.tr("Report text"))
        self.judging = Judging(self._typed, self)
        self.judging.changed.connect(self._say_judged)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.commit)
        self.document().contentsChange.connect(self._text_changed)
        self.document().documentLayout().documentSizeChanged.connect(self._layout_changed)
        self.cursorPositionChanged.connect(self._caret_moved)

    # The model

    def set_model(self, model: ReportModel | None) -> None:
        """Show a report; what was typed in the one before goes to it first."""
        self.commit()
        self._stop_observing()
        self.model = model
        self._selected = self._evidence = self._hovered = ""
        self._stop_observing = model.subscribe(self._model_changed) if model else lambda: None
        self.rebuild()

    def set_filter(self, shown: Callable[[Sentence], bool]) -> None:
        """Show only the sentences for which the filter is true."""
        self.commit()
        self._shown = shown
        self.rebuild()

    def commit(self) -> None:
        """Give the model the text that was typed and not given yet."""
        self._pause.stop()
        typed = self._typed()
        if self.model and typed and typed[1] != shown_text(self.model.sentence(typed[0]).text):
            self.model.edit_text(*typed)

    def _typed(self) -> tuple[str, str] | None:
        """Return the sentence at hand and its words, or none while nothing can be given over."""
        block = self._block_of(self._selected)
        if self.model is None or block is None or self.model.is_locked or self._is_composing:
            return None
        return self._selected, text_of(block)

    def _say_judged(self, sentence_id: str) -> None:
        self.setAccessibleDescription(words.describe(self.judging.sentences[sentence_id]))
        self.viewport().update()

    def _model_changed(self, change: Change) -> None:
        if self._is_composing:
            self._wants_rebuild = True
            return
        self.rebuild()
        if change.is_undo and change.sentence_id and self._block_of(change.sentence_id):
            self.select_sentence(change.sentence_id)

    def rebuild(self) -> None:
        """Draw the report anew; caret, scroll and selection stay where they were."""
        offset = self._caret_offset()
        scroll = self.verticalScrollBar().value()
        self._is_building = True
        self.judging.take(self.model)
        blocker = QSignalBlocker(self)
        if self.model is None:
            self.document().clear()
        else:
            sentences = self.judging.sentences.values()
            links, hints = self._links_under, self._links_in
            self._builder.build(self.model, sentences, shown=self._shown, links=links, hints=hints)
        self._is_building = False
        locked = self.model is None or self.model.is_locked
        self.setReadOnly(locked)
        if locked:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByKeyboard
                | Qt.TextInteractionFlag.TextSelectableByMouse
            )
        block = self._block_of(self._selected)
        if block is not None:
            start, end = editable_range(block)
            self._set_caret(min(start + offset, end))
        else:
            self._selected = ""
            self._set_caret(self._first_position())
        del blocker
        self.spots = []
        self.verticalScrollBar().setValue(scroll)
        self.viewport().update()

    def _links_under(self, sentence: Sentence) -> list[Link]:
        model = self.model
        if model is None or model.is_locked:
            return []
        repairs = model.repairs(sentence.id)
        if not sentence.is_in_body and not repairs:
            return [Link(words.tr("Restore"), partial(self.attempt, model.restore, sentence.id))]
        return [Link(words.repair_text(r), partial(self.attempt, repair, model, r)) for r in repairs]

    def _links_in(self, section: Section) -> list[Link]:
        offered = [Link(self.tr("Write"), partial(self.writeWanted.emit, section.value))]
        if section in (Section.FINDINGS, Section.IMPRESSION):
            normals = partial(self.normalsWanted.emit, section.value)
            offered.append(Link(self.tr("My normals"), normals))
        return offered

    def attempt(self, operation: Callable[..., object], *arguments: object) -> None:
        """Run an operation of the model; a refusal of it is told in words."""
        self.commit()
        try:
            operation(*arguments)
        except (ValueError, KeyError) as error:
            self.refused.emit(str(error))

    # Selection

    @property
    def selected(self) -> str:
        """Id of the sentence that holds the caret, or empty."""
        return self._selected

    @property
    def evidence(self) -> str:
        """Id of the selected evidence, or empty."""
        return self._evidence

    def select_sentence(self, sentence_id: str, *, shows_evidence: bool = False) -> None:
        """Put the caret at the end of a sentence and scroll to it."""
        block = self._block_of(sentence_id)
        if block is None:
            return
        self._set_caret(editable_range(block)[1])
        self._caret_moved()
        self.ensureCursorVisible()
        if shows_evidence:
            self.show_evidence_of(sentence_id)

    def select_evidence(self, evidence_id: str) -> None:
        """Mark an evidence and find its sentence: what a click on a region in the image does."""
        self._mark(evidence_id)
        if self.model is None or not evidence_id:
            return
        citing = [item.id for item in self.model.sentences_citing(evidence_id)]
        if citing and self._selected not in citing:
            self.select_sentence(next((key for key in citing if self._block_of(key)), citing[0]))
            self._mark(evidence_id)

    def show_evidence_of(self, sentence_id: str) -> None:
        """Ask for the first evidence of a sentence that has a region, else its first, to be shown."""
        if self.model is None:
            return
        cited = [c.evidence_id for c in self.model.sentence(sentence_id).citations]
        found = [self.model.ledger.get(key) for key in cited]
        shown = next((item for item in found if item and item.regions), None)
        if shown is not None:
            self.activate(shown.id)
        elif cited:
            self._mark(cited[0])

    def activate(self, evidence_id: str) -> None:
        """Show an evidence on the image; the same one again shows its next region."""
        if self.model is None:
            return
        evidence = self.model.ledger.get(evidence_id)
        count = len(evidence.regions) if evidence else 0
        again = evidence_id == self._evidence
        self._region = (self._region + 1) % count if again and count else 0
        self._mark(evidence_id)
        self.evidenceActivated.emit(evidence_id, self._region)

    def _mark(self, evidence_id: str) -> None:
        if evidence_id != self._evidence:
            self._evidence = evidence_id
            self._region = 0
        self.viewport().update()

    def _chip_look(self, evidence_id: str) -> ChipLook:
        evidence = self.model.ledger.get(evidence_id) if self.model else None
        return chip_look(
            evidence_id,
            evidence,
            is_selected=evidence_id == self._evidence,
            is_hovered=evidence_id == self._hovered,
        )

    def _text_changed(self, _at: int, _removed: int, _added: int) -> None:
        self.spots = []
        if not self._is_building:
            self._pause.start()
            self.judging.soon()

    # Caret

    def _caret_moved(self) -> None:
        if self._is_building:
            return
        cursor = self.textCursor()
        if not cursor.hasSelection():
            position = allowed_position(self.document(), cursor.position(), self._last_position)
            if position != cursor.position():
                self._set_caret(position)
                cursor = self.textCursor()
        self._last_position = cursor.position()
        block = cursor.block()
        here = id_of(block) if kind_of(block) is RowKind.SENTENCE else ""
        if here == self._selected:
            return
        self._leave(here)

    def _leave(self, new: str) -> None:
        """Finish the sentence that the caret left: give it to the model, drop it when it is empty."""
        old, cursor = self._selected, self.textCursor()
        ends = [place_of(self.document(), at) for at in (cursor.anchor(), cursor.position())]
        self.commit()
        self._selected = new
        self.focused_spot = None
        model = self.model
        if model and old and not model.is_locked and self._block_of(old) is not None:
            left = model.sentence(old)
            if not left.text.strip() and left.origin is Origin.PERSON:
                model.delete(old)
        if new:
            anchor, position = (position_of(self.document(), *end) for end in ends)
            self._set_caret(position, anchor=anchor)
            if model is not None:
                self.setAccessibleDescription(words.describe(self.judging.sentences[new]))
        self.viewport().update()
        self.sentenceSelected.emit(new)

    def _set_caret(self, position: int, *, anchor: int | None = None) -> None:
        cursor = self.textCursor()
        last = max(self.document().characterCount() - 1, 0)
        cursor.setPosition(min(position if anchor is None else anchor, last))
        cursor.setPosition(min(position, last), QTextCursor.MoveMode.KeepAnchor)
        blocker = QSignalBlocker(self)
        self.setTextCursor(cursor)
        del blocker
        self._last_position = cursor.position()

    def _place_caret(self, sentence_id: str, offset: int) -> None:
        block = self._block_of(sentence_id)
        if block is not None:
            start, end = editable_range(block)
            self._set_caret(min(max(start + offset, start), end))
            self._caret_moved()

    def _caret_offset(self) -> int:
        block = self.textCursor().block()
        if kind_of(block) is not RowKind.SENTENCE:
            return 0
        return max(self.textCursor().position() - editable_range(block)[0], 0)

    def _first_position(self) -> int:
        blocks = list(sentence_blocks(self.document()).values())
        return editable_range(blocks[0])[0] if blocks else 0

    def _block_of(self, sentence_id: str) -> QTextBlock | None:
        return sentence_blocks(self.document()).get(sentence_id) if sentence_id else None

    def rows(self) -> list[str]:
        """Return the ids of the sentences that are shown, in order."""
        return list(sentence_blocks(self.document()))

    # Pointing

    def _spots(self) -> list[Spot]:
        if not self.spots:
            self.spots = spots_of(self.document())
        return self.spots

    def _layout_changed(self) -> None:
        self.spots = []

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.spots = []

    def spot_at(self, point: QPointF) -> Spot | None:
        at = point + QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        return next((spot for spot in self._spots() if spot.rect.contains(at)), None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        spot = self.spot_at(event.position())
        self._hover(spot.evidence_id if spot else "")
        shape = Qt.CursorShape.PointingHandCursor if spot else Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            words = plain_tip(tip_at(self, QPointF(event.pos())))
            QToolTip.showText(event.globalPos(), words, self.viewport())
            return True
        return super().viewportEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover("")

    def _hover(self, evidence_id: str) -> None:
        if evidence_id != self._hovered:
            self._hovered = evidence_id
            self.viewport().update()
            self.evidenceHovered.emit(evidence_id)

    def hover_evidence(self, evidence_id: str) -> None:
        """Light the chips of a region that the pointer is on in the image ("" for none)."""
        self._hovered = evidence_id
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position())
        if event.button() is not Qt.MouseButton.LeftButton or spot is None:
            before = self._selected
            super().mousePressEvent(event)
            if self._selected and self._selected != before:
                self.show_evidence_of(self._selected)
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._use(spot)
        event.accept()

    def _use(self, spot: Spot) -> None:
        """Do what a click on a chip or link does."""
        if spot.link >= 0:
            self._builder.links[spot.row_id][spot.link].do()
            return
        if self._block_of(spot.row_id) is not None and self._selected != spot.row_id:
            self.select_sentence(spot.row_id)
        self.activate(spot.evidence_id)

    # Chips and links by keyboard

    def own_spots(self) -> list[Spot]:
        """Return chips and links of the selected sentence, in the order of the Tab key."""
        return [spot for spot in self._spots() if spot.row_id == self._selected]

    def spot_key(self, event: QKeyEvent) -> bool:
        """Handle a key while a chip or link has the keyboard, or Tab that gives it to one."""
        key, own = event.key(), self.own_spots()
        at = self.focused_spot
        if at is None:
            if key != Qt.Key.Key_Tab or event.modifiers() or not own:
                return False
            self._focus_spot(0)
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and at < len(own):
            self._use(own[at])
            return True
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Tab: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Backtab: -1}
        following = at + steps[Qt.Key(key)] if key in steps else None
        if following is not None and 0 <= following < len(own):
            self._focus_spot(following)
            return True
        self._focus_spot(None)
        if key == Qt.Key.Key_Tab:
            self.focusNextChild()
        return key in steps or key == Qt.Key.Key_Escape

    def _focus_spot(self, index: int | None) -> None:
        self.focused_spot = index
        own = self.own_spots()
        if index is not None and index < len(own):
            spot = own[index]
            self._hover(spot.evidence_id)
            text = self.tr("Evidence {id}").format(id=spot.evidence_id)
            if spot.link >= 0:
                text = self._builder.links[spot.row_id][spot.link].text
            self.setAccessibleDescription(text)
        self.viewport().update()

    def focusNextPrevChild(self, following: bool) -> bool:
        # Qt takes Tab before keyPressEvent sees it: the chips of the sentence come first.
        if following and self.focused_spot is None and self.own_spots():
            self._focus_spot(0)
            return True
        return super().focusNextPrevChild(following)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focused_spot = None
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.commit()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_grounds(self)
        super().paintEvent(event)
        paint_glyphs(self)
        paint_focus(self)

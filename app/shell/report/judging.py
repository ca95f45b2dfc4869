"""What is said of each sentence now: of its words as they are typed, and of the report as a whole.

Typing reaches the model when the keyboard rests for longer; its check does not wait for that.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.report_checks import judged
from app.report_edit import with_text
from app.report_model import ReportModel
from app.shell.report.document import shown_text
from reports.domain import Sentence

REST_MS = 100
"""Rest of the keyboard after which the sentence at hand is checked as it stands."""


class Judging(QObject):
    """The sentences of a report with all that the checks say of them.

    Parameters
    ----------
    typed
        Returns the id of the sentence that is being written and its words, or none.

    Signals
    -------
    changed(str)
        The sentence at hand is judged anew; the report itself is as it was.
    """

    changed = Signal(str)

    def __init__(self, typed: Callable[[], tuple[str, str] | None], parent: QObject) -> None:
        super().__init__(parent)
        self.sentences: dict[str, Sentence] = {}
        """By id, in the order of the report."""
        self._typed = typed
        self._model: ReportModel | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self.check)

    def take(self, model: ReportModel | None) -> None:
        """Judge a report as the model has it."""
        self._rest.stop()
        self._model = model
        self._judge(() if model is None else model.sentences)

    def soon(self) -> None:
        """Check the sentence at hand once the keyboard rests."""
        self._rest.start()

    def check(self) -> None:
        """Check the sentence at hand with the words that stand there now."""
        typed, model = self._typed(), self._model
        if typed is None or model is None or model.is_locked:
            return
        sentence_id, text = typed
        new = model.sentence(sentence_id)
        if text != shown_text(new.text):
            new = model.checked(with_text(new, text))
        self._judge(tuple(new if item.id == sentence_id else item for item in model.sentences))
        self.changed.emit(sentence_id)

    def _judge(self, sentences: tuple[Sentence, ...]) -> None:
        found = judged(sentences, self._model.ledger) if self._model is not None else ()
        self.sentences = {item.id: item for item in found}

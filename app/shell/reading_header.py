"""The header of the reading page: patient, study, prior, the way to the next study."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.shell.act_binding import KeyFollower, key_of
from app.shell.header import SessionBar, bar, upright_rule
from app.shell.widgets import QUIET, ActButton, ElidedLabel, key_text, plain_label
from app.shell.worklist.entries import Entry
from viewer.views.theme import Theme


class ReadingHeader(QWidget):
    """Names the patient and the study, always; identity is never scrolled away.

    Signals
    -------
    worklistWanted(), stepWanted(int)
        Back to the worklist; the study so many places on.
    """

    worklistWanted = Signal()
    stepWanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._most = theme.px(320)
        self.session = SessionBar(theme)
        frame = bar(theme, "header")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(frame)
        row = frame.layout()
        assert isinstance(row, QHBoxLayout)
        row.setContentsMargins(theme.length("space", "xs"), 0, theme.length("space", "m"), 0)
        self.back = ActButton("", theme, kind=QUIET, glyph_name="list")
        self.back.setAccessibleName(self.tr("Worklist"))
        words = self.tr("Worklist ({key})")
        KeyFollower(
            self.back,
            lambda: self.back.setToolTip(words.format(key=key_text(key_of("window.worklist")))),
        )
        self.back.clicked.connect(self.worklistWanted)
        row.addWidget(self.back)
        self.name = ElidedLabel("", theme, step="patient")
        self.about = ElidedLabel("", theme, tone="2")
        self.study = ElidedLabel("", theme, step="name")
        self.date = plain_label("", theme, tone="2")
        self.prior = plain_label("", theme, tone="2")
        row.addWidget(self.name)
        row.addWidget(self.about)
        row.addWidget(upright_rule(theme))
        row.addWidget(self.study)
        row.addWidget(self.date)
        row.addWidget(self.prior)
        row.addStretch(1)
        self.previous = ActButton(self.tr("Previous"), theme, kind=QUIET, glyph_name="caret-left")
        self.previous.clicked.connect(lambda: self.stepWanted.emit(-1))
        self.place = plain_label("", theme, tone="2")
        self.next = ActButton(self.tr("Next"), theme, kind=QUIET, glyph_name="caret-right")
        self.next.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.next.clicked.connect(lambda: self.stepWanted.emit(1))
        for widget in (self.previous, self.place, self.next):
            row.addWidget(widget)
        row.addSpacing(theme.length("space", "s"))
        row.addWidget(self.session)
        for button in (self.back, self.previous, self.next):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_narrow(self, narrow: bool) -> None:
        """Give the study's title less room in a narrow window."""
        self._most = self._theme.px(320 if narrow else 560)
        give_room(self.study, self._most)

    def show_entry(self, entry: Entry, number: int, count: int) -> None:
        """Name the study that is open, and its place among those of the worklist (from 1)."""
        self.name.set_full(entry.name)
        give_room(self.name, self._theme.px(260), least=self._theme.px(160))
        about = (entry.study.patient.patient_id, entry.age_sex)
        self.about.set_full("  \u00b7  ".join(filter(None, about)))
        give_room(self.about, self._theme.px(260), least=self._theme.px(90))
        self.study.set_full(entry.full_title)
        give_room(self.study, self._most)
        self.date.setText(entry.date)
        priors = self.tr("1 prior") if entry.priors == 1 else self.tr("{n} priors")
        self.prior.setText(priors.format(n=entry.priors) if entry.priors else self.tr("No prior"))
        self.place.setText(self.tr("Study {n} of {all}").format(n=number, all=count))
        self.previous.set_reason("" if number > 1 else self.tr("This is the first study."))
        self.next.set_reason("" if number < count else self.tr("This is the last study."))


def give_room(label: ElidedLabel, most: int, *, least: int = 0) -> None:
    """Let a label take the width of its text, up to a limit; where the row is full, down to another.

    It ends in an ellipsis then.
    """
    wanted = label.sizeHint().width()
    label.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
    label.setMaximumWidth(min(wanted, most))
    label.setMinimumWidth(min(wanted, most, least))
    label.updateGeometry()

"""The pages of the preferences beside keys and windows: mouse, and display."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QVBoxLayout, QWidget

from app.preferences import TEXT_SCALES
from app.shell.preferences.own_preferences import OwnPreferences
from app.shell.widgets import SECONDARY, ActButton, plain_label
from inference.drafting.style import HOUSE, style, style_names
from inference.drafting.templates import Language
from viewer.acts import Tool
from viewer.views.mouse import CHOSEN, MOUSE_DEFAULTS, START, WheelStep, mouse_choices
from viewer.views.theme import Theme

INPUT_WORDS = {
    START: QT_TRANSLATE_NOOP("Mouse", "Left button, when you sign in"),
    "Ctrl+Left": QT_TRANSLATE_NOOP("Mouse", "Ctrl and left button"),
    "Shift+Left": QT_TRANSLATE_NOOP("Mouse", "Shift and left button"),
    "Middle": QT_TRANSLATE_NOOP("Mouse", "Middle button"),
    "Ctrl+Middle": QT_TRANSLATE_NOOP("Mouse", "Ctrl and middle button"),
    "Right": QT_TRANSLATE_NOOP("Mouse", "Right button"),
    "Ctrl+Right": QT_TRANSLATE_NOOP("Mouse", "Ctrl and right button"),
    "Shift+Right": QT_TRANSLATE_NOOP("Mouse", "Shift and right button"),
    "Wheel": QT_TRANSLATE_NOOP("Mouse", "Wheel"),
    "Ctrl+Wheel": QT_TRANSLATE_NOOP("Mouse", "Ctrl and wheel"),
    "Shift+Wheel": QT_TRANSLATE_NOOP("Mouse", "Shift and wheel"),
}

CHOICE_WORDS = {
    CHOSEN: QT_TRANSLATE_NOOP("Mouse", "The chosen tool"),
    Tool.SCROLL.value: QT_TRANSLATE_NOOP("Mouse", "Scroll"),
    Tool.WINDOW.value: QT_TRANSLATE_NOOP("Mouse", "Window"),
    Tool.ZOOM.value: QT_TRANSLATE_NOOP("Mouse", "Zoom"),
    Tool.PAN.value: QT_TRANSLATE_NOOP("Mouse", "Pan"),
    WheelStep.SCROLL_TEN.value: QT_TRANSLATE_NOOP("Mouse", "Scroll 10 images"),
    WheelStep.NOTHING.value: QT_TRANSLATE_NOOP("Mouse", "Nothing"),
}


def mouse_word(text: str) -> str:
    """Return words of the mouse table in the reader's language."""
    return QCoreApplication.translate("Mouse", text)


class Choice(QComboBox):
    """A choice that the wheel passes over: a page that is scrolled changes nothing."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class MousePage(QWidget):
    """What each button and the wheel do, with and without modifiers."""

    def __init__(self, theme: Theme, preferences: OwnPreferences) -> None:
        super().__init__()
        self._preferences = preferences
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.length("space", "m"))
        grid = QGridLayout()
        grid.setVerticalSpacing(theme.length("space", "xs"))
        grid.setHorizontalSpacing(theme.length("space", "m"))
        grid.setColumnStretch(0, 1)
        self.choices: dict[str, QComboBox] = {}
        for number, name in enumerate(MOUSE_DEFAULTS):
            words = mouse_word(INPUT_WORDS[name])
            box = Choice()
            box.setAccessibleName(words)
            box.setMinimumWidth(theme.px(168))
            for choice in mouse_choices(name):
                box.addItem(mouse_word(CHOICE_WORDS[str(choice)]), str(choice))
            box.activated.connect(lambda _index, name=name: self._chosen(name))
            label = plain_label(words, theme)
            label.setBuddy(box)
            grid.addWidget(label, number, 0)
            grid.addWidget(box, number, 1)
            self.choices[name] = box
        column.addLayout(grid)
        note = self.tr(
            "The left button alone does what the chosen tool does. A double click maximises; Shift "
            "and a move without a button shows the place in all viewports."
        )
        column.addWidget(plain_label(note, theme, step="note", tone="2", wraps=True))
        self.reset = ActButton(self.tr("Reset the mouse"), theme, kind=SECONDARY)
        self.reset.clicked.connect(self._reset)
        column.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        preferences.changed.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        """Show what is in force."""
        now = {**MOUSE_DEFAULTS, **self._preferences.now.mouse}
        for name, box in self.choices.items():
            box.setCurrentIndex(box.findData(str(now[name])))

    def _chosen(self, name: str) -> None:
        value = self.choices[name].currentData()
        self._preferences.take(self._preferences.own.with_mouse(name, value))

    def _reset(self) -> None:
        self._preferences.take(self._preferences.own.model_copy(update={"mouse": {}}))


class DisplayPage(QWidget):
    """Text size, what a session begins with, and the way to the display check.

    Signals
    -------
    checkWanted()
        The display check pattern is to be shown.
    """

    checkWanted = Signal()

    def __init__(self, theme: Theme, preferences: OwnPreferences) -> None:
        super().__init__()
        self._theme, self._preferences = theme, preferences
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.length("space", "m"))
        grid = QGridLayout()
        grid.setColumnStretch(0, 1)
        self.scale = self._choice(grid, 0, self.tr("Size of text and buttons"))
        for value in TEXT_SCALES:
            self.scale.addItem(f"{100 * value:.0f} %", value)
        self.scale.activated.connect(self._scale_chosen)
        self.language = self._choice(grid, 1, self.tr("Language of drafts"))
        for value, words in ((Language.ENGLISH, "English"), (Language.CHINESE, "中文")):
            self.language.addItem(words, value)
        self.language.activated.connect(
            lambda place: self._take(draft_language=self.language.itemData(place))
        )
        self.style_of_drafts = self._choice(grid, 2, self.tr("House style of drafts"))
        for name in style_names():
            self.style_of_drafts.addItem(style(name).title.en, name)
        self.style_of_drafts.activated.connect(
            lambda place: self._take(draft_style=self.style_of_drafts.itemData(place))
        )
        column.addLayout(grid)
        self.note = plain_label("", theme, step="note", tone="2", wraps=True)
        column.addWidget(self.note)
        self.corner = QCheckBox(self.tr("Text over the images when you sign in"))
        self.corner.clicked.connect(lambda on: self._take(corner_text=on))
        self.screen = QCheckBox(self.tr("Images in a window of their own (second screen)"))
        self.screen.clicked.connect(lambda on: self._take(second_screen=on))
        for box in (self.corner, self.screen):
            column.addWidget(box)
        words = self.tr("The grey-scale response (GSDF) of this monitor is not measured.")
        column.addSpacing(theme.length("space", "m"))
        column.addWidget(plain_label(words, theme, tone="2", wraps=True))
        self.check = ActButton(self.tr("Show the display check"), theme, kind=SECONDARY)
        self.check.clicked.connect(self.checkWanted)
        column.addWidget(self.check, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        preferences.changed.connect(self.fill)
        self.fill()

    def _choice(self, grid: QGridLayout, row: int, words: str) -> Choice:
        label, choice = plain_label(words, self._theme), Choice()
        choice.setAccessibleName(words)
        choice.setMinimumWidth(self._theme.px(120))
        label.setBuddy(choice)
        grid.addWidget(label, row, 0)
        grid.addWidget(choice, row, 1)
        return choice

    def fill(self) -> None:
        """Show what is in force."""
        display = self._preferences.now.display
        self.language.setCurrentIndex(
            max(0, self.language.findData(display.draft_language or Language.ENGLISH))
        )
        self.style_of_drafts.setCurrentIndex(
            max(0, self.style_of_drafts.findData(display.draft_style or HOUSE))
        )
        scale = display.text_scale or 1.0
        nearest = min(range(len(TEXT_SCALES)), key=lambda place: abs(TEXT_SCALES[place] - scale))
        self.scale.setCurrentIndex(nearest)
        self.corner.setChecked(display.corner_text is not False)
        self.screen.setChecked(bool(display.second_screen))
        waits = abs(scale - self._theme.scale) > 0.01
        self.note.setText(self.tr("In force when Sightline is started again.") if waits else "")
        self.note.setVisible(waits)

    def _scale_chosen(self, index: int) -> None:
        self._take(text_scale=self.scale.itemData(index))

    def _take(self, **choices: object) -> None:
        self._preferences.take(self._preferences.own.with_display(**choices))

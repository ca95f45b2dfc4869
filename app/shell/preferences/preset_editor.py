"""The window presets of a modality under their digits, edited while the image shows them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.preferences import PRESET_DIGITS, Preset
from app.shell.act_binding import KeyFollower, key_of
from app.shell.preferences.own_preferences import OwnPreferences
from app.shell.widgets import QUIET, SECONDARY, ActButton, key_cap, key_text, plain_label
from viewer.imaging.own_presets import PRESETS
from viewer.imaging.study import WindowPreset
from viewer.views.theme import Theme
from viewer.views.viewport_model import ViewportModel

MODALITIES = ("CT", "MR", "PT", "CR", "DX", "MG", "XA", "RF", "US", "NM", "OT")
"""Modalities that are offered, beside those that have presets already."""


def number_text(value: float) -> str:
    """Return a centre or width as it is typed."""
    return f"{value:.10g}"


class PresetPage(QWidget):
    """Nine rows: digit, name, centre, width.

    Parameters
    ----------
    model
        What the active viewport shows, or none; a change of its modality's presets is shown there.
    show
        Sets the window of the active viewport.
    """

    def __init__(
        self,
        theme: Theme,
        preferences: OwnPreferences,
        model: Callable[[], ViewportModel | None],
        show: Callable[[WindowPreset], None],
    ) -> None:
        super().__init__()
        self._preferences, self._model, self._show = preferences, model, show
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.length("space", "s"))
        head = QHBoxLayout()
        self.modality = QComboBox()
        self.modality.setAccessibleName(self.tr("Modality"))
        self.modality.setMinimumWidth(theme.px(90))
        self.modality.activated.connect(lambda _index: self.fill())
        label = plain_label(self.tr("Modality"), theme)
        label.setBuddy(self.modality)
        head.addWidget(label)
        head.addWidget(self.modality)
        head.addStretch(1)
        self.take = ActButton(self.tr("Window of the image"), theme, kind=SECONDARY)
        self.take.clicked.connect(self._take_window)
        head.addWidget(self.take)
        column.addLayout(head)
        self.rows: dict[str, tuple[QLineEdit, QLineEdit, QLineEdit]] = {}
        self.resets: dict[str, ActButton] = {}
        column.addLayout(self._make_rows(theme))
        note = plain_label("", theme, step="note", tone="2", wraps=True)
        words = self.tr(
            "An emptied name takes the preset away. {key} keeps the window of an image as 9."
        )
        KeyFollower(
            note, lambda: note.setText(words.format(key=key_text(key_of("viewport.keep_preset"))))
        )
        column.addWidget(note)
        column.addStretch(1)
        preferences.changed.connect(self.fill)
        self.begin()

    def _make_rows(self, theme: Theme) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.length("space", "xs"))
        grid.setVerticalSpacing(theme.length("space", "xs"))
        grid.setColumnStretch(1, 1)
        for place, words in enumerate((self.tr("Name"), self.tr("Centre"), self.tr("Width")), start=1):
            grid.addWidget(plain_label(words, theme, step="note", tone="2"), 0, place)
        for number, digit in enumerate(PRESET_DIGITS, start=1):
            fields = (QLineEdit(), QLineEdit(), QLineEdit())
            what = (self.tr("Name"), self.tr("Centre"), self.tr("Width"))
            grid.addWidget(key_cap(digit, theme), number, 0)
            for place, (field, word) in enumerate(zip(fields, what, strict=True), start=1):
                field.setAccessibleName(self.tr("{what} of preset {key}").format(what=word, key=digit))
                field.editingFinished.connect(lambda digit=digit: self._edited(digit))
                grid.addWidget(field, number, place)
            fields[0].setMaxLength(40)
            for field, least in zip(fields[1:], (-1e9, 1e-6), strict=True):
                field.setValidator(_numbers(least, field))
                field.setFixedWidth(theme.px(76))
                field.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                field.textEdited.connect(lambda _text, digit=digit: self._preview(digit))
            reset = ActButton("", theme, kind=QUIET, glyph_name="arrow-counter-clockwise")
            reset.setAccessibleName(self.tr("Reset preset {key}").format(key=digit))
            reset.setToolTip(self.tr("Reset"))
            reset.clicked.connect(lambda _checked=False, digit=digit: self._reset(digit))
            policy = reset.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            reset.setSizePolicy(policy)
            grid.addWidget(reset, number, 4)
            self.rows[digit], self.resets[digit] = fields, reset
        return grid

    def begin(self) -> None:
        """Show the presets of the image that is looked at."""
        shown = self._shown_modality()
        known = [*MODALITIES, *self._preferences.now.presets]
        self.modality.clear()
        self.modality.addItems(list(dict.fromkeys([*known, shown] if shown else known)))
        self.modality.setCurrentText(shown or MODALITIES[0])
        self.fill()

    def fill(self) -> None:
        """Show the presets in force; a row of the person's own can be reset."""
        modality = self.modality.currentText()
        now = PRESETS.of(modality)
        own = self._preferences.own.presets.get(modality, {})
        names = PRESETS.named(modality)
        for digit, fields in self.rows.items():
            preset = now.get(digit)
            # what depends on the image has a name here and no numbers
            fields[0].setPlaceholderText("" if digit in own else names.get(digit, ""))
            texts = ("", "", "")
            if preset is not None:
                texts = (preset.explanation, number_text(preset.center), number_text(preset.width))
            for field, text in zip(fields, texts, strict=True):
                if field.text() != text:
                    field.setText(text)
            self.resets[digit].setVisible(digit in own)
        shown = self._shown_modality()
        same = shown == modality and self._window() is not None
        self.take.set_reason("" if same else self.tr("No image of this modality is active."))

    def _shown_modality(self) -> str:
        model = self._model()
        return model.stack.series.modality if model is not None and model.stack is not None else ""

    def _window(self) -> WindowPreset | None:
        model = self._model()
        return model.window() if model is not None else None

    def _read(self, digit: str) -> Preset | None:
        """Return what a row says, or none while it is not complete."""
        name, centre, width = self.rows[digit]
        if not (name.text().strip() and centre.hasAcceptableInput() and width.hasAcceptableInput()):
            return None
        return Preset(name=name.text().strip(), centre=float(centre.text()), width=float(width.text()))

    def _preview(self, digit: str) -> None:
        """Show a window on the image while it is typed."""
        preset = self._read(digit)
        if preset is not None and self._shown_modality() == self.modality.currentText():
            self._show(WindowPreset(center=preset.centre, width=preset.width, explanation=preset.name))

    def _edited(self, digit: str) -> None:
        modality, preset = self.modality.currentText(), self._read(digit)
        was = PRESETS.of(modality).get(digit)
        emptied = not self.rows[digit][0].text().strip()
        if preset is not None:
            same = was is not None and (was.explanation, was.center, was.width) == (
                preset.name, preset.centre, preset.width,
            )  # fmt: skip
            if not same:
                self._keep(digit, preset)
        elif emptied and was is not None:
            self._keep(digit, None)

    def _keep(self, digit: str, preset: Preset | None) -> None:
        own = self._preferences.own.with_preset(self.modality.currentText(), digit, preset)
        self._preferences.take(own)

    def _reset(self, digit: str) -> None:
        own = self._preferences.own.without_preset(self.modality.currentText(), digit)
        self._preferences.take(own)
        self.rows[digit][0].setFocus(Qt.FocusReason.OtherFocusReason)

    def _take_window(self) -> None:
        """Put the window of the image into the row that is edited, else into the first free one."""
        window = self._window()
        if window is None:
            return
        free = [digit for digit, fields in self.rows.items() if not fields[0].text()]
        digit = self._last or next(iter(free), PRESET_DIGITS[-1])
        name = self.rows[digit][0].text().strip() or self.tr("Own {key}").format(key=digit)
        self._keep(digit, Preset(name=name, centre=window.center, width=window.width))
        self.rows[digit][0].setFocus(Qt.FocusReason.OtherFocusReason)
        self.rows[digit][0].selectAll()

    @property
    def _last(self) -> str:
        """The digit of the row that has no complete preset but a name; empty for none."""
        return next(
            (
                digit
                for digit, (name, centre, _width) in self.rows.items()
                if name.text().strip() and not centre.text()
            ),
            "",
        )


def _numbers(least: float, parent: QWidget) -> QDoubleValidator:
    """Return a validator of plain decimal numbers, whatever the locale of the machine."""
    from PySide6.QtCore import QLocale

    made = QDoubleValidator(least, 1e9, 6, parent)
    made.setLocale(QLocale.c())
    return made

"""The editor of hanging protocols: own ones are edited, ordered and deleted, others copied first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.shell.hanging.rows import HELD, ProtocolRow, protocol_item, rule_words
from app.shell.layers import Layer
from app.shell.widgets import PRIMARY, QUIET, ActButton, card_head, close_button, plain_label, rule
from viewer.imaging.hanging_facts import Plane, region_names
from viewer.imaging.hanging_protocol import (
    SHAPES,
    HangingError,
    HangingProtocol,
    SeriesRule,
    ViewportPlan,
    WindowChoice,
    made_protocol,
    read_protocol,
)
from viewer.imaging.own_presets import PRESETS
from viewer.views.theme import Theme

PRIORS = 3
"""So many priors can be chosen for a viewport."""


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of a list that is typed with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def window_names() -> tuple[str, ...]:
    """Return the names of the window presets of CT, the only ones that protocols can name."""
    return tuple(dict.fromkeys(preset.explanation for preset in PRESETS.of("CT").values()))


class ViewportRow:
    """The fields of one viewport in the form."""

    def __init__(
        self, editor: HangingEditor, number: int, plan: ViewportPlan, grid: QGridLayout
    ) -> None:
        tr = editor.tr
        self._plan = plan
        rule = plan.show[0] if plan.show else SeriesRule()
        self.words = QLineEdit(", ".join(rule.words))
        self.words.setCursorPosition(0)
        self.words.setPlaceholderText(tr("any series"))
        self.words.setAccessibleName(tr("Words of viewport {n}").format(n=number))
        self._planes: tuple[Plane | None, ...] = (None, *Plane)
        self.plane = QComboBox()
        for plane in self._planes:
            self.plane.addItem(tr("any cut") if plane is None else plane.capitalize())
        self.plane.setCurrentIndex(self._planes.index(rule.plane))
        self.plane.setAccessibleName(tr("Cut of viewport {n}").format(n=number))
        self.prior = QComboBox()
        self.prior.addItem(tr("this study"), 0)
        for prior in range(1, PRIORS + 1):
            self.prior.addItem(tr("prior {n}").format(n=prior), prior)
        self.prior.setCurrentIndex(min(rule.prior, PRIORS))
        self.prior.setAccessibleName(tr("Study of viewport {n}").format(n=number))
        self._windows: list[str | WindowChoice] = ["", *window_names()]
        if plan.window not in self._windows:
            self._windows.append(plan.window)
        self.window = QComboBox()
        for choice in self._windows:
            words = choice if isinstance(choice, str) else f"W {choice.width:g}  L {choice.center:g}"
            self.window.addItem(words or tr("own window"))
        self.window.setCurrentIndex(self._windows.index(plan.window))
        self.window.setAccessibleName(tr("Window of viewport {n}").format(n=number))
        grid.addWidget(plain_label(f"{number}", editor.theme, tone="2"), number, 0)
        for column, widget in enumerate((self.words, self.plane, self.prior, self.window), start=1):
            grid.addWidget(widget, number, column)
        self._before = self._fields()

    def _fields(self) -> tuple[object, ...]:
        return (
            self.words.text(),
            self._planes[self.plane.currentIndex()],
            self.prior.currentData(),
            self._windows[self.window.currentIndex()],
        )

    def plan(self) -> ViewportPlan:
        """Return what the fields say; rules that nobody touched stay as they are."""
        fields = self._fields()
        if fields == self._before:
            return self._plan
        window = fields[3]
        plan = self._plan.model_copy(update={"window": window})
        if fields[:3] != self._before[:3]:
            first = plan.show[0] if plan.show else SeriesRule()
            words = listed(self.words.text())
            update = {"words": words, "plane": fields[1], "prior": fields[2]}
            changed = first.model_copy(update=update)
            plan = plan.model_copy(update={"show": (changed, *plan.show[1:])})
        return plan


class HangingEditor(Layer):
    """Lists protocols at the left; the form of the chosen one at the right.

    Signals
    -------
    changed(tuple)
        The own protocols, in their order, after each change.
    """

    changed = Signal(object)

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window)
        self.setAccessibleName(self.tr("Hanging protocols"))
        self._own: list[HangingProtocol] = []
        self._others: tuple[HangingProtocol, ...] = ()
        self.rows: list[ViewportRow] = []
        side, gap = theme.length("space", "l"), theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(side, side, side, side)
        column.setSpacing(gap)
        column.addLayout(
            card_head(self.tr("Hanging protocols"), theme, close_button(theme, self.dismiss))
        )
        body = QHBoxLayout()
        body.setSpacing(side)
        body.addLayout(self._make_list(), 2)
        body.addWidget(self._make_form(), 3)
        column.addLayout(body, 1)
        self.message = plain_label("", theme, step="note", tone="warning", wraps=True)
        column.addWidget(self.message)

    def _make_list(self) -> QVBoxLayout:
        theme = self.theme
        column = QVBoxLayout()
        self.list = QListWidget()
        self.list.setItemDelegate(ProtocolRow(self.theme, self.list))
        self.list.setAccessibleName(self.tr("Hanging protocols"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(lambda *_: self._show_current())
        column.addWidget(self.list, 1)
        row = QHBoxLayout()
        self.up = ActButton("", theme, kind=QUIET, glyph_name="arrow-up")
        self.up.setAccessibleName(self.tr("Earlier"))
        self.down = ActButton("", theme, kind=QUIET, glyph_name="arrow-down")
        self.down.setAccessibleName(self.tr("Later"))
        self.copy = ActButton(self.tr("Copy"), theme)
        self.delete = ActButton(self.tr("Delete"), theme)
        self.file = ActButton(self.tr("Add a file"), theme, kind=QUIET)
        for button, act in (
            (self.up, lambda: self._move(-1)),
            (self.down, lambda: self._move(1)),
            (self.copy, self._copy),
            (self.delete, self._delete),
            (self.file, self._choose_file),
        ):
            button.clicked.connect(act)
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        return column

    def _make_form(self) -> QWidget:
        theme = self.theme
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.length("space", "s"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.length("space", "m"))
        self.name, self.modality, self.regions, self.words = (QLineEdit() for _ in range(4))
        self.name.setMaxLength(80)
        self.modality.setPlaceholderText(self.tr("CT, MR   or   PT + CT for both"))
        self.regions.setPlaceholderText(", ".join(region_names()))
        self.words.setPlaceholderText(self.tr("words of the study, a star ends a beginning: THORA*"))
        self.shape = QComboBox()
        self._shapes = sorted(SHAPES)
        for rows, columns in self._shapes:
            self.shape.addItem(f"{rows} \u00d7 {columns}")
        self.shape.activated.connect(lambda _index: self._fill_viewports())
        for line, (words, field) in enumerate(
            (
                (self.tr("Name"), self.name),
                (self.tr("Modality"), self.modality),
                (self.tr("Body region"), self.regions),
                (self.tr("Words"), self.words),
                (self.tr("Layout"), self.shape),
            )
        ):
            label = plain_label(words, theme, tone="2")
            label.setBuddy(field)
            field.setAccessibleName(words)
            grid.addWidget(label, line, 0)
            grid.addWidget(field, line, 1)
        column.addLayout(grid)
        column.addWidget(rule())
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self._scroll, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        self.save = ActButton(self.tr("Save"), theme, kind=PRIMARY)
        self.save.clicked.connect(self._save)
        row.addWidget(self.save)
        column.addLayout(row)
        return form

    # --- what is shown -----------------------------------------------------------------------------

    def edit(
        self,
        own: Sequence[HangingProtocol],
        others: Sequence[HangingProtocol],
        problems: Sequence[str] = (),
    ) -> None:
        """Open the editor; `problems` names files of the site that are no protocols."""
        self._own, self._others = list(own), tuple(others)
        window = self.parentWidget()
        margin = self.theme.px(40)
        width = min(window.width() - margin, self.theme.px(980))
        height = min(window.height() - margin, self.theme.px(620))
        self.setGeometry((window.width() - width) // 2, (window.height() - height) // 2, width, height)
        self._fill(0)
        self._say("\n".join(problems))
        self.open()
        self.list.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _say(self, words: str) -> None:
        self.message.setText(words)
        self.message.setVisible(bool(words))

    def _fill(self, row: int) -> None:
        self.list.clear()
        for protocol in (*self._own, *self._others):
            mark = self.tr("own") if protocol.own else self.tr("given")
            about = f"{mark}: {rule_words(protocol.match)}"
            self.list.addItem(protocol_item(protocol, about, protocol))
        self.list.setCurrentRow(min(row, self.list.count() - 1))

    def current(self) -> HangingProtocol | None:
        """Return the chosen protocol."""
        item = self.list.currentItem()
        return None if item is None else item.data(HELD)

    def _show_current(self) -> None:
        protocol = self.current()
        if protocol is None:
            return
        match = protocol.match
        self.name.setText(protocol.name)
        self.modality.setText(" + ".join(match.all_modalities) or ", ".join(match.modality))
        self.regions.setText(", ".join(match.regions))
        self.words.setText(", ".join(match.words))
        self.shape.setCurrentIndex(self._shapes.index((protocol.rows, protocol.columns)))
        self._fill_viewports()
        given = "" if protocol.own else self.tr("Copy it first: given protocols do not change.")
        row = self.list.currentRow()
        for button, reason in (
            (self.save, given),
            (self.delete, given),
            (self.up, given or ("" if row else self.tr("It is the first."))),
            (self.down, given or ("" if row + 1 < len(self._own) else self.tr("It is the last."))),
        ):
            button.set_reason(reason)
        for field in (self.name, self.modality, self.regions, self.words, self.shape):
            field.setEnabled(protocol.own)
        self._scroll.setEnabled(protocol.own)
        self._say("")

    def _fill_viewports(self) -> None:
        protocol = self.current()
        if protocol is None:
            return
        rows, columns = self._shapes[self.shape.currentIndex()]
        count = rows * columns
        plans = [*protocol.viewports, *(ViewportPlan() for _ in range(count))][:count]
        body = QWidget()
        body.setProperty("ground", "raised")
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, self.theme.length("space", "s"), 0)
        grid.setColumnStretch(1, 1)
        titles = (self.tr("Series with words"), self.tr("Cut"), self.tr("Study"), self.tr("Window"))
        for column, title in enumerate(titles, start=1):
            grid.addWidget(plain_label(title, self.theme, step="note", tone="2"), 0, column)
        self.rows = [
            ViewportRow(self, number, plan, grid) for number, plan in enumerate(plans, start=1)
        ]
        grid.setRowStretch(count + 1, 1)
        self._scroll.setWidget(body)

    # --- changes -----------------------------------------------------------------------------------

    def _save(self) -> None:
        protocol = self.current()
        if protocol is None:
            return
        typed = self.modality.text()
        together = tuple(part.strip().upper() for part in typed.split("+")) if "+" in typed else ()
        single = () if together else tuple(part.upper() for part in listed(typed))
        rows, columns = self._shapes[self.shape.currentIndex()]
        match = protocol.match.model_copy(
            update={
                "modality": single,
                "all_modalities": together,
                "regions": listed(self.regions.text().lower()),
                "words": listed(self.words.text()),
            }
        )
        plans = tuple(row.plan() for row in self.rows)
        try:
            made = made_protocol(
                protocol,
                name=self.name.text().strip(),
                match=match,
                rows=rows,
                columns=columns,
                viewports=plans,
            )
        except HangingError as error:
            self._say(str(error))
            return
        row = self.list.currentRow()
        if any(one.name == made.name for place, one in enumerate(self._own) if place != row):
            self._say(self.tr("There is another protocol of this name."))
            return
        self._own[row] = made
        self._changed(row)

    def _copy(self) -> None:
        protocol = self.current()
        if protocol is not None:
            self._add(protocol)

    def _add(self, protocol: HangingProtocol) -> None:
        names = {one.name for one in (*self._own, *self._others)}
        name, number = protocol.name, 2
        while name in names:
            name, number = f"{protocol.name[:72]} ({number})", number + 1
        self._own.append(protocol.model_copy(update={"name": name, "own": True}))
        self._changed(len(self._own) - 1)
        self.name.setFocus()
        self.name.selectAll()

    def _delete(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._own):
            del self._own[row]
            self._changed(max(row - 1, 0))

    def _move(self, by: int) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._own) and 0 <= row + by < len(self._own):
            self._own.insert(row + by, self._own.pop(row))
            self._changed(row + by)

    def _choose_file(self) -> None:
        chosen, _kind = QFileDialog.getOpenFileName(
            self, self.tr("Hanging protocol"), "", self.tr("Hanging protocols (*.json)")
        )
        if chosen:
            self.add_file(Path(chosen))

    def add_file(self, path: Path) -> None:
        """Add the protocol of a file to the own ones, or say why it is none."""
        try:
            protocol = read_protocol(path.read_text(encoding="utf-8"))
        except (HangingError, OSError, UnicodeDecodeError) as error:
            self._say(f"{path.name}: {error}")
        else:
            self._add(protocol)

    def _changed(self, row: int) -> None:
        self._fill(row)
        self.changed.emit(tuple(self._own))

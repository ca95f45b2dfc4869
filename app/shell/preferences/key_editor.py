"""Every act with its keys: a key is changed by pressing it, and a conflict is shown in its place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.key_rules import owner_of, same_stroke, why_refused
from app.preferences import Preferences
from app.shell.act_binding import ACTS, act_text
from app.shell.command_palette import matches
from app.shell.preferences.own_preferences import OwnPreferences
from app.shell.widgets import QUIET, SECONDARY, ActButton, key_text, plain_label
from viewer.acts import Act, Scope
from viewer.views.key_bindings import key_of_press, keymap
from viewer.views.theme import Theme

ACT, KEY, SCOPE = range(3)
_ACT = Qt.ItemDataRole.UserRole + 1


def scope_word(scope: Scope) -> str:
    """Say where an act applies, in one word."""
    words = {Scope.VIEWPORT: "Image", Scope.REPORT: "Report", Scope.WINDOW: "Everywhere"}
    return QCoreApplication.translate("KeyEditor", words[scope])


def keys_text(keys: tuple[str, ...]) -> str:
    """Return an act's keys as the list shows them."""
    return ",  ".join(key_text(key) for key in keys)


class KeyTable(QTreeWidget):
    """Acts with their keys; Enter waits for a key, which `recorded` then tells.

    Signals
    -------
    recorded(Act, str, bool)
        A key was pressed for an act; true when it is to be added to those it has.
    cleared(Act)
        The keys of an act are to go.
    """

    recorded = Signal(object, str, bool)
    cleared = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._waiting: QTreeWidgetItem | None = None
        self._adds = False
        self.setColumnCount(3)
        self.setHeaderLabels([self.tr("Action"), self.tr("Key"), self.tr("Where")])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(False)
        self.setAccessibleName(self.tr("Keys of all actions"))
        self.setVerticalScrollMode(QTreeWidget.ScrollMode.ScrollPerPixel)
        head = self.header()
        head.setSectionsMovable(False)
        head.setStretchLastSection(False)
        head.setSectionResizeMode(ACT, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(KEY, QHeaderView.ResizeMode.Fixed)
        head.setSectionResizeMode(SCOPE, QHeaderView.ResizeMode.Fixed)
        head.resizeSection(KEY, theme.px(104))
        head.resizeSection(SCOPE, theme.px(60))
        self.setStyleSheet(self._look())
        self.itemDoubleClicked.connect(lambda item, _column: self.wait_for_key(item))

    def _look(self) -> str:
        """Return the style of rows and header; teal stays the colour of evidence alone."""
        theme = self._theme
        names = ("panel", "selected", "hover", "line", "text", "text-2")
        panel, selected, hover, line, text, quiet = (theme.colour(name).name() for name in names)
        return f"""
            QTreeWidget::item {{ height: {theme.px(24)}px; padding: 0 {theme.px(4)}px; }}
            QTreeWidget::item:hover {{ background: {hover}; }}
            QTreeWidget::item:selected {{ background: {selected}; color: {text}; }}
            QHeaderView::section {{ background: {panel}; color: {quiet}; border: 0;
              border-bottom: 1px solid {line}; padding: {theme.px(4)}px; }}
        """

    def fill(self, acts: list[Act], own: Preferences) -> None:
        """List acts with the keys in force; those a person has set are set in bold."""
        current = self.current_act()
        self.stop_waiting()
        self.clear()
        for act in acts:
            item = QTreeWidgetItem(
                [act_text(act), keys_text(keymap().keys_of(act)), scope_word(act.scope)]
            )
            item.setData(ACT, _ACT, act)
            item.setToolTip(ACT, act_text(act))
            item.setForeground(SCOPE, self._theme.colour("text-2"))
            if act.name in own.keys:
                font = self._theme.font("chip")
                item.setFont(KEY, font)
                usual = keys_text(act.keys) or self.tr("none")
                item.setToolTip(KEY, self.tr("Changed; by default: {keys}").format(keys=usual))
            self.addTopLevelItem(item)
            if current is act:
                self.setCurrentItem(item)
        if self.currentItem() is None and self.topLevelItemCount():
            self.setCurrentItem(self.topLevelItem(0))

    def item_of(self, act: Act) -> QTreeWidgetItem | None:
        """Return the row of an act, or none when it is not listed."""
        rows = (self.topLevelItem(number) for number in range(self.topLevelItemCount()))
        return next((item for item in rows if item.data(ACT, _ACT) is act), None)

    def current_act(self) -> Act | None:
        """Return the act of the current row."""
        item = self.currentItem()
        return item.data(ACT, _ACT) if item is not None else None

    @property
    def is_waiting(self) -> bool:
        """True while the next key that is pressed belongs to an act."""
        return self._waiting is not None

    def wait_for_key(self, item: QTreeWidgetItem | None, *, adds: bool = False) -> None:
        """Take the next key for the act of a row."""
        self.stop_waiting()
        if item is None or item.data(ACT, _ACT) is None:
            return
        self._waiting, self._adds = item, adds
        item.setText(KEY, self.tr("press a key\u2026"))
        item.setForeground(KEY, self._theme.colour("evidence"))
        self.scrollToItem(item)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def stop_waiting(self) -> None:
        """Take no key."""
        item, self._waiting = self._waiting, None
        if item is not None:
            item.setText(KEY, keys_text(keymap().keys_of(item.data(ACT, _ACT))))
            item.setForeground(KEY, self._theme.colour("text"))

    def focusNextPrevChild(self, forward: bool) -> bool:
        return False if self.is_waiting else super().focusNextPrevChild(forward)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and self.is_waiting:
            # A key that is to be learned does nothing else.
            event.accept()
            return True
        return super().event(event)

    def focusOutEvent(self, event: QEvent) -> None:
        self.stop_waiting()
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.is_waiting:
            self._take(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.wait_for_key(self.currentItem())
        elif event.key() == Qt.Key.Key_Insert:
            self.wait_for_key(self.currentItem(), adds=True)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            act = self.current_act()
            if act is not None:
                self.cleared.emit(act)
        else:
            super().keyPressEvent(event)

    def _take(self, event: QKeyEvent) -> None:
        assert self._waiting is not None
        if event.key() == Qt.Key.Key_Escape and not event.modifiers():
            self.stop_waiting()
            return
        key = key_of_press(event)
        if key:
            act, adds = self._waiting.data(ACT, _ACT), self._adds
            self.stop_waiting()
            self.recorded.emit(act, key, adds)


class KeyPage(QWidget):
    """The keys of all acts: search, list, what to do with the current one."""

    def __init__(self, theme: Theme, preferences: OwnPreferences) -> None:
        super().__init__()
        self._theme, self._preferences = theme, preferences
        self._question: QTreeWidgetItem | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.length("space", "s"))
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Find an action or a key"))
        self.field.setAccessibleName(self.tr("Find an action or a key"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(lambda _text: self.fill())
        column.addWidget(self.field)
        self.table = KeyTable(theme)
        self.table.recorded.connect(self._recorded)
        self.table.cleared.connect(lambda act: self._set(act, ()))
        column.addWidget(self.table, 1)
        row = QHBoxLayout()
        row.setSpacing(theme.length("space", "xs"))
        table = self.table
        self.buttons = [
            self._button(self.tr("Change"), "Enter", lambda: table.wait_for_key(table.currentItem())),
            self._button(
                self.tr("Add"), "Ins", lambda: table.wait_for_key(table.currentItem(), adds=True)
            ),
            self._button(self.tr("No key"), "Del", lambda: self._with_current(self._set_none)),
            self._button(self.tr("Reset"), "", lambda: self._with_current(self._reset)),
        ]
        for button in self.buttons:
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        preferences.changed.connect(self.fill)
        self.fill()

    def _button(self, text: str, key: str, do: Callable[[], None]) -> ActButton:
        button = ActButton(text, self._theme, kind=SECONDARY, key=key)
        button.clicked.connect(lambda _checked=False: do())
        return button

    def _with_current(self, do: Callable[[Act], None]) -> None:
        act = self.table.current_act()
        if act is not None:
            do(act)

    def fill(self) -> None:
        """List what matches the search."""
        query = self.field.text()
        found = [
            act
            for act in ACTS
            if matches(
                f"{act_text(act)} {act.group} {keys_text(keymap().keys_of(act))} "
                f"{' '.join(keymap().keys_of(act))} {scope_word(act.scope)}",
                query,
            )
        ]
        self._question = None
        self.table.fill(found, self._preferences.own)

    # --- changing a key ----------------------------------------------------------------------------

    def _recorded(self, act: Act, key: str, adds: bool) -> None:
        refusal = why_refused(act, key)
        if refusal:
            text = QCoreApplication.translate("KeyRules", refusal)
            self._ask(act, f"{key_text(key)}: {text}", "", None)
            return
        now = keymap().keys_of(act)
        wanted = tuple(dict.fromkeys((*now, key))) if adds else (key,)
        owner = owner_of(key, ACTS, {one.name: keymap().keys_of(one) for one in ACTS}, besides=act.name)
        if owner is None:
            self._set(act, wanted)
            return
        words = self.tr("{key} does \u201c{owner}\u201d. Give it to \u201c{act}\u201d?")
        self._ask(
            act,
            words.format(key=key_text(key), owner=act_text(owner), act=act_text(act)),
            self.tr("Take it over"),
            lambda: self._take_over(act, wanted, owner, key),
        )

    def _take_over(self, act: Act, wanted: tuple[str, ...], owner: Act, key: str) -> None:
        left = tuple(one for one in keymap().keys_of(owner) if same_stroke(one) != same_stroke(key))
        self._preferences.take(self._preferences.own.with_keys({act.name: wanted, owner.name: left}))
        self._show(act)

    def _set(self, act: Act, keys: tuple[str, ...]) -> None:
        self._preferences.take(self._preferences.own.with_keys({act.name: keys}))
        self._show(act)

    def _set_none(self, act: Act) -> None:
        self._set(act, ())

    def _reset(self, act: Act) -> None:
        """Give an act its keys back; one that another act has by now is asked for."""
        own = self._preferences.own.without_keys(act.name)
        keys = own.over(self._preferences.machine).keys.get(act.name, act.keys)
        others = {one.name: keymap().keys_of(one) for one in ACTS}
        for key in keys:
            owner = owner_of(key, ACTS, others, besides=act.name)
            if owner is not None:
                words = self.tr(
                    "{key} does \u201c{owner}\u201d now. Give it back to \u201c{act}\u201d?"
                )
                self._ask(
                    act,
                    words.format(key=key_text(key), owner=act_text(owner), act=act_text(act)),
                    self.tr("Give it back"),
                    lambda owner=owner, key=key: self._give_back(act, owner, key),
                )
                return
        self._preferences.take(own)
        self._show(act)

    def _give_back(self, act: Act, owner: Act, key: str) -> None:
        left = tuple(one for one in keymap().keys_of(owner) if same_stroke(one) != same_stroke(key))
        self._preferences.take(self._preferences.own.with_keys({owner.name: left}))
        self._reset(act)

    def _show(self, act: Act) -> None:
        item = self.table.item_of(act)
        if item is not None:
            self.table.setCurrentItem(item)
            self.table.scrollToItem(item)
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- a question under a row --------------------------------------------------------------------

    def _ask(self, act: Act, words: str, yes: str, do: Callable[[], None] | None) -> None:
        """Say under an act's row what stands against a key; with `do`, offer to do it all the same."""
        self._drop_question()
        item = self.table.item_of(act)
        if item is None:
            return
        row = QTreeWidgetItem()
        row.setFlags(Qt.ItemFlag.NoItemFlags)
        self.table.insertTopLevelItem(self.table.indexOfTopLevelItem(item) + 1, row)
        row.setFirstColumnSpanned(True)
        box = _Question(self._theme, words, yes, do, lambda: self._answered(act))
        box.setFixedWidth(self.table.viewport().width())
        row.setSizeHint(ACT, box.sizeHint())
        self.table.setItemWidget(row, ACT, box)
        self.table.scrollToItem(row)
        self._question = row
        box.first.setFocus(Qt.FocusReason.TabFocusReason)

    def _answered(self, act: Act) -> None:
        self._drop_question()
        self._show(act)

    def _drop_question(self) -> None:
        row, self._question = self._question, None
        if row is not None:
            self.table.takeTopLevelItem(self.table.indexOfTopLevelItem(row))


class _Question(QWidget):
    """What stands against a key, with the two ways out."""

    def __init__(
        self,
        theme: Theme,
        words: str,
        yes: str,
        do: Callable[[], None] | None,
        leave: Callable[[], None],
    ) -> None:
        super().__init__()
        self._leave = leave
        self.setProperty("ground", "raised")
        column = QVBoxLayout(self)
        gap = theme.length("space", "s")
        column.setContentsMargins(gap, gap, gap, gap)
        column.setSpacing(gap)
        label = plain_label(words, theme, tone="warning", wraps=True)
        column.addWidget(label)
        row = QHBoxLayout()
        row.setSpacing(gap)
        self.choices: list[ActButton] = []
        if do is not None:
            take = ActButton(yes, theme, kind=SECONDARY)
            take.clicked.connect(lambda _checked=False: do())
            self.choices.append(take)
        cancel = ActButton(self.tr("Cancel"), theme, kind=QUIET, key="Esc")
        cancel.clicked.connect(lambda _checked=False: leave())
        self.choices.append(cancel)
        for button in self.choices:
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        self.first = self.choices[0]
        self.setAccessibleName(words)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)

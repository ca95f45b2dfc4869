"""The panel between the strip of series and the images: pages of the parts, hidden until asked for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.shell.parts import SidePage
from app.shell.widgets import QUIET, ActButton
from viewer.views.theme import Theme

WIDTH, NARROW_WIDTH = 300, 248
"""Logical pixels in a wide and in a narrow window."""

TAB_PAD = 5
"""Logical pixels beside the words of a tab: four tabs fit in a narrow window."""


class SidePanel(QWidget):
    """Tabs above one page at a time."""

    def __init__(self, theme: Theme, pages: Sequence[SidePage]) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("ground", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.stack = QStackedWidget()
        self.tabs: dict[str, ActButton] = {}
        self._pages = {page.name: page.widget for page in pages}
        group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(theme.length("space", "xs"), 0, theme.length("space", "xs"), 0)
        row.setSpacing(0)
        for page in pages:
            tab = ActButton(page.title, theme, kind=QUIET)
            tab.setCheckable(True)
            tab.setFont(theme.font("note"))
            tab.setStyleSheet(f"padding: 0 {theme.px(TAB_PAD)}px;")
            tab.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            tab.clicked.connect(lambda _checked=False, name=page.name: self.show_page(name))
            group.addButton(tab)
            row.addWidget(tab)
            self.tabs[page.name] = tab
            self.stack.addWidget(page.widget)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 1, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.stack, 1)
        if pages:
            self.show_page(pages[0].name)
        self.set_narrow(False)
        self.hide()

    def show_page(self, name: str) -> None:
        """Bring a page to the front."""
        self.stack.setCurrentWidget(self._pages[name])
        self.tabs[name].setChecked(True)

    def set_title(self, name: str, title: str) -> None:
        """Say something else on a tab: how much there is on its page."""
        self.tabs[name].setText(title)

    def page(self) -> str:
        """Return the name of the page in front; empty without pages."""
        here = self.stack.currentWidget()
        return next((name for name, widget in self._pages.items() if widget is here), "")

    def toggle(self) -> None:
        """Show or hide the panel."""
        self.setVisible(self.isHidden() and bool(self._pages))

    def set_narrow(self, narrow: bool) -> None:
        """Take the width for windows under 1600 pixels."""
        self.setFixedWidth(self._theme.px(NARROW_WIDTH if narrow else WIDTH))

"""The tool bar of the reading page, made from the table of acts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.shell.act_binding import KeyFollower, act_text
from app.shell.header import MenuButton, bar, upright_rule
from app.shell.widgets import QUIET, ActButton, key_text
from viewer.acts import VIEWER_ACTS, Act, Arrangement, Tool, reformat, rendering
from viewer.imaging.study import WindowPreset
from viewer.views.grid import ViewportGrid
from viewer.views.icons import icon
from viewer.views.key_bindings import keymap
from viewer.views.plain_tip import plain_tip
from viewer.views.stage import Stage
from viewer.views.theme import Theme
from viewer.views.volume_reason import why_no_volume
from viewer.views.workspace import Windowed

ACTS: dict[str, Act] = {act.name: act for act in VIEWER_ACTS}

ARRANGEMENT_WORDS = {kind: f"{kind.shape[0]} \u00d7 {kind.shape[1]}" for kind in Arrangement}

TOOLS = (Tool.SCROLL, Tool.WINDOW, Tool.ZOOM, Tool.PAN)
"""Tools with a button of their own."""

MEASURES = tuple(tool for tool in Tool if tool.draws)
"""Tools that share a button, which shows the one used last, and a menu."""

SWITCHES = (
    "layout.tiles",
    "viewport.reference_lines",
    "viewport.link_here",
    "viewport.link_zoom",
    "viewport.link_window",
)
"""Acts under the layouts in their menu."""

VOLUMES = (reformat.WORKSPACE, rendering.WORKSPACE)
"""Acts that take the series for a volume."""

VOLUME_ACTS = {
    reformat.WORKSPACE: QT_TRANSLATE_NOOP("ToolBar", "Three planes (MPR)"),
    rendering.WORKSPACE: QT_TRANSLATE_NOOP("ToolBar", "3D view"),
    "fusion.switch": QT_TRANSLATE_NOOP("ToolBar", "Fusion"),
    "registration.start": QT_TRANSLATE_NOOP("ToolBar", "Registration"),
}
"""Ways to look at a series as a volume, under one button, as short as it needs."""

LONGEST_NAME, LONGEST_REASON = 20, 48
"""Characters of a window's name on its button, and of a reason in a menu; the rest is in a tool tip."""


def _tool_act(tool: Tool) -> Act:
    return ACTS[f"viewport.tool.{tool}"]


def _hint(act: Act) -> str:
    key = keymap().key_of(act)
    return f"{act_text(act)} ({key_text(key)})" if key else act_text(act)


def _menu_words(text: str, act: Act) -> str:
    """Return the words of a menu's entry, with the key in force at its right end."""
    return "\t".join((text, *map(key_text, keymap().keys_of(act)[:1])))


class ToolButton(ActButton):
    """A tool with its word; in a narrow window the glyph alone. The one in use is underlined."""

    def __init__(self, act: Act, theme: Theme, *, words: str = "") -> None:
        self._act, self._words, self._narrow = act, words or act_text(act), False
        super().__init__(self._words, theme, kind=QUIET, glyph_name=act.icon)
        self.setCheckable(True)
        KeyFollower(self, self._show_hint)
        self.setAccessibleName(act_text(act))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _show_hint(self) -> None:
        self.setToolTip(_hint(self._act))

    def set_narrow(self, narrow: bool) -> None:
        """Show the glyph alone, or glyph and word."""
        self._narrow = narrow
        self.setText("" if narrow else self._words)
        self.updateGeometry()

    def set_act(self, act: Act) -> None:
        """Stand for another tool."""
        self._act, self._words = act, act_text(act)
        self.set_glyph(act.icon)
        self._show_hint()
        self.setAccessibleName(self._words)
        self.set_narrow(self._narrow)

    def sizeHint(self) -> QSize:
        size = super().sizeHint()
        return QSize(self._theme.px(38) if not self.text() else size.width() + 4, size.height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class ToolBar(QWidget):
    """Tools, window preset, layout, link and corner text of a grid of viewports."""

    def __init__(
        self,
        theme: Theme,
        grid: ViewportGrid,
        perform: Callable[[str], object] | None = None,
        *,
        stage: Stage | None = None,
        why_not: Callable[[str], str] = lambda _act: "",
    ) -> None:
        super().__init__()
        self._theme, self._grid, self._stage, self._why_not = theme, grid, stage, why_not
        self._perform = perform or grid.do
        frame = bar(theme, "bar")
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(frame)
        row = frame.layout()
        assert isinstance(row, QHBoxLayout)
        row.setContentsMargins(theme.length("space", "xs"), 0, theme.length("space", "m"), 0)
        row.setSpacing(theme.px(2))
        self._add_tools(row)
        self._add_rule(row)
        self.preset = MenuButton(self.tr("Window"), theme, glyph_name="circle-half")
        self.preset.setAccessibleName(self.tr("Window preset"))
        self.preset.menu_below.aboutToShow.connect(self._fill_presets)
        row.addWidget(self.preset)
        self.layout_button = MenuButton("", theme, glyph_name="grid-four")
        self.layout_button.setAccessibleName(self.tr("Layout"))
        for kind in Arrangement:
            self._entry(ARRANGEMENT_WORDS[kind], ACTS[f"layout.{kind}"])
        self.layout_button.menu_below.addSeparator()
        self.switches = {name: self._switch(ACTS[name]) for name in SWITCHES}
        row.addWidget(self.layout_button)
        self.link = ToolButton(ACTS["viewport.link"], theme, words=self.tr("Linked"))
        self.link.clicked.connect(lambda: self._do("viewport.link"))
        row.addWidget(self.link)
        self.volume = MenuButton(self.tr("Volume"), theme, glyph_name="cube")
        self.volume.setAccessibleName(self.tr("Look at the series as a volume"))
        self.volume.menu_below.aboutToShow.connect(self._fill_volume)
        self.volume.menu_below.setToolTipsVisible(True)
        row.addWidget(self.volume)
        self.volume.setVisible(stage is not None)
        row.addStretch(1)
        self.corner = ToolButton(ACTS["view.corner_text"], theme)
        self.corner.clicked.connect(lambda: self._do("view.corner_text"))
        row.addWidget(self.corner)
        for button in (self.measures, self.preset, self.layout_button, self.volume):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._connect(grid)
        self.refresh()

    def _add_tools(self, row: QHBoxLayout) -> None:
        """Add the tools, then the measuring tool used last and the menu of the others."""
        theme = self._theme
        self.tools: dict[Tool, ToolButton] = {}
        for tool in TOOLS:
            act = _tool_act(tool)
            button = ToolButton(act, theme)
            button.clicked.connect(lambda _checked=False, name=act.name: self._do(name))
            self.tools[tool] = button
            row.addWidget(button)
        self._add_rule(row)
        self._last_measure = MEASURES[0]
        self.measure = ToolButton(_tool_act(self._last_measure), theme)
        self.measure.clicked.connect(lambda: self._do(_tool_act(self._last_measure).name))
        row.addWidget(self.measure)
        self.measures = MenuButton("", theme)
        self.measures.setFixedWidth(theme.px(28))
        self.measures.setAccessibleName(self.tr("Measuring tools"))
        self.measures.setToolTip(self.tr("Measuring tools"))
        self.measures.menu_below.aboutToShow.connect(self._fill_measures)
        row.addWidget(self.measures)

    def _connect(self, grid: ViewportGrid) -> None:
        grid.toolChanged.connect(lambda _tool: self.refresh())
        grid.linkedChanged.connect(lambda _linked: self.refresh())
        grid.cornerTextChanged.connect(lambda _shown: self.refresh())
        grid.arrangementChanged.connect(lambda _kind: self.refresh())
        grid.tiledChanged.connect(lambda _tiled: self.refresh())
        self.layout_button.menu_below.aboutToShow.connect(self.refresh)
        grid.viewChanged.connect(lambda _pane: self._name_preset())
        grid.activeChanged.connect(lambda _pane: self._name_preset())
        if self._stage is not None:
            self._stage.changed.connect(lambda _name: self.refresh())
            self._stage.windowChanged.connect(self._name_preset)

    def set_narrow(self, narrow: bool) -> None:
        """Leave the words out where the window is narrow."""
        for button in (*self.tools.values(), self.measure, self.corner):
            button.set_narrow(narrow)

    def refresh(self) -> None:
        """Show what is in use."""
        for tool, button in self.tools.items():
            button.setChecked(tool is self._grid.tool)
        if self._grid.tool.draws and self._grid.tool is not self._last_measure:
            self._last_measure = self._grid.tool
            self.measure.set_act(_tool_act(self._last_measure))
        self.measure.setChecked(self._grid.tool.draws)
        self.link.setChecked(self._grid.linked)
        self.corner.setChecked(self._grid.corner_text)
        layout = ARRANGEMENT_WORDS[self._grid.arrangement]
        self.layout_button.setText(
            self.tr("{n} tiles").format(n=layout) if self._grid.tiled else layout
        )
        self.layout_button.updateGeometry()
        grid = self._grid
        on = (
            grid.tiled,
            grid.reference_lines,
            grid.is_linked_by_hand(),
            grid.zoom_linked,
            grid.window_linked,
        )
        for name, checked in zip(SWITCHES, on, strict=True):
            self.switches[name].setChecked(checked)
        self._name_preset()

    def _add_rule(self, row: QHBoxLayout) -> None:
        row.addSpacing(self._theme.px(6))
        row.addWidget(upright_rule(self._theme))
        row.addSpacing(self._theme.px(6))

    def _fill_measures(self) -> None:
        """List the measuring tools with the keys in force."""
        menu = self.measures.menu_below
        menu.clear()
        size, tint = self._theme.length("icon", "size"), self._theme.colour("text-2")
        for tool in MEASURES:
            act = _tool_act(tool)
            words = _menu_words(act_text(act), act)
            action = menu.addAction(words, lambda name=act.name: self._do(name))
            action.setIcon(icon(act.icon, tint, size=size))
            action.setCheckable(True)
            action.setChecked(tool is self._grid.tool)

    def _switch(self, act: Act) -> QAction:
        action = self._entry(act_text(act), act)
        action.setCheckable(True)
        return action

    def _entry(self, text: str, act: Act) -> QAction:
        """Add an entry to the menu of layouts; it shows the key in force."""
        action = self.layout_button.menu_below.addAction(text, lambda: self._do(act.name))
        KeyFollower(action, lambda: action.setText(_menu_words(text, act)))
        return action

    def _do(self, act: str) -> None:
        self._perform(act)
        self.refresh()

    def _windowed(self) -> Windowed | None:
        """Return what shows a window now: the workspace that is entered, else the active viewport."""
        if self._stage is not None and self._stage.workspace is not None:
            workspace = self._stage.workspace
            return workspace if isinstance(workspace, Windowed) else None
        return self._grid.active_pane()

    def _fill_presets(self) -> None:
        """List what the image brings, then the presets of the modality."""
        menu, source = self.preset.menu_below, self._windowed()
        menu.clear()
        brought = () if source is None else source.image_windows()
        if brought:
            menu.addAction(self.tr("From the image")).setEnabled(False)
        for window in brought:
            words = f"{window.explanation}   {_span(window)}"
            menu.addAction(_plain(words), lambda window=window: self._choose(window))
        presets = {} if source is None else source.presets()
        if brought and presets:
            menu.addSeparator()
            menu.addAction(self.tr("Presets")).setEnabled(False)
        for key, preset in presets.items():
            act = ACTS[f"viewport.preset.{key}"]
            words = _menu_words(f"{preset_name(preset)}   {_span(preset)}", act)
            menu.addAction(words, lambda key=key: self._do(f"viewport.preset.{key}"))
        if menu.isEmpty():
            menu.addAction(self.tr("No presets for this image")).setEnabled(False)

    def _choose(self, window: WindowPreset) -> None:
        source = self._windowed()
        if source is not None:
            source.set_window(window)
        self._name_preset()

    def _name_preset(self) -> None:
        source = self._windowed()
        window = None if source is None else source.shown_window()
        words = self.tr("Window")
        if source is not None and window is not None:
            words = _window_name(window, source.presets().values()) or words
        words = _plain(_short(words, LONGEST_NAME))
        self.preset.setEnabled(source is not None)
        if words != self.preset.text():
            self.preset.setText(words)
            self.preset.updateGeometry()

    def _fill_volume(self) -> None:
        """List the ways to look at the series as a volume; what is not possible says why."""
        menu, stage = self.volume.menu_below, self._stage
        menu.clear()
        size, tint = self._theme.length("icon", "size"), self._theme.colour("text-2")
        for name, short in VOLUME_ACTS.items():
            act = ACTS.get(name)
            if act is None or stage is None:
                continue
            why = self._why_not(name)
            if not why and name in VOLUMES and stage.workspace is None:
                why = why_no_volume(self._grid.active_pane().stack())
            text = self.tr(short)
            words = f"{text}   ({_short(why, LONGEST_REASON)})" if why else text
            action = menu.addAction(_menu_words(words, act), lambda name=name: self._do(name))
            action.setToolTip(plain_tip(why or _hint(act)))
            if act.icon:
                action.setIcon(icon(act.icon, tint, size=size))
            action.setEnabled(not why)
            action.setCheckable(True)
            action.setChecked(stage.name == name)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}\u2026"


def _plain(text: str) -> str:
    """Return words of a header for a button or a menu, where & marks a key."""
    return text.replace("&", "&&")


def _span(window: WindowPreset) -> str:
    if window.table is not None:
        return QCoreApplication.translate("ToolBar", "VOI LUT")
    return f"W {window.width:.0f}  L {window.center:.0f}".replace("-", "\u2212")


def _window_name(window: WindowPreset, presets: Iterable[WindowPreset]) -> str:
    """Return how the window in effect is called; empty for one that a reader dragged."""
    if window.table is not None:
        return window.explanation or QCoreApplication.translate("ToolBar", "VOI LUT")
    if window.explanation not in {"", "Automatic"}:
        return preset_name(window)
    span = (window.center, window.width)
    named = (preset_name(preset) for preset in presets if (preset.center, preset.width) == span)
    return next(named, "")


def preset_name(preset: WindowPreset) -> str:
    """Return a preset's name in the reader's language."""
    return QCoreApplication.translate("Presets", preset.explanation)

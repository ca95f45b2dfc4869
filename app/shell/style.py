"""The look of plain widgets: one style sheet and palette made from the tokens of the theme."""

from __future__ import annotations

from string import Template

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

import resources
from viewer.views.theme import Theme

_COLOURS = (
    "ground", "panel", "raised", "hover", "selected", "line", "line-2", "control", "text", "text-2",
    "text-3", "evidence", "evidence-ground", "evidence-edge", "warning", "warning-edge", "primary",
    "on-primary", "focus",
)  # fmt: skip

_SHEET = Template("""
QWidget { color: $text; }
QMainWindow, QWidget#window { background: $ground; }
QWidget#panel, QWidget[ground="panel"] { background: $panel; }
QWidget[ground="raised"], QDialog { background: $raised; }
QDialog { border: 1px solid $line_2; }
QWidget[ground="ground"] { background: $ground; }
QFrame[line="top"] { border: 0; border-top: 1px solid $line; }
QFrame[line="bottom"] { border: 0; border-bottom: 1px solid $line; }
QFrame#rule { background: $line; border: 0; max-height: 1px; min-height: 1px; }
QLabel { background: transparent; }
QLabel[tone="2"] { color: $text_2; }
QLabel[tone="3"] { color: $text_3; }
QLabel[tone="warning"] { color: $warning; }
QLabel#keycap { border: 1px solid $line_2; border-radius: ${r_chip}px; background: $ground;
  color: $text; padding: 0 ${xs}px; }

QPushButton { min-height: ${control_h}px; padding: 0 ${m}px; border: 1px solid $control;
  border-radius: ${r_button}px; background: transparent; color: $text; }
QPushButton:hover { background: $hover; }
QPushButton:pressed, QPushButton:checked { background: $selected; }
QPushButton:disabled { color: $text_3; border-color: $line_2; }
QPushButton[kind="primary"] { background: $primary; border-color: $primary; color: $on_primary;
  font-weight: 600; }
QPushButton[kind="primary"]:hover { background: $text; border-color: $text; }
QPushButton[kind="primary"]:disabled { background: transparent; border-color: $line_2; color: $text_3; }
QPushButton[kind="quiet"], QPushButton[kind="count"] { border-color: transparent; color: $text_2; }
QPushButton[kind="quiet"]:hover, QPushButton[kind="count"]:hover { background: $hover; color: $text; }
QPushButton[kind="quiet"]:disabled { color: $text_3; }
QPushButton[kind="count"] { padding: 0 ${xs}px; min-height: ${badge}px; }
QPushButton[kind="count"]:checked { background: $selected; color: $text; }
QPushButton[kind="warning"] { border-color: transparent; color: $warning; padding: 0 ${xs}px; }
QPushButton[kind="warning"]:hover { background: $hover; }
QPushButton[kind="link"] { border: 0; padding: 0; min-height: 0; color: $text_2;
  text-decoration: underline; text-align: left; }
QPushButton[kind="link"]:hover { color: $text; }
QPushButton[kind="row"] { border: 0; min-width: 0; border-radius: 0; text-align: left;
  background: transparent; padding: 0; }
QPushButton[kind="row"]:hover { background: $hover; }

QLineEdit, QComboBox { min-height: ${input_inner}px; padding: 0 ${s}px; background: $ground;
  border: 1px solid $control; border-radius: ${r_button}px; color: $text;
  selection-background-color: $evidence_edge; selection-color: $text; }
QLineEdit:disabled, QComboBox:disabled { color: $text_3; border-color: $line_2; }
QLineEdit[bare="true"] { border: 0; background: transparent; padding: 0; }
QComboBox::drop-down { border: 0; width: ${chevron}px; }
QComboBox::down-arrow { image: url("$chevron_file"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line_2; color: $text;
  selection-background-color: $selected; selection-color: $text; outline: 0; }
QCheckBox { spacing: ${s}px; background: transparent; }
QCheckBox::indicator, QTreeView::indicator { width: 14px; height: 14px; border: 1px solid $control;
  border-radius: 2px; background: transparent; }
QCheckBox::indicator:checked, QTreeView::indicator:checked { background: $primary;
  border-color: $primary; image: url("$tick_file"); }
QTreeView::indicator:indeterminate { background: $control; }
QProgressBar { border: 0; border-radius: 2px; background: $selected; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $primary; border-radius: 2px; }

QTabBar { background: transparent; qproperty-drawBase: 0; border: 0; }
QTabBar::tab { background: transparent; color: $text_2; border: 0; border-bottom: 2px solid transparent;
  padding: 0 ${s}px; margin-right: ${s}px; height: ${tab_h}px; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom-color: $text; }

QScrollArea, QAbstractScrollArea { background: transparent; border: 0; }
QListView, QTreeView { background: transparent; border: 0; outline: 0; color: $text; }
QListView::item:hover, QTreeView::item:hover { background: $hover; }
QListView::item:selected { background: $selected; color: $text; border-left: 2px solid $text; }
QTreeView::item:selected { background: $selected; color: $text; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: $line_2; min-height: 24px; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical:hover { background: $control; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle:horizontal { background: $line_2; min-width: 24px; border-radius: 3px; margin: 2px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QFrame#message { border: 1px solid $warning_edge; border-left: 2px solid $warning;
  border-radius: ${r_button}px; background: transparent; }
QFrame#toast { background: $selected; border: 0; border-radius: ${r_card}px; }
QFrame#card { background: $raised; border: 1px solid $line; border-radius: ${r_card}px; }
QFrame#layer { background: $raised; border: 1px solid $line_2; border-radius: ${r_dialog}px; }
QToolTip { background: $raised; color: $text; border: 1px solid $line_2; padding: ${xs}px; }
QMenu { background: $raised; border: 1px solid $line_2; padding: ${xs}px; }
QMenu::item { padding: ${s}px ${l}px; border-radius: ${r_button}px; }
QMenu::item:selected { background: $selected; }
QMenu::item:disabled { color: $text_3; }
""")


def stylesheet(theme: Theme) -> str:
    """Return the style sheet of all plain widgets at a scale."""
    values = {name.replace("-", "_"): theme.colour(name).name() for name in _COLOURS}
    control, field = theme.length("row", "control"), theme.length("row", "input")
    return _SHEET.substitute(
        values,
        xs=theme.length("space", "xs"),
        s=theme.length("space", "s"),
        m=theme.length("space", "m"),
        l=theme.length("space", "l"),
        badge=theme.length("row", "badge"),
        # The box model of QSS adds the 1 px frame outside of min-height.
        control_h=control - 2,
        input_inner=field - 2,
        tab_h=theme.length("row", "header") - theme.px(6),
        chevron=theme.px(22),
        chevron_file=resources.path("icons", "caret-down-control.svg").as_posix(),
        tick_file=resources.path("icons", "check-control.svg").as_posix(),
        r_chip=theme.length("radius", "chip"),
        r_button=theme.length("radius", "button"),
        r_card=theme.length("radius", "card"),
        r_dialog=theme.length("radius", "dialog"),
    )


def palette(theme: Theme) -> QPalette:
    """Return the palette for what the style sheet does not reach."""
    made = QPalette()
    roles = {
        QPalette.ColorRole.Window: "panel",
        QPalette.ColorRole.Base: "panel",
        QPalette.ColorRole.AlternateBase: "raised",
        QPalette.ColorRole.Button: "panel",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.PlaceholderText: "text-3",
        QPalette.ColorRole.Highlight: "evidence-edge",
        QPalette.ColorRole.HighlightedText: "text",
        QPalette.ColorRole.ToolTipBase: "raised",
        QPalette.ColorRole.ToolTipText: "text",
        QPalette.ColorRole.Link: "text",
    }
    for role, token in roles.items():
        made.setColor(role, theme.colour(token))
    disabled = QPalette.ColorGroup.Disabled
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        made.setColor(disabled, role, theme.colour("text-3"))
    return made


def apply_style(application: QApplication, theme: Theme) -> None:
    """Give the application its palette, font and style sheet."""
    application.setStyle("Fusion")
    application.setPalette(palette(theme))
    application.setFont(theme.font("base"))
    application.setStyleSheet(stylesheet(theme))

"""The page of objects in the side panel: the list, what the chosen row is, and what to do with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from app.shell.objects.list import ObjectsList
from app.shell.objects.rows import READ_KINDS, Row, RowKind, facts_of, tr
from app.shell.widgets import QUIET, ActButton, ElidedLabel, plain_label
from viewer.imaging.objects.content import ObjectContent
from viewer.imaging.objects.foreign import ForeignObject, ObjectKind
from viewer.views.objects.board import USUAL_OPACITY
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

FACTS_LINES = 6
"""Lines for what is known of the chosen row."""


class ObjectsPage(QWidget):
    """Shows objects; what is wanted goes out as signals.

    Signals
    -------
    opacityWanted(float)
        Another opacity of segments, 0 to 1.
    goWanted(Row), readWanted(Row)
        Go to the image of a row; read a report or a document.
    stepWanted(int)
        To the next or the previous key image.
    """

    opacityWanted = Signal(float)
    goWanted = Signal(object)
    readWanted = Signal(object)
    stepWanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.list = ObjectsList(theme)
        self.empty = plain_label("", theme, tone="2", wraps=True)
        self.name = ElidedLabel("", theme, step="name")
        self.facts = plain_label("", theme, step="note", tone="2", wraps=True)
        self.problem = plain_label("", theme, step="note", wraps=True)
        self.problem.setProperty("tone", "warning")
        self.go = ActButton("", theme, glyph_name="crosshair-simple")
        self.read = ActButton("", theme, glyph_name="file-text")
        self.previous = ActButton(tr("Previous"), theme, kind=QUIET, glyph_name="caret-left")
        self.following = ActButton(tr("Next"), theme, kind=QUIET, glyph_name="caret-right")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(round(100 * USUAL_OPACITY))
        self.opacity.setAccessibleName(tr("Opacity of segments"))
        self.percent = plain_label("", theme, step="note", tone="2")
        self._lay_out()
        self._connect()
        self.show_row(None, None, "")
        self.show_objects(())

    def _lay_out(self) -> None:
        theme = self._theme
        side, gap = theme.length("space", "m"), theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.empty.setContentsMargins(side, gap, side, gap)
        column.addWidget(self.empty)
        column.addWidget(self.list, 1)
        self._foot = QFrame()
        self._foot.setProperty("line", "top")
        rows = QVBoxLayout(self._foot)
        rows.setContentsMargins(side, gap, side, gap)
        rows.setSpacing(theme.length("space", "xs"))
        rows.addWidget(self.name)
        self.facts.setMaximumHeight(FACTS_LINES * theme.line_height("note"))
        rows.addWidget(self.facts)
        rows.addWidget(self.problem)
        self._steps = QWidget()
        steps = QHBoxLayout(self._steps)
        steps.setContentsMargins(0, 0, 0, 0)
        steps.addWidget(self.previous)
        steps.addStretch(1)
        steps.addWidget(self.following)
        rows.addWidget(self._steps)
        rows.addWidget(self.go)
        rows.addWidget(self.read)
        self._slider = QWidget()
        line = QHBoxLayout(self._slider)
        line.setContentsMargins(0, gap, 0, 0)
        line.setSpacing(gap)
        line.addWidget(plain_label(tr("Opacity"), theme, step="note", tone="2"))
        line.addWidget(self.opacity, 1)
        line.addWidget(self.percent)
        rows.addWidget(self._slider)
        column.addWidget(self._foot)

    def _connect(self) -> None:
        self.opacity.valueChanged.connect(self._opacity_moved)
        self.go.clicked.connect(lambda: self.goWanted.emit(self.list.row()))
        self.read.clicked.connect(lambda: self.readWanted.emit(self.list.row()))
        self.previous.clicked.connect(lambda: self.stepWanted.emit(-1))
        self.following.clicked.connect(lambda: self.stepWanted.emit(1))

    def _opacity_moved(self, percent: int) -> None:
        self.percent.setText(f"{percent} %")
        self.opacityWanted.emit(percent / 100.0)

    def show_objects(self, objects: tuple[ForeignObject, ...], *, is_open: bool = False) -> None:
        """List the objects of a study."""
        self.list.show_objects(objects)
        self.list.setVisible(bool(objects))
        self._foot.setVisible(bool(objects))
        none = tr("This study has no objects of other programs.") if is_open else ""
        self.empty.setText(none)
        self.empty.setVisible(not objects)
        self.percent.setText(f"{self.opacity.value()} %")
        self._slider.setVisible(any(one.kind is ObjectKind.SEGMENTATION for one in objects))

    def show_row(self, row: Row | None, content: ObjectContent | None, problem: str) -> None:
        """Show what a row is and what can be done with it."""
        found = None if row is None else row.found
        self.name.set_full("" if row is None else row.text)
        facts = "" if row is None or found is None else facts_of(found, content, row.part)
        self.facts.setText(facts)
        self.facts.setToolTip(plain_tip(facts))
        self.facts.setVisible(bool(facts))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        kind = None if found is None else found.kind
        goes = {
            RowKind.PART: tr("Go to its largest slice"),
            RowKind.IMAGE: tr("Go to this image"),
            RowKind.OBJECT: tr("Apply to its image") if kind is ObjectKind.PRESENTATION_STATE else "",
        }
        words = "" if row is None else goes.get(row.kind, "")
        self.go.setText(words)
        self.go.setVisible(bool(words))
        is_read = kind in READ_KINDS
        pdf = kind is ObjectKind.ENCAPSULATED_PDF
        self.read.setText(tr("Open the document") if pdf else tr("Read the report"))
        self.read.setVisible(is_read)
        self._steps.setVisible(kind is ObjectKind.KEY_OBJECT)

"""Where the crosshair is and how the planes lie, in the cell beside them; and what the hand can do."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from viewer.views.reformat.plane_words import plane_text, position, slab_text, tr
from viewer.views.reformat.scene import MprScene
from viewer.views.theme import Theme


class FactsPanel(QWidget):
    """A few quiet lines of text, painted."""

    def __init__(self, scene: MprScene, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.scene, self.theme = scene, theme
        scene.changed.connect(self.update)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def facts(self) -> list[tuple[str, str]]:
        """Return what is said of the crosshair and of the planes, each with its name."""
        scene = self.scene
        if scene.state is None or scene.sampler is None:
            return []
        x, y, z = scene.state.crosshair
        place = f"x {position(x)}   y {position(y)}   z {position(z)} mm"
        found = [(tr("Crosshair"), place)]
        value = scene.value_words(scene.state.crosshair)
        if value:
            found.append((tr("Value"), value))
        for name, pose in scene.state.poses.items():
            words = plane_text(name, pose)
            found.append(("", "   ".join(filter(None, (words, slab_text(pose.slab))))))
        slices, rows, columns = scene.sampler.grid.shape
        deep, down, across = scene.sampler.volume.spacing
        found.append((tr("Voxels"), f"{columns} × {rows} × {slices}"))
        found.append(("", f"{across:.3g} × {down:.3g} × {deep:.3g} mm"))
        return found

    @staticmethod
    def hints() -> tuple[str, ...]:
        """Return what the hand can do, in the order of need."""
        return (
            tr("Click: move the crosshair there"),
            tr("Drag a ring on a line: turn the planes"),
            tr("Shift and drag a ring: turn that plane alone"),
            tr("Drag a line: move that plane"),
            tr("Shift+M: slab   Ctrl+Up / Down: thickness"),
            tr("Space: planes straight   Esc: back to the images"),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Write the lines from the top left."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.colour("panel"))
        margin, line = (
            self.theme.length("space", "l"),
            self.theme.line_height("note") + self.theme.px(4),
        )
        y = float(margin)
        wide = float(self.width() - 2 * margin)
        column = float(self.theme.px(84))
        painter.setFont(self.theme.font("note"))
        for name, words in self.facts():
            painter.setPen(self.theme.colour("text-3"))
            painter.drawText(QRectF(margin, y, column, line), Qt.AlignmentFlag.AlignVCenter, name)
            painter.setPen(self.theme.colour("text"))
            place = QRectF(margin + column, y, wide - column, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)
            y += line
        if self.scene.badge:
            painter.setPen(self.theme.colour("warning"))
            place = QRectF(margin, y + line / 2, wide, 3 * line)
            painter.drawText(place, Qt.TextFlag.TextWordWrap, self.scene.badge)
            y += 3 * line
        y = max(y + line, self.height() - margin - line * len(self.hints()))
        painter.setPen(self.theme.colour("text-2"))
        for words in self.hints():
            painter.drawText(QRectF(margin, y, wide, line), Qt.AlignmentFlag.AlignVCenter, words)
            y += line
        painter.end()

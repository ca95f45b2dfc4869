"""The 3D view in place of the viewports, with its bar."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from viewer.acts import Tool
from viewer.imaging.reader import OpenStack
from viewer.imaging.regions import Region
from viewer.imaging.resample import RESAMPLED, as_shown_volume
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.act_reasons import PRESET
from viewer.views.icons import icon
from viewer.views.objects.volumes import LabelVolume
from viewer.views.overlay import Overlay
from viewer.views.places import PatientPoint
from viewer.views.reformat.region_cuts import mask_of
from viewer.views.rendering.bar import RenderingBar
from viewer.views.rendering.view import TOOL, VolumeView
from viewer.views.theme import Theme

FAINTEST = 0.15
"""Opacity under which a surface is hardly seen."""

RENDERING = "rendering."
OF_IMAGES = frozenset({"viewport.reset", "viewport.zoom_in", "viewport.zoom_out", "viewport.regions"})
"""Acts of the viewports that a 3D view does too."""


class VolumeWorkspace(QWidget):
    """A `Workspace`: the series of the active viewport, rendered."""

    leaveWanted = Signal()
    regionClicked = Signal(str)
    regionHovered = Signal(str)
    actLeft = Signal(str)
    toolWanted = Signal(str)
    """The act of a tool was asked for by its key: the tool bar follows."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = VolumeView(theme)
        self.bar = RenderingBar(self.view, self.do)
        self.leave = QToolButton()
        size = theme.length("icon", "size")
        self.leave.setIcon(icon("x", theme.colour("text-2"), size=size))
        self.leave.setToolTip(self.tr("Back to the images (Esc)"))
        self.leave.setAccessibleName(self.leave.toolTip())
        self.leave.clicked.connect(self.leaveWanted)
        self.bar.add_right(self.leave)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.view, 1)
        self.setFocusProxy(self.view)
        self.view.regionClicked.connect(self.regionClicked)
        self.view.regionHovered.connect(self.regionHovered)
        self.view.actRequested.connect(self._asked)
        self._stack: ImageStack | None = None
        self._overlay = Overlay()
        self._place: PatientPoint | None = None

    def widget(self) -> QWidget:
        """Return this widget."""
        return self

    def open(
        self, stack: ImageStack, study: Study | None, opened: OpenStack, place: PatientPoint | None
    ) -> None:
        """Render a series; its pixels stay leased until the rendering thread has done with them."""
        self._place, self._stack = place, stack
        opened.buffer.lease()
        self.view.show_made(
            lambda: as_shown_volume(stack), study, let_go=opened.buffer.unlease, stack=stack
        )

    def close(self) -> bool:  # type: ignore[override]  # Qt's own close() hides; so does the stage
        """Show nothing and let go of all memory."""
        self.view.clear()
        self._stack = None
        return True

    def do(self, act: str) -> bool:
        """Do an act of the 3D view."""
        return self.view.do(act)

    def set_tool(self, tool: Tool) -> None:
        """Choose what the left button does."""
        self.view.set_tool(tool)

    def set_corner_text(self, shown: bool) -> None:
        """Show or hide all text over the picture."""
        self.view.set_corner_text(shown)

    def _asked(self, act: str) -> None:
        """Hand an act on: that of a tool to the tool bar and the viewports, which have it too."""
        (self.toolWanted if act.startswith(TOOL) else self.actLeft).emit(act)

    def why_not(self, act: str) -> str:
        """Return why an act of the 3D view is not possible now, or empty."""
        key = act.removeprefix(PRESET)
        if key != act and int(key) > len(self.view.model.presets()):
            return self.tr("there is no preset of this number")
        if key == act and not act.startswith((TOOL, RENDERING)) and act not in OF_IMAGES:
            return self.tr("not in the 3D view")
        return self.view.why_not(act)

    def set_shapes(self, labels: LabelVolume | None, opacity: float) -> None:
        """Show segments and regions of others as surfaces (`ShapesWorkspace`).

        Of images that had to be resampled to a box nothing is shown: the labels are of the images.
        """
        stack = self._stack
        fits = stack is not None and stack.series.verdict.kind not in RESAMPLED
        parts = () if labels is None or not fits else labels.parts
        masks = []
        for place, part in enumerate(parts, start=1):
            assert labels is not None  # it has parts
            ink = QColor(part.colour).getRgbF()[:3]
            masks.append((labels.labels == place, ink, max(opacity, FAINTEST), part.label))
        self.view.set_masks(masks)

    def set_overlay(self, overlay: Overlay) -> None:
        """Take the regions of the evidence; their masks are drawn."""
        self._overlay = overlay
        self.view.evidence.set_overlay(overlay)

    def select_regions(self, evidence_ids: frozenset[str]) -> None:
        """Draw the masks of the selected evidence as surfaces."""
        self.view.evidence.select(evidence_ids)

    def hover_regions(self, evidence_id: str) -> None:
        """A hovered chip changes nothing here: its surface would take too long."""

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Return whether a region is a mask of this volume, drawn when it is selected.

        A flat region brings the viewports back: it lies on an image.
        """
        return self._stack is not None and mask_of(region, self._overlay, self._stack) is not None

    def place(self) -> PatientPoint | None:
        """Return the place from which this was entered: nothing in 3D points to another."""
        return self._place

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leads back to the images."""
        if event.key() == Qt.Key.Key_Escape:
            self.leaveWanted.emit()
        else:
            super().keyPressEvent(event)

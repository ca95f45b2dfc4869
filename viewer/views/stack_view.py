"""Shows a 2D stack: everything that others can ask of a viewport, and its painting; no gestures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from viewer.acts import Tool
from viewer.imaging.regions import Region
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.cine import Cine
from viewer.views.frame_image import FrameImages
from viewer.views.gestures import Drag
from viewer.views.layers import Layer
from viewer.views.link import Link, ManualLink
from viewer.views.overlay import Overlay
from viewer.views.places import Cut, PatientPoint
from viewer.views.theme import Theme
from viewer.views.view_link import View, sized_like, windowed_like, zoomed_like
from viewer.views.viewport_model import Hung, Shown, ViewportModel
from viewer.views.viewport_paint import paint_viewport, spoken
from viewer.views.viewport_state import ViewportState, transform

LINE_REACH = 3.0
"""Widget pixels that a reference line with its halo covers beside its middle."""


class StackView(QWidget):
    """One 2D stack with its overlays; `model` answers what is shown."""

    stateChanged = Signal()

    def __init__(self, theme: Theme | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ViewportModel()
        self.theme = theme or Theme()
        self.tool = Tool.SCROLL
        self.active = False
        self.corner_text = True
        self.layers: list[Layer] = []
        self.cine = Cine(self)
        self.cine.changed.connect(self._cine_changed)
        self._images = FrameImages()
        self._glass = FrameImages()
        self._drag: Drag | None = None
        self._foot: QWidget | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._describe()

    def add_layer(self, make: Callable[[StackView], Layer]) -> Layer:
        """Lay something over the image, under what has a higher order."""
        layer = make(self)
        self.layers.append(layer)
        self.layers.sort(key=lambda one: one.order)
        self.update()
        return layer

    # --- what is shown -----------------------------------------------------------------------------

    def widget(self) -> QWidget:
        """Return this widget (`Pane`)."""
        return self

    def stack(self) -> ImageStack | None:
        """Return the images shown, or none."""
        return self.model.stack

    def shown_frame(self) -> int:
        """Return the frame shown, from 0."""
        return self.model.state.index

    def show_stack(
        self,
        stack: ImageStack | None,
        study: Study | None = None,
        *,
        arrived: Iterable[int] | None = None,
        index: int | None = None,
        hung: Hung | None = None,
    ) -> None:
        """Show a stack.

        Parameters
        ----------
        arrived
            Frames whose pixels are in; none means all. Tell the others by `frames_arrived`.
        index
            Frame to begin with; none means the middle one.
        hung
            How it comes up, and whether it is a prior's; none for the image as it came.
        """
        self.cine.stop()
        self._forget_images()
        self._drag = None
        self.model.show(stack, study, arrived, index, hung)
        self._tell_layers()
        self.set_state(self.model.state)

    def refuse(self, why: str) -> None:
        """Say in the empty viewport why nothing is shown here, until something is."""
        self.model.refusal = why
        self._describe()
        self.update()

    def shown(self) -> Shown | None:
        """Return everything that is shown, for a pane beside it to show alike."""
        return self.model.shown()

    def show_tile(self, shown: Shown | None, index: int) -> None:
        """Show another image of what another pane shows, in the same way; none shows nothing."""
        if shown is None:
            if self.model.stack is not None:
                self.show_stack(None)
            return
        if shown.stack is not self.model.stack:
            self.show_stack(
                shown.stack, shown.study, arrived=shown.arrived, index=index, hung=shown.hung
            )
        state = replace(shown.state, index=index)
        if state != self.model.state:
            self.set_state(state)

    def set_step(self, step: int) -> None:
        """Set by how many images the wheel and the keys move: a page of tiles, or one."""
        self.model.step = step

    def frames_arrived(self, indices: Iterable[int]) -> None:
        """Say that the pixels of more frames are in the stack's buffer."""
        if self.model.frames_arrived(indices):
            self._forget_images()
        self.update()

    def complete_stack(self, stack: ImageStack) -> None:
        """Take the stack as it is when all pixels are in, without a change of the view."""
        self._forget_images()
        self.model.complete(stack)
        self._tell_layers()
        self.set_state(self.model.state)

    def set_state(self, state: ViewportState) -> None:
        """Show another frame, window, zoom or position.

        A cine ends where somebody goes elsewhere.
        """
        moved = state.index != self.model.state.index
        if state.index != self.cine.index:
            self.cine.stop()
        self.model.state = state
        if moved:
            for layer in self.layers:
                layer.frame_changed()
        self._describe()
        self.update()
        self.stateChanged.emit()

    def set_window(self, window: WindowPreset | None) -> None:
        """Set the window; none returns to the image's own."""
        self.set_state(self.model.state.windowed(window))

    def shown_window(self) -> WindowPreset | None:
        """Return the window in effect; none for colour or before the first image."""
        return self.model.window()

    def presets(self) -> dict[str, WindowPreset]:
        """Return the window presets of the modality by their key; none for colour."""
        return self.model.presets()

    def image_windows(self) -> tuple[WindowPreset, ...]:
        """Return the windows and VOI LUTs that the image brings; none for colour."""
        return self.model.image_windows()

    def set_active(self, active: bool) -> None:
        """Draw or take away the frame of the active viewport."""
        self.active = active
        self.update()

    def set_tool(self, tool: Tool) -> None:
        """Choose what the left button does."""
        self.tool = tool
        self.setCursor(Qt.CursorShape.CrossCursor if tool.draws else Qt.CursorShape.ArrowCursor)
        self.update()

    def set_corner_text(self, shown: bool) -> None:
        """Show or hide all text over the image."""
        self.corner_text = shown
        self.update()

    def set_magnified(self, magnified: bool) -> None:
        """Hold the magnifier over the pointer, or put it away."""
        if magnified != self.model.magnified:
            self.model.magnified = magnified
            self.update()

    def _tell_layers(self) -> None:
        for layer in self.layers:
            layer.stack_changed()

    def _forget_images(self) -> None:
        """Drop what was drawn: the pixels of the stack have changed."""
        self._images.forget()
        self._glass.forget()

    # --- regions -----------------------------------------------------------------------------------

    def set_overlay(self, overlay: Overlay) -> None:
        """Take the regions that can be shown."""
        self.model.overlay = overlay
        self.update()

    def set_selected(self, evidence_ids: frozenset[str]) -> None:
        """Outline the regions of the selected evidence."""
        self.model.selected = evidence_ids
        self.update()

    def set_hovered(self, evidence_id: str) -> None:
        """Outline the regions of the evidence under the pointer elsewhere; empty for none."""
        self.model.hovered = evidence_id
        self.update()

    def holds(self, region: Region) -> bool:
        """Return whether this stack can show a region."""
        return self.model.holds(region)

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Jump to slice, window and zoom of a region, in one frame; false when it is not here."""
        state = self.model.state_showing(region, window)
        if state is None:
            return False
        self.set_state(state)
        return True

    def follow(self, source: ImageStack, index: int, link: ManualLink | None = None) -> None:
        """Go to the place of another series' image: by frame of reference, else by hand."""
        state = self.model.state_beside(source, index, link)
        if state != self.model.state:
            self.set_state(state)

    def cut(self) -> Cut | None:
        """Return the image shown as a cut through the patient, or none without an orientation."""
        return self.model.cut()

    def set_reference(self, cut: Cut | None) -> None:
        """Draw where the image of the active viewport cuts this one."""
        if cut == self.model.reference:
            return
        # The line moves with every image of the active viewport: what it leaves and takes is drawn,
        # as one rectangle, which the painter clips fastest.
        before = self._line_area()
        self.model.reference = cut
        self.update(before.united(self._line_area()))

    def _line_area(self) -> QRect:
        """Return the part of the widget that the reference line covers, empty without one."""
        ends = self.model.reference_line()
        if ends is None:
            return QRect()
        points = transform(self.model.matrix(), ends)
        box = QRectF(QPointF(*points.min(axis=0)), QPointF(*points.max(axis=0)))
        return box.adjusted(-LINE_REACH, -LINE_REACH, LINE_REACH, LINE_REACH).toAlignedRect()

    def view(self) -> View | None:
        """Return how the image lies here; none for an empty viewport."""
        return self.model.view()

    def take_view(self, other: View, *, zoom: bool, window: bool) -> None:
        """Take zoom and pan, or the window, of another viewport."""
        for wanted, alike in ((zoom, zoomed_like), (window, windowed_like)):
            own = self.model.view()
            if wanted and own is not None:
                state = alike(own, other)
                if state != self.model.state:
                    self.set_state(state)

    def take_size(self, other: View) -> None:
        """Show the patient as large as another viewport does, also after a reset."""
        own = self.model.view()
        state = None if own is None else sized_like(own, other)
        if state is None or state.magnification == self.model.state.magnification:
            return
        hung = self.model.hung
        home = replace(hung.home, magnification=state.magnification)
        self.model.hung = replace(hung, home=home)
        self.set_state(state)

    def set_link(self, link: Link | None) -> None:
        """Say in the corner what joins this series to the active one; none says nothing."""
        if link != self.model.link:
            self.model.link = link
            self.update()

    def show_place(self, point: PatientPoint | None) -> None:
        """Go to the image of a place that is pointed at elsewhere and mark it; none ends that."""
        if point == self.model.cursor:
            return
        self.model.cursor = point
        state = self.model.state if point is None else self.model.state_at_place(point)
        if state != self.model.state:
            self.set_state(state)
        self.update()

    def set_foot(self, foot: QWidget | None) -> None:
        """Stand a control at the lower edge, which the image then leaves free; none takes it away."""
        if self._foot is not None and self._foot is not foot:
            self._foot.hide()
        self._foot = foot
        self._fit()
        if foot is not None:
            foot.show()
        self.update()

    def _fit(self) -> None:
        """Give the control at the lower edge its height, and the image the rest."""
        foot = self._foot
        high = 0 if foot is None else min(foot.sizeHint().height(), self.height() // 2)
        if foot is not None:
            foot.setGeometry(0, self.height() - high, self.width(), high)
        self.model.size = (float(max(self.width(), 1)), float(max(self.height() - high, 1)))

    # --- painting ----------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Viewports take what there is."""
        return QSize(512, 512)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The same part of the patient stays in view at another size."""
        self._fit()
        super().resizeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """What nobody sees does not play."""
        self.cine.stop()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image, then what lies over it."""
        self.model.pixel_ratio = self.devicePixelRatioF()
        painter = QPainter(self)
        paint_viewport(
            painter,
            self.model,
            self._images,
            self.theme,
            corner_text=self.corner_text,
            active=self.active,
            glass=self._glass,
            layers=self.layers,
        )
        painter.end()

    def _cine_changed(self) -> None:
        self.model.cine_rate = self.cine.rate
        self.update()

    def _describe(self) -> None:
        """Tell assistive technology what is shown."""
        self.setAccessibleName(spoken(self.model) or self.tr("empty viewport"))

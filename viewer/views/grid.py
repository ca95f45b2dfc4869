"""The layout of viewports: 1 x 1 to 4 x 4 panes with 2 px between them, one of them active."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from viewer.acts import Arrangement, Tool
from viewer.imaging.reading_order import place_in_order
from viewer.imaging.regions import Region
from viewer.imaging.study import Series, WindowPreset
from viewer.views.layers import MakeLayer
from viewer.views.link import Link, ManualLink, link_here, registered, shares_space
from viewer.views.overlay import Overlay
from viewer.views.pane import Pane
from viewer.views.places import PatientPoint
from viewer.views.theme import Theme
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_state import ViewportState

LARGEST_SIDE = max(max(kind.shape) for kind in Arrangement)
"""Rows or columns of the largest arrangement."""


class ViewportGrid(QWidget):
    """Panes in an arrangement.

    Panes live as long as the grid: an arrangement hides the ones it has no room for, and a maximised
    pane hides the others, so that window, zoom and place survive both.
    """

    activeChanged = Signal(int)
    """Number of the pane that became active, from 0."""
    arrangementChanged = Signal(object)
    toolChanged = Signal(object)
    linkedChanged = Signal(bool)
    cornerTextChanged = Signal(bool)
    tiledChanged = Signal(bool)
    """The panes show consecutive images of the active pane's series from now on, or do so no more."""
    overlayChanged = Signal(object)
    selectionChanged = Signal(object)
    """The evidence ids whose regions are outlined from now on."""
    hoverChanged = Signal(str)
    """The evidence whose chip is under the pointer from now on, or empty."""
    graphicsChanged = Signal(bool)
    """Lines and words of others over the images are shown from now on, or hidden."""
    viewChanged = Signal(int)
    """Frame, window or zoom of a pane changed."""
    regionClicked = Signal(str)
    regionHovered = Signal(str)
    seriesDropped = Signal(int, str)
    actRequested = Signal(str)
    """An act that neither a pane nor the grid does (next series, ...)."""

    def __init__(
        self,
        theme: Theme | None = None,
        parent: QWidget | None = None,
        *,
        make_pane: Callable[[Theme, QWidget], Pane] = ImageViewport,
    ) -> None:
        super().__init__(parent)
        self.theme = theme or Theme()
        self.arrangement = Arrangement.ONE
        self.tool = Tool.SCROLL
        self.linked = True
        self.zoom_linked = False
        self.window_linked = False
        self.corner_text = True
        self.reference_lines = True
        self.graphics_shown = True
        self.maximised = False
        self.tiled = False
        self._tiling = False
        self._lending = False
        self._lent: tuple[Series, ViewportState] | None = None
        self._make_pane = make_pane
        self._panes: list[Pane] = []
        self._layers: list[MakeLayer] = []
        self._active = 0
        self._overlay = Overlay()
        self._selected: frozenset[str] = frozenset()
        self._links: dict[tuple[str, str], ManualLink] = {}
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(self.theme.length("column", "gap"))
        self.set_arrangement(Arrangement.ONE)

    # --- panes -------------------------------------------------------------------------------------

    def panes(self) -> list[Pane]:
        """Return the panes of the arrangement, row by row (also those hidden by a maximised one)."""
        rows, columns = self.arrangement.shape
        return self._panes[: rows * columns]

    def all_panes(self) -> list[Pane]:
        """Return every pane that was ever made, also those the arrangement has no room for."""
        return list(self._panes)

    def active_index(self) -> int:
        """Return the number of the active pane, from 0."""
        return self._active

    def active_pane(self) -> Pane:
        """Return the pane that keys, presets and tools act on."""
        return self._panes[self._active]

    def set_active(self, index: int) -> None:
        """Make a pane the active one."""
        changed, self._active = index != self._active, index
        for number, pane in enumerate(self._panes):
            pane.set_active(number == index)
        self._tell_others()
        self._lend_view(zoom=False, window=False)
        if changed:
            self.activeChanged.emit(index)

    def add_layer(self, make: MakeLayer) -> None:
        """Lay something over the images of all panes, those to come too."""
        self._layers.append(make)
        for pane in self._panes:
            pane.add_layer(make)

    def clear_series(self, keys: Collection[str]) -> None:
        """Empty the panes that show one of these series: their memory is about to go."""
        for pane in self._panes:
            stack = pane.stack()
            if stack is not None and stack.series.key in keys:
                pane.show_stack(None)

    def set_arrangement(self, arrangement: Arrangement) -> None:
        """Lay the panes out; new ones are made on first use."""
        self.arrangement, self.maximised = arrangement, False
        rows, columns = arrangement.shape
        while len(self._panes) < rows * columns:
            self._add_pane()
        self._lay_out()
        self.set_active(min(self._active, rows * columns - 1))
        self.arrangementChanged.emit(arrangement)
        if self.tiled:
            self.lay_tiles()

    def set_maximised(self, maximised: bool) -> None:
        """Show the active pane alone, or all panes again; one that is alone anyway is not maximised."""
        self.maximised = maximised and len(self.panes()) > 1
        self._lay_out()

    def _add_pane(self) -> None:
        pane = self._make_pane(self.theme, self)
        number = len(self._panes)
        self._panes.append(pane)
        for make in self._layers:
            pane.add_layer(make)
        pane.set_tool(self.tool)
        pane.set_corner_text(self.corner_text)
        pane.set_overlay(self._overlay)
        pane.set_selected(self._selected)
        pane.activated.connect(lambda: self.set_active(number))
        pane.scrolled.connect(lambda: self._scrolled(number))
        pane.stateChanged.connect(lambda: self._view_changed(number))
        pane.placePointed.connect(lambda place: self._show_place(number, place))
        pane.actRequested.connect(self.do)
        pane.regionClicked.connect(self.regionClicked)
        pane.regionHovered.connect(self.regionHovered)
        pane.seriesDropped.connect(lambda key: self.seriesDropped.emit(number, key))

    def _lay_out(self) -> None:
        columns = self.arrangement.shape[1]
        used = len(self.panes())
        for number, pane in enumerate(self._panes):
            widget = pane.widget()
            self._layout.removeWidget(widget)
            shown = number == self._active if self.maximised else number < used
            if shown:
                row, column = (0, 0) if self.maximised else divmod(number, columns)
                self._layout.addWidget(widget, row, column)
            widget.setVisible(shown)
        for line in range(LARGEST_SIDE):
            self._layout.setRowStretch(
                line, int(not self.maximised and line < self.arrangement.shape[0])
            )
            self._layout.setColumnStretch(line, int(not self.maximised and line < columns))
        self._layout.activate()
        self._set_steps()

    # --- tiles of one series -----------------------------------------------------------------------

    def set_tiled(self, tiled: bool) -> None:
        """Show consecutive images of the active pane's series in all panes, or each pane its own.

        The wheel and the keys then turn pages; window, zoom and position of one tile are those of all.
        """
        if tiled == self.tiled or (tiled and self.active_pane().stack() is None):
            return
        self.tiled = tiled
        self._set_steps()
        if tiled:
            self.lay_tiles()
        self.tiledChanged.emit(tiled)

    def lay_tiles(self, number: int | None = None) -> None:
        """Give each pane its image, round the one that a pane (the active one) shows.

        The first and the last page are full pages: the images move up at the ends of the series.
        """
        number = self._active if number is None else number
        shown = self._panes[number].shown()
        if shown is None:
            return
        panes = self.panes()
        count = len(shown.stack.frames)
        here = place_in_order(shown.stack, shown.state.index)
        start = max(0, min(here - number, count - len(panes)))
        self._tiling = True
        for place, pane in enumerate(panes, start=start):
            pane.show_tile(shown if place < count else None, place_in_order(shown.stack, place))
        self._tiling = False
        self._tell_others()
        self.viewChanged.emit(number)

    def _set_steps(self) -> None:
        """Let one step of the wheel or of a key be a page of tiles, or one image."""
        step = len(self.panes()) if self.tiled and not self.maximised else 1
        for pane in self._panes:
            pane.set_step(step)

    # --- what all panes share ----------------------------------------------------------------------

    def set_tool(self, tool: Tool) -> None:
        """Choose what the left button does in every pane."""
        self.tool = tool
        for pane in self._panes:
            pane.set_tool(tool)
        self.toolChanged.emit(tool)

    def set_linked(self, linked: bool) -> None:
        """Scroll series of one frame of reference together, or each on its own."""
        self.linked = linked
        self._tell_others()
        self.linkedChanged.emit(linked)

    def link_here(self) -> None:
        """Hold series of other frames of reference at their offset to the active one, or let go.

        The offset belongs to the two series and is kept when they move to other panes; done again
        without a change of the offset it is forgotten.
        """
        source, index = self.active_pane().stack(), self.active_pane().shown_frame()
        found: dict[tuple[str, str], ManualLink] = {}
        for pane in self.panes():
            target, at = pane.stack(), pane.shown_frame()
            if source is None or target is None or target is source or shares_space(source, target):
                continue
            for link in (link_here(source, index, target, at), link_here(target, at, source, index)):
                found[link.source, link.target] = link
        if self.linked and all(self._links.get(key) == link for key, link in found.items()):
            for key in found:
                del self._links[key]
        else:
            self._links.update(found)
        if found and not self.linked:
            self.set_linked(True)
        self._tell_others()

    def is_linked_by_hand(self) -> bool:
        """Return whether a pane follows the active one by an offset set by hand."""
        return any(self._link_to(pane) is not None for pane in self.panes())

    def set_reference_lines(self, shown: bool) -> None:
        """Draw in each pane where the image of the active one cuts it, or draw nothing."""
        self.reference_lines = shown
        self._tell_others()

    def set_graphics_shown(self, shown: bool) -> None:
        """Show lines and words of others over all images, or hide them."""
        self.graphics_shown = shown
        for pane in self._panes:
            pane.widget().update()
        self.graphicsChanged.emit(shown)

    def set_zoom_linked(self, linked: bool) -> None:
        """Show every pane at the zoom and place of the active one, now and as it changes."""
        self.zoom_linked = linked
        self._lend_view(zoom=linked, window=False)
        self.linkedChanged.emit(self.linked)

    def set_window_linked(self, linked: bool) -> None:
        """Show every pane of the active one's modality in its window, now and as it changes."""
        self.window_linked = linked
        self._lend_view(zoom=False, window=linked)
        self.linkedChanged.emit(self.linked)

    def _lend_view(self, *, zoom: bool, window: bool) -> None:
        """Let the other panes take what the active one shows."""
        view = self.active_pane().view()
        self._lent = None if view is None else (view.series, view.state)
        if view is None or not (zoom or window):
            return
        self._lending = True
        for number, pane in enumerate(self.panes()):
            if number != self._active:
                pane.take_view(view, zoom=zoom, window=window)
        self._lending = False

    def match_priors(self) -> None:
        """Show priors that nobody has zoomed as large as the study beside them, not as they fit.

        Each like the first image of its modality of the study that is read, one that lies alike first.
        """
        shown = [(pane, pane.shown(), pane.view()) for pane in self.panes()]
        own = [
            view
            for _, one, view in shown
            if one is not None and view is not None and not one.hung.prior
        ]
        for pane, one, view in shown:
            if one is None or view is None or not one.hung.prior:
                continue
            touched = (
                one.state.centre is not None or one.state.magnification != one.hung.home.magnification
            )
            likes = [other for other in own if other.series.modality == view.series.modality]
            likes.sort(key=lambda other, view=view: not view.lies_like(other))
            if likes and not touched:
                self._lending = True
                pane.take_size(likes[0])
                self._lending = False

    def _lend_changes(self) -> None:
        """Pass on what a reader changed in the active pane; a series that comes up changes nothing."""
        view = self.active_pane().view()
        before = self._lent
        if view is None or before is None or before[0] is not view.series:
            self._lent = None if view is None else (view.series, view.state)
            return
        was, now = before[1], view.state
        moved = (was.magnification, was.centre) != (now.magnification, now.centre)
        toned = (was.window, was.inverted) != (now.window, now.inverted)
        self._lend_view(zoom=self.zoom_linked and moved, window=self.window_linked and toned)

    def set_corner_text(self, shown: bool) -> None:
        """Show or hide all text over all images."""
        self.corner_text = shown
        for pane in self._panes:
            pane.set_corner_text(shown)
        self.cornerTextChanged.emit(shown)

    def set_overlay(self, overlay: Overlay) -> None:
        """Take the regions of the evidence, with their masks, for every pane."""
        self._overlay = overlay
        for pane in self._panes:
            pane.set_overlay(overlay)
        self.overlayChanged.emit(overlay)

    def select_regions(self, evidence_ids: frozenset[str]) -> None:
        """Outline the regions of the selected evidence in every pane."""
        self._selected = evidence_ids
        for pane in self._panes:
            pane.set_selected(evidence_ids)
        self.selectionChanged.emit(evidence_ids)

    def hover_regions(self, evidence_id: str) -> None:
        """Outline the regions of the evidence whose chip is under the pointer; empty for none."""
        for pane in self._panes:
            pane.set_hovered(evidence_id)
        self.hoverChanged.emit(evidence_id)

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Jump to a region in the pane that holds it, the active one first.

        Returns
        -------
        bool
            False when no pane shows the region's series: open it, then ask again.
        """
        order = sorted(range(len(self.panes())), key=lambda number: number != self._active)
        holder = next((number for number in order if self._panes[number].holds(region)), None)
        if holder is None:
            return False
        if self.maximised and holder != self._active:
            self.set_maximised(False)
        self.set_active(holder)
        shown = self._panes[holder].show_region(region, window)
        self._scrolled(holder)
        return shown

    def _scrolled(self, number: int) -> None:
        source = self._panes[number]
        stack = source.stack()
        if not self.linked or self.tiled or stack is None:
            return
        for other in self.panes():
            if other is not source:
                other.follow(stack, source.shown_frame(), self._link_to(other, source))

    def _view_changed(self, number: int) -> None:
        if self._tiling or self._lending:
            return
        if number == self._active and not self.tiled:
            self._lend_changes()
        if self.tiled and number < len(self.panes()):
            self.lay_tiles(number)
            return
        if number == self._active:
            self._tell_others()
        else:
            self._panes[number].set_link(self._told_link(self._panes[number]))
        self.viewChanged.emit(number)

    def _tell_others(self) -> None:
        """Tell the other panes which image the active one shows and how they are linked to it."""
        cut = self.active_pane().cut() if self.reference_lines else None
        for number, pane in enumerate(self._panes):
            active = number == self._active
            pane.set_reference(None if active else cut)
            pane.set_link(None if active else self._told_link(pane))

    def _told_link(self, pane: Pane) -> Link | None:
        """Return what joins a pane to the active one beside a frame of reference, to be said there."""
        here, there = self.active_pane().stack(), pane.stack()
        if not self.linked or here is None or there is None:
            return None
        return registered(here, there) or self._link_to(pane)

    def _link_to(self, pane: Pane, source: Pane | None = None) -> ManualLink | None:
        """Return the link by hand from a pane (the active one) to another."""
        here, there = (source or self.active_pane()).stack(), pane.stack()
        if not self.linked or here is None or there is None:
            return None
        return self._links.get((here.series.key, there.series.key))

    def _show_place(self, number: int, place: PatientPoint | None) -> None:
        """Show a place that is pointed at in one pane in all others of its frame of reference."""
        for other, pane in enumerate(self.panes()):
            if other != number:
                pane.show_place(place)

    # --- acts --------------------------------------------------------------------------------------

    def do(self, act: str) -> bool:
        """Do an act of the viewer's table: on all panes, on the active one, or ask for it outside."""
        own: dict[str, Callable[[], None]] = {
            "viewport.maximise": lambda: self.set_maximised(not self.maximised),
            "viewport.link": lambda: self.set_linked(not self.linked),
            "layout.tiles": lambda: self.set_tiled(not self.tiled),
            "viewport.link_here": self.link_here,
            "viewport.link_zoom": lambda: self.set_zoom_linked(not self.zoom_linked),
            "viewport.link_window": lambda: self.set_window_linked(not self.window_linked),
            "viewport.reference_lines": lambda: self.set_reference_lines(not self.reference_lines),
            "viewport.graphics": lambda: self.set_graphics_shown(not self.graphics_shown),
            "view.corner_text": lambda: self.set_corner_text(not self.corner_text),
            **{f"viewport.tool.{tool}": lambda tool=tool: self.set_tool(tool) for tool in Tool},
            **{f"layout.{kind}": lambda kind=kind: self.set_arrangement(kind) for kind in Arrangement},
        }
        step = own.get(act)
        if step is not None:
            step()
            return True
        if self.active_pane().do(act):
            return True
        self.actRequested.emit(act)
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground that shows between panes."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.colour("ground"))
        painter.end()

"""Where the viewports stand, and what stands in their place while a volume is looked at."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from viewer.imaging.reader import OpenStack
from viewer.imaging.regions import Region
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.act_reasons import CORNER_TEXT, LAYOUT, TOOL
from viewer.views.grid import ViewportGrid
from viewer.views.overlay import Overlay
from viewer.views.places import PatientPoint
from viewer.views.theme import Theme
from viewer.views.workspace import Asking, MakeWorkspace, Windowed, Workspace


class Stage(QStackedWidget):
    """The grid of viewports, or one workspace in its place.

    A workspace is made when it is entered first and closed, without its pixels, when it is left.
    """

    changed = Signal(str)
    """The name of the workspace that stands here from now on; empty for the viewports."""
    actLeft = Signal(str)
    """A key in the workspace asked for an act that it does not do."""
    windowChanged = Signal()
    """The workspace that stands here shows another window."""

    def __init__(self, grid: ViewportGrid, theme: Theme) -> None:
        super().__init__()
        self._grid, self._theme = grid, theme
        self._makers: dict[str, MakeWorkspace] = {}
        self._made: dict[str, Workspace] = {}
        self._name = ""
        self._overlay = Overlay()
        self._selected: frozenset[str] = frozenset()
        self.addWidget(grid)
        grid.overlayChanged.connect(self._take_overlay)
        grid.selectionChanged.connect(self._take_selection)
        grid.hoverChanged.connect(self._take_hovered)

    @property
    def name(self) -> str:
        """Name of the workspace that is entered; empty for the viewports."""
        return self._name

    @property
    def workspace(self) -> Workspace | None:
        """The workspace that is entered."""
        return self._made.get(self._name)

    def add(self, name: str, make: MakeWorkspace) -> None:
        """Know a workspace by the name of the act that enters and leaves it."""
        self._makers[name] = make

    def knows(self, name: str) -> bool:
        """Return whether there is a workspace of that name."""
        return name in self._makers

    def enter(
        self,
        name: str,
        stack: ImageStack,
        study: Study | None,
        opened: OpenStack,
        place: PatientPoint | None,
    ) -> None:
        """Put a workspace in place of the viewports, or of another workspace."""
        self._drop()
        workspace = self._made.get(name)
        if workspace is None:
            workspace = self._makers[name](self._theme, self)
            workspace.leaveWanted.connect(self.leave)  # type: ignore[attr-defined]
            if isinstance(workspace, Asking):
                workspace.actLeft.connect(self.actLeft)
            if isinstance(workspace, Windowed):
                workspace.windowChanged.connect(self.windowChanged)  # type: ignore[attr-defined]
            workspace.regionClicked.connect(self._grid.regionClicked)  # type: ignore[attr-defined]
            workspace.regionHovered.connect(self._grid.regionHovered)  # type: ignore[attr-defined]
            self._made[name] = workspace
            self.addWidget(workspace.widget())
        self._name = name
        workspace.open(stack, study, opened, place)
        view = self._grid.active_pane().view()
        if isinstance(workspace, Windowed) and view is not None:
            workspace.set_window(view.state.window)
        workspace.set_overlay(self._overlay)
        workspace.select_regions(self._selected)
        self._show(workspace.widget())

    def leave(self) -> None:
        """Put the viewports back; they go to the place that was looked at."""
        workspace = self.workspace
        if workspace is None:
            return
        place = workspace.place()
        self._drop()
        self._show(self._grid)
        if place is not None:
            for pane in self._grid.panes():
                pane.show_place(place)
                pane.show_place(None)
        self._grid.active_pane().widget().setFocus(Qt.FocusReason.OtherFocusReason)

    def do(self, act: str) -> bool:
        """Do an act of the viewer's table: in the workspace that is entered, else in the viewports.

        Tools and corner text are those of both. A layout puts the viewports back. Any other act of the
        viewports does nothing to them while nobody sees them.
        """
        workspace = self.workspace
        if workspace is None:
            return self._grid.do(act)
        done = workspace.do(act)
        if act.startswith(LAYOUT):
            self.leave()
        elif not act.startswith(TOOL) and act != CORNER_TEXT:
            return done
        return self._grid.do(act)

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Go to a region in what stands here; viewports come back when they alone hold it."""
        workspace = self.workspace
        if workspace is not None and workspace.show_region(region, window):
            return True
        if not self._grid.show_region(region, window):
            return False
        if workspace is not None:
            self._drop()
            self._show(self._grid)
        return True

    def _drop(self) -> None:
        workspace, self._name = self.workspace, ""
        if workspace is not None:
            workspace.close()

    def _show(self, widget: QWidget) -> None:
        self.setCurrentWidget(widget)
        widget.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit(self._name)

    def _take_overlay(self, overlay: Overlay) -> None:
        self._overlay = overlay
        if self.workspace is not None:
            self.workspace.set_overlay(overlay)

    def _take_selection(self, evidence_ids: frozenset[str]) -> None:
        self._selected = evidence_ids
        if self.workspace is not None:
            self.workspace.select_regions(evidence_ids)

    def _take_hovered(self, evidence_id: str) -> None:
        if self.workspace is not None:
            self.workspace.hover_regions(evidence_id)

"""What the layout grid asks of any pane: a 2D stack today, reformats and 3D by the same few words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from PySide6.QtWidgets import QWidget

from viewer.acts import Tool
from viewer.imaging.regions import Region
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.layers import Layer, MakeLayer
from viewer.views.link import Link, ManualLink
from viewer.views.overlay import Overlay
from viewer.views.places import Cut, PatientPoint
from viewer.views.view_link import View
from viewer.views.viewport_model import Hung, Shown
from viewer.views.viewport_state import ViewportState


class Pane(Protocol):
    """One cell of the grid.

    Beside these methods a pane has the signals `activated()`, `actRequested(str)`,
    `stateChanged()`, `scrolled()`, `regionClicked(str)`, `regionHovered(str)`,
    `seriesDropped(str)` and `placePointed(object)`.
    """

    def widget(self) -> QWidget:
        """Return the widget that the grid lays out."""
        ...

    def add_layer(self, make: MakeLayer) -> Layer:
        """Lay something over the image."""
        ...

    def stack(self) -> ImageStack | None:
        """Return the images shown, or none for an empty pane."""
        ...

    def show_stack(
        self,
        stack: ImageStack | None,
        study: Study | None = None,
        *,
        arrived: Iterable[int] | None = None,
        index: int | None = None,
        hung: Hung | None = None,
    ) -> None:
        """Show a stack of which some frames have arrived (none: all), or nothing.

        Parameters
        ----------
        hung
            How it comes up, and whether it is a prior's.
        """
        ...

    def refuse(self, why: str) -> None:
        """Say in the empty pane why nothing is shown here, until something is."""
        ...

    def frames_arrived(self, indices: Iterable[int]) -> None:
        """Say that the pixels of more frames are in."""
        ...

    def complete_stack(self, stack: ImageStack) -> None:
        """Take the stack as it is when all pixels are in, without a change of the view."""
        ...

    def set_state(self, state: ViewportState) -> None:
        """Show another frame, window, zoom or position."""
        ...

    def shown(self) -> Shown | None:
        """Return everything that is shown, for a pane beside it to show alike; none when empty."""
        ...

    def show_tile(self, shown: Shown | None, index: int) -> None:
        """Show another image of what another pane shows, in the same way; none shows nothing."""
        ...

    def set_step(self, step: int) -> None:
        """Set by how many images the wheel and the keys move."""
        ...

    def shown_frame(self) -> int:
        """Return the frame shown, from 0."""
        ...

    def set_active(self, active: bool) -> None:
        """Draw or take away the frame of the active pane."""
        ...

    def shown_window(self) -> WindowPreset | None:
        """Return the window in effect; none for colour or before the first image."""
        ...

    def set_window(self, window: WindowPreset | None) -> None:
        """Set the window; none returns to the image's own."""
        ...

    def presets(self) -> dict[str, WindowPreset]:
        """Return the window presets of the modality by their key; none for colour."""
        ...

    def image_windows(self) -> tuple[WindowPreset, ...]:
        """Return the windows and VOI LUTs that the image brings; none for colour."""
        ...

    def set_tool(self, tool: Tool) -> None:
        """Choose what the left button does."""
        ...

    def set_corner_text(self, shown: bool) -> None:
        """Show or hide all text over the image."""
        ...

    def set_overlay(self, overlay: Overlay) -> None:
        """Take the regions that can be shown."""
        ...

    def set_selected(self, evidence_ids: frozenset[str]) -> None:
        """Outline the regions of the selected evidence."""
        ...

    def set_hovered(self, evidence_id: str) -> None:
        """Outline the regions of the evidence under the pointer; empty for none."""
        ...

    def holds(self, region: Region) -> bool:
        """Return whether this pane can show a region."""
        ...

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Jump to slice, window and zoom that show a region, in one frame."""
        ...

    def follow(self, source: ImageStack, index: int, link: ManualLink | None = None) -> None:
        """Go to the place of another series' image: by frame of reference, else by hand."""
        ...

    def cut(self) -> Cut | None:
        """Return what is shown as a cut through the patient, or none without an orientation."""
        ...

    def set_reference(self, cut: Cut | None) -> None:
        """Draw where the image of the active pane cuts this one; none draws nothing."""
        ...

    def view(self) -> View | None:
        """Return how the image lies here, or none for an empty pane."""
        ...

    def take_view(self, other: View, *, zoom: bool, window: bool) -> None:
        """Take zoom and pan, or the window, of another pane."""
        ...

    def take_size(self, other: View) -> None:
        """Show the patient as large as another pane does, also after a reset."""
        ...

    def set_link(self, link: Link | None) -> None:
        """Say what joins this series to the active one, if a reader did; none says nothing."""
        ...

    def show_place(self, point: PatientPoint | None) -> None:
        """Go to the image of a place that is pointed at elsewhere and mark it; none ends that."""
        ...

    def do(self, act: str) -> bool:
        """Do an act by name; false when this pane does not know it."""
        ...

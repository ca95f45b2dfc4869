"""What stands in place of the viewports while a volume is looked at: reformats, three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from PySide6.QtWidgets import QWidget

from viewer.imaging.reader import OpenStack
from viewer.imaging.regions import Region
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.overlay import Overlay
from viewer.views.places import PatientPoint
from viewer.views.theme import Theme


class Workspace(Protocol):
    """One way to look at the series of the active viewport as a volume.

    It is made when it is entered first, opened each time, and closed when it is left: closed, it holds
    no pixels. Beside these methods it has the signals `leaveWanted()`, `regionClicked(str)` and
    `regionHovered(str)`: the id of the evidence whose region that is, empty for none.
    """

    def widget(self) -> QWidget:
        """Return the widget that stands in place of the viewports; it takes the keyboard."""
        ...

    def open(
        self, stack: ImageStack, study: Study | None, opened: OpenStack, place: PatientPoint | None
    ) -> None:
        """Show a series whose pixels are all in.

        Parameters
        ----------
        opened
            Its memory; whoever reads pixels on a thread leases the buffer while doing so.
        place
            Where the reader was, none without a place in the patient.
        """
        ...

    def close(self) -> None:
        """Show nothing and let go of all memory."""
        ...

    def do(self, act: str) -> bool:
        """Do an act of the viewer's table; false when it is not one of this workspace's."""
        ...

    def why_not(self, act: str) -> str:
        """Return why an act of this workspace is not possible now, or empty."""
        ...

    def set_overlay(self, overlay: Overlay) -> None:
        """Take the regions of the evidence."""
        ...

    def select_regions(self, evidence_ids: frozenset[str]) -> None:
        """Outline the regions of the selected evidence."""
        ...

    def hover_regions(self, evidence_id: str) -> None:
        """Outline the regions of the evidence whose chip is under the pointer; empty for none."""
        ...

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Go to a region; false when it is not of this volume."""
        ...

    def place(self) -> PatientPoint | None:
        """Return the place that is looked at, for the viewports to go to when this is left."""
        ...


@runtime_checkable
class Windowed(Protocol):
    """A workspace that shows grey values in a window, as a viewport does.

    Beside these methods it has the signal `windowChanged()`.
    """

    def shown_window(self) -> WindowPreset | None:
        """Return the window in effect; none before there are pixels."""
        ...

    def set_window(self, window: WindowPreset | None) -> None:
        """Show another window, when the pixels are there if they are not yet; none does nothing."""
        ...

    def presets(self) -> dict[str, WindowPreset]:
        """Return the presets of the modality by their key."""
        ...

    def image_windows(self) -> tuple[WindowPreset, ...]:
        """Return the windows and VOI LUTs of the images."""
        ...


@runtime_checkable
class Asking(Protocol):
    """A workspace whose keys may ask for acts that it does not do: `actLeft(str)` tells of them."""

    actLeft: Any


MakeWorkspace = Callable[[Theme, QWidget], Workspace]

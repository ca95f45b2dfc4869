"""What one viewport shows, and what it answers about it: the model behind the widget. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from viewer.acts import PRESET_KEYS
from viewer.imaging.geometry import ImagePlane
from viewer.imaging.grey import default_window, image_presets, window_after
from viewer.imaging.letters import EdgeLetters, edge_letters, named_letters
from viewer.imaging.own_presets import PRESETS
from viewer.imaging.reading_order import is_backwards
from viewer.imaging.regions import Region
from viewer.imaging.study import Instance, Study, WindowPreset
from viewer.imaging.ultrasound import tissue_spacing
from viewer.imaging.volume import ImageStack
from viewer.views.link import Link, ManualLink, index_by_hand, linked_index
from viewer.views.overlay import Outline, Overlay, hit
from viewer.views.places import (
    Cut,
    PatientPoint,
    PointedPixel,
    cut_of,
    nearest,
    plane_of,
    pointed_pixel,
    reach_of,
    reference_line,
)
from viewer.views.scale_bar import ScaleBar, scale_bar
from viewer.views.view_link import View
from viewer.views.viewport_state import (
    FloatArray,
    ImageSize,
    ViewportState,
    at_scale,
    framed,
    image_size,
    render_matrix,
    scale_of,
    transform,
    zoomed,
)

HIT_REACH = 6.0
"""Widget pixels beside an outline that still hit it."""

LARGEST_HIDDEN_SHARE = 0.02
"""Share of the image above which a mask that is not drawn is found by its outline only."""


@dataclass(frozen=True)
class Hung:
    """How a stack comes up in a viewport.

    Parameters
    ----------
    home
        What a reset goes back to: turned, windowed and justified as a protocol says; its index does
        not count.
    prior
        What marks a study that is not the one being read ("PRIOR 2011-05-14"); empty for that one.
    """

    home: ViewportState = field(default_factory=ViewportState)
    prior: str = ""


@dataclass(frozen=True, eq=False)
class Shown:
    """What a viewport shows, as another one can show it too.

    Parameters
    ----------
    arrived
        Frames whose pixels are in; none means all.
    hung
        How it came up.
    """

    stack: ImageStack
    study: Study | None
    state: ViewportState
    arrived: tuple[int, ...] | None
    hung: Hung


class ViewportModel:
    """A stack, the state in which it is shown, and the regions over it.

    Attributes
    ----------
    size
        Width and height of the viewport in widget pixels.
    pixel_ratio
        Device pixels for one widget pixel.
    selected, hovered, pointed
        Evidence whose regions are outlined: chosen, pointed at elsewhere, and under the pointer here.
    pointer
        Widget point under the mouse, or none while it is elsewhere.
    reference
        The image of the active viewport, whose cut is drawn here; none when nothing is to be drawn.
    cursor
        The place that is pointed at in another viewport, or none.
    link
        What joins this series to the active viewport's beside a frame of reference, or none.
    cine_rate
        Frames a second while a cine plays, else 0.
    magnified
        Whether the magnifier is held over the pointer.
    step
        Images by which the wheel and the keys move: a page where viewports show tiles of a series.
    ahead
        1 where the next image to be read is the next of the stack, -1 where it is the one before
        (`viewer.imaging.reading_order`).
    hung
        How the stack came up: what a reset goes back to, and whether it is a prior's.
    refusal
        Why nothing is shown, in words for the reader; empty while something is, or nothing was asked.
    upper_value
        Words for the value of a series that lies over the image, at an image point; none without one.
    """

    def __init__(self) -> None:
        self.stack: ImageStack | None = None
        self.study: Study | None = None
        self.state = ViewportState()
        self.size: tuple[float, float] = (1.0, 1.0)
        self.pixel_ratio = 1.0
        self.overlay = Overlay()
        self.selected: frozenset[str] = frozenset()
        self.hovered = ""
        self.pointed = ""
        self.pointer: tuple[float, float] | None = None
        self.reference: Cut | None = None
        self.cursor: PatientPoint | None = None
        self.link: Link | None = None
        self.cine_rate = 0.0
        self.magnified = False
        self.step = 1
        self.ahead = 1
        self.hung = Hung()
        self.upper_value: Callable[[tuple[float, float]], str] | None = None
        self.all_regions = False
        self.refusal = ""
        self._arrived: npt.NDArray[np.bool_] | None = None
        self._cut: Cut | None = None
        self._cut_key: tuple[ImageStack | None, int] = (None, 0)
        self._own_window: dict[int, WindowPreset | None] = {}

    # --- the stack and its frames ------------------------------------------------------------------

    def show(
        self,
        stack: ImageStack | None,
        study: Study | None,
        arrived: Iterable[int] | None,
        index: int | None,
        hung: Hung | None = None,
    ) -> None:
        """Show a stack from a frame on (the middle one for none), of which some frames have arrived."""
        self.stack, self.study, self.refusal = stack, study, ""
        self.ahead = -1 if stack is not None and is_backwards(stack) else 1
        self.hung = hung or Hung()
        self._own_window.clear()
        self._cut, self._cut_key = None, (None, 0)
        self._arrived = None
        if arrived is not None and stack is not None:
            self._arrived = np.zeros(self.count, dtype=bool)
            self._arrived[list(arrived)] = True
        self.state = self.hung.home.at(self.count // 2 if index is None else index, max(self.count, 1))

    def shown(self) -> Shown | None:
        """Return everything that is shown; none without a stack."""
        if self.stack is None:
            return None
        there = None if self._arrived is None else tuple(np.flatnonzero(self._arrived).tolist())
        return Shown(self.stack, self.study, self.state, there, self.hung)

    def view(self) -> View | None:
        """Return how the image lies here, for panes that zoom alike; none without a stack."""
        if self.stack is None:
            return None
        return View(self.stack.series, self.plane(), self.image_size(), self.size, self.state)

    def complete(self, stack: ImageStack) -> None:
        """Take the stack as it is when all pixels are in; it may lack frames that could not be read.

        The view stays, on the same image where it is still there.
        """
        wanted = None if self.stack is None else self.stack.frames[self.state.index]
        index = stack.frames.index(wanted) if wanted in stack.frames else self.state.index
        self.stack, self._arrived = stack, None
        self._own_window.clear()
        self.state = self.state.at(index, self.count)

    def frames_arrived(self, indices: Iterable[int]) -> bool:
        """Note that pixels have arrived; true when that changes which frame is drawn."""
        if self._arrived is None:
            return False
        before = self.shown_index()
        self._arrived[list(indices)] = True
        if self._arrived.all():
            self._arrived = None
        return before != self.shown_index()

    @property
    def count(self) -> int:
        """Frames of the stack."""
        return 0 if self.stack is None else len(self.stack.frames)

    def place_of(self, index: int) -> int:
        """Return a frame's place in the order of reading, from 0; of a place likewise the frame."""
        return index if self.ahead > 0 else self.count - 1 - index

    def moved(self, images: int) -> ViewportState:
        """Return the state some images on in the order of reading, or back."""
        return self.state.at(self.state.index + self.ahead * images, self.count)

    @property
    def arrived_share(self) -> float:
        """Share of the frames whose pixels are in, 0 to 1."""
        return 1.0 if self._arrived is None else float(self._arrived.mean())

    def shown_index(self) -> int | None:
        """Return the frame whose pixels are drawn: the wanted one, or the nearest that has arrived."""
        if self.stack is None or self._arrived is None:
            return None if self.stack is None else self.state.index
        there = np.flatnonzero(self._arrived)
        return int(there[np.abs(there - self.state.index).argmin()]) if there.size else None

    def instance(self) -> Instance | None:
        """Return the header facts of the wanted frame."""
        if self.stack is None:
            return None
        return self.stack.series.instances[self.stack.frames[self.state.index][0]]

    def window(self) -> WindowPreset | None:
        """Return the window in effect; none for colour or before the first image."""
        index = self.shown_index()
        if self.stack is None or index is None or self.stack.is_colour:
            return None
        if self.state.window is not None:
            return self.state.window
        return self._brought(index)

    def _brought(self, index: int) -> WindowPreset | None:
        """Return the window with which a frame comes up."""
        assert self.stack is not None  # a frame is one of a stack
        if index not in self._own_window:
            self._own_window[index] = default_window(self.stack, index)
        return self._own_window[index]

    def presets(self) -> dict[str, WindowPreset]:
        """Return the window presets of this image by their key; none for colour."""
        index = self.shown_index()
        if self.stack is None or index is None or self.stack.is_colour:
            return {}
        return PRESETS.fitting(self.stack.series, self._brought(index))

    def image_windows(self) -> tuple[WindowPreset, ...]:
        """Return the windows and VOI LUTs that the image brings; none for colour."""
        index = self.shown_index()
        if self.stack is None or index is None or self.stack.is_colour:
            return ()
        return image_presets(self.stack, index)

    # --- geometry ----------------------------------------------------------------------------------

    def plane(self) -> ImagePlane | None:
        """Return the plane of the wanted frame in the patient, or none without an orientation."""
        return None if self.stack is None else plane_of(self.stack, self.state.index)

    def image_size(self) -> ImageSize:
        """Return size and pixel shape of the wanted frame."""
        if self.stack is None:
            return ImageSize(1, 1)
        rows, columns = self.stack.stored.shape[1:3]
        return image_size(self.stack.series, self.plane(), rows, columns)

    def scale(self) -> float:
        """Return the widget pixels for one image column."""
        return scale_of(self.state, self.image_size(), *self.size)

    def matrix(self) -> FloatArray:
        """Return the 3 x 3 affine from image points to widget points."""
        return render_matrix(self.state, self.image_size(), *self.size, pixel_ratio=self.pixel_ratio)

    def to_image(self, point: tuple[float, float]) -> tuple[float, float]:
        """Return the image point (column, row) under a widget point."""
        column, row = transform(np.linalg.inv(self.matrix()), [point])[0]
        return float(column), float(row)

    def to_widget(self, point: tuple[float, float]) -> tuple[float, float]:
        """Return the widget point of an image point (column, row)."""
        x, y = transform(self.matrix(), [point])[0]
        return float(x), float(y)

    def probe(self) -> PointedPixel | None:
        """Return the pixel under the pointer; none where no image is, or another one stands in."""
        if self.stack is None or self.pointer is None or self.shown_index() != self.state.index:
            return None
        return pointed_pixel(self.stack, self.state.index, self.to_image(self.pointer))

    def cut(self) -> Cut | None:
        """Return the wanted frame as a cut through the patient, or none without an orientation."""
        if self.stack is None:
            return None
        if (self.stack, self.state.index) != self._cut_key:
            self._cut_key = (self.stack, self.state.index)
            self._cut = cut_of(self.stack, self.state.index)
        return self._cut

    def _drawn_cut(self) -> Cut | None:
        """Return the cut of the pixels that are drawn; none while another image stands in."""
        return self.cut() if self.shown_index() == self.state.index else None

    def reference_line(self) -> FloatArray | None:
        """Return the ends of the cut of the active viewport's image on this one, image points."""
        own = None if self.reference is None else self._drawn_cut()
        return None if own is None or self.reference is None else reference_line(own, self.reference)

    def cursor_place(self) -> tuple[float, float] | None:
        """Return the image point of the 3D cursor when this image shows that place."""
        own = None if self.cursor is None else self._drawn_cut()
        return None if own is None or self.cursor is None else own.place_of(self.cursor)

    def place_at(self, point: tuple[float, float]) -> PatientPoint | None:
        """Return the place in the patient under a widget point; none beside the image."""
        cut, (column, row) = self._drawn_cut(), self.to_image(point)
        if cut is None or not cut.frame_of_reference_uid:
            return None
        inside = -0.5 <= column < cut.columns - 0.5 and -0.5 <= row < cut.rows - 0.5
        return cut.point((column, row)) if inside else None

    def state_at_place(self, point: PatientPoint) -> ViewportState:
        """Return the state of the image nearest to a place; unchanged when the stack is elsewhere.

        A place more than one slice beyond the ends is not in this series: it stays where it is.
        """
        stack = self.stack
        here = None if stack is None else point.in_space(stack.series.frame_of_reference_uid)
        if stack is None or here is None:
            return self.state
        found = nearest(stack, here.position)
        if found is None or found[1] > 2 * reach_of(stack):
            return self.state
        return self.state.at(found[0], self.count)

    def letters(self) -> EdgeLetters | None:
        """Return the orientation letters at the edges; none without an orientation."""
        found = edge_letters(self.plane(), self.matrix())
        if found is not None or self.stack is None or len(self.stack.series.instances) > 1:
            return found
        return named_letters(self.stack.series.patient_orientation, self.matrix())

    def scale_bar(self) -> ScaleBar | None:
        """Return the scale bar; in pixels when the image is not calibrated at the patient."""
        instance = self.instance()
        if self.stack is None or instance is None:
            return None
        spacing = self.stack.series.pixel_spacing or tissue_spacing(instance)
        return scale_bar(
            scale=self.scale(),
            column_spacing=None if spacing is None else spacing[1],
            height=self.size[1],
        )

    # --- regions -----------------------------------------------------------------------------------

    def outlines(self) -> list[Outline]:
        """Return the outlines that lie on the frame drawn, lit or not.

        None while another image stands in for the wanted one: an outline never lies on wrong pixels.
        """
        if self.stack is None or self.shown_index() != self.state.index:
            return []
        return self.overlay.on_frame(self.stack, self.state.index)

    @property
    def lit(self) -> frozenset[str]:
        """Evidence that is chosen, or pointed at elsewhere."""
        return self.selected | {self.hovered}

    def drawn_outlines(self) -> list[Outline]:
        """Return the outlines that are drawn now."""
        ids = self.lit | {self.pointed}
        return [found for found in self.outlines() if self.all_regions or found.evidence_id in ids]

    def region_at(self, point: tuple[float, float]) -> str:
        """Return the evidence whose region lies under a widget point, or an empty text."""
        if self.stack is None or not self.overlay.regions:
            return ""
        outlines = self.outlines()
        found = hit(
            outlines,
            self.to_image(point),
            reach=HIT_REACH / self.scale(),
            largest=LARGEST_HIDDEN_SHARE * self.image_size().columns * self.image_size().rows,
            drawn={one.evidence_id for one in outlines} if self.all_regions else self.lit,
        )
        return "" if found is None else found.evidence_id

    def holds(self, region: Region) -> bool:
        """Return whether this stack can show a region."""
        return self.stack is not None and self.overlay.frame_of(region, self.stack) is not None

    def state_showing(self, region: Region, window: WindowPreset | None) -> ViewportState | None:
        """Return the state whose slice, window and zoom show a region, or none when it is not here."""
        index = None if self.stack is None else self.overlay.frame_of(region, self.stack)
        if self.stack is None or index is None:
            return None
        state = self.state.at(index, self.count)
        if window is not None:
            state = replace(state, window=window)
        outlined = self.overlay.outline_on("", region, self.stack, index)
        if outlined is None:
            return state
        return framed(state, self.image_size(), *self.size, box=outlined.box)

    def state_beside(
        self, source: ImageStack, index: int, link: ManualLink | None = None
    ) -> ViewportState:
        """Return the state at the place of another series' image; unchanged when not linked.

        Parameters
        ----------
        link
            An offset set by hand, from `source` to this series; it counts where the two share no
            frame of reference.
        """
        if self.stack is None:
            return self.state
        there = linked_index(source, index, self.stack)
        if there is None and link is not None:
            there = index_by_hand(link, source, index, self.stack)
        return self.state if there is None else self.state.at(there, self.count)

    # --- acts --------------------------------------------------------------------------------------

    def state_after(self, act: str) -> ViewportState | None:
        """Return the state that an act of the viewer's table makes, or none when it makes no state."""
        change = STATE_ACTS.get(act)
        return None if change is None or self.stack is None else change(self)


def _moved(by: int) -> Callable[[ViewportModel], ViewportState]:
    return lambda model: model.moved(by * model.step)


def _zoomed(factor: float) -> Callable[[ViewportModel], ViewportState]:
    return lambda model: zoomed(model.state, model.image_size(), *model.size, factor=factor)


def _preset(key: str) -> Callable[[ViewportModel], ViewportState]:
    def change(model: ViewportModel) -> ViewportState:
        chosen = model.presets().get(key)
        return model.state if chosen is None else model.state.windowed(chosen)

    return change


def _next_voi(model: ViewportModel) -> ViewportState:
    window = window_after(model.image_windows(), model.window())
    return model.state if window is None else model.state.windowed(window)


def _one_to_one(model: ViewportModel) -> ViewportState:
    image = model.image_size()
    return at_scale(model.state, image, *model.size, scale=image.finest / model.pixel_ratio)


STATE_ACTS: dict[str, Callable[[ViewportModel], ViewportState]] = {
    "viewport.next": _moved(1),
    "viewport.previous": _moved(-1),
    "viewport.next_ten": _moved(10),
    "viewport.previous_ten": _moved(-10),
    "viewport.first": lambda model: model.state.at(model.place_of(0), model.count),
    "viewport.last": lambda model: model.state.at(model.place_of(model.count - 1), model.count),
    "viewport.reset": lambda model: replace(model.hung.home, index=model.state.index),
    "viewport.invert": lambda model: replace(model.state, inverted=not model.state.inverted),
    "viewport.flip_horizontal": lambda model: model.state.flipped_horizontally(),
    "viewport.flip_vertical": lambda model: model.state.flipped_vertically(),
    "viewport.rotate_right": lambda model: model.state.turned(1),
    "viewport.rotate_left": lambda model: model.state.turned(-1),
    "viewport.zoom_in": _zoomed(1.25),
    "viewport.zoom_out": _zoomed(0.8),
    "viewport.one_to_one": _one_to_one,
    "viewport.next_voi": _next_voi,
    **{f"viewport.preset.{key}": _preset(key) for key in PRESET_KEYS},
}
"""How each act of the table changes what a viewport shows."""

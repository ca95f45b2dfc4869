"""What a 3D view shows and what acts and drags make of it. No Qt, no VTK."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from viewer.acts import Tool
from viewer.views.rendering.camera import (
    HALF_TURN_SHARE,
    Camera,
    Direction,
    Point,
    Size,
    camera_from,
)
from viewer.views.rendering.presets import (
    Look,
    Mode,
    RenderPreset,
    Scale,
    presets_for,
    value_scale,
)
from viewer.views.rendering.scene import Crop, Scene
from viewer.views.rendering.voxels import Removed, Voxels

ZOOM_PER_PIXEL = 0.008
"""Natural logarithm of the zoom factor for one widget pixel of a drag, as in 2D."""

TURNS = {
    "rendering.turn.left": (-1, 0),
    "rendering.turn.right": (1, 0),
    "rendering.turn.up": (0, -1),
    "rendering.turn.down": (0, 1),
}
"""Acts that turn the volume, with what lies in front moving right and down."""

TURN_DEGREES, QUICK_TURN_DEGREES = 5.0, 30.0
"""By how much an arrow key turns, alone and with Shift."""

MOST_STEPS = 12
"""Steps of cutting away that can be undone."""


class Hand(StrEnum):
    """What the left button does."""

    ROTATE = "rotate"
    ROLL = "roll"
    WINDOW = "window"
    PAN = "pan"
    ZOOM = "zoom"
    CUT_INSIDE = "cut_inside"
    CUT_OUTSIDE = "cut_outside"
    PICK = "pick"

    @property
    def cuts(self) -> bool:
        """True while an outline is drawn."""
        return self in (Hand.CUT_INSIDE, Hand.CUT_OUTSIDE)

    @property
    def edits(self) -> bool:
        """True while something is cut away or clicked away."""
        return self.cuts or self is Hand.PICK


HANDS: dict[Tool, Hand] = {
    Tool.SCROLL: Hand.ROTATE,
    Tool.WINDOW: Hand.WINDOW,
    Tool.ZOOM: Hand.ZOOM,
    Tool.PAN: Hand.PAN,
}
"""What the tools of the viewports are here; every other one, that measures, turns."""


class Removal(StrEnum):
    """Why something is not drawn."""

    SCALPEL = "scalpel"
    BONE = "bone"
    TABLE = "table"
    PART = "part"


@dataclass(frozen=True, eq=False)
class _Step:
    """What was removed after a step."""

    removal: Removal
    removed: Removed


class VolumeModel:
    """The state of one 3D view: volume, camera, look, crop box, clip plane and what is cut away.

    `size` is that of the view in widget pixels, `ratio` how many pixels of the screen one of these is.
    """

    def __init__(self) -> None:
        self.size: Size = (1.0, 1.0)
        self.ratio = 1.0
        self.hand = Hand.ROTATE
        self.cropping = False
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self.voxels: Voxels | None = None
        self.camera: Camera | None = None
        self.look: Look | None = None
        self.crop = Crop()
        self.clip: float | None = None
        self.direction: Direction | None = Direction.FRONT
        self._range = (0.0, 1.0)
        self._steps: list[_Step] = []
        self.edition = 0
        self.cropping = False
        self.hand = Hand.ROTATE

    def show(self, voxels: Voxels) -> None:
        """Show a volume from the front with the first preset of its modality."""
        self.clear()
        self.voxels = voxels
        self._range = voxels.value_range
        self.set_preset(self.presets()[0].name)
        self.look_from(Direction.FRONT)

    # --- presets and window ------------------------------------------------------------------------

    def presets(self) -> tuple[RenderPreset, ...]:
        """Return the presets for what is shown."""
        return () if self.voxels is None else presets_for(self.voxels.series.modality)

    def set_preset(self, name: str) -> bool:
        """Draw with another preset; false when it is not one for this volume."""
        for preset in self.presets():
            if preset.name == name and self.voxels is not None:
                scale = value_scale(preset, self.voxels.series, *self._range)
                self.look = Look(preset, scale, preset.mode)
                return True
        return False

    def toggle_mip(self) -> None:
        """Project instead of rendering, or the other way round."""
        if self.look is not None:
            mode = Mode.RENDER if self.look.mode is Mode.MIP else Mode.MIP
            self.look = self.look.in_mode(mode)

    def window_words(self) -> tuple[float, float, str, int]:
        """Return width, centre, unit and digits of the window that the preset stands at."""
        if self.look is None:
            return 0.0, 0.0, "", 0
        low, high = self.look.window()
        shares = self.look.preset.scale is Scale.SHARE
        if shares:
            low, high = 100 * low, 100 * high
        unit = "%" if shares else self.look.scale.name
        digits = 1 if self.look.preset.scale is Scale.SUV else 0
        return high - low, (high + low) / 2, unit, digits

    # --- camera ------------------------------------------------------------------------------------

    def look_from(self, direction: Direction) -> None:
        """Show the whole volume from one side."""
        if self.voxels is not None:
            self.camera = camera_from(direction, self.voxels.corners(), self.size)
            self.direction = direction

    def reset(self) -> None:
        """Stand in front again; the window as the preset has it, no crop box, no clip plane.

        What was cut away stays away: undo brings it back.
        """
        self.look_from(Direction.FRONT)
        if self.look is not None:
            self.look = self.look.in_mode(self.look.mode)
        self.crop, self.clip = Crop(), None

    def drag(self, hand: Hand, start: Point, last: Point, now: Point) -> None:
        """Follow a drag by one move."""
        if self.camera is None or self.look is None:
            return
        across, down = now[0] - last[0], now[1] - last[1]
        shorter = max(1.0, min(self.size))
        if hand is Hand.ROTATE:
            turn = math.pi / (shorter * HALF_TURN_SHARE)
            self.camera = self.camera.rotated(across * turn, down * turn)
            self.direction = None
        elif hand is Hand.ROLL:
            middle = self.size[0] / 2, self.size[1] / 2
            before = math.atan2(last[1] - middle[1], last[0] - middle[0])
            after = math.atan2(now[1] - middle[1], now[0] - middle[0])
            self.camera = self.camera.rolled(math.remainder(after - before, math.tau))
            self.direction = None
        elif hand is Hand.PAN:
            self.camera = self.camera.panned(across, down, self.size)
        elif hand is Hand.ZOOM:
            self.zoom(math.exp(-down * ZOOM_PER_PIXEL), start)
        elif hand is Hand.WINDOW:
            self.look = self.look.dragged(across / shorter, down / shorter)

    def turn(self, across: float, down: float) -> None:
        """Turn what lies in front to the right and down, degrees."""
        if self.camera is not None:
            self.camera = self.camera.rotated(math.radians(across), math.radians(down))
            self.direction = None

    def zoom(self, factor: float, about: Point | None = None) -> None:
        """Enlarge about a widget point, or the middle."""
        if self.camera is not None:
            self.camera = self.camera.zoomed(factor, about, self.size)

    def scene(self, *, moving: bool) -> Scene | None:
        """Return what is to be rendered, none when nothing is shown."""
        if self.camera is None or self.look is None:
            return None
        size = tuple(max(1, round(length * self.ratio)) for length in self.size)
        return Scene(
            camera=self.camera,
            look=self.look,
            size=(size[0], size[1]),
            crop=self.crop,
            clip=self.clip,
            moving=moving,
            edition=self.edition,
        )

    # --- crop box and clip plane -------------------------------------------------------------------

    def half_depth(self) -> float:
        """Return how far the box reaches from its middle along the view, mm."""
        if self.voxels is None or self.camera is None:
            return 1.0
        seen = self.camera.project(self.voxels.corners(), self.size)
        return float(np.ptp(seen[:, 2])) / 2

    def set_clip_share(self, share: float) -> None:
        """Take away the nearest part of the volume: 0 nothing, 1 all of it."""
        half = self.half_depth()
        self.clip = None if share <= 0.0 else half * (2.0 * share - 1.0)

    def clip_share(self) -> float:
        """Return which part of the depth is taken away."""
        return 0.0 if self.clip is None else (self.clip / self.half_depth() + 1.0) / 2.0

    def crop_corners(self) -> npt.NDArray[np.float64]:
        """Return the corners of the crop box, (8, 3) LPS mm: column changes fastest."""
        assert self.voxels is not None
        low, high = np.asarray(self.crop.low), np.asarray(self.crop.high)
        unit = np.array([(x, y, z) for z in (0, 1) for y in (0, 1) for x in (0, 1)])
        return self.voxels.to_patient((low + unit * (high - low)) * self.voxels.extent)

    # --- cutting away ------------------------------------------------------------------------------

    def removed(self) -> Removed | None:
        """Return what is cut away in the grid of the voxels."""
        return self._steps[-1].removed if self._steps else None

    def keep_removed(self, removal: Removal, removed: Removed) -> None:
        """Take a step of cutting away; the oldest is forgotten."""
        self.edition += 1
        self._steps.append(_Step(removal, removed))
        del self._steps[:-MOST_STEPS]

    def undo(self) -> Removal | None:
        """Take the last step back; return which it was, none without one."""
        self.edition += 1
        return self._steps.pop().removal if self._steps else None

    def removals(self) -> Sequence[Removal]:
        """Return the steps, the oldest first."""
        return tuple(step.removal for step in self._steps)

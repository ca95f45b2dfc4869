"""How an image lies in a viewport: which frame, window, zoom, pan, quarter turns and mirror. No Qt.

Image points are (column, row) with the centre of the first pixel at (0, 0), so the image covers
(-0.5, -0.5) to (columns - 0.5, rows - 0.5). Widget points are (x, y) in logical pixels from the top
left corner; the centre of the first widget pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.study import Series, WindowPreset

FloatArray = npt.NDArray[np.float64]

SMALLEST_MAGNIFICATION = 0.1
"""Lower limit of the magnification, relative to the fitted image."""

LARGEST_SCALE = 64.0
"""Upper limit of the scale: widget pixels for one image column."""

SMALLEST_WINDOW = 1.0
"""A window narrower than one modality unit has no grey between black and white (PS3.3 C.11.2.1.2)."""


@dataclass(frozen=True)
class ImageSize:
    """Size of one image and the shape of its pixels.

    Parameters
    ----------
    aspect
        Row spacing over column spacing: height of a pixel over its width on the screen.
    finest
        How many of the finest pixels there are one column spans: more than one in a slide, of which
        one level is shown whole.
    """

    columns: int
    rows: int
    aspect: float = 1.0
    finest: float = 1.0

    @property
    def largest_scale(self) -> float:
        """Upper limit of the scale: widget pixels for one image column."""
        return LARGEST_SCALE * self.finest

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the image in image points."""
        return (self.columns - 1) / 2, (self.rows - 1) / 2


@dataclass(frozen=True)
class ViewportState:
    """Everything a viewport shows that the pixels do not say.

    Parameters
    ----------
    index
        Frame of the stack, from 0.
    window
        Window chosen by the reader or by a preset; none means the window of the image itself.
    magnification
        Zoom relative to the fitted image (1 = the whole image just fits), so that a maximised
        viewport shows the same part of the patient.
    centre
        Image point in the middle of the viewport; none means the middle of the image.
    quarter_turns
        Clockwise quarter turns of the image, 0 to 3.
    mirrored
        Whether left and right of the turned image are swapped. With the turns this covers all
        eight positions of a rectangle: a flip top to bottom is a mirror and two turns.
    inverted
        Whether the reader inverted the grey scale (on top of MONOCHROME1, which the pipeline does).
    justify
        "left" or "right": the edge of the viewport at which an image stands that nobody moved; empty
        for the middle. Mammograms stand back to back.
    """

    index: int = 0
    window: WindowPreset | None = None
    magnification: float = 1.0
    centre: tuple[float, float] | None = None
    quarter_turns: int = 0
    mirrored: bool = False
    inverted: bool = False
    justify: str = ""

    def at(self, index: int, count: int) -> ViewportState:
        """Show another frame; the index is kept inside the stack."""
        return replace(self, index=max(0, min(index, count - 1)))

    def windowed(self, window: WindowPreset | None) -> ViewportState:
        """Show another window; none returns to the image's own."""
        return replace(self, window=window)

    def turned(self, quarters: int) -> ViewportState:
        """Turn clockwise as seen on the screen: under a mirror the image turns the other way."""
        step = -quarters if self.mirrored else quarters
        return replace(self, quarter_turns=(self.quarter_turns + step) % 4)

    def flipped_horizontally(self) -> ViewportState:
        """Swap left and right of the screen."""
        return replace(self, mirrored=not self.mirrored)

    def flipped_vertically(self) -> ViewportState:
        """Swap top and bottom of the screen: a half turn, then left and right swapped."""
        return replace(self, mirrored=not self.mirrored, quarter_turns=(self.quarter_turns + 2) % 4)

    def orthogonal(self) -> FloatArray:
        """Return the 2 x 2 turn and mirror, from image directions to screen directions (y down)."""
        turn = (((1, 0), (0, 1)), ((0, -1), (1, 0)), ((-1, 0), (0, -1)), ((0, 1), (-1, 0)))
        matrix = np.array(turn[self.quarter_turns], dtype=np.float64)
        if self.mirrored:
            matrix[0] *= -1
        return matrix


def image_size(series: Series, plane: ImagePlane | None, rows: int, columns: int) -> ImageSize:
    """Return the size of a frame and the pixel shape of its header, square when that is silent."""
    in_plane = None if plane is None else (plane.row_spacing, plane.column_spacing)
    spacing = in_plane or series.pixel_spacing or series.detector_spacing
    finest = max(one.columns for one in series.instances) / columns if series.is_slide else 1.0
    if spacing is None:
        return ImageSize(columns, rows, finest=finest)
    row_spacing, column_spacing = spacing
    usable = row_spacing > 0 and column_spacing > 0 and math.isfinite(row_spacing / column_spacing)
    return ImageSize(columns, rows, row_spacing / column_spacing if usable else 1.0, finest)


def fit_scale(state: ViewportState, image: ImageSize, width: float, height: float) -> float:
    """Return the widget pixels per image column at which the turned image just fits."""
    wide, high = float(image.columns), image.rows * image.aspect
    if state.quarter_turns % 2:
        wide, high = high, wide
    return max(min(width / wide, height / high), 1e-6)


def scale_of(state: ViewportState, image: ImageSize, width: float, height: float) -> float:
    """Return the widget pixels per image column that are drawn now."""
    return min(fit_scale(state, image, width, height) * state.magnification, image.largest_scale)


def render_matrix(
    state: ViewportState, image: ImageSize, width: float, height: float, *, pixel_ratio: float = 1.0
) -> FloatArray:
    """Return the 3 x 3 affine that maps image points to widget points.

    The outer corner of the image is put on a whole device pixel: at a scale of 1 the grey values
    reach the screen unchanged, and a slow pan does not shimmer. The matrix is kept: images that lie
    alike share it, and nobody writes into it.
    """
    lies = replace(state, index=0, window=None, inverted=False)
    return _render_matrix(lies, image, width, height, pixel_ratio)


@lru_cache(maxsize=64)
def _render_matrix(
    state: ViewportState, image: ImageSize, width: float, height: float, pixel_ratio: float
) -> FloatArray:
    scale = scale_of(state, image, width, height)
    linear = state.orthogonal() @ np.diag([scale, scale * image.aspect])
    middle = np.array([width / 2, height / 2])
    offset = middle - linear @ np.array(middle_of(state, image, width, height))
    corner = linear @ np.array([-0.5, -0.5]) + offset
    snapped = np.floor(corner * pixel_ratio + 0.5) / pixel_ratio
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = offset + snapped - corner
    matrix.setflags(write=False)
    return matrix


def middle_of(
    state: ViewportState, image: ImageSize, width: float, height: float
) -> tuple[float, float]:
    """Return the image point in the middle of the viewport, also of an image that stands at an edge."""
    if state.centre is not None or not state.justify:
        return state.centre or image.centre
    scale = scale_of(state, image, width, height)
    linear = state.orthogonal() @ np.diag([scale, scale * image.aspect])
    drawn = float((np.abs(linear) @ (image.columns, image.rows))[0])
    aside = (drawn - width) / 2 * (1.0 if state.justify == "right" else -1.0)
    column, row = np.asarray(image.centre) + np.linalg.solve(linear, (aside, 0.0))
    return float(column), float(row)


def transform(matrix: FloatArray, points: npt.ArrayLike) -> FloatArray:
    """Map (n, 2) points through a 3 x 3 affine."""
    mapped: FloatArray = np.atleast_2d(np.asarray(points, dtype=np.float64)) @ matrix[:2, :2].T
    mapped += matrix[:2, 2]
    return mapped


def zoomed(
    state: ViewportState,
    image: ImageSize,
    width: float,
    height: float,
    *,
    factor: float,
    about: tuple[float, float] | None = None,
) -> ViewportState:
    """Zoom by a factor and keep the image point under the widget point `about` where it is."""
    fitted = fit_scale(state, image, width, height)
    magnification = max(
        SMALLEST_MAGNIFICATION, min(state.magnification * factor, image.largest_scale / fitted)
    )
    after = replace(state, magnification=magnification)
    if about is None:
        return after
    anchor = transform(np.linalg.inv(render_matrix(state, image, width, height)), [about])[0]
    linear = render_matrix(after, image, width, height)[:2, :2]
    centre = anchor - np.linalg.solve(linear, np.array(about) - (width / 2, height / 2))
    return replace(after, centre=(float(centre[0]), float(centre[1])))


def panned(
    state: ViewportState, image: ImageSize, width: float, height: float, *, by: tuple[float, float]
) -> ViewportState:
    """Move the image by widget pixels; its middle never leaves the viewport's reach."""
    linear = render_matrix(state, image, width, height)[:2, :2]
    start = np.array(middle_of(state, image, width, height))
    moved = start - np.linalg.solve(linear, np.array(by, dtype=np.float64))
    limit = np.array([image.columns - 1, image.rows - 1], dtype=np.float64)
    column, row = np.clip(moved, 0.0, np.maximum(limit, 0.0))
    return replace(state, centre=(float(column), float(row)))


def at_scale(
    state: ViewportState, image: ImageSize, width: float, height: float, *, scale: float
) -> ViewportState:
    """Set the scale: widget pixels per image column (1 = one to one)."""
    return replace(state, magnification=scale / fit_scale(state, image, width, height))


def framed(
    state: ViewportState,
    image: ImageSize,
    width: float,
    height: float,
    *,
    box: tuple[float, float, float, float],
    share: float = 0.4,
) -> ViewportState:
    """Show a box (column and row of two corners) in the middle; nothing moves when it is well in view.

    Parameters
    ----------
    share
        Largest share of the viewport the box may fill. A box that is already visible as a whole,
        and not tiny, leaves zoom and pan alone: a reader keeps the overview.
    """
    left, top, right, bottom = box
    corners = transform(
        render_matrix(state, image, width, height),
        [(left, top), (right, top), (left, bottom), (right, bottom)],
    )
    low, high = corners.min(axis=0), corners.max(axis=0)
    filled = float(((high - low) / (width, height)).max())
    inside = bool((low >= 0).all() and (high <= (width, height)).all())
    if inside and filled >= share / 8:
        return state
    factor = share / max(filled, 1e-6)
    fits = zoomed(state, image, width, height, factor=factor)
    smallest = min(1.0, fits.magnification)
    magnification = min(max(fits.magnification, smallest), max(4.0, state.magnification))
    return replace(fits, magnification=magnification, centre=((left + right) / 2, (top + bottom) / 2))


def window_dragged(start: WindowPreset, dx: float, dy: float) -> WindowPreset:
    """Change a window by a drag: to the right wider, down a higher centre (darker).

    The gain follows the width, so that the same stroke suits 80 HU of a brain and 60 000 of a PET.
    """
    gain = max(start.width, SMALLEST_WINDOW) / 300.0
    width = max(SMALLEST_WINDOW, start.width + dx * gain)
    return WindowPreset(center=start.center + dy * gain, width=width, function=start.function)

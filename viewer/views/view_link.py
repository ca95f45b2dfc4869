"""One zoom and one window in several viewports: what a pane takes over from the active one. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.study import Series
from viewer.views.link import PARALLEL
from viewer.views.viewport_state import (
    ImageSize,
    ViewportState,
    at_scale,
    middle_of,
    scale_of,
)


@dataclass(frozen=True)
class View:
    """How a series lies in its viewport.

    Parameters
    ----------
    plane
        Plane of the image shown, or none without an orientation.
    image
        Size of the image and shape of its pixels.
    size
        Width and height of the viewport, widget pixels.
    """

    series: Series
    plane: ImagePlane | None
    image: ImageSize
    size: tuple[float, float]
    state: ViewportState

    @property
    def middle(self) -> tuple[float, float]:
        """Image point in the middle of the viewport."""
        return middle_of(self.state, self.image, *self.size)

    @property
    def scale(self) -> float:
        """Widget pixels for one image column."""
        return scale_of(self.state, self.image, *self.size)

    @property
    def column_mm(self) -> float | None:
        """Size of a column in the patient, mm; none when not calibrated there."""
        if self.plane is not None:
            return self.plane.column_spacing
        return None if self.series.pixel_spacing is None else self.series.pixel_spacing[1]

    def lies_like(self, other: View) -> bool:
        """Return whether two images show the patient the same way round: cut, turn and mirror."""
        if (self.plane is None) != (other.plane is None):
            return False
        if self.plane is None or other.plane is None:
            mine, theirs = self.series, other.series
            return (mine.modality, mine.view_position) == (theirs.modality, theirs.view_position)
        here = self.state.orthogonal() @ (self.plane.row_cosines, self.plane.column_cosines)
        there = other.state.orthogonal() @ (other.plane.row_cosines, other.plane.column_cosines)
        return bool(((here * there).sum(axis=1) >= PARALLEL).all())


def zoomed_like(own: View, other: View) -> ViewportState:
    """Return the state in which a view has zoom and pan of another.

    Images that lie the same way round and are calibrated show the patient at one scale, and in one
    frame of reference the same place; others the same magnification of the fitted image, moved by
    the same share of it.
    """
    if own.column_mm and other.column_mm and own.lies_like(other):
        scale = other.scale / other.column_mm * own.column_mm
        state = at_scale(own.state, own.image, *own.size, scale=scale)
        return replace(state, centre=_same_place(own, other), justify="")
    state = replace(own.state, magnification=other.state.magnification)
    if other.state.centre is None:
        return replace(state, centre=None)
    share = _share(other)
    (column, row), image = own.image.centre, own.image
    return replace(state, centre=(column + share[0] * image.columns, row + share[1] * image.rows))


def _share(view: View) -> tuple[float, float]:
    """Return how far the middle of a viewport lies from the middle of its image, in image sizes."""
    (column, row), (x, y) = view.image.centre, view.middle
    return (x - column) / view.image.columns, (y - row) / view.image.rows


def _same_place(own: View, other: View) -> tuple[float, float]:
    """Return the image point at the middle of the other: by the patient, else as far from its own."""
    reference = own.series.frame_of_reference_uid
    x, y = other.middle
    if own.plane is not None and other.plane is not None:
        if reference and reference == other.series.frame_of_reference_uid:
            point = other.plane.pixel_to_patient(np.array([(x, y)]))
            column, row = own.plane.patient_to_pixel(point)[0].tolist()
            return column, row
        away = np.array((x, y)) - other.image.centre
        step = away * (other.plane.column_spacing, other.plane.row_spacing)
        column, row = step / (own.plane.column_spacing, own.plane.row_spacing) + own.image.centre
        return float(column), float(row)
    share = _share(other)
    return (
        own.image.centre[0] + share[0] * own.image.columns,
        own.image.centre[1] + share[1] * own.image.rows,
    )


def windowed_like(own: View, other: View) -> ViewportState:
    """Return the state in which a view has the window of another of its modality; else unchanged."""
    if own.series.modality != other.series.modality:
        return own.state
    return replace(own.state, window=other.state.window, inverted=other.state.inverted)

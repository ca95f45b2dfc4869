"""One zoom and one window in several viewports: what a pane takes over from the active one. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.study import Series
from viewer.views.link import PARALLEL
from viewer.views.places import PatientPoint
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

    @property
    def detector_mm(self) -> float | None:
        """Size of a column at the detector, mm; none where the header does not give it."""
        return None if self.series.detector_spacing is None else self.series.detector_spacing[1]

    @property
    def middle_place(self) -> PatientPoint | None:
        """Place in the patient in the middle of the viewport; none without a frame of reference."""
        uid = self.series.frame_of_reference_uid
        if self.plane is None or not uid:
            return None
        x, y, z = self.plane.pixel_to_patient(np.array([self.middle]))[0].tolist()
        return PatientPoint(uid, (x, y, z))

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

    Images that are calibrated show the patient at one scale. Those that lie the same way round show the
    same place, where it is known how they lie to each other (`viewer.imaging.spaces`); others are moved
    by the same share of the image. What is not calibrated takes the magnification of the fitted image.
    """
    state = sized_like(own, other)
    if state is None:
        state = replace(own.state, magnification=other.state.magnification)
    elif own.lies_like(other):
        return replace(state, centre=_same_place(own, other), justify="")
    if other.state.centre is None:
        return replace(state, centre=None)
    share = _share(other)
    (column, row), image = own.image.centre, own.image
    return replace(state, centre=(column + share[0] * image.columns, row + share[1] * image.rows))


def sized_like(own: View, other: View) -> ViewportState | None:
    """Return the state in which a view shows the patient as large as another; none without a scale.

    Both are measured at the patient, or both at the detector: never one so and one so.
    """
    mine, theirs = own.column_mm, other.column_mm
    if not mine or not theirs:
        mine, theirs = own.detector_mm, other.detector_mm
    if not mine or not theirs:
        return None
    return at_scale(own.state, own.image, *own.size, scale=other.scale / theirs * mine)


def _share(view: View) -> tuple[float, float]:
    """Return how far the middle of a viewport lies from the middle of its image, in image sizes."""
    (column, row), (x, y) = view.image.centre, view.middle
    return (x - column) / view.image.columns, (y - row) / view.image.rows


def _same_place(own: View, other: View) -> tuple[float, float]:
    """Return the image point at the middle of the other: by the patient, else as far from its own."""
    x, y = other.middle
    if own.plane is not None and other.plane is not None:
        place = other.middle_place
        here = None if place is None else place.in_space(own.series.frame_of_reference_uid)
        if here is not None:
            column, row = own.plane.patient_to_pixel(np.array([here.position]))[0].tolist()
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

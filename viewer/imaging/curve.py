"""A curve through points in the patient, and the image along it: curved and straightened reformats.

The curve is a centripetal Catmull-Rom spline (Barry and Goldman 1988, Yuksel 2011: no loops, no cusps),
sampled at equal arc length, with frames that are carried along without twist (double reflection, Wang
2008). All in LPS millimetres.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from viewer.imaging.geometry import FloatArray
from viewer.imaging.reformat import SlabMode, Stored, Vector, background_of, projected, unit, values_at
from viewer.imaging.volume import Volume

FEWEST_POINTS: Final = 2
"""A curve begins with two points: then it is a straight line."""

SAME_PLACE_MM: Final = 1e-3
"""Points closer together than this are one."""

FINE_STEPS: Final = 64
"""Chords of each span from which the arc length is measured."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve sampled at equal steps.

    Parameters
    ----------
    points
        (n, 3) LPS mm.
    tangents, normals, binormals
        (n, 3) unit vectors, right-handed: normals are carried along the curve without twist.
    step
        Arc length between samples, mm.
    """

    points: FloatArray
    tangents: FloatArray
    normals: FloatArray
    binormals: FloatArray
    step: float

    @property
    def length(self) -> float:
        """Arc length, mm."""
        return self.step * (len(self.points) - 1)

    def across(self, degrees: float) -> FloatArray:
        """Return the (n, 3) directions across the curve, turned about it by an angle."""
        angle = math.radians(degrees)
        turned: FloatArray = math.cos(angle) * self.normals + math.sin(angle) * self.binormals
        return turned


def curve_through(points: Sequence[Vector], step: float, up: Vector | None = None) -> Curve | None:
    """Lay a curve through points; none while there are fewer than two different ones.

    Parameters
    ----------
    step
        Wanted distance of samples, mm; the curve is divided evenly, so it is met closely.
    up
        Direction that the first normal should be near; by default the body axis most across the curve.
    """
    corners = _different(points)
    if len(corners) < FEWEST_POINTS:
        return None
    fine = _spline(corners)
    lengths = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))))
    count = max(1, math.ceil(lengths[-1] / step)) + 1
    wanted = np.linspace(0.0, lengths[-1], count)
    placed = np.stack([np.interp(wanted, lengths, fine[:, axis]) for axis in range(3)], axis=1)
    tangents = np.gradient(placed, axis=0)
    tangents = tangents / np.linalg.norm(tangents, axis=1, keepdims=True)
    normals = _carried(placed, tangents, _first_normal(tangents[0], up))
    return Curve(
        placed, tangents, normals, np.cross(tangents, normals), float(lengths[-1]) / (count - 1)
    )


def straightened(
    volume: Volume,
    curve: Curve,
    *,
    width: float,
    spacing: float,
    degrees: float = 0.0,
    thickness: float = 0.0,
    mode: SlabMode = SlabMode.OFF,
) -> Stored:
    """Return the image along a curve: one row a step of the curve, its columns across it.

    Parameters
    ----------
    width, spacing
        Of the image across the curve and between its columns, mm.
    degrees
        Angle about the curve at which it is cut.
    thickness, mode
        Slab across the image, mm, and how it is projected.
    """
    columns = max(1, round(width / spacing))
    beside = (np.arange(columns) - (columns - 1) / 2) * spacing
    across, deep = curve.across(degrees), curve.across(degrees + 90.0)
    count = 1 if mode is SlabMode.OFF else max(1, round(thickness / spacing))
    layers = []
    for offset in (np.arange(count) - (count - 1) / 2) * spacing:
        rows = curve.points + offset * deep
        places = rows[:, None, :] + beside[None, :, None] * across[:, None, :]
        layers.append(values_at(volume, places.reshape(-1, 3)).reshape(len(rows), columns))
    return projected(np.stack(layers), mode, background_of(volume))


def _different(points: Sequence[Vector]) -> FloatArray:
    kept: list[FloatArray] = []
    for point in points:
        place = np.asarray(point, dtype=np.float64)
        if not kept or float(np.linalg.norm(place - kept[-1])) > SAME_PLACE_MM:
            kept.append(place)
    return np.asarray(kept).reshape(-1, 3)


def _spline(corners: FloatArray) -> FloatArray:
    """Return a fine polyline of the centripetal Catmull-Rom spline, its ends mirrored outwards."""
    before, after = 2 * corners[0] - corners[1], 2 * corners[-1] - corners[-2]
    held = np.vstack([before, corners, after])
    knots = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(held, axis=0), axis=1) ** 0.5)))
    pieces = []
    for span in range(1, len(held) - 2):
        t0, t1, t2, t3 = knots[span - 1 : span + 3]
        p0, p1, p2, p3 = held[span - 1 : span + 3]
        t = np.linspace(t1, t2, FINE_STEPS, endpoint=False)[:, None]
        a1 = (t1 - t) / (t1 - t0) * p0 + (t - t0) / (t1 - t0) * p1
        a2 = (t2 - t) / (t2 - t1) * p1 + (t - t1) / (t2 - t1) * p2
        a3 = (t3 - t) / (t3 - t2) * p2 + (t - t2) / (t3 - t2) * p3
        b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
        b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
        pieces.append((t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2)
    return np.vstack([*pieces, corners[-1:]])


def _first_normal(tangent: FloatArray, up: Vector | None) -> FloatArray:
    axis = np.eye(3)[int(np.abs(tangent).argmin())] if up is None else np.asarray(up)
    flat = axis - (axis @ tangent) * tangent
    if float(np.linalg.norm(flat)) < SAME_PLACE_MM:
        return _first_normal(tangent, None)
    return unit(flat)


def _carried(points: FloatArray, tangents: FloatArray, first: FloatArray) -> FloatArray:
    """Carry a normal along a curve by double reflection, which does not twist it."""
    normals = [first]
    for here in range(len(points) - 1):
        chord = points[here + 1] - points[here]
        square = float(chord @ chord)
        reflected = normals[-1] - 2 / square * (chord @ normals[-1]) * chord
        tangent = tangents[here] - 2 / square * (chord @ tangents[here]) * chord
        rest = tangents[here + 1] - tangent
        size = float(rest @ rest)
        turned = reflected if size == 0.0 else reflected - 2 / size * (rest @ reflected) * rest
        normals.append(unit(turned - (turned @ tangents[here + 1]) * tangents[here + 1]))
    return np.asarray(normals)

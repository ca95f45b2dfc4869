"""Lung fields of a frontal chest radiograph, and the widths of heart and thorax between them.

Pure functions on brightness, bone bright. Left and right are those of the picture, not of the patient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SMOOTH = 0.012
"""Width of the blur as a share of the picture's width."""

MIDDLE_ROWS = (0.25, 0.65)
"""Share of the height in which both lungs and the spine are looked for."""

MIDDLE_COLUMNS = (0.33, 0.67)
LEVEL = 0.5
"""Edge of a lung: this far from its dark level to the brightness of the mediastinum beside it."""

INNER_BELOW = 0.1
"""The heart is less bright than the spine behind it: its edge lies this much lower."""

LEVEL_SHIFT = 0.1
NEAR = 0.08
"""An edge moves by less than this share of the width from row to row."""

WALL = 0.3
"""The chest wall lies within this share of the width outside the darkest place of a field."""

LEAST_CONTRAST = 0.05
"""Brightness over the darkest place of a row on both sides of a field."""

DARKEST, DARKEST_UP = 0.75, 0.55
"""A row whose darkest place is brighter than this, from lung to spine, shows no lung; towards the apex
the neck is darker than the abdomen, so that less is allowed."""

SLOPE_ROWS, FLATTEST_HEART = 8, 1.3
"""Columns a row, over so many rows: an edge that runs outwards faster is the diaphragm."""

LOW_SHARE = 0.35
"""The diaphragm is looked for below this share of the rows of the heart: above it are vessels."""

AREA_SHARE = (0.04, 0.35)
"""Of a lung field in the picture."""

LEAST_HEIGHT = 0.3
UNEVEN_ENDS = 0.15
MOST_UNLIKE = 2.5
"""One field may be so many times as large as the other."""


class NoFields(Exception):
    """Two lung fields side by side were not found; the message says what was looked for."""


@dataclass(frozen=True, eq=False)
class Fields:
    """Two lung fields as masks of the grid: at the left and at the right of the picture.

    Parameters
    ----------
    middle
        Column of the brightest line between them: the spine.
    """

    left: BoolArray
    right: BoolArray
    middle: float

    @property
    def asymmetry(self) -> float:
        """Difference of the widths of both fields in their upper half over the sum, 0 to 1."""
        widths = []
        for mask in (self.left, self.right):
            rows = np.flatnonzero(mask.any(axis=1))
            upper = mask[rows[0] : rows[0] + max((rows[-1] - rows[0]) // 2, 1)]
            widths.append(float(upper.sum(axis=1).mean()))
        return abs(widths[0] - widths[1]) / sum(widths)


@dataclass(frozen=True)
class Widths:
    """Widths in grid pixels, with the rows and columns between which they lie.

    Parameters
    ----------
    heart, thorax
        Width; the heart as the sum of its largest reach to both sides of the middle.
    heart_ends
        (column, row) of its furthest point to the left and to the right of the picture.
    thorax_ends
        The same of the inner chest wall.
    """

    heart: float
    thorax: float
    heart_ends: tuple[tuple[float, float], tuple[float, float]]
    thorax_ends: tuple[tuple[float, float], tuple[float, float]]

    @property
    def ratio(self) -> float:
        """Heart over thorax."""
        return self.heart / self.thorax


def find_fields(bright: FloatArray, level: float = LEVEL) -> Fields:
    """Find both lung fields.

    Raises
    ------
    NoFields
        There are none, or they do not look like lungs.
    """
    from scipy import ndimage

    height, width = bright.shape
    smooth = ndimage.gaussian_filter(bright, SMOOTH * width)
    rows = slice(*(round(share * height) for share in MIDDLE_ROWS))
    profile = ndimage.gaussian_filter1d(np.median(smooth[rows], axis=0), 0.01 * width)
    first, last = (round(share * width) for share in MIDDLE_COLUMNS)
    middle = first + int(profile[first:last].argmax())
    gap = round(0.08 * width)
    margin = round(0.06 * width)
    sides = (slice(margin, middle - gap), slice(middle + gap, width - margin))
    masks = []
    for side in sides:
        if side.stop - side.start < gap:
            raise NoFields("The spine is not near the middle of the picture.")
        masks.append(_field(smooth, rows, side, middle, level))
    for mask in masks:
        _check(mask)
    left, right = masks
    unlike = max(left.sum(), right.sum()) / min(left.sum(), right.sum())
    if unlike > MOST_UNLIKE:
        raise NoFields("One lung field is much larger than the other.")
    ends = [int(np.flatnonzero(mask.any(axis=1))[-1]) for mask in masks]
    if abs(ends[0] - ends[1]) > UNEVEN_ENDS * height:
        raise NoFields("One lung field ends far above the other.")
    return Fields(left, right, float(middle))


@dataclass(frozen=True)
class _Span:
    """Outer and inner edge of a field in one row, and its darkest column."""

    outer: float
    inner: float
    dark: int


def _field(smooth: FloatArray, rows: slice, side: slice, middle: int, level: float) -> BoolArray:
    """Return one field, row by row up and down from its clearest row."""
    to_left = side.start < middle
    half = smooth[:, :middle][:, ::-1] if to_left else smooth[:, middle + 1 :]
    # Column 0 is beside the spine now, columns grow outwards.
    start, reference = _clearest_row(half, rows, smooth.shape[1])
    spans: dict[int, _Span] = {start: reference}
    dark, spine = half[start, reference.dark], float(np.median(smooth[rows, middle]))
    for step in (-1, 1):
        last = reference
        row = start + step
        while 0 <= row < half.shape[0]:
            span = _span(half[row], last, smooth.shape[1], level, up=step < 0)
            limit = DARKEST_UP if step < 0 else DARKEST
            if span is None or half[row, span.dark] > dark + limit * (spine - dark):
                break
            spans[row] = last = span
            row += step
    return _filled(spans, smooth.shape, middle, to_left=to_left)


def _clearest_row(half: FloatArray, rows: slice, width: int) -> tuple[int, _Span]:
    """Return the row of best contrast between a field and what lies on both sides of it."""
    profile = np.median(half[rows], axis=0)
    reach = slice(round(0.06 * width), max(half.shape[1] - round(0.08 * width), 1))
    if reach.stop - reach.start < 5:
        raise NoFields("The spine is not near the middle of the picture.")
    dark = reach.start + int(profile[reach].argmin())
    best: tuple[float, int, _Span] | None = None
    for row in range(rows.start, rows.stop):
        span = _span(half[row], _Span(dark, dark, dark), width, LEVEL)
        if span is None:
            continue
        contrast = float(half[row, : span.dark].max() - half[row, span.dark])
        if best is None or contrast > best[0]:
            best = contrast, row, span
    if best is None or best[0] < 2.0 * LEAST_CONTRAST:
        raise NoFields("No dark field lies beside the spine.")
    return best[1], best[2]


def _span(
    profile: FloatArray, last: _Span, width: int, level: float, *, up: bool = False
) -> _Span | None:
    """Return the edges of a field in one row near those of the row before, or none.

    On the way `up` a field gets no wider: beside its apex lies the room over the shoulder.
    """
    near = round(NEAR * width)
    first = max(min(round(last.inner), last.dark) - near // 2, 0)
    grow = 0 if up else near // 2
    end = min(max(round(last.outer), last.dark) + grow + 1, profile.size)
    dark = first + int(profile[first:end].argmin())
    inner_peak = int(profile[: dark + 1].argmax())
    outside = profile[dark : dark + round(WALL * width)]
    outer_peak = dark + _first_peak(outside)
    floor = float(profile[dark])
    if min(profile[inner_peak], profile[outer_peak]) - floor < LEAST_CONTRAST:
        return None
    inner = _crossing(profile, dark, inner_peak, floor, level - INNER_BELOW)
    outer = _crossing(profile, dark, outer_peak, floor, level)
    if last.outer != last.inner and (abs(outer - last.outer) > near or (up and outer > last.outer)):
        outer = last.outer
    return _Span(outer, inner, dark)


def _first_peak(profile: FloatArray) -> int:
    """Return the highest place before the profile falls well below it again: the chest wall."""
    best = 0
    for at in range(profile.size):
        if profile[at] > profile[best]:
            best = at
        elif profile[best] - profile[0] > 2.0 * LEAST_CONTRAST and (
            profile[best] - profile[at] > LEAST_CONTRAST
        ):
            break
    return best


def _crossing(profile: FloatArray, dark: int, peak: int, floor: float, level: float) -> float:
    """Return where a profile first rises over a level on the way from its darkest place to a peak."""
    height = floor + level * (float(profile[peak]) - floor)
    step = 1 if peak > dark else -1
    at = dark
    while at != peak and profile[at + step] < height:
        at += step
    if at == peak:
        return float(peak)
    rise = float(profile[at + step] - profile[at])
    return at + step * (height - float(profile[at])) / rise if rise > 0 else float(at)


def _filled(
    spans: dict[int, _Span], shape: tuple[int, ...], middle: int, *, to_left: bool
) -> BoolArray:
    """Return the mask between edges that were smoothed over the rows."""
    from scipy import ndimage

    rows = np.array(sorted(spans))
    edges = np.array([[spans[row].inner, spans[row].outer] for row in rows])
    edges = ndimage.median_filter(edges, size=(7, 1), mode="nearest")
    columns = np.arange(shape[1])
    distance = middle - 1 - columns if to_left else columns - middle - 1
    mask = np.zeros(shape, dtype=bool)
    mask[rows] = (distance >= edges[:, :1]) & (distance <= edges[:, 1:])
    return mask


def _check(mask: BoolArray) -> None:
    height = mask.shape[0]
    share = float(mask.sum()) / mask.size
    rows = np.flatnonzero(mask.any(axis=1))
    if not AREA_SHARE[0] <= share <= AREA_SHARE[1]:
        raise NoFields("A lung field is too small or too large.")
    if rows[-1] - rows[0] < LEAST_HEIGHT * height:
        raise NoFields("A lung field is too low.")


def widths(fields: Fields) -> Widths:
    """Return the widths of heart and thorax row by row.

    The thorax is widest between the outer edges of both fields in one row. The heart reaches furthest
    between the upper third of the fields and the top of the diaphragm on each side.
    """
    rows = np.flatnonzero(fields.left.any(axis=1) & fields.right.any(axis=1))
    outer_left = fields.left[rows].argmax(axis=1)
    outer_right = fields.right.shape[1] - 1 - fields.right[rows, ::-1].argmax(axis=1)
    spans = outer_right - outer_left + 1
    widest = int(spans.argmax())
    left_column, left_row = _reach(fields.left, to_left=True)
    right_column, right_row = _reach(fields.right, to_left=False)
    return Widths(
        heart=right_column - left_column,
        thorax=float(spans[widest]),
        heart_ends=((left_column, left_row), (right_column, right_row)),
        thorax_ends=(
            (outer_left[widest] - 0.5, float(rows[widest])),
            (outer_right[widest] + 0.5, float(rows[widest])),
        ),
    )


def _reach(mask: BoolArray, *, to_left: bool) -> tuple[float, float]:
    """Return column and row at which the heart reaches furthest into a field.

    Looked for from two fifths of the height of the field down to where its inner edge runs outwards
    along the diaphragm: that is flatter than any border of the heart.
    """
    from scipy import ndimage

    rows = np.flatnonzero(mask.any(axis=1))
    rows = rows[rows >= rows[0] + 0.4 * (rows[-1] - rows[0])]
    if to_left:
        edges = mask.shape[1] - mask[rows, ::-1].argmax(axis=1) - 0.5
        outwards = -edges
    else:
        edges = mask[rows].argmax(axis=1) - 0.5
        outwards = edges.copy()
    smooth = ndimage.median_filter(outwards, size=5, mode="nearest")
    rise = (smooth[SLOPE_ROWS:] - smooth[:-SLOPE_ROWS]) / SLOPE_ROWS
    is_low = rows[: rise.size] >= rows[0] + LOW_SHARE * (rows[-1] - rows[0])
    flat = np.flatnonzero((rise > FLATTEST_HEART) & is_low)
    end = int(flat[0]) + 1 if flat.size else smooth.size
    if end < 5:
        raise NoFields("The border of the heart is not seen between lung and diaphragm.")
    at = int(smooth[:end].argmax())
    return (-float(smooth[at]) if to_left else float(smooth[at])), float(rows[at])

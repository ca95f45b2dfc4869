"""Round dense places in the lung by the Laplacian of Gaussian over scales, ranked against vessels.

A ball of contrast C answers 0.925 C at the scale sigma = r / sqrt(3) (Lindeberg, IJCV 1998,
doi 10.1023/A:1008045108935). Tubes and plates are told from balls by the curvatures of the Hessian (Li,
Sone, Doi, Med Phys 2003, doi 10.1118/1.1581411) and by what crosses a shell around the place.
Arrays are in canonical order (head, back, left).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.orientation import BoolArray, Triple

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int16]
Places = npt.NDArray[np.intp]

DIAMETERS_MM = (4.0, 5.5, 7.5, 10.5, 14.5, 20.0, 28.0)
"""Sizes that are looked for; a ball between two of them still answers over 0.95 of its best."""

GRID_SHARE = 0.42
"""A scale is searched on a grid of about this share of its diameter."""

FINEST_MM = 1.6
FLOOR_HU, CEILING_HU = -950, 150
LEAST_RESPONSE_HU = 110.0
LEAST_ROUNDNESS = 0.12
"""Least ratio of the flattest to the steepest curvature; a tube has 0, a ball 1."""

THICK_MM = 2.0
"""Slices further apart than this get one between each two, by cubic interpolation."""

SHELL_POINTS = 160
PEAKS = 2000
"""Strongest answers of all scales that are told apart from each other."""

MOST = 120
"""Places that are looked at closer, best first."""


@dataclass(frozen=True)
class Peak:
    """A place that answers as a ball does.

    Parameters
    ----------
    place
        (slice, row, column) in the array that was searched.
    diameter_mm
        By the scale at which it answers best.
    response_hu
        Contrast to its surroundings as the filter sees it.
    roundness
        Flattest over steepest curvature, 0..1.
    """

    place: Triple
    diameter_mm: float
    response_hu: float
    roundness: float


@dataclass(frozen=True)
class Blob:
    """A peak that was looked at closer; `score` ranks the places of a scan and is no probability."""

    peak: Peak
    score: float


WEIGHTS = {
    "response": 3.0,
    "roundness": 10.0,
    "crossed": -8.0,
    "filled": 8.0,
    "compact": 3.0,
    "wall": -6.0,
}
"""Weights of the score, set by hand after a logistic fit to balls inserted into synthetic chests and
one thin-slice series (docs/evidence/ct-nodules.md)."""


def blobs(
    hu: IntArray, inside: BoolArray, spacing: Triple, *, go_on: Callable[[], None] = lambda: None
) -> list[Blob]:
    """Return round dense places inside a mask, best first.

    Parameters
    ----------
    hu, inside
        Density and the lungs, closed over what lies in them.
    go_on
        Called between scales; it may raise.
    """
    if not inside.any():
        return []
    air = np.int16(np.median(hu[inside][::7]))
    filled = np.where(inside, np.clip(hu, FLOOR_HU, CEILING_HU), air)
    found: list[Peak] = []
    for diameter, grid, step in _scales(filled, spacing):
        found += _at_scale(grid, step, diameter, spacing)
        go_on()
    kept = [peak for peak in _strongest(found, spacing) if _within(inside, peak.place)]
    kept.sort(key=lambda peak: -min(peak.response_hu, 700.0) * peak.roundness**0.5)
    seen = [Blob(peak, _score(peak, hu, inside, spacing)) for peak in kept[:MOST]]
    return sorted(seen, key=lambda blob: -blob.score)


def _scales(filled: IntArray, spacing: Triple) -> Iterator[tuple[float, FloatArray, Triple]]:
    """Yield each diameter with the smoothed grid on which it is looked for and the grid's steps."""
    from scipy import ndimage

    grid: FloatArray = np.zeros(0, dtype=np.float32)
    steps: tuple[int, int, int] = (0, 0, 0)
    grid_steps: Triple = (0.0, 0.0, 0.0)
    variance = np.zeros(3)
    for diameter in DIAMETERS_MM:
        target = max(FINEST_MM, GRID_SHARE * diameter / 1.6)
        wanted = tuple(max(1, round(target / step)) for step in spacing)
        if wanted != steps:
            steps = wanted[0], wanted[1], wanted[2]
            grid = _averaged(filled, steps)
            # A block of width w has blurred as a Gaussian of variance w squared over 12 would.
            variance = np.array([(n * s) ** 2 / 12.0 for n, s in zip(steps, spacing, strict=True)])
            grid_steps = float(steps[0]), float(steps[1]), float(steps[2])
            if steps[0] == 1 and spacing[0] > THICK_MM:
                grid, grid_steps = _with_planes_between(grid), (0.5, *grid_steps[1:])
        sigma = diameter / (2.0 * np.sqrt(3.0))
        more = np.sqrt(np.maximum(sigma**2 - variance, 0.0))
        size = [n * s for n, s in zip(grid_steps, spacing, strict=True)]
        grid = ndimage.gaussian_filter(grid, more / size, mode="nearest", truncate=3.0)
        variance = np.maximum(variance, sigma**2)
        yield diameter, grid, grid_steps


def _with_planes_between(grid: FloatArray) -> FloatArray:
    """Return a grid with a plane half way between each two, by cubic convolution."""
    if len(grid) < 4:
        return np.repeat(grid, 2, axis=0)
    doubled = np.empty((2 * len(grid), *grid.shape[1:]), dtype=np.float32)
    doubled[::2] = grid
    doubled[1:-1:2] = (grid[:-1] + grid[1:]) * np.float32(0.5)
    doubled[3:-3:2] += (grid[1:-2] + grid[2:-1] - grid[:-3] - grid[3:]) * np.float32(1 / 16)
    doubled[-1] = grid[-1]
    return doubled


def _averaged(filled: IntArray, steps: tuple[int, int, int]) -> FloatArray:
    """Return means of blocks; a rest at the far ends is left out."""
    counts = [size // step for size, step in zip(filled.shape, steps, strict=True)]
    total = np.zeros(counts, dtype=np.float32)
    for first in range(steps[0]):
        for second in range(steps[1]):
            for third in range(steps[2]):
                total += filled[
                    first : counts[0] * steps[0] : steps[0],
                    second : counts[1] * steps[1] : steps[1],
                    third : counts[2] * steps[2] : steps[2],
                ]
    total /= np.float32(steps[0] * steps[1] * steps[2])
    return total


def _at_scale(grid: FloatArray, steps: Triple, diameter: float, spacing: Triple) -> list[Peak]:
    """Return the places of one scale that answer as balls do."""
    from scipy import ndimage

    if min(grid.shape) < 3:
        return []
    size = np.array([n * s for n, s in zip(steps, spacing, strict=True)])
    sigma2 = diameter**2 / 12.0
    response = np.zeros_like(grid)
    for axis in range(3):
        across = np.moveaxis(grid, axis, 0)
        bend = np.moveaxis(response, axis, 0)
        bend[1:-1] -= np.float32(sigma2 / size[axis] ** 2) * (
            across[2:] + across[:-2] - np.float32(2) * across[1:-1]
        )
    peak = (response > LEAST_RESPONSE_HU) & (response == ndimage.maximum_filter(response, size=3))
    for axis in range(3):
        np.moveaxis(peak, axis, 0)[[0, -1]] = False
    places = np.argwhere(peak)
    if places.size == 0:
        return []
    roundness = _roundness(grid, places, size)
    origin = np.maximum((np.array(steps) - 1.0) / 2.0, 0.0)
    full = origin + places * np.array(steps)
    return [
        Peak((float(at[0]), float(at[1]), float(at[2])), diameter, float(response[tuple(place)]), ratio)
        for place, at, ratio in zip(places, full, roundness.tolist(), strict=True)
        if ratio > LEAST_ROUNDNESS
    ]


def _roundness(
    grid: FloatArray, places: Places, size: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return flattest over steepest curvature at each place; 0 where it is no peak all around."""
    z, y, x = places.T

    def at(dz: int, dy: int, dx: int) -> npt.NDArray[np.float64]:
        value: npt.NDArray[np.float64] = grid[z + dz, y + dy, x + dx].astype(np.float64)
        return value

    hessian = np.empty((len(places), 3, 3))
    unit = np.eye(3, dtype=int)
    for i in range(3):
        for j in range(i, 3):
            one, other = unit[i], unit[j]
            if i == j:
                bend = at(*one) + at(*-one) - 2 * at(0, 0, 0)
            else:
                bend = (
                    at(*(one + other)) + at(*-(one + other)) - at(*(one - other)) - at(*(other - one))
                ) / 4
            hessian[:, i, j] = hessian[:, j, i] = bend / (size[i] * size[j])
    values = np.linalg.eigvalsh(hessian)  # ascending: the steepest first
    ratio = np.where(values[:, 2] < 0, values[:, 2] / np.minimum(values[:, 0], -1e-9), 0.0)
    return ratio


def _strongest(found: list[Peak], spacing: Triple) -> list[Peak]:
    """Return peaks without those inside a stronger one."""
    strong = sorted(found, key=lambda peak: -peak.response_hu * peak.roundness**0.25)[:PEAKS]
    kept: list[Peak] = []
    places, reach = np.zeros((len(strong), 3)), np.zeros(len(strong))
    for peak in strong:
        at, count = np.array(peak.place) * spacing, len(kept)
        apart2 = ((places[:count] - at) ** 2).sum(axis=1)
        if (apart2 < np.maximum(reach[:count], peak.diameter_mm / 2) ** 2).any():
            continue
        places[count], reach[count] = at, peak.diameter_mm / 2
        kept.append(peak)
    return kept


def _within(inside: BoolArray, place: Triple) -> bool:
    at = tuple(min(max(round(p), 0), size - 1) for p, size in zip(place, inside.shape, strict=True))
    return bool(inside[at])


def _shell() -> npt.NDArray[np.float64]:
    """Return directions spread evenly over a sphere (golden spiral)."""
    index = np.arange(SHELL_POINTS) + 0.5
    polar = np.arccos(1 - 2 * index / SHELL_POINTS)
    turn = np.pi * (1 + 5**0.5) * index
    return np.stack([np.cos(polar), np.sin(polar) * np.sin(turn), np.sin(polar) * np.cos(turn)], axis=1)


SHELL = _shell()


def _score(peak: Peak, hu: IntArray, inside: BoolArray, spacing: Triple) -> float:
    """Return the rank of a place from what it and its surroundings look like at full size."""
    from scipy import ndimage

    steps, radius = np.array(spacing), peak.diameter_mm / 2
    box = tuple(
        slice(max(int(at - (2.2 * radius + 4) / step), 0), int(at + (2.2 * radius + 4) / step) + 2)
        for at, step in zip(peak.place, spacing, strict=True)
    )
    near, lung = hu[box].astype(np.float32), inside[box]
    centre = np.array(peak.place) - [span.start for span in box]

    def on_shell(reach: float) -> tuple[FloatArray, BoolArray]:
        at = centre[:, None] + (SHELL * reach / steps).T
        values = ndimage.map_coordinates(near, at, order=1, mode="nearest")
        within = ndimage.map_coordinates(lung.view(np.uint8), at, order=0, mode="constant")
        return values, within > 0

    core = float(on_shell(0.3 * radius)[0].mean())
    (first, first_in), (second, second_in) = on_shell(1.3 * radius + 1), on_shell(1.7 * radius + 1.5)
    around = np.concatenate([first[first_in], second[second_in]])
    if around.size < 20:
        return 0.0
    background = float(np.percentile(around, 25))
    middle = background + 0.5 * max(core - background, 200.0)
    dense = near > middle
    far = np.sqrt(
        sum(
            ((axis - at) * step) ** 2
            for axis, at, step in zip(
                np.ogrid[tuple(map(slice, near.shape))], centre, spacing, strict=True
            )
        )
    )
    labels, _ = ndimage.label(dense & lung)
    here = labels[tuple(np.clip(np.rint(centre).astype(int), 0, np.array(near.shape) - 1))]
    body = (labels == here) & (far < 2 * radius + 2) if here else np.zeros_like(lung)
    features = {
        "response": min(peak.response_hu, 700.0) / 700.0,
        "roundness": peak.roundness,
        "crossed": float((first[first_in] > middle).sum()) / SHELL_POINTS,
        "filled": float(dense[far < 0.85 * radius + 0.3].mean()),
        "compact": float((body & (far < 1.15 * radius + 0.5)).sum() / max(int(body.sum()), 1)),
        "wall": 1.0 - float(first_in.mean()),
    }
    return sum(WEIGHTS[name] * value for name, value in features.items())

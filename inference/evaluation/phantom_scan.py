"""The analytic chest at any voxel size, with lesions and a truth mask of each lung.

The bodies are those of `phantom` (LPS mm); here they are sampled on a grid that is asked for, blurred
as a scanner blurs, and given noise. Lesions are laid over the lung before the blur, so that their edges
have the same partial volume as everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evaluation import phantom
from inference.evaluation.phantom_shapes import (
    Ball,
    Capsule,
    FloatArray,
    Grid,
    Point,
    capsule,
    ellipse,
    ellipsoid,
    tubes,
)

BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]

WIDTH_MM, DEPTH_MM = 352.0, 272.0
BOTTOM_MM, TOP_MM = 12.0, 312.0
"""Part of the phantom that is sampled: from below the domes to above the apices."""

EDGE_MM = 0.5
"""Half-width of the ramp at a body's edge before the scanner's blur."""

NEAR_MM = 3.0
"""Tubes are laid on planes within this of their wall: more than any edge and bronchial wall."""

CROSSING = 0.01


@dataclass(frozen=True)
class Lesion:
    """Something laid over the lung.

    Parameters
    ----------
    distance
        Signed distance on a grid, mm; negative inside.
    hu
        Its density.
    lung
        Whether it belongs to the lung (consolidation, tumour) or lies beside it (effusion).
    """

    distance: Callable[[Grid], FloatArray]
    hu: float
    lung: bool = True


@dataclass(frozen=True, eq=False)
class Scan:
    """A synthetic chest CT with its truth; arrays (slice, row, column), first slice at the feet."""

    hu: npt.NDArray[np.int16]
    affine: npt.NDArray[np.float64]
    spacing: Triple
    right: BoolArray
    left: BoolArray
    beside: BoolArray
    """What lesions beside the lung fill: effusions."""

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel, mL."""
        return float(np.prod(self.spacing)) / 1000.0

    def index_of(self, point: Point) -> Triple:
        """Return the place of LPS mm as (slice, row, column)."""
        x, y, z = (np.asarray(point) - self.affine[:3, 3]) / np.diag(self.affine)[:3]
        return float(z), float(y), float(x)


@dataclass(frozen=True)
class Look:
    """How the scanner sees: blur (standard deviation, mm) along (slice, row, column), noise in HU."""

    blur_mm: Triple = (0.9, 0.65, 0.65)
    noise_hu: float = 20.0
    lung_shift_hu: float = 0.0
    seed: int = 1


def scan(
    spacing: Triple = (2.5, 1.2, 1.2),
    *,
    lesions: tuple[Lesion, ...] = (),
    balls: tuple[Ball, ...] = (),
    look: Look | None = None,
    vessels: bool = True,
) -> Scan:
    """Sample the chest.

    Parameters
    ----------
    spacing
        (slice, row, column), mm.
    lesions
        Laid over the lung within the pleura only, in order.
    balls
        Nodules, laid over everything.
    look
        Blur and noise.
    """
    seen = look or Look()
    shape = tuple(
        round(size / step)
        for size, step in zip((TOP_MM - BOTTOM_MM, DEPTH_MM, WIDTH_MM), spacing, strict=True)
    )
    x = _axis(shape[2], spacing[2], 0.0)
    y = _axis(shape[1], spacing[1], 6.0)
    z = BOTTOM_MM + (np.arange(shape[0], dtype=np.float32) + 0.5) * np.float32(spacing[0])
    hu = np.empty(shape, dtype=np.float32)
    lung_truth = np.zeros(shape, dtype=bool)
    beside = np.zeros(shape, dtype=bool)
    for index in range(shape[0]):
        grid = Grid(x[None, None, :], y[None, :, None], z[index : index + 1, None, None])
        hu[index], lung_truth[index], beside[index] = _plane(grid, lesions, seen, index, vessels)
    affine = np.diag([spacing[2], spacing[1], spacing[0], 1.0])
    affine[:3, 3] = x[0], y[0], z[0]
    for ball in balls:
        lay_ball(hu, ball, affine, spacing)
    right = lung_truth & (x < 0)
    return Scan(
        hu=scanned(hu, spacing, seen),
        affine=affine,
        spacing=spacing,
        right=right,
        left=lung_truth & ~right,
        beside=beside,
    )


def scanned(hu: FloatArray, spacing: Triple, look: Look) -> npt.NDArray[np.int16]:
    """Return HU blurred and with noise that is as correlated as a standard kernel leaves it."""
    from scipy import ndimage

    blurred = ndimage.gaussian_filter(
        hu, [blur / step for blur, step in zip(look.blur_mm, spacing, strict=True)], mode="nearest"
    )
    if look.noise_hu:
        blurred += noise(hu.shape, spacing, look)
    kept: npt.NDArray[np.int16] = np.clip(np.rint(blurred), -1024, 3071).astype(np.int16)
    return kept


def noise(shape: tuple[int, ...], spacing: Triple, look: Look) -> FloatArray:
    """Return noise of `look.noise_hu`, correlated over 0.5 mm in the plane."""
    from scipy import ndimage

    rng = np.random.default_rng(look.seed)
    white = rng.standard_normal(shape, dtype=np.float32)
    for plane in white:
        ndimage.gaussian_filter(plane, (0.5 / spacing[1], 0.5 / spacing[2]), output=plane)
    white *= np.float32(look.noise_hu / white[shape[0] // 2].std())
    return white


def lay_ball(
    hu: FloatArray, ball: Ball, affine: npt.NDArray[np.float64], spacing: Triple, *, sub: int = 5
) -> None:
    """Lay a ball over an array: each voxel takes the ball's density by the share that it fills."""
    centre = (np.asarray(ball.centre) - affine[:3, 3]) / np.diag(affine)[:3]
    spans = []
    for axis, step in ((2, spacing[0]), (1, spacing[1]), (0, spacing[2])):
        reach = ball.radius / step + 1.0
        low = max(int(np.floor(centre[axis] - reach)), 0)
        high = min(int(np.ceil(centre[axis] + reach)) + 1, hu.shape[2 - axis])
        spans.append((low, high, float(centre[axis]), step))
    if any(low >= high for low, high, _, _ in spans):
        return
    inside = (np.arange(sub) + 0.5) / sub - 0.5
    squares = [
        (((np.arange(low, high)[:, None] + inside - at) * step) ** 2).ravel()
        for low, high, at, step in spans
    ]
    far = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
    counts = [high - low for low, high, _, _ in spans]
    share = (far <= ball.radius**2).reshape(counts[0], sub, counts[1], sub, counts[2], sub)
    part = share.mean(axis=(1, 3, 5), dtype=np.float32)
    box = tuple(slice(low, high) for low, high, _, _ in spans)
    hu[box] += part * (np.float32(ball.hu) - hu[box])


def _axis(count: int, step: float, middle: float) -> FloatArray:
    return (np.float32(middle) + (np.arange(count) - (count - 1) / 2) * step).astype(np.float32)


def _part(distance: FloatArray) -> FloatArray:
    part: FloatArray = np.clip(0.5 - distance / np.float32(2 * EDGE_MM), 0.0, 1.0)
    return part


def _lay(hu: FloatArray, distance: FloatArray, value: float | FloatArray) -> None:
    part = _part(distance)
    hu += part * (np.float32(value) - hu)


def _plane(
    grid: Grid, lesions: tuple[Lesion, ...], look: Look, index: int, vessels: bool
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return HU, truth of the lungs and what lies beside them on one plane, each (row, column)."""
    hu = np.full((1, grid.y.shape[1], grid.x.shape[2]), phantom.AIR, dtype=np.float32)
    wall = phantom.cage(grid)
    _body(grid, hu, wall)
    lung = phantom.lungs(grid)
    density = np.float32(-858.0 + look.lung_shift_hu) + np.float32(0.22) * grid.y
    rough = np.random.default_rng([look.seed, 7, index]).standard_normal(hu.shape, dtype=np.float32)
    _lay(hu, lung, (density + 10.0 * rough).astype(np.float32))
    if vessels:
        _vessels(grid, hu, lung)
    truth = lung < 0
    beside = np.zeros(hu.shape, dtype=bool)
    for lesion in lesions:
        distance = np.maximum(np.broadcast_to(lesion.distance(grid), hu.shape), lung)
        _lay(hu, distance, lesion.hu)
        if not lesion.lung:
            truth &= distance >= 0
            beside |= distance < 0
    hilum = np.maximum(_tubes(grid, phantom.PULMONARY_TRUNK), wall + 20.0)
    _lay(hu, hilum, phantom.BLOOD)
    bores = _tubes(grid, phantom.LOBAR_BRONCHI + phantom.AIRWAY)
    _lay(hu, bores - 1.6, phantom.SOFT)
    _lay(hu, bores, phantom.AIR)
    truth &= (hilum >= 0) & (bores >= 1.6)
    return hu[0], truth[0], beside[0]


def _body(grid: Grid, hu: FloatArray, wall: FloatArray) -> None:
    """Lay skin, fat, muscle, ribs, spine, heart, vessels and abdomen."""
    shoulder = np.clip((grid.z - 200.0) / 90.0, 0.0, 1.0)
    skin = ellipse(grid, 0.0, 8.0, 162.0 - 4.0 * shoulder, 120.0 - 14.0 * shoulder, power=2.4)
    _lay(hu, skin, phantom.SKIN)
    _lay(hu, skin + 2.2, phantom.FAT)
    _lay(hu, skin + 15.0, phantom.MUSCLE)
    _lay(hu, wall - 13.0, phantom.MUSCLE)
    _lay(hu, wall - 1.5, phantom.FAT + 10.0)
    shell = np.abs(wall - 7.0) - 3.6
    for rib in range(phantom.RIBS):
        plane = grid.z - (phantom.FIRST_RIB_MM + rib * phantom.RIB_STEP_MM + phantom.RIB_SLOPE * grid.y)
        body = np.maximum(shell, np.abs(plane) * np.float32(0.92) - 5.0)
        if body.min() < CROSSING:
            _lay(hu, body, phantom.CORTEX)
            _lay(hu, body + 1.9, phantom.MARROW)
    column = ellipse(grid, 0.0, 66.0, 19.0, 15.0)
    _lay(hu, column, phantom.CORTEX)
    _lay(hu, column + 2.0, phantom.MARROW)
    _lay(hu, phantom.heart(grid), phantom.BLOOD)
    for great in phantom.GREAT_VESSELS:
        _lay(hu, _tubes(grid, great), phantom.BLOOD)
    below = np.maximum(wall, -phantom.diaphragm(grid) + 3.0)
    _lay(hu, below, phantom.FAT)
    right = np.broadcast_to(grid.x, below.shape)
    _lay(hu, np.maximum(below + 1.0, right - 22.0), phantom.LIVER)
    _lay(hu, ellipsoid(grid, (92.0, 42.0, 18.0), (32.0, 44.0, 42.0)), phantom.SPLEEN)
    _lay(hu, ellipsoid(grid, (56.0, -26.0, 14.0), (44.0, 48.0, 46.0)), phantom.WATER)
    _lay(hu, _tubes(grid, phantom.DESCENDING_AORTA), phantom.BLOOD)


def _tubes(grid: Grid, chain: tuple[Capsule, ...]) -> FloatArray:
    """Return the distance to tubes; those further than `NEAR_MM` from the plane are left out."""
    near = tuple(tube for tube in chain if _reaches(tube, float(grid.z[0, 0, 0])))
    return tubes(grid, near) if near else np.full((1, 1, 1), np.inf, dtype=np.float32)


def _reaches(tube: Capsule, z: float) -> bool:
    bottom, top = sorted((tube.start[2], tube.end[2]))
    reach = max(tube.start_radius, tube.end_radius) + NEAR_MM
    return bottom - reach <= z <= top + reach


def _vessels(grid: Grid, hu: FloatArray, lung: FloatArray) -> None:
    inside = _part(lung)
    z = float(grid.z[0, 0, 0])
    for tube in phantom.vessels():
        if not _reaches(tube, z):
            continue
        rows, columns = _near(tube, grid, 1), _near(tube, grid, 0)
        part = _part(capsule(Grid(grid.x[..., columns], grid.y[:, rows], grid.z), tube))
        window = (slice(None), rows, columns)
        hu[window] += part * inside[window] * (phantom.BLOOD - hu[window])


def _near(tube: Capsule, grid: Grid, axis: int) -> slice:
    """Return the rows (axis 1) or columns (axis 0) that a tube can reach."""
    along = grid.x.ravel() if axis == 0 else grid.y.ravel()
    low, high = sorted((tube.start[axis], tube.end[axis]))
    reach = tube.start_radius + 2.0
    return slice(*np.searchsorted(along, [low - reach, high + reach]))

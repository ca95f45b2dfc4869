"""Balls laid into a scan as its scanner would have shown them: blur, noise and partial volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evaluation.phantom_scan import Look, lay_ball, noise
from inference.evaluation.phantom_shapes import Ball
from inference.evidence.orientation import bounds

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int16]
Triple = tuple[float, float, float]

SIZES_MM = (4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0)
SOLID_HU, GLASS_HU = 30.0, -500.0


@dataclass(frozen=True)
class Inserted:
    """A ball in a scan: centre (slice, row, column), diameter and density."""

    place: Triple
    diameter_mm: float
    hu: float

    @property
    def volume_mm3(self) -> float:
        """Volume of the ball."""
        return float(np.pi / 6.0 * self.diameter_mm**3)


def places(
    inside: BoolArray,
    spacing: Triple,
    sizes: Sequence[float] = SIZES_MM,
    *,
    seed: int = 1,
    glass: bool = False,
) -> list[Inserted]:
    """Return balls at random places of the lung: whole in it, apart from each other.

    The lung here is the air-filled one: a ball may touch vessels and pleura, but not lie in the wall.
    """
    from scipy import ndimage

    rng = np.random.default_rng([seed, 11])
    box = bounds(inside, margin=(1, 1, 1))
    corner = [span.start for span in box]
    depth = ndimage.distance_transform_edt(inside[box], sampling=spacing)
    taken = np.zeros((0, 4))
    found: list[Inserted] = []
    for size in sorted(sizes, reverse=True):
        fitting = np.flatnonzero(depth > size / 2 - 0.5)
        for _ in range(200):
            if fitting.size == 0:
                break
            voxel = np.unravel_index(int(rng.choice(fitting)), depth.shape)
            at = np.add(corner, voxel) + rng.uniform(-0.5, 0.5, 3)
            mm = at * spacing
            gap = np.linalg.norm(taken[:, :3] - mm, axis=1) - taken[:, 3] - size / 2
            if (gap > 8.0).all():
                taken = np.vstack([taken, [*mm, size / 2]])
                hu = GLASS_HU if glass else SOLID_HU
                found.append(Inserted((float(at[0]), float(at[1]), float(at[2])), size, hu))
                break
    return found


def insert(
    hu: IntArray, balls: Sequence[Inserted], spacing: Triple, look: Look, *, noise_share: float = 1.0
) -> IntArray:
    """Return a scan with balls: each voxel takes the ball's density by the blurred share it fills."""
    from scipy import ndimage

    result = hu.astype(np.float32)
    affine = np.diag([spacing[2], spacing[1], spacing[0], 1.0])
    for number, ball in enumerate(balls):
        reach = [int(ball.diameter_mm / 2 / step) + 5 for step in spacing]
        box = tuple(
            slice(max(round(at) - r, 0), min(round(at) + r + 1, size))
            for at, r, size in zip(ball.place, reach, hu.shape, strict=True)
        )
        shares = np.zeros(result[box].shape, dtype=np.float32)
        local = [at - span.start for at, span in zip(ball.place, box, strict=True)]
        centre = (local[2] * spacing[2], local[1] * spacing[1], local[0] * spacing[0])
        lay_ball(shares, Ball(centre, ball.diameter_mm / 2, 1.0), affine, spacing)
        blur = [b / s for b, s in zip(look.blur_mm, spacing, strict=True)]
        shares = ndimage.gaussian_filter(shares, blur, mode="nearest")
        rough = noise(shares.shape, spacing, Look(look.blur_mm, look.noise_hu, seed=look.seed + number))
        result[box] += shares * (np.float32(ball.hu) + noise_share * rough - result[box])
    kept: IntArray = np.clip(np.rint(result), -1024, 4095).astype(np.int16)
    return kept

"""Noise, signal, truncation, metal, jumps and clipping of a sample: pure functions on arrays.

Recipes in docs/evidence/image-quality.md.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from inference.evidence.quality.sampled import FloatImage, Sample

BLOCK = 8
"""Side of the squares in which noise is measured, pixels."""

FEWEST_BLOCKS = 12
QUARTILE_OF_SD = 0.938
"""First quartile of the SD of 64 normal values, over their SD."""

TISSUE_HU = (-20.0, 120.0)
AIR_HU = -900.0
METAL_HU = 3000.0
BODY_HU = -300.0

RAYLEIGH_SD = 0.655
"""SD of the magnitude of noise without signal, over the SD of each channel (Rayleigh)."""

MOST_SIGNAL = 300.0
"""More than this is no air as it was measured: it was masked or filtered."""

COUCH_MM = 12.0
"""A couch or cushion that leaves the image is thinner than this."""


def blocks_of(sample: Sample) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean and SD of the squares of a sample that hold no padding."""
    count, rows, columns = sample.values.shape
    down, across = rows // BLOCK, columns // BLOCK

    def cut(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        kept = array[:, : down * BLOCK, : across * BLOCK].reshape(count, down, BLOCK, across, BLOCK)
        return kept.transpose(0, 1, 3, 2, 4).reshape(-1, BLOCK * BLOCK)

    whole = ~cut(sample.empty).any(axis=1)
    values = cut(sample.values)[whole].astype(np.float64)
    return values.mean(axis=1), values.std(axis=1, ddof=1)


def tissue_noise(sample: Sample) -> float | None:
    """Return the SD in even soft tissue, HU: first quartile over squares, so that edges fall out."""
    means, spreads = blocks_of(sample)
    tissue = spreads[(means > TISSUE_HU[0]) & (means < TISSUE_HU[1])]
    return _first_quartile(tissue)


def air_noise(sample: Sample) -> float | None:
    """Return the SD in air, HU; none where the scanner cut its values off at one lowest value."""
    means, spreads = blocks_of(sample)
    lowest = float(sample.values[~sample.empty].min()) if (~sample.empty).any() else 0.0
    air = (means < AIR_HU) & (means > lowest + 4.0 * spreads) & (spreads > 0)
    return _first_quartile(spreads[air])


def _first_quartile(spreads: npt.NDArray[np.float64]) -> float | None:
    if spreads.size < FEWEST_BLOCKS:
        return None
    return float(np.percentile(spreads, 25)) / QUARTILE_OF_SD


def signal_to_noise(sample: Sample) -> float | None:
    """Return mean signal over the SD of noise in the air around it (MR magnitude images).

    None where the air was set to one value, or there is none.
    """
    means, spreads = blocks_of(sample)
    if means.size < 4 * FEWEST_BLOCKS:
        return None
    signal = float(np.percentile(means, 90))
    air = (means < 0.35 * signal) & (spreads > 0)
    if np.count_nonzero(air) < FEWEST_BLOCKS or np.mean(spreads == 0) > 0.3:
        return None
    noise = float(np.percentile(spreads[air], 25)) / QUARTILE_OF_SD / RAYLEIGH_SD
    ratio = signal / noise if noise > 0 else math.inf
    return ratio if ratio < MOST_SIGNAL else None


def metal_share(sample: Sample) -> float:
    """Return the share of voxels over 3000 HU, percent."""
    return 100.0 * float((sample.values > METAL_HU).mean())


def cut_share(sample: Sample) -> float | None:
    """Return the share of slices whose body is open to the edge of the field of view, percent.

    A slice counts when a run of tissue thicker than a couch reaches the edge; none without calibration.
    """
    from scipy import ndimage

    if sample.pixel_mm is None:
        return None
    step = max(1, int(3.0 / max(sample.pixel_mm)))
    pixel = max(sample.pixel_mm) * step
    radius = max(1, round(COUCH_MM / 2 / pixel))
    touched = 0
    for values, empty in zip(
        sample.values[:, ::step, ::step], sample.empty[:, ::step, ::step], strict=True
    ):
        body = (values > BODY_HU) & ~empty
        seen = ~empty
        # Opened with tissue going on beyond the edge, so that what is cut is not thinned there.
        open_body = ndimage.binary_dilation(
            ndimage.binary_erosion(body | ~seen, iterations=radius, border_value=1), iterations=radius
        )
        edge = seen & ~ndimage.binary_erosion(seen, border_value=0)
        run = np.count_nonzero(open_body & body & edge) * pixel
        touched += int(run > CUT_RUN_MM)
    return 100.0 * touched / len(sample.values)


CUT_RUN_MM = 40.0
"""Length of edge with tissue from which a slice counts as cut."""


def clipped_share(image: FloatImage) -> float:
    """Return the share of the middle of a radiograph at its lowest or highest value, percent."""
    rows, columns = image.shape
    middle = image[rows // 5 : rows - rows // 5, columns // 5 : columns - columns // 5]
    low, high = float(image.min()), float(image.max())
    if low == high:
        return 100.0
    return 100.0 * float(max((middle == low).mean(), (middle == high).mean()))


def jumps(stored: npt.NDArray[np.generic]) -> tuple[int, ...]:
    """Return the slices (from 1) after which the stack jumps: the next does not go on from it.

    Adjacent slices are compared at low resolution by their correlation; a jump stands out from the
    pairs on both sides and from the whole stack. Ends of the stack are not judged.
    """
    count = len(stored)
    if count < FEWEST_FOR_JUMPS or stored.ndim != 3:
        return ()
    step = max(1, min(stored.shape[1:]) // 48)
    small = stored[:, ::step, ::step].astype(np.float32).reshape(count, -1)
    small -= small.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(small, axis=1)
    if bool((norms == 0).any()):
        return ()
    differ = 1.0 - (small[:-1] * small[1:]).sum(axis=1) / (norms[:-1] * norms[1:])
    usual = float(np.median(differ))
    found = []
    for place in range(2, len(differ) - 2):
        beside = float(max(differ[place - 2 : place].max(), differ[place + 1 : place + 3].max()))
        if differ[place] > max(3.0 * beside, 6.0 * usual, LEAST_JUMP):
            found.append(place + 1)
    return tuple(found)


FEWEST_FOR_JUMPS = 8
LEAST_JUMP = 0.02
"""Smallest loss of correlation that counts."""

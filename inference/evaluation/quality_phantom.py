"""Images whose noise, signal, metal, truncation and clipping are known, for the quality tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.analytic_study import image_context, volume_context
from inference.evidence.masks import MaskStore
from inference.evidence.quality import ImageQuality
from inference.evidence.tool import IdSource, MeasureContext
from reports.domain import Evidence

SEED = 20260305
SPACING = (3.0, 1.5, 1.5)
SHAPE = (24, 200, 240)


@dataclass(frozen=True)
class Body:
    """An elliptic cylinder of soft tissue on CT.

    Parameters
    ----------
    noise
        SD of a pixel, HU.
    half_width
        Of the body, mm; the field of view ends at 180.
    metal_mm
        Radius of a metal rod in it, mm; 0 for none.
    jump_after
        Slice (from 1) after which the patient has moved by 15 mm; 0 for none.
    """

    noise: float = 12.0
    half_width: float = 140.0
    metal_mm: float = 0.0
    jump_after: int = 0

    def context(self, **header: Any) -> MeasureContext:
        """Return it as a series opened for the tools."""
        rng = np.random.default_rng(SEED)
        count, rows, columns = SHAPE
        y = (np.arange(rows) - (rows - 1) / 2) * SPACING[1]
        x = (np.arange(columns) - (columns - 1) / 2) * SPACING[2]
        images = []
        for index in range(count):
            moved = 15.0 if self.jump_after and index >= self.jump_after else 0.0
            across, down = x[None, :] - moved, y[:, None]
            image = np.where(np.hypot(across / self.half_width, down / 100.0) < 1, 45.0, -1000.0)
            image[np.hypot((across - 50.0) / 25.0, (down - 10.0) / (20.0 + index)) < 1] = -850.0
            image[np.hypot(across, down - 60.0) < self.metal_mm] = 3500.0
            images.append(image + rng.normal(0.0, self.noise, image.shape))
        stored = np.rint(np.stack(images)).astype(np.int16)
        return volume_context(stored, SPACING, modality="CT", **header)


def magnitude_context(signal: float, noise: float) -> MeasureContext:
    """Return an MR magnitude series: a disc of this signal, complex noise of this SD a channel."""
    rng = np.random.default_rng(SEED)
    y, x = np.mgrid[-80:80, -80:80]
    clean = np.where(np.hypot(x, y) < 50, signal, 0.0)[None].repeat(6, axis=0)
    noisy = np.hypot(clean + rng.normal(0, noise, clean.shape), rng.normal(0, noise, clean.shape))
    return volume_context(np.rint(noisy).astype(np.int16), (4.0, 1.0, 1.0), modality="MR")


def radiograph_context(clipped: float, **header: Any) -> MeasureContext:
    """Return a radiograph of which this share of the middle stands at its highest value."""
    ramp: npt.NDArray[np.float64] = np.linspace(200.0, 3900.0, 500)[:, None].repeat(400, axis=1)
    middle = slice(100, 400), slice(80, 320)
    part = ramp[middle].ravel()
    count = round(clipped * part.size)
    part[part.size - count :] = 4095.0
    ramp[middle] = part.reshape(300, 240)
    return image_context(np.rint(ramp).astype(np.uint16), **header)


def measured(ctx: MeasureContext) -> Evidence:
    """Return what the quality tool says of a series."""
    (found,) = ImageQuality().measure(ctx, IdSource(), MaskStore())
    return found


def table() -> list[dict[str, object]]:
    """Return truth and measure, row by row: noise, signal to noise, clipping."""
    rows: list[dict[str, object]] = []
    for noise in (5.0, 12.0, 30.0, 80.0):
        value = measured(Body(noise=noise).context()).value("noise").value
        rows.append({"measure": "noise, HU", "truth": noise, "measured": round(value, 1)})
    for ratio in (6.0, 20.0, 60.0):
        value = measured(magnitude_context(ratio * 20.0, 20.0)).value("signal_to_noise").value
        rows.append({"measure": "signal to noise", "truth": ratio, "measured": round(value, 1)})
    for share in (0.0, 0.1, 0.4):
        value = measured(radiograph_context(share)).value("clipped").value
        rows.append({"measure": "clipped, %", "truth": 100 * share, "measured": round(value, 1)})
    return rows

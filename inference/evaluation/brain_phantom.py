"""An analytic head for brain MR with known truth: scalp, skull, fluid, brain, ventricles and lesions.

The bodies are those of `head_phantom` (LPS mm, the head's middle at 0) with the signal of FLAIR or T2,
white matter at 1. A ventricle on FLAIR has the bright lining that every brain shows. The coil shades
the image by up to a fifth; noise is that of magnitude images (Rician), from a fixed PCG64 stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.analytic_study import coordinates, volume_context
from inference.evaluation.head_phantom import (
    CORTEX,
    INNER_TABLE,
    OUTER_TABLE,
    SKIN,
    VENTRICLE_CENTRES,
    VENTRICLE_RADII,
    WHITE_MATTER,
    Point,
    ellipsoid,
)
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext
from reports.domain import Evidence, EvidenceKind
from viewer.imaging.acquisition import AcquisitionFacts
from viewer.imaging.volume import Volume

FloatImage = npt.NDArray[np.float32]

SIGNAL: dict[str, dict[str, float]] = {
    "FLAIR": {
        "scalp": 1.7, "bone": 0.08, "fluid": 0.2, "grey": 1.15, "white": 1.0, "lining": 1.45,
        "lesion": 1.6,
    },
    "T2": {
        "scalp": 1.6, "bone": 0.08, "fluid": 2.7, "grey": 1.3, "white": 1.0, "lining": 1.0,
        "lesion": 2.0,
    },
}  # fmt: skip
"""Signal of what a head holds, relative to white matter."""

TIMES: dict[str, AcquisitionFacts] = {
    "FLAIR": AcquisitionFacts(
        repetition_ms=9000, echo_ms=120, inversion_ms=2500, scanning_sequence=("SE", "IR")
    ),
    "T2": AcquisitionFacts(repetition_ms=5000, echo_ms=100, scanning_sequence=("SE",)),
}

LINING_MM = 2.0
SCALE = 400.0
"""Stored value of white matter where the coil shades nothing."""

FIELD_MM: Point = (180.0, 216.0, 186.0)
"""Field along x, y and z."""

SUB_SLICES = 4
SEED = 20260314


@dataclass(frozen=True)
class Ball:
    """A lesion: a ball in white matter, LPS mm."""

    centre: Point
    diameter: float

    @property
    def ml(self) -> float:
        """Its volume."""
        return float(np.pi / 6.0 * self.diameter**3) / 1000.0


@dataclass(frozen=True)
class BrainPhantom:
    """A head on FLAIR or T2.

    Parameters
    ----------
    noise
        SD of the noise of each channel, relative to white matter.
    shading
        Largest share by which the coil changes the signal at the edge of the field.
    """

    sequence: str = "FLAIR"
    lesions: tuple[Ball, ...] = ()
    noise: float = 0.05
    shading: float = 0.2
    seed: int = SEED

    def signal(self, x: FloatImage, y: FloatImage, z: FloatImage, blur: float) -> FloatImage:
        """Return the signal at places, with edges `blur` mm wide."""
        of = SIGNAL[self.sequence]
        found = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=np.float32)

        def lay(distance: FloatImage, value: float) -> None:
            part = np.clip(np.float32(0.5) - distance / np.float32(blur), 0.0, 1.0)
            np.add(found, part * (np.float32(value) - found), out=found)

        for radii, name in (
            (SKIN, "scalp"),
            (OUTER_TABLE, "bone"),
            (INNER_TABLE, "fluid"),
            (CORTEX, "grey"),
            (WHITE_MATTER, "white"),
        ):
            lay(ellipsoid(x, y, z, radii), of[name])
        for centre in VENTRICLE_CENTRES:
            cx, cy, cz = (np.float32(part) for part in centre)
            edge = ellipsoid(x - cx, y - cy, z - cz, VENTRICLE_RADII)
            lay(edge - np.float32(LINING_MM), of["lining"])
            lay(edge, of["fluid"])
        for one in self.lesions:
            cx, cy, cz = (np.float32(part) for part in one.centre)
            away = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2)
            lay(away - np.float32(one.diameter / 2.0), of["lesion"])
        return found


def brain_context(
    phantom: BrainPhantom, *, spacing: tuple[float, float, float] = (3.0, 1.0, 1.0), **header: Any
) -> MeasureContext:
    """Return the phantom as an MR series of the head opened for the tools.

    Parameters
    ----------
    spacing
        Between slices, rows and columns, mm; slices are as thick as they are apart.
    header
        Further fields of `Series`.
    """
    slices, rows, columns = (
        round(field / step) for field, step in zip(reversed(FIELD_MM), spacing, strict=True)
    )
    x, y, heights = (part.astype(np.float32) for part in coordinates((slices, rows, columns), spacing))
    rng = np.random.default_rng(phantom.seed)
    images = []
    for height in heights.ravel():
        layers = (np.arange(SUB_SLICES) + 0.5) / SUB_SLICES - 0.5
        z = (height + layers * spacing[0]).astype(np.float32)[:, None, None]
        clean = phantom.signal(x, y, z, max(spacing[1], 0.6)).mean(axis=0)
        # Brighter at the back and the left, as near a coil.
        slope = 0.7 * y[0] / (FIELD_MM[1] / 2) + 0.3 * x[0] / (FIELD_MM[0] / 2)
        clean = clean * (1.0 + np.float32(phantom.shading) * slope)
        real = clean + rng.normal(0.0, phantom.noise, clean.shape)
        images.append(np.hypot(real, rng.normal(0.0, phantom.noise, clean.shape)))
    stored = np.clip(np.rint(np.stack(images) * SCALE), 0, 32767).astype(np.int16)
    fields: dict[str, Any] = {
        "acquisition": TIMES[phantom.sequence],
        "description": phantom.sequence,
        **header,
    }
    return replace(volume_context(stored, spacing, modality="MR", **fields), body_region="head")


PLACES: tuple[Point, ...] = (
    (36.0, -18.0, 8.0),
    (-36.0, -22.0, 4.0),
    (30.0, 28.0, -18.0),
    (-30.0, 34.0, -14.0),
    (26.0, -38.0, -12.0),
    (-26.0, -34.0, 28.0),
    (28.0, 18.0, 32.0),
)
"""Places in white matter, away from each other and the ventricles."""

DIAMETERS: tuple[float, ...] = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0)

STACKS: tuple[tuple[float, float, float], ...] = ((1.5, 1.0, 1.0), (3.0, 0.9, 0.9), (5.0, 0.9, 0.9))


def rounds(count: int) -> tuple[tuple[Ball, ...], ...]:
    """Return sets of one lesion of each diameter; each round moves them to the next place."""
    return tuple(
        tuple(Ball(PLACES[(index + turn) % len(PLACES)], size) for index, size in enumerate(DIAMETERS))
        for turn in range(count)
    )


def matched(
    found: Sequence[Evidence], masks: MaskStore, ctx: MeasureContext, ball: Ball
) -> Evidence | None:
    """Return the candidate whose mask holds a place within a ball, or none."""
    volume = ctx.volume
    if not isinstance(volume, Volume):
        return None
    for one in found:
        if one.kind is EvidenceKind.CANDIDATE and one.regions[-1].mask_sha256:
            voxels = np.argwhere(masks.get(one.regions[-1].mask_sha256))
            places = voxels[:, ::-1] @ volume.affine[:3, :3].T + volume.affine[:3, 3]
            if (np.linalg.norm(places - ball.centre, axis=1) <= ball.diameter / 2.0 + 1.0).any():
                return one
    return None


def table() -> list[dict[str, object]]:
    """Return for each sequence, stack and diameter: found of three, volumes, and false."""
    from inference.evidence.brain import BrightLesions

    rows: list[dict[str, object]] = []
    for sequence in SIGNAL:
        for spacing in STACKS:
            hits: dict[float, list[Evidence]] = {size: [] for size in DIAMETERS}
            false = 0
            for turn, balls in enumerate(rounds(3)):
                phantom = BrainPhantom(sequence, balls, seed=SEED + turn)
                ctx, masks = brain_context(phantom, spacing=spacing), MaskStore()
                found = BrightLesions().measure(ctx, IdSource(), masks)
                true = {ball: matched(found, masks, ctx, ball) for ball in balls}
                for ball, one in true.items():
                    if one is not None:
                        hits[ball.diameter].append(one)
                named = {one.id for one in true.values() if one is not None}
                false += sum(
                    one.kind is EvidenceKind.CANDIDATE and one.id not in named for one in found
                )
            for size in DIAMETERS:
                truth = Ball((0.0, 0.0, 0.0), size).ml
                volumes = [one.value("lesion_ml") for one in hits[size]]
                rows.append(
                    {
                        "sequence": sequence,
                        "slices_mm": spacing[0],
                        "diameter_mm": size,
                        "found": f"{len(volumes)} of 3",
                        "truth_ml": round(truth, 3),
                        "measured_ml": ", ".join(f"{one.value:.3f}" for one in volumes),
                        "covered": sum(
                            abs(one.value - truth) <= (one.uncertainty or 0.0) for one in volumes
                        ),
                        "false_in_3": false,
                    }
                )
    return rows

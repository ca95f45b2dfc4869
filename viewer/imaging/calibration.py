"""What a pixel means in the patient: the calibration of projection images and of all others.

PS3.3 10.7.1 (pixel spacing calibration) and C.8.11.4 (DX detector): on a radiograph the spacing at
the detector is no length in the patient until someone has corrected it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from viewer.imaging.headers import Header, Tag

PROJECTION_MODALITIES: Final = frozenset(("CR", "DX", "MG", "XA", "RF", "IO", "PX", "RG"))
"""Images that are shadows: magnified by the distance from the source."""

REGION_CALIBRATED: Final = frozenset(("US", "IVUS"))
"""Images whose calibration belongs to regions of the picture (PS3.3 C.8.5.5), not to the image."""

LEAST_MM, MOST_MM = 1e-6, 1e4
"""What the spacing of pixels may be: from a nanometre to ten metres."""

Spacing = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Spacing in the patient with its source, and spacing at the detector; mm, row \\ column."""

    pixel_spacing: Spacing | None
    source: str
    detector_spacing: Spacing | None = None


def positive_pair(values: tuple[float, ...]) -> Spacing | None:
    """Return two positive spacings, or none when they are not, or are no lengths of a pixel."""
    if len(values) != 2 or min(values) < LEAST_MM or max(values) > MOST_MM:
        return None
    return values[0], values[1]


def calibrate(header: Header) -> Calibration:  # noqa: PLR0911 - one return for each rule
    """Say what one pixel of this image measures, and how that is known."""
    modality = header.code(Tag.Modality)
    pixel = positive_pair(header.decimals(Tag.PixelSpacing))
    if modality in REGION_CALIBRATED:
        return Calibration(None, "")
    if modality not in PROJECTION_MODALITIES:
        return Calibration(pixel, "PixelSpacing" if pixel else "")
    detector = positive_pair(header.decimals(Tag.ImagerPixelSpacing))
    kind = header.code(Tag.PixelSpacingCalibrationType)
    if pixel is not None and kind:
        return Calibration(pixel, f"calibrated: {kind}", detector)
    if pixel is not None and detector is not None and not _equal(pixel, detector):
        return Calibration(pixel, "calibrated: method not stated", detector)
    at_detector = detector or pixel
    if at_detector is None:
        return Calibration(None, "")
    magnification = _magnification(header)
    if magnification is None or detector is None:
        return Calibration(None, "at detector", at_detector)
    corrected = detector[0] / magnification, detector[1] / magnification
    return Calibration(corrected, "magnification corrected", detector)


def _magnification(header: Header) -> float | None:
    """Estimated magnification: the stated factor, else source-detector over source-patient."""
    factor = header.decimal(Tag.EstimatedRadiographicMagnificationFactor)
    if factor is not None and factor >= 1.0:
        return factor
    detector = header.decimal(Tag.DistanceSourceToDetector)
    patient = header.decimal(Tag.DistanceSourceToPatient)
    if detector is None or patient is None or not 0.0 < patient <= detector:
        return None
    return detector / patient


def _equal(first: Spacing, second: Spacing) -> bool:
    return all(abs(a - b) <= 1e-6 * b for a, b in zip(first, second, strict=True))

"""Which part of the body a series shows: header, request and pixels held against each other.

The header is often wrong or silent (BodyPartExamined is filled by the protocol that was picked), so a
draft asks the pixels too. Each of some forty slices is looked at coarsely: area of the body, share of
air inside it, share of bone. The rules are wide apart on purpose; a slice that fits none says nothing.

Enhancement: the aorta and the heart are the only bodies of 130 to 450 HU in which a ball of 6 mm radius
fits over more than 60 mm along the patient without a break. Vertebral bodies, the other candidates,
are broken by discs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.orientation import Oblique, canonical
from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.volume import Volume

HounsfieldOf = Callable[[Volume], npt.NDArray[np.int16]]

COARSE_MM = 4.0
"""Size of a pixel that is looked at."""

MOST_SLICES = 40

BODY_HU = -300
AIR_HU = -500
BONE_HU = 250

HEAD, CHEST, ABDOMEN, LEGS = "head", "chest", "abdomen", "legs"

SHOWN_AS: dict[str, frozenset[str]] = {
    "head": frozenset({HEAD}),
    "chest": frozenset({CHEST}),
    "breast": frozenset({CHEST}),
    "abdomen": frozenset({ABDOMEN}),
    "pelvis": frozenset({ABDOMEN, LEGS}),
    "extremity": frozenset({LEGS}),
    "knee": frozenset({LEGS}),
}
"""What the pixels of a region that somebody named look like; of all others they can deny nothing."""

TRUNK_CM2 = 250.0
HEAD_CM2 = (90.0, 320.0)
HEAD_BONE = 0.09
HEAD_AIR = 0.06
LUNG_SHARE = 0.12
TRUNK_AIR = 0.06

ENOUGH: dict[str, float] = {HEAD: 0.6, CHEST: 0.2, ABDOMEN: 0.3, LEGS: 0.6}
"""Share of the slices that must look like a region."""

VESSEL_HU = (130, 450)
VESSEL_RADIUS_MM = 6.0
VESSEL_LENGTH_MM = 60.0
SMOOTH_MM = 2.0


@dataclass(frozen=True)
class SliceLook:
    """One slice in figures: area of the body in cm2, shares of it, parts, and a cut by the frame."""

    area_cm2: float
    air: float
    bone: float
    bodies: int
    is_cut: bool

    @property
    def region(self) -> str:
        """The region it looks like, or empty."""
        if self.bodies > 1 and self.area_cm2 < 2 * TRUNK_CM2 and self.air < TRUNK_AIR:
            return LEGS
        if self.air >= LUNG_SHARE and (self.area_cm2 >= TRUNK_CM2 or self.is_cut):
            return CHEST
        if self.is_cut:
            return ""
        low, high = HEAD_CM2
        if low <= self.area_cm2 <= high and self.bone >= HEAD_BONE and self.air <= HEAD_AIR:
            return HEAD
        if self.area_cm2 >= TRUNK_CM2 and self.air < TRUNK_AIR and self.bone < HEAD_BONE:
            return ABDOMEN
        return ""


@dataclass(frozen=True)
class Seen:
    """What the pixels show; nothing for a series that was not looked at.

    Parameters
    ----------
    regions
        In the order head, chest, abdomen, legs; empty when nothing was recognised.
    enhanced
        True when enhanced vessels were found; false proves nothing.
    """

    regions: tuple[str, ...] = ()
    enhanced: bool = False


REQUEST_MISMATCH = "request_mismatch"
"""Code of a draft that was stopped because request, header and pixels do not belong together."""


class RegionMismatch(Exception):
    """Header, request and pixels name different parts of the body; the message is for the reader."""


@dataclass(frozen=True)
class Settled:
    """The body region that all sources agree on, and which these were.

    Parameters
    ----------
    region
        Names in the order head, chest, abdomen, ..., joined by ", "; empty when nobody knows.
    sources
        "header", "request", "pixels", in this order.
    overruled
        The region that the header names although request and pixels both say another; or empty.
    """

    region: str
    sources: tuple[str, ...] = ()
    overruled: str = ""

    @property
    def words(self) -> str:
        """One line for a trace."""
        if not self.region:
            return "not given, and the pixels do not tell"
        return f"{self.region} ({', '.join(self.sources)})"


def settle(header: str, asked: str, seen: Seen) -> Settled:
    """Return the region to draft for.

    Parameters
    ----------
    header, asked
        Regions that header and request name, joined by ", "; empty when they name none.

    Raises
    ------
    RegionMismatch
        The request contradicts the header or the pixels, or the pixels contradict the header and no
        request says who is right.
    """
    shown = " and ".join(seen.regions)
    if asked and contradicts(asked, seen):
        raise RegionMismatch(
            f"The request speaks of {asked}, the images show {shown}. Check that this is the right "
            "study."
        )
    if asked and header and not _names(asked) & _names(header):
        if seen.regions and contradicts(header, seen):
            return Settled(asked, ("request", "pixels"), overruled=header)
        raise RegionMismatch(
            f"The request speaks of {asked}, the header of the images names {header}. Check that "
            "this is the right study."
        )
    if not asked and header and contradicts(header, seen):
        raise RegionMismatch(
            f"The header names {header}, the images show {shown}. Check that this is the right study; "
            f"if it is, write \u201c{seen.regions[0]}\u201d as the clinical question and draft again."
        )
    region = header or asked or ", ".join(seen.regions)
    named = (("header", header), ("request", asked), ("pixels", ", ".join(seen.regions)))
    return Settled(region, tuple(source for source, names in named if _agrees(region, names)))


def contradicts(named: str, seen: Seen) -> bool:
    """Tell whether the pixels deny every region that somebody named."""
    if not seen.regions:
        return False
    looks = [SHOWN_AS.get(name) for name in _names(named)]
    return all(look is not None and not look & set(seen.regions) for look in looks)


def _agrees(region: str, names: str) -> bool:
    """Tell whether a source names a part of the region, in its own words."""
    looks = {look for name in _names(region) for look in SHOWN_AS.get(name, {name})}
    return bool((_names(region) | looks) & _names(names))


def _names(regions: str) -> frozenset[str]:
    return frozenset(name for name in regions.split(", ") if name)


def see(modality: str, volume: Volume | GeometryVerdict, hu: HounsfieldOf) -> Seen:
    """Return what a series shows: of CT, and only where its slices make a volume."""
    if modality != "CT" or not isinstance(volume, Volume):
        return Seen()
    return look(volume, hu(volume))


def look(volume: Volume, hu: npt.NDArray[np.int16]) -> Seen:
    """Return what a CT shows; nothing for one whose axes lie between those of the patient.

    Parameters
    ----------
    hu
        Hounsfield units of the volume, (slice, row, column).
    """
    try:
        turn = canonical(volume.affine)
    except Oblique:
        return Seen()
    axial, spacing = turn.view(hu), turn.spacing(volume.spacing)
    down = max(1, -(-axial.shape[0] // MOST_SLICES))
    rows, columns = (max(1, round(COARSE_MM / size)) for size in spacing[1:])
    pixel_cm2 = spacing[1] * rows * spacing[2] * columns / 100.0
    regions = recognised([look_at(plane, pixel_cm2) for plane in axial[::down, ::rows, ::columns]])
    is_trunk = bool({CHEST, ABDOMEN} & set(regions))
    return Seen(regions, is_trunk and has_enhanced_vessel(axial, spacing))


def recognised(looks: Sequence[SliceLook]) -> tuple[str, ...]:
    """Return the regions that enough of the slices look like."""
    named = [one.region for one in looks]
    return tuple(
        region for region, share in ENOUGH.items() if named.count(region) >= max(share * len(named), 1)
    )


def look_at(plane: npt.NDArray[np.int16], pixel_cm2: float) -> SliceLook:
    """Return the figures of one slice of Hounsfield units, (row, column)."""
    import SimpleITK as sitk  # noqa: N813  # loaded in the evidence worker only

    opened = sitk.BinaryMorphologicalOpening(
        sitk.GetImageFromArray((plane > BODY_HU).astype(np.uint8)), [1, 1]
    )
    parts = sitk.GetArrayFromImage(sitk.ConnectedComponent(opened))
    sizes = np.bincount(parts.ravel())[1:]
    if sizes.size == 0:
        return SliceLook(0.0, 0.0, 0.0, 0, is_cut=False)
    keep = 1 + np.flatnonzero(sizes >= sizes.max() / 3)
    filled = sitk.GetArrayFromImage(
        sitk.BinaryFillhole(sitk.GetImageFromArray(np.isin(parts, keep).astype(np.uint8)))
    ).astype(bool)
    pixels = max(int(filled.sum()), 1)
    edge = np.concatenate([filled[0], filled[-1], filled[:, 0], filled[:, -1]])
    return SliceLook(
        area_cm2=pixels * pixel_cm2,
        air=float(np.count_nonzero(plane[filled] < AIR_HU)) / pixels,
        bone=float(np.count_nonzero(plane[filled] > BONE_HU)) / pixels,
        bodies=len(keep),
        is_cut=bool(edge.mean() > 0.15),  # a seventh of the frame
    )


def has_enhanced_vessel(
    hu: npt.NDArray[np.int16], spacing: tuple[float, float, float], grid_mm: float = 3.0
) -> bool:
    """Tell whether a body as dense as an enhanced vessel runs along the patient.

    Parameters
    ----------
    hu
        (head, back, left): slices across the patient first.
    spacing
        mm, in the order of `hu`.
    grid_mm
        Voxel size that is looked at; slices thicker than it stay as they are.
    """
    import SimpleITK as sitk  # noqa: N813

    steps = [max(1, round(grid_mm / size)) for size in spacing]
    coarse = np.ascontiguousarray(hu[:: steps[0], :: steps[1], :: steps[2]]).astype(np.float32)
    image = sitk.GetImageFromArray(coarse)
    sizes = [size * step for size, step in zip(spacing, steps, strict=True)]
    image.SetSpacing(sizes[::-1])
    smooth = sitk.SmoothingRecursiveGaussian(image, SMOOTH_MM)
    low, high = VESSEL_HU
    dense = sitk.BinaryThreshold(smooth, low, high)
    inside = sitk.SignedMaurerDistanceMap(
        dense, insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    parts = sitk.ConnectedComponent(sitk.BinaryThreshold(inside, VESSEL_RADIUS_MM, 1e6))
    stats = sitk.LabelShapeStatisticsImageFilter()
    stats.Execute(parts)
    return any(
        stats.GetBoundingBox(label)[5] * sizes[0] >= VESSEL_LENGTH_MM for label in stats.GetLabels()
    )

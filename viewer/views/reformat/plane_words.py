"""The words in the corners of a reformatted plane. No Qt widgets."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QCoreApplication

from viewer.imaging.reformat import Slab, SlabMode, cross
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.corner_text import (
    Corners,
    badge_text,
    printed_date,
    series_text,
    signed,
    value_text,
    who,
    window_text,
)
from viewer.views.reformat.planes import RIGHT_AND_DOWN, PlaneName, Pose

HOUNSFIELD: Final = "[hnsf'U]"

NEARLY_STRAIGHT: Final = 0.5
"""Degrees off the plane of the body below which it is not called oblique."""


def tr(text: str) -> str:
    """Translate a word of a reformatted plane."""
    return QCoreApplication.translate("Reformat", text)


def plane_word(name: PlaneName) -> str:
    """Name a plane in the reader's language."""
    words = {
        PlaneName.AXIAL: tr("Axial"),
        PlaneName.CORONAL: tr("Coronal"),
        PlaneName.SAGITTAL: tr("Sagittal"),
    }
    return words[name]


def plane_text(name: PlaneName, pose: Pose) -> str:
    """Name a plane, with its angle to that plane of the body ("Coronal, oblique 23°")."""
    right, down = RIGHT_AND_DOWN[name]
    across = abs(float(cross(right, down) @ pose.normal))
    angle = float(np.degrees(np.arccos(min(1.0, across))))
    if angle < NEARLY_STRAIGHT:
        return plane_word(name)
    return tr("{plane}, oblique {angle}°").format(plane=plane_word(name), angle=f"{angle:.0f}")


def mode_word(mode: SlabMode) -> str:
    """Name a projection in the reader's language."""
    words = {
        SlabMode.OFF: tr("Off"),
        SlabMode.MIP: tr("MIP"),
        SlabMode.MINIP: tr("MinIP"),
        SlabMode.MEAN: tr("Mean"),
    }
    return words[mode]


def slab_text(slab: Slab) -> str:
    """Say how thick a slab is and what it shows ("MIP 10 mm"); empty without one."""
    if slab.mode is SlabMode.OFF:
        return ""
    return tr("{mode} {n} mm").format(mode=mode_word(slab.mode), n=f"{slab.thickness:g}")


def shown_value(value: float, unit: str) -> str:
    """Write an interpolated value; Hounsfield units are whole, as between voxels no more is known."""
    return value_text(float(round(value)) if unit == HOUNSFIELD else round(value, 2), unit)


def position(millimetres: float) -> str:
    """Write a coordinate; what rounds to zero has no sign."""
    return signed(round(millimetres, 1) + 0.0, 1)


def place_text(pose: Pose) -> str:
    """Say where a plane lies along its normal's main body axis ("z −459.5 mm")."""
    axis = int(np.abs(pose.normal).argmax())
    return f"{'xyz'[axis]} {position(pose.centre[axis])} mm"


def plane_corners(
    *,
    name: PlaneName,
    pose: Pose,
    stack: ImageStack,
    study: Study | None,
    window: WindowPreset,
    inverted: bool,
    badge: str,
    value: str,
    zoom_percent: float,
    tall: bool,
    identity: bool,
) -> Corners:
    """Return the text of one plane.

    Parameters
    ----------
    badge
        What was done to the volume, empty when nothing was.
    value
        Words for the value under the pointer, empty where there is none.
    tall
        Whether there is room for more than a line in each corner.
    identity
        Whether the patient is named here (the window's header names them too).
    """
    series = stack.series
    named: tuple[str, ...] = ()
    if identity and tall and study is not None:
        named = tuple(
            filter(None, (*who(study.patient, study.age), printed_date(study.date, study.time)))
        )
    grey = window_text(window)
    lower_left = (value, tr("Inverted") if inverted else "", slab_text(pose.slab), grey)
    lower_right = (tr("Zoom {n} %").format(n=f"{zoom_percent:.0f}"), place_text(pose))
    problem = ", ".join(filter(None, (badge_text(series.verdict), tr("resampled")))) if badge else ""
    return Corners(
        top_left=(plane_text(name, pose), *named),
        top_right=(series_text(series, None),),
        bottom_left=tuple(filter(None, lower_left)),
        bottom_right=lower_right if tall else lower_right[1:],
        badge=problem,
    )

"""Why a series is not looked at as a volume, in words for the reader."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from viewer.imaging.geometry import VerdictKind
from viewer.imaging.volume import ImageStack


def why_no_volume(stack: ImageStack | None) -> str:
    """Return why no planes can be laid through a stack; empty when they can."""
    if stack is None:
        return _tr("no series is shown here")
    if stack.is_colour:
        return _tr("colour images")
    if len(stack.frames) < 2:
        return _tr("one image alone")
    if stack.series.verdict.kind is VerdictKind.NOT_A_VOLUME:
        return _tr("these images are no volume")
    return ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("VolumeReason", text)

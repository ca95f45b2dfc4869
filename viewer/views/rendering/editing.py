"""Cutting away by hand and by itself: scalpel, bone, couch, single parts, and undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, Signal

from viewer.views.rendering import scalpel
from viewer.views.rendering.aside import Aside
from viewer.views.rendering.bone import DenseParts, find_parts, part_at
from viewer.views.rendering.camera import Point
from viewer.views.rendering.couch import around_body
from viewer.views.rendering.model import Hand, Removal, VolumeModel
from viewer.views.rendering.voxels import Mask, Removed, shrunk

PRESET = "preset."


def tr(text: str) -> str:
    """Translate a word of the 3D view."""
    return QCoreApplication.translate("VolumeView", text)


class Editor(QObject):
    """Changes what is cut away; everything that takes long runs beside the window."""

    removed = Signal()
    """What is cut away is another."""

    def __init__(self, model: VolumeModel, aside: Aside) -> None:
        super().__init__()
        self.model, self.aside = model, aside
        self._parts: DenseParts | None = None

    def clear(self) -> None:
        """Forget the volume."""
        self.aside.drop()
        self._parts = None

    def do(self, act: str) -> bool:
        """Do one of the acts that cut away; false when it is none."""
        steps: dict[str, Callable[[], None]] = {
            "bone": self.remove_bone,
            "couch": self.remove_couch,
            "undo": self.undo,
        }
        step = steps.get(act)
        if step is None or self.why_not(act):
            return False
        step()
        return True

    def why_not(self, act: str) -> str:
        """Return why an act is not possible now, or empty."""
        voxels = self.model.voxels
        if voxels is None:
            return tr("no volume is shown")
        if act in ("bone", "couch", "hand.pick") and voxels.series.modality != "CT":
            return tr("only CT values tell bone and couch")
        if act == "undo" and not self.model.removals():
            return tr("nothing was cut away")
        preset = act.removeprefix(PRESET)
        if act == preset or preset in {one.name for one in self.model.presets()}:
            return ""
        return tr("not for {modality} images").format(modality=voxels.series.modality)

    def undo(self) -> None:
        """Take the last cut back."""
        self.aside.drop()
        if self.model.undo() is not None:
            self.removed.emit()

    def cut(self, outline: Sequence[Point]) -> None:
        """Cut away what lies inside or outside an outline of widget points."""
        model, voxels, camera = self.model, self.model.voxels, self.model.camera
        if voxels is None or camera is None or len(outline) < scalpel.LEAST_POINTS:
            return
        inside = model.hand is Hand.CUT_INSIDE
        size, crop, clip = model.size, model.crop, model.clip
        before = model.removed()

        def compute() -> Removed:
            taken = scalpel.cut(voxels, camera, outline, size, inside=inside, crop=crop, clip=clip)
            return _joined(before, taken)

        self._compute(Removal.SCALPEL, compute)

    def remove_bone(self) -> None:
        """Take away what is found to be bone."""
        voxels, before, known = self.model.voxels, self.model.removed(), self._parts
        if voxels is None:
            return

        def compute() -> tuple[DenseParts, Removed]:
            parts = known or find_parts(voxels)
            return parts, _joined(before, parts.bone_mask(voxels))

        self.aside.run(compute, lambda found: self._take_parts(Removal.BONE, *found))

    def remove_couch(self) -> None:
        """Take away all that is not the patient."""
        voxels, before = self.model.voxels, self.model.removed()
        if voxels is not None:
            self._compute(Removal.TABLE, lambda: _joined(before, around_body(voxels)))

    def pick(self, point: Point, *, back: bool) -> None:
        """Take away the dense part under a widget point, or bring one back."""
        model, voxels, camera = self.model, self.model.voxels, self.model.camera
        if voxels is None or camera is None or self.why_not("hand.pick"):
            return
        before, known, size = model.removed(), self._parts, model.size

        def compute() -> tuple[DenseParts, Removed | None]:
            parts = known or find_parts(voxels)
            now = None if before is None else before.mask()
            gone = None if now is None else shrunk(now, parts.grid, voxels)
            part = part_at(parts, gone, camera, point, size, gone=back)
            if part == 0:
                return parts, None
            chosen = parts.only(part).bone_mask(voxels)
            if back and now is not None:
                return parts, Removed.of(now & ~chosen)
            return parts, _joined(before, chosen)

        self.aside.run(compute, lambda found: self._take_parts(Removal.PART, *found))

    def _take_parts(self, removal: Removal, parts: DenseParts, removed: Removed | None) -> None:
        self._parts = parts
        if removed is not None:
            self._take(removal, removed)

    def _compute(self, removal: Removal, compute: Callable[[], Removed]) -> None:
        self.aside.run(compute, lambda removed: self._take(removal, removed))

    def _take(self, removal: Removal, removed: Removed) -> None:
        self.model.keep_removed(removal, removed)
        self.removed.emit()


def _joined(before: Removed | None, taken: Mask) -> Removed:
    return Removed.of(taken if before is None else np.logical_or(before.mask(), taken))

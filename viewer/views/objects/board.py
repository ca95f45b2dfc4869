"""What is shown of the objects of others: one owner, which every viewport and list listens to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from viewer.imaging.objects.content import ObjectContent
from viewer.imaging.objects.contours import StructureSetContent
from viewer.imaging.objects.placing import Misaligned
from viewer.imaging.objects.segments import SegmentationContent
from viewer.imaging.objects.states import PresentationContent
from viewer.imaging.study import Series
from viewer.imaging.volume import ImageStack
from viewer.views.objects.laying import Frames, Laid, Shaped, lay
from viewer.views.objects.parts import Part, PartKey, parts_of

if TYPE_CHECKING:
    from viewer.views.stack_view import StackView

USUAL_OPACITY = 0.4
"""How opaque segments are laid over the images at first."""

LaidOn = tuple[str, str, int]
"""Object, series key and number of frames: a stack that lacks frames is another one."""


class ObjectsBoard(QObject):
    """Holds the contents that were read and what of them is shown.

    Signals
    -------
    changed()
        Something else is read or shown: draw and list anew.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.contents: dict[str, ObjectContent] = {}
        self._parts: dict[str, tuple[Part, ...]] = {}
        self._shown: set[PartKey] = set()
        self._laid: dict[LaidOn, Laid | Misaligned] = {}
        self._opacity = USUAL_OPACITY
        self._graphics = True
        self._states: WeakKeyDictionary[StackView, PresentationContent] = WeakKeyDictionary()

    # --- contents ----------------------------------------------------------------------------------

    def add(self, content: ObjectContent) -> None:
        """Take what was read; nothing of it is shown yet."""
        uid = content.about.sop_instance_uid
        self.contents[uid] = content
        self._parts[uid] = parts_of(content)
        self.changed.emit()

    def forget(self) -> None:
        """Drop everything: another study comes."""
        self.contents.clear()
        self._parts.clear()
        self._shown.clear()
        self._laid.clear()
        self._states.clear()
        self.changed.emit()

    def parts(self, uid: str) -> tuple[Part, ...]:
        """Return segments or regions of an object."""
        return self._parts.get(uid, ())

    # --- what is shown -----------------------------------------------------------------------------

    def is_shown(self, key: PartKey) -> bool:
        """Return whether a part is drawn."""
        return key in self._shown

    def show_parts(self, keys: Iterable[PartKey], shown: bool) -> None:
        """Draw parts, or draw them no more."""
        before = set(self._shown)
        if shown:
            self._shown.update(keys)
        else:
            self._shown.difference_update(keys)
        if self._shown != before:
            self.changed.emit()

    def shown_parts(self, uid: str) -> tuple[Part, ...]:
        """Return the parts of an object that are drawn."""
        return tuple(part for part in self._parts.get(uid, ()) if part.key in self._shown)

    def shown_shapes(self) -> list[tuple[Shaped, tuple[Part, ...]]]:
        """Return segmentations and structure sets of which something is drawn, with those parts."""
        found: list[tuple[Shaped, tuple[Part, ...]]] = []
        for uid, content in self.contents.items():
            if isinstance(content, SegmentationContent | StructureSetContent):
                parts = self.shown_parts(uid)
                if parts:
                    found.append((content, parts))
        return found

    @property
    def opacity(self) -> float:
        """How opaque segments are, 0 (outlines only) to 1."""
        return self._opacity

    def set_opacity(self, opacity: float) -> None:
        """Lay segments over the images more or less opaque."""
        self._opacity = min(max(opacity, 0.0), 1.0)
        self.changed.emit()

    @property
    def graphics(self) -> bool:
        """Whether lines and words of others are drawn: contours, graphics and texts of states."""
        return self._graphics

    def set_graphics(self, shown: bool) -> None:
        """Draw lines and words of others, or leave the images bare."""
        self._graphics = shown
        self.changed.emit()

    # --- where it lies -----------------------------------------------------------------------------

    def laid(self, content: Shaped, stack: ImageStack) -> Laid | Misaligned:
        """Return where an object lies on a stack; found once."""
        key = _key(content, stack.series, stack.frames)
        if key not in self._laid:
            self._laid[key] = lay(content, stack.series, stack.frames)
        return self._laid[key]

    def known_place(self, content: Shaped, series: Series, frames: Frames) -> Laid | Misaligned | None:
        """Return where an object lies on frames, where that was found before."""
        return self._laid.get(_key(content, series, frames))

    def take_place(
        self, content: Shaped, series: Series, frames: Frames, laid: Laid | Misaligned
    ) -> None:
        """Take a place that was found on a thread, with the volumes that only it tells."""
        self._laid[_key(content, series, frames)] = laid

    def take_volumes(self, uid: str, volumes: Mapping[int, float], note: str) -> None:
        """Take the volumes of parts whose object states none."""
        self._parts[uid] = tuple(
            replace(part, volume_ml=volumes[part.key.number], volume_note=note)
            if part.volume_ml is None and part.key.number in volumes
            else part
            for part in self._parts.get(uid, ())
        )
        self.changed.emit()

    # --- presentation states -----------------------------------------------------------------------

    def state_of(self, view: StackView) -> PresentationContent | None:
        """Return the presentation state that a viewport applies."""
        return self._states.get(view)

    def set_state(self, view: StackView, state: PresentationContent | None) -> None:
        """Apply a presentation state to a viewport, one at a time; none applies none."""
        if state is None:
            self._states.pop(view, None)
        else:
            self._states[view] = state
        self.changed.emit()


def _key(content: Shaped, series: Series, frames: Frames) -> LaidOn:
    return content.about.sop_instance_uid, series.key, len(frames)

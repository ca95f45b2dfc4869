"""Says on an image, and on the picture of its series, that it is a key image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QCoreApplication, QObject, Signal

from viewer.views.layers import Layer, LayerOrder

if TYPE_CHECKING:
    from viewer.views.stack_view import StackView

STAR = "\u2605"


class KeyBoard(QObject):
    """Which images are key images, for all viewports."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.places: frozenset[tuple[str, int]] = frozenset()
        """SOP Instance UID and frame number, from 1."""
        self.of_series: Counter[str] = Counter()
        """How many there are, by the key of their series."""

    def show(self, images: Iterable[tuple[str, str, int]]) -> None:
        """Take the key images: key of the series, SOP Instance UID, frame number."""
        kept = tuple(images)
        self.places = frozenset((uid, frame) for _, uid, frame in kept)
        self.of_series = Counter(key for key, _, _ in kept)
        self.changed.emit()


class KeyLayer(Layer):
    """A star and two words under the number of an image that is kept."""

    order: ClassVar[LayerOrder] = LayerOrder.GRAPHICS

    def __init__(self, view: StackView, board: KeyBoard) -> None:
        super().__init__(view)
        self._board = board
        board.changed.connect(view.update)

    def note(self) -> str:
        """Say that the image shown is a key image."""
        model = self.view.model
        instance = model.instance()
        if model.stack is None or instance is None or not self._board.places:
            return ""
        place = instance.sop_instance_uid, model.stack.frames[model.state.index][1]
        if place not in self._board.places:
            return ""
        return f"{STAR} " + QCoreApplication.translate("KeyLayer", "Key image")

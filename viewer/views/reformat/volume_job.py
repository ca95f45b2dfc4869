"""Builds the volume of a series on a thread: resampling a tilted series takes seconds."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.reader import OpenStack
from viewer.imaging.resample import ShownVolume, as_shown_volume
from viewer.imaging.volume import ImageStack
from viewer.views.reformat.sampler import VolumeSampler


@dataclass(frozen=True, eq=False)
class BuiltVolume:
    """A volume that can be sampled."""

    stack: ImageStack
    shown: ShownVolume
    sampler: VolumeSampler


Answer = BuiltVolume | GeometryVerdict | Exception


def build_volume(stack: ImageStack, opened: OpenStack) -> BuiltVolume | GeometryVerdict:
    """Return the volume of a stack, or why it is none; blocking."""
    opened.buffer.lease()
    try:
        shown = as_shown_volume(stack)
        if isinstance(shown, GeometryVerdict):
            return shown
        sampler = VolumeSampler(shown.volume, is_resampled=bool(shown.badge))
        sampler.warm()
        return BuiltVolume(stack, shown, sampler)
    finally:
        opened.buffer.unlease()


class VolumeJob(QObject):
    """One build at a time; the answer of one that is no longer wanted is dropped."""

    built = Signal(object)
    """A BuiltVolume, a GeometryVerdict that refuses, or what went wrong."""

    _answered = Signal(int, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._number = 0
        self._answered.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def start(self, stack: ImageStack, opened: OpenStack) -> None:
        """Build the volume of a stack; `built` tells when it is there."""
        self._number += 1
        self._pool.start(_Build(self._answered, self._number, stack, opened))

    def drop(self) -> None:
        """Want no answer any more; a thread that reads the pixels keeps them until it is done."""
        self._number += 1
        self._pool.clear()

    def _take(self, number: int, answer: Answer) -> None:
        if number == self._number:
            self.built.emit(answer)


class _Build(QRunnable):
    def __init__(self, answered, number: int, stack: ImageStack, opened: OpenStack) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self._answered, self._number = answered, number
        self._stack, self._opened = stack, opened

    def run(self) -> None:
        try:
            answer: Answer = build_volume(self._stack, self._opened)
        except Exception as error:
            answer = error
        with contextlib.suppress(RuntimeError):  # the window has gone meanwhile
            self._answered.emit(self._number, answer)

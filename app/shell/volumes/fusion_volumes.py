"""Volumes that lie over others, made on a thread from series that are loaded when they are not open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject

from app.shell.background import Job
from app.shell.parts import PartContext
from viewer.imaging.fusion import OverVolume, over_volume
from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Series
from viewer.imaging.volume import ImageStack

Then = Callable[[OverVolume], None]


def tr(text: str) -> str:
    """Translate words of this part."""
    return QCoreApplication.translate("OverVolumes", text)


@dataclass(eq=False)
class _Kept:
    """A volume with the memory of its pixels."""

    over: OverVolume
    opened: OpenStack


class OverVolumes(QObject):
    """Keeps volumes until they are let go of; each is made once."""

    def __init__(self, context: PartContext) -> None:
        super().__init__(context.area)
        self._context, self._area = context, context.area
        self._kept: dict[str, _Kept] = {}
        self._waiting: dict[str, list[Then]] = {}
        self._building: dict[str, Job] = {}
        self._area.seriesReady.connect(self._series_ready)
        self._area.adapter.seriesFailed.connect(lambda key, *_: self._waiting.pop(key, None))

    def prepare(self, series: Series, then: Then) -> None:
        """Make a volume of a series, which is loaded if it is not open, then do something with it."""
        key = series.key
        if key in self._kept:
            then(self._kept[key].over)
            return
        waits = key in self._waiting
        self._waiting.setdefault(key, []).append(then)
        if waits:
            return
        opened = self._area.adapter.opened(key)
        if opened is not None:
            self._build(key, opened)
        else:
            self._context.say(tr("The other series is being read."))
            self._area.adapter.open(series)

    def clear(self) -> None:
        """Let go of all volumes and want no others."""
        for job in self._building.values():
            job.drop()
        self._building.clear()
        self._waiting.clear()
        for kept in self._kept.values():
            kept.opened.buffer.unlease()
        self._kept.clear()

    def _series_ready(self, key: str, stack: ImageStack) -> None:
        opened = self._area.adapter.opened(key)
        if key in self._waiting and opened is not None:
            self._build(key, opened)

    def _build(self, key: str, opened: OpenStack) -> None:
        stack, buffer = opened.stack, opened.buffer
        buffer.lease()

        def make() -> OverVolume | GeometryVerdict:
            try:
                return over_volume(stack)
            finally:
                buffer.unlease()

        def done(found: OverVolume | GeometryVerdict) -> None:
            self._building.pop(key, None)
            waiting = self._waiting.pop(key, [])
            if isinstance(found, GeometryVerdict):
                self._context.say(tr("It cannot lie over another: {why}").format(why=found.reason))
                return
            if self._area.adapter.opened(key) is not opened:
                return  # its memory has gone meanwhile
            buffer.lease()
            self._kept[key] = _Kept(found, opened)
            for then in waiting:
                then(found)

        def failed(error: Exception) -> None:
            self._building.pop(key, None)
            self._waiting.pop(key, None)
            self._context.say(str(error))

        self._building[key] = self._context.work.run(make, done, failed)

"""The picture of one plane: coarse while it moves, as fine as the screen as soon as it rests.

Refining goes in strips between which the window lives; a plane that moves on drops what was begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from viewer.imaging.geometry import FloatArray
from viewer.imaging.grey import GreyPipeline, to_grey
from viewer.imaging.reformat import ReformatPlane, Slab, SlabMode, Stored, slab_offsets
from viewer.views.frame_image import to_qimage
from viewer.views.pyramid import halved, level_for
from viewer.views.reformat.sampler import VolumeSampler
from viewer.views.reformat.view_frame import ViewFrame

PLANE_MS: Final = 9.0
"""Time for sampling a plane in motion: with its painting it stays under 1/60 s."""

SLAB_MS: Final = 40.0
"""Time for sampling a slab in motion: 1/15 s with its painting."""

REST_MS: Final = 120
"""After so long without motion the picture is refined."""

STRIP_MS: Final = 12.0
"""Time for one strip of a refinement: the window answers in between."""


@dataclass(frozen=True, eq=False)
class _Sampling:
    """Everything a picture is made from."""

    sampler: VolumeSampler
    plane: ReformatPlane
    slab: Slab
    offsets: FloatArray

    def is_of(self, sampler: VolumeSampler, plane: ReformatPlane, slab: Slab) -> bool:
        return self.sampler is sampler and self.plane == plane and self.slab == slab

    def run(self, plane: ReformatPlane) -> Stored:
        return self.sampler.sample(plane, self.offsets, self.slab.mode)


class PlaneImage(QObject):
    """Makes the picture of what a view shows, and keeps the last one."""

    refined = Signal()
    """The picture has become finer."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._asked: _Sampling | None = None
        self._plane: ReformatPlane | None = None
        self._stored: Stored | None = None
        self._fine: Stored | None = None
        self._rows_done = 0
        self._drawn_as: tuple[GreyPipeline, int] | None = None
        self._image = QImage()
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._refine)
        self._strip = QTimer(self, singleShot=True, interval=0)
        self._strip.timeout.connect(self._add_strip)

    @property
    def is_refining(self) -> bool:
        """True while the picture is not yet as fine as it can be."""
        return self._rest.isActive() or self._strip.isActive()

    def forget(self) -> None:
        """Let go of the volume and of everything made of it."""
        self._rest.stop()
        self._strip.stop()
        self._asked = self._plane = self._stored = self._fine = self._drawn_as = None
        self._image = QImage()

    def image(
        self,
        sampler: VolumeSampler,
        frame: ViewFrame,
        pipeline: GreyPipeline,
        *,
        pixel_ratio: float = 1.0,
        moving: int = 1,
    ) -> tuple[QImage, ReformatPlane] | None:
        """Return the picture and the plane that its pixels are samples of; none beside the volume.

        Parameters
        ----------
        moving
            Views that are sampled anew in this frame: they share its time.
        """
        plane, slab = frame.plane(sampler.grid, pixel_ratio), frame.pose.slab
        if plane is None:
            return None
        if self._asked is None or not self._asked.is_of(sampler, plane, slab):
            offsets = slab_offsets(sampler.grid, frame.pose.centre, frame.pose.normal, slab)
            self._asked = _Sampling(sampler, plane, slab, offsets)
            self._begin(moving)
        assert self._plane is not None and self._stored is not None
        # voxels far finer than the screen are halved first, so that fine structure does not flicker
        level = level_for(frame.scale * min(self._plane.spacing) * pixel_ratio)
        if (pipeline, level) != self._drawn_as:
            stored = self._stored
            for _ in range(level):
                stored = np.asarray(halved(stored), dtype=np.int16)
            self._image = to_qimage(to_grey(stored, pipeline))
            self._drawn_as = pipeline, level
        return self._image, self._plane.coarser(2**level)

    def _begin(self, moving: int) -> None:
        asked = self._asked
        assert asked is not None
        self._strip.stop()
        budget = (PLANE_MS if asked.slab.mode is SlabMode.OFF else SLAB_MS) / max(1, moving)
        factor = asked.sampler.factor(asked.plane, len(asked.offsets), budget)
        self._plane = asked.plane.coarser(factor)
        self._stored = asked.run(self._plane)
        self._drawn_as = None
        if factor > 1:
            self._rest.start()
        else:
            self._rest.stop()

    def _refine(self) -> None:
        if self._asked is not None:
            self._fine = np.empty((self._asked.plane.rows, self._asked.plane.columns), dtype=np.int16)
            self._rows_done = 0
            self._strip.start()

    def _add_strip(self) -> None:
        asked, fine = self._asked, self._fine
        if asked is None or fine is None:
            return
        rows = asked.sampler.rows_in(asked.plane, len(asked.offsets), STRIP_MS)
        last = min(self._rows_done + rows, asked.plane.rows)
        fine[self._rows_done : last] = asked.run(asked.plane.strip(self._rows_done, last))
        self._rows_done = last
        if last < asked.plane.rows:
            self._strip.start()
            return
        self._stored, self._plane, self._fine = fine, asked.plane, None
        self._drawn_as = None
        self.refined.emit()

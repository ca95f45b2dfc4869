"""A key image on paper: pixels, outlines as vectors with their numbers, letters, scale bar.

Everything drawn over the image is white on a dark halo, so that it reads on lung and on bone and in
grey print.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from reportlab.lib.colors import Color, black, white
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable

from reports.export.fonts import Face, Typesetter, draw, width_of
from reports.export.key_image import KeyImage
from viewer.imaging.regions import FloatArray

LONGEST_SIDE_PX = 1100
"""An image is reduced to this: 300 dpi at the printed width of half a page, more only weighs."""

HALO = Color(0.05, 0.05, 0.05)
OUTLINE_PT = 1.1
HALO_PT = 2.8
DISC_RADIUS_PT = 5.8
DISC_GAP_PT = 3.0
RING_PT = 4.0
"""Radius of the ring that marks a point."""
LETTER_PT = 8.5
BAR_LABEL_PT = 7.5
BAR_SHARE = 0.26
"""The scale bar is the longest round length not above this share of the printed width."""

COMPASS = tuple(
    np.array(direction, dtype=np.float64) / np.hypot(*direction)
    for direction in ((1, -1), (-1, -1), (1, 1), (-1, 1), (0, -1), (1, 0), (-1, 0), (0, 1))
)
"""Where a number may stand around its outline, best first; y grows downwards as in the image."""


@dataclass(frozen=True)
class ScaleBar:
    """A bar of round length: its share of the printed width and its label."""

    share: float
    label: str


def scale_bar(columns: int, column_mm: float | None) -> ScaleBar:
    """Return the longest bar of 1, 2 or 5 times a power of ten that takes at most `BAR_SHARE`."""
    extent = columns * (column_mm or 1.0)
    limit = extent * BAR_SHARE
    power = 10.0 ** np.floor(np.log10(limit))
    length = next(power * step for step in (5, 2, 1) if power * step <= limit)
    if column_mm is None:
        label = f"{length:g} px"
    else:
        label = f"{length / 10:g} cm" if length >= 10 else f"{length:g} mm"
    return ScaleBar(share=float(length / extent), label=label)


class KeyImageFlowable(Flowable):  # type: ignore[misc]
    """Draws a key image at a given width; the caption is set beside it by the appendix."""

    def __init__(
        self, image: KeyImage, *, width: float, longest_height: float, setter: Typesetter
    ) -> None:
        super().__init__()
        self.image = image
        self.width = min(width, longest_height / image.aspect)
        self.height = self.width * image.aspect
        self._setter = setter

    def wrap(self, _available_width: float, _available_height: float) -> tuple[float, float]:
        """Return the printed size in points."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw pixels, outlines, numbers, letters and bar, in this order."""
        canvas = self.canv
        canvas.saveState()
        clip = canvas.beginPath()
        clip.rect(0, 0, self.width, self.height)
        canvas.clipPath(clip, stroke=0, fill=0)
        canvas.drawImage(ImageReader(_reduced(self.image.grey)), 0, 0, self.width, self.height)
        canvas.setLineJoin(1)
        canvas.setLineCap(1)
        paths = [self._to_paper(outline.points) for outline in self.image.outlines]
        for points in paths:
            _draw_outline(canvas, points)
        taken: list[npt.NDArray[np.float64]] = []
        for outline, points in zip(self.image.outlines, paths, strict=True):
            place = self._place_disc(points, taken)
            taken.append(place)
            if outline.label:
                self._draw_label(canvas, place, outline.label)
            else:
                _draw_disc(canvas, place, str(outline.number))
        self._draw_letters(canvas)
        self._draw_bar(canvas)
        canvas.restoreState()

    def _to_paper(self, points: FloatArray) -> FloatArray:
        """Map column/row pixels to points on paper; y grows upwards, pixel centres are at + 0.5."""
        rows, columns = self.image.grey.shape[:2]
        paper = np.empty_like(points, dtype=np.float64)
        paper[:, 0] = (points[:, 0] + 0.5) / columns * self.width
        paper[:, 1] = self.height - (points[:, 1] + 0.5) / rows * self.height
        return paper

    def _place_disc(self, points: FloatArray, taken: list[npt.NDArray[np.float64]]) -> FloatArray:
        """Return the centre of the number's disc: outside its outline, on the image, off others."""
        reach = DISC_RADIUS_PT + DISC_GAP_PT + (RING_PT if len(points) == 1 else 0.0)
        centre = points.mean(axis=0)
        lowest = np.array([DISC_RADIUS_PT + 1.5] * 2)
        highest = np.array([self.width, self.height]) - lowest
        best: tuple[float, FloatArray] | None = None
        for direction in COMPASS:
            towards = direction * (1, -1)
            edge = points[np.argmax((points - centre) @ towards)]
            wanted = edge + towards * reach
            place = np.clip(wanted, lowest, highest)
            cost = float(np.hypot(*(place - wanted)))
            cost += sum(40.0 for other in taken if np.hypot(*(place - other)) < 2 * DISC_RADIUS_PT + 1)
            nearest = float(np.min(np.hypot(*(points - place).T)))
            cost += max(0.0, DISC_RADIUS_PT + 1 - nearest)
            if best is None or cost < best[0] - 1e-6:
                best = (cost, place)
        assert best is not None
        return best[1]

    def _draw_label(self, canvas: Any, place: FloatArray, label: str) -> None:
        """Draw the words of a mark, kept on the image."""
        text = self._setter.plain(label, Face.MEDIUM)
        wide = width_of(text, Face.MEDIUM, BAR_LABEL_PT)
        x = min(max(float(place[0]) - DISC_RADIUS_PT, 2.0), max(2.0, self.width - wide - 2.0))
        at = (x, float(place[1]) - BAR_LABEL_PT * 0.36)
        _draw_halo_text(canvas, text, at, face=Face.MEDIUM, size=BAR_LABEL_PT, anchor=0.0)

    def _draw_letters(self, canvas: Any) -> None:
        letters = self.image.letters
        middle, drop, inset = self.width / 2, LETTER_PT * 0.36, 4.5
        places = (
            (letters.left, inset, self.height / 2 - drop, 0.0),
            (letters.right, self.width - inset, self.height / 2 - drop, 1.0),
            (letters.top, middle, self.height - inset - LETTER_PT * 0.73, 0.5),
            (letters.bottom, middle, inset, 0.5),
        )
        for letter, x, y, anchor in places:
            if letter:
                text = self._setter.plain(letter, Face.SEMIBOLD)
                _draw_halo_text(canvas, text, (x, y), face=Face.SEMIBOLD, size=LETTER_PT, anchor=anchor)

    def _draw_bar(self, canvas: Any) -> None:
        spacing = self.image.pixel_spacing
        bar = scale_bar(self.image.grey.shape[1], spacing[1] if spacing else None)
        right, base, tick = self.width - 7, 7.0, 3.5
        left = right - bar.share * self.width
        for colour, line in ((HALO, 2.4), (white, 0.9)):
            canvas.setStrokeColor(colour)
            canvas.setLineWidth(line)
            path = canvas.beginPath()
            path.moveTo(left, base + tick)
            path.lineTo(left, base)
            path.lineTo(right, base)
            path.lineTo(right, base + tick)
            canvas.drawPath(path, stroke=1, fill=0)
        middle = (left + right) / 2
        place = (middle, base + 4)
        _draw_halo_text(canvas, bar.label, place, face=Face.MEDIUM, size=BAR_LABEL_PT, anchor=0.5)


def _reduced(grey: npt.NDArray[np.uint8]) -> Image.Image:
    picture = Image.fromarray(np.ascontiguousarray(grey))
    longest = max(picture.size)
    if longest <= LONGEST_SIDE_PX:
        return picture
    size = tuple(max(1, round(side * LONGEST_SIDE_PX / longest)) for side in picture.size)
    return picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def _draw_outline(canvas: Any, points: FloatArray) -> None:
    path = canvas.beginPath()
    if len(points) == 1:
        path.circle(*points[0], RING_PT)
    else:
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        if len(points) > 2:
            path.close()
    for colour, line in ((HALO, HALO_PT), (white, OUTLINE_PT)):
        canvas.setStrokeColor(colour)
        canvas.setLineWidth(line)
        canvas.drawPath(path, stroke=1, fill=0)


def _draw_disc(canvas: Any, place: FloatArray, number: str) -> None:
    size = 7.2 if len(number) < 3 else 5.6
    canvas.setFillColor(white)
    canvas.setStrokeColor(HALO)
    canvas.setLineWidth(0.8)
    canvas.circle(place[0], place[1], DISC_RADIUS_PT, stroke=1, fill=1)
    canvas.setFillColor(black)
    canvas.setFont(Face.SEMIBOLD.value, size)
    canvas.drawCentredString(place[0], place[1] - size * 0.36, number)


def _draw_halo_text(
    canvas: Any, text: str, place: tuple[float, float], *, face: Face, size: float, anchor: float
) -> None:
    """Draw white text with a dark rim; `anchor` is 0 for left, 0.5 for centred, 1 for right."""
    x, y = place
    canvas.setStrokeColor(HALO)
    canvas.setLineWidth(1.8)
    canvas.setFillColor(HALO)
    draw(canvas, x, y, text, face=face, size=size, anchor=anchor, mode=2)
    canvas.setFillColor(white)
    draw(canvas, x, y, text, face=face, size=size, anchor=anchor, mode=0)

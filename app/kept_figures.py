"""Key images that a person kept, as figures of the printed document. No Qt.

The pixels go through the grey pipeline in the window that was seen; the marks are drawn over the
rendered picture, never into the data. Mirror, turn and zoom are not printed: a figure of the document
lies as its image is stored, with its letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.documents import frame_numbers, letters_of, window_words
from app.key_images import KeptImage
from reports.export.key_image import KeyImage, Outline
from viewer.imaging.grey import default_window
from viewer.imaging.marks import Mark, region_of
from viewer.imaging.regions import outline
from viewer.imaging.render import render_frame
from viewer.imaging.volume import ImageStack

MOST_KEPT: Final = 24
"""More figures make an appendix nobody looks through."""

PLAIN_UNITS: Final = {"[hnsf'U]": "HU", "deg": "\u00b0", "1": "", "{pixel}": "px", "{pixel}2": "px2"}


def kept_figures(
    kept: Sequence[KeptImage], marks: Sequence[Mark], stacks: Sequence[ImageStack]
) -> tuple[KeyImage, ...]:
    """Return a figure for each key image whose series is among the stacks, in their order.

    Figures are numbered from 1; whoever prints them after others numbers them on.
    """
    by_key = {stack.series.key: stack for stack in stacks}
    found = ((image, by_key.get(image.series_key)) for image in kept)
    figures: list[KeyImage] = []
    for image, stack in found:
        index = None if stack is None else frame_numbers(stack).get(image.place)
        if stack is not None and index is not None and len(figures) < MOST_KEPT:
            figures.append(_figure(len(figures) + 1, image, marks, stack, index))
    return tuple(figures)


def _figure(
    number: int, image: KeptImage, marks: Sequence[Mark], stack: ImageStack, index: int
) -> KeyImage:
    window = image.window or (None if stack.is_colour else default_window(stack, index))
    here = [one for one in marks if (one.sop_instance_uid, one.frame_number) == image.place]
    instance = stack.series.instances[stack.frames[index][0]]
    outlines = []
    for mark in here:
        region = region_of(mark)
        if region is not None:
            outlines.append(Outline(0, outline(region), label=_label(mark)))
    image_number = index + 1 if instance.instance_number is None else instance.instance_number
    series_number = _shown(stack.series.series_number)
    place = f"Key image. Se {series_number}, Im {image_number}"
    where = ", ".join(filter(None, (place, window_words(window))))
    return KeyImage(
        number=number,
        grey=render_frame(stack, index, window, inverted=image.inverted),
        outlines=tuple(outlines),
        caption=". ".join(filter(None, (where, image.note))),
        letters=letters_of(stack.series.plane_of(stack.frames[index])),
        pixel_spacing=stack.series.pixel_spacing,
        sop_instance_uid="",
    )


def _shown(number: int | None) -> str:
    return "?" if number is None else str(number)


def _label(mark: Mark) -> str:
    """Return what stands beside a mark: its name or words, and its first value."""
    words = [mark.name or mark.text]
    if mark.values:
        value = mark.values[0]
        unit = PLAIN_UNITS.get(value.unit, value.unit)
        words.append(f"{value.value:.1f} {unit}".strip())
    return " ".join(filter(None, words)).replace("-", "\u2212")

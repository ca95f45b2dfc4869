"""Indexes as lines of JSON: written and read in portions, so that a window that draws goes on.

Pydantic holds the interpreter from the first to the last byte of a text; 10,000 images at once are
some tenths of a second in which no thread draws. Here a study is one line without its images, then
lines of at most `PORTION` images each, led by the place of their series. A study that is one line with
its images, as other versions keep it, is read as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Final

from pydantic import TypeAdapter

from viewer.imaging.lasting import lasting
from viewer.imaging.study import Instance, Series, Study

PORTION = 64
"""Images of one line: one to two milliseconds."""


@cache
def _images() -> TypeAdapter[tuple[Instance, ...]]:
    return TypeAdapter(tuple[Instance, ...])


SHOWN: Final = frozenset(
    (
        *("instance_number", "rescale_slope", "rescale_intercept", "rescale_type", "windows", "plane"),
        *("pixel_aspect", "acquisition_time", "lossy", "lossy_ratio", "lossy_method", "modality_lut"),
        *("real_world", "presentation_lut_shape", "overlays", "regions", "frame_steps_ms"),
        "display_rate",
    )
)
"""What of an image tells how its values are shown and measured, not where and how they are stored."""


def _portions(images: Sequence[Instance], without: Collection[str] = ()) -> Iterator[str]:
    """Yield the JSON arrays of some images each."""
    left_out = {"__all__": set(without)} if without else None
    for start in range(0, len(images), PORTION):
        some = tuple(images[start : start + PORTION])
        yield _images().dump_json(some, exclude_defaults=True, exclude=left_out).decode()


def study_lines(study: Study) -> Iterator[str]:
    """Yield the lines of a study; none holds a line break."""
    without_images = {"series": {"__all__": {"instances"}}}
    yield study.model_dump_json(exclude_defaults=True, exclude=without_images)
    for place, series in enumerate(study.series):
        for portion in _portions(series.instances):
            yield f"{place} {portion}"


def read_studies(lines: Iterable[str]) -> tuple[Study, ...]:
    """Return studies from their lines, in order.

    Raises
    ------
    ValueError
        A line is no such text.
    """
    studies: list[Study] = []
    images: list[dict[int, list[Instance]]] = []
    with lasting():
        for line in lines:
            if line.startswith("{"):
                studies.append(Study.model_validate_json(line))
                images.append(defaultdict(list))
            else:
                place, _, portion = line.partition(" ")
                images[-1][int(place)] += _images().validate_json(portion)
        return tuple(map(_whole, studies, images))


def _whole(study: Study, images: dict[int, list[Instance]]) -> Study:
    """Return a study with the images of its series."""
    series = tuple(
        one.model_copy(update={"instances": tuple(images[place])}) if place in images else one
        for place, one in enumerate(study.series)
    )
    return study.model_copy(update={"series": series})


def series_json(series: Series, *, stored_only: bool = False) -> str:
    """Return a series as one JSON object, written in portions.

    Parameters
    ----------
    stored_only
        Leave out what `SHOWN` names: enough to decode, and half of the work for both sides.
    """
    without = SHOWN if stored_only else ()
    without_images = series.model_dump_json(exclude_defaults=True, exclude={"instances"})
    portions = (portion[1:-1] for portion in _portions(series.instances, without))
    return f'{without_images[:-1]},"instances":[{",".join(portions)}]}}'

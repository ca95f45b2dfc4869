"""What hanging asks of studies and series: words, body regions, planes, side and way up. No Qt.

Words are compared without regular expressions, so that anyone can write a rule: a phrase fits where
its words stand next to each other in a text, whatever separates them ("T2_AX" holds "T2 AX"); a star
ends the beginning of a word ("THORA*").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

import resources
from viewer.imaging.geometry import ImagePlane
from viewer.imaging.letters import OPPOSITE, direction_letters
from viewer.imaging.study import Series, Study
from viewer.imaging.tiling import Flavour

Found = TypeVar("Found", Series, Study)

LOCALISERS = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"})
"""Image types (PS3.3 C.8.2.1.1.1) that hang last: they plan a scan, nobody reads them first."""

MAIN_AXIS = 0.75
"""Cosine from which a normal names a plane (about 41 degrees): tilted heads hang as axial."""

NO_IMAGES = frozenset({"SR", "PR", "KO", "SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "REG", "DOC"})
"""Modalities of objects that say nothing about how images hang."""

KIN = {"DX": "CR", "RG": "CR", "DR": "CR"}
"""Modalities that show the same kind of picture: a prior of one is a prior of the other."""


class Plane(StrEnum):
    """The cut nearest to a body axis."""

    AXIAL = "AXIAL"
    CORONAL = "CORONAL"
    SAGITTAL = "SAGITTAL"


NORMALS = (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)
"""Plane by the LPS axis its normal runs along."""


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in capitals: runs of letters and digits."""
    return tuple("".join(sign if sign.isalnum() else " " for sign in text.upper()).split())


@lru_cache(maxsize=32768)
def stands_in(phrase: str, words: tuple[str, ...]) -> bool:
    """Return true when a phrase stands in a text's words; a star ends the beginning of a word."""
    wanted = _phrase(phrase)
    last = len(words) - len(wanted)
    return bool(wanted) and any(
        all(
            words[start + place].startswith(word) if is_start else words[start + place] == word
            for place, (word, is_start) in enumerate(wanted)
        )
        for start in range(last + 1)
    )


@lru_cache(maxsize=4096)
def _phrase(phrase: str) -> tuple[tuple[str, bool], ...]:
    """Return the words of a phrase, each with whether it is the beginning of one only."""
    kept = "".join(sign if sign.isalnum() or sign == "*" else " " for sign in phrase.upper())
    return tuple((part.rstrip("*"), part.endswith("*")) for part in kept.split() if part.strip("*"))


def any_stands_in(phrases: Iterable[str], words: tuple[str, ...]) -> str:
    """Return the first phrase that stands in a text's words, or an empty text."""
    return next((phrase for phrase in phrases if stands_in(phrase, words)), "")


def series_words(series: Series) -> tuple[str, ...]:
    """Return the words by which a series is known: description, protocol and kernel."""
    return words_of(" ".join((series.description, series.protocol, series.convolution_kernel)))


def study_words(study: Study) -> tuple[str, ...]:
    """Return the words of a study: its description, and what its series are called."""
    parts = [study.description]
    parts += [
        f"{series.body_part} {series.description} {series.protocol}" for series in pictures(study)
    ]
    return words_of(" | ".join(dict.fromkeys(parts)))


def pictures(study: Study) -> tuple[Series, ...]:
    """Return the series that hold images; the label of a slide, which may name the patient, is none."""
    shown: tuple[Series, ...] = _once(study, _pictures)
    return shown


def _pictures(study: Study) -> tuple[Series, ...]:
    return tuple(
        series
        for series in study.series
        if series.modality not in NO_IMAGES and flavour_of(series) is not Flavour.LABEL
    )


def flavour_of(series: Series) -> Flavour | None:
    """Return what a picture of a slide shows; none for any other series."""
    tiling = series.instances[0].tiling if series.instances else None
    return None if tiling is None else tiling.flavour


def modalities(study: Study) -> tuple[str, ...]:
    """Return the modalities of the series that hold images, without repeats."""
    return tuple(dict.fromkeys(series.modality for series in pictures(study)))


def is_localiser(series: Series) -> bool:
    """Return whether a series plans a scan: by its image type, else by its name."""
    return bool(LOCALISERS & set(series.image_type)) or bool(
        any_stands_in(("LOC", "LOCALI*", "SCOUT*", "TOPOGRAM*", "SURVIEW*"), series_words(series))
    )


def is_first_phase(series: Series) -> bool:
    """Return whether a series stands for its 4D series: it is none, or its first phase."""
    return series.phase is None or series.phase.index == 1


_KNOWN: ContextVar[dict[tuple[int, Callable[..., Any]], Any] | None] = ContextVar(
    "_KNOWN", default=None
)
"""Counts of series and reading orders of studies by identity, while `looked_up_once` lasts."""


@contextmanager
def looked_up_once() -> Iterator[None]:
    """Count and order each series and study once in a block: large studies take long to count."""
    token = _KNOWN.set({})
    try:
        yield
    finally:
        _KNOWN.reset(token)


def _once(of: Found, compute: Callable[[Found], Any]) -> Any:
    """Return what was computed of a series or study in this block; the caller holds it alive."""
    known = _KNOWN.get()
    if known is None:
        return compute(of)
    key = id(of), compute
    if key not in known:
        known[key] = compute(of)
    return known[key]


def image_count(series: Series) -> int:
    """Return the number of frames of a series."""
    count: int = _once(series, _image_count)
    return count


def _image_count(series: Series) -> int:
    return series.image_count


def reading_order(study: Study) -> tuple[Series, ...]:
    """Return the series as viewports take them: most images first, localisers last, 4D series once."""
    order: tuple[Series, ...] = _once(study, _reading_order)
    return order


def _reading_order(study: Study) -> tuple[Series, ...]:
    return tuple(
        sorted(
            (series for series in pictures(study) if is_first_phase(series)),
            key=lambda series: (
                is_localiser(series),
                flavour_of(series) is Flavour.OVERVIEW,
                -image_count(series),
            ),
        )
    )


def plane_of_series(series: Series) -> Plane | None:
    """Return the cut of a series from its geometry, or none without an orientation."""
    plane = _plane_at(series, len(series.instances) // 2)
    if plane is None:
        return None
    along = [abs(float(part)) for part in plane.normal]
    axis = max(range(3), key=along.__getitem__)
    return NORMALS[axis] if along[axis] >= MAIN_AXIS else None


def _plane_at(series: Series, index: int) -> ImagePlane | None:
    """Return the plane of the first frame of an image; none without an orientation."""
    return series.instances[index].of_frame(1).plane if series.instances else None


def regions_of(study: Study) -> frozenset[str]:
    """Return the body regions of a study by name, empty when nothing names one.

    Body Part Examined and the study's description count; the names of series and protocols only
    where those are silent.
    """
    regions: frozenset[str] = _once(study, _regions_of)
    return regions


def _regions_of(study: Study) -> frozenset[str]:
    shown = pictures(study)
    parts = dict.fromkeys((study.description, *(series.body_part for series in shown)))
    first = words_of(" | ".join(parts))
    return _regions_in(first) or _regions_in(study_words(study))


def _regions_in(words: tuple[str, ...]) -> frozenset[str]:
    table = resources.table("presets", "body_regions.json")
    return frozenset(
        region for region, names in table.items() if region != "about" and any_stands_in(names, words)
    )


def region_names() -> tuple[str, ...]:
    """Return the names of all body regions."""
    table = resources.table("presets", "body_regions.json")
    return tuple(region for region in table if region != "about")


def is_comparable(study: Study, prior: Study) -> bool:
    """Return whether a prior shows the same by the same means: a modality and a body region in common.

    Where one of the two names no region, the modality decides.
    """
    here = {KIN.get(name, name) for name in modalities(study)}
    there = {KIN.get(name, name) for name in modalities(prior)}
    ours, theirs = regions_of(study), regions_of(prior)
    return bool(here & there) and (not ours or not theirs or bool(ours & theirs))


def directions(series: Series) -> tuple[str, str]:
    """Return the letters towards which rows and columns of a series run ("P", "F"), or empty texts.

    From Image Orientation (Patient) where there is one, else from Patient Orientation (PS3.3
    C.7.6.1.1.1); oblique directions carry their further letters.
    """
    plane = _plane_at(series, 0)
    if plane is not None:
        return direction_letters(plane.row_cosines), direction_letters(plane.column_cosines)
    if len(series.patient_orientation) == 2:
        row, column = series.patient_orientation
        return row, column
    return "", ""


def turns_to_hang(now: tuple[str, str], wanted: tuple[str, str]) -> tuple[int, bool] | None:
    """Return clockwise quarter turns and mirror that bring an image the wanted way up, or none.

    Parameters
    ----------
    now
        Letters towards which its rows and columns run.
    wanted
        Letters towards which the screen's right and its lower edge shall point.

    Returns
    -------
    tuple or None
        None when the letters do not say how: an axis that is wanted is not among them.
    """
    right, down = now[0][:1], now[1][:1]
    if right not in OPPOSITE or down not in OPPOSITE:
        return None
    for turns in range(4):
        for mirrored in (False, True):
            shown = _after(right, down, turns, mirrored)
            if shown == (wanted[0][:1], wanted[1][:1]):
                return turns, mirrored
    return None


def _after(right: str, down: str, turns: int, mirrored: bool) -> tuple[str, str]:
    """Return where right and down of the screen point after clockwise turns, then a mirror."""
    for _ in range(turns):
        # What pointed right now points down; what pointed down now points left.
        right, down = OPPOSITE[down], right
    return (OPPOSITE[right] if mirrored else right), down


def likeness(series: Series, other: Series) -> float:
    """Return how much two series are the same picture, as for a prior beside it; 0 for not at all.

    Side, view and cut weigh most, then image type, contrast and thickness, then the words they share.
    """
    if KIN.get(series.modality, series.modality) != KIN.get(other.modality, other.modality):
        return 0.0
    ours, theirs = set(series_words(series)), set(series_words(other))
    same = (
        (8.0, series.laterality == other.laterality),
        (8.0, series.view_position == other.view_position),
        (6.0, plane_of_series(series) is plane_of_series(other)),
        (4.0, is_localiser(series) == is_localiser(other)),
        (1.0, series.image_type[:3] == other.image_type[:3]),
        (1.0, bool(series.contrast_agent) == bool(other.contrast_agent)),
        (1.0, abs((series.slice_thickness or 0.0) - (other.slice_thickness or 0.0)) < 0.5),
    )
    shared = len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0
    return 1.0 + sum(weight for weight, is_same in same if is_same) + 5.0 * shared


def most_like(series: Series, study: Study) -> Series | None:
    """Return the series of another study that is most like one; of equal ones the first to read."""
    found = reading_order(study)
    best = max(found, key=lambda other: likeness(series, other), default=None)
    return best if best is not None and likeness(series, best) > 0.0 else None

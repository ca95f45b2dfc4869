"""Which MR sequence a series is, as far as the search for bright lesions depends on it."""

from __future__ import annotations

import re
from enum import StrEnum

from inference.evidence.tool import RefusalCode
from viewer.imaging.study import Series

Misfit = tuple[RefusalCode, str]


class Weighting(StrEnum):
    """Sequences on which lesions of white matter are bright."""

    FLAIR = "FLAIR"
    """Fluid is dark."""
    T2 = "T2"
    """Fluid is as bright as lesions, or brighter."""


LONG_ECHO_MS = 70.0
"""Echo time from which a spin echo is T2-weighted; proton density and T1 are shorter."""

LONG_REPETITION_MS = 2000.0

FLUID_NULLED_MS = (1500.0, 3200.0)
"""Inversion times that null cerebrospinal fluid at 1.5 and 3 T; T1 (700-1100) and STIR are shorter."""

FLAIR_WORDS = re.compile(r"(?<![a-z])(flair|dark[ _-]?fluid|tirm)(?![a-z])", re.IGNORECASE)
T2_WORDS = re.compile(r"(?<![a-z0-9])t2w?(?![a-z0-9*]|[ _-]?star)", re.IGNORECASE)
T1_WORDS = re.compile(r"(?<![a-z0-9])(t1w?|mprage|bravo|vibe|mp2rage)(?![a-z0-9])", re.IGNORECASE)

NO_ANATOMY = frozenset(
    ("ADC", "TRACEW", "DIFFUSION", "PHASE", "P", "FA", "PHASE MAP", "MOSAIC", "SUBTRACTION")
)
"""Values of Image Type of pictures whose grey is no T2 weighting."""

NEEDED = "Bright lesions are searched on FLAIR, or on a T2-weighted spin echo"


def weighting_of(series: Series) -> Weighting | Misfit:
    """Return the weighting of an MR series, or why bright lesions cannot be searched on it.

    Times of the header decide; words of the description only where the header has none.
    """
    words = f"{series.description} {series.protocol}"
    against = _against(series, words)
    if against:
        return _wrong(against)
    facts = series.acquisition
    if facts.echo_ms is None:
        return _by_words(words)
    return Weighting.FLAIR if facts.inversion_ms or FLAIR_WORDS.search(words) else Weighting.T2


def _against(series: Series, words: str) -> str:
    """Return what the header says against both weightings, or empty."""
    facts = series.acquisition
    echo, repetition, inversion = facts.echo_ms, facts.repetition_ms, facts.inversion_ms
    names = {part.upper() for part in facts.scanning_sequence}
    kinds = NO_ANATOMY.intersection(part.upper() for part in series.image_type)
    low, high = FLUID_NULLED_MS
    untold = "IR" in names and not inversion and not FLAIR_WORDS.search(words)
    told = _told(series)
    rules = (
        (bool(kinds), f"its image type is {', '.join(sorted(kinds))}"),
        (
            bool(T1_WORDS.search(words)) and (echo is None or echo < LONG_ECHO_MS),
            f"its description names T1 weighting{told}",
        ),
        ("EP" in names, f"this is an echo-planar series{told}"),
        ("GR" in names, f"this is a gradient-echo series{told}"),
        (
            echo is not None and echo < LONG_ECHO_MS,
            f"the echo time is too short for T2 weighting{told}",
        ),
        (
            bool(inversion) and not low <= (inversion or 0.0) <= high,
            f"its inversion time does not null fluid{told}",
        ),
        (untold, f"this is an inversion recovery without its inversion time{told}"),
        (
            repetition is not None and repetition < LONG_REPETITION_MS,
            f"the repetition time is too short for T2 weighting{told}",
        ),
    )
    return next((reason for holds, reason in rules if holds), "")


def _by_words(words: str) -> Weighting | Misfit:
    for pattern, weighting in ((FLAIR_WORDS, Weighting.FLAIR), (T2_WORDS, Weighting.T2)):
        if pattern.search(words):
            return weighting
    return _wrong("neither an echo time nor its description tells the sequence")


def _wrong(reason: str) -> Misfit:
    return RefusalCode.WRONG_SEQUENCE, f"{NEEDED}: {reason}."


def _told(series: Series) -> str:
    """Return the times of the header in brackets, or empty."""
    facts = series.acquisition
    times = (("TR", facts.repetition_ms), ("TE", facts.echo_ms), ("TI", facts.inversion_ms))
    known = ", ".join(f"{name} {value:.4g} ms" for name, value in times if value is not None)
    return f" ({known})" if known else ""

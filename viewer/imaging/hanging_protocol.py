"""A hanging protocol as data: for which studies it is, its viewports, and what each shows. No Qt.

Protocols are JSON files (`resources/hanging`, described in `docs/hanging.md`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

import resources
from viewer.imaging.hanging_facts import (
    Plane,
    any_stands_in,
    image_count,
    likeness,
    plane_of_series,
    reading_order,
    region_names,
    series_words,
)
from viewer.imaging.study import Series, Study

SHAPES = frozenset({(1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (2, 3), (2, 4), (3, 3), (3, 4), (4, 4)})
"""Rows and columns that the viewports can be laid out in."""

MAMMOGRAPHY = "mammography"


class HangingError(ValueError):
    """A protocol cannot be used; the message says why in words for the reader."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SeriesRule(_Frozen):
    """Which series: every condition that is given must hold; the first in reading order is taken.

    Parameters
    ----------
    modality
        Any of these.
    words, without
        One of these phrases stands in description, protocol or kernel; none of those does.
    plane
        The cut from the geometry.
    view
        Any of these view positions (0018,5101); "PA" and "AP" for radiographs, "MLO" for MG.
    laterality
        "R" or "L" (0020,0062).
    image_type, without_image_type
        All of these values stand in Image Type (0008,0008); none of those does.
    contrast
        With a contrast agent in the header, without, or either.
    phase
        Which phase of a 4D series, from 1; -1 is the last.
    prior
        0 is the study itself, 1 its newest prior of the same modality and body region, and so on.
    least_images
        Fewest images.
    cine
        Frames of one object (a clip), or objects of one frame each, or either.
    like
        Among those that fit, the one most like the series of this viewport, counted from 1; 0: the
        first in reading order.
    """

    modality: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    plane: Plane | None = None
    view: tuple[str, ...] = ()
    laterality: Literal["", "L", "R"] = ""
    image_type: tuple[str, ...] = ()
    without_image_type: tuple[str, ...] = ()
    contrast: bool | None = None
    phase: int = 1
    prior: int = Field(0, ge=0, le=9)
    least_images: int = Field(1, ge=1)
    cine: bool | None = None
    like: int = Field(0, ge=0, le=16)

    def holds(self, series: Series) -> bool:
        """Return whether a series of the study that is meant fulfils every condition."""
        words = series_words(series)
        types = {value.upper() for value in series.image_type}
        return (
            (not self.modality or series.modality in self.modality)
            and (not self.words or bool(any_stands_in(self.words, words)))
            and not any_stands_in(self.without, words)
            and (self.plane is None or plane_of_series(series) is self.plane)
            and (not self.view or series.view_position.upper() in self.view)
            and self.laterality in ("", series.laterality.upper()[:1])
            and types >= {value.upper() for value in self.image_type}
            and not types & {value.upper() for value in self.without_image_type}
            and (self.contrast is None or self.contrast == bool(series.contrast_agent))
            and image_count(series) >= self.least_images
            and self.cine in (None, any(one.number_of_frames > 1 for one in series.instances))
        )

    def find(
        self, study: Study, taken: Iterable[str] = (), model: Series | None = None
    ) -> Series | None:
        """Return the first series that fits and is not taken, in the wanted phase.

        Parameters
        ----------
        model
            Those most like this one come first; none leaves the reading order.
        """
        passed = frozenset(taken)
        order = reading_order(study)
        if model is not None:
            order = tuple(sorted(order, key=lambda series: -likeness(model, series)))
        for series in order:
            if self.holds(series):
                phases = study.phases_of(series)
                chosen = phases[-1] if self.phase == -1 else phases[min(self.phase, len(phases)) - 1]
                if chosen.key not in passed:
                    return chosen
        return None


class WindowChoice(_Frozen):
    """A window in modality units."""

    center: float
    width: float = Field(gt=0.0)


class ViewportPlan(_Frozen):
    """What one viewport shows, and how.

    Parameters
    ----------
    show
        Rules in order: the first that finds a series decides. No rule takes the next series in
        reading order that no viewport shows.
    again
        May show a series that an earlier viewport shows.
    window
        Name of a preset of the modality ("Lung"), a centre and width, or empty for the image's own.
    orientation
        Where the screen's right and lower edge point ("P\\F"), or "mammography": by side and view.
    justify
        Edge of the viewport at which the image stands: "left", "right", or the "chest wall" of MG.
    zoom
        Magnification; 1 fits the image into the viewport.
    start
        Which image first.
    play
        Begin the cine when the images are in.
    fuse
        Lay the PET of the same frame of reference over it.
    """

    show: tuple[SeriesRule, ...] = ()
    again: bool = False
    window: str | WindowChoice = ""
    orientation: str = ""
    justify: Literal["", "left", "right", "chest wall"] = ""
    zoom: float = Field(1.0, ge=0.1, le=16.0)
    start: Literal["first", "middle", "last"] = "middle"
    play: bool = False
    fuse: bool = False

    @field_validator("orientation")
    @classmethod
    def _orientation_is_known(cls, value: str) -> str:
        axes = {"L": 0, "R": 0, "A": 1, "P": 1, "H": 2, "F": 2}
        parts = [axes.get(part) for part in value.split("\\")]
        if value not in ("", MAMMOGRAPHY) and (
            len(parts) != 2 or None in parts or len(set(parts)) != 2
        ):
            raise ValueError(f'"{value}" names no way up: write "P\\F" or "{MAMMOGRAPHY}"')
        return value


class StudyRule(_Frozen):
    """For which studies a protocol is: every condition that is given must hold.

    Parameters
    ----------
    modality, all_modalities
        One of these is among the study's; all of those are.
    regions
        One of these body regions is named ("chest"; `region_names` lists them).
    words, without
        One of these phrases stands in the study's or a series' name; none of those does.
    manufacturer
        One of these phrases stands in the manufacturer's name.
    needs
        Each of these rules finds a series, another one each.
    least_series, most_series
        How many series hold images; a 4D series counts once.
    least_images
        Fewest images of the largest series.
    least_priors
        Fewest priors of the same modality and body region.
    least_width
        Least width of the viewports together, logical pixels.
    """

    modality: tuple[str, ...] = ()
    all_modalities: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    manufacturer: tuple[str, ...] = ()
    needs: tuple[SeriesRule, ...] = ()
    least_series: int = 1
    most_series: int | None = None
    least_images: int = 1
    least_priors: int = 0
    least_width: int = 0

    @field_validator("regions")
    @classmethod
    def _regions_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in region_names():
                raise ValueError(f'"{name}" is no body region: {", ".join(region_names())}')
        return value


class Links(_Frozen):
    """What viewports do together; none leaves it as the reader has it."""

    scroll: bool | None = None
    zoom: bool | None = None
    window: bool | None = None


class HangingProtocol(_Frozen):
    """One way to hang studies.

    Parameters
    ----------
    name
        What readers call it; unique.
    score
        Added to what its conditions score.
    tiles
        All viewports show consecutive images of the first one's series.
    own
        Kept by a reader, not bundled.
    """

    name: str = Field(min_length=1, max_length=80)
    match: StudyRule = StudyRule()
    score: int = 0
    rows: int = 1
    columns: int = 1
    viewports: tuple[ViewportPlan, ...] = ()
    tiles: bool = False
    links: Links = Links()
    own: bool = False

    @model_validator(mode="after")
    def _fits_its_layout(self) -> HangingProtocol:
        if (self.rows, self.columns) not in SHAPES:
            known = ", ".join(f"{rows} x {columns}" for rows, columns in sorted(SHAPES))
            raise ValueError(f"{self.rows} x {self.columns} is no layout: {known}")
        if len(self.viewports) > self.rows * self.columns:
            raise ValueError(
                f"{len(self.viewports)} viewports do not fit into {self.rows} x {self.columns}"
            )
        return self

    def plans(self) -> tuple[ViewportPlan, ...]:
        """Return a plan for every viewport; those that are not named take what is left."""
        missing = self.rows * self.columns - len(self.viewports)
        return (*self.viewports, *(ViewportPlan() for _ in range(missing)))


def read_protocol(text: str | bytes) -> HangingProtocol:
    """Return the protocol of a JSON text.

    Raises
    ------
    HangingError
        It is no protocol; the message names the first place that is wrong.
    """
    try:
        return HangingProtocol.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise HangingError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from error


def made_protocol(protocol: HangingProtocol, **changes: Any) -> HangingProtocol:
    """Return a protocol with changes, checked as a file is.

    Raises
    ------
    HangingError
        The changes make no protocol.
    """
    changed = protocol.model_copy(update=changes)
    return read_protocol(write_protocol(changed)).model_copy(update={"own": protocol.own})


def write_protocol(protocol: HangingProtocol) -> str:
    """Return a protocol as the text of its file: only what differs from the defaults."""
    body = protocol.model_dump(mode="json", exclude_defaults=True, exclude={"own"})
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


@cache
def bundled() -> tuple[HangingProtocol, ...]:
    """Return the protocols that come with the program, by file name."""
    folder: Path = resources.path("hanging")
    return tuple(
        read_protocol(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))
    )

"""What the families of models want, as data: prompt, picture, boxes, volumes, priors, tokens.

One JSON file for each family in resources/models/profiles. A manifest names its profile. The chat
template inside a GGUF is program text of whoever made the file (CVE-2024-34359); it is not read.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

import resources
from inference.models.boxes import BoxFormat, box_formats
from inference.models.preparation import PicturePlan

PROFILE_FOLDER = ("models", "profiles")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Pair(_Frozen):
    """An architecture with the projector types that belong to it; none stands for text only."""

    architecture: str
    projectors: tuple[str | None, ...]


class VolumePlan(_Frozen):
    """How slices of a CT volume are shown.

    Parameters
    ----------
    slices
        Most slices that are shown.
    channels
        HU at which red, green and blue are 0 and 255.
    label
        Text behind each slice; {number} counts from 1.
    context
        Tokens that the context must have for that many slices.
    """

    slices: int = Field(ge=1)
    channels: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    label: str
    context: int

    def choose(self, count: int) -> tuple[int, ...]:
        """Return which of `count` slices are shown, evenly from the first to the last."""
        if count <= self.slices:
            return tuple(range(count))
        return tuple(round(i / self.slices * (count - 1)) for i in range(1, self.slices + 1))

    def colour(self, hounsfield: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
        """Return a slice of HU as red, green and blue."""
        shades = [
            np.clip((hounsfield - low) / (high - low) * 255.0, 0, 255) for low, high in self.channels
        ]
        made: npt.NDArray[np.uint8] = np.rint(np.stack(shades, axis=-1)).astype(np.uint8)
        return made

    def labels(self, count: int) -> tuple[str, ...]:
        """Return the text behind each slice that is shown."""
        return tuple(self.label.format(number=n + 1) for n in range(len(self.choose(count))))


class Profile(_Frozen):
    """The conventions of a family of models.

    Parameters
    ----------
    pairs
        Architectures and projectors of the family.
    before, after
        Text around a prompt, with the control tokens of the family's own chat template. A picture
        stands behind `before`.
    instruction
        What a general model must be told; the built-in model knows its one task.
    stop
        Tokens that end an answer.
    thinking
        Tokens around a thought. No grammar of ours holds them, so that none can be written.
    picture
        How a picture is prepared, or none for a family that sees nothing.
    boxes
        Name of the convention of boxes (`inference.models.boxes`), or empty.
    box_prompt
        Question for a box; {label} stands for what is looked for.
    prior
        Order in which a prior image, the current one and the question are given.
    source
        Where the conventions are described.
    """

    version: Literal["sightline.profile/1"] = Field(alias="schema")
    name: str
    title: str
    pairs: tuple[Pair, ...]
    before: str
    after: str
    instruction: str = ""
    stop: tuple[str, ...]
    thinking: tuple[str, ...] = ()
    picture: PicturePlan | None = None
    boxes: str = ""
    box_prompt: str = ""
    volume: VolumePlan | None = None
    prior: tuple[Literal["prior", "current", "prompt"], ...] = ()
    source: str

    @model_validator(mode="after")
    def _check(self) -> Profile:
        if self.boxes and self.boxes not in box_formats():
            raise ValueError(f"There is no convention of boxes named {self.boxes!r}.")
        if self.boxes and self.picture is None:
            raise ValueError("A family without pictures has no boxes.")
        return self

    def wrap(self, prompt: str) -> str:
        """Return the text that goes to the tokenizer, which reads control tokens in it."""
        return f"{self.before}{self.instruction}{prompt}{self.after}"

    def fits(self, architecture: str, projector: str | None) -> bool:
        """Return whether a pair belongs to this family."""
        return any(
            one.architecture == architecture and projector in one.projectors for one in self.pairs
        )

    @property
    def box_format(self) -> BoxFormat | None:
        """The convention of boxes of the family, or none."""
        return box_formats()[self.boxes] if self.boxes else None

    @property
    def sha256(self) -> str:
        """Hash of everything that the profile and its convention of boxes say."""
        said = [self.model_dump(mode="json", by_alias=True)]
        if self.box_format is not None:
            said.append(self.box_format.model_dump(mode="json"))
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _read() -> dict[str, Profile]:
    files = sorted(resources.path(*PROFILE_FOLDER).glob("*.json"))
    found = (Profile.model_validate(resources.table(*PROFILE_FOLDER, file.name)) for file in files)
    return {profile.name: profile for profile in found}


PROFILES: dict[str, Profile] = _read()
"""By name, as manifests give it."""


def known_pairs() -> dict[str, tuple[str | None, ...]]:
    """Return by architecture the projector types that belong to it (none = text only)."""
    pairs: dict[str, list[str | None]] = {}
    for profile in PROFILES.values():
        for one in profile.pairs:
            known = pairs.setdefault(one.architecture, [])
            known += [projector for projector in one.projectors if projector not in known]
    return {name: tuple(projectors) for name, projectors in pairs.items()}

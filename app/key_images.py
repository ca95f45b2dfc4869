"""Key images of a study: how they are kept, what an act on them is called, and the way back. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.marks import Way
from reports.store.kinds import RecordKind
from viewer.imaging.study import WindowPreset

if TYPE_CHECKING:
    from app.desk import Desk

KEY_IMAGES_SCHEMA: Final = "sightline.key-images/1"


class KeyImageError(Exception):
    """Stored key images that cannot be read; the message is for the reader."""


class KeptImage(BaseModel):
    """One image that a person kept for the report, as it was seen.

    Parameters
    ----------
    window
        Window that the reader had chosen; none for the image's own.
    magnification, centre
        Zoom relative to the fitted image, and the image point (column, row) in the middle; none for
        the middle of the image.
    quarter_turns, mirrored, inverted
        As in `viewer.views.viewport_state.ViewportState`.
    mark_ids
        Marks on the image when it was kept; those that are still there are burned into its picture.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=lambda: uuid4().hex)
    series_key: str
    series_instance_uid: str
    sop_instance_uid: str
    frame_number: int = Field(default=1, ge=1)
    window: WindowPreset | None = None
    magnification: float = 1.0
    centre: tuple[float, float] | None = None
    quarter_turns: int = Field(default=0, ge=0, le=3)
    mirrored: bool = False
    inverted: bool = False
    mark_ids: tuple[str, ...] = ()
    note: str = Field(default="", max_length=500)

    @property
    def place(self) -> tuple[str, int]:
        """SOP Instance UID and frame number."""
        return self.sop_instance_uid, self.frame_number


class KeyImageAct(StrEnum):
    """What a person did to key images, in words that the audit log takes."""

    KEEP = "keep a key image"
    REMOVE = "remove a key image"
    NOTE = "note of a key image"
    ORDER = "order of the key images"


KEY_IMAGE_WORDS: Final[dict[KeyImageAct, str]] = {
    KeyImageAct.KEEP: "key image kept",
    KeyImageAct.REMOVE: "key image removed",
    KeyImageAct.NOTE: "note of a key image",
    KeyImageAct.ORDER: "order of the key images",
}
"""What undo says of each."""

KeptImages = tuple[KeptImage, ...]


def key_images_body(images: Sequence[KeptImage]) -> dict[str, Any]:
    """Return the record of the key images of a study."""
    return {
        "schema": KEY_IMAGES_SCHEMA,
        "images": [one.model_dump(mode="json", exclude_none=True) for one in images],
    }


def key_images_in(body: Mapping[str, Any] | None) -> KeptImages:
    """Return the key images of a record; none of no record.

    Raises
    ------
    KeyImageError
        Another schema, or a record that this program does not know.
    """
    if body is None:
        return ()
    if body.get("schema") != KEY_IMAGES_SCHEMA:
        raise KeyImageError("A newer Sightline wrote the key images of this study.")
    try:
        return tuple(KeptImage.model_validate(item) for item in body["images"])
    except (KeyError, TypeError, ValidationError):
        raise KeyImageError("The key images of this study cannot be read.") from None


def key_images_of_study(desk: Desk, study_instance_uid: str) -> KeptImages:
    """Return the key images that are kept with a study (blocks)."""
    return key_images_in(desk.study_record(study_instance_uid, RecordKind.KEY_IMAGES))


@dataclass(frozen=True)
class KeyImagesTold:
    """What observers are told: how the images came to be as they are, and by which act."""

    way: Way
    act: KeyImageAct


@dataclass(frozen=True)
class _Step:
    before: KeptImages
    after: KeptImages
    act: KeyImageAct


class KeyImagesHistory:
    """The key images of an open study with the way back."""

    def __init__(self, images: Sequence[KeptImage]) -> None:
        self.images: KeptImages = tuple(images)
        self._past: list[_Step] = []
        self._future: list[_Step] = []
        self._observers: list[Callable[[KeyImagesTold], None]] = []

    def subscribe(self, observer: Callable[[KeyImagesTold], None]) -> None:
        """Call `observer` after every change."""
        self._observers.append(observer)

    def at(self, place: tuple[str, int]) -> KeptImage | None:
        """Return the key image of an image, or none."""
        return next((one for one in self.images if one.place == place), None)

    def add(self, image: KeptImage) -> None:
        """Keep an image; one that is kept already is seen as it is now."""
        known = self.at(image.place)
        rest = tuple(one for one in self.images if one is not known)
        self._put((*rest, image), KeyImageAct.KEEP)

    def remove(self, image_id: str) -> None:
        """Keep an image no longer."""
        self._put(tuple(one for one in self.images if one.id != image_id), KeyImageAct.REMOVE)

    def note(self, image_id: str, words: str) -> None:
        """Write a note below an image."""
        changed = (
            one.model_copy(update={"note": words.strip()[:500]}) if one.id == image_id else one
            for one in self.images
        )
        self._put(tuple(changed), KeyImageAct.NOTE)

    def move(self, image_id: str, by: int) -> None:
        """Move an image in the order, down with positive numbers."""
        order = list(self.images)
        here = next((place for place, one in enumerate(order) if one.id == image_id), None)
        if here is None:
            return
        image = order.pop(here)
        order.insert(max(0, min(here + by, len(order))), image)
        self._put(tuple(order), KeyImageAct.ORDER)

    def _put(self, after: KeptImages, act: KeyImageAct) -> None:
        if after == self.images:
            return
        self._past.append(_Step(self.images, after, act))
        self._future.clear()
        self.images = after
        self._tell(KeyImagesTold(Way.NEW, act))

    def undo(self) -> KeyImagesTold | None:
        """Take back the newest act; none when there is none."""
        return self._step(self._past, self._future, Way.UNDO)

    def redo(self) -> KeyImagesTold | None:
        """Do again what was taken back last; none when there is none."""
        return self._step(self._future, self._past, Way.REDO)

    def _step(self, source: list[_Step], target: list[_Step], way: Way) -> KeyImagesTold | None:
        if not source:
            return None
        step = source.pop()
        target.append(step)
        self.images = step.before if way is Way.UNDO else step.after
        told = KeyImagesTold(way, step.act)
        self._tell(told)
        return told

    def _tell(self, told: KeyImagesTold) -> None:
        for observer in self._observers:
            observer(told)

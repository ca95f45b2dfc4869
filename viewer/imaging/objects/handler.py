"""The operation "object" of the imaging worker: one object of others, read and handed over in parts."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol

from viewer.imaging.objects.content import ObjectContent
from viewer.imaging.objects.foreign import ForeignObject, ObjectKind
from viewer.imaging.objects.parts import Frozen
from viewer.imaging.objects.values import ObjectError
from viewer.imaging.sources import Cancelled
from viewer.imaging.worker.serve import Refused, WorkerContext

Cancelling = Callable[[], bool]


class OnParts(Protocol):
    """Takes parts of a content that are too many to come with it: frames or pages."""

    def __call__(self, parts: list[Any], /) -> None: ...


READERS: Final[dict[ObjectKind, str]] = {
    ObjectKind.SEGMENTATION: "read_segmentation",
    ObjectKind.STRUCTURE_SET: "read_structure_set",
    ObjectKind.PRESENTATION_STATE: "read_presentation",
    ObjectKind.MEASUREMENT_REPORT: "read_report",
    ObjectKind.STRUCTURED_REPORT: "read_report",
    ObjectKind.KEY_OBJECT: "read_key_object",
    ObjectKind.ENCAPSULATED_PDF: "read_document",
}
"""Kind -> module of this package and function in it, of the same name, that reads it."""


def read(about: ForeignObject, on_parts: OnParts, cancelled: Cancelling) -> ObjectContent:
    """Return the content of an object; its parts go to `on_parts`.

    Raises
    ------
    ObjectError
        It is not read; the message says why.
    Cancelled
        `cancelled` said so.
    """
    name = READERS.get(about.kind)
    if name is None:
        raise ObjectError("unsupported", f"{about.what}: known by name, its content is not shown.")
    reader = getattr(import_module(f"viewer.imaging.objects.{name}"), name)
    content: ObjectContent = reader(about, on_parts, cancelled)
    return content


def object_content(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Read an object of others.

    Parameters
    ----------
    params
        `object`: a `ForeignObject` as JSON text.

    Returns
    -------
    dict
        `content`: an `ObjectContent` as JSON text, whose parts came before as events `parts`, JSON
        texts; `content.assembled` puts them together.
    """
    about = ForeignObject.model_validate_json(params["object"])

    def on_parts(parts: list[Frozen]) -> None:
        context.emit({"parts": [part.model_dump_json(exclude_defaults=True) for part in parts]})

    try:
        content = read(about, on_parts, context.cancelled)
    except Cancelled as error:
        raise Refused("cancelled", "Stopped as asked.") from error
    except ObjectError as error:
        raise Refused(error.code, str(error)) from error
    return {"content": content.model_dump_json()}

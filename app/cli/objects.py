"""What is inside segmentations, contours, presentation states and reports, for `inspect --objects`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from viewer.imaging.objects.content import ObjectContent
    from viewer.imaging.objects.foreign import ForeignObject
    from viewer.imaging.reader import Reader
    from viewer.imaging.study import StudyIndex

BULK: Final[dict[str, Any]] = {
    "about": True,
    "frames": {"__all__": {"mask": {"data"}}},
    "regions": {"__all__": {"contours": {"__all__": {"data"}}}},
    "overlays": {"__all__": {"data"}},
    "pages": {"__all__": {"data"}},
}
"""Pixels and points, and what the index has already said: left out of what is printed."""


def contents_of(reader: Reader, found: StudyIndex) -> list[dict[str, Any]]:
    """Return the content of each object of an index as plain JSON, or why it is not read."""
    return [_content(reader, one) for study in found.studies for one in study.objects]


def _content(reader: Reader, one: ForeignObject) -> dict[str, Any]:
    from viewer.imaging.worker.host import WorkerError

    told: dict[str, Any] = {"path": one.path, "what": one.what}
    try:
        content = reader.read_object(one)
    except WorkerError as error:
        return {**told, "refusal": {"code": error.code, "reason": str(error)}}
    return {**told, "words": _words(content), "content": _plain(content)}


def _plain(content: ObjectContent) -> dict[str, Any]:
    """Return a content as JSON without its bulk and without what is not set."""
    exclude = {key: rule for key, rule in BULK.items() if key in type(content).model_fields}
    plain = content.model_dump(mode="json", exclude=exclude, exclude_defaults=True)
    return {"kind": content.kind, **plain}


def _words(content: ObjectContent) -> list[str]:
    """Return what matters of a content, a line each."""
    match content.kind:
        case "segmentation":
            return [
                f"{one.number} {one.label}: "
                + (one.volume_note if one.volume_ml is None else f"{one.volume_ml:.2f} mL")
                for one in content.segments
            ]
        case "structure set":
            return [
                f"{one.number} {one.name} {one.interpreted_type}: {len(one.contours)} contours"
                for one in content.regions
            ]
        case "presentation state":
            return [f"for {len(content.images)} images, {len(content.annotations)} annotations"]
        case "structured report":
            return [
                "  " * line.depth + part
                for line in content.lines
                for part in ": ".join(filter(None, (line.concept, line.value))).splitlines()
            ]
        case "key object selection":
            return [f"{content.title}: {len(content.images)} images", content.description]
        case "encapsulated PDF":
            return [f"{content.page_count} pages", *content.notes]


def contents_words(contents: list[dict[str, Any]]) -> str:
    """Return contents as text to be read."""
    lines: list[str] = []
    for one in contents:
        lines.append(f"{one['what']}: {one['path']}")
        if "refusal" in one:
            lines.append(f"  not read: {one['refusal']['reason']}")
        lines += [f"  {line}" for line in one.get("words", ()) if line]
    return "\n".join(lines)

"""Values of a pydicom data set that nobody vouches for: a damaged one reads as missing, none raises."""

from __future__ import annotations

import math
from typing import Any, Final

from viewer.imaging.charset import clean
from viewer.imaging.objects.parts import Code, ImageReference

MAX_ITEMS: Final = 100_000
"""Most items of one sequence that are read."""

MAX_WORDS: Final = 256
"""Longest text of a name or label, characters."""

MAX_NUMBERS: Final = 6_000_000
"""Most numbers of one attribute: two million points of a contour."""


class ObjectError(Exception):
    """An object that is not read; `code` and message as in `BadFile`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def value(item: Any, keyword: str) -> Any:
    """Return an attribute as pydicom gives it, none where it is missing or cannot be converted."""
    try:
        return item.get(keyword)
    except Exception:  # pydicom raises whatever its input provokes
        return None


def items(item: Any, keyword: str, *, limit: int = MAX_ITEMS) -> list[Any]:
    """Return the items of a sequence."""
    found = value(item, keyword)
    if found is None or isinstance(found, (str, bytes)):
        return []
    try:
        return [one for one in found[:limit] if hasattr(one, "get_item")]
    except Exception:  # pydicom raises whatever its input provokes
        return []


def first_item(item: Any, keyword: str) -> Any | None:
    """Return the first item of a sequence, or none."""
    found = items(item, keyword, limit=1)
    return found[0] if found else None


def words(item: Any, keyword: str, *, limit: int = MAX_WORDS) -> str:
    """Return an attribute as clean text; several values are joined by a backslash."""
    found = value(item, keyword)
    if found is None or isinstance(found, bytes):
        return ""
    try:
        text = str(found) if isinstance(found, str) or not _many(found) else "\\".join(map(str, found))
    except Exception:  # a name that does not decode
        return ""
    return clean(text, limit=limit).strip()


def paragraphs(item: Any, keyword: str, *, limit: int) -> str:
    """Return a long text with its line breaks, each line clean."""
    found = value(item, keyword)
    if not isinstance(found, str):
        return ""
    lines = (clean(line, limit=limit) for line in found[:limit].splitlines())
    return "\n".join(lines).strip()


def numbers(item: Any, keyword: str) -> tuple[float, ...]:
    """Return the numbers of an attribute; none of them where one is no finite number."""
    found = value(item, keyword)
    if found is None or isinstance(found, bytes):
        return ()
    try:
        many = list(found) if _many(found) and not isinstance(found, str) else [found]
        if len(many) > MAX_NUMBERS:
            return ()
        read = tuple(float(one) for one in many)
    except (TypeError, ValueError, OverflowError):
        return ()
    return read if all(map(math.isfinite, read)) else ()


def number(item: Any, keyword: str) -> float | None:
    """Return the first number of an attribute, or none."""
    found = numbers(item, keyword)
    return found[0] if found else None


def whole(item: Any, keyword: str) -> int | None:
    """Return the first number of an attribute where it is a whole one."""
    found = number(item, keyword)
    return int(found) if found is not None and found.is_integer() else None


def wholes(item: Any, keyword: str) -> tuple[int, ...]:
    """Return the whole numbers of an attribute."""
    return tuple(int(one) for one in numbers(item, keyword))


def code_of(item: Any) -> Code | None:
    """Return a code item (PS3.3 8.8): short, long or URN code value."""
    if item is None:
        return None
    keywords = ("CodeValue", "LongCodeValue", "URNCodeValue")
    found = next(filter(None, (words(item, keyword) for keyword in keywords)), "")
    meaning = words(item, "CodeMeaning")
    if not found and not meaning:
        return None
    return Code(value=found, scheme=words(item, "CodingSchemeDesignator"), meaning=meaning)


def code(item: Any, keyword: str) -> Code | None:
    """Return the first code of a code sequence, or none."""
    return code_of(first_item(item, keyword))


def codes(item: Any, keyword: str) -> tuple[Code, ...]:
    """Return the codes of a code sequence."""
    return tuple(filter(None, map(code_of, items(item, keyword, limit=64))))


def image_reference(item: Any) -> ImageReference | None:
    """Return what a SOP instance reference macro names (PS3.3 10.8, 10.3), or none."""
    uid = words(item, "ReferencedSOPInstanceUID")
    if not uid:
        return None
    return ImageReference(
        sop_instance_uid=uid,
        sop_class_uid=words(item, "ReferencedSOPClassUID"),
        frames=tuple(one for one in wholes(item, "ReferencedFrameNumber") if one > 0),
        segments=wholes(item, "ReferencedSegmentNumber"),
    )


def image_references(item: Any, keyword: str) -> tuple[ImageReference, ...]:
    """Return the images that a sequence of references names."""
    return tuple(filter(None, map(image_reference, items(item, keyword))))


def _many(found: Any) -> bool:
    return hasattr(found, "__iter__") and not hasattr(found, "components")  # a PersonName iterates

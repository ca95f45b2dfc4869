"""Reads a key object selection (PS3.3 A.35.4, PS3.16 TID 2010). Called in the imaging worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from viewer.imaging.objects.entry import references_of
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.opening import opened
from viewer.imaging.objects.read_report import observers
from viewer.imaging.objects.report_tree import report_tree
from viewer.imaging.objects.reports import KeyObjectContent

DESCRIPTION: Final = ("113012", "DCM")
MODIFIER: Final = ("113011", "DCM")


def read_key_object(
    about: ForeignObject, on_parts: Callable[[list[Any]], None], cancelled: Callable[[], bool]
) -> KeyObjectContent:
    """Return a key object selection.

    Raises
    ------
    ObjectError
        It cannot be read.
    """
    del on_parts  # it comes whole
    with opened(about.path) as found:
        root, _ = report_tree(found, cancelled)
        described = [one.answer for one in root.named(DESCRIPTION) if one.answer]
        return KeyObjectContent(
            about=about,
            title=root.name,
            modifiers=tuple(one.answer for one in root.named(MODIFIER)),
            description="\n".join(described),
            observers=observers(root),
            images=tuple(dict.fromkeys(node.image for node in root.walk() if node.image is not None)),
            series=references_of(found),
        )

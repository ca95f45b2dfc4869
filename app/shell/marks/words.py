"""What marks, and acts on them, are called."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app.marks import MarkAct, MarkChange
from viewer.imaging.marks import Mark, MarkKind

MARK_WORDS: dict[MarkAct, str] = {
    MarkAct.ADD: QT_TRANSLATE_NOOP("MarkWords", "{kind} drawn"),
    MarkAct.DELETE: QT_TRANSLATE_NOOP("MarkWords", "{kind} deleted"),
    MarkAct.RENAME: QT_TRANSLATE_NOOP("MarkWords", "{kind} renamed"),
    MarkAct.LINK: QT_TRANSLATE_NOOP("MarkWords", "{kind} linked to a lesion"),
    MarkAct.UNLINK: QT_TRANSLATE_NOOP("MarkWords", "{kind} unlinked from a lesion"),
    MarkAct.CHANGE: QT_TRANSLATE_NOOP("MarkWords", "{kind} changed"),
}

KIND_WORDS: dict[MarkKind, str] = {
    MarkKind.LENGTH: QT_TRANSLATE_NOOP("MarkWords", "length"),
    MarkKind.ANGLE: QT_TRANSLATE_NOOP("MarkWords", "angle"),
    MarkKind.COBB: QT_TRANSLATE_NOOP("MarkWords", "Cobb angle"),
    MarkKind.BIDIRECTIONAL: QT_TRANSLATE_NOOP("MarkWords", "two diameters"),
    MarkKind.PERPENDICULAR: QT_TRANSLATE_NOOP("MarkWords", "perpendicular diameter"),
    MarkKind.RECTANGLE: QT_TRANSLATE_NOOP("MarkWords", "rectangle"),
    MarkKind.ELLIPSE: QT_TRANSLATE_NOOP("MarkWords", "ellipse"),
    MarkKind.POLYGON: QT_TRANSLATE_NOOP("MarkWords", "outline"),
    MarkKind.FREEHAND: QT_TRANSLATE_NOOP("MarkWords", "free-form outline"),
    MarkKind.BRUSH: QT_TRANSLATE_NOOP("MarkWords", "brushed area"),
    MarkKind.ARROW: QT_TRANSLATE_NOOP("MarkWords", "arrow"),
    MarkKind.TEXT: QT_TRANSLATE_NOOP("MarkWords", "text"),
    MarkKind.POINT: QT_TRANSLATE_NOOP("MarkWords", "point"),
}


def tr(text: str) -> str:
    """Translate words of a mark."""
    return QCoreApplication.translate("MarkWords", text)


def kind_words(kind: MarkKind | None) -> str:
    """Return what a kind of mark is called: "ellipse"; of several kinds "marks"."""
    return tr("marks") if kind is None else tr(KIND_WORDS[kind])


def change_words(change: MarkChange) -> str:
    """Return what was done to marks: "ellipse deleted"."""
    return tr(MARK_WORDS[change.act]).format(kind=kind_words(change.kind))


def title_words(mark: Mark) -> str:
    """Return the name of a mark, or what it is."""
    words = kind_words(mark.kind)
    return mark.name or words[:1].upper() + words[1:]

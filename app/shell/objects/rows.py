"""What the list of objects says: kinds, names, who made an object and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from viewer.imaging.objects.content import ObjectContent
from viewer.imaging.objects.foreign import ForeignObject, ObjectKind
from viewer.imaging.objects.parts import ImageReference
from viewer.imaging.objects.reports import DocumentContent, KeyObjectContent, ReportContent
from viewer.imaging.objects.segments import SegmentationContent
from viewer.imaging.objects.states import PresentationContent
from viewer.imaging.study import Study
from viewer.views.corner_text import printed_date, printed_name
from viewer.views.objects.parts import Part


class RowKind(StrEnum):
    """What a row of the list stands for."""

    GROUP = "group"
    OBJECT = "object"
    PART = "part"
    IMAGE = "image"
    NOTE = "note"


@dataclass(frozen=True)
class Row:
    """One row.

    Parameters
    ----------
    found
        The object that it is, or belongs to; none for a group.
    part
        The segment or region.
    image
        An image that a key object selection names.
    """

    kind: RowKind
    text: str
    note: str = ""
    found: ForeignObject | None = None
    part: Part | None = None
    image: ImageReference | None = None

    @property
    def uid(self) -> str:
        """SOP Instance UID of the object, or empty."""
        return "" if self.found is None else self.found.sop_instance_uid


GROUPS: dict[ObjectKind, str] = {
    ObjectKind.SEGMENTATION: QT_TRANSLATE_NOOP("Objects", "Segmentations"),
    ObjectKind.STRUCTURE_SET: QT_TRANSLATE_NOOP("Objects", "Structure sets"),
    ObjectKind.PRESENTATION_STATE: QT_TRANSLATE_NOOP("Objects", "Presentation states"),
    ObjectKind.MEASUREMENT_REPORT: QT_TRANSLATE_NOOP("Objects", "Measurements"),
    ObjectKind.STRUCTURED_REPORT: QT_TRANSLATE_NOOP("Objects", "Reports"),
    ObjectKind.KEY_OBJECT: QT_TRANSLATE_NOOP("Objects", "Key images of others"),
    ObjectKind.ENCAPSULATED_PDF: QT_TRANSLATE_NOOP("Objects", "Documents"),
    ObjectKind.PARAMETRIC_MAP: QT_TRANSLATE_NOOP("Objects", "Parametric maps"),
    ObjectKind.OTHER: QT_TRANSLATE_NOOP("Objects", "Not shown"),
}
"""In the order of the list."""

CHECKED_KINDS = frozenset(
    {
        ObjectKind.SEGMENTATION,
        ObjectKind.STRUCTURE_SET,
        ObjectKind.PRESENTATION_STATE,
        ObjectKind.MEASUREMENT_REPORT,
    }
)
"""Kinds that are shown on the images, and hidden again, by a check mark."""

READ_KINDS = frozenset(
    {ObjectKind.MEASUREMENT_REPORT, ObjectKind.STRUCTURED_REPORT, ObjectKind.ENCAPSULATED_PDF}
)
"""Kinds that are read as pages or as a tree."""


def tr(text: str) -> str:
    """Translate words of the list."""
    return QCoreApplication.translate("Objects", text)


def title_of(found: ForeignObject) -> str:
    """Return what an object is called."""
    return found.label or found.content_description or found.description or found.what


def maker_of(found: ForeignObject) -> str:
    """Return who made an object, and when."""
    parts = (printed_name(found.creator), printed_date(found.date))
    return " \u00b7 ".join(part for part in parts if part)


def object_words(study: Study) -> str:
    """Return which objects of others a study has, by kind: "Segmentations 2, Reports 1"."""
    kinds = Counter(one.kind for one in study.objects)
    return ", ".join(f"{tr(words)} {kinds[kind]}" for kind, words in GROUPS.items() if kinds[kind])


def volume_words(part: Part) -> str:
    """Return the volume of a part as a reader needs it."""
    volume = part.volume_ml
    if volume is None:
        return ""
    digits = 0 if volume >= 100 else 1 if volume >= 10 else 2
    return tr("{volume} mL").format(volume=f"{volume:.{digits}f}")


def image_words(study: Study | None, image: ImageReference) -> str:
    """Return series and image of a reference: "Se 2  Im 13"; empty where it is not in the study."""
    for series in () if study is None else study.series:
        for number, one in enumerate(series.instances, start=1):
            if one.sop_instance_uid == image.sop_instance_uid:
                found = number if one.instance_number is None else one.instance_number
                which = "" if series.series_number is None else str(series.series_number)
                return tr("Se {series}  Im {image}").format(series=which, image=found)
    return ""


def rows_of(content: ObjectContent, parts: tuple[Part, ...], study: Study | None) -> list[Row]:
    """Return the rows under an object that was read."""
    found = content.about
    rows = [Row(RowKind.PART, part.label, volume_words(part), found, part=part) for part in parts]
    if isinstance(content, KeyObjectContent):
        for number, image in enumerate(content.images, start=1):
            frames = ", ".join(map(str, image.frames))
            where = image_words(study, image)
            words = where or tr("Image {n}").format(n=number)
            note = tr("frame {n}").format(n=frames) if frames else "" if where else tr("not here")
            rows.append(Row(RowKind.IMAGE, words, note, found, image=image))
    return rows


def facts_of(found: ForeignObject, content: ObjectContent | None, part: Part | None) -> str:
    """Return what is known of an object or of one of its parts, a line each."""
    if part is not None:
        volume = volume_words(part)
        counted = " ".join(one for one in (volume, part.volume_note) if one)
        return "\n".join(one for one in (part.about, counted) if one)
    lines = [found.what, maker_of(found)]
    if found.description and found.description != title_of(found):
        lines.append(found.description)
    if found.encoding_suspect:
        lines.append(tr("Encoding of its texts is suspect"))
    if not found.readable:
        lines.append(tr("Known by name; its content is not shown."))
    lines += [] if content is None else _content_facts(content)
    return "\n".join(line for line in lines if line)


def _count(number: int, one: str, many: str) -> str:
    return one if number == 1 else many.format(n=number)


def _names(people: tuple[str, ...]) -> str:
    return ", ".join(map(printed_name, people))


def _content_facts(content: ObjectContent) -> list[str]:
    if isinstance(content, SegmentationContent):
        kind = " ".join(one.lower() for one in (content.type, content.fractional_type) if one)
        count = _count(len(content.segments), tr("one segment"), tr("{n} segments"))
        lines = [f"{kind}, {count}"]
    elif isinstance(content, PresentationContent):
        lines = [_count(len(content.images), tr("for one image"), tr("for {n} images"))]
        if content.subtraction:
            lines.append(tr("It asks for mask subtraction, which is not applied."))
    elif isinstance(content, ReportContent):
        verified = ", ".join(content.verified_by)
        state = ", ".join(one.lower() for one in (content.completion, content.verification) if one)
        lines = [content.title, _names(content.observers), state, verified]
    elif isinstance(content, KeyObjectContent):
        lines = [content.title, *content.modifiers, content.description]
        lines.append(_names(content.observers))
    elif isinstance(content, DocumentContent):
        lines = [_count(content.page_count, tr("one page"), tr("{n} pages"))]
    else:
        lines = [content.approval.lower()]
    return [*lines, *getattr(content, "notes", ())]

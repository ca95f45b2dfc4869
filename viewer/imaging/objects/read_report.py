"""Reads structured reports: TID 1500 as groups of measurements, any other as a readable tree.

PS3.3 A.35, PS3.16 TID 1500, 1410, 1411, 1501. Called in the imaging worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.opening import opened
from viewer.imaging.objects.parts import Code, ImageReference
from viewer.imaging.objects.report_tree import Node, report_lines, report_tree
from viewer.imaging.objects.reports import (
    Evaluation,
    ImageShape,
    Measurement,
    MeasurementGroup,
    PatientShape,
    ReportContent,
    Shape,
)
from viewer.imaging.objects.values import items, words

Codes = tuple[tuple[str, str], ...]

GROUP: Final[Codes] = (("125007", "DCM"),)
TRACKING_ID: Final[Codes] = (("112039", "DCM"),)
TRACKING_UID: Final[Codes] = (("112040", "DCM"),)
ACTIVITY: Final[Codes] = (("C67447", "NCIt"),)
CATEGORY: Final[Codes] = (("276214006", "SCT"), ("R-42018", "SRT"))
FINDING: Final[Codes] = (("121071", "DCM"),)
SITE: Final[Codes] = (("363698007", "SCT"), ("G-C0E3", "SRT"), ("G-C0E3", "99SDM"))
METHOD: Final[Codes] = (("370129005", "SCT"), ("G-C036", "SRT"))
TIME_POINT: Final[Codes] = (("C2348792", "UMLS"), ("126072", "DCM"))
ALGORITHM: Final[Codes] = (("111001", "DCM"), ("111003", "DCM"), ("122405", "DCM"))
SEGMENTS: Final[Codes] = (("121191", "DCM"), ("121214", "DCM"))
SOURCE_SERIES: Final[Codes] = (("121232", "DCM"),)

_CONTEXT: Final = (
    *(TRACKING_ID + TRACKING_UID + ACTIVITY + CATEGORY + FINDING + SITE),
    *(METHOD + TIME_POINT + ALGORITHM + SOURCE_SERIES),
)
"""What a group says of itself; every other code and text in it is an evaluation."""

OBSERVERS: Final[Codes] = (("121008", "DCM"), ("121013", "DCM"))
DEVICE_NAMES: Final[Codes] = (("121015", "DCM"), ("121016", "DCM"))

SHAPE_WIDTH: Final = {"SCOORD": 2, "SCOORD3D": 3}
MAX_POINTS: Final = 200_000


def read_report(
    about: ForeignObject, on_parts: Callable[[list[Any]], None], cancelled: Callable[[], bool]
) -> ReportContent:
    """Return a structured report.

    Raises
    ------
    ObjectError
        It cannot be read.
    Cancelled
        `cancelled` said so.
    """
    del on_parts  # it comes whole
    with opened(about.path) as found:
        root, cut = report_tree(found, cancelled)
        groups = [_group(node) for node in root.walk() if _is_group(node)]
        groups += _loose_groups(root)
        return ReportContent(
            about=about,
            title=root.name,
            template=root.template,
            completion=words(found, "CompletionFlag"),
            verification=words(found, "VerificationFlag"),
            observers=observers(root),
            verified_by=tuple(map(_verifier, items(found, "VerifyingObserverSequence", limit=20))),
            groups=tuple(groups),
            lines=report_lines(root),
            notes=("The report is too long: not all of it is shown.",) if cut else (),
        )


def observers(root: Node) -> tuple[str, ...]:
    """Return the persons and devices that observed, in words."""
    names = [one.answer for one in root.named(*OBSERVERS)]
    device = " ".join(one.answer for one in root.named(*DEVICE_NAMES) if one.answer)
    return tuple(dict.fromkeys(filter(None, (*names, device))))


def _verifier(item: Any) -> str:
    parts = (words(item, "VerifyingObserverName"), words(item, "VerificationDateTime")[:8])
    return " ".join(filter(None, parts))


def _is_group(node: Node) -> bool:
    return node.type == "CONTAINER" and node.concept is not None and node.concept.is_one_of(*GROUP)


def _first(node: Node, codes: Codes) -> Node | None:
    found = node.named(*codes)
    return found[0] if found else None


def _answer(node: Node, codes: Codes) -> str:
    found = _first(node, codes)
    return "" if found is None else found.answer


def _code(node: Node, codes: Codes) -> Code | None:
    found = _first(node, codes)
    return None if found is None else found.code


def _group(node: Node) -> MeasurementGroup:
    sites = node.named(*SITE)
    numeric = [one for one in node.children if one.type == "NUM"]
    inherited = next((one for one in numeric if one.named(*SITE)), None)
    if not sites and inherited is not None:  # older reports give the site with each measurement
        sites = inherited.named(*SITE)
    segments = [one for one in node.named(*SEGMENTS) if one.image is not None]
    return MeasurementGroup(
        template=node.template,
        activity=_answer(node, ACTIVITY),
        tracking_id=_answer(node, TRACKING_ID),
        tracking_uid=_answer(node, TRACKING_UID),
        category=_code(node, CATEGORY),
        finding=_code(node, FINDING),
        sites=tuple(map(_site, sites)),
        site_codes=tuple(one.code for one in sites if one.code is not None),
        method=_answer(node, METHOD),
        time_point=_answer(node, TIME_POINT),
        measurements=tuple(map(_measurement, numeric)),
        evaluations=tuple(map(_evaluation, filter(_is_evaluation, node.children))),
        shapes=_shapes(node),
        segments=tuple(one.image for one in segments if one.image is not None),
        images=_images(one for one in node.children if one not in segments),
        source_series=tuple(one.answer for one in node.named(*SOURCE_SERIES)),
        algorithm=" ".join(one.answer for one in node.named(*ALGORITHM)),
    )


def _site(node: Node) -> str:
    """Return a finding site with its modifiers: laterality, topography."""
    modifiers = [one.answer for one in node.children if one.type == "CODE" and one.answer]
    return ", ".join(filter(None, (node.answer, *modifiers)))


def _is_evaluation(node: Node) -> bool:
    if node.type not in ("CODE", "TEXT") or node.concept is None:
        return False
    return not node.concept.is_one_of(*_CONTEXT)


def _evaluation(node: Node) -> Evaluation:
    assert node.concept is not None  # `_is_evaluation` has looked
    return Evaluation(concept=node.concept, answer=node.answer, code=node.code)


def _measurement(node: Node) -> Measurement:
    unit = node.unit
    return Measurement(
        concept=node.concept or Code(value="", meaning="Measurement"),
        value=node.number,
        unit="1" if unit is None else unit.value,
        unit_meaning="" if unit is None else unit.meaning,
        qualifier=node.qualifier,
        modifiers=tuple(
            (one.name, one.answer)
            for one in node.children
            if one.type in ("CODE", "TEXT") and one.answer
        ),
        shapes=_shapes(node),
        images=_images(node.children),
    )


def _images(nodes: Any) -> tuple[ImageReference, ...]:
    return tuple(dict.fromkeys(one.image for one in nodes if one.image is not None))


def _shapes(node: Node) -> tuple[Shape, ...]:
    """Return the coordinates among the children of a node."""
    shapes = (_shape(one) for one in node.children if one.type in SHAPE_WIDTH)
    return tuple(one for one in shapes if one is not None)


def _shape(node: Node) -> Shape | None:
    """Return coordinates; those of an image count from the corner of its first pixel."""
    width = SHAPE_WIDTH[node.type]
    count = len(node.points) // width
    if not 0 < count <= MAX_POINTS or len(node.points) % width or not node.graphic:
        return None
    if width == 3:
        flat = node.points
        return PatientShape(
            type=node.graphic,
            points=tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True)),
            frame_of_reference_uid=node.frame_of_reference_uid,
            name=node.name,
        )
    image = next((one.image for one in node.children if one.image is not None), None)
    flat = tuple(value - 0.5 for value in node.points)
    return ImageShape(
        type=node.graphic,
        points=tuple(zip(flat[::2], flat[1::2], strict=True)),
        image=image,
        name=node.name,
    )


def _loose_groups(root: Node) -> list[MeasurementGroup]:
    """Return what is marked on images outside of measurement groups: CAD and older reports."""
    groups = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if _is_group(node):
            continue
        waiting.extend(reversed(node.children))
        shapes = _shapes(node)
        if not shapes:
            continue
        groups.append(
            MeasurementGroup(
                tracking_id=_answer(node, TRACKING_ID),
                tracking_uid=_answer(node, TRACKING_UID),
                finding=node.code or node.concept,
                measurements=(_measurement(node),) if node.type == "NUM" else (),
                shapes=shapes if node.type != "NUM" else (),
            )
        )
    return groups

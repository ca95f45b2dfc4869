"""The content tree of a structured report, parsed once into plain nodes (PS3.3 C.17.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from viewer.imaging.objects.parts import Code, ImageReference
from viewer.imaging.objects.reports import ReportLine
from viewer.imaging.objects.values import (
    ObjectError,
    code,
    first_item,
    image_reference,
    items,
    number,
    numbers,
    paragraphs,
    wholes,
    words,
)
from viewer.imaging.sources import Cancelled

MAX_DEPTH: Final = 24
MAX_NODES: Final = 50_000
MAX_TEXT: Final = 8000
"""Longest text of one item, characters."""


@dataclass(eq=False)
class Node:
    """One content item.

    Parameters
    ----------
    relation
        How it belongs to its parent (CONTAINS, HAS PROPERTIES, ...).
    text
        Its value in words; empty for containers.
    code
        The answer of a CODE item.
    number, unit
        Of a NUM item.
    points, graphic
        Flat coordinates and Graphic Type of SCOORD and SCOORD3D, as stored.
    template
        Template Identifier of a container, or empty.
    """

    type: str
    concept: Code | None
    relation: str
    depth: int
    text: str = ""
    code: Code | None = None
    number: float | None = None
    unit: Code | None = None
    qualifier: str = ""
    image: ImageReference | None = None
    points: tuple[float, ...] = ()
    graphic: str = ""
    frame_of_reference_uid: str = ""
    template: str = ""
    target: tuple[int, ...] = ()
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, in the order of reading."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))

    def named(self, *codes: tuple[str, str]) -> list[Node]:
        """Return the children with one of some concepts."""
        return [one for one in self.children if one.concept and one.concept.is_one_of(*codes)]

    @property
    def name(self) -> str:
        """The concept in words."""
        return "" if self.concept is None else self.concept.meaning or self.concept.value

    @property
    def answer(self) -> str:
        """The value in words."""
        if self.code is not None:
            return self.code.meaning or self.code.value
        return self.text


def report_tree(found: Any, cancelled: Callable[[], bool]) -> tuple[Node, bool]:
    """Return the root of a report, and whether it was cut because it is too large.

    Raises
    ------
    ObjectError
        The data set is no report.
    """
    if words(found, "ValueType") != "CONTAINER":
        raise ObjectError("bad_header", "It holds no report: its root is no container.")
    root = _node(found, 0)
    waiting = [(found, root)]
    count, cut = 1, False
    while waiting:
        if cancelled():
            raise Cancelled
        item, node = waiting.pop()
        inner = items(item, "ContentSequence")
        if inner and node.depth >= MAX_DEPTH:
            cut = True
            continue
        for one in inner:
            if count >= MAX_NODES:
                return _with_references(root), True
            child = _node(one, node.depth + 1)
            node.children.append(child)
            waiting.append((one, child))
            count += 1
    return _with_references(root), cut


def _with_references(root: Node) -> Node:
    """Put the nodes that others point at by their place (PS3.3 C.17.3.2.5) under those, as leaves."""
    for node in list(root.walk()):
        for place, child in enumerate(node.children):
            if not child.target or child.type:
                continue
            aim = _at(root, child.target)
            if aim is None:
                continue
            copied = {key: value for key, value in vars(aim).items() if key != "children"}
            copied.update(relation=child.relation, depth=child.depth, target=child.target)
            leaves = [Node(**{**vars(one), "children": []}) for one in aim.children if one.image]
            node.children[place] = Node(**copied, children=leaves)
    return root


def _at(root: Node, target: tuple[int, ...]) -> Node | None:
    """Return the node at a Referenced Content Item Identifier: 1 is the root, then its children."""
    node = root
    for place in target[1:]:
        if not 1 <= place <= len(node.children):
            return None
        node = node.children[place - 1]
    return node


def _node(item: Any, depth: int) -> Node:
    kind = words(item, "ValueType")
    template = first_item(item, "ContentTemplateSequence") if kind == "CONTAINER" else None
    node = Node(
        type=kind,
        concept=code(item, "ConceptNameCodeSequence"),
        relation=words(item, "RelationshipType"),
        depth=depth,
        template="" if template is None else words(template, "TemplateIdentifier"),
        target=wholes(item, "ReferencedContentItemIdentifier"),
    )
    reader = _VALUES.get(kind)
    if reader is not None:
        reader(node, item)
    return node


def _number(node: Node, item: Any) -> None:
    measured = first_item(item, "MeasuredValueSequence")
    node.qualifier = _meaning(code(item, "NumericValueQualifierCodeSequence"))
    if measured is None:
        node.text = node.qualifier or "no value"
        return
    exact = number(measured, "FloatingPointValue")
    node.number = number(measured, "NumericValue") if exact is None else exact
    node.unit = code(measured, "MeasurementUnitsCodeSequence")
    shown = words(measured, "NumericValue") or ("" if node.number is None else f"{node.number:g}")
    unit = "" if node.unit is None or node.unit.value == "1" else node.unit.value
    node.text = " ".join(filter(None, (shown, unit, node.qualifier)))


def _coordinates(node: Node, item: Any) -> None:
    node.points = numbers(item, "GraphicData")
    node.graphic = words(item, "GraphicType")
    node.frame_of_reference_uid = words(item, "ReferencedFrameOfReferenceUID")
    width = 3 if node.type == "SCOORD3D" else 2
    count = len(node.points) // width
    node.text = f"{node.graphic} of {count} {'point' if count == 1 else 'points'}".strip()


def _times(node: Node, item: Any) -> None:
    offsets = numbers(item, "ReferencedTimeOffsets")
    node.text = (
        f"{words(item, 'TemporalRangeType')} {', '.join(f'{one:g} s' for one in offsets)}".strip()
    )


def _reference(node: Node, item: Any) -> None:
    referenced = first_item(item, "ReferencedSOPSequence")
    node.image = None if referenced is None else image_reference(referenced)
    if node.image is None:
        return
    parts = [node.type.lower()]
    if node.image.frames:
        parts.append("frame " + ", ".join(map(str, node.image.frames[:20])))
    if node.image.segments:
        parts.append("segment " + ", ".join(map(str, node.image.segments[:20])))
    node.text = " ".join(parts)


def _code(node: Node, item: Any) -> None:
    node.code = code(item, "ConceptCodeSequence")


def _plain(keyword: str) -> Callable[[Node, Any], None]:
    def read(node: Node, item: Any) -> None:
        node.text = paragraphs(item, keyword, limit=MAX_TEXT) or words(item, keyword)

    return read


def _meaning(found: Code | None) -> str:
    return "" if found is None else found.meaning or found.value


_VALUES: Final[dict[str, Callable[[Node, Any], None]]] = {
    "TEXT": _plain("TextValue"),
    "CODE": _code,
    "NUM": _number,
    "PNAME": _plain("PersonName"),
    "DATE": _plain("Date"),
    "TIME": _plain("Time"),
    "DATETIME": _plain("DateTime"),
    "UIDREF": _plain("UID"),
    "IMAGE": _reference,
    "COMPOSITE": _reference,
    "WAVEFORM": _reference,
    "SCOORD": _coordinates,
    "SCOORD3D": _coordinates,
    "TCOORD": _times,
}
"""Value Type -> what reads its value (PS3.3 C.17.3.2.1)."""


def report_lines(root: Node) -> tuple[ReportLine, ...]:
    """Return the tree as lines to be read, the root left out: it is the title."""
    return tuple(
        ReportLine(
            depth=node.depth - 1,
            type=node.type,
            concept=node.name,
            value=node.answer,
            image=node.image,
        )
        for node in root.walk()
        if node is not root and (node.name or node.answer)
    )

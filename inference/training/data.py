"""Random ledgers and the house style: what the built-in model learns from.

A sample is a plan of `inference.drafting.grammar` for a random ledger, and for each of its items one
of the sentences that the phrase table allows: never a text made here. Which one is the *style*:

=============  ===========================================================  ====================
kind           rule, first that fits                                        phrase
=============  ===========================================================  ====================
technique      contrast or another descriptor is known                      with
               slices thinner than 2 mm                                     list, "of"
               else                                                         list, comma
finding        third or later of the same descriptor in a row               further, "Additional"
               same descriptor as the finding before                        further, "Further"
               30 mm or longer                                              measuring
               more than three findings                                     place_first
               no size                                                      commas
               else                                                         list
lung           opposite side of the measurement before                      volume_opposite
               both lungs                                                   volume_colon
               volume and density only                                      volume_of
               volume under 1 L                                             volume_colon
               else                                                         volume_list
               in lists: 10 % or more of low density is set off by ";"
region         30 mm or longer                                              region_measuring
               else                                                         region_list
               with a place or side "Marked", else "Drawn"
other values   unit after the number                                        label_only, nothing between
               else                                                         label_only, "of"
impression     the only one                                                 place_first
               30 mm or longer                                              in_the, comma
               else                                                         commas
=============  ===========================================================  ====================

One sentence in ten takes another phrase at random, so that the style is a preference and not a
certainty. Nothing here is clinical data, and the style says nothing about a finding's meaning.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import resources
from inference.drafting.compose import MOST_ITEMS
from inference.drafting.grammar import ComposePlan, PlannedItem, item_grammar
from inference.drafting.items import Item, ItemKind, propose_items
from inference.drafting.phrases import Filled
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    Ledger,
    Quantity,
    ReportDefault,
    Side,
    Source,
    SourceKind,
)

OTHER_PHRASE = 0.1
"""Share of sentences that take another phrase than the style's."""

_LONG_MM = 30.0
_SOURCE = Source(kind=SourceKind.TOOL, name="random ledger", version="1")
_CODE = Code(value="random", scheme="99SIGHTLINE", meaning="random ledger")

_PLACES = resources.table("phrases", "anatomy.json")
ANATOMY: tuple[tuple[str, tuple[Side, ...]], ...] = tuple(
    (term, tuple(Side(side) for side in entry["sides"]))
    for group in _PLACES["regions"].values()
    for term, entry in group.items()
)
"""Every place of the product with the sides it may have."""

DESCRIPTORS: tuple[str, ...] = tuple(resources.table("phrases", "findings.json")["descriptors"])

OTHER_DESCRIPTORS = (
    "solid nodule", "part-solid nodule", "ground-glass nodule", "calcified granuloma", "pleural plaque",
    "lymph node", "metastasis", "thrombus", "stone", "stenosis", "bulla", "scar", "fibrosis", "lipoma",
    "haemangioma", "abscess", "soft tissue mass", "simple cyst", "hilar mass",
)  # fmt: skip
OTHER_PLACES = (
    "right upper lobe", "left lower lobe", "right hilum", "left pleural space", "ascending aorta",
    "right hepatic lobe", "pancreatic head", "left adrenal gland", "trachea", "sternum", "L2 vertebra",
    "pericardium", "left kidney", "right lung", "left frontal lobe", "pancreatic tail", "T11 vertebra",
)  # fmt: skip
"""Words that the product does not offer yet, so that the model learns to copy and not the list."""

BODY = tuple(sorted(set(_PLACES["body_parts"].values())))
MEASURES = (
    ("aortic_diameter", "Ascending aortic diameter", " mm"), ("shift", "Midline shift", " mm"),
    ("ratio", "Cardiothoracic ratio", ""), ("angle", "Cobb angle", "°"),
    ("volume_ml", "Bladder volume", " mL"),
    ("hu", "Liver density", " HU"), ("calcium", "Agatston score", ""), ("suv", "SUVmax", " g/mL"),
    ("total", "Total lung volume", " L"), ("thickness", "Wall thickness", " mm"),
)  # fmt: skip


def _quantity(name: str, value: float, digits: int, unit: str) -> Quantity:
    text = f"{value:.{digits}f}{unit}".replace("-", "−")
    return Quantity(name=name, value=round(value, digits), unit=unit.strip() or "1", text=text)


def _read(name: str, text: str, unit: str) -> Quantity:
    """Return a header value, printed with as few decimals as it needs."""
    return Quantity(name=name, value=float(text), unit=unit.strip(), text=f"{text}{unit}")


def _maybe(draw: random.Random, share: float, quantity: Quantity) -> tuple[Quantity, ...]:
    return (quantity,) if draw.random() < share else ()


def _size(draw: random.Random, *, share: float) -> tuple[Quantity, ...]:
    if draw.random() > share:
        return ()
    long = draw.uniform(3, 30) if draw.random() < 0.7 else draw.uniform(30, 120)
    digits = 1 if draw.random() < 0.85 else 0
    unit = " px" if draw.random() < 0.05 else " mm"
    both = draw.random() < 0.85
    short = (_quantity("short", long * draw.uniform(0.5, 1), digits, unit),) if both else ()
    return (_quantity("long", long, digits, unit), *short)


def _densities(draw: random.Random, share: float) -> tuple[Quantity, ...]:
    mean, sd = draw.uniform(-950, 400), draw.uniform(2, 180)
    area = draw.uniform(10, 4000)
    unit, digits = (" mm²", 0) if draw.random() < 0.6 else (" cm²", 1)
    values = (_quantity("area", area / (1 if digits == 0 else 100), digits, unit),)
    return (
        values
        + _maybe(draw, share, _quantity("mean", mean, 0, " HU"))
        + _maybe(draw, share, _quantity("sd", sd, 0, " HU"))
    )


def _technique(draw: random.Random) -> Iterator[dict[str, object]]:
    thickness = draw.choice(
        ("0.5", "0.625", "0.75", "1", "1.25", "1.5", "2", "2.5", "3", "5", "6", "10")
    )
    images = 1 if draw.random() < 0.08 else int(10 ** draw.uniform(0.3, 2.95))
    values = (
        _maybe(draw, 0.95, _quantity("images", images, 0, ""))
        + _maybe(draw, 0.85, _read("slice_thickness", thickness, " mm"))
        + _maybe(draw, 0.5, _quantity("kvp", draw.choice((80, 100, 120, 140)), 0, " kV"))
    )
    contrast = draw.choice(("contrast-enhanced", "non-contrast", "low-dose", "gated"))
    yield {
        "kind": EvidenceKind.TECHNIQUE, "label": "Technique", "values": values,
        "descriptor": contrast if draw.random() < 0.3 else "",
        "anatomy": draw.choice(BODY) if draw.random() < 0.85 else "",
    }  # fmt: skip


def _lungs(draw: random.Random) -> Iterator[dict[str, object]]:
    has_density, has_low = draw.random() < 0.85, draw.random() < 0.75
    sides = [Side.RIGHT, Side.LEFT] if draw.random() < 0.85 else [draw.choice((Side.RIGHT, Side.LEFT))]
    if len(sides) == 2 and draw.random() < 0.8:
        sides.append(Side.BILATERAL)
    for side in sides:
        words = "both lungs" if side is Side.BILATERAL else f"{side} lung"
        volume = draw.uniform(0.3, 1) if draw.random() < 0.15 else draw.uniform(1, 4.5)
        low = draw.uniform(0, 10) if draw.random() < 0.65 else draw.uniform(10, 45)
        values = [_quantity("volume", volume, 2, " L")]
        if has_density:
            values.append(_quantity("mean_density", draw.uniform(-920, -550), 0, " HU"))
        if has_low:
            values += [_quantity("laa950", low, 1, " %"), _quantity("threshold", -950, 0, " HU")]
        yield {
            "kind": EvidenceKind.MEASUREMENT, "label": words.capitalize(), "side": side,
            "anatomy": words, "values": tuple(values),
        }  # fmt: skip


def _somewhere(draw: random.Random) -> tuple[str, Side]:
    """Return a place and a side that fit."""
    if draw.random() < 0.25:
        place = draw.choice(OTHER_PLACES)
        return place, next((side for side in (Side.LEFT, Side.RIGHT) if side in place), Side.NONE)
    place, sides = draw.choice(ANATOMY)
    return place, draw.choice(sides)


def _findings(draw: random.Random) -> Iterator[dict[str, object]]:
    words = DESCRIPTORS if draw.random() < 0.75 else OTHER_DESCRIPTORS
    word = draw.choice(words)
    for _ in range(draw.choices((1, 2, 3, 4, 5), (5, 4, 2, 1, 1))[0]):
        word = word if draw.random() < 0.5 else draw.choice(words)
        place, side = _somewhere(draw)
        if draw.random() < 0.1:
            place, side = "", draw.choice((Side.LEFT, Side.RIGHT, Side.NONE, Side.UNKNOWN))
        values = (_densities(draw, 0.8) if draw.random() < 0.6 else ()) + _size(draw, share=0.85)
        yield {
            "kind": EvidenceKind.FINDING, "label": word.capitalize(), "descriptor": word,
            "anatomy": place, "side": side, "values": values,
        }  # fmt: skip


def _regions(draw: random.Random) -> Iterator[dict[str, object]]:
    for _ in range(draw.choice((1, 1, 2))):
        place, side = _somewhere(draw) if draw.random() < 0.3 else ("", Side.NONE)
        if not place:
            side = draw.choice((Side.LEFT, Side.RIGHT, Side.UNKNOWN, Side.NONE))
        yield {
            "kind": EvidenceKind.MEASUREMENT, "label": "Region", "anatomy": place, "side": side,
            "values": _densities(draw, 0.9) + _size(draw, share=0.9),
        }  # fmt: skip


def _others(draw: random.Random) -> Iterator[dict[str, object]]:
    for name, label, unit in draw.sample(MEASURES, draw.choice((1, 1, 2))):
        value = _quantity(name, 10 ** draw.uniform(0, 2.5), draw.choice((0, 1)), unit)
        yield {"kind": EvidenceKind.MEASUREMENT, "label": label, "values": (value,)}


_PARTS: tuple[tuple[float, Callable[[random.Random], Iterator[dict[str, object]]]], ...] = (
    (0.9, _technique), (0.6, _lungs), (0.65, _findings), (0.25, _regions), (0.15, _others),
)  # fmt: skip


def random_ledger(draw: random.Random) -> Ledger:
    """Return a ledger with random evidence in the order of the tools; never without any."""
    rows: list[dict[str, object]] = []
    while not rows:
        rows = [row for share, part in _PARTS if draw.random() < share for row in part(draw)]
    skipped = draw.randrange(6)  # refused tools leave gaps in the ids that a draft uses
    evidence = tuple(
        Evidence.model_validate(
            {"concept": _CODE, "source": _SOURCE, "report_default": ReportDefault.SENTENCE}
            | row
            | {"id": f"E{number + skipped}"}
        )
        for number, row in enumerate(rows, start=1)
    )
    modality = draw.choice(("CT",) * 8 + ("MR", "CR", "DX", "US", "PT"))
    return Ledger(study_instance_uid="2.25.1", modality=modality, evidence=evidence)


def _value(planned: PlannedItem, name: str) -> float | None:
    return next((value.value for value in planned.evidence.values if value.name == name), None)


def _style_technique(planned: PlannedItem, plan: ComposePlan) -> tuple[str, ...]:
    thickness = _value(planned, "slice_thickness")
    if planned.evidence.descriptor:
        return ("with",)
    return ("list/1",) if thickness is not None and thickness < 2 else ("list/0", "list")


def _style_finding(planned: PlannedItem, plan: ComposePlan) -> tuple[str, ...]:
    findings = [one for one in plan.items if one.item.kind is ItemKind.FINDING]
    place = findings.index(planned)
    same = [one.evidence.descriptor == planned.evidence.descriptor for one in findings[:place]]
    long = _value(planned, "long")
    if same[-2:] == [True, True]:
        return ("further/1",)
    if same[-1:] == [True]:
        return ("further/0",)
    if long is not None and long >= _LONG_MM:
        return ("measuring",)
    if len(findings) > 3:
        return ("place_first", "list")
    return ("commas", "list") if long is None else ("list",)


def _style_measurement(planned: PlannedItem, plan: ComposePlan) -> tuple[str, ...]:
    names = {value.name for value in planned.evidence.values}
    if "volume" in names:
        mark = "/1" if (_value(planned, "laa950") or 0) >= 10 else "/0"
        follows = planned is not plan.items[0]
        wanted = [f"volume_opposite{mark}", "volume_opposite"] if follows else []
        if planned.evidence.side is Side.BILATERAL:
            wanted.append("volume_colon")
        if names == {"volume", "mean_density"}:
            wanted.append("volume_of")
        if (_value(planned, "volume") or 0) < 1:
            wanted.append("volume_colon")
        return (*wanted, f"volume_list{mark}", "volume_list")
    if "area" in names:
        word = 0 if planned.evidence.anatomy or planned.evidence.side in (Side.LEFT, Side.RIGHT) else 1
        long = (_value(planned, "long") or 0) >= _LONG_MM
        return (f"region_{'measuring' if long else 'list'}/{word}",)
    unit_follows = any(" " in value.text for value in planned.evidence.values)
    return ("density_list", f"label_only/{0 if unit_follows else 1}")


def _style_impression(planned: PlannedItem, plan: ComposePlan) -> tuple[str, ...]:
    impressions = [one for one in plan.items if one.item.kind is ItemKind.IMPRESSION]
    long = _value(planned, "long")
    if len(impressions) == 1:
        return ("place_first", "in_the/0", "in_the")
    return ("in_the/0",) if long is not None and long >= _LONG_MM else ("commas",)


_STYLE: dict[ItemKind, Callable[[PlannedItem, ComposePlan], tuple[str, ...]]] = {
    ItemKind.TECHNIQUE: _style_technique,
    ItemKind.FINDING: _style_finding,
    ItemKind.MEASUREMENT: _style_measurement,
    ItemKind.IMPRESSION: _style_impression,
}


def preferred(planned: PlannedItem, plan: ComposePlan) -> Filled:
    """Return the sentence that the style prefers for an item of a plan."""
    for key in _STYLE[planned.item.kind](planned, plan):
        for filled in planned.alternatives:
            if filled.key == key or filled.key.startswith(key + "/"):
                return filled
    return planned.alternatives[0]


@dataclass(frozen=True)
class Sample:
    """A plan, the text to learn, and the text that follows the style without exception."""

    plan: ComposePlan
    answer: str
    styled: str


def samples(seed: int, *, other_phrase: float = OTHER_PHRASE) -> Iterator[Sample]:
    """Yield samples without end; the same seed gives the same ones."""
    draw = random.Random(seed)
    while True:
        ledger = random_ledger(draw)
        items: tuple[Item, ...] = propose_items(ledger, measured=True)
        # Short plans too: copying is learnt from them, and a section may be composed alone.
        for plan in item_grammar(ledger, items).split(draw.choice((1, 2, 4, MOST_ITEMS, MOST_ITEMS))):
            styled = [preferred(planned, plan) for planned in plan.items]
            taken = [
                draw.choice(planned.alternatives) if draw.random() < other_phrase else filled
                for planned, filled in zip(plan.items, styled, strict=True)
            ]
            lines = zip(plan.items, taken, strict=True)
            yield Sample(
                plan=plan,
                answer="".join(planned.line(filled) for planned, filled in lines),
                styled="".join(p.line(f) for p, f in zip(plan.items, styled, strict=True)),
            )

"""Phrase templates and the slots that a ledger can fill in them.

A template is text with slots ``{name}``, free choices ``(a|b)`` and parts ``<a//b>`` that are
written whenever their slots exist (the first alternative that can be). Everything a sentence
asserts stands in a slot and comes from the ledger; what is left are connecting words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from itertools import product
from typing import Any

import resources
from inference.drafting.templates import Language, item_searched, template_of
from reports.domain import Evidence, Ledger, Quantity, Side

PHRASES_SCHEMA = "sightline.phrases/1"

LONGEST_WORD = 80
"""Most characters of an anatomy, descriptor or label; longer ones are no words of a report."""

_CONTROL_TOKEN = re.compile(
    r"<__[a-z_]{1,32}__>|<\|[^<>|]{0,64}\|>|</?[a-z_]{1,32}>|\[/?INST\]|<unused[0-9]{1,4}>",
    re.IGNORECASE,
)
"""What models read as control: the media marker of libmtmd and the tokens of chat templates."""


class PhraseError(ValueError):
    """The phrase table is not well formed; the message names the template."""


class Relation(StrEnum):
    """What a template may require of the item before it (``when`` in the table)."""

    REPEATS = "repeats"
    """The finding before has the same descriptor."""
    OPPOSITE = "opposite"
    """The measurement before is the same one of the other side."""


def clean(text: str) -> str:
    """Return text without control tokens, control characters and line breaks.

    Text of a header, a person or a report goes through here before it reaches a prompt or a
    grammar: a model would otherwise take ``<|eot|>`` for the end of its turn.
    """
    before = None
    while before != text:  # a token may appear when another between its halves is taken out
        before, text = text, _CONTROL_TOKEN.sub("", text)
    kept = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    kept = "".join(char for char in kept if unicodedata.category(char)[0] != "C")
    return re.sub(" {2,}", " ", kept).strip()


@dataclass(frozen=True)
class Word:
    """A slot's filling: its text, and the value's name when it is a number of the ledger.

    `of` is the evidence that holds the value, where that is not the one the sentence is about.
    """

    text: str
    value: str = ""
    of: str = ""


Slots = Mapping[str, Word]


@dataclass(frozen=True)
class Vocabulary:
    """The words of a language for what a ledger holds.

    Parameters
    ----------
    modalities
        By modality of the ledger.
    words
        Clinical words that no ledger holds, by key: a slot {word:key} and no template says them.
    translations
        From the English words of a ledger (places, terms, labels, sides) to this language; none
        where the ledger's own words are written.
    """

    language: str = Language.ENGLISH
    modalities: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] | None = None

    def say(self, kind: str, text: str) -> str:
        """Return a word of the ledger in this language; empty when the table has none."""
        if self.translations is None or not text:
            return text
        return self.translations[kind].get(text.lower(), "")

    def has_words_for(self, evidence: Evidence) -> bool:
        """Tell whether place and term can be said: a finding must not lose its place in translation."""
        anatomy, term = clean(evidence.anatomy), clean(evidence.descriptor)
        return (not anatomy or bool(self.place(anatomy, evidence.side))) and (
            not term or bool(self.say("terms", term))
        )

    def place(self, anatomy: str, side: str) -> str:
        """Return a place with its side: "right upper lobe", "right lung", "lungs" on both sides."""
        if self.translations is None:
            if side == Side.BILATERAL and anatomy and not _SIDES.search(anatomy):
                return f"{anatomy} on both sides"
            sided = side in (Side.LEFT, Side.RIGHT) and anatomy and not _SIDES.search(anatomy)
            return f"{side} {anatomy}" if sided else anatomy
        named = _SIDES.match(anatomy)
        said = {"both": Side.BILATERAL.value}.get(named[0].lower(), named[0].lower()) if named else side
        term = self.say("places", _SIDES.sub("", anatomy).strip().removesuffix("s"))
        term = term or self.say("places", _SIDES.sub("", anatomy).strip())
        return self.translations["sides"].get(said, "") + term if term else ""


ENGLISH = Vocabulary()
"""The ledger's own words and nothing else: what a prompt is made of."""


def slots_of(ledger: Ledger, evidence: Evidence, vocabulary: Vocabulary = ENGLISH) -> dict[str, Word]:
    """Return everything that this evidence can fill in: values as printed, and its words.

    A value whose text is not printable as it stands (control characters, empty) fills no slot.
    """
    slots = {
        quantity.name: Word(quantity.text, quantity.name)
        for quantity in evidence.values
        if _printable(quantity)
    }
    if len(evidence.values) == 1 and evidence.values[0].name in slots:
        slots["only"] = slots[evidence.values[0].name]
    about = evidence
    if evidence.compared is not None:
        about = ledger.get(evidence.compared.current) or evidence
        slots.update(_compared(evidence, about, vocabulary))
    anatomy, side = clean(about.anatomy), about.side.value
    words = {
        "descriptor": vocabulary.say("terms", clean(about.descriptor)),
        "anatomy": vocabulary.say("places", anatomy),
        "label": vocabulary.say("labels", clean(about.label)),
        "modality": vocabulary.modalities.get(evidence.modality or ledger.modality, ""),
        "side": vocabulary.say("sides", side) if about.side in (Side.LEFT, Side.RIGHT) else "",
        "place": vocabulary.place(anatomy, side),
    }
    threshold = next((t for q in evidence.values if (t := threshold_of(q.name))), "")
    if threshold and "threshold" not in slots:
        words["threshold"] = threshold
    both = about.side is Side.BILATERAL and not _SIDES.search(anatomy)
    words["front"] = words["place"] if _stands_before(anatomy) and not both else ""
    words.update(_searched(ledger, evidence, vocabulary))
    slots.update({f"word:{key}": Word(text) for key, text in vocabulary.words.items()})
    slots.update({name: Word(text) for name, text in words.items() if 0 < len(text) <= LONGEST_WORD})
    if evidence.search is not None and evidence.search.detection_limit is not None:
        slots["limit"] = Word(evidence.search.detection_limit.text, "detection_limit")
    return slots


def _printable(quantity: Quantity) -> bool:
    text = quantity.text
    return bool(text) and clean(text) == text and len(text) <= LONGEST_WORD


def _compared(evidence: Evidence, current: Evidence, vocabulary: Vocabulary) -> dict[str, Word]:
    """Return date, word and both values of a comparison with a prior."""
    compared = evidence.compared
    assert compared is not None
    change = vocabulary.words.get(f"change {compared.change}", "")
    slots = {"change": Word(change)} if change else {}
    if compared.prior_date and clean(compared.prior_date) == compared.prior_date:
        slots["date"] = Word(compared.prior_date, "prior_date")
    for quantity in current.values:
        if quantity.name == compared.value and _printable(quantity):
            slots["current"] = Word(quantity.text, quantity.name, current.id)
    return slots


def _searched(ledger: Ledger, evidence: Evidence, vocabulary: Vocabulary) -> dict[str, str]:
    """Return what was looked for and where, in the words of the template."""
    belongs = item_searched(template_of(ledger), evidence)
    if belongs is None:
        return {}
    organ, item = belongs
    heading = organ.heading.of(vocabulary.language)
    return {"target": item.words.of(vocabulary.language), "organ": heading[:1].lower() + heading[1:]}


def _stands_before(anatomy: str) -> bool:
    """Tell whether a place may stand before a term: "right upper lobe nodule", not "heart mass"."""
    places = resources.table("phrases", "anatomy.json")
    rule = places["before_a_term"]
    word = re.sub(r"^(?:left|right) ", "", anatomy.lower())
    classes = {found[word]["class"] for found in places["regions"].values() if word in found}
    return word not in rule["except"] and bool(classes & set(rule["classes"]))


_SIDES = re.compile(r"\b(?:left|right|both|bilateral)\b", re.IGNORECASE)

_THRESHOLD = re.compile(r"laa([0-9]{3})")


def threshold_of(name: str) -> str:
    """Return the density that a value's name counts below: "laa950" is the share under −950 HU.

    The threshold is part of the measure's name (low-attenuation area, Fleischner glossary), so it
    stands in the ledger by name and not as a value of its own.
    """
    match = _THRESHOLD.fullmatch(name)
    return f"−{match.group(1)} HU" if match else ""


def _number(slots: Slots, name: str) -> Word | None:
    """Return the number of "9.8 mm" when the ``short`` beside it has the same unit ("9.8 × 8.7 mm")."""
    first, second = slots.get(name), slots.get("short")
    if first is None or second is None:
        return None
    number, space, unit = first.text.rpartition(" ")
    if not space or second.text.rpartition(" ")[2] != unit or not second.text.rpartition(" ")[1]:
        return None
    return Word(number, first.value)


def _plural(slots: Slots, name: str) -> Word | None:
    count = slots.get(name)
    return None if count is None or count.text == "1" else Word("s")


_FORMS = {"number": _number, "s": _plural}


def _fill(slots: Slots, slot: str) -> Word | None:
    """Return what fills ``{name}``, ``{name:number}`` or ``{s:name}``, or none."""
    left, colon, right = slot.partition(":")
    if not colon or left == "word":
        return slots.get(slot)
    if left in _FORMS:
        return _FORMS[left](slots, right)
    if right in _FORMS:
        return _FORMS[right](slots, left)
    raise PhraseError(f"Slot {{{slot}}} has an unknown form.")


@dataclass(frozen=True)
class _Text:
    text: str


@dataclass(frozen=True)
class _Slot:
    name: str


@dataclass(frozen=True)
class _Group:
    """A free choice, or an optional part that is written when it can be."""

    alternatives: tuple[tuple[_Text | _Slot | _Group, ...], ...]
    optional: bool


Node = _Text | _Slot | _Group

_TOKENS = re.compile(r"\{([a-z0-9_:]+)\}|(//|[()<>|])|([^{}()<>|/]+|/)")
_CLOSERS = {"(": (")", "|"), "<": (">", "//")}


def _parse(text: str) -> tuple[Node, ...]:
    tokens: list[tuple[str, str, str]] = _TOKENS.findall(text)
    if "".join("{" + slot + "}" if slot else mark + plain for slot, mark, plain in tokens) != text:
        raise PhraseError(f"Template {text!r} has a stray bracket.")
    nodes, used, _ = _sequence(tokens, 0, ())
    if used != len(tokens):
        raise PhraseError(f"Template {text!r} closes a bracket that it did not open.")
    return nodes


def _sequence(
    tokens: Sequence[tuple[str, str, str]], at: int, stops: Sequence[str]
) -> tuple[tuple[Node, ...], int, str]:
    """Read nodes up to a stop mark; return them, the place after it and the mark."""
    nodes: list[Node] = []
    while at < len(tokens):
        slot, mark, plain = tokens[at]
        at += 1
        if slot:
            nodes.append(_Slot(slot))
        elif mark in stops:
            return tuple(nodes), at, mark
        elif mark in _CLOSERS:
            closer, divider = _CLOSERS[mark]
            alternatives = []
            found = divider
            while found == divider:
                inner, at, found = _sequence(tokens, at, (closer, divider))
                alternatives.append(inner)
            nodes.append(_Group(tuple(alternatives), optional=mark == "<"))
        elif mark:
            raise PhraseError(f"A template has {mark!r} where it means nothing.")
        else:
            nodes.append(_Text(plain))
    if stops:
        raise PhraseError("A template does not close a bracket that it opened.")
    return tuple(nodes), at, ""


Piece = str | Word


def _expand(nodes: Sequence[Node], slots: Slots) -> Iterator[tuple[tuple[Piece, ...], tuple[int, ...]]]:
    """Yield every way to write the nodes, as pieces and the numbers of the free choices taken."""
    ways = [list(_ways(node, slots)) for node in nodes]
    for combination in product(*ways):
        pieces = tuple(piece for part, _ in combination for piece in part)
        yield pieces, tuple(number for _, numbers in combination for number in numbers)


def _ways(node: Node, slots: Slots) -> Iterator[tuple[tuple[Piece, ...], tuple[int, ...]]]:
    if isinstance(node, _Text):
        yield (node.text,), ()
    elif isinstance(node, _Slot):
        word = _fill(slots, node.name)
        if word is not None:
            yield (word,), ()
    elif node.optional:
        for alternative in node.alternatives:
            found = list(_expand(alternative, slots))
            if found:
                yield from found
                return
        yield (), ()
    else:
        for number, alternative in enumerate(node.alternatives):
            for pieces, numbers in _expand(alternative, slots):
                yield pieces, (number, *numbers)


@dataclass(frozen=True)
class Filled:
    """One way to write a sentence.

    Parameters
    ----------
    key
        Template and free choices taken, "volume_list/1": what a style is stated in.
    text
        The sentence.
    slots
        (start, end, value name) of each number of the ledger in the text.
    others
        Evidence that holds the value, for the slots whose value is of another one.
    """

    key: str
    text: str
    slots: tuple[tuple[int, int, str], ...]
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Template:
    """A row of the phrase table."""

    id: str
    nodes: tuple[Node, ...]
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    when: Relation | None = None

    def fill(self, slots: Slots, relations: frozenset[Relation]) -> Iterator[Filled]:
        """Yield every way to write this template with these slots; nothing when it does not fit."""
        if self.when is not None and self.when not in relations:
            return
        if any(name not in slots for name in self.needs) or any(name in slots for name in self.lacks):
            return
        for pieces, numbers in _expand(self.nodes, slots):
            yield _write("/".join([self.id, *map(str, numbers)]), pieces)


def _write(key: str, pieces: Sequence[Piece]) -> Filled:
    text = ""
    spans: list[tuple[int, int, str]] = []
    others = {piece.value: piece.of for piece in pieces if isinstance(piece, Word) and piece.of}
    for piece in pieces:
        if isinstance(piece, Word):
            if piece.value:
                spans.append((len(text), len(text) + len(piece.text), piece.value))
            text += piece.text
        else:
            text += piece
    first = text[:1]
    whole = first.upper() + text[1:]
    return Filled(key, whole if len(whole) == len(text) else text, tuple(spans), tuple(others.items()))


@dataclass(frozen=True)
class PhraseTable:
    """All templates of a language, by kind of item, and its words."""

    vocabulary: Vocabulary
    templates: Mapping[str, tuple[Template, ...]]

    def alternatives(
        self,
        kind: str,
        ledger: Ledger,
        evidence: Evidence,
        relations: frozenset[Relation] = frozenset(),
    ) -> tuple[Filled, ...]:
        """Return every sentence that the table has for this evidence, each text once, in its order."""
        about = evidence
        if evidence.compared is not None:
            about = ledger.get(evidence.compared.current) or evidence
        if not self.vocabulary.has_words_for(about):
            return ()
        slots = slots_of(ledger, evidence, self.vocabulary)
        found: dict[str, Filled] = {}
        for template in self.templates.get(kind, ()):
            for filled in template.fill(slots, relations):
                found.setdefault(filled.text, filled)
        return tuple(found.values())


def read_table(data: Mapping[str, Any]) -> PhraseTable:
    """Read a phrase table from its JSON.

    Raises
    ------
    PhraseError
        Another schema, or a template that is not well formed.
    """
    if data.get("schema") != PHRASES_SCHEMA:
        raise PhraseError(f"This is not a phrase table of the schema {PHRASES_SCHEMA}.")
    templates = {
        kind: tuple(
            Template(
                id=row["id"],
                nodes=_parse(row["text"]),
                needs=tuple(row.get("needs", ())),
                lacks=tuple(row.get("lacks", ())),
                when=Relation(row["when"]) if "when" in row else None,
            )
            for row in rows
        )
        for kind, rows in data["templates"].items()
    }
    vocabulary = Vocabulary(
        data["language"], data["modality"], data.get("words", {}), data.get("translations")
    )
    return PhraseTable(vocabulary, templates)


@cache
def phrase_table(language: str = Language.ENGLISH) -> PhraseTable:
    """Return the phrase table of a language from the resources ("en", "zh-CN")."""
    return read_table(resources.table("phrases", f"{language}.json"))

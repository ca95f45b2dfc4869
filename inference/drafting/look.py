"""Look: key images go to a model that sees, and what it proposes comes back as candidates.

A candidate is no finding: it waits for a person's yes (drafting.md 4). Its box lies in the pixels of
its image, through the inverse of exactly the fit that made the model's input. Its side is taken from
the geometry of the image; a model that says another side is contradicted in words. What a model does
not propose says nothing: no search comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import resources
from inference.models.generation import Generation
from inference.models.letterbox import Box, Letterbox
from inference.models.look_form import FORMS, chances, grammar, read
from reports.domain import Code, Evidence, EvidenceKind, ModelStamp, Side, Source, SourceKind
from viewer.imaging.regions import Region, Shape

NEAR_MIDDLE = 0.04
"""A box whose middle is nearer to the body's middle than this share of the image has no side."""

WITHOUT_SIDE = frozenset({"cardiomegaly"})
"""Kinds that are not on a side."""

TERMS: dict[str, str] = {
    "effusion": "pleural effusion",
    "cardiomegaly": "enlarged heart",
    "line": "line or tube",
    "device": "implanted device",
}
"""Words for the reader where the form's word is not one; the others are read as they are."""


VIEWS: dict[tuple[str, str], str] = {
    ("CR", "chest"): "chest film",
    ("DX", "chest"): "chest film",
    ("CT", "chest"): "chest slice",
    ("CT", "head"): "head slice",
}
"""The form that is asked for a modality and body region; for others the model is not asked."""


def view_of(modality: str, body_region: str) -> str | None:
    """Return the form for a series, or none when no form was made for such images."""
    return VIEWS.get((modality, body_region))


@dataclass(frozen=True)
class KeyPicture:
    """An image as it is shown to the model.

    Parameters
    ----------
    grey
        Windowed as on the screen, air dark: uint8, rows and columns.
    view
        Which form is asked: a key of `look_form.FORMS`.
    aspect
        Height of a pixel over its width.
    left_at_right
        True when the patient's left lies towards growing columns (as films and slices are hung), false
        when towards lower ones, none when it is not known.
    middle
        Column of the middle of the body, or none when it is not known.
    """

    grey: npt.NDArray[np.uint8]
    view: str
    series_instance_uid: str
    sop_instance_uid: str
    frame_number: int = 1
    aspect: float = 1.0
    left_at_right: bool | None = None
    middle: float | None = None


@dataclass(frozen=True)
class Proposal:
    """What a model says of its input picture.

    Parameters
    ----------
    kind
        What it is, in the word of the model's form.
    side
        Side of the patient as the model says, or empty.
    box
        In shares of the input's side.
    confidence
        Probability of its answer, 0..1, not calibrated.
    """

    kind: str
    side: str
    box: Box
    confidence: float | None


See = Callable[[npt.NDArray[np.uint8], str], Sequence[Proposal]]
"""Shows a square grey picture of the model's size to the model and names the view."""


Ask = Callable[[npt.NDArray[np.uint8], str, str], Generation]
"""Shows an RGB picture to the model with a question and a grammar; its choices are told."""


def see_with(ask: Ask) -> See:
    """Return how a model that fills in the form of `look_form` is shown a picture."""

    def see(grey: npt.NDArray[np.uint8], view: str) -> tuple[Proposal, ...]:
        kinds = FORMS[view]
        made = ask(np.repeat(grey[..., None], 3, axis=2), view, grammar(kinds))
        likely = chances(made.text, made.choices, kinds)
        return tuple(
            Proposal(entry.kind, entry.side, entry.box, likely[entry.kind])
            for entry in read(made.text, kinds)
        )

    return see


def look(
    pictures: Sequence[KeyPicture], see: See, *, size: int, model: ModelStamp, first: int = 1
) -> tuple[Evidence, ...]:
    """Return the candidates of a model, picture by picture.

    Parameters
    ----------
    see
        Asks the model; its errors pass through.
    size
        Rows and columns of the model's input.
    first
        Number of the first id.
    """
    found: list[Evidence] = []
    for picture in pictures:
        rows, columns = picture.grey.shape
        fit = Letterbox(
            rows, columns, size, aspect=picture.aspect, mirrored=picture.left_at_right is False
        )
        for proposal in see(fit.apply(picture.grey), picture.view):
            box = fit.to_image(proposal.box)
            if box[2] > box[0] and box[3] > box[1]:
                found.append(_candidate(f"E{first + len(found)}", picture, proposal, box, model))
    return tuple(found)


def side_of_box(box: Box, picture: KeyPicture) -> Side:
    """Return the side of the patient on which a box lies, or that it is not known."""
    if picture.middle is None or picture.left_at_right is None:
        return Side.UNKNOWN
    away = (box[0] + box[2]) / 2 - picture.middle
    if abs(away) < NEAR_MIDDLE * picture.grey.shape[1]:
        return Side.UNKNOWN
    return Side.LEFT if (away > 0) == picture.left_at_right else Side.RIGHT


def _candidate(
    evidence_id: str, picture: KeyPicture, proposal: Proposal, box: Box, model: ModelStamp
) -> Evidence:
    term = TERMS.get(proposal.kind, proposal.kind)
    side = Side.NONE if proposal.kind in WITHOUT_SIDE else side_of_box(box, picture)
    warnings = ["proposed by a model, not confirmed"]
    if model.demonstration:
        warnings.append("the model is a demonstration: it learnt from drawings, not from patients")
    if side in (Side.LEFT, Side.RIGHT) and proposal.side and proposal.side != side.value:
        warnings.append(f"the model says {proposal.side}, the geometry of the image says {side.value}")
    region = Region(
        shape=Shape.BOX,
        series_instance_uid=picture.series_instance_uid,
        sop_instance_uid=picture.sop_instance_uid,
        frame_number=picture.frame_number,
        points=((box[0], box[1]), (box[2], box[3])),
    )
    return Evidence(
        id=evidence_id,
        kind=EvidenceKind.CANDIDATE,
        concept=_concept(term),
        label=term[:1].upper() + term[1:],
        side=side,
        descriptor=term,
        regions=(region,),
        source=Source(kind=SourceKind.MODEL, name=model.name, sha256=model.sha256),
        confidence=proposal.confidence,
        checks=("box mapped back through the fit of the model's input",),
        warnings=tuple(warnings),
    )


def _concept(term: str) -> Code:
    """Return the code of a term: the one of the pick list, else one of ours."""
    known = resources.table("phrases", "findings.json")["descriptors"].get(term)
    value, scheme, meaning = (
        known["code"]
        if known
        else (term.upper().replace(" ", "_"), "99SIGHTLINE", term[:1].upper() + term[1:])
    )
    return Code(value=value, scheme=scheme, meaning=meaning)

"""Letters of side on a chest radiograph: L and R as bright shapes beside the patient, as candidates.

Recipe in docs/evidence/radiograph-view.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.contours import mask_polygon
from inference.evidence.masks import MaskStore
from inference.evidence.radiograph.picture import CHEST_RADIOGRAPH, Picture, picture
from inference.evidence.tool import Applies, IdSource, MeasureContext, Need, refused, source
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    ReportDefault,
    Search,
    SearchResult,
    Side,
)

BoolArray = npt.NDArray[np.bool_]

MARKER = Code(value="SIDEMARKER", scheme="99SIGHTLINE", meaning="Side marker of a radiograph")

GRID = 1024
"""Longer side of the grid on which letters are looked for."""

HEIGHT_SHARE = (0.015, 0.08)
"""Height of a letter in the picture."""

OUTER_SHARE = 0.3
"""Letters stand within this share of the width from the left or right edge."""

STEP = 0.25
"""Brightness of a letter over what is round it."""


@dataclass(frozen=True)
class SideMarker:
    """Looks for L and R; a reader says whether they are."""

    name: str = "cxr-side-marker"
    version: str = "1"
    title: str = "Side marker"
    concept: Code = MARKER
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = CHEST_RADIOGRAPH
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return candidates, then the search; or one refusal."""
        shown = picture(ctx)
        if not isinstance(shown, Picture):
            return (refused(self, ids.take(), *shown),)
        listed = []
        for letter, mask in letters(shown.full):
            half = "left" if np.nonzero(mask)[1].mean() < mask.shape[1] / 2 else "right"
            listed.append(
                Evidence(
                    id=ids.take(),
                    kind=EvidenceKind.CANDIDATE,
                    concept=MARKER,
                    label=f"Side marker: {letter}?",
                    side=Side.UNKNOWN,
                    regions=(mask_polygon(ctx.stack, mask[None]),),
                    source=source(self),
                    report_default=self.report_default,
                    checks=(f"at the {half} of the picture",),
                    warnings=("a letter by its shape: the picture may be mirrored",),
                )
            )
        search = Evidence(
            id=ids.take(),
            kind=EvidenceKind.SEARCH,
            concept=MARKER,
            label="Search for a side marker",
            side=Side.NONE,
            source=source(self),
            report_default=self.report_default,
            warnings=() if listed else ("no side marker found: its side is not proved by the picture",),
            search=Search(
                target=MARKER,
                searched="left and right edge of the picture",
                coverage=2.0 * OUTER_SHARE,
                complete=False,
                result=SearchResult.CANDIDATES if listed else SearchResult.NONE,
                candidates=tuple(one.id for one in listed),
            ),
        )
        return (*listed, search)


def letters(full: npt.NDArray[np.float32]) -> tuple[tuple[str, BoolArray], ...]:
    """Return letters L and R with their masks in the pixels of the image, from the top."""
    from scipy import ndimage

    step = max(1, round(max(full.shape) / GRID))
    small = full[::step, ::step]
    size = max(3, round(2.0 * HEIGHT_SHARE[1] * small.shape[0]))
    ground = ndimage.uniform_filter(small, size=size)
    bright = small > ground + STEP
    bright[:, round(OUTER_SHARE * small.shape[1]) : round((1 - OUTER_SHARE) * small.shape[1])] = False
    labels, _ = ndimage.label(bright, structure=np.ones((3, 3)))
    low, high = (share * small.shape[0] for share in HEIGHT_SHARE)
    found = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        tall, across = (span.stop - span.start for span in box)
        if not (low <= max(tall, across) <= high and min(tall, across) >= 0.35 * max(tall, across)):
            continue
        shape = labels[box] == number
        letter = letter_of(shape)
        if letter:
            mask = np.zeros(small.shape, dtype=bool)
            mask[box] = shape
            large = np.kron(mask, np.ones((step, step), dtype=bool))
            found.append((letter, np.asarray(large[: full.shape[0], : full.shape[1]])))
    return tuple((letter, _whole(mask, full.shape)) for letter, mask in found)


def _whole(mask: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    whole = np.zeros(shape, dtype=bool)
    whole[: mask.shape[0], : mask.shape[1]] = mask
    return whole


def letter_of(shape: BoolArray) -> str:
    """Return "L" or "R" for a shape that is one in any turn, mirrored or not; else an empty text."""
    for turned in (np.rot90(shape, turns) for turns in range(4)):
        for seen in (turned, turned[:, ::-1]):
            if _is_l(seen):
                return "L"
            if _is_r(seen):
                return "R"
    return ""


def _bands(shape: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Return the left third of a shape's columns and the lowest quarter of its rows."""
    tall, across = shape.shape
    return shape[:, : max(across // 3, 1)], shape[tall - max(tall // 4, 1) :]


def _is_l(shape: BoolArray) -> bool:
    """A stroke down the left, one along the foot, and nothing in the rest."""
    stem, foot = _bands(shape)
    tall, across = shape.shape
    rest = shape[: round(0.65 * tall), round(0.45 * across) :]
    return bool(
        tall >= 1.1 * across
        and stem.any(axis=1).mean() > 0.95
        and foot.any(axis=0).mean() > 0.9
        and rest.mean() < 0.04
        and shape.mean() < 0.65
    )


def _is_r(shape: BoolArray) -> bool:
    """A stroke down the left, one hole in the upper half, and two legs."""
    from scipy import ndimage

    stem, foot = _bands(shape)
    tall, across = shape.shape
    holes, count = ndimage.label(np.pad(~shape, 1, constant_values=True))
    inner = [one for one in range(1, count + 1) if one != holes[0, 0]]
    if len(inner) != 1 or tall < 1.1 * across:
        return False
    hole = np.argwhere(holes == inner[0]) - 1
    last = foot[-max(foot.shape[0] // 2, 1) :].any(axis=0).astype(np.int8)
    legs = int(np.count_nonzero(np.diff(last, prepend=0) == 1))
    return bool(
        stem.any(axis=1).mean() > 0.95
        and hole.shape[0] > 0.04 * shape.size
        and hole[:, 0].mean() < 0.5 * tall
        and legs == 2
    )

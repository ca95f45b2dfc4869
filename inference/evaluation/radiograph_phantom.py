"""An analytic PA chest radiograph with known widths, and a table of what the tools make of it.

Brightness is composed of ellipses with soft edges; columns and rows are pixels of the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.analytic_study import drawn_on, image_context
from inference.evidence.masks import MaskStore
from inference.evidence.radiograph import TOOLS
from inference.evidence.radiograph.marker import letters
from inference.evidence.radiograph.picture import Picture, picture
from inference.evidence.tool import IdSource, MeasureContext
from reports.domain import Evidence
from viewer.imaging.regions import Region

FloatArray = npt.NDArray[np.float64]

SIZE = 512
TOP = 4000
ROOM, SOFT, LUNG, HEART, SPINE = 0.03, 0.62, 0.25, 0.78, 0.95
BODY = ((256.0, 330.0), (235.0, 330.0))
THORAX = ((256.0, 255.0), (180.0, 205.0))
SPINE_HALF = 26.0
DIAPHRAGM_ROW = 385.0
DIAPHRAGM_DROP = 60.0
HEART_ROW, HEART_TALL = 315.0, 75.0
EDGE = 4.0
SEED = 20261122
SPACING = (0.7, 0.7)


@dataclass(frozen=True)
class Chest:
    """One radiograph.

    Parameters
    ----------
    heart
        Columns between which the heart lies.
    spine
        Column of the spine; the middle is 256.
    marker
        "L", "R" or empty, in the upper right corner of the picture.
    """

    heart: tuple[float, float] = (198.0, 356.0)
    spine: float = 256.0
    marker: str = ""
    noise: float = 0.01
    lungs: bool = True

    @property
    def ratio(self) -> float:
        """True cardiothoracic ratio."""
        return (self.heart[1] - self.heart[0]) / (2.0 * THORAX[1][0])


def _inside(
    x: FloatArray, y: FloatArray, centre: tuple[float, float], radii: tuple[float, float]
) -> FloatArray:
    """Return 1 inside an ellipse and 0 outside, with an edge of `EDGE` pixels."""
    ratio = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
    share: FloatArray = np.clip((1.0 - ratio) * min(radii) / EDGE + 0.5, 0.0, 1.0)
    return share


def brightness(chest: Chest) -> FloatArray:
    """Return the radiograph, (row, column), 0 to 1, bone bright."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float64)
    image = np.full((SIZE, SIZE), ROOM)
    image += _inside(x, y, *BODY) * (SOFT - image)
    if chest.lungs:
        lung = _inside(x, y, *THORAX)
        dome = DIAPHRAGM_ROW + DIAPHRAGM_DROP * ((np.abs(x - 256.0) - 95.0) / 85.0) ** 2
        lung = lung * np.clip((dome - y) / EDGE + 0.5, 0.0, 1.0)
        lung = (
            lung * (1.0 + 0.12 * np.sin(2.0 * math.pi * (y + 0.25 * np.abs(x - 256.0)) / 42.0)) / 1.12
        )
        image += lung * (LUNG - image)
    middle = (chest.heart[0] + chest.heart[1]) / 2.0
    radii = ((chest.heart[1] - chest.heart[0]) / 2.0, HEART_TALL)
    image += _inside(x, y, (middle, HEART_ROW), radii) * (HEART - image)
    spine = np.clip((SPINE_HALF - np.abs(x - chest.spine)) / EDGE + 0.5, 0.0, 1.0) * _inside(
        x, y, *BODY
    )
    image += spine * (SPINE - image)
    image += np.random.default_rng(SEED).normal(0.0, chest.noise, image.shape)
    if chest.marker:
        image[20:52, 470:494][LETTERS[chest.marker]] = 1.0
    return np.asarray(np.clip(image, 0.0, 1.0), dtype=np.float64)


def _letter(rows: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Return a letter of 8 by 6 cells as 32 by 24 pixels."""
    cells = np.array([[cell == "#" for cell in row] for row in rows])
    return np.asarray(np.kron(cells, np.ones((4, 4), dtype=bool)), dtype=np.bool_)


LETTERS = {
    "L": _letter(("##....",) * 6 + ("######",) * 2),
    "R": _letter(("#####.", "##..##", "##..##", "#####.", "####..", "##.##.", "##..##", "##..##")),
    "O": _letter((".####.", "##..##", "##..##", "##..##", "##..##", "##..##", "##..##", ".####.")),
    "H": _letter(("##..##",) * 3 + ("######",) * 2 + ("##..##",) * 3),
}


def context(
    chest: Chest, *, inputs: dict[str, Region] | None = None, view: str = "PA", **header: Any
) -> MeasureContext:
    """Wrap a radiograph as a series of one image."""
    stored = np.rint(brightness(chest) * TOP).astype(np.uint16)
    fields = {"view_position": view, "detector_spacing": SPACING, "spacing_source": "at detector"}
    return image_context(stored, inputs=inputs, **{**fields, **header})


def clicks(places: dict[str, tuple[float, float]]) -> dict[str, Region]:
    """Return clicks at (column, row) by role."""
    return {role: drawn_on(0, [place]) for role, place in places.items()}


def measured(name: str, ctx: MeasureContext) -> tuple[Evidence, ...]:
    """Run one tool of the radiograph by its name."""
    tool = next(one for one in TOOLS if one.name == name)
    return tool.measure(ctx, IdSource(), MaskStore())


HEARTS = ((206.0, 330.0), (198.0, 356.0), (190.0, 376.0), (182.0, 396.0))


def table() -> tuple[dict[str, object], ...]:
    """Return what the tools measure: area, measure, case, truth, found, error_percent, note."""
    rows: list[dict[str, object]] = []
    for heart in HEARTS:
        chest = Chest(heart=heart)
        (found,) = measured("cxr-cardiothoracic-ratio", context(chest))
        case = f"heart of {heart[1] - heart[0]:g} in a thorax of 360 pixels"
        value = next((one for one in found.values if one.name == "cardiothoracic_ratio"), None)
        if value is None:
            rows.append({**_plain("cardiothoracic_ratio", case, chest.ratio, None), "note": "refused"})
            continue
        covered = abs(value.value - chest.ratio) <= (value.uncertainty or 0.0)
        note = "" if covered else "outside the stated uncertainty"
        rows.append({**_plain("cardiothoracic_ratio", case, chest.ratio, value.value), "note": note})
    for letter in ("L", "R", "O", "H"):
        shown = picture(context(Chest(marker=letter)))
        assert isinstance(shown, Picture)
        found_letters = "".join(name for name, _ in letters(shown.full))
        truth = letter if letter in "LR" else ""
        rows.append(_plain("side marker", f"letter {letter}", 1.0, float(found_letters == truth)))
    ends = clicks({"tube_tip": (250.0, 140.0), "carina": (256.0, 190.0)})
    (tip,) = measured("cxr-tip-to-carina", context(Chest(), inputs=ends))
    truth_mm = math.hypot(6.0, 50.0) * SPACING[0]
    rows.append(_plain("tip_to_carina", "two clicks", truth_mm, tip.value("tip_to_carina").value))
    return tuple(rows)


def _plain(name: str, case: str, truth: float, found: float | None) -> dict[str, object]:
    return {
        "area": "radiograph",
        "measure": name,
        "case": case,
        "truth": truth,
        "found": found,
        "error_percent": None if found is None else 100.0 * (found - truth) / truth,
        "note": "",
    }

"""A reader's own hanging protocols: made from a layout, kept as a preference; a site's are files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viewer.imaging.hanging_facts import (
    directions,
    modalities,
    plane_of_series,
    regions_of,
    words_of,
)
from viewer.imaging.hanging_protocol import (
    MAMMOGRAPHY,
    HangingError,
    HangingProtocol,
    Links,
    SeriesRule,
    StudyRule,
    ViewportPlan,
    WindowChoice,
    bundled,
    read_protocol,
    write_protocol,
)
from viewer.imaging.own_presets import PRESETS
from viewer.imaging.study import Series, Study, WindowPreset

SITE_FOLDER = "hanging"
"""Sub-folder of the store's home with the protocols of a site, one JSON file each."""

FORMAT = "sightline.hanging/1"


@dataclass(frozen=True)
class Shown:
    """What one viewport of a layout shows.

    Parameters
    ----------
    prior
        0 for the study itself, else the number of the prior from 1.
    right, down
        Letters towards which the screen's right and lower edge point; empty without an orientation.
    """

    series: Series
    prior: int = 0
    window: WindowPreset | None = None
    zoom: float = 1.0
    right: str = ""
    down: str = ""


def of_layout(
    name: str,
    study: Study,
    shape: tuple[int, int],
    shown: Sequence[Shown | None],
    links: Links,
    *,
    tiles: bool = False,
) -> HangingProtocol:
    """Return a protocol that hangs studies like this one as it hangs now.

    It is for studies of the same modalities and body regions; where no region is named, the study's
    description decides. Each viewport takes the series of the same name, else of the same cut, side
    and view.
    """
    regions = tuple(sorted(regions_of(study)))
    phrase = " ".join(words_of(study.description))
    rule = StudyRule(
        all_modalities=modalities(study),
        regions=regions,
        words=(phrase,) if phrase and not regions else (),
        least_priors=max((one.prior for one in shown if one is not None), default=0),
    )
    plans: list[ViewportPlan] = []
    taken: set[str] = set()
    for one in shown:
        plans.append(ViewportPlan() if one is None else _plan(one, again=one.series.key in taken))
        if one is not None:
            taken.add(one.series.key)
    while plans and plans[-1] == ViewportPlan():
        plans.pop()
    return HangingProtocol(
        name=name,
        match=rule,
        rows=shape[0],
        columns=shape[1],
        viewports=tuple(plans[:1] if tiles else plans),
        tiles=tiles,
        links=links,
        own=True,
    )


def _plan(one: Shown, *, again: bool) -> ViewportPlan:
    series = one.series
    side = series.laterality.upper()[:1]
    alike = SeriesRule(
        modality=(series.modality,),
        plane=plane_of_series(series),
        view=(series.view_position.upper(),) if series.view_position else (),
        laterality="R" if side == "R" else "L" if side == "L" else "",
        prior=one.prior,
    )
    phrase = " ".join(words_of(series.description))
    named = (alike.model_copy(update={"words": (phrase,)}),) if phrase else ()
    is_breast = series.modality == "MG"
    right, down = directions(series)
    as_stored = (one.right[:1], one.down[:1]) == (right[:1], down[:1])
    orientation = "" if as_stored or not one.right or not one.down else f"{one.right[0]}\\{one.down[0]}"
    return ViewportPlan(
        show=(*named, alike),
        again=again,
        window=_window(one.window, series.modality),
        orientation=MAMMOGRAPHY if is_breast else orientation,
        justify="chest wall" if is_breast else "",
        zoom=min(max(round(one.zoom, 2), 0.1), 16.0),
    )


def _window(window: WindowPreset | None, modality: str) -> str | WindowChoice:
    if window is None or window.table is not None:
        return ""
    for preset in PRESETS.of(modality).values():
        if (preset.center, preset.width) == (window.center, window.width):
            return preset.explanation
    return WindowChoice(center=window.center, width=window.width)


# --- keeping -------------------------------------------------------------------------------------


def body_of(protocols: Iterable[HangingProtocol]) -> dict[str, Any]:
    """Return own protocols as the body of a preference."""
    return {"format": FORMAT, "protocols": [json.loads(write_protocol(one)) for one in protocols]}


def own_of(body: Mapping[str, Any] | None) -> tuple[HangingProtocol, ...]:
    """Return the own protocols of a preference; one that this version cannot read is left out."""
    found = []
    for one in () if body is None else body.get("protocols", ()):
        try:
            found.append(read_protocol(json.dumps(one)).model_copy(update={"own": True}))
        except HangingError:
            continue
    return tuple(found)


def of_site(home: Path) -> tuple[tuple[HangingProtocol, ...], tuple[str, ...]]:
    """Return the protocols of a site, and for each file that is none why, in words."""
    found, wrong = [], []
    for path in sorted((home / SITE_FOLDER).glob("*.json")):
        try:
            found.append(read_protocol(path.read_text(encoding="utf-8")))
        except (HangingError, OSError, UnicodeDecodeError) as error:
            wrong.append(f"{path.name}: {error}")
    return tuple(found), tuple(wrong)


def all_of(
    own: Sequence[HangingProtocol], site: Sequence[HangingProtocol]
) -> tuple[HangingProtocol, ...]:
    """Return all protocols in order: own, the site's, then those that come with the program.

    A name stands once: an own or a site's protocol takes the place of a bundled one of its name.
    """
    found: dict[str, HangingProtocol] = {}
    for protocol in (*own, *site, *bundled()):
        found.setdefault(protocol.name, protocol)
    return tuple(found.values())

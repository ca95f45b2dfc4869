"""Which hanging protocol fits a study, and which series then stands where, and how. No Qt.

`ranked` lists the protocols that fit a study with its priors, the best first, each with the reason in
words; `match` gives the first. The same study, priors and protocols always give the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viewer.imaging.hanging_facts import (
    any_stands_in,
    directions,
    image_count,
    is_comparable,
    is_first_phase,
    looked_up_once,
    modalities,
    pictures,
    reading_order,
    regions_of,
    study_words,
    turns_to_hang,
    words_of,
)
from viewer.imaging.hanging_protocol import (
    MAMMOGRAPHY,
    HangingProtocol,
    SeriesRule,
    StudyRule,
    ViewportPlan,
    WindowChoice,
    bundled,
)
from viewer.imaging.own_presets import PRESETS
from viewer.imaging.study import Series, Study, WindowPreset

CHEST_WALL = "chest wall"

BREAST_HANGING = {("R", "CC"): "P\\L", ("L", "CC"): "A\\R", ("R", "MLO"): "P\\F", ("L", "MLO"): "A\\F"}
"""Where the screen's right and lower edge point for each side and view: chest walls meet in the middle,
the lateral side (CC) and the axilla (MLO) are up."""

LATERAL_VIEWS = frozenset({"MLO", "ML", "LM", "LMO", "ISO", "SIO"})
"""View positions of mammography that hang like MLO; all others hang like CC (PS3.3 C.8.11.7)."""

POINTS = {"modality": 10, "regions": 20, "words": 15, "manufacturer": 10, "priors": 6}
"""What each condition that a protocol makes, and a study fulfils, adds to its score."""

POINTS_OF_A_NEED = 4
POINTS_OF_AN_EMPTY_PANE = -5
POINTS_OF_OWN = 100
"""A reader's own protocol hangs before any bundled one."""


AS_IT_CAME = HangingProtocol(name="Reading order", score=-1000)
"""What hangs when nothing else fits: the series with most images."""


@dataclass(frozen=True)
class Placed:
    """One viewport of a hanging.

    Parameters
    ----------
    prior
        0 for the study itself, else the number of the prior from 1.
    quarter_turns, mirrored
        How the image is turned to hang the wanted way up.
    justify
        "left", "right" or empty.
    window
        None for the image's own.
    """

    series: Series
    study: Study
    prior: int
    plan: ViewportPlan
    quarter_turns: int = 0
    mirrored: bool = False
    justify: str = ""
    window: WindowPreset | None = None

    @property
    def first(self) -> int | None:
        """Frame to begin with; none is the middle one."""
        return {"first": 0, "last": self.series.image_count - 1}.get(self.plan.start)


@dataclass(frozen=True)
class Hanging:
    """A protocol applied to a study.

    Parameters
    ----------
    panes
        One entry a viewport, row by row; none for an empty one.
    reason
        Why it fits, in words for the reader.
    """

    protocol: HangingProtocol
    panes: tuple[Placed | None, ...]
    score: int
    reason: str


def match(
    study: Study,
    priors: Sequence[Study] = (),
    protocols: Sequence[HangingProtocol] | None = None,
    *,
    width: int | None = None,
) -> Hanging:
    """Return the best hanging of a study; there always is one."""
    return ranked(study, priors, protocols, width=width)[0]


def ranked(
    study: Study,
    priors: Sequence[Study] = (),
    protocols: Sequence[HangingProtocol] | None = None,
    *,
    width: int | None = None,
) -> tuple[Hanging, ...]:
    """Return every protocol that fits, the best first; of equal ones the earlier in the list.

    Parameters
    ----------
    priors
        Earlier studies of the same patient, newest first.
    protocols
        The bundled ones for none.
    width
        Width of all viewports together, logical pixels; none asks for no width.
    """
    known = bundled() if protocols is None else protocols
    comparable = [prior for prior in priors if is_comparable(study, prior)]
    found = []
    with looked_up_once():
        for protocol in (*known, AS_IT_CAME):
            reasons = _fits(protocol.match, study, comparable, width)
            if reasons is None:
                continue
            panes = _placed(protocol, study, comparable)
            if any(panes) or protocol is AS_IT_CAME:
                found.append(_hanging(protocol, panes, reasons))
    return tuple(sorted(found, key=lambda hanging: -hanging.score))


def _hanging(
    protocol: HangingProtocol, panes: tuple[Placed | None, ...], reasons: dict[str, str]
) -> Hanging:
    empty = 0 if protocol.tiles else panes.count(None)
    score = (
        protocol.score
        + sum(POINTS.get(condition, 0) for condition in reasons)
        + POINTS_OF_A_NEED * len(protocol.match.needs)
        + POINTS_OF_AN_EMPTY_PANE * empty
        + (POINTS_OF_OWN if protocol.own else 0)
    )
    words = ", ".join(reasons.values()) or "any study"
    if protocol is AS_IT_CAME:
        words = "any study, most images first"
    if protocol.own:
        words = f"your own; {words}"
    if empty:
        words += f"; {empty} of {len(panes)} viewports stay empty"
    return Hanging(protocol, panes, score, words)


def _fits(
    rule: StudyRule, study: Study, priors: Sequence[Study], width: int | None
) -> dict[str, str] | None:
    """Return why a rule fits, one text a condition, or none when it does not."""
    found = modalities(study)
    words = study_words(study)
    makers = words_of(" | ".join(series.manufacturer for series in pictures(study)))
    shown = [series for series in pictures(study) if is_first_phase(series)]
    largest = max((image_count(series) for series in shown), default=0)
    region = next((name for name in rule.regions if name in regions_of(study)), "")
    modality = next((name for name in rule.modality if name in found), "")
    phrase, maker = any_stands_in(rule.words, words), any_stands_in(rule.manufacturer, makers)
    refused = (
        bool(rule.modality) and not modality,
        not set(rule.all_modalities) <= set(found),
        bool(rule.regions) and not region,
        bool(rule.words) and not phrase,
        bool(any_stands_in(rule.without, words)),
        bool(rule.manufacturer) and not maker,
        len(shown) < rule.least_series,
        rule.most_series is not None and len(shown) > rule.most_series,
        largest < rule.least_images,
        len(priors) < rule.least_priors,
        width is not None and width < rule.least_width,
        not _has_all(rule.needs, study, priors),
    )
    if any(refused):
        return None
    reasons = {
        "modality": " and ".join(rule.all_modalities) or modality,
        "regions": region,
        "words": f'"{phrase}"' if phrase else "",
        "manufacturer": maker,
        "needs": _needed(rule.needs),
        "priors": f"prior of {_dated(priors[0])}" if rule.least_priors else "",
    }
    return {condition: text for condition, text in reasons.items() if text}


def _needed(needs: Sequence[SeriesRule]) -> str:
    """Say which series a rule found, shortest: "R CC, L CC" or "T1, T2, FLAIR"."""
    named = [
        " ".join((*([rule.laterality] if rule.laterality else ()), *(rule.view or rule.words)[:1]))
        for rule in needs
        if rule.prior == 0
    ]
    return ", ".join(dict.fromkeys(name.replace("*", "") for name in named if name))


def _dated(study: Study) -> str:
    date = study.date
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else "unknown date"


def _has_all(needs: Sequence[SeriesRule], study: Study, priors: Sequence[Study]) -> bool:
    taken: list[str] = []
    for rule in needs:
        source = _study_of(rule, study, priors)
        series = None if source is None else rule.find(source, taken)
        if series is None:
            return False
        taken.append(series.key)
    return True


def _study_of(rule: SeriesRule, study: Study, priors: Sequence[Study]) -> Study | None:
    if rule.prior == 0:
        return study
    return priors[rule.prior - 1] if rule.prior <= len(priors) else None


def _placed(
    protocol: HangingProtocol, study: Study, priors: Sequence[Study]
) -> tuple[Placed | None, ...]:
    """Return what each viewport shows: the rules first, then what is left in reading order."""
    plans = protocol.plans()
    panes: list[Placed | None] = [None] * len(plans)
    taken: list[str] = []
    for place, plan in enumerate(plans):
        for rule in plan.show:
            source = _study_of(rule, study, priors)
            first = panes[rule.like - 1] if 0 < rule.like <= place else None
            if source is None or (rule.like and first is None):
                continue
            model = None if first is None else first.series
            series = rule.find(source, () if plan.again else taken, model)
            if series is not None:
                taken.append(series.key)
                panes[place] = placed(series, source, plan, rule.prior)
                break
    for place, plan in enumerate(plans):
        free = [series for series in reading_order(study) if series.key not in taken]
        if not plan.show and free and not (protocol.tiles and place):
            taken.append(free[0].key)
            panes[place] = placed(free[0], study, plan)
    return tuple(panes)


def placed(series: Series, study: Study, plan: ViewportPlan, prior: int = 0) -> Placed:
    """Return a series as a plan hangs it: turned, justified and windowed."""
    wanted = plan.orientation
    if wanted == MAMMOGRAPHY:
        view = "MLO" if series.view_position.upper() in LATERAL_VIEWS else "CC"
        wanted = BREAST_HANGING.get((series.laterality.upper()[:1], view), "")
    right, _, down = wanted.partition("\\")
    turned = turns_to_hang(directions(series), (right, down)) if wanted else None
    turns, mirrored = turned or (0, False)
    justify: str = plan.justify
    if justify == CHEST_WALL:
        # The wall is at the edge that it was turned to; where the header does not say, nowhere.
        edges = {"R": "right", "L": "left"}
        justify = edges.get(series.laterality.upper()[:1], "") if turned is not None else ""
    return Placed(
        series, study, prior, plan, turns, mirrored, justify, _window(plan.window, series.modality)
    )


def _window(choice: str | WindowChoice, modality: str) -> WindowPreset | None:
    if isinstance(choice, WindowChoice):
        return WindowPreset(center=choice.center, width=choice.width)
    named = (preset for preset in PRESETS.of(modality).values() if preset.explanation == choice)
    return next(named, None)

"""How each series comes up in a pane: as a protocol hangs it, or as it was looked at before."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from viewer.imaging.hanging import Placed
from viewer.imaging.priors import PriorStudy
from viewer.views.viewport_state import ViewportState


def home_of(placed: Placed | None) -> ViewportState:
    """Return the state in which a protocol hangs a series; none hangs it as it came."""
    if placed is None:
        return ViewportState()
    return ViewportState(
        window=placed.window,
        magnification=placed.plan.zoom,
        quarter_turns=placed.quarter_turns,
        mirrored=placed.mirrored,
        justify=placed.justify,
    )


def prior_words(prior: PriorStudy) -> str:
    """Return what marks a series of an earlier study ("PRIOR 2011-05-14")."""
    date = prior.study.date
    iso = f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else date
    words = QCoreApplication.translate("ReadingArea", "PRIOR {date}").format(date=iso)
    other = QCoreApplication.translate("ReadingArea", "{prior}  not the same ID")
    return words if prior.same_id else other.format(prior=words)


class PaneViews:
    """States of series that left a pane, until another study is opened."""

    def __init__(self) -> None:
        self._in_pane: dict[tuple[int, str], ViewportState] = {}
        self._latest: dict[str, ViewportState] = {}

    def clear(self) -> None:
        """Forget everything: another study, or another hanging of this one."""
        self._in_pane.clear()
        self._latest.clear()

    def keep(self, pane: int, key: str, state: ViewportState) -> None:
        """Remember how a pane showed a series."""
        self._in_pane[pane, key] = state
        self._latest[key] = state

    def of(self, pane: int, key: str, *, here_only: bool = False) -> ViewportState | None:
        """Return how a series was shown in a pane, else how it was shown last, else none.

        Parameters
        ----------
        here_only
            The pane has a plan of its own for the series: how other panes showed it does not count.
        """
        found = self._in_pane.get((pane, key))
        return found if found is not None or here_only else self._latest.get(key)

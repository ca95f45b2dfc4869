"""How each series was looked at, in which pane: window and zoom come back with the series. No Qt."""

from __future__ import annotations

from viewer.views.viewport_state import ViewportState


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

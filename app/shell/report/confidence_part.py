"""How far a model's confidence can be believed here: curves from the signed reports of the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.desk import Desk
from app.review_records import Author, ReviewRecords, curves
from app.shell.parts import LightPart, PartContext
from inference.validation.calibration import Calibration
from viewer.imaging.study import Study

AT_ONCE = 100
"""Reports read as a study is opened; the rest with the next one."""


class ConfidencePart(LightPart):
    """Gives the evidence card the curves, read behind what the opened study needs of the store."""

    def __init__(self, context: PartContext) -> None:
        self._context = context
        self._records = ReviewRecords()

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return none: it only listens."""
        return {}

    def why_not(self, act: str) -> str:
        """Return nothing: there are no acts."""
        return ""

    def sit_down(self, desk: Desk) -> None:
        """Start from nothing: what a person may read is theirs."""
        self._records = ReviewRecords()
        self._context.panel.card.curves = {}

    def open_study(self, study: Study | None) -> None:
        """Read what was signed since, and fit the curves again."""
        desk, thread, records = self._context.desk(), self._context.store_thread(), self._records
        if study is None or desk is None or thread is None:
            return

        def done(found: dict[Author, Calibration]) -> None:
            if records is self._records:
                self._context.panel.card.curves = found

        # What cannot be read is said where it is opened; the card says "uncalibrated" meanwhile.
        thread.run(lambda: curves(records.collect(desk, AT_ONCE)), done, lambda _error: None)

    def close(self) -> None:
        """End nothing: the store's thread is the window's."""

"""The acts of images and parts on the reading page: done, or refused in words."""

from __future__ import annotations

from collections.abc import Callable

from app.shell.act_binding import act_of, act_text
from app.shell.parts import Parts
from viewer.views import act_reasons
from viewer.views.reading_area import ReadingArea


class ReadingActs:
    """Asks a part for its own acts, the images for all others.

    Parameters
    ----------
    say
        Says something that passes.
    """

    def __init__(self, area: ReadingArea, parts: Parts, say: Callable[[str], None]) -> None:
        self._area, self._parts, self._say = area, parts, say
        area.actLeft.connect(self._left)

    def do(self, act: str) -> bool:
        """Do an act of the viewer's table or of a part; false when it does not fit now."""
        return self._parts.perform(act) if self._parts.knows(act) else self._area.do(act)

    def why_not(self, act: str) -> str:
        """Return why an act of the viewer's table or of a part would do nothing now, or empty."""
        known = self._parts.knows(act)
        return self._parts.why_not(act) if known else act_reasons.why_not(self._area, act)

    def refuse(self, act: str, reason: str) -> None:
        """Tell why an act whose key was pressed is not done."""
        self._say(f"{act_text(act_of(act))}: {reason}")

    def _left(self, act: str) -> None:
        """Do what neither a viewport nor a workspace does, when it is a part's; else say why not."""
        reason = self.why_not(act)
        if reason:
            self.refuse(act, reason)
        else:
            self._parts.perform(act)

"""What the reading page has beside images and report: one part each for marks, objects of others, ...

A part does its own acts, may have a page in the side panel and may lay something over the images. The
page knows the parts by this protocol alone; `app.shell.part_table` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from PySide6.QtWidgets import QWidget

from app.desk import Desk
from app.engine import Engine
from app.report_model import ReportModel
from app.shell.background import Background
from app.shell.report.panel import ReportPanel
from app.shell.worklist.entries import Entry
from viewer.imaging.study import Study
from viewer.views.reading_area import ReadingArea
from viewer.views.theme import Theme


@dataclass(frozen=True)
class SidePage:
    """A page of the side panel.

    Parameters
    ----------
    name
        Stable id: what `PartContext.show_side_page` takes.
    title
        What the tab says, in the reader's language.
    """

    name: str
    title: str
    widget: QWidget


@dataclass(frozen=True)
class PartContext:
    """What a part may ask of the page it belongs to.

    Parameters
    ----------
    work
        Threads for what needs no store.
    desk, store_thread
        The desk of who is signed in, and the one thread on which its calls run; none before that.
    entry, study, model
        What is open; none while nothing is, or its report has not been read yet.
    say, problem
        Words that pass, and a problem that stays: title, why, what to do.
    show_side_page
        Opens the side panel at a page.
    save_all
        Saves report and parts now, then tells whether all of it is in the store.
    name_side_page
        Says something else on the tab of a page.
    """

    theme: Theme
    engine: Engine
    area: ReadingArea
    panel: ReportPanel
    work: Background
    desk: Callable[[], Desk | None]
    store_thread: Callable[[], Background | None]
    entry: Callable[[], Entry | None]
    study: Callable[[], Study | None]
    model: Callable[[], ReportModel | None]
    say: Callable[[str], None]
    problem: Callable[[str, str, str], None]
    show_side_page: Callable[[str], None]
    name_side_page: Callable[[str, str], None]
    window: Callable[[], QWidget]
    save_all: Callable[[Callable[[bool], None]], None]


class Part(Protocol):
    """One thing of its own on the reading page."""

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return what this part does, by the name of the act."""
        ...

    def why_not(self, act: str) -> str:
        """Return why one of its acts is not possible now, or empty."""
        ...

    def side_page(self) -> SidePage | None:
        """Return its page of the side panel, if it has one."""
        ...

    def sit_down(self, desk: Desk) -> None:
        """Work at this desk from now on; called before a study is opened."""
        ...

    def open_study(self, study: Study | None) -> None:
        """Hear that a study is opened (none: that it is closed); the area shows it already."""
        ...

    def flush(self, then: Callable[[bool], None]) -> None:
        """Save what is not saved yet, then tell whether that went well; the study closes after it."""
        ...

    def close(self) -> None:
        """End what runs; the window closes."""
        ...


class LightPart:
    """What a part answers that has no page and keeps nothing with a study or an account."""

    def side_page(self) -> SidePage | None:
        """Return none: there is nothing to list."""
        return None

    def sit_down(self, desk: Desk) -> None:
        """Need nothing of the desk."""

    def open_study(self, study: Study | None) -> None:
        """Do nothing of its own: the area shows the study already."""

    def flush(self, then: Callable[[bool], None]) -> None:
        """Nothing waits to be saved."""
        then(True)


@runtime_checkable
class PersonalPart(Protocol):
    """A part that keeps something for each account."""

    def signed_in(self) -> None:
        """Read what the one who has signed in keeps; the worklist is listed after it."""
        ...


@runtime_checkable
class KeepingPart(Protocol):
    """A part with work of its own that may not be saved yet."""

    @property
    def is_dirty(self) -> bool:
        """True while something is not in the store."""
        ...


MakePart = Callable[[PartContext], Part]


class Parts:
    """All parts of a page, asked as one."""

    def __init__(self, context: PartContext, makers: tuple[MakePart, ...]) -> None:
        self.all: tuple[Part, ...] = tuple(make(context) for make in makers)
        self._by_act = {act: part for part in self.all for act in part.acts()}

    def knows(self, act: str) -> bool:
        """Return whether an act is one of a part's."""
        return act in self._by_act

    def why_not(self, act: str) -> str:
        """Return why an act of a part is not possible now, or empty."""
        return self._by_act[act].why_not(act)

    def perform(self, act: str) -> bool:
        """Do an act; false when no part has it or it is not possible now."""
        part = self._by_act.get(act)
        if part is None or part.why_not(act):
            return False
        part.acts()[act]()
        return True

    def has_unsaved(self) -> bool:
        """Return whether a part has something that is not in the store."""
        return any(part.is_dirty for part in self.all if isinstance(part, KeepingPart))

    def pages(self) -> list[SidePage]:
        """Return the pages of the side panel, in the order of the parts."""
        return [page for page in (part.side_page() for part in self.all) if page is not None]

    def signed_in(self) -> None:
        """Let parts read what the account keeps."""
        for part in self.all:
            if isinstance(part, PersonalPart):
                part.signed_in()

    def flush(self, then: Callable[[bool], None]) -> None:
        """Let every part save, one after the other; `then` hears whether all of it went well."""

        def step(left: tuple[Part, ...], went_well: bool) -> None:
            if not left:
                then(went_well)
                return
            left[0].flush(lambda well: step(left[1:], went_well and well))

        step(self.all, True)

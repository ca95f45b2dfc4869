"""The worklist as it is read: each study in words, its problems, its priors, and the filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QCoreApplication

from app.desk import StudyRow
from app.shell.report import words as report_words
from app.shell.widgets import BadgeFrame
from inference.drafting.triage import NoSeries, choose_series
from reports.domain import ReportState
from viewer.imaging.priors import PriorFinder, PriorStudy
from viewer.imaging.study import Series, Study
from viewer.views.corner_text import badge_text, printed_age, printed_date, printed_name


def tr(text: str) -> str:
    """Translate a word of the worklist."""
    return QCoreApplication.translate("Worklist", text)


class Filter(StrEnum):
    """Groups at the left of the worklist."""

    ALL = "all"
    TO_READ = "to read"
    DRAFTED = "drafted"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    PROBLEMS = "problems"
    LAST_IMPORT = "last import"


@dataclass(frozen=True)
class BadgeWords:
    """A badge before it is drawn."""

    text: str
    glyph: str
    frame: BadgeFrame


@dataclass(frozen=True)
class Entry:
    """One study of the worklist in words."""

    row: StudyRow
    earlier: tuple[PriorStudy, ...] = ()
    """Earlier studies of the patient, newest first; also those that only share name and birth date."""
    is_new: bool = False
    """Came with the last import."""

    @property
    def study(self) -> Study:
        """The study itself."""
        return self.row.study

    @property
    def priors(self) -> int:
        """Earlier studies that are the patient's by ID."""
        return sum(prior.same_id for prior in self.earlier)

    @property
    def name(self) -> str:
        """Patient's name as printed."""
        return printed_name(self.study.patient.name) or tr("no name")

    @property
    def age_sex(self) -> str:
        """ "83 y M"; says when neither is given."""
        words = " ".join(filter(None, (printed_age(self.study.age), self.study.patient.sex)))
        return words or tr("not given")

    @property
    def date(self) -> str:
        """Study date as printed."""
        return printed_date(self.study.date) or tr("no date")

    @property
    def title(self) -> str:
        """What was examined: description, else body part or modality."""
        parts = (series.body_part.capitalize() for series in self.study.series if series.body_part)
        return self.study.description or next(parts, "") or tr("no description")

    @property
    def full_title(self) -> str:
        """Modality and what was examined; the modality once when the description names it."""
        words = self.title.upper().replace(",", " ").split()
        missing = [name for name in self.study.modalities if name not in words]
        return " ".join((*missing, self.title))

    @property
    def images(self) -> int:
        """Images in all series."""
        return sum(series.image_count for series in self.study.series)

    @property
    def problems(self) -> tuple[str, ...]:
        """What a reader should know before opening: geometry and text encoding, each once."""
        found = [badge_text(series.verdict) for series in self.study.series]
        if self.study.patient.encoding_suspect:
            found.append(tr("Text encoding suspect"))
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def badges(self) -> tuple[BadgeWords, ...]:
        """Problems first, then how far the report is."""
        problems = self.problems
        more = f" +{len(problems) - 1}" if len(problems) > 1 else ""
        found = [BadgeWords(problems[0] + more, "warning", BadgeFrame.PROBLEM)] if problems else []
        return (*found, *self.state_badges)

    @property
    def state_badges(self) -> tuple[BadgeWords, ...]:
        """How far the report is."""
        state = self.row.state
        if state is None or (state is ReportState.DRAFT and not self.row.has_text):
            return (BadgeWords(tr("No draft"), "minus", BadgeFrame.NONE),)
        text, glyph, frame = report_words.STATE_BADGES[state]
        badges = [BadgeWords(report_words.tr(text), glyph, frame)]
        if self.row.addenda:
            badges.append(BadgeWords(tr("Addendum"), "plus", BadgeFrame.FILLED))
        return tuple(badges)

    def matches(self, query: str, in_report: frozenset[str] = frozenset()) -> bool:
        """Return true when every word of the query stands somewhere in this entry.

        Parameters
        ----------
        in_report
            Words of the query that stand in the reports of the study.
        """
        study = self.study
        text = " ".join(
            (
                self.name, study.patient.patient_id, study.accession_number, self.date, study.date,
                self.title, self.age_sex, *study.modalities, *self.problems,
                *(series.description for series in study.series),
            )
        ).casefold()  # fmt: skip
        return all(word in in_report or word in text for word in query.casefold().split())

    def main_series(self) -> Series | None:
        """Return the series whose picture stands for the study."""
        try:
            return choose_series(self.study)
        except NoSeries:
            return next(iter(self.study.series), None)


FILTERS: dict[Filter, Callable[[Entry], bool]] = {
    Filter.ALL: lambda entry: True,
    Filter.TO_READ: lambda entry: entry.row.state is not ReportState.FINAL,
    Filter.DRAFTED: lambda entry: (
        entry.row.has_text and entry.row.state in (ReportState.DRAFT, ReportState.IN_REVIEW)
    ),
    Filter.PRELIMINARY: lambda entry: entry.row.state is ReportState.PRELIMINARY,
    Filter.FINAL: lambda entry: entry.row.state is ReportState.FINAL,
    Filter.PROBLEMS: lambda entry: bool(entry.problems),
    Filter.LAST_IMPORT: lambda entry: entry.is_new,
}
"""Which studies each group holds."""


def entries_of(rows: Iterable[StudyRow], new: frozenset[str] = frozenset()) -> tuple[Entry, ...]:
    """Return the worklist's entries; `new` holds the Study Instance UIDs of the last import."""
    listed = tuple(rows)
    finder = PriorFinder(row.study for row in listed)
    return tuple(
        Entry(
            row,
            earlier=finder.priors_of(row.study),
            is_new=row.study.study_instance_uid in new,
        )
        for row in listed
    )

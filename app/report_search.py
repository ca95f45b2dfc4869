"""Searching the text of reports: words that stand in them, with the place where they stand. No Qt.

The newest revision of each report is read once and kept as text while somebody is signed in; the store
stays the only place on disk, encrypted. Reports that change are read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.store.accounts import Account
    from reports.store.reports import Reports

AROUND = 16
"""Characters shown before the first word that was found."""

LONGEST = 160
"""Characters of a snippet."""

AT_ONCE = 200
"""Reports that one search reads at most: what else waits for the store is not held up."""


@dataclass(frozen=True)
class ReportHit:
    """What was found in the reports of a study.

    Parameters
    ----------
    words
        The words of the query that stand in them.
    snippet
        One line of text round the first.
    """

    words: frozenset[str]
    snippet: str


@dataclass(frozen=True)
class Found:
    """What a search has found so far.

    Parameters
    ----------
    hits
        By Study Instance UID.
    is_complete
        False while reports are left that were not read yet: search again.
    """

    hits: dict[str, ReportHit]
    is_complete: bool = True


class ReportSearch:
    """Finds words in the newest revisions of all reports."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._texts: dict[str, tuple[int, str, str]] = {}

    def forget(self) -> None:
        """Drop all texts: somebody signs out."""
        self._texts.clear()

    def find(self, query: str, account: Account) -> Found:
        """Return what stands in the reports of each study.

        A word counts wherever it stands, also within another, in any case.
        """
        wanted = query.casefold().split()
        if not wanted:
            return Found({})
        is_complete = self._read(account)
        found: dict[str, ReportHit] = {}
        for _revision, uid, text in self._texts.values():
            plain = text.casefold()
            words = frozenset(word for word in wanted if word in plain)
            before = found.get(uid)
            if words and (before is None or len(words) > len(before.words)):
                found[uid] = ReportHit(words, _snippet(text, min(map(plain.find, words))))
        return Found(found, is_complete)

    def _read(self, account: Account) -> bool:
        """Read reports that are new or have changed, some at once; false when more are left."""
        newest = self._reports.newest(account)
        for report_id in self._texts.keys() - newest.keys():
            del self._texts[report_id]
        changed = [
            report_id
            for report_id, (_uid, revision) in newest.items()
            if self._texts.get(report_id, (0, "", ""))[0] != revision
        ]
        for report_id in changed[:AT_ONCE]:
            uid, revision = newest[report_id]
            report = self._reports.latest(report_id, account)
            text = " ".join(" ".join(s.text.split()) for s in report.sentences)
            self._texts[report_id] = (revision, uid, text)
        return len(changed) <= AT_ONCE


def _snippet(text: str, place: int) -> str:
    """Return a line round a place, cut at words."""
    start = text.rfind(" ", 0, max(place - AROUND, 0)) + 1 if place > AROUND else 0
    end = start + LONGEST
    cut = text[start:end].rpartition(" ")[0] if end < len(text) else text[start:]
    before, after = "\u2026 " if start else "", " \u2026" if end < len(text) else ""
    return before + cut + after

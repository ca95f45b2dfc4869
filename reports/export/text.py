"""The report as plain text for the clipboard, and the words in which header values are printed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from reports.domain import Report, ReportState, Section, Sentence, StudyBlock
from reports.export.record import binding_signatures, is_signed

SECTION_TITLES: dict[Section, str] = {
    Section.TECHNIQUE: "Technique",
    Section.COMPARISON: "Comparison",
    Section.FINDINGS: "Findings",
    Section.IMPRESSION: "Impression",
}
"""Headings, in the order in which sections are printed."""

STATE_WORDS: dict[ReportState, str] = {
    ReportState.DRAFT: "DRAFT",
    ReportState.IN_REVIEW: "DRAFT",
    ReportState.PRELIMINARY: "PRELIMINARY",
    ReportState.FINAL: "FINAL",
    ReportState.ADDENDUM: "ADDENDUM",
}

MODALITY_WORDS: dict[str, str] = {
    "CR": "Radiograph",
    "CT": "CT",
    "DX": "Radiograph",
    "MG": "Mammography",
    "MR": "MRI",
    "NM": "Nuclear medicine",
    "PT": "PET",
    "RF": "Fluoroscopy",
    "US": "Ultrasound",
    "XA": "Angiography",
}
"""Modality (PS3.3 C.7.3.1.1.1) in words."""

SEX_WORDS = {"M": "male", "F": "female", "O": "other"}
"""Patient's Sex (PS3.3 C.7.1.1) in words."""

AGE_UNITS = {"Y": "y", "M": "months", "W": "weeks", "D": "days"}
"""Units of an Age String (PS3.5 6.2)."""


def state_word(report: Report) -> str:
    """Return the word in the state box; a report without its signature is a draft, whatever it says."""
    return STATE_WORDS[report.state] if is_signed(report) else "DRAFT"


def procedure_line(study: StudyBlock) -> str:
    """Return the study's description, or its modality in words where there is none."""
    return study.study_description or MODALITY_WORDS.get(study.modality, study.modality)


def person_words(name: str) -> str:
    """Return a Person Name (PS3.5 6.2.1) as "Family, Given Middle, Suffix"; other text as it is.

    Ideographic and phonetic groups follow in brackets.
    """
    groups = [_name_group(group) for group in name.split("=")]
    first, *others = [group for group in groups if group] or [""]
    return first + "".join(f" ({other})" for other in others)


def _name_group(group: str) -> str:
    if "^" not in group:
        return group.strip()
    family, given, middle, prefix, suffix, *_ = [part.strip() for part in group.split("^")] + [""] * 5
    rest = " ".join(part for part in (prefix, given, middle) if part)
    return ", ".join(part for part in (family, rest, suffix) if part)


def date_words(date: str) -> str:
    """Return a DICOM DA ("20080918") as "18 Sep 2008"; other text as it is."""
    try:
        return _day(datetime.strptime(date, "%Y%m%d"))
    except ValueError:
        return date


def time_words(time: str) -> str:
    """Return a DICOM TM ("094100.123") as "09:41"; other text as it is."""
    digits = time.partition(".")[0]
    return f"{digits[:2]}:{digits[2:4]}" if digits.isdigit() and len(digits) >= 4 else time


def moment_words(moment: str) -> str:
    """Return an ISO 8601 UTC moment as "20 Nov 2026 14:31:08 UTC"; other text as it is."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{_day(parsed)} {parsed:%H:%M:%S} UTC"


def age_words(age: str) -> str:
    """Return a DICOM AS ("083Y") as "83 y"; other text as it is."""
    number, unit = age[:-1], age[-1:]
    return f"{int(number)} {AGE_UNITS[unit]}" if number.isdigit() and unit in AGE_UNITS else age


def _day(moment: datetime) -> str:
    # Month names are written out here: strftime's would follow the locale of the process.
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{moment.day} {months[moment.month - 1]} {moment.year}"


def body_sections(report: Report) -> Iterator[tuple[Section, tuple[Sentence, ...]]]:
    """Yield the sections that have sentences in the body, in printed order."""
    for section in SECTION_TITLES:
        sentences = tuple(s for s in report.sentences if s.section is section and s.is_in_body)
        if sentences:
            yield section, sentences


def by_organ(sentences: tuple[Sentence, ...]) -> dict[str, tuple[Sentence, ...]]:
    """Group findings by organ, organs in order of first mention; "" holds those without one."""
    groups: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        groups.setdefault(sentence.organ, []).append(sentence)
    return {organ: tuple(group) for organ, group in groups.items()}


def prose(sentences: tuple[Sentence, ...]) -> str:
    """Join sentences into a paragraph."""
    return " ".join(sentence.text.strip() for sentence in sentences)


def report_text(report: Report) -> str:
    """Return the report as a clinician pastes it: body, signatures, state; no evidence, no marks.

    Parameters
    ----------
    report
        Any revision. One without its signature starts with a line that says it is a draft.
    """
    study = report.study
    lines = [] if is_signed(report) else ["DRAFT - not signed", ""]
    lines += [
        f"Radiology report: {procedure_line(study)}",
        f"Patient: {person_words(study.patient_name)}, {study.patient_id}",
        f"Study: {date_words(study.study_date)} {time_words(study.study_time)}".rstrip()
        + (f", accession {study.accession_number}" if study.accession_number else ""),
    ]
    if study.synthetic:
        lines.append("Synthetic study: no patient.")
    for section, sentences in body_sections(report):
        lines += ["", SECTION_TITLES[section].upper()]
        if section is Section.IMPRESSION:
            lines += [f"{number}. {s.text.strip()}" for number, s in enumerate(sentences, start=1)]
        else:
            for organ, group in by_organ(sentences).items():
                lines.append(f"{organ}: {prose(group)}" if organ else prose(group))
    if is_signed(report):
        lines.append("")
        lines += [
            f"Signed by {s.printed_name}, {s.role.value}, {moment_words(s.signed_at)}: "
            f"{s.state.value}. {s.meaning}"
            for s in binding_signatures(report)
        ]
    return "\n".join(lines) + "\n"

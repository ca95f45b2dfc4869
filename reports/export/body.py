"""The part a clinician reads: header, patient and study, sections as prose, signatures."""

from __future__ import annotations

import re

from reportlab.graphics.barcode.qr import QrCode
from reportlab.lib.enums import TA_RIGHT
from reportlab.pdfbase import pdfmetrics
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer

from reports.domain import Origin, Report, Review, Section, Sentence, Signature
from reports.export.fonts import Face, Typesetter
from reports.export.layout import ALL, FRAME, INSET, ROUNDED, Heading, grid, style
from reports.export.page import GREY, INK, TEXT_WIDTH
from reports.export.record import SHORT_CODE_HEX, binding_signatures, is_signed, short_code
from reports.export.text import (
    SECTION_TITLES,
    SEX_WORDS,
    age_words,
    body_sections,
    by_organ,
    date_words,
    moment_words,
    person_words,
    procedure_line,
    state_word,
    time_words,
)

TITLE = style("title", 16, 20, Face.SEMIBOLD)
PROCEDURE = style("procedure", 10.5, 14, colour=GREY)
STATE = style("state", 10.5, 12, Face.SEMIBOLD, alignment=1)
PLACE = style("place", 8, 11, colour=GREY, alignment=TA_RIGHT)
LABEL = style("label", 9, 13, colour=GREY)
VALUE = style("value", 9, 13)
PATIENT = style("patient", 9, 13, Face.SEMIBOLD)
BODY = style("body", 10.5, 15.5, spaceAfter=3)
NUMBERED = style("numbered", 10.5, 15.5, leftIndent=17, bulletIndent=0, spaceAfter=3)
NOTE = style("note", 8, 11, colour=GREY)
BOX_HEAD = style("box head", 8.5, 12, Face.SEMIBOLD)
BOX = style("box", 8.5, 12)
BOX_NOTE = style("box note", 8.5, 12, colour=GREY)


def body(
    report: Report, installation: str, report_sha256: str, log_index: int | None, setter: Typesetter
) -> list[Flowable]:
    """Return the flowables of the report itself, without marks of evidence, origin or risk."""
    flow = [_header(report, installation, setter), Spacer(0, 10), _study_block(report, setter)]
    flow += _under_block(report, setter)
    sections = list(body_sections(report))
    if not sections:
        flow += [Spacer(0, 14), Paragraph("No sentence has been written or accepted yet.", BODY)]
    for section, sentences in sections:
        flow += _section(section, sentences, setter)
    if is_signed(report):
        flow += [Spacer(0, 14), _signature_block(report, report_sha256, log_index, setter)]
    return flow


def _header(report: Report, installation: str, setter: Typesetter) -> Flowable:
    word = state_word(report)
    room = pdfmetrics.stringWidth(word, STATE.fontName, STATE.fontSize) + 18
    state = grid(
        [[Paragraph(word, STATE)]],
        [room],
        ("BOX", *ALL, 1.2, INK),
        ROUNDED,
        ("TOPPADDING", *ALL, 2.5),
        ("BOTTOMPADDING", *ALL, 5),
        hAlign="RIGHT",
    )
    left = [
        Paragraph("Radiology report", TITLE),
        Paragraph(setter.markup(procedure_line(report.study)), PROCEDURE),
    ]
    right = [state, Spacer(0, 4), Paragraph(setter.markup(installation), PLACE)]
    return grid([[left, right]], [TEXT_WIDTH - 190, 190], ("ALIGN", (1, 0), (1, 0), "RIGHT"))


def _study_block(report: Report, setter: Typesetter) -> Flowable:
    study = report.study
    born = date_words(study.birth_date)
    age = age_words(study.age)
    born_sex = (f"{born} ({age})" if born and age else born or age, SEX_WORDS.get(study.sex, study.sex))
    when = f"{date_words(study.study_date)} {time_words(study.study_time)}".strip()
    left = [
        ("Patient", person_words(study.patient_name)),
        ("ID", study.patient_id),
        ("Born, sex", ", ".join(part for part in born_sex if part)),
        ("Images", f"{study.image_count} {study.modality}".strip() if study.image_count else ""),
    ]
    right = [
        ("Study date", when),
        ("Accession", study.accession_number),
        ("Requested by", person_words(study.referring_physician)),
        (
            "Signed",
            moment_words(binding_signatures(report)[-1].signed_at)
            if is_signed(report)
            else "not signed",
        ),
    ]
    rows = [
        [
            Paragraph(label, LABEL),
            Paragraph(
                setter.markup(value or "\u2013", Face.SEMIBOLD if label == "Patient" else Face.REGULAR),
                PATIENT if label == "Patient" else VALUE,
            ),
            Paragraph(other_label, LABEL),
            Paragraph(setter.markup(other or "\u2013"), VALUE),
        ]
        for (label, value), (other_label, other) in zip(left, right, strict=True)
    ]
    asked = _question_row(report, setter)
    return grid(
        rows + asked,
        [68, TEXT_WIDTH / 2 - 68, 78, TEXT_WIDTH / 2 - 78],
        *FRAME,
        *([("SPAN", (1, -1), (-1, -1))] if asked else []),
        ("LEFTPADDING", *ALL, 9),
        ("RIGHTPADDING", *ALL, 4),
        ("TOPPADDING", (0, 0), (-1, 0), 6),
        ("BOTTOMPADDING", (0, -1), (-1, -1), 8),
    )


def _question_row(report: Report, setter: Typesetter) -> list[list[Flowable | str]]:
    """Return the row with the clinical question over the whole width; none when nobody asked one."""
    if not report.question:
        return []
    return [[Paragraph("Question", LABEL), Paragraph(setter.markup(report.question), VALUE), "", ""]]


def _under_block(report: Report, setter: Typesetter) -> list[Flowable]:
    """Return what must be known before reading: synthetic, draft, amended, unprintable characters."""
    notes: list[str] = []
    if report.study.synthetic:
        notes.append("<b>Synthetic study.</b> The images are computed; there is no patient.")
    if not is_signed(report):
        waiting = sum(
            1
            for sentence in report.sentences
            if sentence.is_in_body
            and sentence.origin is not Origin.PERSON
            and sentence.review is Review.UNREVIEWED
        )
        notes.append(
            "<b>Draft, not signed.</b> "
            + (
                f"{waiting} {'sentence' if waiting == 1 else 'sentences'} of the drafter "
                f"{'has' if waiting == 1 else 'have'} not been reviewed by a reader."
                if waiting
                else "No reader has taken responsibility for this text."
            )
        )
    if report.addendum_to:
        notes.append(
            f"<b>Addendum</b> to report {setter.markup(report.addendum_to)}, "
            "which stays as it was signed."
        )
    if setter.replaced:
        notes.append("<b>A box \u25a1 above</b> stands for a character that the printed font lacks.")
    bold = f'<font name="{Face.SEMIBOLD}" color="#111315">'
    return [
        Paragraph(note.replace("<b>", bold).replace("</b>", "</font>"), NOTE_ABOVE) for note in notes
    ]


NOTE_ABOVE = style("note above", 8.5, 12, colour=GREY, spaceBefore=5)


def _section(section: Section, sentences: tuple[Sentence, ...], setter: Typesetter) -> list[Flowable]:
    flow: list[Flowable] = [Heading(SECTION_TITLES[section])]
    if section is Section.IMPRESSION:
        flow += [
            Paragraph(setter.markup(unbroken(sentence)), NUMBERED, bulletText=f"{number}.")
            for number, sentence in enumerate(sentences, start=1)
        ]
        return flow
    for organ, group in by_organ(sentences).items():
        text = " ".join(setter.markup(unbroken(sentence)) for sentence in group)
        if organ:
            text = f'<font name="{Face.SEMIBOLD}">{setter.markup(organ, Face.SEMIBOLD)}.</font> {text}'
        flow.append(Paragraph(text, BODY))
    return flow


NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=%|[a-zA-Z\u00b5\u00b0]{1,3}\b)")
"""The space between a number and a short word after it, most often its unit."""


def unbroken(sentence: Sentence) -> str:
    """Return the text with no line break inside a measured value or before a unit."""
    text = sentence.text
    for slot in sentence.slots:
        value = text[slot.span.start : slot.span.end]
        text = text[: slot.span.start] + value.replace(" ", "\u00a0") + text[slot.span.end :]
    return NUMBER_AND_UNIT.sub("\u00a0", text).strip()


def _signature_block(
    report: Report, report_sha256: str, log_index: int | None, setter: Typesetter
) -> Flowable:
    rows = [_signature_lines(signature, setter) for signature in binding_signatures(report)]
    entry = "" if log_index is None else f", audit entry {log_index:,}"
    words: list[Flowable] = [line for lines in rows for line in [*lines, Spacer(0, 5)]]
    earlier = [s for s in report.signatures if s not in binding_signatures(report)]
    words += [
        Paragraph(
            setter.markup(
                f"An earlier text was signed {s.state.value} by {s.printed_name}, {s.role.value}, "
                f"{moment_words(s.signed_at)}."
            ),
            BOX_NOTE,
        )
        for s in earlier
    ]
    words.append(Paragraph(f"Code {short_code(report_sha256)}{entry}", BOX_NOTE))
    table = grid(
        [[words, _qr(report_sha256, log_index)]],
        [TEXT_WIDTH - 74, 74],
        *FRAME,
        *INSET,
        ("VALIGN", (1, 0), (1, 0), "MIDDLE"),
        ("ALIGN", (1, 0), (1, 0), "RIGHT"),
        ("LEFTPADDING", (1, 0), (1, 0), 0),
    )
    return KeepTogether([table])


def _signature_lines(signature: Signature, setter: Typesetter) -> list[Flowable]:
    who = f"Signed by {signature.printed_name}, {signature.role.value}"
    when = f"{moment_words(signature.signed_at)} by this machine\u2019s clock, {signature.state.value}"
    return [
        Paragraph(setter.markup(who, Face.SEMIBOLD), BOX_HEAD),
        Paragraph(setter.markup(when), BOX),
        Paragraph(setter.markup(signature.meaning), BOX_NOTE),
    ]


def qr_text(report_sha256: str, log_index: int | None) -> str:
    """Return what the QR code holds: the short code and the log index; no patient, no address."""
    entry = "" if log_index is None else str(log_index)
    return f"SIGHTLINE:1:{report_sha256[:SHORT_CODE_HEX]}:{entry}"


def _qr(report_sha256: str, log_index: int | None) -> Flowable:
    side = 52.0
    return QrCode(qr_text(report_sha256, log_index), width=side, height=side, qrBorder=0, qrLevel="M")

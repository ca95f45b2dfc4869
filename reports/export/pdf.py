"""From a report revision to the bytes of its PDF: its layout here, its record in `attached`.

The same input gives the same bytes. No conformance to PDF/A or PDF/UA is claimed: it was not checked.
"""

from __future__ import annotations

import io
from functools import partial

from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
)

import resources
from reports.audit.canonical import sha256_hex
from reports.export import appendix
from reports.export.attached import Hashes, attach
from reports.export.body import body
from reports.export.document import PdfDocument
from reports.export.fonts import Typesetter
from reports.export.layout import Heading
from reports.export.page import (
    BOTTOM,
    MARGIN,
    PAGE_HEIGHT,
    TEXT_WIDTH,
    TOP,
    NumberedCanvas,
    PageFurniture,
)
from reports.export.record import (
    SIGNED_STATES,
    ExportError,
    is_signed,
    record_json,
    report_sha256,
)
from reports.export.text import moment_words, person_words, procedure_line, state_word

__all__ = ["PdfDocument", "build_pdf"]

CITATIONS_ROOM = 110.0
"""Points that must be left on a page to begin the table of citations there: heading and two rows."""

APPENDIX_ROOM = CITATIONS_ROOM + 50.0
"""The same with the title of the appendix above it."""


def build_pdf(document: PdfDocument) -> bytes:
    """Return the PDF of a report, not yet sealed; unsigned ones carry DRAFT across each page.

    Raises
    ------
    ExportError
        The report says it is signed but holds no such signature, is of another study than the
        ledger, or holds values that cannot be written.
    """
    report, ledger = document.report, document.ledger
    if report.state in SIGNED_STATES and not is_signed(report):
        raise ExportError(
            f"Report {report.id} says it is {report.state.value} but holds no such signature of "
            "this text. It was not exported; sign it first."
        )
    if ledger.study_instance_uid != report.study.study_instance_uid:
        raise ExportError(
            "The evidence belongs to another study than the report. It was not exported; open the "
            "report from its own study."
        )
    record = record_json(document.record())
    hashes = Hashes(report_sha256(report), sha256_hex(record), state_word(report))
    pages = _lay_out(document, hashes)
    return attach(
        pages,
        record,
        hashes,
        program=document.program,
        printed_at=document.printed_at,
    )


def _lay_out(document: PdfDocument, hashes: Hashes) -> bytes:
    report = document.report
    setter = Typesetter()
    flow = body(report, document.installation, hashes.report, document.log_index, setter)
    flow += _appendix(document, hashes, setter)
    furniture = PageFurniture(
        title=setter.plain(f"Radiology report, {procedure_line(report.study)}"),
        state=state_word(report),
        notice=resources.NOTICE,
        patient=setter.plain(person_words(report.study.patient_name)),
        patient_id=setter.plain(report.study.patient_id)
        + (" (synthetic)" if report.study.synthetic else ""),
        draft=not is_signed(report),
    )
    buffer = io.BytesIO()
    template = BaseDocTemplate(buffer, pagesize=(2 * MARGIN + TEXT_WIDTH, PAGE_HEIGHT))
    frame = Frame(
        MARGIN,
        BOTTOM,
        TEXT_WIDTH,
        PAGE_HEIGHT - TOP - BOTTOM,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )
    template.addPageTemplates([PageTemplate(frames=[frame])])
    template.build(
        flow, canvasmaker=partial(NumberedCanvas, furniture=furniture, program=document.program)
    )
    return buffer.getvalue()


def _appendix(document: PdfDocument, hashes: Hashes, setter: Typesetter) -> list[Flowable]:
    report, ledger = document.report, document.ledger
    figures: dict[int, list[int]] = {}
    for image in document.key_images:
        for number in dict.fromkeys(outline.number for outline in image.outlines):
            figures.setdefault(number, []).append(image.number)
    # The note belongs to the signature; without one there is nothing it could witness.
    checkpoint = document.checkpoint if is_signed(report) else ""
    start = appendix.appendix_heading()
    rows = appendix.key_image_rows(document.key_images, ledger, setter)
    if rows:
        flow: list[Flowable] = [KeepTogether([*start, Spacer(0, 8), *rows[:1]]), *rows[1:]]
    else:
        flow = [CondPageBreak(APPENDIX_ROOM), *start]
    # Kept with its table the heading would take the whole table to the next page.
    flow += [CondPageBreak(CITATIONS_ROOM), Heading("Citations", keep_with_next=False)]
    flow += appendix.citation_table(report, appendix.Cited(ledger, figures, document.images), setter)
    flow += appendix.draft_lists(report, document.candidates, setter)
    flow += [
        Spacer(0, 14),
        appendix.boxed(
            appendix.model_lines(report, document.program, setter),
        ),
        Spacer(0, 8),
        appendix.boxed(appendix.record_lines(hashes.report, hashes.record, checkpoint, setter)),
        Spacer(0, 8),
    ]
    if setter.replaced:
        flow.append(
            Paragraph(
                "Characters the printed font lacks, shown as \u25a1: "
                f"{setter.replaced_words()}. The attached report.json holds them.",
                appendix.NOTE,
            )
        )
    flow.append(
        Paragraph(
            f"Printed {moment_words(document.printed_at)}. {resources.NOTICE_LONG}", appendix.NOTE
        )
    )
    return flow

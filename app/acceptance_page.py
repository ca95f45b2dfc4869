"""One page for the file of IT: what was tested of a model, what it may do, what that is bound to."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepInFrame,
    PageTemplate,
    Paragraph,
    Spacer,
)

import resources
from inference.evaluation.acceptance_record import AcceptanceRecord, Check, Outcome, Verdict
from inference.models.registry import ModelManifest
from reports.export.fonts import Face, Typesetter, draw
from reports.export.layout import Heading, grid, style
from reports.export.page import (
    FOOTER_PT,
    GREY,
    LINE,
    MARGIN,
    PAGE_HEIGHT,
    SETTINGS,
    TEXT_WIDTH,
)

_TITLE = style("title", 17, 21, Face.SEMIBOLD)
_VERDICT = style("verdict", 13, 17, Face.SEMIBOLD)
_BODY = style("body", 9, 12.5)
_STRONG = style("strong", 9, 12.5, Face.SEMIBOLD)
_QUIET = style("quiet", 8, 11, colour=GREY)
_HASH = style("hash", 7.5, 12.5, Face.MONO)

_VERDICTS = {
    Verdict.ACCEPTED: "Accepted: it may write drafts and propose findings in pictures.",
    Verdict.TEXT_ONLY: "Accepted for text only: it may write drafts, its word on pictures is not used.",
    Verdict.NOT_ACCEPTED: "Not accepted: it may not draft.",
}
_LINES = (("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE), ("TOPPADDING", (0, 0), (-1, -1), 3.5),
          ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5))  # fmt: skip


def acceptance_page(record: AcceptanceRecord, manifest: ModelManifest, vouched: str) -> bytes:
    """Return the page as PDF.

    Parameters
    ----------
    vouched
        Who vouches for the model, in words.
    """
    setter = Typesetter()

    def text(words: str, look: object = _BODY, face: Face = Face.REGULAR) -> Paragraph:
        return Paragraph(setter.markup(words, face), look)

    def checked(check: Check) -> list[Flowable]:
        strong = check.outcome is not Outcome.PASSED
        outcome = text(
            check.outcome.value, _STRONG if strong else _BODY, Face.SEMIBOLD if strong else Face.REGULAR
        )
        return [text(check.title), outcome, text(check.found), text(check.wanted or "–", _QUIET)]

    binding = record.binding
    about = (
        ("Model", f"{manifest.name} – {manifest.title}"),
        ("Family", f"{manifest.architecture}, projector {manifest.projector_type or 'none'}, prompt "
                   f"profile {manifest.prompt_profile}"),
        ("Licence", manifest.licence),
        ("Vouched for", vouched),
        ("Tested", record.tested),
    )  # fmt: skip
    bound = (
        ("Model file", binding.model), ("Projector", binding.projector or "none"),
        ("Prompt profile", binding.profile), ("Program", binding.program),
        ("Backend", binding.backend), ("Record", record.digest),
    )  # fmt: skip
    head = [text(word, _QUIET) for word in ("Check", "Result", "Found", "Wanted")]
    flow: list[Flowable] = [
        text("Acceptance test of a model", _TITLE, Face.SEMIBOLD),
        Spacer(0, 8),
        text(_VERDICTS[record.verdict], _VERDICT, Face.SEMIBOLD),
        Spacer(0, 10),
        grid([[text(name, _QUIET), text(words)] for name, words in about],
             (90, TEXT_WIDTH - 90), *_LINES),
        Spacer(0, 12),
        Heading("Checks"),
        grid([head, *map(checked, record.checks)], (128, 56, 190, TEXT_WIDTH - 374), *_LINES),
        Spacer(0, 12),
        Heading("Holds for exactly this"),
        grid([[text(name, _QUIET), text(words, _HASH, Face.MONO)] for name, words in bound],
             (90, TEXT_WIDTH - 90), *_LINES),
        Spacer(0, 6),
        text("When one of these changes the acceptance is void and the model must be tested again. The "
             "test uses synthetic pictures and random ledgers: it says nothing about real patients.",
             _QUIET),
        Spacer(0, 22),
        grid([[text("Filed by, date", _QUIET), text("")]], (90, TEXT_WIDTH - 90),
             ("LINEBELOW", (1, 0), (1, 0), 0.5, LINE)),
    ]  # fmt: skip
    buffer = io.BytesIO()
    template = BaseDocTemplate(buffer, pagesize=(2 * MARGIN + TEXT_WIDTH, PAGE_HEIGHT))
    height = PAGE_HEIGHT - 2 * MARGIN - 20
    frame = Frame(
        MARGIN, MARGIN + 20, TEXT_WIDTH, height,
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
    template.addPageTemplates([PageTemplate(frames=[frame], onPage=_foot)])
    page = KeepInFrame(TEXT_WIDTH, height, flow, mode="shrink")
    template.build([page], canvasmaker=partial(_canvas, program=binding.program))
    return buffer.getvalue()


def _canvas(*args: Any, program: str, **kwargs: Any) -> Canvas:
    canvas = Canvas(*args, **{**kwargs, **SETTINGS})
    canvas.setTitle("Acceptance test of a model")
    canvas.setCreator(program)
    return canvas


def _foot(canvas: Canvas, _: object) -> None:
    canvas.setStrokeColor(LINE)
    canvas.line(MARGIN, MARGIN + 6, MARGIN + TEXT_WIDTH, MARGIN + 6)
    draw(canvas, MARGIN, MARGIN - 8, resources.NOTICE, face=Face.REGULAR, size=FOOTER_PT)

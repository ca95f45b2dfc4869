"""The appendix: key images, the citations of each sentence, the model, the checkpoint, the codes.

A draft's appendix also holds the candidates and limitations; a signed one does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer

from reports.domain import Candidate, Evidence, Ledger, Origin, Quantity, Report, Sentence, SourceKind
from reports.export.body import BOX_HEAD
from reports.export.document import ImageReference
from reports.export.figure import KeyImageFlowable
from reports.export.fonts import Face, Typesetter
from reports.export.key_image import KeyImage, evidence_number
from reports.export.layout import ALL, FRAME, INSET, Heading, grid, style
from reports.export.page import GREY, INK, LINE, TEXT_WIDTH
from reports.export.record import is_signed
from reports.export.text import body_sections
from viewer.imaging.regions import Region, Shape

GAP = "\u00a0 "
"""Wider than a word space; ReportLab folds other spaces into one."""
GUTTER = 12.0
COLUMN = (TEXT_WIDTH - GUTTER) / 2
LONGEST_IMAGE_PT = 232.0
"""Greatest printed height of a key image: three rows of figures stand on a page."""

APPENDIX = style("appendix", 13, 17, Face.SEMIBOLD)
CAPTION = style("caption", 8, 11)
CELL = style("cell", 7.5, 10)
CELL_GREY = style("cell grey", 7.5, 10, colour=GREY)
CELL_HEAD = style("cell head", 7.5, 10, Face.SEMIBOLD)
SENTENCE = style("cited sentence", 8, 11, Face.MEDIUM)
NOTE = style("appendix note", 8, 11, colour=GREY)
LINE_STYLE = style("appendix line", 8.5, 12)
MONO = style("mono", 6.8, 9.4, Face.MONO, splitLongWords=1)

ORIGIN_WORDS: dict[Origin, str] = {
    Origin.MEASURED: "measured",
    Origin.MODEL: "drafted by the model",
    Origin.PERSON: "the reader\u2019s own statement",
}

CITATION_COLUMNS = (28.0, 138.0, 140.0, 84.0, TEXT_WIDTH - 390.0)
"""Widths for id, what, values, source, image."""


VALUE_NAMES = {"kvp": "tube voltage", "laa950": "LAA\u2212950"}
"""Slot names that are not words, as they are printed; others lose their underscores."""

LEADING_NUMBER = re.compile(r"^[\u2212+\-]?[\d.,]+")


def appendix_heading() -> list[Flowable]:
    """Return the rule and title that part the appendix from the report."""
    return [
        Spacer(0, 20),
        grid(
            [[Paragraph("Evidence", APPENDIX)]],
            [TEXT_WIDTH],
            ("LINEABOVE", *ALL, 1.2, INK),
            ("TOPPADDING", *ALL, 8),
        ),
    ]


def key_image_rows(images: Sequence[KeyImage], ledger: Ledger, setter: Typesetter) -> list[Flowable]:
    """Return the figures two to a row, each row kept on one page with its captions."""
    flow: list[Flowable] = []
    for at in range(0, len(images), 2):
        pair = images[at : at + 2]
        figures: list[Any] = [
            KeyImageFlowable(image, width=COLUMN, longest_height=LONGEST_IMAGE_PT, setter=setter)
            for image in pair
        ]
        captions: list[Any] = [_caption(image, ledger, setter) for image in pair]
        while len(figures) < 2:
            figures.append(None)
            captions.append(None)
        flow.append(
            grid(
                [figures, captions],
                [COLUMN + GUTTER, COLUMN],
                ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
                ("RIGHTPADDING", (0, 1), (0, 1), GUTTER),
                ("BOTTOMPADDING", (0, 0), (-1, 0), 4),
                ("NOSPLIT", (0, 0), (-1, 1)),
                spaceAfter=9,
            )
        )
    return flow


def _caption(image: KeyImage, ledger: Ledger, setter: Typesetter) -> list[Flowable]:
    """Return "Figure 1, region 3" with the caption, and what each number is unless that says it."""
    numbers = list(dict.fromkeys(one.number for one in image.outlines if not one.label))
    regions = ", ".join(str(number) for number in numbers)
    head = f"Figure {image.number}"
    if numbers:
        head += f", region{'s' if len(numbers) > 1 else ''} {regions}"
    bold = f'<font name="{Face.SEMIBOLD}">'
    lines = [Paragraph(f"{bold}{head}</font>{GAP}{setter.markup(image.caption)}", CAPTION)]
    labels = {n: found.label for n in numbers if (found := ledger.get(f"E{n}")) is not None}
    if len(labels) > 1 or not all(label in image.caption for label in labels.values()):
        named = [f"{bold}{n}</font>{GAP}{setter.markup(label)}" for n, label in labels.items()]
        lines.append(Paragraph((GAP * 2).join(named), CAPTION))
    return lines


@dataclass(frozen=True, eq=False)
class Cited:
    """What the table of citations looks things up in.

    Parameters
    ----------
    figures
        Evidence number -> figure numbers that show it.
    images
        SOP Instance UID -> how the image is called.
    """

    ledger: Ledger
    figures: Mapping[int, Sequence[int]]
    images: Mapping[str, ImageReference]


def citation_table(report: Report, cited: Cited, setter: Typesetter) -> list[Flowable]:
    """Return each sentence of the body with the evidence it cites."""
    head = [Paragraph(word, CELL_HEAD) for word in ("", "Evidence", "Values", "Source", "Image")]
    rows: list[list[Any]] = [head]
    commands: list[tuple[Any, ...]] = []
    for _, sentences in body_sections(report):
        for sentence in sentences:
            first = len(rows)
            rows.append([_sentence_cell(sentence, setter), None, None, None, None])
            commands += [
                ("SPAN", (0, first), (-1, first)),
                ("LINEABOVE", (0, first), (-1, first), 0.5, LINE),
                ("TOPPADDING", (0, first), (-1, first), 4.5),
            ]
            for evidence_id in dict.fromkeys(c.evidence_id for c in sentence.citations):
                rows.append(_evidence_row(sentence, evidence_id, cited, setter))
            commands.append(("BOTTOMPADDING", (0, len(rows) - 1), (-1, len(rows) - 1), 5.5))
            # A sentence stays with its evidence, unless it cites more than a page can hold.
            if len(rows) - first <= 12:
                commands.append(("NOSPLIT", (0, first), (-1, len(rows) - 1)))
    if len(rows) == 1:
        return [Paragraph("No sentence, so no citation.", NOTE)]
    table = grid(
        rows,
        CITATION_COLUMNS,
        ("RIGHTPADDING", *ALL, 7),
        ("TOPPADDING", *ALL, 1),
        ("BOTTOMPADDING", *ALL, 1),
        ("BOTTOMPADDING", (0, 0), (-1, 0), 4),
        *commands,
        repeatRows=1,
    )
    return [table]


def _sentence_cell(sentence: Sentence, setter: Typesetter) -> Flowable:
    origin = f'<font name="{Face.REGULAR}" color="#54595F">{ORIGIN_WORDS[sentence.origin]}</font>'
    return Paragraph(f"{setter.markup(sentence.text.strip(), Face.MEDIUM)}{GAP}{origin}", SENTENCE)


def _evidence_row(
    sentence: Sentence,
    evidence_id: str,
    cited: Cited,
    setter: Typesetter,
) -> list[Flowable]:
    label = Paragraph(setter.markup(evidence_id, Face.SEMIBOLD), CELL_HEAD)
    evidence = cited.ledger.get(evidence_id)
    if evidence is None:
        missing = Paragraph("This evidence is not in the ledger.", CELL)
        return [label, missing, Paragraph("", CELL), Paragraph("", CELL), Paragraph("", CELL)]
    citations = [c for c in sentence.citations if c.evidence_id == evidence_id]
    regions = [
        evidence.regions[c.region]
        for c in citations
        if c.region is not None and 0 <= c.region < len(evidence.regions)
    ] or list(evidence.regions[:1])
    regions += [r for r in evidence.regions if r.shape is Shape.MASK and r not in regions]
    seen = [c.view.sop_instance_uid for c in citations if c.view and c.view.sop_instance_uid]
    where = [_region_words(region, cited.images) for region in regions]
    where += [_image_words(uid, cited.images) for uid in seen if not regions]
    shown = cited.figures.get(evidence_number(evidence_id), ())
    if shown:
        where.append("Figure " + ", ".join(str(number) for number in shown))
    return [
        label,
        Paragraph(_label_markup(evidence, setter), CELL),
        Paragraph("<br/>".join(setter.markup(line) for line in _value_lines(evidence)), CELL),
        Paragraph(setter.markup(_source_words(evidence)), CELL_GREY),
        Paragraph("<br/>".join(setter.markup(line) for line in dict.fromkeys(where)), CELL_GREY),
    ]


def _label_markup(evidence: Evidence, setter: Typesetter) -> str:
    """Return the label, and under it in grey what a reader must know about the values."""
    lines = [setter.markup(evidence.label)]
    lines += [f'<font color="#54595F">{setter.markup(warning)}</font>' for warning in evidence.warnings]
    return "<br/>".join(lines)


def _value_lines(evidence: Evidence) -> list[str]:
    """Return each value with its uncertainty, or why there is none."""
    if evidence.refusal is not None:
        return [f"Refused: {evidence.refusal.reason}"]
    return [_value_words(value) for value in evidence.values]


def _value_words(quantity: Quantity) -> str:
    """Return "volume 2.00 \u00b1 0.03 L": the value as its own text prints it, with its half-width."""
    name = VALUE_NAMES.get(quantity.name, quantity.name.replace("_", " "))
    number = LEADING_NUMBER.match(quantity.text)
    words = quantity.text
    if quantity.uncertainty is not None and number is not None:
        rest = quantity.text[number.end() :]
        words = f"{number.group()} \u00b1 {half_width(quantity.uncertainty, number.group())}{rest}"
    return words if name in words else f"{name} {words}"


def half_width(uncertainty: float, number: str) -> str:
    """Return an uncertainty with the decimals of the printed number.

    It is rounded up: a half-width must not look better than it was stated.
    """
    places = len(number.partition(".")[2])
    step = 10.0**-places
    # A little under the step is taken off: 0.06 must not become 0.07 for its binary remainder.
    rounded = ceil(uncertainty / step - 1e-9) * step
    return f"{rounded:.{places}f}"


def _source_words(evidence: Evidence) -> str:
    source = evidence.source
    if source.kind is SourceKind.PERSON:
        return f"Drawn or stated by {source.name}"
    version = f" {source.version}" if source.version else ""
    digest = f", {source.sha256[:12]}\u2026" if source.sha256 else ""
    return f"{source.name}{version}{digest}"


def _region_words(region: Region, images: Mapping[str, ImageReference]) -> str:
    if region.shape is Shape.MASK:
        if region.segment:
            return f"Mask, segment {region.segment}"
        return f"Mask, series \u2026{region.series_instance_uid[-8:]}"
    return _image_words(region.sop_instance_uid or "", images)


def _image_words(uid: str, images: Mapping[str, ImageReference]) -> str:
    """Return "Se 2 Im 60, ...1.60": the tail of the UID tells images of one number apart."""
    reference = images.get(uid)
    tail = f"\u2026{uid[-8:]}"
    if reference is None:
        return f"Image {tail}" if uid else "Series"
    series = "" if reference.series_number is None else f"Se {reference.series_number} "
    number = "" if reference.instance_number is None else f"Im {reference.instance_number}"
    return f"{series}{number}, {tail}".lstrip(", ")


def draft_lists(report: Report, candidates: Sequence[Candidate], setter: Typesetter) -> list[Flowable]:
    """Return what only a draft shows: candidates nobody accepted, and what could not be assessed."""
    if is_signed(report):
        return []
    flow: list[Flowable] = []
    if candidates:
        flow.append(Heading("Candidates, not accepted"))
        flow += [
            _listed(candidate.evidence_id, candidate.text, candidate.reason, setter)
            for candidate in candidates
        ]
    if report.limitations:
        flow.append(Heading("Limitations"))
        flow += [_listed(limit.evidence_id, limit.text, "", setter) for limit in report.limitations]
    return flow


def _listed(evidence_id: str, text: str, reason: str, setter: Typesetter) -> Flowable:
    mark = (
        f'<font name="{Face.SEMIBOLD}">{setter.markup(evidence_id)}</font>{GAP}' if evidence_id else ""
    )
    after = f' <font color="#54595F">{setter.markup(reason)}</font>' if reason else ""
    return Paragraph(f"{mark}{setter.markup(text)}{after}", LISTED)


LISTED = style("listed", 8.5, 12, spaceAfter=2)


def model_lines(report: Report, program: str, setter: Typesetter) -> list[Flowable]:
    """Return which model wrote, its hash, and that it is a demonstration when it is."""
    model = report.model
    if model is None:
        return [
            Paragraph("No model wrote in this report", BOX_HEAD),
            Paragraph(setter.markup(program), NOTE),
        ]
    seed = "" if report.seed is None else f", seed {report.seed}"
    licence = f" Licence {model.licence}." if model.licence else ""
    lines = [
        Paragraph("Drafted with the model", BOX_HEAD),
        Paragraph(setter.markup(model.name), LINE_STYLE),
        Paragraph(f"sha256 {setter.markup(model.sha256, Face.MONO)}", MONO),
    ]
    if model.prompt_sha256:
        lines.append(Paragraph(f"prompt {setter.markup(model.prompt_sha256, Face.MONO)}", MONO))
    lines.append(Paragraph(setter.markup(f"{program}{seed}.{licence}"), NOTE))
    if model.demonstration:
        lines.append(
            Paragraph("This is a small demonstration model; its text has no clinical standing.", NOTE)
        )
    return lines


def record_lines(
    report_sha256: str, record_sha256: str, checkpoint: str, setter: Typesetter
) -> list[Flowable]:
    """Return the hashes of the record and the audit log's checkpoint, as a witness on paper."""
    lines: list[Flowable] = [
        Paragraph("Record", BOX_HEAD),
        Paragraph(f"report {report_sha256}", MONO),
        Paragraph(f"record {record_sha256}", MONO),
        Paragraph(
            "SHA-256 of the report and of the attached report.json (RFC 8785). "
            "The time is this machine\u2019s; no trusted time is claimed.",
            NOTE,
        ),
    ]
    if checkpoint:
        lines += [Spacer(0, 4), Paragraph("Audit log at the signature (signed checkpoint)", BOX_HEAD)]
        lines += [
            Paragraph(setter.markup(line, Face.MONO) or "\u00a0", MONO)
            for line in checkpoint.rstrip("\n").split("\n")
        ]
    return lines


def boxed(*columns: list[Flowable]) -> Flowable:
    """Return one framed block, its columns side by side, kept on one page."""
    width = TEXT_WIDTH / len(columns)
    return KeepTogether([grid([columns], [width] * len(columns), *FRAME, *INSET)])

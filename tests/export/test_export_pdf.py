"""The PDF holds what a clinician reads, its evidence, and nothing that a reader did not sign."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import export_sample
import numpy as np
import pikepdf
import pytest
from export_sample import DRAFT, LEDGER, Tool, document, key_image, sentence, signed
from PIL import Image

import resources
from reports.domain import Quantity, Refusal, Report, ReportState, Section, Slot, Span
from reports.export.appendix import half_width
from reports.export.attached import read_attached
from reports.export.body import qr_text, unbroken
from reports.export.figure import scale_bar
from reports.export.key_image import KeyImage, Outline
from reports.export.pdf import build_pdf
from reports.export.record import ExportError, report_sha256
from reports.export.text import report_text


def pages(tool: Tool, pdf: bytes) -> list[str]:
    """Return the text of each page with runs of white space as one blank."""
    printed = tool("pdftotext", pdf, "-", before=("-layout",))
    return [" ".join(page.split()) for page in printed.split("\f") if page.strip()]


def test_the_same_report_gives_the_same_bytes(final_pdf: bytes) -> None:
    assert build_pdf(document(signed())) == final_pdf


def test_qpdf_finds_no_fault(tool: Tool, final_pdf: bytes, draft_pdf: bytes) -> None:
    assert "No syntax or stream encoding errors" in tool("qpdf", final_pdf, before=("--check",))
    assert "No syntax or stream encoding errors" in tool("qpdf", draft_pdf, before=("--check",))


def test_all_fonts_are_embedded(tool: Tool, final_pdf: bytes) -> None:
    lines = tool("pdffonts", final_pdf).splitlines()[2:]
    assert lines
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in lines), "\n".join(lines)


def test_each_page_carries_notice_patient_and_page_number(tool: Tool, final_pdf: bytes) -> None:
    printed = pages(tool, final_pdf)
    for number, page in enumerate(printed, start=1):
        assert resources.NOTICE in page
        assert "DEMO, Patient One, LUNG1-001 (synthetic)" in page
        assert f"Page {number} of {len(printed)}" in page
        assert "FINAL" in page
        assert "DRAFT" not in page


def test_the_body_is_prose_without_marks_of_evidence_or_origin(tool: Tool, final_pdf: bytes) -> None:
    text = " ".join(pages(tool, final_pdf))
    body = text[: text.index("Evidence")]
    assert "Lungs. Right lung volume 2.81 L. Nodule in the left upper lobe, 8 mm." in body
    assert "1. Left upper lobe nodule, 8 mm." in body
    for mark in ("E1", "E2", "E3", "[1]", "measured", "drafted by"):
        assert mark not in body


def test_the_question_stands_in_the_block_of_the_study(tool: Tool) -> None:
    asked = DRAFT.model_copy(update={"question": "Nodule in the left upper lobe?"})
    text = " ".join(pages(tool, build_pdf(document(signed(asked)))))
    assert "Question Nodule in the left upper lobe?" in text
    assert "Question" not in " ".join(pages(tool, build_pdf(document(signed()))))


def test_rejected_and_struck_sentences_are_not_printed(tool: Tool, final_pdf: bytes) -> None:
    text = " ".join(pages(tool, final_pdf))
    assert "Rejected machine words" not in text
    assert "Struck machine words" not in text


def test_the_appendix_names_evidence_value_source_and_image(tool: Tool, final_pdf: bytes) -> None:
    text = " ".join(pages(tool, final_pdf))
    appendix = text[text.index("Evidence") :]
    for words in ("volume 2.81 ± 0.06 L", "Lung volume 1.0", "Se 2 Im 3", "Figure 1", "b31becdf" * 8):
        assert words in appendix
    assert "demonstration model" in appendix
    assert "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=" in appendix


def test_the_signature_shows_name_role_time_and_meaning(tool: Tool, final_pdf: bytes) -> None:
    text = " ".join(pages(tool, final_pdf))
    assert "Signed by Dr R. Okafor, radiologist" in text
    assert "20 Nov 2026 14:31:08 UTC by this machine\u2019s clock, final" in text
    assert "the report is mine" in text


@pytest.mark.parametrize(
    ("uncertainty", "number", "printed"),
    [(0.029, "2.00", "0.03"), (6.05, "\u2212820", "7"), (0.053, "0.7", "0.1"), (0.06, "2.81", "0.06")],
)
def test_an_uncertainty_has_the_decimals_of_its_value(
    uncertainty: float, number: str, printed: str
) -> None:
    assert half_width(uncertainty, number) == printed


def test_a_value_is_not_broken_from_its_unit() -> None:
    text = "Nodule of 8 mm at 0.7 % below \u2212950 HU in 134 images."
    slots = (Slot(span=Span(start=41, end=51), evidence_id="E1", value="images"),)
    printed = unbroken(sentence(1, Section.FINDINGS, text).model_copy(update={"slots": slots}))
    assert printed.replace("\u00a0", "_") == (
        "Nodule of 8_mm at 0.7_% below \u2212950_HU in 134_images."
    )


def test_an_earlier_signature_is_named_as_one_of_an_earlier_text(tool: Tool) -> None:
    preliminary = signed(state=ReportState.PRELIMINARY)
    changed = sentence(1, Section.TECHNIQUE, "CT of the chest, contrast-enhanced.", "E1")
    edited = preliminary.model_copy(update={"sentences": (changed, *DRAFT.sentences[1:])})
    text = " ".join(pages(tool, build_pdf(document(signed(edited)))))
    assert text.count("Signed by Dr R. Okafor") == 1
    assert "An earlier text was signed preliminary by Dr R. Okafor" in text


def test_warnings_and_refusals_of_cited_evidence_are_printed(tool: Tool) -> None:
    refusal = Refusal(code="geometry", reason="Slices are missing.")
    first, second, third = LEDGER.evidence
    ledger = LEDGER.model_copy(
        update={
            "evidence": (
                first,
                second.model_copy(update={"warnings": ("Slices are thicker than 2.5 mm.",)}),
                third.model_copy(update={"refusal": refusal}),
            )
        }
    )
    text = tool("pdftotext", build_pdf(document(signed(), ledger=ledger)), "-", before=("-raw",))
    assert "Slices are thicker than 2.5 mm." in " ".join(text.split())
    assert "Refused: Slices are missing." in " ".join(text.split())


def test_only_a_draft_shows_candidates_and_limitations(
    tool: Tool, draft_pdf: bytes, final_pdf: bytes
) -> None:
    draft, final = " ".join(pages(tool, draft_pdf)), " ".join(pages(tool, final_pdf))
    for words in ("Second nodule, right lower lobe.", "Coronary calcium: the scan is not gated."):
        assert words in draft
        assert words not in final


def test_a_draft_has_its_watermark_on_each_page(
    draft_pdf: bytes, final_pdf: bytes, tmp_path: Path
) -> None:
    def marked(grey: np.ndarray) -> float:
        # The watermark on white paper: a middle grey at 30 %.
        return float(np.mean((grey > 208) & (grey < 226)))

    draft = rendered(draft_pdf, tmp_path)
    assert len(draft) >= 2
    assert all(marked(page) > 0.04 for page in draft)
    assert all(marked(page) < 0.01 for page in rendered(final_pdf, tmp_path)[1:])


def test_the_watermark_cannot_be_switched_off(draft_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(draft_pdf)) as pdf:
        # No annotation and no optional content: it is drawn in the page itself.
        assert "/OCProperties" not in pdf.Root
        assert all("/Annots" not in page.obj for page in pdf.pages)


@pytest.mark.parametrize("state", [ReportState.PRELIMINARY, ReportState.FINAL, ReportState.ADDENDUM])
def test_a_report_that_only_says_it_is_signed_is_not_exported(state: ReportState) -> None:
    with pytest.raises(ExportError, match="sign it first"):
        build_pdf(document(DRAFT.model_copy(update={"state": state})))


def test_a_text_changed_after_its_signature_is_not_exported() -> None:
    changed = sentence(1, Section.TECHNIQUE, "CT of the abdomen.", "E1")
    forged = signed().model_copy(update={"sentences": (changed, *DRAFT.sentences[1:])})
    with pytest.raises(ExportError, match="no such signature of this text"):
        build_pdf(document(forged))


def test_evidence_of_another_study_is_refused() -> None:
    other = LEDGER.model_copy(update={"study_instance_uid": "1.2.3"})
    with pytest.raises(ExportError, match="another study"):
        build_pdf(document(ledger=other))


def test_a_value_that_json_cannot_carry_is_refused_in_words() -> None:
    broken = export_sample.evidence(
        1, "Volume", Quantity(name="volume", value=float("nan"), unit="L", text="")
    )
    ledger = LEDGER.model_copy(update={"evidence": (broken,)})
    with pytest.raises(ExportError, match="cannot be written as JSON"):
        build_pdf(document(ledger=ledger))


def test_markup_in_a_name_is_printed_as_text(tool: Tool) -> None:
    name = "<b>Bold</b> & </para><a>x</a>"
    study = DRAFT.study.model_copy(update={"patient_name": name, "study_description": "</para><i>CT"})
    text = " ".join(pages(tool, build_pdf(document(DRAFT.model_copy(update={"study": study})))))
    assert name in text
    assert "</para><i>CT" in text


def test_a_character_without_a_glyph_is_shown_and_listed(tool: Tool) -> None:
    study = DRAFT.study.model_copy(update={"patient_name": "Kim^Minsu=\uae40^\ubbfc\uc218"})
    pdf = build_pdf(document(DRAFT.model_copy(update={"study": study})))
    text = " ".join(pages(tool, pdf))
    assert "Kim, Minsu (\u25a1, \u25a1\u25a1)" in text
    for code in ("U+AE40", "U+BBFC", "U+C218"):
        assert code in text
    attached = read_attached(pdf)
    assert attached is not None
    assert attached.record.report.study.patient_name.endswith("\ubbfc\uc218")


def test_chinese_is_printed_with_glyphs_of_its_own(tool: Tool) -> None:
    study = DRAFT.study.model_copy(update={"patient_name": "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce"})
    said = DRAFT.sentences[0].model_copy(
        update={"text": "\u53f3\u80ba\u5bb9\u79ef2.90 L\u3002", "slots": (), "citations": ()}
    )
    changed = {"study": study, "sentences": (said,)}
    text = " ".join(pages(tool, build_pdf(document(DRAFT.model_copy(update=changed)))))
    assert "Yamada, Tarou (\u5c71\u7530, \u592a\u90ce)" in text and "\u25a1" not in text
    assert "\u53f3\u80ba\u5bb9\u79ef" in text and "2.90" in text


def test_direction_overrides_do_not_reach_the_paper(tool: Tool) -> None:
    study = DRAFT.study.model_copy(update={"patient_id": "12\u202e43\u0007\u200b5"})
    text = " ".join(pages(tool, build_pdf(document(DRAFT.model_copy(update={"study": study})))))
    assert "12435" in text


def test_the_attached_report_is_the_report(final_pdf: bytes) -> None:
    attached = read_attached(final_pdf)
    assert attached is not None
    assert attached.record.report == signed()
    assert attached.record.ledger == LEDGER
    assert attached.record.candidates == ()
    assert attached.record.checkpoint == export_sample.NOTE
    assert attached.record.trace is not None
    assert attached.record.trace.events[0].subject == "Lung volume"
    assert Report.model_validate_json(attached.record.report.model_dump_json(by_alias=True)) == signed()
    assert attached.hashes.report == report_sha256(signed())


def test_the_attachment_is_associated_and_the_colour_space_named(final_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(final_pdf)) as pdf:
        assert pdf.Root.AF[0].AFRelationship == pikepdf.Name.Data
        assert pdf.Root.OutputIntents[0].OutputConditionIdentifier == "sRGB"
        assert b"pdfaid" not in bytes(pdf.Root.Metadata.read_bytes())


def test_title_and_metadata_hold_no_patient_data(final_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(final_pdf)) as pdf:
        seen = bytes(pdf.Root.Metadata.read_bytes()).decode() + str(dict(pdf.docinfo.items()))
    for secret in ("DEMO", "LUNG1", "A-0001", "1925"):
        assert secret not in seen


def test_the_code_holds_hash_and_log_index_only() -> None:
    digest = report_sha256(signed())
    assert qr_text(digest, 1842) == f"SIGHTLINE:1:{digest[:32]}:1842"


def long_document(state: ReportState = ReportState.FINAL) -> tuple[int, bytes]:
    findings = tuple(
        sentence(
            number + 10,
            Section.FINDINGS,
            f"Finding {number} of the liver, a small lesion that is described at some length here.",
            "E2",
            "E3",
            organ=f"Organ {number // 4}",
        )
        for number in range(40)
    )
    study = DRAFT.study.model_copy(
        update={
            "patient_name": "Wolfeschlegelsteinhausenbergerdorff " * 8,
            "study_description": "CT " * 80,
        }
    )
    report = DRAFT.model_copy(update={"sentences": findings, "study": study})
    figures = tuple(key_image(number, 2, 3) for number in range(1, 21))
    return len(findings), build_pdf(document(signed(report, state), key_images=figures))


def test_forty_findings_and_twenty_figures_paginate_with_no_heading_left_behind(tool: Tool) -> None:
    count, pdf = long_document()
    printed = tool("pdftotext", pdf, "-", before=("-layout",)).split("\f")[:-1]
    assert len(printed) > 5
    text = " ".join(" ".join(page.split()) for page in printed)
    for number in range(count):
        assert text.count(f"Finding {number} of the liver") == 2
    for number in range(1, 21):
        assert f"Figure {number}, regions 2, 3 Nodule" in text
    for page in printed:
        assert "LUNG1-001" in page
        assert last_line(page) not in HEADINGS


HEADINGS = {"TECHNIQUE", "FINDINGS", "IMPRESSION", "CITATIONS", "Evidence"}


def last_line(page: str) -> str:
    """Return the last line of a page above its footer."""
    lines = [line.strip() for line in page.splitlines() if line.strip()]
    footer = next(at for at, line in enumerate(lines) if line.startswith(resources.NOTICE))
    return lines[footer - 1]


@pytest.mark.parametrize("count", range(16, 34, 2))
def test_no_heading_is_left_at_the_foot_of_a_page(tool: Tool, count: int) -> None:
    # Each step moves what follows by two lines, so that every heading passes the foot of a page.
    findings = tuple(
        sentence(number, Section.FINDINGS, "Finding without evidence.", organ=f"Organ {number}")
        for number in range(1, count)
    )
    report = DRAFT.model_copy(update={"sentences": (*findings, *DRAFT.sentences)})
    pdf = build_pdf(document(signed(report), key_images=()))
    printed = tool("pdftotext", pdf, "-", before=("-layout",)).split("\f")[:-1]
    assert [last_line(page) for page in printed if last_line(page) in HEADINGS] == []


def test_a_key_image_must_be_grey_or_colour_and_its_points_pairs() -> None:
    with pytest.raises(ExportError, match="8-bit grey"):
        replace(key_image(), grey=np.zeros((4, 4, 2), dtype=np.uint8))
    with pytest.raises(ExportError, match="column/row"):
        KeyImage(1, key_image().grey, (Outline(1, np.zeros((0, 2))),), "")


def test_the_outline_lies_on_the_pixels_it_was_given_for(tmp_path: Path) -> None:
    dark = np.zeros((60, 100), dtype=np.uint8)
    box = np.array([(30.0, 20.0), (70.0, 20.0), (70.0, 40.0), (30.0, 40.0)])
    image = KeyImage(1, dark, (Outline(3, box),), "Box", pixel_spacing=(1.0, 1.0))
    pdf = build_pdf(document(signed(), key_images=(image,)))
    grey = rendered(pdf, tmp_path)[0]
    # Left of the box the black image is the longest dark run of this column of the page.
    dark_rows = np.flatnonzero(grey[:, 150] < 40)
    run = max(np.split(dark_rows, np.flatnonzero(np.diff(dark_rows) > 1) + 1), key=len)
    top, bottom = int(run[0]), int(run[-1])
    left = int(np.flatnonzero(grey[top + 3] < 90)[0])
    scale = (bottom - top + 1) / 60
    for row in (20.5, 40.5):
        line = grey[round(top + row * scale), :]
        inside = line[round(left + 35 * scale) : round(left + 50 * scale)]
        assert np.median(inside) > 200, f"no white line at row {row}"
    middle = grey[round(top + 30 * scale), round(left + 50 * scale)]
    assert middle < 60


def rendered(pdf: bytes, folder: Path) -> list[np.ndarray]:
    """Return the pages rendered grey at 150 dpi."""
    program = shutil.which("pdftoppm")
    if program is None:
        pytest.skip("pdftoppm is not installed (Debian: apt-get install poppler-utils)")
    target = Path(tempfile.mkdtemp(dir=folder))
    (target / "page.pdf").write_bytes(pdf)
    subprocess.run(
        [program, "-r", "150", "-gray", "page.pdf", "page"], cwd=target, check=True, timeout=60
    )
    pages = []
    for path in sorted(target.glob("page*.pgm")):
        with Image.open(path) as page:
            pages.append(np.asarray(page))
    return pages


@pytest.mark.parametrize(
    ("columns", "spacing", "label"),
    [(512, 0.8, "10 cm"), (512, 0.1, "1 cm"), (100, 0.05, "1 mm"), (512, None, "100 px")],
)
def test_the_scale_bar_is_round_and_counts_pixels_when_not_calibrated(
    columns: int, spacing: float | None, label: str
) -> None:
    bar = scale_bar(columns, spacing)
    assert bar.label == label
    assert 0.05 < bar.share <= 0.26


def test_plain_text_has_the_body_and_says_when_it_is_a_draft() -> None:
    text = report_text(signed())
    assert "FINDINGS\nLungs: Right lung volume 2.81 L. Nodule in the left upper lobe, 8 mm.\n" in text
    assert "IMPRESSION\n1. Left upper lobe nodule, 8 mm." in text
    assert "Signed by Dr R. Okafor, radiologist" in text
    assert "E3" not in text
    assert "DRAFT" not in text
    assert report_text(DRAFT).startswith("DRAFT - not signed\n")
    assert "Signed by" not in report_text(DRAFT)

"""A sealed PDF shows every change; what is not sealed never looks sealed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest
from export_sample import NOTE, Tool, document, signed

from reports.domain import ReportState
from reports.export.attached import RECORD_LIMIT, RECORD_NAME, read_attached
from reports.export.pdf import build_pdf
from reports.export.record import ExportError, report_sha256
from reports.export.seal import SealKey, new_seal_key, seal
from reports.export.verify_pdf import (
    SIZE_LIMIT,
    PdfKind,
    TrustListError,
    UnreadablePdfError,
    main,
    verify_apart,
    verify_pdf,
)


def kind(pdf: bytes, key: SealKey) -> PdfKind:
    return verify_pdf(pdf, [key.certificate_pem]).kind


def container(pdf: bytes) -> tuple[int, int]:
    """Return where the hex string of the signature starts and ends (its angle brackets)."""
    start = pdf.rindex(b"/Contents <") + len(b"/Contents ")
    return start, pdf.index(b">", start)


def test_a_sealed_report_is_intact_for_who_trusts_the_certificate(
    sealed_pdf: bytes, seal_key: SealKey
) -> None:
    verdict = verify_pdf(sealed_pdf, [seal_key.certificate_pem])
    assert verdict.kind is PdfKind.INTACT
    assert verdict.signer == "Example Hospital, Radiology"
    assert verdict.certificate_sha256 == seal_key.fingerprint
    assert verdict.report_sha256 == report_sha256(signed())
    assert verdict.state == "FINAL"
    assert verdict.signed_at.endswith("Z")
    assert (verdict.checkpoint, verdict.log_index) == (NOTE, 1842)


def test_pdfsig_says_that_the_total_document_is_signed(tool: Tool, sealed_pdf: bytes) -> None:
    printed = tool("pdfsig", sealed_pdf)
    assert "Total document signed" in printed
    assert "Signature is Valid" in printed
    assert "ETSI.CAdES.detached" in printed


def test_qpdf_finds_no_fault_in_a_sealed_pdf(tool: Tool, sealed_pdf: bytes) -> None:
    assert "No syntax or stream encoding errors" in tool("qpdf", sealed_pdf, before=("--check",))


@pytest.mark.parametrize("share", [0.0001, 0.02, 0.11, 0.23, 0.37, 0.48, 0.59, 0.66, 0.74, 0.83, 0.91])
def test_a_flipped_bit_anywhere_is_found(sealed_pdf: bytes, seal_key: SealKey, share: float) -> None:
    flipped = bytearray(sealed_pdf)
    flipped[int(len(flipped) * share)] ^= 0x01
    assert kind(bytes(flipped), seal_key) is PdfKind.ALTERED


@pytest.mark.parametrize(
    "word",
    [
        b"/ByteRange",
        b"/Adobe.PPKLite",
        b"ETSI.CAdES",
        b"/DocMDP",
        b"/AcroForm",
        b"/Name",
        b"/Reason",
        b"startxref",
        b"%PDF",
    ],
)
def test_a_flipped_bit_in_the_words_of_the_seal_is_found(
    sealed_pdf: bytes, seal_key: SealKey, word: bytes
) -> None:
    at = sealed_pdf.rindex(word)
    for offset in (0, len(word) - 1, len(word) + 1):
        flipped = bytearray(sealed_pdf)
        flipped[at + offset] ^= 0x01
        assert kind(bytes(flipped), seal_key) is PdfKind.ALTERED


def test_a_changed_digit_in_the_container_that_no_signature_covers_is_found(
    sealed_pdf: bytes, seal_key: SealKey
) -> None:
    start, end = container(sealed_pdf)
    used = len(sealed_pdf[start + 1 : end].rstrip(b"0"))
    # Every 23rd digit of the signature, the last of it, and the padding after it.
    places = [*range(start + 1, start + used, 23), start + used, start + used + 40, end - 1]
    for place in places:
        changed = bytearray(sealed_pdf)
        changed[place] = ord("1") if changed[place] != ord("1") else ord("2")
        assert kind(bytes(changed), seal_key) is PdfKind.ALTERED, f"digit {place - start}"


def test_lower_case_digits_in_the_container_are_found(sealed_pdf: bytes, seal_key: SealKey) -> None:
    start, end = container(sealed_pdf)
    changed = sealed_pdf[:start] + sealed_pdf[start:end].lower() + sealed_pdf[end:]
    assert changed != sealed_pdf
    assert kind(changed, seal_key) is PdfKind.ALTERED


def test_an_incremental_update_is_found(sealed_pdf: bytes, seal_key: SealKey) -> None:
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(sealed_pdf))
    writer.root["/PageLayout"] = generic.pdf_name("/TwoColumnLeft")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(sealed_pdf)
    assert kind(out.getvalue(), seal_key) is PdfKind.ALTERED


def test_appended_and_missing_bytes_are_found(sealed_pdf: bytes, seal_key: SealKey) -> None:
    assert kind(sealed_pdf + b"\n", seal_key) is PdfKind.ALTERED
    assert kind(sealed_pdf + b"%appended", seal_key) is PdfKind.ALTERED
    assert kind(sealed_pdf[:-1], seal_key) is PdfKind.ALTERED
    assert kind(sealed_pdf[: len(sealed_pdf) // 2] + b"/ByteRange", seal_key) is PdfKind.ALTERED


def test_a_second_signature_is_found(sealed_pdf: bytes, seal_key: SealKey) -> None:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers

    from reports.export.seal import signer_of

    writer = IncrementalPdfFileWriter(io.BytesIO(sealed_pdf))
    out = io.BytesIO()
    metadata = signers.PdfSignatureMetadata(field_name="Other")

    class ReadyToBreakRules(signers.PdfSigner):
        def _enforce_certification_constraints(self, reader: object) -> None:
            """Sign although the certification forbids it."""

    ReadyToBreakRules(metadata, signer=signer_of(new_seal_key("Other"))).sign_pdf(writer, output=out)
    assert kind(out.getvalue(), seal_key) is PdfKind.ALTERED


def test_a_seal_of_another_key_is_foreign_even_under_the_same_name(
    final_pdf: bytes, seal_key: SealKey
) -> None:
    other = new_seal_key("Example Hospital, Radiology", installation_id="machine-1")
    verdict = verify_pdf(seal(final_pdf, other), [seal_key.certificate_pem])
    assert verdict.kind is PdfKind.FOREIGN
    assert "not trusted" in verdict.words
    assert verify_pdf(seal(final_pdf, other), []).kind is PdfKind.FOREIGN


def test_a_signed_pdf_that_is_no_report_is_foreign(seal_key: SealKey) -> None:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers

    from reports.export.seal import signer_of

    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        plain = io.BytesIO()
        pdf.save(plain)
    out = io.BytesIO()
    signers.PdfSigner(
        signers.PdfSignatureMetadata(field_name="Other"), signer=signer_of(seal_key)
    ).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(plain.getvalue())), output=out)
    assert verify_pdf(plain.getvalue()).kind is PdfKind.UNSIGNED
    assert kind(out.getvalue(), seal_key) is PdfKind.FOREIGN


def test_a_final_report_without_its_seal_is_altered(final_pdf: bytes, seal_key: SealKey) -> None:
    verdict = verify_pdf(final_pdf, [seal_key.certificate_pem])
    assert verdict.kind is PdfKind.ALTERED
    assert "no seal" in verdict.words


def test_a_draft_is_unsigned_and_cannot_be_sealed(draft_pdf: bytes, seal_key: SealKey) -> None:
    assert kind(draft_pdf, seal_key) is PdfKind.UNSIGNED
    with pytest.raises(ExportError, match="a draft is never sealed"):
        seal(draft_pdf, seal_key)


def test_a_pdf_is_sealed_once(sealed_pdf: bytes, seal_key: SealKey) -> None:
    with pytest.raises(ExportError, match="carries a seal already"):
        seal(sealed_pdf, seal_key)


def test_a_pdf_without_a_record_is_not_sealed(final_pdf: bytes, seal_key: SealKey) -> None:
    with pikepdf.open(io.BytesIO(final_pdf)) as pdf:
        del pdf.attachments[RECORD_NAME]
        out = io.BytesIO()
        pdf.save(out)
    with pytest.raises(ExportError, match=r"no report\.json"):
        seal(out.getvalue(), seal_key)


def test_a_key_that_does_not_fit_is_refused(final_pdf: bytes, seal_key: SealKey) -> None:
    mixed = SealKey(seal_key.certificate_pem, new_seal_key("Other").private_key_pem)
    with pytest.raises(ExportError, match="do not belong together"):
        seal(final_pdf, mixed)


def test_a_record_swapped_before_sealing_is_found(final_pdf: bytes, seal_key: SealKey) -> None:
    # Whoever holds the key seals a file whose attached report is not the one that was printed.
    other = read_attached(build_pdf(document(signed(state=ReportState.PRELIMINARY))))
    assert other is not None
    with pikepdf.open(io.BytesIO(final_pdf)) as pdf:
        pdf.attachments[RECORD_NAME] = pikepdf.AttachedFileSpec(pdf, other.data, filename=RECORD_NAME)
        out = io.BytesIO()
        pdf.save(out)
    verdict = verify_pdf(seal(out.getvalue(), seal_key), [seal_key.certificate_pem])
    assert verdict.kind is PdfKind.ALTERED
    assert "report.json" in verdict.words


def test_an_attachment_that_inflates_beyond_the_limit_is_not_read(final_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(final_pdf)) as pdf:
        spec = pikepdf.AttachedFileSpec(pdf, b"0" * (RECORD_LIMIT + 1), filename=RECORD_NAME)
        pdf.attachments[RECORD_NAME] = spec
        out = io.BytesIO()
        pdf.save(out, compress_streams=True)
    assert len(out.getvalue()) < 2_000_000
    with pytest.raises(UnreadablePdfError, match="larger than"):
        verify_pdf(out.getvalue())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a pdf",
        b"%PDF-1.7\n",
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n",
        b"%PDF-1.7\n" + b"[" * 20_000,
        b"%PDF-1.7\nxref\n0 99999999\ntrailer\n<< /Size 99999999 /Prev 9 >>\nstartxref\n9\n%%EOF\n",
    ],
)
def test_a_malformed_file_is_unreadable_in_words(data: bytes) -> None:
    with pytest.raises(UnreadablePdfError, match=r"\.$"):
        verify_pdf(data)


def test_a_pages_tree_that_does_not_add_up_is_found(sealed_pdf: bytes, seal_key: SealKey) -> None:
    at = sealed_pdf.index(b"/Type /Pages")
    start = sealed_pdf.rindex(b"<<", 0, at)
    kids = sealed_pdf.index(b"/Kids [", start) + len(b"/Kids [")
    changed = sealed_pdf[:kids] + b" " * 6 + sealed_pdf[kids + 6 :]
    assert kind(changed, seal_key) is PdfKind.ALTERED


def test_a_file_that_is_missing_or_too_large_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePdfError, match=r"absent\.pdf cannot be opened"):
        verify_pdf(tmp_path / "absent.pdf")
    large = tmp_path / "large.pdf"
    with large.open("wb") as file:
        file.truncate(SIZE_LIMIT + 1)
    with pytest.raises(UnreadablePdfError, match="larger than 256 MB"):
        verify_pdf(large)


def test_a_broken_trust_list_is_no_verdict_on_the_file(sealed_pdf: bytes) -> None:
    with pytest.raises(TrustListError, match="trust list"):
        verify_pdf(sealed_pdf, [b"no certificate"])


def test_the_own_process_answers_as_json(sealed_pdf: bytes, seal_key: SealKey, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(sealed_pdf)
    (tmp_path / "own.pem").write_bytes(seal_key.certificate_pem)
    command = [sys.executable, "-m", "reports.export.verify_pdf", str(tmp_path / "report.pdf")]
    done = subprocess.run(
        [*command, "--trusted", str(tmp_path / "own.pem")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert (answer["kind"], answer["state"]) == ("intact", "FINAL")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["kind"] == "foreign"


def test_a_file_is_judged_apart_and_one_that_kills_its_reader_gets_words(
    sealed_pdf: bytes, seal_key: SealKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf = tmp_path / "report.pdf"
    pdf.write_bytes(sealed_pdf)
    assert verify_apart(pdf, [seal_key.certificate_pem]) == verify_pdf(pdf, [seal_key.certificate_pem])
    assert verify_apart(pdf).kind is PdfKind.FOREIGN
    with pytest.raises(ExportError, match="trust list"):
        verify_apart(pdf, [b"no certificate"])
    (tmp_path / "text.pdf").write_bytes(b"text")
    with pytest.raises(ExportError, match="not a PDF"):
        verify_apart(tmp_path / "text.pdf")
    monkeypatch.setattr("reports.export.verify_pdf.sys.executable", "/bin/false")
    with pytest.raises(UnreadablePdfError, match="brought the reading process down"):
        verify_apart(pdf)


def test_an_unreadable_file_answers_with_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The limits of the own process would stay on the process of the tests.
    monkeypatch.setattr("reports.export.verify_pdf.limit_this_process", lambda: None)
    (tmp_path / "text.pdf").write_bytes(b"text")
    assert main([str(tmp_path / "text.pdf")]) == 2
    assert "not a PDF" in json.loads(capsys.readouterr().out)["error"]


def test_the_private_key_does_not_show_in_a_log(seal_key: SealKey) -> None:
    assert "PRIVATE" not in repr(seal_key)
    assert seal_key.fingerprint in repr(seal_key)

"""What a PDF is: intact, altered, foreign or unsigned, and in which words to say so.

`verify_apart` has an untrusted file read in a process of its own, with limits on memory and time:
`python -m reports.export.verify_pdf FILE --trusted CERT...`, which answers as JSON.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from reports.audit.canonical import sha256_hex
from reports.export.attached import Attached, read_attached
from reports.export.container import hex_container, rebuilt
from reports.export.record import SIGNED_STATES, ExportError, is_signed, report_sha256
from reports.export.text import state_word

SIZE_LIMIT = 256 * 1024 * 1024
"""Bytes of a PDF that is read at all; ours with twenty key images stay under 30 MB."""

MEMORY_LIMIT = 2 * 1024**3
"""Address space of the verifying process in bytes: a PDF of the allowed size, read and inflated."""
SECONDS_LIMIT = 60
"""Processor time of the verifying process."""

SEAL_TRACES = (b"/ByteRange", b"ETSI.CAdES.detached", b"/Adobe.PPKLite", b"/DocMDP")
"""Words that a seal leaves in a file; one damaged byte can spoil one of them, never all."""


# Both libraries log what is wrong with a file, with tracebacks; here that is a verdict. A program that
# wants those lines still gets them from its own handlers.
for _library in ("pyhanko", "pyhanko_certvalidator", "pikepdf"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


class PdfKind(StrEnum):
    """Verdict on a PDF."""

    INTACT = "intact"
    """Every byte is as it was sealed, by a signer whose certificate is trusted here."""
    ALTERED = "altered"
    """Something was changed, added or taken away after sealing."""
    FOREIGN = "foreign"
    """Unchanged since it was signed, but by a signer who is not trusted here."""
    UNSIGNED = "unsigned"
    """A draft, or a PDF that nobody signed."""


class UnreadablePdfError(ExportError):
    """Not a PDF, too large, or damaged beyond reading without any sign of a seal."""


class TrustListError(ExportError):
    """The list of trusted certificates cannot be used, so nothing was judged."""


@dataclass(frozen=True)
class PdfVerdict:
    """The verdict with what the file says about itself.

    Parameters
    ----------
    words
        One or two sentences for the reader, to stand after the kind: what was found, what it means.
    signer, certificate_sha256
        Name in the certificate (proof of nothing by itself) and the certificate's hash.
    signed_at
        UTC, ISO 8601 with Z; the signer's own clock, not a trusted time.
    report_sha256, state, checkpoint, log_index
        From the attached record; empty when it could not be read or does not match.
    """

    kind: PdfKind
    words: str
    signer: str = ""
    certificate_sha256: str = ""
    signed_at: str = ""
    report_id: str = ""
    report_sha256: str = ""
    state: str = ""
    checkpoint: str = ""
    log_index: int | None = None


def has_seal_traces(data: bytes) -> bool:
    """Return True when the bytes hold any word that only a seal leaves."""
    return any(trace in data for trace in SEAL_TRACES)


def verify_pdf(source: Path | bytes, trusted: Sequence[bytes] = ()) -> PdfVerdict:
    """Judge a PDF.

    Parameters
    ----------
    source
        Path, or the bytes themselves.
    trusted
        Certificates as PEM: this installation's own and those the policy adds.

    Raises
    ------
    UnreadablePdfError
        It is no PDF, too large, or unreadable without a trace of a seal.
    TrustListError
        A trusted certificate cannot be read.
    """
    data = _read(source)
    if not data.startswith(b"%PDF-"):
        if has_seal_traces(data):
            return PdfVerdict(PdfKind.ALTERED, "The start of the file is damaged.")
        raise UnreadablePdfError("This file is not a PDF. Choose the PDF that was exported.")
    attached: Attached | None = None
    try:
        attached = read_attached(data)
        facts = _record_facts(attached)
        if not has_seal_traces(data):
            return _judge_unsealed(attached, facts)
        verdict = _judge_seal(data, attached, trusted)
    except _AlteredError as altered:
        facts = _record_facts(attached) if attached is not None else {}
        return PdfVerdict(PdfKind.ALTERED, _sentence(str(altered)), **facts)
    except TrustListError:
        raise
    except ExportError as error:
        if has_seal_traces(data):
            return PdfVerdict(PdfKind.ALTERED, str(error))
        raise UnreadablePdfError(str(error)) from error
    return verdict


def verify_apart(source: Path, trusted: Sequence[bytes] = ()) -> PdfVerdict:
    """Judge a PDF as `verify_pdf` does, in a process of its own that may be brought down by the file.

    Parameters
    ----------
    trusted
        Certificates as PEM.

    Raises
    ------
    ExportError
        There is no verdict: the file cannot be read, or the trust list cannot.
    """
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryDirectory(prefix="sightline-") as folder:
        certificates = [Path(folder, f"{number}.pem") for number in range(len(trusted))]
        for certificate, pem in zip(certificates, trusted, strict=True):
            certificate.write_bytes(pem)
        command = [sys.executable, "-P", "-m", "reports.export.verify_pdf", str(source.absolute())]
        try:
            done = subprocess.run(
                [*command, "--trusted", *map(str, certificates)],
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=2 * SECONDS_LIMIT,
                check=False,
            )
            answer = json.loads(done.stdout)
        except (ValueError, subprocess.TimeoutExpired) as error:
            raise UnreadablePdfError(
                f"Reading {source.name} brought the reading process down: it is damaged or hostile. "
                "Do not rely on it."
            ) from error
    if "error" in answer:
        raise ExportError(answer["error"])
    return PdfVerdict(**{**answer, "kind": PdfKind(answer["kind"])})


class _AlteredError(Exception):
    """Carries in words what was found changed."""


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _read(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            with source.open("rb") as file:
                data = file.read(SIZE_LIMIT + 1)
        except OSError as error:
            raise UnreadablePdfError(f"{source.name} cannot be opened: {error.strerror}.") from error
    if len(data) > SIZE_LIMIT:
        raise UnreadablePdfError(
            f"The file is larger than {SIZE_LIMIT // 1024**2} MB; it was not read."
        )
    return data


def _record_facts(attached: Attached | None) -> dict[str, Any]:
    if attached is None:
        return {}
    record = attached.record
    return {
        "report_id": record.report.id,
        "report_sha256": report_sha256(record.report),
        "state": state_word(record.report),
        "checkpoint": record.checkpoint,
        "log_index": record.log_index,
    }


def _judge_unsealed(attached: Attached | None, facts: dict[str, Any]) -> PdfVerdict:
    if attached is None:
        return PdfVerdict(PdfKind.UNSIGNED, "A PDF that nobody signed, and not made by Sightline.")
    if attached.record.report.state in SIGNED_STATES:
        raise _AlteredError(
            f"its report says it is {facts['state'].lower()}, but the file has no seal. It was taken "
            "off or never put on; do not rely on this file."
        )
    return PdfVerdict(PdfKind.UNSIGNED, "A draft: nobody answers for its text.", **facts)


def _judge_seal(data: bytes, attached: Attached | None, trusted: Sequence[bytes]) -> PdfVerdict:
    """Judge the one signature, then whether the record is the one it speaks of."""
    from asn1crypto import pem
    from asn1crypto import x509 as asn1_x509
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    try:
        roots = [asn1_x509.Certificate.load(pem.unarmor(certificate)[2]) for certificate in trusted]
    except ValueError as error:
        raise TrustListError(
            "A certificate of the trust list is not PEM. Correct the list and verify again."
        ) from error
    context = ValidationContext(trust_roots=roots, allow_fetching=False)
    try:
        signatures = PdfFileReader(io.BytesIO(data)).embedded_signatures
        if len(signatures) != 1:
            raise _AlteredError(
                "its seal is damaged."
                if not signatures
                else f"it carries {len(signatures)} signatures where Sightline puts one."
            )
        [embedded] = signatures
        if attached is not None:
            _check_container(data, embedded)
        status = validate_pdf_signature(embedded, context)
    except _AlteredError:
        raise
    except Exception as error:
        # Broken structures make pyHanko, asn1crypto and decimal raise nearly anything; each of them
        # says the same here: a file with a seal that cannot be read is not the file that was sealed.
        raise _AlteredError("the file or its seal is damaged.") from error
    if not (status.intact and status.valid):
        raise _AlteredError("its bytes are not those that were sealed.")
    if (
        status.coverage is not SignatureCoverageLevel.ENTIRE_FILE
        or status.modification_level is not ModificationLevel.NONE
        or not status.docmdp_ok
    ):
        raise _AlteredError("something was added after it was sealed.")
    facts = _record_facts(attached)
    if attached is not None:
        _check_record(attached)
    certificate = status.signing_cert
    facts["signer"] = certificate.subject.native.get("common_name", certificate.subject.human_friendly)
    facts["certificate_sha256"] = certificate.sha256.hex()
    facts["signed_at"] = _utc(status.signer_reported_dt)
    if attached is None:
        words = "Signed and unchanged, but not a report that Sightline sealed."
        return PdfVerdict(PdfKind.FOREIGN, words, **facts)
    if not is_signed(attached.record.report):
        raise _AlteredError("its seal stands on a text that nobody signed; Sightline seals no draft.")
    if not status.bottom_line:
        words = (
            "Unchanged since it was sealed, but the signer's certificate is not trusted on "
            "this machine. The name in it proves nothing."
        )
        return PdfVerdict(PdfKind.FOREIGN, words, **facts)
    return PdfVerdict(
        PdfKind.INTACT,
        "Every byte is as it was sealed, and the signer is trusted on this machine. "
        "The time is the signer's own clock.",
        **facts,
    )


def _utc(moment: datetime | None) -> str:
    """Return a moment as ISO 8601 with Z, or "" for none."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""


def _check_container(data: bytes, embedded: Any) -> None:
    """Check that the bytes the signature cannot cover, its own container, are those Sightline writes.

    Raises
    ------
    _AlteredError
        The container has another form, or bytes follow the signed range.
    """
    ranges = [int(number) for number in embedded.byte_range]
    if len(ranges) != 4 or ranges[0] != 0 or ranges[2] + ranges[3] != len(data):
        raise _AlteredError("something was added after it was sealed, or cut off.")
    expected = hex_container(rebuilt(embedded.signed_data), len(embedded.pkcs7_content))
    if data[ranges[1] : ranges[2]] != expected:
        raise _AlteredError("the container of its seal was changed.")


def _check_record(attached: Attached) -> None:
    """Check that the attached record is the one whose hashes the metadata holds.

    Raises
    ------
    _AlteredError
        A hash differs.
    """
    if sha256_hex(attached.data) != attached.hashes.record:
        raise _AlteredError("the attached report.json is not the one it was sealed with.")
    if report_sha256(attached.record.report) != attached.hashes.report:
        raise _AlteredError("the attached report is not the one that was printed.")


def limit_this_process() -> None:
    """Bound memory and processor time where the system can (POSIX)."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_LIMIT, SECONDS_LIMIT + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge one file and print the verdict as JSON; 0 intact, 1 anything else, 2 unreadable."""
    parser = argparse.ArgumentParser(prog="verify_pdf", description="Say what a sealed PDF is.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--trusted", type=Path, nargs="*", default=[], metavar="CERT")
    options = parser.parse_args(arguments)
    limit_this_process()
    try:
        verdict = verify_pdf(options.file, [path.read_bytes() for path in options.trusted])
    except ExportError as error:
        answer, code = {"error": str(error)}, 2
    except MemoryError:
        answer, code = {"error": "The file needs more memory to read than is allowed."}, 2
    else:
        answer, code = asdict(verdict), 0 if verdict.kind is PdfKind.INTACT else 1
    sys.stdout.write(json.dumps(answer) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The record inside a PDF: written with its /AF relationship and hashes in XMP, and read back.

Reading takes untrusted files: the size of what is inflated is bounded before it is inflated.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from functools import cache

import pikepdf
from PIL import ImageCms

from reports.export.record import ExportError, Record, parse_record

RECORD_NAME = "report.json"
XMP_NAMESPACE = "urn:sightline:document:1"
XMP_PREFIX = "sightline"
XMP_REPORT = f"{{{XMP_NAMESPACE}}}report"
XMP_RECORD = f"{{{XMP_NAMESPACE}}}record"
XMP_STATE = f"{{{XMP_NAMESPACE}}}state"

RECORD_LIMIT = 64 * 1024 * 1024
"""Bytes of an inflated record; one of a full day's measuring stays under a hundredth of it."""
XMP_LIMIT = 64 * 1024
"""Bytes of a metadata packet; ours is under 3 KB."""


@dataclass(frozen=True)
class Hashes:
    """What the XMP metadata says: SHA-256 of the report and of the record, and the state in words."""

    report: str
    record: str
    state: str


@dataclass(frozen=True)
class Attached:
    """A record found in a PDF: its bytes as attached, read, and the hashes the metadata holds."""

    data: bytes
    record: Record
    hashes: Hashes


@cache
def _srgb_profile() -> bytes:
    """Return an sRGB ICC profile without the moment of its making, which LittleCMS writes into it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # ICC.1:2022 7.2: dateTimeNumber at 24-35, profile ID (an MD5 that may be zero) at 84-99.
    profile[24:36] = bytes.fromhex("07d000010001000000000000")
    profile[84:100] = bytes(16)
    return bytes(profile)


def attach(pages: bytes, record: bytes, hashes: Hashes, *, program: str, printed_at: str) -> bytes:
    """Return the PDF with the record attached, sRGB named as its colours, and XMP metadata."""
    name = pikepdf.Name
    with pikepdf.open(io.BytesIO(pages)) as pdf:
        spec = pikepdf.AttachedFileSpec(
            pdf,
            record,
            filename=RECORD_NAME,
            description="The report, its evidence and a summary of the trace (RFC 8785 JSON)",
            mime_type="application/json",
            # Without a date the same report gives the same bytes.
            creation_date="",
            mod_date="",
        )
        spec.obj.AFRelationship = name.Data
        pdf.attachments[RECORD_NAME] = spec
        pdf.Root.AF = pikepdf.Array([spec.obj])
        profile = pdf.make_stream(_srgb_profile(), N=3, Alternate=name.DeviceRGB)
        intent = pikepdf.Dictionary(
            Type=name.OutputIntent,
            S=name.GTS_PDFA1,
            OutputConditionIdentifier=pikepdf.String("sRGB"),
            Info=pikepdf.String("sRGB IEC61966-2.1"),
            DestOutputProfile=profile,
        )
        pdf.Root.OutputIntents = pikepdf.Array([pdf.make_indirect(intent)])
        pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            metadata.register_xml_namespace(XMP_NAMESPACE, XMP_PREFIX)
            metadata["dc:title"] = "Radiology report"
            metadata["xmp:CreatorTool"] = program
            metadata["xmp:CreateDate"] = printed_at
            metadata[XMP_REPORT] = hashes.report
            metadata[XMP_RECORD] = hashes.record
            metadata[XMP_STATE] = hashes.state
        out = io.BytesIO()
        pdf.save(
            out,
            deterministic_id=True,
            fix_metadata_version=False,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
        return out.getvalue()


def read_attached(data: bytes) -> Attached | None:
    """Return the record attached to a PDF, or none when it has no `report.json`.

    Raises
    ------
    ExportError
        The PDF cannot be read, or what is attached is too large or not a record.
    """
    try:
        # Repairing is off: a file that needs it is not the one that was written.
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True) as pdf:
            if RECORD_NAME not in pdf.attachments:
                return None
            stream = pdf.attachments[RECORD_NAME].obj.EF.F
            attached = _inflate(stream, RECORD_LIMIT)
            hashes = _hashes(pdf)
    except (pikepdf.PdfError, RuntimeError, AttributeError, KeyError, TypeError, ValueError) as error:
        # RuntimeError is what qpdf raises of a pages tree that does not add up, and for recursion.
        raise ExportError("The PDF is damaged and cannot be read. Ask for the file again.") from error
    return Attached(data=attached, record=parse_record(attached), hashes=hashes)


def _inflate(stream: pikepdf.Object, limit: int) -> bytes:
    raw = bytes(stream.read_raw_bytes())
    filters = stream.get("/Filter")
    if filters is None:
        inflated = raw
    elif filters == pikepdf.Name.FlateDecode:
        machine = zlib.decompressobj()
        try:
            inflated = machine.decompress(raw, limit + 1)
        except zlib.error as error:
            raise ExportError("The data attached to the PDF is damaged.") from error
    else:
        raise ExportError("The data attached to the PDF is packed in a way Sightline does not write.")
    if len(inflated) > limit:
        raise ExportError(f"The data attached to the PDF is larger than {limit // 1024} KB; not read.")
    return inflated


def _hashes(pdf: pikepdf.Pdf) -> Hashes:
    packet = pdf.Root.get("/Metadata")
    if packet is None or len(_inflate(packet, XMP_LIMIT)) == 0:
        return Hashes("", "", "")
    metadata = pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False)
    report, record, state = (str(metadata.get(key, "")) for key in (XMP_REPORT, XMP_RECORD, XMP_STATE))
    return Hashes(report, record, state)

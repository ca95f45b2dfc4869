"""Sealing: a PAdES certification signature over the whole PDF that permits no change.

The key is one per installation, self-signed and kept in the encrypted store. Its name proves
nothing; trust comes from the certificate being on the reader's list. No trusted time is claimed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reports.export.attached import read_attached
from reports.export.record import (
    SHORT_CODE_HEX,
    ExportError,
    binding_signatures,
    is_signed,
    report_sha256,
)
from reports.export.verify_pdf import has_seal_traces

SIGNATURE_FIELD = "Seal"

NO_EXPIRY = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280 4.1.2.5: a certificate without a well-defined end; a report outlives any renewal."""

NAME_LIMIT = 64
"""Upper bound of a common name, RFC 5280 ub-common-name."""


@dataclass(frozen=True)
class SealKey:
    """Certificate and private key (PKCS#8, unencrypted: the encrypted store is its safe), as PEM."""

    certificate_pem: bytes
    private_key_pem: bytes

    def __repr__(self) -> str:
        return f"SealKey({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hex."""
        return x509.load_pem_x509_certificate(self.certificate_pem).fingerprint(hashes.SHA256()).hex()


def new_seal_key(
    common_name: str, *, installation_id: str = "", now: datetime | None = None
) -> SealKey:
    """Make a P-256 key with a self-signed certificate for signing documents.

    Parameters
    ----------
    common_name
        Name of the installation: "Example Hospital, Radiology". Cut at 64 characters.
    installation_id
        Written as the certificate's serialNumber attribute, so that two machines of one name differ.
    now
        Moment of making; this machine's clock when absent.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [
        x509.NameAttribute(NameOID.COMMON_NAME, common_name.strip()[:NAME_LIMIT] or "Sightline")
    ]
    if installation_id:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, installation_id[:NAME_LIMIT]))
    name = x509.Name(attributes)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A day back: a clock that is set right later must not make the first seals look too early.
        .not_valid_before((now or datetime.now(UTC)) - timedelta(days=1))
        .not_valid_after(NO_EXPIRY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return SealKey(
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM),
        private_key_pem=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def seal(pdf: bytes, key: SealKey, *, location: str = "") -> bytes:
    """Return the PDF with a certification signature that permits no change.

    Name and reason are those of the last signature in the attached report: the seal cannot say more
    than the record does.

    Parameters
    ----------
    pdf
        Bytes made by `pdf.build_pdf` of a signed report.
    location
        Name of the installation; empty leaves it out.

    Raises
    ------
    ExportError
        The PDF holds no record, is sealed already, its report is not signed, or the key does not fit.
    """
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter

    if has_seal_traces(pdf):
        raise ExportError("This PDF carries a seal already. Export the report again to seal it anew.")
    attached = read_attached(pdf)
    if attached is None:
        raise ExportError("This PDF holds no report.json; only PDFs of Sightline can be sealed.")
    record = attached.record
    if not is_signed(record.report):
        raise ExportError(
            f"Report {record.report.id} is {record.report.state.value} and not signed: "
            "a draft is never sealed. Sign it first."
        )
    signature = binding_signatures(record.report)[-1]
    metadata = signers.PdfSignatureMetadata(
        field_name=SIGNATURE_FIELD,
        md_algorithm="sha256",
        name=f"{signature.printed_name}, {signature.role.value}",
        reason=f"{signature.state.value}: {signature.meaning}; "
        f"report {report_sha256(record.report)[:SHORT_CODE_HEX]}",
        location=location or None,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
    )
    out = io.BytesIO()
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    signers.PdfSigner(metadata, signer=signer_of(key)).sign_pdf(writer, output=out)
    return out.getvalue()


def signer_of(key: SealKey) -> object:
    """Return pyHanko's signer for a key.

    Raises
    ------
    ExportError
        The PEM cannot be read, or certificate and key do not belong together.
    """
    from asn1crypto import keys
    from asn1crypto import x509 as asn1_x509
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    try:
        certificate = x509.load_pem_x509_certificate(key.certificate_pem)
        private = serialization.load_pem_private_key(key.private_key_pem, password=None)
    except ValueError as error:
        raise ExportError(
            "The sealing key of this installation cannot be read. Restore the store."
        ) from error
    if private.public_key() != certificate.public_key():
        raise ExportError(
            "The sealing key and its certificate do not belong together. Restore the store."
        )
    der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        signing_key=keys.PrivateKeyInfo.load(der),
        cert_registry=SimpleCertificateStore(),
    )

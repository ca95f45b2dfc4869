"""The CMS container of a seal, built again from what the signature covers.

A signature covers the file, the signed attributes and, through its hash among them, the
certificate. It covers neither the versions, algorithm lists and unsigned attributes around them nor
the padding of the hex string in the PDF. The container that Sightline writes has one form only, so
anything else in those places is a change.
"""

from __future__ import annotations

from typing import Any


def rebuilt(signed_data: Any) -> bytes:
    """Return the DER of the container that Sightline would write with the same covered parts.

    Parameters
    ----------
    signed_data
        `asn1crypto.cms.SignedData` of the seal.

    Raises
    ------
    ValueError, KeyError, TypeError
        A part has a form that cannot stand in such a container.
    """
    from asn1crypto import algos, cms

    [signer] = signed_data["signer_infos"]
    [choice] = signed_data["certificates"]
    certificate = choice.chosen
    digest = {"algorithm": signer["digest_algorithm"]["algorithm"].native}
    container = cms.ContentInfo(
        {
            "content_type": "signed_data",
            "content": cms.SignedData(
                {
                    "version": "v1",
                    "digest_algorithms": cms.DigestAlgorithms((algos.DigestAlgorithm(digest),)),
                    "encap_content_info": {"content_type": "data"},
                    "certificates": [cms.CertificateChoices("certificate", value=certificate)],
                    "signer_infos": [
                        cms.SignerInfo(
                            {
                                "version": "v1",
                                "sid": cms.SignerIdentifier(
                                    "issuer_and_serial_number",
                                    value=cms.IssuerAndSerialNumber(
                                        {
                                            "issuer": certificate.issuer,
                                            "serial_number": certificate.serial_number,
                                        }
                                    ),
                                ),
                                "digest_algorithm": algos.DigestAlgorithm(digest),
                                "signature_algorithm": algos.SignedDigestAlgorithm(
                                    {"algorithm": signer["signature_algorithm"]["algorithm"].native}
                                ),
                                "signed_attrs": signer["signed_attrs"],
                                "signature": signer["signature"].native,
                            }
                        )
                    ],
                }
            ),
        }
    )
    der: bytes = container.dump()
    return der


def hex_container(content: bytes, length: int) -> bytes:
    """Return a container as it stands in the PDF: upper-case hex, zeros up to `length` bytes."""
    return b"<" + content.ljust(length, b"\0").hex().upper().encode() + b">"

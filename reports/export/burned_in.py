"""Which objects may show a name in their pixels, and which cannot be cleaned at all.

Nobody can promise that pixels hold no text; these are the rules that find the usual suspects.
"""

from __future__ import annotations

from typing import Any, Final

OFTEN_BURNED_IN: Final = frozenset(("US", "IVUS", "OT", "SC", "ES", "XC", "GM", "DOC", "BMD", "OP"))
"""Modalities whose pictures often carry name and date of the patient, or show the patient."""

SCREEN_WORDS: Final = (
    "SCREEN",
    "CAPTURE",
    "DOSE_INFO",
    "DOSE INFO",
    "PROTOCOL",
    "REPORT",
)
"""Parts of values of Image Type that name pictures of a screen."""

SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
"""SC Image Storage and, with a suffix, its multi-frame kinds."""

NAMED_REFUSALS: Final = {
    "SR": "a structured report: its text cannot be cleaned safely",
    "KO": "a key object selection: its text cannot be cleaned safely",
    "PR": "a presentation state: its drawn text cannot be cleaned safely",
    "DOC": "a document: its pages cannot be cleaned safely",
    "RTSTRUCT": "a structure set: its names are free text",
    "RTPLAN": "a treatment plan: its names are free text",
    "REG": "a registration: it holds no image",
    "ECG": "a waveform: it holds no image",
    "AU": "a sound recording: a voice is not de-identified",
}


def why_refused(dataset: Any) -> str:
    """Return why an object is left out whatever is chosen; empty when it can be cleaned."""
    if "EncapsulatedDocument" in dataset:
        return NAMED_REFUSALS["DOC"]
    modality = str(dataset.get("Modality", ""))
    if "ContentSequence" in dataset:
        return NAMED_REFUSALS.get(modality, NAMED_REFUSALS["SR"])
    has_pixels = any(
        keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
    )
    if has_pixels and dataset.get("Rows"):
        return ""
    return NAMED_REFUSALS.get(modality, "an object without pixels")


def why_flagged(dataset: Any) -> str:
    """Return why the pixels of an image may hold text; empty when no rule finds a reason."""
    image_type = [str(value).upper() for value in _values(dataset.get("ImageType"))]
    reasons = (
        (_is_yes(dataset, "BurnedInAnnotation"), "its header says that text is burned in"),
        (
            _is_yes(dataset, "RecognizableVisualFeatures"),
            "its header says that the patient can be recognized",
        ),
        (
            str(dataset.get("SOPClassUID", "")).startswith(SECONDARY_CAPTURE)
            or "ConversionType" in dataset,
            "it is a secondary capture",
        ),
        (
            any(word in value for value in image_type for word in SCREEN_WORDS),
            "its image type names a picture of a screen",
        ),
        (
            str(dataset.get("Modality", "")) in OFTEN_BURNED_IN,
            f"pictures of modality {dataset.get('Modality', '')} often show the patient's name",
        ),
        (_has_pixel_overlay(dataset), "it holds an old overlay in the bits of its pixels"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _is_yes(dataset: Any, keyword: str) -> bool:
    return str(dataset.get(keyword, "")).strip().upper() == "YES"


def _values(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _has_pixel_overlay(dataset: Any) -> bool:
    """Tell whether a 60xx group has no data of its own: its bits are in the pixel values."""
    return any(
        tag.group & 0xFF01 == 0x6000 and tag.element == 0x0010 and (tag.group, 0x3000) not in dataset
        for tag in dataset.keys()  # noqa: SIM118 - iterating a dataset parses all of it
    )

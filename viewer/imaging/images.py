"""From one header to an `Instance`: what is an image, what is none, and what its values mean."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import Any, Final

from viewer.imaging.calibration import positive_pair
from viewer.imaging.charset import TextDecoder
from viewer.imaging.elements import (
    DEFLATED_LE,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    UNDEFINED,
    RawHeader,
)
from viewer.imaging.geometry import PERPENDICULAR_TOLERANCE, ImagePlane
from viewer.imaging.headers import OVERLAY_GROUPS, Header, HeaderError, Tag
from viewer.imaging.layout import LayoutError, check_budget, stored_frame_bytes
from viewer.imaging.mappings import LookupTable
from viewer.imaging.overlays import overlay_planes
from viewer.imaging.palettes import palette_of
from viewer.imaging.sequences import items, lookup_table, real_world_maps, text
from viewer.imaging.study import Instance, WindowPreset
from viewer.imaging.syntaxes import NOT_READ, why_not_read
from viewer.imaging.tiling import MAX_TILES
from viewer.imaging.ultrasound import ultrasound_regions

NATIVE_SYNTAXES: Final = frozenset((IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE))

NO_IMAGE_CLASSES: Final = (
    ("1.2.840.10008.5.1.4.1.1.88.59", "Key object selection"),
    ("1.2.840.10008.5.1.4.1.1.88.", "Structured report"),
    ("1.2.840.10008.5.1.4.1.1.66.4", "Segmentation"),
    ("1.2.840.10008.5.1.4.1.1.66.5", "Surface segmentation"),
    ("1.2.840.10008.5.1.4.1.1.66.7", "Segmentation"),
    ("1.2.840.10008.5.1.4.1.1.66.", "Spatial registration"),
    ("1.2.840.10008.5.1.4.1.1.66", "Raw data"),
    ("1.2.840.10008.5.1.4.1.1.67", "Real world value mapping"),
    ("1.2.840.10008.5.1.4.1.1.68.", "Surface scan"),
    ("1.2.840.10008.5.1.4.1.1.481.2", "Radiotherapy dose"),
    ("1.2.840.10008.5.1.4.1.1.481.3", "Radiotherapy structure set"),
    ("1.2.840.10008.5.1.4.1.1.481.5", "Radiotherapy plan"),
    ("1.2.840.10008.5.1.4.1.1.481.1", "Radiotherapy image"),
    ("1.2.840.10008.5.1.4.1.1.481.", "Radiotherapy record"),
    ("1.2.840.10008.5.1.4.1.1.11.", "Presentation state"),
    ("1.2.840.10008.5.1.4.1.1.104.", "Encapsulated document"),
    ("1.2.840.10008.5.1.4.1.1.9.", "Waveform"),
    ("1.2.840.10008.5.1.4.1.1.91.1", "Microscopy annotations"),
    ("1.2.840.10008.5.1.4.1.1.78.", "Ophthalmic measurements"),
    ("1.2.840.10008.5.1.4.38.", "Hanging protocol"),
)
"""SOP classes that are no images to scroll through: the first prefix that fits names the kind."""

FLOAT_BITS: Final = {0x7FE00008: 32, 0x7FE00009: 64}
"""Bits Allocated of Float and Double Float Pixel Data (PS3.3 C.7.6.24, C.7.6.25)."""

MAX_FRAMES: Final = 100_000
MAX_WINDOWS: Final = 16
LEAST, MOST = 1e-15, 1e15
"""Width of a window and size of a rescaled value beyond which a header means no image."""

FARTHEST_MM: Final = 1e6
"""Distance from the origin of the patient's space beyond which a position is none."""

MAX_VOI_LUTS: Final = 8

XRAY_PROJECTION_CLASSES: Final = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2")
"""X-ray angiography and radiofluoroscopy, enhanced or not."""


@lru_cache(maxsize=1024)
def kind_of_object(sop_class_uid: str) -> str:
    """Return the kind of an object that is no image ("Structured report"), or empty text."""
    return next((kind for prefix, kind in NO_IMAGE_CLASSES if sop_class_uid.startswith(prefix)), "")


def image_instance(header: Header) -> Instance:
    """Return the image that a header describes.

    Raises
    ------
    HeaderError
        No image, or one whose pixels cannot be there as described.
    """
    raw = header.raw
    template = _template(
        tuple(map(raw.elements.get, _SHARED_TAGS)), raw.transfer_syntax_uid, raw.big_endian
    )
    _check_syntax(header, template)
    pixel = raw.pixel
    if pixel is None:
        raise HeaderError("no_pixels", "The file holds no image: there is no Pixel Data.")
    tiled = header.has(Tag.TotalPixelMatrixRows)
    _check_size(template, MAX_TILES if tiled else MAX_FRAMES)
    encapsulated = pixel.length == UNDEFINED
    if pixel.tag in FLOAT_BITS:
        template = _floating(header, template, FLOAT_BITS[pixel.tag])
        if encapsulated:
            raise HeaderError("unsupported", "Floating point pixel data is never compressed this way.")
    try:
        # Of a slide no more than a tile is in memory at a time, whatever its size.
        part = template.model_copy(update={"number_of_frames": 1}) if tiled else template
        check_budget(part, encoded_bytes=max(0, raw.file_size - pixel.offset) if encapsulated else None)
    except LayoutError as error:
        raise HeaderError(error.code, str(error)) from error
    if pixel.reaches > raw.file_size:
        raise HeaderError(
            "truncated", "The file ends inside its compressed pixel data: it was not copied completely."
        )
    offset, length = (max(0, pixel.offset), 0) if encapsulated else (0, 0)
    if not encapsulated:
        promised = stored_frame_bytes(template) * template.number_of_frames
        held = pixel.length if pixel.offset < 0 else min(pixel.length, raw.file_size - pixel.offset)
        if held < promised:
            raise HeaderError(
                "truncated",
                f"The pixel data is incomplete: {max(0, held):,} of {promised:,} bytes are there.",
            )
        if raw.transfer_syntax_uid in NATIVE_SYNTAXES:
            offset, length = pixel.offset, promised
    facts: dict[str, Any] = {
        "path": header.path,
        "sop_instance_uid": instance_uid(header),
        "instance_number": header.integer(Tag.InstanceNumber),
        "windows": _windows(header),
        "plane": _plane(header),
        "acquisition_time": header.code(Tag.AcquisitionTime),
        "pixel_offset": offset,
        "pixel_length": length,
        "file_size": raw.file_size,
        "modified_ns": raw.modified_ns,
    }
    one_grey = template.number_of_frames == 1 and template.photometric_interpretation in GREY
    if not (one_grey and _SPECIAL_TAGS.isdisjoint(raw.elements)):
        facts |= _special(header, template, facts["windows"])
    return template.model_copy(update=facts)


GREY: Final = ("MONOCHROME1", "MONOCHROME2")

_SPECIAL_TAGS: Final = frozenset(
    (
        *(Tag.ModalityLUTSequence, Tag.VOILUTSequence, Tag.RedPaletteColorLookupTableDescriptor),
        *(Tag.RealWorldValueMappingSequence, Tag.SequenceOfUltrasoundRegions, Tag.PixelAspectRatio),
        *(group << 16 | 0x0010 for group in OVERLAY_GROUPS),
    )
)
"""What most slices do not have: `_special` reads it."""


def _special(header: Header, template: Instance, windows: tuple[WindowPreset, ...]) -> dict[str, Any]:
    """Return what tables, palettes, overlays, regions and cine attributes say of an image.

    Raises
    ------
    HeaderError
        A table without which its values would be wrong is damaged.
    """
    modality_lut = _modality_lut(header, template)
    return {
        "windows": (*windows, *_voi_luts(header, template)),
        "modality_lut": modality_lut,
        "palette": palette_of(header, template),
        "rescale_type": template.rescale_type if modality_lut is None else _lut_type(header),
        "real_world": real_world_maps(items(header, Tag.RealWorldValueMappingSequence)),
        "overlays": overlay_planes(header),
        "regions": ultrasound_regions(items(header, Tag.SequenceOfUltrasoundRegions)),
        "frame_steps_ms": _frame_steps(header, template.number_of_frames),
        "display_rate": _display_rate(header, template.number_of_frames),
        "pixel_aspect": _pixel_aspect(header),
    }


_SHARED_TAGS: Final = (
    *(Tag.SOPClassUID, Tag.MediaStorageSOPClassUID, Tag.Rows, Tag.Columns, Tag.NumberOfFrames),
    *(Tag.BitsAllocated, Tag.BitsStored, Tag.HighBit, Tag.PixelRepresentation),
    *(Tag.SamplesPerPixel, Tag.PhotometricInterpretation, Tag.PlanarConfiguration),
    *(Tag.PixelPaddingValue, Tag.PixelPaddingRangeLimit, Tag.RescaleSlope, Tag.RescaleIntercept),
    *(Tag.RescaleType, Tag.Units),
    *(Tag.LossyImageCompression, Tag.LossyImageCompressionRatio, Tag.LossyImageCompressionMethod),
    Tag.PresentationLUTShape,
)
"""What describes the pixels, and is the same for all slices of most series."""


@lru_cache(maxsize=512)
def _template(values: tuple[bytes | None, ...], syntax: str, big_endian: bool) -> Instance:
    """Return an instance with what `_SHARED_TAGS` say, made once for all slices that share them."""
    elements = {
        int(tag): value for tag, value in zip(_SHARED_TAGS, values, strict=True) if value is not None
    }
    header = Header("", RawHeader(elements, syntax, big_endian, None, 0))
    sop_class = header.code(Tag.SOPClassUID) or header.code(Tag.MediaStorageSOPClassUID)
    kind = kind_of_object(sop_class)
    if kind:
        raise HeaderError("unsupported", f"{kind}: not shown as images; a later version reads it.")
    signed = header.number(Tag.PixelRepresentation) == 1
    allocated = header.number(Tag.BitsAllocated) or 0
    stored = header.number(Tag.BitsStored) or allocated
    high_bit = header.number(Tag.HighBit)
    if high_bit is None or not stored - 1 <= high_bit < allocated:
        high_bit = stored - 1
    slope, intercept = header.decimal(Tag.RescaleSlope), header.decimal(Tag.RescaleIntercept)
    if slope is None or intercept is None or slope == 0.0 or max(abs(slope), abs(intercept)) > MOST:
        # "US": unspecified (PS3.3 C.11.1.1.2). A CT without rescale has no Hounsfield units.
        slope, intercept, rescale_type = 1.0, 0.0, "US"
    else:
        # PET says its unit in Units (PS3.3 C.8.9.1.1.3) and has no Rescale Type.
        rescale_type = header.code(Tag.RescaleType) or header.code(Tag.Units)
    return Instance(
        path="",
        sop_instance_uid="",
        sop_class_uid=sop_class,
        transfer_syntax_uid=syntax,
        rows=header.number(Tag.Rows) or 0,
        columns=header.number(Tag.Columns) or 0,
        number_of_frames=int(header.decimal(Tag.NumberOfFrames) or 1),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high_bit,
        signed=signed,
        samples_per_pixel=header.number(Tag.SamplesPerPixel) or 1,
        planar=header.number(Tag.PlanarConfiguration) == 1,
        photometric_interpretation=header.code(Tag.PhotometricInterpretation),
        rescale_slope=slope,
        rescale_intercept=intercept,
        rescale_type=rescale_type,
        pixel_padding_value=header.number(Tag.PixelPaddingValue, signed=signed),
        pixel_padding_range_limit=header.number(Tag.PixelPaddingRangeLimit, signed=signed),
        lossy=header.code(Tag.LossyImageCompression) == "01",
        lossy_ratio=header.code(Tag.LossyImageCompressionRatio),
        lossy_method=header.code(Tag.LossyImageCompressionMethod),
        presentation_lut_shape=header.code(Tag.PresentationLUTShape),
    )


def _check_syntax(header: Header, instance: Instance) -> None:
    """Refuse video and pixels that are held elsewhere.

    Raises
    ------
    HeaderError
        With the codec and what to do.
    """
    if instance.transfer_syntax_uid not in NOT_READ:
        return
    steps = _frame_steps(header, instance.number_of_frames)
    lasts = steps[0] * instance.number_of_frames if len(steps) == 1 else sum(steps)
    refusal = why_not_read(
        instance.transfer_syntax_uid,
        rows=instance.rows,
        columns=instance.columns,
        frames=instance.number_of_frames,
        seconds=lasts / 1000.0 if steps else None,
    )
    if refusal is not None:
        raise HeaderError(*refusal)


def _floating(header: Header, instance: Instance, bits: int) -> Instance:
    """Return an image whose pixels are floating point numbers, with their padding.

    Raises
    ------
    HeaderError
        The header calls them something else.
    """
    if instance.bits_allocated != bits or instance.samples_per_pixel != 1:
        raise HeaderError(
            "bad_header",
            f"Its floating point pixels have {bits} bits, its header says {instance.bits_allocated} in "
            f"{instance.samples_per_pixel} samples.",
        )
    double = bits == 64
    value = header.double(Tag.DoubleFloatPixelPaddingValue if double else Tag.FloatPixelPaddingValue)
    limit = header.double(
        Tag.DoubleFloatPixelPaddingRangeLimit if double else Tag.FloatPixelPaddingRangeLimit
    )
    other = value if limit is None else limit
    return instance.model_copy(
        update={
            "floating": True,
            "bits_stored": bits,
            "high_bit": bits - 1,
            "float_padding": None
            if value is None or other is None
            else (min(value, other), max(value, other)),
        }
    )


def _check_size(instance: Instance, most_frames: int) -> None:
    """Refuse sizes and depths that no image has.

    Raises
    ------
    HeaderError
        With the impossible numbers.
    """
    if instance.rows < 1 or instance.columns < 1:
        raise HeaderError("bad_header", "Its header gives no usable number of rows and columns.")
    if not 1 <= instance.bits_stored <= instance.bits_allocated:
        raise HeaderError(
            "bad_header",
            f"Its header stores {instance.bits_stored} bits in {instance.bits_allocated}: impossible.",
        )
    if not 1 <= instance.number_of_frames <= most_frames:
        raise HeaderError(
            "bad_header", f"Its header gives {instance.number_of_frames} frames: impossible."
        )
    if instance.samples_per_pixel not in (1, 3):
        raise HeaderError(
            "unsupported", f"Images of {instance.samples_per_pixel} samples per pixel cannot be shown."
        )


def instance_uid(header: Header) -> str:
    """Return the SOP Instance UID; one derived from the header where it has none (PS3.5 B.2)."""
    uid = header.code(Tag.SOPInstanceUID) or header.code(Tag.MediaStorageSOPInstanceUID)
    return uid or derived_uid(*(value for _, value in sorted(header.raw.elements.items())))


def derived_uid(*parts: bytes) -> str:
    """Return a stable UID under 2.25 from some bytes."""
    digest = hashlib.sha256(b"\0".join(parts)).digest()[:16]
    return f"2.25.{int.from_bytes(digest, 'big')}"


def _windows(header: Header) -> tuple[WindowPreset, ...]:
    centers, widths = header.decimals(Tag.WindowCenter), header.decimals(Tag.WindowWidth)
    if not centers or not widths:
        return ()
    texts: tuple[str, ...] = ()
    if header.has(Tag.WindowCenterWidthExplanation):
        decoder = TextDecoder(header.raw.elements.get(Tag.SpecificCharacterSet))
        texts = tuple(decoder.text(header.raw.elements[Tag.WindowCenterWidthExplanation]).split("\\"))
    return window_presets(centers, widths, texts, header.code(Tag.VOILUTFunction))


@lru_cache(maxsize=1024)
def window_presets(
    centers: tuple[float, ...], widths: tuple[float, ...], texts: tuple[str, ...], function: str
) -> tuple[WindowPreset, ...]:
    """Pair centres, widths and explanations; windows of no width are dropped."""
    known = function if function in ("LINEAR_EXACT", "SIGMOID") else "LINEAR"
    pairs = list(zip(centers, widths, strict=False))[:MAX_WINDOWS]
    return tuple(
        WindowPreset(
            center=center,
            width=width,
            explanation=texts[index].strip() if index < len(texts) else "",
            function=known,
        )
        for index, (center, width) in enumerate(pairs)
        if LEAST < width < MOST and abs(center) < MOST
    )


def _modality_lut(header: Header, instance: Instance) -> LookupTable | None:
    """Return the Modality LUT that is to be applied for display (PS3.3 C.11.1).

    In X-ray projections whose Pixel Intensity Relationship is LOG or DISP the table leads back to
    X-ray intensities: it is for computing, not for looking at (PS3.3 C.8.7.1.1.2).

    Raises
    ------
    HeaderError
        The table is damaged: without it every value would be wrong.
    """
    found = items(header, Tag.ModalityLUTSequence, required=True)
    if not found:
        return None
    intensity = header.code(Tag.PixelIntensityRelationship)
    if intensity in ("LOG", "DISP") and instance.sop_class_uid.startswith(XRAY_PROJECTION_CLASSES):
        return None
    try:
        return lookup_table(found[0], signed_input=instance.signed)
    except (ValueError, TypeError) as error:
        raise HeaderError("bad_header", f"Its Modality LUT cannot be read: {error}.") from error


def _lut_type(header: Header) -> str:
    """Return what the Modality LUT gives: Modality LUT Type, in the words of Rescale Type."""
    return text(items(header, Tag.ModalityLUTSequence)[0], "ModalityLUTType") or "US"


def _voi_luts(header: Header, instance: Instance) -> tuple[WindowPreset, ...]:
    signed = instance.signed or instance.rescale_intercept < 0.0
    if header.has(Tag.ModalityLUTSequence):
        signed = False  # its output is unsigned (PS3.3 C.11.1.1.1)
    return voi_lut_presets(items(header, Tag.VOILUTSequence), signed_input=signed)


def voi_lut_presets(found: list[Any], *, signed_input: bool) -> tuple[WindowPreset, ...]:
    """Return the VOI LUTs of a VOI LUT Sequence as presets; damaged ones are left out."""
    presets = []
    for number, item in enumerate(found[:MAX_VOI_LUTS], start=1):
        try:
            table = lookup_table(item, signed_input=signed_input)
        except (ValueError, TypeError):
            continue
        count = table.entries.size
        preset = WindowPreset(
            center=table.first + count / 2.0,
            width=float(count),
            explanation=text(item, "LUTExplanation") or f"LUT {number}",
            table=table,
        )
        presets.append(preset)
    return tuple(presets)


def _pixel_aspect(header: Header) -> float:
    """Return vertical over horizontal size of a pixel: square where the header says nothing usable."""
    pair = positive_pair(header.decimals(Tag.PixelAspectRatio))
    return 1.0 if pair is None else pair[0] / pair[1]


def _frame_steps(header: Header, frames: int) -> tuple[float, ...]:
    """Return Frame Time Vector, else Frame Time (PS3.3 C.7.6.5.1.1, C.7.6.5.1.2)."""
    if frames < 2:
        return ()
    vector = header.decimals(Tag.FrameTimeVector)
    if len(vector) == frames and all(step >= 0.0 for step in vector[1:]):
        return (0.0, *vector[1:])
    step = header.decimal(Tag.FrameTime)
    return (step,) if step is not None and step > 0.0 else ()


def _display_rate(header: Header, frames: int) -> float | None:
    """Return Recommended Display Frame Rate, else Cine Rate, of an image with several frames."""
    if frames < 2:
        return None
    rates = (header.decimal(tag) for tag in (Tag.RecommendedDisplayFrameRate, Tag.CineRate))
    return next((rate for rate in rates if rate is not None and rate > 0.0), None)


def _plane(header: Header) -> ImagePlane | None:
    return make_plane(
        header.decimals(Tag.ImagePositionPatient),
        header.decimals(Tag.ImageOrientationPatient),
        header.decimals(Tag.PixelSpacing),
    )


def make_plane(
    position: tuple[float, ...], cosines: tuple[float, ...], spacing: tuple[float, ...]
) -> ImagePlane | None:
    """Return a plane, or none when the values do not make one (PS3.3 C.7.6.2.1.1)."""
    axes = _axes(cosines, spacing)
    if axes is None or len(position) != 3 or max(map(abs, position)) > FARTHEST_MM:
        return None
    return ImagePlane(position=(position[0], position[1], position[2]), **axes)


@lru_cache(maxsize=1024)
def _axes(cosines: tuple[float, ...], spacing: tuple[float, ...]) -> dict[str, Any] | None:
    """Return what the planes of a series share; none when it makes no plane."""
    pair = positive_pair(spacing)
    if len(cosines) != 6 or pair is None:
        return None
    (a, b, c), (d, e, f) = cosines[:3], cosines[3:]
    if (
        abs(math.sqrt(a * a + b * b + c * c) - 1.0) > PERPENDICULAR_TOLERANCE
        or abs(math.sqrt(d * d + e * e + f * f) - 1.0) > PERPENDICULAR_TOLERANCE
        or abs(a * d + b * e + c * f) > PERPENDICULAR_TOLERANCE
    ):
        return None
    return {
        "row_cosines": (a, b, c),
        "column_cosines": (d, e, f),
        "row_spacing": pair[0],
        "column_spacing": pair[1],
    }


def is_deflated(instance: Instance) -> bool:
    """True when the whole data set of the file is deflated."""
    return instance.transfer_syntax_uid == DEFLATED_LE

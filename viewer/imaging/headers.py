"""The header of one file, read quickly or not at all: `read_header` gives typed access to raw values.

Plainly encoded files (nearly all) go through the own walk in `elements`; everything odd goes to
pydicom, after its nesting was scanned. Both end in the same raw values, so there is one place that
turns bytes into numbers.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import warnings
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from viewer.imaging.charset import clean
from viewer.imaging.elements import (
    EXPLICIT_BE,
    EXPLICIT_LE,
    FIRST_GROUPS,
    IMPLICIT_LE,
    MAX_DEPTH,
    MAX_VALUE,
    PIXEL_TAGS,
    START_BYTES,
    Odd,
    PixelElement,
    RawHeader,
    Short,
    TooDeep,
    TooLong,
    WalkHead,
    nesting_depth,
    read_raw,
)
from viewer.imaging.study import BadFile


class Tag(IntEnum):
    """The elements that are read, by their DICOM keyword (PS3.6)."""

    MediaStorageSOPClassUID = 0x00020002
    MediaStorageSOPInstanceUID = 0x00020003
    TransferSyntaxUID = 0x00020010
    SpecificCharacterSet = 0x00080005
    ImageType = 0x00080008
    SOPClassUID = 0x00080016
    SOPInstanceUID = 0x00080018
    StudyDate = 0x00080020
    SeriesDate = 0x00080021
    AcquisitionDate = 0x00080022
    AcquisitionTime = 0x00080032
    StudyTime = 0x00080030
    SeriesTime = 0x00080031
    AccessionNumber = 0x00080050
    Modality = 0x00080060
    Manufacturer = 0x00080070
    ReferringPhysicianName = 0x00080090
    StudyDescription = 0x00081030
    SeriesDescription = 0x0008103E
    ManufacturerModelName = 0x00081090
    RecommendedDisplayFrameRate = 0x00082144
    PixelPresentation = 0x00089205
    PatientName = 0x00100010
    PatientID = 0x00100020
    IssuerOfPatientID = 0x00100021
    PatientBirthDate = 0x00100030
    PatientSex = 0x00100040
    PatientAge = 0x00101010
    PatientWeight = 0x00101030
    SyntheticData = 0x0008001C
    ContrastBolusAgent = 0x00180010
    BodyPartExamined = 0x00180015
    ScanningSequence = 0x00180020
    SliceThickness = 0x00180050
    CineRate = 0x00180040
    KVP = 0x00180060
    RepetitionTime = 0x00180080
    EchoTime = 0x00180081
    InversionTime = 0x00180082
    EchoNumbers = 0x00180086
    SpacingBetweenSlices = 0x00180088
    ProtocolName = 0x00181030
    FrameTime = 0x00181063
    FrameTimeVector = 0x00181065
    DistanceSourceToDetector = 0x00181110
    DistanceSourceToPatient = 0x00181111
    EstimatedRadiographicMagnificationFactor = 0x00181114
    ImagerPixelSpacing = 0x00181164
    ConvolutionKernel = 0x00181210
    ActualFrameDuration = 0x00181242
    ExposureIndex = 0x00181411
    TargetExposureIndex = 0x00181412
    DeviationIndex = 0x00181413
    PatientPosition = 0x00185100
    ViewPosition = 0x00185101
    SequenceOfUltrasoundRegions = 0x00186011
    DiffusionBValue = 0x00189087
    StudyInstanceUID = 0x0020000D
    SeriesInstanceUID = 0x0020000E
    StudyID = 0x00200010
    SeriesNumber = 0x00200011
    InstanceNumber = 0x00200013
    PatientOrientation = 0x00200020
    ImagePositionPatient = 0x00200032
    ImageOrientationPatient = 0x00200037
    FrameOfReferenceUID = 0x00200052
    Laterality = 0x00200060
    ImageLaterality = 0x00200062
    TemporalPositionIdentifier = 0x00200100
    SamplesPerPixel = 0x00280002
    PhotometricInterpretation = 0x00280004
    PlanarConfiguration = 0x00280006
    NumberOfFrames = 0x00280008
    Rows = 0x00280010
    Columns = 0x00280011
    PixelSpacing = 0x00280030
    PixelAspectRatio = 0x00280034
    BitsAllocated = 0x00280100
    BitsStored = 0x00280101
    HighBit = 0x00280102
    PixelRepresentation = 0x00280103
    CorrectedImage = 0x00280051
    PixelPaddingValue = 0x00280120
    PixelPaddingRangeLimit = 0x00280121
    FloatPixelPaddingValue = 0x00280122
    DoubleFloatPixelPaddingValue = 0x00280123
    FloatPixelPaddingRangeLimit = 0x00280124
    DoubleFloatPixelPaddingRangeLimit = 0x00280125
    PixelSpacingCalibrationType = 0x00280A02
    PixelIntensityRelationship = 0x00281040
    WindowCenter = 0x00281050
    WindowWidth = 0x00281051
    RescaleIntercept = 0x00281052
    RescaleSlope = 0x00281053
    RescaleType = 0x00281054
    WindowCenterWidthExplanation = 0x00281055
    VOILUTFunction = 0x00281056
    RedPaletteColorLookupTableDescriptor = 0x00281101
    GreenPaletteColorLookupTableDescriptor = 0x00281102
    BluePaletteColorLookupTableDescriptor = 0x00281103
    RedPaletteColorLookupTableData = 0x00281201
    GreenPaletteColorLookupTableData = 0x00281202
    BluePaletteColorLookupTableData = 0x00281203
    SegmentedRedPaletteColorLookupTableData = 0x00281221
    SegmentedGreenPaletteColorLookupTableData = 0x00281222
    SegmentedBluePaletteColorLookupTableData = 0x00281223
    LossyImageCompression = 0x00282110
    LossyImageCompressionRatio = 0x00282112
    LossyImageCompressionMethod = 0x00282114
    ModalityLUTSequence = 0x00283000
    ReasonForStudy = 0x00321030
    RequestedProcedureDescription = 0x00321060
    ReasonForTheRequestedProcedure = 0x00401002
    VOILUTSequence = 0x00283010
    RealWorldValueMappingSequence = 0x00409096
    RadiopharmaceuticalInformationSequence = 0x00540016
    Units = 0x00541001
    SUVType = 0x00541006
    DecayCorrection = 0x00541102
    FrameReferenceTime = 0x00541300
    PresentationLUTShape = 0x20500020
    SharedFunctionalGroupsSequence = 0x52009229
    DimensionOrganizationType = 0x00209311
    TotalPixelMatrixColumns = 0x00480006
    TotalPixelMatrixRows = 0x00480007
    NumberOfOpticalPaths = 0x00480302
    TotalPixelMatrixFocalPlanes = 0x00480303


OVERLAY_GROUPS: Final = range(0x6000, 0x6020, 2)
"""The repeating groups of overlays (PS3.5 7.6)."""

OVERLAY_ELEMENTS: Final = (
    0x0010,
    0x0011,
    0x0015,
    0x0022,
    0x0040,
    0x0050,
    0x0051,
    0x0100,
    0x0102,
    0x1500,
)
"""Rows, columns, frames, description, type, origin, first frame, bits, bit position and label."""

PRIVATE: Final = frozenset((0x00090010, 0x0009100D, 0x70530010, 0x70531000, 0x70531009))
"""Private elements of PET with the names of their owners; `viewer.imaging.pet` says whose they are."""

WANTED: Final = (
    frozenset(int(tag) for tag in Tag)
    | {group << 16 | element for group in OVERLAY_GROUPS for element in OVERLAY_ELEMENTS}
    | PRIVATE
)

MAX_CODES: Final = 1024
"""Longest value of plain ASCII that is kept, characters: Image Type may have many parts."""

DICOMDIR_CLASS: Final = "1.2.840.10008.1.3.10"


class HeaderError(Exception):
    """A file that cannot be used; `code` and message as in `BadFile`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def bad_file(self, path: str) -> BadFile:
        """Return this refusal as an entry of the index."""
        return BadFile(path=path, reason=str(self), code=self.code)


@dataclass(frozen=True, slots=True)
class Header:
    """Typed access to the raw header of one file; a missing or unusable value reads as none."""

    path: str
    raw: RawHeader

    def has(self, tag: int) -> bool:
        """True when the element is there and not empty."""
        return bool(self.raw.elements.get(tag))

    def code(self, tag: int) -> str:
        """Return a value of plain ASCII (UI, CS, DA, TM, AS) without padding."""
        value = self.raw.elements.get(tag)
        return _ascii(value) if value else ""

    def codes(self, tag: int) -> tuple[str, ...]:
        """Return the values of a plain ASCII element with several."""
        return _parts(self.code(tag))

    def number(self, tag: int, *, signed: bool = False) -> int | None:
        """Return a 16-bit number (US or SS)."""
        value = self.raw.elements.get(tag)
        if value is None or len(value) < 2:
            return None
        return int.from_bytes(value[:2], "big" if self.raw.big_endian else "little", signed=signed)

    def count(self, tag: int) -> int | None:
        """Return a 32-bit count (UL)."""
        value = self.raw.elements.get(tag)
        if value is None or len(value) != 4:
            return None
        return int.from_bytes(value, "big" if self.raw.big_endian else "little")

    def decimals(self, tag: int) -> tuple[float, ...]:
        """Return the values of a DS element; none of them when one is no finite number."""
        value = self.raw.elements.get(tag)
        return _decimals(value) if value else ()

    def decimal(self, tag: int) -> float | None:
        """Return the first value of a DS element."""
        numbers = self.decimals(tag)
        return numbers[0] if numbers else None

    def integer(self, tag: int) -> int | None:
        """Return the first value of an IS element (32 bits, PS3.5 6.2); text such as "3.0" counts."""
        number = self.decimal(tag)
        fits = number is not None and number.is_integer() and abs(number) < 1 << 31
        return int(number) if number is not None and fits else None

    def double(self, tag: int) -> float | None:
        """Return an FD or FL element."""
        value = self.raw.elements.get(tag)
        if value is None or len(value) not in (4, 8):
            return None
        kind = "d" if len(value) == 8 else "f"
        (number,) = struct.unpack(f"{'>' if self.raw.big_endian else '<'}{kind}", value)
        return float(number) if math.isfinite(number) else None


# Most values repeat from slice to slice: each is decoded once.


@lru_cache(maxsize=4096)
def _ascii(value: bytes) -> str:
    return clean(value.strip(b"\0 ").decode("ascii", "replace"), limit=MAX_CODES)


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("\\")) if text else ()


@lru_cache(maxsize=4096)
def _decimals(value: bytes) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in value.strip(b"\0 ").split(b"\\"))
    except ValueError:
        return ()
    return numbers if all(map(math.isfinite, numbers)) else ()


def read_header(path: str) -> Header:
    """Read the header of one file: the own walk, else pydicom.

    Raises
    ------
    HeaderError
        The file cannot be used; the message says why.
    """
    try:
        return read_plain_header(path)
    except Odd as odd:
        return read_odd_header(path, truncated=isinstance(odd, Short))


def read_plain_header(path: str, walk_head: WalkHead | None = None) -> Header:
    """Read a plainly encoded file with the own walk.

    Parameters
    ----------
    walk_head
        As for `read_raw`.

    Raises
    ------
    Odd
        Not plainly encoded: `read_odd_header` may know it.
    HeaderError
        Nothing should parse this file, or it cannot be read.
    """
    try:
        return Header(path, read_raw(path, WANTED, walk_head))
    except TooDeep as error:
        raise _too_deep() from error
    except TooLong as error:
        raise _too_long(error) from error
    except OSError as error:
        raise _unreadable(error) from error


def read_odd_header(path: str, *, truncated: bool = False) -> Header:
    """Read an oddly encoded file with pydicom, after a look at its first bytes and its nesting.

    Parameters
    ----------
    truncated
        The own walk ran out of bytes: the reason to give when pydicom finds no pixels either.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(132)
            if not start:
                raise HeaderError("not_dicom", "The file is empty.")
            prefixed = start[128:132] == b"DICM"
            if not prefixed and start[:2] not in FIRST_GROUPS:
                raise HeaderError("not_dicom", "This is not a DICOM file.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                if nesting_depth(whole) > MAX_DEPTH:
                    raise _too_deep()
    except OSError as error:
        raise _unreadable(error) from error
    header = _read_with_pydicom(path)
    if header.raw.pixel is None and truncated:
        raise HeaderError("truncated", "The file ends inside its header: it was not copied completely.")
    if not prefixed and not header.has(Tag.SOPClassUID) and header.raw.pixel is None:
        raise HeaderError("not_dicom", "This is not a DICOM file.")
    return header


def _read_with_pydicom(path: str) -> Header:
    from pydicom.dataelem import RawDataElement
    from pydicom.filereader import read_partial

    try:
        with warnings.catch_warnings(), Path(path).open("rb") as file:
            warnings.simplefilter("ignore")
            data_set = read_partial(
                file, stop_when=lambda tag, _vr, _length: int(tag) in PIXEL_TAGS, force=True
            )
            behind = file.tell()
            implicit, little = data_set.original_encoding
            elements: dict[int, bytes] = {}
            for group in (data_set.file_meta, data_set):
                for tag in WANTED & {int(known) for known in group.keys()}:  # noqa: SIM118 - a data set iterates over elements
                    element = group.get_item(tag)
                    if isinstance(element, RawDataElement):
                        elements[tag] = bytes(element.value or b"")
                    elif element.VR == "SQ":
                        elements[tag] = _encoded(element, bool(implicit), bool(little))
                    elif isinstance(element.value, str):
                        elements[tag] = element.value.encode("ascii", "replace")
            syntax = str(data_set.file_meta.get("TransferSyntaxUID", ""))
            pixel = _pixel_element(file.fileno(), behind, bool(implicit), bool(little))
    except OSError as error:
        if error.errno is None:  # pydicom's own, about the content
            raise _unusable(error) from error
        raise _unreadable(error) from error
    except (RecursionError, MemoryError) as error:
        raise _too_deep() from error
    except Exception as error:  # pydicom raises whatever its input provokes
        raise _unusable(error) from error
    longest = max(map(len, elements.values()), default=0)
    if longest > MAX_VALUE:
        raise _too_long(TooLong(f"{longest:,} bytes"))
    if not syntax:
        syntax = IMPLICIT_LE if implicit else EXPLICIT_LE if little else EXPLICIT_BE
    status = Path(path).stat()
    start = bytes(data_set.preamble or b"")[:START_BYTES] if hasattr(data_set, "preamble") else b""
    size, modified = status.st_size, status.st_mtime_ns
    raw = RawHeader(elements, syntax, not little, pixel, size, bool(implicit), start, modified)
    return Header(path, raw)


def _encoded(sequence: Any, implicit: bool, little: bool) -> bytes:
    """Return the items of a sequence that pydicom has parsed, encoded again."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_sequence

    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = implicit, little
    write_sequence(buffer, sequence, ["iso8859"])
    return bytes(buffer.getvalue())


def _pixel_element(descriptor: int, offset: int, implicit: bool, little: bool) -> PixelElement | None:
    """Read the element header at which pydicom stopped; none when that is no pixel data."""
    head = os.pread(descriptor, 12, offset)
    if len(head) < 8:
        return None
    order = "<" if little else ">"
    group, element = struct.unpack_from(order + "HH", head)
    tag = group << 16 | element
    if tag not in PIXEL_TAGS:
        return None
    if implicit:
        return PixelElement(tag, offset + 8, struct.unpack_from(order + "I", head, 4)[0])
    if len(head) < 12:
        return None
    return PixelElement(tag, offset + 12, struct.unpack_from(order + "I", head, 8)[0])


def _too_deep() -> HeaderError:
    return HeaderError(
        "too_deep", f"Its sequences are nested deeper than {MAX_DEPTH} levels: damaged or hostile."
    )


def _too_long(error: TooLong) -> HeaderError:
    return HeaderError("too_large", f"One value of its header has {error}: damaged or hostile.")


def _unusable(error: Exception) -> HeaderError:
    return HeaderError("bad_header", f"Its header cannot be read ({type(error).__name__}).")


def _unreadable(error: OSError) -> HeaderError:
    return HeaderError("unreadable", f"The file cannot be read: {error.strerror}.")

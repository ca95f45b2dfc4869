"""What an index of files holds: studies, series, instances and the files that could not be read.

Plain frozen values that travel as JSON from the imaging worker to the window; text from DICOM has
been decoded, normalised (NFC), stripped of control and bidirectional characters and capped in
length by the worker.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import accumulate

from pydantic import BaseModel, ConfigDict

from viewer.imaging.acquisition import AcquisitionFacts
from viewer.imaging.charset import visible
from viewer.imaging.geometry import GeometryVerdict, ImagePlane
from viewer.imaging.mappings import ColourTable, LookupTable, RealWorldMap
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.tiling import Tiling, overview_index


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class WindowPreset(_Frozen):
    """Window centre and width in modality units with the explanation to show, or a VOI LUT.

    A VOI LUT is chosen like a window: centre and width then say what its input spans, where a reader
    who drags from it starts.
    """

    center: float
    width: float
    explanation: str = ""
    function: str = "LINEAR"
    """VOI LUT Function: LINEAR, LINEAR_EXACT or SIGMOID (PS3.3 C.11.2.1)."""
    table: LookupTable | None = None
    """The VOI LUT (PS3.3 C.11.2.1.1), which then maps values instead of the function."""


class Patient(_Frozen):
    """The patient as the header names them; empty text where the header says nothing."""

    patient_id: str = ""
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""
    encoding_suspect: bool = False


class FrameAttributes(_Frozen):
    """What may differ from frame to frame: per-frame functional groups (PS3.3 C.7.6.16)."""

    plane: ImagePlane | None = None
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    windows: tuple[WindowPreset, ...] = ()
    modality_lut: LookupTable | None = None
    """Maps stored values to modality values in place of the rescale (PS3.3 C.11.1)."""
    real_world: tuple[RealWorldMap, ...] = ()


class OverlayPlane(_Frozen):
    """One overlay of an image, without its bits (PS3.3 C.9.2): `Reader.overlays` reads those.

    Parameters
    ----------
    group
        The repeating group, 0x6000 to 0x601E.
    origin
        Row and column of its first point in the image; the first pixel is (1, 1).
    first_frame, number_of_frames
        The frames of the image it belongs to, from 1; 0 frames: all of them.
    bit_position
        Bit of the pixel values that holds it (retired); -1 when it has data of its own.
    """

    group: int
    rows: int
    columns: int
    origin: tuple[int, int] = (1, 1)
    first_frame: int = 1
    number_of_frames: int = 0
    bit_position: int = -1
    label: str = ""
    region: bool = False
    """True for a region of interest, False for graphics (Overlay Type R or G)."""


class UltrasoundRegion(_Frozen):
    """One calibrated part of an ultrasound picture (PS3.3 C.8.5.5).

    Parameters
    ----------
    left, top, right, bottom
        Columns and rows of its first and last pixels, from 0; the last belong to it.
    x_unit, y_unit
        UCUM unit of one step along a row and along a column: "cm", "s", "cm/s", ...; empty for none.
    x_step, y_step
        Physical size of one pixel in these units; may be negative.
    tissue
        True for a two-dimensional picture (Region Spatial Format 1), where lengths are lengths.
    high_priority
        True when this region is on top where regions overlap (Region Flags, bit 0).
    """

    left: int
    top: int
    right: int
    bottom: int
    x_unit: str = ""
    y_unit: str = ""
    x_step: float = 0.0
    y_step: float = 0.0
    tissue: bool = False
    high_priority: bool = False


class Instance(_Frozen):
    """One image file (or one member of a ZIP, already extracted into the archive).

    Parameters
    ----------
    path
        Absolute path of the file.
    plane
        Image plane, or none when the image has no orientation in the patient.
    pixel_aspect
        Height of a pixel over its width, where nothing else says it (PS3.3 C.7.6.3.1.7).
    windows
        Windows, then VOI LUTs, in the order of the header.
    frame_steps_ms
        Time from each frame to the one before it, ms: one value for all, or one a frame, the first
        of them 0; empty when the header gives none (PS3.3 C.7.6.5).
    display_rate
        Frames a second at which the header asks to show a cine, where it does.
    planar
        True when native colour is stored plane by plane (Planar Configuration 1).
    palette
        Colours of the stored values: of all in PALETTE COLOR, else see `supplemental`.
    lossy, lossy_ratio, lossy_method
        Lossy Image Compression, its ratios and methods as in the header; `viewer.imaging.lossy` reads
        them.
    floating
        True for (Double) Float Pixel Data (PS3.3 C.7.6.24): a stack of float32, where what is no
        finite number is no image.
    float_padding
        First and last stored value of the padding of floating point pixels; NaN in the stack.
    mosaic
        True when the frames are tiles of one stored picture (Siemens): rows, columns and frames are
        then those of the slices.
    tiling
        Of a whole-slide image: rows and columns are those of its total pixel matrix, which is one
        frame, and this tells the tiles.
    presentation_lut_shape
        "IDENTITY", "INVERSE" or empty (PS3.3 C.11.6).
    pixel_offset, pixel_length
        Byte range of native pixel data, when it can be read directly. Of compressed pixel data where
        its value begins, with a length of 0; 0 where that was not noted.
    file_size, modified_ns
        Bytes of the file and when it was last changed (ns since 1970), as it was indexed; 0 when not
        known. Pixels of a file that is another one by now are not shown.
    frames
        One entry a frame when functional groups give them; empty when all frames share the
        attributes of the instance. Read both ways through `of_frame`.
    """

    path: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int | None = None
    rows: int = 0
    columns: int = 0
    number_of_frames: int = 1
    bits_allocated: int = 0
    bits_stored: int = 0
    high_bit: int = 0
    signed: bool = False
    samples_per_pixel: int = 1
    planar: bool = False
    photometric_interpretation: str = ""
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    rescale_type: str = ""
    pixel_padding_value: int | None = None
    pixel_padding_range_limit: int | None = None
    palette: ColourTable | None = None
    floating: bool = False
    float_padding: tuple[float, float] | None = None
    windows: tuple[WindowPreset, ...] = ()
    plane: ImagePlane | None = None
    pixel_aspect: float = 1.0
    acquisition_time: str = ""
    lossy: bool = False
    lossy_ratio: str = ""
    lossy_method: str = ""
    modality_lut: LookupTable | None = None
    real_world: tuple[RealWorldMap, ...] = ()
    presentation_lut_shape: str = ""
    overlays: tuple[OverlayPlane, ...] = ()
    regions: tuple[UltrasoundRegion, ...] = ()
    mosaic: bool = False
    tiling: Tiling | None = None
    frame_steps_ms: tuple[float, ...] = ()
    display_rate: float | None = None
    pixel_offset: int = 0
    pixel_length: int = 0
    file_size: int = 0
    modified_ns: int = 0
    frames: tuple[FrameAttributes, ...] = ()

    def of_frame(self, number: int) -> FrameAttributes:
        """Return plane, rescale and windows of a frame (counted from 1)."""
        if self.frames:
            return self.frames[number - 1]
        return FrameAttributes(
            plane=self.plane if self.number_of_frames == 1 else None,
            rescale_slope=self.rescale_slope,
            rescale_intercept=self.rescale_intercept,
            windows=self.windows,
            modality_lut=self.modality_lut,
            real_world=self.real_world,
        )

    def frame_starts_ms(self) -> tuple[float, ...]:
        """Return when each frame was taken, ms after the first; empty without times."""
        steps = self.frame_steps_ms
        if not steps:
            return ()
        if len(steps) == 1:
            return tuple(steps[0] * index for index in range(self.number_of_frames))
        return tuple(accumulate(steps))

    @property
    def cine_rate(self) -> float | None:
        """Frames a second to show: as the header asks, else as they were taken; none without either."""
        if self.display_rate is not None:
            return self.display_rate
        starts = self.frame_starts_ms()
        if len(starts) < 2 or starts[-1] <= 0.0:
            return None
        return 1000.0 * (len(starts) - 1) / starts[-1]

    @property
    def supplemental(self) -> ColourTable | None:
        """Colours of the stored values from its `first` on, in an image that is grey below.

        The Supplemental Palette Color Lookup Table of PS3.3 C.7.6.19.
        """
        return None if self.photometric_interpretation == "PALETTE COLOR" else self.palette

    @property
    def is_inverse(self) -> bool:
        """True when low values are shown white.

        MONOCHROME1 and a Presentation LUT Shape of INVERSE say the same thing (PS3.3 C.7.6.3.1.2 and
        C.8.11.3.1.2): either one inverts, both do not cancel.
        """
        return (
            self.photometric_interpretation == "MONOCHROME1" or self.presentation_lut_shape == "INVERSE"
        )


class PhaseKind(StrEnum):
    """In what the phases of a 4D series differ."""

    TIME = "time"
    B_VALUE = "b-value"
    ECHO = "echo"


class Phase(_Frozen):
    """Which stack of a 4D series this is: the same places at one time, b-value or echo.

    Parameters
    ----------
    group
        Stacks of one series with an equal number belong together.
    index, count
        From 1 to the number of phases, in order.
    value
        What sets this phase apart, in words ("b 1000 s/mm2"), where the header says it.
    """

    group: int
    kind: PhaseKind
    index: int
    count: int
    value: str = ""


class PetFacts(_Frozen):
    """What a PET series says about its activity: all that an SUV needs (PS3.3 C.8.9.1, C.8.9.4).

    Parameters
    ----------
    units, suv_type
        Units (0054,1001) and SUV Type (0054,1006).
    corrected, decay_correction
        Corrected Image (0028,0051) and Decay Correction (0054,1102).
    series_start, acquisition_start
        DICOM DT; the acquisition is the earliest of the series.
    frame_reference_ms, frame_duration_ms
        Frame Reference Time and Actual Frame Duration of that earliest image, ms.
    injected_time, injected
        Radiopharmaceutical Start Time (TM) and Start DateTime (DT).
    dose_bq, half_life_s
        Radionuclide Total Dose, Bq, and half-life, s.
    ge_scan_start
        GE's private PET scan date and time (DT).
    philips_suv_factor, philips_activity_factor
        Philips' private factors from counts to SUVbw and to Bq/ml.
    """

    units: str = ""
    suv_type: str = ""
    corrected: tuple[str, ...] = ()
    decay_correction: str = ""
    weight_kg: float | None = None
    series_start: str = ""
    acquisition_start: str = ""
    frame_reference_ms: float | None = None
    frame_duration_ms: float | None = None
    injected_time: str = ""
    injected: str = ""
    dose_bq: float | None = None
    half_life_s: float | None = None
    ge_scan_start: str = ""
    philips_suv_factor: float | None = None
    philips_activity_factor: float | None = None


class Series(_Frozen):
    """Images that belong together, sorted along the patient (or by number where there is no plane).

    A series of the header is split when it mixes orientations, echoes, b-values or image types;
    `part` then tells them apart ("", "2", "3").
    """

    series_instance_uid: str
    part: str = ""
    series_number: int | None = None
    description: str = ""
    modality: str = ""
    body_part: str = ""
    protocol: str = ""
    laterality: str = ""
    view_position: str = ""
    patient_position: str = ""
    patient_orientation: tuple[str, ...] = ()
    """Letters towards which rows and columns run ("P", "FL"), of projection images (0020,0020)."""
    frame_of_reference_uid: str = ""
    image_type: tuple[str, ...] = ()
    manufacturer: str = ""
    model_name: str = ""
    convolution_kernel: str = ""
    kvp: float | None = None
    slice_thickness: float | None = None
    contrast_agent: str = ""
    pixel_spacing: tuple[float, float] | None = None
    """Row and column spacing in mm at the patient; none when not calibrated at the patient."""
    spacing_source: str = ""
    """"PixelSpacing", "at detector", "magnification corrected", "calibrated: ..." or ""."""
    detector_spacing: tuple[float, float] | None = None
    """Row and column spacing at the detector (Imager Pixel Spacing), mm; no length in the patient."""
    phase: Phase | None = None
    pet: PetFacts | None = None
    acquisition: AcquisitionFacts = AcquisitionFacts()
    instances: tuple[Instance, ...] = ()
    verdict: GeometryVerdict

    @property
    def key(self) -> str:
        """Series Instance UID plus part: unique in a study."""
        return f"{self.series_instance_uid}#{self.part}" if self.part else self.series_instance_uid

    @property
    def is_slide(self) -> bool:
        """True when the instances are the levels of a whole-slide image."""
        return bool(self.instances) and self.instances[0].tiling is not None

    @property
    def image_count(self) -> int:
        """Number of frames in all instances; one for a slide, whatever its levels."""
        if self.is_slide:
            return 1
        return sum(instance.number_of_frames for instance in self.instances)

    def frame_order(self) -> tuple[tuple[int, int], ...]:
        """Return (instance index, frame number from 1) in display order: the planes of a stack.

        Frames of enhanced objects are sorted along the normal when they all share an orientation;
        otherwise the order of instances and frames stands. Of a slide: one level, shown whole.
        """
        if self.is_slide:
            return ((overview_index([(one.rows, one.columns) for one in self.instances]), 1),)
        frames = [
            (index, number)
            for index, instance in enumerate(self.instances)
            for number in range(1, instance.number_of_frames + 1)
        ]
        if any(instance.frames for instance in self.instances):
            planes = [self.plane_of(frame) for frame in frames]
            known = [plane for plane in planes if plane is not None]
            if len(known) == len(frames) and all(plane.is_parallel(known[0]) for plane in known):
                offsets = {frame: plane.offset for frame, plane in zip(frames, known, strict=True)}
                frames.sort(key=offsets.__getitem__)
        return tuple(frames)

    def plane_of(self, frame: tuple[int, int]) -> ImagePlane | None:
        """Return the plane of one entry of `frame_order`, or none without a place in the patient."""
        instance = self.instances[frame[0]]
        if instance.number_of_frames == 1 and not instance.frames:
            return instance.plane
        return instance.of_frame(frame[1]).plane


class Study(_Frozen):
    """One study of one patient."""

    study_instance_uid: str
    patient: Patient
    study_id: str = ""
    accession_number: str = ""
    date: str = ""
    """DICOM DA, YYYYMMDD, or empty."""
    time: str = ""
    description: str = ""
    referring_physician: str = ""
    request: str = ""
    """Why the study was asked for, as the header has it: reason, else the requested procedure."""
    age: str = ""
    """PatientAge as the header has it ("083Y")."""
    synthetic: bool = False
    """Synthetic Data (0008,001C) says YES: a phantom, no patient."""
    series: tuple[Series, ...] = ()
    objects: tuple[ForeignObject, ...] = ()
    """Objects of others that are no images, by series; a study may have only these."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities in order of series, without repeats."""
        return tuple(dict.fromkeys(series.modality for series in self.series))

    def phases_of(self, series: Series) -> tuple[Series, ...]:
        """Return all phases of the 4D series that a stack belongs to, in order; itself otherwise."""
        phase = series.phase
        if phase is None:
            return (series,)
        found = [
            other
            for other in self.series
            if other.series_instance_uid == series.series_instance_uid
            and other.phase is not None
            and other.phase.group == phase.group
        ]
        return tuple(sorted(found, key=lambda other: other.phase.index if other.phase else 0))


class _ToldFile(_Frozen):
    path: str
    reason: str

    @property
    def shown(self) -> str:
        """The path for the screen: its name cannot break the line or turn the direction of reading."""
        return visible(self.path)


class BadFile(_ToldFile):
    """A file that could not be used, and why, in words for the reader."""

    code: str
    """Machine word: not_dicom, truncated, too_deep, too_large, unsupported, no_pixels, crash, ..."""


class FileNote(_ToldFile):
    """What a reader should know about a file that was read; fields as in `BadFile`."""

    code: str
    """Machine word: program, tiff, polyglot, precision."""


class StudyIndex(_Frozen):
    """Everything found under the given paths."""

    studies: tuple[Study, ...] = ()
    bad_files: tuple[BadFile, ...] = ()
    notes: tuple[FileNote, ...] = ()
    file_count: int = 0

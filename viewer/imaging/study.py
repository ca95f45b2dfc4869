"""What an index of files holds: studies, series, instances and the files that could not be read.

Plain frozen values that travel as JSON from the imaging worker to the window; text from DICOM has
been decoded, normalised (NFC), stripped of control and bidirectional characters and capped in
length by the worker.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from viewer.imaging.geometry import GeometryVerdict, ImagePlane


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class WindowPreset(_Frozen):
    """Window centre and width in modality units with the explanation to show."""

    center: float
    width: float
    explanation: str = ""
    function: str = "LINEAR"
    """VOI LUT Function: LINEAR, LINEAR_EXACT or SIGMOID (PS3.3 C.11.2.1)."""


class Patient(_Frozen):
    """The patient as the header names them; empty text where the header says nothing."""

    patient_id: str = ""
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""
    encoding_suspect: bool = False


class Instance(_Frozen):
    """One image file (or one member of a ZIP, already extracted into the archive).

    Parameters
    ----------
    path
        Absolute path of the file.
    plane
        Image plane, or none when the image has no orientation in the patient.
    pixel_offset, pixel_length
        Byte range of native pixel data, when it can be read directly; else 0.
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
    photometric_interpretation: str = ""
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    rescale_type: str = ""
    pixel_padding_value: int | None = None
    windows: tuple[WindowPreset, ...] = ()
    plane: ImagePlane | None = None
    acquisition_time: str = ""
    lossy: bool = False
    lossy_ratio: str = ""
    pixel_offset: int = 0
    pixel_length: int = 0


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
    instances: tuple[Instance, ...] = ()
    verdict: GeometryVerdict

    @property
    def key(self) -> str:
        """Series Instance UID plus part: unique in a study."""
        return f"{self.series_instance_uid}#{self.part}" if self.part else self.series_instance_uid

    @property
    def image_count(self) -> int:
        """Number of frames in all instances."""
        return sum(instance.number_of_frames for instance in self.instances)


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
    age: str = ""
    """PatientAge as the header has it ("083Y")."""
    series: tuple[Series, ...] = ()

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities in order of series, without repeats."""
        return tuple(dict.fromkeys(series.modality for series in self.series))


class BadFile(_Frozen):
    """A file that could not be used, and why, in words for the reader."""

    path: str
    reason: str
    code: str
    """Machine word: not_dicom, truncated, too_deep, too_large, unsupported, no_pixels, crash, ..."""


class StudyIndex(_Frozen):
    """Everything found under the given paths."""

    studies: tuple[Study, ...] = ()
    bad_files: tuple[BadFile, ...] = ()
    file_count: int = 0

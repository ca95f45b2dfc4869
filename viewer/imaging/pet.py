"""The facts of a PET series from its headers: units, times, dose and weight (PS3.3 C.8.9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from viewer.imaging.headers import Header, Tag
from viewer.imaging.sequences import items, number, text
from viewer.imaging.study import PetFacts

PHILIPS: Final = ("Philips PET Private Group", 0x70530010)
GE: Final = ("GEMS_PETD_01", 0x00090010)
"""Private creator and where it stands: a private element counts only with its owner's name."""

PHILIPS_SUV_FACTOR: Final = 0x70531000
PHILIPS_ACTIVITY_FACTOR: Final = 0x70531009
GE_SCAN_START: Final = 0x0009100D


def pet_facts(headers: Sequence[Header]) -> PetFacts:
    """Return what the headers of one PET series say; times are those of its earliest image."""
    header = min(headers, key=_acquired)
    doses = items(header, Tag.RadiopharmaceuticalInformationSequence)
    dose = doses[0] if doses else {}
    philips = header.code(PHILIPS[1]) == PHILIPS[0]
    return PetFacts(
        units=header.code(Tag.Units),
        suv_type=header.code(Tag.SUVType),
        corrected=header.codes(Tag.CorrectedImage),
        decay_correction=header.code(Tag.DecayCorrection),
        weight_kg=header.decimal(Tag.PatientWeight),
        series_start=_joined(header, Tag.SeriesDate, Tag.SeriesTime),
        acquisition_start=_acquired(header),
        frame_reference_ms=header.decimal(Tag.FrameReferenceTime),
        frame_duration_ms=header.decimal(Tag.ActualFrameDuration),
        injected_time=text(dose, "RadiopharmaceuticalStartTime"),
        injected=text(dose, "RadiopharmaceuticalStartDateTime"),
        dose_bq=number(dose, "RadionuclideTotalDose"),
        half_life_s=number(dose, "RadionuclideHalfLife"),
        ge_scan_start=header.code(GE_SCAN_START) if header.code(GE[1]) == GE[0] else "",
        philips_suv_factor=header.decimal(PHILIPS_SUV_FACTOR) if philips else None,
        philips_activity_factor=header.decimal(PHILIPS_ACTIVITY_FACTOR) if philips else None,
    )


def _acquired(header: Header) -> str:
    return _joined(header, Tag.AcquisitionDate, Tag.AcquisitionTime)


def _joined(header: Header, date: Tag, time: Tag) -> str:
    """Date and time as a DT; empty when one is missing."""
    day, hour = header.code(date), header.code(time)
    return day + hour if day and hour else ""

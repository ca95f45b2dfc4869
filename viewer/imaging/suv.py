"""Standardised uptake values of PET: the factor from modality values, or what is missing for it.

SUVbw = activity concentration [Bq/ml] x body weight [g] / dose decayed to the time to which the image
was decay-corrected [Bq]. Which time that is: PS3.3 C.8.9.1.1 (Decay Correction START or ADMIN), and
for START the way that the QIBA vendor-neutral description of SUV takes with the times of GE, Philips
and Siemens. Nothing is guessed: a missing or impossible value is named with its tag.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from viewer.imaging.study import PetFacts, Series

SUV_TOP: Final = 7.0
"""Upper end of the window of SUVs as a series comes up; the lower is 0."""

GRAMS_PER_KG: Final = 1000.0

MIN_DOSE_BQ: Final = 1e6
"""A dose below 1 MBq was not written in Bq (children get 26 MBq and more)."""

LONGEST_UPTAKE: Final = timedelta(hours=24)
"""A scan later than this after injection means times that do not belong together."""

BODY_WEIGHT: Final = "SUVbw"

KINDS: Final = {"": BODY_WEIGHT, "BW": BODY_WEIGHT, "LBM": "SUVlbm", "BSA": "SUVbsa", "IBW": "SUVibw"}
"""SUV Type (0054,1006) -> kind; body weight where it is not stated (PS3.3 C.8.9.1.1.12)."""

STORED_AS_SUV: Final = ("GML", "CM2ML")
"""Units of images that hold SUVs."""

UNITS: Final = {
    BODY_WEIGHT: "{SUVbw}g/ml",
    "SUVlbm": "{SUVlbm}g/ml",
    "SUVbsa": "{SUVbsa}cm2/ml",
    "SUVibw": "{SUVibw}g/ml",
}
"""UCUM units of CID 85."""


@dataclass(frozen=True, slots=True)
class SuvScale:
    """Modality value x `factor` = SUV.

    Parameters
    ----------
    kind, unit
        "SUVbw" with its UCUM unit.
    source
        How the factor was found, in words.
    """

    kind: str
    unit: str
    factor: float
    source: str


@dataclass(frozen=True, slots=True)
class SuvRefusal:
    """There is no SUV: `tag` is the element that is missing or cannot be right."""

    tag: str
    reason: str


def suv_scale(series: Series) -> SuvScale | SuvRefusal:
    """Return the factor from modality values of a PET series to SUV, or why there is none."""
    pet = series.pet
    if pet is None:
        return SuvRefusal("Modality (0008,0060)", "Only PET has standardised uptake values.")
    if pet.units in STORED_AS_SUV:
        return _stored(pet)
    if pet.units == "BQML":
        return _from_activity(pet, 1.0, "")
    if pet.units == "CNTS":
        return _from_counts(pet)
    stated = f"is {pet.units}, which is no activity" if pet.units else "is missing"
    return _refused("Units (0054,1001)", stated)


def uptake_time(series: Series) -> timedelta | SuvRefusal:
    """Return the time from injection to the start of the scan, or what is missing for it."""
    pet = series.pet
    if pet is None:
        return SuvRefusal("Modality (0008,0060)", "Only PET has an uptake time.")
    if pet.half_life_s is None or pet.half_life_s <= 0.0:
        return _refused("Radionuclide Half Life (0018,1075)", _state(pet.half_life_s))
    start = _scan_start(pet, pet.half_life_s)
    return start if isinstance(start, SuvRefusal) else _uptake(pet, start[0])


def _stored(pet: PetFacts) -> SuvScale | SuvRefusal:
    """The values are SUVs already, of the kind that SUV Type names."""
    kind = "SUVbsa" if pet.units == "CM2ML" else KINDS.get(pet.suv_type)
    if kind is None:
        return _refused("SUV Type (0054,1006)", f"is {pet.suv_type}, which is not known")
    return SuvScale(kind, UNITS[kind], 1.0, f"stored as {kind}")


def _from_counts(pet: PetFacts) -> SuvScale | SuvRefusal:
    """Counts: Philips gives private factors to SUVbw and to Bq/ml, the first may be 0."""
    if pet.philips_suv_factor is not None and pet.philips_suv_factor > 0.0:
        words = "Philips SUV factor (7053,1000)"
        return SuvScale(BODY_WEIGHT, UNITS[BODY_WEIGHT], pet.philips_suv_factor, words)
    if pet.philips_activity_factor is not None and pet.philips_activity_factor > 0.0:
        words = ", Philips activity factor (7053,1009)"
        return _from_activity(pet, pet.philips_activity_factor, words)
    return _refused(
        "Units (0054,1001)", "is CNTS, and no Philips factor (7053,1000) says what a count is"
    )


def _from_activity(pet: PetFacts, to_activity: float, words: str) -> SuvScale | SuvRefusal:
    """SUVbw from an activity concentration; `to_activity` makes Bq/ml of modality values."""
    for needed in ("ATTN", "DECY"):
        if needed not in pet.corrected:
            return _refused("Corrected Image (0028,0051)", f"does not hold {needed}")
    if pet.weight_kg is None or pet.weight_kg <= 0.0:
        return _refused("Patient's Weight (0010,1030)", _state(pet.weight_kg))
    if pet.dose_bq is None or pet.dose_bq < MIN_DOSE_BQ:
        return _refused("Radionuclide Total Dose (0018,1074)", _state(pet.dose_bq, " Bq"))
    dose, how = pet.dose_bq, "decay-corrected to the injection"
    if pet.decay_correction != "ADMIN":
        decayed = _decayed(pet, pet.dose_bq)
        if isinstance(decayed, SuvRefusal):
            return decayed
        dose, how = decayed
    factor = to_activity * pet.weight_kg * GRAMS_PER_KG / dose
    return SuvScale(BODY_WEIGHT, UNITS[BODY_WEIGHT], factor, f"{how}, {pet.weight_kg:g} kg{words}")


def _decayed(pet: PetFacts, dose: float) -> tuple[float, str] | SuvRefusal:
    """Dose at the time to which the image was corrected, and that time in words."""
    if pet.decay_correction != "START":
        stated = f"is {pet.decay_correction}" if pet.decay_correction else "is missing"
        return _refused("Decay Correction (0054,1102)", stated)
    if pet.half_life_s is None or pet.half_life_s <= 0.0:
        return _refused("Radionuclide Half Life (0018,1075)", _state(pet.half_life_s))
    start = _scan_start(pet, pet.half_life_s)
    if isinstance(start, SuvRefusal):
        return start
    scanned, words = start
    uptake = _uptake(pet, scanned)
    if isinstance(uptake, SuvRefusal):
        return uptake
    seconds = uptake.total_seconds()
    decayed = dose * 2.0 ** (-seconds / pet.half_life_s)
    return decayed, f"dose decayed over {seconds / 60.0:.1f} min to {words}"


def _scan_start(pet: PetFacts, half_life: float) -> tuple[datetime, str] | SuvRefusal:
    """The start of the scan: Series Time, unless the series was made after its acquisition."""
    series, acquired = moment(pet.series_start), moment(pet.acquisition_start)
    if acquired is None:
        if series is None:
            return _refused("Series Time (0008,0031)", "is missing, as is the acquisition time")
        return series, "the series time"
    if series is not None and series <= acquired:
        return series, "the series time"
    private = moment(pet.ge_scan_start)
    if private is not None:
        return private, "GE's scan start (0009,100D)"
    reference, duration = pet.frame_reference_ms, pet.frame_duration_ms
    if reference is None or duration is None or reference <= 0.0 or duration <= 0.0:
        return _refused(
            "Frame Reference Time (0054,1300)",
            "or Actual Frame Duration (0018,1242) is missing, and the series was made after its images",
        )
    # The moment within the frame at which its activity is the frame's mean; the reference time
    # counts from the start of the scan to there.
    rate = math.log(2.0) / half_life
    decay = rate * duration / 1000.0
    mean_at = math.log(decay / -math.expm1(-decay)) / rate
    began = acquired + timedelta(seconds=mean_at - reference / 1000.0)
    return began, "the scan start by frame reference time"


def _uptake(pet: PetFacts, scanned: datetime) -> timedelta | SuvRefusal:
    """Time from injection to the scan; the time of day stands in where dates do not fit together."""
    injected = moment(pet.injected)
    if injected is not None and timedelta(0) <= scanned - injected <= LONGEST_UPTAKE:
        return scanned - injected
    of_day = moment(f"{scanned:%Y%m%d}{pet.injected_time}") if pet.injected_time else None
    if of_day is None:
        if injected is None:
            return _refused("Radiopharmaceutical Start Time (0018,1072)", "is missing")
        hours = (scanned - injected).total_seconds() / 3600.0
        return _refused(
            "Radiopharmaceutical Start DateTime (0018,1078)",
            f"lies {hours:.1f} hours before the scan, which cannot be",
        )
    uptake = scanned - of_day
    if uptake < timedelta(0):
        uptake += timedelta(days=1)  # injected before midnight
        if uptake > LONGEST_UPTAKE / 2:
            return _refused("Radiopharmaceutical Start Time (0018,1072)", "lies after the scan")
    return uptake


_MOMENT: Final = re.compile(r"(\d{8})(\d{2})(\d{2})?(\d{2})?(?:\.(\d{1,6}))?(?:[+-]\d{4})?")


def moment(text: str) -> datetime | None:
    """Read a DICOM DT (PS3.5 6.2) in local time; none when it gives no day and hour."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    day, hour, minute, second, fraction = found.groups()
    try:
        return datetime.strptime(
            f"{day}{hour}{minute or '00'}{second or '00'}{(fraction or '0').ljust(6, '0')}",
            "%Y%m%d%H%M%S%f",
        )
    except ValueError:
        return None


def _state(value: float | None, unit: str = "") -> str:
    return "is missing" if value is None else f"is {value:g}{unit}, which cannot be"


def _refused(tag: str, words: str) -> SuvRefusal:
    return SuvRefusal(tag, f"There is no SUV: {tag} {words}.")

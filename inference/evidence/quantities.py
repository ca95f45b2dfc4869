"""How each measure is rounded, written and coded: one table, so that a value has one printed form.

Units are UCUM. The minus sign is U+2212 and a narrow space is not used: the text stands in sentences
and is compared character by character by the checks of a draft.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.domain import Code, Quantity

HU = "[hnsf'U]"
NO_UNIT = "1"
SUV = "{SUVbw}g/ml"

_SCT = "SCT"


@dataclass(frozen=True)
class Measure:
    """Rounding and unit of a kind of value.

    Parameters
    ----------
    unit
        UCUM.
    printed
        The unit in text, with its leading space; empty for counts and values without one.
    digits
        Decimals, or none for as few as the value needs (header facts: "5 mm", "0.625 mm").
    """

    unit: str
    printed: str
    digits: int | None
    concept: Code | None = None


def _code(value: str, meaning: str, scheme: str = _SCT) -> Code:
    return Code(value=value, scheme=scheme, meaning=meaning)


MEASURES: dict[str, Measure] = {
    "images": Measure("{images}", "", 0),
    "slice_thickness": Measure("mm", " mm", None, _code("112225", "Slice Thickness", "DCM")),
    "slice_spacing": Measure("mm", " mm", None, _code("112226", "Spacing between slices", "DCM")),
    "kvp": Measure("kV", " kV", 0, _code("113733", "KVP", "DCM")),
    "volume": Measure("L", " L", 2, _code("118565006", "Volume")),
    "mean_density": Measure(HU, " HU", 0, _code("112031", "Attenuation Coefficient", "DCM")),
    "threshold": Measure(HU, " HU", 0),
    "laa950": Measure("%", " %", 1, _code("LAA950", "Lung volume below -950 HU", "99SIGHTLINE")),
    "mean_diameter": Measure("mm", " mm", 1, _code("MEANDIAMETER", "Mean diameter", "99SIGHTLINE")),
    "nodule_volume": Measure("mm3", " mm³", 0, _code("118565006", "Volume")),
    "opacity_volume": Measure("mL", " mL", 0, _code("118565006", "Volume")),
    "effusion_volume": Measure("mL", " mL", 0, _code("118565006", "Volume")),
    "opacity_share": Measure("%", " %", 1),
    "trachea_area": Measure("mm2", " mm²", 0, _code("42798000", "Area")),
    "trachea_coronal": Measure("mm", " mm", 1, _code("81827009", "Diameter")),
    "trachea_sagittal": Measure("mm", " mm", 1, _code("81827009", "Diameter")),
    "aortic_diameter": Measure("mm", " mm", 0, _code("81827009", "Diameter")),
    "aortic_short": Measure("mm", " mm", 0, _code("81827009", "Diameter")),
    "agatston": Measure(NO_UNIT, "", 0, _code("112058", "Calcium score", "DCM")),
    "calcium_volume": Measure("mm3", " mm³", 0, _code("118565006", "Volume")),
    "trabecular": Measure(HU, " HU", 0, _code("112031", "Attenuation Coefficient", "DCM")),
    "perc15": Measure(HU, " HU", 0, _code("PERC15", "15th percentile of lung density", "99SIGHTLINE")),
    "area": Measure("mm2", " mm²", 0, _code("42798000", "Area")),
    "long": Measure("mm", " mm", 1, _code("103339001", "Long axis")),
    "short": Measure("mm", " mm", 1, _code("103340004", "Short axis")),
    "mean": Measure(HU, " HU", 0, _code("373098007", "Mean")),
    "sd": Measure(HU, " HU", 0, _code("386136009", "Standard Deviation")),
    "minimum": Measure(HU, " HU", 0, _code("255605001", "Minimum")),
    "maximum": Measure(HU, " HU", 0, _code("56851009", "Maximum")),
    "volume_ml": Measure("mL", " mL", 1, _code("118565006", "Volume")),
    "lesion_ml": Measure("mL", " mL", 2, _code("118565006", "Volume")),
    "contrast_to_noise": Measure(NO_UNIT, "", 1),
    "abc2": Measure("mL", " mL", 1, _code("ABC2", "Volume by ABC/2", "99SIGHTLINE")),
    "axis_a": Measure("mm", " mm", 0, _code("103339001", "Long axis")),
    "axis_b": Measure("mm", " mm", 0, _code("103340004", "Short axis")),
    "axis_c": Measure("mm", " mm", 0, _code("121207", "Height", "DCM")),
    "skull_distance": Measure("mm", " mm", 0, _code("121206", "Distance", "DCM")),
    "shift": Measure("mm", " mm", 1, _code("MIDLINESHIFT", "Midline shift", "99SIGHTLINE")),
    "fluid_ml": Measure("mL", " mL", 0, _code("118565006", "Volume")),
    "noise": Measure(HU, " HU", 0, _code("NOISE", "Noise in soft tissue", "99SIGHTLINE")),
    "noise_air": Measure(HU, " HU", 0, _code("NOISEAIR", "Noise in air", "99SIGHTLINE")),
    "metal": Measure("%", " %", 2),
    "cut": Measure("%", " %", 0),
    "clipped": Measure("%", " %", 0),
    "signal_to_noise": Measure(NO_UNIT, "", 0),
    "exposure_index": Measure(NO_UNIT, "", 0, _code("113845", "Exposure Index", "DCM")),
    "deviation_index": Measure(NO_UNIT, "", 1, _code("113847", "Deviation Index", "DCM")),
    "suv_max": Measure(SUV, "", 1, _code("56851009", "Maximum")),
    "suv_peak": Measure(SUV, "", 1, _code("126031", "Peak Value Within ROI", "DCM")),
    "suv_mean": Measure(SUV, "", 1, _code("373098007", "Mean")),
    "suv_sd": Measure(SUV, "", 2, _code("386136009", "Standard Deviation")),
    "suv_threshold": Measure(SUV, "", 1),
    "liver_ratio": Measure(NO_UNIT, "", 1),
    "mtv": Measure("mL", " mL", 1, _code("MTV", "Metabolic tumour volume", "99SIGHTLINE")),
    "mtv41": Measure("mL", " mL", 1, _code("MTV41", "Volume at 41 % of SUVmax", "99SIGHTLINE")),
    "tlg": Measure("g", " g", 1, _code("126033", "Total Lesion Glycolysis", "DCM")),
    "tlg41": Measure("g", " g", 1, _code("126033", "Total Lesion Glycolysis", "DCM")),
    "density_difference": Measure(HU, " HU", 0),
    "liver_density": Measure(HU, " HU", 0),
    "spleen_density": Measure(HU, " HU", 0),
    "muscle_area": Measure("cm2", " cm²", 1, _code("SMA", "Skeletal muscle area", "99SIGHTLINE")),
    "subcutaneous_fat": Measure("cm2", " cm²", 1, _code("SAT", "Subcutaneous fat area", "99SIGHTLINE")),
    "visceral_fat": Measure("cm2", " cm²", 1, _code("VAT", "Visceral fat area", "99SIGHTLINE")),
    "muscle_density": Measure(HU, " HU", 0, _code("112031", "Attenuation Coefficient", "DCM")),
    "stone_volume": Measure("mm3", " mm³", 0, _code("118565006", "Volume")),
    "gas_volume": Measure("mL", " mL", 1, _code("118565006", "Volume")),
    "cardiothoracic_ratio": Measure(
        NO_UNIT, "", 2, _code("CTR", "Cardiothoracic ratio", "99SIGHTLINE")
    ),
    "tip_to_carina": Measure("mm", " mm", 0, _code("410668003", "Length")),
    "rotation": Measure("%", " %", 0),
    "uptake_time": Measure("min", " min", 0),
    "weight": Measure("kg", " kg", 1, _code("27113001", "Body weight")),
}
"""Rounding by measure. Lengths to 0.1 mm (Lung-RADS v2022 counts in 0.1 mm), volumes to 10 mL."""

PIXEL_MEASURES: dict[str, Measure] = {
    "area": Measure("{pixels}", " px²", 0),
    "long": Measure("{pixels}", " px", 1),
    "short": Measure("{pixels}", " px", 1),
}
"""Lengths where nothing calibrates the image: pixels, never millimetres (PS3.3 10.7.1)."""


def quantity(
    name: str, value: float, *, uncertainty: float | None = None, measure: Measure | None = None
) -> Quantity:
    """Return a value with its one printed form.

    Parameters
    ----------
    name
        Row of `MEASURES`.
    uncertainty
        Half-width in the unit of the value.
    measure
        Another way to write it, such as a row of `PIXEL_MEASURES`.
    """
    how = measure or MEASURES[name]
    return Quantity(
        name=name,
        value=float(value),
        unit=how.unit,
        text=f"{number(value, how.digits)}{how.printed}",
        uncertainty=None if uncertainty is None else float(uncertainty),
        concept=how.concept,
    )


def number(value: float, digits: int | None) -> str:
    """Return a number as it is printed: rounded, its minus as U+2212, never "-0"."""
    text = f"{value:.{digits}f}" if digits is not None else f"{value:.3f}".rstrip("0").rstrip(".")
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\u2212")

"""The words in the four corners of a viewport, from the study, the series and what is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from viewer.imaging.calibration import PROJECTION_MODALITIES
from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind
from viewer.imaging.lossy import lossy_steps
from viewer.imaging.study import Instance, Patient, Series, Study, WindowPreset
from viewer.imaging.ultrasound import reach_beyond, tissue_spacing
from viewer.views.link import Link, RegisteredLink
from viewer.views.places import PointedPixel

MINUS = "\u2212"

PLANE_NAMES = ("Sagittal", "Coronal", "Axial")
"""Name of a plane by the body axis its normal runs along (LPS: x, y, z)."""

NEARLY_ALONG = 0.9
"""Cosine from which a normal counts as along a body axis; a plane between two is oblique."""

WHOLE_FROM_WIDTH = 50.0
"""Window width from which whole numbers say enough."""

NO_UNIT = "1"
"""UCUM for a number whose unit the header does not give."""

USUAL_DECODERS = frozenset({"", "native", "imagecodecs", "zlib"})
"""Decoders that are not named on the screen (`ImageStack.decoder`)."""

UNIT_WORDS = {"[hnsf'U]": "HU"}
"""How readers write a UCUM unit, where that differs from its code."""


@dataclass(frozen=True)
class Corners:
    """Lines of each corner, top to bottom, and the problem of the geometry if there is one.

    Parameters
    ----------
    side
        "left" or "right" where all words stand at that side, because the image is at the other.
    """

    top_left: tuple[str, ...] = ()
    top_right: tuple[str, ...] = ()
    bottom_left: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()
    badge: str = ""
    side: str = ""

    def beside(self, side: str) -> Corners:
        """Return the same words, all at one side; empty leaves them where they are."""
        above, below = self.top_left + self.top_right, self.bottom_left + self.bottom_right
        if side == "left":
            return Corners(top_left=above, bottom_left=below, badge=self.badge, side=side)
        if side == "right":
            return Corners(top_right=above, bottom_right=below, badge=self.badge, side=side)
        return self


def tr(text: str) -> str:
    """Translate a word of the corner text."""
    return QCoreApplication.translate("CornerText", text)


def signed(value: float, digits: int = 0) -> str:
    """Write a number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", MINUS)


def printed_name(name: str) -> str:
    """Write a DICOM person name (PS3.5 6.2.1.2) as "FAMILY, Given Middle".

    The alphabetic group where it is given, else the ideographic or phonetic one.
    """
    return next(iter(name_forms(name)), "")


def name_forms(name: str) -> tuple[str, ...]:
    """Return the groups of a person name that are given: alphabetic, ideographic, phonetic."""
    forms = []
    for group in name.split("="):
        parts = [part.strip() for part in group.split("^")] + [""] * 3
        forms.append(", ".join(filter(None, (parts[0], " ".join(filter(None, parts[1:3]))))))
    return tuple(dict.fromkeys(filter(None, forms)))


def printed_age(age: str) -> str:
    """Write a DICOM age string (PS3.5 6.2, AS: "083Y") as "83 y"."""
    if len(age) == 4 and age[:3].isdigit() and age[3] in "DWMY":
        return f"{int(age[:3])} {age[3].lower()}"
    return age


def printed_date(date: str, time: str = "") -> str:
    """Write DICOM DA and TM as "18 Sep 2008  09:41"; text that is no date is shown as it stands."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    if len(date) == 8 and date.isdigit() and 1 <= int(date[4:6]) <= 12:
        date = f"{int(date[6:])} {tr(months[int(date[4:6]) - 1])} {date[:4]}"
    clock = f"{time[:2]}:{time[2:4]}" if len(time) >= 4 and time[:4].isdigit() else ""
    return "  ".join(part for part in (date, clock) if part)


def plane_name(plane: ImagePlane | None) -> str:
    """Name the cut ("Axial"), empty without an orientation."""
    if plane is None:
        return ""
    axis, along = _main_axis(plane)
    return tr(PLANE_NAMES[axis]) if along >= NEARLY_ALONG else tr("Oblique")


def _main_axis(plane: ImagePlane) -> tuple[int, float]:
    """Return the body axis (0 to 2, LPS) nearest to the normal, and the cosine between them."""
    along = [abs(float(part)) for part in plane.normal]
    axis = max(range(3), key=along.__getitem__)
    return axis, along[axis]


def badge_text(verdict: GeometryVerdict) -> str:
    """Name the problem of a geometry itself ("Tilt 18.5°"), empty when there is none."""
    lost = sum(count for _, count in verdict.missing)
    words = {
        VerdictKind.MISSING: tr("{n} slices missing") if lost != 1 else tr("{n} slice missing"),
        VerdictKind.DUPLICATED: tr("Doubled slices"),
        VerdictKind.NON_UNIFORM: tr("Uneven spacing"),
        VerdictKind.TILTED: tr("Tilt {angle}°"),
    }
    angle = signed(verdict.tilt_degrees or 0.0, 1)
    badge = words.get(verdict.kind, "").format(n=lost, angle=angle)
    if verdict.tilt_degrees is None or verdict.kind is VerdictKind.TILTED or not badge:
        return badge
    return tr("{badge}, tilt {angle}°").format(badge=badge, angle=angle)


def series_text(series: Series, plane: ImagePlane | None) -> str:
    """Name a series briefly: "Se 2  Lung"."""
    number = "" if series.series_number is None else tr("Se {n}").format(n=series.series_number)
    words = series.description or plane_name(plane) or series.modality
    return "  ".join(part for part in (number, words) if part)


def image_text(instance: Instance | None, place: int, count: int) -> str:
    """Name the image by its place in the order of reading, counted here from 0 ("Im 60 / 134").

    Reports and other workstations call an image by its Instance Number (0020,0013): where that is
    another number it stands first ("Im 75  (60 / 134)").
    """
    shown = tr("{n} / {count}").format(n=place + 1, count=count)
    number = None if instance is None or instance.number_of_frames > 1 else instance.instance_number
    if number is None or number == place + 1:
        return tr("Im {place}").format(place=shown)
    return tr("Im {number}  ({place})").format(number=number, place=shown)


def side_text(series: Series) -> str:
    """Name side and view of a projection image by its header ("R MLO"), empty where it names none.

    Image Laterality or Laterality and View Position; each radiograph is a stack of its own.
    """
    if series.modality not in PROJECTION_MODALITIES:
        return ""
    return " ".join(filter(None, (series.laterality, series.view_position)))


def position_text(plane: ImagePlane | None) -> str:
    """Place of the image along its main body axis in LPS mm ("z −459.5 mm")."""
    if plane is None:
        return ""
    axis, _ = _main_axis(plane)
    return f"{'xyz'[axis]} {signed(plane.position[axis], 1)} mm"


def value_text(value: float, unit: str) -> str:
    """Write a value under the pointer with its unit ("\u2212512 HU")."""
    whole = value == round(value) or abs(value) >= 1000
    number = f"{value:.0f}" if whole else f"{value:.4g}"
    if unit == NO_UNIT:
        words = tr("(no unit)")
    else:
        # UCUM's annotation in braces is the word that readers know: {SUVbw}g/ml, {counts}
        words = (
            unit[1 : unit.index("}")]
            if unit.startswith("{") and "}" in unit
            else UNIT_WORDS.get(unit, unit)
        )
    return f"{number.replace('-', MINUS)} {words}"


def probe_text(pointed: PointedPixel | None, upper: str = "") -> str:
    """Say what lies under the pointer: values with their units, or colour, then column and row.

    Over padding there is no value (PS3.3 C.7.5.1.1.2). Real-world values stand after the modality
    value ("5210 Bq/mL  3.9 SUVbw"), the value of a series that lies over the image after a stroke
    ("24 HU / SUVbw 3.2").
    """
    if pointed is None:
        return ""
    found = pointed.found
    values = []
    if len(found.stored) > 1:
        red, green, blue = found.stored
        values.append(tr("RGB {r} {g} {b}").format(r=red, g=green, b=blue))
    elif found.value is not None:
        # a real-world value of the same number (g/ml and SUVbw) names the unit better
        if all(each.value != found.value for each in found.real_world):
            values.append(value_text(found.value, found.unit))
        values += [value_text(each.value, each.unit) for each in found.real_world]
    place = tr("px {column}, {row}").format(column=pointed.column, row=pointed.row)
    words = " / ".join(filter(None, ("  ".join(values), upper)))
    return "  ".join(filter(None, (words, place)))


def window_text(window: WindowPreset | None) -> str:
    """Write a window ("W 80  L 40  BRAIN"), or name a VOI LUT; empty for colour."""
    if window is None:
        return ""
    if window.table is not None:
        words = tr("VOI LUT: {name}") if window.explanation else tr("VOI LUT")
        return words.format(name=window.explanation)
    named = "" if window.explanation == "Automatic" else window.explanation
    width, center = (_window_number(one, window.width) for one in (window.width, window.center))
    return "  ".join(filter(None, (f"W {width}  L {center}", named)))


def _window_number(value: float, width: float) -> str:
    """Write a part of a window to a fiftieth of its width: "40", "3.5" of SUV, "0.0012" of ADC."""
    digits = max(0, math.ceil(math.log10(WHOLE_FROM_WIDTH / width))) if width > 0.0 else 0
    number = signed(value, digits)
    return number.rstrip("0").rstrip(".") if digits else number


def link_text(link: Link | None) -> str:
    """Say that a series follows the active one by an offset or registration of a reader."""
    if link is None:
        return ""
    if isinstance(link, RegisteredLink):
        return tr("registered, confirmed by {name}").format(name=link.confirmed_by)
    if link.millimetres is not None:
        offset = f"{'+' if link.millimetres >= 0 else ''}{signed(link.millimetres, 1)} mm"
    else:
        plus = "+" if link.images >= 0 else ""
        offset = tr("{n} images").format(n=f"{plus}{signed(link.images)}")
    return tr("linked by hand {offset}").format(offset=offset)


def calibration_text(series: Series, instance: Instance) -> str:
    """Say what a length on a projection image or an ultrasound picture stands on."""
    if reach_beyond(instance):
        return tr("not calibrated: regions do not fit the picture")
    if series.pixel_spacing is None and tissue_spacing(instance) is not None:
        return tr("calibrated: ultrasound region")
    if series.pixel_spacing is None:
        return tr("not calibrated: pixels")
    return tr(series.spacing_source) if series.modality in PROJECTION_MODALITIES else ""


def lossy_text(instance: Instance) -> str:
    """Say that the image was ever compressed with loss (PS3.3 C.7.6.1.1.5), how and how much."""
    steps = lossy_steps(instance)
    if not steps:
        return ""
    words = (
        " ".join(filter(None, (step.method, f"{step.ratio:.3g}:1" if step.ratio else "")))
        for step in steps
    )
    known = ", ".join(filter(None, words))
    return tr("lossy {how}").format(how=known) if known else tr("lossy")


def decoder_text(decoder: str) -> str:
    """Name a decoder that stepped in; nothing where the bytes are native or the first one read them."""
    stepped_in = [one for one in decoder.split("+") if one not in USUAL_DECODERS]
    return tr("decoded by {name}").format(name=", ".join(stepped_in)) if stepped_in else ""


def who(patient: Patient, age: str) -> tuple[str, str]:
    """Name and "id  age sex" of the patient."""
    about = "  ".join(
        part
        for part in (patient.patient_id, " ".join(filter(None, (printed_age(age), patient.sex))))
        if part
    )
    return printed_name(patient.name), about


def corners(
    *,
    study: Study | None,
    series: Series,
    instance: Instance,
    plane: ImagePlane | None,
    place: int,
    count: int,
    window: WindowPreset | None,
    zoom_percent: float,
    inverted: bool,
    tall: bool,
    narrow: bool = False,
    mirrored: bool = False,
    probe: PointedPixel | None = None,
    upper: str = "",
    link: Link | None = None,
    decoder: str = "",
) -> Corners:
    """Return the text for one image.

    Parameters
    ----------
    place
        Of the image in the order of reading, from 0.
    tall
        Whether the viewport is high enough for the identity; a low one names the series at the top
        left and keeps one line in each corner (the window's header names the patient).
    narrow
        Whether two texts do not fit beside each other: then all stand at the left, one a line.
    mirrored
        Whether the reader mirrored it, against how it came up.
    probe
        What lies under the pointer; it stands over window and zoom.
    upper
        Value under the pointer of a series that lies over this one.
    link
        What joins it to the active series by hand; it stands over the position.
    """
    image = "  ".join(filter(None, (side_text(series), image_text(instance, place, count))))
    named = series_text(series, plane)
    grey = window_text(window)
    position = position_text(plane)
    quality = (lossy_text(instance), decoder_text(decoder), calibration_text(series, instance))
    badge = badge_text(series.verdict)
    # letters say it too, but not every radiograph has them
    mirror = tr("Mirrored") if mirrored else ""
    if narrow:
        return Corners(
            top_left=(named, image),
            bottom_left=_lines(probe_text(probe, upper), mirror, link_text(link), grey, position),
            badge=badge,
        )
    if not tall:
        below = position or next(filter(None, quality), "")
        return Corners(
            (named,),
            (image,),
            _lines(probe_text(probe, upper), mirror, grey),
            _lines(link_text(link), below),
            badge,
        )
    identity: tuple[str, ...] = ()
    if study is not None:
        when = printed_date(study.date, study.time)
        identity = _lines(*who(study.patient, study.age), when)
    zoom = tr("Zoom {n} %").format(n=f"{zoom_percent:.0f}")
    technique = "  ".join(
        part
        for part in (
            f"{series.slice_thickness:.1f} mm" if series.slice_thickness else "",
            series.convolution_kernel,
            f"{series.kvp:.0f} kVp" if series.kvp else "",
        )
        if part
    )
    return Corners(
        top_left=identity,
        top_right=_lines(named, image),
        bottom_left=_lines(
            probe_text(probe, upper), mirror, tr("Inverted") if inverted else "", grey, zoom
        ),
        bottom_right=_lines(*quality, link_text(link), position, technique),
        badge=badge,
    )


def _lines(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text)

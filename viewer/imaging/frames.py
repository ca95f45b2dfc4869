"""What differs from frame to frame: the functional groups of a multi-frame object (PS3.3 C.7.6.16)."""

from __future__ import annotations

import math
import warnings
from typing import Any

from viewer.imaging.charset import clean
from viewer.imaging.headers import HeaderError
from viewer.imaging.images import make_plane, voi_lut_presets, window_presets
from viewer.imaging.mappings import RealWorldMap
from viewer.imaging.sequences import real_world_maps, text
from viewer.imaging.study import FrameAttributes, Instance, WindowPreset


def with_frames(instance: Instance) -> Instance:
    """Return a multi-frame instance with the attributes of each frame from its functional groups.

    Shared groups are read first, per-frame groups override them (PS3.3 C.7.6.16). An object without
    functional groups comes back as it is.

    Raises
    ------
    HeaderError
        The functional groups are damaged.
    """
    from pydicom import dcmread

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags = ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
            data_set = dcmread(instance.path, stop_before_pixels=True, specific_tags=tags, force=True)
            per_frame = list(data_set.get("PerFrameFunctionalGroupsSequence") or ())
            shared = list(data_set.get("SharedFunctionalGroupsSequence") or ())[:1]
            if not per_frame and not shared:
                return instance
            if per_frame and len(per_frame) < instance.number_of_frames:
                raise HeaderError(
                    "bad_header",
                    f"Its header describes {len(per_frame)} of {instance.number_of_frames} frames.",
                )
            frames = tuple(
                _frame_attributes(instance, [*shared, *per_frame[index : index + 1]])
                for index in range(instance.number_of_frames)
            )
            rescale_type = _rescale_type([*shared, *per_frame[:1]]) or instance.rescale_type
    except HeaderError:
        raise
    except RecursionError as error:
        raise HeaderError("too_deep", "Its functional groups are nested too deeply.") from error
    except Exception as error:  # pydicom raises whatever its input provokes
        raise HeaderError(
            "bad_header", f"Its description of frames cannot be read ({type(error).__name__})."
        ) from error
    update: dict[str, Any] = {"frames": frames, "rescale_type": rescale_type}
    if len(frames) == 1:
        update["plane"] = frames[0].plane or instance.plane
    return instance.model_copy(update=update)


def _rescale_type(groups: list[Any]) -> str:
    """Rescale Type of the first frame that has one, or empty text."""
    found = (group.get("PixelValueTransformationSequence") for group in reversed(groups))
    return next((clean(str(items[0].get("RescaleType", ""))) for items in found if items), "")


def _frame_attributes(instance: Instance, groups: list[Any]) -> FrameAttributes:
    position = _values(groups, "PlanePositionSequence", "ImagePositionPatient")
    cosines = _values(groups, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = _values(groups, "PixelMeasuresSequence", "PixelSpacing")
    slope = _values(groups, "PixelValueTransformationSequence", "RescaleSlope")
    intercept = _values(groups, "PixelValueTransformationSequence", "RescaleIntercept")
    rescaled = bool(slope and intercept and slope[0] != 0.0)
    return FrameAttributes(
        plane=make_plane(position, cosines, spacing),
        rescale_slope=slope[0] if rescaled else instance.rescale_slope,
        rescale_intercept=intercept[0] if rescaled else instance.rescale_intercept,
        windows=_frame_windows(instance, groups) or instance.windows,
        modality_lut=None if rescaled else instance.modality_lut,
        real_world=_frame_maps(groups) or instance.real_world,
    )


def _frame_windows(instance: Instance, groups: list[Any]) -> tuple[WindowPreset, ...]:
    """Windows and VOI LUTs of a frame (Frame VOI LUT With LUT, PS3.3 C.7.6.16.2.10b)."""
    group = next((one for one in reversed(groups) if one.get("FrameVOILUTSequence")), None)
    if group is None:
        return ()
    item = group.FrameVOILUTSequence[0]
    centers = _values([group], "FrameVOILUTSequence", "WindowCenter")
    widths = _values([group], "FrameVOILUTSequence", "WindowWidth")
    texts = tuple(clean(part) for part in _texts(item.get("WindowCenterWidthExplanation")))
    windows = window_presets(centers, widths, texts, text(item, "VOILUTFunction"))
    luts = voi_lut_presets(list(item.get("VOILUTSequence") or ()), signed_input=instance.signed)
    return (*windows, *luts)


def _frame_maps(groups: list[Any]) -> tuple[RealWorldMap, ...]:
    """Real World Value Mapping of a frame (PS3.3 C.7.6.16.2.11)."""
    for group in reversed(groups):
        if group.get("RealWorldValueMappingSequence"):
            return real_world_maps(list(group.RealWorldValueMappingSequence))
    return ()


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (str(value),) if isinstance(value, str) else tuple(str(one) for one in value)


def _values(groups: list[Any], sequence: str, keyword: str) -> tuple[float, ...]:
    """Numbers of one attribute of a functional group macro; later groups override earlier ones."""
    for group in reversed(groups):
        items = group.get(sequence)
        if not items or items[0].get(keyword) is None:
            continue
        value = items[0].get(keyword)
        many = value if isinstance(value, (list, tuple)) or hasattr(value, "__iter__") else [value]
        numbers = tuple(float(number) for number in many)
        if all(map(math.isfinite, numbers)):
            return numbers
    return ()

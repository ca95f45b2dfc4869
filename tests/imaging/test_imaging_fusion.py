"""A second series on the pixels of an image: places, values, colours, and who may lie over whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.imaging.fusion import (
    OverVolume,
    colour_maps,
    coloured,
    over_volume,
    palette_words,
    partners,
    sampled,
    value_at,
    way_to,
)
from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind, judge
from viewer.imaging.index import index_paths
from viewer.imaging.spaces import SPACES, Registration, body_of, registrations_in
from viewer.imaging.study import Instance, PetFacts, Series
from viewer.imaging.volume import ImageStack

AXES = {
    "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "feet first": ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}


@pytest.fixture(autouse=True)
def nothing_joined() -> Iterator[None]:
    SPACES.use(())
    yield
    SPACES.use(())


def field(points: np.ndarray) -> np.ndarray:
    """A value that is linear in the place, so that linear interpolation is exact."""
    return 40.0 + points @ np.array([1.5, -2.0, 3.0])


def stack(
    *,
    shape: tuple[int, int, int] = (9, 20, 24),
    spacing: tuple[float, float] = (4.0, 5.0),
    between: float = 6.0,
    modality: str = "PT",
    reference: str = "1.9",
    uid: str = "1.2.3",
    plane: str = "axial",
    **facts: Any,
) -> ImageStack:
    """A volume whose stored value is `field` of the place, rounded; its middle is LPS (0, 0, 0)."""
    row, column = (np.asarray(each) for each in AXES[plane])
    normal = np.cross(row, column)
    slices, rows, columns = shape
    corner = (
        -(
            row * spacing[1] * (columns - 1)
            + column * spacing[0] * (rows - 1)
            + normal * between * (slices - 1)
        )
        / 2
    )
    instances, planes, frames = [], [], []
    j, i = np.mgrid[:rows, :columns]
    for k in range(slices):
        at = ImagePlane(
            position=tuple((corner + normal * between * k).tolist()),
            row_cosines=tuple(row.tolist()),
            column_cosines=tuple(column.tolist()),
            row_spacing=spacing[0],
            column_spacing=spacing[1],
        )
        points = at.pixel_to_patient(np.stack([i.ravel(), j.ravel()], axis=1).astype(float))
        frames.append(np.rint(field(points)).reshape(rows, columns).astype(np.int16))
        planes.append(at)
        instances.append(
            Instance(
                path="",
                sop_instance_uid=f"{uid}.{k}",
                sop_class_uid="1.2.840.10008.5.1.4.1.1.128",
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                rows=rows,
                columns=columns,
                signed=True,
                plane=at,
            )
        )
    series = Series(
        series_instance_uid=uid,
        modality=modality,
        frame_of_reference_uid=reference,
        instances=tuple(instances),
        verdict=judge(planes),
        pixel_spacing=spacing,
        **facts,
    )
    return ImageStack(series, np.stack(frames), tuple((k, 1) for k in range(slices)))


def over(**facts: Any) -> OverVolume:
    found = over_volume(stack(**facts))
    assert isinstance(found, OverVolume)
    return found


def image(
    axes: tuple[tuple[float, ...], tuple[float, ...]], *, step: float = 0.7, size: int = 31
) -> ImagePlane:
    row, column = (np.asarray(each) for each in axes)
    corner = np.array([1.3, -2.1, 0.9]) - (row + column) * step * (size - 1) / 2
    return ImagePlane(
        position=tuple(corner.tolist()),
        row_cosines=tuple(row.tolist()),
        column_cosines=tuple(column.tolist()),
        row_spacing=step,
        column_spacing=step,
    )


def places(plane: ImagePlane, rows: int, columns: int) -> np.ndarray:
    j, i = np.mgrid[:rows, :columns]
    return plane.pixel_to_patient(np.stack([i.ravel(), j.ravel()], axis=1).astype(float))


def turned(degrees: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (c, s * 0.6, s * 0.8), (-s, c * 0.6, c * 0.8)


@pytest.mark.parametrize("volume_lies", sorted(AXES))
@pytest.mark.parametrize("image_lies", [*sorted(AXES), "oblique"])
def test_values_stand_at_their_place_at_every_angle(volume_lies: str, image_lies: str) -> None:
    axes = turned(25.0) if image_lies == "oblique" else AXES[image_lies]
    plane = image(axes)
    found = sampled(over(plane=volume_lies), plane, 31, 31)
    assert np.isfinite(found).all()
    expected = field(places(plane, 31, 31)).reshape(31, 31)
    assert np.abs(found - expected).max() <= 0.51  # the stored values are rounded


def test_aligned_and_oblique_sampling_agree_also_beyond_the_border() -> None:
    volume = over()
    # a plane that reaches far out of the volume, turned by less than anyone sees but off the fast path
    straight = image(AXES["axial"], step=5.3, size=41)
    angle = 2e-4
    slightly = straight.model_copy(
        update={
            "row_cosines": (np.cos(angle), np.sin(angle), 0.0),
            "column_cosines": (-np.sin(angle), np.cos(angle), 0.0),
        }
    )
    fast, slow = sampled(volume, straight, 41, 41), sampled(volume, slightly, 41, 41)
    assert (np.isneginf(fast) == np.isneginf(slow)).mean() > 0.99
    assert np.isneginf(fast).any() and np.isfinite(fast).any()
    both = np.isfinite(fast) & np.isfinite(slow)
    assert np.abs(fast[both] - slow[both]).max() < 1.0
    assert not np.isnan(fast).any() and not np.isnan(slow).any()


def test_half_a_voxel_beyond_the_last_centre_is_still_inside() -> None:
    volume = over(shape=(3, 4, 5), spacing=(2.0, 2.0), between=2.0)
    row = image(AXES["axial"], step=0.5, size=1).model_copy(update={"position": (-5.3, 0.0, 0.0)})
    found = sampled(volume, row, 1, 22)[0]
    xs = -5.3 + 0.5 * np.arange(22)
    assert (np.isfinite(found) == ((xs >= -5.0) & (xs <= 5.0))).all()
    above = image(AXES["axial"]).model_copy(update={"position": (0.0, 0.0, 3.1)})
    assert np.isneginf(sampled(volume, above, 2, 2)).all()


def test_a_registration_moves_the_values() -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    matrix[:3, 3] = (4.0, -3.0, 2.0)
    way = np.linalg.inv(matrix)
    plane = image(AXES["axial"], size=15)
    found = sampled(over(), plane, 15, 15, way)
    moved = places(plane, 15, 15) @ way[:3, :3].T + way[:3, 3]
    assert np.abs(found - field(moved).reshape(15, 15)).max() <= 0.51


def registration(**changes: Any) -> Registration:
    return Registration(
        **{
            "fixed": "1.9",
            "moving": "1.8",
            "matrix": tuple(np.eye(4).ravel().tolist()),
            "confirmed_by": "Dr R. Okafor",
            **changes,
        }
    )


def test_series_of_two_frames_of_reference_are_never_fused_without_a_confirmed_registration() -> None:
    ct = stack(modality="CT", uid="1.1").series
    pet, away = stack().series, stack(reference="1.8", uid="1.4").series
    nowhere = stack(reference="", uid="1.5").series
    assert [one.series_instance_uid for one in partners(ct, (ct, away, nowhere, pet))] == ["1.2.3"]
    assert way_to(nowhere, nowhere.model_copy(update={"series_instance_uid": "7"})) is None
    SPACES.use((registration(confirmed_by=""),))
    assert way_to(ct, away) is None
    shift = np.eye(4)
    shift[0, 3] = 12.0
    SPACES.use((registration(matrix=tuple(shift.ravel().tolist())),))
    assert len(partners(ct, (ct, away, nowhere, pet))) == 2
    there, back = way_to(ct, away), way_to(away, ct)
    assert there is not None and back is not None
    assert there[0, 3] == -12.0 and back[0, 3] == 12.0


def test_what_is_no_motion_is_no_registration() -> None:
    for wrong in (2 * np.eye(4), np.diag([-1.0, 1.0, 1.0, 1.0]), np.full((4, 4), np.nan)):
        with pytest.raises(ValueError, match="registration"):
            registration(matrix=tuple(wrong.ravel().tolist()))
    kept = (registration(), registration(confirmed_by=""))
    assert registrations_in(body_of(kept)) == kept[:1]
    assert registrations_in(None) == ()
    with pytest.raises(ValueError, match="newer"):
        registrations_in({"schema": "else"})


def test_uptake_comes_before_anatomy_and_corrected_before_uncorrected() -> None:
    ct = stack(modality="CT", uid="1.1").series
    plain = stack(uid="1.2", pet=PetFacts(units="CNTS", corrected=("DECY",))).series
    good = stack(uid="1.3", pet=PetFacts(units="BQML", corrected=("ATTN", "DECY"))).series
    mr = stack(modality="MR", uid="1.4").series
    single = stack(modality="PT", uid="1.5", shape=(1, 4, 4)).series
    found = partners(ct, (mr, plain, good, single, ct))
    assert [one.series_instance_uid for one in found] == ["1.3", "1.2", "1.4"]


def test_pet_comes_up_in_suv_or_says_what_is_missing() -> None:
    pet = over(pet=PetFacts(units="GML"))
    assert (pet.unit, pet.why, pet.look.low, pet.look.high) == ("{SUVbw}g/ml", "", 0.0, 7.0)
    bare = over(pet=PetFacts(units="BQML", corrected=("ATTN", "DECY")))
    assert bare.factor == 1.0 and "Patient's Weight" in bare.why
    assert bare.look.high > 10 * 7.0  # no SUV window over values that are none
    at = value_at(pet, (5.0, 4.0, 6.0))
    assert at == pytest.approx(float(field(np.array([5.0, 4.0, 6.0]))), abs=0.51)
    assert value_at(pet, (500.0, 0.0, 0.0)) is None


def test_colours_run_through_the_window_and_nothing_lies_under_it() -> None:
    volume = over(pet=PetFacts(units="GML"))
    stored = np.array([[-np.inf, -5.0, 0.0, 3.5, 7.0, 900.0]], dtype=np.float32)
    words = coloured(volume, stored, volume.look)[0]
    table = colour_maps()["hot_iron"].table
    assert words[:3].tolist() == [0, 0, 0]
    opaque = [
        0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for r, g, b in table[[128, 255]].astype(int)
    ]
    assert words[3] == opaque[0] and words[4] == words[5] == opaque[1]
    for name in colour_maps():
        one = palette_words(name)
        alpha = one >> 24
        assert (np.diff(alpha.astype(int)) >= 0).all() and alpha[0] == 0 and alpha[-1] == 255
        for shift in (0, 8, 16):
            assert ((one >> shift & 255) <= alpha).all()  # premultiplied


def test_standard_palettes_are_those_of_the_standard() -> None:
    from pydicom.pixels.processing import apply_color_lut

    known = {"hot_iron": 1, "pet": 2, "hot_metal_blue": 3, "pet_20_step": 4}
    for name, number in known.items():
        expected = apply_color_lut(
            np.arange(256, dtype=np.uint8), palette=f"1.2.840.10008.1.5.{number}"
        )
        assert (colour_maps()[name].table == expected).all()


def test_what_is_no_volume_is_refused_with_the_reason() -> None:
    refused = over_volume(stack(shape=(1, 8, 8)))
    assert isinstance(refused, GeometryVerdict) and refused.kind is VerdictKind.SINGLE


def test_pet_and_ct_of_one_patient(shared_data: Path) -> None:
    """SUVs on the CT's grid equal a plain reading of the PET file at its own pixels."""
    from viewer.imaging.reader import Reader

    found = index_paths([str(shared_data / "pet" / "STS_002_petct")], archive_dir=None)
    series = {one.modality: one for one in found.studies[0].series}
    names = [one.modality for one in partners(series["CT"], found.studies[0].series)]
    assert names == ["PT", "MR"]
    with Reader() as reader, reader.open(series["PT"]) as opened:
        pet = over_volume(opened.stack)
        assert isinstance(pet, OverVolume)
        plane = opened.stack.series.plane_of(opened.stack.frames[20])
        assert plane is not None
        rows, columns = opened.stack.stored.shape[1:3]
        on_grid = pet.shown(sampled(pet, plane, rows, columns))
        import pydicom

        path = opened.stack.series.instances[opened.stack.frames[20][0]].path
        ds = pydicom.dcmread(path)
        own = ds.pixel_array * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
        step = abs(pet.volume.slope * pet.factor)
        assert np.abs(on_grid - own * pet.factor).max() <= step + 1e-3

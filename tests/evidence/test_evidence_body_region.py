"""Body region: pixels of phantoms are recognised; header, request and pixels are held together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from analytic_chest import Chest, make_context

from inference.evidence.body_region import (
    RegionMismatch,
    Seen,
    has_enhanced_vessel,
    look,
    look_at,
    recognised,
    settle,
)
from inference.evidence.collect import collect
from inference.evidence.lungs import hounsfield
from viewer.imaging.volume import Volume

Grid = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def plane_grid(size: int = 128, step: float = 4.0) -> Grid:
    axis = (np.arange(size) - size / 2) * step
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return y, x


def ellipse(grid: Grid, half: tuple[float, float], centre: tuple[float, float] = (0.0, 0.0)) -> object:
    y, x = grid
    return ((y - centre[0]) / half[0]) ** 2 + ((x - centre[1]) / half[1]) ** 2 <= 1


def head_slice() -> npt.NDArray[np.int16]:
    grid = plane_grid()
    plane = np.full(grid[0].shape, -1000, np.int16)
    plane[ellipse(grid, (95, 75))] = 40
    plane[ellipse(grid, (90, 70))] = 1000
    plane[ellipse(grid, (82, 62))] = 35
    return plane


def trunk_slice(*, lungs: bool) -> npt.NDArray[np.int16]:
    grid = plane_grid()
    plane = np.full(grid[0].shape, -1000, np.int16)
    plane[ellipse(grid, (110, 165))] = 40
    plane[ellipse(grid, (18, 20), (70, 0))] = 400
    if lungs:
        for side in (-75, 75):
            plane[ellipse(grid, (75, 55), (-5, side))] = -850
    return plane


def legs_slice() -> npt.NDArray[np.int16]:
    grid = plane_grid()
    plane = np.full(grid[0].shape, -1000, np.int16)
    for side in (-90, 90):
        plane[ellipse(grid, (70, 70), (0, side))] = 40
        plane[ellipse(grid, (16, 16), (0, side))] = 900
    return plane


@pytest.mark.parametrize(
    ("plane", "region"),
    [
        (head_slice(), "head"),
        (trunk_slice(lungs=True), "chest"),
        (trunk_slice(lungs=False), "abdomen"),
        (legs_slice(), "legs"),
        (np.full((64, 64), -1000, np.int16), ""),
    ],
)
def test_a_slice_looks_like_its_region(plane: npt.NDArray[np.int16], region: str) -> None:
    assert look_at(plane, 0.16).region == region


def test_a_couch_and_a_cropped_frame_do_not_fool_it() -> None:
    with_couch = trunk_slice(lungs=True)
    with_couch[118:121, 10:118] = 100
    assert look_at(with_couch, 0.16).region == "chest"
    inside_the_liver = np.full((128, 128), 60, np.int16)
    assert look_at(inside_the_liver, 0.16).region == ""


def test_enough_slices_decide() -> None:
    chest, abdomen = (look_at(trunk_slice(lungs=lungs), 0.16) for lungs in (True, False))
    assert recognised([chest] * 9 + [abdomen]) == ("chest",)
    assert recognised([chest] * 5 + [abdomen] * 5) == ("chest", "abdomen")
    assert recognised([]) == ()


@pytest.mark.parametrize("reverse", [False, True])
def test_the_analytic_chest_is_a_chest_whichever_way_it_is_stacked(reverse: bool) -> None:
    volume = make_context(Chest(), reverse=reverse).volume
    assert isinstance(volume, Volume)
    assert look(volume, hounsfield(volume)).regions[0] == "chest"


def trunk_with(tube_hu: int, *, broken: bool) -> npt.NDArray[np.int16]:
    """A trunk of 40 slices of 3 mm with a tube of 24 mm; `broken`: discs of 9 mm every 33 mm."""
    grid = plane_grid(128, 2.5)
    volume = np.full((40, 128, 128), 40, np.int16)
    volume[:, ellipse(grid, (12, 12), (40, 10))] = tube_hu
    if broken:
        volume[np.arange(40) % 11 < 3] = 40
    return volume


@pytest.mark.parametrize(
    ("tube", "broken", "enhanced"), [(220, False, True), (60, False, False), (220, True, False)]
)
def test_a_dense_tube_is_an_enhanced_vessel_and_a_spine_is_none(
    tube: int, broken: bool, enhanced: bool
) -> None:
    rng = np.random.default_rng(4)
    hu = trunk_with(tube, broken=broken) + rng.normal(0, 12, (40, 128, 128)).astype(np.int16)
    assert has_enhanced_vessel(hu, (3.0, 2.5, 2.5)) is enhanced


NOTHING, HEAD_SEEN, CHEST_SEEN = Seen(), Seen(("head",)), Seen(("chest", "abdomen"))


@pytest.mark.parametrize(
    ("header", "asked", "seen", "region", "sources"),
    [
        ("", "", NOTHING, "", ()),
        ("chest", "", NOTHING, "chest", ("header",)),
        ("", "", CHEST_SEEN, "chest, abdomen", ("pixels",)),
        ("chest", "", CHEST_SEEN, "chest", ("header", "pixels")),
        ("chest", "chest, abdomen", CHEST_SEEN, "chest", ("header", "request", "pixels")),
        ("pelvis", "", CHEST_SEEN, "pelvis", ("header", "pixels")),
        ("", "knee", NOTHING, "knee", ("request",)),
        ("spine", "", CHEST_SEEN, "spine", ("header",)),
    ],
)
def test_sources_that_agree_settle_the_region(
    header: str, asked: str, seen: Seen, region: str, sources: tuple[str, ...]
) -> None:
    settled = settle(header, asked, seen)
    assert (settled.region, settled.sources) == (region, sources)


@pytest.mark.parametrize(
    ("header", "asked", "seen", "said"),
    [
        ("chest", "knee", NOTHING, "the header of the images names chest"),
        ("chest", "knee", CHEST_SEEN, "the images show chest and abdomen"),
        ("head", "", CHEST_SEEN, "as the clinical question"),
        ("chest", "chest", HEAD_SEEN, "the images show head"),
    ],
)
def test_sources_that_contradict_stop_the_draft(header: str, asked: str, seen: Seen, said: str) -> None:
    with pytest.raises(RegionMismatch, match=said):
        settle(header, asked, seen)


def test_a_request_that_the_pixels_confirm_overrules_a_wrong_header() -> None:
    settled = settle("head", "chest", CHEST_SEEN)
    assert (settled.region, settled.overruled) == ("chest", "head")


def test_collect_settles_the_region_before_any_tool_and_says_so() -> None:
    ctx = make_context(Chest())
    found = collect(ctx, ())
    assert found.ledger.body_region == "chest, abdomen"
    assert [event["message"] for event in found.events] == ["chest, abdomen (pixels)"]
    with pytest.raises(RegionMismatch):
        collect(replace(ctx, body_region="head"), ())
    with pytest.raises(RegionMismatch):
        collect(ctx, (), asked_region="knee")

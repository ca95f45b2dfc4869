"""Masks are found by the hash of their content, and a damaged store is noticed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.evidence.contours import trace
from inference.evidence.diameters import polygon_area
from inference.evidence.lungs import LUNG
from inference.evidence.masks import MaskError, MaskStore
from reports.domain import Side
from viewer.imaging.contour import inside_polygon, simplify


def store_with(*masks: np.ndarray) -> MaskStore:
    store = MaskStore()
    for mask in masks:
        store.add(mask, label="Right lung", side=Side.RIGHT, concept=LUNG)
    return store


@settings(max_examples=30, deadline=None)
@given(st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)), st.integers(0, 2**32 - 1))
def test_a_mask_comes_back_bit_for_bit(shape: tuple[int, int, int], seed: int) -> None:
    mask = np.random.default_rng(seed).random(shape) < 0.5
    store = MaskStore.from_bytes(store_with(mask).to_bytes())
    (reference,) = store
    assert np.array_equal(store.get(reference.sha256), mask)
    assert reference.shape == shape


def test_the_same_mask_has_one_key_and_one_segment() -> None:
    mask = np.zeros((2, 3, 4), dtype=bool)
    mask[1, 1] = True
    store = store_with(mask, mask.copy(), ~mask)
    assert [reference.segment for reference in store] == [1, 2]


def test_equal_bits_of_another_shape_are_another_mask() -> None:
    mask = np.ones((2, 3, 4), dtype=bool)
    assert len(store_with(mask, mask.reshape(4, 3, 2))) == 2


@pytest.mark.parametrize("place", [3, 60, -3])
def test_a_flipped_byte_is_found(place: int) -> None:
    mask = np.random.default_rng(2).random((4, 16, 16)) < 0.3
    blob = bytearray(store_with(mask).to_bytes())
    blob[place] ^= 0x10
    with pytest.raises(MaskError):
        store = MaskStore.from_bytes(bytes(blob))
        for reference in store:
            store.get(reference.sha256)


@pytest.mark.parametrize("change", [b"", b"more"])
def test_a_cut_or_longer_blob_is_found(change: bytes) -> None:
    blob = store_with(np.ones((2, 8, 8), dtype=bool)).to_bytes()
    with pytest.raises(MaskError):
        MaskStore.from_bytes(blob + change if change else blob[:-2])


def test_an_unknown_mask_says_what_to_do() -> None:
    with pytest.raises(MaskError, match="draft the study again"):
        MaskStore().get("0" * 64)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_outline_encloses_exactly_the_pixels_of_its_body(seed: int) -> None:
    from scipy import ndimage

    rough = ndimage.gaussian_filter(np.random.default_rng(seed).random((24, 30)), 2.0)
    mask = rough > np.quantile(rough, 0.7)
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    body = ndimage.binary_fill_holes(labels == sizes.argmax())
    points = trace(mask)
    assert polygon_area(points) == pytest.approx(body.sum())
    assert np.array_equal(inside_polygon(points, mask.shape), body)


def test_a_simplified_outline_has_fewer_points_and_nearly_the_same_area() -> None:
    rows, columns = np.mgrid[:200, :200]
    points = trace(np.hypot(rows - 100, columns - 90) < 70)
    simple = simplify(points, 0.7)
    assert len(simple) < len(points) / 3
    assert polygon_area(simple) == pytest.approx(polygon_area(points), rel=0.01)

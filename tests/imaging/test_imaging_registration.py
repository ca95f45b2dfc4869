"""Rigid registration: a known motion is found again, the unfit is refused, the same gives the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.index import index_paths
from viewer.imaging.reader import Reader
from viewer.imaging.registration import Proposal, averaged, nudged, register, turn_of, why_not
from viewer.imaging.resample import ShownVolume, as_shown_volume
from viewer.imaging.study import Series
from viewer.imaging.volume import Volume
from viewer.imaging.worker.cancel import CancelToken
from viewer.imaging.worker.errors import WorkerCancelled, WorkerRefused
from viewer.imaging.worker.host import WorkerHost
from viewer.imaging.worker.memory import SharedPool

HEAD = Series(
    series_instance_uid="1.2",
    modality="CT",
    frame_of_reference_uid="1.9",
    verdict=GeometryVerdict(kind=VerdictKind.UNIFORM, reason="evenly spaced"),
)


@pytest.fixture(scope="module")
def pool() -> Iterator[SharedPool]:
    with SharedPool(1 << 29) as made:
        yield made


@pytest.fixture(scope="module")
def host() -> Iterator[WorkerHost]:
    with WorkerHost("imaging") as made:
        yield made


def motion(degrees: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    """Turned about x, then y, then z, then shifted."""
    found = np.eye(4)
    for axis, angle in enumerate(degrees):
        found = nudged(found, (0, 0, 0), axis=np.eye(3)[axis], degrees=angle)
    found[:3, 3] = shift
    return found


def body(points: np.ndarray, contrast: str) -> np.ndarray:
    """A head that is the same from no two sides; another contrast gives its tissues other values."""
    parts = (
        ((0, 0, 0), (80, 95, 75), 100),
        ((0, 0, 0), (72, 87, 67), 40),
        ((20, -30, 10), (18, 25, 20), 70),
        ((-25, 20, -15), (22, 14, 26), 10),
        ((5, 45, 30), (30, 12, 14), 85),
        ((-40, -35, 20), (10, 12, 9), 120),
        ((0, 80, -40), (12, 20, 30), 140),
    )
    values = np.zeros(len(points))
    for middle, radii, value in parts:
        values[(((points - middle) / radii) ** 2).sum(axis=1) <= 1.0] = value
    return values if contrast == "CT" else 5.0 * (150.0 - values) * (values > 0)


def volume(
    matrix: np.ndarray | None = None,
    *,
    contrast: str = "CT",
    shape: tuple[int, int, int] = (44, 80, 76),
    spacing: tuple[float, float, float] = (4.0, 2.6, 2.6),
    seed: int = 1,
) -> Volume:
    """The body on a grid; `matrix` says where a place of this volume lies in the body's space."""
    affine = np.diag([spacing[2], spacing[1], spacing[0], 1.0])
    affine[:3, 3] = -(affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2))
    k, j, i = np.mgrid[: shape[0], : shape[1], : shape[2]]
    points = np.stack([i.ravel(), j.ravel(), k.ravel()], axis=1) @ affine[:3, :3].T + affine[:3, 3]
    if matrix is not None:
        points = points @ matrix[:3, :3].T + matrix[:3, 3]
    noise = np.random.default_rng(seed).normal(0.0, 4.0, len(points))
    stored = np.rint(body(points, contrast) + noise).astype(np.int16).reshape(shape)
    return Volume(HEAD, stored, affine, 1.0, 0.0, "1", ())


@pytest.mark.parametrize(
    ("contrast", "degrees", "shift"),
    [
        ("CT", (0.0, 0.0, 9.0), (14.0, -8.0, 5.0)),
        ("MR", (6.0, -5.0, 4.0), (-11.0, 9.0, 13.0)),
    ],
)
def test_a_known_motion_is_found_within_half_a_millimetre_and_half_a_degree(
    host: WorkerHost, pool: SharedPool, contrast: str, degrees: Any, shift: Any
) -> None:
    wanted = motion(degrees, shift)  # moving -> fixed
    heard: list[float] = []
    found = register(
        host,
        pool,
        volume(),
        volume(wanted, contrast=contrast, seed=2, spacing=(3.0, 3.0, 3.0), shape=(64, 72, 70)),
        on_progress=heard.append,
    )
    assert np.linalg.norm(found.matrix[:3, 3] - wanted[:3, 3]) < 0.5  # the middle of the head
    assert turn_of(found.matrix @ np.linalg.inv(wanted)) < 0.5
    assert found.metric_after < found.metric_before and found.overlap > 0.8
    assert heard and all(0.0 <= share <= 1.0 for share in heard)
    assert "clearly better" in found.quality()


def test_the_same_volumes_give_the_same_result(host: WorkerHost, pool: SharedPool) -> None:
    fixed, moving = volume(), volume(motion((0.0, 0.0, 5.0), (6.0, 2.0, -4.0)), seed=3)
    first, second = (register(host, pool, fixed, moving) for _ in range(2))
    assert (first.matrix == second.matrix).all() and first.metric_after == second.metric_after


def test_volumes_far_apart_in_their_coordinates_are_brought_together(
    host: WorkerHost, pool: SharedPool
) -> None:
    moving = volume(seed=2)
    affine = moving.affine.copy()
    affine[:3, 3] += (900.0, -700.0, 1500.0)
    found = register(host, pool, volume(), replace(moving, affine=affine))
    middle = found.matrix @ (900.0, -700.0, 1500.0, 1.0)
    assert middle[:3] == pytest.approx((0.0, 0.0, 0.0), abs=0.5)


def test_what_is_empty_or_unfit_is_refused_in_words(host: WorkerHost, pool: SharedPool) -> None:
    flat = volume()
    flat = replace(flat, stored=np.zeros_like(flat.stored))
    with pytest.raises(WorkerRefused, match="same value"):
        register(host, pool, volume(), flat)
    assert "fewer than" in why_not(HEAD, HEAD)
    assert "DX" in why_not(HEAD.model_copy(update={"modality": "DX"}), HEAD)
    nowhere = HEAD.model_copy(update={"frame_of_reference_uid": ""})
    assert "without a frame of reference" in why_not(nowhere, HEAD)


def test_it_stops_when_asked(pool: SharedPool) -> None:
    cancel = CancelToken()
    with WorkerHost("imaging") as own, pytest.raises((WorkerCancelled, WorkerRefused)):
        register(
            own,
            pool,
            volume(),
            volume(motion((6.0, -5.0, 4.0), (-11.0, 9.0, 13.0)), contrast="MR", seed=2),
            on_progress=lambda share: cancel.cancel(),
            cancel=cancel,
        )


def test_averaging_keeps_places() -> None:
    fine = volume(shape=(20, 64, 60), spacing=(1.0, 0.5, 0.5))
    values, affine = averaged(fine)
    assert values.shape == (10, 16, 15)
    assert affine[:3, 3] == pytest.approx(fine.affine[:3, 3] + (0.75, 0.75, 0.5))
    assert values[3, 7, 7] == pytest.approx(float(fine.stored[6:8, 28:32, 28:32].mean()), abs=0.01)


def test_words_warn_of_what_is_doubtful() -> None:
    poor = Proposal(motion((0.0, 0.0, 30.0), (0.0, 0.0, 0.0)), -0.5, -0.501, 0.3)
    words = poor.quality()
    assert "No better match" in words and "30 %" in words and "30 degrees" in words


def test_nudges_turn_about_the_place_and_stay_rigid() -> None:
    matrix = motion((3.0, 4.0, 5.0), (1.0, 2.0, 3.0))
    about = np.array([10.0, 20.0, 30.0])
    moved = matrix
    for _ in range(50):
        moved = nudged(moved, about, axis=(0.0, 0.0, 1.0), degrees=0.5)
    step = moved @ np.linalg.inv(matrix)
    assert step[:3, :3] @ about + step[:3, 3] == pytest.approx(about)
    assert turn_of(step) == pytest.approx(25.0)
    assert np.abs(moved[:3, :3] @ moved[:3, :3].T - np.eye(3)).max() < 1e-12


def shown(reader: Reader, series: Series) -> Volume:
    with reader.open(series) as opened:
        found = as_shown_volume(opened.stack)
        assert isinstance(found, ShownVolume)
        return replace(found.volume, stored=np.array(found.volume.stored))


def test_ct_and_mr_of_one_patient_come_back_where_they_were(
    shared_data: Path, host: WorkerHost, pool: SharedPool
) -> None:
    """The two were laid on each other by their curators: their motion is none, within a pixel."""
    study = index_paths([str(shared_data / "pet" / "STS_002_petct")], archive_dir=None).studies[0]
    series = {one.modality: one for one in study.series}
    with Reader() as reader:
        fixed, moving = shown(reader, series["CT"]), shown(reader, series["MR"])
    step = motion((0.0, 0.0, 4.0), (7.0, -5.0, 4.0))
    displaced = replace(moving, affine=np.linalg.inv(step) @ moving.affine)
    found = register(host, pool, fixed, displaced)
    again = register(host, pool, fixed, moving)
    there = np.asarray(moving.affine @ (np.array([*moving.stored.shape[::-1], 2.0]) / 2))
    apart = np.linalg.norm((found.matrix @ np.linalg.inv(step) @ there - again.matrix @ there)[:3])
    assert apart < 1.0  # wherever it began, it ends at the same place
    assert np.linalg.norm((again.matrix @ there - there)[:3]) < 3.5

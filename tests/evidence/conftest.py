"""The bundled phantom, opened once for all tests of evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import resources
from inference.evaluation.lung_cases import CASES, made
from inference.evaluation.phantom_scan import Scan
from inference.evidence.lung_mask import Lungs, segment_lungs
from viewer.imaging.reader import OpenStack, Reader
from viewer.imaging.study import Study


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    """One imaging worker for all tests of the area."""
    with Reader() as one:
        yield one


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    """Folder of the bundled phantom."""
    return resources.path("sample", "chest-phantom")


@pytest.fixture(scope="session")
def sample(reader: Reader, sample_folder: Path) -> Iterator[tuple[Study, OpenStack]]:
    """The bundled phantom, opened through the imaging worker."""
    study = reader.index([sample_folder]).studies[0]
    with reader.open(study.series[0]) as opened:
        yield study, opened


@pytest.fixture(scope="session")
def sample_truth() -> dict[str, dict[str, float]]:
    """What is known of the phantom."""
    truth: dict[str, dict[str, float]] = resources.table("sample", "chest-phantom.truth.json")
    return truth


LungCase = tuple[Scan, Lungs]
Triple = tuple[float, float, float]


@pytest.fixture(scope="session")
def lung_case() -> Callable[[str, Triple], LungCase]:
    """Synthetic chests of `lung_cases` by name and spacing with their masks, each made once."""

    @cache
    def case(name: str, spacing: Triple) -> LungCase:
        scan = made(next(one for one in CASES if one.name == name), spacing)
        return scan, segment_lungs(scan.hu, scan.affine, scan.spacing)

    return case

"""The evidence worker: the window's process hands over pixels and gets a ledger, masks and files."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inference.evidence.client import EvidenceClient
from inference.evidence.findings import accept_finding
from inference.evidence.masks import MaskStore
from inference.evidence.tool import DrawnRegion
from reports.domain import Side
from viewer.imaging.reader import OpenStack
from viewer.imaging.regions import Region, Shape
from viewer.imaging.study import Study
from viewer.imaging.worker.host import CancelToken, WorkerCancelled, WorkerRefused


@pytest.fixture(scope="module")
def client() -> Iterator[EvidenceClient]:
    with EvidenceClient() as one:
        yield one


def nodule_region(opened: OpenStack, truth: dict[str, dict[str, float]]) -> DrawnRegion:
    nodule = truth["nodule"]
    column, row = nodule["centre_pixel_column_row"]  # type: ignore[misc]
    radius = nodule["diameter_mm"] / 2 / 0.95
    return DrawnRegion(
        Region(
            shape=Shape.ELLIPSE,
            series_instance_uid=opened.stack.series.series_instance_uid,
            sop_instance_uid=str(nodule["sop_instance_uid"]),
            points=(
                (column - radius, row),
                (column + radius, row),
                (column, row - radius),
                (column, row + radius),
            ),
        ),
        "Nodule",
    )


def test_the_sample_gives_its_ledger_masks_and_segmentation(
    client: EvidenceClient,
    sample: tuple[Study, OpenStack],
    sample_truth: dict[str, dict[str, float]],
    tmp_path: Path,
) -> None:
    study, opened = sample
    heard: list[str] = []
    before = opened.stack.stored.copy()
    found = client.collect(
        study,
        opened,
        regions=(nodule_region(opened, sample_truth),),
        on_event=lambda event: heard.append(f"{event['tool']} {event['status']}"),
    )
    assert heard[:3] == ["body-region done", "technique running", "technique done"]
    labels = [one.label for one in found.ledger.evidence]
    wanted = ["Technique", "Right lung", "Left lung", "Both lungs", "Nodule"]
    assert [label for label in labels if label in wanted] == wanted
    assert found.ledger.body_region == "chest"
    assert found.ledger.study_instance_uid == study.study_instance_uid
    assert np.array_equal(before, opened.stack.stored)
    sha256 = client.write_seg(found.masks, opened.stack, tmp_path / "evidence.seg.dcm")
    assert len(sha256) == 64
    assert (tmp_path / "evidence.seg.dcm").stat().st_size > 100_000


def test_a_drawn_nodule_becomes_a_finding(
    client: EvidenceClient,
    sample: tuple[Study, OpenStack],
    sample_truth: dict[str, dict[str, float]],
) -> None:
    study, opened = sample
    measured = client.measure_region(
        study, opened, nodule_region(opened, sample_truth), evidence_id="E5"
    )
    assert measured.id == "E5"
    assert measured.side is Side.RIGHT
    assert measured.value("long").value == pytest.approx(sample_truth["nodule"]["diameter_mm"], abs=0.7)
    assert measured.value("mean").value == pytest.approx(sample_truth["nodule"]["density_hu"], abs=60)
    found = accept_finding(
        measured, side=measured.side, anatomy="upper lobe", descriptor="nodule", person="Dr. A. Reader"
    )
    assert found.value("long").text == measured.value("long").text


def test_cancel_ends_the_call(client: EvidenceClient, sample: tuple[Study, OpenStack]) -> None:
    study, opened = sample
    token = CancelToken()
    with pytest.raises(WorkerCancelled):
        client.collect(study, opened, on_event=lambda event: token.cancel(), cancel=token)
    # The next call works as if nothing had been.
    assert client.collect(study, opened).ledger.evidence


def test_a_refusal_to_write_reaches_the_host(
    client: EvidenceClient, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    _, opened = sample
    with pytest.raises(WorkerRefused) as caught:
        client.write_seg(MaskStore(), opened.stack, tmp_path / "none.dcm")
    assert caught.value.code == "no_masks"


def test_calls_from_two_threads_queue(
    client: EvidenceClient, sample: tuple[Study, OpenStack], sample_truth: dict[str, dict[str, float]]
) -> None:
    study, opened = sample
    region = nodule_region(opened, sample_truth)
    got: list[str] = []

    def one(number: int) -> None:
        got.append(client.measure_region(study, opened, region, evidence_id=f"E{number}").id)

    threads = [threading.Thread(target=one, args=(number,)) for number in (7, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(got) == ["E7", "E8"]


def test_the_host_loads_no_dicom_and_no_heavy_module() -> None:
    import subprocess

    code = (
        "import sys, inference.evidence.client;"
        "print([m for m in ('pydicom','highdicom','scipy','SimpleITK','torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

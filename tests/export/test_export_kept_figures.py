"""Key images that a person kept are figures of the document, with marks over the rendered picture."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pikepdf
import pytest

import resources
from app.desk import Desk
from app.engine import Engine
from app.kept_figures import kept_figures
from app.key_images import KeptImage, key_images_body
from app.marks import body_of
from reports.domain import Ledger, Role
from reports.store.keys import ProviderKind
from reports.store.kinds import RecordKind
from viewer.imaging.marks import LENGTH, Mark, MarkKind, MarkValue
from viewer.imaging.reader import OpenStack
from viewer.imaging.render import render_frame
from viewer.imaging.study import Study, WindowPreset

PASSWORD = "a good long password"
WINDOW = WindowPreset(center=-500, width=1500)


@pytest.fixture(scope="module")
def sample() -> Iterator[tuple[Study, OpenStack]]:
    with Engine() as engine:
        study = engine.reader.index([resources.path("sample", "chest-phantom")]).studies[0]
        with engine.reader.open(study.series[0]) as opened:
            yield study, opened


def kept_at(opened: OpenStack, index: int, note: str = "") -> KeptImage:
    series = opened.stack.series
    return KeptImage(
        series_key=series.key,
        series_instance_uid=series.series_instance_uid,
        sop_instance_uid=series.instances[index].sop_instance_uid,
        window=WINDOW,
        note=note,
    )


def length_at(opened: OpenStack, index: int) -> Mark:
    series = opened.stack.series
    value = MarkValue(concept=LENGTH, label="Length", value=-12.34, unit="mm", source="PixelSpacing")
    return Mark(
        kind=MarkKind.LENGTH,
        name="T1",
        points=((10.0, 20.0), (30.0, 20.0)),
        series_instance_uid=series.series_instance_uid,
        series_key=series.key,
        sop_instance_uid=series.instances[index].sop_instance_uid,
        values=(value,),
    )


def test_a_figure_is_the_rendered_picture_and_the_data_stay(sample: tuple[Study, OpenStack]) -> None:
    stack = sample[1].stack
    before = hashlib.sha256(np.ascontiguousarray(stack.stored)).hexdigest()
    images = [kept_at(sample[1], 30, "Nodule"), kept_at(sample[1], 12)]
    first, second = kept_figures(images, [length_at(sample[1], 30)], [stack])
    assert np.array_equal(first.grey, render_frame(stack, 30, WINDOW))
    assert [one.label for one in first.outlines] == ["T1 \u221212.3 mm"]
    assert second.outlines == ()
    assert first.caption.startswith("Key image. Se ")
    assert first.caption.endswith("W 1500 L \u2212500. Nodule")
    assert hashlib.sha256(np.ascontiguousarray(stack.stored)).hexdigest() == before


def test_images_of_a_series_that_is_not_at_hand_have_no_figure(
    sample: tuple[Study, OpenStack],
) -> None:
    assert kept_figures([kept_at(sample[1], 30)], [], []) == ()


def test_the_exported_document_shows_them(tmp_path: Path, sample: tuple[Study, OpenStack]) -> None:
    study, opened = sample
    uid = study.study_instance_uid
    ledger = Ledger(study_instance_uid=uid)
    counts = []
    with Desk.open(tmp_path / "home", create=ProviderKind.FILE) as desk:
        desk.store.accounts.add("ana", "Dr A. Reader", Role.RADIOLOGIST, PASSWORD)
        desk.sign_in("ana", PASSWORD)
        report = desk.open_study(study).report
        for images in ((), (kept_at(opened, 30), kept_at(opened, 12))):
            body = key_images_body(images)
            desk.save_study_record(uid, RecordKind.KEY_IMAGES, body, act="keep a key image")
            marks = body_of([length_at(opened, 30)])
            desk.save_study_record(uid, RecordKind.MARKS, marks, act="add: length")
            target = tmp_path / f"out{len(counts)}.pdf"
            desk.export_pdf(report, ledger, study, None, target, others=(opened.stack,))
            with pikepdf.open(io.BytesIO(target.read_bytes())) as pdf:
                counts.append(sum(len(page.images) for page in pdf.pages))
    assert counts[1] - counts[0] == 2

"""The reader opens a study through its worker: first image first, bad images left out, never stuck."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless

from viewer.imaging.geometry import VerdictKind
from viewer.imaging.reader import Reader
from viewer.imaging.volume import Volume, as_volume
from viewer.imaging.worker.host import CancelToken, WorkerCancelled, WorkerHost, WorkerRefused
from viewer.imaging.worker.kinds import GIB, KINDS, TEST_MODULE_VARIABLE, WorkerKind
from viewer.imaging.worker.memory import GRANULE

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """One worker for the tests of this file."""
    with Reader() as one:
        yield one


def test_a_folder_becomes_a_volume_through_the_worker(
    reader: Reader, write_series: Callable[..., Path]
) -> None:
    index = reader.index([write_series(7)])
    with reader.open(index.studies[0].series[0]) as opened:
        volume = as_volume(opened.stack)
        assert isinstance(volume, Volume)
        assert volume.stored[:, 0, 0].tolist() == [0, 100, 200, 300, 400, 500, 600]
        assert opened.stack.decoder == "native"
        assert opened.bad_files == ()
        assert not opened.stack.stored.flags.writeable


def test_a_warm_reader_has_its_worker_and_memory_before_the_first_call(
    write_series: Callable[..., Path],
) -> None:
    with Reader() as warm:
        warm.warm(3 * GRANULE)
        for thread in threading.enumerate():
            if thread.name == "reader-warm":
                thread.join()
        pid = warm.host.pid
        assert pid is not None
        assert warm.pool.allocated == 3 * GRANULE
        series = warm.index([write_series(2)]).studies[0].series[0]
        with warm.open(series):
            assert warm.pool.allocated == 3 * GRANULE
        assert warm.host.pid == pid
    warm.warm(GRANULE)  # a program that closes at once: nothing is left behind
    for thread in threading.enumerate():
        if thread.name == "reader-warm":
            thread.join()
    assert warm.host.pid is None
    assert warm.pool.allocated == 0


def test_streaming_starts_with_the_image_that_is_looked_at(
    reader: Reader, write_series: Callable[..., Path]
) -> None:
    series = reader.index([write_series(30)]).studies[0].series[0]
    opened = reader.begin(series)
    assert not opened.stack.stored.any()
    seen: list[int] = []

    def on_frames(frames: object) -> None:
        assert isinstance(frames, list)
        for frame in frames:
            assert opened.stack.stored[frame].any()
        seen.extend(frames)

    opened.load(first=20, on_frames=on_frames)
    assert seen[0] == 20
    assert sorted(seen) == list(range(30))
    opened.release()


def test_an_image_that_cannot_be_decoded_is_left_out_and_the_verdict_says_so(
    reader: Reader, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    import imagecodecs

    for number in range(6):
        data = bytes(imagecodecs.jpegls_encode(np.full((64, 48), number + 1, np.uint16)))
        ds = ct_slice(number, syntax=JPEGLSLossless, Rows=64, Columns=48)
        ds.PixelData = encapsulate([data[:25] if number == 3 else data])
        save(ds, tmp_path / f"{number}.dcm")
    series = reader.index([tmp_path]).studies[0].series[0]
    assert series.verdict.kind is VerdictKind.UNIFORM
    with reader.open(series) as opened:
        assert [int(frame.max()) for frame in opened.stack.stored] == [1, 2, 3, 5, 6]
        assert opened.stack.frames == ((0, 1), (1, 1), (2, 1), (4, 1), (5, 1))
        assert opened.stack.series.verdict.kind is VerdictKind.MISSING
        assert [Path(bad.path).name for bad in opened.bad_files] == ["3.dcm"]
        assert not isinstance(as_volume(opened.stack), Volume)


def test_a_series_without_any_good_image_is_refused_in_words(
    reader: Reader, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(syntax=JPEGLSLossless)
    ds.PixelData = encapsulate([b"\xff\xd8\xff\xf7" + bytes(60)])
    save(ds, tmp_path / "a.dcm")
    series = reader.index([tmp_path]).studies[0].series[0]
    with pytest.raises(WorkerRefused, match="No image of this series"):
        reader.open(series)
    assert reader.index([tmp_path]).studies


def test_a_series_larger_than_memory_is_refused_before_anything_is_read(
    reader: Reader, write_series: Callable[..., Path]
) -> None:
    series = reader.index([write_series(1)]).studies[0].series[0]
    huge = series.instances[0].model_copy(
        update={"rows": 60000, "columns": 60000, "number_of_frames": 900}
    )
    with pytest.raises(WorkerRefused) as refusal:
        reader.open(series.model_copy(update={"instances": (huge,)}))
    assert refusal.value.code == "too_large"


def test_hostile_files_leave_the_worker_alive(
    reader: Reader, write_series: Callable[..., Path]
) -> None:
    folder = write_series(3)
    nested = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 20_000
    head = (folder / "000.dcm").read_bytes()
    (folder / "bomb.dcm").write_bytes(head[: head.index(b"\x08\x00\x08\x00")] + nested)
    (folder / "bare.dcm").write_bytes(nested)
    pid = reader.host.pid
    index = reader.index([folder])
    assert {bad.code for bad in index.bad_files} == {"too_deep"}
    assert index.studies[0].series[0].image_count == 3
    assert pid is None or reader.host.pid == pid


def test_a_cancelled_load_ends_and_the_next_one_works(
    reader: Reader, write_series: Callable[..., Path]
) -> None:
    series = reader.index([write_series(5)]).studies[0].series[0]
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(WorkerCancelled):
        reader.open(series, cancel=cancel)
    with reader.open(series) as opened:
        assert opened.stack.stored.shape[0] == 5


def test_a_thumbnail_comes_through_the_grey_pipeline(
    reader: Reader, write_series: Callable[..., Path]
) -> None:
    series = reader.index([write_series(3)]).studies[0].series[0]
    picture = reader.thumbnail(series, size=48)
    assert picture.dtype == np.uint8
    assert picture.shape == (4, 6)
    assert picture.min() < 10
    assert picture.max() > 245


def test_unpacked_archives_go_with_the_reader(
    write_series: Callable[..., Path], tmp_path: Path
) -> None:
    import zipfile

    folder = write_series(2)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    with Reader() as own:
        series = own.index([tmp_path / "a.zip"]).studies[0].series[0]
        unpacked = Path(series.instances[0].path)
        assert unpacked.is_file()
        with own.open(series) as opened:
            assert opened.stack.stored.shape[0] == 2
    assert not unpacked.exists()


@pytest.fixture
def fragile_reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """A reader whose worker dies on files named "crash"."""
    module = "imaging_test_operations"
    environment = {TEST_MODULE_VARIABLE: module, "PYTHONPATH": str(Path(__file__).parent)}
    monkeypatch.setitem(KINDS, "fragile", WorkerKind(module, 2 * GIB, environment=environment))
    with Reader(host=WorkerHost("fragile")) as one:
        yield one


def test_a_file_that_kills_the_worker_while_indexing_is_named_and_the_rest_is_indexed(
    fragile_reader: Reader, write_series: Callable[..., Path]
) -> None:
    folder = write_series(4)
    for name in ("crash1.dcm", "crash2.dcm"):
        (folder / name).write_bytes(b"\x08\x00\x05\x00" + bytes(300))  # no preamble: pydicom's turn
    index = fragile_reader.index([folder])
    assert {Path(bad.path).name: bad.code for bad in index.bad_files} == {
        "crash1.dcm": "crash",
        "crash2.dcm": "crash",
    }
    assert index.studies[0].series[0].image_count == 4


def test_an_image_that_kills_the_worker_is_left_out_and_the_rest_is_shown(
    fragile_reader: Reader, write_series: Callable[..., Path]
) -> None:
    folder = write_series(6)
    (folder / "004.dcm").rename(folder / "crash.dcm")
    series = fragile_reader.index([folder]).studies[0].series[0]
    assert series.image_count == 6
    with fragile_reader.open(series, first=0) as opened:
        assert opened.stack.stored[:, 0, 0].tolist() == [0, 100, 200, 300, 500]
        assert [(Path(bad.path).name, bad.code) for bad in opened.bad_files] == [("crash.dcm", "crash")]
        assert opened.stack.series.verdict.kind is VerdictKind.MISSING
    # The file is in quarantine now: opening again costs no worker.
    pid = fragile_reader.host.pid
    with fragile_reader.open(series) as opened:
        assert opened.stack.stored.shape[0] == 5
    assert fragile_reader.host.pid == pid is not None

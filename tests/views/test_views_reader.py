"""The reader behind a window: images stream in, stale answers are dropped, memory goes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from viewer.acts import Arrangement
from viewer.imaging.regions import Region, Shape
from viewer.imaging.study import BadFile, Series, Study, StudyIndex
from viewer.imaging.volume import ImageStack
from viewer.imaging.worker.cancel import CancelToken
from viewer.imaging.worker.errors import WorkerCancelled, WorkerRefused
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.reading_area import ReadingArea

pytestmark = pytest.mark.gui

StackMaker = Callable[..., ImageStack]


class AnalyticOpened:
    """A stack that arrives frame by frame, when the test lets it."""

    def __init__(self, reader: AnalyticReader, complete: ImageStack) -> None:
        self.complete = complete
        self.stack = ImageStack(complete.series, np.zeros_like(complete.stored), complete.frames)
        self.bad_files: tuple[BadFile, ...] = ()
        self.released = threading.Event()
        self._reader = reader

    def load(
        self,
        *,
        first: int,
        on_frames: Callable[[Sequence[int]], None] | None,
        cancel: CancelToken | None,
    ) -> ImageStack:
        key = self.complete.series.key
        self._reader.first[key] = first
        if key in self._reader.broken:
            raise WorkerRefused("truncated", "The file ends early: copy it again.")
        order = sorted(range(len(self.complete.frames)), key=lambda i: abs(i - first))
        for index in order:
            gate = self._reader.gate
            while not gate.wait(0.005):
                if cancel is not None and cancel.cancelled:
                    raise WorkerCancelled("cancelled", "Stopped as asked.")
            self.stack.stored[index] = self.complete.stored[index]
            assert on_frames is not None
            on_frames([index])
        return self.stack

    def release(self) -> None:
        assert not self.released.is_set(), "released twice"
        self.released.set()


class AnalyticReader:
    """The interface of `viewer.imaging.reader.Reader` over stacks that are known."""

    def __init__(self, stacks: Sequence[ImageStack], studies: Sequence[Study] = ()) -> None:
        self.stacks = {stack.series.key: stack for stack in stacks}
        self.studies = tuple(studies)
        self.gate = threading.Event()
        self.gate.set()
        self.broken: set[str] = set()
        self.first: dict[str, int] = {}
        self.opened: list[AnalyticOpened] = []

    def index(
        self,
        paths: Sequence[Path],
        *,
        on_progress: Callable[[int, int], None] | None,
        cancel: CancelToken | None,
    ) -> StudyIndex:
        assert on_progress is not None and cancel is not None
        if paths[0].name == "slow":
            cancel.wait(20)
            raise WorkerCancelled("cancelled", "Stopped as asked.")
        if paths[0].name == "nothing":
            raise WorkerRefused("not_dicom", "There is no DICOM in this folder.")
        on_progress(1, 2)
        return StudyIndex(studies=self.studies, file_count=len(paths))

    def begin(self, series: Series) -> AnalyticOpened:
        opened = AnalyticOpened(self, self.stacks[series.key])
        self.opened.append(opened)
        return opened

    def thumbnail(self, series: Series, *, size: int, cancel: CancelToken | None) -> np.ndarray:
        return np.full((size // 2, size), 90, dtype=np.uint8)


@pytest.fixture
def stacks(make_stack: StackMaker) -> list[ImageStack]:
    return [make_stack(uid="1.2.3"), make_stack(uid="1.2.4", count=5)]


@pytest.fixture
def reader(stacks: list[ImageStack], make_study: Callable[..., Study]) -> AnalyticReader:
    return AnalyticReader(stacks, [make_study(*(stack.series for stack in stacks))])


@pytest.fixture
def adapter(qapp, reader: AnalyticReader) -> Iterator[ReaderAdapter]:  # type: ignore[no-untyped-def]
    made = ReaderAdapter(reader)
    yield made
    made.close()
    assert all(opened.released.is_set() for opened in reader.opened)


def test_an_index_reports_progress_and_arrives(qtbot, adapter: ReaderAdapter) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitSignals([adapter.indexProgress, adapter.indexed]):
        adapter.index([Path("study")])


def test_a_newer_index_drops_the_older_one(qtbot, adapter: ReaderAdapter) -> None:  # type: ignore[no-untyped-def]
    failures: list[str] = []
    adapter.indexFailed.connect(lambda code, _: failures.append(code))
    adapter.index([Path("slow")])
    with qtbot.waitSignal(adapter.indexed):
        adapter.index([Path("study")])
    adapter.close()
    assert failures == []


def test_a_failed_index_says_why(qtbot, adapter: ReaderAdapter) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitSignal(adapter.indexFailed) as failed:
        adapter.index([Path("nothing")])
    assert failed.args == ["not_dicom", "There is no DICOM in this folder."]


def test_the_first_image_comes_before_the_rest(qtbot, adapter, reader, stacks) -> None:  # type: ignore[no-untyped-def]
    arrived: list[int] = []
    adapter.framesArrived.connect(lambda _, frames: arrived.extend(frames))
    with qtbot.waitSignal(adapter.seriesOpened) as opened:
        adapter.open(stacks[0].series, first=7)
    assert arrived[0] == 7
    assert sorted(arrived) == list(range(9))
    np.testing.assert_array_equal(opened.args[1].stored, stacks[0].stored)
    assert adapter.arrived("1.2.3") is None


def test_a_series_is_opened_once_and_announced_again(qtbot, adapter, reader, stacks) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitSignal(adapter.seriesOpened):
        adapter.open(stacks[0].series)
    with qtbot.waitSignals([adapter.seriesBegun, adapter.seriesOpened]):
        adapter.open(stacks[0].series)
    assert len(reader.opened) == 1


def test_a_series_that_is_no_longer_wanted_is_dropped_and_released(
    qtbot, adapter, reader, stacks
) -> None:  # type: ignore[no-untyped-def]
    heard: list[str] = []
    adapter.framesArrived.connect(lambda key, _: heard.append(key))
    adapter.seriesFailed.connect(lambda key, *_: heard.append(key))
    reader.gate.clear()
    with qtbot.waitSignal(adapter.seriesBegun):
        adapter.open(stacks[0].series)
    adapter.keep_only(())
    qtbot.waitUntil(reader.opened[0].released.is_set)
    assert heard == []
    assert adapter.stack("1.2.3") is None


def test_a_series_that_fails_says_why_before_its_memory_goes(qtbot, adapter, reader, stacks) -> None:  # type: ignore[no-untyped-def]
    reader.broken.add("1.2.3")
    states: list[bool] = []
    adapter.seriesFailed.connect(lambda *_: states.append(reader.opened[0].released.is_set()))
    with qtbot.waitSignal(adapter.seriesFailed) as failed:
        adapter.open(stacks[0].series)
    assert failed.args == ["1.2.3", "truncated", "The file ends early: copy it again."]
    assert states == [False]
    qtbot.waitUntil(reader.opened[0].released.is_set)


# --- the reading area ------------------------------------------------------------------------------


@pytest.fixture
def area(qtbot, adapter: ReaderAdapter) -> ReadingArea:  # type: ignore[no-untyped-def]
    widget = ReadingArea(adapter)
    widget.resize(900, 600)
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def test_a_study_opens_with_its_series_in_the_panes(qtbot, area, reader) -> None:  # type: ignore[no-untyped-def]
    area.grid.set_arrangement(Arrangement.SIDE_BY_SIDE)
    with qtbot.waitSignals([area.seriesReady, area.seriesReady]):
        area.open_study(reader.studies[0])
    assert [pane.stack().series.key for pane in area.grid.panes()] == ["1.2.3", "1.2.4"]
    assert [pane.shown_frame() for pane in area.grid.panes()] == [4, 2]
    assert reader.first == {"1.2.3": 4, "1.2.4": 2}


def test_reading_begins_while_images_still_arrive(qtbot, area, reader) -> None:  # type: ignore[no-untyped-def]
    reader.gate.clear()
    with qtbot.waitSignal(area.paneSeriesChanged):
        area.open_study(reader.studies[0])
    pane = area.grid.active_pane()
    assert pane.model.shown_index() is None
    qtbot.keyClick(pane, Qt.Key.Key_Up)
    assert pane.shown_frame() == 5
    with qtbot.waitSignal(area.seriesReady):
        reader.gate.set()
    assert pane.model.shown_index() == 5


def test_page_keys_and_the_strip_change_the_series(qtbot, area, reader) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitSignal(area.seriesReady):
        area.open_study(reader.studies[0])
    with qtbot.waitSignal(area.paneSeriesChanged) as changed:
        qtbot.keyClick(area.grid.active_pane(), Qt.Key.Key_PageDown)
    assert changed.args == [0, "1.2.4"]
    with qtbot.waitSignal(area.paneSeriesChanged) as changed:
        area.strip.seriesChosen.emit("1.2.3")
    assert changed.args == [0, "1.2.3"]


def test_going_to_a_region_opens_its_series_first(qtbot, area, reader) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitSignal(area.seriesReady):
        area.open_study(reader.studies[0])
    region = Region(
        shape=Shape.BOX,
        series_instance_uid="1.2.4",
        sop_instance_uid="1.2.4.2",
        points=((10, 10), (40, 40)),
    )
    area.grid.set_overlay(Overlay((ViewRegion("E3", (region,)),)))
    with qtbot.waitSignal(area.seriesReady):
        assert area.go_to(region)
    assert area.grid.active_pane().stack().series.key == "1.2.4"
    assert area.grid.active_pane().shown_frame() == 1
    elsewhere = region.model_copy(update={"series_instance_uid": "9", "sop_instance_uid": "9.1"})
    assert not area.go_to(elsewhere)


def test_no_pane_keeps_pixels_of_a_study_that_was_closed(qtbot, area, reader) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitSignal(area.seriesReady):
        area.open_study(reader.studies[0])
    area.open_study(None)
    assert all(pane.stack() is None for pane in area.grid.all_panes())
    assert all(opened.released.is_set() for opened in reader.opened)


def test_a_broken_series_is_named_and_its_pane_is_empty(qtbot, area, reader) -> None:  # type: ignore[no-untyped-def]
    reader.broken.add("1.2.3")
    with qtbot.waitSignal(area.seriesProblem) as problem:
        area.open_study(reader.studies[0])
    assert problem.args == ["1.2.3", "The file ends early: copy it again."]
    assert area.grid.active_pane().stack() is None


@pytest.mark.shared
def test_a_real_series_is_read_and_shown(qtbot, shared_data: Path) -> None:  # type: ignore[no-untyped-def]
    from viewer.imaging.reader import Reader

    with Reader() as real:
        adapter = ReaderAdapter(real)
        area = ReadingArea(adapter)
        area.resize(900, 600)
        qtbot.addWidget(area)
        adapter.indexed.connect(lambda index: area.open_study(index.studies[0]))
        with qtbot.waitSignal(area.seriesReady, timeout=60_000):
            adapter.index([shared_data / "ct" / "chest_LUNG1-001"])
        pane = area.grid.active_pane()
        assert pane.model.count == 134
        letters = pane.model.letters()
        assert letters is not None
        assert letters.left + letters.top + letters.right + letters.bottom == "RALP"
        adapter.close()


def test_tiles_take_one_series_while_it_arrives_and_give_the_panes_back(
    qtbot, adapter, reader, stacks, make_study: Callable[..., Study]
) -> None:  # type: ignore[no-untyped-def]
    area = ReadingArea(adapter)
    qtbot.addWidget(area)
    area.grid.set_arrangement(Arrangement.FOUR)
    reader.gate.clear()
    area.open_study(make_study(*(stack.series for stack in stacks)))
    qtbot.waitUntil(lambda: all(pane.stack() is not None for pane in area.grid.panes()))

    def shown() -> list[str]:
        return [pane.stack().series.key for pane in area.grid.panes()]

    before = shown()
    assert before == ["1.2.3", "1.2.4", "1.2.3", "1.2.3"]
    area.grid.set_tiled(True)
    assert shown() == ["1.2.3"] * 4
    reader.gate.set()
    qtbot.waitUntil(lambda: adapter.arrived("1.2.3") is None and adapter.arrived("1.2.4") is None)
    assert [pane.model.arrived_share for pane in area.grid.panes()] == [1.0] * 4
    first = area.grid.panes()[0].shown_frame()
    assert [pane.shown_frame() for pane in area.grid.panes()] == list(range(first, first - 4, -1))
    area.show_series("1.2.4")
    assert shown() == ["1.2.4"] * 4
    area.show_series("1.2.3")
    area.grid.set_tiled(False)
    assert shown() == before
    area.open_study(None)


class ShrinkingOpened(AnalyticOpened):
    """A stack that loses all but its last two frames while its thread loads it."""

    def load(
        self,
        *,
        first: int,
        on_frames: Callable[[Sequence[int]], None] | None,
        cancel: CancelToken | None,
    ) -> ImageStack:
        super().load(first=first, on_frames=on_frames, cancel=cancel)
        self.stack = ImageStack(self.stack.series, self.stack.stored[-2:], self.stack.frames[-2:])
        self._reader.is_loaded.set()
        return self.stack


class ShrinkingReader(AnalyticReader):
    """Files of it are bad, and it is faster than the window."""

    def __init__(self, stacks: Sequence[ImageStack]) -> None:
        super().__init__(stacks)
        self.is_loaded = threading.Event()

    def begin(self, series: Series) -> AnalyticOpened:
        opened = ShrinkingOpened(self, self.stacks[series.key])
        self.opened.append(opened)
        return opened


def test_images_that_fall_out_before_the_window_looks_are_no_trouble(
    qtbot, qapp, stacks, make_study
) -> None:  # type: ignore[no-untyped-def]
    reader = ShrinkingReader(stacks[:1])
    adapter = ReaderAdapter(reader)
    area = ReadingArea(adapter)
    qtbot.addWidget(area)
    seen: list[int] = []
    adapter.seriesBegun.connect(lambda _key, stack: seen.append(len(stack.frames)))
    adapter.seriesOpened.connect(lambda _key, stack, _bad: seen.append(len(stack.frames)))
    area.open_study(make_study(stacks[0].series))
    assert reader.is_loaded.wait(20)  # and the window has heard nothing so far
    qtbot.waitUntil(lambda: adapter.opened(stacks[0].series.key) is not None)
    assert seen == [9, 2]
    assert len(area.grid.active_pane().stack().frames) == 2
    area.open_study(None)
    adapter.close()

"""Series strip and viewports of one study, fed by the reader: what a reader looks at."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from viewer.imaging.regions import Region
from viewer.imaging.study import BadFile, Series, Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid
from viewer.views.overlay import Overlay
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.series_strip import SeriesStrip
from viewer.views.stage import Stage
from viewer.views.theme import Theme

LOCALISERS = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"})
"""Image types (PS3.3 C.8.2.1.1.1) that open last: they plan a scan, nobody reads them first."""

REPEATED = 4
"""Panes up to this number show a series again when there are no more; others stay empty."""

SERIES_STEPS = {"viewport.next_series": 1, "viewport.previous_series": -1}


class ReadingArea(QWidget):
    """Shows a study: which series stands in which pane, and how its images arrive there.

    Parameters
    ----------
    adapter
        The reader; this area is the only one that opens and closes series through it.
    """

    seriesProblem = Signal(str, str)
    """Series key and words for the reader: it could not be opened, or images are missing from it."""
    seriesReady = Signal(str, object)
    """Series key and its complete ImageStack."""
    paneSeriesChanged = Signal(int, str)
    """Pane and the key of the series it shows from now on."""
    actLeft = Signal(str)
    """An act that neither a viewport nor this area does."""
    said = Signal(str)
    """Words for the reader that need no answer."""

    def __init__(
        self, adapter: ReaderAdapter, theme: Theme | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.theme = theme or Theme()
        self.adapter = adapter
        self.strip = SeriesStrip(self.theme)
        self.grid = ViewportGrid(self.theme)
        self.stage = Stage(self.grid, self.theme)
        self._study: Study | None = None
        self._wanted: dict[int, str] = {}
        self._before_tiles: dict[int, str] = {}
        self._jump: tuple[Region, WindowPreset | None] | None = None
        self._entering = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.strip)
        row.addWidget(self.stage, 1)
        self._row = row
        self.strip.seriesChosen.connect(self.show_series)
        self.grid.seriesDropped.connect(lambda pane, key: self.show_series(key, pane=pane))
        self.grid.actRequested.connect(self._do_elsewhere)
        self.grid.activeChanged.connect(lambda _: self._mark_shown())
        self.grid.arrangementChanged.connect(lambda _: self._fill_panes())
        self.grid.tiledChanged.connect(self._tiles_changed)
        adapter.seriesBegun.connect(self._begun)
        adapter.framesArrived.connect(self._arrived)
        adapter.seriesOpened.connect(self._opened)
        adapter.seriesFailed.connect(self._failed)
        adapter.thumbnailMade.connect(self.strip.set_picture)

    # --- study and series --------------------------------------------------------------------------

    def study(self) -> Study | None:
        """Return the study that is shown."""
        return self._study

    def open_study(self, study: Study | None) -> None:
        """Show a study (none: nothing); the memory of the one before goes back."""
        self._entering = ""
        self.stage.leave()
        self.grid.set_overlay(Overlay())
        self.grid.select_regions(frozenset())
        self._before_tiles.clear()
        self.grid.set_tiled(False)
        self._wanted.clear()
        self._jump = None
        for pane in self.grid.all_panes():
            pane.show_stack(None)
        self.adapter.drop_thumbnails()
        self.adapter.keep_only(())
        self._study = study
        self.strip.set_study(study)
        if study is not None:
            self._fill_panes()
            self.adapter.make_thumbnails(study)

    def series_in_reading_order(self) -> tuple[Series, ...]:
        """Return the series as panes take them: most images first, localisers last."""
        if self._study is None:
            return ()
        return tuple(
            sorted(
                self._study.series,
                key=lambda series: (bool(LOCALISERS & set(series.image_type)), -series.image_count),
            )
        )

    def show_series(self, key: str, *, pane: int | None = None, first: int | None = None) -> None:
        """Show a series in a pane (the active one), from frame `first` on (the middle one)."""
        series = self._series(key)
        if series is None:
            return
        number = self.grid.active_index() if pane is None else pane
        self._wanted[number] = key
        if self.grid.tiled:
            self._claim_tiles(number)
        stack = self.adapter.stack(key)
        if stack is not None:
            self._put(number, stack, first)
        else:
            self.adapter.open(series, first=first)
        self._mark_shown()

    def go_to(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Jump to a region; a series that no pane shows is opened in the active one first.

        Returns
        -------
        bool
            False when the study has no series that could show the region.
        """
        if self.stage.show_region(region, window):
            return True
        holder = next(
            (
                series
                for series in self.series_in_reading_order()
                if series.series_instance_uid == region.series_instance_uid
            ),
            None,
        )
        if holder is None:
            return False
        self._jump = (region, window)
        self.stage.leave()
        self.show_series(holder.key)
        return True

    def set_narrow(self, narrow: bool) -> None:
        """Take the layout for windows under 1600 pixels."""
        self.strip.set_narrow(narrow)

    def _series(self, key: str) -> Series | None:
        found = () if self._study is None else self._study.series
        return next((series for series in found if series.key == key), None)

    def _fill_panes(self) -> None:
        """Give empty panes the next series that none shows, then again the first with many images."""
        if self.grid.tiled:
            self._claim_tiles(self.grid.active_index())
            return
        order = self.series_in_reading_order()
        again = [series for series in order if series.image_count > 1]
        for number in range(len(self.grid.panes())):
            if number in self._wanted:
                continue
            free = [series for series in order if series.key not in self._wanted.values()]
            if not free and number < REPEATED:
                free = again
            if free:
                self.show_series(free[0].key, pane=number)

    def _tiles_changed(self, tiled: bool) -> None:
        """Note that all panes show one series, or give each pane back what it showed before."""
        if tiled:
            self._before_tiles = dict(self._wanted)
            self._claim_tiles(self.grid.active_index())
            return
        before, self._before_tiles = self._before_tiles, {}
        active = self.grid.active_index()
        for number, key in before.items():
            if number != active:
                self.show_series(key, pane=number)

    def _claim_tiles(self, number: int) -> None:
        """Note that all panes show the series of one of them, as far as it has images."""
        series = self._series(self._wanted.get(number, ""))
        if series is None:
            return
        panes = len(self.grid.panes())
        self._wanted = dict.fromkeys(range(max(number + 1, min(panes, series.image_count))), series.key)

    # --- acts and workspaces -----------------------------------------------------------------------

    def add_beside_strip(self, widget: QWidget) -> None:
        """Put a panel between the strip of series and the images."""
        self._row.insertWidget(1, widget)

    def do(self, act: str) -> bool:
        """Do an act of the viewer's table: in the workspace that is entered, else in the viewports."""
        if self.stage.knows(act):
            self.switch_workspace(act)
            return True
        return self.stage.do(act) or self.grid.do(act)

    def switch_workspace(self, name: str) -> None:
        """Enter a workspace with the series of the active viewport, or leave it.

        A series that is still arriving is entered when its pixels are in.
        """
        if self.stage.name == name:
            self.stage.leave()
            return
        pane = self.grid.active_pane()
        stack = pane.stack()
        self._entering = ""
        if stack is None:
            self.said.emit(self.tr("No series is shown here."))
            return
        opened = self.adapter.opened(stack.series.key)
        if opened is None:
            self._entering = name
            self.said.emit(self.tr("The images are still arriving."))
            return
        cut = pane.cut()
        place = None if cut is None else cut.middle()
        self.stage.enter(name, stack, self._study, opened, place)

    def _do_elsewhere(self, act: str) -> None:
        """Do what no viewport does: step through the series, enter a workspace; else ask outside."""
        step = SERIES_STEPS.get(act)
        if step is not None:
            there = self.strip.neighbour(self._wanted.get(self.grid.active_index(), ""), step)
            if there:
                self.show_series(there)
        elif self.stage.knows(act):
            self.switch_workspace(act)
        else:
            self.actLeft.emit(act)

    def _mark_shown(self) -> None:
        self.strip.set_shown(self._wanted.get(self.grid.active_index(), ""))

    # --- pixels arrive -----------------------------------------------------------------------------

    def _panes_of(self, key: str) -> Iterable[int]:
        return [number for number, wanted in self._wanted.items() if wanted == key]

    def _put(self, number: int, stack: ImageStack, first: int | None = None) -> None:
        key = stack.series.key
        pane = self.grid.all_panes()[number]
        pane.show_stack(stack, self._study, arrived=self.adapter.arrived(key), index=first)
        self.paneSeriesChanged.emit(number, key)
        if self._jump is not None and self.grid.show_region(*self._jump):
            self._jump = None

    def _begun(self, key: str, stack: ImageStack) -> None:
        numbers = list(self._panes_of(key))
        if self.grid.tiled:
            # one pane gets it, the grid lays the others' tiles round it
            numbers = [number for number in numbers if number == self.grid.active_index()]
        for number in numbers:
            self._put(number, stack)

    def _arrived(self, key: str, frames: tuple[int, ...]) -> None:
        for number in self._panes_of(key):
            self.grid.all_panes()[number].frames_arrived(frames)

    def _opened(self, key: str, stack: ImageStack, bad_files: tuple[BadFile, ...]) -> None:
        for number in self._panes_of(key):
            self.grid.all_panes()[number].complete_stack(stack)
        here = self.grid.active_pane().stack()
        if self._entering and here is not None and here.series.key == key:
            self.switch_workspace(self._entering)
        self.seriesReady.emit(key, stack)
        if bad_files:
            words = self.tr("{n} of {all} images cannot be shown: {reason}")
            count = len(bad_files) + len(stack.frames)
            text = words.format(n=len(bad_files), all=count, reason=bad_files[0].reason)
            self.seriesProblem.emit(key, text)

    def _failed(self, key: str, code: str, message: str) -> None:
        self.grid.clear_series({key})
        for number in list(self._panes_of(key)):
            del self._wanted[number]
        self._mark_shown()
        self.seriesProblem.emit(key, message)

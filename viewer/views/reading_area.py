"""Series strip and viewports of one study, fed by the reader: what a reader looks at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from viewer.acts import Arrangement
from viewer.imaging.hanging import AS_IT_CAME, Hanging, Placed, ranked
from viewer.imaging.hanging_facts import is_comparable, most_like, reading_order
from viewer.imaging.hanging_protocol import HangingProtocol, bundled
from viewer.imaging.marks import Mark, region_of
from viewer.imaging.priors import PriorStudy
from viewer.imaging.regions import Region
from viewer.imaging.study import BadFile, Series, Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.above import Above
from viewer.views.act_reasons import SERIES_STEPS
from viewer.views.grid import ViewportGrid
from viewer.views.marks.board import MarkBoard
from viewer.views.marks.layer import MarksLayer
from viewer.views.overlay import Overlay
from viewer.views.pane_views import PaneViews, home_of, prior_words
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.series_strip import SeriesStrip
from viewer.views.stage import Stage
from viewer.views.theme import Theme
from viewer.views.viewport_model import Hung
from viewer.views.viewport_state import ViewportState

REPEATED = 4
"""Panes up to this number show a series again when there are no more; others stay empty."""


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
        self.marks = MarkBoard(self)
        self.grid.add_layer(lambda view: MarksLayer(view, self.marks))
        self.stage = Stage(self.grid, self.theme)
        self.stage.actLeft.connect(self.actLeft)
        self.protocols: tuple[HangingProtocol, ...] = bundled()
        """Hanging protocols that a study is matched with, a reader's own before the bundled ones."""
        self.hanging: Hanging | None = None
        """How the study was hung."""
        self._study: Study | None = None
        self._priors: tuple[PriorStudy, ...] = ()
        self._plans: dict[int, Placed] = {}
        self._views = PaneViews()
        self._by_hand = Arrangement.ONE
        self._is_hanging = self._tiles_first = False
        self._wanted: dict[int, str] = {}
        self._before_tiles: dict[int, str] = {}
        self._jump: tuple[Region, WindowPreset | None] | None = None
        self._entering = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.strip)
        self.above = Above(self.stage)
        row.addWidget(self.above, 1)
        self._row = row
        self.marks.jumpRequested.connect(self._show_mark)
        self.strip.seriesChosen.connect(self.show_series)
        self.grid.seriesDropped.connect(lambda pane, key: self.show_series(key, pane=pane))
        self.grid.actRequested.connect(self._do_elsewhere)
        self.grid.activeChanged.connect(lambda _: self._mark_shown())
        self.grid.arrangementChanged.connect(self._arranged)
        self.grid.tiledChanged.connect(self._tiles_changed)
        adapter.seriesBegun.connect(self._begun)
        adapter.framesArrived.connect(self._arrived)
        adapter.seriesOpened.connect(self._opened)
        adapter.seriesFailed.connect(self._failed)
        adapter.thumbnailMade.connect(self.strip.set_picture)
        self.strip.listed.connect(adapter.add_thumbnails)

    # --- study and series --------------------------------------------------------------------------

    def study(self) -> Study | None:
        """Return the study that is shown."""
        return self._study

    def priors(self) -> tuple[PriorStudy, ...]:
        """Return the earlier studies of the patient, newest first."""
        return self._priors

    def open_study(self, study: Study | None, priors: Sequence[PriorStudy] = ()) -> None:
        """Show a study (none: nothing) as a protocol hangs it; the memory of the one before goes back.

        Parameters
        ----------
        priors
            Earlier studies of the patient, newest first; their series can be shown too.
        """
        self._entering = ""
        self.stage.leave()
        self.grid.set_overlay(Overlay())
        self.grid.select_regions(frozenset())
        self.marks.restore(())
        self._before_tiles.clear()
        self.grid.set_tiled(False)
        self._empty_panes()
        self.adapter.drop_thumbnails()
        self.adapter.keep_only(())
        self._study, self._priors = study, tuple(priors)
        self.hanging = None
        self.strip.set_study(study, self._priors)
        if study is not None and study.series:  # a study may hold objects of others only
            self.hang(self.hangings()[0])
            self.adapter.add_thumbnails(self.strip.series())

    def _empty_panes(self) -> None:
        self._wanted.clear()
        self._plans.clear()
        self._views.clear()
        self._jump = None
        for pane in self.grid.all_panes():
            pane.show_stack(None)

    # --- hanging -----------------------------------------------------------------------------------

    def hangings(self, *, any_width: bool = False) -> tuple[Hanging, ...]:
        """Return every way to hang the study that fits it and this window, the best first.

        Parameters
        ----------
        any_width
            Also those that ask for a wider window: a reader may choose them.
        """
        if self._study is None:
            return ()
        # Only priors that are the patient's by ID come up by themselves.
        earlier = [prior.study for prior in self._priors if prior.same_id]
        self._row.activate()
        width = None if any_width else self.stage.width()
        return ranked(self._study, earlier, self.protocols, width=width)

    def hang(self, hanging: Hanging) -> None:
        """Show the study as a protocol says; where none fits, in the layout that the reader chose."""
        protocol = hanging.protocol
        self.hanging = hanging
        self.stage.leave()
        self._before_tiles.clear()
        self.grid.set_tiled(False)
        self._empty_panes()
        shape = Arrangement(f"{protocol.rows}x{protocol.columns}")
        self._plans = {number: pane for number, pane in enumerate(hanging.panes) if pane is not None}
        self._tiles_first = protocol.tiles
        self._is_hanging = True
        self.grid.set_arrangement(self._by_hand if protocol is AS_IT_CAME else shape)
        self.grid.set_active(0)
        self._is_hanging = False
        links = protocol.links
        for wanted, link in (
            (links.scroll, self.grid.set_linked),
            (links.zoom, self.grid.set_zoom_linked),
            (links.window, self.grid.set_window_linked),
        ):
            if wanted is not None:
                link(wanted)
        for number, placed in tuple(self._plans.items()):
            self.show_series(placed.series.key, pane=number, first=placed.first)
        if protocol is AS_IT_CAME:
            self._fill_panes()

    def comparable_priors(self) -> tuple[PriorStudy, ...]:
        """Return the priors of the same modality and body region, newest first."""
        if self._study is None:
            return ()
        return tuple(prior for prior in self._priors if is_comparable(self._study, prior.study))

    def show_prior_beside(self) -> str:
        """Show the newest comparable prior beside the active pane; done again, the next older one.

        Returns
        -------
        str
            Why there is nothing to show, in words for the reader, or empty.
        """
        here = self._wanted.get(self.grid.active_index(), "")
        series = self._series(here)
        if self._study is None or series is None:
            return self.tr("No series is shown here.")
        if self._study_of(here) is not self._study:
            return self.tr("This is a prior: choose a viewport of the study itself.")
        found = [most_like(series, prior.study) for prior in self.comparable_priors()]
        like = [other for other in found if other is not None]
        if not like:
            return self.tr("No prior of this patient shows the same by the same means.")
        if self.grid.arrangement is Arrangement.ONE:
            self.grid.set_arrangement(Arrangement.SIDE_BY_SIDE)
        columns, number = self.grid.arrangement.shape[1], self.grid.active_index()
        beside = number + 1 if (number + 1) % columns or columns == 1 else number - 1
        beside = beside if beside < len(self.grid.panes()) else 0
        keys = [other.key for other in like]
        shown = self._wanted.get(beside, "")
        older = (keys.index(shown) + 1) % len(keys) if shown in keys else 0
        self.show_series(keys[older], pane=beside)
        return ""

    def series_in_reading_order(self) -> tuple[Series, ...]:
        """Return the series as panes take them: most images first, localisers last."""
        return () if self._study is None else reading_order(self._study)

    def show_series(
        self,
        key: str,
        *,
        pane: int | None = None,
        first: int | None = None,
        state: ViewportState | None = None,
    ) -> None:
        """Show a series in a pane (the active one), from frame `first` on (the middle one).

        Parameters
        ----------
        state
            How it is shown, instead of as it was looked at last.
        """
        series = self._series(key)
        if series is None:
            return
        number = self.grid.active_index() if pane is None else pane
        self._keep_view(number)
        if state is not None:
            self._views.keep(number, key, state)
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
                for series in self._all_series()
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

    def _show_mark(self, mark: Mark) -> None:
        region = region_of(mark)
        if region is not None:
            self.go_to(region)

    def set_narrow(self, narrow: bool) -> None:
        """Take the layout for windows under 1600 pixels."""
        self.strip.set_narrow(narrow)

    def _all_series(self) -> tuple[Series, ...]:
        """Return the series of the study in reading order, then its phases, then those of priors."""
        if self._study is None:
            return ()
        studies = (self._study, *(prior.study for prior in self._priors))
        return (*self.series_in_reading_order(), *(s for study in studies for s in study.series))

    def _series(self, key: str) -> Series | None:
        return next((series for series in self._all_series() if series.key == key), None)

    def _study_of(self, key: str) -> Study | None:
        """Return the study of a series: the one that is read, or a prior."""
        for prior in self._priors:
            if any(series.key == key for series in prior.study.series):
                return prior.study
        return self._study

    def _prior_words(self, key: str) -> str:
        """Return what marks a series of a prior, empty for the study that is read."""
        study = self._study_of(key)
        prior = next((one for one in self._priors if one.study is study), None)
        return "" if prior is None else prior_words(prior)

    def _arranged(self, arrangement: Arrangement) -> None:
        if not self._is_hanging:
            self._by_hand = arrangement
            self._fill_panes()

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
        """Do an act of the viewer's table in what stands here, or enter or leave a workspace."""
        if self.stage.knows(act):
            self.switch_workspace(act)
            return True
        return self.stage.do(act)

    def neighbour(self, step: int) -> str:
        """Return the key of the series `step` places on from the active pane's; empty at the ends."""
        return self.strip.neighbour(self._wanted.get(self.grid.active_index(), ""), step)

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
        self.stage.enter(name, stack, self._study_of(stack.series.key), opened, place)

    def _do_elsewhere(self, act: str) -> None:
        """Do what no viewport does: step through the series, enter a workspace; else ask outside."""
        step = SERIES_STEPS.get(act)
        if step is not None:
            self.show_series(self.neighbour(step))
        elif self.stage.knows(act):
            self.switch_workspace(act)
        else:
            self.actLeft.emit(act)

    def _mark_shown(self) -> None:
        self.strip.set_shown(self._wanted.get(self.grid.active_index(), ""))

    # --- pixels arrive -----------------------------------------------------------------------------

    def _panes_of(self, key: str) -> Iterable[int]:
        return [number for number, wanted in self._wanted.items() if wanted == key]

    def _keep_view(self, number: int) -> None:
        """Remember how a pane shows its series, which is about to leave it."""
        panes = self.grid.all_panes()
        shown = panes[number].shown() if number < len(panes) and not self.grid.tiled else None
        if shown is not None:
            self._views.keep(number, shown.stack.series.key, shown.state)

    def _hung(self, number: int, key: str) -> tuple[Hung, bool]:
        """Return how a series comes up in a pane, and whether the pane has a plan of its own for it."""
        own = self._plans.get(number)
        planned = own is not None and own.series.key == key
        placed = (
            own if planned else next((p for p in self._plans.values() if p.series.key == key), None)
        )
        return Hung(home_of(placed), self._prior_words(key)), planned

    def _put(self, number: int, stack: ImageStack, first: int | None = None) -> None:
        key = stack.series.key
        pane = self.grid.all_panes()[number]
        hung, planned = self._hung(number, key)
        kept = self._views.of(number, key, here_only=planned)
        if first is None and kept is None and planned:
            first = self._plans[number].first
        arrived = self.adapter.arrived(key)
        pane.show_stack(stack, self._study_of(key), arrived=arrived, index=first, hung=hung)
        if kept is not None:
            pane.set_state(kept.at(kept.index if first is None else first, len(stack.frames)))
        self.grid.match_priors()
        self.paneSeriesChanged.emit(number, key)
        self._let_priors_go()
        if self._jump is not None and self.grid.show_region(*self._jump):
            self._jump = None
        if self._tiles_first and number == self.grid.active_index():
            self._tiles_first = False
            self.grid.set_tiled(True)

    def _let_priors_go(self) -> None:
        """Give back the memory of priors that no pane shows or waits for."""
        if self._study is None or not self._priors:
            return
        stacks = [pane.stack() for pane in self.grid.all_panes()]
        shown = {stack.series.key for stack in stacks if stack is not None}
        own = {series.key for series in self._study.series}
        self.adapter.keep_only(own | shown | set(self._wanted.values()))

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
        for number in self._panes_of(key):
            placed = self._plans.get(number)
            if placed is not None and placed.plan.play and placed.series.key == key:
                self.grid.all_panes()[number].do("viewport.cine")
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
            self.grid.all_panes()[number].refuse(message)
        self._mark_shown()
        self.seriesProblem.emit(key, message)

"""Fusion as a part of the reading page: which series lies over which, found, loaded and shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtWidgets import QMenu

from app.shell.parts import LightPart, PartContext
from app.shell.volumes.fusion_planes import PlanesFusion
from app.shell.volumes.fusion_volumes import OverVolumes
from viewer.imaging.fusion import UPTAKE, OverVolume, partners
from viewer.imaging.hanging import Hanging
from viewer.imaging.study import Series, Study
from viewer.views.corner_text import series_text
from viewer.views.fusion.board import Fused, FusionBoard
from viewer.views.fusion.control_row import FusionRow
from viewer.views.fusion.layer import FusionLayer
from viewer.views.pane import Pane
from viewer.views.places import PatientPoint


def tr(text: str) -> str:
    """Translate words of this part."""
    return QCoreApplication.translate("FusionPart", text)


class FusionPart(LightPart, QObject):
    """Acts of fusion, the layer over every viewport, and the row that changes the look."""

    def __init__(self, context: PartContext) -> None:
        super().__init__(context.area)
        self._context, self._area = context, context.area
        self.board = FusionBoard(self)
        self._volumes = OverVolumes(context)
        self._before: dict[int, str] = {}
        """What a pane showed before the series beneath was put there, by its number."""
        self._hanging: Hanging | None = None
        self.row = FusionRow(context.theme, self.board, self._do)
        self.row.seriesChosen.connect(self._over_chosen)
        self.planes = PlanesFusion(context.area, self.board)
        self._area.above.add(self.row)
        self._area.grid.add_layer(lambda view: FusionLayer(view, self.board))
        self._area.grid.activeChanged.connect(lambda _: self._show_row())
        self._area.paneSeriesChanged.connect(self._pane_changed)
        self._area.stage.changed.connect(self._stage_changed)
        self.board.changed.connect(self._show_row)

    # --- the part ----------------------------------------------------------------------------------

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return what this part does, by the name of the act."""
        return {
            "fusion.switch": self.switch,
            "fusion.choose": self.choose,
            "fusion.more": lambda: self._step(1),
            "fusion.less": lambda: self._step(-1),
            "fusion.next_map": self._next_map,
            "fusion.swap": self.swap,
        }

    def why_not(self, act: str) -> str:
        """Return why one of its acts is not possible now, or empty."""
        if act in ("fusion.switch", "fusion.choose"):
            if self._base() is None:
                return tr("no series is shown here")
            return "" if self.over() is not None else self._why_no_partner()
        if self.over() is None:
            return tr("no series lies over this one")
        if act == "fusion.swap" and self.planes.is_entered:
            return tr("swap in the viewports, then enter the planes")
        return ""

    def open_study(self, study: Study | None) -> None:
        """Let go of what lay over the study before, and fuse what the protocol wants fused."""
        self.clear()
        self._take_hanging()

    def close(self) -> None:
        """Give the memory back."""
        self.clear()

    def clear(self) -> None:
        """Let go of all series that lie over others."""
        self._before.clear()
        self.planes.clear()
        self.board.clear()
        self._volumes.clear()

    # --- acts --------------------------------------------------------------------------------------

    def over(self) -> OverVolume | None:
        """Return what lies over the active viewport or the planes."""
        if self.planes.is_entered:
            return self.planes.over()
        pane = self._area.grid.active_pane()
        fused, stack = self.board.fused_in(pane.widget()), pane.stack()
        there = fused is not None and stack is not None and stack.series.key == fused.base_key
        return fused.over if there and fused is not None else None

    def switch(self) -> None:
        """Lay the likeliest series over the active one, or take away what lies there."""
        if self.over() is not None:
            self._end()
            return
        found = self._partners()
        if len(found) > 1 and not _is_clear(found):
            self.choose()
            return
        self._lay(found[0])

    def choose(self) -> None:
        """Ask which series lies over the active one."""
        menu = QMenu(self._area)
        for series in self._partners():
            action = menu.addAction(f"{series.modality}  {series_text(series, None)}")
            action.triggered.connect(partial(self._over_chosen, series.key))
        place = self._area.grid.active_pane().widget()
        menu.popup(place.mapToGlobal(place.rect().center()))
        menu.setActiveAction(menu.actions()[0])

    def swap(self) -> None:
        """Let the upper and the lower series change places."""
        over, base = self.over(), self._base()
        if over is not None and base is not None:
            pane, number = self._area.grid.active_pane(), self._area.grid.active_index()
            self.board.part(pane.widget())
            self._show_beneath(number, over.series)
            self._volumes.prepare(base, partial(self._fuse, number, over.series.key))

    def _do(self, act: str) -> None:
        if not self.why_not(act):
            self.acts()[act]()

    def _step(self, direction: int) -> None:
        over = self.over()
        if over is not None:
            self.board.step_opacity(over, direction)

    def _next_map(self) -> None:
        over = self.over()
        if over is not None:
            self.board.next_map(over)

    def _end(self) -> None:
        if self.planes.is_entered:
            self.planes.clear()
            return
        grid = self._area.grid
        panes = range(len(grid.panes())) if grid.tiled else (grid.active_index(),)
        for number in panes:
            self.board.part(grid.panes()[number].widget())
            before = self._before.pop(number, "")
            if before:
                self._area.show_series(before, pane=number)

    def _over_chosen(self, key: str) -> None:
        found = next((one for one in self._partners() if one.key == key), None)
        if found is not None:
            self._lay(found)

    def _lay(self, over: Series) -> None:
        """Lay a series over the active one; where the active one shows the uptake, beneath it."""
        base, grid = self._base(), self._area.grid
        if base is None:
            return
        if self.planes.is_entered:
            self._volumes.prepare(over, self.planes.fuse)
            return
        number = grid.active_index()
        if base.modality in UPTAKE and over.modality not in UPTAKE and not grid.tiled:
            self._before[number] = base.key
            self._show_beneath(number, over)
            base, over = over, base
        panes = range(len(grid.panes())) if grid.tiled else (number,)
        for each in panes:
            self._volumes.prepare(over, partial(self._fuse, each, base.key))

    def _show_beneath(self, number: int, series: Series) -> None:
        """Show a series in a pane at the place that is seen there."""
        pane = self._area.grid.panes()[number]
        cut = pane.cut()
        self._area.show_series(series.key, pane=number)
        if cut is not None and pane.stack() is not None:
            _go_to(pane, cut.middle())

    def _fuse(self, number: int, base_key: str, over: OverVolume) -> None:
        panes = self._area.grid.all_panes()
        if number < len(panes):
            self.board.fuse(panes[number].widget(), Fused(base_key, over))

    def _pane_changed(self, number: int, _key: str) -> None:
        """Begin anew where the study hangs anew."""
        if self._area.hanging is not self._hanging:
            self._take_hanging()
        self._show_row()

    def _take_hanging(self) -> None:
        self._hanging = self._area.hanging
        for pane in self._area.grid.all_panes():
            self.board.part(pane.widget())
        for number in range(0 if self._hanging is None else len(self._hanging.panes)):
            self._fuse_planned(number)

    def _fuse_planned(self, number: int) -> None:
        placed = None if self._hanging is None else self._hanging.panes[number]
        if placed is None or not placed.plan.fuse:
            return
        found = partners(placed.series, self._all_series())
        if found and found[0].modality in UPTAKE:
            self._volumes.prepare(found[0], partial(self._fuse, number, placed.series.key))

    # --- which series ------------------------------------------------------------------------------

    def _base(self) -> Series | None:
        if self.planes.is_entered:
            return self.planes.base()
        stack = self._area.grid.active_pane().stack()
        return None if stack is None else stack.series

    def _all_series(self) -> tuple[Series, ...]:
        study = self._area.study()
        studies = () if study is None else (study, *(prior.study for prior in self._area.priors()))
        return tuple(series for one in studies for series in one.series)

    def _partners(self) -> tuple[Series, ...]:
        base = self._base()
        return () if base is None else partners(base, self._all_series())

    def _why_no_partner(self) -> str:
        if self._partners():
            return ""
        return tr(
            "no other series of this study shares its frame of reference "
            "(a registration, Ctrl+Shift+T, can join them)"
        )

    # --- the row -----------------------------------------------------------------------------------

    def _stage_changed(self, name: str) -> None:
        pane = self._area.grid.active_pane()
        fused = self.board.fused_in(pane.widget())
        if self.planes.is_entered and fused is not None:
            self.planes.fuse(fused.over)
        self._show_row()

    def _show_row(self) -> None:
        over = self.over()
        choices = () if over is None else self._partners() or (over.series,)
        self.row.show_over(over, choices)


def _is_clear(found: tuple[Series, ...]) -> bool:
    """Return whether the first of several partners is the one that everybody wants."""
    return found[0].modality in UPTAKE and found[1].modality not in UPTAKE


def _go_to(pane: Pane, place: PatientPoint) -> None:
    pane.show_place(place)
    pane.show_place(None)

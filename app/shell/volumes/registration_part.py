"""Registration as a part of the reading page: two series, a search, a person's check, what counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtWidgets import QMenu, QWidget

from app.shell.background import Job
from app.shell.parts import LightPart, PartContext
from app.shell.volumes.fusion_volumes import OverVolumes
from reports.store.kinds import RecordKind
from viewer.imaging.fusion import OverVolume
from viewer.imaging.reformat import grid_of
from viewer.imaging.registration import Proposal, as_registration, register, why_not
from viewer.imaging.spaces import SPACES, Registration, body_of, registrations_in
from viewer.imaging.study import Series, Study
from viewer.imaging.worker.cancel import CancelToken
from viewer.imaging.worker.errors import WorkerCancelled
from viewer.imaging.worker.host import WorkerHost
from viewer.views.corner_text import series_text
from viewer.views.fusion.check_plane import Pair
from viewer.views.fusion.check_view import CheckView
from viewer.views.theme import Theme
from viewer.views.workspace import Workspace

WORKSPACE = "workspace.registration"


def tr(text: str) -> str:
    """Translate words of this part."""
    return QCoreApplication.translate("RegistrationPart", text)


class RegistrationPart(LightPart, QObject):
    """Finds how two series lie to each other, lets a person check it, and keeps what they confirm."""

    def __init__(self, context: PartContext) -> None:
        super().__init__(context.area)
        self._context, self._area = context, context.area
        self._volumes = OverVolumes(context)
        self.view: CheckView | None = None
        self.known: tuple[Registration, ...] = ()
        """The confirmed registrations of the study that is open."""
        self._job: Job | None = None
        self._cancel: CancelToken | None = None
        self._proposal: Proposal | None = None
        self._reading: Job | None = None
        self._is_read = False
        self._area.stage.add(WORKSPACE, self._make)
        self._area.stage.changed.connect(self._stage_changed)

    # --- the part ----------------------------------------------------------------------------------

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return what this part does, by the name of the act."""
        return {
            "registration.start": self.start,
            "registration.confirm": self.confirm,
            "registration.discard": self.discard,
            "registration.forget": self.forget,
        }

    def why_not(self, act: str) -> str:
        """Return why one of its acts is not possible now, or empty."""
        if act in ("registration.confirm", "registration.discard"):
            if not self.is_checking:
                return tr("no registration is being checked")
            return tr("the search still runs") if act.endswith("confirm") and self._job else ""
        base = self._base()
        if base is None:
            return tr("no series is shown here")
        if act == "registration.forget":
            return "" if self._of(base) else tr("this series is not registered to another")
        return self._why_no_start(base)

    def _why_no_start(self, base: Series) -> str:
        if self._area.stage.name:
            return tr("leave this view first")
        if not self._is_read:
            return tr("the registrations of this study are not known")
        if self._others(base):
            return ""
        reasons = [why_not(base, other) for other in self._all_series() if other.key != base.key]
        return (
            reasons[0]
            if len(set(reasons)) == 1
            else tr("no other series can be registered to this one")
        )

    def open_study(self, study: Study | None) -> None:
        """Let only the registrations of this study count."""
        self._leave()
        self._use(())
        self._is_read = False
        if self._reading is not None:
            self._reading.drop()
        desk, thread = self._context.desk(), self._context.store_thread()
        if study is None or desk is None or thread is None:
            return
        uid = study.study_instance_uid

        def read(found: tuple[Registration, ...]) -> None:
            self._is_read = True
            self._use(found)

        self._reading = thread.run(
            lambda: registrations_in(desk.study_record(uid, RecordKind.REGISTRATIONS)),
            read,
            lambda error: self._context.problem(
                tr("The registrations of this study are not used"),
                str(error),
                tr("Series of different frames of reference are not linked."),
            ),
        )

    def close(self) -> None:
        """End the search and give the memory back."""
        self._leave()
        SPACES.use(())

    def _make(self, theme: Theme, parent: QWidget) -> Workspace:
        view = CheckView(theme, parent)
        view.leaveWanted.connect(self.discard)
        view.discardWanted.connect(self.discard)
        view.confirmWanted.connect(self.confirm)
        view.searchWanted.connect(self.search)
        view.stopWanted.connect(self.stop)
        self.view = view
        return view

    # --- which series ------------------------------------------------------------------------------

    @property
    def is_checking(self) -> bool:
        """Whether the check view stands in place of the viewports, with two series in it."""
        there = self.view is not None and self.view.pair is not None
        return there and self._area.stage.name == WORKSPACE

    def _base(self) -> Series | None:
        stack = self._area.grid.active_pane().stack()
        return None if stack is None else stack.series

    def _all_series(self) -> tuple[Series, ...]:
        study = self._area.study()
        studies = () if study is None else (study, *(prior.study for prior in self._area.priors()))
        return tuple(series for one in studies for series in one.series)

    def _others(self, base: Series) -> tuple[Series, ...]:
        """Return the series that can be registered to one, those in the viewports first."""
        shown = [pane.stack() for pane in self._area.grid.panes()]
        keys = [stack.series.key for stack in shown if stack is not None]
        found = [one for one in self._all_series() if one.key != base.key and not why_not(base, one)]
        return tuple(sorted(found, key=lambda one: (one.key not in keys, -one.image_count)))

    def _of(self, series: Series) -> tuple[Registration, ...]:
        uid = series.frame_of_reference_uid
        return tuple(one for one in self.known if uid in (one.fixed, one.moving))

    # --- search and check --------------------------------------------------------------------------

    def start(self) -> None:
        """Register the series of another viewport to that of the active one; ask when several could."""
        base = self._base()
        if base is None:
            return
        others = self._others(base)
        if len({one.frame_of_reference_uid for one in others}) == 1:
            self._begin(base, others[0])
            return
        menu = QMenu(self._area)
        for series in others:
            action = menu.addAction(f"{series.modality}  {series_text(series, None)}")
            action.triggered.connect(partial(self._begin, base, series))
        place = self._area.grid.active_pane().widget()
        menu.popup(place.mapToGlobal(place.rect().center()))
        menu.setActiveAction(menu.actions()[0])

    def _begin(self, fixed: Series, moving: Series) -> None:
        def both(over: OverVolume) -> None:
            self._volumes.prepare(moving, partial(self._check, over))

        self._volumes.prepare(fixed, both)

    def _check(self, fixed: OverVolume, moving: OverVolume) -> None:
        """Show both series, then search."""
        pane = self._area.grid.active_pane()
        stack, opened = pane.stack(), self._area.adapter.opened(fixed.series.key)
        if stack is None or stack.series.key != fixed.series.key or opened is None:
            return  # the reader has gone on to something else
        cut = pane.cut()
        middle = np.asarray(cut.middle().position if cut else grid_of(fixed.volume).centre)
        study = self._area.study()
        self._area.stage.enter(WORKSPACE, stack, study, opened, cut.middle() if cut else None)
        assert self.view is not None
        way = SPACES.between(moving.series.frame_of_reference_uid, fixed.series.frame_of_reference_uid)
        matrix = np.eye(4) if way is None else way.matrix
        self.view.show_pair(Pair(fixed, moving, matrix, middle))
        self.search()

    def search(self) -> None:
        """Search for the match on a thread; the view lives meanwhile."""
        view = self.view
        if view is None or view.pair is None:
            return
        self.stop()
        pair, job, cancel = view.pair, Job(), CancelToken()
        self._job, self._cancel = job, cancel
        work, pool = self._context.work, self._context.engine.reader.pool
        words = tr("The match is being searched …")
        view.show_search(0.0, words)

        def run() -> Proposal:
            # A worker of its own: images go on being read meanwhile.
            with WorkerHost("imaging") as host:
                return register(
                    host,
                    pool,
                    pair.fixed.volume,
                    pair.moving.volume,
                    on_progress=lambda share: work.tell(job, view.show_search, share, words),
                    cancel=cancel,
                )

        work.run(run, partial(self._found, pair), self._failed, job=job)

    def stop(self) -> None:
        """Stop the search; what is shown stays, to be moved by hand."""
        if self._job is not None:
            self._job.drop()
            self._job = None
            if self._cancel is not None:
                self._cancel.cancel()
            if self.view is not None:
                self.view.show_search(None, tr("The search was stopped: match them by hand."))

    def _found(self, pair: Pair, proposal: Proposal) -> None:
        self._job, self._proposal = None, proposal
        if self.view is not None and self.view.pair is pair:
            self.view.set_matrix(proposal.matrix, by_hand=False)
            words = tr("{quality} Metric {before} to {after}; {moved}.").format(
                quality=tr(proposal.quality()),
                before=f"{proposal.metric_before:.3f}",
                after=f"{proposal.metric_after:.3f}",
                moved=self.view.moved_words(),
            )
            self.view.show_search(None, words)

    def _failed(self, error: Exception) -> None:
        self._job = None
        if self.view is not None and not isinstance(error, WorkerCancelled):
            words = tr("{why} Match them by hand, or discard.").format(why=error)
            self.view.show_search(None, words)

    # --- what counts -------------------------------------------------------------------------------

    def confirm(self) -> None:
        """Keep the match that is shown, with the name of who confirms it; then it counts."""
        view = self.view
        desk, thread = self._context.desk(), self._context.store_thread()
        if view is None or view.pair is None or desk is None or thread is None or self._job:
            return
        pair, proposal = view.pair, self._proposal
        hand = tr("by hand") if proposal is None else tr("automatic, moved by hand")
        method = hand if view.moved_by_hand else tr("automatic")
        made = as_registration(
            pair.matrix, pair.fixed.series, pair.moving.series, method=method, proposal=proposal
        ).model_copy(
            update={
                "confirmed_by": desk.account.printed_name,
                "confirmed_at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )
        rest = tuple(one for one in self.known if not one.joins(made.fixed, made.moving))
        self._keep(
            (*rest, made), "confirm a registration", tr("Registered: both series are linked now.")
        )

    def discard(self) -> None:
        """Leave the check; nothing is kept."""
        self._leave()

    def forget(self) -> None:
        """Take back the registrations of the active series."""
        base = self._base()
        if base is not None:
            gone = self._of(base)
            rest = tuple(one for one in self.known if one not in gone)
            self._keep(rest, "take back a registration", tr("The series are not linked any more."))

    def _keep(self, registrations: tuple[Registration, ...], act: str, said: str) -> None:
        study, desk, thread = self._area.study(), self._context.desk(), self._context.store_thread()
        if study is None or desk is None or thread is None:
            return
        uid, body = study.study_instance_uid, body_of(registrations)

        def kept(_none: None) -> None:
            here = self._area.study()
            if here is not None and here.study_instance_uid == uid:
                self._leave()
                self._use(registrations)
                self._context.say(said)

        thread.run(
            lambda: desk.save_study_record(uid, RecordKind.REGISTRATIONS, body, act=act),
            kept,
            lambda error: self._context.problem(
                tr("The registration was not saved"), str(error), tr("It does not count.")
            ),
        )

    def _use(self, registrations: tuple[Registration, ...]) -> None:
        """Let registrations count: linked scrolling, lines and fusion follow at once."""
        self.known = registrations
        SPACES.use(registrations)
        grid = self._area.grid
        grid.set_linked(grid.linked)
        for pane in grid.all_panes():
            pane.widget().update()

    def _stage_changed(self, name: str) -> None:
        if name != WORKSPACE and (self._job is not None or self._proposal is not None):
            self._end()

    def _leave(self) -> None:
        if self._area.stage.name == WORKSPACE:
            self._area.stage.leave()
        self._end()

    def _end(self) -> None:
        if self._job is not None:
            self._job.drop()
            self._job = None
        if self._cancel is not None:
            self._cancel.cancel()
            self._cancel = None
        self._proposal = None
        self._volumes.clear()

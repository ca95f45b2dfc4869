"""How studies hang, as a part of the reading page: choose, keep and edit protocols; priors beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.desk import Desk
from app.own_hanging import Shown, all_of, body_of, of_layout, of_site, own_of
from app.shell.hanging.chooser import HangingChooser, LayoutName
from app.shell.hanging.editor import HangingEditor
from app.shell.hanging.priors_page import PriorsPage
from app.shell.hanging.rows import rule_words, tr
from app.shell.parts import PartContext, SidePage
from reports.store.kinds import PreferenceKind
from viewer.imaging.hanging import Hanging
from viewer.imaging.hanging_protocol import HangingProtocol, Links
from viewer.imaging.letters import edge_letters
from viewer.imaging.study import Study

PAGE = "priors"


class HangingPart(QObject):
    """Acts of hanging, and the page of priors."""

    def __init__(self, context: PartContext) -> None:
        super().__init__(context.area)
        self._context = context
        self._area = context.area
        self.own: tuple[HangingProtocol, ...] = ()
        self.site: tuple[HangingProtocol, ...] = ()
        self.problems: tuple[str, ...] = ()
        self.page = PriorsPage(context)
        self.chooser: HangingChooser | None = None
        self.name: LayoutName | None = None
        self.editor: HangingEditor | None = None

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return what this part does, by the name of the act."""
        return {
            "hanging.choose": self.choose,
            "hanging.keep": self.keep,
            "hanging.edit": self.edit,
            "hanging.prior_beside": self.prior_beside,
            "hanging.priors": self.show_priors,
        }

    def why_not(self, act: str) -> str:
        """Return why one of its acts is not possible now, or empty."""
        if self._context.study() is None and act != "hanging.edit":
            return tr("no study is open")
        if act in ("hanging.prior_beside", "hanging.priors") and not self._area.priors():
            return tr("no prior of this patient is known")
        return ""

    def side_page(self) -> SidePage | None:
        """Return the page of priors with their reports."""
        return SidePage(PAGE, tr("Priors"), self.page)

    def sit_down(self, desk: Desk) -> None:
        """Read the site's protocols; those of the reader follow when somebody has signed in."""
        self.site, self.problems = of_site(desk.store.home)
        self._use(())

    def open_study(self, study: Study | None) -> None:
        """Show the priors of the study; read the reader's own protocols before the first."""
        self.page.show_priors(self._area.priors() if study is not None else ())

    def signed_in(self) -> None:
        """Read the own protocols of who has signed in."""
        desk, thread = self._context.desk(), self._context.store_thread()
        if desk is not None and thread is not None:
            thread.run(
                lambda: own_of(desk.preference(PreferenceKind.HANGING)),
                self._use,
                lambda error: self._context.say(str(error)),
            )

    def flush(self, then: Callable[[bool], None]) -> None:
        """Own protocols are kept at once: nothing waits."""
        then(True)

    def close(self) -> None:
        """Nothing runs."""

    # --- acts --------------------------------------------------------------------------------------

    def choose(self) -> None:
        """List the protocols that fit, with the reason."""
        if self._is_elsewhere(self.chooser):
            self.chooser = HangingChooser(self._context.theme, self._area.window())
            self.chooser.chosen.connect(self._hang)
            self.chooser.keepWanted.connect(self.keep)
            self.chooser.editWanted.connect(self.edit)
        now = self._area.hanging
        current = None if now is None else now.protocol
        self.chooser.ask(self._area.hangings(any_width=True), current, self._area.stage)

    def keep(self) -> None:
        """Ask for a name and keep the present layout under it."""
        made = self._layout("?")
        if made is None:
            return
        if self._is_elsewhere(self.name):
            self.name = LayoutName(self._context.theme, self._area.window())
            self.name.named.connect(self._keep_as)
        study = self._context.study()
        words = (
            study.description
            if study is not None and study.description
            else " ".join(made.match.regions)
        )
        self.name.ask(
            words.strip() or tr("My layout"),
            tr("For studies of: {rule}").format(rule=rule_words(made.match)),
            self._area.stage,
        )

    def _is_elsewhere(self, card: QWidget | None) -> bool:
        """Return whether a card must be made anew over the images: they may be on a second screen.

        The window of that screen takes its cards along when it goes.
        """
        if card is None or not isValid(card):
            return True
        if card.parentWidget() is self._area.window():
            return False
        card.deleteLater()
        return True

    def edit(self) -> None:
        """Open the editor."""
        if self.editor is None:
            self.editor = HangingEditor(self._context.theme, self._context.window())
            self.editor.changed.connect(self.save)
        self.editor.edit(self.own, all_of((), self.site), self.problems)

    def prior_beside(self) -> None:
        """Show the nearest comparable prior beside the active viewport."""
        why = self._area.show_prior_beside()
        if why:
            self._context.say(why)

    def show_priors(self) -> None:
        """Show the list of priors with their reports."""
        self._context.show_side_page(PAGE)

    # --- keeping -----------------------------------------------------------------------------------

    def save(self, own: tuple[HangingProtocol, ...]) -> None:
        """Keep other own protocols."""
        self._use(own)
        desk, thread = self._context.desk(), self._context.store_thread()
        if desk is None or thread is None:
            return
        body = body_of(own)
        thread.run(
            lambda: desk.save_preference(PreferenceKind.HANGING, body),
            lambda _none: None,
            lambda error: self._context.problem(
                tr("The hanging protocol was not saved"),
                str(error),
                tr("It counts until you sign out."),
            ),
        )

    def _use(self, own: tuple[HangingProtocol, ...]) -> None:
        self.own = own
        self._area.protocols = all_of(own, self.site)

    def _hang(self, hanging: Hanging) -> None:
        self._area.hang(hanging)
        self._area.grid.active_pane().widget().setFocus()

    def _keep_as(self, name: str) -> None:
        made = self._layout(name)
        if made is not None:
            self.save((made, *(one for one in self.own if one.name != name)))
            self._context.say(tr("Kept: studies like this one now hang like this."))

    def _layout(self, name: str) -> HangingProtocol | None:
        study, area = self._context.study(), self._area
        if study is None:
            return None
        grid = area.grid
        order = [prior.study.study_instance_uid for prior in area.comparable_priors()]
        shown: list[Shown | None] = []
        for pane in grid.panes():
            model = getattr(pane, "model", None)
            if model is None or model.stack is None:
                shown.append(None)
                continue
            uid = model.study.study_instance_uid if model.study is not None else ""
            prior = order.index(uid) + 1 if uid in order else 0
            letters = edge_letters(model.plane(), model.matrix())
            shown.append(
                Shown(
                    model.stack.series,
                    prior,
                    model.state.window,
                    model.state.magnification,
                    letters.right if letters is not None else "",
                    letters.bottom if letters is not None else "",
                )
            )
        links = Links(scroll=grid.linked, zoom=grid.zoom_linked, window=grid.window_linked)
        return of_layout(name, study, grid.arrangement.shape, shown, links, tiles=grid.tiled)

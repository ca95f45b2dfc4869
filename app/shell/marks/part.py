"""Marks and lesions on the reading page: kept with the study, listed, undone, linked over studies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject

from app.desk import Desk
from app.lesions import LesionBook, key_of, where
from app.marks import Marks, MarksHistory, MarksTold, Way
from app.shell.background import Job
from app.shell.marks.keeping import MarksKeeping, read_marks
from app.shell.marks.page import MarksPage
from app.shell.parts import PartContext, SidePage
from inference.evidence.marked import place_of
from reports.domain import LesionError
from reports.store.kinds import RecordKind
from viewer.imaging.marks import Mark
from viewer.imaging.marks_measure import Histogram, frame_pixels, histogram_of
from viewer.imaging.measure import Refusal
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.corner_text import printed_date

PAGE = "marks"

Found = tuple[dict[str, Marks], dict[str, str], LesionBook]
"""Marks by study, why those of earlier studies cannot be read, and the lesions of the patient."""

OF_ALL_MARKS = frozenset(("window.marks", "viewport.mark_next", "viewport.mark_previous"))
"""Acts that need no selected mark."""


class MarksPart(QObject):
    """Keeps the marks of the open study with it, and the lesions with the patient.

    The board belongs to the reading area, where marks are drawn; others who show marks of objects add
    them there. Only the reader's own are kept here.
    """

    def __init__(self, context: PartContext) -> None:
        super().__init__(context.area)
        self._context = context
        self.board = context.area.marks
        self.history: MarksHistory | None = None
        self.book: LesionBook | None = None
        self._desk: Desk | None = None
        self._keeping: MarksKeeping | None = None
        self._earlier: tuple[Study, ...] = ()
        self._unread: dict[str, str] = {}
        self._study: Study | None = None
        self._loading: Job | None = None
        self._counting: Job | None = None
        self.page = MarksPage(
            self.board,
            context.theme,
            where=self._where,
            lesion_name=self._lesion_name,
            known=lambda: self.book.known if self.book is not None else (),
        )
        self._acts: dict[str, Callable[[], object]] = {
            "viewport.mark_finding": self.board.ask_finding,
            "viewport.mark_rename": self._rename,
            "viewport.mark_delete": lambda: self.board.remove(self.board.selected_id),
            "viewport.mark_next": lambda: self.board.jump_by(1),
            "viewport.mark_previous": lambda: self.board.jump_by(-1),
            "window.marks": self._show_page,
            "window.mark_new_lesion": self._new_lesion,
            "window.mark_lesion": self._choose_lesion,
            "window.mark_no_lesion": lambda: self._link(None),
        }
        self._connect()

    def _connect(self) -> None:
        self.board.changed.connect(self._changed)
        self.board.renewed.connect(self._show_selected)
        self.board.selected.connect(lambda _mark_id: self._show_selected())
        self.board.jumpRequested.connect(self._jump)
        self._context.area.seriesReady.connect(lambda _key, _stack: self._show_selected())
        page = self.page
        page.actWanted.connect(self._perform)
        page.newLesionWanted.connect(self._new_lesion)
        page.lesionWanted.connect(lambda lesion_id: self._link(lesion_id or None))
        page.lesionRenamed.connect(self._rename_lesion)

    # --- what the page asks ------------------------------------------------------------------------

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return what this part does, by the name of the act."""
        return self._acts

    def why_not(self, act: str) -> str:
        """Return why one of its acts is not possible now, or empty."""
        mark = self.board.chosen()
        if act in OF_ALL_MARKS:
            needs_one = act != "window.marks"
            return self.tr("there are no marks") if needs_one and not self.board.marks else ""
        reasons = (
            (mark is None, self.tr("no mark is selected")),
            (act == "viewport.mark_finding" and mark is not None, self._no_finding(mark)),
            (
                mark is not None and not mark.is_own and act != "viewport.mark_finding",
                self.tr("the mark of somebody else is only read"),
            ),
            (
                act == "window.mark_no_lesion" and mark is not None and mark.lesion_id is None,
                self.tr("this mark belongs to no lesion"),
            ),
            ("lesion" in act and mark is not None, self._no_lesion(mark)),
        )
        return next((reason for holds, reason in reasons if holds and reason), "")

    def _no_finding(self, mark: Mark | None) -> str:
        model = self._context.model()
        if mark is not None and not self._is_here(mark):
            return self.tr("this mark lies on another study")
        if model is None:
            return self.tr("the report is not open")
        return self.tr("the report is final") if model.is_locked else ""

    def _no_lesion(self, mark: Mark | None) -> str:
        if self.book is None:
            return self.tr("the lesions of this patient are not here")
        if self.book.patient is None:
            return self.tr("this patient has no ID")
        is_here = mark is not None and self._is_here(mark)
        return "" if is_here else self.tr("this mark lies on another study")

    def _is_here(self, mark: Mark) -> bool:
        """Tell a mark on the study that is read from one on an earlier study beside it."""
        return self._study is not None and _is_of(mark, self._study)

    def side_page(self) -> SidePage:
        """Return the page of marks."""
        return SidePage(PAGE, self.tr("Marks"), self.page)

    def sit_down(self, desk: Desk) -> None:
        """Keep marks at this desk from now on."""
        self._desk = desk
        thread = self._context.store_thread()
        assert thread is not None
        self._keeping = MarksKeeping(desk, thread, self)
        self._keeping.failed.connect(self._not_saved)

    def open_study(self, study: Study | None) -> None:
        """Show the marks of a study as soon as the store has given them; none: nothing is open."""
        if self._loading is not None:
            self._loading.drop()
            self._loading = None
        self._study, self.book, self._unread = study, None, {}
        entry = self._context.entry()
        self._earlier = () if entry is None else tuple(one.study for one in entry.earlier)
        if self._keeping is not None:
            self._keeping.begin((), {}, "")
        self.history = None
        self._context.panel.undoing.watch_marks(None)
        self.board.restore(())
        desk, thread = self._desk, self._context.store_thread()
        if study is None or desk is None or thread is None:
            return
        self._watch_history(())
        patient, earlier = key_of(study), self._earlier

        def read() -> Found:
            stored = None if patient is None else desk.study_record(patient, RecordKind.LESIONS)
            return *read_marks(desk, study, earlier), LesionBook(study, stored)

        self._loading = thread.run(read, self._loaded, self._not_loaded)

    def _loaded(self, found: Found) -> None:
        """Take what the store has; what was drawn meanwhile comes after it and is kept too."""
        kept, self._unread, self.book = found
        self._loading = None
        assert self._study is not None
        assert self._keeping is not None
        self._keeping.begin((self._study, *self._earlier), kept, self.book.patient or "")
        marks = tuple(mark for found in kept.values() for mark in found)
        own = self._own()
        reason = self._refused(own)
        drawn = tuple(mark for mark in own if not self._why_unread(mark))
        others = tuple(mark for mark in self.board.marks if not mark.is_own)
        self._watch_history(marks)
        self.board.restore((*marks, *drawn, *others))
        # Entries that a crash between two saves left out are put right here.
        if self.book.follow(kept[self._study.study_instance_uid]):
            self._keep_lesions("follow the marks")
        if drawn and self.history is not None:
            self.history.put((*marks, *drawn))
        self._show_selected()
        if reason:
            self._context.say(self.tr("A mark was not kept. {why}").format(why=reason))

    def _not_loaded(self, error: Exception) -> None:
        self._loading = None
        self._context.problem(
            self.tr("The marks of this study cannot be shown"),
            str(error),
            self.tr("What is stored stays as it is; marks that are drawn now are not kept."),
        )

    def flush(self, then: Callable[[bool], None]) -> None:
        """Save marks and lesions, then tell whether both are in the store."""
        if self._keeping is None:
            then(True)
        else:
            self._keeping.flush(then)

    @property
    def is_dirty(self) -> bool:
        """True while a mark or a lesion is not in the store."""
        return self._keeping is not None and self._keeping.is_dirty

    def close(self) -> None:
        """Want no answers any more."""
        for job in (self._loading, self._counting):
            if job is not None:
                job.drop()

    # --- changes -----------------------------------------------------------------------------------

    def _own(self) -> Marks:
        return tuple(mark for mark in self.board.marks if mark.is_own)

    def _watch_history(self, marks: Marks) -> None:
        self.history = MarksHistory(marks, self._restore)
        self._context.panel.undoing.watch_marks(self.history)
        self.history.subscribe(self._told)

    def _why_unread(self, mark: Mark) -> str:
        """Return why nothing can be kept with the earlier study that a mark lies on, or empty."""
        whys = (self._unread.get(one.study_instance_uid) for one in self._earlier if _is_of(mark, one))
        return next((why for why in whys if why), "")

    def _refused(self, marks: Sequence[Mark]) -> str:
        """Say why one of these marks can be kept nowhere, or empty."""
        why = next((why for mark in marks if mark.is_own and (why := self._why_unread(mark))), "")
        words = self.tr("The marks of this earlier study cannot be read: {why}")
        return words.format(why=why) if why else ""

    def _changed(self, before: Sequence[Mark], after: Sequence[Mark]) -> None:
        reason = self._refused(after)
        if reason:
            self.board.restore(before)
            self._context.say(reason)
            return
        if self.history is not None:
            self.history.put(self._own())

    def _restore(self, marks: Marks) -> None:
        others = (mark for mark in self.board.marks if not mark.is_own)
        self.board.restore((*marks, *others))

    def _told(self, told: MarksTold) -> None:
        words = "" if told.change is None else told.change.words()
        way = "" if told.way in (Way.NEW, Way.MEASURED) else f"{told.way} "
        act = f"{way}{words}" if words else str(told.way)
        if self.history is None or self._keeping is None or self.book is None:
            return
        self._keeping.keep(self.history.marks, act)
        if self.book.follow([mark for mark in self.history.marks if self._is_here(mark)]):
            self._keep_lesions(act)
        self._show_selected()

    def _keep_lesions(self, act: str) -> None:
        assert self._keeping is not None
        if self.book is not None and self.book.patient is not None:
            self._keeping.keep_lesions(self.book.maker(), act)

    def _not_saved(self, why: str) -> None:
        self._context.problem(
            self.tr("The marks were not saved"),
            why,
            self.tr("They stay on the screen and are saved with the next change."),
        )

    # --- what a person does ------------------------------------------------------------------------

    def _perform(self, act: str) -> None:
        reason = self.why_not(act)
        if reason:
            self._context.say(reason[:1].upper() + reason[1:])
        else:
            self._acts[act]()

    def _show_page(self) -> None:
        self._context.show_side_page(PAGE)
        self.page.list.setFocus()

    def _rename(self) -> None:
        mark_id = self.board.selected_id
        self._context.show_side_page(PAGE)
        self.page.list.rename(mark_id)

    def _jump(self, mark: Mark) -> None:
        if mark.in_patient:
            self._context.area.go_to(place_of(mark))

    def _choose_lesion(self) -> None:
        self._context.show_side_page(PAGE)
        self.page.open_lesions()

    def _new_lesion(self) -> None:
        if self.book is None:
            return
        try:
            made = self.book.new()
        except LesionError as error:
            self._context.say(str(error))
            return
        self._link(made.id)

    def _link(self, lesion_id: str | None) -> None:
        mark, book = self.board.chosen(), self.book
        if mark is None or book is None or not mark.is_own:
            return
        lesion = book.lesions.get(lesion_id)
        uid = None if lesion is None else lesion.tracking_uid
        self.board.replace(mark.changed(lesion_id=lesion and lesion.id, tracking_uid=uid))

    def _rename_lesion(self, name: str) -> None:
        mark, book = self.board.chosen(), self.book
        if mark is None or book is None or mark.lesion_id is None:
            return
        book.rename(mark.lesion_id, name)
        self._keep_lesions("rename a lesion")
        self.page.list.rows.renew()
        self._show_selected()

    # --- the page ----------------------------------------------------------------------------------

    def _where(self, mark: Mark) -> str:
        if self._study is None or self._is_here(mark):
            return "" if self._study is None else where(self._study, mark)
        prior = next((one for one in self._earlier if _is_of(mark, one)), None)
        return "" if prior is None else f"{printed_date(prior.date)} {where(prior, mark)}".strip()

    def _lesion_name(self, mark: Mark) -> str:
        lesion = None if self.book is None else self.book.lesions.get(mark.lesion_id)
        return "" if lesion is None else lesion.name

    def _show_selected(self) -> None:
        """Show lesion, histogram and what is possible for the mark that is selected."""
        mark = self.board.chosen()
        lesion = None
        if mark is not None and self.book is not None and self._study is not None:
            lesion = self.book.lesions.get(mark.lesion_id)
        uid = "" if self._study is None else self._study.study_instance_uid
        self.page.show_lesion(lesion, uid)
        reasons = [self.why_not(act) for act in ("viewport.mark_finding", "window.mark_lesion")]
        self.page.set_reasons(*(reason[:1].upper() + reason[1:] for reason in reasons))
        self._count_pixels(mark)

    def _count_pixels(self, mark: Mark | None) -> None:
        """Make the histogram of an area on a thread; an older answer is dropped."""
        if self._counting is not None:
            self._counting.drop()
        opened = None
        if mark is not None and mark.kind.has_area and not mark.in_patient:
            opened = self._context.area.adapter.opened(mark.series_key)
        index = None if opened is None or mark is None else _frame_of(mark, opened.stack)
        if mark is None or opened is None or index is None:
            self.page.show_histogram(None, None)
            return
        opened.buffer.lease()

        def count() -> Histogram | Refusal:
            try:
                return histogram_of(mark, frame_pixels(opened.stack, index))
            finally:
                opened.buffer.unlease()

        def done(found: Histogram | Refusal) -> None:
            histogram = found if isinstance(found, Histogram) else None
            self.page.show_histogram(histogram, mark)

        self._counting = self._context.work.run(
            count, done, lambda _error: self.page.show_histogram(None, None)
        )


def _is_of(mark: Mark, study: Study) -> bool:
    return any(series.key == mark.series_key for series in study.series)


def _frame_of(mark: Mark, stack: ImageStack) -> int | None:
    """Return the frame of a stack that a mark lies on, or none."""
    for index, (instance, number) in enumerate(stack.frames):
        uid = stack.series.instances[instance].sop_instance_uid
        if (uid, number) == (mark.sop_instance_uid, mark.frame_number):
            return index
    return None

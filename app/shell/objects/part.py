"""Objects of others as a part of the reading page: they are listed, read when asked for, and shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject

from app.desk import Desk
from app.shell.background import Job
from app.shell.objects.cards import DocumentCard, ReportCard
from app.shell.objects.jump import ImageJump, ImagePlace, place_of
from app.shell.objects.page import ObjectsPage
from app.shell.objects.places import LaidOn, ObjectPlaces, places_on
from app.shell.objects.rows import Row, RowKind, maker_of, rows_of, title_of, tr
from app.shell.objects.volumes import ObjectVolumes
from app.shell.parts import PartContext, SidePage
from viewer.acts import objects as acts
from viewer.imaging.marks import Mark
from viewer.imaging.objects.content import ObjectContent
from viewer.imaging.objects.contours import StructureSetContent
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.parts import ImageReference
from viewer.imaging.objects.report_marks import marks_of_report
from viewer.imaging.objects.reports import DocumentContent, KeyObjectContent, ReportContent
from viewer.imaging.objects.segments import SegmentationContent
from viewer.imaging.objects.states import PresentationContent
from viewer.imaging.study import Study
from viewer.views.objects.board import ObjectsBoard
from viewer.views.objects.layers import layers_of
from viewer.views.objects.laying import Shaped
from viewer.views.objects.presentation_layer import presenter_of
from viewer.views.stack_view import StackView

PAGE = "objects"

Read = tuple[ObjectContent, tuple[Mark, ...], tuple[LaidOn, ...]]
"""A content, the marks that a report makes on images of the study, where segments and regions lie."""


class ObjectsPart(QObject):
    """Lists the objects of the open study. Nothing is read or shown before it is asked for."""

    def __init__(self, context: PartContext) -> None:
        super().__init__(context.area)
        self._context = context
        self.board = ObjectsBoard(self)
        self.page = ObjectsPage(context.theme)
        self.jump = ImageJump(context.area)
        self.places = ObjectPlaces(self.board, context.work, context.area.grid)
        self.volumes = ObjectVolumes(self.board, context.area, context.work)
        self.documents: DocumentCard | None = None
        self.reports: ReportCard | None = None
        self.problems: dict[str, str] = {}
        self.marks: dict[str, tuple[Mark, ...]] = {}
        self._reading: dict[str, Job] = {}
        self._then: dict[str, list[Callable[[ObjectContent], None]]] = {}
        self._key_place = (-1, "")
        for make in layers_of(self.board):
            context.area.grid.add_layer(make)
        self._connect()

    def _connect(self) -> None:
        rows, page = self.page.list, self.page
        rows.readWanted.connect(self.read)
        rows.checkWanted.connect(self._check)
        rows.openWanted.connect(self._open)
        rows.chosen.connect(lambda _row: self._show_row())
        page.goWanted.connect(self._open)
        page.readWanted.connect(self._read_text)
        page.stepWanted.connect(self.step_key_image)
        page.opacityWanted.connect(self.board.set_opacity)
        self.board.changed.connect(self._show_checks)
        self._context.area.grid.graphicsChanged.connect(self.board.set_graphics)
        self._context.area.marks.renewed.connect(self._show_checks)
        self._context.area.grid.activeChanged.connect(lambda _pane: self._show_checks())

    # --- what the page asks ------------------------------------------------------------------------

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return what this part does, by the name of the act."""
        return {
            acts.PAGE: self.show_page,
            "viewport.graphics": lambda: self._context.area.grid.do("viewport.graphics"),
            "objects.hide_all": self.hide_all,
            "objects.key_next": lambda: self.step_key_image(1),
            "objects.key_previous": lambda: self.step_key_image(-1),
        }

    def why_not(self, act: str) -> str:
        """Return why one of its acts is not possible now, or empty."""
        study = self._context.study()
        if study is None:
            return tr("no study is open")
        if act == "viewport.graphics":
            return ""
        if not study.objects:
            return tr("this study has no objects of other programs")
        if act.startswith("objects.key_") and not self._key_images():
            return tr("no key object selection was read")
        return ""

    def side_page(self) -> SidePage:
        """Return the page of objects."""
        return SidePage(PAGE, tr("Objects"), self.page)

    def sit_down(self, desk: Desk) -> None:
        """Nothing of others is kept."""

    def open_study(self, study: Study | None) -> None:
        """List the objects of a study; what was shown of another goes."""
        for job in self._reading.values():
            job.drop()
        self._reading.clear()
        self._then.clear()
        self.places.forget()
        self.jump.forget()
        self.volumes.forget()
        self._show_marks(frozenset())
        self.marks.clear()
        self.problems.clear()
        self._key_place = (-1, "")
        self.board.forget()
        for card in (self.documents, self.reports):
            if card is not None:
                card.dismiss()
        self.page.show_objects(() if study is None else study.objects, is_open=study is not None)
        count = 0 if study is None else len(study.objects)
        self._context.name_side_page(PAGE, f"{tr('Objects')} {count}" if count else tr("Objects"))
        if study is not None and count and not study.series:
            self._context.show_side_page(PAGE)  # there is nothing else to look at
        self._show_row()

    def flush(self, then: Callable[[bool], None]) -> None:
        """Nothing of others is kept."""
        then(True)

    def close(self) -> None:
        """Want no answers any more."""
        for job in self._reading.values():
            job.drop()
        self.places.forget()
        self.volumes.forget()

    # --- reading -----------------------------------------------------------------------------------

    def object(self, uid: str) -> ForeignObject | None:
        """Return an object of the open study."""
        study = self._context.study()
        objects = () if study is None else study.objects
        return next((one for one in objects if one.sop_instance_uid == uid), None)

    def read(self, uid: str, then: Callable[[ObjectContent], None] | None = None) -> None:
        """Read an object on a thread, once; then do something with it."""
        content, found, study = self.board.contents.get(uid), self.object(uid), self._context.study()
        if content is not None:
            if then is not None:
                then(content)
            return
        if found is None or study is None or not found.readable:
            return
        waiting = self._then.setdefault(uid, [])
        if then is not None:
            waiting.append(then)
        if uid in self._reading:
            return
        self.problems.pop(uid, None)
        reader, stacks = self._context.engine.reader, self.places.stacks()

        def work() -> Read:
            made = reader.read_object(found)
            marks = marks_of_report(made, study) if isinstance(made, ReportContent) else ()
            # where it lies on what is shown takes long for many segments: found here too
            laid = places_on(made, stacks) if isinstance(made, Shaped) else ()
            return made, marks, laid

        self._reading[uid] = self._context.work.run(
            work, lambda read: self._was_read(uid, read), lambda error: self._not_read(uid, error)
        )
        self._show_row()

    def _was_read(self, uid: str, read: Read) -> None:
        content, self.marks[uid], laid = read
        del self._reading[uid]
        if isinstance(content, Shaped):
            for series, frames, found in laid:
                self.board.take_place(content, series, frames, found)
        self.board.add(content)
        self.page.list.show_rows(uid, self._rows(content), unfold=True)
        self._show_checks()
        self._show_row()
        for then in self._then.pop(uid, ()):
            then(content)
        study = self._context.study()
        if isinstance(content, StructureSetContent) and study is not None:
            self.places.count_volumes(content, study, lambda: self._renew_rows(uid))

    def _rows(self, content: ObjectContent) -> list[Row]:
        parts = self.board.parts(content.about.sop_instance_uid)
        return rows_of(content, parts, self._context.study())

    def _renew_rows(self, uid: str) -> None:
        content = self.board.contents.get(uid)
        if content is not None:
            self.page.list.renew_rows(uid, self._rows(content))
            self._show_row()

    def _not_read(self, uid: str, error: Exception) -> None:
        """Say in place why an object is not shown."""
        del self._reading[uid]
        self._then.pop(uid, None)
        found = self.object(uid)
        self.problems[uid] = str(error)
        self.page.list.show_rows(uid, [Row(RowKind.NOTE, str(error), "", found)], unfold=True)
        self._show_checks()
        self._show_row()

    # --- what the reader does ----------------------------------------------------------------------

    def show_page(self) -> None:
        """List the objects, the keyboard in the list."""
        self._context.show_side_page(PAGE)
        self.page.list.setFocus()

    def hide_all(self) -> None:
        """Leave the images as they are."""
        for uid in self.board.contents:
            self.board.show_parts([part.key for part in self.board.parts(uid)], False)
        self._show_marks(frozenset())
        for pane in self._context.area.grid.all_panes():
            presenter = presenter_of(pane) if isinstance(pane, StackView) else None
            if presenter is not None:
                presenter.remove()

    def _check(self, row: Row, checked: bool) -> None:
        if row.part is not None:
            self.board.show_parts([row.part.key], checked)
            if checked:
                self._be_where_it_is(row.uid)
            return

        def show(content: ObjectContent) -> None:
            if isinstance(content, PresentationContent):
                self.apply(content) if checked else self._unapply()
            elif isinstance(content, ReportContent):
                now = self._marked()
                self._show_marks(now | {row.uid} if checked else now - {row.uid})
            else:
                self.board.show_parts([part.key for part in self.board.parts(row.uid)], checked)
                if checked:
                    self._be_where_it_is(row.uid)
            self._show_checks()

        self.read(row.uid, show)
        self._show_checks()

    def _be_where_it_is(self, uid: str) -> None:
        """Go to a series that an object lies on when the one that is looked at is another."""
        content, study = self.board.contents.get(uid), self._context.study()
        if not isinstance(content, SegmentationContent | StructureSetContent) or study is None:
            return
        parts = self.board.shown_parts(uid)
        if parts and not self.places.is_here(content):
            self.places.largest(content, parts[0].key.number, study, self._go, self._say_why)

    def _open(self, row: Row) -> None:
        """Do with a row what Enter means: go there, read it, apply it."""
        study = self._context.study()
        if study is None or row.found is None:
            return
        if row.image is not None:
            self._go_to_key_image(row.image, row.uid)
            return
        if row.part is not None:
            content = self.board.contents[row.uid]
            assert isinstance(content, SegmentationContent | StructureSetContent)
            self.board.show_parts([row.part.key], True)
            self.places.largest(content, row.part.key.number, study, self._go, self._say_why)
            return

        def open_(content: ObjectContent) -> None:
            if isinstance(content, PresentationContent):
                self.apply(content)
            elif isinstance(content, ReportContent | DocumentContent):
                self._show_text(content)

        self.read(row.uid, open_)

    def _go(self, place: ImagePlace) -> None:
        self.jump.go(place)

    def _say_why(self, words: str) -> None:
        self._context.say(words)

    # --- presentation states -----------------------------------------------------------------------

    def apply(self, content: PresentationContent) -> None:
        """Apply a presentation state in the active viewport, on its first image if it is elsewhere."""
        pane, study = self._context.area.grid.active_pane(), self._context.study()
        presenter = presenter_of(pane) if isinstance(pane, StackView) else None
        if presenter is not None and presenter.apply(content):
            return
        places = [] if study is None else [_place(study, image) for image in content.images]
        there = next((place for place in places if place is not None), None)
        if there is None:
            self._context.say(tr("The images of this presentation state are not here."))
            self._show_checks()
            return

        def then(view: StackView) -> None:
            found = presenter_of(view)
            if found is not None:
                found.apply(content)

        self.jump.go(there, then)

    def _unapply(self) -> None:
        pane = self._context.area.grid.active_pane()
        presenter = presenter_of(pane) if isinstance(pane, StackView) else None
        if presenter is not None:
            presenter.remove()

    # --- marks of reports --------------------------------------------------------------------------

    def _marked(self) -> frozenset[str]:
        """Return the reports whose marks are shown."""
        there = {mark.id for mark in self._context.area.marks.marks}
        return frozenset(uid for uid, marks in self.marks.items() if marks and marks[0].id in there)

    def _show_marks(self, uids: frozenset[str]) -> None:
        """Put the marks of some reports on the board of marks, and take those of the others away."""
        board = self._context.area.marks
        foreign = {mark.id for marks in self.marks.values() for mark in marks}
        wanted = tuple(mark for uid in self.marks if uid in uids for mark in self.marks[uid])
        board.restore((*(one for one in board.marks if one.id not in foreign), *wanted))
        for uid in uids:
            if uid in self.marks and not self.marks[uid]:
                self._context.say(tr("This report has no measurements on images that are here."))

    # --- texts and key images ----------------------------------------------------------------------

    def _read_text(self, row: Row) -> None:
        self.read(row.uid, self._show_text)

    def _show_text(self, content: ObjectContent) -> None:
        title, maker = title_of(content.about), maker_of(content.about)
        window, theme = self._context.window(), self._context.theme
        if isinstance(content, DocumentContent):
            self.documents = self.documents or DocumentCard(theme, window)
            self.documents.show_document(content, title, maker)
        elif isinstance(content, ReportContent):
            self.reports = self.reports or ReportCard(theme, window)
            self.reports.show_report(content, title, maker)

    def _key_images(self) -> list[tuple[str, ImageReference]]:
        """Return the images of all selections that were read, with the selection."""
        return [
            (uid, image)
            for uid, content in self.board.contents.items()
            if isinstance(content, KeyObjectContent)
            for image in content.images
        ]

    def step_key_image(self, step: int) -> None:
        """Go to the next or the previous key image, round the end; of the chosen selection."""
        row = self.page.list.row()
        if row is not None and row.uid and row.uid not in self.board.contents:
            self.read(row.uid, lambda _content: self.step_key_image(step))
            return
        images = self._key_images()
        own = [one for one in images if row is not None and one[0] == row.uid]
        images = own or images
        if not images:
            return
        number, uid = self._key_place
        start = number if images[0][0] == uid else (-1 if step > 0 else 0)
        there = (start + step) % len(images)
        self._go_to_key_image(images[there][1], images[there][0], there)

    def _go_to_key_image(self, image: ImageReference, uid: str, number: int | None = None) -> None:
        study = self._context.study()
        place = None if study is None else _place(study, image)
        if number is None:
            images = [one for of, one in self._key_images() if of == uid]
            number = images.index(image)
        self._key_place = (number, uid)
        if place is None:
            self._context.say(tr("This image is not here."))
        else:
            self.jump.go(place)

    # --- the page ----------------------------------------------------------------------------------

    def _show_checks(self) -> None:
        board, pane = self.board, self._context.area.grid.active_pane()
        shown = frozenset(part.key for uid in board.contents for part in board.shown_parts(uid))
        state = board.state_of(pane) if isinstance(pane, StackView) else None
        applied = frozenset() if state is None else {state.about.sop_instance_uid}
        self.page.list.show_checks(shown, self._marked() | applied)

    def _show_row(self) -> None:
        row = self.page.list.row()
        uid = "" if row is None else row.uid
        problem = self.problems.get(uid, "")
        if uid in self._reading:
            problem = tr("It is being read.")
        self.page.show_row(row, self.board.contents.get(uid), problem)


def _place(study: Study, image: ImageReference) -> ImagePlace | None:
    return place_of(study, image.sop_instance_uid, image.frames[0] if image.frames else 1)

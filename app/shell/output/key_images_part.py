"""Key images on the reading page: kept with the study, listed, jumped to, undone, exported as KO."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFileDialog

from app.desk import Desk
from app.documents import frame_numbers
from app.key_images import (
    KeptImage,
    KeptImages,
    KeyImagesHistory,
    KeyImagesTold,
    key_images_body,
    key_images_of_study,
)
from app.marks import Way
from app.shell.background import Job
from app.shell.output.key_images_page import PICTURE, KeyImagesPage
from app.shell.output.picture import Words, picture_of
from app.shell.output.sheet import SheetPicture
from app.shell.parts import PartContext, SidePage
from app.shell.saving import RecordSaver
from reports.store.kinds import RecordKind
from viewer.imaging.reading_order import place_of_frame
from viewer.imaging.study import Series, Study
from viewer.views.frame_image import to_qimage
from viewer.views.key_layer import KeyBoard, KeyLayer
from viewer.views.marks.layer import MarksLayer
from viewer.views.stack_view import StackView
from viewer.views.viewport_state import ViewportState

PAGE = "key images"

PRINTED = 640
"""Side of a printed picture, logical pixels before its resolution."""

NEEDS_AN_IMAGE = frozenset(("viewport.key_image",))


class KeyImagesPart(QObject):
    """Keeps the key images of the open study with it."""

    def __init__(self, context: PartContext) -> None:
        super().__init__(context.area)
        self._context = context
        self.page = KeyImagesPage(context.theme)
        self.history: KeyImagesHistory | None = None
        self._pictures: dict[str, QPixmap] = {}
        self._desk: Desk | None = None
        self._saver: RecordSaver | None = None
        self._study: Study | None = None
        self._loading: Job | None = None
        self._drawing: list[Job] = []
        self._going: KeptImage | None = None
        self._easel: StackView | None = None
        self.board = KeyBoard(self)
        context.area.grid.add_layer(lambda view: KeyLayer(view, self.board))
        self._acts: dict[str, Callable[[], object]] = {
            "viewport.key_image": self.keep_or_not,
            "viewport.key_next": lambda: self._step(1),
            "viewport.key_previous": lambda: self._step(-1),
            "window.key_images": self._show_page,
            "window.key_images_export": self.choose_export,
        }
        page = self.page
        page.jumpWanted.connect(self._jump_to)
        page.removeWanted.connect(lambda key: self._with_history(lambda one: one.remove(key)))
        page.moveWanted.connect(lambda key, by: self._with_history(lambda one: one.move(key, by)))
        page.noted.connect(lambda key, words: self._with_history(lambda one: one.note(key, words)))
        page.exportWanted.connect(self.choose_export)
        context.area.seriesReady.connect(lambda _key, _stack: self._arrive())

    # --- what the page asks ------------------------------------------------------------------------

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return what this part does, by the name of the act."""
        return self._acts

    def why_not(self, act: str) -> str:
        """Return why one of its acts is not possible now, or empty."""
        if self._study is None or self.history is None:
            return self.tr("the key images of this study are not here")
        if act in NEEDS_AN_IMAGE:
            view = self._view()
            if view is None or view.model.stack is None:
                return self.tr("no image is shown here")
            if not self._is_here(view.model.stack.series):
                return self.tr("this image is of another study")
        elif act != "window.key_images" and not self.history.images:
            return self.tr("there are no key images")
        return ""

    def side_page(self) -> SidePage:
        """Return the page of key images."""
        return SidePage(PAGE, self.tr("Key"), self.page)

    def sit_down(self, desk: Desk) -> None:
        """Keep key images at this desk from now on."""
        self._desk = desk
        thread = self._context.store_thread()
        assert thread is not None
        self._saver = RecordSaver(RecordKind.KEY_IMAGES, thread, self)
        self._saver.failed.connect(self._not_saved)

    def open_study(self, study: Study | None) -> None:
        """Show the key images of a study as soon as the store has given them; none: nothing is open."""
        for job in (self._loading, *self._drawing):
            if job is not None:
                job.drop()
        self._loading, self._drawing, self._going = None, [], None
        self._study, self.history = study, None
        self._pictures.clear()
        self._context.panel.undoing.watch_key_images(None)
        self.page.show_images((), {}, {})
        self._show_stars()
        desk, thread = self._desk, self._context.store_thread()
        if self._saver is not None:
            self._saver.watch(None, "")
        if study is None or desk is None or thread is None or self._saver is None:
            return
        uid = study.study_instance_uid
        self._saver.watch(desk, uid)
        self._loading = thread.run(
            lambda: key_images_of_study(desk, uid), self._loaded, self._not_loaded
        )

    def _loaded(self, images: KeptImages) -> None:
        self._loading = None
        self.history = KeyImagesHistory(images)
        self.history.subscribe(self._told)
        self._context.panel.undoing.watch_key_images(self.history)
        for image in images:
            self._draw(image)
        self._renew()

    def _not_loaded(self, error: Exception) -> None:
        self._loading = None
        self._context.problem(
            self.tr("The key images of this study cannot be shown"),
            str(error),
            self.tr("What is stored stays as it is; none can be kept now."),
        )

    def flush(self, then: Callable[[bool], None]) -> None:
        """Save what is not saved yet, then tell whether that went well."""
        if self._saver is None:
            then(True)
        else:
            self._saver.flush(then)

    def close(self) -> None:
        """Want no answers any more."""
        for job in (self._loading, *self._drawing):
            if job is not None:
                job.drop()

    # --- acts --------------------------------------------------------------------------------------

    def keep_or_not(self) -> None:
        """Keep the image that is shown as it is seen; one that is kept already no longer."""
        view, history = self._view(), self.history
        image = None if view is None else self._seen(view)
        if view is None or history is None or image is None:
            return
        known = history.at(image.place)
        if known is not None:
            history.remove(known.id)
            self._context.say(self.tr("No longer a key image"))
            return
        picture = picture_of(view, with_patient=False, words=Words(), corner_text=False)
        side = self._context.theme.px(2 * PICTURE)
        self._pictures[image.id] = QPixmap.fromImage(picture).scaledToHeight(side)
        history.add(image)
        self._context.say(self.tr("Key image {n}").format(n=len(history.images)))

    def _step(self, by: int) -> None:
        """Go to the next key image; from an image that is none to the first, or the last."""
        images = () if self.history is None else self.history.images
        if not images:
            return
        view = self._view()
        seen = None if view is None else self._seen(view)
        here = next(
            (number for number, one in enumerate(images) if seen and one.place == seen.place), None
        )
        first = 0 if by > 0 else len(images) - 1
        self._go(images[first if here is None else (here + by) % len(images)])

    def _show_page(self) -> None:
        self._context.show_side_page(PAGE)
        self.page.list.setFocus()

    def choose_export(self) -> None:
        """Ask where to write the key object selection."""
        home = str(Path.home() / "key-images.dcm")
        chosen, _kind = QFileDialog.getSaveFileName(
            self._context.window(), self.tr("Export key images"), home, "DICOM (*.dcm)"
        )
        if chosen:
            self.export_to(Path(chosen))

    def export_to(self, path: Path) -> None:
        """Write the key images as a DICOM Key Object Selection and record it."""
        desk, study, history = self._desk, self._study, self.history
        thread = self._context.store_thread()
        if desk is None or study is None or history is None or thread is None:
            return
        uids = [one.sop_instance_uid for one in history.images]
        notes = "\n".join(one.note for one in history.images if one.note)
        engine, person = self._context.engine, desk.account.printed_name
        thread.run(
            lambda: engine.exporting.export_key_images(
                study,
                uids,
                path,
                lambda form, digest: desk.record_export(study.study_instance_uid, form, digest),
                person=person,
                description=notes,
            ),
            lambda done: self._context.say(self.tr("Written: {name}").format(name=done.name)),
            lambda error: self._context.problem(
                self.tr("The key images were not exported"), str(error), self.tr("Try again.")
            ),
        )

    # --- changes -----------------------------------------------------------------------------------

    def _with_history(self, do: Callable[[KeyImagesHistory], None]) -> None:
        if self.history is not None:
            do(self.history)

    def _told(self, told: KeyImagesTold) -> None:
        if self.history is None or self._saver is None:
            return
        images = self.history.images
        way = "" if told.way is Way.NEW else f"{told.way} "
        self._saver.put(lambda _stored: key_images_body(images), f"{way}{told.act}")
        for image in images:
            if image.id not in self._pictures:
                self._draw(image)
        self._renew()

    def _not_saved(self, why: str) -> None:
        self._context.problem(
            self.tr("The key images were not saved"),
            why,
            self.tr("They stay on the screen and are saved with the next change."),
        )

    # --- images ------------------------------------------------------------------------------------

    def _view(self) -> StackView | None:
        pane = self._context.area.grid.active_pane()
        is_elsewhere = self._context.area.stage.workspace is not None
        return pane if isinstance(pane, StackView) and not is_elsewhere else None

    def _is_here(self, series: Series) -> bool:
        return self._study is not None and any(one.key == series.key for one in self._study.series)

    def _seen(self, view: StackView) -> KeptImage | None:
        """Return the image of a viewport as it is seen."""
        model, stack = view.model, view.model.stack
        if stack is None or not self._is_here(stack.series):
            return None
        instance, frame = stack.frames[model.state.index]
        uid, state = stack.series.instances[instance].sop_instance_uid, model.state
        return KeptImage(
            series_key=stack.series.key,
            series_instance_uid=stack.series.series_instance_uid,
            sop_instance_uid=uid,
            frame_number=frame,
            window=model.window(),
            magnification=state.magnification,
            centre=state.centre,
            quarter_turns=state.quarter_turns,
            mirrored=state.mirrored,
            inverted=state.inverted,
            mark_ids=tuple(
                one.id
                for one in self._context.area.marks.marks
                if (one.sop_instance_uid, one.frame_number) == (uid, frame)
            ),
        )

    def _series_of(self, image: KeptImage) -> Series | None:
        series = () if self._study is None else self._study.series
        return next((one for one in series if one.key == image.series_key), None)

    def _jump_to(self, image_id: str) -> None:
        images = () if self.history is None else self.history.images
        found = next((one for one in images if one.id == image_id), None)
        if found is not None:
            self._go(found)

    def _go(self, image: KeptImage) -> None:
        """Show an image as it was kept, in the active viewport; its series is opened first."""
        series, area = self._series_of(image), self._context.area
        index = None if series is None else _frame_of(image, series)
        if series is None or index is None:
            self._context.say(self.tr("This image is not among the images of the study any more."))
            return
        area.stage.leave()
        self._going = image
        self.page.choose(image.id)
        view = self._view()
        shown = None if view is None else view.model.stack
        if shown is None or shown.series.key != series.key:
            area.show_series(series.key, first=index)
        self._arrive()

    def _arrive(self) -> None:
        """Take the window and the zoom of the image that is gone to, once its series is there."""
        image, view = self._going, self._view()
        if image is None or view is None or view.model.stack is None:
            return
        stack = view.model.stack
        if stack.series.key != image.series_key:
            return
        self._going = None
        number = frame_numbers(stack).get(image.place)
        if number is None:
            self._context.say(self.tr("This image could not be read."))
            return
        view.set_state(_as_kept(view.model.state, image, number))
        view.scrolled.emit()

    def printed(self, *, with_patient: bool, ratio: float) -> tuple[SheetPicture, ...]:
        """Return the key images as they were kept, with their marks, for a sheet.

        Of a series that is not open there is the small picture only, which the line under it says.
        """
        images = () if self.history is None else self.history.images
        made = []
        for number, image in enumerate(images, start=1):
            picture = self._printed(image, with_patient=with_patient, ratio=ratio)
            small = self._pictures.get(image.id)
            words = "  ".join(filter(None, (f"{number}", self._where(image), image.note)))
            if picture is not None:
                made.append(SheetPicture(picture, words))
            elif small is not None:
                words += "  " + self.tr("(small picture: this series is not open)")
                made.append(SheetPicture(small.toImage(), words))
        return tuple(made)

    def _printed(self, image: KeptImage, *, with_patient: bool, ratio: float) -> QImage | None:
        """Draw an image apart from the screen; none while its series is not open."""
        area = self._context.area
        opened = area.adapter.opened(image.series_key)
        number = None if opened is None else frame_numbers(opened.stack).get(image.place)
        if opened is None or number is None:
            return None
        view = self._easel or self._make_easel()
        view.show_stack(opened.stack, self._study, index=number)
        view.set_state(_as_kept(view.model.state, image, number))
        picture = picture_of(view, with_patient=with_patient, ratio=ratio, words=Words())
        view.show_stack(None)
        return picture

    def _make_easel(self) -> StackView:
        """Make the viewport that is never shown, with the marks of the reading area."""
        self._easel = StackView(self._context.theme)
        self._easel.add_layer(lambda one: MarksLayer(one, self._context.area.marks))
        self._easel.resize(PRINTED, PRINTED)
        self._easel.model.size = (float(PRINTED), float(PRINTED))
        return self._easel

    # --- the page ----------------------------------------------------------------------------------

    def _renew(self) -> None:
        images = () if self.history is None else self.history.images
        where = {one.id: self._where(one) for one in images}
        self.page.show_images(images, where, self._pictures)
        self._show_stars()

    def _show_stars(self) -> None:
        """Mark the key images in the viewports, and their series in the strip."""
        images = () if self.history is None else self.history.images
        self.board.show((one.series_key, one.sop_instance_uid, one.frame_number) for one in images)
        self._context.area.strip.set_kept(self.board.of_series)

    def _where(self, image: KeptImage) -> str:
        """Return what reports call an image: "Se 2  Im 60"."""
        series = self._series_of(image)
        index = None if series is None else _frame_of(image, series)
        if series is None or index is None:
            return self.tr("not in this study")
        number = "" if series.series_number is None else f"Se {series.series_number}"
        instance = series.instances[series.frame_order()[index][0]]
        known = instance.instance_number if instance.number_of_frames == 1 else None
        place = place_of_frame(series, series.frame_order(), index) + 1
        return "  ".join(filter(None, (number, f"Im {place if known is None else known}")))

    def _draw(self, image: KeptImage) -> None:
        """Have a picture made by the imaging worker: the series need not be open."""
        series = self._series_of(image)
        index = None if series is None else _frame_of(image, series)
        if series is None or index is None:
            return
        reader, size = self._context.engine.reader, 2 * PICTURE

        def done(pixels: object) -> None:
            self._pictures[image.id] = QPixmap.fromImage(to_qimage(pixels))
            self.page.set_picture(image.id, self._pictures[image.id])

        self._drawing.append(
            self._context.work.run(
                lambda: reader.thumbnail(series, index=index, size=size), done, lambda _error: None
            )
        )


def _as_kept(state: ViewportState, image: KeptImage, number: int) -> ViewportState:
    return replace(
        state,
        index=number,
        window=image.window,
        magnification=image.magnification,
        centre=image.centre,
        quarter_turns=image.quarter_turns,
        mirrored=image.mirrored,
        inverted=image.inverted,
    )


def _frame_of(image: KeptImage, series: Series) -> int | None:
    """Return the place of an image in the display order of its series, or none."""
    for number, (instance, frame) in enumerate(series.frame_order()):
        if (series.instances[instance].sop_instance_uid, frame) == image.place:
            return number
    return None

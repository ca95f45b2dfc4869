"""What each act beside the images needs and what is seen when it is done: report, objects, window."""

from __future__ import annotations

from typing import Any

from every_act_rows import (
    Row,
    cards,
    clipboard,
    frame,
    key_images,
    no_clipboard,
    part_page,
    selected,
    sentences,
    tab,
)
from every_act_scene import Stand


def show_report(s: Stand) -> None:
    """Show what the structured report of the study measured."""
    rows = s.part("ObjectsPart").page.list
    found = next(row for row in rows.rows() if row.found and row.found.kind == "measurement report")
    rows.checkWanted.emit(found, True)
    s.d.until(lambda: s.board.marks)


def key_object(s: Stand) -> None:
    """Choose the key object selection, so that it is read."""
    s.perform("objects.page")
    part = s.part("ObjectsPart")
    found = next(r for r in part.page.list.rows() if r.found and r.found.kind.value.startswith("key"))
    part.read(found.uid)
    s.d.until(lambda: not s.window.why_not("objects.key_next"))


OBJECTS = {
    "objects.page": part_page("images", "objects"),
    "objects.hide_all": Row(Stand.images, lambda s: s.board.marks, show_report),
    "objects.key_next": Row(Stand.images, frame, key_object),
    "objects.key_previous": Row(Stand.images, frame, key_object),
}


def written(s: Stand) -> Any:
    return sorted(s.written.rglob("*"))


def undo_one(s: Stand) -> None:
    s.perform("report.accept")


def redo_one(s: Stand) -> None:
    s.perform("report.accept")
    s.perform("report.undo")


def running(s: Stand) -> bool:
    return s.d.reading.drafts.runs.is_running


def with_side(s: Stand) -> list[str]:
    sides = {"left", "right"}
    return [one.id for one in s.d.model.sentences if sides & set(one.text.lower().split())]


def far_from_evidence(s: Stand) -> None:
    """Choose a sentence whose evidence lies on another image than the one that is shown."""
    editor, here = s.d.panel.editor, s.state
    for sentence in editor.rows():
        s.d.viewport.set_state(here)
        editor.select_sentence(sentence, shows_evidence=True)
        if frame(s) != here.index:
            s.d.viewport.set_state(here)
            return


def sided(s: Stand) -> None:
    """Choose a sentence that names a side."""
    s.d.panel.editor.select_sentence(with_side(s)[0])


def broken(s: Stand) -> None:
    """Choose a sentence with a repair: one whose side no longer fits its evidence."""
    editor, model = s.d.panel.editor, s.d.model
    for sentence in with_side(s):
        editor.select_sentence(sentence)
        s.perform("report.flip_side")
        if model.repairs(editor.selected):
            return


def imported(s: Stand) -> Any:
    return s.window.importing.last


def import_something(s: Stand) -> None:
    s.window.import_paths([s.letter()])
    s.d.until(lambda: s.window.importing.last is not None)
    s.d.until(lambda: not s.window.store_thread.is_busy)


REPORT = {
    "report.question": Row(Stand.images, lambda s: s.window.focusWidget()),
    "report.next_sentence": Row(Stand.sentence, selected),
    "report.previous_sentence": Row(Stand.sentence, selected),
    "report.next_blocker": Row(Stand.sentence, selected),
    "report.next_unreviewed": Row(Stand.sentence, selected),
    "report.accept": Row(Stand.sentence, sentences, back=True),
    "report.strike_or_restore": Row(Stand.sentence, sentences, back=True),
    "report.write": Row(Stand.sentence, selected),
    "report.show_evidence": Row(Stand.sentence, frame, far_from_evidence),
    "report.flip_side": Row(Stand.sentence, sentences, sided, back=True),
    "report.repair": Row(Stand.sentence, sentences, broken, back=True),
    "report.normals": Row(Stand.earlier, sentences, back=True),
    "report.draft": Row(Stand.images, running),
    "report.cancel_draft": Row(Stand.images, running, lambda s: s.perform("report.draft")),
    "report.accept_candidate": Row(Stand.sentence, sentences, back=True),
    "report.reject_candidate": Row(Stand.sentence, lambda s: s.d.model.candidates, back=True),
    "report.next_candidate": Row(Stand.sentence, lambda s: s.d.panel.candidates.current),
    "report.undo": Row(Stand.sentence, sentences, undo_one),
    "report.redo": Row(Stand.sentence, sentences, redo_one),
    "report.save": Row(Stand.sentence, lambda s: s.d.model.report.revision, undo_one),
    "report.sign": Row(Stand.sentence, lambda s: s.d.reading.signing.dialog is not None),
    "report.show_text": Row(Stand.images, tab, lambda s: s.d.panel.show_tab(1)),
    "report.show_trace": Row(Stand.images, tab),
    "report.show_ledger": Row(Stand.images, tab),
}

WINDOW = {
    "window.palette": Row(Stand.images, cards),
    "window.shortcuts": Row(Stand.images, cards),
    "window.preferences": Row(Stand.images, cards),
    "window.strip": Row(Stand.images, lambda s: s.area.strip.isVisible()),
    "window.side_panel": Row(Stand.images, lambda s: s.d.reading.side.isVisible()),
    "window.report_panel": Row(Stand.images, lambda s: s.d.panel.isVisible()),
    "window.next_pane": Row(Stand.images, lambda s: s.window.focusWidget()),
    "window.worklist": Row(Stand.images, lambda s: s.window.pages.currentWidget()),
    "window.next_study": Row(Stand.images, lambda s: s.d.reading.study),
    "window.previous_study": Row(Stand.images, lambda s: s.d.reading.study),
    "window.search": Row(Stand.worklist, lambda s: s.window.focusWidget()),
    "window.open_study": Row(Stand.worklist, lambda s: s.window.pages.currentWidget()),
    "window.second_screen": Row(Stand.images, lambda s: s.window.personal.second.is_on),
    "window.display_check": Row(
        Stand.images,
        lambda s: s.window.personal.check is not None and s.window.personal.check.isVisible(),
    ),
    "window.open": Row(Stand.worklist, imported),
    "window.open_files": Row(Stand.worklist, imported),
    "window.last_import": Row(
        Stand.worklist, lambda s: s.window.worklist.report.isVisible(), import_something
    ),
    "window.export_pdf": Row(Stand.phases, written),
    "window.copy_text": Row(Stand.phases, clipboard, no_clipboard),
    "window.addendum": Row(Stand.phases, lambda s: s.d.reading.sealed.reason.isVisible()),
    "window.copy_image_named": Row(Stand.images, clipboard, no_clipboard),
    "window.save_image": Row(Stand.images, written),
    "window.save_image_named": Row(Stand.images, written),
    "window.print": Row(Stand.images, cards),
    "window.deidentify": Row(Stand.images, cards),
    "window.export_marks": Row(Stand.mark, written),
    "window.key_images": part_page("images", "key images"),
    "window.key_images_export": Row(Stand.images, written, key_images),
    "window.lock": Row(Stand.images, lambda s: s.window.pages.currentWidget()),
    "window.sign_out": Row(Stand.worklist, lambda s: s.window.account),
}


ROWS: dict[str, Row] = {**WINDOW, **OBJECTS, **REPORT}

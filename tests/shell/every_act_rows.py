"""What each act on images needs and what is seen when it is done: one row for every act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from every_act_scene import Stand, Step, window_of
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from shell_driver import PATIENCE

from viewer.acts import Arrangement, Tool, reformat, rendering
from viewer.imaging.own_presets import PRESETS
from viewer.imaging.reformat import SlabMode
from viewer.views.reformat.planes import PlaneName


@dataclass(frozen=True)
class Row:
    """One act.

    Parameters
    ----------
    at
        The situation it needs.
    see
        What is another after it.
    first
        What is done before, beside the situation.
    by
        How it is asked for; by key or palette when none is given.
    back
        Whether Ctrl+Z takes it back and Ctrl+Y does it again.
    """

    at: Step
    see: Step
    first: Step | None = None
    by: Step | None = None
    back: bool = False


def tool(s: Stand) -> Any:
    return s.grid.tool


def shown(s: Stand) -> Any:
    return s.state


def window(s: Stand) -> Any:
    return s.model.window()


def frame(s: Stand) -> int:
    return s.d.viewport.shown_frame()


def series(s: Stand) -> str:
    return s.d.viewport.stack().series.key


def arrangement(s: Stand) -> Any:
    return s.grid.arrangement


def workspace(s: Stand) -> str:
    return s.stage.name


def cards(s: Stand) -> Any:
    return s.layers()


def selected(s: Stand) -> str:
    return s.d.panel.editor.selected


def sentences(s: Stand) -> Any:
    return [(one.text, one.review) for one in s.d.model.sentences]


def tab(s: Stand) -> int:
    return s.d.panel.tabs.currentIndex()


def lesions(s: Stand) -> Any:
    return [mark.lesion_id for mark in s.board.marks]


def other_window(s: Stand) -> None:
    s.d.viewport.set_window(window_of(17.0))


def changed(s: Stand) -> None:
    s.d.viewport.set_state(s.state.turned(1))


def two_marks(s: Stand) -> None:
    s.board.add(s.mark_at(5), s.mark_at(20))
    s.board.select("")


def key_images(s: Stand) -> None:
    """Two key images; the second is shown."""
    history = s.part("KeyImagesPart").history
    for image in history.images:
        history.remove(image.id)
    for index in (8, 15):
        s.d.viewport.set_state(s.state.at(index, s.model.count))
        s.perform("viewport.key_image")


def kept(s: Stand) -> Any:
    return s.part("KeyImagesPart").history.images


def held(s: Stand) -> None:
    """Press the key of the magnifier and keep it down."""
    QTest.keyPress(s.d.viewport.widget(), Qt.Key.Key_M)


def clipboard(s: Stand) -> Any:
    clip = QGuiApplication.clipboard()
    return clip.text(), clip.image().size()


def no_clipboard(s: Stand) -> None:
    QGuiApplication.clipboard().clear()


def poses(s: Stand) -> Any:
    return s.planes.state


def slab(s: Stand) -> Any:
    return s.planes.slab()


def slabs(s: Stand) -> Any:
    return {name: pose.slab for name, pose in s.planes.state.poses.items()}


def set_slab(mode: SlabMode) -> Step:
    def first(s: Stand) -> None:
        if s.planes.slab().mode is not mode:
            s.perform(f"viewport.slab.{mode.name.lower()}")

    return first


def scene(s: Stand) -> Any:
    model = s.volume
    return model.look, model.direction, model.camera, model.cropping, model.hand, model.removals()


def no_bone(s: Stand) -> None:
    s.perform("rendering.bone")
    s.d.until(s.volume.removals)


def look(s: Stand) -> Any:
    part = s.part("FusionPart")
    return part.over() and part.board.look(part.over())


def part_page(name: str, page: str) -> Row:
    return Row(getattr(Stand, name), lambda s: s.page() == page)


def presets() -> dict[str, Row]:
    rows = {f"viewport.preset.{key}": Row(Stand.images, window, other_window) for key in "12345678"}

    def keep(s: Stand) -> None:
        s.d.viewport.set_window(window_of(33.0))
        s.perform("viewport.keep_preset")
        other_window(s)

    rows["viewport.preset.9"] = Row(Stand.images, window, keep)
    return rows


def tools() -> dict[str, Row]:
    others = {Tool.SCROLL: Tool.PAN}
    return {
        f"viewport.tool.{one}": Row(
            Stand.images, tool, lambda s, one=one: s.grid.set_tool(others.get(one, Tool.SCROLL))
        )
        for one in Tool
    }


def layouts() -> dict[str, Row]:
    rows = {f"layout.{kind}": Row(Stand.images, arrangement) for kind in Arrangement}
    rows["layout.1x1"] = Row(Stand.two, arrangement)
    return rows


IMAGES = {
    **tools(),
    **presets(),
    **layouts(),
    "layout.tiles": Row(Stand.two, lambda s: s.grid.tiled),
    "view.corner_text": Row(Stand.images, lambda s: s.grid.corner_text),
    "viewport.next": Row(Stand.images, frame),
    "viewport.previous": Row(Stand.images, frame),
    "viewport.next_ten": Row(Stand.images, frame),
    "viewport.previous_ten": Row(Stand.images, frame),
    "viewport.first": Row(Stand.images, frame),
    "viewport.last": Row(Stand.images, frame),
    "viewport.cine": Row(Stand.images, lambda s: s.d.viewport.cine.playing),
    "viewport.reset": Row(Stand.images, shown, changed),
    **{
        f"viewport.{name}": Row(Stand.images, shown)
        for name in (
            "invert", "flip_horizontal", "flip_vertical", "rotate_right", "rotate_left",
            "zoom_in", "zoom_out", "one_to_one", "next_voi",
        )
    },
    "viewport.magnifier": Row(Stand.two, lambda s: s.model.magnified, by=held),
    "viewport.keep_preset": Row(Stand.images, lambda s: PRESETS.of("CT").get("9"), other_window),
    "viewport.regions": Row(Stand.images, lambda s: s.model.all_regions),
    "viewport.maximise": Row(Stand.two, lambda s: s.grid.maximised),
    "viewport.link": Row(Stand.two, lambda s: s.grid.linked),
    "viewport.link_here": Row(Stand.prior, lambda s: s.grid.is_linked_by_hand()),
    "viewport.link_zoom": Row(Stand.two, lambda s: s.grid.zoom_linked),
    "viewport.link_window": Row(Stand.two, lambda s: s.grid.window_linked),
    "viewport.reference_lines": Row(Stand.two, lambda s: s.grid.reference_lines),
    "viewport.cursor": Row(Stand.two, lambda s: s.grid.panes()[1].model.cursor),
    "viewport.graphics": Row(Stand.images, lambda s: s.grid.graphics_shown),
    "hanging.choose": Row(Stand.images, cards),
    "hanging.keep": Row(Stand.images, cards),
    "hanging.edit": Row(Stand.images, cards),
    "hanging.priors": part_page("images", "priors"),
    "hanging.prior_beside": Row(Stand.images, arrangement),
    "viewport.key_image": Row(Stand.images, kept, back=True),
    "viewport.key_next": Row(Stand.images, frame, key_images),
    "viewport.key_previous": Row(Stand.images, frame, key_images),
    "viewport.copy_image": Row(Stand.images, clipboard, no_clipboard),
}  # fmt: skip

MARKS = {
    "viewport.mark_next": Row(Stand.images, lambda s: s.board.selected_id, two_marks),
    "viewport.mark_previous": Row(Stand.images, lambda s: s.board.selected_id, two_marks),
    "viewport.mark_finding": Row(Stand.mark, lambda s: s.d.panel.finding_form.isVisible()),
    "viewport.mark_rename": Row(Stand.mark, lambda s: isinstance(s.window.focusWidget(), QLineEdit)),
    "viewport.mark_by_keys": Row(
        Stand.images,
        lambda s: s.marks_layer().by_keys.crosshair,
        lambda s: s.grid.set_tool(Tool.LENGTH),
    ),
    "viewport.mark_delete": Row(Stand.mark, lambda s: s.board.marks, back=True),
    "window.marks": part_page("mark", "marks"),
    "window.mark_new_lesion": Row(Stand.mark, lesions, back=True),
    "window.mark_lesion": part_page("mark", "marks"),
    "window.mark_no_lesion": Row(Stand.lesion, lesions, back=True),
}

FUSION = {
    "viewport.next_series": Row(Stand.fused, series),
    "viewport.previous_series": Row(Stand.fused, series, lambda s: s.perform("viewport.next_series")),
    "fusion.switch": Row(Stand.fused, look),
    "fusion.choose": Row(Stand.fused, lambda s: QApplication.activePopupWidget() is not None),
    "fusion.more": Row(Stand.lying_over, look),
    "fusion.less": Row(Stand.lying_over, look),
    "fusion.next_map": Row(Stand.lying_over, look),
    "fusion.swap": Row(Stand.lying_over, series),
    "viewport.next_phase": Row(Stand.phases, series),
    "viewport.previous_phase": Row(Stand.phases, series, lambda s: s.perform("viewport.next_phase")),
    "viewport.play_phases": Row(Stand.phases, series),
}


def registering(s: Stand) -> None:
    """A series of another frame of reference was laid over by search, to be checked."""
    if not checking(s):
        s.fused()
        can_register(s)
        s.perform("registration.start")
    # The search takes longest of all that acts do.
    s.d.bot.waitUntil(lambda: not s.window.why_not("registration.confirm"), timeout=PATIENCE)


def registered(s: Stand) -> None:
    if not known(s):
        registering(s)
        s.perform("registration.confirm")
    s.d.until(lambda: not s.window.why_not("registration.forget"))


def can_register(s: Stand) -> None:
    s.d.until(lambda: not s.window.why_not("registration.start"))


def checking(s: Stand) -> bool:
    return s.part("RegistrationPart").is_checking


def known(s: Stand) -> Any:
    return s.part("RegistrationPart").known


REGISTRATION = {
    "registration.start": Row(Stand.fused, checking, can_register),
    "registration.discard": Row(registering, checking),
    "registration.confirm": Row(registering, known),
    "registration.forget": Row(registered, known),
}

PLANES = {
    reformat.WORKSPACE: Row(Stand.images, workspace),
    "reformat.curved": Row(Stand.mpr, lambda s: s.planes.drawing_curve),
    "reformat.swap": Row(
        Stand.mpr,
        lambda s: list(s.stage.workspace._cells),
        lambda s: s.planes.set_active(PlaneName.CORONAL),
    ),
    "reformat.volume": Row(Stand.mpr, lambda s: s.stage.workspace.cell.shows_volume),
    "viewport.slab_mode": Row(Stand.mpr, slab),
    "viewport.slab.off": Row(Stand.mpr, slab, set_slab(SlabMode.MIP)),
    "viewport.slab.mip": Row(Stand.mpr, slab, set_slab(SlabMode.OFF)),
    "viewport.slab.minip": Row(Stand.mpr, slab, set_slab(SlabMode.OFF)),
    "viewport.slab.mean": Row(Stand.mpr, slab, set_slab(SlabMode.OFF)),
    "viewport.slab_thicker": Row(Stand.mpr, slab, set_slab(SlabMode.MIP)),
    "viewport.slab_thinner": Row(Stand.mpr, slab, set_slab(SlabMode.MIP)),
    "viewport.slab_everywhere": Row(Stand.mpr, slabs, set_slab(SlabMode.MIP)),
    "viewport.planes_turn_right": Row(Stand.mpr, poses),
    "viewport.planes_turn_left": Row(Stand.mpr, poses),
    "viewport.planes_straight": Row(Stand.turned, poses),
    "viewport.planes_body": Row(Stand.turned, poses),
}

VOLUME = {
    rendering.WORKSPACE: Row(Stand.images, workspace),
    **{
        f"rendering.{name}": Row(Stand.in_3d, scene)
        for name in (
            "preset.ct_vessels", "preset.ct_angio", "preset.ct_lung", "preset.ct_skin", "mip",
            "from.back", "from.left", "from.right", "from.head", "from.feet",
            "turn.left", "turn.right", "turn.up", "turn.down", "crop",
            "hand.cut_inside", "hand.cut_outside", "hand.pick", "bone", "couch",
        )
    },
    "rendering.preset.ct_bone": Row(
        Stand.in_3d, scene, lambda s: s.perform("rendering.preset.ct_skin")
    ),
    "rendering.preset.any": Row(
        lambda s: s.in_3d_of("other"), scene, lambda s: s.perform("rendering.mip")
    ),
    "rendering.from.front": Row(Stand.in_3d, scene, lambda s: s.perform("rendering.from.back")),
    "rendering.undo": Row(Stand.in_3d, scene, no_bone),
}  # fmt: skip

PRESETS_OF_OTHERS = {
    f"rendering.preset.{name}": Row(lambda s, study=study: s.in_3d_of(study), scene, before)
    for study, name, before in (
        ("phases", "mr_default", lambda s: s.perform("rendering.preset.mr_angio")),
        ("phases", "mr_angio", None),
        ("pet", "pet_mip", lambda s: s.perform("rendering.preset.pet_mip_inverse")),
        ("pet", "pet_mip_inverse", None),
    )
}


ROWS: dict[str, Row] = {
    **IMAGES, **MARKS, **PLANES, **VOLUME, **PRESETS_OF_OTHERS, **FUSION, **REGISTRATION
}  # fmt: skip

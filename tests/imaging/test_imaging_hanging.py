"""Hanging protocols: which one fits a study, what stands where, which way up, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind
from viewer.imaging.hanging import AS_IT_CAME, match, ranked
from viewer.imaging.hanging_facts import (
    Plane,
    most_like,
    plane_of_series,
    reading_order,
    regions_of,
    stands_in,
    turns_to_hang,
    words_of,
)
from viewer.imaging.hanging_protocol import (
    HangingError,
    HangingProtocol,
    bundled,
    read_protocol,
    write_protocol,
)
from viewer.imaging.study import Instance, Patient, Phase, PhaseKind, Series, Study
from viewer.views.viewport_state import ViewportState

PLANES = {
    "AXIAL": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "CORONAL": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "SAGITTAL": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}
BUNDLED = {protocol.name for protocol in bundled()}


def series(
    description: str = "", *, modality: str = "CT", images: int = 40, plane: str = "", **more: object
) -> Series:
    """A series of single frames in a plane; the description makes its UID."""
    cut = None
    if plane:
        row, column = PLANES[plane]
        cut = ImagePlane(
            position=(0.0, 0.0, 0.0),
            row_cosines=row,
            column_cosines=column,
            row_spacing=1.0,
            column_spacing=1.0,
        )
    frames = int(more.pop("frames", 1))
    instances = tuple(
        Instance(
            path="",
            sop_instance_uid=f"{number}",
            sop_class_uid="1.2",
            transfer_syntax_uid="1.2",
            plane=cut,
            number_of_frames=frames,
        )
        for number in range(images)
    )
    uid = str(
        more.pop(
            "uid", "-".join(filter(None, (modality, description, plane, *map(str, more.values()))))
        )
    )
    return Series(
        series_instance_uid=uid,
        description=description,
        modality=modality,
        instances=instances,
        verdict=GeometryVerdict(kind=VerdictKind.UNIFORM, reason="even"),
        **more,
    )


def study(*parts: Series, description: str = "", date: str = "20260301", uid: str = "1") -> Study:
    return Study(
        study_instance_uid=uid,
        patient=Patient(patient_id="P1", name="DEMO^One"),
        date=date,
        description=description,
        series=parts,
    )


def shown(hanging) -> list[str]:
    """Name the series of each viewport by its UID; "-" for an empty one."""
    return ["-" if pane is None else pane.series.series_instance_uid for pane in hanging.panes]


def breast(side: str, view: str, orientation: str = "", **more: object) -> Series:
    return series(
        modality="MG",
        images=1,
        laterality=side,
        view_position=view,
        patient_orientation=tuple(orientation.split("\\")) if orientation else (),
        **more,
    )


FOUR = {("R", "CC"): "P\\L", ("L", "CC"): "A\\R", ("R", "MLO"): "P\\FL", ("L", "MLO"): "A\\FR"}


def test_words_fit_without_regular_expressions() -> None:
    words = words_of("AX_T2 flair (post C+)")
    assert words == ("AX", "T2", "FLAIR", "POST", "C")
    assert stands_in("t2 flair", words)
    assert stands_in("FLA*", words)
    assert not stands_in("FLA", words)
    assert not stands_in("T2 POST", words)
    assert not stands_in("*", words)


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("CT CHEST WO IV CONT", {"chest"}),
        ("CHESTABDPELVIS", {"chest", "abdomen", "pelvis"}),
        ("Schädel nativ", {"head"}),
        ("MR LWS", {"spine"}),
        ("something else", set()),
    ],
)
def test_body_regions_come_from_names(text: str, regions: set[str]) -> None:
    assert regions_of(study(series(plane="AXIAL"), description=text)) == regions


@pytest.mark.parametrize("name", list(PLANES))
def test_the_plane_comes_from_the_geometry(name: str) -> None:
    assert plane_of_series(series("any", plane=name)) is Plane(name)


def test_every_way_up_agrees_with_what_the_viewport_draws() -> None:
    """Letters after turns and mirror, against the matrix with which images are drawn."""
    axes = {"L": (1, 0), "R": (-1, 0), "F": (0, 1), "H": (0, -1)}
    for row, column in (("L", "F"), ("R", "F"), ("F", "R"), ("H", "L")):
        found = turns_to_hang((row, column), ("L", "F"))
        assert found is not None
        drawn = ViewportState(quarter_turns=found[0], mirrored=found[1]).orthogonal()
        # An image's row direction on the screen, then its column direction: L to the right, F down.
        assert tuple(drawn @ (1, 0)) == axes[row]
        assert tuple(drawn @ (0, 1)) == axes[column]
    assert turns_to_hang(("", ""), ("L", "F")) is None
    assert turns_to_hang(("A", "F"), ("L", "F")) is None


def test_each_modality_and_body_part_finds_its_protocol() -> None:
    axial = series("5 MM STANDARD", plane="AXIAL")
    cases = {
        "CT chest: lung and mediastinum": study(axial, description="CT CHEST WO"),
        "CT head: brain and bone": study(axial, description="CT HEAD"),
        "CT abdomen: abdomen and lung": study(axial, description="CT ABDOMEN"),
        "CT: soft tissue and bone": study(axial),
        "Angiography and fluoroscopy: cine": study(series(modality="XA", images=1, frames=90)),
        "PET beside CT": study(axial, series("WB AC", modality="PT", plane="AXIAL")),
        "Microscopy: one slide": study(series(modality="SM", images=1, image_type=("VOLUME",))),
        "Ultrasound: stills as tiles": study(series(modality="US", images=9)),
        "Ultrasound: clips side by side": study(
            series("a", modality="US", images=1, frames=30), series("b", modality="US", images=1)
        ),
        "Chest radiograph: frontal and lateral": study(
            series("l", modality="DX", images=1, view_position="LL", body_part="CHEST"),
            series("p", modality="DX", images=1, view_position="PA", body_part="CHEST"),
        ),
        "Mammography: four views": study(*(breast(*key) for key in FOUR)),
        "Mammography: one breast": study(breast("R", "CC"), breast("R", "MLO")),
        "Reading order": study(series(modality="ES", images=1)),
    }
    found = {name: match(case, width=1300) for name, case in cases.items()}
    assert {name: hanging.protocol.name for name, hanging in found.items()} == {
        name: name for name in cases
    }
    assert all(hanging.reason for hanging in found.values())


def test_one_series_shows_in_two_windows_and_two_kernels_in_one_each() -> None:
    soft, lung = series("Std", plane="AXIAL"), series("Lung 1.0", plane="AXIAL", images=30)
    scout = series("Scout", plane="CORONAL", images=2, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    one = match(study(scout, soft, description="CT CHEST"), width=1300)
    assert shown(one) == [soft.series_instance_uid] * 2
    assert [pane.window.explanation for pane in one.panes if pane and pane.window] == [
        "Lung",
        "Mediastinum",
    ]
    two = match(study(scout, soft, lung, description="CT CHEST"), width=1300)
    assert shown(two) == [lung.series_instance_uid, soft.series_instance_uid]


def test_a_narrow_window_keeps_one_viewport() -> None:
    case = study(series("Std", plane="AXIAL"), description="CT CHEST")
    assert match(case, width=860).protocol is AS_IT_CAME
    assert match(case, width=None).protocol.columns == 2


def test_brain_sequences_take_their_places_by_name_and_missing_ones_stay_empty() -> None:
    def mr(name: str, **more: object) -> Series:
        return series(name, modality="MR", plane="AXIAL", body_part="BRAIN", images=24, **more)

    t1, t2, flair = mr("AX T1"), mr("T2_TSE_TRA"), mr("t2_tirm_dark-fluid")
    b0 = mr("ep2d_diff", phase=Phase(group=1, kind=PhaseKind.B_VALUE, index=1, count=2), uid="diff")
    b1000 = mr("ep2d_diff", phase=Phase(group=1, kind=PhaseKind.B_VALUE, index=2, count=2), uid="diff",
               part="2")  # fmt: skip
    four = match(study(t1, flair, b0, b1000, t2), width=860)
    assert four.protocol.name == "MR brain: T2, FLAIR, diffusion, T1"
    assert [pane.series.key if pane else "" for pane in four.panes] == [
        t2.key, flair.key, "diff#2", t1.key,
    ]  # fmt: skip
    fewer = match(study(t1, flair, t2), width=860)
    assert fewer.panes[2] is None
    assert "1 of 4 viewports stay empty" in fewer.reason


def test_only_the_first_phase_of_a_4d_series_is_read() -> None:
    phases = [
        series(
            f"p{n}", uid="4d", part=str(n), phase=Phase(group=1, kind=PhaseKind.TIME, index=n, count=3)
        )
        for n in (1, 2, 3)
    ]
    assert [one.key for one in reading_order(study(*phases))] == ["4d#1"]


@pytest.mark.parametrize("key", list(FOUR))
@pytest.mark.parametrize("stored", ["P\\L", "A\\R", "A\\L", "P\\FL", "A\\FR", "F\\P", "R\\P"])
def test_breasts_hang_back_to_back(key: tuple[str, str], stored: str) -> None:
    """However the image was stored: chest walls meet in the middle, lateral or axilla up."""
    side, view = key
    image = breast(side, view, stored)
    plan = next(p for p in bundled() if p.name == "Mammography: four views")
    others = [breast(*other, uid=f"{other}") for other in FOUR if other != key]
    hanging = match(study(*others, image), protocols=(plan,))
    pane = next(p for p in hanging.panes if p and p.series is image)
    wanted = FOUR[key]
    if not _same_axes(stored, wanted):
        assert (pane.quarter_turns, pane.mirrored, pane.justify) == (0, False, "")
        return
    drawn = ViewportState(quarter_turns=pane.quarter_turns, mirrored=pane.mirrored).orthogonal()
    letters = dict(zip(("row", "column"), (part[0] for part in stored.split("\\")), strict=True))
    opposite = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
    for name, direction in (("row", (1, 0)), ("column", (0, 1))):
        x, y = drawn @ direction
        letter = letters[name] if x + y > 0 else opposite[letters[name]]
        assert letter == wanted.split("\\")[0 if x else 1][0]
    assert pane.justify == {"R": "right", "L": "left"}[side]


def _same_axes(one: str, other: str) -> bool:
    axis = {"L": 0, "R": 0, "A": 1, "P": 1, "H": 2, "F": 2}
    return {axis[part[0]] for part in one.split("\\")} == {axis[part[0]] for part in other.split("\\")}


def test_four_views_stand_right_left_over_right_left() -> None:
    parts = [breast(*key, orientation) for key, orientation in reversed(FOUR.items())]
    hanging = match(study(*parts), width=860)
    assert [(pane.series.laterality, pane.series.view_position) for pane in hanging.panes if pane] == [
        ("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"),
    ]  # fmt: skip
    assert hanging.reason == "MG, R CC, L CC, R MLO, L MLO"


def test_the_prior_row_stands_below_side_by_side_with_its_view() -> None:
    now = study(*(breast(*key) for key in FOUR))
    before = study(*(breast(*key, uid=f"old{key}") for key in FOUR), date="20240301", uid="2")
    hanging = match(now, [before], width=1300)
    assert hanging.protocol.name == "Mammography above its prior"
    top, below = hanging.panes[:4], hanging.panes[4:]
    assert all(pane and pane.prior == 0 for pane in top)
    assert all(pane and pane.prior == 1 and pane.study is before for pane in below)
    assert [(p.series.laterality, p.series.view_position) for p in top if p] == [
        (p.series.laterality, p.series.view_position) for p in below if p
    ]


def test_a_prior_stands_beside_the_series_most_like_it_and_only_of_the_same_region() -> None:
    now = study(series("5 MM STANDARD", plane="AXIAL"), description="CT CHEST")
    cor = series("COR", plane="CORONAL", images=90, uid="cor")
    like = series("CHEST 5X5", plane="AXIAL", uid="like")
    chest = study(cor, like, description="CT CHEST", date="20250101", uid="2")
    head = study(series("x", plane="AXIAL"), description="CT HEAD", date="20260101", uid="3")
    hanging = match(now, [head, chest], width=1300)
    assert hanging.protocol.name == "CT beside its prior"
    assert shown(hanging)[1] == "like"
    assert "prior of 2025-01-01" in hanging.reason
    assert match(now, [head], width=1300).protocol.name == "CT chest: lung and mediastinum"
    assert most_like(now.series[0], chest) is like


def test_a_reader_s_own_protocol_comes_first_and_equal_ones_keep_their_order() -> None:
    case = study(series("Std", plane="AXIAL"), description="CT CHEST")
    own = HangingProtocol(name="Mine", match={"modality": ("CT",)}, rows=2, columns=1, own=True)
    other = own.model_copy(update={"name": "Mine too"})
    found = ranked(case, (), (*bundled(), own, other), width=1300)
    assert [hanging.protocol.name for hanging in found[:2]] == ["Mine", "Mine too"]
    assert found[0].reason.startswith("your own; CT")
    assert found[-1].protocol is AS_IT_CAME
    assert found == ranked(case, (), (*bundled(), own, other), width=1300)


def test_files_say_what_is_wrong_with_them_and_round_trip() -> None:
    for protocol in bundled():
        assert read_protocol(write_protocol(protocol)) == protocol
    assert len(BUNDLED) == len(bundled())
    for text, words in (
        ('{"name": "x", "rows": 5}', "5 x 1 is no layout"),
        ('{"name": "x", "match": {"regions": ["chin"]}}', '"chin" is no body region'),
        ('{"name": "x", "viewports": [{"orientation": "L\\\\R"}]}', "names no way up"),
        ('{"name": "x", "viewports": [{}, {}]}', "2 viewports do not fit into 1 x 1"),
        ('{"nam": "x"}', "name: "),
        ("no json", "file: "),
    ):
        with pytest.raises(HangingError, match="(?i)" + words.replace("(", r"\(")):
            read_protocol(text)


def test_windows_that_protocols_name_exist() -> None:
    from viewer.imaging.grey import presets

    known = {preset.explanation for preset in presets("CT").values()}
    named = {plan.window for protocol in bundled() for plan in protocol.viewports if plan.window}
    assert named <= known


@pytest.mark.shared
def test_real_mammograms_hang_with_the_chest_wall_at_the_middle(shared_data: Path) -> None:
    """A biopsy image stored on its side, and an MLO stored the way it hangs."""
    from viewer.imaging.index import index_paths

    found = {
        (one.series[0].laterality, one.series[0].view_position): one
        for one in index_paths([shared_data / "mg"]).studies
    }
    cc, mlo = match(found["L", "CC"]).panes[0], match(found["R", "MLO"]).panes[0]
    assert cc is not None
    assert mlo is not None
    assert cc.series.patient_orientation == ("R", "P")
    drawn = ViewportState(quarter_turns=cc.quarter_turns, mirrored=cc.mirrored).orthogonal()
    assert tuple(drawn @ (0, 1)) == (-1, 0), "the posterior side, with the chest wall, is at the left"
    assert tuple(drawn @ (1, 0)) == (0, 1), "the medial side is down"
    assert cc.justify == "left"
    assert (mlo.quarter_turns, mlo.mirrored, mlo.justify) == (0, False, "right")

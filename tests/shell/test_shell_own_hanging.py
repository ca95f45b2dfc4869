"""Own and site hanging protocols: made from a layout, kept, read back; the example of the handbook."""

from __future__ import annotations

import re
from pathlib import Path

from app.own_hanging import SITE_FOLDER, Shown, all_of, body_of, of_layout, of_site, own_of
from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind
from viewer.imaging.hanging import match
from viewer.imaging.hanging_protocol import HangingProtocol, Links, bundled, read_protocol
from viewer.imaging.study import Instance, Patient, Series, Study, WindowPreset

HANDBOOK = Path(__file__).resolve().parents[2] / "docs" / "hanging.md"


def series(description: str, *, modality: str = "CT", uid: str = "", **more: object) -> Series:
    plane = ImagePlane(
        position=(0.0, 0.0, 0.0),
        row_cosines=(1.0, 0.0, 0.0),
        column_cosines=(0.0, 1.0, 0.0),
        row_spacing=1.0,
        column_spacing=1.0,
    )
    image = Instance(
        path="", sop_instance_uid="1", sop_class_uid="1.2", transfer_syntax_uid="1.2", plane=plane
    )
    return Series(
        series_instance_uid=uid or description,
        description=description,
        modality=modality,
        instances=(image,) * 20,
        verdict=GeometryVerdict(kind=VerdictKind.UNIFORM, reason="even"),
        **more,
    )


def study(
    *parts: Series, description: str = "CT Chest", uid: str = "1", date: str = "20260301"
) -> Study:
    patient = Patient(patient_id="P1", name="DEMO^One")
    return Study(
        study_instance_uid=uid, patient=patient, date=date, description=description, series=parts
    )


def test_a_layout_hangs_another_study_of_its_kind_the_same_way() -> None:
    lung, soft, old = series("Lung 1.0"), series("Soft (5 mm)"), series("Lung 1,0", uid="old")
    bone = WindowPreset(center=350.0, width=2000.0)
    odd = WindowPreset(center=12.0, width=345.0)
    made = of_layout(
        "Mine",
        study(lung, soft),
        (2, 2),
        [Shown(soft, window=bone), Shown(lung, window=odd, zoom=1.5), Shown(old, prior=1), None],
        Links(scroll=True, zoom=True, window=False),
    )
    assert made.own
    again = study(
        series("Soft (5 mm)", uid="s2"), series("Lung 1.0", uid="l2"), uid="2", date="20270101"
    )
    earlier = study(series("Lung 1,0", uid="o2"), uid="3", date="20260601")
    hanging = match(again, [earlier], (*bundled(), made))
    assert hanging.protocol is made
    assert [pane.series.series_instance_uid if pane else "" for pane in hanging.panes] == [
        "s2", "l2", "o2", "",
    ]  # fmt: skip
    assert hanging.panes[0].window.explanation == "Bone"
    assert (hanging.panes[1].window.center, hanging.panes[1].plan.zoom) == (12.0, 1.5)
    assert match(again, [], (*bundled(), made)).protocol is not made, "it asks for a prior"
    head = study(series("x"), description="CT Head", uid="4")
    assert match(head, [earlier], (*bundled(), made)).protocol is not made


def test_own_protocols_travel_through_the_store_and_a_broken_one_is_left_out() -> None:
    own = HangingProtocol(name="Mine", rows=2, columns=2, own=True)
    body = body_of((own,))
    assert own_of(body) == (own,)
    assert own_of({"protocols": [{"name": "x", "rows": 77}, *body["protocols"]]}) == (own,)
    assert own_of(None) == ()


def test_the_site_s_files_count_before_the_bundled_and_bad_ones_are_named(tmp_path: Path) -> None:
    folder = tmp_path / SITE_FOLDER
    folder.mkdir()
    (folder / "a.json").write_text('{"name": "PET beside CT", "rows": 2}')
    (folder / "b.json").write_text("{")
    (folder / "c.json").write_bytes(b"\xff\xfe")
    site, wrong = of_site(tmp_path)
    assert [one.name for one in site] == ["PET beside CT"]
    assert [line.partition(":")[0] for line in wrong] == ["b.json", "c.json"]
    found = [one for one in all_of((), site) if one.name == "PET beside CT"]
    assert [one.rows for one in found] == [2]
    assert of_site(tmp_path / "none") == ((), ())


def test_the_example_of_the_handbook_is_a_protocol_that_hangs() -> None:
    text = re.search(r"```json\n(.*?)```", HANDBOOK.read_text(encoding="utf-8"), re.DOTALL)
    protocol = read_protocol(text.group(1))
    now = study(series("AX PORTAL VENOUS"), description="CT ABDOMEN LIVER")
    before = study(series("AX VEN", uid="b"), description="CT ABDOMEN", uid="2", date="20250101")
    hanging = match(now, [before], (*bundled(), protocol))
    assert hanging.protocol is protocol
    assert [pane.prior for pane in hanging.panes if pane] == [0, 1]

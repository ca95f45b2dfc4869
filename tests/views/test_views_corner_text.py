"""The words in the corners say what is true of the image, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.study import Series, Study, UltrasoundRegion, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.corner_text import (
    Corners,
    badge_text,
    corners,
    printed_age,
    printed_date,
    printed_name,
    series_text,
)
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_model import Hung
from viewer.views.viewport_paint import corner_words
from viewer.views.viewport_state import ViewportState

StackMaker = Callable[..., ImageStack]


def words(
    series: Series,
    study: Study | None = None,
    *,
    tall: bool = True,
    narrow: bool = False,
    **change: object,
) -> Corners:
    instance = series.instances[0].model_copy(update=change)
    return corners(
        study=study,
        series=series,
        instance=instance,
        plane=instance.plane,
        place=59,
        count=134,
        window=WindowPreset(center=-500, width=1500),
        zoom_percent=139.6,
        inverted=False,
        tall=tall,
        narrow=narrow,
    )


def test_a_tall_viewport_says_who_what_and_how(stack: ImageStack, study: Study) -> None:
    text = words(stack.series, study)
    assert text.top_left == ("DEMO, Patient One", "LUNG1-001  83 y M", "18 Sep 2008  09:41")
    assert text.top_right == ("Se 2  Lung", "Im 60 / 134")
    assert text.bottom_left == ("W 1500  L \u2212500", "Zoom 140 %")
    assert text.bottom_right == ("z \u221240.0 mm", "2.0 mm")
    assert text.badge == ""


def test_a_low_viewport_keeps_one_line_in_each_corner(stack: ImageStack, study: Study) -> None:
    text = words(stack.series, study, tall=False)
    assert text.top_left == ("Se 2  Lung",)
    assert {len(part) for part in (text.top_right, text.bottom_left, text.bottom_right)} == {1}


def test_a_narrow_viewport_has_all_its_words_at_the_left(stack: ImageStack, study: Study) -> None:
    text = words(stack.series, study, tall=False, narrow=True)
    assert text.top_left == ("Se 2  Lung", "Im 60 / 134")
    assert text.bottom_left == ("W 1500  L \u2212500", "z \u221240.0 mm")
    assert text.top_right == text.bottom_right == ()


def test_lossy_compression_is_shown_with_its_ratio(stack: ImageStack) -> None:
    assert "lossy 9.8:1" in words(stack.series, lossy=True, lossy_ratio="9.8").bottom_right
    assert "lossy" in words(stack.series, lossy=True).bottom_right
    twice = {"lossy_ratio": "5\\12.5", "lossy_method": "ISO_10918_1\\ISO_15444_1"}
    shown = words(stack.series, lossy=True, **twice).bottom_right
    assert "lossy JPEG 5:1, JPEG 2000 12.5:1" in shown


def test_a_projection_says_what_its_lengths_stand_on(make_stack: StackMaker) -> None:
    raw = make_stack(axes=None, count=1, modality="DX", calibrated=False).series
    assert "not calibrated: pixels" in words(raw).bottom_right
    assert not any(
        "mm" in line for line in words(raw.model_copy(update={"slice_thickness": None})).bottom_right
    )
    corrected = raw.model_copy(
        update={"pixel_spacing": (0.1, 0.1), "spacing_source": "magnification corrected"}
    )
    assert "magnification corrected" in words(corrected).bottom_right


def test_an_ultrasound_says_whether_its_regions_calibrate_it(make_stack: StackMaker) -> None:
    raw = make_stack(axes=None, count=1, modality="US", calibrated=False).series
    shown = raw.instances[0]
    tissue = UltrasoundRegion(
        left=1,
        top=1,
        right=shown.columns - 1,
        bottom=shown.rows - 1,
        x_unit="cm",
        y_unit="cm",
        x_step=0.02,
        y_step=0.02,
        tissue=True,
    )
    assert "calibrated: ultrasound region" in words(raw, regions=(tissue,)).bottom_right
    beyond = tissue.model_copy(update={"right": 2 * shown.columns})
    refused = words(raw, regions=(beyond,)).bottom_right
    assert "not calibrated: regions do not fit the picture" in refused


@pytest.mark.gui
def test_a_radiograph_without_letters_says_that_it_is_mirrored(qtbot, make_stack: StackMaker) -> None:  # type: ignore[no-untyped-def]
    from viewer.views.viewport import ImageViewport

    pane = ImageViewport()
    qtbot.addWidget(pane)
    pane.resize(480, 420)
    pane.show_stack(make_stack(count=1, axes=None, modality="CR"))
    assert pane.model.letters() is None
    assert "Mirrored" not in corner_words(pane.model, pane.theme).bottom_left
    pane.do("viewport.flip_horizontal")
    assert "Mirrored" in corner_words(pane.model, pane.theme).bottom_left
    pane.do("viewport.reset")
    assert "Mirrored" not in corner_words(pane.model, pane.theme).bottom_left


def test_a_projection_names_its_side_and_view_in_every_size(make_stack: StackMaker) -> None:
    raw = make_stack(count=1, axes=None, modality="MG").series
    series = raw.model_copy(update={"laterality": "R", "view_position": "MLO"})
    assert words(series).top_right == ("Se 2  Lung", "R MLO  Im 60 / 134")
    assert words(series, tall=False).top_right == ("R MLO  Im 60 / 134",)
    assert words(series, narrow=True).top_left == ("Se 2  Lung", "R MLO  Im 60 / 134")
    assert words(raw).top_right == ("Se 2  Lung", "Im 60 / 134")
    # Laterality of a CT or MR names a paired organ of the whole series; its letters say the side.
    slices = series.model_copy(update={"modality": "CT"})
    assert words(slices).top_right == ("Se 2  Lung", "Im 60 / 134")


@pytest.mark.parametrize(
    ("verdict", "badge"),
    [
        (GeometryVerdict(kind=VerdictKind.UNIFORM, reason=""), ""),
        (GeometryVerdict(kind=VerdictKind.SINGLE, reason=""), ""),
        (GeometryVerdict(kind=VerdictKind.TILTED, reason="", tilt_degrees=-18.5), "Tilt \u221218.5°"),
        (GeometryVerdict(kind=VerdictKind.MISSING, reason="", missing=((3, 1),)), "1 slice missing"),
        (
            GeometryVerdict(kind=VerdictKind.NON_UNIFORM, reason="", tilt_degrees=18.5),
            "Uneven spacing, tilt 18.5°",
        ),
        (
            GeometryVerdict(kind=VerdictKind.MISSING, reason="", missing=((3, 1), (9, 2))),
            "3 slices missing",
        ),
        (GeometryVerdict(kind=VerdictKind.DUPLICATED, reason="", duplicated=(4,)), "Doubled slices"),
        (GeometryVerdict(kind=VerdictKind.NON_UNIFORM, reason=""), "Uneven spacing"),
    ],
)
def test_the_badge_names_the_problem_itself(verdict: GeometryVerdict, badge: str) -> None:
    assert badge_text(verdict) == badge


@pytest.mark.parametrize(
    ("dicom", "printed"),
    [
        ("DEMO^Patient One", "DEMO, Patient One"),
        ("Adams^John Robert Quincy^^Rev.", "Adams, John Robert Quincy"),
        ("Yamada^Tarou=山田^太郎", "Yamada, Tarou"),
        ("PHANTOM", "PHANTOM"),
        ("", ""),
    ],
)
def test_names_are_printed_family_first(dicom: str, printed: str) -> None:
    assert printed_name(dicom) == printed


def test_dates_and_ages_that_are_none_stay_as_they_are() -> None:
    assert printed_date("20080931x") == "20080931x"
    assert printed_date("", "") == ""
    assert printed_age("006W") == "6 w"
    assert printed_age("old") == "old"


def test_a_series_without_a_name_is_named_by_its_plane(make_stack: StackMaker) -> None:
    coronal = make_stack(axes=((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))).series
    nameless = coronal.model_copy(update={"description": ""})
    assert series_text(nameless, nameless.instances[0].plane) == "Se 2  Coronal"


@pytest.mark.gui
@pytest.mark.parametrize(("justify", "free"), [("left", "right"), ("right", "left"), ("", "")])
def test_words_stand_beside_a_breast_at_the_edge(qtbot, make_stack, justify: str, free: str) -> None:  # type: ignore[no-untyped-def]
    stack = make_stack(modality="MG", rows=400, columns=300)
    view = ImageViewport()
    qtbot.addWidget(view)
    view.resize(700, 500)
    home = ViewportState(justify=justify)
    view.show_stack(stack, None, hung=Hung(home))
    words = corner_words(view.model, view.theme)
    assert words.side == free
    if free:
        other = "left" if free == "right" else "right"
        assert not getattr(words, f"top_{other}") and not getattr(words, f"bottom_{other}")
        every = (*getattr(words, f"top_{free}"), *getattr(words, f"bottom_{free}"))
        centred = corner_words_of(view, "")
        assert sorted(every) == sorted(
            (*centred.top_left, *centred.top_right, *centred.bottom_left, *centred.bottom_right)
        )


def corner_words_of(view: ImageViewport, justify: str) -> Corners:
    view.set_state(replace(view.model.state, justify=justify))
    return corner_words(view.model, view.theme)


@pytest.mark.gui
@pytest.mark.parametrize(("justify", "edge"), [("left", "right"), ("right", "left"), ("", "right")])
def test_scale_bar_stands_beside_a_breast_at_the_edge(
    qtbot, make_stack, justify: str, edge: str
) -> None:  # type: ignore[no-untyped-def]
    view = ImageViewport()
    qtbot.addWidget(view)
    view.resize(700, 500)
    stack = make_stack(modality="MG", rows=400, columns=300)
    view.show_stack(stack, None, hung=Hung(ViewportState(justify=justify)))
    bar = view.model.scale_bar()
    assert bar is not None
    middle = 500 * view.theme.value("viewport", "scale-bar-height") + bar.length / 2
    picture, ink = view.grab().toImage(), view.theme.colour("corner").rgb()
    columns = {"left": range(20), "right": range(680, 700)}
    inked = {
        side for side, xs in columns.items() if any(picture.pixel(x, int(middle)) == ink for x in xs)
    }
    assert inked == {edge}

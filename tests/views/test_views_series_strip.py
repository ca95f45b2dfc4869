"""The strip of series: one item for a 4D series, priors closed under their date, pictures on demand."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from viewer.imaging.priors import PriorStudy
from viewer.imaging.study import Phase, PhaseKind
from viewer.views.series_strip import SeriesStrip

pytestmark = pytest.mark.gui


@pytest.fixture
def strip(qtbot) -> SeriesStrip:
    made = SeriesStrip()
    qtbot.addWidget(made)
    made.resize(80, 800)
    with qtbot.waitExposed(made):
        made.show()
    return made


def phases(make_stack, count: int = 3):
    series = make_stack(uid="4d").series
    return [
        series.model_copy(
            update={
                "part": "" if n == 1 else str(n),
                "phase": Phase(group=1, kind=PhaseKind.TIME, index=n, count=count),
            }
        )
        for n in range(1, count + 1)
    ]


def test_a_4d_series_is_one_item_with_its_count(strip, make_stack, make_study) -> None:
    other = make_stack(uid="1.5").series
    strip.set_study(make_study(*phases(make_stack), other))
    assert list(strip._items) == ["4d", "1.5"]
    assert strip._items["4d"]._words()[1] == "9 \u00d7 3"
    strip.set_shown("4d#3")
    assert strip._items["4d"].shown
    assert strip.neighbour("4d#2", 1) == "1.5"
    assert strip.neighbour("1.5", -1) == "4d"


def test_priors_are_closed_and_their_pictures_are_asked_for_when_opened(
    strip, make_stack, make_study, qtbot
) -> None:
    own, old = make_stack(uid="1.1").series, make_stack(uid="2.1").series
    prior = make_study(old).model_copy(update={"study_instance_uid": "p", "date": "20110514"})
    strip.set_study(make_study(own), [PriorStudy(prior, same_id=False)])
    (heading,) = strip._headings
    assert "14 May 2011" in heading.accessibleName()
    assert "same name, not same ID" in heading.accessibleName()
    assert list(strip._items) == ["1.1"]
    with qtbot.waitSignal(strip.listed) as opened:
        QTest.keyClick(heading, Qt.Key.Key_Return)
    assert opened.args == [(old,)]
    assert list(strip._items) == ["1.1", "2.1"]
    assert strip._items["2.1"].is_prior
    assert strip.neighbour("1.1", 1) == "", "the next series is of this study"
    with qtbot.assertNotEmitted(strip.listed):
        QTest.mouseClick(heading, Qt.MouseButton.LeftButton)
        QTest.mouseClick(heading, Qt.MouseButton.LeftButton)
    strip.set_study(None)
    assert (strip._headings, strip._items) == ([], {})


def test_markup_in_a_prior_s_name_stays_text(strip, make_stack, make_study) -> None:
    prior = make_study().model_copy(update={"description": "<b>CT</b>", "date": "20110514"})
    strip.set_study(make_study(make_stack().series), [PriorStudy(prior)])
    assert "&lt;b&gt;CT" in strip._headings[0].toolTip()


def test_a_study_of_very_many_series_is_listed_in_portions(
    strip, make_stack, make_study, qtbot
) -> None:
    one = make_stack().series
    many = [one.model_copy(update={"series_instance_uid": f"1.{n}"}) for n in range(250)]
    strip.set_study(make_study(*many))
    (more,) = strip._more.values()
    assert [series.key for series in strip.series()] == [f"1.{n}" for n in range(100)]
    assert more.text() == "150 more"
    with qtbot.waitSignal(strip.listed) as listed:
        QTest.mouseClick(more, Qt.MouseButton.LeftButton)
    assert [series.key for series in listed.args[0]] == [f"1.{n}" for n in range(100, 200)]
    assert strip.neighbour("1.199", 1) == "1.200", "steps do not end where the list does"
    strip.set_shown("1.200")
    assert strip._items["1.200"].shown
    assert len(strip.series()) == 250
    assert more.isHidden()

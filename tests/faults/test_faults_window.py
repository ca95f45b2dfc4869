"""Hostile input through the real window: it lives, names what is wrong and shows words as words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hostile_files as hostile
import pytest
from hostile_files import MARKUP, NAME_MARKUP, Case, with_bytes, with_values
from PySide6 import QtGui
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot
from window_sweep import Driver, Seen, Sweep, make_home

from viewer.views.viewport_paint import corner_words

pytestmark = pytest.mark.gui

LONGEST_GAP = 5.0
"""Seconds in which the event loop may not turn, on a machine that does other work."""

MEMORY = 700 << 20
"""Most that a worker may ever have resident for these small files, bytes."""

CHARACTER_SET, NAME = 0x00080005, 0x00100010

CASES: dict[str, Case] = {
    "markup in every text": Case(
        with_values(**{**hostile.everywhere(MARKUP), "PatientName": NAME_MARKUP}), names=(NAME_MARKUP,)
    ),
    "control and bidi characters": Case(
        with_values(**hostile.everywhere("DOE\u202egnp\x1b[2J\x07\n\u2028X\u200f")),
        names=("DOEgnp[2J  X",),
        suspect=None,
    ),
    "texts of 60,000 characters": Case(
        with_values(**hostile.everywhere("Wide " * 12_000)), names=(("Wide " * 52)[:256].strip(),)
    ),
    "a name of ideographs only": Case(
        with_values(SpecificCharacterSet="ISO_IR 192", PatientName="=山田^太郎=やまだ^たろう"),
        names=("山田, 太郎",),
    ),
    "bytes that are not in their character set": Case(
        with_bytes({CHARACTER_SET: b"ISO_IR 192", NAME: b"M\xfcller^J\xf6rg"}), suspect=True
    ),
    "broken escapes": Case(
        with_bytes({CHARACTER_SET: b"\\ISO 2022 IR 87", NAME: b"Yamada=\x1b$B;3\xff\x1b(Q"}),
        suspect=True,
    ),
    "a character set that does not exist": Case(
        with_bytes({CHARACTER_SET: b"ISO_IR 4711", NAME: b"M\xfcller"}), suspect=True
    ),
    "no character set and high bytes": Case(
        with_bytes({CHARACTER_SET: b"", NAME: b"M\xfcller"}), suspect=True
    ),
    "dates that are none": Case(hostile.odd_dates, series=9),
    "claims beyond what is there": Case(
        hostile.claims, bad={f"lie-{number}": "" for number in range(8)}
    ),
    "geometry and grey scale without sense": Case(hostile.geometries, bad=None, series=20),
    "thousands of private elements": Case(hostile.private),
    "deep and wide sequences": Case(hostile.deep, bad={"deep": "nested", "wide": ""}),
    "cut off at every KiB": Case(hostile.cut_everywhere, bad={"cut-": ""}, series=0),
    "random bytes changed": Case(hostile.flipped, bad=None, suspect=None),
    "archives": Case(
        hostile.archives,
        bad={
            "bomb.dcm": "ZIP bomb",
            "slipped": "leads out of the archive",
            "link.dcm": "link",
            "broken.zip": "damaged",
            "no-zip.zip": "not a DICOM",
            "again.zip": "not a DICOM",
        },
    ),
    "links, pipe and socket": Case(
        hostile.no_files,
        bad={
            "out.dcm": "link",
            "zero.dcm": "link",
            "nowhere": "nothing",
            "itself": "nothing",
            "pipe": "pipe",
            "socket": "pipe",
        },
    ),
    "file names": Case(hostile.odd_names, bad={"bad ": "not a DICOM"}),
    "3,000 series": Case(hostile.many_series, series=5),
    "a directory that points outside": Case(
        hostile.directory,
        bad={"passwd": "outside its folder", "secret": "outside its folder", "GONE": "not there"},
    ),
}
"""What is dropped, and what must be seen of it."""


@pytest.fixture
def sweep(qtbot: QtBot, tmp_path: Path) -> Iterator[Sweep]:
    """A person in front of an empty worklist."""
    driver = Driver(qtbot, make_home(tmp_path / "home"))
    driver.sign_in()
    driver.until(lambda: driver.window.session.is_open)
    yield Sweep(driver)
    driver.leave()


def check(case: Case, seen: Seen, folder: Path) -> None:
    """Compare what was seen with what must be."""
    assert not seen.failed
    assert seen.mishaps == []
    assert seen.longest_gap < LONGEST_GAP
    assert len(seen.opened) >= case.series
    if case.names:
        assert tuple(seen.names) == case.names
    if case.suspect is not None:
        marked = [entry for entry in seen.entries if "Text encoding suspect" in entry.problems]
        assert bool(marked) is case.suspect
    if case.bad is not None:
        unexpected = [name for name in seen.bad if not any(part in name for part in case.bad)]
        assert not unexpected
        for part, words in case.bad.items():
            found = [reason for name, reason in seen.bad.items() if part in name]
            assert found, part
            assert all(words in reason and reason.endswith(".") for reason in found), found


def rendered(text: str) -> str:
    """Return what Qt makes of a text that it takes for rich."""
    document = QtGui.QTextDocument()
    document.setHtml(text)
    return document.toPlainText()


def words_read_as_markup(window: QWidget) -> list[str]:
    """Return texts of labels and tool tips in which Qt would take a header's words for markup."""
    found = []
    for widget in window.findChildren(QWidget):
        place, tip = type(widget).__name__, widget.toolTip()
        is_free = isinstance(widget, QLabel) and widget.textFormat() is not Qt.TextFormat.PlainText
        if is_free and QtGui.Qt.mightBeRichText(widget.text()):
            found.append(f"text of {place}: {widget.text()}")
        if "192.0.2.1" in tip and ("<img" in tip or "<img" not in rendered(tip)):
            found.append(f"tip of {place}: {tip}")
    return found


def test_hostile_input_of_every_kind_leaves_the_window_alive(sweep: Sweep, tmp_path: Path) -> None:
    """One window for all: what one input breaks, the next would show."""
    if os.geteuid():
        CASES["no permission"] = Case(hostile.locked, bad={"locked": "", "room": ""})
    wrong: dict[str, str] = {}
    for number, (name, case) in enumerate(CASES.items()):
        folder = tmp_path / f"input{number}"
        folder.mkdir()
        case.make(folder)
        seen = sweep.bring(folder, most_series=5 if name == "3,000 series" else 30)
        print(
            f"{name}: {seen.seconds:.1f} s, gap {seen.longest_gap * 1000:.0f} ms, "
            f"{len(seen.opened)} series, {len(seen.problems)} problems, {len(seen.bad)} bad, "
            f"{sweep.memory() >> 20} MiB"
        )
        try:
            check(case, seen, folder)
        except AssertionError as error:
            wrong[name] = f"{error}\n{seen.names} {seen.bad} {seen.problems}\n" + "\n".join(
                seen.mishaps
            )
    assert not wrong, "\n".join(f"--- {name}: {why}" for name, why in wrong.items())
    assert sweep.memory() < MEMORY
    assert not list(tmp_path.rglob("slipped*"))
    assert not Path("/tmp/slipped-absolute.dcm").exists()


def test_markup_in_a_header_is_words_on_every_page(sweep: Sweep, tmp_path: Path) -> None:
    """Worklist, details, list of bad files, reading page, corners, palette, side panel, marks."""
    values = {**hostile.everywhere(MARKUP), "PatientName": NAME_MARKUP}
    hostile.write(tmp_path, 3, **values)
    hostile.write_bad(tmp_path)
    window, driver = sweep.driver.window, sweep.driver
    with sweep.watched() as seen:
        sweep.drop(seen, tmp_path)
        (entry,) = sweep.new()
        window.worklist.table.choose(entry.study.study_instance_uid)
        driver.until(lambda: MARKUP in "\n".join(sweep.words(window.worklist.detail)))
        assert NAME_MARKUP in "\n".join(sweep.words(window.worklist.detail))
        assert not words_read_as_markup(window)
        table = window.worklist.table.model()
        tips = [
            table.index(0, column).data(Qt.ItemDataRole.ToolTipRole) or ""
            for column in range(table.columnCount())
        ]
        assert any("&lt;img" in tip for tip in tips)
        assert not any("<img" in tip for tip in tips)
        window.show_import_report()
        driver.until(window.worklist.report.isVisible)
        assert "<b>bad<img src=x>.dcm" in "\n".join(sweep.words(window.worklist.report))
        assert not words_read_as_markup(window)
        window.worklist.report.backWanted.emit()
        window.open_entry(entry)
        driver.until(lambda: driver.model is not None)
        sweep.look(seen, entry.study.series[0], volumes=True)
        driver.viewport.do("viewport.tool.length")
        window.reading.show_side_page("marks")
        window.open_palette()
        QApplication.processEvents()
        assert not words_read_as_markup(window)
        corners = corner_words(driver.viewport.model, window.theme)
        assert corners.top_left[0] == NAME_MARKUP
        assert MARKUP in corners.top_left[1]
        assert MARKUP in corners.top_right[0]
        window.palette_layer.dismiss()
        sweep.leave()
    assert seen.mishaps == []

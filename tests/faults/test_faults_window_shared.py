"""Real and malformed files of the shared data through the real window, folder by folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_scene import sightline
from pytestqt.qtbot import QtBot
from window_sweep import Driver, Sweep, make_home

pytestmark = [pytest.mark.gui, pytest.mark.shared]

LONGEST_GAP = 5.0
"""Seconds in which the event loop may not turn, on a machine that does other work."""

MEMORY = 900 << 20
"""Most that a worker may ever have resident for these files, bytes; its limit is 2 GiB."""

FOLDERS = (
    *("charset", "dicomdir", "us", "xa", "mg", "multiframe", "sr-seg-rt"),
    *("transfer-syntax", "cxr", "mr", "pet", "ct"),
)
"""Folders of which every series that the index lists must be shown."""

NAMES = {
    "Yamada^Tarou=山田^太郎=やまだ^たろう": ("Yamada, Tarou", "山田, 太郎", "やまだ, たろう"),
    "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう": ("ﾔﾏﾀﾞ, ﾀﾛｳ", "山田, 太郎", "やまだ, たろう"),
    "Hong^Gildong=洪^吉洞=홍^길동": ("Hong, Gildong", "洪, 吉洞", "홍, 길동"),
    "Wang^XiaoDong=王^小東=": ("Wang, XiaoDong", "王, 小東"),
    "Wang^XiaoDong=王^小东=": ("Wang, XiaoDong", "王, 小东"),
    "Διονυσιος": ("Διονυσιος",),
    "Buc^Jérôme": ("Buc, Jérôme",),
    "Äneas^Rüdiger": ("Äneas, Rüdiger",),
    "قباني^لنزار": ("قباني, لنزار",),
    "Люкceмбypг": ("Люкceмбypг",),
    "שרון^דבורה": ("שרון, דבורה",),
}
"""Names of the standard's examples (PS3.5 H, I, J, K) -> what the details of the study show."""

ALONE = (
    *("injection_strings.dcm", "tiff_preamble_polyglot.dcm", "zero_spacing_zero_window.dcm"),
    *("rows_cols_65535.dcm", "huge_value_length.dcm", "truncated_in_pixels.dcm"),
)
"""Files that share an object's UID with another one, or claim too much: brought one by one too."""


@pytest.fixture
def sweep(qtbot: QtBot, tmp_path: Path) -> Iterator[Sweep]:
    """A person in front of an empty worklist."""
    driver = Driver(qtbot, make_home(tmp_path / "home"))
    driver.sign_in()
    driver.until(lambda: driver.window.session.is_open)
    yield Sweep(driver)
    driver.leave()


def test_every_folder_of_real_data_is_read_from_the_first_to_the_last_series(
    sweep: Sweep, shared_data: Path
) -> None:
    for folder in FOLDERS:
        # Volumes of the large CTs are rendered by the tests of the 3D view.
        seen = sweep.bring(shared_data / folder, volumes=folder != "ct")
        assert (seen.mishaps, seen.failed, seen.problems) == ([], "", {}), folder
        assert seen.imported is not None
        listed = {one.key for study in seen.imported.index.studies for one in study.series}
        assert listed, folder
        assert listed <= set(seen.opened), folder
        assert seen.longest_gap < LONGEST_GAP, folder
        assert all(reason.endswith(".") for reason in seen.bad.values())
    assert sweep.memory() < MEMORY


def test_malformed_files_are_named_and_the_others_are_read(sweep: Sweep, shared_data: Path) -> None:
    folder = shared_data / "malformed"
    seen = sweep.bring(folder)
    assert (seen.mishaps, seen.failed) == ([], "")
    assert [
        words for words in seen.problems.values() if "compressed data is damaged" not in words
    ] == []
    files = {path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".zip"}
    assert seen.imported is not None
    used = {
        Path(instance.path).name
        for study in seen.imported.index.studies
        for series in study.series
        for instance in series.instances
    } | {Path(one.path).name for study in seen.imported.index.studies for one in study.objects}
    assert files == (used | set(seen.bad)) & files
    for path in [path for path in folder.rglob("*") if path.name in ALONE]:
        alone = sweep.bring(path)
        assert (alone.mishaps, alone.failed) == ([], ""), path.name
        assert bool(alone.opened) != bool(alone.bad), path.name
    assert sweep.memory() < MEMORY


def test_names_in_every_script_are_shown_right_in_worklist_and_details(
    sweep: Sweep, shared_data: Path
) -> None:
    window = sweep.driver.window
    with sweep.watched() as seen:
        sweep.drop(seen, shared_data / "charset")
        found = {entry.study.patient.name: entry for entry in sweep.new()}
        assert found.keys() == NAMES.keys()
        for name, forms in NAMES.items():
            entry = found[name]
            assert entry.name == forms[0]
            assert not entry.study.patient.encoding_suspect
            window.worklist.table.choose(entry.study.study_instance_uid)
            sweep.driver.until(lambda forms=forms: set(forms) <= sweep.words(window.worklist.detail))
    assert seen.mishaps == []


def test_the_command_line_reads_and_renders_the_same(shared_data: Path, tmp_path: Path) -> None:
    done = sightline("inspect", shared_data / "charset", "--json")
    assert done.code == 0
    assert {study["patient"]["name"] for study in done.json["studies"]} == NAMES.keys()
    for number, path in enumerate(
        path for path in sorted((shared_data / "malformed").rglob("*")) if path.name in ALONE
    ):
        seen = sightline("render", path, "--out", tmp_path / f"{number}.png", "--json")
        assert "Traceback" not in seen.err
        assert seen.code in (0, 1)
        assert (tmp_path / f"{number}.png").is_file() is (seen.code == 0)
        if seen.code:
            assert path.name in seen.err
        else:
            assert json.loads(seen.out)["rows"] > 0

"""Files that go, change or lie under the window's hands: it says so and lives."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import hostile_files as hostile
import pytest
from pydicom.uid import generate_uid
from pytestqt.qtbot import QtBot
from window_sweep import Driver, Sweep, make_home

sys.path.append(str(Path(__file__).resolve().parents[1] / "objects"))
from object_files import SLICES, ct_slice, save
from test_objects_damage import MAKERS, damaged

pytestmark = pytest.mark.gui


@pytest.fixture
def sweep(qtbot: QtBot, tmp_path: Path) -> Iterator[Sweep]:
    """A person in front of an empty worklist."""
    driver = Driver(qtbot, make_home(tmp_path / "home"))
    driver.sign_in()
    driver.until(lambda: driver.window.session.is_open)
    yield Sweep(driver)
    driver.leave()


def two_series(folder: Path) -> Path:
    """Write a study of two small series."""
    study = generate_uid()
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        hostile.write(folder / name, 5, StudyInstanceUID=study)
    return folder


def test_a_folder_that_goes_while_it_is_read_is_told(sweep: Sweep, tmp_path: Path) -> None:
    folder = two_series(tmp_path / "stick")
    window = sweep.driver.window
    with sweep.watched() as seen:
        window.importing.imported.connect(lambda _imported: shutil.rmtree(folder))
        sweep.drop(seen, folder)
        (entry,) = sweep.new()
        window.open_entry(entry)
        sweep.driver.until(lambda: sweep.driver.model is not None)
        for series in entry.study.series:
            sweep.look(seen, series, volumes=False)
        sweep.leave()
    assert seen.mishaps == []
    assert seen.opened == []
    assert len(seen.problems) == 2
    assert all("No image of this series can be shown" in words for words in seen.problems.values())


def test_files_that_are_replaced_before_they_are_decoded_are_named(
    sweep: Sweep, tmp_path: Path
) -> None:
    folder = two_series(tmp_path / "stick")
    chance = random.Random(7)
    window = sweep.driver.window

    def replace(_imported: object) -> None:
        for number, path in enumerate(sorted((folder / "one").iterdir())):
            whole = path.read_bytes()
            kinds = (b"", chance.randbytes(5000), whole[:-900], whole[:400], b"<html>" * 100)
            path.write_bytes(kinds[number % len(kinds)])
        (folder / "two" / "000.dcm").unlink()
        (folder / "two" / "001.dcm").write_bytes(b"")

    with sweep.watched() as seen:
        window.importing.imported.connect(replace)
        sweep.drop(seen, folder)
        (entry,) = sweep.new()
        window.open_entry(entry)
        sweep.driver.until(lambda: sweep.driver.model is not None)
        by_path = {Path(one.instances[0].path).parent.name: one for one in entry.study.series}
        for series in by_path.values():
            sweep.look(seen, series, volumes=True)
        sweep.leave()
    assert seen.mishaps == []
    assert "No image of this series can be shown" in seen.problems[by_path["one"].key]
    assert "2 of 5 images cannot be shown" in seen.problems[by_path["two"].key]
    assert by_path["two"].key in seen.opened


def test_damaged_objects_beside_images_are_refused_or_shown_in_part(
    sweep: Sweep, tmp_path: Path
) -> None:
    """Segmentations, contours, presentation states and reports, each damaged in several ways."""
    slices = [ct_slice(number) for number in range(SLICES)]
    for number, ds in enumerate(slices):
        save(ds, tmp_path / f"ct{number}.dcm")
    chance = random.Random("objects")
    for make in MAKERS:
        for number in range(4):
            path = save(make(slices), tmp_path / f"{make.__name__}{number}.dcm")
            path.write_bytes(damaged(path.read_bytes(), chance))
    window = sweep.driver.window
    with sweep.watched() as seen:
        sweep.drop(seen, tmp_path)
        entry = next(one for one in sweep.new() if one.study.series)
        assert entry.study.objects
        window.open_entry(entry)
        sweep.driver.until(lambda: sweep.driver.model is not None)
        window.reading.show_side_page("objects")
        sweep.look(seen, entry.study.series[0], volumes=True)
        sweep.driver.until(lambda: not window.reading.work.is_busy)
        sweep.leave()
    assert seen.mishaps == []
    assert entry.study.series[0].key in seen.opened
    assert all(reason.endswith(".") for reason in seen.bad.values())

"""What planes and 3D import is loaded in advance: late, on a thread, while the reader rests."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.volume_warming import LEAST_MEMORY, MODULES, VolumeWarming, has_volume

pytestmark = pytest.mark.gui

PATIENCE = 60.0
ROOMY = LEAST_MEMORY


def test_a_study_with_a_volume_loads_what_it_may_need(
    qtbot: QtBot, make_stack: Callable[..., ImageStack], make_study: Callable[..., Study]
) -> None:
    probed: list[int] = []
    warming = VolumeWarming(wait_ms=1, rest_s=0.0, probe=lambda: probed.append(1), memory=ROOMY)
    few, many = (make_study(make_stack(count=count).series) for count in (5, 40))
    assert not has_volume(few) and has_volume(many)
    warming.open_study(few)
    warming.open_study(None)
    assert not warming.is_waiting
    warming.open_study(many)
    assert warming.is_waiting
    qtbot.waitUntil(lambda: not warming.is_waiting)
    assert warming.wait(PATIENCE)
    assert set(MODULES) <= set(sys.modules) and probed == [1]
    # once is enough
    warming.open_study(many)
    assert not warming.is_waiting


def test_nothing_is_loaded_while_something_moves_or_after_the_end(
    qtbot: QtBot, make_stack: Callable[..., ImageStack], make_study: Callable[..., Study]
) -> None:
    probed: list[int] = []
    warming = VolumeWarming(wait_ms=1, rest_s=3600.0, probe=lambda: probed.append(1), memory=ROOMY)
    warming.stir()
    warming.open_study(make_study(make_stack(count=40).series))
    qtbot.waitUntil(lambda: not warming.is_waiting)
    assert not warming.wait(0.3)
    warming.close()
    assert warming.wait(PATIENCE) and not probed


def test_nothing_is_loaded_while_somebody_types(
    qtbot: QtBot, make_stack: Callable[..., ImageStack], make_study: Callable[..., Study]
) -> None:
    probed: list[int] = []
    rest = 0.5
    warming = VolumeWarming(wait_ms=1, rest_s=rest, probe=lambda: probed.append(1), memory=ROOMY)
    field = QLineEdit()
    qtbot.addWidget(field)
    with qtbot.waitExposed(field):
        field.show()
    warming.stir()
    warming.open_study(make_study(make_stack(count=40).series))
    qtbot.waitUntil(lambda: not warming.is_waiting)
    before = time.monotonic()
    while time.monotonic() - before < 2 * rest:
        qtbot.keyClicks(field, "a")
    assert not warming.wait(0.0) and not probed
    assert warming.wait(PATIENCE) and probed == [1]


def test_a_small_machine_loads_nothing_in_advance(
    make_stack: Callable[..., ImageStack], make_study: Callable[..., Study]
) -> None:
    warming = VolumeWarming(wait_ms=1, memory=LEAST_MEMORY - 1)
    warming.open_study(make_study(make_stack(count=40).series))
    assert not warming.is_waiting


def test_the_reading_page_imports_none_of_it() -> None:
    code = (
        "import sys, app.shell.volumes.rendering_part, app.shell.volumes.reformat_part; "
        "assert not {'vtkmodules', 'scipy'} & {name.split('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

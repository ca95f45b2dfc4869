"""What planes and 3D import is loaded in advance: late, on a thread, while the reader rests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.volume_warming import MODULES, VolumeWarming, has_volume

pytestmark = pytest.mark.gui

PATIENCE = 60.0


def test_a_study_with_a_volume_loads_what_it_may_need(
    qtbot: QtBot, make_stack: Callable[..., ImageStack], make_study: Callable[..., Study]
) -> None:
    probed: list[int] = []
    warming = VolumeWarming(wait_ms=1, rest_s=0.0, probe=lambda: probed.append(1))
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
    warming = VolumeWarming(wait_ms=1, rest_s=3600.0, probe=lambda: probed.append(1))
    warming.stir()
    warming.open_study(make_study(make_stack(count=40).series))
    qtbot.waitUntil(lambda: not warming.is_waiting)
    assert not warming.wait(0.3)
    warming.close()
    assert warming.wait(PATIENCE) and not probed


def test_the_reading_page_imports_none_of_it() -> None:
    code = (
        "import sys, app.shell.rendering_part, app.shell.reformat_part; "
        "assert not {'vtkmodules', 'scipy'} & {name.split('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

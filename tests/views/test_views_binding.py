"""What the views stand on: models that need no toolkit, and a Qt binding that can be trusted."""

from __future__ import annotations

import subprocess
import sys

import pytest

TOOLKIT_FREE = (
    "gestures",
    "link",
    "marks.brush",
    "marks.sketch",
    "overlay",
    "places",
    "pyramid",
    "scale_bar",
    "tag_place",
    "viewport_model",
    "viewport_state",
)


def test_the_models_of_the_views_need_no_toolkit() -> None:
    modules = ", ".join(f"viewer.views.{name}" for name in TOOLKIT_FREE)
    code = f"import sys, {modules}; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal there")
def test_calls_into_qt_do_not_use_up_none() -> None:
    # PySide6 6.12.0 on Python 3.11 drops a reference to None in every call that returns nothing:
    # the process ends with "deallocating None" after some minutes of reading.
    from PySide6.QtGui import QTransform

    transform = QTransform()
    before = sys.getrefcount(None)
    for _ in range(300):
        transform.reset()
    assert sys.getrefcount(None) > before - 150

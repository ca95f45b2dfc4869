"""On a high-DPI screen an image is painted at device pixels: one to one is one of the device."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.study import Instance, Series, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.theme import Theme
from viewer.views.viewport import ImageViewport

application = QApplication(sys.argv)
side = 64
instance = Instance(
    path="", sop_instance_uid="1.1", sop_class_uid="1.2.840.10008.5.1.4.1.1.7",
    transfer_syntax_uid="1.2.840.10008.1.2.1", rows=side, columns=side,
)
verdict = GeometryVerdict(kind=VerdictKind.NOT_A_VOLUME, reason="no positions")
series = Series(series_instance_uid="1", instances=(instance,), verdict=verdict)
board = np.indices((side, side)).sum(axis=0) % 2 * 255
stack = ImageStack(series, board[None].astype(np.uint8), ((0, 1),))
pane = ImageViewport(Theme())
pane.resize(200, 150)
pane.set_corner_text(False)
pane.show_stack(stack)
pane.set_window(WindowPreset(center=127.5, width=255, function="LINEAR_EXACT"))
pane.show()
application.processEvents()
pane.do("viewport.one_to_one")
picture = pane.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
stored = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.width(), 4)
grey = stored[..., 0].astype(int)
inside = np.argwhere(grey > 0)
top, left = inside.min(axis=0)
found = grey[top : top + side, left : left + side]
both = [np.abs(found - board).max(), np.abs(found - (255 - board)).max()]
print(json.dumps({
    "ratio": pane.devicePixelRatioF(),
    "picture": [picture.width(), picture.height()],
    "extent": (inside.max(axis=0) - inside.min(axis=0) + 1).tolist(),
    "off": int(min(both)),
}))
"""


@pytest.mark.parametrize("scale", ["1", "1.5", "2"])
def test_one_to_one_is_one_device_pixel_to_the_last_grey(scale: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["ratio"] == float(scale)
    assert told["picture"] == [round(200 * float(scale)), round(150 * float(scale))]
    assert told["extent"] == [64, 64]
    assert told["off"] <= 1

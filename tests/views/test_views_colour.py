"""Colour images of all kinds open in a plain layout, in their own colours, and offer no window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot
from stack_files import image, picture, save

from viewer.acts import Arrangement
from viewer.imaging.reader import Reader
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.reading_area import ReadingArea
from viewer.views.volume_reason import why_no_volume

pytestmark = pytest.mark.gui

KINDS = {
    "ES": "1.2.840.10008.5.1.4.1.1.77.1.1",  # endoscopy
    "DMS": "1.2.840.10008.5.1.4.1.1.77.1.7",  # dermoscopy
    "XC": "1.2.840.10008.5.1.4.1.1.77.1.4",  # photograph
    "OP": "1.2.840.10008.5.1.4.1.1.77.1.5.1",  # fundus
    "GM": "1.2.840.10008.5.1.4.1.1.77.1.2",  # microscopy
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
}
PLACES = ("ImagePositionPatient", "ImageOrientationPatient", "WindowCenter", "WindowWidth")


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as shared:
        yield shared


def colour_file(path: Path, modality: str, whole: np.ndarray) -> Path:
    ds = image(
        0,
        Modality=modality,
        SOPClassUID=KINDS[modality],
        Rows=whole.shape[0],
        Columns=whole.shape[1],
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelData=whole.tobytes(),
    )
    ds.file_meta.MediaStorageSOPClassUID = KINDS[modality]
    for keyword in PLACES:
        delattr(ds, keyword)
    return save(ds, path)


@pytest.mark.parametrize("modality", list(KINDS))
def test_a_colour_image_is_shown_as_it_is(
    qtbot: QtBot, reader: Reader, tmp_path: Path, modality: str
) -> None:
    whole = picture(60, 80)
    path = colour_file(tmp_path / "one.dcm", modality, whole)
    (study,) = reader.index([path]).studies
    adapter = ReaderAdapter(reader)
    area = ReadingArea(adapter)
    qtbot.addWidget(area)
    area.resize(500, 400)
    area.show()
    area.open_study(study)
    pane = area.grid.active_pane()
    qtbot.waitUntil(lambda: adapter.opened(study.series[0].key) is not None, timeout=30_000)
    try:
        assert area.grid.arrangement is Arrangement.ONE
        assert pane.presets() == {} and pane.image_windows() == () and pane.shown_window() is None
        assert why_no_volume(pane.stack()) == "colour images"
        pane.do("viewport.one_to_one")
        pane.set_corner_text(False)
        shown = pane.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        for row in range(0, 60, 7):
            for column in range(0, 80, 7):
                x, y = pane.model.to_widget((column, row))
                colour = shown.pixelColor(int(x), int(y))
                found = (colour.red(), colour.green(), colour.blue())
                assert found == tuple(whole[row, column].tolist())
    finally:
        area.open_study(None)
        adapter.close()

"""Time to paint a viewport while scrolling and windowing, against a bare `QPainter.drawImage`."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import numpy as np

ROWS = COLUMNS = 512
SIDE = 1024
"""Viewport of 1024 x 1024: a CT frame magnified twice, as on a reading screen."""

FRAMES = 64
ROUNDS = 9
REPEATS = 24


def run() -> list[dict[str, object]]:
    """Return one row per gesture: our milliseconds a frame, those of the bare painter, their ratio.

    Last the same for a viewport of the reading page, with the layers of all parts and nothing in them.

    The reference draws a QImage that is made already, in the format that QPainter scales fastest,
    smooth, at the same size: what is above 1 is the grey pipeline, the geometry and the text. Both
    are timed by turns in the same process.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtWidgets import QApplication

    from viewer.views.viewport import ImageViewport

    application = QApplication.instance() or QApplication([])
    viewport = ImageViewport()
    viewport.resize(SIDE, SIDE)
    viewport.show_stack(_stack())
    viewport.show()
    application.processEvents()
    canvas = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    grey = np.random.default_rng(0).integers(0, 256, (ROWS, COLUMNS), dtype=np.uint8)
    wrapped = QImage(grey.data, COLUMNS, ROWS, COLUMNS, QImage.Format.Format_Grayscale8)
    made = wrapped.convertToFormat(QImage.Format.Format_RGB32)

    def reference(_: int) -> None:
        painter = QPainter(canvas)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 0, SIDE, SIDE), made)
        painter.end()

    def scroll(step: int) -> None:
        viewport.set_state(viewport.model.state.at(step % FRAMES, FRAMES))
        viewport.render(canvas)

    def window(step: int) -> None:
        viewport.set_window(_window(step))
        viewport.render(canvas)

    def hover(_: int) -> None:
        viewport.render(canvas)

    rows: list[dict[str, object]] = []
    for name, paint in (("scroll", scroll), ("window", window), ("repaint", hover)):
        ours, bare = _paired(paint, reference)
        rows.append(
            {
                "name": f"paint {SIDE} x {SIDE}, {name}",
                "ours": ours,
                "reference": bare,
                "ratio": ours / bare,
                "note": "processor ms a frame; reference: drawImage of a ready RGB32 QImage, smooth",
            }
        )
    viewport.close()
    return [*rows, *_layered()]


def _layered() -> list[dict[str, object]]:
    """Return rows for a viewport of the reading page against one without layers."""
    import tempfile
    from pathlib import Path

    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication

    from app.engine import Engine
    from app.shell.reading import ReadingPage
    from viewer.views.reader_adapter import ReaderAdapter
    from viewer.views.stack_view import StackView
    from viewer.views.theme import Theme
    from viewer.views.viewport import ImageViewport

    canvas, stack = QImage(SIDE, SIDE, QImage.Format.Format_RGB32), _stack()

    def scroll(view: StackView) -> Callable[[int], None]:
        def paint(step: int) -> None:
            view.set_state(view.model.state.at(step % FRAMES, FRAMES))
            view.render(canvas)

        return paint

    def window(view: StackView) -> Callable[[int], None]:
        def paint(step: int) -> None:
            view.set_window(_window(step))
            view.render(canvas)

        return paint

    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as home, Engine(Path(home)) as engine:
        page = ReadingPage(Theme(), engine, ReaderAdapter(engine.reader))
        layered, plain = page.area.grid.active_pane().widget(), ImageViewport()
        assert isinstance(layered, StackView)
        layered.setParent(None)
        for view in (layered, plain):
            view.resize(SIDE, SIDE)
            view.show_stack(stack)
            view.show()
        QApplication.processEvents()
        for name, paint in (("scroll", scroll), ("window", window)):
            ours, bare = _paired(paint(layered), paint(plain))
            note = "processor ms a frame, nothing in the layers; reference: a viewport without layers"
            what = f"paint {SIDE} x {SIDE}, {name}, {len(layered.layers)} layers of the reading page"
            rows.append(
                {"name": what, "ours": ours, "reference": bare, "ratio": ours / bare, "note": note}
            )
        layered.close()
        plain.close()
        page.close_page()
    return rows


def _paired(ours: Callable[[int], None], bare: Callable[[int], None]) -> tuple[float, float]:
    """Return the medians of both in milliseconds of processor time a call, measured by turns."""
    times: dict[Callable[[int], None], list[float]] = {ours: [], bare: []}
    step = 0
    for _ in range(ROUNDS):
        for paint, found in times.items():
            start = time.process_time()
            for _ in range(REPEATS):
                step += 1
                paint(step)
            found.append((time.process_time() - start) / REPEATS * 1000)
    return statistics.median(times[ours]), statistics.median(times[bare])


def _window(step: int):  # type: ignore[no-untyped-def]
    from viewer.imaging.study import WindowPreset

    return WindowPreset(center=40.0 + step % 50, width=400.0 + step % 90)


def _stack():  # type: ignore[no-untyped-def]
    from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind
    from viewer.imaging.study import Instance, Series, WindowPreset
    from viewer.imaging.volume import ImageStack

    instances = tuple(
        Instance(
            path="",
            sop_instance_uid=f"1.2.{number}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            rows=ROWS,
            columns=COLUMNS,
            bits_allocated=16,
            bits_stored=16,
            high_bit=15,
            signed=True,
            photometric_interpretation="MONOCHROME2",
            windows=(WindowPreset(center=40.0, width=400.0),),
            plane=ImagePlane(
                position=(0.0, 0.0, float(number)),
                row_cosines=(1.0, 0.0, 0.0),
                column_cosines=(0.0, 1.0, 0.0),
                row_spacing=0.7,
                column_spacing=0.7,
            ),
        )
        for number in range(FRAMES)
    )
    series = Series(
        series_instance_uid="1.2",
        modality="CT",
        pixel_spacing=(0.7, 0.7),
        instances=instances,
        verdict=GeometryVerdict(kind=VerdictKind.UNIFORM, reason="evenly spaced", spacing=1.0),
    )
    stored = np.random.default_rng(1).integers(-1000, 1000, (FRAMES, ROWS, COLUMNS), dtype=np.int16)
    return ImageStack(series, stored, tuple((number, 1) for number in range(FRAMES)))


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']}: {row['ours']:.2f} ms, {row['ratio']:.2f} x ({row['note']})")

"""Takes the screenshots of `docs/screenshots` from the real window; the images are the phantom's only.

    xvfb-run -a -s "-screen 0 1920x1080x24" .venv/bin/python tests/shell/screenshots.py

A temporary store and copies of the bundled phantom under invented names are made for it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "shell")]

from phantom_copies import PATIENTS, write_copies  # noqa: E402 - the paths above lead there

SIZES = ((1366, 768), (1920, 1080))
PATIENCE = 120.0


class Photographer:
    """Drives one window of one size and takes its pictures."""

    def __init__(self, size: tuple[int, int], out: Path, work: Path) -> None:
        from PySide6.QtTest import QTest

        from app import demo
        from app.shell.window import SightlineWindow

        self.out, self.width = out, size[0]
        self.wait = QTest.qWait
        home = work / f"home{size[0]}"
        demo.prepare(home)
        self.window = SightlineWindow(home)
        self.window.resize(*size)
        self.window.show()
        self.window.activateWindow()

    def until(self, holds: Callable[[], object]) -> None:
        """Let the program run until something holds."""
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                raise SystemExit(f"waited too long at {self.window.status.doing.text()}")
            self.wait(20)

    def take(self, name: str, *, settle: int = 250) -> None:
        """Write a picture of the window, with the dialog over it when one is open."""
        from PySide6.QtGui import QPainter

        self.wait(settle)
        picture = self.window.grab()
        dialog = self.window.reading.signing.dialog if self.window.desk else None
        if dialog is not None and dialog.isVisible():
            painter = QPainter(picture)
            painter.drawPixmap(self.window.mapFromGlobal(dialog.pos()), dialog.grab())
            painter.end()
        self.out.mkdir(parents=True, exist_ok=True)
        picture.save(str(self.out / f"{name}-{self.width}.png"), quality=20)

    def sign_in(self) -> None:
        """Sign in as the demonstration's reader."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        from app import demo

        page = self.window.sign_in_page
        QTest.keyClicks(page.name, demo.USER)
        QTest.keyClicks(page.password, demo.PASSWORD)
        self.take("sign-in")
        QTest.keyClick(page.password, Qt.Key.Key_Return)
        self.until(lambda: self.window.session.is_open)

    def open_current(self) -> None:
        """Open the chosen study and wait for its pixels and its report."""
        window = self.window
        window.worklist.open_current(False)
        self.until(lambda: window.reading.model is not None)
        grid = window.reading.area.grid
        self.until(lambda: grid.active_pane().stack() is not None)
        key = grid.active_pane().stack().series.key
        self.until(lambda: window.reading.area.adapter.opened(key) is not None)

    def shoot(self, data: Path) -> None:
        """Walk through the program."""
        window = self.window
        reading, panel = window.reading, window.reading.panel
        self.until(lambda: window.pages.currentWidget() is window.sign_in_page)
        self.sign_in()
        self.until(lambda: window.pages.currentWidget() is window.worklist)
        self.take("worklist-empty")
        window.import_paths([data])
        self.until(lambda: window.importing.last is not None)
        self.until(lambda: len(window.worklist.entries) == len(PATIENTS))
        self.until(lambda: len(window.pictures.by_key) == len(PATIENTS))
        window.show_import_report()
        self.take("import-errors")
        window.worklist.report.backWanted.emit()
        window.import_bar.hide()

        self.open_current()
        window.perform("report.draft")
        self.until(lambda: len(panel.trace.events) >= 4)
        self.take("drafting", settle=180)
        self.until(lambda: not panel.trace.is_running)
        self.add_finding()
        # A second draft knows the finding: it is worded by the model and enters the impression.
        window.perform("report.draft")
        self.until(lambda: panel.trace.is_running)
        self.until(lambda: not panel.trace.is_running)
        self.until(lambda: not reading.saver.is_dirty)
        nodule = reading.model.ledger.evidence[-1].id
        panel.show_sentence(reading.model.sentences_citing(nodule)[0].id)
        reading.focus_images()
        for act in ("viewport.reset", "viewport.preset.2"):
            reading.area.grid.do(act)
        self.take("reading-draft")
        left = next(s for s in reading.model.sentences if "eft lung" in s.text)
        panel.show_sentence(left.id)
        self.take("region")
        window.open_palette()
        self.take("palette")
        window.palette_layer.dismiss()
        window.sheet.open()
        self.take("keys")
        window.sheet.dismiss()
        window.perform("window.preferences")
        self.take("preferences")
        window.personal.dismiss()
        for sentence in reading.model.sentences:
            reading.model.accept(sentence.id)
        panel.perform("report.sign")
        self.until(lambda: reading.signing.dialog is not None)
        self.take("sign")
        self.seal()
        self.take("sealed")
        if self.width == SIZES[-1][0]:
            self.picture_of_pdf()
        window.show_worklist()
        self.until(lambda: window.pages.currentWidget() is window.worklist)
        self.draft_another()
        self.take("worklist")
        window.close()
        self.until(lambda: window.desk is None)

    def add_finding(self) -> None:
        """Draw an ellipse round the nodule and accept it."""
        import json

        import resources
        from inference.evidence.findings import descriptors
        from viewer.imaging.marks import Mark, MarkKind

        reading = self.window.reading
        truth = json.loads(resources.path("sample", "chest-phantom.truth.json").read_text())
        stack = reading.area.grid.active_pane().stack()
        nodule = truth["nodule"]
        frame, centre, radius = place_of(stack, nodule)
        column, row = centre
        marks = reading.area.marks
        drawn = Mark(
            kind=MarkKind.ELLIPSE,
            points=(
                (column - radius, row),
                (column + radius, row),
                (column, row - radius),
                (column, row + radius),
            ),
            series_instance_uid=stack.series.series_instance_uid,
            series_key=stack.series.key,
            sop_instance_uid=stack.series.instances[stack.frames[frame][0]].sop_instance_uid,
        )
        marks.add(drawn)
        marks.jump_to(drawn.id)
        marks.ask_finding()
        form = reading.panel.finding_form
        self.until(form.isVisible)
        form.descriptor.setCurrentText("nodule" if "nodule" in descriptors() else descriptors()[0])
        form.anatomy.setCurrentIndex(0)
        if form.side.currentIndex() < 0:
            form.side.setCurrentIndex(0)
        self.take("finding")
        form.accept()
        self.until(lambda: not form.isVisible())

    def seal(self) -> None:
        """Give the password and wait for the seal."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        from app import demo

        dialog = self.window.reading.signing.dialog
        QTest.keyClicks(dialog.password, demo.PASSWORD)
        QTest.keyClick(dialog.password, Qt.Key.Key_Return)
        self.until(lambda: self.window.reading.signing.dialog is None)
        self.wait(300)

    def draft_another(self) -> None:
        """Leave a second study with a draft, so that the worklist shows both states."""
        window = self.window
        window.worklist.table.choose(window.worklist.table.shown()[-1].study.study_instance_uid)
        self.open_current()
        window.perform("report.draft")
        self.until(lambda: window.reading.panel.trace.is_running)
        self.until(lambda: not window.reading.panel.trace.is_running)
        window.show_worklist()
        self.until(lambda: window.pages.currentWidget() is window.worklist)
        self.until(lambda: not window.store_thread.is_busy)
        window.worklist.table.choose(window.worklist.table.shown()[0].study.study_instance_uid)

    def picture_of_pdf(self) -> None:
        """Keep the sealed PDF, and its pages as one picture where a renderer is installed."""
        import shutil
        import subprocess

        path = self.window.desk.sealed_file(self.window.reading.model.report)
        renderer = shutil.which("pdftoppm")
        if renderer is None:
            print("pdftoppm is not installed: no picture of the PDF (Debian: poppler-utils)")
            return
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [renderer, "-png", "-r", "60", str(path), str(Path(folder) / "page")], check=True
            )
            join(sorted(Path(folder).glob("page*.png")), self.out / "pdf.png")


def place_of(stack, nodule: dict) -> tuple[int, tuple[float, float], float]:
    """Return frame, centre (column, row) and radius in pixels of a ball in LPS millimetres."""
    import numpy as np

    from viewer.views.overlay import nearest_frame, plane_of

    centre = np.array([nodule["centre_lps_mm"]], dtype=float)
    frame = nearest_frame(stack, centre[0])
    plane = plane_of(stack, frame)
    column, row = plane.patient_to_pixel(centre)[0]
    return frame, (float(column), float(row)), nodule["diameter_mm"] / 2 / plane.column_spacing * 1.1


def join(pages: list[Path], target: Path) -> None:
    """Put pages side by side on grey."""
    from PIL import Image

    images = [Image.open(page).convert("RGB") for page in pages[:4]]
    gap = 16
    width = sum(image.width for image in images) + gap * (len(images) + 1)
    whole = Image.new("RGB", (width, max(i.height for i in images) + 2 * gap), (96, 100, 104))
    left = gap
    for image in images:
        whole.paste(image, (left, gap))
        left += image.width + gap
    whole.save(target, optimize=True)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "screenshots")
    parser.add_argument("--width", type=int, choices=[width for width, _ in SIZES])
    chosen = parser.parse_args()
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from app.shell.application import make_application

    make_application()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "CD 2026-11"
        write_copies(data)
        for size in SIZES:
            if chosen.width in (None, size[0]):
                Photographer(size, chosen.out, Path(folder)).shoot(data)


if __name__ == "__main__":
    main()

"""Compare the viewer with Cornerstone3D in Chromium, on the same series and machine, in one run.

`python tests/benchmarks/peers/compare_cornerstone.py` needs Node.js with npm and Chromium; it installs
the peer into a temporary folder and prints one row for each thing a reader waits for. Cornerstone3D is
given the files from a server on this machine, already sorted; ours includes the index.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parent)]

PEER = HERE / "cornerstone"
ROUNDS = 3
STEPS = 100
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Print the table; 1 when a tool is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not node or not npm or not browser:
        print("Node.js, npm and Chromium are needed for this comparison; one of them is missing.")
        return 1
    with tempfile.TemporaryDirectory(prefix="sightline-peer-") as name:
        from bench_load import write_ct

        folder, series = Path(name) / "peer", Path(name) / "series"
        shutil.copytree(PEER, folder)
        series.mkdir()
        write_ct(series)
        for command in ((npm, "install", "--no-audit", "--no-fund"), (npm, "exec", "vite", "build")):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        command = (node, "measure.mjs", str(folder / "dist"), str(series), browser, str(ROUNDS))
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        peers = json.loads(done.stdout)
        failed = next((one["error"] for one in peers if "error" in one), "")
        if failed:
            print(f"Cornerstone3D could not be measured: {failed}")
            return 1
        ours = [measure(series) for _ in range(ROUNDS)]
    print("| what a reader waits for | ours, ms | Cornerstone3D, ms | ratio |\n|---|---|---|---|")
    for key, words in ROWS.items():
        mine = statistics.median(one[key] for one in ours)
        other = statistics.median(one[key] for one in peers)
        print(f"| {words} | {mine:.1f} | {other:.1f} | {mine / other:.3f} |")
    return 0


ROWS = {
    "firstImage": "first image of 300 slices",
    "whole": "300 slices of 512 x 512",
    "scroll": "one step, painted at 1024 x 1024",
    "window": "one change of the window, painted at 1024 x 1024",
}


def measure(folder: Path) -> dict[str, float]:
    """Return the milliseconds of each row for our viewer, from the folder to the painted image."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from viewer.imaging.reader import Reader
    from viewer.imaging.study import WindowPreset
    from viewer.views.viewport import ImageViewport

    application = QApplication.instance() or QApplication([])
    viewport = ImageViewport()
    viewport.resize(1024, 1024)
    viewport.show()
    application.processEvents()
    heard: list[float] = []
    with Reader() as reader:
        # The worker runs before a study is opened, as the peer's page and its workers do.
        reader.index([folder / "none"])
        start = time.perf_counter()
        series = reader.index([folder]).studies[0].series[0]
        middle = series.image_count // 2
        opened = reader.begin(series)
        opened.load(first=middle, on_frames=lambda _: heard.append(time.perf_counter()))
        whole = time.perf_counter() - start
        viewport.show_stack(opened.stack, index=middle)
        painted = time.perf_counter()
        viewport.repaint()
        first = heard[0] - start + time.perf_counter() - painted

        def timed(step: int, *, window: bool) -> float:
            begin = time.perf_counter()
            if window:
                viewport.set_window(WindowPreset(center=40.0, width=400.0 + step))
            else:
                viewport.set_state(viewport.model.state.at(step * 7 % series.image_count, 300))
            viewport.repaint()
            return (time.perf_counter() - begin) * 1000

        scroll = statistics.median(timed(step, window=False) for step in range(STEPS))
        window = statistics.median(timed(step, window=True) for step in range(STEPS))
        viewport.show_stack(None)
        opened.release()
    viewport.close()
    return {"firstImage": first * 1000, "whole": whole * 1000, "scroll": scroll, "window": window}


if __name__ == "__main__":
    raise SystemExit(main())

"""Run by a test on a machine with two screens (Qt's offscreen platform): where do the images go?

    QT_QPA_PLATFORM=offscreen:configfile=two.json python two_screens.py HOME

Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from PySide6.QtTest import QTest  # noqa: E402 - the paths above lead there
from shell_driver import PASSWORD, USER, open_desk  # noqa: E402

from app.shell.application import make_application  # noqa: E402
from app.shell.window import SightlineWindow  # noqa: E402


def until(holds) -> None:
    """Let the program run until something holds."""
    end = time.monotonic() + 60
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("waited too long")
        QTest.qWait(10)


def main() -> None:
    """Open a study, put the images on the second screen, lock."""
    make_application()
    window = SightlineWindow(Path(sys.argv[1]), open_desk=open_desk)
    window.resize(1300, 700)
    window.show()
    until(lambda: window.desk is not None)
    window.session.sign_in(USER, PASSWORD)
    until(lambda: window.worklist.entries)
    window.open_entry(window.worklist.entries[0])
    until(lambda: window.reading.area.grid.active_pane().stack() is not None)
    window.perform("window.second_screen")
    images = window.personal.second.window
    told = {
        "report": window.screen().name(),
        "images": images.screen().name(),
        "shown": images.isVisible(),
        "covers": images.frameGeometry().width() * images.frameGeometry().height(),
    }
    window.session.lock()
    told["shown when locked"] = images.isVisible()
    until(lambda: not window.store_thread.is_busy)
    window.perform("window.second_screen")
    told["shown when asked while locked"] = images.isVisible()
    window.shut_down()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()

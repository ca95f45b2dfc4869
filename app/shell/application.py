"""Start of the window: application, look, and what happens when something unforeseen goes wrong."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QApplication

from app.preferences import start_scale
from app.shell.act_binding import ACTS
from app.shell.focus_ring import FocusRing
from app.shell.style import apply_style
from app.shell.window import SMALLEST, SightlineWindow
from viewer.imaging.lasting import set_aside
from viewer.views.theme import Theme, load_fonts

LOG = logging.getLogger("sightline")


class Mishaps(QObject):
    """Hears of exceptions that nobody caught, in any thread, and tells the window in words."""

    happened = Signal(str)

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self.happened.connect(say, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take the place of the interpreter's hooks."""
        sys.excepthook = self.hear
        threading.excepthook = lambda given: self.hear(
            given.exc_type, given.exc_value or given.exc_type(), given.exc_traceback
        )

    def hear(
        self, kind: type[BaseException], _error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log where it happened, without values that may name a patient, and tell the window."""
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        LOG.error("%s at %s", kind.__name__, " < ".join(reversed(places)))
        words = QCoreApplication.translate(
            "Mishaps",
            "A step failed ({kind} in {place}). Your text is kept. Go on; when it fails again, save "
            "and start Sightline anew.",
        )
        self.happened.emit(words.format(kind=kind.__name__, place=places[-1] if places else "?"))


def make_application(
    arguments: Sequence[str] = ("sightline",), wanted_scale: float = 1.0
) -> QApplication:
    """Return the application with fonts and look; the one that runs, when there is one.

    Parameters
    ----------
    wanted_scale
        Factor of text and space; the look takes less where the window would not fit its screen.
    """
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(list(arguments))
    application.setApplicationName("Sightline")
    load_fonts()
    theme = application.look = Theme(fitting_scale(application, wanted_scale))  # type: ignore[attr-defined]
    apply_style(application, theme)
    application.focus_ring = FocusRing(application, theme)  # type: ignore[attr-defined]
    return application


def fitting_scale(application: QApplication, wanted: float) -> float:
    """Return a text scale at which the smallest window still fits the largest screen."""
    rooms = [screen.availableGeometry().size() for screen in application.screens()]
    most = max(
        (min(room.width() / SMALLEST[0], room.height() / SMALLEST[1]) for room in rooms), default=wanted
    )
    return min(wanted, max(most, 1.0))


def watch_inputs(application: QApplication, window: SightlineWindow) -> None:
    """Let the window see that somebody is there, wherever in the program they type.

    What a person does reaches a window of the screen first; watching these few instead of the whole
    application spares every other event the way through Python.
    """

    def watch(shown: QWindow | None) -> None:
        if shown is not None:
            shown.installEventFilter(window)

    application.focusWindowChanged.connect(watch)
    watch(application.focusWindow())


FIRST_SERIES = 160 << 20
"""Bytes made ready for the first series: 300 slices of 512 x 512."""


def run_window(home: Path, paths: Sequence[Path], *, demo: bool = False) -> int:
    """Show the window until it is closed; returns the exit code.

    Parameters
    ----------
    home
        Folder of the store.
    paths
        What to import at once.
    demo
        Sign in with the demonstration's account, which is for the synthetic sample only.
    """
    application = make_application(wanted_scale=start_scale(home, ACTS))
    account = None
    if demo:
        from app.demo import PASSWORD, USER

        account = (USER, PASSWORD)
    window = SightlineWindow(home, paths, sign_in_as=account, theme=application.look)
    mishaps = Mishaps(window.error.say)
    mishaps.install()
    watch_inputs(application, window)
    window.resize(1600, 940)
    window.showMaximized()
    # Behind the sign-in page: the first study then waits for no process and no fresh memory.
    window.complete.connect(lambda: window.engine.reader.warm(FIRST_SERIES))
    window.complete.connect(set_aside)
    return application.exec()

"""The images in a window of their own, on another screen where there is one; the report stays."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QScreen
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from app.shell.act_binding import KeyFollower, key_of
from app.shell.header import NoticeStrip, bar
from app.shell.reading import ReadingPage
from app.shell.reading_header import give_room
from app.shell.widgets import ElidedLabel, key_text, plain_label
from viewer.views.theme import Theme

SMALLEST = (720, 520)
"""Least size of the window of images, logical pixels."""


def other_screen(window: QWidget) -> QScreen | None:
    """Return a screen that the window is not on: the largest; none when there is only one."""
    own = window.screen()
    others = [screen for screen in QGuiApplication.screens() if screen is not own]
    return max(others, key=lambda one: one.size().width() * one.size().height(), default=None)


class ImageWindow(QWidget):
    """A top-level window that names the patient and holds tool bar and images.

    Signals
    -------
    closed()
        Somebody closed it: the images want to go back.
    """

    closed = Signal()

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__()
        self._main = window
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        # No name of a patient in a title: task bars and screen sharing show it everywhere.
        self.setWindowTitle(self.tr("Sightline \u2013 images"))
        self.setMinimumSize(theme.px(SMALLEST[0]), theme.px(SMALLEST[1]))
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.column.addWidget(NoticeStrip(theme))
        frame = bar(theme, "bar")
        self.name = ElidedLabel("", theme, step="patient")
        self.study = ElidedLabel("", theme)
        row = frame.layout()
        assert row is not None
        row.addWidget(self.name)
        row.addWidget(self.study)
        note = plain_label("", theme, step="note", tone="2")
        words = self.tr("{key} puts the images back")
        KeyFollower(
            note, lambda: note.setText(words.format(key=key_text(key_of("window.second_screen"))))
        )
        row.addStretch(1)
        row.addWidget(note)
        self.column.addWidget(frame)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What no viewport takes is the main window's."""
        QApplication.sendEvent(self._main, event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closed.emit()
        super().closeEvent(event)


class SecondScreen:
    """Lends the images of the reading page to a second window, and hides it with the session.

    Parameters
    ----------
    may_show
        Whether images may be seen now: somebody is signed in and a study is being read.
    """

    def __init__(
        self,
        theme: Theme,
        window: QWidget,
        reading: ReadingPage,
        may_show: Callable[[], bool],
        told: Callable[[bool], None],
    ) -> None:
        self._theme, self._main, self._reading = theme, window, reading
        self._may_show, self._told = may_show, told
        self._place: QRect | None = None
        self.window: ImageWindow | None = None

    @property
    def is_on(self) -> bool:
        """True while the images belong to the second window, seen or not."""
        return self.window is not None

    def toggle(self) -> None:
        """Lend the images, or take them back; the person's choice is remembered."""
        self.set_on(not self.is_on)
        self._told(self.is_on)

    def set_on(self, on: bool) -> None:
        """Lend the images, or take them back."""
        if on and self.window is None:
            self._lend()
        elif not on and self.window is not None:
            self._take_back(self.window)

    def refresh(self) -> None:
        """Show or hide the second window: nobody sees a patient on it who does not see the first."""
        window = self.window
        if window is None:
            return
        if not self._may_show():
            window.hide()
            return
        entry = self._reading.entry
        window.name.set_full(entry.name if entry is not None else "")
        about = () if entry is None else (
            entry.study.patient.patient_id, entry.age_sex, entry.full_title, entry.date
        )  # fmt: skip
        window.study.set_full("  \u00b7  ".join(filter(None, about)))
        give_room(window.name, self._theme.px(320), least=self._theme.px(120))
        give_room(window.study, self._theme.px(720), least=self._theme.px(120))
        if not window.isVisible():
            self._show(window)

    def _lend(self) -> None:
        window = ImageWindow(self._theme, self._main)
        window.addActions(self._main.actions())
        for part, stretch in zip(self._reading.lend_images(), (0, 1), strict=True):
            window.column.addWidget(part, stretch)
            part.show()
        window.closed.connect(self._closed)
        self.window = window
        self.refresh()
        if window.isVisible():
            self._reading.focus_images()

    def _show(self, window: ImageWindow) -> None:
        screen = other_screen(self._main)
        if screen is not None:
            window.setGeometry(screen.availableGeometry())
            window.showMaximized()
        else:
            window.setGeometry(self._place or self._beside())
            window.show()

    def _beside(self) -> QRect:
        """Return a place on the only screen that leaves a part of the main window in sight."""
        free = self._main.screen().availableGeometry()
        return QRect(free.left(), free.top(), round(free.width() * 0.62), round(free.height() * 0.92))

    def _take_back(self, window: ImageWindow) -> None:
        self.window = None
        self._place = None if window.isMaximized() else window.geometry()
        window.closed.disconnect(self._closed)
        self._reading.take_images_back()
        window.hide()
        window.deleteLater()
        if self._may_show():
            self._main.activateWindow()
            self._reading.focus_images()

    def _closed(self) -> None:
        self.toggle()

"""What stands in the strip behind the series of a study that has very many."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from viewer.imaging.study import Series, Study
from viewer.views.theme import Theme


class MoreSeries(QPushButton):
    """Says how many series of a study are not listed, and asks for the next ones when it is pressed."""

    wanted = Signal()

    def __init__(
        self,
        study: Study,
        waiting: Sequence[Series],
        theme: Theme,
        parent: QWidget,
        *,
        is_prior: bool,
    ) -> None:
        super().__init__(parent)
        self.study, self.is_prior = study, is_prior
        self._waiting = tuple(waiting)
        self.setFont(theme.font("note"))
        self.setFixedHeight(2 * theme.line_height("note"))
        self.clicked.connect(self.wanted)

    @property
    def count(self) -> int:
        """Series that are not listed."""
        return len(self._waiting)

    def take(self, count: int) -> tuple[Series, ...]:
        """Return the next series; they are listed from now on."""
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        self.setText(self.tr("{n} more").format(n=f"{self.count:,}"))
        self.setAccessibleName(self.tr("List more series, {n} are left").format(n=self.count))
        self.set_open(True)
        return taken

    def set_open(self, is_open: bool) -> None:
        """Show that there are more, or hide it with the series of the study."""
        self.setVisible(is_open and bool(self._waiting))

"""What is known of the chosen study of the worklist: facts, problems, series with their pictures."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.shell.header import bar
from app.shell.objects.rows import object_words
from app.shell.pictures import Pictures
from app.shell.widgets import PRIMARY, ActButton, Badge, glyph_label, plain_label
from app.shell.worklist.badges import draw_cover
from app.shell.worklist.entries import Entry, tr
from viewer.imaging.study import Series, Study
from viewer.views.corner_text import badge_text, name_forms, printed_date
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

MOST_PICTURES = 60
"""Series shown with their pictures; the strip of the open study lists all."""

REST_MS = 60
"""How long a choice rests before its details are built, milliseconds."""


class SeriesPicture(QWidget):
    """Picture, name and count of one series in the detail panel."""

    def __init__(self, series: Series, pictures: Pictures, theme: Theme) -> None:
        super().__init__()
        self._series, self._pictures, self._theme = series, pictures, theme
        width = theme.px(128)
        self.setFixedSize(width, round(width * 0.75) + 2 * theme.line_height("note") + theme.px(6))
        number = "" if series.series_number is None else f"{series.series_number} "
        self._words = (
            f"{number}{series.description or series.modality}",
            tr("1 image") if series.image_count == 1 else f"{series.image_count} {tr('images')}",
        )
        self.setAccessibleName(", ".join(self._words))
        self.setToolTip(plain_tip(self._words[0]))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = QRect(0, 0, self.width(), round(self.width() * 0.75))
        painter.fillRect(box, theme.colour("image"))
        picture = self._pictures.by_key.get(self._series.key)
        if picture is not None:
            draw_cover(painter, box, picture)
        painter.setPen(theme.colour("line-2"))
        painter.drawRect(box.adjusted(0, 0, -1, -1))
        line = theme.line_height("note")
        painter.setFont(theme.font("note"))
        for row, words in enumerate(self._words):
            painter.setPen(theme.colour("text-2" if row else "text"))
            place = QRect(0, box.bottom() + theme.px(5) + row * line, self.width(), line)
            fits = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, fits)
        painter.end()


class StudyDetail(QFrame):
    """What is known of the chosen study, its series, and the buttons that open it."""

    openWanted = Signal()
    draftWanted = Signal()

    def __init__(self, theme: Theme, pictures: Pictures) -> None:
        super().__init__()
        self._theme, self._pictures = theme, pictures
        self.setProperty("ground", "panel")
        self.setStyleSheet(f"StudyDetail {{ border-left: 1px solid {theme.colour('line').name()}; }}")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setAccessibleName(self.tr("Details of the study"))
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole.addWidget(self._area, 1)
        foot = bar(theme, "list", line="top", ground="raised")
        row = foot.layout()
        assert isinstance(row, QHBoxLayout)
        self.open_button = ActButton(tr("Open"), theme, kind=PRIMARY, key="Return")
        self.open_button.clicked.connect(self.openWanted)
        self.draft_button = ActButton(tr("Open and draft"), theme, key="Ctrl+D")
        self.draft_button.clicked.connect(self.draftWanted)
        row.addWidget(self.open_button)
        row.addWidget(self.draft_button)
        row.addStretch(1)
        whole.addWidget(foot)
        self._entry: Entry | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._build)
        pictures.made.connect(lambda _key: self._area.widget().update())
        self._build()

    def show_entry(self, entry: Entry | None) -> None:
        """Show a study, or that none is chosen; built once the choice rests."""
        if entry != self._entry:
            self._entry = entry
            self._rest.start()

    def _build(self) -> None:
        entry, theme = self._entry, self._theme
        body = QWidget()
        body.setProperty("ground", "panel")
        column = QVBoxLayout(body)
        side = theme.length("space", "l")
        column.setContentsMargins(side, side, side, side)
        column.setSpacing(theme.length("space", "xs"))
        reason = "" if entry else tr("Choose a study.")
        self.open_button.set_reason(reason)
        self.draft_button.set_reason(reason)
        if entry is not None:
            self._fill(column, entry)
            self._pictures.want(entry.study.series[:MOST_PICTURES])
        column.addStretch(1)
        self._area.setWidget(body)

    def _fill(self, column: QVBoxLayout, entry: Entry) -> None:
        theme, study = self._theme, entry.study
        column.addWidget(plain_label(entry.name, theme, step="dialog", wraps=True))
        for form in name_forms(study.patient.name)[1:]:
            column.addWidget(plain_label(form, theme, tone="2", wraps=True))
        about = (study.patient.patient_id, entry.age_sex)
        column.addWidget(plain_label("  \u00b7  ".join(filter(None, about)), theme, tone="2"))
        column.addSpacing(theme.length("space", "m"))
        main = entry.main_series()
        geometry = tr("no images")
        if main is not None:
            spacing = f", {main.verdict.spacing:.1f} mm" if main.verdict.spacing else ""
            geometry = f"{main.verdict.kind.value}{spacing}"
        facts = {
            tr("Study"): ", ".join(
                filter(None, (entry.full_title, printed_date(study.date, study.time)))
            ),
            tr("Accession"): study.accession_number or tr("none"),
            tr("Referred by"): study.referring_physician.replace("^", " ") or tr("not given"),
            tr("Geometry"): geometry,
            tr("Priors"): str(entry.priors) if entry.priors else tr("none found for this patient"),
            **({tr("Objects"): object_words(study)} if study.objects else {}),
        }
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.length("space", "m"))
        grid.setVerticalSpacing(theme.px(6))
        for row, (name, words) in enumerate(facts.items()):
            label = plain_label(name, theme, step="note", tone="2")
            label.setFixedWidth(theme.px(80))
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(plain_label(words, theme, step="note", wraps=True), row, 1)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        column.addSpacing(theme.length("space", "s"))
        row = QHBoxLayout()
        row.setSpacing(theme.length("space", "s"))
        for words in entry.state_badges:
            badge = Badge(theme)
            badge.show_state(words.text, words.glyph, words.frame)
            row.addWidget(badge)
        row.addStretch(1)
        column.addLayout(row)
        for series in study.series[:MOST_PICTURES]:
            if badge_text(series.verdict):
                number = series.series_number if series.series_number is not None else "?"
                words = f"{tr('Series')} {number}: {series.verdict.reason}"
                problem = QHBoxLayout()
                problem.setSpacing(theme.length("space", "s"))
                mark = glyph_label("warning", "warning", theme, meaning=tr("Problem"))
                problem.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
                problem.addWidget(plain_label(words, theme, step="note", wraps=True), 1)
                column.addLayout(problem)
        self._fill_series(column, study)

    def _fill_series(self, column: QVBoxLayout, study: Study) -> None:
        theme = self._theme
        column.addSpacing(theme.length("space", "l"))
        column.addWidget(plain_label(tr("Series"), theme, step="name"))
        column.addSpacing(theme.length("space", "xs"))
        pictures = QGridLayout()
        pictures.setSpacing(theme.length("space", "s"))
        across = max(1, (self.width() - 2 * theme.length("space", "l")) // theme.px(136))
        for number, series in enumerate(study.series[:MOST_PICTURES]):
            item = SeriesPicture(series, self._pictures, theme)
            pictures.addWidget(item, number // across, number % across)
        pictures.setColumnStretch(across, 1)
        column.addLayout(pictures)
        left = len(study.series) - MOST_PICTURES
        if left > 0:
            column.addWidget(plain_label(tr("and {n} more").format(n=f"{left:,}"), theme, tone="2"))

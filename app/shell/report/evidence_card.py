"""Evidence outside of the text: the card at the foot of the report panel, and the list of all."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.review_records import Author
from app.shell.report.chip import ChipButton
from app.shell.report.words import check_words
from app.shell.widgets import ElidedLabel, glyph_label, plain_label
from inference.validation.calibration import Calibration
from inference.validation.calibration import shown as shown_confidence
from reports.domain import Check, Evidence, EvidenceKind, Ledger, Quantity, Source, SourceKind
from viewer.views.theme import Theme

CROP = 120
"""Side of the crop in the card, logical pixels."""


def quantity_text(quantity: Quantity) -> str:
    """Return a value as printed, with its uncertainty to as many places: "2.81 ± 0.06 L"."""
    if quantity.uncertainty is None:
        return quantity.text
    number, _, unit = quantity.text.partition(" ")
    places = len(number.partition(".")[2])
    uncertainty = f"{quantity.uncertainty:.{places}f}"
    if not float(uncertainty):
        uncertainty = f"{quantity.uncertainty:.1g}"
    return f"{number} \u00b1 {uncertainty} {unit}".rstrip()


def quantity_name(quantity: Quantity) -> str:
    """Return what a value is called in lists: its slot's name in words."""
    return _NAMES.get(quantity.name, quantity.name.replace("_", " "))


_NAMES: dict[str, str] = {"laa950": "LAA-950", "kvp": "tube voltage", "sd": "SD"}
"""Names that are not words as they stand."""


def source_text(source: Source) -> str:
    """Return who made an evidence: tool with version, model with the head of its hash, or person."""
    if source.kind is SourceKind.MODEL and source.sha256:
        return f"{source.name} {source.sha256[:8]}"
    return f"{source.name} {source.version}".strip()


class EvidenceCard(QFrame):
    """Crop of the region, where it is, and the checks of the sentence with their results."""

    activated = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("line", "top")
        side, gap = theme.length("space", "m"), theme.length("space", "s")
        row = QHBoxLayout(self)
        row.setContentsMargins(side, side, side, side)
        row.setSpacing(side)
        self._crop = QLabel()
        self._crop.setFixedSize(theme.px(CROP), theme.px(CROP))
        self._crop.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row.addWidget(self._crop, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(gap)
        self._head = QHBoxLayout()
        self._head.setSpacing(gap)
        self._title = ElidedLabel("", theme, step="name")
        self._where = plain_label("", theme, step="note", tone="3")
        self._head.addWidget(self._title, 1)
        self._head.addWidget(self._where)
        column.addLayout(self._head)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(gap)
        self._grid.setVerticalSpacing(theme.px(3))
        self._grid.setColumnStretch(2, 1)
        column.addLayout(self._grid)
        column.addStretch(1)
        row.addLayout(column, 1)
        self._chip: ChipButton | None = None
        self.curves: Mapping[Author, Calibration] = {}
        """What readers here did with the proposals of each model, once there are records enough."""
        self.hide()

    def show_evidence(
        self,
        evidence: Evidence | None,
        *,
        checks: tuple[Check, ...] = (),
        crop: QImage | None = None,
        where: str = "",
    ) -> None:
        """Show an evidence (none hides the card).

        Parameters
        ----------
        checks
            Checks of the sentence through which the evidence was reached.
        crop
            Square cut of the image round the region, with its outline.
        where
            Series and image: "Se 2 Im 60".
        """
        self.setVisible(evidence is not None)
        while self._grid.count():
            item = self._grid.takeAt(0)
            if item.widget() is not None:
                item.widget().deleteLater()
        if self._chip is not None:
            self._chip.deleteLater()
            self._chip = None
        if evidence is None:
            return
        self._crop.setVisible(crop is not None and not crop.isNull())
        if crop is not None and not crop.isNull():
            self._crop.setPixmap(self._scaled(crop))
            self._crop.setAccessibleName(
                self.tr("Image of {label}, {where}").format(label=evidence.label, where=where)
            )
        chip = self._chip = ChipButton(evidence.id, evidence, self._theme)
        chip.set_selected(True)
        chip.clicked.connect(lambda: self.activated.emit(evidence.id))
        self._head.insertWidget(0, chip)
        self._title.set_full(evidence.label)
        self._where.setText(where)
        rows = [(quantity_text(q), quantity_name(q)) for q in evidence.values[:4]]
        for number, (value, name) in enumerate(rows):
            self._line(number, "minus", "text-3", name, value)
        start = len(rows)
        shown = sorted(checks, key=lambda check: check.passed)[: max(6 - start, 1)]
        for number, check in enumerate(shown, start=start):
            name, token = ("check", "text-2") if check.passed else ("warning-circle", "warning")
            result = check.message or (self.tr("passed") if check.passed else self.tr("failed"))
            if not check.passed:
                result = f"{result} ({check_words(check)})"
            self._line(number, name, token, check.check.capitalize(), result)
        if evidence.kind is EvidenceKind.CANDIDATE:
            # Without a curve of this store's own records a raw score is no probability.
            author = Author.of(evidence)
            curve = self.curves.get(author) if author is not None else None
            certainty = shown_confidence(curve, evidence.confidence)
            self._line(start + len(shown), "minus", "text-3", self.tr("Confidence"), certainty)
        if evidence.refusal is not None:
            self._line(start, "minus-circle", "text-2", self.tr("Refused"), evidence.refusal.reason)

    def _line(self, number: int, glyph_name: str, token: str, name: str, value: str) -> None:
        theme = self._theme
        self._grid.addWidget(glyph_label(glyph_name, token, theme, meaning=""), number, 0)
        self._grid.addWidget(plain_label(name, theme, step="note", tone="2"), number, 1)
        self._grid.addWidget(ElidedLabel(value, theme, step="note"), number, 2)

    def _scaled(self, crop: QImage) -> QPixmap:
        ratio = self.devicePixelRatioF()
        size = QSize(round(self._crop.width() * ratio), round(self._crop.height() * ratio))
        scaled = crop.scaled(
            size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        pixmap = QPixmap.fromImage(scaled)
        pixmap.setDevicePixelRatio(ratio)
        return pixmap


class EvidenceList(QScrollArea):
    """All evidence of the ledger: values with uncertainty, source, refusals in italics."""

    activated = Signal(str)
    hovered = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._chips: dict[str, ChipButton] = {}
        self._ledger: Ledger | None = None
        self.setAccessibleName(self.tr("Evidence"))
        self.show_ledger(None)

    def show_ledger(self, ledger: Ledger | None) -> None:
        """List the ledger's entries in their order; one that is shown already is left as it is."""
        if ledger is self._ledger and self.widget() is not None:
            return
        self._ledger = ledger
        theme = self._theme
        body = QWidget()
        body.setProperty("ground", "panel")
        column = QVBoxLayout(body)
        side = theme.length("space", "m")
        column.setContentsMargins(side, side, side, side)
        column.setSpacing(side)
        self._chips = {}
        for item in ledger.evidence if ledger else ():
            column.addLayout(self._row(item))
        if not self._chips:
            empty = self.tr("No evidence yet. Draft, or draw a region on the image.")
            column.addWidget(plain_label(empty, theme, tone="2", wraps=True))
        column.addStretch(1)
        self.setWidget(body)

    def mark(self, evidence_id: str) -> None:
        """Fill the chip of the selected evidence and scroll to it."""
        for key, chip in self._chips.items():
            chip.set_selected(key == evidence_id)
            if key == evidence_id:
                self.ensureWidgetVisible(chip)

    def _row(self, item: Evidence) -> QGridLayout:
        theme = self._theme
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.length("space", "m"))
        grid.setVerticalSpacing(0)
        grid.setColumnMinimumWidth(0, theme.px(52))
        grid.setColumnStretch(1, 1)
        chip = ChipButton(item.id, item, theme)
        chip.clicked.connect(lambda: self.activated.emit(item.id))
        self._chips[item.id] = chip
        grid.addWidget(chip, 0, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(ElidedLabel(item.label, theme, step="name"), 0, 1)
        grid.addWidget(plain_label(source_text(item.source), theme, step="note", tone="3"), 0, 2)
        values = ", ".join(f"{quantity_name(q)} {quantity_text(q)}" for q in item.values)
        lines = [(text, False) for text in (values, *item.warnings) if text]
        if item.refusal is not None:
            lines.append((self.tr("Refused: {why}").format(why=item.refusal.reason), True))
        for number, (text, is_italic) in enumerate(lines, start=1):
            label = plain_label(text, theme, step="note", tone="2", wraps=True)
            font = label.font()
            font.setItalic(is_italic)
            label.setFont(font)
            grid.addWidget(label, number, 1, 1, 2)
        return grid

"""The evidence chip: kind glyph and id, the same in text, card, list and dialog."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QEnterEvent, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from reports.domain import Evidence, EvidenceKind
from viewer.imaging.regions import Shape
from viewer.views.icons import glyph
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

_KIND_GLYPH: dict[EvidenceKind, str] = {
    EvidenceKind.MEASUREMENT: "arrows-horizontal-bold",
    EvidenceKind.CANDIDATE: "polygon-bold",
    EvidenceKind.FINDING: "polygon-bold",
    EvidenceKind.SEARCH: "magnifying-glass-bold",
    EvidenceKind.TECHNIQUE: "hash-bold",
    EvidenceKind.COMPARISON: "clock-bold",
    EvidenceKind.RECORD: "file-text-bold",
}
_REFUSED = "prohibit-bold"
_DRAWN = frozenset({Shape.BOX, Shape.POLYGON, Shape.ELLIPSE})


@dataclass(frozen=True)
class ChipLook:
    """What a chip shows and how it stands."""

    evidence_id: str
    glyph: str
    is_refused: bool = False
    is_selected: bool = False
    is_hovered: bool = False


def chip_look(evidence_id: str, evidence: Evidence | None, **states: bool) -> ChipLook:
    """Return how the chip of an evidence looks; one that the ledger does not hold looks refused."""
    if evidence is None or evidence.refusal is not None:
        return ChipLook(evidence_id, _REFUSED, is_refused=True, **states)
    name = _KIND_GLYPH[evidence.kind]
    if evidence.kind is EvidenceKind.MEASUREMENT and any(r.shape in _DRAWN for r in evidence.regions):
        name = "polygon-bold"
    return ChipLook(evidence_id, name, **states)


def chip_size(evidence_id: str, theme: Theme) -> QSize:
    """Return the size of a chip in logical pixels."""
    text = QFontMetricsF(theme.font("chip")).horizontalAdvance(evidence_id)
    width = text + theme.length("icon", "chip") + theme.px(3) + 2 * theme.px(5)
    return QSize(round(width), theme.length("row", "chip"))


def paint_chip(painter: QPainter, rect: QRectF, look: ChipLook, theme: Theme) -> None:
    """Paint a chip into a rectangle."""
    ground, edge, ink = "evidence-ground", "evidence-edge", "evidence"
    if look.is_refused:
        ground, edge, ink = "panel", "text-3", "text-3"
    elif look.is_selected:
        ground, edge, ink = "evidence", "evidence", "on-evidence"
    elif look.is_hovered:
        edge = "evidence"
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(theme.colour(edge), 1)
    if look.is_refused:
        pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(theme.colour(ground))
    radius = theme.length("radius", "chip")
    box = rect.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.drawRoundedRect(box, radius, radius)
    size = theme.length("icon", "chip")
    ratio = painter.device().devicePixelRatioF()
    mark = glyph(look.glyph, theme.colour(ink), size, pixel_ratio=ratio)
    left = rect.left() + theme.px(5)
    painter.drawPixmap(QPointF(left, round(rect.center().y() - size / 2)), mark)
    painter.setFont(theme.font("chip"))
    painter.setPen(theme.colour(ink))
    place = rect.adjusted(theme.px(5) + size + theme.px(3), 0, 0, 0)
    painter.drawText(
        place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, look.evidence_id
    )
    painter.restore()


class ChipButton(QAbstractButton):
    """A chip outside of the text: in the card, the list, the trace and the dialog."""

    def __init__(
        self, evidence_id: str, evidence: Evidence | None, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.evidence_id = evidence_id
        self._evidence = evidence
        self.is_selected = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(chip_size(evidence_id, theme))
        name = self.tr("Evidence {id}").format(id=evidence_id)
        if evidence is not None:
            name += f", {evidence.label}"
            self.setToolTip(plain_tip(f"{evidence_id} {evidence.label}"))
        self.setAccessibleName(name)

    def set_selected(self, selected: bool) -> None:
        """Fill the chip when its evidence is the selected one."""
        self.is_selected = selected
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = chip_look(
            self.evidence_id, self._evidence, is_selected=self.is_selected, is_hovered=self.underMouse()
        )
        painter = QPainter(self)
        paint_chip(painter, self.rect().toRectF(), look, self._theme)
        painter.end()

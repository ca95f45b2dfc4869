"""The two ways between text and image: chip to region and region to sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPen, QPolygonF

from app.documents import window_for
from app.report_model import ReportModel
from app.shell.background import Background
from app.shell.report.panel import ReportPanel
from inference.evidence.masks import MaskError, MaskStore
from reports.domain import Evidence
from viewer.imaging.regions import Region
from viewer.imaging.render import render_frame
from viewer.imaging.study import WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.frame_image import to_qimage
from viewer.views.overlay import Outline, Overlay, ViewRegion
from viewer.views.reading_area import ReadingArea

CROP_SIDE = 240
"""Side of a crop in pixels: sharp in the card on a dense screen."""

CROP_ROOM = 1.6
"""Side of the part of the image that a crop shows, over the longer side of its region."""

SMALLEST_CROP = 48
"""A smaller part of an image tells nobody where it is, image pixels."""


class EvidenceLink(QObject):
    """Keeps the regions over the images those of the report, and carries gestures across.

    Signals
    -------
    notShown(str)
        Words for the reader: why a region cannot be shown.
    """

    notShown = Signal(str)

    def __init__(
        self, panel: ReportPanel, area: ReadingArea, background: Background, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._panel, self._area, self._background = panel, area, background
        self._model: ReportModel | None = None
        self._masks: Mapping[str, npt.NDArray[np.bool_]] = {}
        self._overlay = Overlay()
        self._drawn: object = None
        panel.evidenceHovered.connect(area.grid.hover_regions)
        panel.evidenceActivated.connect(self.show_evidence)
        panel.sentenceSelected.connect(self._sentence_selected)
        panel.set_crops(self.crop)
        area.grid.regionClicked.connect(self._region_clicked)

    def show_report(self, model: ReportModel | None, masks: MaskStore) -> None:
        """Take the regions of a report's ledger, and its masks, unpacked on a thread."""
        self._model = model
        self._masks = {}
        self._drawn = None
        self.refresh()
        if model is None or not len(masks):
            return

        def unpack() -> dict[str, npt.NDArray[np.bool_]]:
            return {ref.sha256: masks.get(ref.sha256) for ref in masks}

        def done(unpacked: dict[str, npt.NDArray[np.bool_]]) -> None:
            if self._model is model:
                self._masks = unpacked
                self._drawn = None
                self.refresh()

        def failed(error: Exception) -> None:
            words = str(error) if isinstance(error, MaskError) else type(error).__name__
            self.notShown.emit(self.tr("The masks cannot be shown. {why}").format(why=words))

        self._background.run(unpack, done, failed)

    def refresh(self) -> None:
        """Draw the regions of the ledger as it is now."""
        ledger = self._model.ledger if self._model is not None else None
        if ledger is not None and ledger is self._drawn:
            return
        self._drawn = ledger
        shown = ledger.evidence if ledger is not None else ()
        regions = tuple(ViewRegion(item.id, item.regions, item.label) for item in shown if item.regions)
        self._overlay = Overlay(regions, self._masks)
        self._area.grid.set_overlay(self._overlay)

    # --- text to image -----------------------------------------------------------------------------

    def show_evidence(self, evidence_id: str, index: int) -> None:
        """Jump to a region of an evidence: slice, window and zoom, in one frame."""
        evidence = self._evidence(evidence_id)
        self._area.grid.select_regions(frozenset((evidence_id,)) if evidence else frozenset())
        if evidence is None or not evidence.regions:
            return
        region = evidence.regions[index % len(evidence.regions)]
        stack = self._stack_of(region)
        window = self._seen_in(evidence_id)
        if window is None and stack is not None and not stack.is_colour:
            frame = self._overlay.frame_of(region, stack)
            window = window_for(evidence, stack, frame if frame is not None else 0)
        if not self._area.go_to(region, window):
            self.notShown.emit(
                self.tr("{id} lies on a series that this study does not hold.").format(id=evidence_id)
            )

    def _seen_in(self, evidence_id: str) -> WindowPreset | None:
        """Return the window in which the reader saw an evidence, if a citation holds one."""
        cited = self._model.sentences_citing(evidence_id) if self._model is not None else ()
        views = [
            citation.view
            for sentence in cited
            for citation in sentence.citations
            if citation.evidence_id == evidence_id and citation.view is not None
        ]
        for view in views:
            if view.window_center is not None and view.window_width is not None:
                return WindowPreset(center=view.window_center, width=view.window_width)
        return None

    def _sentence_selected(self, sentence_id: str) -> None:
        if self._model is None or not sentence_id:
            self._area.grid.select_regions(frozenset())
            return
        sentence = self._model.sentence(sentence_id)
        ids = frozenset(citation.evidence_id for citation in sentence.citations)
        self._area.grid.select_regions(ids)

    # --- image to text -----------------------------------------------------------------------------

    def _region_clicked(self, evidence_id: str) -> None:
        self._area.grid.select_regions(frozenset((evidence_id,)))
        self._panel.select_evidence(evidence_id)
        self._area.grid.select_regions(frozenset((evidence_id,)))

    # --- the card ----------------------------------------------------------------------------------

    def crop(self, evidence_id: str, index: int) -> tuple[QImage | None, str]:
        """Return the part of the image round a region with its outline, and where it is."""
        evidence = self._evidence(evidence_id)
        if evidence is None or not evidence.regions:
            return None, ""
        region = evidence.regions[index % len(evidence.regions)]
        stack = self._stack_of(region)
        frame = self._overlay.frame_of(region, stack) if stack is not None else None
        if stack is None or frame is None:
            return None, ""
        outlined = self._overlay.outline_on(evidence_id, region, stack, frame)
        instance = stack.series.instances[stack.frames[frame][0]]
        number = "?" if stack.series.series_number is None else stack.series.series_number
        where = self.tr("Se {series} Im {image}").format(
            series=number, image=instance.instance_number or frame + 1
        )
        if outlined is None:
            return None, where
        window = None if stack.is_colour else window_for(evidence, stack, frame)
        image = to_qimage(render_frame(stack, frame, window))
        return cut_out(image, outlined, self._area.theme), where

    def _evidence(self, evidence_id: str) -> Evidence | None:
        return self._model.ledger.get(evidence_id) if self._model is not None else None

    def _stack_of(self, region: Region) -> ImageStack | None:
        study = self._area.study()
        keys = [
            series.key
            for series in (study.series if study is not None else ())
            if series.series_instance_uid == region.series_instance_uid
        ]
        stacks = (self._area.adapter.stack(key) for key in keys)
        return next((stack for stack in stacks if stack is not None), None)


def cut_out(image: QImage, outlined: Outline, theme: Any) -> QImage:
    """Return a square cut of an image round an outline, the outline drawn on a dark halo."""
    left, top, right, bottom = outlined.box
    side = max(right - left, bottom - top) * CROP_ROOM
    side = min(max(side, SMALLEST_CROP), max(image.width(), image.height()))
    # Pushed back into the image where it would stick out: black is no part of it.
    x = min(max((left + right + 1 - side) / 2, 0.0), max(image.width() - side, 0.0))
    y = min(max((top + bottom + 1 - side) / 2, 0.0), max(image.height() - side, 0.0))
    source = QRectF(x, y, side, side)
    made = QImage(CROP_SIDE, CROP_SIDE, QImage.Format.Format_RGB32)
    made.fill(theme.colour("image"))
    scale = CROP_SIDE / side
    painter = QPainter(made)
    painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
    target = QRectF(made.rect())
    painter.drawImage(target, image, source)
    for ring in outlined.rings:
        points = QPolygonF(
            [
                QPointF((x + 0.5 - source.left()) * scale, (y + 0.5 - source.top()) * scale)
                for x, y in ring
            ]
        )
        for colour, width in (("image", 6.0), ("evidence", 3.0)):
            painter.setPen(QPen(theme.colour(colour), width, j=Qt.PenJoinStyle.RoundJoin))
            if len(points) == 1:
                painter.drawEllipse(points[0], 6.0, 6.0)
            else:
                painter.drawPolygon(points)
    painter.end()
    return made

"""A viewport as a picture that leaves the program: for the clipboard, a PNG, a printed sheet.

Drawn by the viewport's own painting, at any resolution, through the one grey pipeline. Without patient
data nothing of the study's identity is drawn: no corner text with names and dates, and none of the
words and planes that others put over the image, which may hold a name.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

from PySide6.QtCore import QCoreApplication, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from viewer.imaging.study import Study
from viewer.views.corner_text import printed_date, who
from viewer.views.frame_image import FrameImages
from viewer.views.layers import Layer, LayerOrder
from viewer.views.stack_view import StackView
from viewer.views.theme import Theme
from viewer.views.viewport_model import ViewportModel
from viewer.views.viewport_paint import paint_viewport

MOST_PIXELS = 40_000_000
"""Largest picture; 150 MB in memory."""


def tr(text: str) -> str:
    """Translate words on a picture."""
    return QCoreApplication.translate("OutputPicture", text)


def notice_words() -> str:
    """Return what stands at the foot of everything that leaves."""
    return tr("Research software. Not a medical device.")


@dataclass(frozen=True)
class Words:
    """What is written over and under a picture; empty for nothing."""

    head: str = ""
    foot: str = ""


def identity_words(study: Study | None) -> str:
    """Return patient and study in one line."""
    if study is None:
        return ""
    name, about = who(study.patient, study.age)
    when = printed_date(study.date)
    return "   ".join(filter(None, (name, about, when, study.description)))


def picture_of(
    view: StackView,
    *,
    with_patient: bool,
    ratio: float = 1.0,
    words: Words | None = None,
    corner_text: bool = True,
) -> QImage:
    """Return what a viewport shows.

    Parameters
    ----------
    with_patient
        Whether the corner text and what others drew over the image stand on it as on the screen.
    ratio
        Picture pixels for one widget pixel.
    words
        The line over the picture and the one under it; the notice at the foot by default.
    corner_text
        Whether letters, scale bar and the words in the corners are drawn.
    """
    theme = view.theme
    if words is None:
        words = Words(identity_words(view.model.study) if with_patient else "", notice_words())
    width, height = (max(1, round(side)) for side in view.model.size)
    head = theme.px(22) if words.head else 0
    foot = theme.px(20) if words.foot else 0
    ratio = min(ratio, (MOST_PIXELS / (width * (height + head + foot))) ** 0.5)
    picture = QImage(
        round(width * ratio), round((height + head + foot) * ratio), QImage.Format.Format_RGB32
    )
    picture.setDevicePixelRatio(ratio)
    picture.fill(theme.colour("image"))
    painter = QPainter(picture)
    painter.setClipRect(QRectF(0, head, width, height))
    painter.translate(0, head)
    paint_viewport(
        painter,
        _shown_model(view.model, ratio, with_patient=with_patient),
        FrameImages(),
        theme,
        corner_text=corner_text,
        active=False,
        glass=FrameImages(),
        layers=_layers(view, with_patient=with_patient),
    )
    painter.setClipping(False)
    painter.translate(0, -head)
    _write(painter, theme, words, QRectF(0, 0, width, head + height + foot))
    painter.end()
    return picture


def _shown_model(model: ViewportModel, ratio: float, *, with_patient: bool) -> ViewportModel:
    """Return the model as it is drawn on the picture: no pointer, and no patient unless wanted."""
    shown = copy.copy(model)
    shown.pixel_ratio = ratio
    shown.pointer, shown.magnified, shown.hovered, shown.pointed = None, False, "", ""
    shown.reference, shown.cursor = None, None
    if with_patient:
        return shown
    shown.study = None
    if shown.stack is not None:
        # A description is free text, and a name may stand in it.
        series = shown.stack.series.model_copy(update={"description": "", "protocol": ""})
        shown.stack = replace(shown.stack, series=series)
    if shown.hung.prior:
        shown.hung = replace(shown.hung, prior=tr("PRIOR"))
    return shown


def _layers(view: StackView, *, with_patient: bool) -> list[Layer]:
    if with_patient:
        return list(view.layers)
    return [one for one in view.layers if one.order is not LayerOrder.GRAPHICS]


def _write(painter: QPainter, theme: Theme, words: Words, whole: QRectF) -> None:
    """Write the head and the foot, in quiet ink, shortened where there is no room."""
    side = theme.length("space", "s")
    for text, step, token, align in (
        (words.head, "note", "text", Qt.AlignmentFlag.AlignTop),
        (words.foot, "corner", "text-2", Qt.AlignmentFlag.AlignBottom),
    ):
        if not text:
            continue
        painter.setFont(theme.font(step))
        painter.setPen(theme.colour(token))
        room = whole.adjusted(side, theme.px(3), -side, -theme.px(3))
        shortened = painter.fontMetrics().elidedText(
            text, Qt.TextElideMode.ElideRight, int(room.width())
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | align, shortened)

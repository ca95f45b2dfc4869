"""What a viewport paints: image, regions, layers, letters, scale bar, corner text, frame, progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QRegion,
)

from viewer.imaging.letters import EdgeLetters
from viewer.imaging.regions import Shape
from viewer.views.corner_paint import draw_corners, draw_scale_bar, is_narrow
from viewer.views.corner_text import Corners, badge_text, corners, image_text, series_text, tr
from viewer.views.frame_image import FrameImages
from viewer.views.guides import draw_cursor, draw_reference_line
from viewer.views.icons import glyph
from viewer.views.layers import Layer, LayerOrder
from viewer.views.outlined_text import draw_outlined
from viewer.views.overlay import Outline
from viewer.views.pyramid import level_for
from viewer.views.tag_place import Box, place_tag
from viewer.views.theme import Theme
from viewer.views.viewport_model import ViewportModel
from viewer.views.viewport_state import FloatArray, transform

GLASS_RADIUS, GLASS_FACTOR = 110, 2.5
"""Radius of the magnifier in logical pixels, and how much larger the image is under it."""

GLASS_SHARE = 0.4
"""Largest radius of the magnifier as a share of the viewport's shorter side."""

FREE_SIDE = {"left": "right", "right": "left"}
"""Where words stand beside an image at an edge of the viewport: not on a breast."""

POINT_RADIUS = 6.0
"""Half the size of the ring that marks a point region, widget pixels."""


def paint_viewport(
    painter: QPainter,
    model: ViewportModel,
    images: FrameImages,
    theme: Theme,
    *,
    corner_text: bool,
    active: bool,
    glass: FrameImages,
    layers: Sequence[Layer] = (),
) -> None:
    """Draw a viewport: the image, the regions, then the words and the frame.

    Parameters
    ----------
    images, glass
        Keep the image as it was drawn last, in the viewport and in its magnifier.
    layers
        What lies over the image, lowest first.
    """
    bounds = QRectF(0.0, 0.0, *model.size)
    matrix = model.matrix()
    draw_lowest(painter, model, images, matrix, ground=theme.colour("image"), layers=layers)
    if model.stack is not None:
        draw_layers(painter, [one for one in layers if one.order is LayerOrder.COLOUR], matrix)
        line, place = model.reference_line(), model.cursor_place()
        if line is not None:
            draw_reference_line(painter, line, matrix, theme)
        within = bounds.adjusted(4, 4, -4, -4)
        outlines = model.drawn_outlines()
        draw_regions(painter, outlines, matrix, theme, selected=model.selected, bounds=within)
        draw_layers(painter, [one for one in layers if one.order is not LayerOrder.COLOUR], matrix)
        if place is not None:
            draw_cursor(painter, place, matrix, theme)
        if model.magnified and model.pointer is not None:
            draw_glass(painter, model, glass, matrix, theme, layers=layers)
        if corner_text:
            letters, bar = model.letters(), model.scale_bar()
            if letters is not None:
                draw_letters(painter, letters, bounds, theme)
            if bar is not None:
                side = FREE_SIDE.get(model.state.justify, "")
                draw_scale_bar(painter, bar, bounds, theme, at_left=side == "left")
            draw_corners(
                painter,
                corner_words(model, theme),
                "  ".join(filter(None, (quiet_note(model), *(one.note() for one in layers)))),
                bounds,
                theme,
                ink="prior" if model.hung.prior else "corner",
            )
        if model.arrived_share < 1.0:
            draw_progress(painter, model.arrived_share, bounds, theme)
    if model.stack is not None and model.hung.prior:
        draw_prior(painter, model, bounds, theme, corner_text=corner_text)
    if model.stack is None and model.refusal:
        draw_refusal(painter, model.refusal, bounds, theme)
    if active:
        draw_frame(painter, bounds, theme.colour("viewport-frame"), theme.length("viewport", "frame"))


def draw_lowest(
    painter: QPainter,
    model: ViewportModel,
    images: FrameImages,
    matrix: FloatArray,
    *,
    ground: QColor,
    layers: Sequence[Layer],
) -> None:
    """Draw the image on its ground; the ground alone where there is none or a layer stands for it."""
    if model.shown_index() is None or any(one.covers(matrix) for one in layers):
        painter.fillRect(QRectF(0.0, 0.0, *model.size), ground)
    else:
        draw_image(painter, model, images, matrix, ground=ground)


def draw_layers(painter: QPainter, layers: Sequence[Layer], matrix: FloatArray) -> None:
    """Let layers draw, each with the painter as it found it."""
    for layer in layers:
        painter.save()
        layer.paint(painter, matrix)
        painter.restore()


def draw_glass(
    painter: QPainter,
    model: ViewportModel,
    images: FrameImages,
    matrix: FloatArray,
    theme: Theme,
    *,
    layers: Sequence[Layer],
) -> None:
    """Draw the magnifier: the image round the pointer, larger, the pixel under the pointer in place.

    What is coloured in the viewport is coloured under it: a fused series, masks, lit regions.
    """
    if model.pointer is None:
        return
    middle = QPointF(*model.pointer)
    radius = min(float(theme.px(GLASS_RADIUS)), GLASS_SHARE * min(model.size))
    larger = matrix.copy()
    larger[:2, :2] *= GLASS_FACTOR
    larger[:2, 2] = np.asarray(model.pointer) + GLASS_FACTOR * (matrix[:2, 2] - model.pointer)
    rim = QPainterPath()
    rim.addEllipse(middle, radius, radius)
    painter.save()
    painter.setClipPath(rim)
    painter.fillPath(rim, theme.colour("image"))
    coloured = [one for one in layers if one.order is LayerOrder.COLOUR]
    if not any(one.covers(larger) for one in coloured):
        draw_image(painter, model, images, larger, factor=GLASS_FACTOR)
    draw_layers(painter, coloured, larger)
    outlines = model.drawn_outlines()
    draw_regions(painter, outlines, larger, theme, selected=model.selected, bounds=rim.boundingRect())
    painter.restore()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((theme.colour("image"), 4.0), (theme.colour("viewport-frame"), 1.5)):
        painter.setPen(QPen(colour, width))
        painter.drawPath(rim)


def draw_image(
    painter: QPainter,
    model: ViewportModel,
    images: FrameImages,
    matrix: FloatArray,
    *,
    factor: float = 1.0,
    ground: QColor | None = None,
) -> None:
    """Draw the pixels of the frame that is there, smooth, turned already: the painter only scales.

    Parameters
    ----------
    factor
        By how much `matrix` is larger than the model's own.
    ground
        Fills what the image leaves free of the viewport; none leaves that as it is.
    """
    index = model.shown_index()
    if model.stack is None or index is None:
        return
    level = level_for(factor * model.scale() * model.pixel_ratio)
    image = images.image(model.stack, replace(model.state, index=index), model.window(), level=level)
    size, block = model.image_size(), 2**level
    right = -(-size.columns // block) * block - 0.5
    bottom = -(-size.rows // block) * block - 0.5
    edges = transform(matrix, [(-0.5, -0.5), (right, bottom)])
    target = QRectF(QPointF(*edges.min(axis=0)), QPointF(*edges.max(axis=0)))
    if ground is not None:
        # Not under the image: that would be half a millisecond for nothing.
        hidden = target.adjusted(2, 2, -2, -2).toRect()
        for part in QRegion(QRectF(0.0, 0.0, *model.size).toAlignedRect()) - QRegion(hidden):
            painter.fillRect(part, ground)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(target, image)


def corner_words(model: ViewportModel, theme: Theme) -> Corners:
    """Return the words in the corners of a viewport."""
    instance = model.instance()
    if model.stack is None or instance is None:
        return Corners()
    upper, probe = "", model.probe()
    if model.upper_value is not None and probe is not None:
        upper = model.upper_value((probe.column, probe.row))
    words = corners(
        study=model.study,
        series=model.stack.series,
        instance=instance,
        plane=model.plane(),
        place=model.place_of(model.state.index),
        count=model.count,
        window=model.window(),
        zoom_percent=100 * model.scale() * model.pixel_ratio / model.image_size().finest,
        inverted=model.state.inverted,
        mirrored=model.state.mirrored is not model.hung.home.mirrored,
        tall=model.size[1] >= theme.value("viewport", "identity-from-height"),
        narrow=is_narrow(model.size[0], theme),
        probe=probe,
        upper=upper,
        link=model.link,
        decoder=model.stack.decoder,
    )
    return words.beside(FREE_SIDE.get(model.state.justify, ""))


def probe_area(bounds: QRectF, theme: Theme, *, whole: bool = False) -> QRectF:
    """Return the part of a viewport where the words change while the pointer moves: the lower left.

    Parameters
    ----------
    whole
        Take the whole width: all words stand at one side of the image.
    """
    height = theme.value("viewport", "margin") + 4 * theme.line_height("corner") + 2
    whole = whole or is_narrow(bounds.width(), theme)
    width = bounds.width() if whole else bounds.width() / 2
    return QRectF(bounds.left(), bounds.bottom() - height, width, height)


def loading_note(model: ViewportModel) -> str:
    """Say quietly that another image stands in for one that has not arrived, empty when it is there."""
    shown = model.shown_index()
    if shown == model.state.index:
        return ""
    if shown is None:
        return tr("loading")
    return tr("loading, this is Im {n}").format(n=model.place_of(shown) + 1)


def quiet_note(model: ViewportModel) -> str:
    """Return what is under way in a viewport: a cine with its rate, images that have not arrived."""
    cine = tr("cine {rate} / s").format(rate=f"{model.cine_rate:.3g}") if model.cine_rate else ""
    return "  ".join(filter(None, (cine, loading_note(model))))


def spoken(model: ViewportModel) -> str:
    """Return what assistive technology reads: series, image and a problem of the geometry."""
    if model.stack is None:
        return model.refusal
    series = model.stack.series
    words = (
        model.hung.prior,
        series_text(series, model.plane()),
        image_text(model.instance(), model.place_of(model.state.index), model.count),
        badge_text(series.verdict),
    )
    return ", ".join(filter(None, words))


def region_path(outlined: Outline, matrix: FloatArray) -> QPainterPath:
    """Return a region's outline in widget points."""
    path = QPainterPath()
    for ring in outlined.rings:
        points = transform(matrix, ring)
        if outlined.region.shape is Shape.POINT:
            path.addEllipse(QPointF(*points[0]), POINT_RADIUS, POINT_RADIUS)
        else:
            path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points.tolist()]))
            path.closeSubpath()
    return path


def stroke_region(
    painter: QPainter, path: QPainterPath, theme: Theme, line_token: str = "region-line"
) -> None:
    """Draw an evidence line, 2 px on images, on a 4 px black halo, without a fill."""
    halo = QColor(0, 0, 0)
    halo.setAlphaF(theme.value("viewport", "region-halo-opacity"))
    line = QPen(theme.colour("evidence"), theme.value("viewport", line_token))
    line.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    under = QPen(halo, theme.value("viewport", "region-halo"))
    under.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (under, line):
        painter.setPen(pen)
        painter.drawPath(path)


def draw_regions(
    painter: QPainter,
    outlines: Sequence[Outline],
    matrix: FloatArray,
    theme: Theme,
    *,
    selected: frozenset[str],
    bounds: QRectF,
    line: str = "region-line",
) -> None:
    """Draw outlines with a tag each; the tag of selected evidence is filled.

    Parameters
    ----------
    line
        The viewport's token of the width of the line.
    """
    paths = [(outlined, region_path(outlined, matrix)) for outlined in outlines]
    for _, path in paths:
        stroke_region(painter, path, theme, line)
    for evidence_id, (left, top, right, bottom) in tag_boxes(outlines, matrix, theme, bounds).items():
        place = QRectF(left, top, right - left, bottom - top)
        draw_tag(painter, place, evidence_id, theme, filled=evidence_id in selected)


def tag_boxes(
    outlines: Sequence[Outline], matrix: FloatArray, theme: Theme, bounds: QRectF
) -> dict[str, Box]:
    """Return where the tags of outlines stand: one for each evidence, none on another."""
    taken: dict[str, Box] = {}
    inside = (bounds.left(), bounds.top(), bounds.right(), bounds.bottom())
    for outlined in outlines:
        if outlined.evidence_id in taken:
            continue
        tag = tag_size(outlined.evidence_id, theme)
        points = transform(matrix, np.concatenate(outlined.rings))
        if outlined.region.shape is Shape.POINT:
            points = points + POINT_RADIUS * np.array([(1, -1), (-1, -1), (1, 1), (-1, 1)])
        size = tag.width(), tag.height()
        taken[outlined.evidence_id] = place_tag(points, size, inside, list(taken.values()))
    return taken


def tag_size(text: str, theme: Theme) -> QSizeF:
    """Return the size of the tag of an evidence."""
    width = QFontMetricsF(theme.font("chip")).horizontalAdvance(text)
    return QSizeF(round(width) + theme.px(16), theme.length("row", "chip"))


def draw_tag(painter: QPainter, place: QRectF, text: str, theme: Theme, *, filled: bool) -> None:
    """Draw the tag of an evidence; that of selected evidence is filled."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    radius = theme.length("radius", "chip")
    halo = QColor(0, 0, 0)
    halo.setAlphaF(theme.value("viewport", "region-halo-opacity"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(halo)
    painter.drawRoundedRect(place.adjusted(-1, -1, 1, 1), radius + 1, radius + 1)
    ground, ink = ("evidence", "on-evidence") if filled else ("evidence-ground", "evidence")
    painter.setBrush(QBrush(theme.colour(ground)))
    painter.setPen(Qt.PenStyle.NoPen if filled else QPen(theme.colour("evidence-edge"), 1))
    painter.drawRoundedRect(place if filled else place.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    painter.setPen(theme.colour(ink))
    painter.setFont(theme.font("chip"))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def draw_letters(painter: QPainter, letters: EdgeLetters, bounds: QRectF, theme: Theme) -> None:
    """Draw the orientation letters at the four mid-edges."""
    font, colour = theme.font("letter"), theme.colour("text")
    metrics = QFontMetricsF(font)
    high, margin = metrics.height(), theme.value("viewport", "margin")
    middle = bounds.center()
    for text, x, y in (
        (letters.left, bounds.left() + margin, middle.y() - high / 2),
        (
            letters.right,
            bounds.right() - margin - metrics.horizontalAdvance(letters.right),
            middle.y() - high / 2,
        ),
        (letters.top, middle.x() - metrics.horizontalAdvance(letters.top) / 2, bounds.top() + margin),
        (
            letters.bottom,
            middle.x() - metrics.horizontalAdvance(letters.bottom) / 2,
            bounds.bottom() - margin - high,
        ),
    ):
        draw_outlined(painter, (x, y), text, font, colour)


def draw_prior(
    painter: QPainter, model: ViewportModel, bounds: QRectF, theme: Theme, *, corner_text: bool
) -> None:
    """Mark a viewport that shows an earlier study: a bar along its top and a badge, never hidden."""
    colour = theme.colour("prior")
    bar = QRectF(bounds.left(), bounds.top(), bounds.width(), theme.px(3))
    painter.fillRect(bar, colour)
    words = corner_words(model, theme) if corner_text else Corners()
    margin = theme.value("viewport", "margin")
    at_right = words.side == "right"
    # the note of a layer may stand under the words at the right
    lines = len(words.top_right) + 1 if at_right else len(words.top_left)
    under = lines * theme.line_height("corner")
    font = theme.font("chip")
    room = bounds.width() - 2 * margin - theme.px(12)
    text = QFontMetricsF(font).elidedText(model.hung.prior, Qt.TextElideMode.ElideRight, room)
    width = round(QFontMetricsF(font).horizontalAdvance(text)) + theme.px(12)
    top = bounds.top() + margin + under + theme.px(2)
    left = bounds.right() - margin - width if at_right else bounds.left() + margin
    place = QRectF(left, top, width, theme.length("row", "badge"))
    radius = theme.length("radius", "badge")
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(place, radius, radius)
    painter.setPen(theme.colour("on-prior"))
    painter.setFont(font)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def draw_progress(painter: QPainter, share: float, bounds: QRectF, theme: Theme) -> None:
    """Draw how much of the series has arrived: a 2 px line at the lower edge, nothing that moves."""
    height = theme.px(2)
    line = QRectF(bounds.left(), bounds.bottom() - height, bounds.width() * share, height)
    painter.fillRect(line, theme.colour("text-3"))


def draw_refusal(painter: QPainter, why: str, bounds: QRectF, theme: Theme) -> None:
    """Say why nothing is shown, in the middle of the viewport, under a sign."""
    side, font = theme.px(24), theme.font("base")
    painter.setFont(font)
    width = min(bounds.width() - 2 * theme.px(16), theme.px(420))
    flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    room = QRectF(0, 0, width, bounds.height())
    text = QFontMetricsF(font).boundingRect(room, flags, why)
    top = bounds.center().y() - (side + theme.px(8) + text.height()) / 2
    mark = glyph(
        "prohibit", theme.colour("text-2"), side, pixel_ratio=painter.device().devicePixelRatioF()
    )
    painter.drawPixmap(QPointF(bounds.center().x() - side / 2, top), mark)
    painter.setPen(theme.colour("text-2"))
    place = QRectF(bounds.center().x() - width / 2, top + side + theme.px(8), width, text.height())
    painter.drawText(place, flags, why)


def draw_frame(painter: QPainter, bounds: QRectF, colour: QColor, width: int) -> None:
    """Draw the frame of the active viewport inside its edge."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(Qt.PenStyle.NoPen)
    for edge in (
        QRectF(bounds.left(), bounds.top(), bounds.width(), width),
        QRectF(bounds.left(), bounds.bottom() - width, bounds.width(), width),
        QRectF(bounds.left(), bounds.top(), width, bounds.height()),
        QRectF(bounds.right() - width, bounds.top(), width, bounds.height()),
    ):
        painter.fillRect(edge, colour)

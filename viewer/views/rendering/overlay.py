"""What is painted over a rendered volume: letters, cube, words, crop box, outline, refusal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QTransform,
)

from viewer.imaging.letters import direction_letters
from viewer.imaging.study import Study
from viewer.views.corner_paint import draw_corners
from viewer.views.corner_text import Corners, badge_text, series_text, signed, who
from viewer.views.outlined_text import draw_outlined
from viewer.views.rendering.camera import Camera, Point
from viewer.views.rendering.model import Removal, VolumeModel
from viewer.views.rendering.presets import Mode
from viewer.views.theme import Theme
from viewer.views.viewport_paint import draw_letters

HANDLE = 5.0
"""Half the size of a handle of the crop box, logical pixels."""

CUBE = 40
"""Edge of the orientation cube, logical pixels."""

EDGES = tuple((first, first | bit) for bit in (1, 2, 4) for first in range(8) if not first & bit)
"""Pairs of corners of a box that an edge joins; bit 0 column, 1 row, 2 slice."""

FACES = tuple((axis, high) for axis in range(3) for high in (False, True))
"""Faces of the crop box in the order of its handles."""


def tr(text: str) -> str:
    """Translate a word of the 3D view."""
    return QCoreApplication.translate("VolumeView", text)


REMOVED_WORDS = {
    Removal.BONE: "bone removed (automatic)",
    Removal.TABLE: "couch removed (automatic)",
    Removal.PART: "parts removed or kept by click",
    Removal.SCALPEL: "cut away by hand",
}


def words(model: VolumeModel, study: Study | None, *, tall: bool) -> Corners:
    """Return the words in the corners of a 3D view."""
    if model.voxels is None or model.look is None:
        return Corners()
    voxels, look = model.voxels, model.look
    series = voxels.series
    width, centre, unit, digits = model.window_words()
    window = f"W {signed(width, digits)}  L {signed(centre, digits)} {unit}".rstrip()
    kind = tr("MIP") if look.mode is Mode.MIP else tr("3D")
    named = f"{kind}  {QCoreApplication.translate('RenderPresets', look.preset.text)}"
    identity = who(study.patient, study.age) if tall and study is not None else ()
    edits = [tr(REMOVED_WORDS[removal]) for removal in dict.fromkeys(model.removals())]
    if not model.crop.is_whole:
        edits.append(tr("crop box"))
    if model.clip is not None:
        edits.append(tr("clip plane"))
    badges = [badge_text(series.verdict), tr("resampled") if voxels.badge else ""]
    if max(voxels.steps) > 1:
        share = {2: tr("shown at half resolution"), 4: tr("shown at a quarter of the resolution")}
        badges.append(share.get(max(voxels.steps), tr("shown at low resolution")))
    return Corners(
        top_left=(*(line for line in identity if line),) or (named,),
        top_right=(series_text(series, None), *((named,) if identity else ())),
        bottom_left=(*edits, window),
        bottom_right=(tr("Not for measuring"),),
        badge="  \u00b7  ".join(filter(None, badges)),
    )


def spoken(model: VolumeModel) -> tuple[str, ...]:
    """Return what assistive technology reads: series, kind of view, preset, what was cut away."""
    found = words(model, None, tall=False)
    return (*found.top_right, *found.top_left, *found.bottom_left)


def paint_words(
    painter: QPainter,
    model: VolumeModel,
    study: Study | None,
    camera: Camera,
    *,
    note: str,
    theme: Theme,
) -> None:
    """Draw letters and corner text."""
    bounds = QRectF(0.0, 0.0, *model.size)
    draw_letters(painter, camera.letters(), bounds, theme)
    tall = model.size[1] >= theme.value("viewport", "identity-from-height")
    draw_corners(painter, words(model, study, tall=tall), note, bounds, theme)


def paint_cube(painter: QPainter, model: VolumeModel, camera: Camera, theme: Theme) -> None:
    """Draw a cube at the lower right whose faces carry the letters of the patient's directions."""
    side = theme.px(CUBE)
    if min(model.size) < 5 * side:
        return
    margin = theme.value("viewport", "margin")
    middle = QPointF(
        model.size[0] - margin - side, model.size[1] - margin - theme.line_height("corner") - side
    )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    half = side * 0.5
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = sign
            facing = -float(normal @ camera.depth)
            if facing <= 0.02:
                continue
            _paint_face(painter, normal, camera, middle=middle, half=half, facing=facing, theme=theme)


def _paint_face(
    painter: QPainter,
    normal: np.ndarray,
    camera: Camera,
    *,
    middle: QPointF,
    half: float,
    facing: float,
    theme: Theme,
) -> None:
    # the side of a face that the reader takes for its top: the head, on head and feet the front
    up = np.array([0.0, 0.0, 1.0]) if abs(normal[2]) < 0.5 else np.array([0.0, -1.0, 0.0])
    across = np.cross(up, normal)
    corners = []
    for x, y in ((-1, 1), (1, 1), (1, -1), (-1, -1)):
        seen = camera.axes @ (normal + x * across + y * up)
        corners.append(QPointF(middle.x() + half * seen[0], middle.y() + half * seen[1]))
    face = QPolygonF(corners)
    ground = QColor(theme.colour("raised"))
    ground.setAlphaF(0.55 + 0.35 * facing)
    painter.setPen(QPen(theme.colour("control"), 1))
    painter.setBrush(QBrush(ground))
    painter.drawPolygon(face)
    unit = QPolygonF([QPointF(0, 0), QPointF(40, 0), QPointF(40, 40), QPointF(0, 40)])
    turned = QTransform.quadToQuad(unit, face)
    if not isinstance(turned, QTransform):
        return
    painter.save()
    painter.setTransform(turned, True)
    font = theme.font("letter")
    path = QPainterPath()
    text = direction_letters(normal)
    metrics = QFontMetricsF(font)
    path.addText(QPointF(0, 0), font, text)
    scale = 24.0 / max(metrics.capHeight(), 1.0)
    box = path.boundingRect()
    painter.translate(20, 20)
    painter.scale(scale * 0.8, scale * 0.8)
    painter.translate(-box.center())
    painter.fillPath(path, theme.colour("text"))
    painter.restore()


# --- crop box --------------------------------------------------------------------------------------


def crop_handles(model: VolumeModel, camera: Camera) -> list[tuple[float, float]]:
    """Return the widget points of the handles of the crop box, in the order of `FACES`."""
    corners = camera.project(model.crop_corners(), model.size)
    handles = []
    for axis, high in FACES:
        face = [number for number in range(8) if bool(number >> axis & 1) == high]
        x, y = corners[face, :2].mean(axis=0)
        handles.append((float(x), float(y)))
    return handles


def crop_share(model: VolumeModel, camera: Camera, face: int, move: Point) -> float:
    """Return by what share of the box a face moves when its handle is dragged by widget pixels."""
    assert model.voxels is not None
    axis, _ = FACES[face]
    ends = np.zeros((2, 3))
    ends[1, axis] = model.voxels.extent[axis]
    seen = camera.project(model.voxels.to_patient(ends), model.size)
    along = seen[1, :2] - seen[0, :2]
    length = float(along @ along)
    return float(np.asarray(move) @ along) / length if length > 1.0 else 0.0


def paint_crop(
    painter: QPainter, model: VolumeModel, camera: Camera, held: int | None, theme: Theme
) -> None:
    """Draw the crop box with a handle on each face; edges behind the volume are fainter."""
    corners = camera.project(model.crop_corners(), model.size)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    nearest = float(np.median(corners[:, 2]))
    for first, last in EDGES:
        colour = QColor(theme.colour("evidence"))
        behind = (corners[first, 2] + corners[last, 2]) / 2 > nearest
        colour.setAlphaF(0.35 if behind else 0.9)
        painter.setPen(QPen(colour, 1.0 if behind else 1.4))
        painter.drawLine(QPointF(*corners[first, :2]), QPointF(*corners[last, :2]))
    size = theme.px(HANDLE)
    for number, (x, y) in enumerate(crop_handles(model, camera)):
        painter.setPen(QPen(theme.colour("image"), 1))
        painter.setBrush(theme.colour("text" if number == held else "evidence"))
        painter.drawEllipse(QPointF(x, y), size, size)


def paint_outline(painter: QPainter, outline: Sequence[Point], theme: Theme) -> None:
    """Draw the outline of the scalpel while it is drawn."""
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(x, y) for x, y in outline]))
    path.closeSubpath()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    halo = QColor(0, 0, 0, 190)
    painter.setPen(QPen(halo, theme.value("viewport", "region-halo")))
    painter.drawPath(path)
    line = QPen(theme.colour("evidence"), theme.value("viewport", "region-line"))
    line.setDashPattern([4.0, 3.0])
    painter.setPen(line)
    painter.drawPath(path)


def paint_hint(painter: QPainter, text: str, model: VolumeModel, theme: Theme) -> None:
    """Draw what a drag or a click does now, under the top letter."""
    font = theme.font("corner")
    width = QFontMetricsF(font).horizontalAdvance(text)
    top = theme.value("viewport", "margin") + 2 * theme.line_height("corner")
    draw_outlined(painter, ((model.size[0] - width) / 2, top), text, font, theme.colour("evidence"))


def paint_refusal(painter: QPainter, text: str, model: VolumeModel, theme: Theme) -> None:
    """Draw why nothing is shown."""
    width = min(model.size[0] - theme.px(48), theme.px(460))
    place = QRectF((model.size[0] - width) / 2, 0, width, model.size[1])
    painter.setFont(theme.font("base"))
    painter.setPen(theme.colour("text-2"))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)

"""A whole-slide image in a viewport: tiles of the level that the zoom asks for over the overview."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen, QTransform, QWheelEvent

from viewer.acts import Tool
from viewer.imaging.slide import SlideLevel
from viewer.imaging.tiles import TilePlace
from viewer.views.frame_image import to_qimage, turned
from viewer.views.layers import Layer, LayerOrder
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.slide_tiles import TilePictures
from viewer.views.viewport_state import FloatArray, ViewportState, panned, transform, zoomed

if TYPE_CHECKING:
    from viewer.views.stack_view import StackView

SHARP: Final = 0.75
"""Least level pixels for a device pixel: a level that is drawn up to a third larger is sharp enough."""

ZOOM_PER_NOTCH: Final = 1.25
NOTCH: Final = 120
"""Wheel angle of one notch, in eighths of a degree (Qt)."""

NAVIGATOR: Final = 132
"""Longer side of the small whole slide, logical pixels."""

OBJECTIVE_UM: Final = 10.0
"""Micrometres of a pixel times magnification: scanners call 0.25 um a pixel 40 x."""

COARSEST_MM: Final = 0.1
"""Pixels of the finest level larger than this were not taken through a microscope: no magnification."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""


class SlideLayer(Layer):
    """Draws tiles over the overview level, and takes wheel and drag for zoom and pan."""

    order: ClassVar[LayerOrder] = LayerOrder.COLOUR

    def __init__(self, view: StackView, adapter: ReaderAdapter) -> None:
        super().__init__(view)
        self._adapter = adapter
        self.pictures: TilePictures | None = None
        self._overview = 0
        self._drag: tuple[QPointF, ViewportState] | None = None
        self._steers = False
        self._small: tuple[tuple[int, bool], QImage] | None = None

    # --- the slide ---------------------------------------------------------------------------------

    def stack_changed(self) -> None:
        """Fetch the tiles of another slide, or of none."""
        stack = self.view.model.stack
        if self.pictures is not None:
            same = stack is not None and self._shows(stack.series.instances[stack.frames[0][0]].path)
            if same:
                return
            self.pictures.close()
            self.pictures.deleteLater()
            self.pictures = None
        self._small = self._drag = None
        if stack is None or not stack.series.is_slide:
            return
        shown = stack.series.instances[stack.frames[0][0]]
        self.pictures = TilePictures(self._adapter.slide(stack.series), self.view)
        self.pictures.changed.connect(self.view.update)
        self._overview = next(one.index for one in self.pictures.levels if one.instance == shown)

    def _shows(self, path: str) -> bool:
        levels = () if self.pictures is None else self.pictures.levels
        return any(one.instance.path == path for one in levels)

    def level(self) -> SlideLevel | None:
        """Return the smallest level that is sharp at this zoom; none without a slide."""
        if self.pictures is None:
            return None
        levels = self.pictures.levels
        overview = levels[self._overview]
        wanted = SHARP * self.view.model.scale() * self.view.model.pixel_ratio
        enough = [
            one
            for one in levels[: self._overview + 1]
            if one.tiling.total_columns >= wanted * overview.tiling.total_columns
        ]
        return enough[-1] if enough else levels[0]

    def note(self) -> str:
        """Say the magnification as microscopes do, and what could not be read."""
        if self.pictures is None:
            return ""
        spacing = self.pictures.levels[0].tiling.spacing
        words = ""
        if spacing is not None and spacing[1] > COARSEST_MM:
            words = _tr("its spacing of {mm} mm is no microscope's").format(mm=_short(spacing[1]))
        elif spacing is not None:
            model = self.view.model
            finest = model.image_size().finest
            step = 1000.0 * spacing[1] * finest / (model.scale() * model.pixel_ratio)
            words = f"{_short(OBJECTIVE_UM / step)} \u00d7   {_short(step)} \u00b5m / px"
        if not self.pictures.damaged:
            return words
        lost = _tr("tiles that cannot be read: {n}").format(n=len(self.pictures.damaged))
        return "  ".join(filter(None, (words, lost)))

    # --- painting ----------------------------------------------------------------------------------

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw the tiles at hand, coarse ones first, and ask for those that are missing."""
        level, model = self.level(), self.view.model
        if level is None or self.pictures is None or model.stack is None:
            return
        visible = self._visible(matrix)
        if visible is None:
            return
        if level.index != self._overview:
            coarsest = level.index + 1 if self._has_all(level, visible) else self._overview
            for one in reversed(self.pictures.levels[level.index : coarsest]):
                self._draw_level(painter, one, visible, matrix)
            self.pictures.want(self._places(level, visible))
        self._draw_navigator(painter, matrix)

    def covers(self, matrix: FloatArray) -> bool:
        """Return whether all tiles in view are at hand: the overview need not be drawn beneath."""
        level, visible = self.level(), self._visible(matrix)
        if level is None or visible is None or level.index == self._overview:
            return False
        return self._has_all(level, visible)

    def _has_all(self, level: SlideLevel, visible: Box) -> bool:
        assert self.pictures is not None
        places = self._places(level, visible, margin=0)
        return all(self.pictures.picture(one) is not None for one in places)

    def _visible(self, matrix: FloatArray) -> Box | None:
        """Return the part of the slide in view, as shares of its width and height from 0 to 1."""
        width, height = self.view.model.size
        corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)]
        points = transform(np.linalg.inv(matrix), corners) + 0.5
        size = self.view.model.image_size()
        shares = np.clip(points / (size.columns, size.rows), 0.0, 1.0)
        (left, top), (right, bottom) = shares.min(axis=0).tolist(), shares.max(axis=0).tolist()
        return (left, top, right, bottom) if right > left and bottom > top else None

    def _places(self, level: SlideLevel, visible: Box, *, margin: int = 1) -> list[TilePlace]:
        """Return the tiles in view, the middle first, then a margin of tiles round them."""
        tiling = level.tiling
        grid = tiling.grid
        high, wide = tiling.total_rows / tiling.rows, tiling.total_columns / tiling.columns
        left, top, right, bottom = visible
        first = math.floor(top * high), math.floor(left * wide)
        last = math.ceil(bottom * high), math.ceil(right * wide)
        middle = (top + bottom) / 2 * high - 0.5, (left + right) / 2 * wide - 0.5
        found = [
            (row, column)
            for row in range(max(first[0] - margin, 0), min(last[0] + margin, grid[0]))
            for column in range(max(first[1] - margin, 0), min(last[1] + margin, grid[1]))
        ]

        def rank(place: tuple[int, int]) -> tuple[bool, float]:
            row, column = place
            inside = first[0] <= row < last[0] and first[1] <= column < last[1]
            return not inside, math.hypot(row - middle[0], column - middle[1])

        return [TilePlace(level.index, *place) for place in sorted(found, key=rank)]

    def _draw_level(
        self, painter: QPainter, level: SlideLevel, visible: Box, matrix: FloatArray
    ) -> None:
        """Draw the tiles of a level that are at hand; edges on whole device pixels, without seams."""
        assert self.pictures is not None
        tiling, size = level.tiling, self.view.model.image_size()
        across, down = size.columns / tiling.total_columns, size.rows / tiling.total_rows
        ratio = self.view.model.pixel_ratio
        (a, b), (c, d) = np.sign(np.round(matrix[:2, :2], 12)).tolist()
        straight = a == 1 and d == 1
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for place in self._places(level, visible, margin=0):
            picture = self.pictures.picture(place)
            if picture is None:
                continue
            top, left = place.row * tiling.rows, place.column * tiling.columns
            ends = transform(
                matrix,
                [
                    (left * across - 0.5, top * down - 0.5),
                    (
                        (left + picture.width()) * across - 0.5,
                        (top + picture.height()) * down - 0.5,
                    ),
                ],
            )
            ends = np.floor(ends * ratio + 0.5) / ratio
            target = QRectF(QPointF(*ends.min(axis=0)), QPointF(*ends.max(axis=0)))
            if not straight:
                picture = picture.transformed(QTransform(a, c, b, d, 0, 0))
            painter.drawImage(target, picture)

    # --- the small whole slide ---------------------------------------------------------------------

    def navigator(self) -> QRectF | None:
        """Return where the small whole slide stands; none while all is in view or there is no room."""
        theme, (width, height) = self.view.theme, self.view.model.size
        box = self._image_box(self.view.model.matrix())
        side = theme.px(NAVIGATOR)
        whole = box.width() <= width + 1 and box.height() <= height + 1
        if self.pictures is None or whole or width < 4 * side or height < 3 * side:
            return None
        factor = side / max(box.width(), box.height())
        margin = theme.value("viewport", "margin")
        small = box.width() * factor, box.height() * factor
        top = margin + 4 * theme.line_height("corner")
        return QRectF(round(width - margin - small[0]), top, round(small[0]), round(small[1]))

    def _image_box(self, matrix: FloatArray) -> QRectF:
        """Return the rectangle of the whole slide in widget points."""
        size = self.view.model.image_size()
        ends = transform(matrix, [(-0.5, -0.5), (size.columns - 0.5, size.rows - 0.5)])
        return QRectF(QPointF(*ends.min(axis=0)), QPointF(*ends.max(axis=0)))

    def _draw_navigator(self, painter: QPainter, matrix: FloatArray) -> None:
        place = self.navigator()
        if place is None:
            return
        theme, box = self.view.theme, self._image_box(matrix)
        painter.drawImage(place, self._small_image(place))
        factor = place.width() / box.width()
        seen = QRectF(0.0, 0.0, *self.view.model.size).intersected(box)
        corner = place.topLeft() + (seen.topLeft() - box.topLeft()) * factor
        least = theme.px(5)
        part = QRectF(0, 0, max(seen.width() * factor, least), max(seen.height() * factor, least))
        part.moveCenter(corner + QPointF(seen.width(), seen.height()) * factor / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(theme.colour("line-2"), 1))
        painter.drawRect(place)
        for colour, width in ((QColor(0, 0, 0), 3), (theme.colour("mark"), 1)):
            painter.setPen(QPen(colour, width))
            painter.drawRect(part)

    def _small_image(self, place: QRectF) -> QImage:
        """Return the overview, as small as it is drawn and as it is turned; kept until that changes."""
        model = self.view.model
        key = model.state.quarter_turns, model.state.mirrored
        if self._small is None or self._small[0] != key:
            assert model.stack is not None
            pixels = np.asarray(model.stack.stored[0])
            if pixels.dtype != np.uint8:
                pixels = (pixels >> max(0, pixels.dtype.itemsize * 8 - 8)).astype(np.uint8)
            step = max(1, max(pixels.shape[:2]) // (4 * NAVIGATOR))
            picture = to_qimage(turned(np.ascontiguousarray(pixels[::step, ::step]), model.state))
            smooth = Qt.TransformationMode.SmoothTransformation
            ratio = model.pixel_ratio
            size = (place.size() * ratio).toSize()
            self._small = (
                key,
                picture.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth),
            )
        return self._small[1]

    # --- mouse -------------------------------------------------------------------------------------

    def wheel(self, event: QWheelEvent) -> bool:
        """Zoom about the pointer: a slide has no images to scroll through."""
        if self.pictures is None:
            return False
        model = self.view.model
        factor = ZOOM_PER_NOTCH ** (event.angleDelta().y() / NOTCH)
        about = (event.position().x(), event.position().y())
        self.view.set_state(
            zoomed(model.state, model.image_size(), *model.size, factor=factor, about=about)
        )
        return True

    def press(self, event: QMouseEvent) -> bool:
        """Take a press on the small slide, and a drag with the tool that would scroll."""
        if self.pictures is None or event.button() is not Qt.MouseButton.LeftButton:
            return False
        place = self.navigator()
        if place is not None and place.contains(event.position()):
            self._steers = True
            self._steer(event.position())
            return True
        if self.view.tool is not Tool.SCROLL:
            return False
        self._drag = (event.position(), self.view.model.state)
        return True

    def move(self, event: QMouseEvent) -> bool:
        """Pan the slide, or go where the small one is pointed at."""
        if self._steers:
            self._steer(event.position())
            return True
        if self._drag is None:
            return False
        start, state = self._drag
        by, model = event.position() - start, self.view.model
        self.view.set_state(panned(state, model.image_size(), *model.size, by=(by.x(), by.y())))
        return True

    def release(self, event: QMouseEvent) -> bool:
        """End a drag."""
        taken = self._steers or self._drag is not None
        self._steers, self._drag = False, None
        return taken

    def _steer(self, point: QPointF) -> None:
        """Bring a place of the small slide into the middle."""
        place, model = self.navigator(), self.view.model
        if place is None:
            return
        matrix = model.matrix()
        box = self._image_box(matrix)
        there = box.topLeft() + (point - place.topLeft()) * (box.width() / place.width())
        column, row = model.to_image((there.x(), there.y()))
        size = model.image_size()
        centre = (min(max(column, 0.0), size.columns - 1.0), min(max(row, 0.0), size.rows - 1.0))
        self.view.set_state(replace(model.state, centre=centre))


def _short(value: float) -> str:
    """Write a number with two digits that count ("1300", "0.25")."""
    return f"{float(f'{value:.2g}'):g}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("SlideLayer", text)

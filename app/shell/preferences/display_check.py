"""A pattern to check a monitor by eye, drawn at device pixels after TG18-QC (AAPM OR-03, 2005).

It shows what an eye can judge: black and white details that must be told apart, line pairs that must
be resolved, a grid that must be straight. It measures nothing: whether the grey scale follows the
GSDF (DICOM PS3.14) needs a photometer.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QScreen,
)
from PySide6.QtWidgets import QWidget

from viewer.views.theme import Theme

GROUND = 26
"""Grey of the ground, about 10 % of full drive as in TG18-QC."""

LEVELS = tuple(8 + 16 * step for step in range(16))
"""Greys of the 16 patches, 8 to 248 (TG18-QC, 8 bits)."""

DARK_DETAIL, LIGHT_DETAIL = (0, 13), (255, 242)
"""Greys of a square and of the 5 % (95 %) square in it."""

PATCHES_WIDE = 4


def pattern(width: int, height: int) -> QImage:
    """Return the pattern without words, one pixel of the image for one of the device.

    Parameters
    ----------
    width, height
        Device pixels of the screen.
    """
    image = QImage(max(width, 64), max(height, 64), QImage.Format.Format_RGB32)
    image.fill(_grey(GROUND))
    painter = QPainter(image)
    _grid(painter, image.width(), image.height())
    for patch, level in patches(image.width(), image.height()):
        _patch(painter, patch, level)
    for box in detail_boxes(image.width(), image.height()):
        _details(painter, *box)
    for place in line_pair_places(image.width(), image.height()):
        _line_pairs(painter, place)
    _ramps(painter, image.width(), image.height())
    painter.end()
    return image


def _grey(level: int) -> QColor:
    return QColor(level, level, level)


def _unit(width: int, height: int) -> int:
    """Return the side of a patch in device pixels: a tenth of the smaller side, even."""
    return max(min(width, height) // 20 * 2, 8)


def patches(width: int, height: int) -> list[tuple[QRect, int]]:
    """Return the grey patches round the middle, 4 x 4 without gaps, with their greys."""
    unit = _unit(width, height)
    left, top = (width - PATCHES_WIDE * unit) // 2, (height - PATCHES_WIDE * unit) // 2
    found = []
    for number, level in enumerate(LEVELS):
        row, column = divmod(number, PATCHES_WIDE)
        # boustrophedon: neighbours differ by one step wherever they touch in reading order
        column = column if row % 2 == 0 else PATCHES_WIDE - 1 - column
        found.append((QRect(left + column * unit, top + row * unit, unit, unit), level))
    return found


def detail_boxes(width: int, height: int) -> list[tuple[QRect, int, int]]:
    """Return the black and the white square with the grey of the faint square in each."""
    unit = _unit(width, height)
    top = (height - PATCHES_WIDE * unit) // 2 - round(1.5 * unit)
    left = width // 2
    return [
        (QRect(left - round(1.25 * unit), top, unit, unit), *DARK_DETAIL),
        (QRect(left + round(0.25 * unit), top, unit, unit), *LIGHT_DETAIL),
    ]


def line_pair_places(width: int, height: int) -> list[QRect]:
    """Return the places of the line pairs: the corners and below the middle."""
    unit = _unit(width, height)
    near = unit // 2
    far_x, far_y = width - near - unit, height - near - unit
    below = (height + PATCHES_WIDE * unit) // 2 + unit // 2
    corners = [(near, near), (far_x, near), (near, far_y), (far_x, far_y)]
    return [QRect(x, y, unit, unit) for x, y in [*corners, ((width - unit) // 2, below)]]


def _patch(painter: QPainter, box: QRect, level: int) -> None:
    """Draw a patch with four corner squares 4 greys apart from it."""
    painter.fillRect(box, _grey(level))
    side = max(box.width() // 8, 1)
    for at_right in (False, True):
        for at_bottom in (False, True):
            x = box.right() + 1 - 2 * side if at_right else box.left() + side
            y = box.bottom() + 1 - 2 * side if at_bottom else box.top() + side
            change = 4 if at_right == at_bottom else -4
            painter.fillRect(QRect(x, y, side, side), _grey(max(0, min(255, level + change))))


def _details(painter: QPainter, box: QRect, ground: int, detail: int) -> None:
    painter.fillRect(box, _grey(ground))
    side = box.width() // 2
    inner = QRect(box.left() + side // 2, box.top() + side // 2, side, side)
    painter.fillRect(inner, _grey(detail))


def _line_pairs(painter: QPainter, box: QRect) -> None:
    """Draw upright and lying line pairs: one pixel on, one off, and two on, two off; full contrast."""
    half = box.width() // 2
    painter.fillRect(box, _grey(0))
    for width, upright, x, y in (
        (1, True, 0, 0), (1, False, half, 0), (2, True, 0, half), (2, False, half, half),
    ):  # fmt: skip
        for start in range(0, half - width + 1, 2 * width):
            line = QRect(start, 0, width, half) if upright else QRect(0, start, half, width)
            painter.fillRect(line.translated(box.left() + x, box.top() + y), _grey(255))


def _grid(painter: QPainter, width: int, height: int) -> None:
    """Draw one-pixel lines at equal steps from the middle, and a frame at the very edge."""
    step = _unit(width, height)
    for x in range(width // 2 % step, width, step):
        painter.fillRect(QRect(x, 0, 1, height), _grey(64))
    for y in range(height // 2 % step, height, step):
        painter.fillRect(QRect(0, y, width, 1), _grey(64))
    white = _grey(255)
    for edge in (
        QRect(0, 0, width, 1), QRect(0, height - 1, width, 1),
        QRect(0, 0, 1, height), QRect(width - 1, 0, 1, height),
    ):  # fmt: skip
        painter.fillRect(edge, white)


def _ramps(painter: QPainter, width: int, height: int) -> None:
    """Draw an upright ramp of all 256 greys on either side: bands in it are lost steps."""
    unit = _unit(width, height)
    tall = PATCHES_WIDE * unit
    top = (height - tall) // 2
    for left, falls in ((width // 2 - 4 * unit, True), (width // 2 + 3 * unit, False)):
        for row in range(tall):
            level = row * 255 // max(tall - 1, 1)
            painter.fillRect(QRect(left, top + row, unit, 1), _grey(255 - level if falls else level))


class DisplayCheck(QWidget):
    """The pattern over a whole screen, with what to look for; Esc, Enter or a click closes it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(None, Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint)
        self._theme = theme
        self._pattern: QImage | None = None
        self.setWindowTitle(self.tr("Sightline \u2013 display check"))
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(" ".join(self.lines()))

    def open_on(self, screen: QScreen) -> None:
        """Cover a screen with the pattern."""
        self.setGeometry(screen.geometry())
        self.showFullScreen()
        self.raise_()
        self.activateWindow()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def lines(self) -> list[str]:
        """Return what is said beside the pattern: which screen, what to see, what is not known."""
        ratio, screen = self.devicePixelRatioF(), self.screen() or QGuiApplication.primaryScreen()
        wide, high = round(self.width() * ratio), round(self.height() * ratio)
        about = self.tr("{name}: {wide} \u00d7 {high} pixels, {depth} bits a colour, scale {ratio}")
        return [
            about.format(
                name=screen.name() or self.tr("Screen"),
                wide=wide,
                high=high,
                depth=screen.depth() // 3 if screen.depth() < 32 else 8,
                ratio=f"{ratio:g}",
            ),
            self.tr("GSDF: not measured. Nothing here says that this monitor is fit for diagnosis."),
            self.tr("To see: the faint squares in black and in white; the corners of all 16"),
            self.tr("patches; each single line of the pairs; straight lines; ramps without bands."),
            self.tr("Esc closes."),
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        wide, high = round(self.width() * ratio), round(self.height() * ratio)
        if self._pattern is None or (self._pattern.width(), self._pattern.height()) != (wide, high):
            self._pattern = pattern(wide, high)
            self._pattern.setDevicePixelRatio(ratio)
        painter = QPainter(self)
        painter.drawImage(0, 0, self._pattern)
        self._write(painter)
        painter.end()

    def _write(self, painter: QPainter) -> None:
        """Write the words under the pattern on a ground of their own, readable at any grey."""
        theme = self._theme
        painter.setFont(QFont(theme.font("base")))
        height = theme.line_height("base")
        lines = self.lines()
        width = max(painter.fontMetrics().horizontalAdvance(line) for line in lines) + theme.px(32)
        tall = height * len(lines) + theme.px(20)
        box = QRectF((self.width() - width) / 2, self.height() - tall - theme.px(12), width, tall)
        painter.fillRect(box, theme.colour("ground"))
        painter.setPen(theme.colour("text"))
        for number, line in enumerate(lines):
            painter.setPen(theme.colour("warning" if number == 1 else "text"))
            row = QRectF(box.left(), box.top() + theme.px(10) + number * height, width, height)
            painter.drawText(row, Qt.AlignmentFlag.AlignCenter, line)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.close()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.close()

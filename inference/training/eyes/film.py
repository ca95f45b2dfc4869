"""A frontal chest film: sums of what lies in the way of the rays, through a film curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.training.eyes.pictures import (
    KINDS,
    SIZE,
    Difficulty,
    Finding,
    Picture,
    Range,
    View,
)
from inference.training.eyes.shapes import Field, Frame, Point, box_of, inside, stripe

RIGHT, LEFT = -1, 1
"""Sign of x on each side of the patient."""

NAMES = {RIGHT: "right", LEFT: "left"}
LEAST_PIXELS = 20
"""A finding of fewer pixels is not one."""


@dataclass(frozen=True)
class Lung:
    """One lung of the film, mm."""

    sign: int
    x: float
    half: float
    apex: float
    dome: float
    cover: Field

    @property
    def height(self) -> float:
        """From apex to dome."""
        return self.dome - self.apex


class Canvas:
    """A picture in the making: grey levels, what was found, and where nothing more may lie."""

    def __init__(self, draw: np.random.Generator, frame: Frame) -> None:
        self.draw, self.frame = draw, frame
        self.grey: Field = np.zeros((SIZE, SIZE), dtype=np.float32)
        self.taken: Field = np.zeros((SIZE, SIZE), dtype=np.float32)
        self.masks: dict[str, Field] = {}
        self.findings: list[Finding] = []

    def between(self, range_: Range) -> float:
        """Draw from a range."""
        return float(self.draw.uniform(*range_))

    def side(self) -> int:
        """Draw a side."""
        return RIGHT if self.draw.random() < 0.5 else LEFT

    def found(self, kind: str, side: str, cover: Field) -> bool:
        """Note a finding where it is covered by half; false when too little of it is in the picture."""
        box = box_of(cover)
        if box is None or int((cover > 0.5).sum()) < LEAST_PIXELS:
            return False
        self.masks[kind] = cover
        self.taken = np.maximum(self.taken, cover)
        self.findings.append(Finding(kind, side, box))
        return True

    def free_place(self, cover: Field, radius: float) -> Point | None:
        """Draw a place in mm around which a coverage is full and nothing lies yet."""
        reach = max(1, int(radius / self.frame.mm * 0.7))
        rows, columns = np.nonzero((cover > 0.9) & (self.taken < 0.1))
        for _ in range(40):
            if not len(rows):
                break
            at = int(self.draw.integers(len(rows)))
            y, x = int(rows[at]), int(columns[at])
            if min(x, y) < reach or max(x, y) >= SIZE - reach:
                continue
            there = np.ix_((y - reach, y, y + reach), (x - reach, x, x + reach))
            if self.taken[there].max() < 0.2 and cover[there].min() > 0.5:
                return float(self.frame.x[y, x]), float(self.frame.y[y, x])
        return None

    def finish(self, difficulty: Difficulty, view: View, organs: tuple[Field, Field, Field]) -> Picture:
        """Add noise, contrast and the film curve."""
        noise = self.draw.standard_normal((SIZE, SIZE), dtype=np.float32) * self.between(
            difficulty.noise
        )
        grey = (self.grey + noise - 128) * self.between(difficulty.gain) + 128
        grey = np.clip((grey + self.between(difficulty.offset)) / 255, 0, 1)
        pixels = np.rint(255 * grey ** self.between(difficulty.gamma)).astype(np.uint8)
        order = {kind: number for number, kind in enumerate(KINDS[view])}
        findings = tuple(sorted(self.findings, key=lambda one: order[one.kind]))
        return Picture(view, pixels, findings, self.masks, organs)


def film(draw: np.random.Generator, difficulty: Difficulty, kinds: frozenset[str]) -> Picture:
    """Return a film with these findings, as far as there is room for them."""
    frame = Frame(
        SIZE,
        float(draw.uniform(*difficulty.pixel_mm)),
        degrees=float(draw.uniform(*difficulty.turn)),
        shift=(float(draw.uniform(*difficulty.shift)), float(draw.uniform(*difficulty.shift))),
    )
    canvas = Canvas(draw, frame)
    middle, half = canvas.between((15, 21)), canvas.between((50, 62))
    lungs = {sign: _lung(canvas, sign, middle, half) for sign in (RIGHT, LEFT)}
    both = np.maximum(lungs[RIGHT].cover, lungs[LEFT].cover)
    _body(canvas, lungs, both)
    texture = frame.noise(draw, mm=5) * 0.6 + frame.noise(draw, mm=16) * 0.8
    texture *= canvas.between(difficulty.texture)
    collapsed = np.zeros_like(both)
    if "pneumothorax" in kinds:
        collapsed = _pneumothorax(canvas, difficulty, lungs[canvas.side()])
    canvas.grey += both * (1 - collapsed) * texture
    heart = _heart(canvas, difficulty, lungs, large="cardiomegaly" in kinds)
    _ribs(canvas, lungs, middle, half)
    room = both * (1 - heart)
    if "effusion" in kinds:
        _effusion(canvas, difficulty, lungs[canvas.side()])
    for kind in ("mass", "consolidation", "nodule"):
        if kind in kinds:
            _opacity(canvas, difficulty, kind, room)
    _vessels(canvas, room)
    if "line" in kinds:
        _line(canvas, difficulty, lungs)
    if "device" in kinds:
        _device(canvas, difficulty, lungs)
    _marker(canvas)
    return canvas.finish(difficulty, View.FILM, (lungs[RIGHT].cover, lungs[LEFT].cover, heart))


def _lung(canvas: Canvas, sign: int, middle: float, half: float) -> Lung:
    frame = canvas.frame
    apex = -canvas.between((118, 134))
    dome = canvas.between((62, 82)) - (8 if sign == RIGHT else 0)
    x = sign * (middle + half)
    far = frame.ellipse((x, (apex + dome + 45) / 2), (half, (dome + 45 - apex) / 2), edge=5)
    floor = dome + ((frame.x - x) / half) ** 2 * canvas.between((22, 34))
    return Lung(sign, x, half, apex, dome, far * inside(frame.y - floor, 5))


def _body(canvas: Canvas, lungs: dict[int, Lung], both: Field) -> None:
    frame, between = canvas.frame, canvas.between
    body = np.maximum(
        frame.ellipse((0, 60), (between((168, 186)), between((215, 240))), edge=10),
        frame.ellipse((0, -165), (55, 70), edge=10),
    )
    canvas.grey += 12 + body * between((125, 142)) - both * between((78, 94))
    spine = inside(np.abs(frame.x) - between((15, 19)), 8)
    discs = 0.8 + 0.2 * np.cos(frame.y * (2 * np.pi / 24))
    canvas.grey += body * spine * discs * between((22, 34))
    arch = frame.ellipse((12, -62), (24, 22), edge=6)
    middle = inside(np.abs(frame.x) - between((24, 31)), 7)
    canvas.grey += np.maximum(arch, middle) * body * between((14, 24))
    air = inside(np.abs(frame.x) - 8, 5) * inside(frame.y + between((55, 66)), 8)
    canvas.grey -= air * body * between((14, 22))
    for sign, lung in lungs.items():
        hilum = frame.ellipse((sign * 38, -22 - 5 * sign), (16, 24), edge=16)
        canvas.grey += hilum * between((8, 18))
        collar = [
            (sign * 14, lung.apex + 26),
            (sign * 75, lung.apex + 8),
            (sign * 145, lung.apex - between((2, 22))),
        ]
        canvas.grey += stripe(frame.distance(collar), 13) * between((18, 30))
    gas = frame.ellipse((between((40, 75)), lungs[LEFT].dome + between((24, 34))), (20, 12), edge=5)
    canvas.grey -= gas * between((0, 40))


def _heart(canvas: Canvas, difficulty: Difficulty, lungs: dict[int, Lung], *, large: bool) -> Field:
    between, frame = canvas.between, canvas.frame
    ratio = between(difficulty.large_heart if large else difficulty.normal_heart)
    half = ratio * (lungs[LEFT].x + lungs[LEFT].half)
    tall = between((46, 56)) * (1.15 if large else 1.0)
    centre = (half * between((0.22, 0.34)), lungs[LEFT].dome - tall * 0.62)
    heart = frame.ellipse(centre, (half, tall), edge=6, turn=between((0, 16)))
    level = between((150, 168)) + frame.noise(canvas.draw, mm=18) * 3
    canvas.grey += heart * (np.maximum(canvas.grey, level) - canvas.grey)
    if large:
        # Drawn later, so the heart may be covered: it is a finding, but no obstacle.
        taken = canvas.taken
        canvas.found("cardiomegaly", "central", heart)
        canvas.taken = taken
    return heart


def _ribs(canvas: Canvas, lungs: dict[int, Lung], middle: float, half: float) -> None:
    frame, between = canvas.frame, canvas.between
    cage = np.zeros_like(canvas.grey)
    for lung in lungs.values():
        cage = np.maximum(
            cage,
            frame.ellipse(
                (lung.x, (lung.apex + lung.dome) / 2 + 12), (half + 9, lung.height / 2 + 34), edge=8
            ),
        )
    out = np.abs(frame.x) / (middle + 2 * half)
    gap = between((23, 27))
    for bend, strength, width in ((34.0, (15.0, 25.0), 9.0), (-46.0, (6.0, 13.0), 10.0)):
        curve = frame.y - bend * out**2 * 1.1 + between((0, gap))
        from_middle = (curve / gap - np.floor(curve / gap) - 0.5) * gap
        canvas.grey += stripe(from_middle, width) * cage * between(strength)


def _pneumothorax(canvas: Canvas, difficulty: Difficulty, lung: Lung) -> Field:
    """Draw air without markings at the outer upper part and return where the lung is not."""
    frame, between = canvas.frame, canvas.between
    high = between(difficulty.pneumothorax_height) * lung.height
    wide = between(difficulty.pneumothorax_width) * lung.half * 2
    down = np.clip((frame.y - lung.apex) / high, 0, 1)
    outer = lung.x + lung.sign * lung.half
    edge = outer - lung.sign * wide * (1 - down**2)
    from_edge = (frame.x - edge) * lung.sign
    air = inside(-from_edge, 2) * inside(frame.y - lung.apex - high, 3) * lung.cover
    if canvas.found("pneumothorax", NAMES[lung.sign], air):
        canvas.grey -= air * between((14, 26))
        near = (lung.cover > 0.5) * inside(frame.y - lung.apex - high, 3)
        canvas.grey += stripe(from_edge, 3.4) * near * between((24, 40))
    return air


def _effusion(canvas: Canvas, difficulty: Difficulty, lung: Lung) -> None:
    frame, between = canvas.frame, canvas.between
    across = np.clip((frame.x - lung.x) * lung.sign / lung.half, -1, 1)
    level = lung.dome + 22 - between(difficulty.effusion_height) * lung.height
    surface = level + between((10, 20)) * (1 - across) - 8
    fluid = inside(surface - frame.y, 6) * inside(0.3 - lung.cover, 0.4)
    if canvas.found("effusion", NAMES[lung.sign], fluid):
        canvas.grey += fluid * (np.maximum(canvas.grey, between((138, 160))) - canvas.grey) * 0.9


def _opacity(canvas: Canvas, difficulty: Difficulty, kind: str, room: Field) -> None:
    frame, between, draw = canvas.frame, canvas.between, canvas.draw
    radii: dict[str, Range] = {
        "nodule": difficulty.nodule_radius,
        "mass": difficulty.mass_radius,
        "consolidation": difficulty.consolidation_radius,
    }
    radius = between(radii[kind])
    place = canvas.free_place(room, radius)
    if place is None:
        return
    shape = (radius, radius * between((0.85, 1.15)))
    if kind == "consolidation":
        cover = frame.ellipse(place, shape, edge=16) * inside(0.5 - room, 0.5)
        patchy = np.clip(0.8 + frame.noise(draw, mm=11) * 0.22, 0.3, 1.2)
        drawn = cover * patchy * between(difficulty.consolidation_contrast)
    else:
        cover = frame.ellipse(place, shape, edge=3 if kind == "nodule" else 4, turn=between((0, 90)))
        contrast = difficulty.nodule_contrast if kind == "nodule" else difficulty.mass_contrast
        drawn = cover * between(contrast)
    if canvas.found(kind, NAMES[RIGHT if place[0] < 0 else LEFT], cover):
        canvas.grey += drawn


def _vessels(canvas: Canvas, room: Field) -> None:
    """Draw vessels seen end on: round and bright as a nodule, but small."""
    for _ in range(int(canvas.draw.integers(3, 9))):
        place = (canvas.side() * canvas.between((28, 75)), canvas.between((-70, 45)))
        spot = canvas.frame.ellipse(place, (canvas.between((2.2, 3.6)),) * 2, edge=2)
        canvas.grey += spot * room * canvas.between((15, 40))


def _line(canvas: Canvas, difficulty: Difficulty, lungs: dict[int, Lung]) -> None:
    """Draw a catheter from beside the shoulder to near the heart."""
    between = canvas.between
    sign = canvas.side()
    start = (sign * between((70, 125)), lungs[sign].apex + between((-12, 26)))
    tip = (between((-26, -6)), between((-45, 12)))
    bend = (sign * between((14, 34)), lungs[sign].apex + between((16, 40)))
    t = np.linspace(0, 1, 12)[:, None]
    points = (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(bend) + t**2 * np.array(tip)
    away = canvas.frame.distance([(float(x), float(y)) for x, y in points])
    width = between(difficulty.line_width)
    taken = canvas.taken
    if canvas.found("line", NAMES[sign], inside(away - max(width / 2, canvas.frame.mm / 2), 0.5)):
        canvas.grey += stripe(away, width) * between(difficulty.line_contrast)
    canvas.taken = taken


def _device(canvas: Canvas, difficulty: Difficulty, lungs: dict[int, Lung]) -> None:
    """Draw the can of a pacemaker below the collar bone."""
    frame, between = canvas.frame, canvas.between
    sign = canvas.side()
    x, y = sign * between((62, 105)), lungs[sign].apex + between((32, 70))
    half = between(difficulty.device_radius)
    flat = half * between((0.75, 0.95))
    far = (np.abs((frame.x - x) / half) ** 4 + np.abs((frame.y - y) / flat) ** 4) ** 0.25
    can = inside((far - 1) * flat, 2)
    if canvas.found("device", NAMES[sign], can):
        canvas.grey += can * (between((215, 240)) - canvas.grey)


def _marker(canvas: Canvas) -> None:
    """Draw a side letter at the upper edge, on its own side: bright, sharp and no finding."""
    sign = canvas.side()
    x, y = sign * canvas.between((130, 160)), -canvas.between((140, 165))
    letter = [(x, y), (x, y + 14), (x + 8, y + 14)]
    if sign == RIGHT:
        letter = [(x, y + 14), (x, y), (x + 7, y + 3), (x, y + 7), (x + 8, y + 14)]
    canvas.grey += stripe(canvas.frame.distance(letter), 3) * canvas.between((60, 110))

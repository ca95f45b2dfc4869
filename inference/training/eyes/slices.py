"""CT slices: a chest in a lung window and a head in a brain window, feet towards the viewer."""

from __future__ import annotations

import numpy as np

from inference.training.eyes.film import LEFT, NAMES, RIGHT, Canvas
from inference.training.eyes.pictures import SIZE, Difficulty, Picture, Range, View
from inference.training.eyes.shapes import Field, Frame, inside, stripe


def _canvas(draw: np.random.Generator, difficulty: Difficulty, pixel: Range) -> Canvas:
    frame = Frame(
        SIZE,
        float(draw.uniform(*pixel)),
        degrees=float(draw.uniform(*difficulty.turn)),
        shift=(float(draw.uniform(*difficulty.shift)), float(draw.uniform(*difficulty.shift))),
    )
    return Canvas(draw, frame)


def chest_slice(draw: np.random.Generator, difficulty: Difficulty, kinds: frozenset[str]) -> Picture:
    """Return an axial slice through the lungs with these findings."""
    canvas = _canvas(draw, difficulty, difficulty.slice_pixel_mm)
    frame, between = canvas.frame, canvas.between
    body = frame.ellipse((0, 0), (between((148, 165)), between((98, 115))), edge=3)
    half, deep = between((46, 56)), between((66, 78))
    lungs = {
        sign: frame.ellipse((sign * (half + 17), 0), (half, deep), edge=3, turn=sign * between((4, 12)))
        for sign in (RIGHT, LEFT)
    }
    heart = frame.ellipse(
        (between((10, 22)), -22), (between((40, 52)), between((32, 42))), edge=3, turn=30
    )
    spine = frame.ellipse((0, between((58, 66))), (20, 18), edge=3)
    both = np.maximum(lungs[RIGHT], lungs[LEFT]) * (1 - heart) * (1 - spine)
    tissue = between((188, 212))
    canvas.grey += 6 + body * (tissue - 6) + np.maximum(heart, spine) * 14
    markings = frame.noise(draw, mm=4) * 0.7 + frame.noise(draw, mm=12) * 0.7
    lung = between((42, 62)) + markings * between(difficulty.texture) * 0.8
    canvas.grey += both * (lung - canvas.grey)
    if "pneumothorax" in kinds:
        sign = canvas.side()
        # Air rises to the front of a patient who lies on the back.
        level = -deep + between((0.35, 0.9)) * deep - 0.25 * (frame.x * sign - half)
        air = inside(frame.y - level, 2) * lungs[sign] * (1 - heart)
        if canvas.found("pneumothorax", NAMES[sign], air):
            canvas.grey += air * (between((4, 12)) - canvas.grey)
            canvas.grey += stripe(frame.y - level, 3) * lungs[sign] * (1 - heart) * between((40, 70))
    if "effusion" in kinds:
        sign = canvas.side()
        level = deep * between((0.05, 0.6)) - 0.3 * (frame.x * sign - half)
        fluid = inside(level - frame.y, 3) * lungs[sign] * (1 - spine)
        if canvas.found("effusion", NAMES[sign], fluid):
            canvas.grey += fluid * (tissue - between((8, 20)) - canvas.grey)
    for kind, radii in (
        ("mass", difficulty.mass_radius),
        ("consolidation", difficulty.consolidation_radius),
        ("nodule", difficulty.slice_nodule_radius),
    ):
        if kind in kinds:
            _opacity(canvas, kind, between(radii), both)
    for _ in range(int(draw.integers(14, 30))):
        sign, out = canvas.side(), float(draw.random())
        place = (sign * (24 + out * (2 * half - 12)), between((-0.7, 0.7)) * deep)
        vessel = frame.ellipse(place, (between((1.6, 4.0)) * (1.2 - 0.7 * out),) * 2, edge=2)
        canvas.grey += vessel * both * between((70, 130)) * (canvas.taken < 0.3)
    return canvas.finish(difficulty, View.CHEST, (lungs[RIGHT], lungs[LEFT], heart))


def _opacity(canvas: Canvas, kind: str, radius: float, room: Field) -> None:
    place = canvas.free_place(room, radius)
    if place is None:
        return
    frame, between = canvas.frame, canvas.between
    shape = (radius, radius * between((0.85, 1.15)))
    if kind == "consolidation":
        cover = frame.ellipse(place, shape, edge=10) * room
        patchy = np.clip(0.75 + frame.noise(canvas.draw, mm=9) * 0.3, 0.2, 1.1)
        drawn = cover * patchy * between((85, 125))
    else:
        cover = frame.ellipse(place, shape, edge=2, turn=between((0, 90)))
        drawn = cover * np.maximum(between((125, 150)) - 0.6 * (canvas.grey - 50), 30)
    if canvas.found(kind, NAMES[RIGHT if place[0] < 0 else LEFT], cover):
        canvas.grey += drawn


def head_slice(draw: np.random.Generator, difficulty: Difficulty) -> Picture:
    """Return an axial slice through the ventricles, with a haemorrhage or without one."""
    canvas = _canvas(draw, difficulty, difficulty.head_pixel_mm)
    frame, between = canvas.frame, canvas.between
    wide, tall = between((66, 74)), between((84, 94))
    skull = frame.ellipse((0, 0), (wide + 7, tall + 7), edge=2)
    brain = frame.ellipse((0, 0), (wide, tall), edge=2)
    grey = between((92, 108)) + frame.noise(draw, mm=7) * 6 + frame.noise(draw, mm=3) * 3
    canvas.grey += 6 + skull * 228 + brain * (grey - 234)
    rim = brain - frame.ellipse((0, 0), (wide - 11, tall - 11), edge=5)
    canvas.grey -= np.clip(rim, 0, 1) * np.clip(frame.noise(draw, mm=5), 0, 2) * between((8, 18))
    for sign in (RIGHT, LEFT):
        for at, size, turn in (((9, -20), (4.5, 16), 18), ((13, 22), (5, 15), -22)):
            horn = frame.ellipse((sign * at[0], at[1]), size, edge=3, turn=sign * turn)
            canvas.grey -= horn * brain * between((45, 60))
    canvas.grey += stripe(frame.x, 2.2) * (np.abs(frame.y) > 38) * brain * between((14, 26))
    for place in ((-15.0, 32.0), (15.0, 32.0), (0.0, 10.0)):
        if draw.random() < 0.6:
            chalk = frame.ellipse(place, (between((1.5, 3.0)),) * 2, edge=1.5)
            canvas.grey += chalk * between((60, 110))
    if draw.random() < difficulty.head_haemorrhage:
        _haemorrhage(canvas, difficulty, brain, wide, tall)
    nothing = np.zeros_like(brain)
    halves = (brain * (frame.x < 0), brain * (frame.x >= 0))
    return canvas.finish(difficulty, View.HEAD, (halves[0], halves[1], nothing))


def _haemorrhage(
    canvas: Canvas, difficulty: Difficulty, brain: Field, wide: float, tall: float
) -> None:
    """Draw a bleed within the brain, or a crescent under the skull."""
    frame, between = canvas.frame, canvas.between
    if canvas.draw.random() < 0.6:
        radius = between(difficulty.haemorrhage_radius)
        sign = canvas.side()
        place = (sign * between((radius * 0.6 + 6, wide * 0.62)), between((-0.5, 0.5)) * tall)
        cover = frame.ellipse(
            place, (radius, radius * between((0.6, 1.0))), edge=4, turn=between((0, 180))
        )
        cover = cover * brain
    else:
        sign, thick = canvas.side(), between((9, 18))
        inner = frame.ellipse((-sign * thick, 0), (wide, tall + 4), edge=3)
        cover = brain * (1 - inner) * inside(-frame.x * sign, 8)
        level = between((-0.25, 0.25)) * tall
        cover = cover * inside(np.abs(frame.y - level) - between((0.4, 0.7)) * tall, 10)
    if canvas.found("haemorrhage", NAMES[sign], cover):
        canvas.grey += cover * between(difficulty.haemorrhage_contrast)

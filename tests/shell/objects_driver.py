"""A person at the list of objects, and what the images show then."""

from __future__ import annotations

import numpy as np
from object_scene import BOXES, slices
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from shell_driver import Driver

from app.shell.objects.part import ObjectsPart
from app.shell.objects.rows import Row, RowKind
from viewer.imaging.objects.foreign import ObjectKind


def part(driver: Driver) -> ObjectsPart:
    (found,) = (one for one in driver.reading.parts.all if isinstance(one, ObjectsPart))
    return found


def row(driver: Driver, kind: ObjectKind, label: str = "") -> Row:
    """Return the row of an object; of the whole segmentation unless another is named."""
    unwanted = "" if label else "CUT"
    return next(
        one
        for one in part(driver).page.list.rows()
        if one.kind is RowKind.OBJECT
        and one.found.kind is kind
        and one.text != unwanted
        and label in one.text
    )


def page(driver: Driver):
    assert driver.window.acts.perform("objects.page")
    assert part(driver).page.isVisible()
    return part(driver).page


def choose(driver: Driver, kind: ObjectKind, label: str = "") -> Row:
    found = row(driver, kind, label)
    page(driver).list.choose(found.uid)
    part(driver).page.list.setFocus()
    return found


def settle(driver: Driver) -> None:
    driver.until(lambda: not driver.reading.work.is_busy)


def check(driver: Driver, kind: ObjectKind, label: str = "") -> Row:
    """Check or uncheck an object by the space bar and wait for its content."""
    found = choose(driver, kind, label)
    driver.press(Qt.Key.Key_Space)
    settle(driver)
    return found


def slice_shown(driver: Driver) -> int:
    """Return which slice of the phantom, by file name, the active viewport shows."""
    model = driver.viewport.model
    instance = model.stack.series.instances[model.stack.frames[model.state.index][0]]
    uids = [one.SOPInstanceUID for one in slices()]
    return uids.index(instance.sop_instance_uid)


def go_to_slice(driver: Driver, number: int) -> None:
    model, uid = driver.viewport.model, slices()[number].SOPInstanceUID
    index = next(
        place
        for place, (instance, _) in enumerate(model.stack.frames)
        if model.stack.series.instances[instance].sop_instance_uid == uid
    )
    driver.viewport.set_state(model.state.at(index, model.count))


def shown(driver: Driver) -> np.ndarray:
    """What the active viewport shows: (y, x, 3)."""
    image = driver.viewport.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int64)


def at(driver: Driver, *points: tuple[float, float]) -> np.ndarray:
    """Colours at image points."""
    picture = shown(driver)
    places = [driver.viewport.model.to_widget(point) for point in points]
    return np.array([picture[int(y), int(x)] for x, y in places])


def is_red(colours: np.ndarray) -> np.ndarray:
    return colours[..., 0] - colours[..., 1] > 60


def is_coloured(colours: np.ndarray) -> np.ndarray:
    return np.ptp(colours, axis=-1) > 24


def middle(number: int) -> tuple[float, float]:
    top, bottom, left, right = BOXES[number]
    return (left + right) / 2, (top + bottom) / 2

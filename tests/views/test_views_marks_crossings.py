"""Marks of oblique planes on the images that they cross."""

from __future__ import annotations

import numpy as np
import pytest
from marks_driver import layer_of

from viewer.imaging.marks import Mark, MarkKind, MarkPlane
from viewer.imaging.marks_plane import lifted

pytestmark = pytest.mark.gui


def patient_mark(stack, kind: MarkKind, points, *, row, column, depth: float = 0.0) -> Mark:
    """A mark round the middle of the fifth image, from millimetres of a plane through it."""
    plane = stack.series.plane_of(stack.frames[4])
    middle = plane.pixel_to_patient(np.array([[48.0, 32.0]]))[0] + depth * plane.normal
    place = tuple(float(one) for one in middle)
    plain = Mark(
        kind=kind,
        points=tuple(place for _ in range(4 if kind is MarkKind.RECTANGLE else len(points))),
        series_instance_uid=stack.series.series_instance_uid,
        series_key=stack.series.key,
        frame_of_reference_uid=stack.series.frame_of_reference_uid,
        plane=MarkPlane(origin=place, row_cosines=row, column_cosines=column),
    )
    return lifted(plain, points)


def test_a_line_through_the_image_is_a_point_and_an_area_a_chord(marked, board, stack) -> None:
    plane = stack.series.plane_of(stack.frames[4])
    across, normal = plane.row_cosines, tuple(float(one) for one in plane.normal)
    line = patient_mark(stack, MarkKind.LENGTH, ((-6.0, -8.0), (6.0, 8.0)), row=across, column=normal)
    box = patient_mark(
        stack, MarkKind.RECTANGLE, ((-10.0, -8.0), (10.0, 8.0)), row=across, column=normal
    )
    bare = marked.grab().toImage()
    board.add(line, box)
    (_, points), (_, chords) = layer_of(marked).here.crossing()
    assert [len(found) for found, _ in points] == [1]
    assert np.allclose(points[0][0], (48.0, 32.0))
    ((ends, closed),) = chords
    assert not closed and sorted(ends[:, 0].tolist()) == pytest.approx([38.0, 58.0])
    assert np.allclose(ends[:, 1], 32.0) and marked.grab().toImage() != bare
    # 16 mm further on nothing of them is left
    marked.do("viewport.last")
    marked.do("viewport.first")
    assert {len(found) for _, found in layer_of(marked).here.crossing()} <= {1}
    board.remove(line.id, box.id)
    assert layer_of(marked).here.crossing() == []


def test_a_mark_in_the_plane_of_an_image_is_there_as_a_whole_and_on_no_other(
    marked, board, stack
) -> None:
    plane = stack.series.plane_of(stack.frames[4])
    flat = patient_mark(
        stack,
        MarkKind.ELLIPSE,
        ((-10.0, 0.0), (10.0, 0.0), (0.0, -5.0), (0.0, 5.0)),
        row=plane.row_cosines,
        column=plane.column_cosines,
        depth=0.2,
    )
    board.add(flat)
    ((_, lines),) = layer_of(marked).here.crossing()
    ((ring, closed),) = lines
    assert closed and np.allclose(ring.mean(axis=0), (48.0, 32.0), atol=1e-6)
    marked.do("viewport.next")
    assert layer_of(marked).here.crossing() == []
    other = flat.changed(id="other", frame_of_reference_uid="9.9")
    board.add(other)
    marked.do("viewport.previous")
    assert [mark.id for mark, _ in layer_of(marked).here.crossing()] == [flat.id]

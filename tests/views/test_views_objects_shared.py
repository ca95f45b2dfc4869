"""Objects of other programs over their own images: what the reader sees, against the ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from objects_sample import at, is_coloured, pixels
from PIL import Image
from pytestqt.qtbot import QtBot

from viewer.imaging.objects.content import ObjectContent
from viewer.imaging.objects.contours import StructureSetContent
from viewer.imaging.objects.foreign import ObjectKind
from viewer.imaging.objects.placing import align
from viewer.imaging.objects.segments import SegmentationContent
from viewer.imaging.objects.states import PresentationContent
from viewer.imaging.reader import Reader
from viewer.imaging.study import Series, Study
from viewer.views.objects.board import ObjectsBoard
from viewer.views.objects.layers import layers_of
from viewer.views.objects.laying import LaidRegions
from viewer.views.objects.presentation_layer import presenter_of
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_state import at_scale

pytestmark = pytest.mark.gui

Show = Callable[[Study, Series, tuple[int, int]], ImageViewport]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as one:
        yield one


@pytest.fixture
def board() -> ObjectsBoard:
    return ObjectsBoard()


@pytest.fixture
def show(qtbot: QtBot, reader: Reader, board: ObjectsBoard) -> Iterator[Show]:
    """Shows a series of a study in a viewport of some size, one widget pixel for one of the image."""
    opened = []

    def make(study: Study, series: Series, size: tuple[int, int]) -> ImageViewport:
        stack = reader.open(series)
        opened.append(stack)
        viewport = ImageViewport()
        qtbot.addWidget(viewport)
        viewport.resize(*size)
        for layer in layers_of(board):
            viewport.add_layer(layer)
        viewport.show_stack(stack.stack, study)
        viewport.set_corner_text(False)
        with qtbot.waitExposed(viewport):
            viewport.show()
        return viewport

    yield make
    for stack in opened:
        stack.release()


def study_of(reader: Reader, path: Path, kind: ObjectKind) -> tuple[Study, list[ObjectContent]]:
    """Index a folder and read the objects of a kind in its study with images."""
    (study,) = (one for one in reader.index([path]).studies if one.series)
    return study, [reader.read_object(one) for one in study.objects if one.kind is kind]


def one_to_one(viewport: ImageViewport) -> None:
    model = viewport.model
    viewport.set_state(at_scale(model.state, model.image_size(), *model.size, scale=1.0))


def test_a_presentation_state_shows_its_golden_picture_on_the_screen(
    shared_data: Path,
    tmp_path: Path,
    reader: Reader,
    board: ObjectsBoard,
    show: Show,
) -> None:
    folder = shared_data / "sr-seg-rt" / "gsps"
    for name in ("prLUTs.dcm", "imageForPrLUTs.dcm"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    study, (content,) = study_of(reader, tmp_path, ObjectKind.PRESENTATION_STATE)
    assert isinstance(content, PresentationContent)
    golden = np.asarray(Image.open(folder / "expected_imgForPrLUT.png").convert("L")).astype(np.int64)
    rows, columns = golden.shape
    viewport = show(study, study.series[0], (columns, rows))
    presenter = presenter_of(viewport)
    assert presenter is not None
    assert presenter.apply(content)
    board.set_graphics(False)
    one_to_one(viewport)
    # the notes on the state lie over the upper rows
    difference = np.abs(pixels(viewport)[96:, :, 0] - golden[96:])
    assert difference.max() <= 1


def test_the_liver_of_a_segmentation_is_coloured_pixel_for_pixel(
    shared_data: Path, reader: Reader, board: ObjectsBoard, show: Show
) -> None:
    study, contents = study_of(
        reader, shared_data / "sr-seg-rt" / "dcmqi_liver", ObjectKind.SEGMENTATION
    )
    content = next(one for one in contents if one.about.path.endswith("liver.dcm"))
    assert isinstance(content, SegmentationContent)
    series = study.series[0]
    first = series.instances[0]
    viewport = show(study, series, (3 * first.columns, 3 * first.rows))
    board.add(content)
    board.set_opacity(1.0)
    board.show_parts([part.key for part in board.parts(content.about.sop_instance_uid)], True)
    laid = align(content, series, series.frame_order())
    total = 0
    for index in range(viewport.model.count):
        viewport.set_state(viewport.model.state.at(index, viewport.model.count))
        mask = laid.mask(1, index) > 0
        # away from the outline, which reaches into the pixels beside it
        inner = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
        free = ~mask
        outer = free[1:-1, 1:-1] & free[:-2, 1:-1] & free[2:, 1:-1] & free[1:-1, :-2]
        outer &= free[1:-1, 2:]
        grid = np.stack(np.meshgrid(np.arange(mask.shape[1]), np.arange(mask.shape[0])), axis=-1)
        points = grid[1:-1, 1:-1].astype(np.float64)
        assert is_coloured(at(viewport, points[inner])).all()
        assert not is_coloured(at(viewport, points[outer])).any()
        total += int(inner.sum())
    assert total > 1000


def test_contours_of_a_structure_set_run_along_the_edge_of_the_reference_mask(
    shared_data: Path, reader: Reader, board: ObjectsBoard, show: Show
) -> None:
    import SimpleITK as sitk  # noqa: N813 - its usual name

    folder = shared_data / "pet" / "STS_002_petct"
    study, contents = study_of(reader, folder, ObjectKind.STRUCTURE_SET)
    content = next(one for one in contents if one.about.path.endswith("rtstruct_ct.dcm"))
    assert isinstance(content, StructureSetContent)
    reference = sitk.ReadImage(str(folder / "reference_mask_ct.nii.gz"))
    series = next(one for one in study.series if one.modality == "CT")
    viewport = show(study, series, (4 * 161, 4 * 143))
    stack = viewport.model.stack
    assert stack is not None
    board.add(content)
    board.show_parts([part.key for part in board.parts(content.about.sop_instance_uid)], True)
    laid = board.laid(content, stack)
    assert isinstance(laid, LaidRegions)
    index = laid.largest_frame(content.regions[0].number)
    assert index is not None
    viewport.set_state(viewport.model.state.at(index, viewport.model.count))
    plane = series.plane_of(stack.frames[index])
    assert plane is not None
    grid = np.stack(np.meshgrid(np.arange(161.0), np.arange(143.0)), axis=-1).reshape(-1, 2)
    mask = (
        np.array(
            [
                reference.GetPixel(reference.TransformPhysicalPointToIndex(place.tolist()))
                for place in plane.pixel_to_patient(grid)
            ]
        )
        .reshape(143, 161)
        .astype(bool)
    )
    edge = mask & ~(
        np.roll(mask, 1, 0) & np.roll(mask, -1, 0) & np.roll(mask, 1, 1) & np.roll(mask, -1, 1)
    )
    shown = is_coloured(pixels(viewport))
    blocks = shown[: 143 * 4, : 161 * 4].reshape(143, 4, 161, 4).any(axis=(1, 3))
    near = blocks.copy()
    for axis in (0, 1):
        near |= np.roll(blocks, 1, axis) | np.roll(blocks, -1, axis)
    assert edge.sum() > 50
    assert near[edge].all()  # the line is within a pixel of the edge everywhere
    inside = mask.copy()
    for _ in range(3):
        inside &= np.roll(inside, 1, 0) & np.roll(inside, -1, 0)
        inside &= np.roll(inside, 1, 1) & np.roll(inside, -1, 1)
    assert inside.any()
    assert not blocks[inside].any()

"""Operations of the imaging worker: index, decode, thumbnail, overlays, objects of others.

The window parses no DICOM.
"""

from __future__ import annotations

import base64
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from viewer.imaging.codestream import DecodeError
from viewer.imaging.decode import THREADS, TileReader, decode_one, decode_stack
from viewer.imaging.headers import HeaderError
from viewer.imaging.index import index_paths
from viewer.imaging.lasting import forget_lasting
from viewer.imaging.layout import LayoutError, StackLayout, frame_dtype, frame_shape, stack_layout
from viewer.imaging.mappings import pack
from viewer.imaging.overlays import overlay_masks
from viewer.imaging.portions import study_lines
from viewer.imaging.render import thumbnail
from viewer.imaging.sources import Cancelled
from viewer.imaging.study import BadFile, Instance, Series
from viewer.imaging.worker.memory import map_pages
from viewer.imaging.worker.serve import Handler, Refused, WorkerContext

LINES_AT_ONCE = 8
"""Lines of studies in one message: it is read at once, by a thread of a window that draws."""


def index(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Index paths.

    Parameters
    ----------
    params
        `paths`: absolute paths; `archive_dir`: folder for unpacked archives, optional; `skip`: files
        that brought a worker down before.

    Returns
    -------
    dict
        `index`: a `StudyIndex` without its studies as JSON text; these are said before as events,
        `studies`: lines as `study_lines` writes them.
    """
    folder = params.get("archive_dir")
    try:
        found = index_paths(
            [str(path) for path in params["paths"]],
            archive_dir=Path(folder) if folder else None,
            on_progress=lambda count, total: context.emit({"progress": count, "total": total}),
            on_risk=lambda path: context.emit({"reading": path}),
            skip=frozenset(params.get("skip", ())),
            cancelled=context.cancelled,
        )
    except Cancelled as error:
        raise Refused("cancelled", "Stopped as asked.") from error
    finally:
        forget_lasting()
    for study in found.studies:
        lines = list(study_lines(study))
        for start in range(0, len(lines), LINES_AT_ONCE):
            context.emit({"studies": lines[start : start + LINES_AT_ONCE]})
    return {"index": found.model_dump_json(exclude_defaults=True, exclude={"studies"})}


@lru_cache(maxsize=4)
def _laid_out(text: str) -> tuple[Series, StackLayout]:
    """Return a series from its JSON text, and its layout; most series are asked for more than once."""
    series = Series.model_validate_json(text)
    return series, stack_layout(series)


def decode(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Decode frames of a series into the first buffer.

    Parameters
    ----------
    params
        `series`: a `Series` as JSON text; `first`: index of the frame that is wanted first;
        `wanted`: frame indices, all when absent.

    Returns
    -------
    dict
        `dtype`, `shape`, `frames`, `decoder`, and `bad`: pairs of frame index and `BadFile`.
    """
    try:
        series, layout = _laid_out(params["series"])
        stack = context.buffers[0].view(layout.dtype, layout.shape, writable=True)
        decoded = decode_stack(
            series,
            layout,
            stack,
            first=int(params.get("first", 0)),
            wanted=params.get("wanted"),
            prepare=map_pages,
            on_frames=lambda frames: context.emit({"frames": frames}),
            cancelled=context.cancelled,
        )
    except LayoutError as error:
        raise Refused(error.code, str(error)) from error
    except Cancelled as error:
        raise Refused("cancelled", "Stopped as asked.") from error
    return {
        "dtype": layout.dtype.name,
        "shape": list(layout.shape),
        "frames": [list(frame) for frame in layout.frames],
        "decoder": "+".join(sorted(decoded.decoders)),
        "bad": [[frame, bad.model_dump(mode="json")] for frame, bad in sorted(decoded.bad.items())],
    }


def thumbnail_of(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Render a small picture of one frame.

    Parameters
    ----------
    params
        `series` as for `decode`; `index`: frame, the middle one when absent; `size`: longer side.

    Returns
    -------
    dict
        `shape` and `pixels` (base64 of uint8).
    """
    size = min(max(int(params.get("size", 96)), 8), 512)
    try:
        series, layout = _laid_out(params["series"])
        wanted = int(params.get("index", layout.shape[0] // 2))
        frame = min(max(wanted, 0), layout.shape[0] - 1)
        picture = thumbnail(series, layout.frames, frame, decode_one(series, layout, frame), size)
    except (LayoutError, DecodeError) as error:
        raise Refused(error.code, str(error)) from error
    pixels = base64.b64encode(picture.tobytes()).decode("ascii")
    return {"shape": list(picture.shape), "pixels": pixels}


def overlays(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Read the overlays of one frame of an image.

    Parameters
    ----------
    params
        `instance`: an `Instance` as JSON text; `frame`: its frame, from 1.

    Returns
    -------
    dict
        `masks`: pairs of overlay group and packed bits of the whole image, rows on end.
    """
    instance = Instance.model_validate_json(params["instance"])
    try:
        masks = overlay_masks(instance, int(params["frame"]))
    except Exception as error:  # pydicom raises whatever its input provokes
        words = f"The overlays of this image cannot be read ({type(error).__name__})."
        raise Refused("corrupt", words) from error
    packed = [[group, pack(np.packbits(mask).tobytes())] for group, mask in masks.items()]
    return {"masks": packed}


@lru_cache(maxsize=8)
def _tile_reader(text: str) -> TileReader:
    """Return the reader of a level, which keeps where its frames lie."""
    instance = Instance.model_validate_json(text)
    if instance.tiling is None:
        raise Refused("unsupported", "This image has no tiles.")
    return TileReader(instance, instance.tiling)


def tiles(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Decode tiles of one level of a slide into the first buffer.

    Parameters
    ----------
    params
        `instance`: the level, an `Instance` as JSON text; `tiles`: row, column, focal plane and
        optical path of each.

    Returns
    -------
    dict
        `bad`: pairs of the place in `tiles` and `BadFile`.
    """
    reader = _tile_reader(params["instance"])
    stored = reader.stored
    places = [tuple(int(number) for number in place) for place in params["tiles"]]
    shape = (len(places), *frame_shape(stored))
    buffer = context.buffers[0].view(np.dtype(frame_dtype(stored)), shape, writable=True)

    def fill(index: int) -> BadFile | None:
        if context.cancelled():
            return None
        row, column, plane, path = places[index]
        try:
            tile, _ = reader.read(row, column, plane=plane, path=path)
        except (DecodeError, LayoutError, HeaderError) as error:
            return BadFile(path=stored.path, reason=str(error), code=error.code)
        except Exception as error:  # a damaged file provokes anything in the parsers
            words = f"A tile cannot be read ({type(error).__name__})."
            return BadFile(path=stored.path, reason=words, code="corrupt")
        buffer[index, : tile.shape[0], : tile.shape[1]] = tile
        return None

    with warnings.catch_warnings(), ThreadPoolExecutor(THREADS, thread_name_prefix="tiles") as pool:
        warnings.simplefilter("ignore")
        outcomes = list(pool.map(fill, range(len(places))))
    if context.cancelled():
        raise Refused("cancelled", "Stopped as asked.")
    return {"bad": [[at, bad.model_dump(mode="json")] for at, bad in enumerate(outcomes) if bad]}


def object_content(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Read an object of others: see `viewer.imaging.objects.handler`, imported with the first one."""
    from viewer.imaging.objects import handler

    return handler.object_content(params, context)


def register(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Register two volumes: see `viewer.imaging.registration.handle`, imported with the first one."""
    from viewer.imaging import registration

    return registration.handle(params, context)


HANDLERS: dict[str, Handler] = {
    "index": index,
    "decode": decode,
    "thumbnail": thumbnail_of,
    "overlays": overlays,
    "object": object_content,
    "tiles": tiles,
    "register": register,
}

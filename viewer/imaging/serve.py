"""Operations of the imaging worker: index, decode, thumbnail. Parses DICOM, so the window need not."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from viewer.imaging.codestream import DecodeError
from viewer.imaging.decode import decode_one, decode_stack
from viewer.imaging.index import index_paths
from viewer.imaging.layout import LayoutError, stack_layout
from viewer.imaging.render import thumbnail
from viewer.imaging.sources import Cancelled
from viewer.imaging.study import Series
from viewer.imaging.worker.memory import map_pages
from viewer.imaging.worker.serve import Handler, Refused, WorkerContext


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
        `index`: a `StudyIndex` as JSON text.
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
    return {"index": found.model_dump_json(exclude_defaults=True)}


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
    series = Series.model_validate_json(params["series"])
    try:
        layout = stack_layout(series)
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
    series = Series.model_validate_json(params["series"])
    size = min(max(int(params.get("size", 96)), 8), 512)
    try:
        layout = stack_layout(series)
        wanted = int(params.get("index", layout.shape[0] // 2))
        frame = min(max(wanted, 0), layout.shape[0] - 1)
        picture = thumbnail(series, layout.frames, frame, decode_one(series, layout, frame), size)
    except (LayoutError, DecodeError) as error:
        raise Refused(error.code, str(error)) from error
    pixels = base64.b64encode(picture.tobytes()).decode("ascii")
    return {"shape": list(picture.shape), "pixels": pixels}


HANDLERS: dict[str, Handler] = {"index": index, "decode": decode, "thumbnail": thumbnail_of}

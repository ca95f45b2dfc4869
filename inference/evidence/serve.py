"""Operations of the evidence worker: collect, measure one region, write masks as DICOM SEG."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from inference.evidence.body_region import REQUEST_MISMATCH, RegionMismatch
from inference.evidence.collect import collect
from inference.evidence.masks import MaskError, MaskStore
from inference.evidence.region_statistics import RegionStatistics
from inference.evidence.seg import SegError, write_seg
from inference.evidence.tool import DrawnRegion, MeasureContext, ToolCancelled
from reports.domain import Source
from viewer.imaging.regions import Region
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack, as_volume
from viewer.imaging.worker.serve import Handler, Refused, WorkerContext

CANCELLED = Refused("cancelled", "Stopped as asked.")


class DrawnWord(BaseModel):
    """A drawn region on the wire."""

    model_config = ConfigDict(extra="forbid")

    region: Region
    label: str = Field(max_length=200)


class StackWord(BaseModel):
    """A series and where its pixels lie in the first buffer.

    Parameters
    ----------
    study
        The study with this one series, as JSON text.
    dtype, shape
        Array of the buffer.
    planes
        Planes of the buffer that hold an image, in order; all the others could not be decoded.
    frames
        (instance, frame number) of each of these planes.
    """

    model_config = ConfigDict(extra="forbid")

    study: str
    dtype: str = Field(pattern=r"^u?int(8|16|32)$|^float(32|64)$")
    shape: tuple[int, ...] = Field(min_length=3, max_length=4)
    planes: list[int]
    frames: list[tuple[int, int]]
    decoder: str = ""
    drawn: list[DrawnWord] = Field(default_factory=list, max_length=500)
    body_region: str = ""
    asked_region: str = ""
    inputs: dict[str, Region] = Field(default_factory=dict, max_length=20)


def _context(word: StackWord, context: WorkerContext, *, as_box: bool) -> MeasureContext:
    study = Study.model_validate_json(word.study)
    series = study.series[0]
    stored = context.buffers[0].view(word.dtype, word.shape)
    if word.planes != list(range(word.shape[0])):
        stored = stored[word.planes]
    stack = ImageStack(series=series, stored=stored, frames=tuple(word.frames), decoder=word.decoder)
    return MeasureContext(
        study=study,
        series=series,
        stack=stack,
        # A single region needs no volume, and making one may copy all pixels.
        volume=as_volume(stack) if as_box else series.verdict,
        regions=tuple(DrawnRegion(one.region, one.label) for one in word.drawn),
        body_region=word.body_region,
        inputs=word.inputs,
        cancelled=context.cancelled,
    )


def collect_evidence(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Run all tools over a series.

    Parameters
    ----------
    params
        A `StackWord`; the pixels are in the first buffer.

    Returns
    -------
    dict
        `ledger`: JSON text; `masks`: the blob of a `MaskStore` in base64.
    """
    word = StackWord.model_validate(params)
    measured = _context(word, context, as_box=True)
    try:
        collected = collect(
            measured,
            asked_region=word.asked_region,
            on_event=context.emit,
            cancelled=context.cancelled,
        )
    except ToolCancelled:
        raise CANCELLED from None
    except RegionMismatch as error:
        raise Refused(REQUEST_MISMATCH, str(error)) from error
    return {
        "ledger": collected.ledger.model_dump_json(by_alias=True),
        "masks": base64.b64encode(collected.masks.to_bytes()).decode("ascii"),
    }


def measure_region(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Measure one drawn region.

    Parameters
    ----------
    params
        `stack`: a `StackWord` with one drawn region; `evidence_id`: the id that it gets.

    Returns
    -------
    dict
        `evidence`: JSON text.
    """
    measured = _context(StackWord.model_validate(params["stack"]), context, as_box=False)
    evidence = RegionStatistics().measure_one(measured, measured.regions[0], str(params["evidence_id"]))
    return {"evidence": evidence.model_dump_json()}


def write_masks(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Write masks as DICOM SEG.

    Parameters
    ----------
    params
        `masks`: blob in base64; `sources`: files in the order of planes; `path`: where to;
        `tool`: a `Source`; `tracking`: sha256 of a mask -> its tracking UID, optional.

    Returns
    -------
    dict
        `sop_instance_uid` and `sha256` of the file.
    """
    if context.cancelled():
        raise CANCELLED
    path = Path(params["path"])
    try:
        masks = MaskStore.from_bytes(base64.b64decode(params["masks"]))
        uid = write_seg(
            masks,
            [Path(one) for one in params["sources"]],
            path,
            tool=Source.model_validate(params["tool"]),
            tracking=params.get("tracking"),
        )
    except SegError as error:
        raise Refused(error.code, str(error)) from error
    except MaskError as error:
        raise Refused("masks", str(error)) from error
    return {"sop_instance_uid": uid, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


HANDLERS: dict[str, Handler] = {
    "collect": collect_evidence,
    "measure_region": measure_region,
    "write_seg": write_masks,
}

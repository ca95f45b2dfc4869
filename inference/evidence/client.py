"""The host's way to evidence: `EvidenceClient` runs the tools in the evidence worker. No DICOM here."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from inference.evidence.collect import Collected
from inference.evidence.masks import MaskStore
from inference.evidence.tool import DrawnRegion
from reports.domain import Evidence, Ledger, Source, SourceKind
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Series, Study
from viewer.imaging.volume import ImageStack
from viewer.imaging.worker.host import CancelToken, WorkerHost

MASKS_SOURCE = Source(kind=SourceKind.TOOL, name="sightline-evidence", version="2")
"""The algorithm named in a segmentation: its segments come from several tools, as their labels say."""


class EvidenceClient:
    """Measures open series in a worker process. Methods block; call them where nothing is drawn.

    Parameters
    ----------
    host
        The worker; one of its own by default, which `close` ends.
    """

    def __init__(self, host: WorkerHost | None = None) -> None:
        self.host = host or WorkerHost("evidence")

    def collect(
        self,
        study: Study,
        opened: OpenStack,
        *,
        regions: Sequence[DrawnRegion] = (),
        body_region: str = "",
        asked_region: str = "",
        on_event: Callable[[dict[str, Any]], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Collected:
        """Run the tools that fit an open series; events are those of `collect.collect`.

        Parameters
        ----------
        body_region, asked_region
            Body regions that header and request name; empty when they name none.

        Raises
        ------
        WorkerRefused
            With the code `REQUEST_MISMATCH`: header, request and pixels name different body parts.
        WorkerError
            Cancelled, or the worker failed; the message says why.
        """
        events: list[dict[str, Any]] = []

        def heard(event: dict[str, Any]) -> None:
            events.append(event)
            if on_event is not None:
                on_event(event)

        answer = self.host.call(
            "collect",
            {
                **stack_word(study, opened, regions),
                "body_region": body_region,
                "asked_region": asked_region,
            },
            buffers=[opened.buffer.read_only()],
            on_event=heard,
            cancel=cancel,
            subject=f"evidence {opened.stack.series.key}",
        )
        return Collected(
            ledger=Ledger.model_validate_json(answer["ledger"]),
            masks=MaskStore.from_bytes(base64.b64decode(answer["masks"])),
            events=tuple(events),
        )

    def measure_region(
        self,
        study: Study,
        opened: OpenStack,
        drawn: DrawnRegion,
        *,
        evidence_id: str,
        cancel: CancelToken | None = None,
    ) -> Evidence:
        """Measure one drawn region; what does not fit comes back as evidence with a refusal.

        Parameters
        ----------
        evidence_id
            Id it gets: `Ledger.next_id()` of the ledger it will be added to.

        Raises
        ------
        WorkerError
            Cancelled, or the worker failed; the message says why.
        """
        answer = self.host.call(
            "measure_region",
            {"stack": stack_word(study, opened, (drawn,)), "evidence_id": evidence_id},
            buffers=[opened.buffer.read_only()],
            cancel=cancel,
        )
        return Evidence.model_validate_json(answer["evidence"])

    def write_seg(
        self,
        masks: MaskStore,
        stack: ImageStack,
        path: Path,
        *,
        tool: Source = MASKS_SOURCE,
        cancel: CancelToken | None = None,
    ) -> str:
        """Write the masks of a series as DICOM SEG; return the sha256 of the file.

        Raises
        ------
        WorkerError
            The images cannot be referred to, or the worker failed; the message says why.
        """
        return self.write_seg_of(masks, source_files(stack), path, tool=tool, cancel=cancel)

    def write_seg_of(
        self,
        masks: MaskStore,
        sources: Sequence[str],
        path: Path,
        *,
        tool: Source,
        tracking: Mapping[str, str] | None = None,
        cancel: CancelToken | None = None,
    ) -> str:
        """Write masks on these files, one a plane, as DICOM SEG; see `seg.write_seg`."""
        answer = self.host.call(
            "write_seg",
            {
                "masks": base64.b64encode(masks.to_bytes()).decode("ascii"),
                "sources": list(sources),
                "path": str(path.absolute()),
                "tool": tool.model_dump(mode="json"),
                "tracking": dict(tracking or {}),
            },
            cancel=cancel,
        )
        return str(answer["sha256"])

    def close(self) -> None:
        """End the worker."""
        self.host.close()

    def __enter__(self) -> EvidenceClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def source_files(stack: ImageStack) -> list[str]:
    """Return the file of each plane of a stack, in order."""
    return [stack.series.instances[instance].path for instance, _ in stack.frames]


def stack_word(study: Study, opened: OpenStack, regions: Sequence[DrawnRegion]) -> dict[str, Any]:
    """Return a series and where its pixels lie, as the worker reads it (`serve.StackWord`)."""
    stack = opened.stack
    places = {frame: index for index, frame in enumerate(opened.layout.frames)}
    return {
        "study": _only(study, stack.series).model_dump_json(exclude_defaults=True),
        "dtype": opened.layout.dtype.name,
        "shape": list(opened.layout.shape),
        "planes": [places[frame] for frame in stack.frames],
        "frames": [list(frame) for frame in stack.frames],
        "decoder": stack.decoder,
        "drawn": [
            {"region": drawn.region.model_dump(mode="json"), "label": drawn.label} for drawn in regions
        ],
    }


def _only(study: Study, series: Series) -> Study:
    return study.model_copy(update={"series": (series,)})

"""The host's way to pixels: `Reader` owns the imaging worker and the pixel memory. No Qt, no DICOM."""

from __future__ import annotations

import base64
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import judge
from viewer.imaging.layout import LayoutError, StackLayout, outward, stack_layout
from viewer.imaging.mappings import unpack
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.portions import read_studies, series_json
from viewer.imaging.study import BadFile, OverlayPlane, Series, StudyIndex
from viewer.imaging.tiles import SlideTiles
from viewer.imaging.volume import ImageStack
from viewer.imaging.worker.host import (
    CancelToken,
    WorkerDied,
    WorkerError,
    WorkerHost,
    WorkerRefused,
)
from viewer.imaging.worker.memory import SharedBuffer, SharedPool

if TYPE_CHECKING:
    from viewer.imaging.objects.content import ObjectContent

MAX_CRASHES = 8
"""Files that may bring the worker down during one index before it is given up."""

Progress = Callable[[int, int], None]
Frames = Callable[[Sequence[int]], None]


@dataclass(eq=False)
class OpenStack:
    """A series in shared memory.

    Parameters
    ----------
    stack
        The pixels. Until `load` returns, frames that did not arrive are zero. A frame that cannot be
        decoded is left out of the stack that `load` leaves here, and the verdict on the geometry is
        that of what remains.
    bad_files
        Why frames are missing.
    """

    stack: ImageStack
    buffer: SharedBuffer
    layout: StackLayout
    bad_files: tuple[BadFile, ...] = ()
    _reader: Reader | None = field(default=None, repr=False)

    def load(
        self, *, first: int = 0, on_frames: Frames | None = None, cancel: CancelToken | None = None
    ) -> ImageStack:
        """Fill the stack, `first` and its neighbours before the rest; return it when complete.

        Parameters
        ----------
        on_frames
            Called in this thread with the indices of frames that have arrived.

        Raises
        ------
        WorkerError
            No pixels; the message says why.
        """
        if self._reader is None:
            raise ValueError("This series was released.")
        return self._reader.load(self, first=first, on_frames=on_frames, cancel=cancel)

    def release(self) -> None:
        """Give the memory back; `stack` must not be used any more."""
        self._reader = None
        self.buffer.release()

    def __enter__(self) -> OpenStack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


@dataclass(frozen=True, eq=False)
class Overlay:
    """An overlay of an image: what it is, and a read-only mask of the image, true where it is drawn."""

    plane: OverlayPlane
    mask: npt.NDArray[np.bool_]


class Reader:
    """Indexes files and opens series through the imaging worker.

    Methods block; call them from a thread that draws nothing. Thread-safe: calls queue.

    Parameters
    ----------
    pool
        Pixel memory; one of its own by default.
    archive_dir
        Where ZIP archives are unpacked. By default a temporary folder that `close` removes.
    """

    def __init__(
        self,
        *,
        pool: SharedPool | None = None,
        host: WorkerHost | None = None,
        archive_dir: Path | None = None,
    ) -> None:
        self.pool = pool or SharedPool()
        self.host = host or WorkerHost("imaging")
        self._owns_pool = pool is None
        self._archive = archive_dir
        self._temporary: Path | None = None
        self._folder_lock = threading.Lock()
        self._fatal: set[str] = set()
        """Files that brought a worker of this reader down while they were indexed."""

    def warm(self, nbytes: int = 0) -> None:
        """Start the worker, and have memory for a series of `nbytes` ready, in the background.

        For a program that will read soon: the first call does not wait for a process to start.
        """

        def ready() -> None:
            with suppress(WorkerError):  # the first call says it
                self.host.start()
            if nbytes:
                self.pool.prepare(nbytes)

        threading.Thread(target=ready, name="reader-warm", daemon=True).start()

    def index(
        self,
        paths: Sequence[Path],
        *,
        on_progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> StudyIndex:
        """Index folders, ZIP archives and files; what cannot be used is in `bad_files`.

        Raises
        ------
        WorkerError
            Cancelled, or the worker failed.
        """

        reading = ""
        lines: list[str] = []

        def heard(event: dict[str, Any]) -> None:
            nonlocal reading
            lines.extend(event.get("studies", ()))
            if "reading" in event:
                reading = str(event["reading"])
            elif on_progress is not None and "progress" in event:
                on_progress(int(event["progress"]), int(event["total"]))

        params: dict[str, Any] = {
            "paths": [str(path.absolute()) for path in paths],
            "archive_dir": str(self._archive_dir()),
            "skip": sorted(self._fatal),
        }
        crashes = 0
        while True:
            reading = ""
            lines.clear()
            try:
                result = self.host.call("index", params, on_event=heard, cancel=cancel)
            except WorkerDied:
                if not reading or reading in self._fatal or crashes >= MAX_CRASHES:
                    raise
                crashes += 1
                self._fatal.add(reading)
                params["skip"] = sorted(self._fatal)
            else:
                found = StudyIndex.model_validate_json(result["index"])
                return found.model_copy(update={"studies": read_studies(lines)})

    def open(
        self,
        series: Series,
        *,
        first: int | None = None,
        on_frames: Frames | None = None,
        cancel: CancelToken | None = None,
    ) -> OpenStack:
        """Return a series with all its frames.

        Parameters
        ----------
        first
            Index of the frame to decode first; the middle one by default.

        Raises
        ------
        WorkerError
            No pixels; the message says why.
        """
        opened = self.begin(series)
        try:
            middle = opened.layout.shape[0] // 2 if first is None else first
            opened.load(first=middle, on_frames=on_frames, cancel=cancel)
        except BaseException:
            opened.release()
            raise
        return opened

    def begin(self, series: Series) -> OpenStack:
        """Allocate a series without reading it: `OpenStack.load` fills it.

        Raises
        ------
        WorkerError
            The series cannot be laid out, or there is no memory for it.
        """
        try:
            layout = stack_layout(series)
        except LayoutError as error:
            raise WorkerRefused(error.code, str(error)) from error
        buffer = self.pool.acquire(layout.nbytes)
        stack = ImageStack(
            series=series,
            stored=buffer.view(layout.dtype, layout.shape),
            frames=layout.frames,
            decoder="",
        )
        return OpenStack(stack=stack, buffer=buffer, layout=layout, _reader=self)

    def load(
        self,
        opened: OpenStack,
        *,
        first: int,
        on_frames: Frames | None,
        cancel: CancelToken | None,
    ) -> ImageStack:
        """Fill an `OpenStack`; see there."""
        series, layout = opened.stack.series, opened.layout
        text = series_json(series, stored_only=True)
        arrived: set[int] = set()
        bad: dict[int, BadFile] = {}
        decoders: set[str] = set()

        def heard(event: dict[str, Any]) -> None:
            frames = [int(index) for index in event.get("frames", ())]
            arrived.update(frames)
            if on_frames is not None and frames:
                on_frames(frames)

        def call(wanted: list[int]) -> None:
            result = self.host.call(
                "decode",
                {"series": text, "wanted": wanted},
                buffers=[opened.buffer],
                on_event=heard,
                cancel=cancel,
            )
            bad.update({int(index): BadFile.model_validate(one) for index, one in result["bad"]})
            decoders.update(result["decoder"].split("+"))

        pending = [list(outward(len(layout.frames), first))]
        while pending:
            held = self._quarantined(series, layout) - arrived
            bad.update({index: _crashed(series, layout, index) for index in held})
            wanted = [index for index in pending.pop() if index not in held]
            try:
                if wanted:
                    call(wanted)
            except WorkerDied:
                # A file brought the worker down: halve until it is alone, and load the others.
                left = [index for index in wanted if index not in arrived and index not in bad]
                half = len(left) // 2
                if half:
                    pending.extend((left[half:], left[:half]))
                elif left:
                    self._condemn(_path(series, layout, left[0]))
                    pending.append(left)
        decoder = "+".join(sorted(decoders - {""}))
        opened.stack = _without(replace(opened.stack, decoder=decoder), bad)
        opened.bad_files = tuple({one.path: one for one in bad.values()}.values())
        if not opened.stack.frames:
            one = opened.bad_files[0]
            raise WorkerRefused(one.code, f"No image of this series can be shown. {one.reason}")
        return opened.stack

    def thumbnail(
        self,
        series: Series,
        *,
        index: int | None = None,
        size: int = 96,
        cancel: CancelToken | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Return a small picture of a frame (the middle one by default): (h, w) grey or (h, w, 3).

        Raises
        ------
        WorkerError
            The frame cannot be shown.
        """
        params: dict[str, Any] = {"series": series.model_dump_json(exclude_defaults=True), "size": size}
        if index is not None:
            params["index"] = index
        subject = series.instances[0].path
        result = self.host.call("thumbnail", params, cancel=cancel, subject=subject)
        shape = tuple(int(length) for length in result["shape"])
        return np.frombuffer(base64.b64decode(result["pixels"]), dtype=np.uint8).reshape(shape)

    def overlays(
        self, series: Series, frame: tuple[int, int], *, cancel: CancelToken | None = None
    ) -> tuple[Overlay, ...]:
        """Return the overlays of one frame, in the order of their groups, as masks to draw.

        Parameters
        ----------
        frame
            Instance index and frame number, as in `ImageStack.frames`.

        Raises
        ------
        WorkerError
            They cannot be read.
        """
        instance, number = series.instances[frame[0]], frame[1]
        if not instance.overlays:
            return ()
        params = {"instance": instance.model_dump_json(exclude_defaults=True), "frame": number}
        result = self.host.call("overlays", params, cancel=cancel, subject=instance.path)
        shape = (instance.rows, instance.columns)
        masks = {int(group): _mask(packed, shape) for group, packed in result["masks"]}
        return tuple(
            Overlay(plane, masks[plane.group]) for plane in instance.overlays if plane.group in masks
        )

    def slide(self, series: Series) -> SlideTiles:
        """Return the tiles of a whole-slide image, read when they are asked for.

        Raises
        ------
        ValueError
            The series is no slide.
        """
        return SlideTiles(series, self.host, self.pool)

    def read_object(self, found: ForeignObject, *, cancel: CancelToken | None = None) -> ObjectContent:
        """Return what is inside an object of others (`Study.objects`).

        Raises
        ------
        WorkerError
            It is not read; the message says why.
        """
        from viewer.imaging.objects.content import assembled

        parts: list[str] = []

        def heard(event: dict[str, Any]) -> None:
            parts.extend(event.get("parts", ()))

        params = {"object": found.model_dump_json(exclude_defaults=True)}
        result = self.host.call("object", params, on_event=heard, cancel=cancel, subject=found.path)
        return assembled(result["content"], parts)

    def close(self) -> None:
        """End the worker, give memory back and remove unpacked archives."""
        self.host.close()
        if self._owns_pool:
            self.pool.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _quarantined(self, series: Series, layout: StackLayout) -> set[int]:
        """Return the frames whose files brought workers down before."""
        holds = self.host.quarantine.holds
        fatal = {index for index, one in enumerate(series.instances) if holds(one.path)}
        return {index for index, frame in enumerate(layout.frames) if frame[0] in fatal}

    def _condemn(self, path: str) -> None:
        """Put a file in quarantine: it brought down two workers, in company and alone."""
        while not self.host.quarantine.holds(path):
            self.host.quarantine.crashed(path)

    def _archive_dir(self) -> Path:
        if self._archive is not None:
            return self._archive
        # Two searches at once must not make two folders, of which `close` would remove one.
        with self._folder_lock:
            if self._temporary is None:
                self._temporary = Path(tempfile.mkdtemp(prefix="sightline-"))
            return self._temporary


def _path(series: Series, layout: StackLayout, index: int) -> str:
    return series.instances[layout.frames[index][0]].path


def _mask(packed: str, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Unpack a mask that the worker packed."""
    count = shape[0] * shape[1]
    raw = unpack(packed, (count + 7) // 8)
    bits = np.unpackbits(np.frombuffer(raw, dtype=np.uint8), count=count)
    mask = bits.reshape(shape).view(np.bool_)
    mask.flags.writeable = False
    return mask


def _crashed(series: Series, layout: StackLayout, index: int) -> BadFile:
    return BadFile(
        path=_path(series, layout, index),
        reason="Decoding this file brought the reading process down: it is damaged or hostile.",
        code="crash",
    )


def _without(stack: ImageStack, bad: dict[int, BadFile]) -> ImageStack:
    """Return the stack without frames that have no pixels, with the verdict on what remains.

    A black slice in a volume would be measured; a missing one is seen.
    """
    if not bad:
        return stack
    kept = [index for index in range(len(stack.frames)) if index not in bad]
    frames = tuple(stack.frames[index] for index in kept)
    verdict = judge([stack.series.plane_of(frame) for frame in frames])
    stored = stack.stored[kept]
    stored.flags.writeable = False
    return replace(
        stack,
        series=stack.series.model_copy(update={"verdict": verdict}),
        stored=stored,
        frames=frames,
    )

"""Operations of the model worker: load a model whose hash is right, write text under a grammar.

One process holds one model. The manifest comes with every call, so that a worker that was started
again after a crash loads the model by itself.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inference.models.generation import Generation, ModelError
from inference.models.gguf_header import GgufError, read_text_keys
from inference.models.registry import FileRole, ModelFile, ModelManifest, check_pair
from inference.models.runtime import Aborted, Request, Runtime, RuntimeRefusal
from inference.models.vision import Rgb
from viewer.imaging.worker.serve import Handler, Refused, WorkerContext

EMIT_SECONDS = 0.05
"""Pieces of text are sent together at this interval; the window redraws no faster."""

_CHUNK = 1 << 20
_ARCHITECTURE = "general.architecture"
_PROJECTOR = "clip.projector_type"


class _Call(BaseModel):
    model_config = ConfigDict(extra="forbid")

    manifest: ModelManifest
    folder: str


class _Generate(_Call):
    before: str
    prompt: str
    after: str
    grammar: str
    max_tokens: int = Field(ge=1)
    seconds: float = Field(gt=0)
    temperature: float = Field(default=0.0, ge=0, le=5)
    seed: int = 0
    logprobs: bool = False
    choices: bool = False
    prefix: str = ""
    picture: tuple[int, int] | None = None
    """Rows and columns of the picture in the first buffer: 8 bits of red, green and blue each."""


class _Outlet:
    """Sends pieces of text together, every `EMIT_SECONDS`."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._pieces: list[str] = []
        self._sent = time.monotonic()

    def __call__(self, piece: str) -> None:
        self._pieces.append(piece)
        if time.monotonic() - self._sent >= EMIT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what is there."""
        if self._pieces:
            self._context.emit({"text": "".join(self._pieces)})
            self._pieces.clear()
        self._sent = time.monotonic()


class _Loaded:
    """The one model of this process."""

    def __init__(self) -> None:
        self.manifest: ModelManifest | None = None
        self.runtime: Runtime | None = None
        self.files = ExitStack()

    def get(self, call: _Call, context: WorkerContext) -> Runtime:
        """Return the runtime of the manifest's model, loading it when another or none is there."""
        if self.runtime is None or self.manifest != call.manifest:
            self.drop()
            self.runtime = self._load(call, context)
            self.manifest = call.manifest
        self.runtime.cancelled = context.cancelled
        return self.runtime

    def drop(self) -> None:
        """Free the model."""
        if self.runtime is not None:
            self.runtime.close()
        self.runtime = self.manifest = None
        self.files.close()

    def _load(self, call: _Call, context: WorkerContext) -> Runtime:
        manifest = call.manifest
        try:
            check_pair(manifest)
        except ModelError as error:
            raise Refused(error.code, str(error)) from None
        paths: dict[FileRole, str] = {}
        for file in manifest.files:
            stream = self.files.enter_context(_opened(Path(call.folder) / file.name, file))
            _check_hash(stream, file, context)
            _check_family(stream, file, manifest)
            paths[file.role] = _path_of(stream)
        return Runtime(
            paths[FileRole.MODEL],
            mmproj_path=paths.get(FileRole.MMPROJ),
            context=manifest.context,
            cancelled=context.cancelled,
        )


_LOADED = _Loaded()


@contextmanager
def _opened(path: Path, file: ModelFile) -> Iterator[BinaryIO]:
    try:
        stream = path.open("rb")
    except OSError:
        raise Refused(
            "missing_file", f"The file {file.name} of the model is missing. Add the model again."
        ) from None
    with stream:
        yield stream


def _path_of(stream: BinaryIO) -> str:
    """Return a path to the very file that was hashed, also when another one took its name."""
    return f"/proc/self/fd/{stream.fileno()}" if sys.platform.startswith("linux") else stream.name


def _check_hash(stream: BinaryIO, file: ModelFile, context: WorkerContext) -> None:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        if context.cancelled():
            raise Refused("cancelled", "Stopped as asked.")
        digest.update(chunk)
        size += len(chunk)
    if (size, digest.hexdigest()) != (file.bytes, file.sha256):
        raise Refused(
            "hash_mismatch",
            f"{file.name} is not the file that its manifest names (SHA-256 {digest.hexdigest()[:12]}… "
            f"instead of {file.sha256[:12]}…). It was not loaded. Get the file again.",
        )


def _check_family(stream: BinaryIO, file: ModelFile, manifest: ModelManifest) -> None:
    """Compare what the header says with the manifest: a wrong pair may load and write garbage."""
    stream.seek(0)
    families: dict[FileRole, dict[str, str | None]] = {
        FileRole.MODEL: {_ARCHITECTURE: manifest.architecture},
        FileRole.MMPROJ: {_ARCHITECTURE: "clip", _PROJECTOR: manifest.projector_type},
    }
    wanted = families[file.role]
    try:
        found = read_text_keys(stream, wanted)
    except GgufError as error:
        raise Refused("load", f"{file.name} cannot be read: {error}.") from None
    for key, value in wanted.items():
        if found.get(key) != value:
            code = "projector" if file.role is FileRole.MMPROJ else "architecture"
            raise Refused(
                code,
                f"{file.name} is a {found.get(key, 'nameless')!r} file, its manifest says {value!r}. "
                "It was not loaded.",
            )


def load(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Load the model and say what it is."""
    call = _Call.model_validate(params)
    began = time.monotonic()
    with _refusals():
        runtime = _LOADED.get(call, context)
    return {
        "parameters": runtime.parameters,
        "vocabulary": runtime.vocabulary,
        "context": runtime.context,
        "threads": runtime.threads,
        "seconds": time.monotonic() - began,
        "device": runtime.plan.device,
        "layers": runtime.plan.layers,
        "bytes": runtime.plan.host_bytes + runtime.plan.device_bytes,
        "notice": runtime.notice,
    }


def generate(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Write text under a grammar; events ``{"text": ...}`` as it comes."""
    call = _Generate.model_validate(params)
    outlet = _Outlet(context)
    request = Request(
        **call.model_dump(exclude={"manifest", "folder", "picture"}), picture=_picture(call, context)
    )
    with _refusals():
        made = _LOADED.get(call, context).generate(request, outlet)
    outlet.flush()
    return _told(made)


def _told(made: Generation) -> dict[str, Any]:
    return {
        "text": made.text,
        "tokens": made.tokens,
        "seconds": made.seconds,
        "stop_reason": made.stop_reason.value,
        "prompt_tokens": made.prompt_tokens,
        "logprob": made.logprob,
        "choices": [asdict(choice) for choice in made.choices],
    }


def _picture(call: _Generate, context: WorkerContext) -> Rgb | None:
    """Return a copy of the picture that was sent: what is hashed is what is read."""
    if call.picture is None:
        return None
    rows, columns = call.picture
    if min(rows, columns) < 1 or len(context.buffers) != 1:
        raise Refused("picture", "There is no picture of the size that was named.")
    if rows * columns * 3 > context.buffers[0].nbytes:
        raise Refused("picture", "The picture is smaller than the size that was named.")
    copied: Rgb = np.array(context.buffers[0].view(np.uint8, (rows, columns, 3)))
    return copied


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Aborted:
        raise Refused("cancelled", "Stopped as asked.") from None
    except RuntimeRefusal as refusal:
        raise Refused(refusal.code, str(refusal)) from None


HANDLERS: dict[str, Handler] = {"load": load, "generate": generate}
"""Operations that the host may call."""

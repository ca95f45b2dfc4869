"""The host's side of a model: load it in its worker and let it write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.models.generation import Choice, Generation, ModelError, OnToken, StopReason
from inference.models.profiles import PROFILES
from inference.models.registry import InstalledModel
from reports.domain import ModelStamp
from viewer.imaging.worker.errors import WorkerCancelled, WorkerError, WorkerRefused
from viewer.imaging.worker.host import CancelToken, WorkerHost
from viewer.imaging.worker.memory import SharedBuffer, SharedPool

SECONDS = 300.0
"""Wall-clock limit of one generation when the caller names none."""

MARGIN_SECONDS = 30.0
"""What a call may take beyond its generation: start of the process, hash and load of the file."""


@dataclass(frozen=True)
class ModelFacts:
    """What the worker says of a loaded model.

    Parameters
    ----------
    seconds
        Hash and load together.
    device, layers
        Device that holds layers of the model, and how many; empty and 0 on the processor.
    bytes
        Memory that it was planned to take, on the machine and the device together.
    notice
        What the reader should know of how it was loaded, in words; else empty.
    """

    parameters: int
    vocabulary: int
    context: int
    threads: int
    seconds: float
    device: str = ""
    layers: int = 0
    bytes: int = 0
    notice: str = ""


class ModelClient:
    """One model in a worker of its own. Call from a thread that is not the window's.

    Parameters
    ----------
    model
        From `ModelRegistry.get`.
    host
        A worker host of kind "model"; one of its own by default, which `close` ends.
    """

    def __init__(self, model: InstalledModel, host: WorkerHost | None = None) -> None:
        self.model = model
        self._owned = host is None
        self._host = host if host is not None else WorkerHost("model")

    def stamp(self) -> ModelStamp:
        """Return what a draft and a report say of the model."""
        return self.model.manifest.stamp()

    @property
    def pid(self) -> int | None:
        """Process id of the worker, or none when it does not run."""
        return self._host.pid

    def load(self, *, cancel: CancelToken | None = None, deadline: float | None = None) -> ModelFacts:
        """Hash and load the model ahead of its first text.

        Raises
        ------
        ModelError
            The file is missing or not the manifest's, of another family, or cannot be loaded.
        """
        return ModelFacts(**self._call("load", {}, cancel=cancel, deadline=deadline))

    def generate(
        self,
        prompt: str,
        grammar: str,
        *,
        seed: int = 0,
        max_tokens: int = 1024,
        on_token: OnToken | None = None,
        cancel: CancelToken | None = None,
        deadline: float | None = None,
        temperature: float = 0.0,
        logprobs: bool = False,
    ) -> Generation:
        """Write text for a prompt under a grammar; loads the model when it is not loaded.

        Parameters
        ----------
        prompt
            Text without any wrapping; control tokens in it are read as plain text.
        grammar
            GBNF with a rule ``root``; a grammar that is not sound is refused.
        seed, temperature
            At temperature 0 the most probable text, whatever the seed; above it the seed's.
        on_token
            Called in this thread with new text about 20 times a second.
        deadline
            Seconds for the text; at the limit it ends with `StopReason.TIME`.

        Raises
        ------
        ModelError
            Cancelled, refused, died or timed out; the code says which.
        """
        return self._generate(
            {
                "prompt": prompt,
                "grammar": grammar,
                "max_tokens": max_tokens,
                "temperature": temperature,
                "seed": seed,
                "logprobs": logprobs,
            },
            on_token=on_token,
            cancel=cancel,
            deadline=deadline,
        )

    def session(self, picture: npt.NDArray[np.uint8] | None = None, prefix: str = "") -> ModelSession:
        """Return a way to ask several things of one picture and one text, which are read once.

        Parameters
        ----------
        picture
            Rows, columns, 3 channels of 8 bits; the model must have a projector.
        prefix
            Text that stands before each question.

        Raises
        ------
        ModelError
            The array is no such picture.
        """
        return ModelSession(self, picture, prefix)

    def _generate(
        self,
        params: dict[str, Any],
        *,
        on_token: OnToken | None,
        cancel: CancelToken | None,
        deadline: float | None,
        buffers: Sequence[SharedBuffer] = (),
    ) -> Generation:
        profile = PROFILES[self.model.manifest.prompt_profile]
        seconds = deadline if deadline is not None else SECONDS
        body = self._call(
            "generate",
            {
                "before": profile.before + profile.instruction,
                "after": profile.after,
                "seconds": seconds,
            }
            | params,
            on_token=on_token,
            cancel=cancel,
            deadline=seconds + MARGIN_SECONDS,
            buffers=buffers,
        )
        return generation_of(body)

    def close(self) -> None:
        """End the worker, if it is this client's own."""
        if self._owned:
            self._host.close()

    def __enter__(self) -> ModelClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _call(
        self,
        op: str,
        params: dict[str, Any],
        *,
        on_token: OnToken | None = None,
        cancel: CancelToken | None,
        deadline: float | None,
        buffers: Sequence[SharedBuffer] = (),
    ) -> dict[str, Any]:
        manifest = self.model.manifest
        base = {
            "manifest": manifest.model_dump(mode="json", by_alias=True),
            "folder": str(self.model.folder),
        }
        return call_model(
            self._host,
            op,
            base | params,
            name=manifest.name,
            subject=manifest.sha256,
            on_token=on_token,
            cancel=cancel,
            deadline=deadline,
            buffers=buffers,
        )


def call_model(
    host: WorkerHost,
    op: str,
    params: dict[str, Any],
    *,
    name: str,
    subject: str,
    on_token: OnToken | None,
    cancel: CancelToken | None,
    deadline: float | None,
    buffers: Sequence[SharedBuffer] = (),
) -> dict[str, Any]:
    """Call a model worker; what goes wrong is a `ModelError` in words that name the model."""

    def hear(event: dict[str, Any]) -> None:
        if on_token is not None and isinstance(event.get("text"), str):
            on_token(event["text"])

    try:
        return host.call(
            op,
            params,
            buffers=buffers,
            on_event=hear,
            cancel=cancel,
            deadline=deadline,
            subject=subject,
        )
    except WorkerRefused as error:
        raise ModelError(error.code, error.message) from error
    except WorkerCancelled as error:
        raise ModelError("cancelled", error.message) from error
    except WorkerError as error:
        raise ModelError(error.code, f"The model {name} failed. {error.message}") from error


def generation_of(body: dict[str, Any]) -> Generation:
    """Return what a worker said as a `Generation`."""
    return Generation(
        **body
        | {
            "stop_reason": StopReason(body["stop_reason"]),
            "choices": tuple(Choice(**choice) for choice in body["choices"]),
        }
    )


class ModelSession:
    """Several texts about one picture and one beginning; close it when there are no more.

    The worker keeps the last picture and beginning as it read them (in the memory of its context, which
    does not grow), under their hash: the next text with the same ones pays for its own question only,
    and says what it would have said alone. Another text between makes it read them again.
    """

    def __init__(self, client: ModelClient, picture: npt.NDArray[np.uint8] | None, prefix: str) -> None:
        self._client = client
        self._shared: dict[str, Any] = {"prefix": prefix}
        self._pool = SharedPool()
        self._buffers: tuple[SharedBuffer, ...] = ()
        if picture is None:
            return
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
            raise ModelError("picture", "A picture for the model has three channels of 8 bits.")
        buffer = self._pool.acquire(picture.nbytes)
        buffer.view(np.uint8, picture.shape, writable=True)[:] = picture
        self._buffers = (buffer.read_only(),)
        self._shared["picture"] = picture.shape[:2]

    def generate(
        self,
        prompt: str,
        grammar: str,
        *,
        seed: int = 0,
        max_tokens: int = 1024,
        on_token: OnToken | None = None,
        cancel: CancelToken | None = None,
        deadline: float | None = None,
        temperature: float = 0.0,
        choices: bool = False,
    ) -> Generation:
        """Write text for a question behind picture and prefix; else as `ModelClient.generate`.

        Parameters
        ----------
        choices
            Say how likely each choice was that the grammar left.
        """
        return self._client._generate(
            {
                "prompt": prompt,
                "grammar": grammar,
                "max_tokens": max_tokens,
                "temperature": temperature,
                "seed": seed,
                "choices": choices,
            }
            | self._shared,
            on_token=on_token,
            cancel=cancel,
            deadline=deadline,
            buffers=self._buffers,
        )

    def close(self) -> None:
        """Give the picture's memory back; a second time does nothing."""
        self._pool.close()

    def __enter__(self) -> ModelSession:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

"""The host's side of a model: load it in its worker and let it write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inference.models.generation import Generation, ModelError, OnToken, StopReason
from inference.models.profiles import PROFILES
from inference.models.registry import InstalledModel
from viewer.imaging.worker.errors import WorkerCancelled, WorkerError, WorkerRefused
from viewer.imaging.worker.host import CancelToken, WorkerHost

SECONDS = 300.0
"""Wall-clock limit of one generation when the caller names none."""

MARGIN_SECONDS = 30.0
"""What a call may take beyond its generation: start of the process, hash and load of the file."""


@dataclass(frozen=True)
class ModelFacts:
    """What the worker says of a loaded model; `seconds` is hash and load together."""

    parameters: int
    vocabulary: int
    context: int
    threads: int
    seconds: float


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
        profile = PROFILES[self.model.manifest.prompt_profile]
        seconds = deadline if deadline is not None else SECONDS
        body = self._call(
            "generate",
            {
                "before": profile.before + profile.instruction,
                "prompt": prompt,
                "after": profile.after,
                "grammar": grammar,
                "max_tokens": max_tokens,
                "seconds": seconds,
                "temperature": temperature,
                "seed": seed,
                "logprobs": logprobs,
            },
            on_token=on_token,
            cancel=cancel,
            deadline=seconds + MARGIN_SECONDS,
        )
        return Generation(**(body | {"stop_reason": StopReason(body["stop_reason"])}))

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
    ) -> dict[str, Any]:
        def hear(event: dict[str, Any]) -> None:
            if on_token is not None and isinstance(event.get("text"), str):
                on_token(event["text"])

        manifest = self.model.manifest
        base = {
            "manifest": manifest.model_dump(mode="json", by_alias=True),
            "folder": str(self.model.folder),
        }
        try:
            return self._host.call(
                op,
                base | params,
                on_event=hear,
                cancel=cancel,
                deadline=deadline,
                subject=manifest.sha256,
            )
        except WorkerRefused as error:
            raise ModelError(error.code, error.message) from error
        except WorkerCancelled as error:
            raise ModelError("cancelled", error.message) from error
        except WorkerError as error:
            raise ModelError(
                error.code, f"The model {manifest.name} failed. {error.message}"
            ) from error

"""The host's side of a server of the institution: the same texts under the same grammars."""

from __future__ import annotations

import hashlib

from inference.models.client import MARGIN_SECONDS, SECONDS, call_model, generation_of
from inference.models.generation import Generation, OnToken
from inference.models.server import ModelServer
from reports.domain import ModelStamp
from viewer.imaging.worker.host import CancelToken, WorkerHost


class ServerClient:
    """One server that the policy lists. Call from a thread that is not the window's.

    Parameters
    ----------
    server
        From the policy of the machine, never from a user.
    host
        A worker host of kind "model".
    """

    def __init__(self, server: ModelServer, host: WorkerHost) -> None:
        self.server = server
        self._host = host

    def stamp(self) -> ModelStamp:
        """Return what a draft says of the model: its name, and the address in place of a licence.

        The hash is of the server's entry in the policy: of the weights a server proves nothing.
        """
        entry = self.server.model_dump_json().encode()
        return ModelStamp(
            name=self.server.model,
            sha256=hashlib.sha256(entry).hexdigest(),
            licence=self.server.words(),
            demonstration=True,
        )

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
    ) -> Generation:
        """Write text as `ModelClient.generate` does.

        Raises
        ------
        ModelError
            Not reached, not trusted, cancelled, or the server passes over grammars.
        """
        seconds = deadline if deadline is not None else SECONDS
        body = call_model(
            self._host,
            "remote",
            {
                "server": self.server.model_dump(mode="json"),
                "prompt": prompt,
                "grammar": grammar,
                "max_tokens": max_tokens,
                "seconds": seconds,
                "temperature": temperature,
                "seed": seed,
            },
            name=self.server.model,
            subject=self.server.address,
            on_token=on_token,
            cancel=cancel,
            deadline=seconds + MARGIN_SECONDS,
        )
        return generation_of(body)

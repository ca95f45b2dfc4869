"""A server of the institution as a writer: the same texts under the same grammars, free on a cancel."""

from __future__ import annotations

import hashlib
import queue
import threading

from inference.models.client import SECONDS
from inference.models.generation import Generation, ModelError, OnToken
from inference.models.server import ModelServer, ServerRefusal, ServerRuntime
from reports.domain import ModelStamp
from viewer.imaging.worker.host import CancelToken

_POLL_SECONDS = 0.02
"""How often a caller that waits for the server looks whether it still wants the text."""


class ServerClient:
    """One server that the policy lists. Call from a thread that is not the window's.

    Parameters
    ----------
    server
        From the policy of the machine, never from a user.
    """

    def __init__(self, server: ModelServer) -> None:
        self.server = server
        self._obeys = threading.Event()

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
        heard: queue.SimpleQueue[str | Generation | ServerRefusal] = queue.SimpleQueue()
        left = threading.Event()
        runtime = ServerRuntime(self.server, left.is_set, self._obeys)

        def ask() -> None:
            try:
                made = runtime.generate(
                    prompt,
                    grammar,
                    max_tokens=max_tokens,
                    seconds=deadline if deadline is not None else SECONDS,
                    temperature=temperature,
                    seed=seed,
                    emit=heard.put,
                )
                heard.put(made)
            except ServerRefusal as refusal:
                heard.put(refusal)

        threading.Thread(target=ask, name="model server", daemon=True).start()
        try:
            while True:
                if cancel is not None and cancel.cancelled:
                    raise ModelError("cancelled", "Stopped as asked.")
                try:
                    word = heard.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    continue
                if isinstance(word, ServerRefusal):
                    raise ModelError(word.code, str(word))
                if isinstance(word, Generation):
                    return word
                if on_token is not None:
                    on_token(word)
        finally:
            left.set()

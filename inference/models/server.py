"""A model server of the institution (llama-server, vLLM) that writes under the same grammars.

Off unless the policy of the machine lists its exact address. The text of a prompt leaves this machine,
to that address and no other: no redirect is followed, no proxy used, no variable of the environment
read. Over a network only TLS with a verified certificate is spoken. Workers have no network, so this is
spoken in a thread of the program itself: sizes and times are bounded, and the only parser is JSON's.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from inference.models.generation import Generation, StopReason

LARGEST_ANSWER = 4 << 20
"""Bytes of an answer, events and all; a longer one is refused."""

LARGEST_LINE = 1 << 18
CONNECT_SECONDS = 10.0
_WATCH_SECONDS = 0.02
_PATH = "/v1/chat/completions"

_GRAMMARS: dict[str, Callable[[str], dict[str, Any]]] = {
    "llama-server": lambda grammar: {"grammar": grammar},
    "vllm": lambda grammar: {"structured_outputs": {"grammar": grammar}},
}
"""How each kind of server is told the grammar."""


class ServerRefusal(Exception):
    """The server cannot be used, or did not do what was asked; `code` as in `ModelError`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ModelServer(BaseModel):
    """A server as the policy lists it.

    Parameters
    ----------
    address
        Scheme, host and port, nothing else; ``http`` only for this very machine.
    kind
        How it is told a grammar.
    model
        Name of the model as the server knows it.
    ca
        File of the institution's own certificates, or empty for those of the system.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str = Field(max_length=300)
    kind: Literal["llama-server", "vllm"]
    model: str = Field(min_length=1, max_length=200)
    ca: str = ""

    @field_validator("address")
    @classmethod
    def _exact(cls, address: str) -> str:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port is None:
            raise ValueError("an address is http or https, a host and a port")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        if address != f"{parts.scheme}://{host}:{parts.port}":
            raise ValueError("an address has a scheme, a host and a port and nothing else")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError("over a network only https is spoken")
        return address

    def words(self) -> str:
        """Return where text is written, for the reader."""
        return f"on premises: {self.address}"


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


class ServerRuntime:
    """Writes text on a server. Not thread-safe.

    Parameters
    ----------
    cancelled
        Asked all the time, also while the server thinks.
    obeys
        Set when the server has shown that it keeps to a grammar.
    """

    def __init__(
        self, server: ModelServer, cancelled: Callable[[], bool], obeys: threading.Event
    ) -> None:
        self.server = server
        self.cancelled = cancelled
        self._obeys = obeys

    def generate(
        self,
        prompt: str,
        grammar: str,
        *,
        max_tokens: int,
        seconds: float,
        temperature: float,
        seed: int,
        emit: Callable[[str], None],
    ) -> Generation:
        """Write text; the server is first asked for a word that only the grammar can give.

        Raises
        ------
        ServerRefusal
            Not reached, not trusted, an error of its own, or a server that passes over grammars.
        """
        until = time.monotonic() + seconds
        limits = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
        if not self._obeys.is_set():
            word = secrets.token_hex(4)
            probe = self._body("Answer.", f'root ::= "{word}"\n', limits | {"max_tokens": 32})
            if self._ask(probe, until, _unheard).text != word:
                raise ServerRefusal(
                    "grammar",
                    f"The server {self.server.address} does not keep to a grammar, so nothing was "
                    "written. Its administrator must allow guided output.",
                )
            self._obeys.set()
        return self._ask(self._body(prompt, grammar, limits), until, emit)

    def _body(self, prompt: str, grammar: str, limits: dict[str, Any]) -> bytes:
        return json.dumps(
            {
                "model": self.server.model,
                "messages": [{"role": "user", "content": prompt}],
                "stream": True,
                **limits,
                **_GRAMMARS[self.server.kind](grammar),
            }
        ).encode()

    def _ask(self, body: bytes, until: float, emit: Callable[[str], None]) -> Generation:
        began = time.monotonic()
        text, tokens, reason = "", 0, StopReason.TIME
        with self._answer(body, until) as answer:
            for event in _events(answer):
                piece, ended = _piece(event)
                if piece:
                    tokens += 1
                    text += piece
                    emit(piece)
                if ended:
                    reason = StopReason.LENGTH if ended == "length" else StopReason.END
                    break
                if time.monotonic() > until:
                    break
            else:
                if self.cancelled():
                    raise ServerRefusal("cancelled", "Stopped as asked.")
                if time.monotonic() <= until:
                    raise ServerRefusal("server", "The server ended its answer too early. Try again.")
        return Generation(text, tokens, time.monotonic() - began, reason)

    @contextmanager
    def _answer(self, body: bytes, until: float) -> Iterator[http.client.HTTPResponse]:
        """Send a request; the connection is cut when the caller wants no answer or time is over."""
        parts = urlsplit(self.server.address)
        host, port = str(parts.hostname), parts.port
        timeout = max(0.1, until - time.monotonic())
        if parts.scheme == "https":
            trusted = ssl.create_default_context(cafile=self.server.ca or None)
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=min(CONNECT_SECONDS, timeout), context=trusted
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=min(CONNECT_SECONDS, timeout))
        done = threading.Event()
        try:
            connection.connect()
            sock = connection.sock
            sock.settimeout(timeout)
            watch = threading.Thread(target=self._watch, args=(sock, until, done), daemon=True)
            watch.start()
            connection.request("POST", _PATH, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                answer.close()
                raise ServerRefusal(
                    "server",
                    f"The server {self.server.address} answered {answer.status}. "
                    "Ask its administrator.",
                )
            with answer:
                yield answer
        except ssl.SSLError as error:
            raise ServerRefusal(
                "certificate",
                f"The certificate of {self.server.address} is not trusted here "
                f"({error.reason or 'TLS failed'}). Nothing was sent.",
            ) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self.cancelled():
                raise ServerRefusal("cancelled", "Stopped as asked.") from None
            if time.monotonic() > until:
                raise ServerRefusal("deadline", "The server took too long.") from None
            raise ServerRefusal(
                "server", f"The server {self.server.address} cannot be reached or broke off "
                f"({type(error).__name__})."
            ) from None  # fmt: skip
        finally:
            done.set()
            connection.close()

    def _watch(self, sock: Any, until: float, done: threading.Event) -> None:
        while not done.wait(_WATCH_SECONDS):
            if self.cancelled() or time.monotonic() > until:
                with suppress(OSError):
                    sock.shutdown(2)
                return


def _events(answer: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """Read server-sent events up to the end or ``[DONE]``."""
    size = 0
    while line := answer.readline(LARGEST_LINE):
        size += len(line)
        if size > LARGEST_ANSWER or len(line) == LARGEST_LINE:
            raise ServerRefusal("server", "The answer of the server is too long.")
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        event = json.loads(data)
        if isinstance(event, dict):
            yield event


def _piece(event: dict[str, Any]) -> tuple[str, str]:
    """Return the new text of an event and why the answer ended, both perhaps empty."""
    choices = event.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return "", ""
    delta, ended = choices[0].get("delta"), choices[0].get("finish_reason")
    piece = delta.get("content") if isinstance(delta, dict) else ""
    return (piece if isinstance(piece, str) else ""), (ended if isinstance(ended, str) else "")


def _unheard(_: str) -> None:
    """The probe is nobody's text."""

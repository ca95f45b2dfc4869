"""The words on the wire: length-prefixed JSON over a local socket, each message checked by a schema.

A frame is four bytes of length (big endian) and that many bytes of UTF-8 JSON. Descriptors of
shared buffers travel beside the frame of a `Call` (SCM_RIGHTS), in the order of its `buffers`.
"""

from __future__ import annotations

import array
import json
import os
import socket
from collections import deque
from collections.abc import Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

PROTOCOL_VERSION = 1

MAX_MESSAGE = 64 << 20
"""Largest frame, bytes: an index of 50,000 images fits."""

MAX_BUFFERS = 16
"""Most shared buffers of one call."""

MAX_TEXT = 8000
"""Longest text in a failure, characters."""

_PREFIX = 4
_CHUNK = 1 << 16


class ProtocolError(Exception):
    """The other side sent what the protocol does not know."""


class MessageTooLargeError(ValueError):
    """A message to be sent is larger than `MAX_MESSAGE`."""


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Hello(Message):
    """Host, first: who calls, and how often it wants a heartbeat (seconds)."""

    type: Literal["hello"] = "hello"
    version: int
    kind: str
    heartbeat: float


class BufferWord(Message):
    """Size in bytes of a shared buffer, and whether the worker may write to it."""

    nbytes: int = Field(gt=0)
    writable: bool


class Call(Message):
    """Host: run an operation."""

    type: Literal["call"] = "call"
    id: int
    op: str = Field(max_length=200)
    params: dict[str, Any]
    buffers: list[BufferWord] = Field(default_factory=list, max_length=MAX_BUFFERS)


class Cancel(Message):
    """Host: stop the operation."""

    type: Literal["cancel"] = "cancel"
    id: int


class Ready(Message):
    """Worker, first: it has its limits and its handlers."""

    type: Literal["ready"] = "ready"
    version: int
    kind: str


class Beat(Message):
    """Worker: the operation is still running."""

    type: Literal["beat"] = "beat"
    id: int


class Event(Message):
    """Worker: something happened on the way."""

    type: Literal["event"] = "event"
    id: int
    body: dict[str, Any]


class Result(Message):
    """Worker: the operation is done."""

    type: Literal["result"] = "result"
    id: int
    body: dict[str, Any]


class Failure(Message):
    """Worker: the operation was not done, and why; id 0 when the process cannot start at all."""

    type: Literal["failure"] = "failure"
    id: int
    code: str = Field(max_length=200)
    message: str = Field(max_length=MAX_TEXT)
    details: str = Field(default="", max_length=MAX_TEXT)


ToWorker = Annotated[Hello | Call | Cancel, Field(discriminator="type")]
ToHost = Annotated[Ready | Beat | Event | Result | Failure, Field(discriminator="type")]

TO_WORKER: TypeAdapter[Hello | Call | Cancel] = TypeAdapter(ToWorker)
TO_HOST: TypeAdapter[Ready | Beat | Event | Result | Failure] = TypeAdapter(ToHost)

Incoming = TypeVar("Incoming")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _plain(value: object) -> object:
    if isinstance(value, Message):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be sent as JSON")


def encode(message: Message) -> bytes:
    """Return the frame of a message.

    ASCII escapes carry file names that are not UTF-8 (lone surrogates); NaN and infinity are refused.

    Raises
    ------
    MessageTooLargeError, TypeError, ValueError
        The body is too large, or holds what JSON cannot say.
    """
    body = json.dumps(message, default=_plain, separators=(",", ":"), allow_nan=False).encode("ascii")
    if len(body) > MAX_MESSAGE:
        raise MessageTooLargeError(
            f"a message of {len(body) >> 20} MiB is over the limit of {MAX_MESSAGE >> 20} MiB"
        )
    return len(body).to_bytes(_PREFIX, "big") + body


class Channel(Generic[Incoming]):
    """One end of the socket, never blocking: queue, flush when writable, read when readable.

    One thread may read while another sends; two threads must not do the same thing at once.
    """

    def __init__(self, sock: socket.socket, incoming: TypeAdapter[Incoming]) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._incoming = incoming
        self._received = bytearray()
        self._descriptors: deque[int] = deque()
        self._outgoing: deque[tuple[memoryview, tuple[int, ...]]] = deque()

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._socket.fileno()

    @property
    def pending(self) -> bool:
        """True while there is something to flush."""
        return bool(self._outgoing)

    def queue(self, frame: bytes, descriptors: Sequence[int] = ()) -> None:
        """Add a frame to what goes out; the descriptors stay the caller's."""
        self._outgoing.append((memoryview(frame), tuple(descriptors)))

    def flush(self) -> None:
        """Send what the socket takes now.

        Raises
        ------
        EOFError
            The other side is gone.
        """
        while self._outgoing:
            rest, descriptors = self._outgoing[0]
            rights = array.array("i", descriptors)
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if descriptors else []
            try:
                sent = self._socket.sendmsg([rest], ancillary)
            except BlockingIOError:
                return
            except OSError as error:
                raise EOFError("the socket is closed") from error
            if sent == len(rest):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = (rest[sent:], ())

    def read(self) -> list[Incoming]:
        """Return the messages that are complete now, in their order.

        Raises
        ------
        EOFError
            The other side is gone.
        ProtocolError
            What came is no message; the channel is of no use any more.
        """
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            data, ancillary, message_flags, _ = self._socket.recvmsg(
                _CHUNK, socket.CMSG_SPACE(MAX_BUFFERS * array.array("i").itemsize), flags
            )
        except BlockingIOError:
            return []
        except OSError as error:
            raise EOFError("the socket is closed") from error
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                rights = array.array("i")
                rights.frombytes(payload[: len(payload) - len(payload) % rights.itemsize])
                self._descriptors.extend(rights)
        if message_flags & socket.MSG_CTRUNC or len(self._descriptors) > MAX_BUFFERS:
            raise ProtocolError("too many descriptors")
        if not data:
            raise EOFError("the socket is closed")
        self._received += data
        return self._complete()

    def take_descriptors(self, count: int) -> list[int]:
        """Return the descriptors that came with the last `Call`; they are the caller's to close."""
        if count > len(self._descriptors):
            raise ProtocolError("a buffer was announced and did not come")
        return [self._descriptors.popleft() for _ in range(count)]

    def close(self) -> None:
        """Close the socket and the descriptors nobody took."""
        self._socket.close()
        self._outgoing.clear()
        while self._descriptors:
            os.close(self._descriptors.popleft())

    def _complete(self) -> list[Incoming]:
        messages: list[Incoming] = []
        while len(self._received) >= _PREFIX:
            length = int.from_bytes(self._received[:_PREFIX], "big")
            if length > MAX_MESSAGE:
                raise ProtocolError(f"a frame of {length} bytes is over the limit")
            if len(self._received) < _PREFIX + length:
                break
            body = bytes(self._received[_PREFIX : _PREFIX + length])
            del self._received[: _PREFIX + length]
            messages.append(self._decode(body))
        return messages

    def _decode(self, body: bytes) -> Incoming:
        try:
            return self._incoming.validate_python(json.loads(body, parse_constant=_no_constant))
        except (ValidationError, ValueError, RecursionError) as error:
            # The text of the error would quote the message, which may hold patient data.
            raise ProtocolError(
                f"a frame of {len(body)} bytes is no message ({type(error).__name__})"
            ) from None

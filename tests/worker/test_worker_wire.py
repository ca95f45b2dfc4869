"""Messages come whole and checked, or not at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viewer.imaging.worker import wire

Ends = tuple[wire.Channel[Any], socket.socket]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    channel: wire.Channel[Any] = wire.Channel(ours, wire.TO_WORKER)
    yield channel, theirs
    channel.close()
    theirs.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_message_that_comes_byte_by_byte_comes_once_and_whole(ends: Ends) -> None:
    channel, sender = ends
    call = wire.Call(id=1, op="decode", params={"name": "Ä"})
    frames = wire.encode(call) + wire.encode(wire.Cancel(id=1))
    messages = []
    for byte in frames:
        sender.send(bytes([byte]))
        messages += channel.read()
    assert messages == [call, wire.Cancel(id=1)]
    assert channel.read() == []


@given(params=st.dictionaries(st.text(), JSON, max_size=4))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_json_can_say_arrives_as_it_was(ends: Ends, params: dict[str, Any]) -> None:
    channel, sender = ends
    sender.sendall(wire.encode(wire.Call(id=1, op="x", params=params)))
    (message,) = channel.read()
    assert message.params == params


@given(noise=st.binary(min_size=1, max_size=200))
@settings(max_examples=100, deadline=None)
def test_noise_is_never_a_message(noise: bytes) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    channel: wire.Channel[Any] = wire.Channel(ours, wire.TO_WORKER)
    with theirs:
        for data in (noise, len(noise).to_bytes(4, "big") + noise):
            theirs.sendall(data)
            try:
                assert channel.read() == []
            except wire.ProtocolError:
                break
    channel.close()


def test_the_error_for_a_bad_message_does_not_quote_it(ends: Ends) -> None:
    channel, sender = ends
    body = b'{"type":"call","id":"DOE^JANE","op":"x","params":{}}'
    sender.sendall(len(body).to_bytes(4, "big") + body)
    with pytest.raises(wire.ProtocolError) as caught:
        channel.read()
    assert "DOE" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_descriptors_come_with_their_message_and_close_with_the_channel(ends: Ends) -> None:
    channel, sender = ends
    before = open_descriptors()
    call = wire.Call(id=1, op="x", params={}, buffers=[wire.BufferWord(nbytes=1, writable=True)] * 2)
    outgoing: wire.Channel[Any] = wire.Channel(sender, wire.TO_HOST)
    outgoing.queue(wire.encode(call), [0, 0])
    outgoing.flush()
    assert channel.read() == [call]
    (taken,) = channel.take_descriptors(1)
    assert not os.get_inheritable(taken)
    os.close(taken)
    assert open_descriptors() == before + 1
    channel.close()
    assert open_descriptors() == before - 1


def test_a_flood_of_descriptors_is_refused_and_leaks_none(ends: Ends) -> None:
    channel, sender = ends
    before = open_descriptors()
    socket.send_fds(sender, [b"\0"], [0] * (wire.MAX_BUFFERS + 4))
    with pytest.raises(wire.ProtocolError, match="descriptors"):
        channel.read()
    channel.close()
    assert open_descriptors() == before - 1


def test_an_announced_buffer_that_did_not_come_is_refused(ends: Ends) -> None:
    with pytest.raises(wire.ProtocolError, match="did not come"):
        ends[0].take_descriptors(1)


def test_a_closed_line_is_an_end_and_not_a_crash(ends: Ends) -> None:
    channel, sender = ends
    sender.close()
    channel.queue(wire.encode(wire.Cancel(id=1)))
    with pytest.raises(EOFError):
        channel.flush()
    with pytest.raises(EOFError):
        channel.read()

"""A worker gives results, stops when asked, and its end is never the end of the program."""

from __future__ import annotations

import os
import pickle
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from errno import EACCES
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.imaging.worker import wire
from viewer.imaging.worker.host import (
    CancelToken,
    WorkerCancelled,
    WorkerDied,
    WorkerHost,
    WorkerRefused,
    WorkerTimeout,
)
from viewer.imaging.worker.kinds import GIB, KINDS, MIB, worker_command
from viewer.imaging.worker.memory import SharedPool

MakeHost = Callable[..., WorkerHost]
SOON = 1.0
"""Seconds; the promise is 0.1 s, and a busy test machine gets the rest."""


def has_ended(pid: int) -> bool:
    """Wait until a process is gone; false after a long time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    try:
        return bool(poll.poll(20_000))
    finally:
        os.close(descriptor)


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def cancel_on_start(host: WorkerHost, op: str) -> tuple[float, list[dict[str, Any]]]:
    """Cancel an operation when it says that it runs; return seconds until the call returned."""
    token, events, cancelled_at = CancelToken(), [], []

    def started(event: dict[str, Any]) -> None:
        events.append(event)
        cancelled_at.append(time.monotonic())
        token.cancel()

    with pytest.raises(WorkerCancelled):
        host.call(op, {}, on_event=started, cancel=token)
    return time.monotonic() - cancelled_at[0], events


def test_a_result_comes_back_with_pixels_in_shared_memory(host: WorkerHost, pool: SharedPool) -> None:
    with pool.acquire(2 * 1000) as source, pool.acquire(4 * 1000) as target:
        source.view(np.int16, (1000,), writable=True)[:] = np.arange(-500, 500)
        result = host.call("double", {"count": 1000}, buffers=[source.read_only(), target])
        assert result == {"sum": -500}
        assert np.array_equal(target.view(np.int32, (1000,)), 2 * np.arange(-500, 500))


def test_params_come_back_as_they_went_even_names_that_are_not_utf8(host: WorkerHost) -> None:
    params = {"path": os.fsdecode(b"/data/\xff\xfe.dcm"), "é": [1, 2.5, None, {"deep": True}]}
    assert host.call("echo", params)["params"] == params


def test_a_large_message_passes_both_ways(host: WorkerHost) -> None:
    text = "x" * (3 * MIB)
    assert host.call("echo", {"text": text})["params"]["text"] == text


def test_events_stream_in_their_order(host: WorkerHost) -> None:
    events: list[dict[str, Any]] = []
    assert host.call("count", {"to": 500}, on_event=events.append) == {"last": 499}
    assert [event["number"] for event in events] == list(range(500))


@pytest.mark.usefixtures("patience")
def test_a_listener_that_fails_ends_its_call_and_not_the_worker(host: WorkerHost) -> None:
    pid = host.call("echo", {})["pid"]

    def listen(event: dict[str, Any]) -> None:
        raise LookupError("the window is gone")

    with pytest.raises(LookupError, match="window"):
        host.call("wait_for_cancel", {}, on_event=listen)
    assert host.call("echo", {})["pid"] == pid


def test_one_process_serves_many_calls_from_many_threads(host: WorkerHost) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda n: host.call("echo", {"n": n}), range(60)))
    assert [answer["params"]["n"] for answer in answers] == list(range(60))
    assert len({answer["pid"] for answer in answers}) == 1


def test_a_worker_outlives_the_thread_that_started_it(host: WorkerHost) -> None:
    pids: list[int] = []
    starter = threading.Thread(target=lambda: pids.append(host.call("echo", {})["pid"]))
    starter.start()
    starter.join()
    assert host.call("echo", {})["pid"] == pids[0]


@pytest.mark.parametrize("op", ["spin", "stuck_in_c"])
def test_cancel_returns_at_once_from_a_worker_that_does_not_listen(host: WorkerHost, op: str) -> None:
    seconds, events = cancel_on_start(host, op)
    assert seconds < SOON
    assert has_ended(events[0]["pid"])
    assert host.call("echo", {})["pid"] != events[0]["pid"]


@pytest.mark.usefixtures("patience")
def test_cancel_leaves_a_worker_alive_that_listens(host: WorkerHost) -> None:
    pid = host.call("echo", {})["pid"]
    cancel_on_start(host, "wait_for_cancel")
    assert host.call("echo", {})["pid"] == pid


@pytest.mark.usefixtures("patience")
def test_cancel_frees_a_call_that_waits_its_turn(host: WorkerHost) -> None:
    first, second, running = CancelToken(), CancelToken(), threading.Event()
    with ThreadPoolExecutor(2) as threads:
        busy = threads.submit(
            host.call, "wait_for_cancel", {}, on_event=lambda _: running.set(), cancel=first
        )
        assert running.wait(20)
        waiting = threads.submit(host.call, "echo", {}, cancel=second)
        second.cancel()
        with pytest.raises(WorkerCancelled):
            waiting.result(timeout=20)
        assert not busy.done()
        first.cancel()
        with pytest.raises(WorkerCancelled):
            busy.result(timeout=20)


def test_a_token_cancelled_before_starts_nothing(host: WorkerHost) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(WorkerCancelled):
        host.call("abort", {}, cancel=token)
    assert host.pid is None


def test_a_crash_is_told_in_words_and_a_new_process_takes_over(host: WorkerHost) -> None:
    pid = host.call("echo", {})["pid"]
    with pytest.raises(WorkerDied, match="abort") as caught:
        host.call("abort", {})
    assert caught.value.code == "died"
    assert "a native library says why" in caught.value.details
    assert host.call("echo", {})["pid"] != pid


def test_a_crash_in_native_code_names_the_place_for_an_engineer(host: WorkerHost) -> None:
    with pytest.raises(WorkerDied, match="segmentation fault") as caught:
        host.call("crash", {})
    assert "worker_test_operations.py" in caught.value.details


def test_an_interrupt_at_the_terminal_is_the_hosts_to_handle(host: WorkerHost) -> None:
    pid = host.call("interrupt", {})["pid"]
    assert host.call("echo", {})["pid"] == pid


def test_a_process_that_leaves_by_itself_has_died(host: WorkerHost) -> None:
    with pytest.raises(WorkerDied, match="status 7"):
        host.call("leave", {"status": 7})


def test_the_last_words_are_kept_to_a_bound(host: WorkerHost) -> None:
    with pytest.raises(WorkerDied) as caught:
        host.call("babble", {"bytes": 1 << 20})
    assert len(caught.value.details) <= 16 << 10
    assert caught.value.details.endswith("the end")


@pytest.mark.parametrize("op", ["spin", "stuck_in_c"])
def test_a_deadline_ends_an_operation_that_hangs(host: WorkerHost, op: str) -> None:
    host.call("echo", {})
    with pytest.raises(WorkerTimeout) as caught:
        host.call(op, {}, deadline=0.3)
    assert caught.value.code == "deadline"
    assert host.call("echo", {})


@pytest.mark.usefixtures("patience")
def test_a_deadline_spares_a_worker_that_stops_when_asked(host: WorkerHost) -> None:
    pid = host.call("echo", {})["pid"]
    with pytest.raises(WorkerTimeout):
        host.call("wait_for_cancel", {}, deadline=0.3, subject="long but good")
    assert host.call("echo", {})["pid"] == pid


def test_a_silent_worker_is_ended_without_a_deadline(make_host: MakeHost) -> None:
    with pytest.raises(WorkerTimeout) as caught:
        make_host("impatient").call("stuck_in_c", {})
    assert caught.value.code == "silent"


@pytest.mark.usefixtures("patience")
def test_a_heartbeat_keeps_a_long_operation_alive(make_host: MakeHost) -> None:
    host = make_host("impatient")
    pid = host.call("echo", {})["pid"]
    # Twice what would count as silence, in which the handler itself says nothing.
    with pytest.raises(WorkerTimeout) as caught:
        host.call("wait_for_cancel", {}, deadline=2 * KINDS["impatient"].silence)
    assert caught.value.code == "deadline"
    assert host.call("echo", {})["pid"] == pid


def test_too_much_memory_is_an_answer_and_the_worker_lives_on(make_host: MakeHost) -> None:
    host = make_host(memory_limit=GIB)
    pid = host.call("echo", {})["pid"]
    with pytest.raises(WorkerRefused, match="more memory") as caught:
        host.call("eat_memory", {"bytes": 2 * GIB})
    assert caught.value.code == "memory"
    assert host.call("eat_memory", {"bytes": 100 * MIB}) == {"length": 100 * MIB}
    assert host.call("echo", {})["pid"] == pid


def test_shared_pixels_do_not_count_against_the_limit(host: WorkerHost, pool: SharedPool) -> None:
    with pool.acquire(8 * MIB) as buffer:
        during = host.call("limit_with_buffers", {}, buffers=[buffer])["address_space"]
    after = host.call("limit_with_buffers", {})["address_space"]
    assert (during, after) == (GIB + 8 * MIB, GIB)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    "op", ["write_to_first", "refuse_in_the_middle", "fail", "not_a_number", "no_such_thing"]
)
def test_after_a_call_the_worker_holds_no_pixels(host: WorkerHost, pool: SharedPool, op: str) -> None:
    """What it worked on is shown now, or belongs to another series: a later call must not reach it."""
    with pool.acquire(8 * MIB) as buffer:
        during = host.call("mappings", {}, buffers=[buffer, buffer.read_only()])
        with suppress(WorkerRefused):
            host.call(op, {}, buffers=[buffer])
        after = host.call("mappings", {})
    assert during == {"mapped": 2, "open": 2}
    assert after == {"mapped": 0, "open": 0}


@pytest.mark.parametrize(
    ("op", "params", "code"),
    [
        ("no_such_thing", {}, "unknown_operation"),
        ("refuse", {}, "not_a_volume"),
        ("fail", {}, "failed"),
        ("validate", {"number": "many"}, "invalid"),
        ("not_a_number", {}, "bad_result"),
        ("too_large", {}, "bad_result"),
        ("not_an_object", {}, "invalid"),
        ("lying_view", {}, "failed"),
    ],
)
def test_what_a_handler_cannot_do_is_a_typed_answer(
    host: WorkerHost, pool: SharedPool, op: str, params: dict[str, Any], code: str
) -> None:
    pid = host.call("echo", {})["pid"]
    with pool.acquire(100) as buffer, pytest.raises(WorkerRefused) as caught:
        host.call(op, params, buffers=[buffer])
    assert caught.value.code == code
    assert host.call("echo", {})["pid"] == pid


def test_the_message_of_an_unexpected_error_holds_no_data_of_the_patient(host: WorkerHost) -> None:
    with pytest.raises(WorkerRefused) as caught:
        host.call("fail", {})
    assert "DOE" not in str(caught.value)
    assert "DOE^JANE" in caught.value.details


def test_a_worker_cannot_write_to_pixels_shared_for_reading(host: WorkerHost, pool: SharedPool) -> None:
    with pool.acquire(100) as buffer:
        with pytest.raises(WorkerRefused):
            host.call("write_to_first", {}, buffers=[buffer.read_only()])
        with pytest.raises(WorkerRefused) as caught:
            host.call("map_for_writing", {}, buffers=[buffer.read_only()])
        assert "PermissionError" in caught.value.details
        assert buffer.view(np.uint8, (100,)).sum() == 0
        host.call("write_to_first", {}, buffers=[buffer])
        assert buffer.view(np.uint8, (100,)).sum() == 1


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff\xff",
        (wire.MAX_MESSAGE + 1).to_bytes(4, "big"),
        framed(b"[]"),
        framed(pickle.dumps({"type": "result"})),
        framed(b'{"type":"shout"}'),
        framed(b"[" * (1 << 20)),
        framed(b'{"type":"result","id":999999999,"body":{"a":1}}'),
        framed(b'{"type":"result","id":1,"body":{"a":NaN}}'),
        framed(b'{"type":"result","id":1,"body":{},"more":1}'),
        framed(b'{"type":"result","id":"1","body":{}}'),
    ],
    ids=[
        "length",
        "over-limit",
        "no-object",
        "pickle",
        "unknown-type",
        "nested",
        "not-asked",
        "nan",
        "more",
        "id",
    ],
)
def test_garbage_on_the_socket_ends_the_worker_and_not_the_program(
    host: WorkerHost, frame: bytes
) -> None:
    with pytest.raises(WorkerDied) as caught:
        host.call("garbage", {"hex": frame.hex()}, deadline=20)
    assert caught.value.code == "protocol"
    assert host.call("echo", {})


def test_an_oversize_request_is_refused_before_it_is_sent(host: WorkerHost) -> None:
    with pytest.raises(WorkerRefused) as caught:
        host.call("echo", {"text": "x" * (wire.MAX_MESSAGE + 1)})
    assert caught.value.code == "bad_request"


def test_a_worker_of_another_version_is_refused(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PROTOCOL_VERSION", 999)
    with pytest.raises(WorkerDied, match="999") as caught:
        host.call("echo", {})
    assert caught.value.code == "version"


def test_a_worker_imports_only_modules_it_may(make_host: MakeHost) -> None:
    with pytest.raises(WorkerDied) as caught:
        make_host("unlisted").call("echo", {})
    assert caught.value.code == "module"


def test_what_killed_two_workers_is_not_tried_again(host: WorkerHost) -> None:
    for _ in range(2):
        with pytest.raises(WorkerDied):
            host.call("abort", {}, subject="bad.dcm")
    pid = host.call("echo", {}, subject="good.dcm")["pid"]
    with pytest.raises(WorkerRefused) as caught:
        host.call("abort", {}, subject="bad.dcm")
    assert caught.value.code == "quarantined"
    assert host.call("echo", {})["pid"] == pid
    host.quarantine.release("bad.dcm")
    assert host.call("echo", {}, subject="bad.dcm")


def test_a_hang_counts_and_a_cancel_does_not(host: WorkerHost) -> None:
    for _ in range(2):
        token = CancelToken()
        with pytest.raises(WorkerCancelled):
            host.call("spin", {}, on_event=lambda _, t=token: t.cancel(), cancel=token, subject="slow")
    assert not host.quarantine.holds("slow")
    for _ in range(2):
        host.call("echo", {})
        with pytest.raises(WorkerTimeout):
            host.call("stuck_in_c", {}, deadline=0.2, subject="hangs")
    assert host.quarantine.holds("hangs")


def test_the_descriptors_of_the_host_do_not_grow(host: WorkerHost, pool: SharedPool) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with pool.acquire(1000) as buffer:
        host.call("limits", {"names": []}, buffers=[buffer])
        before, inside = count(), host.call("limits", {"names": []}, buffers=[buffer])["descriptors"]
        for _ in range(50):
            result = host.call("limits", {"names": []}, buffers=[buffer.read_only(), buffer])
        assert count() == before
    assert host.call("limits", {"names": []})["descriptors"] == inside - 1
    assert result["descriptors"] == inside + 1
    pid = host.pid
    with pytest.raises(WorkerDied):
        host.call("abort", {})
    assert pid is not None and has_ended(pid)
    host.call("echo", {})
    assert count() <= before


def test_a_worker_is_limited_as_promised(host: WorkerHost) -> None:
    names = ["OMP_WAIT_POLICY", "GGML_NO_BACKTRACE", "OPENBLAS_NUM_THREADS"]
    found = host.call("limits", {"names": names})
    assert found["core"] == [0, 0]
    assert found["dumpable"] == 0
    assert found["address_space"] == GIB
    assert found["nice"] == os.getpriority(os.PRIO_PROCESS, 0) + 3
    assert found["stdin"] == found["stdout"] == "/dev/null"
    assert list(found["environment"].values()) == ["PASSIVE", "1", "1"]


def test_a_worker_cannot_call_out(host: WorkerHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        errno = host.call("connect", {"port": server.getsockname()[1]})["errno"]
    if errno == 0:
        pytest.skip("this kernel has no Landlock for the network")
    assert errno == EACCES


def test_close_ends_the_process_and_the_running_call(make_host: MakeHost) -> None:
    host, running, pids = make_host(), threading.Event(), []

    def started(event: dict[str, Any]) -> None:
        pids.append(event["pid"])
        running.set()

    with ThreadPoolExecutor(2) as threads:
        busy = threads.submit(host.call, "stuck_in_c", {}, on_event=started)
        assert running.wait(20)
        waiting = threads.submit(host.call, "echo", {})
        begun = time.monotonic()
        host.close()
        assert time.monotonic() - begun < SOON
        for call in (busy, waiting):
            with pytest.raises(WorkerRefused) as caught:
                call.result(timeout=20)
            assert caught.value.code == "closed"
    assert has_ended(pids[0])
    host.close()


HOST_PROGRAM = """
import sys, threading
from viewer.imaging.worker.kinds import GIB, KINDS, WorkerKind
from viewer.imaging.worker.host import WorkerHost
module, folder, variable, op = sys.argv[1:]
KINDS["test"] = WorkerKind(module, GIB, environment={variable: module, "PYTHONPATH": folder})
WorkerHost("test").call(op, {}, on_event=lambda event: print(event["pid"], flush=True))
"""


@pytest.mark.parametrize("op", ["spin", "stuck_in_c"])
def test_a_worker_dies_with_its_host_whatever_it_does(op: str) -> None:
    from viewer.imaging.worker.kinds import TEST_MODULE_VARIABLE

    folder = Path(__file__).parent
    command = [sys.executable, "-c", HOST_PROGRAM, "worker_test_operations", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(folder.parents[1])}
    with subprocess.Popen(
        [*command, TEST_MODULE_VARIABLE, op], stdout=subprocess.PIPE, text=True, env=environment
    ) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        program.kill()
    assert has_ended(pid)


def test_a_frozen_program_runs_its_own_hidden_subcommand(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_command("imaging")[-2:] == ["viewer.imaging.worker", "imaging"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert worker_command("imaging") == [sys.executable, "worker", "imaging"]

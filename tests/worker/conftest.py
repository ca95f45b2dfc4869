"""A kind of worker for these tests, added to the table as the program's own kinds are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from viewer.imaging.worker import host as host_module
from viewer.imaging.worker.host import WorkerHost
from viewer.imaging.worker.kinds import GIB, KINDS, TEST_MODULE_VARIABLE, WorkerKind
from viewer.imaging.worker.memory import SharedPool

MODULE = "worker_test_operations"
ENVIRONMENT = {TEST_MODULE_VARIABLE: MODULE, "PYTHONPATH": str(Path(__file__).parent)}


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "test", WorkerKind(MODULE, 1 * GIB, nice=3, environment=ENVIRONMENT))
    monkeypatch.setitem(
        KINDS, "impatient", WorkerKind(MODULE, 1 * GIB, silence=1.0, environment=ENVIRONMENT)
    )
    monkeypatch.setitem(
        KINDS,
        "unlisted",
        WorkerKind(MODULE, 1 * GIB, environment={"PYTHONPATH": str(Path(__file__).parent)}),
    )


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker that stops when asked do so on a busy machine too."""
    monkeypatch.setattr(host_module, "GRACE", 20.0)


@pytest.fixture
def make_host() -> Iterator[Callable[..., WorkerHost]]:
    hosts: list[WorkerHost] = []

    def make(kind: str = "test", **options: object) -> WorkerHost:
        hosts.append(WorkerHost(kind, **options))
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()


@pytest.fixture
def host(make_host: Callable[..., WorkerHost]) -> WorkerHost:
    return make_host()


@pytest.fixture
def pool() -> Iterator[SharedPool]:
    with SharedPool(64 << 20) as pool:
        yield pool

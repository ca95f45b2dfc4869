"""What of a model goes to a device, what happens when it fails, and what too little memory says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_cpp import llama_cpp

from inference.models import runtime as runtime_module
from inference.models.client import ModelClient
from inference.models.generation import ModelError
from inference.models.memory import (
    DEVICE_RESERVE,
    GIB,
    HOST_RESERVE,
    MIB,
    Device,
    Plan,
    Sizes,
    cache_bytes,
    on_processor,
    plan,
    shortage,
)
from inference.models.registry import FileRole, InstalledModel
from inference.models.runtime import Request, Runtime, RuntimeRefusal
from viewer.imaging.worker.host import WorkerHost

FOUR_B = Sizes(weights=2600 * MIB, layers=34, cache=544 * MIB, projector=850 * MIB, compute=520 * MIB)
"""A 4B model of four bits with its projector, context 4096."""


def card(free: float, name: str = "CUDA0") -> Device:
    return Device(name, int(free * GIB), int(free * GIB) + GIB)


@pytest.mark.parametrize(
    ("devices", "device", "layers", "projector"),
    [
        ([], "", 0, False),
        ([card(24)], "CUDA0", 35, True),
        ([card(4.5)], "CUDA0", 35, False),  # all layers fit, the projector does not
        ([card(3)], "CUDA0", 22, False),
        ([card(2)], "CUDA0", 10, False),
        ([card(1.5)], "", 0, False),  # less than a quarter of the layers
        ([card(0.2)], "", 0, False),
        ([card(2, "Vulkan0"), card(24, "Vulkan1")], "Vulkan1", 35, True),
    ],
)
def test_layers_fill_the_free_memory_of_the_best_device(
    devices: list[Device], device: str, layers: int, projector: bool
) -> None:
    made = plan(FOUR_B, devices)
    assert (made.device, made.projector) == (device, projector)
    assert abs(made.layers - layers) <= 1
    if device:
        free = max(one.free for one in devices)
        assert made.device_bytes + DEVICE_RESERVE <= free
        each = (FOUR_B.weights + FOUR_B.cache) // FOUR_B.layers
        if made.layers <= FOUR_B.layers:
            assert made.device_bytes + DEVICE_RESERVE + each * 1.1 > free  # one more would not fit
    on_device = max(0, made.device_bytes - FOUR_B.compute)
    assert on_device + made.host_bytes == FOUR_B.total


def test_a_cache_is_two_numbers_a_head_layer_and_token() -> None:
    """A 4B gemma3: 34 layers, 4 heads of 256, 4096 tokens: 544 MiB, as llama.cpp reports."""
    assert cache_bytes(context=4096, layers=34, heads=4, key=256, value=256) == 544 * MIB


def test_too_little_memory_is_said_with_what_to_do() -> None:
    wanted = on_processor(FOUR_B)
    assert shortage(wanted, None) == ""
    assert shortage(wanted, wanted.host_bytes + HOST_RESERVE) == ""
    said = shortage(wanted, 2 * GIB)
    assert "needs 4.4 GiB" in said
    assert "2.0 GiB is free" in said
    assert "Close other programs" in said


def test_a_worker_without_room_for_the_model_says_so_and_lives(built_in: InstalledModel) -> None:
    """The limit of the process is under what the library and the model need together."""
    with WorkerHost("model", memory_limit=360 * MIB) as host:
        client = ModelClient(built_in, host)
        with pytest.raises(ModelError, match="is free") as caught:
            client.load()
        assert caught.value.code == "memory"
        first = client.pid
        assert first is not None
        with pytest.raises(ModelError, match="Close other programs"):
            client.load()
        assert client.pid == first


@pytest.fixture
def opened(built_in: InstalledModel) -> Any:
    made: list[Runtime] = []

    def make() -> Runtime:
        path = str(built_in.path(FileRole.MODEL))
        made.append(Runtime(path, mmproj_path=None, context=1024, cancelled=lambda: False))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("edge", ["llama_model_load_from_file", "llama_init_from_model"])
def test_a_device_that_fails_leaves_the_processor_and_a_notice(
    opened: Callable[[], Runtime], monkeypatch: pytest.MonkeyPatch, edge: str
) -> None:
    """The card is said to be there; what llama.cpp does with it fails once."""
    monkeypatch.setattr(runtime_module, "devices", lambda library: (card(24),))
    real, layers, failed = llama_cpp.llama_model_load_from_file, [], []

    def load(path: bytes, parameters: Any) -> Any:
        if not parameters.vocab_only:
            layers.append(parameters.n_gpu_layers)
            if edge == "llama_model_load_from_file" and parameters.n_gpu_layers:
                failed.append(edge)
                return None
        return real(path, parameters)

    context = llama_cpp.llama_init_from_model

    def init(model: Any, parameters: Any) -> Any:
        if edge == "llama_init_from_model" and not failed:
            failed.append(edge)
            return None
        return context(model, parameters)

    monkeypatch.setattr(llama_cpp, "llama_model_load_from_file", load)
    monkeypatch.setattr(llama_cpp, "llama_init_from_model", init)
    model = opened()
    assert failed == [edge]
    assert layers[0] > 0
    assert layers[1:] == [0]
    assert model.plan == Plan("", 0, False, 0, model.plan.host_bytes)
    assert "could not be loaded on CUDA0 and runs on the processor" in model.notice
    request = Request("<|bos|>", "x", "<|eot|>", 'root ::= "ab"\n', 8, 60.0)
    assert model.generate(request, lambda piece: None).text == "ab"


def test_a_model_that_does_not_fit_is_not_loaded(
    opened: Callable[[], Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_module, "free_memory", lambda: 64 * MIB)
    with pytest.raises(RuntimeRefusal, match="64 MiB is free") as caught:
        opened()
    assert caught.value.code == "memory"


def test_facts_tell_where_the_model_is_and_what_it_takes(client: ModelClient) -> None:
    facts = client.load()
    assert (facts.device, facts.layers, facts.notice) == ("", 0, "")
    assert facts.bytes > client.model.manifest.files[0].bytes

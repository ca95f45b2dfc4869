"""A server of the institution: only the listed address, only under the grammar, and free on a cancel.

The server is a real one on a socket; behind it the built-in model writes.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.engine import Engine
from app.machine_policy import POLICY_VARIABLE, BrokenPolicy, model_servers
from inference.models.client import ModelClient
from inference.models.generation import ModelError, StopReason
from inference.models.registry import InstalledModel
from inference.models.server import LARGEST_ANSWER, ModelServer
from inference.models.server_client import ServerClient
from viewer.imaging.worker.host import CancelToken

GRAMMAR = 'root ::= "Right lung " ("volume" | "density") " 2.81."\n'
TEXTS = {"Right lung volume 2.81.", "Right lung density 2.81."}


class Premises(ThreadingHTTPServer):
    """Speaks the chat protocol; `manner` is how it behaves."""

    daemon_threads = True

    def __init__(self, client: ModelClient, field: Callable[[dict], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.client, self.field = client, field
        self.manner = "good"
        self.asked: list[dict] = []
        self.hangs = threading.Event()
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Premises

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked | {"path": self.path})
        manner = self.server.manner
        if manner == "moved":
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:9/v1/chat/completions")
            self.end_headers()
            return
        self.send_response(500 if manner == "broken" else 200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        probe = len(self.server.asked) == 1
        if manner == "chatty":
            self._say("Of course! The lungs are clear.", "stop")
        elif manner == "endless":
            for _ in range(LARGEST_ANSWER // 60_000 + 2):
                self._say("x" * 60_000, None)
        elif manner == "nonsense":
            self.wfile.write(b"data: {not json\n\n")
        elif manner == "hangs" and not probe:
            self._say("Right ", None)
            self.server.hangs.set()
            self.server.over.wait(20)
        else:
            text = self.server.client.generate(
                asked["messages"][0]["content"], self.server.field(asked),
                max_tokens=asked["max_tokens"],
            ).text  # fmt: skip
            for start in range(0, len(text), 5):
                self._say(text[start : start + 5], None)
            self._say("", "stop")
            self.wfile.write(b"data: [DONE]\n\n")

    def _say(self, text: str, ended: str | None) -> None:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": ended}
        try:
            self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
            self.wfile.flush()
        except OSError:
            self.close_connection = True


@pytest.fixture(scope="module")
def writer(built_in: InstalledModel) -> Iterator[ModelClient]:
    with ModelClient(built_in) as made:
        yield made


@pytest.fixture
def premises(writer: ModelClient) -> Iterator[Premises]:
    server = Premises(writer, lambda asked: asked["grammar"])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def client_of(premises: Premises, kind: str = "llama-server") -> ServerClient:
    return ServerClient(ModelServer(address=premises.address, kind=kind, model="m"))


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("llama-server", lambda asked: asked["grammar"]),
        ("vllm", lambda asked: asked["structured_outputs"]["grammar"]),
    ],
)
def test_a_server_writes_under_the_grammar_as_its_text_comes(
    premises: Premises, kind: str, field: Callable[[dict], str]
) -> None:
    premises.field = field
    heard: list[str] = []
    client = client_of(premises, kind)
    made = client.generate("lungs", GRAMMAR, on_token=heard.append)
    assert made.text in TEXTS
    assert "".join(heard) == made.text
    assert made.stop_reason is StopReason.END
    assert [asked["path"] for asked in premises.asked] == ["/v1/chat/completions"] * 2
    client.generate("lungs", GRAMMAR)
    assert len(premises.asked) == 3  # it had to show once that it keeps to grammars
    assert client.stamp().licence == f"on premises: {premises.address}"


@pytest.mark.parametrize(
    ("manner", "code", "said"),
    [
        ("chatty", "grammar", "does not keep to a grammar"),
        ("moved", "server", "answered 307"),
        ("broken", "server", "answered 500"),
        ("endless", "server", "too long"),
        ("nonsense", "server", "broke off"),
    ],
)
def test_a_server_that_does_not_do_as_asked_is_refused_and_nothing_is_heard(
    premises: Premises, manner: str, code: str, said: str
) -> None:
    premises.manner = manner
    heard: list[str] = []
    with pytest.raises(ModelError, match=said) as caught:
        client_of(premises).generate("lungs", GRAMMAR, on_token=heard.append)
    assert caught.value.code == code
    assert heard == []
    assert [asked["messages"][0]["content"] for asked in premises.asked] == ["Answer."]


def test_a_cancel_frees_the_caller_from_a_server_that_hangs(premises: Premises) -> None:
    premises.manner = "hangs"
    token = CancelToken()
    times: list[float] = []

    def cancel() -> None:
        premises.hangs.wait(20)
        times.append(time.monotonic())
        token.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(ModelError) as caught:
        client_of(premises).generate("lungs", GRAMMAR, cancel=token)
    freed = time.monotonic()
    thread.join()
    assert caught.value.code == "cancelled"
    assert freed - times[0] < 0.1


def test_a_server_that_thinks_too_long_is_left(premises: Premises) -> None:
    premises.manner = "hangs"
    try:
        made = client_of(premises).generate("lungs", GRAMMAR, deadline=1.5)
        assert made.stop_reason is StopReason.TIME
    except ModelError as error:
        assert error.code == "deadline"


def test_proxies_of_the_environment_are_not_asked(
    premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert client_of(premises).generate("lungs", GRAMMAR).text in TEXTS


def test_a_server_that_is_not_there_is_an_error_in_words() -> None:
    client = ServerClient(ModelServer(address="http://127.0.0.1:9", kind="vllm", model="m"))
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        client.generate("lungs", GRAMMAR)
    assert caught.value.code == "server"


@pytest.mark.parametrize(
    "address",
    [
        "http://models.hospital:8080",  # in clear over a network
        "https://models.hospital",
        "https://user:word@models.hospital:443",
        "https://models.hospital:443/v1",
        "https://models.hospital:443?x",
        "HTTPS://models.hospital:443",
        "ftp://models.hospital:21",
        "http://localhost.evil:80",
        "file:///etc/passwd",
    ],
)
def test_an_address_is_exact_and_never_in_clear_over_a_network(address: str) -> None:
    with pytest.raises(ValidationError):
        ModelServer(address=address, kind="vllm", model="m")


def test_a_server_is_off_unless_the_policy_lists_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, premises: Premises
) -> None:
    policy = tmp_path / "policy.json"
    monkeypatch.setenv(POLICY_VARIABLE, str(policy))
    entry = {"address": premises.address, "kind": "llama-server", "model": "m"}
    policy.write_text(json.dumps({"model_servers": []}))
    with Engine(tmp_path / "home") as engine:
        with pytest.raises(ModelError, match="does not list the server") as caught:
            engine._client(premises.address)
        assert caught.value.code == "not_listed"
        policy.write_text(json.dumps({"model_servers": [entry]}))
        client = engine._client(premises.address)
        assert isinstance(client, ServerClient)
        assert client.generate("lungs", GRAMMAR, seed=0).text in TEXTS
        with pytest.raises(ModelError, match="does not list"):
            engine._client("http://127.0.0.1:9")
    policy.write_text(json.dumps({"model_servers": [entry | {"verify": False}]}))
    with pytest.raises(BrokenPolicy, match="model_servers"):
        model_servers()


def test_the_list_of_models_says_where_text_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from app.cli.models import commands

    policy = tmp_path / "policy.json"
    entry = {"address": "https://models.hospital.example:8443", "kind": "vllm", "model": "big-27b"}
    policy.write_text(json.dumps({"model_servers": [entry]}))
    monkeypatch.setenv(POLICY_VARIABLE, str(policy))
    said = CliRunner().invoke(commands, ["list", "--home", str(tmp_path)]).output
    assert "big-27b  on premises: https://models.hospital.example:8443" in said

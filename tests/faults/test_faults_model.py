"""A model that dies, hangs or is not the one of its manifest: what was measured stays, in words."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_scene import PHANTOM, Done, flip, foreign_digits, sightline, worker_pids

import resources
from app.engine import DraftOutcome, Engine
from inference.drafting.draft import DraftCancelled
from inference.models import client as model_client
from inference.models.generation import ModelError
from inference.models.registry import ModelRegistry
from reports.domain import Ledger, Sentence, Step, TraceEvent, TraceStatus
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Study
from viewer.imaging.worker.errors import WorkerError
from viewer.imaging.worker.host import CancelToken

CANCEL_SECONDS = 0.5
"""The product promises 0.1 s; this machine may be busy with other tests."""


Vouch = Callable[[Path], None]

KINDS = ("imaging", "evidence", "model")


@dataclass(frozen=True)
class Own:
    """Workers that a test may end; `others` are those of the other tests."""

    engine: Engine
    others: frozenset[int]

    def pids(self, kind: str) -> list[int]:
        return [pid for pid in worker_pids(kind) if pid not in self.others]

    def kill(self, kind: str) -> None:
        for pid in self.pids(kind):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def own(drafted: DraftOutcome) -> Iterator[Own]:
    others = frozenset(pid for kind in KINDS for pid in worker_pids(kind))
    with Engine() as engine:
        yield Own(engine, others)


def is_compose(event: TraceEvent) -> bool:
    return event.step is Step.COMPOSE and event.status is TraceStatus.RUNNING


def test_a_model_killed_in_mid_draft_leaves_what_was_measured_and_what_was_written(
    own: Own, sample: tuple[Study, OpenStack], long_ledger: Ledger, drafted: DraftOutcome
) -> None:
    written: list[Sentence] = []

    def killed(sentence: Sentence) -> None:
        written.append(sentence)
        own.kill("model")

    ledgers: list[Ledger] = []
    draft = own.engine.draft(
        *sample, ledger=long_ledger, on_sentence=killed, on_ledger=ledgers.append
    ).result.draft
    assert ledgers == [long_ledger]
    assert not draft.complete
    assert draft.sentences == tuple(written)
    (code,) = {one.code for one in draft.limitations if one.code.startswith("compose")}
    assert code == "compose_died"
    said = next(one.text for one in draft.limitations if one.code == code)
    assert "no sentence" in said
    assert "was killed" in said
    again = own.engine.draft(*sample).result.draft
    assert again == drafted.result.draft


def test_a_model_that_dies_while_it_starts_leaves_what_was_measured(
    own: Own, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> None:
    started = threading.Event()

    def kill_at_birth() -> None:
        started.wait()
        while not (pids := own.pids("model")):
            pass
        os.kill(pids[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_at_birth)
    killer.start()
    outcome = own.engine.draft(
        *sample, on_event=lambda event: started.set() if is_compose(event) else None
    )
    killer.join()
    assert outcome.result.ledger == drafted.result.ledger
    assert outcome.result.draft.sentences == ()
    assert outcome.result.draft.model is None
    assert not outcome.result.draft.complete
    assert own.engine.draft(*sample).result.draft == drafted.result.draft


def test_a_model_that_hangs_is_ended_at_its_deadline(
    own: Own,
    sample: tuple[Study, OpenStack],
    drafted: DraftOutcome,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own.engine.draft(*sample, ledger=drafted.result.ledger)
    (hung,) = own.pids("model")
    with monkeypatch.context() as patch:
        patch.setattr(model_client, "SECONDS", 0.5)
        patch.setattr(model_client, "MARGIN_SECONDS", 0.1)
        draft = own.engine.draft(
            *sample,
            ledger=drafted.result.ledger,
            on_event=lambda event: os.kill(hung, signal.SIGSTOP) if is_compose(event) else None,
        ).result.draft
    assert not draft.complete
    assert draft.sentences == ()
    said = [one for one in draft.limitations if one.code == "compose_deadline"]
    assert "took longer than it may" in said[0].text
    written = {one.citations[0].evidence_id for one in drafted.result.draft.sentences}
    assert {one.evidence_id for one in said} == written
    assert len(written) > 1
    again = own.engine.draft(*sample, ledger=drafted.result.ledger).result.draft
    assert again == drafted.result.draft
    assert hung not in own.pids("model")


@pytest.mark.parametrize("kind", ["evidence", "model"])
def test_cancel_frees_the_window_at_once_even_from_a_worker_that_hangs(
    kind: str, own: Own, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> None:
    """Cancelled from another thread, as the window does it, while the worker is stopped."""
    own.engine.draft(*sample)
    (hung,) = own.pids(kind)
    step = {"evidence": Step.COLLECT, "model": Step.COMPOSE}[kind]
    cancel, stopped = CancelToken(), threading.Event()
    asked: list[float] = []
    took: list[float] = []

    def stop(event: TraceEvent) -> None:
        if event.step is step and event.status is TraceStatus.RUNNING and not stopped.is_set():
            os.kill(hung, signal.SIGSTOP)
            stopped.set()

    def window() -> None:
        stopped.wait()
        asked.append(time.monotonic())
        cancel.cancel()
        took.append(time.monotonic() - asked[0])

    thread = threading.Thread(target=window)
    thread.start()
    with pytest.raises(DraftCancelled) as cancelled:
        own.engine.draft(*sample, on_event=stop, cancel=cancel)
    freed = time.monotonic() - asked[0]
    thread.join()
    print(
        f"{kind}: cancel() took {took[0] * 1e3:.1f} ms, the draft returned after {freed * 1e3:.0f} ms"
    )
    assert took[0] < 0.1
    assert freed < CANCEL_SECONDS
    last = cancelled.value.trace.events[-1]
    assert (last.step, last.status) == (step, TraceStatus.CANCELLED)
    assert own.engine.draft(*sample).result.draft == drafted.result.draft


def test_cancel_in_mid_text_returns_at_once_and_the_next_draft_is_whole(
    own: Own, sample: tuple[Study, OpenStack], long_ledger: Ledger, drafted: DraftOutcome
) -> None:
    cancel, asked = CancelToken(), []

    def stop(_sentence: Sentence) -> None:
        asked.append(time.monotonic())
        cancel.cancel()

    with pytest.raises(DraftCancelled):
        own.engine.draft(*sample, ledger=long_ledger, on_sentence=stop, cancel=cancel)
    freed = time.monotonic() - asked[0]
    print(f"in mid text: the draft returned after {freed * 1e3:.0f} ms")
    assert freed < CANCEL_SECONDS
    assert own.engine.draft(*sample).result.draft == drafted.result.draft


def test_a_cancel_before_the_start_measures_nothing(
    engine: Engine, sample: tuple[Study, OpenStack]
) -> None:
    cancel = CancelToken()
    cancel.cancel()
    ledgers: list[Ledger] = []
    with pytest.raises(DraftCancelled):
        engine.draft(*sample, cancel=cancel, on_ledger=ledgers.append)
    assert ledgers == []


def test_measuring_that_dies_is_an_error_in_words_and_the_next_draft_is_whole(
    own: Own, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> None:
    def killed(event: TraceEvent) -> None:
        if event.step is Step.COLLECT and event.status is TraceStatus.RUNNING:
            own.kill("evidence")

    with pytest.raises(WorkerError, match="evidence process was killed"):
        own.engine.draft(*sample, on_event=killed)
    assert own.engine.draft(*sample).result.draft == drafted.result.draft


def test_a_closed_engine_leaves_no_worker_behind(own: Own, sample: tuple[Study, OpenStack]) -> None:
    own.engine.reader.index([PHANTOM])
    own.engine.draft(*sample)
    started = [own.pids(kind) for kind in KINDS]
    assert [len(pids) for pids in started] == [1, 1, 1]
    own.engine.close()
    for (pid,) in started:
        assert is_ending(pid)


def is_ending(pid: int) -> bool:
    """Whether a process has ended or was told to: nobody can make it go on."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True
    state = next(line for line in status.splitlines() if line.startswith("State"))
    pending = next(line for line in status.splitlines() if line.startswith("ShdPnd")).split()[1]
    return "Z" in state or "X" in state or bool(int(pending, 16) >> (signal.SIGKILL - 1) & 1)


# --- models from elsewhere


def usb(folder: Path, name: str = "copied") -> tuple[Path, Path]:
    """The built-in model as somebody would bring it: manifest and file."""
    shutil.copytree(resources.path("models", "sightline-demo"), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "name": name}))
    return folder / "manifest.json", folder / manifest["files"][0]["name"]


def test_a_byte_flipped_in_an_installed_model_is_found_and_it_does_not_write(
    tmp_path: Path, vouch: Vouch
) -> None:
    home = tmp_path / "home"
    manifest, gguf = usb(tmp_path / "usb")
    vouch(manifest)
    assert sightline("models", "add", manifest, gguf, "--home", home).code == 0
    accepted = sightline("models", "test", "copied", "--home", home)
    assert accepted.code == 0, accepted.err
    (installed,) = (home / "models").rglob("*.gguf")
    flip(installed, installed.stat().st_size // 2)
    verified = sightline("models", "verify", "copied", "--home", home)
    assert (verified.code, "is not the file" in verified.err) == (1, True)
    out = tmp_path / "out"
    done = sightline("draft", PHANTOM, "--out", out, "--model", "copied", "--home", home)
    assert done.code == 1
    assert "is not the file that its manifest names" in done.err
    draft = json.loads((out / "draft.json").read_text())
    assert (draft["complete"], draft["sentences"], draft["model"]) == (False, [], None)
    assert "compose_hash_mismatch" in {one["code"] for one in draft["limitations"]}
    assert len(json.loads((out / "ledger.json").read_text())["evidence"]) >= 4


def test_a_model_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    done = sightline("draft", PHANTOM, "--out", tmp_path, "--model", "med", "--home", tmp_path / "home")
    assert done.code == 1
    assert "There is no model 'med'" in done.err
    assert "Traceback" not in done.err


GRAMMAR = 'root ::= "[E1] " ("lung" | "nodule") "."\n'


def pair_manifest(folder: Path, **changes: object) -> Path:
    """Write the manifest of the pair in a folder."""
    files = [
        {
            "name": name,
            "role": role,
            "bytes": (folder / name).stat().st_size,
            "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
        }
        for name, role in (("lm.gguf", "model"), ("mmproj.gguf", "mmproj"))
    ]
    words = {
        "schema": "sightline.model/1",
        "name": "random-pair",
        "title": "Random weights",
        "files": files,
        "architecture": "gemma3",
        "projector_type": "gemma3",
        "prompt_profile": "gemma",
        "licence": "CC0-1.0",
        "trained_on": "nothing: random weights",
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps({**words, **changes}))
    return path


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A tiny gemma3 model and its projector, of random weights."""
    pytest.importorskip("gguf", reason="writes a model with the extra 'train'")
    import random_pair

    folder = tmp_path / "usb"
    folder.mkdir()
    random_pair.write_language_model(folder / "lm.gguf")
    random_pair.write_projector(folder / "mmproj.gguf")
    return folder


def add(folder: Path, home: Path) -> Done:
    return sightline(
        "models", "add", folder / "manifest.json", folder / "lm.gguf",
        "--mmproj", folder / "mmproj.gguf", "--home", home,
    )  # fmt: skip


def test_a_sideloaded_pair_is_added_verified_loaded_and_writes_under_a_grammar(
    pair: Path, tmp_path: Path, sample: tuple[Study, OpenStack], vouch: Vouch
) -> None:
    home = tmp_path / "home"
    vouch(pair_manifest(pair))
    added = add(pair, home)
    assert added.code == 0, added.err
    verified = sightline("models", "verify", "random-pair", "--home", home, "--json")
    assert verified.code == 0, verified.err
    with Engine(home) as engine, pytest.raises(ModelError, match="sightline models test random-pair"):
        engine.draft(*sample, model="random-pair")
    page = tmp_path / "page.pdf"
    tested = sightline("models", "test", "random-pair", "--home", home, "--pdf", page)
    assert tested.code == 0, tested.err
    assert "accepted for text only" in tested.out
    assert page.read_bytes().startswith(b"%PDF")
    with Engine(home) as engine:
        with model_client.ModelClient(engine.models.get("random-pair")) as client:
            assert client.load().parameters > 0
            text = client.generate("nodule in the right lung", GRAMMAR, max_tokens=64).text
            assert text in {"[E1] lung.", "[E1] nodule."}
        result = engine.draft(*sample, model="random-pair").result
    assert result.draft.complete
    assert result.draft.model is not None
    assert result.draft.model.name == "random-pair"
    assert [foreign_digits(one, result.ledger) for one in result.draft.sentences] == [""] * 4


def test_a_pair_whose_projector_is_of_another_family_is_refused_in_words(
    pair: Path, tmp_path: Path, vouch: Vouch
) -> None:
    home = tmp_path / "home"
    pair_manifest(pair, projector_type="qwen2.5vl_merger")
    refused = add(pair, home)
    assert refused.code == 1
    assert "does not belong to a gemma3 model" in refused.err
    # A manifest that claims the right family for a file of another: the file's header tells.
    import random_pair

    random_pair.write_projector(pair / "mmproj.gguf", projector="qwen2.5vl_merger")
    vouch(pair_manifest(pair))
    assert add(pair, home).code == 0
    installed = ModelRegistry(home / "models").get("random-pair")
    with (
        model_client.ModelClient(installed) as client,
        pytest.raises(ModelError, match=r"mmproj\.gguf is a 'qwen2.5vl_merger' file") as wrong,
    ):
        client.load()
    assert wrong.value.code == "projector"


@pytest.mark.parametrize("name", ["lm.gguf", "mmproj.gguf"])
def test_a_pair_with_a_changed_file_is_not_added(
    pair: Path, tmp_path: Path, name: str, vouch: Vouch
) -> None:
    vouch(pair_manifest(pair))
    flip(pair / name, 5000)
    refused = add(pair, tmp_path / "home")
    assert refused.code == 1
    assert f"{name} is not the file that its manifest names" in refused.err
    assert not list((tmp_path / "home").rglob("*.gguf"))


def test_a_model_file_that_is_no_gguf_is_refused_by_the_worker_that_lives_on(
    tmp_path: Path, sample: tuple[Study, OpenStack], vouch: Vouch
) -> None:
    home = tmp_path / "home"
    manifest, gguf = usb(tmp_path / "usb", "garbage")
    gguf.chmod(0o600)
    content = b"GGUF" + os.urandom(20_000)
    gguf.write_bytes(content)
    words = json.loads(manifest.read_text())
    words["files"][0].update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    manifest.write_text(json.dumps(words))
    vouch(manifest)
    assert sightline("models", "add", manifest, gguf, "--home", home).code == 0
    tested = sightline("models", "test", "garbage", "--home", home)
    assert tested.code == 1
    assert "garbage: not accepted" in tested.out
    assert "Traceback" not in tested.err
    with Engine(home) as engine:
        with pytest.raises(ModelError, match="garbage did not pass its acceptance test") as refused:
            engine.draft(*sample, model="garbage")
        assert refused.value.code == "not_accepted"
        assert engine.draft(*sample).result.draft.complete

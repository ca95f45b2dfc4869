"""Drafting with the built-in model against a bare llama.cpp loop with the same prompts and grammars.

Also: ten claims about one picture in a session against the same ten asked one by one.
"""

from __future__ import annotations

import ctypes
import random
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROUNDS = 7
LEDGERS = 12
CLAIMS = 10


def run() -> list[dict[str, object]]:
    """Return tokens a second of a draft through the worker, of the bare loop, and their ratio.

    The reference lives in this process: prompt, then llama.cpp's own sampler chain (grammar, greedy)
    token by token, with nothing read back but the text. Ours is what a draft waits for: the call to
    the worker, streamed text, and the parsed sentences. Both are timed by turns; above 1 is faster.
    """
    from inference.drafting.compose import compose
    from inference.drafting.grammar import ComposePlan, item_grammar
    from inference.drafting.items import propose_items
    from inference.models.client import ModelClient
    from inference.models.registry import FileRole, ModelRegistry
    from inference.training.data import random_ledger
    from viewer.imaging.worker.kinds import KINDS

    model = ModelRegistry().verify("sightline-demo")
    path = model.path(FileRole.MODEL)
    assert path is not None
    draw = random.Random(1)
    plans: list[ComposePlan] = []
    for _ in range(LEDGERS):
        ledger = random_ledger(draw)
        plans += item_grammar(ledger, propose_items(ledger, measured=True)).split(8)
    bare = _Bare(path)
    # Both sides at the same priority: a worker is niced, which on a busy machine is all one would see.
    usual, KINDS["model"] = KINDS["model"], replace(KINDS["model"], nice=0)
    ours: list[float] = []
    reference: list[float] = []
    with ModelClient(model) as client:
        client.load()
        for turn in range(ROUNDS + 1):
            began = time.perf_counter()
            made = [compose(plan, client.generate) for plan in plans]
            seconds = time.perf_counter() - began
            tokens = sum(one.tokens for composed in made for one in composed.generations)
            began = time.perf_counter()
            bare_tokens = sum(bare.write(plan.prompt, plan.gbnf) for plan in plans)
            bare_seconds = time.perf_counter() - began
            assert all(composed.complete for composed in made)
            if turn:  # the first turn warms both up
                ours.append(tokens / seconds)
                reference.append(bare_tokens / bare_seconds)
    bare.close()
    KINDS["model"] = usual
    fast, slow = statistics.median(ours), statistics.median(reference)
    items = sum(len(plan.items) for plan in plans)
    return [
        {
            "name": "draft, tokens a second",
            "ours": round(fast),
            "reference": round(slow),
            "ratio": round(fast / slow, 2),
            "note": f"{len(plans)} prompts with {items} sentences, greedy, one thread; medians of "
            f"{ROUNDS} turns; reference: bare llama.cpp loop in one process, same grammars",
        },
        _follow_ups(),
    ]


def _follow_ups() -> dict[str, object]:
    """Return what a session saves: a tiny gemma3 pair of random weights, a picture of 896 pixels.

    The picture and a beginning of some hundred tokens are read once, or for each claim; the answers are
    compared to the bit. The weights are tiny: the larger the encoder beside the question, the more is
    saved.
    """
    import numpy as np

    from inference.models.runtime import Request, Runtime
    from inference.training.tiny_pairs import write_pair

    with tempfile.TemporaryDirectory() as folder:
        write_pair("medgemma", Path(folder))
        model = Runtime(
            f"{folder}/model.gguf",
            mmproj_path=f"{folder}/mmproj.gguf",
            context=2048,
            cancelled=lambda: False,
        )
        shown = np.random.default_rng(1).integers(0, 256, (896, 896, 3), dtype=np.uint8)

        def ask(number: int) -> bytes:
            request = Request(
                "<bos>", f"Claim {number}.", "\n", 'root ::= "yes" | "no"\n', 4, 60.0,
                picture=shown, prefix="Ledger: E1 nodule of the right lung. " * 8,
            )  # fmt: skip
            model.generate(request, lambda piece: None)
            return model.logits().tobytes()

        def timed(*, naive: bool) -> tuple[float, list[bytes]]:
            model.clear()
            began = time.perf_counter()
            made = []
            for number in range(CLAIMS):
                if naive:
                    model.clear()
                made.append(ask(number))
            return time.perf_counter() - began, made

        timed(naive=False)
        turns = [(timed(naive=False), timed(naive=True)) for _ in range(3)]
        assert all(ours == naive for (_, ours), (_, naive) in turns)
        model.close()
    fast = statistics.median(ours for (ours, _), _ in turns)
    slow = statistics.median(naive for _, (naive, _) in turns)
    return {
        "name": f"{CLAIMS} claims about one picture, s",
        "ours": round(fast, 3),
        "reference": round(slow, 3),
        "ratio": round(slow / fast, 2),
        "note": "tiny gemma3 pair of random weights, picture of 896 pixels; reference: everything read "
        "for each claim, ratio: reference / ours; logits equal to the bit",
    }


class _Bare:
    """The shortest loop over llama.cpp that gives the same text."""

    def __init__(self, path: Path) -> None:
        from llama_cpp import llama_cpp

        from inference.models.profiles import PROFILES
        from inference.models.runtime import silence

        self.lib: Any = llama_cpp
        silence(self.lib)
        self.model = self.lib.llama_model_load_from_file(
            str(path).encode(), self.lib.llama_model_default_params()
        )
        self.vocab = self.lib.llama_model_get_vocab(self.model)
        parameters = self.lib.llama_context_default_params()
        parameters.n_ctx, parameters.n_threads, parameters.n_threads_batch = 2048, 1, 1
        self.context = self.lib.llama_init_from_model(self.model, parameters)
        self.profile = PROFILES["sightline"]

    def write(self, prompt: str, grammar: str) -> int:
        """Write one text; return its tokens."""
        lib = self.lib
        data = self.profile.wrap(prompt).encode()
        room = (lib.llama_token * (len(data) + 8))()
        count = lib.llama_tokenize(self.vocab, data, len(data), room, len(data) + 8, False, True)
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        lib.llama_sampler_chain_add(
            chain, lib.llama_sampler_init_grammar(self.vocab, grammar.encode(), b"root")
        )
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
        lib.llama_memory_clear(lib.llama_get_memory(self.context), True)
        lib.llama_decode(self.context, lib.llama_batch_get_one(room, count))
        piece = ctypes.create_string_buffer(64)
        one = (lib.llama_token * 1)()
        tokens = 0
        while True:
            token = lib.llama_sampler_sample(chain, self.context, -1)
            tokens += 1
            if lib.llama_vocab_is_eog(self.vocab, token):
                break
            lib.llama_token_to_piece(self.vocab, token, piece, 64, 0, False)
            one[0] = token
            lib.llama_decode(self.context, lib.llama_batch_get_one(one, 1))
        lib.llama_sampler_free(chain)
        return tokens

    def close(self) -> None:
        """Free the native memory."""
        self.lib.llama_free(self.context)
        self.lib.llama_model_free(self.model)


if __name__ == "__main__":
    for row in run():
        print(row)

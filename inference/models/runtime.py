"""One loaded GGUF on llama.cpp's low-level API: tokenize, read, and sample under a grammar.

Runs in the model worker only. The high-level wrapper is not used: it counts tokens late, crashes on
a grammar that is not sound, trusts the file's own chat template and opens any URL.
"""

from __future__ import annotations

import codecs
import ctypes
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.models.backends import devices, free_memory, sizes
from inference.models.candidates import Candidates, logprob, pick
from inference.models.generation import Choice, Generation, StopReason
from inference.models.memory import Plan, plan, shortage
from inference.models.vision import PictureRefusal, Projector, Rgb

BATCH = 512
"""Tokens that are read at once; at least as many as an image block of the known projectors (256)."""

SMALL_MODEL = 50_000_000
"""Parameters under which a step is so short that one thread is fastest and a cancel between two
tokens is soon enough. In larger ones llama.cpp asks within the step."""

LONGEST_FIXED = 400
"""Bytes of fixed text that are looked for at once; what goes on behind them is found the next time."""

_ABORTED = 2
"""What llama_decode returns when the abort callback stopped it."""


class RuntimeRefusal(Exception):
    """llama.cpp will not do this; `code` as in `ModelError`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Aborted(Exception):
    """The caller wanted no result any more."""


@dataclass(frozen=True)
class Request:
    """One generation; `before` and `after` may hold control tokens, `prompt` is only ever text."""

    before: str
    prompt: str
    after: str
    grammar: str
    max_tokens: int
    seconds: float
    temperature: float = 0.0
    seed: int = 0
    logprobs: bool = False
    picture: Rgb | None = None
    """Read between `before` and `prompt`; the model must have a projector."""
    choices: bool = False
    """Say what was chosen where the grammar left more than one token, and how likely it was."""
    prefix: str = ""
    """Text between picture and `prompt` that the next requests share. What stands before `prompt` is
    kept as it was read, for as long as the requests have the same."""

    def shared_key(self) -> str:
        """Return a hash of everything that is read before `prompt`."""
        parts = [self.before.encode(), self.prefix.encode()]
        if self.picture is not None:
            parts += [repr(self.picture.shape).encode(), np.ascontiguousarray(self.picture).tobytes()]
        key = hashlib.sha256()
        for part in parts:
            key.update(len(part).to_bytes(8, "big") + part)
        return key.hexdigest()


def physical_cores() -> int:
    """Return the physical cores that this process may use; more threads than that are slower."""
    cores = set()
    allowed = (
        os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    )
    for cpu in allowed:
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        try:
            cores.add(
                (
                    (topology / "physical_package_id").read_text(encoding="ascii"),
                    (topology / "core_id").read_text(encoding="ascii"),
                )
            )
        except OSError:
            cores.add((str(cpu), ""))
    return max(1, len(cores))


def silence(library: Any) -> None:
    """Send what llama.cpp logs nowhere: it may name files and hold text of the prompt."""
    global _silent  # noqa: PLW0603 - llama.cpp keeps one callback per process, which must stay alive
    if _silent is None:
        _silent = library.llama_log_callback(lambda level, text, user_data: None)
        library.llama_log_set(_silent, ctypes.c_void_p(0))
        library.llama_backend_init()


_silent: Any = None


@dataclass(frozen=True)
class _Shared:
    """What stands at the beginning of the context: its hash, tokens, and the position behind it."""

    key: str
    tokens: int
    position: int


class Runtime:
    """A model and its context. Not thread-safe; `close` frees the native memory.

    Parameters
    ----------
    model_path
        File whose hash and family were checked before.
    mmproj_path
        Projector file of the pair, or none.
    context
        Tokens of prompt and answer together; less when the model was trained on less.
    cancelled
        Asked between tokens, and within a step of a large model.
    """

    def __init__(
        self,
        model_path: str,
        *,
        mmproj_path: str | None,
        context: int,
        cancelled: Callable[[], bool],
    ) -> None:
        from llama_cpp import llama_cpp

        self._lib: Any = llama_cpp
        self.cancelled = cancelled
        self._model = self._context = None
        self.projector: Projector | None = None
        self._shared: _Shared | None = None
        self._position = 0
        silence(self._lib)
        self.plan = self._planned(model_path, mmproj_path, context)
        self.notice = ""
        try:
            self._start(model_path, mmproj_path, context)
        except RuntimeRefusal as refusal:
            if not self.plan.layers:
                raise
            self.notice = (
                f"The model could not be loaded on {self.plan.device} and runs on the processor, "
                f"which is slower. ({refusal})"
            )
            self.plan = Plan("", 0, False, 0, self.plan.host_bytes + self.plan.device_bytes)
            self._start(model_path, mmproj_path, context)
        self._pieces: dict[int, bytes] = {}
        self._all = Candidates(self._lib, range(self.vocabulary))
        self._bytes = self._single_bytes()

    def _planned(self, model_path: str, mmproj_path: str | None, context: int) -> Plan:
        """Return where the model goes.

        Raises
        ------
        RuntimeRefusal
            The machine has too little free memory for it.
        """
        found = sizes(
            self._lib,
            model_path,
            context=context,
            batch=BATCH,
            weights=Path(model_path).stat().st_size,
            projector=Path(mmproj_path).stat().st_size if mmproj_path is not None else 0,
        )
        if found is None:
            raise RuntimeRefusal("load", "llama.cpp cannot load the model file. Get the file again.")
        planned = plan(found, devices(self._lib))
        if missing := shortage(planned, free_memory()):
            raise RuntimeRefusal("memory", missing)
        return planned

    def _start(self, model_path: str, mmproj_path: str | None, context: int) -> None:
        """Load model, context and projector as planned."""
        parameters = self._lib.llama_model_default_params()
        parameters.n_gpu_layers = self.plan.layers
        self._model = self._lib.llama_model_load_from_file(model_path.encode(), parameters)
        if not self._model:
            raise RuntimeRefusal("load", "llama.cpp cannot load the model file. Get the file again.")
        self._vocab = self._lib.llama_model_get_vocab(self._model)
        self.vocabulary = int(self._lib.llama_vocab_n_tokens(self._vocab))
        self.parameters = int(self._lib.llama_model_n_params(self._model))
        self.context = min(context, int(self._lib.llama_model_n_ctx_train(self._model)))
        self.threads = 1 if self.parameters < SMALL_MODEL else physical_cores()
        try:
            self._open()
            if mmproj_path is not None:
                self._project(mmproj_path)
        except BaseException:
            self.close()
            raise

    def _single_bytes(self) -> Candidates | None:
        """Return a token for each byte and each end token; none when a byte has no token of its own."""
        found: dict[bytes, int] = {}
        ends = []
        for token in range(self.vocabulary):
            if self._lib.llama_vocab_is_eog(self._vocab, token):
                ends.append(token)
            elif not self._lib.llama_vocab_is_control(self._vocab, token):
                piece = self.piece(token)
                if len(piece) == 1:
                    found.setdefault(piece, token)
        return Candidates(self._lib, [*found.values(), *ends]) if len(found) == 256 else None

    def _open(self) -> None:
        parameters = self._lib.llama_context_default_params()
        parameters.n_ctx = self.context
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_threads = parameters.n_threads_batch = self.threads
        self._context = self._lib.llama_init_from_model(self._model, parameters)
        if not self._context:
            raise RuntimeRefusal(
                "memory", "There is not enough memory for the model's context. Close other programs."
            )
        if self.parameters >= SMALL_MODEL:
            self._abort = self._lib.ggml_abort_callback(lambda _: self.cancelled())
            self._lib.llama_set_abort_callback(self._context, self._abort, None)

    def _project(self, path: str) -> None:
        try:
            self.projector = Projector(
                path, self._model, threads=self.threads, log=_silent, device=self.plan.projector
            )
        except PictureRefusal as refusal:
            raise RuntimeRefusal("projector", str(refusal)) from None

    def close(self) -> None:
        """Free the native memory; a second time does nothing."""
        if self.projector is not None:
            self.projector.close()
        if self._context:
            self._lib.llama_free(self._context)
        if self._model:
            self._lib.llama_model_free(self._model)
        self._model = self._context = self.projector = None

    def tokenize(self, text: str, *, control: bool) -> list[int]:
        """Return the tokens of a text; control tokens are read only where `control` allows it."""
        data = text.encode()
        room = len(data) + 8
        out = (self._lib.llama_token * room)()
        count = self._lib.llama_tokenize(self._vocab, data, len(data), out, room, False, control)
        if count < 0:
            raise RuntimeRefusal("prompt", "The prompt cannot be split into tokens.")
        return list(out[:count])

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token; control tokens have none."""
        known = self._pieces.get(token)
        if known is None:
            room = 256
            out = ctypes.create_string_buffer(room)
            count = self._lib.llama_token_to_piece(self._vocab, token, out, room, 0, False)
            known = self._pieces[token] = out.raw[: max(0, count)]
        return known

    def logits(self) -> npt.NDArray[np.float32]:
        """Return the logits after the last token read; valid until the next step."""
        pointer = self._lib.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(pointer, (self.vocabulary,))

    def clear(self) -> None:
        """Forget everything that was read."""
        self._shared, self._position = None, 0
        self._lib.llama_memory_clear(self._lib.llama_get_memory(self._context), True)

    def read(self, tokens: Sequence[int]) -> None:
        """Read tokens behind what was read before.

        Raises
        ------
        Aborted, RuntimeRefusal
            Cancelled within the step, or llama.cpp failed.
        """
        for start in range(0, len(tokens), BATCH):
            if self.cancelled():
                raise Aborted
            part = tokens[start : start + BATCH]
            array = (self._lib.llama_token * len(part))(*part)
            batch = self._lib.llama_batch_get_one(array, len(part))
            # Behind a picture llama.cpp's own count is wrong for families that number its tokens in
            # two directions (M-RoPE).
            places = range(self._position, self._position + len(part))
            batch.pos = (self._lib.llama_pos * len(part))(*places)
            status = self._lib.llama_decode(self._context, batch)
            if status == _ABORTED:
                raise Aborted
            if status != 0:
                raise RuntimeRefusal("decode", f"llama.cpp could not go on (status {status}).")
            self._position += len(part)

    def generate(self, request: Request, emit: Callable[[str], None]) -> Generation:
        """Write text; `emit` gets it piece by piece, in whole characters.

        Raises
        ------
        Aborted
            Cancelled.
        RuntimeRefusal
            The grammar is not sound, or prompt and answer do not fit the context.
        """
        began = time.monotonic()
        # First of all: a grammar that is not sound crashes every later use, and an empty one (also one
        # that begins with a NUL, which ends it for C) would allow everything.
        source = request.grammar.encode()
        grammar = None
        if source.strip() and b"\0" not in source:
            grammar = self._lib.llama_sampler_init_grammar(self._vocab, source, b"root")
        if not grammar:
            raise RuntimeRefusal(
                "grammar", "The grammar of this draft is not sound; nothing was written."
            )
        try:
            prompt = [
                *self.tokenize(request.prompt, control=False),
                *self.tokenize(request.after, control=True),
            ]
            seen = self._begin(request)
            if seen + len(prompt) >= self.context:
                raise RuntimeRefusal(
                    "context",
                    f"The prompt has {seen + len(prompt)} tokens; "
                    f"the model reads at most {self.context}.",
                )
            self.read(prompt)
            return self._write(request, grammar, seen + len(prompt), began, emit)
        finally:
            self._lib.llama_sampler_free(grammar)

    def _begin(self, request: Request) -> int:
        """Read what stands before the prompt, unless it is there already; return its tokens.

        It is always read apart from the prompt, so that the logits do not depend on what was kept.
        """
        key, kept = request.shared_key(), self._shared
        memory = self._lib.llama_get_memory(self._context)
        if (
            kept is not None
            and kept.key == key
            and self._lib.llama_memory_seq_rm(memory, 0, kept.position, -1)
        ):
            self._position = kept.position
            return kept.tokens
        self.clear()
        text = self.tokenize(request.prefix, control=False)
        if request.picture is None:
            text = [*self.tokenize(request.before, control=True), *text]
            seen = 0
        else:
            seen = self._see(request.before, request.picture)
        if seen + len(text) < self.context:  # more is refused, prompt and all, by who asked
            self.read(text)
            self._shared = _Shared(key, seen + len(text), self._position)
        return seen + len(text)

    def _see(self, before: str, picture: Rgb) -> int:
        """Read a picture behind its control text; return the tokens that both took."""
        if self.projector is None:
            raise RuntimeRefusal("projector", "This model has no projector file: it sees no pictures.")
        try:
            tokens, self._position = self.projector.read(
                self._context, before, picture, batch=BATCH, room=self.context, library=self._lib
            )
        except PictureRefusal as refusal:
            if self.cancelled():
                raise Aborted from None
            raise RuntimeRefusal("picture", str(refusal)) from None
        return tokens

    def _write(
        self, request: Request, grammar: Any, read: int, began: float, emit: Callable[[str], None]
    ) -> Generation:
        """Write until the grammar is complete or a limit is met.

        Where the grammar leaves one way on, its text is taken without asking the model, and read
        together with the next tokens that are: in a draft that is most of the text.
        """
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        random = np.random.default_rng(request.seed)
        limit = min(request.max_tokens, self.context - read)
        unread: list[int] = []
        logprobs: list[float] = []
        fixed: list[int] = []
        choices: list[Choice] = []
        text, count, reason = "", 0, StopReason.LENGTH
        while count < limit:
            if self.cancelled():
                raise Aborted
            if time.monotonic() - began > request.seconds:
                reason = StopReason.TIME
                break
            fixed = fixed or self._fixed(grammar)
            if len(fixed) > 1:
                token = fixed.pop(0)
            else:
                # The last fixed token is left to the model: it may be the beginning of a longer one.
                fixed.clear()
                allowed = self._allowed(grammar)
                token = int(allowed[0])
                if len(allowed) > 1:
                    self.read(unread)
                    unread.clear()
                    logits = self.logits()
                    token = int(allowed[pick(logits[allowed], request.temperature, random)])
                    if request.logprobs:
                        logprobs.append(logprob(logits, token))
                    if request.choices:
                        among = logprob(logits[allowed], int(np.flatnonzero(allowed == token)[0]))
                        chosen = self.piece(token).decode("utf-8", "replace")
                        choices.append(Choice(len(text), chosen, float(np.exp(among))))
            count += 1
            if self._lib.llama_vocab_is_eog(self._vocab, token):
                reason = StopReason.END
                break
            self._lib.llama_sampler_accept(grammar, token)
            unread.append(token)
            piece = decoder.decode(self.piece(token))
            if piece:
                text += piece
                emit(piece)
        return Generation(
            text=text,
            tokens=count,
            seconds=time.monotonic() - began,
            stop_reason=reason,
            prompt_tokens=read,
            logprob=sum(logprobs) / len(logprobs) if logprobs else None,
            choices=tuple(choices),
        )

    def _allowed(self, grammar: Any) -> npt.NDArray[np.int32]:
        """Return the tokens that the grammar allows next."""
        found = self._all.allowed(grammar)
        if not len(found):
            raise RuntimeRefusal(
                "grammar", "The grammar of this draft cannot be written with this model."
            )
        return found

    def _fixed(self, grammar: Any) -> list[int]:
        """Return the tokens of the text that must come next, whatever the model would choose.

        A copy of the grammar is walked byte by byte while it leaves one way; a longer token could
        hide a fork behind its beginning (" of" against " " and "2").
        """
        if self._bytes is None:
            return []
        walker = self._lib.llama_sampler_clone(grammar)
        data = b""
        try:
            while len(data) < LONGEST_FIXED:
                allowed = self._bytes.allowed(walker)
                if len(allowed) != 1 or self._lib.llama_vocab_is_eog(self._vocab, int(allowed[0])):
                    break
                self._lib.llama_sampler_accept(walker, int(allowed[0]))
                data += self.piece(int(allowed[0]))
        finally:
            self._lib.llama_sampler_free(walker)
        # A fork may lie within a character: what is left of it belongs to the next choice.
        text = data.decode("utf-8", "ignore")
        return self.tokenize(text, control=False) if data.startswith(text.encode()) else []

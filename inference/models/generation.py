"""What a model gives back, and how it fails: plain values that need no llama.cpp."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class StopReason(StrEnum):
    """Why a generation ended."""

    END = "end"
    """The grammar was complete, or the model ended its turn."""
    LENGTH = "length"
    """The token limit."""
    TIME = "time"
    """The wall-clock limit."""


class ModelError(Exception):
    """A model that could not be used or did not finish.

    Parameters
    ----------
    code
        Stable word: unknown_model, broken_manifest, hash_mismatch, missing_file, architecture,
        projector, load, grammar, context, died, deadline, cancelled, quarantined, ...
    message
        What, where and what to do, in words for the reader.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Choice:
    """A token that the model chose among those that the grammar allowed.

    Parameters
    ----------
    start
        Character of the text at which it stands.
    text
        What it says.
    probability
        Its share of the probability of all tokens that were allowed there.
    """

    start: int
    text: str
    probability: float


@dataclass(frozen=True)
class Generation:
    """Text of a model with what it took.

    Parameters
    ----------
    text
        Decoded text, without the end token.
    tokens, prompt_tokens
        Tokens generated and read.
    seconds
        Wall-clock time in the worker, prompt included.
    logprob
        Mean natural-log probability of the tokens that the model chose, before the grammar masked
        any, or none when it was not asked for. Text that the grammar fixed counts in `tokens` only.
    choices
        What was chosen where the grammar left more than one token; empty when it was not asked for.
    """

    text: str
    tokens: int
    seconds: float
    stop_reason: StopReason = StopReason.END
    prompt_tokens: int = 0
    logprob: float | None = None
    choices: tuple[Choice, ...] = ()


class OnToken(Protocol):
    """Called with each new piece of text; always whole characters."""

    def __call__(self, piece: str, /) -> None: ...


class Generate(Protocol):
    """Writes text for a prompt under a grammar. `ModelClient.generate` is one.

    Raises `ModelError` when it cannot; what it wrote before went to `on_token`.
    """

    def __call__(
        self, prompt: str, grammar: str, *, seed: int, max_tokens: int, on_token: OnToken
    ) -> Generation: ...

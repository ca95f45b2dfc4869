"""Tokens tried against a grammar, and one chosen among those that it allows."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""llama_token_data."""


class Candidates:
    """Some tokens in llama.cpp's own form, to be tried against a grammar again and again."""

    def __init__(self, library: Any, tokens: Sequence[int]) -> None:
        self._library = library
        self._tokens = np.asarray(tokens, dtype=np.int32)
        self._rows = np.zeros(len(self._tokens), dtype=_CANDIDATE)
        self._rows["id"] = self._tokens
        self._array = library.llama_token_data_array(
            data=self._rows.ctypes.data_as(library.llama_token_data_p),
            size=len(self._tokens),
            selected=-1,
            sorted=False,
        )

    def allowed(self, grammar: Any) -> npt.NDArray[np.int32]:
        """Return those of the tokens that the grammar allows next."""
        self._rows["logit"] = 0.0
        self._library.llama_sampler_apply(grammar, ctypes.byref(self._array))
        found: npt.NDArray[np.int32] = self._tokens[np.isfinite(self._rows["logit"])]
        return found


def pick(logits: npt.NDArray[np.float32], temperature: float, random: np.random.Generator) -> int:
    """Return the best place, or with a temperature a drawn one (Gumbel-max)."""
    if temperature <= 0:
        return int(logits.argmax())
    noise = random.gumbel(size=len(logits))
    return int((logits / temperature + noise).argmax())


def logprob(logits: npt.NDArray[np.float32], token: int) -> float:
    """Return the natural-log probability of a token among all of these."""
    top = float(logits.max())
    return float(logits[token]) - top - float(np.log(np.exp(logits - top).sum()))

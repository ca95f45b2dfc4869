"""Byte-level BPE with the qwen2 pre-tokenizer, where every digit is a token of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Regular expression of llama.cpp's pre-tokenizer "qwen2"; the two must stay the same."""

CONTROL = ("<|pad|>", "<|bos|>", "<|eot|>", "<|user|>", "<|assistant|>")
PAD, BOS, EOT = 0, 1, 2


def train_tokenizer(texts: Iterable[str], *, vocabulary: int) -> Any:
    """Return a tokenizer with at most this many tokens, learnt from the texts."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(CONTROL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        min_frequency=2,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load_tokenizer(path: Path) -> Any:
    """Read a tokenizer that `train_tokenizer` made and its `save` wrote."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))

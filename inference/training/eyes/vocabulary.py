"""The words of the pair: those of the first edition and the words of the form behind them.

The language model starts from the first edition's weights, read from its GGUF file, so that it goes on
writing the sentences of a draft.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inference.models.look_form import FORM_TOKENS, PLACE_TOKENS
from inference.training.model import LanguageModel, ModelShape
from inference.training.tokenizer import CONTROL, SPLIT

IMAGE_START, IMAGE_END = "<start_of_image>", "<end_of_image>"
"""What libmtmd writes around an image of a gemma3 projector."""

ALL_CONTROL = (*CONTROL, IMAGE_START, IMAGE_END)


def tokenizer_of(tokens: list[str], merges: list[str]) -> Any:
    """Return a byte-level tokenizer of these tokens and merges, with the words of the form added."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {token: number for number, token in enumerate(tokens)}
    pairs = [(left, right) for left, right in (merge.split(" ") for merge in merges)]
    tokenizer = Tokenizer(models.BPE(vocabulary, pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in ALL_CONTROL])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in FORM_TOKENS])
    return tokenizer


def first_edition(path: Path) -> tuple[LanguageModel, Any]:
    """Return the language model of a GGUF file with the untrained words of the form behind."""
    import gguf

    reader = gguf.GGUFReader(path)

    def field(name: str) -> Any:
        return reader.fields[name].contents()

    tokenizer = tokenizer_of(field("tokenizer.ggml.tokens"), field("tokenizer.ggml.merges"))
    size = 32 * -(-tokenizer.get_vocab_size() // 32)
    shape = ModelShape(
        vocabulary=size,
        width=field("qwen3.embedding_length"),
        feed_forward=field("qwen3.feed_forward_length"),
        layers=field("qwen3.block_count"),
        heads=field("qwen3.attention.head_count"),
        key_value_heads=field("qwen3.attention.head_count_kv"),
        head_width=field("qwen3.attention.key_length"),
        context=field("qwen3.context_length"),
    )
    model = LanguageModel(shape)
    start_places(model, tokenizer)
    weights = model.state_dict()
    for tensor in reader.tensors:
        values = torch.from_numpy(
            np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        )
        weights[tensor.name][: len(values)].copy_(values)
    return model, tokenizer


def fresh(shape: ModelShape) -> tuple[LanguageModel, Any]:
    """Return an untrained language model and a tokenizer that knows bytes and the form only."""
    from tokenizers import pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    # llama.cpp wants a list of merges, and GGUF knows no empty list.
    tokenizer = tokenizer_of([*CONTROL, *letters, "th"], ["t h"])
    size = 32 * -(-tokenizer.get_vocab_size() // 32)
    model = LanguageModel(ModelShape(**{**shape.as_dict(), "vocabulary": size}))
    start_places(model, tokenizer)
    return model, tokenizer


def start_places(model: LanguageModel, tokenizer: Any) -> None:
    """Start the tokens of neighbouring positions alike, so that near misses are learnt from."""
    first = tokenizer.token_to_id(PLACE_TOKENS[0])
    count, width = len(PLACE_TOKENS), model.shape.width
    speeds = torch.pi * torch.arange(1, width // 2 + 1) * 4.0 / (width // 2) * 6
    angles = torch.outer(torch.arange(count) / count, speeds)
    waves = torch.cat([angles.sin(), angles.cos()], 1)
    generator = torch.Generator().manual_seed(5)
    mix, _ = torch.linalg.qr(torch.randn(width, width, generator=generator))
    model.token_embd.weight.data[first : first + count] = (waves @ mix) * (0.02 * 2**0.5)


def save_tokenizer(tokenizer: Any, path: Path) -> None:
    """Write a tokenizer so that `load_tokenizer` of the first edition reads it."""
    path.write_text(json.dumps(json.loads(tokenizer.to_str())) + "\n", encoding="utf-8")

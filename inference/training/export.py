"""Write a trained model as GGUF for llama.cpp: `python -m inference.training.export --help`.

Architecture "qwen3" with tied embeddings; matrices as F32 or Q8_0, vectors always F32. The format is
described in ggml/docs/gguf.md, the tensor names in llama.cpp's src/llama-arch.cpp.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.training.model import LanguageModel
from inference.training.tokenizer import BOS, CONTROL, EOT, PAD
from inference.training.train import load

FILE_TYPES = {"f32": 0, "q8_0": 7}
"""Values of general.file_type."""


def export(
    model: LanguageModel,
    tokenizer: Any,
    path: Path,
    *,
    weights: str = "q8_0",
    name: str = "Sightline demonstration model",
    control: Sequence[str] = CONTROL,
) -> None:
    """Write the model and its tokenizer to one GGUF file.

    Parameters
    ----------
    weights
        "q8_0" as shipped, or "f32" to compare arithmetic.
    control
        Tokens that no text is read as; what the tokenizer has beyond its merges and these are whole
        words of their own, which a text may hold.
    """
    import gguf

    shape = model.shape
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name(name)
    writer.add_file_type(FILE_TYPES[weights])
    writer.add_quantization_version(2)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.key_value_heads)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    _add_tokenizer(writer, tokenizer, shape.vocabulary, control)
    for key, weight in model.state_dict().items():
        add_matrix(writer, key, weight.float().numpy(), weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_matrix(writer: Any, name: str, values: npt.NDArray[np.float32], weights: str) -> None:
    """Write a tensor: vectors and "f32" as they are, matrices at Q8_0."""
    import gguf

    if weights == "f32" or values.ndim == 1:
        writer.add_tensor(name, np.ascontiguousarray(values, dtype=np.float32))
    else:
        quantized = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, quantized, raw_dtype=gguf.GGMLQuantizationType.Q8_0)


def _add_tokenizer(writer: Any, tokenizer: Any, vocabulary: int, control: Sequence[str]) -> None:
    import gguf

    data = json.loads(tokenizer.to_str())["model"]
    names = {number: token for token, number in tokenizer.get_vocab(with_added_tokens=True).items()}
    tokens = [names.get(number, f"<|unused{number}|>") for number in range(vocabulary)]

    def type_of(number: int, token: str) -> int:
        if token in control:
            return int(gguf.TokenType.CONTROL)
        if token in data["vocab"]:
            return int(gguf.TokenType.NORMAL)
        return int(gguf.TokenType.USER_DEFINED if number in names else gguf.TokenType.UNUSED)

    types = [type_of(number, token) for number, token in enumerate(tokens)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(
        [pair if isinstance(pair, str) else " ".join(pair) for pair in data["merges"]]
    )
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOT)
    writer.add_eot_token_id(EOT)
    writer.add_pad_token_id(PAD)
    writer.add_add_bos_token(True)


def main() -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(description="Write a trained model as GGUF.")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", choices=FILE_TYPES, default="q8_0")
    given = parser.parse_args()
    model, tokenizer = load(given.run)
    export(model, tokenizer, given.out, weights=given.weights)


if __name__ == "__main__":
    main()

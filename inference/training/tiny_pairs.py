"""Tiny pairs of random weights, one of each family: ``python -m inference.training.tiny_pairs FOLDER``.

They know nothing and write nonsense. They have the keys and tensors of the real ones (llama.cpp's
src/llama-arch.cpp and tools/mtmd/clip-impl.h), so what holds for loading, prompts, image tokens,
grammar and cancelling of a family can be tried in a second, without its weights and licence.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD = 64, 96, 2, 2, 1, 32
"""Of the language models."""

EYES, EYES_HIDDEN, EYES_LAYERS, EYES_HEADS = 64, 96, 1, 1
"""Of the vision encoders."""

MODEL, MMPROJ = "model.gguf", "mmproj.gguf"

_BYTES = [
    *range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1),
]  # fmt: skip


@dataclass(frozen=True)
class Family:
    """What one tiny pair is.

    Parameters
    ----------
    projector
        Projector type, or none for a text model.
    size, patch
        Side of the encoder's picture and of its patches, pixels.
    control
        Control tokens of the family; the first begins a text, the second ends a turn.
    """

    architecture: str
    projector: str | None
    profile: str
    control: tuple[str, ...]
    size: int = 0
    patch: int = 14


_IM = ("<|endoftext|>", "<|im_end|>", "<|im_start|>", "<think>", "</think>")
_SEES = ("<|vision_start|>", "<|vision_end|>")

FAMILIES: dict[str, Family] = {
    "medgemma": Family(
        "gemma3", "gemma3", "gemma",
        ("<bos>", "<end_of_turn>", "<start_of_turn>", "<start_of_image>", "<end_of_image>",
         "<unused94>", "<unused95>", "<eos>"), 896,
    ),
    "lingshu": Family("qwen2vl", "qwen2.5vl_merger", "qwen25vl", (*_IM, *_SEES), 560),
    "qwen3vl": Family("qwen3vl", "qwen3vl_merger", "qwen3vl", (*_IM, *_SEES), 768, 16),
    "internvl": Family("qwen2", "internvl", "internvl", (*_IM, "<img>", "</img>"), 448),
    "medval": Family("qwen3", None, "chatml", _IM),
}  # fmt: skip

_NORMED = frozenset({"qwen3", "qwen3vl", "gemma3"})
"""Architectures that norm queries and keys; the others have biases there."""


class _Weights:
    """Writes tensors of random numbers, the same for the same seed."""

    def __init__(self, writer: Any, seed: int) -> None:
        self.writer = writer
        self._draw = np.random.default_rng(seed)

    def add(self, name: str, *shape: int, scale: float = 0.05, middle: float = 0.0) -> None:
        values = middle + self._draw.normal(0.0, scale, shape)
        self.writer.add_tensor(name, values.astype(np.float32))

    def norm(self, name: str, width: int, *, bias: bool = False) -> None:
        self.add(f"{name}.weight", width, middle=1.0)
        if bias:
            self.add(f"{name}.bias", width)

    def linear(self, name: str, out: int, into: int, *, bias: bool = True) -> None:
        self.add(f"{name}.weight", out, into, scale=0.1)
        if bias:
            self.add(f"{name}.bias", out)


def _finish(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _byte_words() -> list[str]:
    """Return the character of each byte in GPT-2's alphabet."""
    made, extra = [], 0
    for byte in range(256):
        made.append(chr(byte) if byte in _BYTES else chr(256 + extra))
        extra += byte not in _BYTES
    return made


def _vocabulary(writer: Any, family: Family) -> int:
    """Write control tokens, one token for each byte, and no word; return the count."""
    import gguf

    kind = gguf.TokenType
    control = [(name, kind.CONTROL) for name in family.control]
    if family.architecture == "gemma3":
        letters = ["\n", "\u2581", *map(chr, range(33, 127))]
        tokens = [
            *control, ("<unk>", kind.UNKNOWN),
            *((f"<0x{byte:02X}>", kind.BYTE) for byte in range(256)),
            *((letter, kind.NORMAL) for letter in letters),
        ]  # fmt: skip
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_scores([-float(place) for place in range(len(tokens))])
        writer.add_unk_token_id(len(control))
        writer.add_add_space_prefix(False)
    else:
        words = _byte_words()
        tokens = [*control, *((word, kind.NORMAL) for word in words)]
        tokens.append((words[32] + "n", kind.NORMAL))
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("qwen2")
        writer.add_token_merges([f"{words[32]} n"])
    writer.add_token_list([word for word, _ in tokens])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(False)
    return len(tokens)


def write_language_model(path: Path, family: Family, *, context: int = 4096) -> None:
    """Write the language model of a family."""
    import gguf

    name = family.architecture
    writer = gguf.GGUFWriter(path, name)
    writer.add_file_type(0)
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_rope_dimension_count(HEAD)
    if name == "gemma3":
        writer.add_sliding_window(512)
    if name in {"qwen2vl", "qwen3vl"}:
        writer.add_rope_dimension_sections([4, 6, 6, 0])
    if name == "qwen3vl":
        writer.add_uint32("qwen3vl.n_deepstack_layers", 1)
    count = _vocabulary(writer, family)
    writer.add_vocab_size(count)
    weights = _Weights(writer, 0)
    weights.add("token_embd.weight", count, WIDTH, scale=0.5)
    weights.norm("output_norm", WIDTH)
    for layer in range(LAYERS):
        at, biased = f"blk.{layer}.", name not in _NORMED
        for norm in ("attn_norm", "ffn_norm"):
            weights.norm(f"{at}{norm}", WIDTH)
        if name == "gemma3":
            weights.norm(f"{at}post_attention_norm", WIDTH)
            weights.norm(f"{at}post_ffw_norm", WIDTH)
        if not biased:
            weights.norm(f"{at}attn_q_norm", HEAD)
            weights.norm(f"{at}attn_k_norm", HEAD)
        weights.linear(f"{at}attn_q", HEADS * HEAD, WIDTH, bias=biased)
        weights.linear(f"{at}attn_k", KV_HEADS * HEAD, WIDTH, bias=biased)
        weights.linear(f"{at}attn_v", KV_HEADS * HEAD, WIDTH, bias=biased)
        weights.linear(f"{at}attn_output", WIDTH, HEADS * HEAD, bias=False)
        weights.linear(f"{at}ffn_gate", HIDDEN, WIDTH, bias=False)
        weights.linear(f"{at}ffn_up", HIDDEN, WIDTH, bias=False)
        weights.linear(f"{at}ffn_down", WIDTH, HIDDEN, bias=False)
    _finish(writer)


def write_projector(path: Path, family: Family) -> None:
    """Write encoder and projector of a family that sees."""
    import gguf

    assert family.projector is not None
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_file_type(0)
    writer.add_bool("clip.has_vision_encoder", True)
    silu = family.projector == "qwen2.5vl_merger"
    writer.add_bool("clip.use_silu" if silu else "clip.use_gelu", True)
    writer.add_string("clip.projector_type", family.projector)
    keys = {
        "image_size": family.size, "patch_size": family.patch, "embedding_length": EYES,
        "feed_forward_length": EYES_HIDDEN, "block_count": EYES_LAYERS,
        "attention.head_count": EYES_HEADS, "projection_dim": WIDTH,
        **_KEYS[family.projector],
    }  # fmt: skip
    for key, value in keys.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    if family.projector == "qwen3vl_merger":
        writer.add_array("clip.vision.is_deepstack_layers", [True] * EYES_LAYERS)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    for key in ("image_mean", "image_std"):
        writer.add_array(f"clip.vision.{key}", [0.5, 0.5, 0.5])
    weights = _Weights(writer, 1)
    weights.add("v.patch_embd.weight", EYES, 3, family.patch, family.patch)
    _PROJECTORS[family.projector](weights, (family.size // family.patch) ** 2)
    _finish(writer)


def _blocks(weights: _Weights, *, bias: bool = True, fused: bool = False, scaled: bool = False) -> None:
    for layer in range(EYES_LAYERS):
        at = f"v.blk.{layer}."
        weights.norm(f"{at}ln1", EYES, bias=bias)
        weights.norm(f"{at}ln2", EYES, bias=bias)
        if fused:
            weights.linear(f"{at}attn_qkv", 3 * EYES, EYES)
        else:
            for part in ("q", "k", "v"):
                weights.linear(f"{at}attn_{part}", EYES, EYES)
        weights.linear(f"{at}attn_out", EYES, EYES)
        if not bias:
            weights.linear(f"{at}ffn_gate", EYES_HIDDEN, EYES)
        weights.linear(f"{at}ffn_up", EYES_HIDDEN, EYES)
        weights.linear(f"{at}ffn_down", EYES, EYES_HIDDEN)
        if scaled:
            weights.add(f"{at}ls1.weight", EYES)
            weights.add(f"{at}ls2.weight", EYES)


def _gemma(weights: _Weights, patches: int) -> None:
    weights.add("v.patch_embd.bias", EYES)
    weights.add("v.position_embd.weight", patches, EYES)
    _blocks(weights)
    weights.norm("v.post_ln", EYES, bias=True)
    weights.norm("mm.soft_emb_norm", EYES)
    weights.add("mm.input_projection.weight", EYES, WIDTH)


def _internvl(weights: _Weights, patches: int) -> None:
    weights.add("v.patch_embd.bias", EYES)
    weights.add("v.class_embd", EYES)
    weights.add("v.position_embd.weight", patches + 1, EYES)
    _blocks(weights, scaled=True)
    weights.norm("mm.model.mlp.0", 4 * EYES, bias=True)
    weights.linear("mm.model.mlp.1", WIDTH, 4 * EYES)
    weights.linear("mm.model.mlp.3", WIDTH, WIDTH)


def _merger(weights: _Weights) -> None:
    weights.linear("mm.0", 4 * EYES, 4 * EYES)
    weights.linear("mm.2", WIDTH, 4 * EYES)


def _qwen25(weights: _Weights, patches: int) -> None:
    weights.add("v.patch_embd.weight.1", EYES, 3, 14, 14)
    _blocks(weights, bias=False)
    weights.norm("v.post_ln", EYES)
    _merger(weights)


def _qwen3(weights: _Weights, patches: int) -> None:
    weights.add("v.patch_embd.weight.1", EYES, 3, 16, 16)
    weights.add("v.patch_embd.bias", EYES)
    weights.add("v.position_embd.weight", patches, EYES)
    _blocks(weights, fused=True)
    weights.norm("v.post_ln", EYES, bias=True)
    weights.norm("v.deepstack.0.norm", 4 * EYES, bias=True)
    weights.linear("v.deepstack.0.fc1", 4 * EYES, 4 * EYES)
    weights.linear("v.deepstack.0.fc2", WIDTH, 4 * EYES)
    _merger(weights)


_KEYS: dict[str, dict[str, int]] = {
    "gemma3": {"projector.scale_factor": 4},
    "internvl": {"projector.scale_factor": 2, "preproc_min_tiles": 1, "preproc_max_tiles": 1},
    "qwen2.5vl_merger": {"n_wa_pattern": 8, "spatial_merge_size": 2},
    "qwen3vl_merger": {"spatial_merge_size": 2},
}
_PROJECTORS: dict[str, Callable[[_Weights, int], None]] = {
    "gemma3": _gemma, "internvl": _internvl, "qwen2.5vl_merger": _qwen25, "qwen3vl_merger": _qwen3,
}  # fmt: skip


def write_pair(name: str, folder: Path, *, context: int = 4096) -> Path:
    """Write the files and the manifest of a tiny pair; return the path of the manifest."""
    family = FAMILIES[name]
    folder.mkdir(parents=True, exist_ok=True)
    write_language_model(folder / MODEL, family, context=context)
    roles = {MODEL: "model"}
    if family.projector is not None:
        write_projector(folder / MMPROJ, family)
        roles[MMPROJ] = "mmproj"
    return write_manifest(name, folder, roles)


def write_manifest(name: str, folder: Path, roles: dict[str, str]) -> Path:
    """Write the manifest of the files in a folder, as they are now."""
    family = FAMILIES[name]
    files = [
        {
            "name": file,
            "role": role,
            "bytes": (folder / file).stat().st_size,
            "sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest(),
        }
        for file, role in roles.items()
    ]
    manifest = {
        "schema": "sightline.model/1", "name": f"tiny-{name}", "title": f"Random weights ({name})",
        "files": files, "architecture": family.architecture, "projector_type": family.projector,
        "prompt_profile": family.profile, "licence": "Apache-2.0",
        "trained_on": "nothing: random weights",
    }  # fmt: skip
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return path


def main() -> None:
    """Write all tiny pairs from the command line."""
    parser = argparse.ArgumentParser(description="Write tiny pairs of random weights.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name in FAMILIES:
        write_pair(name, folder / name)


if __name__ == "__main__":
    main()

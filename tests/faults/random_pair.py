"""Writes a tiny gemma3 model and its projector with random weights, as llama.cpp reads them."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

WIDTH, HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD = 64, 128, 6, 4, 2, 32
IMAGE, PATCH, VISION_LAYERS = 56, 14, 1

Draw = np.random.Generator


def _normal(draw: Draw, *shape: int, scale: float = 0.05) -> npt.NDArray[np.float32]:
    return (draw.standard_normal(shape) * scale).astype(np.float32)


def _vocabulary(writer: gguf.GGUFWriter) -> int:
    """SentencePiece as gemma has it: control tokens, bytes, letters. Returns its size."""
    kinds = gguf.TokenType
    tokens = [(name, kinds.CONTROL) for name in ("<pad>", "<eos>", "<bos>")]
    tokens += [("<unk>", kinds.UNKNOWN)]
    tokens += [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    tokens += [(name, kinds.CONTROL) for name in ("<start_of_turn>", "<end_of_turn>")]
    tokens += [
        (piece, kinds.NORMAL)
        for piece in ("\n", "\u2581", *map(chr, range(33, 127)), "lung", "\u2581no")
    ]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece for piece, _ in tokens])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_token_scores(
        [-float(n) if k is kinds.NORMAL else 0.0 for n, (_, k) in enumerate(tokens)]
    )
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    return len(tokens)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_language_model(path: Path) -> None:
    """Write the language model (keys and tensors of llama.cpp's gemma3)."""
    draw = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_file_type(1)
    writer.add_context_length(4096)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_sliding_window(512)
    size = _vocabulary(writer)
    writer.add_vocab_size(size)
    writer.add_tensor("token_embd.weight", _normal(draw, size, WIDTH, scale=0.5).astype(np.float16))
    writer.add_tensor("output_norm.weight", 1 + _normal(draw, WIDTH))
    for layer in range(LAYERS):
        prefix = f"blk.{layer}."
        for norm in ("attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm"):
            writer.add_tensor(f"{prefix}{norm}.weight", 1 + _normal(draw, WIDTH))
        for norm in ("attn_q_norm", "attn_k_norm"):
            writer.add_tensor(f"{prefix}{norm}.weight", 1 + _normal(draw, HEAD))
        for name, rows, columns in (
            ("attn_q", HEADS * HEAD, WIDTH),
            ("attn_k", KV_HEADS * HEAD, WIDTH),
            ("attn_v", KV_HEADS * HEAD, WIDTH),
            ("attn_output", WIDTH, HEADS * HEAD),
            ("ffn_gate", HIDDEN, WIDTH),
            ("ffn_up", HIDDEN, WIDTH),
            ("ffn_down", WIDTH, HIDDEN),
        ):
            matrix = _normal(draw, rows, columns, scale=0.1).astype(np.float16)
            writer.add_tensor(f"{prefix}{name}.weight", matrix)
    _finish(writer)


def write_projector(path: Path, *, projector: str = "gemma3") -> None:
    """Write a projector that joins to the model (keys and tensors of llama.cpp's tools/mtmd)."""
    draw = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_file_type(0)
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.use_gelu", True)
    writer.add_string("clip.projector_type", projector)
    for key, value in {
        "image_size": IMAGE,
        "patch_size": PATCH,
        "embedding_length": WIDTH,
        "feed_forward_length": HIDDEN,
        "block_count": VISION_LAYERS,
        "attention.head_count": HEADS,
        "projection_dim": WIDTH,
        "projector.scale_factor": 2,
    }.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    for key in ("image_mean", "image_std"):
        writer.add_array(f"clip.vision.{key}", [0.5, 0.5, 0.5])
    writer.add_tensor("v.patch_embd.weight", _normal(draw, WIDTH, 3, PATCH, PATCH))
    writer.add_tensor("v.patch_embd.bias", _normal(draw, WIDTH))
    writer.add_tensor("v.position_embd.weight", _normal(draw, (IMAGE // PATCH) ** 2, WIDTH))
    for layer in range(VISION_LAYERS):
        prefix = f"v.blk.{layer}."
        for name, *shape in (
            ("ln1", WIDTH),
            ("ln2", WIDTH),
            *((f"attn_{part}", WIDTH, WIDTH) for part in ("q", "k", "v", "out")),
            ("ffn_up", HIDDEN, WIDTH),
            ("ffn_down", WIDTH, HIDDEN),
        ):
            writer.add_tensor(f"{prefix}{name}.weight", _normal(draw, *shape))
            writer.add_tensor(f"{prefix}{name}.bias", _normal(draw, shape[0]))
    writer.add_tensor("v.post_ln.weight", 1 + _normal(draw, WIDTH))
    writer.add_tensor("v.post_ln.bias", _normal(draw, WIDTH))
    writer.add_tensor("mm.soft_emb_norm.weight", 1 + _normal(draw, WIDTH))
    writer.add_tensor("mm.input_projection.weight", _normal(draw, WIDTH, WIDTH))
    _finish(writer)

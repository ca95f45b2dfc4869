"""Write a trained pair as two GGUF files: ``python -m inference.training.eyes.export --help``.

The language model as `inference.training.export` writes it; the encoder and its projector as a "clip"
file of projector type "gemma3" (names and keys: llama.cpp's tools/mtmd/clip-impl.h). Matrices are Q8_0;
patch filters and the projector's matrix stay F16, as their kernels want.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inference.training.export import FILE_TYPES, add_matrix
from inference.training.export import export as export_language
from inference.training.eyes.model import DEVIATION, MEAN, Eyes, EyesShape, Pair
from inference.training.eyes.train import CHECKPOINT, TOKENIZER
from inference.training.eyes.vocabulary import ALL_CONTROL
from inference.training.model import ModelShape
from inference.training.tokenizer import load_tokenizer

TITLE = "Sightline demonstration pair"


def load(folder: Path) -> tuple[Pair, Any]:
    """Read the pair and the tokenizer of a training run."""
    saved = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    pair = Pair(EyesShape(**saved["eyes"]), ModelShape(**saved["language"]))
    pair.load_state_dict(saved["pair"])
    pair.eval()
    return pair, load_tokenizer(folder / TOKENIZER)


def export_pair(
    pair: Pair, tokenizer: Any, model: Path, mmproj: Path, *, weights: str = "q8_0"
) -> None:
    """Write both files; `weights` is "q8_0" as shipped, or "f32" to compare arithmetic."""
    export_language(pair.language, tokenizer, model, weights=weights, name=TITLE, control=ALL_CONTROL)
    export_eyes(pair.eyes, pair.language.shape.width, mmproj, weights=weights)


def export_eyes(eyes: Eyes, language_width: int, path: Path, *, weights: str) -> None:
    """Write encoder and projector."""
    import gguf

    shape = eyes.shape
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_name(TITLE)
    writer.add_file_type(FILE_TYPES[weights])
    writer.add_quantization_version(2)
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.use_gelu", True)
    writer.add_string("clip.projector_type", "gemma3")
    for key, value in {
        "image_size": shape.size,
        "patch_size": shape.patch,
        "embedding_length": shape.width,
        "feed_forward_length": shape.feed_forward,
        "block_count": shape.layers,
        "attention.head_count": shape.heads,
        "projection_dim": language_width,
        "projector.scale_factor": shape.merge,
    }.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", shape.epsilon)
    writer.add_array("clip.vision.image_mean", [MEAN] * 3)
    writer.add_array("clip.vision.image_std", [DEVIATION] * 3)
    exact = np.float32 if weights == "f32" else np.float16
    for name, tensor in eyes.state_dict().items():
        values = tensor.float().numpy()
        if name == "patch_embd.weight":
            # One grey channel was learnt from; a picture has three equal ones.
            filters = values.reshape(shape.width, 1, shape.patch, shape.patch) / 3
            writer.add_tensor("v.patch_embd.weight", filters.repeat(3, 1).astype(exact))
        elif name == "position_embd":
            writer.add_tensor("v.position_embd.weight", values.astype(np.float32))
        elif name == "input_projection":
            writer.add_tensor("mm.input_projection.weight", values.astype(exact))
        elif name == "soft_emb_norm.weight":
            writer.add_tensor("mm.soft_emb_norm.weight", values.astype(np.float32))
        else:
            add_matrix(writer, f"v.{name}", values, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(description="Write a trained pair as GGUF.")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--mmproj", type=Path, required=True)
    parser.add_argument("--weights", choices=FILE_TYPES, default="q8_0")
    given = parser.parse_args()
    pair, tokenizer = load(given.run)
    export_pair(pair, tokenizer, given.model, given.mmproj, weights=given.weights)


if __name__ == "__main__":
    main()

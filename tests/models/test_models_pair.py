"""A sideloaded pair of model and projector loads together when it belongs together."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from inference.models.client import ModelClient
from inference.models.generation import ModelError
from inference.models.registry import FileRole, InstalledModel, ModelFile

gguf = pytest.importorskip("gguf", reason="writes a projector with the extra 'train'")

WIDTH, IMAGE, PATCH, LAYERS = 32, 32, 8, 1


def write_projector(path: Path, *, language_width: int, projector: str = "gemma3") -> None:
    """A tiny projector of random weights (keys and tensors as llama.cpp's tools/mtmd/clip.cpp)."""
    draw = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_file_type(0)
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.use_gelu", True)
    writer.add_string("clip.projector_type", projector)
    for key, value in {
        "image_size": IMAGE,
        "patch_size": PATCH,
        "embedding_length": WIDTH,
        "feed_forward_length": 2 * WIDTH,
        "block_count": LAYERS,
        "attention.head_count": 2,
        "projection_dim": language_width,
        "projector.scale_factor": 2,
    }.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    for key in ("image_mean", "image_std"):
        writer.add_array(f"clip.vision.{key}", [0.5, 0.5, 0.5])

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, draw.normal(0, 0.05, shape).astype(np.float32))

    add("v.patch_embd.weight", WIDTH, 3, PATCH, PATCH)
    add("v.patch_embd.bias", WIDTH)
    add("v.position_embd.weight", (IMAGE // PATCH) ** 2, WIDTH)
    for norm in ("ln1", "ln2"):
        add(f"v.blk.0.{norm}.weight", WIDTH)
        add(f"v.blk.0.{norm}.bias", WIDTH)
    for matrix, rows, columns in (
        *((f"attn_{name}", WIDTH, WIDTH) for name in ("q", "k", "v", "out")),
        ("ffn_up", 2 * WIDTH, WIDTH),
        ("ffn_down", WIDTH, 2 * WIDTH),
    ):
        add(f"v.blk.0.{matrix}.weight", rows, columns)
        add(f"v.blk.0.{matrix}.bias", rows)
    add("v.post_ln.weight", WIDTH)
    add("v.post_ln.bias", WIDTH)
    add("mm.soft_emb_norm.weight", WIDTH)
    add("mm.input_projection.weight", WIDTH, language_width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def pair_of(model: InstalledModel, folder: Path, **projector: object) -> InstalledModel:
    """The built-in model with a projector file beside it, as a manifest would name them."""
    shutil.copytree(model.folder, folder)
    path = folder / "mmproj.gguf"
    write_projector(path, **projector)  # type: ignore[arg-type]
    data = path.read_bytes()
    file = ModelFile(
        name=path.name,
        role=FileRole.MMPROJ,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    changes = {"projector_type": "gemma3", "files": (*model.manifest.files, file)}
    return InstalledModel(model.manifest.model_copy(update=changes), folder)


def test_a_pair_that_belongs_together_loads_and_writes(
    built_in: InstalledModel, tmp_path: Path
) -> None:
    pair = pair_of(built_in, tmp_path / "m", language_width=192)
    with ModelClient(pair) as client:
        client.load()
        assert client.generate("x", 'root ::= "ab"\n', max_tokens=8).text == "ab"


def test_a_projector_of_another_width_is_refused_in_words(
    built_in: InstalledModel, tmp_path: Path
) -> None:
    pair = pair_of(built_in, tmp_path / "m", language_width=64)
    with ModelClient(pair) as client, pytest.raises(ModelError, match="cannot join") as caught:
        client.load()
    assert caught.value.code == "projector"


def test_a_projector_of_another_family_is_refused_by_its_header(
    built_in: InstalledModel, tmp_path: Path
) -> None:
    pair = pair_of(built_in, tmp_path / "m", language_width=192, projector="internvl")
    with ModelClient(pair) as client, pytest.raises(ModelError, match="'internvl' file, its manifest"):
        client.load()

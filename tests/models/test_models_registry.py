"""A model is what its manifest says, byte for byte, or it is refused in words."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.models.generation import ModelError
from inference.models.gguf_header import GgufError, read_text_keys
from inference.models.registry import (
    BrokenManifest,
    FileRole,
    HashMismatch,
    ModelRegistry,
    UnknownArchitecture,
    UnknownModel,
    check_pair,
    read_manifest,
)
from inference.models.trust import (
    ManifestSignature,
    NotTrusted,
    Publisher,
    Trust,
    public_key,
    sign,
    write_signature,
)


def manifest_of(files: dict[str, Path]) -> dict[str, Any]:
    """A manifest of these files by role."""
    return {
        "schema": "sightline.model/1",
        "name": "ward-model",
        "title": "Ward model",
        "files": [
            {
                "name": path.name,
                "role": role,
                "bytes": len(path.read_bytes()),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for role, path in files.items()
        ],
        "architecture": "gemma3",
        "prompt_profile": "gemma",
        "licence": "HAI-DEF",
        "trained_on": "stated by its maker",
    }


@pytest.fixture
def package(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Model file, mmproj file and manifest as a person would bring them."""
    folder = tmp_path / "usb"
    folder.mkdir()
    gguf, mmproj = folder / "model.gguf", folder / "mmproj.gguf"
    gguf.write_bytes(b"GGUF" + bytes(range(200)))
    mmproj.write_bytes(b"GGUF" + bytes(100))
    manifest = folder / "ward.json"
    files = {"model": gguf, "mmproj": mmproj}
    manifest.write_text(json.dumps(manifest_of(files) | {"projector_type": "gemma3"}), encoding="utf-8")
    return gguf, mmproj, manifest


@pytest.fixture
def registry(tmp_path: Path, package: tuple[Path, Path, Path]) -> ModelRegistry:
    allowed = {hashlib.sha256(path.read_bytes()).hexdigest() for path in package[:2]}
    return ModelRegistry(tmp_path / "home" / "models", trust=lambda: Trust(allowed=allowed))


def test_a_pair_is_added_listed_verified_and_removed(
    registry: ModelRegistry, package: tuple[Path, Path, Path]
) -> None:
    done: list[tuple[int, int]] = []
    added = registry.add(*package, progress=lambda n, total: done.append((n, total)))
    assert done[-1][0] == done[-1][1] == 308
    assert added.manifest.name in {model.manifest.name for model in registry.list()}
    assert registry.verify("ward-model").path(FileRole.MMPROJ).read_bytes() == package[1].read_bytes()
    registry.remove("ward-model")
    with pytest.raises(UnknownModel, match="models add"):
        registry.get("ward-model")


@pytest.mark.parametrize("place", [0, 7, 203])
def test_one_changed_byte_is_refused_when_added_and_when_verified(
    registry: ModelRegistry, package: tuple[Path, Path, Path], place: int
) -> None:
    added = registry.add(*package)
    path = added.path(FileRole.MODEL)
    assert path is not None
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(HashMismatch, match=r"model\.gguf is not the file"):
        registry.verify("ward-model")
    registry.remove("ward-model")
    package[0].write_bytes(data)
    with pytest.raises(HashMismatch):
        registry.add(*package)
    assert registry.home is not None
    assert list(registry.home.iterdir()) == []


def test_a_folder_is_added_whole(registry: ModelRegistry, package: tuple[Path, Path, Path]) -> None:
    registry.add(None, None, package[2])
    assert registry.verify("ward-model").path(FileRole.MMPROJ)


def test_a_file_that_is_missing_is_named(
    registry: ModelRegistry, package: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    beside = package[1].rename(tmp_path / "elsewhere.gguf")
    with pytest.raises(ModelError, match=r"mmproj file mmproj\.gguf: give it too"):
        registry.add(package[0], None, package[2])
    beside.rename(package[1])
    added = registry.add(*package)
    (added.folder / "mmproj.gguf").unlink()
    with pytest.raises(HashMismatch, match=r"mmproj\.gguf of the model is missing"):
        registry.verify("ward-model")


def test_a_name_is_given_once_and_the_built_in_model_stays(
    registry: ModelRegistry, package: tuple[Path, Path, Path]
) -> None:
    registry.add(*package)
    with pytest.raises(ModelError, match="already there"):
        registry.add(*package)
    with pytest.raises(ModelError, match="came with the program"):
        registry.remove("sightline-demo")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"architecture": "mamba"}, UnknownArchitecture, "mamba"),
        ({"projector_type": "qwen2.5vl_merger"}, UnknownArchitecture, "does not belong"),
        ({"projector_type": None}, BrokenManifest, "projector_type"),
        ({"name": "../escape"}, BrokenManifest, "name"),
        ({"files": []}, BrokenManifest, "one model file"),
        ({"prompt_profile": "chatml"}, UnknownArchitecture, "Fitting: gemma"),
        ({"prompt_profile": "jinja"}, BrokenManifest, "prompt_profile"),
        ({"schema": "sightline.model/9"}, BrokenManifest, "schema"),
        ({"surprise": 1}, BrokenManifest, "surprise"),
    ],
)
def test_a_manifest_that_is_not_sound_is_refused_in_words(
    package: tuple[Path, Path, Path],
    registry: ModelRegistry,
    changes: dict[str, Any],
    error: type[ModelError],
    words: str,
) -> None:
    files = {"model": package[0], "mmproj": package[1]}
    data = manifest_of(files) | {"projector_type": "gemma3"} | changes
    package[2].write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(error, match=words):
        registry.add(*package)


def test_a_file_name_cannot_leave_the_folder(package: tuple[Path, Path, Path]) -> None:
    data = manifest_of({"model": package[0]})
    data["files"][0]["name"] = "../../etc/passwd"
    package[2].write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(BrokenManifest, match="name"):
        read_manifest(package[2])


def test_a_broken_folder_does_not_hide_the_others(
    registry: ModelRegistry, package: tuple[Path, Path, Path]
) -> None:
    registry.add(*package)
    assert registry.home is not None
    broken = registry.home / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{", encoding="utf-8")
    assert "ward-model" in {model.manifest.name for model in registry.list()}
    assert [folder.name for folder, _ in registry.problems()] == ["broken"]
    with pytest.raises(BrokenManifest):
        registry.get("broken")


def test_a_registry_without_a_store_takes_no_models(package: tuple[Path, Path, Path]) -> None:
    with pytest.raises(ModelError, match="--home"):
        ModelRegistry().add(*package)


def test_the_built_in_model_is_whole_and_says_that_it_is_a_demonstration() -> None:
    model = ModelRegistry().verify("sightline-demo")
    check_pair(model.manifest)
    assert model.built_in
    assert model.manifest.demonstration
    assert "demonstration" in model.manifest.title.lower()
    assert model.manifest.quality
    assert model.manifest.stamp().demonstration
    readme = (model.folder.parent / "README.md").read_text(encoding="utf-8")
    assert "demonstration model" in readme.lower()
    for figure in model.manifest.quality:
        assert figure.name in readme


@pytest.fixture(scope="module")
def key() -> bytes:
    """A hospital's private key."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_signed_manifest_is_added_and_a_changed_or_foreign_one_is_not(
    tmp_path: Path, package: tuple[Path, Path, Path], key: bytes
) -> None:
    trust = [Trust(publishers=(Publisher(name="St Mary IT", key=public_key(key)),))]
    registry = ModelRegistry(tmp_path / "home" / "models", trust=lambda: trust[0])
    manifest = package[2]
    with pytest.raises(NotTrusted, match="not signed, and the policy does not list"):
        registry.add(*package)
    write_signature(sign(manifest.read_bytes(), "St Mary IT", key), manifest)
    added = registry.add(*package)
    assert registry.vouched(added) == "signed by St Mary IT"
    registry.verify("ward-model")
    # The manifest of the installed model is swapped for another one, with hashes that fit.
    installed = added.folder / "manifest.json"
    installed.write_bytes(installed.read_bytes().replace(b"Ward model", b"Bard model"))
    with pytest.raises(NotTrusted, match="not the one that St Mary IT signed"):
        registry.verify("ward-model")
    registry.remove("ward-model")
    other = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    write_signature(sign(manifest.read_bytes(), "St Mary IT", other), manifest)
    with pytest.raises(NotTrusted, match="not the one that St Mary IT signed"):
        registry.add(*package)
    write_signature(sign(manifest.read_bytes(), "Somebody", other), manifest)
    with pytest.raises(NotTrusted, match="'Somebody', whom the policy does not name"):
        registry.add(*package)
    assert not (tmp_path / "home" / "models").exists() or not registry.list()[1:]


def test_a_recalled_model_is_not_used_whoever_vouches_for_it(
    tmp_path: Path, package: tuple[Path, Path, Path], key: bytes
) -> None:
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in package[:2]]
    trust = [Trust(allowed=frozenset(hashes))]
    registry = ModelRegistry(tmp_path / "home" / "models", trust=lambda: trust[0])
    added = registry.add(*package)
    assert registry.vouched(added) == "allowed by the policy of this machine"
    trust[0] = Trust(allowed=frozenset(hashes), recalled=frozenset(hashes[1:]))
    with pytest.raises(NotTrusted, match="recalled") as refused:
        registry.verify("ward-model")
    assert refused.value.code == "recalled"
    trust[0] = Trust(allowed=frozenset(hashes[:1]))
    with pytest.raises(NotTrusted, match="does not list"):
        registry.vouched(added)


@pytest.mark.parametrize("text", ["", "{", '{"publisher": "x"}', "\x00" * 5000])
def test_a_damaged_signature_is_refused_in_words(
    package: tuple[Path, Path, Path], tmp_path: Path, text: str, key: bytes
) -> None:
    package[2].with_name("ward.json.sig").write_text(text)
    registry = ModelRegistry(tmp_path / "home" / "models")
    with pytest.raises(NotTrusted, match="signature"):
        registry.add(*package)


def test_only_an_ed25519_key_signs() -> None:
    with pytest.raises(NotTrusted, match="Ed25519"):
        sign(b"x", "St Mary IT", b"-----BEGIN NONSENSE-----")
    with pytest.raises(ValueError, match="signature"):
        ManifestSignature(publisher="x", signature="short")


def header(pairs: dict[str, str]) -> bytes:
    """A GGUF header with text keys, one list of text and one number before them."""
    text = lambda value: struct.pack("<Q", len(value.encode())) + value.encode()  # noqa: E731
    body = text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
    body += text("context") + struct.pack("<II", 4, 512)
    for key, value in pairs.items():
        body += text(key) + struct.pack("<I", 8) + text(value)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs) + 2) + body


def test_the_family_is_read_from_the_header() -> None:
    data = header({"general.architecture": "clip", "clip.projector_type": "gemma3"})
    found = read_text_keys(io.BytesIO(data), ("general.architecture", "clip.projector_type"))
    assert found == {"general.architecture": "clip", "clip.projector_type": "gemma3"}


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 10_000))
def test_a_damaged_header_is_a_typed_error_and_takes_no_memory(
    place: int, value: int, cut: int
) -> None:
    data = bytearray(header({"general.architecture": "qwen3", "x": "y" * 50}))
    data[place % len(data)] = value
    try:
        read_text_keys(io.BytesIO(bytes(data[: cut % (len(data) + 1)])), ("general.architecture",))
    except GgufError as error:
        assert str(error)

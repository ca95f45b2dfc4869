"""Models on this machine: manifests with hashes, the built-in folder and the one of this store.

A model is a folder with `manifest.json` beside its files. The manifest is the only thing read here;
the files themselves are bytes to hash, and their insides are looked at in the worker.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import resources
from inference.models.generation import ModelError
from inference.models.profiles import PROFILES, known_pairs
from inference.models.trust import SIGNATURE_SUFFIX, Trust, vouched
from reports.domain import ModelStamp

MANIFEST = "manifest.json"
MANIFEST_SCHEMA = "sightline.model/1"
LARGEST_MANIFEST = 1 << 20
BUILT_IN = "sightline-demo"

_CHUNK = 1 << 20


class FileRole(StrEnum):
    """What a file of a model is."""

    MODEL = "model"
    MMPROJ = "mmproj"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ModelFile(_Frozen):
    """A file of a model, bound by its hash."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")
    role: FileRole
    bytes: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Quality(_Frozen):
    """One measured figure with what it was measured on."""

    name: str
    value: float
    on: str


class ModelManifest(_Frozen):
    """What a model is, where it comes from and how good it was measured to be."""

    version: str = Field(default=MANIFEST_SCHEMA, alias="schema", pattern=r"^sightline\.model/1$")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    title: str
    files: tuple[ModelFile, ...]
    architecture: str
    projector_type: str | None = None
    prompt_profile: str
    context: int = Field(default=4096, ge=256, le=1 << 20)
    licence: str
    trained_on: str
    quality: tuple[Quality, ...] = ()
    demonstration: bool = True
    """True until somebody has shown that the model is fit for more."""

    @model_validator(mode="after")
    def _check(self) -> ModelManifest:
        roles = [file.role for file in self.files]
        if roles.count(FileRole.MODEL) != 1 or roles.count(FileRole.MMPROJ) > 1:
            raise ValueError("A model has one model file and at most one mmproj file.")
        if len({file.name for file in self.files}) != len(self.files):
            raise ValueError("Two files have the same name.")
        if (self.projector_type is None) == (FileRole.MMPROJ in roles):
            raise ValueError("projector_type is given exactly when there is an mmproj file.")
        if self.prompt_profile not in PROFILES:
            raise ValueError(f"prompt_profile is one of {', '.join(PROFILES)}.")
        return self

    def file(self, role: FileRole) -> ModelFile | None:
        """Return the file of a role, or none."""
        return next((file for file in self.files if file.role is role), None)

    @property
    def sha256(self) -> str:
        """Hash of the model file: what a draft is stamped with."""
        found = self.file(FileRole.MODEL)
        assert found is not None  # the validator saw to it
        return found.sha256

    def stamp(self) -> ModelStamp:
        """Return what a draft and a report say of the model."""
        return ModelStamp(
            name=self.name,
            sha256=self.sha256,
            licence=self.licence,
            demonstration=self.demonstration,
        )


@dataclass(frozen=True)
class InstalledModel:
    """A manifest and the folder that it lies in."""

    manifest: ModelManifest
    folder: Path
    built_in: bool = False

    def path(self, role: FileRole) -> Path | None:
        """Return the path of a file of the model, or none when the model has no such file."""
        found = self.manifest.file(role)
        return self.folder / found.name if found else None


class UnknownModel(ModelError):
    """No model of this name is installed."""


class HashMismatch(ModelError):
    """A file is not the one that its manifest names."""


class UnknownArchitecture(ModelError):
    """The family of the model, or its pair of model and projector, is not known here."""


class BrokenManifest(ModelError):
    """A manifest that cannot be read."""


Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


class ModelRegistry:
    """The models of some folders; in the first of them models are added and removed.

    Parameters
    ----------
    home
        Folder of this store for sideloaded models, or none when there is no store; need not exist.
    built_in
        Folder of the models that come with the program; they need nobody's word.
    trust
        Whom this machine trusts for all others; asked whenever one is added or used.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        built_in: Path | None = None,
        trust: Callable[[], Trust] = Trust,
    ) -> None:
        self.home = home
        self._trust = trust
        self.built_in = built_in if built_in is not None else resources.ROOT / "models"

    def list(self) -> tuple[InstalledModel, ...]:
        """Return all models with a sound manifest, the built-in ones first, then by name."""
        return tuple(model for model in self._look() if isinstance(model, InstalledModel))

    def problems(self) -> tuple[tuple[Path, ModelError], ...]:
        """Return the folders whose manifest is broken, with the reason."""
        return tuple(entry for entry in self._look() if not isinstance(entry, InstalledModel))

    def get(self, name: str = BUILT_IN) -> InstalledModel:
        """Return a model by name.

        Raises
        ------
        UnknownModel, BrokenManifest
            There is none, or its manifest cannot be read.
        """
        for entry in self._look():
            if isinstance(entry, InstalledModel):
                if entry.manifest.name == name:
                    return entry
            elif entry[0].name == name:
                raise entry[1]
        known = ", ".join(model.manifest.name for model in self.list()) or "none"
        raise UnknownModel(
            "unknown_model",
            f"There is no model {name!r}. Installed: {known}. Add one with `sightline models add`.",
        )

    def vouched(self, model: InstalledModel) -> str:
        """Return who vouches for a model, in words.

        Raises
        ------
        NotTrusted
            Nobody whom the policy of this machine names does, or the model was recalled.
        """
        if model.built_in:
            return "came with the program"
        return self._vouched(model.manifest, model.folder / MANIFEST)

    def _vouched(self, manifest: ModelManifest, path: Path) -> str:
        return vouched(
            self._trust(),
            manifest.name,
            (file.sha256 for file in manifest.files),
            path.read_bytes(),
            path.with_name(path.name + SIGNATURE_SUFFIX),
        )

    def verify(self, name: str, *, progress: Progress | None = None) -> InstalledModel:
        """Hash every file of a model against its manifest and return the model.

        Raises
        ------
        HashMismatch, NotTrusted
            A file is missing, or is not the one that the manifest names; or nobody vouches for it.
        """
        model = self.get(name)
        self.vouched(model)
        total = sum(file.bytes for file in model.manifest.files)
        done = 0
        for file in model.manifest.files:
            found = file_sha256(
                _existing(model.folder / file.name),
                progress=_from(done, total, progress),
            )
            _compare(file, found)
            done += file.bytes
        return model

    def add(
        self,
        gguf: Path | None,
        mmproj: Path | None,
        manifest: Path,
        *,
        progress: Progress | None = None,
    ) -> InstalledModel:
        """Copy a model into the home folder, hashing as it is copied.

        Parameters
        ----------
        gguf, mmproj
            Its files; none for those that lie beside the manifest under the names that it gives.

        Raises
        ------
        ModelError
            No home folder, a broken manifest, an unknown family, nobody who vouches for it, a name
            that is taken, a file that is missing, not the one of the manifest, or too large for the
            disk. Nothing is left behind.
        """
        if self.home is None:
            raise ModelError("no_home", "There is no store to add the model to: give one with --home.")
        wanted = read_manifest(manifest)
        check_pair(wanted)
        self._vouched(wanted, manifest)
        if any(model.manifest.name == wanted.name for model in self.list()):
            raise ModelError(
                "name_taken",
                f"A model {wanted.name!r} is already there. Remove it first, or rename this one.",
            )
        sources = {FileRole.MODEL: gguf, FileRole.MMPROJ: mmproj}
        self.home.mkdir(parents=True, exist_ok=True)
        total = sum(file.bytes for file in wanted.files)
        if shutil.disk_usage(self.home).free < total:
            raise ModelError(
                "disk_full",
                f"The model needs {total / 1e9:.1f} GB, more than the disk of the store has free.",
            )
        staging = Path(tempfile.mkdtemp(prefix=".adding-", dir=self.home))
        try:
            done = 0
            for file in wanted.files:
                source = sources[file.role] or manifest.with_name(file.name)
                if not source.is_file():
                    raise ModelError(
                        "missing_file",
                        f"The manifest names the {file.role} file {file.name}: give it too.",
                    )
                copied = _copy(
                    _existing(source),
                    staging / file.name,
                    progress=_from(done, total, progress),
                )
                _compare(file, copied)
                done += file.bytes
            shutil.copyfile(manifest, staging / MANIFEST)
            signature = manifest.with_name(manifest.name + SIGNATURE_SUFFIX)
            if signature.is_file():
                shutil.copyfile(signature, staging / (MANIFEST + SIGNATURE_SUFFIX))
            staging.rename(self.home / wanted.name)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        return InstalledModel(wanted, self.home / wanted.name)

    def remove(self, name: str) -> None:
        """Delete a sideloaded model.

        Raises
        ------
        ModelError
            There is none of this name, or it is built in.
        """
        model = self.get(name)
        if model.built_in:
            raise ModelError("built_in", f"{name} came with the program and stays.")
        shutil.rmtree(model.folder)

    def _look(self) -> Sequence[InstalledModel | tuple[Path, ModelError]]:
        found: list[InstalledModel | tuple[Path, ModelError]] = []
        for root, built_in in ((self.built_in, True), (self.home, False)):
            if root is None or not root.is_dir():
                continue
            for folder in sorted(root.iterdir()):
                if folder.name.startswith(".") or not (folder / MANIFEST).is_file():
                    continue
                try:
                    found.append(InstalledModel(read_manifest(folder / MANIFEST), folder, built_in))
                except ModelError as error:
                    found.append((folder, error))
        return found


def _from(start: int, total: int, progress: Progress | None) -> Callable[[int], None] | None:
    """Return a counter of one file's bytes that tells those of all files, or none."""
    if progress is None:
        return None
    return lambda done: progress(start + done, total)


def read_manifest(path: Path) -> ModelManifest:
    """Read a manifest.

    Raises
    ------
    BrokenManifest
        It is missing, too large, or not of the schema; the message names the field.
    """
    try:
        if path.stat().st_size > LARGEST_MANIFEST:
            raise BrokenManifest("broken_manifest", f"{path.name} is too large to be a manifest.")
        return ModelManifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BrokenManifest("broken_manifest", f"The manifest {path} cannot be read.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise BrokenManifest(
            "broken_manifest",
            f"The manifest of {path.parent.name} is not sound at {where}: {first['msg']}.",
        ) from None


def check_pair(manifest: ModelManifest) -> None:
    """Refuse an architecture that is not known here, or a projector of another family.

    Raises
    ------
    UnknownArchitecture
        No profile has such a pair, or the manifest names the profile of another family.
    """
    pairs = known_pairs()
    projectors = pairs.get(manifest.architecture)
    if projectors is None:
        raise UnknownArchitecture(
            "architecture",
            f"{manifest.name} is of the architecture {manifest.architecture!r}, which is not "
            f"known here. Known: {', '.join(pairs)}.",
        )
    if manifest.projector_type not in projectors:
        raise UnknownArchitecture(
            "projector",
            f"The projector {manifest.projector_type or 'none'} does not belong to a "
            f"{manifest.architecture} model. Get the mmproj file that was made for it.",
        )
    if not PROFILES[manifest.prompt_profile].fits(manifest.architecture, manifest.projector_type):
        fitting = [
            name
            for name, profile in PROFILES.items()
            if profile.fits(manifest.architecture, manifest.projector_type)
        ]
        raise UnknownArchitecture(
            "profile",
            f"{manifest.name} is of the architecture {manifest.architecture!r}, which does not go with "
            f"the prompt profile {manifest.prompt_profile!r}. Fitting: {', '.join(fitting)}.",
        )


def file_sha256(path: Path, *, progress: Callable[[int], None] | None = None) -> tuple[int, str]:
    """Return size and SHA-256 of a file."""
    return _copy(path, None, progress=progress)


def _copy(
    source: Path, target: Path | None, *, progress: Callable[[int], None] | None = None
) -> tuple[int, str]:
    digest, done = hashlib.sha256(), 0
    with source.open("rb") as stream, (target or Path(os.devnull)).open("wb") as out:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            if target is not None:
                out.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done)
    return done, digest.hexdigest()


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise HashMismatch(
            "missing_file", f"The file {path.name} of the model is missing. Add the model again."
        )
    return path


def _compare(file: ModelFile, found: tuple[int, str]) -> None:
    size, sha256 = found
    if (size, sha256) != (file.bytes, file.sha256):
        what = f"has {size:,} bytes instead of {file.bytes:,}" if size != file.bytes else "was changed"
        raise HashMismatch(
            "hash_mismatch",
            f"{file.name} is not the file that its manifest names: it {what} (SHA-256 {sha256[:12]}… "
            f"instead of {file.sha256[:12]}…). It is not loaded. Get the file again.",
        )

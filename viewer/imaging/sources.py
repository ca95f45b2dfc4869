"""From the paths that a person gave to single files: folders walked, ZIP archives unpacked safely.

Links are never followed out of the given folder. A ZIP is unpacked under hashed names into an
archive folder (0700, files 0600), so that no member name reaches the file system; members that try
to leave it, that are encrypted, or that expand beyond the caps are named as bad files.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Final

from viewer.imaging.elements import FIRST_GROUPS
from viewer.imaging.study import BadFile

MAX_MEMBERS: Final = 100_000
"""Most files in one archive."""

MAX_UNPACKED: Final = 16 << 30
"""Most bytes that one archive may become."""

MAX_RATIO: Final = 250
"""Most unpacked bytes per packed byte of a member above `RATIO_FREE_BYTES`; deflate reaches 1032."""

RATIO_FREE_BYTES: Final = 16 << 20
"""Below this unpacked size the ratio of a member is not looked at."""

CHUNK: Final = 1 << 20

DEVICE: Final = "A device or pipe, not a file."

DAMAGED_MEMBER: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(NotImplementedError, RuntimeError, EOFError, ValueError),
)
"""What unpacking one damaged member raises: it is named, the rest of the archive is read."""


class Cancelled(Exception):
    """The caller asked to stop."""


@dataclass
class Sources:
    """Files to read and files already refused.

    Parameters
    ----------
    names
        For a member of an archive: the name to show for its unpacked file ("a.zip!CT/1.dcm").
    """

    files: list[str] = field(default_factory=list)
    bad_files: list[BadFile] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def refuse(self, path: str, code: str, reason: str) -> None:
        """Note a file that is not read."""
        self.bad_files.append(BadFile(path=path, reason=reason, code=code))


def collect_files(
    paths: Sequence[str], archive_dir: Path | None, *, cancelled: Callable[[], bool] = lambda: False
) -> Sources:
    """List every file under the paths, unpacking ZIP archives into `archive_dir` (else a new folder).

    Raises
    ------
    Cancelled
        `cancelled` said so.
    """
    sources = Sources()
    seen: set[str] = set()
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found: Iterator[str] = _walk_folder(path.resolve(), sources)
        elif path.is_file():
            found = iter([str(path.resolve())])
        elif path.exists():
            sources.refuse(given, "not_dicom", DEVICE)
            continue
        else:
            sources.refuse(given, "unreadable", "There is no such file or folder.")
            continue
        for name in found:
            if cancelled():
                raise Cancelled
            if name in seen:
                continue
            seen.add(name)
            if not _is_text(name):
                shown = name.encode("utf-8", "backslashreplace").decode("utf-8")
                sources.refuse(shown, "unreadable", "Its name is not valid text: rename the file.")
                continue
            if _is_zip(name):
                if archive_dir is None:
                    archive_dir = Path(tempfile.mkdtemp(prefix="sightline-"))
                _unpack(name, archive_dir, sources, cancelled)
            else:
                sources.files.append(name)
    return sources


def _walk_folder(root: Path, sources: Sources) -> Iterator[str]:
    pending = [str(root)]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            sources.refuse(folder, "unreadable", f"The folder cannot be read: {error.strerror}.")
            continue
        folders = []
        for entry in entries:
            if entry.is_symlink():
                # Not Path.resolve: it raises on links that lead to each other.
                if not Path(os.path.realpath(entry.path)).is_relative_to(root):
                    sources.refuse(
                        entry.path, "unsafe_path", "A link that leads out of the folder: not followed."
                    )
                elif not Path(entry.path).exists():
                    sources.refuse(entry.path, "unreadable", "A link that leads to nothing.")
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield entry.path
            else:
                sources.refuse(entry.path, "not_dicom", DEVICE)
        pending.extend(reversed(folders))


def _is_text(name: str) -> bool:
    """False for a name whose bytes are no UTF-8: it cannot travel as JSON."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_zip(path: str) -> bool:
    """True for a file that begins like a ZIP archive; a DICOM file never does."""
    if not path.lower().endswith(".zip"):
        return False
    try:
        with Path(path).open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError:
        return False


def _unpack(path: str, folder: Path, sources: Sources, cancelled: Callable[[], bool]) -> None:
    status = Path(path).stat()
    identity = f"{path}\0{status.st_size}\0{status.st_mtime_ns}"
    target = folder / hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) > MAX_MEMBERS:
                sources.refuse(
                    path,
                    "too_large",
                    f"The archive holds {len(members):,} files: more than {MAX_MEMBERS:,}.",
                )
                return
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.chmod(0o700)
            left = MAX_UNPACKED
            for info in members:
                if cancelled():
                    raise Cancelled
                shown = f"{path}!{info.filename}"
                reason = _refusal(info)
                if reason is not None:
                    sources.refuse(shown, *reason)
                    continue
                try:
                    written = _extract(archive, info, target, left)
                except _Bomb:
                    sources.refuse(
                        path,
                        "too_large",
                        f"The archive unpacks to more than {MAX_UNPACKED >> 30} GiB: "
                        "the rest of it was not read.",
                    )
                    return
                except _NotDicom:
                    sources.refuse(shown, "not_dicom", "This is not a DICOM file.")
                    continue
                except DAMAGED_MEMBER:
                    sources.refuse(
                        shown, "bad_archive", "It is damaged or packed in an unknown way: not unpacked."
                    )
                    continue
                unpacked, size = written
                left -= size
                sources.files.append(unpacked)
                sources.names[unpacked] = shown
    except Cancelled:
        raise
    except OSError as error:
        sources.refuse(path, "unreadable", f"The archive cannot be unpacked: {error.strerror}.")
    except Exception as error:  # zipfile raises struct, Unicode and zlib errors on damaged archives
        sources.refuse(
            path,
            "bad_archive",
            f"The archive is damaged and cannot be opened ({type(error).__name__}).",
        )


class _Bomb(Exception):
    pass


class _NotDicom(Exception):
    pass


def _refusal(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Return (code, reason) for a member that must not be unpacked."""
    name = info.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or (parts and parts[0].endswith(":")):
        return "unsafe_path", "Its name leads out of the archive: not unpacked."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "unsafe_path", "A link inside an archive: not unpacked."
    if info.flag_bits & 0x1:
        return "encrypted", "It is encrypted: unpack the archive with its password first."
    if info.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * info.compress_size):
        return "too_large", "It expands more than any image does: taken for a ZIP bomb."
    return None


def _extract(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int
) -> tuple[str, int]:
    """Write one member under a hashed name; return that path and its size."""
    digest = hashlib.sha256(info.filename.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    path = target / f"{info.header_offset:x}-{digest}.dcm"
    with archive.open(info) as member:
        head = member.read(132)
        if head[128:132] != b"DICM" and head[:2] not in FIRST_GROUPS:
            raise _NotDicom
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            try:
                size = _copy(member, file, head, min(left, info.file_size))
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    return str(path), size


def _copy(member: IO[bytes], file: IO[bytes], head: bytes, limit: int) -> int:
    """Copy a member, counting what really comes out instead of believing its header."""
    size, block = 0, head
    while block:
        size += len(block)
        if size > limit:
            raise _Bomb
        file.write(block)
        block = member.read(CHUNK)
    return size

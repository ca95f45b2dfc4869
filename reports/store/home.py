"""The folder of a store: private to its owner, on a local disk.

Folder 0700, files 0600. A network drive is refused where it can be told (Linux: mount table;
Windows: UNC paths), because SQLite's locks and WAL do not hold there; on macOS it cannot be told.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from reports.store.errors import HomeRefusedError

MOUNTS = Path("/proc/self/mountinfo")
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre",
        "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.rclone", "davfs", "fuse.davfs2",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Home:
    """The names of the files in the folder."""

    folder: Path

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.folder / "sightline.db"

    @property
    def key_file(self) -> Path:
        """The wrapped database key; its presence means that the store was created completely."""
        return self.folder / "key.json"

    @property
    def file_key(self) -> Path:
        """Wrapping key of the file provider (demonstration and tests only)."""
        return self.folder / "demonstration.key"

    def backup(self, revision: str) -> Path:
        """The copy that is made before the schema moves on from a revision."""
        return self.folder / f"before-{revision}-was-updated.db"

    @property
    def side_file(self) -> Path:
        """Checkpoints outside the database, one JSON line each, append-only."""
        return self.folder / "checkpoints.jsonl"


def file_system_of(path: Path, mounts: str) -> str:
    """Return the type of the file system that holds an absolute path.

    Parameters
    ----------
    mounts
        Text of /proc/self/mountinfo (proc(5)): field 5 is the mount point with octal escapes, the
        type follows the separator " - ".
    """
    best, found = -1, ""
    for line in mounts.splitlines():
        left, separator, right = line.partition(" - ")
        fields = left.split(" ")
        if not separator or len(fields) < 5:
            continue
        mount = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4]))
        # Later lines lie over earlier ones with the same mount point.
        if path.is_relative_to(mount) and len(mount.parts) >= best:
            best, found = len(mount.parts), right.split(" ")[0]
    return found


def refuse_network(folder: Path) -> None:
    """Refuse a folder on a network drive.

    Raises
    ------
    HomeRefusedError
        The folder is on one.
    """
    resolved = folder.resolve()
    kind = ""
    if str(resolved).startswith(("\\\\", "//")):
        kind = "UNC path"
    elif MOUNTS.exists():
        kind = file_system_of(resolved, MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"))
        kind = kind if kind in NETWORK_FILE_SYSTEMS else ""
    if kind:
        raise HomeRefusedError(
            f"The folder {folder} is on a network drive ({kind}), where the database cannot be kept "
            "safely. Choose a folder on a disk of this machine."
        )


def prepare_home(folder: Path) -> Home:
    """Make the folder private and return it.

    Raises
    ------
    HomeRefusedError
        It cannot be made, belongs to someone else or to everyone, or is on a network drive.
    """
    refuse_network(folder)
    resolved = folder.resolve()
    if resolved in {Path.home().resolve(), Path(resolved.anchor)}:
        raise HomeRefusedError(f"The folder {folder} holds other things: choose one of its own.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            raise HomeRefusedError(f"The folder {folder} belongs to another user of this machine.")
        # Making a shared folder private would take it away from everyone else.
        if folder.stat().st_mode & (stat.S_ISVTX | stat.S_IWOTH) and os.name != "nt":
            raise HomeRefusedError(f"The folder {folder} is shared: choose one of its own.")
        folder.chmod(0o700)
    except OSError as error:
        raise HomeRefusedError(
            f"The folder {folder} cannot be used for the store: {error.strerror}."
        ) from error
    return Home(folder)


def sync_folder(folder: Path) -> None:
    """Make a rename or a new file in the folder last through a power cut."""
    if os.name == "nt":  # A directory cannot be opened there; NTFS journals its metadata.
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(path: Path, data: bytes) -> None:
    """Write a file 0600 so that it is either there completely or not: temp, fsync, rename, fsync."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)

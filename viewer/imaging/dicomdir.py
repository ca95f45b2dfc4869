"""The files that a DICOMDIR names: a medium's own directory (PS3.3 F, PS3.10 8).

A DICOMDIR says only where files are. What is in them is read from the files, so that a directory which
is old, edited or hostile cannot change what is shown. A name never leads out of the directory's folder.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from viewer.imaging.charset import clean
from viewer.imaging.study import BadFile

MAX_RECORDS: Final = 200_000
"""Most directory records that are read."""

MAX_PARTS: Final = 32
"""Most components of a file ID; the standard allows eight (PS3.10 8.2.1)."""

MAX_REFUSED: Final = 200
"""Most names that are refused one by one; the others are counted."""


@dataclass
class Listed:
    """What a DICOMDIR names: files that are there, in its order, and names that were refused."""

    files: list[str] = field(default_factory=list)
    refused: list[BadFile] = field(default_factory=list)


def listed_files(path: str) -> Listed:
    """Return the files that a DICOMDIR names; a name that leads out of its folder is refused.

    The records are taken in the order of the sequence, not along their offsets: files whose offsets
    are wrong (edited with a tool that does not know them) are met, and name the same files.
    """
    listed = Listed()
    root = Path(path).resolve().parent
    try:
        names = _file_ids(path)
    except Exception as error:  # pydicom raises whatever its input provokes
        words = f"This DICOMDIR cannot be read ({type(error).__name__}): open its folder instead."
        listed.refused.append(BadFile(path=path, reason=words, code="bad_header"))
        return listed
    missed = 0
    for parts in dict.fromkeys(names):
        shown = f"{path}!{clean('/'.join(parts))}"
        found, refusal = _found(root, parts)
        if found is not None:
            listed.files.append(found)
        elif len(listed.refused) < MAX_REFUSED:
            listed.refused.append(BadFile(path=shown, reason=refusal[1], code=refusal[0]))
        else:
            missed += 1
    if missed:
        words = f"{missed} more files that it names are missing."
        listed.refused.append(BadFile(path=path, reason=words, code="missing"))
    return listed


def _file_ids(path: str) -> list[tuple[str, ...]]:
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = dcmread(path, force=True, specific_tags=["DirectoryRecordSequence"])
        records = data_set.get("DirectoryRecordSequence") or ()
        found = (_parts(record.get("ReferencedFileID")) for record in records[:MAX_RECORDS])
        return [parts for parts in found if parts]


def _parts(value: Any) -> tuple[str, ...]:
    """Return the components of a Referenced File ID (0004,1500), empty when there is none."""
    if not value:
        return ()
    many = [value] if isinstance(value, str) else list(value)
    return tuple(str(part) for part in many)


def _found(root: Path, parts: tuple[str, ...]) -> tuple[str | None, tuple[str, str]]:
    """Return the file that a file ID names under a folder, else (code, reason)."""
    if len(parts) > MAX_PARTS or any(_leads_out(part) for part in parts):
        return None, ("unsafe_path", "The DICOMDIR names a file outside its folder: not opened.")
    for spelled in (parts, tuple(map(str.lower, parts)), (*parts[:-1], f"{parts[-1]}.dcm")):
        # Media read on other systems: names in lower case, or with an extension added.
        candidate = root.joinpath(*spelled)
        if candidate.is_file():
            resolved = candidate.resolve()
            if not resolved.is_relative_to(root):
                return None, ("unsafe_path", "A link that leads out of the folder: not followed.")
            return str(resolved), ("", "")
    return None, ("missing", "The DICOMDIR names this file, and it is not there.")


def _leads_out(part: str) -> bool:
    """True for a component that is no plain name: empty, a parent, a path of its own, no text."""
    if part in {"", ".", ".."} or "\0" in part or len(os.fsencode(part)) > 255:
        return True
    return any(sign in part for sign in ("/", "\\", ":"))

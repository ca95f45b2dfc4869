"""Whether a file is still the one that was indexed: the pixels of another are never shown for it.

Between the import of a study and the moment its images are opened a file can be replaced: by a newer
export, by a sync program, by somebody. Its header facts (whose patient, which slice, how to read the
values) would then belong to other pixels than those on the screen.
"""

from __future__ import annotations

import os

from viewer.imaging.codestream import DecodeError
from viewer.imaging.headers import read_header
from viewer.imaging.images import instance_uid
from viewer.imaging.study import Instance


def check_same(instance: Instance, status: os.stat_result) -> bool:
    """Refuse a file that was replaced since it was indexed; true when it was not touched at all.

    Size and time of last change say so at no cost. Where they differ, or an older program did not note
    them, the header is read again: a file that holds the same object with its pixels at the same place
    (a copy that lost its time, a corrected text) is still the one that was indexed.

    Parameters
    ----------
    status
        Of the opened file: the one whose pixels are read, whatever its name leads to by then.

    Raises
    ------
    DecodeError
        The file holds another object, or its pixels lie elsewhere; the message says what to do.
    HeaderError
        The file cannot be read as DICOM any more.
    """
    if (status.st_size, status.st_mtime_ns) == (instance.file_size, instance.modified_ns):
        return True
    header = read_header(instance.path)
    pixel = header.raw.pixel
    moved = instance.pixel_length > 0 and (pixel is None or pixel.offset != instance.pixel_offset)
    other = instance_uid(header) != instance.sop_instance_uid
    if other or moved or header.raw.transfer_syntax_uid != instance.transfer_syntax_uid:
        raise DecodeError(
            "replaced", "The file was replaced after it was imported: import the study again."
        )
    return False

"""What a reader should know about a file that reads well: another format in its preamble, lost digits.

The first 128 bytes of a DICOM file are free for any use (PS3.10 7.1). A whole-slide image may be a TIFF
file as well; a program for Windows or Linux in there makes a medical image that runs when started
(CVE-2019-11687, PS3.10 7.5). Nothing here runs or copies the preamble, but the reader is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from viewer.imaging.headers import Header, Tag
from viewer.imaging.study import FileNote, Instance

WHOLE_SLIDE: Final = "1.2.840.10008.5.1.4.1.1.77.1.6"
"""VL Whole Slide Microscopy: a TIFF preamble is common and meant."""

PROGRAMS: Final = (
    (b"MZ", "Windows program"),
    (b"\x7fELF", "Linux program"),
    (b"\xfe\xed\xfa\xce", "macOS program"),
    (b"\xfe\xed\xfa\xcf", "macOS program"),
    (b"\xce\xfa\xed\xfe", "macOS program"),
    (b"\xcf\xfa\xed\xfe", "macOS program"),
    (b"\xca\xfe\xba\xbe", "macOS or Java program"),
    (b"\0asm", "WebAssembly program"),
    (b"#!", "script"),
)
"""How programs begin."""

TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

OTHERS: Final = (
    (b"%PDF", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"Rar!", "RAR archive"),
    (b"7z\xbc\xaf", "7-Zip archive"),
    (b"\x89PNG", "PNG picture"),
    (b"\xff\xd8\xff", "JPEG picture"),
    (b"GIF8", "GIF picture"),
    (b"BM", "BMP picture"),
    (b"<", "web page or other markup"),
)
"""Formats that other programs may take the file for."""


def notes_of(images: Iterable[tuple[Header, Instance | None]], names: dict[str, str]) -> list[FileNote]:
    """Return the notes on files that were read: on every program, else once for each series.

    Parameters
    ----------
    images
        Headers, with the image where the object is one.
    names
        Names to show for unpacked members of archives.
    """
    notes: list[FileNote] = []
    told: set[tuple[str, str]] = set()
    for header, instance in images:
        path = names.get(header.path, header.path)
        series = header.code(Tag.SeriesInstanceUID)
        found = [preamble_note(header, instance)]
        if instance is not None and instance.floating and instance.bits_allocated == 64:
            words = "Its values have double precision and are shown and measured to 7 digits."
            found.append(("precision", words))
        for code, words in filter(None, found):
            if code != "program" and (code, series) in told:
                continue
            told.add((code, series))
            notes.append(FileNote(path=path, reason=words, code=code))
    return notes


def preamble_note(header: Header, instance: Instance | None) -> tuple[str, str] | None:
    """Return (code, words) on the preamble of a file, none where it is as usual."""
    start = header.raw.start
    if not any(start):
        return None
    for magic, kind in PROGRAMS:
        if start.startswith(magic):
            return (
                "program",
                f"This file also begins like a {kind}. The image is shown and nothing of it is run: do "
                "not start the file, and have it checked before you pass it on.",
            )
    if start.startswith(TIFF):
        if instance is not None and instance.sop_class_uid == WHOLE_SLIDE:
            return None
        return (
            "tiff",
            "This file also begins like a TIFF picture: another program may show something else.",
        )
    for magic, kind in OTHERS:
        if start.startswith(magic):
            return (
                "polyglot",
                f"This file also begins like a {kind}: another program may open it as that.",
            )
    return None

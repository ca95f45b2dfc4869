"""Transfer syntaxes that are not read, each with its reason: video, and pixels held elsewhere."""

from __future__ import annotations

from typing import Final

_VIDEO: Final = {
    "100": "MPEG-2 Main Profile at Main Level",
    "101": "MPEG-2 Main Profile at High Level",
    "102": "MPEG-4 AVC/H.264 High Profile",
    "103": "MPEG-4 AVC/H.264 BD-compatible",
    "104": "MPEG-4 AVC/H.264 High Profile, 2D",
    "105": "MPEG-4 AVC/H.264 High Profile, 3D",
    "106": "MPEG-4 AVC/H.264 Stereo High Profile",
    "107": "HEVC/H.265 Main Profile",
    "108": "HEVC/H.265 Main 10 Profile",
}

VIDEO: Final = {
    f"1.2.840.10008.1.2.4.{number}{fragmentable}": name
    for number, name in _VIDEO.items()
    for fragmentable in ("", ".1")
}
"""Transfer syntax -> codec (PS3.5 8.2.5 to 8.2.12); ".1" may be cut into fragments.

No decoder for these has a permissive licence and a wheel of its own: those that exist carry FFmpeg.
"""

STREAMS: Final = {
    "1.2.840.10008.1.2.7.1": "SMPTE ST 2110-20 progressive",
    "1.2.840.10008.1.2.7.2": "SMPTE ST 2110-20 interlaced",
    "1.2.840.10008.1.2.7.3": "SMPTE ST 2110-30 audio",
}
"""Live video of an operating theatre (PS3.22): only its description is a file."""

REFERENCED: Final = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (94, 95, 204, 205))
"""JPIP: the pixels are on a server, the file names it (PS3.5 8.4.1)."""

NOT_READ: Final = frozenset((*VIDEO, *STREAMS, *REFERENCED))
"""Every transfer syntax that `why_not_read` refuses."""


def why_not_read(
    syntax: str, *, rows: int, columns: int, frames: int, seconds: float | None
) -> tuple[str, str] | None:
    """Return (code, words) for a transfer syntax that is not read; none for one that may be.

    Parameters
    ----------
    seconds
        How long a video plays, when the header says it.
    """
    codec = VIDEO.get(syntax)
    if codec is not None:
        length = "" if seconds is None else f", {seconds:.0f} s"
        return (
            "video",
            f"This is a video ({codec}, {columns} x {rows}, {frames} frames{length}): this program has "
            "no decoder for it. Ask for it as single frames (JPEG), or play it in the program of the "
            "device that made it.",
        )
    if syntax in STREAMS:
        return "video", f"This describes a live video stream ({STREAMS[syntax]}): it holds no image."
    if syntax in REFERENCED:
        return (
            "no_pixels",
            "Its pixels are on a server (JPIP) and not in the file: ask for a complete copy.",
        )
    return None

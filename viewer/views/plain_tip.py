"""Words of a tool tip: as they are, never as markup.

Qt reads the text of a tool tip as HTML when it looks like it. Names in headers are written by others:
as HTML they could fetch a picture from the network or hide a part of themselves.
"""

from __future__ import annotations

import html


def plain_tip(text: str) -> str:
    """Return what a tool tip is given so that it shows these words, line by line."""
    if "<" not in text and "&" not in text:
        return text
    return f"<span>{'<br>'.join(html.escape(line) for line in text.splitlines())}</span>"

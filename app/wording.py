"""How drafts are worded in this session: language and style of the preferences. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from inference.drafting.style import HOUSE, style_names
from inference.drafting.templates import Language


@dataclass
class Wording:
    """What the next draft and the reader's normals are written in."""

    language: str = Language.ENGLISH
    style: str = HOUSE

    def change(self, language: str | None, style: str | None) -> None:
        """Put choices in force; what is not chosen, or no longer there, is as the program has it."""
        self.language = language or Language.ENGLISH
        self.style = style if style in style_names() else HOUSE


WORDING = Wording()
"""Of the process: one person reads at a time."""

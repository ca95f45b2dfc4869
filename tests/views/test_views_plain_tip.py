"""A tool tip shows the words of a header as they stand, whatever they look like."""

from __future__ import annotations

import pytest
from PySide6.QtGui import Qt, QTextDocument

from viewer.views.plain_tip import plain_tip


@pytest.mark.parametrize(
    "words",
    [
        "<b>Doe</b>, Jane",
        "size < 5 mm & > 3 mm",
        '<img src="http://192.0.2.1/x.png">',
        "<a href='file:///etc/passwd'>open</a>",
        "&lt;b&gt; & so on",
        "<!doctype html><style>* {color: red}</style>Doe",
        "two\n<b>lines</b>",
        "<b>two</b>\nlines",
    ],
)
def test_markup_is_shown_as_text(words: str, qapp: object) -> None:
    tip = plain_tip(words)
    assert Qt.mightBeRichText(tip)
    document = QTextDocument()
    document.setHtml(tip)
    assert document.toPlainText() == words
    assert "<img" not in tip
    assert "<a " not in tip


@pytest.mark.parametrize("words", ["", "Doe, Jane", "山田, 太郎", "two\nlines"])
def test_plain_words_stay_as_they_are(words: str, qapp: object) -> None:
    assert plain_tip(words) == words

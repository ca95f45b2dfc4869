"""The seeded-error set: frozen wordings, and cases that are what their label says."""

from __future__ import annotations

from inference.evaluation import seeded_errors
from inference.evaluation.seeded_errors import ErrorKind, cases
from inference.evaluation.seeded_ledgers import LANGUAGES, SPLITS, wordings


def test_the_wordings_are_those_from_before_the_checks() -> None:
    assert seeded_errors.current() == seeded_errors.frozen()


def test_no_sentence_of_one_split_stands_in_another() -> None:
    for language in LANGUAGES:
        said: dict[str, str] = {}
        for split in SPLITS:
            words = wordings(split, language)
            texts = {row["t"] for row in words.said()}
            texts |= {text for kind in words.table["templates"] for text in words.templates(kind)}
            assert not [(text, said[text]) for text in texts if text in said]
            said |= dict.fromkeys(texts, split)


def test_every_kind_of_error_is_seeded_in_both_languages_of_each_split() -> None:
    for split in SPLITS:
        for language in LANGUAGES:
            assert {case.kind for case in cases(split, language)} == set(ErrorKind)

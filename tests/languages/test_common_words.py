"""Ordinary words are known by any of their forms."""

import pytest

from rag.languages.common_words import is_common


@pytest.mark.parametrize(
    ("word", "lang", "common"),
    [("Peninsula", "en", True), ("Literackiej", "pl", True), ("Kowalski", "pl", False)],
)
def test_ordinary_words_are_no_names(word: str, lang: str, common: bool) -> None:
    assert is_common(word, lang) is common

"""A figure that is written in a language is read as the same figure."""

import pytest

from rag.languages.figures import read_numerals
from rag.languages.written_figures import written


@pytest.mark.parametrize("lang", ["en", "tr", "he", "ar", "pl", "ru", "kk", "zh", "de", "fr", "es"])
def test_what_is_written_in_a_language_is_read_in_it(lang: str) -> None:
    for text in ("41 billion", "2.4 million", "2023", "14.5", "320 million"):
        figure = read_numerals(text)[0].values
        assert read_numerals(written(figure, lang), lang)[0].values & figure


def test_a_magnitude_without_numeral_is_written_as_nothing() -> None:
    assert written(read_numerals("millions")[0].values) == ""

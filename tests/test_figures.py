"""Figures mean the same in every script, and a wrong one is caught."""

import pytest

from rag.figures import figures, left_out, unsupported, written

HEBREW = "המסחר עלה ב-32 אחוזים והגיע ל-41 מיליארד דולר"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("41 billion dollars", "en"),
        ("$41bn", "en"),
        ("a 41-billion-dollar trade", "en"),
        ("41 milyar dolar", "tr"),
        ("41 miliardów dolarów", "pl"),
        ("41 mld USD", "pl"),
        ("41 млрд долларов", "ru"),
        ("41 миллиард доллар", "kk"),
        ("٤١ مليار دولار", "ar"),
        ("۴۱ میلیارد دلار", "fa"),
        ("410亿美元", "zh"),
        ("410億ドル", "ja"),
        ("41 Milliarden", "de"),
        ("41 mil millones", "es"),
        ("41 milliards", "fr"),
        ("41\u00a0000\u00a0000\u00a0000", "fr"),
        ("41.000.000.000", "de"),
    ],
)
def test_the_same_figure_is_known_in_every_language(text: str, lang: str) -> None:
    assert unsupported(text, [HEBREW], lang) == []


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("21 billion", "en"),
        ("41 million", "en"),
        ("41 dollars", "en"),
        ("forty-one billion and 1 million", "en"),
        ("4.1 billion", "en"),
        ("410 billion", "en"),
        ("41 Billionen", "de"),
        ("41亿美元", "zh"),
        ("41 milyon", "tr"),
        ("in 2024, 41 billion", "en"),
    ],
)
def test_a_changed_figure_is_caught(text: str, lang: str) -> None:
    assert unsupported(text, [HEBREW], lang)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.234,5", "1,234.5"),
        ("1 234", "1234"),
        ("1'234", "1.234"),
        ("0,5", "٠٫٥"),
        ("12 тыс.", "12,000"),
        ("3 bin", "3000"),
    ],
)
def test_styles_of_separators_agree(one: str, other: str) -> None:
    assert unsupported(one, [other]) == []


@pytest.mark.parametrize("text", ["3 bina", "3 miles", "3 milliliters of it"])
def test_a_word_that_only_begins_like_a_thousand_is_none(text: str) -> None:
    assert unsupported("3", [text]) == []
    assert unsupported("3000", [text])


def test_a_magnitude_in_words_needs_one_in_the_quote() -> None:
    assert unsupported("forty-one billion", [HEBREW]) == [""]
    assert unsupported("millions of people", ["milyonlarca insan"]) == []


def test_a_figure_of_the_quote_that_is_left_out_is_named() -> None:
    assert left_out("It rose by 32 percent.", [HEBREW]) == ["41 billion"]
    assert left_out("It rose by 32 percent to 41 billion.", [HEBREW]) == []


def test_small_figures_may_be_words() -> None:
    assert left_out("Five agreements were signed.", ["5 anlaşma imzalandı"]) == []


@pytest.mark.parametrize("lang", ["en", "tr", "he", "ar", "pl", "ru", "kk", "zh", "de", "fr", "es"])
def test_what_is_written_in_a_language_is_read_in_it(lang: str) -> None:
    for text in ("41 billion", "2.4 million", "2023", "14.5", "320 million"):
        figure = figures(text)[0]
        assert figures(written(figure, lang), lang)[0] & figure


def test_a_magnitude_without_numeral_is_written_as_nothing() -> None:
    assert written(figures("millions")[0]) == ""

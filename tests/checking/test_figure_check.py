"""Figures mean the same in every script, and a wrong one is caught."""

from collections.abc import Iterable
from decimal import Decimal

import pytest

from rag.checking.figure_check import holds
from rag.languages.facts import facts_of
from rag.languages.numerals import Figure
from rag.languages.written_figures import written

HEBREW = "המסחר עלה ב-32 אחוזים והגיע ל-41 מיליארד דולר"


def unsupported(
    text: str, quotes: Iterable[str], lang: str = "", quote_lang: str = ""
) -> list[str]:
    """The figures of a text that none of the quotes holds."""
    held = Figure().union(*(facts_of(quote, quote_lang).figure_values for quote in quotes))
    return [
        written(each.values, lang)
        for each in facts_of(text, lang).figures
        if each.sure and not holds(held, each.values)
    ]


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


def test_a_number_in_words_is_the_figure() -> None:
    assert unsupported("forty-one billion", [HEBREW], "en") == []
    assert unsupported("forty billion", [HEBREW], "en") == ["40 billion"]
    assert unsupported("3 million", ["üç milyon"], "en", "tr") == []


def test_a_magnitude_alone_needs_one_in_the_quote() -> None:
    assert unsupported("millions of people", ["milyonlarca insan"]) == []
    assert unsupported("millions of people", ["3 milyon insan"]) == []
    assert unsupported("millions of people", ["3 bin insan"]) == [""]
    assert unsupported("1 million", ["a million"]) == []


@pytest.mark.parametrize(
    ("text", "quote", "lang", "quote_lang"),
    [
        ("on 5 July 2024", "05.07.2024", "en", "pl"),
        ("2024-07-05", "5 lipca 2024 r.", "en", "pl"),
        ("at 5:30 pm", "o 17:30", "en", "pl"),
        ("at 7", "07:00", "en", "tr"),
        ("from 2019 to 2020", "2019-20", "en", "pl"),
        ("in the 1980s", "w latach 80.", "en", "pl"),
        ("£31m", "31 milyon", "en", "tr"),
        ("320 million", "3亿2000万", "en", "zh"),
        ("12 thousand", "12 tysięcy", "en", "pl"),
        ("5 million", "כ-5 מיליון", "en", "he"),
    ],
)
def test_figures_agree_in_dates_times_and_magnitudes(
    text: str, quote: str, lang: str, quote_lang: str
) -> None:
    assert unsupported(text, [quote], lang, quote_lang) == []


@pytest.mark.parametrize(
    ("text", "quote"),
    [("at 5:30", "o 18:30"), ("£31m", "31 bin"), ("2019-21", "2019-20"), ("1980", "90.")],
)
def test_another_time_or_magnitude_is_caught(text: str, quote: str) -> None:
    assert unsupported(text, [quote], "en", "pl")


def test_miles_are_no_thousands_in_turkish() -> None:
    assert unsupported("385 miles", ["385 mil"], "en", "tr") == []


@pytest.mark.parametrize(
    ("text", "lang", "figure"),
    [
        ("two thousand three hundred and five", "en", 2305),
        ("zweitausenddreihundertfünf", "de", 2305),
        ("einundzwanzigste", "de", 21),
        ("两千三百万", "zh", 23_000_000),
        ("две тысячи триста", "ru", 2300),
        ("عشرون ألفا", "ar", 20_000),
        ("السابعة والأربعين", "ar", 47),
        ("ألفان", "ar", 2000),
        ("שלושים ושש", "he", 36),
        ("אלפיים", "he", 2000),
        ("tysiąc dwieście", "pl", 1200),
        ("yirmibeş", "tr", 25),
        ("он тоғызыншы", "kk", 19),
        ("полтора", "ru", 1.5),
        ("два с половиной миллиона", "ru", 2_500_000),
        ("bir buçuk milyon", "tr", 1_500_000),
        ("w XIX wieku", "pl", 19),
        ("three quarters", "en", 75),
        ("a dozen", "en", 12),
    ],
)
def test_figures_in_words_are_held_in_every_language(text: str, lang: str, figure: float) -> None:
    assert holds(facts_of(text, lang).figure_values, frozenset({Decimal(str(figure))}))


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("32 في المائة", "ar"),
        ("بنسبة 32 بالمئة", "ar"),
        ("yüzde 32", "tr"),
        ("32 pour cent", "fr"),
        ("32 por ciento", "es"),
        ("百分之三十二", "zh"),
    ],
)
def test_the_hundred_of_percent_is_no_figure(text: str, lang: str) -> None:
    assert unsupported(text, ["32%"], lang) == []


@pytest.mark.parametrize(
    ("text", "lang"), [("жетінші рет", "kk"), ("the seventh time", "en"), ("第七次", "zh")]
)
def test_a_wrong_ordinal_is_caught(text: str, lang: str) -> None:
    assert unsupported(text, ["7. kez"], lang, "tr") == []
    assert unsupported(text, ["12. kez"], lang, "tr")


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("three quarters", "en"),
        ("שלושה רבעים", "he"),
        ("ثلاثة أرباع", "ar"),
        ("drei Viertel", "de"),
    ],
)
def test_the_number_of_parts_is_not_doubted(text: str, lang: str) -> None:
    assert unsupported(text, ["75%"], lang) == []

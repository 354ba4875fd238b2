"""Figures as a language writes them."""

import unicodedata
from decimal import Decimal
from typing import Literal

from rag.languages.cldr import babel_locale
from rag.languages.figures import read_numerals
from rag.languages.numerals import Figure

_LARGEST_NAMED = 10**18
"""From here on no language is sure to have a word for the magnitude."""


def written(figure: Figure, lang: str = "") -> str:
    """A figure as a language writes it, never rounded; "" for a magnitude without a numeral.

    >>> figure = read_numerals("57 מיליארד")[0].values
    >>> [written(figure, lang) for lang in ("en", "tr", "zh", "ru")]
    ['57 billion', '57 milyar', '570亿', '57 миллиардов']
    >>> written(read_numerals("1,234,567")[0].values, "de")
    '1234567'
    """
    values = [value for value in figure if isinstance(value, Decimal)]
    if not values:
        return ""
    value = max(values)
    if 10**6 <= value < _LARGEST_NAMED:
        compact = _compact(value, lang)
        if any(value in read.values for read in read_numerals(compact, lang)):
            return compact
    return f"{value:f}"


def _compact(value: Decimal, lang: str) -> str:
    from babel.numbers import format_compact_decimal

    locale = (babel_locale(lang) if lang.isalpha() else None) or babel_locale("en")
    assert locale
    # Languages that write the magnitude as a letter have the short form only.
    form: Literal["long", "short"] = "long" if "long" in locale.compact_decimal_formats else "short"
    text = format_compact_decimal(value, format_type=form, locale=locale, fraction_digits=3)
    # Babel sets Hebrew and Arabic figures in marks of direction, which no quote has.
    shown = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return shown.replace("\u00a0", " ")

"""Figures in text of any script: numerals, words of magnitude, and numbers in words.

A figure is the set of values that a numeral may stand for: "1.234" is 1234 to a
German reader and 1.234 to an English one.
"""

import re
from decimal import Decimal

from rag.languages.dates import Dates
from rag.languages.figure_sums import combined
from rag.languages.folding import fold
from rag.languages.fractions import part_spans
from rag.languages.number_words import NumberWord, number_words
from rag.languages.numerals import PlacedFigure, placed_numerals

TIME = re.compile(r"(?<![\d:.,])([01]?\d|2[0-3])[:h]([0-5]\d)(?![\d:])")
_SHORT_YEAR = re.compile(r"(?<!\d)((?:1[5-9]|20)\d\d)[-–/](\d\d)(?![\d/-])")


def read_numerals(text: str, lang: str = "") -> list[PlacedFigure]:
    """The numerals and words of magnitude of a text, in order, but no other number words.

    `lang` settles words that two languages share.

    >>> [sorted(map(str, f.values)) for f in read_numerals("57 milyar dolar, ١٨ yıl, 1.234", "tr")]
    [['57000000000'], ['18'], ['1.234', '1234']]
    """
    plain = fold(text).text
    return combined(plain, placed_numerals(plain, lang), lang, thousands=False)


def read_figures(text: str, lang: str, dates: Dates) -> list[PlacedFigure]:
    """The figures of a text, numbers in words among them, but what its dates in figures have.

    >>> found = read_figures("by fifty-six million", "en", Dates())
    >>> [(sorted(map(str, figure.values)), figure.start) for figure in found]
    [(['56000000'], 3)]
    """
    plain = fold(text).text
    times = [_time(match) for match in TIME.finditer(plain)]
    years = [match for match in _SHORT_YEAR.finditer(plain) if match[1][2:] < match[2]]
    times += [_short_year(match) for match in years]
    taken = [(date.start, date.end) for date in dates.numeric]
    taken += [(time.start, time.end) for time in times]
    parts = part_spans(plain, lang)
    words = [_in_words(word, parts) for word in number_words(plain, lang)]
    found = [*placed_numerals(plain, lang, taken), *words, *times]
    return combined(plain, found, lang, thousands=True)


def _in_words(word: NumberWord, parts: list[tuple[int, int]]) -> PlacedFigure:
    """A number in words; "a fifth" is 20 percent as well, and the number of parts is never sure."""
    share = {Decimal(round(100 / word.value))} if word.ordinal else set()
    values = frozenset({Decimal(word.value)} | share)
    part = any(start < word.end and word.start < end for start, end in parts)
    return PlacedFigure(values, word.start, word.end, word=True, sure=word.sure and not part)


def _time(match: re.Match[str]) -> PlacedFigure:
    """A time of day; 5:30 may be 17:30, and at the full hour the hour is enough."""
    hour, minute = int(match[1]), int(match[2])
    hours = {hour, hour + 12 if hour < 12 else hour - 12}
    values = {Decimal(f"{each}.{minute:02}") for each in hours}
    return PlacedFigure(frozenset(values), *match.span())


def _short_year(match: re.Match[str]) -> PlacedFigure:
    """The second year of "2019-20", which is 20 and 2020."""
    values = {Decimal(match[2]), Decimal(match[1][:2] + match[2])}
    return PlacedFigure(frozenset(values), *match.span(2))

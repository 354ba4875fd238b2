"""What a quote names: figures, dates and countries in the asker's language, Latin names as such.

A quote is shown as the article has it, in a language that the asker may not read. What
stands in it and has one name in every language can be said without a model, and so is
never mistranslated. Names in Latin letters within another script are told as they stand.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal

from rag.languages.cldr import cldr
from rag.languages.dates import DatePart
from rag.languages.facts import TextFacts, facts_of
from rag.languages.folding import Folded
from rag.languages.locales import frame_locale, territory_name
from rag.languages.numerals import PlacedFigure
from rag.languages.units import Unit, unit_at
from rag.languages.written_figures import written

MOST_NAMED = 10
"""Particulars of one quote; a list that is longer helps nobody."""
_SYMBOLS = {
    "dollar": "$", "euro": "€", "pound": "£", "lira": "₺", "rouble": "₽", "shekel": "₪",
    "tenge": "₸", "hryvnia": "₴", "rupee": "₹", "won": "₩", "zloty": "zł",
}  # fmt: skip
_GAP = 3
"""Signs between the parts of one date: a space, a comma, a letter written onto the month."""

_SMALL = frozenset(map(Decimal, range(11)))
"""Figures that say little by themselves, such as that of a list's third item."""

_LATIN_NAME = re.compile(
    r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ž]+(?:['’ -][A-ZÀ-ÖØ-Þ]?[a-zß-öø-ž]*(?<=[A-Za-zß-ž]))*"
)

Said = tuple[int, int, str]
"""Start and end in the folded text, and what is said of it."""


def gloss(text: str, lang: str, to: str) -> tuple[str, ...]:
    """What a text of one language names, in another, in the order of the text, each once.

    Figures with percent or currency, dates, and countries; what can be read in two ways is
    left out.

    >>> gloss("In Polen stieg er im Mai 2021 um 18 Prozent auf 57 Milliarden Euro.", "de", "en")
    ('Poland', 'May 2021', '18%', '57 billion €')
    """
    facts = facts_of(text, lang)
    # Numbers in words can be misread ("three decades"): what is shown must be certain.
    figures = [each for each in facts.figures if not each.word]
    dates = list(_dates(facts, figures, to))
    free = [f for f in figures if not any(a <= f.start < b for a, b, _ in dates)]
    countries = list(_countries(facts, to))
    names = [each for each in _names(facts) if not any(a <= each[0] < b for a, b, _ in countries)]
    found = [*dates, *_figures(facts, free, to), *countries, *names]
    return tuple(dict.fromkeys(said for _, _, said in sorted(found)))[:MOST_NAMED]


def _figures(facts: TextFacts, figures: Sequence[PlacedFigure], to: str) -> Iterator[Said]:
    for each in figures:
        if len(each.values) > 1:
            continue
        number = written(each.values, to)
        unit = unit_at(facts.folded.text, each.start, each.end, facts.lang)
        if number and (unit or not each.values <= _SMALL):
            yield each.start, each.end, _with_unit(number, unit, to)


def _with_unit(number: str, unit: Unit, to: str) -> str:
    """The number as it is written with percent or a currency's sign; alone with another unit."""
    if unit == {"percent"}:
        pattern = frame_locale(to).percent_formats[None].pattern
        return f"%{number}" if pattern.startswith("%") else f"{number}%"
    symbol = _SYMBOLS.get(next(iter(unit))) if len(unit) == 1 else None
    return f"{number} {symbol}" if symbol else number


def _dates(facts: TextFacts, figures: Sequence[PlacedFigure], to: str) -> Iterator[Said]:
    """Months with the day and year that stand beside them, and dates in figures alone."""
    for month in facts.dates.named:
        if month.kind == "month":
            start, end, day, year = _beside(month, figures)
            if year or month.sure:
                yield start, end, _date(month.number, day, year, to)
    for each in facts.dates.numeric:
        if len(each.parts) == 3:
            yield each.start, each.end, facts.folded.text[each.start : each.end]


def _beside(month: DatePart, figures: Sequence[PlacedFigure]) -> tuple[int, int, int, int]:
    """Where a date begins and ends, its day and its year; 0 for what it does not tell."""
    start, end, day, year = month.start, month.end, 0, 0
    for each in figures:
        value = next(iter(each.values))
        if not isinstance(value, Decimal):
            continue
        if 0 <= start - each.end <= _GAP and 1 <= value <= 31 and not day:
            start, day = each.start, int(value)
        elif 0 <= each.start - end <= _GAP and 1000 <= value <= 2200:
            end, year = each.end, int(value)
    return start, end, day, year


def _date(month: int, day: int, year: int, to: str) -> str:
    """As much of a date as is known, with the month in words; "" for a day that cannot be."""
    from babel.dates import format_date, format_skeleton

    locale = frame_locale(to)
    with suppress(ValueError):
        whole = date(year or 2000, month, day or 1)
        if day and year:
            return format_date(whole, "long", locale=locale)
        if day or year:
            return format_skeleton("MMMMd" if day else "yMMMM", whole, locale=locale)
        return _month(month, str(locale))
    return ""


def _month(number: int, locale: str) -> str:
    """A month by itself; Babel's own call mixes up languages once it was asked for several."""
    forms = cldr(locale).get("months", {})
    for form in ("stand-alone", "format"):
        names = forms.get(form, {}).get("wide", {})
        if isinstance(names, dict) and number in names:
            return str(names[number])
    return ""


def _countries(facts: TextFacts, to: str) -> Iterator[Said]:
    for country in facts.country_mentions:
        name = territory_name(country.code, to)
        if name:
            yield *_folded(facts.folded, country.start, country.end), name


def _names(facts: TextFacts) -> Iterator[Said]:
    """Names that stand in Latin letters in a text of another script."""
    for run in () if _is_latin(facts.text) else _LATIN_NAME.finditer(facts.text):
        yield *_folded(facts.folded, *run.span()), run[0]


def _is_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return 2 * sum(char < "\u0250" for char in letters) > len(letters)


def _folded(plain: Folded, start: int, end: int) -> tuple[int, int]:
    """Where a part of the text stands in the folded one."""
    first = bisect_left(plain.starts, start)
    return first, max(first, bisect_left(plain.starts, end))

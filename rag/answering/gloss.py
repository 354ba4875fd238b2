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

from rag.languages.countries import places
from rag.languages.dates import DatePart, Dates, cldr, read_dates
from rag.languages.figures import Placed, read_figures, written
from rag.languages.folding import Folded, fold
from rag.languages.units import Unit, unit_at
from rag.prompts import frame_locale, territory_name

MOST = 10
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

Told = tuple[int, int, str]
"""Start and end in the folded text, and what is said of it."""


def gloss(text: str, lang: str, to: str) -> tuple[str, ...]:
    """What a text of one language names, in another, in the order of the text, each once.

    Figures with percent or currency, dates, and countries; what can be read in two ways is
    left out.

    >>> gloss("In Polen stieg er im Mai 2021 um 18 Prozent auf 57 Milliarden Euro.", "de", "en")
    ('Poland', 'May 2021', '18%', '57 billion €')
    """
    plain = fold(text)
    dates = read_dates(text, lang)
    # Numbers in words can be misread ("three decades"): what is shown must be certain.
    figures = [each for each in read_figures(text, lang, dates) if not each.word]
    written_dates = list(_dates(plain, dates, figures, to))
    free = [f for f in figures if not any(a <= f.start < b for a, b, _ in written_dates)]
    countries = list(_countries(text, plain, lang, to))
    names = [
        (start, end, said)
        for start, end, said in _names(text, plain)
        if not any(a <= start < b for a, b, _ in countries)
    ]
    found = [*written_dates, *_figures(plain, free, lang, to), *countries, *names]
    return tuple(dict.fromkeys(said for _, _, said in sorted(found)))[:MOST]


def _figures(plain: Folded, figures: Sequence[Placed], lang: str, to: str) -> Iterator[Told]:
    for each in figures:
        if len(each.values) > 1:
            continue
        number = written(each.values, to)
        unit = unit_at(plain.text, each.start, each.end, lang)
        if number and (unit or not all(v in _SMALL for v in each.values)):
            yield each.start, each.end, _with_unit(number, unit, to)


def _with_unit(number: str, unit: Unit, to: str) -> str:
    """The number as it is written with percent or a currency's sign; alone with another unit."""
    if unit == {"percent"}:
        pattern = frame_locale(to).percent_formats[None].pattern
        return f"%{number}" if pattern.startswith("%") else f"{number}%"
    symbol = _SYMBOLS.get(next(iter(unit))) if len(unit) == 1 else None
    return f"{number} {symbol}" if symbol else number


def _dates(plain: Folded, dates: Dates, figures: Sequence[Placed], to: str) -> Iterator[Told]:
    """Months with the day and year that stand beside them, and dates in figures alone."""
    for month in dates.named:
        if month.kind == "month":
            start, end, day, year = _beside(month, figures)
            if year or month.sure:
                yield start, end, _date(month.number, day, year, to)
    for each in dates.numeric:
        if len(each.parts) == 3:
            yield each.start, each.end, plain.text[each.start : each.end]


def _beside(month: DatePart, figures: Sequence[Placed]) -> tuple[int, int, int, int]:
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


def _countries(text: str, plain: Folded, lang: str, to: str) -> Iterator[Told]:
    for place in places(text, lang):
        name = territory_name(place.code, to)
        if name:
            yield *_folded(plain, place.start, place.end), name


def _names(text: str, plain: Folded) -> Iterator[Told]:
    """Names that stand in Latin letters in a text of another script."""
    for run in () if _is_latin(text) else _LATIN_NAME.finditer(text):
        yield *_folded(plain, *run.span()), run[0]


def _is_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return 2 * sum(char < "\u0250" for char in letters) > len(letters)


def _folded(plain: Folded, start: int, end: int) -> tuple[int, int]:
    """Where a part of the text stands in the folded one."""
    first = bisect_left(plain.starts, start)
    return first, max(first, bisect_left(plain.starts, end))

"""Dates that follow from a text: "next year" from its article's date, 1918 and "a hundred years".

They support what a claim says, and nothing is doubted for them: each is read as generously as
it may be meant.
"""

import re
import tomllib
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from rag.languages.dates import Dates, cldr, read_dates
from rag.languages.figures import Placed, read_figures
from rag.languages.folding import bare, fold, fold_bare
from rag.languages.fractions import implied
from rag.languages.units import unit_at
from rag.records import Record

_UNITS = ("day", "week", "month", "year")
_PREFIXES = {"he": "[ובלהמשכ]{0,2}", "ar": "[وبلفك]{0,2}"}
_WITHOUT_SPACES = ("zh", "ja", "th")
_BESIDE = 4
"""Signs between a day and its month."""
_NEAR = 6
"""Signs between the parts of one date: "de", "года"."""
_LONGEST = 1000
"""Years that an article reckons with, such as those of an anniversary."""
_SHORTEST = 2
_WEEK = 7
_YEARS = range(1000, 2201)
_ANY_YEAR = 2001
_ROUND = frozenset((Decimal(10), Decimal(100)))
_COUNTS = frozenset(map(Decimal, range(1, 201)))
"""Days to years that are told from now; more would be no way to tell a date."""


@dataclass(frozen=True, slots=True)
class Reckoned(Record):
    """What follows from texts: days and years as figures, months, weekdays (0 is Monday)."""

    figures: frozenset[Decimal | str] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()


@lru_cache(64)
def reckon(quotes: tuple[tuple[str, str], ...], dates: tuple[str, ...] = ()) -> Reckoned:
    """What the quotes, (text, language) pairs, say of dates without writing it.

    `dates` are ISO dates of their articles; without one nothing relative is reckoned.

    >>> found = reckon((("wczoraj", "pl"), ("za dwa lata", "pl")), ("2021-03-01",))
    >>> sorted(map(int, found.figures)), found.months, found.weekdays
    ([28, 2021, 2023], frozenset({2}), frozenset({6}))
    """
    days = [date.fromisoformat(each[:10]) for each in dates if _is_date(each)]
    figures: set[Decimal | str] = set()
    months: set[int] = set()
    weekdays: set[int] = set()
    for text, lang in quotes:
        read = read_dates(text, lang)
        beside = list(_days_beside(text, lang, read))
        figures |= {Decimal(each.day) for each in beside}
        months |= {each.month for each in beside}
        told = _told(text, lang, read_figures(text, lang, read)) if days else []
        for day in days:
            figures |= set(map(Decimal, _years(told, read, day)))
            for start, end in _spans(told, read, day):
                found = [start + timedelta(days=i) for i in range((end - start).days + 1)]
                figures |= {Decimal(each.day) for each in found if len(found) <= _WEEK}
                figures |= {Decimal(each.year) for each in found}
                months |= {each.month for each in found}
                weekdays |= {each.weekday() for each in found if len(found) == 1}
    return Reckoned(
        frozenset(figures | anniversaries(quotes)), frozenset(months), frozenset(weekdays)
    )


def datelines(
    read: Dates, figures: Sequence[Placed], dates: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Where a text writes one of the dates, ISO ones of its articles, in folded offsets.

    The month counts with the day or the year beside it.

    >>> text = "In the report of 3 July 2021 it is 3 July."
    >>> read = read_dates(text, "en")
    >>> list(datelines(read, read_figures(text, "en", read), ["2021-07-03"]))
    [(17, 28), (35, 41)]
    """
    for day in (date.fromisoformat(each[:10]) for each in dates if _is_date(each)):
        whole = {day.day, day.month, day.year}
        yield from ((each.start, each.end) for each in read.numeric if set(each.parts) == whole)
        month = ("month", day.month)
        months = [
            (each.start, each.end) for each in read.named if (each.kind, each.number) == month
        ]
        months += [(each.start, each.end) for each in read.numeric if each.parts == (day.month,)]
        for start, end in months:
            beside = [
                figure
                for figure in figures
                if {Decimal(day.day), Decimal(day.year)} & figure.values
                and max(start - figure.end, figure.start - end) <= _NEAR
            ]
            if beside:
                yield (
                    min(start, *(each.start for each in beside)),
                    max(end, *(each.end for each in beside)),
                )


def tells_year(text: str, lang: str) -> bool:
    """Whether a text tells a year by words such as "this year"."""
    plain = fold_bare(text).text
    return any(unit == "year" and words.search(plain) for unit, _, words in _patterns(lang))


def anniversaries(quotes: Sequence[tuple[str, str]]) -> set[Decimal | str]:
    """Years that lie as far from a year of the quotes as another of their figures says.

    >>> sorted(map(int, anniversaries([("Founded in 1910, it kept its 25th birthday", "en")])))
    [1885, 1935]
    """
    years: set[int] = set()
    spans: set[int] = set()
    for text, lang in quotes:
        dates = read_dates(text, lang)
        counts: set[int] = set()
        for each in read_figures(text, lang, dates):
            for value in each.values:
                if not isinstance(value, Decimal) or value != int(value):
                    continue
                if int(value) in _YEARS:
                    years.add(int(value))
                elif _SHORTEST <= value < _LONGEST and not _is_day(each, dates):
                    counts.add(int(value))
        round_counts = {int(value) for value in implied(text, lang) if value in _ROUND}
        spans |= counts | round_counts | {a * b for a in counts for b in round_counts}
        years |= {part for each in dates.numeric for part in each.parts if part in _YEARS}
    return {Decimal(year + sign * span) for year in years for span in spans for sign in (1, -1)}


def _days_beside(text: str, lang: str, dates: Dates) -> Iterator[date]:
    """Days that a text tells from one that it names: the day before, three days later.

    Only their days and months are reckoned; they are in whatever year.
    """
    figures = read_figures(text, lang, dates)
    plain = fold(text).text
    offs = {1} if _beside(lang).search(fold_bare(text).text) else set()
    for each in figures:
        unit = unit_at(plain, each.start, each.end, lang)
        size = 7 if "duration-week" in unit else "duration-day" in unit
        offs |= {size * int(v) for v in each.values if size and v in _COUNTS}
    for day, month in _named_days(dates, figures):
        for off in offs:
            yield from (date(_ANY_YEAR, month, day) + timedelta(days=s * off) for s in (1, -1))


def _named_days(dates: Dates, figures: Sequence[Placed]) -> Iterator[tuple[int, int]]:
    for month in dates.named:
        for each in figures if month.kind == "month" else ():
            gap = max(month.start - each.end, each.start - month.end)
            for value in each.values if 0 <= gap <= _BESIDE else ():
                if isinstance(value, Decimal) and value in _COUNTS and value <= 28:
                    yield int(value), month.number
    for written in dates.numeric:
        days = [part for part in written.parts if part <= 28] if len(written.parts) == 3 else []
        yield from ((day, month) for day in days for month in written.months)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text[:10]).year in _YEARS
    except ValueError:
        return False


def _is_day(figure: Placed, dates: Dates) -> bool:
    """Whether a figure is the day of a month that stands beside it."""
    return any(
        -_BESIDE <= month.start - figure.end <= _BESIDE
        or -_BESIDE <= figure.start - month.end <= _BESIDE
        for month in dates.named
        if month.kind == "month"
    )


def _years(told: Sequence[tuple[str, int]], dates: Dates, day: date) -> Iterator[int]:
    """Years that a text tells: "two years ago", and that of a month without one."""
    for unit, number in told:
        if unit == "year":
            yield day.year + number
    for month in dates.held("month"):
        yield day.year
        yield day.year + (1 if month < day.month else -1)


def _spans(told: Sequence[tuple[str, int]], dates: Dates, day: date) -> Iterator[tuple[date, date]]:
    """First and last day of each time, but years, told from the day on which it is written."""
    for unit, number in told:
        if unit != "year":
            yield _span(day, unit, number)
    for weekday in dates.held("weekday"):
        for off in range(-7, 8):
            if (found := day + timedelta(days=off)).weekday() == weekday:
                yield found, found


def _span(day: date, unit: str, number: int) -> tuple[date, date]:
    """The day, or the whole week or month, that lies so many of them off."""
    if unit == "month":
        year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
        return date(year, month + 1, 1), date(year, month + 1, monthrange(year, month + 1)[1])
    found = day + timedelta(days=number * (7 if unit == "week" else 1))
    start = found - timedelta(days=found.weekday()) if unit == "week" else found
    return start, start + timedelta(days=6 if unit == "week" else 0)


def _told(text: str, lang: str, figures: Sequence[Placed]) -> list[tuple[str, int]]:
    """The units, and how many of them off, that a text tells by a word or a figure."""
    plain = fold_bare(text).text
    found = [(unit, number) for unit, number, words in _patterns(lang) if words.search(plain)]
    return [*found, *_counted(text, lang, figures)]


@cache
def _beside(lang: str) -> re.Pattern[str]:
    words = _table().get(lang, {}).get("beside", r"(?!)")
    return re.compile(
        words if lang in _WITHOUT_SPACES else rf"\b{_PREFIXES.get(lang, '')}(?:{words})"
    )


@cache
def _table() -> dict[str, dict[str, Any]]:
    text = (Path(__file__).parent / "relative_dates.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _patterns(lang: str) -> tuple[tuple[str, int, re.Pattern[str]], ...]:
    table = _table().get(lang, {})
    edge = ("", "") if lang in _WITHOUT_SPACES else (rf"\b{_PREFIXES.get(lang, '')}", r"\b")
    return tuple(
        (unit, int(number), re.compile(f"{edge[0]}(?:{_bare_pattern(words)}){edge[1]}"))
        for unit in _UNITS
        for number, words in table.get(unit, {}).items()
    )


def _bare_pattern(words: str) -> str:
    """The words of a pattern as `bare` writes them, its signs as they are."""
    return re.sub(r"[^\W\d_]+", lambda m: m[0] if m[0] == "w" else bare(m[0]), words)


def _counted(text: str, lang: str, figures: Sequence[Placed]) -> Iterator[tuple[str, int]]:
    """Days to years before or after now, as CLDR writes them: "in {0} years"."""
    plain = fold(text).text
    for unit, sign, before, after in _fields(lang):
        for figure in figures:
            lead, rest = plain[max(0, figure.start - 24) : figure.start], plain[figure.end :][:32]
            if before.search(fold_bare(lead).text) and after.match(fold_bare(rest).text):
                for value in figure.values:
                    if isinstance(value, Decimal) and value in _COUNTS:
                        yield unit, sign * int(value)
    words = fold_bare(text).text
    yield from ((unit, number) for unit, number, phrase in _phrases(lang) if phrase in words)


_Field = tuple[str, int, re.Pattern[str], re.Pattern[str]]


@cache
def _fields(lang: str) -> tuple[_Field, ...]:
    """Unit, sign, and what stands before and after the number."""
    return tuple(
        (unit, sign, _ends(before), _begins(after))
        for unit, sign, _, form in _forms(lang)
        for before, mark, after in (form.partition("{0}"),)
        if mark and (before.strip() or after.strip())
    )


@cache
def _phrases(lang: str) -> tuple[tuple[str, int, str], ...]:
    """One and two of a unit where a language writes them without a number."""
    return tuple(
        (unit, sign * ("one", "two").index(number) + sign, fold_bare(form).text)
        for unit, sign, number, form in _forms(lang)
        if "{0}" not in form and number in ("one", "two")
    )


def _forms(lang: str) -> Iterator[tuple[str, int, str, str]]:
    fields = cldr(lang).get("date_fields", {})
    for unit in _UNITS:
        for way, sign in (("past", -1), ("future", 1)):
            for number, form in (fields.get(unit, {}).get(way) or {}).items():
                yield unit, sign, number, form


def _ends(words: str) -> re.Pattern[str]:
    return re.compile(re.escape(fold_bare(words).text.strip()) + r"\W*\Z")


def _begins(words: str) -> re.Pattern[str]:
    return re.compile(r"\W*" + re.escape(fold_bare(words).text.strip()))

"""Dates that follow from a text: "next year" from its article's date, 1918 and "a hundred years".

They support what a claim says, and nothing is doubted for them: each is read as generously as
it may be meant.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from rag.checking.relative_words import COUNTS, Unit, tells_day_beside, times_from_now
from rag.languages.dates import Dates
from rag.languages.facts import TextFacts
from rag.languages.fractions import implied
from rag.languages.numerals import PlacedFigure
from rag.languages.units import unit_at
from rag.records import Record

_BESIDE = 4
"""Signs between a day and its month."""
_LONGEST = 1000
"""Years that an article reckons with, such as those of an anniversary."""
_SHORTEST = 2
_WEEK = 7
_YEARS = range(1000, 2201)
_ANY_YEAR = 2001
_ROUND = frozenset((Decimal(10), Decimal(100)))


@dataclass(frozen=True, slots=True)
class Reckoned(Record):
    """What follows from texts: days and years as figures, months, weekdays (0 is Monday)."""

    figures: frozenset[Decimal | str] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()


def reckon(quotes: Sequence[TextFacts], dates: Sequence[str] = ()) -> Reckoned:
    """What the quotes say of dates without writing it.

    `dates` are ISO dates of their articles; without one nothing relative is reckoned.

    >>> from rag.languages.facts import facts_of
    >>> quotes = facts_of("wczoraj", "pl"), facts_of("za dwa lata", "pl")
    >>> found = reckon(quotes, ("2021-03-01",))
    >>> sorted(map(int, found.figures)), found.months, found.weekdays
    ([28, 2021, 2023], frozenset({2}), frozenset({6}))
    """
    figures = anniversaries(quotes)
    months: set[int] = set()
    weekdays: set[int] = set()
    for quote in quotes:
        beside = set(_days_beside(quote))
        figures |= {Decimal(each.day) for each in beside}
        months |= {each.month for each in beside}
        for day in days_of(dates):
            times = times_from_now(quote)
            figures |= set(map(Decimal, _years(times, quote.dates, day)))
            for span in _spans(times, quote.dates, day):
                figures |= {Decimal(each.day) for each in span if len(span) <= _WEEK}
                figures |= {Decimal(each.year) for each in span}
                months |= {each.month for each in span}
                weekdays |= {each.weekday() for each in span if len(span) == 1}
    return Reckoned(frozenset(figures), frozenset(months), frozenset(weekdays))


def anniversaries(quotes: Iterable[TextFacts]) -> set[Decimal | str]:
    """Years that lie as far from a year of the quotes as another of their figures says.

    >>> from rag.languages.facts import facts_of
    >>> quote = facts_of("Founded in 1910, it kept its 25th birthday", "en")
    >>> sorted(map(int, anniversaries([quote])))
    [1885, 1935]
    """
    years: set[int] = set()
    spans: set[int] = set()
    for quote in quotes:
        counts: set[int] = set()
        for figure in quote.figures:
            for value in filter(_is_whole, figure.values):
                if int(value) in _YEARS:
                    years.add(int(value))
                elif _SHORTEST <= int(value) < _LONGEST and not _is_day(figure, quote.dates):
                    counts.add(int(value))
        round_counts = {int(v) for v in implied(quote.text, quote.lang) if v in _ROUND}
        spans |= counts | round_counts | {a * b for a in counts for b in round_counts}
        years |= {part for each in quote.dates.numeric for part in each.parts if part in _YEARS}
    return {Decimal(year + sign * span) for year in years for span in spans for sign in (1, -1)}


def days_of(dates: Iterable[str]) -> Iterator[date]:
    """The days of ISO dates, but those that nothing can be reckoned from."""
    for each in dates:
        with suppress(ValueError):
            day = date.fromisoformat(each[:10])
            if day.year in _YEARS:
                yield day


def _is_whole(value: Decimal | str) -> bool:
    return isinstance(value, Decimal) and value == int(value)


def _days_beside(quote: TextFacts) -> Iterator[date]:
    """Days that a text tells from one that it names: the day before, three days later.

    Only their days and months are reckoned; they are in whatever year.
    """
    offs = {1} if tells_day_beside(quote.text, quote.lang) else set()
    for each in quote.figures:
        unit = unit_at(quote.folded.text, each.start, each.end, quote.lang)
        size = 7 if "duration-week" in unit else "duration-day" in unit
        offs |= {size * int(v) for v in each.values if size and v in COUNTS}
    for day, month in _named_days(quote.dates, quote.figures):
        for off in offs:
            yield from (date(_ANY_YEAR, month, day) + timedelta(days=s * off) for s in (1, -1))


def _named_days(dates: Dates, figures: Sequence[PlacedFigure]) -> Iterator[tuple[int, int]]:
    for month in dates.named:
        for each in figures if month.kind == "month" else ():
            gap = max(month.start - each.end, each.start - month.end)
            for value in each.values if 0 <= gap <= _BESIDE else ():
                if value in COUNTS and int(value) <= 28:
                    yield int(value), month.number
    for written in dates.numeric:
        days = [part for part in written.parts if part <= 28] if len(written.parts) == 3 else []
        yield from ((day, month) for day in days for month in written.months)


def _is_day(figure: PlacedFigure, dates: Dates) -> bool:
    """Whether a figure is the day of a month that stands beside it."""
    return any(
        -_BESIDE <= month.start - figure.end <= _BESIDE
        or -_BESIDE <= figure.start - month.end <= _BESIDE
        for month in dates.named
        if month.kind == "month"
    )


def _years(times: Sequence[tuple[Unit, int]], dates: Dates, day: date) -> Iterator[int]:
    """Years that a text tells: "two years ago", and that of a month without one."""
    for unit, number in times:
        if unit == "year":
            yield day.year + number
    for month in dates.held("month"):
        yield day.year
        yield day.year + (1 if month < day.month else -1)


def _spans(times: Sequence[tuple[Unit, int]], dates: Dates, day: date) -> Iterator[list[date]]:
    """The days of each time, but years, told from the day on which it is written."""
    for unit, number in times:
        if unit != "year":
            yield _span(day, unit, number)
    for weekday in dates.held("weekday"):
        for off in range(-7, 8):
            if (found := day + timedelta(days=off)).weekday() == weekday:
                yield [found]


def _span(day: date, unit: Unit, number: int) -> list[date]:
    """The day, or the whole week or month, that lies so many of them off."""
    if unit == "month":
        year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
        start, size = date(year, month + 1, 1), monthrange(year, month + 1)[1]
    elif unit == "week":
        start, size = day + timedelta(days=number * 7 - day.weekday()), _WEEK
    else:
        start, size = day + timedelta(days=number), 1
    return [start + timedelta(days=i) for i in range(size)]
